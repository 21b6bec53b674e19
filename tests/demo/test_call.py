"""The demo's telephones, and what it says where there are none or a call does not come about."""

import asyncio
import io
import math
from array import array
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from offhook.demo import call
from offhook.demo.call import Called
from offhook.demo.phone import Missing, Phone, Trouble, pitch
from offhook.demo.server import NotShown, Server
from offhook.demo.stage import Stage

RATE = 8_000


def tone(hertz: float, seconds: float = 0.5, loud: int = 8_000) -> "array[int]":
    return array("h", (round(loud * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(int(seconds * RATE))))


@pytest.mark.parametrize("hertz", [300, 440, 660, 1_000])
def test_a_tone_is_known_by_its_pitch(hertz: int) -> None:
    assert pitch(tone(hertz), RATE) == pytest.approx(hertz, abs=3)


@pytest.mark.parametrize("samples", [array("h"), array("h", [0] * 800), tone(440, loud=100), tone(440, 0.001)])
def test_silence_has_none(samples: "array[int]") -> None:
    assert pitch(samples, RATE) == 0


def phone(tmp_path: Path) -> Any:
    return Phone.start("Ana's telephone", ("ana", ""), "127.0.0.1:9", tone=440, log=tmp_path / "log")


def test_a_softphone_that_cannot_be_loaded_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "baresip.py").write_text("raise ImportError('libcrypto is not there')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(call.__file__).parents[2]}")

    async def story() -> None:
        with pytest.raises(Missing, match="libcrypto is not there"):
            await phone(tmp_path)

    asyncio.run(story())


def test_one_that_cannot_do_as_it_is_told_says_what(tmp_path: Path) -> None:
    async def story() -> None:
        ana = await phone(tmp_path)
        try:
            with pytest.raises(Trouble, match=r"^Ana's telephone: answer IndexError"):
                await ana.do("answer")
        finally:
            await ana.close()
        with pytest.raises(Trouble, match="its process ended"):
            await ana.until("incoming")

    asyncio.run(story())


class Nobody:
    """A client that must not be asked."""

    async def call(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is to be changed")


def played(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, raised: Exception) -> str:
    """What the act says whose first telephone cannot be started for a reason."""

    async def start(*_: Any, **__: Any) -> Any:
        raise raised

    monkeypatch.setattr(Phone, "start", start)
    stage = Stage()
    stage.out = Console(file=io.StringIO(), width=80)
    server = Server(tmp_path / "data", tmp_path / "server.log")
    asyncio.run(Called(stage, Nobody(), server, tmp_path).run("1"))  # type: ignore[arg-type]
    file: Any = stage.out.file
    return " ".join(file.getvalue().split())


def test_without_a_softphone_no_call_is_made_and_what_to_do_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = played(monkeypatch, tmp_path, Missing("No module named 'baresip'"))
    assert "No call is made" in said
    assert "No module named 'baresip'" in said
    assert "make setup" in said
    assert "docs/telephones.md" in said


def test_a_call_that_does_not_come_about_ends_the_demo_and_names_the_logs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(NotShown, match=r"The caller: waited .*/server\.log and .*/phones\.log"):
        played(monkeypatch, tmp_path, Trouble("The caller: waited 15 s for up"))


def test_what_is_kept_a_moment_later_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list without anything has no items in it."""
    monkeypatch.setattr(call, "_PACE", 0)
    answers: list[Any] = [{}, {"items": []}, {"items": [{"id": "7"}]}]

    class Slow:
        async def call(self, *_: Any, **__: Any) -> Any:
            return SimpleNamespace(document=answers.pop(0))

    act = Called(Stage(), Slow(), Server(tmp_path, tmp_path / "log"), tmp_path)  # type: ignore[arg-type]
    assert asyncio.run(act._recording("1")) == {"id": "7"}
    assert answers == []
