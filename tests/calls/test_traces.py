"""What is kept of a call is what was decided: a simulation, the real call and its replay tell the same."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, assume, given, settings

from offhook.calls import store
from offhook.calls.call import Parts
from offhook.calls.session import Calls
from offhook.routing.plan import Ask, AskScript, Notify, Release, Reserve, Reserved, Told, Verb
from offhook.routing.simulate import simulate
from offhook.routing.trace import Trace, replay
from tests.api.desk import Company, Desk
from tests.calls.scripted import ANA, CALLS, Phone, Process, lisbon
from tests.routing.random_companies import companies, firsts, scripts

_FOUNDED: dict[int, Company] = {}


class Prompted:
    """Reservations and services that say what is written for them."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[asyncio.Future[Any]] = asyncio.Queue()

    async def reserve(self, *_: Any) -> Reserved:
        return await self._answer()

    async def ask(self, *_: Any) -> Told:
        return await self._answer()

    async def _answer(self) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.asked.put_nowait(answer)
        return await answer

    async def release(self, *_: Any) -> None: ...
    async def finish(self, *_: Any) -> None: ...
    async def renew(self, *_: Any) -> None: ...


def founded(desk: Desk) -> Company:
    return _FOUNDED.setdefault(id(desk), desk.found())


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(companies(), firsts, scripts)
def test_a_real_call_does_what_its_simulation_does_and_its_trace_replays(sqlite_desk: Desk, config, first, script):
    company = founded(sqlite_desk)
    number = sqlite_desk.ids.new()
    simulated, ended = simulate(config, first, script, number)

    class One:
        def new(self) -> int:
            return number

    async def same() -> tuple[list[Verb], Trace, Any]:
        said, phone = Prompted(), Phone()
        offhook = sqlite_desk.offhook

        async def known(_: int) -> Any:
            return config

        ids: Any = One()
        calls = Calls(Parts(offhook.writer, known, said, said.ask), ids)
        assert await calls.begin(owner, first, phone) == number
        for step in simulated.steps[1:]:
            answer = None
            if isinstance(step.event, Reserved | Told):
                answer = await said.asked.get()
            call = calls._live[number]
            before = call._number
            if answer is None:
                calls.happened(number, step.event)
            else:
                answer.set_result(step.event)
            while call._number == before and calls.live:
                await offhook.writer.run(lambda tx: None)
        await calls.over(number)
        kept = await offhook.reader.run(lambda tx: store.trace(tx, owner, number, number))
        got = await offhook.reader.run(lambda tx: store.get(tx, owner, number))
        return phone.verbs, kept, got

    owner = company.tenant()
    # Workflows are asked in test_scripts.py.
    assume(not any(isinstance(verb, AskScript) for step in simulated.steps for verb in step.verbs))
    verbs, kept, got = sqlite_desk.run(asyncio.wait_for(same(), 30))
    assert kept.steps == simulated.steps
    assert replay(config, kept) == kept
    internal = (Release, Ask, AskScript, Notify)
    assert verbs == [verb for step in simulated.steps for verb in step.verbs if not isinstance(verb, internal)]
    assert (got.outcome, got.state.phase) == (ended.outcome, "over")


def test_the_trace_over_the_api_is_what_the_replay_tells(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Reserve)
        await process.calls.close()
        trace, answer = await process.retold(id)
        assert process.config is not None
        assert answer["id"] == str(id)
        assert [step.reasons for step in replay(process.config, trace).steps] == [one.reasons for one in trace.steps]

    process.run(story())


def test_another_companys_calls_are_not_there(company: Company):
    process = Process(company, *lisbon(ANA))
    other = company.desk.found()

    async def story() -> None:
        id, _ = await process.rings()
        for caller in (other.live, company.sandbox):
            assert (await caller.sending("GET", f"{CALLS}/{id}/trace")).status == 404
            assert (await caller.sending("GET", CALLS)).json == {}

    process.run(story())


def test_calls_come_page_by_page_the_latest_first(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        made = [str((await process.rings())[0]) for _ in range(5)]
        # A call rings whether or not the store has kept it yet.
        await process.settle()
        found, cursor = [], ""
        while True:
            answer = await company.live.sending("GET", f"{CALLS}?limit=2{cursor and f'&cursor={cursor}'}")
            page = answer.json
            found += [one["id"] for one in page["items"]]
            if "cursor" not in page:
                break
            cursor = page["cursor"]
        assert found == made[::-1]

    process.run(story())
