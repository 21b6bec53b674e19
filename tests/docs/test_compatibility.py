"""docs/compatibility.md tells the truth about every operation, limit, refusal, warning, event and scope."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.access.model import SCOPES
from offhook.access.v2 import PREFIX, USUAL, V2_OPERATIONS
from offhook.app import Offhook
from offhook.events.model import Word
from offhook.kit import errors
from offhook.kit.settings import Settings
from tests.docs.tables import ROOT, quoted, rows, section

PAGE = "compatibility.md"
BUILT = {quoted(row[0])[0]: row for row in rows(section(PAGE, "Built"))}
NOT_YET = {quoted(row[0])[0]: row for row in rows(section(PAGE, "Not yet"))}
V1 = "/api/offhook/v1"
ADDITIONS = {quoted(row[0])[0]: row for row in rows(section(PAGE, f"Additions under `{V1}`"))}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What a server has built: operation to method and path."""
    offhook = Offhook(Settings(data=str(tmp_path_factory.mktemp("compatibility")), access_log=False))
    offhook.reader.close()
    offhook.slot.release()
    offhook.database.close()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in offhook.document["paths"].items()
        for method, operation in methods.items()
    }


def _request(row: list[str], prefix: str) -> tuple[str, str]:
    method, path = row[1].replace("`", "").split()
    return method, path if path.startswith("/oauth2/") else prefix + path


def test_the_page_lists_every_operation_of_v2_once():
    assert not BUILT.keys() & NOT_YET.keys()
    assert BUILT.keys() | NOT_YET.keys() == V2_OPERATIONS.keys()


def test_what_is_built_is_the_same_or_better_and_the_rest_is_not_yet(served: dict[str, tuple[str, str]]):
    assert BUILT.keys() == served.keys() & V2_OPERATIONS.keys()
    assert {row[2] for row in BUILT.values()} == {"same", "better"}
    assert {row[2] for row in NOT_YET.values()} == {"not yet"}


def test_methods_and_paths_on_the_page_are_those_of_the_code(served: dict[str, tuple[str, str]]):
    for id, row in BUILT.items():
        assert _request(row, PREFIX) == served[id]
    for id, row in NOT_YET.items():
        known = V2_OPERATIONS[id]
        assert _request(row, PREFIX) == (known.method, known.path.replace(":text}", "}"))


def test_what_is_better_says_in_what():
    assert [id for id, row in BUILT.items() if row[2] == "better" and not row[3]] == []


def test_every_addition_is_on_the_page(served: dict[str, tuple[str, str]]):
    assert ADDITIONS.keys() == served.keys() - V2_OPERATIONS.keys()
    for id, row in ADDITIONS.items():
        assert _request(row, V1) == served[id]


def test_the_readme_counts_right():
    readme = (ROOT / "README.md").read_text()
    assert f"Of the {len(V2_OPERATIONS)} operations of v2 that it knows, {len(BUILT)} are built." in readme


def test_the_limits_on_the_page_are_those_of_the_code():
    listed = {id: quoted(row[1]) and row[0] for row in rows(section(PAGE, "Limits")) for id in quoted(row[1])}
    unusual = {known.id: known.limit for known in V2_OPERATIONS.values() if known.limit != USUAL}
    assert listed == {id: f"{limit.count} in {limit.seconds} s" for id, limit in unusual.items()}


def _refusals(kind: type[errors.Refusal] = errors.Refusal) -> Iterator[type[errors.Refusal]]:
    for one in kind.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
        yield from _refusals(one)


def test_every_status_and_reason_is_on_the_page():
    listed = {(row[0], quoted(row[1])[0]) for row in rows(section(PAGE, "Wire conventions"), 1)}
    assert listed == {(str(kind.status), kind.reason) for kind in _refusals()}


def _codes(source: Path) -> Iterator[str]:
    """The warning codes that a module writes down: the first argument of a notice, or one called `code`."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("Notice", "WarningOut"):
                given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                yield from (str(one.value) for one in given if isinstance(one, ast.Constant))


def test_every_warning_code_is_on_the_page_and_none_besides():
    written = {code for source in (ROOT / "src").rglob("*.py") for code in _codes(source)}
    listed = [quoted(row[0])[0] for row in rows(section(PAGE, "Warning codes"))]
    assert len(written) > 20
    assert len(listed) == len(set(listed))
    assert set(listed) == written


def test_every_event_word_is_on_the_page_and_none_besides():
    listed = [word for row in rows(section(PAGE, "Event words")) for word in quoted(row[0])]
    assert sorted(listed) == sorted(Word)


def test_every_scope_is_on_the_page_and_none_besides():
    listed = [scope for row in rows(section(PAGE, "Scopes")) for scope in quoted(row[0])]
    assert sorted(listed) == sorted(SCOPES)
