"""What README.md tells people to type is there, and does what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from offhook.cli import app
from tests.survival.process import Process

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(text: str) -> list[str]:
    """What stands between fences without a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for language, block in found if not language]


BLOCKS = blocks(README)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("offhook ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_exists(line: str) -> None:
    words = shlex.split(re.split(r" > | \|\| ", line)[0], comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("offhook", list(words[:1]), resilient_parsing=True)
    while hasattr(command, "get_command"):
        command = command.get_command(context, words.pop(0))
        assert command is not None, line
    command.make_context(line, words)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\bexamples/[\w.]+", "".join(BLOCKS)))))
def test_every_example_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.long
def test_what_is_pasted_from_begin_to_end_works(tmp_path: Path) -> None:
    told = README[README.index("In another terminal") : README.index("## PostgreSQL and Redis")]
    typed = [block for block in blocks(told) if not block.startswith(("HTTP/", "{"))]
    server = Process(tmp_path / "offhook-data", scale=1)
    key = server.init().sandbox_key
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    office = "OFFICE=$(offhook office list -e sandbox | awk '/Lisbon/ { print $1; exit }')\n"
    script = "set -eu\n" + typed[0] + office + "".join(typed[1:])
    for written, meant in (
        ("$PWD/.venv/bin", str(Path(sys.executable).parent)),
        ("ohk_sandbox_...", key),
        ("127.0.0.1:8080", f"127.0.0.1:{server.port}"),
        ("key revoke ID", "key revoke $(offhook key list | awk '/monitoring/ { print $1 }')"),
        ("curl ", "curl --silent --show-error --fail-with-body "),
    ):
        assert written in script, written
        script = script.replace(written, meant)
    server.start()
    try:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
    finally:
        server.kill()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    said = done.stdout + done.stderr
    for sign in (
        "HTTP/1.1 200 OK",
        '"status":"open"',
        "is revoked",
        "3 created",
        "The caller dialled 262: Ana.",
        "+14155550190",
        " bo@",
        '"name": "Porto"',
        "to do",
    ):
        assert sign in said, sign
    assert (tmp_path / "new-folder" / "offhook.sqlite3").is_file()
