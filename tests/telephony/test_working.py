"""What a server says of its telephones."""

from types import SimpleNamespace
from typing import Any

import pytest

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
