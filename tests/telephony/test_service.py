"""All calls of a process: which carriers its worker is told of."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.errors import Refusal, Unavailable
from offhook.telephony import port, service
from offhook.telephony.origin import Origin
from offhook.telephony.room import Full
from offhook.telephony.service import AGAIN_SECONDS, Telephony
from tests.routing.companies import company, line, office, user


class Slow:
    """A desk of which each reading gives another carrier, once the test lets it; or a fault."""

    def __init__(self) -> None:
        self.readings: list[asyncio.Future[None]] = []

    async def configured(self) -> port.Configure:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.readings.append(mine)
        number = len(self.readings)
        await mine
        return port.Configure(trunks=(port.Trunk(id=number),))


PLACE = ("127.0.0.1", 5060)


class Begun:
    """Calls of which only the beginning is looked at."""

    happened = seen = decided = withdraw = leg_of = None

    def __init__(self) -> None:
        self.first: list[Any] = []

    def of_company(self, _tenant_id: int) -> int:
        return 0

    async def begin(self, _tenant_id: int, first: Any, _telephone: Any) -> int:
        self.first.append(first)
        return 1


def played(
    story: Callable[[Telephony, Any, list[float]], Any], *, calls: Any = None, desk: Any = None, company: Any = None
) -> None:
    async def told() -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        around, none = desk or Slow(), None
        telephony = Telephony(calls or Begun(), company, around, none, none, none, none, (), sleep=sleep)  # type: ignore[arg-type]
        await story(telephony, around, slept)

    asyncio.run(told())


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_company_has_so_many_calls_and_the_server_too_and_those_for_help_go_beyond():
    async def story(telephony: Telephony, _desk: Slow, _slept: list[float]) -> None:
        def let_in(going: int, *, crowded: bool = False, helps: bool = False) -> bool:
            telephony._room._under_way = lambda tenant_id: going if tenant_id == 7 else 0
            try:
                telephony._let_in(7, crowded=crowded, helps=helps)
            except Full:
                return False
            return True

        assert let_in(199)
        assert not let_in(200)
        assert not let_in(0, crowded=True)
        assert let_in(200, crowded=True, helps=True)

    played(story)


def test_a_company_s_share_of_telephones_is_of_all_its_calls_and_one_beyond_it_is_told():
    async def story(telephony: Telephony, _desk: Slow, _slept: list[float]) -> None:
        told: list[Any] = []
        telephony.worker.tell = lambda command: told.append(command)  # type: ignore[method-assign]
        with capture_logs() as logs:
            for _ in range(402):
                legs = telephony._house_of(7).legs
                leg = legs.new_leg(lambda _: None)
                legs.tell(port.Dial(leg=leg, caller=1, uri="sip:a@b", address=PLACE))
        assert len(told) == 400
        assert [(one["event"], one["tenant_id"], one["most"]) for one in logs] == [("telephones_full", 7, 400)]

    played(story)


def test_carriers_are_read_one_reading_after_the_other_so_that_the_latest_stays() -> None:
    async def story(telephony: Telephony, desk: Slow, _slept: list[float]) -> None:
        telephony.changed()
        await settled()
        for _ in range(100):
            telephony.changed()
        await settled()
        assert len(desk.readings) == 1
        for number in (0, 1):
            desk.readings[number].set_result(None)
            await settled()
            assert [trunk.id for trunk in telephony.worker.configured.trunks] == [number + 1]
        # Whatever changes before a reading begins is seen by it.
        assert len(desk.readings) == 2
        assert not telephony._tasks

    played(story)


def test_a_worker_that_starts_anew_is_told_what_there_is_now() -> None:
    async def story(telephony: Telephony, desk: Slow, _slept: list[float]) -> None:
        telephony.worker._hear(port.Ready(address=PLACE))
        await settled()
        assert len(desk.readings) == 1
        desk.readings[0].set_result(None)
        await settled()
        assert [trunk.id for trunk in telephony.worker.configured.trunks] == [1]

    played(story)


def test_carriers_that_the_store_did_not_give_are_read_again() -> None:
    async def story(telephony: Telephony, desk: Slow, slept: list[float]) -> None:
        faults: list[Exception] = [Unavailable("The store is away."), ValueError("a fault of ours")]
        assert isinstance(faults[0], Refusal)
        telephony.changed()
        for number, fault in enumerate(faults):
            await settled()
            desk.readings[number].set_exception(fault)
        await settled()
        desk.readings[2].set_result(None)
        await settled()
        assert slept == [AGAIN_SECONDS] * 2
        assert [trunk.id for trunk in telephony.worker.configured.trunks] == [3]

    played(story)


class Known:
    """A desk that knows a telephone, for sure only where it is given time."""

    def __init__(self, sure: bool) -> None:
        self.sure = sure
        self.asked: list[bool] = []

    async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
        self.asked.append(patient)
        return Origin(7, who="user:1", number=came.dialled, recalled=not (self.sure and patient))


async def nothing(_tenant_id: int) -> Any:
    raise ValueError("a fault of ours")


async def american(_tenant_id: int) -> Any:
    return company(line("office", 1, "Here"), office(1, "Here", country="US"), user(1, "Ana Silva"))


@pytest.mark.parametrize(
    ("dialled", "known", "sure", "begun"),
    [
        ("911", american, False, True),
        ("911", nothing, False, True),
        # The police of another country.
        ("102", american, False, False),
        ("102", american, True, True),
        ("102", nothing, False, True),
        ("+14155550100", american, False, False),
        ("+14155550100", american, True, True),
    ],
)
def test_who_was_known_last_may_call_for_help_and_nothing_else(
    dialled: str, known: Any, sure: bool, begun: bool
) -> None:
    desk = Known(sure)
    calls = Begun()

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        told: list[port.Command] = []
        telephony.worker.tell = told.append  # type: ignore[method-assign, assignment]
        await telephony._begin(port.Incoming(leg=1, caller="", dialled=dialled, source=PLACE, username="anna"))
        assert [one.dialled for one in calls.first] == [dialled] * begun
        assert told == ([] if begun else [port.Drop(1, 503)])
        assert desk.asked == ([False] if begun and not sure else [False, True])

    played(story, calls=calls, desk=desk, company=known)


def test_a_server_that_stops_waits_for_help_no_longer_than_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "HELPED_SECONDS", 0.01)

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        going: Any = SimpleNamespace(call_id=1, helping=True)
        telephony._house.exchange.enter(going)
        with capture_logs() as logs:
            await telephony.close()
        assert [one["event"] for one in logs] == ["stop_waits_for_help"]
        with pytest.raises(Full):
            telephony._let_in(7, crowded=False, helps=False)

    played(story)


def test_a_server_that_stops_is_stopped_as_soon_as_help_is_not_needed_any_more() -> None:
    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        going: Any = SimpleNamespace(call_id=1, helping=True)
        telephony._house.exchange.enter(going)
        closing = asyncio.ensure_future(telephony.close())
        await settled()
        assert not closing.done()
        telephony._house.exchange.leave(going)
        await settled()
        assert closing.done()

    played(story)


class Shared:
    """A desk that knows the call to be another company's than the worker thought, and counts it there."""

    def __init__(self) -> None:
        self.count: Any = None

    async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
        self.count(came.leg, 9)
        return Origin(8, caller=came.caller, number=came.dialled)


def test_a_call_by_a_carrier_of_several_companies_is_counted_by_that_of_whose_it_is() -> None:
    calls, desk = Begun(), Shared()

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        worker = telephony.worker
        desk.count = worker.by_trunk
        worker._hear(port.Incoming(leg=1, caller="", dialled="+14155550100", source=PLACE, trunk=3))
        # Whether there is room for it is not known yet.
        assert (worker.on_trunk(3), worker.on_trunk(9)) == (0, 0)
        await settled()
        assert [first.number for first in calls.first] == ["+14155550100"]
        assert (worker.on_trunk(3), worker.on_trunk(9)) == (0, 1)
        worker._hear(port.Down(leg=1))
        worker.by_trunk(1, 9)
        assert worker.on_trunk(9) == 0

    played(story, desk=desk, calls=calls)


class Counted(Begun):
    """Calls that last."""

    def of_company(self, _tenant_id: int) -> int:
        return len(self.first)


def test_of_two_calls_that_come_together_where_there_is_room_for_one_a_company_has_exactly_one() -> None:
    calls = Counted()

    class Desk:
        async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
            await settled()
            return Origin(7, caller=came.caller, number=came.dialled)

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        telephony._room._most = 1
        told: list[port.Command] = []
        telephony.worker.tell = told.append  # type: ignore[method-assign, assignment]
        for leg in (1, 3):
            telephony.worker._hear(port.Incoming(leg=leg, caller="", dialled=f"+1{leg}", source=PLACE, trunk=2))
        await settled()
        await settled()
        assert [first.number for first in calls.first] == ["+11"]
        assert told == [port.Drop(3, 503)]

    played(story, desk=Desk(), calls=calls)


class Outdated:
    """A desk that knows another password than the worker remembered."""

    async def account(self, username: str) -> port.Account:
        return port.Account(username=username, digests={"MD5": "new"})

    async def register(self, asked: port.Register) -> port.Registered:
        return port.Registered(id=asked.id, code=403 if asked.proof == "old" else 200)


@pytest.mark.parametrize(("proof", "told_anew"), [("old", True), ("new", False)])
def test_a_worker_that_took_a_password_of_before_is_told_the_one_that_there_is(proof: str, told_anew: bool) -> None:
    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        told: list[port.Command] = []
        telephony.worker.tell = told.append  # type: ignore[method-assign, assignment]
        await telephony._heard(
            port.Register(
                id=1, username="ann", proof=proof, contacts=(), source=PLACE, call_id="a", sequence=1
            )
        )  # fmt: skip
        assert [type(one) for one in told] == [port.Registered] + [port.Account] * told_anew

    played(story, desk=Outdated())


def test_passwords_of_others_that_change_hold_nobody_up() -> None:
    class Changing:
        """A desk at which another one's password is changed while one's own is read."""

        telephony: Any

        async def account(self, username: str) -> port.Account:
            if username == "ann":
                await self.telephony.password_changed("bo")
            return port.Account(username=username)

    desk: Any = Changing()

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        told: list[Any] = []
        desk.telephony, telephony.worker.tell = telephony, told.append  # type: ignore[method-assign, assignment]
        async with asyncio.timeout(5):
            await telephony._heard(port.Whois("ann"))
        assert [one.username for one in told] == ["bo", "ann"]
        assert telephony._reading == {}

    played(story, desk=desk)


def test_a_password_that_was_read_before_it_was_changed_is_not_told_behind_the_new_one() -> None:
    class Changing:
        """A desk whose readings end when the test says so, each with what there was as it began."""

        def __init__(self) -> None:
            self.password, self.reading = "old", asyncio.Event()

        async def account(self, username: str) -> port.Account:
            found = port.Account(username=username, digests={"MD5": self.password})
            await self.reading.wait()
            return found

    desk = Changing()

    async def story(telephony: Telephony, _desk: Any, _slept: list[float]) -> None:
        told: list[Any] = []
        telephony.worker.tell = told.append  # type: ignore[method-assign, assignment]
        asked = asyncio.ensure_future(telephony._heard(port.Whois("ann")))
        await settled()
        desk.password = "new"
        changed = asyncio.ensure_future(telephony.password_changed("ann"))
        await settled()
        desk.reading.set()
        await asyncio.gather(asked, changed)
        assert [one.digests["MD5"] for one in told] == ["new", "new"]

    played(story, desk=desk)
