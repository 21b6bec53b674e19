"""Messages and recordings from the command line."""

import asyncio
import hashlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from offhook.calls.tapes import store
from offhook.calls.tapes.model import Tape
from offhook.calls.tapes.shelf import shelf_of
from offhook.directory.lines.model import Target
from offhook.kit.settings import Settings
from offhook.storage.batches import Writer
from offhook.storage.database import Database, Transaction
from tests.calls.tapes.sounds import CALLER, wav
from tests.cli.conftest import Run, Said
from tests.cli.test_calls import BEGAN, TENANT

SECONDS = 69
SOUND = wav(SECONDS)
COLUMNS = {"voicemail": ["FOR", "LENGTH", "STATE"], "recording": ["OF", "LENGTH", "CALL"]}
STATES = {"voicemail": "new", "recording": "1234"}


def kept(data: Path, office: str, id: int, kind: Any, caller: str = CALLER) -> None:
    """A message for an office, or a recording of a call to it, of a minute and eight and a half seconds."""
    settings = Settings(data=str(data))
    name = f"{id:032}"
    (data / "new.wav").write_bytes(SOUND)

    def put(tx: Transaction) -> None:
        [[tenant]] = tx.all(TENANT)
        box = Target("office", int(office))
        store.add(tx, Tape(
            id=id, tenant_id=tenant, kind=kind, call_id=1234, box=box, office_id=box.id, who="", caller=caller,
            name=name, milliseconds=SECONDS * 1000 - 500, size=len(SOUND), digest=hashlib.sha256(SOUND).hexdigest(),
            at=BEGAN,
        ))  # fmt: skip

    async def work() -> None:
        writer = Writer(Database(settings.url))
        await shelf_of(settings).put(name, data / "new.wav")
        await writer.aside(put)
        await writer.close()

    asyncio.run(work())


@pytest.fixture(params=["voicemail", "recording"])
def noun(request: pytest.FixtureRequest, company: Any, empty: Path) -> str:
    """What the commands are about, of which there is one: 77, of the head office."""
    kept(empty / "offhook-data", company["office_id"], 77, request.param)
    return str(request.param)


def step(said: Said) -> str:
    return next(line for line in said.err.splitlines() if line.startswith("Next  "))


def test_they_are_listed_with_whom_they_are_of_and_how_long(offhook: Run, noun: str, empty: Path) -> None:
    said = offhook(noun, "list")
    head, row = said.out.splitlines()
    assert head.split() == ["ID", "WHEN", "CALLER", *COLUMNS[noun]]
    assert row.split("  ")[0] == "77"
    assert [one for one in row.split("  ") if one][2:] == [CALLER, "Head office", "1:09", STATES[noun]]
    assert f"offhook {noun} save 77" in step(said)
    assert [one["id"] for one in offhook(noun, "list", "--json").json["items"]] == ["77"]


def test_what_is_not_among_them_is_said(offhook: Run, noun: str, company: Any) -> None:
    for wanted in (("--call", "5"), ("--department", "5"), ("--office", "5")):
        said = offhook(noun, "list", *wanted)
        assert (said.status, said.out) == (0, "")
        assert f"There is no {noun} like that." in said.err
    assert "77" in offhook(noun, "list", "--office", company["office_id"], "--call", "1234").out
    both = offhook(noun, "list", "--department", "5", "--callcenter", "6")
    assert (both.status, "One box at a time" in both.err) == (1, True)
    nobody = offhook(noun, "list", "--of", "nobody@example.com")
    assert (nobody.status, "There is no user or room" in nobody.err) == (1, True)


def test_none_at_all_is_said_calmly(offhook: Run, company: Any) -> None:
    assert "There are no messages." in offhook("voicemail", "list").err
    assert "offhook line record" in offhook("recording", "list").err


def test_one_is_saved_as_it_is(offhook: Run, noun: str, empty: Path) -> None:
    said = offhook(noun, "save", "77")
    assert (said.status, "1:09" in said.out) == (0, True), said
    assert (empty / f"{noun}-77.wav").read_bytes() == SOUND
    assert (empty / f"{noun}-77.wav").stat().st_mode & 0o77 == 0
    told = offhook(noun, "save", "77", "it.wav", "--json").json
    assert (told["file"], told["id"]) == ("it.wav", "77")
    assert (empty / "it.wav").read_bytes() == SOUND


def test_one_is_saved_to_standard_output(offhook: Run, noun: str, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "name a file" in offhook(noun, "save", "77", "-", "--json").err
    written = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", written)
    offhook(noun, "save", "77", "-")
    assert written.buffer.getvalue() == SOUND


def test_what_came_in_part_is_not_taken_for_the_whole(offhook: Run, noun: str, empty: Path) -> None:
    (path,) = (empty / "offhook-data" / "sound" / "kept").rglob("*.wav")
    path.write_bytes(b"\0" * len(SOUND))
    said = offhook(noun, "save", "77", "it.wav")
    assert (said.status, "not the whole" in said.err) == (1, True)
    assert not (empty / "it.wav").exists()


def program(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only player on this machine: a script of the shell."""
    folder.mkdir()
    (folder / "aplay").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "aplay").chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))


def test_one_is_played_by_what_the_machine_has(
    offhook: Run, noun: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(empty / "bin", f'PATH={os.environ["PATH"]} cp "$2" heard.wav', monkeypatch)
    said = offhook(noun, "play", "77")
    assert said.status == 0, said
    assert (empty / "heard.wav").read_bytes() == SOUND
    assert CALLER in said.err


@pytest.mark.parametrize("text", ["exit 3", ""])
def test_where_nothing_can_play_it_is_said_how_it_is_had(
    offhook: Run, noun: str, empty: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    if text:
        program(empty / "bin", text, monkeypatch)
    else:
        monkeypatch.setenv("PATH", str(empty))
    said = offhook(noun, "play", "77")
    assert (said.status, f"offhook {noun} save 77" in said.err) == (1, True), said


def test_a_link_is_made(offhook: Run, noun: str) -> None:
    said = offhook(noun, "link", "77", "--hours", "2")
    assert said.out.startswith("http://127.0.0.1:8080/api/offhook/v1/sounds/")
    assert "without a key" in said.err


def test_one_is_deleted_with_its_sound(offhook: Run, noun: str, empty: Path) -> None:
    said = offhook(noun, "delete", "77")
    assert (said.status, "is deleted" in said.out) == (0, True), said
    assert list((empty / "offhook-data" / "sound" / "kept").rglob("*.wav")) == []
    assert offhook(noun, "list", "--json").json["items"] == []
    assert f"There is no {noun} 77." in offhook(noun, "delete", "77").err


def test_a_message_is_marked_as_heard_and_not_heard(offhook: Run, company: Any, empty: Path) -> None:
    kept(empty / "offhook-data", company["office_id"], 77, "voicemail")
    assert "offhook voicemail mark 77" in step(offhook("voicemail", "save", "77"))
    assert "as heard" in offhook("voicemail", "mark", "77").out
    assert "There is no voicemail like that." in offhook("voicemail", "list", "--unread").err
    assert " heard" in offhook("voicemail", "list").out
    assert "as not heard" in offhook("voicemail", "mark", "77", "--unread").out
    assert "77" in offhook("voicemail", "list", "--unread").out


def test_whose_number_steers_a_terminal_steers_none(offhook: Run, company: Any, empty: Path) -> None:
    kept(empty / "offhook-data", company["office_id"], 77, "voicemail", "\x1b[31mred")
    assert "\x1b" not in offhook("voicemail", "list").out


@pytest.mark.parametrize("command", ["save", "play", "link", "delete"])
def test_what_is_no_id_is_said(offhook: Run, company: Any, command: str) -> None:
    said = offhook("voicemail", command, "../1")
    assert (said.status, "is no id of a voicemail" in said.err) == (1, True)
