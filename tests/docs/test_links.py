"""Every link in the documentation leads somewhere, and every page can be reached from the README."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for folder, pattern in ((ROOT, "*.md"), (ROOT / "docs", "**/*.md"), (ROOT / "examples", "**/*.md"))
    for page in folder.glob(pattern)
)
WITHOUT_A_PLACE = re.compile(r"[a-z]+:", re.IGNORECASE)


def _prose(page: Path) -> str:
    """A page without its code, in which brackets mean other things."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """The file and the heading (or "") that each relative link of a page leads to."""
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", _prose(page)):
        if not WITHOUT_A_PLACE.match(target):
            path, _, heading = target.partition("#")
            yield (page.parent / path).resolve() if path else page, heading


def _headings(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to: lower case, without punctuation, hyphens for spaces."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_the_pages_are_found():
    assert {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} <= {
        str(page.relative_to(ROOT)) for page in PAGES
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for target, heading in _links(page):
        assert target.exists(), f"there is no {target}"
        assert target.is_relative_to(ROOT), f"{target} is not of this repository"
        assert not heading or heading in _headings(target), f"{target.name} has no heading {heading}"


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            waiting += [target for target, _ in _links(page) if target.suffix == ".md" and target.exists()]
    assert set(PAGES) - reached == set()
