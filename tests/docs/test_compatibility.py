"""docs/compatibility.md tells the truth about every operation, limit, refusal, warning, event and scope."""

import ast
from collections.abc import Iterator
from pathlib import Path

from offhook.access.model import SCOPES
from offhook.access.v2 import NEWER, V2_OPERATIONS
from offhook.events.model import Word
from offhook.kit import errors
from tests.docs import generate
from tests.docs.tables import ROOT, quoted, rows, section

PAGE = "compatibility.md"
LISTED = rows(section(PAGE, "Operations"))


def test_the_tables_are_those_of_the_code():
    page = generate.PAGE.read_text()
    assert page == generate.generated(page), "make docs writes them anew"


def test_the_page_lists_every_operation_of_v2_once():
    assert [quoted(row[0])[0] for row in LISTED] == list(V2_OPERATIONS)
    assert len(V2_OPERATIONS) == 193 + len(NEWER)


def test_what_is_better_says_in_what():
    assert [row for row in LISTED if row[2] == "better" and not row[3]] == []


def test_the_readme_counts_right():
    built = sum(row[2] != "not yet" for row in LISTED)
    readme = (ROOT / "README.md").read_text()
    assert f"Of the {len(V2_OPERATIONS)} operations of v2 that it knows, {built} are built." in readme


def _refusals(kind: type[errors.Refusal] = errors.Refusal) -> Iterator[type[errors.Refusal]]:
    for one in kind.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
        yield from _refusals(one)


def test_every_status_and_reason_is_on_the_page():
    listed = {(row[0], quoted(row[1])[0]) for row in rows(section(PAGE, "Wire conventions"), 1)}
    assert listed == {(str(kind.status), kind.reason) for kind in _refusals()}


def _codes(source: Path) -> Iterator[str]:
    """The warning codes that a module writes down: a notice's first argument, or a variable called code."""
    tree = ast.parse(source.read_text())
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == "code"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("Notice", "WarningOut", "RecordWarning"):
                given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                found = (named.get("code") if isinstance(one, ast.Name) and one.id == "code" else one for one in given)
                for one in found:
                    branches = [one.body, one.orelse] if isinstance(one, ast.IfExp) else [one]
                    yield from (str(part.value) for part in branches if isinstance(part, ast.Constant))


def test_every_warning_code_is_on_the_page_and_none_besides():
    written = {code for source in (ROOT / "src").rglob("*.py") for code in _codes(source)}
    listed = [code for row in rows(section(PAGE, "Warning codes")) for code in quoted(row[0])]
    assert len(written) > 20
    assert len(listed) == len(set(listed))
    assert set(listed) == written


def test_every_event_word_is_on_the_page_and_none_besides():
    listed = [word for row in rows(section(PAGE, "Event words")) for word in quoted(row[0])]
    assert sorted(listed) == sorted(Word)


def test_every_scope_is_on_the_page_and_none_besides():
    listed = [scope for row in rows(section(PAGE, "Scopes")) for scope in quoted(row[0])]
    assert sorted(listed) == sorted(SCOPES)
