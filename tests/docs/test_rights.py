"""docs/algorithms/rights.md has the tables of the code."""

from typing import get_args

from offhook.directory.policies.model import Permission
from offhook.directory.rights.rules import OWN, PERMISSIONS, Fields
from tests.docs.tables import quoted, rows, section

PAGE = "algorithms/rights.md"


def _words(operations: dict[str, Fields]) -> set[str]:
    return {*operations, *(field for fields in operations.values() for field in fields or ())}


def test_what_each_permission_gives_is_on_the_page():
    listed = {quoted(row[0])[0]: set(quoted(row[1])) for row in rows(section(PAGE, "Policies"))}
    assert listed == {one: _words(dict(PERMISSIONS.get(one, {}))) for one in get_args(Permission)}


def test_what_is_ones_own_is_on_the_page():
    listed = {quoted(row[0])[0]: set(quoted(row[1])) for row in rows(section(PAGE, "One's own"))}
    assert listed == {operation: set(fields or ()) for operation, fields in OWN.items()}
