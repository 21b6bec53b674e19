"""Writes the tables of docs/compatibility.md that the code knows best: `make docs`. A test holds the page to it."""

import re
import tempfile
from typing import Any

from offhook.access.v2 import PREFIX, USUAL, V2_OPERATIONS
from offhook.app import Offhook
from offhook.kit.operation import Operation
from offhook.kit.router import public
from offhook.kit.settings import Settings
from tests.docs.tables import ROOT

PAGE = ROOT / "docs" / "compatibility.md"
V1 = "/api/offhook/v1"


def operations() -> list[Operation]:
    """Every operation that a server has built."""
    with tempfile.TemporaryDirectory() as folder:
        offhook = Offhook(Settings(data=folder, access_log=False))
        offhook.reader.close()
        offhook.slot.release()
        offhook.database.close()
        return offhook.operations


def _table(*head: str) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]


def operations_table(built: list[Operation]) -> list[str]:
    """Every operation of v2, and how it stands here."""
    here = {operation.id: operation for operation in built}
    lines = _table("operation", "request", "state", "what is better, or to know")
    for known in V2_OPERATIONS.values():
        found = here.get(known.id)
        state = "not yet" if found is None else "better" if found.better else "same"
        told = "; ".join(text for text in (found.better, found.note) if text) if found else ""
        path = public(known.path.removeprefix(PREFIX))
        lines.append(f"| `{known.id}` | {known.method} `{path}` | {state} | {told} |")
    return lines


def limits_table(built: list[Operation]) -> list[str]:
    """The operations whose limit is not the usual one, v2's and added ones."""
    by_limit: dict[tuple[int, int], list[str]] = {}
    added = [one for one in built if one.id not in V2_OPERATIONS]
    everything: list[Any] = [*V2_OPERATIONS.values(), *added]
    for known in everything:
        if known.limit != USUAL:
            by_limit.setdefault((known.limit.count, known.limit.seconds), []).append(f"`{known.id}`")
    rows = [f"| {count} in {seconds} s | {', '.join(ids)} |" for (count, seconds), ids in sorted(by_limit.items())]
    return [*_table("limit", "operations"), *rows]


def additions_table(built: list[Operation]) -> list[str]:
    """The operations that v2 does not have."""
    lines = _table("operation", "request", "what for")
    for operation in built:
        if operation.id not in V2_OPERATIONS:
            told = "; ".join(text for text in (operation.summary, operation.note) if text)
            path = public(operation.path.removeprefix(V1))
            lines.append(f"| `{operation.id}` | {operation.method} `{path}` | {told} |")
    return lines


def generated(page: str) -> str:
    """`page` with its tables made anew."""
    built = operations()
    tables = {"operations": operations_table(built), "limits": limits_table(built), "additions": additions_table(built)}
    for name, lines in tables.items():
        text = "\n".join((f"<!-- {name} -->", *lines, "<!-- end -->"))
        page, count = re.subn(rf"<!-- {name} -->.*?<!-- end -->", lambda _, text=text: text, page, flags=re.DOTALL)  # type: ignore[misc]
        assert count == 1, name
    return page


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text()))
