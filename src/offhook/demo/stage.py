"""What a demo shows, as wide as is readable, to a terminal or a log."""

import shutil
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

WIDEST = 110


class Stage:
    """Prints the parts of the show, as wide as is readable, to a terminal or a log."""

    def __init__(self) -> None:
        size = shutil.get_terminal_size((100, 24)).columns
        self.out = Console(width=max(60, min(size, WIDEST)), highlight=False)
        self._number = 0

    def part(self, title: str) -> None:
        """A heading."""
        self._number += 1
        self.out.print()
        self.out.rule(Text(f"{self._number}  {title}", "bold"), align="left", style="dim")
        self.out.print()

    def say(self, text: str, style: str = "") -> None:
        self.out.print(Text(text, style))

    def json(self, value: Any) -> None:
        """A JSON document, indented, short lists on one line."""
        text = layout(value)
        theme = "ansi_dark"
        if self.out.is_terminal and not self.out.no_color:
            shown: Any = Syntax(text, "json", theme=theme, background_color="default", word_wrap=True)
        else:
            shown = Text(text)
        self.out.print(Padding(shown, (0, 0, 0, 2), expand=False))

    def facts(self, rows: list[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in rows:
            grid.add_row(Text(name), Text(value))
        self.out.print(Padding(grid, (0, 0, 0, 2), expand=False))

    def command(self, text: str) -> None:
        """Lines to copy: never broken, without spaces before them."""
        for line in text.splitlines():
            self.out.print(Text(line, "cyan"), soft_wrap=True)


def layout(value: Any, indent: int = 0, room: int = 74) -> str:
    """JSON for people: what fits on a line stands on one."""
    flat = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or not value or len(flat) + indent <= room:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        inner = [f"{msgspec.json.encode(key).decode()}: {layout(item, indent + 2)}" for key, item in value.items()]
        return "{\n" + ",\n".join(pad + item for item in inner) + "\n" + " " * indent + "}"
    inner = [layout(item, indent + 2) for item in value]
    return "[\n" + ",\n".join(pad + item for item in inner) + "\n" + " " * indent + "]"


def steps(path: str, width: int = 26) -> str:
    """A field path on several lines if it is long, broken at its dots."""
    lines = [""]
    for part in path.replace(".", "\0.").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def local(text: str) -> str:
    """A moment by the office's wall clock, in words."""
    at = datetime.fromisoformat(text)
    return f"{at:%A %d %B %Y, %H:%M:%S} ({at:%z})".replace(":00 (", " (")
