"""Any calls in any order, in two processes: one call a person, nobody overtaken, nothing left over at the end."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from offhook.routing.board import CALL_SECONDS
from tests.routing.reserving import TENANT, Time, Worker, ask

LINES = {1: ("fixedorder", (1, 2)), 2: ("roundrobin", (1, 2, 3)), 3: ("longestidle", (3, 4)), 4: ("simultaneous", (4,))}
EVERYBODY = ("1", "2", "3", "4")
QUEUE = 3


@dataclass(eq=False)
class Live:
    """A call as its worker knows it."""

    name: str
    worker: Worker
    line: int
    since: int
    rung: tuple[str, ...] = ()
    talking: str = ""
    waits: "asyncio.Task[tuple[str, ...]] | None" = None
    served: bool = field(default=False)

    @property
    def has(self) -> set[str]:
        return {*self.rung, self.talking} - {""}


class Calls(RuleBasedStateMachine):
    """Two workers over one store. After each step each has looked at what the other gave back."""

    template: bytes
    calls = Bundle("calls")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "offhook.sqlite3"
        path.write_bytes(self.template)
        self.runner = asyncio.Runner()
        self.time = Time()
        self.workers = self.runner.run(self.made(f"sqlite:///{path}"))
        self.live: list[Live] = []
        self.number = 0

    async def made(self, url: str) -> list[Worker]:
        return [Worker(url, self.time) for _ in range(2)]

    @rule(
        target=calls,
        which=st.integers(0, 1),
        line=st.sampled_from(list(LINES)),
        wait=st.sampled_from(["nothing", "whoever_is_rung", "whoever_is_free"]),
        seconds=st.sampled_from([5, 600]),
    )
    def call(self, which: int, line: int, wait: str, seconds: int) -> Live:
        self.number += 1
        one = Live(f"call{self.number}", self.workers[which], line, self.time.at)
        self.live.append(one)
        self.ask(one, wait, seconds)
        return one

    @rule(one=calls, wait=st.sampled_from(["whoever_is_rung", "whoever_is_free"]))
    def asks_again(self, one: Live, wait: str) -> None:
        if one in self.live and not one.has and one.waits is None:
            self.ask(one, wait, 600)

    def ask(self, one: Live, wait: str, seconds: int) -> None:
        strategy, members = LINES[one.line]
        verb = ask(
            strategy, members, group=one.line, wait_for=wait, seconds=seconds, since=one.since,
            most_waiting=QUEUE if wait == "whoever_is_free" else 0,
        )  # fmt: skip
        one.served = False
        one.waits = self.runner.run(one.worker.starts(one.name, verb))

    @rule(one=calls)
    def answers(self, one: Live) -> None:
        if one in self.live and one.rung:
            one.talking, others = one.rung[0], one.rung[1:]
            self.runner.run(one.worker.release(one.name, *others, kept=one.talking))
            one.rung = ()

    @rule(one=calls)
    def does_not_answer(self, one: Live) -> None:
        if one in self.live and one.rung:
            self.runner.run(one.worker.release(one.name, *one.rung))
            one.rung = ()

    @rule(one=consumes(calls))
    def ends(self, one: Live) -> None:
        if one in self.live:
            self.live.remove(one)
            self.runner.run(self.over(one))

    async def over(self, one: Live) -> None:
        if one.waits is not None:
            one.waits.cancel()
            await asyncio.gather(one.waits, return_exceptions=True)
        await one.worker.finish(one.name)

    @rule(one=consumes(calls))
    def is_forgotten(self, one: Live) -> None:
        """As if its worker had died: nobody says anything of it any more."""
        if one in self.live and one.waits is None:
            self.live.remove(one)

    @rule(seconds=st.sampled_from([10, 30, 50]))
    def time_passes(self, seconds: int) -> None:
        self.runner.run(self.renewed())
        self.time.move(seconds)

    async def renewed(self) -> None:
        for worker in self.workers:
            await worker.reservations.renew(TENANT, [one.name for one in self.live if one.worker is worker])

    async def looked(self) -> None:
        await self.renewed()
        # What the first has given back is seen by the second, and what that one then gave back by the first.
        for _ in range(2):
            self.time.move(1)
            for worker in self.workers:
                await worker.settle()
        for one in self.live:
            if one.waits is not None and one.waits.done():
                one.rung, one.served = one.waits.result(), bool(one.waits.result())
                one.waits = None

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "live"):
            return
        before = {one for one in self.live if one.waits is not None}
        self.runner.run(self.looked())
        taken = [who for one in self.live for who in one.has]
        assert len(taken) == len(set(taken)), "one person for two calls"
        held = self.workers[0].held()
        for one in self.live:
            for who in one.rung:
                assert held[who] == one.name
            if one.talking:
                assert held[one.talking] == f"{one.name}*"
        waiting = [one for one in self.live if one.waits is not None]
        places = set(self.workers[0].waiting())
        assert {one.name for one in waiting} <= places
        # A caller who hears their place said keeps it for a while, and with it who would be theirs.
        kept = places - {one.name for one in waiting}
        for one in waiting:
            members = LINES[one.line][1]
            assert kept or set(map(str, members)) <= set(held), "waits for somebody who is free"
            late = [
                other.name for other in before
                if other.served and other.waits is None and other.line == one.line and other.since > one.since
            ]  # fmt: skip
            assert not late, "was overtaken"

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return

        async def ending() -> None:
            for one in self.live:
                await self.over(one)
            self.time.move(CALL_SECONDS)
            answer = await self.workers[0].got("last", ask(members=list(map(int, EVERYBODY))))
            assert answer == EVERYBODY, "somebody is held by nobody"
            assert self.workers[0].waiting() == []
            for worker in self.workers:
                await worker.close()

        self.runner.run(ending())
        self.runner.close()
        self.folder.cleanup()


@pytest.fixture(scope="module")
def template(sqlite_template: Path) -> bytes:
    return sqlite_template.read_bytes()


def test_one_call_a_person_nobody_overtaken_nothing_left_over(template: bytes):
    Calls.template = template
    examples = settings.default.max_examples if settings.default else 50
    run_state_machine_as_test(Calls, settings=settings(max_examples=max(10, examples // 5), stateful_step_count=20))
