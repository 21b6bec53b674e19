"""The command as people run it, in this process, in an empty folder, with none of the caller's settings."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from offhook.cli import main
from offhook.kit import log


@dataclass(frozen=True)
class Said:
    """What a run said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


Run = Callable[..., Said]

_built = cache(typer.main.get_command)
"""The command with all its options, read once: that takes longer than most commands do."""


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to work in, no OFFHOOK_ variables."""
    for name in [name for name in os.environ if name.startswith("OFFHOOK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def offhook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], empty: Path) -> Run:
    """Run a command: `offhook("key", "list")`."""
    monkeypatch.setattr(log, "configure", lambda *_, **__: None)
    monkeypatch.setattr(typer.main, "get_command", _built)

    def run(*arguments: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "argv", ["offhook", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        status = 0
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*path parameter 'name'", DeprecationWarning)
                main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """What `init --json` makes and prints, in a process of its own; never touched, only copied."""
    data = tmp_path_factory.mktemp("founded") / "offhook-data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OFFHOOK_")}
    command = [sys.executable, "-m", "offhook", "init", "--data", str(data), "--json"]
    return data, json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout)


@pytest.fixture
def company(empty: Path, founded: tuple[Path, Any]) -> Any:
    """A company in the folder `offhook-data`: what `init --json` printed."""
    data, printed = founded
    shutil.copytree(data, empty / data.name)
    return dict(printed)


@dataclass(frozen=True)
class Serving:
    """A server process."""

    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def server(company: Any, empty: Path) -> Iterator[Serving]:
    """A real server over the company's folder."""
    log_file = empty / "server.log"
    with log_file.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "offhook", "serve", "--port", "0"], stderr=file, cwd=empty,
            env={**os.environ, "OFFHOOK_SIP": "false"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not (found := [line for line in log_file.read_bytes().splitlines() if b'"serving"' in line]):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        yield Serving(json.loads(found[0])["url"], process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def example() -> str:
    """The path of examples/office.json."""
    return str(Path(__file__).parents[2] / "examples" / "office.json")
