"""Voice prompts from the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run, Serving
from tests.directory.recordings import BEEP


@pytest.fixture
def hello(empty: Path) -> str:
    """A file with half a second of sound."""
    (empty / "hello.wav").write_bytes(BEEP)
    return "hello.wav"


def test_a_recording_is_uploaded_and_listed(offhook: Run, company: Any, hello: str) -> None:
    target = f"office:{company['office_id']}"
    assert "offhook prompt upload FILE" in offhook("prompt", "list", "--target", target).err
    made = offhook("prompt", "upload", hello, "--target", target, "--kind", "menu")
    assert made.status == 0, made.err
    assert f"The office {company['office_id']} plays it for MENU (0.5 seconds)." in made.out
    assert f"offhook prompt list --target {target}" in made.err
    second = offhook("prompt", "upload", hello, "-t", target, "-k", "MENU", "--name", "Two", "--json").json
    assert (second["name"], second["seconds"], second["warnings"]) == ("Two", 0.5, [])
    rows = [line.split() for line in offhook("prompt", "list", "--target", target).out.splitlines()]
    assert [(row[0], row[2], row[-1]) for row in rows[1:]] == [("MENU", "no", "hello.wav"), ("MENU", "yes", "Two")]
    assert offhook("prompt", "list", "--target", target, "--json").json["items"][0]["ivrs"][1]["id"] == second["id"]


def test_a_running_server_takes_it_too(offhook: Run, company: Any, hello: str, server: Serving) -> None:
    target = f"office:{company['office_id']}"
    way = ("--url", server.url, "--key", company["live_key"])
    assert offhook("prompt", "upload", hello, "-t", target, "-k", "GREETING", *way).status == 0
    assert "GREETING" in offhook("prompt", "list", "-t", target).out


def test_what_is_wrong_is_said(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "notes.txt").write_text("Thank you for calling.")
    refused = offhook("prompt", "upload", "notes.txt", "--target", "office:12", "--kind", "MENU")
    assert refused.status == 1
    assert "This is a text; send an MP3 or a WAV file." in refused.err
    assert "target_id" in refused.err
    assert "no target" in offhook("prompt", "list", "--target", "office").err
    assert "cannot be read" in offhook("prompt", "upload", "gone.mp3", "-t", "office:1", "-k", "MENU").err
