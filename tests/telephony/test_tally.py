"""What is noted of legs: told by the worker, whose by the call, written once all of a call's are over."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from offhook.calls.wires.model import WENT_ON, Wire, Wires
from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.routing.plan import Prompt
from offhook.telephony import port, tally
from offhook.telephony.tally import Tally

TENANT, CALL = 7, 77
CALLER, ANN, BOB = 1, 2, 4


class Desk:
    """A tally, and what it wrote; `away` while the store is."""

    def __init__(self) -> None:
        self.written: list[Wires] = []
        self.away = False
        self.tally = Tally(self._write)

    async def _write(self, told: Sequence[Wires]) -> None:
        if self.away:
            raise Unavailable("The store cannot be reached.")
        self.written += told

    def say(self, *events: port.Event) -> None:
        for event in events:
            self.tally.heard(event)

    def came(self, username: str = "") -> None:
        self.say(port.Incoming(leg=CALLER, caller="1", dialled="2", source=("10.0.0.9", 5060), username=username))
        self.tally.belongs(CALLER, TENANT, CALL, "", "", "")

    def rings(self, leg: int, who: str) -> None:
        self.tally.belongs(leg, TENANT, CALL, who, f"{who}'s", "10.0.0.1:5060")

    def down(self, leg: int, **more: object) -> None:
        self.say(port.Down(leg=leg, **more), port.Sound(leg=leg, codec="PCMU", received=90, lost=10))  # type: ignore[arg-type]

    @property
    def wires(self) -> tuple[Wire, ...]:
        [one] = self.written
        assert (one.tenant_id, one.call_id) == (TENANT, CALL)
        return one.wires


def run(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def told() -> None:
        await story(Desk())

    asyncio.run(told())


def count(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


def test_a_call_is_written_once_all_of_its_telephones_are_over():
    async def story(one: Desk) -> None:
        one.came()
        one.rings(ANN, "user:1")
        one.rings(BOB, "user:2")
        one.say(port.Progress(ANN, 180), port.Progress(ANN, 183), port.Up(ANN))
        one.down(BOB, code=487, cause="cancelled", ours=True)
        one.down(ANN, cause="left")
        await one.tally.flush()
        assert one.written == []
        one.down(CALLER, cause="ended", ours=True)
        await one.tally.flush()
        caller, ann, bob = one.wires
        assert (caller.who, caller.address, caller.cause, caller.ours) == ("", "10.0.0.9:5060", "ended", True)
        assert (ann.who, ann.device, ann.code, ann.codec) == ("user:1", "user:1's", 0, "PCMU")
        assert (ann.received, ann.lost) == (90, 10)
        assert 0 < ann.began <= ann.rang <= ann.up <= ann.ended
        assert (bob.code, bob.rang, bob.up) == (487, 0, 0)
        await one.tally.flush()
        assert len(one.written) == 1

    run(story)


def test_what_became_of_its_sound_is_waited_for_and_not_for_ever(monkeypatch: pytest.MonkeyPatch):
    async def story(one: Desk) -> None:
        one.came()
        one.say(port.Down(leg=CALLER, code=404))
        await one.tally.flush()
        assert one.written == []
        monkeypatch.setattr(clock, "monotonic", lambda: 1e12)
        await one.tally.flush()
        assert (one.wires[0].code, one.wires[0].codec) == (404, "")

    run(story)


def test_a_caller_who_is_gone_before_the_call_begins_is_noted():
    async def story(one: Desk) -> None:
        one.say(port.Incoming(leg=CALLER, caller="1", dialled="2", source=("10.0.0.9", 5060)))
        one.down(CALLER, code=487, cause="left")
        one.tally.belongs(CALLER, TENANT, CALL, "", "", "")
        await one.tally.flush()
        assert (one.wires[0].code, one.wires[0].cause) == (487, "left")

    run(story)


def test_who_is_nobody_s_call_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tally, "STRANGERS", 3)

    async def story(one: Desk) -> None:
        for leg in range(1, 21, 2):
            one.say(port.Incoming(leg=leg, caller="1", dialled="2", source=("10.0.0.9", 5060)))
            one.down(leg, code=404)
        assert len(one.tally._strangers) == 3
        await one.tally.close()
        assert one.written == []

    run(story)


def test_a_worker_that_ended_ends_what_it_had_and_counts_go_on():
    async def story(one: Desk) -> None:
        one.say(port.Figures(legs=2, received=100, lost=3, strangers=2, refused={"malformed": 4}))
        one.came()
        one.rings(ANN, "user:1")
        one.say(port.Up(ANN), port.Held(ANN, True))
        one.say(port.Ready(address=("127.0.0.1", 5060)))
        await one.tally.flush()
        _, ann = one.wires
        assert ann.cause == "the telephone process ended"
        assert ann.held[0][1] == ann.ended
        one.say(port.Figures(legs=0, received=10, lost=1, refused={"malformed": 1, "challenged": 2}))
        assert one.tally.packets == (110, 4, 2)
        assert one.tally.refused == {"malformed": 5, "challenged": 2}
        # Numbers are given anew: this is another leg.
        one.written.clear()
        one.came()
        one.down(CALLER, cause="left")
        await one.tally.flush()
        assert one.wires[0].cause == "left"

    run(story)


def test_spells_on_hold_and_wishes_to_transfer_are_noted_in_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tally, "SPELLS", 2)

    async def story(one: Desk) -> None:
        one.came()
        for _ in range(4):
            one.say(port.Held(CALLER, True), port.Held(CALLER, False))
            one.say(port.Referred(leg=CALLER, target="102"))
        one.down(CALLER)
        await one.tally.flush()
        [wire] = one.wires
        assert len(wire.held) == 2
        assert all(since <= until for since, until in wire.held)
        assert [target for _, target in wire.referred] == ["102", "102"]

    run(story)


def test_prompts_that_were_beeps_are_noted_once_each_in_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tally, "SPELLS", 2)

    async def story(desk: Desk) -> None:
        desk.came()
        for text in ("Welcome.", "Welcome.", "Press 1.", "Goodbye."):
            desk.tally.beeped(CALLER, Prompt(text))
        desk.tally.beeped(99, Prompt("To nobody."))
        desk.down(CALLER, cause="left")
        await desk.tally.flush()
        [wire] = desk.wires
        assert wire.beeped == ("Welcome.", "Press 1.")

    run(story)


def test_a_leg_that_goes_to_another_call_is_over_in_the_first_and_has_its_sound_in_the_other():
    async def story(one: Desk) -> None:
        one.came()
        one.rings(ANN, "user:1")
        one.say(port.Up(CALLER), port.Up(ANN), port.Held(ANN, True))
        one.tally.belongs(ANN, TENANT, CALL + 1, "", "", "")
        one.tally.belongs(ANN, TENANT, CALL + 1, "", "", "")
        one.down(CALLER, cause="left")
        await one.tally.flush()
        _, before = one.wires
        assert (before.who, before.cause, before.received) == ("user:1", WENT_ON, 0)
        assert before.held[0][1] == before.ended
        one.written.clear()
        one.down(ANN, cause="left")
        await one.tally.flush()
        [told] = one.written
        [after] = told.wires
        assert (told.call_id, after.who, after.device, after.address) == (CALL + 1, "", "user:1's", "10.0.0.1:5060")
        assert (after.cause, after.received, after.held) == ("left", 90, ())
        assert after.up == after.began > 0

    run(story)


def test_what_cannot_be_written_waits_in_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tally, "UNWRITTEN", 2)

    async def story(one: Desk) -> None:
        one.away = True
        for call in range(1, 5):
            one.say(port.Incoming(leg=call * 2 + 1, caller="1", dialled="2", source=("10.0.0.9", 5060)))
            one.tally.belongs(call * 2 + 1, TENANT, call, "", "", "")
            one.down(call * 2 + 1)
        with capture_logs() as logs:
            await one.tally.flush()
        told = [(said["event"], said["log_level"], said.get("calls")) for said in logs]
        assert told == [("legs_not_written", "warning", None), ("legs_lost", "error", 2)]
        with capture_logs() as logs:
            await one.tally.flush()
        assert [said["event"] for said in logs] == ["legs_not_written"]
        one.away = False
        await one.tally.flush()
        assert [told.call_id for told in one.written] == [3, 4]

    run(story)


def test_what_is_lost_by_a_fault_of_ours_is_said_with_how_many():
    async def story(one: Desk) -> None:
        one.came()
        one.down(CALLER)
        one.written = None  # type: ignore[assignment]
        with capture_logs() as logs:
            await one.tally.flush()
        assert [(said["event"], said["calls"]) for said in logs] == [("legs_lost", 1)]

    run(story)


def test_what_is_being_written_as_the_process_ends_is_written():
    async def story(one: Desk) -> None:
        begun, stuck = asyncio.Event(), asyncio.Event()

        async def write(told: Sequence[Wires]) -> None:
            begun.set()
            await stuck.wait()
            one.written += told

        one.tally = Tally(write)
        one.came()
        one.down(CALLER)
        writing = asyncio.ensure_future(one.tally.flush())
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        stuck.set()
        await one.tally.close()
        assert [told.call_id for told in one.written] == [CALL]

    run(story)


def test_what_is_being_written_as_it_is_closed_is_waited_for_and_told_of_if_it_cannot_be():
    async def story(one: Desk) -> None:
        begun, stuck = asyncio.Event(), asyncio.Event()

        async def write(_told: Sequence[Wires]) -> None:
            begun.set()
            await stuck.wait()
            raise Unavailable("The store cannot be reached.")

        one.tally = Tally(write)
        one.came()
        one.down(CALLER)
        writing = asyncio.ensure_future(one.tally.flush())
        await begun.wait()
        with capture_logs() as logs:
            closing = asyncio.ensure_future(one.tally.close())
            await asyncio.sleep(0)
            stuck.set()
            await asyncio.gather(writing, closing)
        assert (logs[-1]["event"], logs[-1]["log_level"], logs[-1]["calls"]) == ("legs_not_written", "error", 1)

    run(story)


def test_how_long_it_took_is_measured_of_calls_from_outside_once():
    async def story(one: Desk) -> None:
        rang, answered = count("offhook_leg_ring_seconds_count"), count("offhook_call_answer_seconds_count")
        one.came()
        one.rings(ANN, "user:1")
        one.rings(BOB, "user:2")
        one.say(port.Up(CALLER), port.Progress(ANN, 180), port.Up(ANN), port.Up(BOB))
        assert count("offhook_leg_ring_seconds_count") == rang + 2
        assert count("offhook_call_answer_seconds_count") == answered + 1

    run(story)


def test_nobody_of_the_company_waits_to_be_answered():
    async def story(one: Desk) -> None:
        answered = count("offhook_call_answer_seconds_count")
        one.came(username="ann")
        one.rings(BOB, "user:2")
        one.say(port.Up(BOB))
        assert count("offhook_call_answer_seconds_count") == answered

    run(story)


def test_no_fault_in_noting_reaches_the_call():
    async def story(one: Desk) -> None:
        one.tally.heard(port.Incoming(leg=CALLER, caller="", dialled="", source=None))  # type: ignore[arg-type]

    run(story)


def test_a_call_that_begins_with_one_who_left_long_ago_waits_for_nothing_of_them():
    async def story(one: Desk) -> None:
        one.came()
        one.down(CALLER)
        await one.tally.flush()
        one.tally.belongs(CALLER, TENANT, CALL + 1, "", "", "")
        await one.tally.flush(all_of_it=True)
        assert [wires.call_id for wires in one.written] == [CALL]
        assert not one.tally._calls
        assert not one.tally._legs

    run(story)


def test_a_call_that_is_written_leaves_nothing_that_only_a_collector_of_garbage_would_find():
    async def story(one: Desk) -> None:
        gc.collect()
        gc.disable()
        try:
            one.came()
            one.rings(BOB, "user:2")
            one.down(CALLER)
            one.down(BOB)
            await one.tally.flush(all_of_it=True)
            assert not [kept for kept in gc.get_objects() if isinstance(kept, tally._Leg | tally._Call)]
        finally:
            gc.enable()

    run(story)
