"""Reads the tables of the documentation, so that tests can hold them to the code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def page(name: str) -> str:
    """A page of docs/."""
    return (ROOT / "docs" / name).read_text()


def section(name: str, heading: str) -> str:
    """What stands under a second-level heading of a page."""
    found = re.search(rf"^## {re.escape(heading)}$\n(.*?)(?=^## |\Z)", page(name), re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/{name} has no heading {heading}"
    return found[1]


def rows(text: str, table: int = 0) -> list[list[str]]:
    """The rows of a table in a text, without its head."""
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    lines = tables[table].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)
