"""All calls of a process: which carriers its worker is told of."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from offhook.kit.errors import Refusal, Unavailable
from offhook.telephony import port
from offhook.telephony.room import Full
from offhook.telephony.service import AGAIN_SECONDS, Telephony


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


def played(story: Callable[[Telephony, Slow, list[float]], Any]) -> None:
    async def told() -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        calls: Any = SimpleNamespace(happened=None, seen=None, of_company=None, decided=None, leg_of=None)
        desk: Any = Slow()
        none: Any = None
        await story(Telephony(calls, none, desk, none, none, none, none, (), sleep=sleep), desk, slept)

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


def test_carriers_are_read_one_reading_after_the_other_so_that_the_latest_stays() -> None:
    async def story(telephony: Telephony, desk: Slow, _slept: list[float]) -> None:
        telephony.changed()
        telephony.changed()
        await settled()
        assert len(desk.readings) == 1
        for number in (0, 1):
            desk.readings[number].set_result(None)
            await settled()
            assert [trunk.id for trunk in telephony.worker.configured.trunks] == [number + 1]

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
