"""What one step of a call writes is one transaction: the step, who is reserved by it, who is given back."""

import asyncio

from offhook.calls.call import Parts
from offhook.calls.session import Calls
from offhook.directory.lines.model import Target
from offhook.kit.ids import Ids
from offhook.routing.model import Company
from offhook.routing.plan import Answered, Ask, Bridge, Ended, Incoming, Ring, Told, Verb
from offhook.routing.reservations import Reservations
from offhook.routing.state import CallState
from offhook.storage.batches import Writer
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from tests.calls.calling import at, config
from tests.routing.calling import TENANT
from tests.routing.reserving import HELD

LINE = Target("callcenter", 1)
STEPS = ["comes in", "is reserved for", "is answered", "ends"]


class Telephone:
    """The first who is rung takes the call, and ends it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        for verb in verbs:
            if isinstance(verb, Ring):
                self._calls.happened(call_id, Answered(at(), verb.legs[0].who))
            elif isinstance(verb, Bridge):
                self._calls.happened(call_id, Ended(at()))


async def _asked(_tenant_id: int, _call_id: int, _verb: Ask, state: CallState) -> Told:
    return Told(state.now, fault="it is not asked here")


async def _company(_: int) -> Company:
    return config(10)


def test_a_step_and_who_is_given_back_by_it_are_one_transaction(url: str):
    database = Database(url)
    upgrade(database)

    async def story() -> int:
        writer = Writer(database)
        reservations = Reservations(writer)
        calls = Calls(Parts(writer, _company, reservations, _asked), Ids(1))
        await calls.over(await calls.begin(TENANT, Incoming(at(), "+14155550100", target=LINE), Telephone(calls)))
        batches = writer.batches
        await calls.close()
        await reservations.close()
        await writer.close()
        return batches

    assert asyncio.run(story()) == len(STEPS)
    with database.reading() as tx:
        assert tx.all(HELD) == []
    database.close()
