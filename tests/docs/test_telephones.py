"""docs/telephones.md: its commands are there, and its softphone calls."""

import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.tables import page
from tests.docs.test_readme import test_every_command_and_option_exists
from tests.survival.process import Process

PAGE = page("telephones.md")
V1, V2 = "/api/offhook/v1", "/api/v2"
SETTINGS = {"sip": "true", "sip_port": 0, "speech": "none"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("offhook ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_exists(line: str) -> None:
    test_every_command_and_option_exists(line)


def test_the_command_that_runs_the_softphone_gives_it_what_it_takes() -> None:
    (script,) = blocks("python")
    taken = re.search(r"^async def main\((.*)\):$", script, re.MULTILINE)
    assert taken is not None
    calls = [block for block in blocks("bash") if block.startswith("python softphone.py")]
    lines = [line.partition("#")[0].split()[1:] for block in calls for line in block.splitlines()]
    assert [len(line) - 1 for line in lines] == [3, 4]
    assert taken[1] == "username, password, server, dialled=None"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    found = Process(tmp_path / "data", scale=1, settings=SETTINGS)
    found.init()
    found.start()
    try:
        yield found
    finally:
        found.kill()


@pytest.mark.long
def test_the_softphone_of_the_page_calls_another(server: Process, tmp_path: Path) -> None:
    assert server.company is not None
    key = server.company.sandbox_key

    def ask(method: str, path: str, body: object = None) -> Any:
        answer = server.ask(method, path, body, key=key)
        assert answer.status == 200, answer
        return answer.json

    accounts = {}
    for extension, name in (("101", "ana"), ("102", "bo")):
        about = {"office_id": ask("GET", f"{V2}/offices/primary")["id"], "email": f"{name}@example.com"}
        user = ask("POST", f"{V2}/users", about | {"extension": extension})["id"]
        phone = ask("POST", f"{V1}/users/{user}/devices", {"type": "sip"})["id"]
        made = ask("POST", f"{V1}/phones/{phone}/new-password")
        accounts[extension] = made["phone"]["settings"]["username"], made["password"]
    end = time.monotonic() + 20
    while (said := ask("GET", "/readyz")["telephones"]) != "ok":
        assert said == "starting"
        assert time.monotonic() < end
        time.sleep(0.05)
    port = ask("GET", f"{V1}/phones")["items"][0]["settings"]["port"]
    (tmp_path / "softphone.py").write_text(blocks("python")[0])

    def softphone(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "softphone.py", *words]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    with softphone(*accounts["101"], f"127.0.0.1:{port}") as ana:
        try:
            assert said_next(ana) == "waiting\n"
            with softphone(*accounts["102"], f"127.0.0.1:{port}", "101") as ben:
                try:
                    heard, _ = ben.communicate(timeout=60)
                finally:
                    ben.kill()
            assert "connected" in heard
            assert said_next(ana).startswith("answered sip:")
        finally:
            ana.kill()


def said_next(process: subprocess.Popen[str]) -> str:
    """The next line that it prints, soon."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 30)[0], "it prints nothing"
    return process.stdout.readline()
