"""Help of commands with many long options, which is a table only where the terminal has room for one."""

import shutil
from typing import Any

from typer.core import TyperCommand

WIDE = 110
"""Columns from which on a table with the longest of our options, their values and their opposites fits."""


class Whole(TyperCommand):
    """A command whose options are listed one below the other on a narrow terminal: in a table they would be cut."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        if shutil.get_terminal_size().columns < WIDE:
            self.rich_markup_mode = None
        super().format_help(ctx, formatter)
