"""A user's telephones are rung for a call of their own, and the number is dialled for the first one answered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.calls.legs.placed import Placement, Unbegun
from offhook.kit.errors import Conflict, Unavailable
from offhook.routing import plan
from offhook.telephony import placing, port
from offhook.telephony.causes import STOPPED
from offhook.telephony.placing import Placing
from offhook.telephony.port import DIED
from offhook.telephony.process import Worker
from offhook.telephony.room import Room
from offhook.telephony.telephone import ELSEWHERE
from tests.telephony.scripted import CALL, TENANT, Told

NUMBER = "+14155550123"


class Kept:
    """What is kept of calls that are placed."""

    def __init__(self) -> None:
        self.placed: list[Placement] = []
        self.whys: list[Unbegun | None] = []

    async def begun(self, call: Placement) -> None:
        self.placed.append(call)

    async def over(self, tenant_id: int, id: int, why: Unbegun | None) -> None:
        assert (tenant_id, id) in [(call.tenant_id, call.id) for call in self.placed]
        self.whys.append(why)


class House:
    """A worker that the test plays, and calls that only begin."""

    def __init__(self) -> None:
        self.told = Told()
        self.heard: dict[int, Callable[[port.Event], None]] = {}
        self.begun: list[Any] = []
        self.broken = False
        self.most = 10
        house: Any = replace(self.told.telephone._house, legs=self)
        room = Room(self.most, self.under_way, lambda: 0.0)
        self.noted = Kept()
        self.placing = Placing(self, lambda _tenant: house, self, self._shown, room, self.noted)  # type: ignore[arg-type]

    async def _shown(self, tenant_id: int, who: str) -> tuple[str, str]:
        return "101", "Ana"

    def tell(self, command: port.Command) -> None:
        self.told.tell(command)

    def new_leg(self, heard: Callable[[port.Event], None]) -> int:
        leg = 2 * len(self.heard) + 2
        self.heard[leg] = heard
        return leg

    def hold(self, leg: int, heard: Callable[[port.Event], None]) -> None:
        self.heard[leg] = heard

    def let_go(self, leg: int) -> None:
        del self.heard[leg]

    def under_way(self, tenant_id: int) -> int:
        return len(self.begun)

    def new_id(self) -> int:
        return CALL + len(self.noted.placed)

    async def begin(self, tenant_id: int, first: plan.Outgoing, telephone: Any, *, id: int) -> int:
        if self.broken:
            raise Unavailable("The store cannot be reached.")
        self.begun.append((tenant_id, first.who, first.dialled, id))
        telephone.do(id, (plan.Transfer(first.dialled),))
        self.telephone = telephone
        return id

    async def say(self, event: Any) -> None:
        self.heard[event.leg](event)
        await self.told.settled()


def run(story: Callable[[House], Awaitable[None]]) -> None:
    async def told() -> None:
        one = House()
        await story(one)
        await one.placing.close()

    asyncio.run(told())


def test_who_answers_first_has_the_number_dialled_and_the_other_telephones_are_told_so():
    async def story(one: House) -> None:
        assert await one.placing.place(TENANT, "user:1", ("desk", "two"), NUMBER) == CALL
        await one.told.settled()
        dials = one.told.told(port.Dial)
        assert [(dial.uri, dial.caller) for dial in dials] == [
            ("sip:desk@10.0.0.1", 0), ("sip:one@10.0.0.2", 0), ("sip:other@10.0.0.3", 0)
        ]  # fmt: skip
        await one.say(port.Down(leg=dials[0].leg, code=486))
        await one.say(port.Up(dials[1].leg))
        assert one.begun == [(TENANT, "user:1", NUMBER, CALL)]
        assert one.noted.whys == [None]
        assert [(drop.leg, drop.reason) for drop in one.told.commands if isinstance(drop, port.Drop)] == [
            (dials[2].leg, ELSEWHERE)
        ]
        [out] = one.told.told(port.Dial)
        assert (out.uri, out.caller) == (f"sip:{NUMBER}@carrier", dials[1].leg)
        await one.say(port.Up(out.leg))
        assert one.told.told(port.Connect) == [port.Connect(dials[1].leg, out.leg)]
        assert not [told for told in one.told.commands if isinstance(told, port.Answer)]
        one.telephone.do(CALL, (plan.Hangup(),))
        await one.telephone.over()

    run(story)


def test_who_does_not_answer_has_no_call(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(placing, "RING_SECONDS", 0.01)

    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        await asyncio.gather(*(placed.task for placed in one.placing._ringing.values() if placed.task))
        assert one.begun == []
        assert one.told.told(port.Drop) == [port.Drop(2)]
        assert (one.heard, one.noted.whys) == ({}, [Unbegun("no_answer")])

    run(story)


def test_why_a_call_that_every_telephone_declined_never_was_is_logged():
    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk", "two"), NUMBER)
        await one.told.settled()
        with capture_logs() as logs:
            for leg, cause in ((2, "busy"), (4, "declined"), (6, port.DIED)):
                await one.say(port.Down(leg=leg, code=0, cause=cause))
        assert [(told["event"], told["causes"]) for told in logs] == [
            ("placed_call_not_taken", ["busy", "declined", port.DIED])
        ]
        assert (one.begun, one.placing.rings(TENANT, CALL)) == ([], False)
        assert one.noted.whys == [Unbegun(fault=port.DIED)]

    run(story)


def test_a_call_that_is_given_up_while_its_user_is_rung_rings_nobody_and_dials_nothing():
    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk", "two"), NUMBER)
        await one.told.settled()
        assert one.placing.rings(TENANT, CALL)
        assert not one.placing.give_up(TENANT + 1, CALL)
        assert one.placing.give_up(TENANT, CALL)
        await one.told.settled()
        assert [drop for drop in one.told.commands if isinstance(drop, port.Drop)] == [
            port.Drop(2), port.Drop(4), port.Drop(6)
        ]  # fmt: skip
        assert (one.begun, one.heard, one.placing.rings(TENANT, CALL)) == ([], {}, False)
        assert not one.placing.give_up(TENANT, CALL)
        assert one.noted.placed == [Placement(TENANT, CALL, "user:1", ("desk", "two"), NUMBER, 45)]
        assert one.noted.whys == [Unbegun(given_up=True)]

    run(story)


def test_a_call_that_is_given_up_as_its_user_answers_does_not_begin():
    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        await one.told.settled()
        one.heard[2](port.Up(2))
        assert one.placing.give_up(TENANT, CALL)
        await one.told.settled()
        assert (one.begun, one.heard, one.noted.whys) == ([], {}, [Unbegun(given_up=True)])
        assert one.told.told(port.Drop) == [port.Drop(2, 503)]

    run(story)


def test_a_user_without_a_registered_telephone_is_not_rung():
    async def story(one: House) -> None:
        with pytest.raises(Conflict, match="No telephone"):
            await one.placing.place(TENANT, "user:1", ("nowhere",), NUMBER)

    run(story)


def test_a_company_that_is_full_rings_nobody():
    async def story(one: House) -> None:
        one.placing._room = Room(0, one.under_way, lambda: 0.0)
        with pytest.raises(Conflict, match="as many as it may"):
            await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        assert one.told.told(port.Dial) == []
        assert await one.placing.place(TENANT, "user:1", ("desk",), "911") == CALL

    run(story)


def test_a_company_that_is_full_by_the_time_the_user_answers_has_no_further_call():
    async def story(one: House) -> None:
        one.placing._room = Room(1, one.under_way, lambda: 0.0)
        for who in ("user:1", "user:2"):
            await one.placing.place(TENANT, who, ("desk",), NUMBER)
        await one.told.settled()
        await one.say(port.Up(2))
        await one.say(port.Up(4))
        assert [who for _, who, _, _ in one.begun] == ["user:1"]
        assert [why and bool(why.fault) for why in one.noted.whys] == [None, True]
        assert one.told.told(port.Drop) == [port.Drop(4, 503)]
        one.telephone.do(CALL, (plan.Hangup(),))
        await one.telephone.over()

    run(story)


def test_a_call_that_cannot_begin_lets_the_user_go():
    async def story(one: House) -> None:
        one.broken = True
        await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        await one.told.settled()
        await one.say(port.Up(2))
        assert one.told.told(port.Drop) == [port.Drop(2, 503)]
        assert (one.heard, one.noted.whys) == ({}, [Unbegun(fault="The store cannot be reached.")])

    run(story)


def test_a_recording_is_told_of_also_when_its_leg_is_over():
    async def story() -> None:
        async def nobody(_event: port.Event) -> None:
            raise AssertionError

        worker = Worker((), nobody)
        heard: list[port.Event] = []
        leg = worker.new_leg(heard.append)
        for path in ("/a", "/b"):
            worker.tell(port.Record(leg=leg, path=path))
        down, made = port.Down(leg=leg), port.Recorded(leg=leg, path="/a", seconds=2.0)
        worker._hear(down)
        worker._hear(made)
        worker._hear(made)
        assert heard == [down, made]
        worker._all_down()
        assert heard[2:] == [port.Recorded(leg=0, path="/b", seconds=0, fault=DIED)]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("code", "why"), [(486, "busy"), (603, "declined"), (404, "unreachable"), (408, "unreachable")]
)
def test_why_a_user_did_not_take_a_call_of_their_own_is_kept(code: int, why: plan.Missed):
    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        await one.told.settled()
        await one.say(port.Down(leg=2, code=code))
        assert (one.begun, one.noted.whys) == ([], [Unbegun(why)])

    run(story)


def test_a_server_that_stops_while_a_user_is_rung_says_so():
    async def story(one: House) -> None:
        await one.placing.place(TENANT, "user:1", ("desk",), NUMBER)
        await one.told.settled()
        await one.placing.close()
        assert (one.begun, one.noted.whys) == ([], [Unbegun(fault=STOPPED)])

    run(story)
