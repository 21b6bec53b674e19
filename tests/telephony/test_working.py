"""What a server says of its telephones."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.settings import Settings
from offhook.telephony import working
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


def test_what_ends_all_telephones_is_said_at_once(monkeypatch: pytest.MonkeyPatch):
    async def going() -> None:
        await asyncio.Event().wait()

    async def broken() -> None:
        raise KeyError("a fault of ours")

    made = SimpleNamespace(
        worker=SimpleNamespace(on_trunk=None, by_trunk=None), changed=None, password_changed=None, keep=broken
    )  # fmt: skip
    monkeypatch.setattr(working, "Telephony", lambda *_, **__: made)
    monkeypatch.setattr(working, "Following", lambda *_: SimpleNamespace(keep=going))
    telephones: Any = SimpleNamespace(
        _settings=Settings(sip=True), calls=None, _company=None, _desk=None, _tapes=None, _ways=SimpleNamespace(),
        _trunks=SimpleNamespace(changed=[]), _phones=SimpleNamespace(changed=[]), tally=SimpleNamespace(keep=going),
        _speech=SimpleNamespace(keep=going, sounds=None), _count_registered=going, _note_port=lambda _: going(),
        _forget_account=None, _reader=None, _writer=None,
    )  # fmt: skip
    with capture_logs() as logs, pytest.raises(ExceptionGroup):
        asyncio.run(Telephones.keep(telephones))
    assert [line["event"] for line in logs] == ["telephones_ended"]
