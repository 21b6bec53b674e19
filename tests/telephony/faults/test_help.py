"""Calls for help while something is broken: the store, a carrier, or all of the server, which is told to stop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from offhook.kit.errors import Unavailable
from offhook.telephony import port
from tests.scenarios.stage import V1
from tests.telephony.faults.stage import Phone, Stage, within

FAR = "+12125550199"


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch, stage: Stage, *, hanging: bool) -> Iterator[None]:
    """The store refuses everything, or answers nothing before the end."""
    back = threading.Event()

    @contextmanager
    def broken(hangs: bool = hanging) -> Iterator[Any]:
        if hangs:
            back.wait(60)
        if hanging or not back.is_set():
            raise Unavailable("The store cannot be reached.")
        yield None

    with monkeypatch.context() as patch:
        patch.setattr(stage.offhook.database, "reading", broken)
        patch.setattr(stage.offhook.database, "transaction", broken)
        # Of this nobody waits for a store that is busy.
        patch.setattr(stage.offhook.database, "transaction_at_once", lambda: broken(False))
        patch.setattr(stage.offhook.database, "reading_at_once", lambda: broken(False))
        try:
            yield
        finally:
            back.set()


@asynccontextmanager
async def another_carrier(stage: Stage, **fields: Any) -> AsyncIterator[Phone]:
    """A second carrier for all of America, behind the first one."""
    second = Phone(stage.worker_at, 2_500)
    made = await stage.ask("POST", f"{V1}/trunks", {
        "name": "Second", "country": "US", "proxy": f"127.0.0.1:{second.address[1]}", "prefixes": ["+1"], **fields,
    })  # fmt: skip
    second.voices, second.sounds = stage.abroad.voices | {"2500": 2_500.0}, stage.abroad.sounds
    try:
        yield second
    finally:
        second.close()
        await stage.ask("DELETE", f"{V1}/trunks/{made['id']}")


async def forgotten(stage: Stage, username: str) -> None:
    """The worker knows no password of a telephone, once it has done what it was told behind that."""
    done = asyncio.Event()
    leg = stage.worker.new_leg(lambda _: done.set())
    stage.worker.tell(port.Account(username=username, sure=False))
    stage.worker.tell(port.Dial(leg=leg, caller=0, uri="none", address=("127.0.0.1", 9)))
    await within(done)


@pytest.mark.parametrize("how", ["away", pytest.param("hanging", marks=pytest.mark.long)])
def test_help_is_called_though_the_store_cannot_be_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async def story() -> None:
        ann = stage.desks["ann"]
        # As after a minute, or of a worker that has only just begun.
        await forgotten(stage, ann.username)
        await stage.offhook.snapshots.of(stage.tenant_id)
        with away(monkeypatch, stage, hanging=how == "hanging"):
            caller = ann.calls_number("911")
            aid = await stage.abroad.called()
            assert aid.came is not None
            assert aid.came.line.startswith("INVITE sip:911@")
            assert b"<ca:country>US</ca:country>" in aid.came.body
            aid.answer()
            await stage.connected(caller, aid)
            if how == "away":
                other = ann.calls_number(FAR)
                await within(other.down)
                assert other.code == 503
            caller.hang_up()
            await within(aid.down)
        record = await stage.record()
        assert record.outcome == "answered", record.texts
        assert "emergency_notice" in record.reasons
        await stage.empty()

    stage.play(story())


def test_who_was_never_heard_of_is_challenged_while_the_store_is_away_and_is_known_once_it_is_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        ann = stage.desks["ann"]
        stage.offhook.registrar.forget_account(ann.username)
        await forgotten(stage, ann.username)
        with away(monkeypatch, stage, hanging=False):
            call = ann.calls_number(FAR)
            await within(call.down)
            assert call.code == 401
        call = ann.calls_number(FAR)
        outside = await stage.abroad.called()
        call.hang_up()
        await within(outside.down)
        await stage.empty()

    stage.play(story())


@pytest.mark.parametrize("number", ["911", FAR])
def test_a_carrier_that_says_nothing_is_followed_by_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    for name in ("PATIENCE", "PATIENCE_FOR_HELP"):
        monkeypatch.setattr(f"offhook.telephony.ringing.{name}", 0.3)

    async def story() -> None:
        async with another_carrier(stage) as second:
            stage.abroad.rings = False
            ann = stage.desks["ann"].calls_number(number)
            ann.ear._voices = second.voices
            silent = await stage.abroad.called()
            taken = await second.called()
            taken.answer()
            await stage.connected(ann, taken)
            # It wakes up and takes the call, which it has no more.
            silent.say(200, sound=True)
            await silent.gets("ACK")
            await silent.gets("BYE")
            assert "CANCEL" not in silent.whats
            ann.hang_up()
            await within(taken.down)
            assert (await stage.record()).outcome == "answered"
            await stage.empty()

    stage.play(story())


def test_a_carrier_that_only_tries_is_followed_by_the_next(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offhook.telephony.ringing.TRYING_FOR_HELP", 0.3)

    async def story() -> None:
        async with another_carrier(stage) as second:
            stage.abroad.rings = False
            ann = stage.desks["ann"].calls_number("911")
            ann.ear._voices = second.voices
            tries = await stage.abroad.called()
            tries.say(100)
            taken = await second.called()
            await tries.gets("CANCEL")
            taken.answer()
            await stage.connected(ann, taken)
            ann.hang_up()
            await within(taken.down)
            record = await stage.record()
            assert (record.outcome, "carrier_silent" in record.reasons) == ("answered", True), record.texts
            await stage.empty()

    stage.play(story())


@pytest.mark.parametrize("code", [415, pytest.param(500, marks=pytest.mark.long)])
def test_a_carrier_that_does_not_take_the_address_is_called_without_it(stage: Stage, code: int) -> None:
    async def story() -> None:
        ann = stage.desks["ann"].calls_number("911")
        refuses = await stage.abroad.called()
        assert refuses.came is not None
        assert refuses.came["content-type"].startswith("multipart/mixed")
        refuses.say(code)
        await refuses.gets("ACK")
        aid = await stage.abroad.called()
        assert aid.came is not None
        assert (aid.came["content-type"], aid.came["geolocation"]) == ("application/sdp", "")
        aid.answer()
        await stage.connected(ann, aid)
        ann.hang_up()
        await within(aid.down)
        record = await stage.record()
        assert (record.outcome, "location_not_taken" in record.reasons) == ("answered", True), record.texts
        assert any("WITHOUT THE ADDRESS" in text for text in record.texts)
        await stage.empty()

    stage.play(story())


def test_a_call_for_help_is_not_hung_up_by_a_key(stage: Stage) -> None:
    async def story() -> None:
        ann = stage.desks["ann"].calls_number("911")
        aid = await stage.abroad.called()
        aid.answer()
        await stage.connected(ann, aid)
        [id] = await stage.ids_under_way()
        refused = await stage.api.sending("PUT", f"/api/v2/call/{id}/actions/hangup", {})
        assert refused.status == 409
        assert "call for help" in refused.errors[0]["message"]
        await ann.hears(aid.voice)
        ann.hang_up()
        await within(aid.down)
        assert "hang_up_refused" in (await stage.record()).reasons
        await stage.empty()

    stage.play(story())


def test_a_carrier_that_is_slow_to_speak_is_waited_for_where_there_is_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.telephony.ringing.PATIENCE_FOR_HELP", 0.1)

    async def story() -> None:
        stage.abroad.rings = False
        ann = stage.desks["ann"].calls_number("911")
        aid = await stage.abroad.called()
        # Sent once more, by when the patience is over.
        await aid.gets("INVITE")
        aid.answer()
        await stage.connected(ann, aid)
        ann.hang_up()
        await within(aid.down)
        await stage.empty()

    stage.play(story())


def test_who_is_forwarded_is_reached_by_the_carrier_that_can(stage: Stage) -> None:
    async def story() -> None:
        async with another_carrier(stage) as second:
            caller = stage.call("user dan@example.com")
            caller.ear._voices = second.voices
            (await stage.abroad.called()).say(503)
            dan = await second.called()
            assert dan.came is not None
            assert dan.came.line.startswith("INVITE sip:+14155550142@")
            dan.answer()
            await stage.connected(caller, dan)
            dan.hang_up()
            await within(caller.down)
            assert (await stage.record()).outcome == "answered"
            await stage.empty()

    stage.play(story())


def test_what_no_trunk_takes_is_told_with_why_and_no_help_is_said_to_be_called_that_was_not(stage: Stage) -> None:
    async def story() -> None:
        trunks = (await stage.ask("GET", f"{V1}/trunks"))["items"]
        [out] = [one["id"] for one in trunks if one["name"] == "Out"]
        await stage.ask("PATCH", f"{V1}/trunks/{out}", {"enabled": False})
        try:
            for number in ("911", FAR):
                ann = stage.desks["ann"].calls_number(number)
                await within(ann.down)
                assert ann.code == 480
                record = await stage.record()
                why = f"{number} could not be reached: the trunk Out that would take it is disabled."
                assert why in record.texts
                ladder = await stage.ask("GET", f"{V1}/calls/{record.id}/ladder")
                assert why.removesuffix(".") in ladder["text"]
                told = (await stage.ask("GET", f"{V1}/events?subject_id={record.id}")).get("items", [])
                assert [one["event"] for one in told] == (["emergency_call.failed"] if number == "911" else [])
                await stage.empty()
        finally:
            await stage.ask("PATCH", f"{V1}/trunks/{out}", {"enabled": True})
        ann = stage.desks["ann"].calls_number(FAR)
        (outside := await stage.abroad.called()).answer()
        await stage.connected(ann, outside)
        ann.hang_up()
        await within(outside.down)
        assert f"{FAR} answered, by the trunk Out." in (await stage.record()).texts
        await stage.empty()

    stage.play(story())


def test_a_server_that_stops_waits_for_a_call_for_help_and_begins_no_other(stage: Stage) -> None:
    """It is the last of the file: nobody answers after it."""

    async def story() -> None:
        ann = stage.desks["ann"].calls_number("911")
        aid = await stage.abroad.called()
        aid.answer()
        await stage.connected(ann, aid)
        closing = asyncio.ensure_future(stage.offhook.telephones.close())
        await asyncio.sleep(0)
        other = stage.call("office Head office")
        await within(other.down)
        assert other.code == 503
        again = stage.desks["bob"].calls_number("911")
        second = await stage.abroad.called()
        again.hang_up()
        await within(second.down)
        await ann.hears(aid.voice)
        assert not closing.done()
        ann.hang_up()
        await within(aid.down)
        await closing

    stage.play(story())
