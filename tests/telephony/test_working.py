"""What a server says of its telephones."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.settings import Settings
from offhook.telephony.working import Telephones


def worker(*, starting: bool, ready: bool) -> Any:
    return SimpleNamespace(worker=SimpleNamespace(starting=starting, ready=SimpleNamespace(done=lambda: ready)))


@pytest.mark.parametrize(
    ("sip", "telephony", "said"),
    [
        (False, None, "off"),
        (True, None, "starting"),
        (True, worker(starting=True, ready=False), "starting"),
        (True, worker(starting=False, ready=True), "ok"),
        (True, worker(starting=False, ready=False), "not answered at the moment: the log says why"),
    ],
)
def test_whether_telephones_are_answered_is_said_and_that_they_are_starting(sip: bool, telephony: Any, said: str):
    telephones: Any = SimpleNamespace(_settings=Settings(sip=sip), telephony=telephony)
    assert Telephones.standing.fget(telephones) == said  # type: ignore[attr-defined]


def test_a_fault_by_which_telephones_are_answered_no_more_is_said():
    class Broken(Telephones):
        def __init__(self) -> None:
            pass

        async def _answer(self) -> None:
            raise RuntimeError("no sound can be made")

    with capture_logs() as logged, pytest.raises(RuntimeError):
        asyncio.run(Broken().keep())
    assert [one["event"] for one in logged] == ["telephones_ended"]
