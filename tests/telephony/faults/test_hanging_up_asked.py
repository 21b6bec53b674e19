"""A caller hangs up while a call router's web service, or a line's workflow, is asked: nobody waits for either then."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from offhook.routing import people
from tests.calls.test_scripts import WAITS, ends
from tests.listening import listening
from tests.scenarios.stage import V1, V2
from tests.telephony.faults.stage import Line, Stage, there_is, within

LONG = 100
"""Seconds for which a service is asked here: no test ends by that."""

ASKS = {"action": "ask", "message": "Your number, please.", "hint_name": "number", "num_digits": 1}
GATHERS = {"action": "gather", "say": "Your number, please.", "digits": 1}
WHERE = "hung up while a service was asked"


class Service:
    """A web service on loopback that answers the first times, and then nothing until it is told to.

    `asked` once it has a question that it does not answer, `left` once nobody waits for that any more.
    """

    def __init__(self, *first: dict[str, Any]) -> None:
        self._first = list(first)
        self.asked, self.left, self.answers = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.last: dict[str, Any] = {"action": "end"}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        [size] = [line.split(":")[1] for line in head.splitlines() if line.startswith("content-length")]
        await reader.readexactly(int(size))
        if self._first:
            self._write(writer, self._first.pop(0))
            return
        self.asked.set()
        leaving = asyncio.ensure_future(reader.read())
        answering = asyncio.ensure_future(self.answers.wait())
        try:
            await asyncio.wait((leaving, answering), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                self._write(writer, self.last)
            await leaving
            self.left.set()
        finally:
            leaving.cancel()
            answering.cancel()
            writer.close()

    @staticmethod
    def _write(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        writer.close()


@asynccontextmanager
async def routed(stage: Stage, service: Service) -> AsyncIterator[str]:
    """A call router that asks the service: the number that leads to it."""
    office = stage.ids["office Head office"]
    async with listening(service.serve) as port:
        made = await stage.ask("POST", f"{V2}/callrouters", {
            "name": "Decider", "office_id": office, "routing_url": f"http://127.0.0.1:{port}/route",
            "default_target_type": "office", "default_target_id": office,
        })  # fmt: skip
        yield (await stage.ask("POST", f"{V2}/callrouters/{made['id']}/assign_number", {}))["number"]
        await stage.ask("DELETE", f"{V2}/callrouters/{made['id']}")


async def scripted(stage: Stage, name: str, tasks: list[Any]) -> str:
    """A department that hands its calls to a workflow: the number that leads to it."""
    definition = {"name": name, "version": 1, "tasks": tasks}
    await stage.ask("POST", f"{V1}/workflows/definitions", {"definition": definition})
    made = await stage.ask("POST", f"{V2}/departments", {
        "name": name, "office_id": stage.ids["office Head office"],
        "routing_options": {
            "open": {"action": "scripted_ivr", "try_dial_operators": False, "operator_routing": "fixedorder"},
            "closed": {"action": "voicemail", "try_dial_operators": False, "operator_routing": "fixedorder"},
        },
    })  # fmt: skip
    await stage.ask("PUT", f"{V1}/departments/{made['id']}/script", {"workflow": name, "seconds": 20})
    body = {"target_type": "department", "target_id": made["id"]}
    return str((await stage.ask("POST", f"{V2}/numbers/assign", body))["number"])


async def runs(stage: Stage, name: str) -> list[str]:
    """How the runs of a workflow are, the latest first."""
    found = (await stage.ask("GET", f"{V1}/workflows/runs?workflow={name}")).get("items", [])
    return [one["status"] for one in found]


async def is_abandoned(stage: Stage, caller: Line, where: str = WHERE) -> None:
    await within(caller.down)
    record = await stage.record()
    assert (record.outcome, record.reasons[-1]) == ("abandoned", "caller_hung_up"), record.texts
    assert where in record.texts[-1]
    await stage.empty()
    await stage.nobody_rings()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "ASK_SECONDS", LONG)


@pytest.mark.parametrize("answered", [False, True], ids=["before the call is taken", "after a question"])
def test_a_caller_hangs_up_while_a_web_service_is_asked(stage: Stage, answered: bool) -> None:
    async def story() -> None:
        service = Service(*[ASKS] * answered)
        async with routed(stage, service) as number:
            caller = stage.call(number)
            if answered:
                await within(caller.up)
                caller.press("4")
            await within(service.asked)
            caller.hang_up()
            await is_abandoned(stage, caller)
            await within(service.left)

    stage.play(story())


def test_a_caller_hangs_up_while_asked_what_a_web_service_wishes_to_know(stage: Stage) -> None:
    async def story() -> None:
        service = Service(ASKS)
        async with routed(stage, service) as number:
            caller = stage.call(number)
            await caller.hears_anything()
            caller.hang_up()
            await is_abandoned(stage, caller, "while asked a question")
            assert not service.asked.is_set()

    stage.play(story())


@pytest.mark.parametrize("first", ["the caller", "the service"])
def test_a_caller_hangs_up_as_a_web_service_answers(stage: Stage, first: str) -> None:
    async def story() -> None:
        service = Service()
        service.last = {"action": "route", "target_type": "user", "target_id": stage.ids["user bob@example.com"]}
        async with routed(stage, service) as number:
            caller = stage.call(number)
            await within(service.asked)
            steps: list[Callable[[], None]] = [caller.hang_up, service.answers.set]
            for step in steps if first == "the caller" else reversed(steps):
                step()
            await is_abandoned(stage, caller, "hung up while")

    stage.play(story())


def test_a_caller_hangs_up_while_a_workflow_is_asked(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call(await scripted(stage, "waits", WAITS))
        await there_is(lambda: runs(stage, "waits"))
        caller.hang_up()
        await is_abandoned(stage, caller)
        await is_terminated(stage, "waits")

    stage.play(story())


def test_a_caller_hangs_up_while_a_workflow_is_asked_what_to_do_with_a_key(stage: Stage) -> None:
    which = {
        "name": "which", "taskReferenceName": "which", "type": "SWITCH", "evaluatorType": "value-param",
        "expression": "step", "inputParameters": {"step": "${workflow.input.step}"},
        "decisionCases": {"1": [ends(GATHERS)]}, "defaultCase": WAITS,
    }  # fmt: skip

    async def story() -> None:
        caller = stage.call(await scripted(stage, "gathers", [which]))
        await within(caller.up)
        await caller.hears_anything()
        assert await runs(stage, "gathers") == ["COMPLETED"]
        caller.press("4")
        await there_is(lambda: begun_again(stage))
        caller.hang_up()
        await is_abandoned(stage, caller)
        await is_terminated(stage, "gathers")

    async def begun_again(stage: Stage) -> bool:
        return len(await runs(stage, "gathers")) == 2

    stage.play(story())


async def is_terminated(stage: Stage, name: str) -> None:
    """Nobody waits for the latest run, and it does not either."""

    async def terminated() -> bool:
        return (await runs(stage, name))[0] == "TERMINATED"

    await there_is(terminated)
