"""docs/dependencies.md explains what is installed, and what is installed is what is imported."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

from tests.docs.tables import ROOT, page


def _named(file: str) -> set[str]:
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines)
    return {_plain(one[0]) for one in found if one}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _explained() -> set[str]:
    first = re.findall(r"^\| ([^|]+) \|", page("dependencies.md"), re.MULTILINE)
    return {_plain(name) for cell in first for name in re.sub(r"\(.*?\)", "", cell).replace(" ", "").split(",")}


def test_every_direct_dependency_is_explained():
    assert (_named("runtime.in") | _named("dev.in")) - _explained() == set()


NOT_THE_SERVERS = {"baresip (src/offhook/demo/phone.py)"}
"""The demo's telephone, which comes with what tests need; where it is not there, the demo says so."""


def test_whatever_the_server_imports_is_installed_with_it():
    """Not by way of something else that may go, nor only on the machine of whoever wrote it."""
    owners = packages_distributions()
    locked = _named("runtime.txt")
    missing = set()
    for source in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for top in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"offhook"}:
                if not {_plain(owner) for owner in owners.get(top, [top])} & locked:
                    missing.add(f"{top} ({source.relative_to(ROOT)})")
    assert missing == NOT_THE_SERVERS
