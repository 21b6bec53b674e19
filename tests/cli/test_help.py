"""Help on the terminals that people have: 80 columns are enough for the name of every option."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from offhook.cli import app


def commands(command: Any, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands, each with the words that it is called by."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from commands(inner, *names, name)
    else:
        yield names, command


BUILT: Any = get_command(app)
EVERY = dict(commands(BUILT))


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_help_is_whole_on_a_terminal_of_80_columns(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        BUILT([*names, "--help"], prog_name="offhook")
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    words = set(shown.replace(",", " ").replace("/", " ").split())
    options = [one for param in EVERY[names].params for one in (*param.opts, *param.secondary_opts)]
    assert [one for one in options if one.startswith("-") and one not in words] == []
