"""Lines hand calls to workflows that really run: what these are told, what they may say, and what becomes of faults."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest

from offhook.calls.scripts import asking
from offhook.directory.prompts.model import Prompt
from offhook.directory.prompts.store import prompts
from offhook.routing.plan import Gather, Hangup, Play, Pressed, Ring, Transfer, Voicemail
from offhook.storage.documents import Kept
from tests.api.desk import Company
from tests.calls.scripted import ANA, CALLER, Process, lisbon
from tests.docs.tables import ROOT
from tests.routing.companies import routing

T = TypeVar("T")
V1 = "/api/offhook/v1/workflows"
FIRST = {"action": "gather", "say": ["Welcome.", "Your number, please."], "digits": 4, "state": {"tries": 1}}
SECOND = {"action": "transfer", "target_type": "user", "target_id": "1", "say": "One moment."}


def ends(output: Any) -> dict[str, Any]:
    return {
        "name": "end", "taskReferenceName": "end", "type": "TERMINATE",
        "inputParameters": {"terminationStatus": "COMPLETED", "workflowOutput": output},
    }  # fmt: skip


def saying(*outputs: Any) -> list[dict[str, Any]]:
    """Tasks that say one thing after the other, a step each."""
    cases = {
        str(step): [{**ends(output), "name": f"say{step}", "taskReferenceName": f"say{step}"}]
        for step, output in enumerate(outputs, 1)
    }
    return [
        {
            "name": "which", "taskReferenceName": "which", "type": "SWITCH", "evaluatorType": "value-param",
            "expression": "step", "inputParameters": {"step": "${workflow.input.step}"}, "decisionCases": cases,
        }
    ]  # fmt: skip


WAITS = [{"name": "wait", "taskReferenceName": "wait", "type": "HUMAN"}]
FAILS = [{**ends({}), "inputParameters": {"terminationStatus": "FAILED", "terminationReason": "no table is free"}}]


class Scripted:
    """A company whose main line hands its calls to a workflow."""

    def __init__(self, company: Company, tasks: list[Any] | None, *, seconds: float = 20, **more: Any) -> None:
        self.company, self.desk, self.tasks, self.more = company, company.desk, tasks, more
        offhook = company.desk.offhook
        ask = asking(offhook.reader, offhook.workflows.engine, lambda _: asyncio.timeout(seconds))
        main = lisbon(ANA, open=routing("scripted_ivr", operators=False), script="welcome", script_seconds=7)
        self.process = Process(company, *main, ask_workflow=ask)

    def run(self, story: Callable[[Process], Awaitable[T]]) -> T:
        async def all_of_it() -> T:
            if self.tasks is not None:
                definition = {"name": "welcome", "version": 1, "tasks": self.tasks, **self.more}
                answer = await self.company.live.sending("POST", f"{V1}/definitions", {"definition": definition})
                assert answer.status == 200, answer
            return await story(self.process)

        return self.process.run(all_of_it())

    async def runs(self) -> list[Any]:
        """The runs of the company, whole, the first one first."""
        listed = (await self.company.live.sending("GET", f"{V1}/runs")).json.get("items", [])
        found = [(await self.company.live.sending("GET", f"{V1}/runs/{one['id']}")).json for one in listed]
        return found[::-1]

    async def begun(self) -> Any:
        """The only run, once there is one."""
        found: list[Any] = []
        while not found:
            await self.process.settle()
            found = await self.runs()
        return found[0]

    async def ended(self) -> Any:
        """The same, once it is over."""
        while (run := await self.begun())["status"] == "RUNNING":
            await self.process.settle()
        return run

    async def reasons(self, id: int) -> str:
        return " ".join(one["text"] for one in (await self.process.told(id))["story"] if one["kind"] == "why")


def test_a_workflow_asks_for_keys_and_sends_the_call_on(company: Company):
    scripted = Scripted(company, saying(FIRST, SECOND))

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        asked = await phone.given(Gather)
        assert (asked.prompt.text, asked.most) == ("Welcome. Your number, please.", 4)
        assert process.calls.happened(id, Pressed(process.at, "4711"))
        heard = await phone.given(Play)
        assert heard.prompt.text == "One moment."
        [leg] = (await phone.given(Ring)).legs
        assert leg.who == ANA.who
        first, second = [run["input"] for run in await scripted.runs()]
        known = {"caller": CALLER, "called": "", "line_type": "office", "line_id": "1", "office_id": "1", "open": True}
        assert known.items() <= first.items()
        assert (first["step"], first["pressed"], first["state"], first["language"]) == (1, "", None, "en")
        assert (second["step"], second["pressed"], second["state"]) == (2, "4711", {"tries": 1})
        assert first["call_id"] == second["call_id"] == str(id)
        assert {run["correlation_id"] for run in await scripted.runs()} == {f"call {id}"}

    scripted.run(story)


@pytest.mark.parametrize(
    ("output", "verb"),
    [
        ({"action": "voicemail", "say": "We are away."}, Voicemail),
        ({"action": "hangup", "say": "Good bye."}, Hangup),
        ({"action": "transfer", "number": "+14155550199", "target_id": None}, Transfer),
        ({"action": "gather", "digits": "4"}, Gather),
    ],
)
def test_what_a_workflow_may_say(embedded: Company, output: Any, verb: type[Any]):
    scripted = Scripted(embedded, saying(output))

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        await phone.given(verb)
        if "say" in output:
            assert output["say"] in [one.prompt.text for one in phone.verbs if isinstance(one, Play)]
        assert "The workflow welcome said" in await scripted.reasons(id)

    scripted.run(story)


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        (None, "no workflow"),
        (FAILS, "no table is free"),
        (saying("hello"), "is no object"),
        (saying({}), "cannot be read"),
        (saying({"action": "dance"}), "cannot be read"),
        (saying({"action": "gather", "say": "Well?"}), "gather without digits"),
        (saying({"action": "gather", "digits": 1, "state": "x" * 5_000}), "state has more than"),
        (saying({"action": "transfer", "number": "+351210000123"}), "abroad"),
        (saying({"action": "transfer"}), "transfer, which goes either to"),
        (saying({"action": "transfer", "number": "112"}), "none in E.164"),
        (saying({"action": "transfer", "target_type": "user"}), "go together"),
        (saying({"action": "voicemail", "play": "12345"}), "no prompt 12345"),
    ],
)
def test_what_cannot_be_used_ends_in_voicemail_and_the_trace_says_why(embedded: Company, tasks: Any, why: str):
    scripted = Scripted(embedded, tasks)

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        box = await phone.given(Voicemail)
        assert (box.box.type, box.box.id) == ("office", 1)
        assert why in await scripted.reasons(id)

    scripted.run(story)


def test_a_workflow_that_takes_too_long_is_not_waited_for_and_ended(embedded: Company):
    scripted = Scripted(embedded, WAITS, seconds=0.05)

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        await phone.given(Voicemail)
        assert "it did not end within 7 s" in await scripted.reasons(id)
        run = await scripted.ended()
        assert (run["status"], run["reason"]) == ("TERMINATED", "The call does not wait for it any more.")

    scripted.run(story)


def test_the_example_of_the_documentation_runs(embedded: Company):
    page = (ROOT / "docs" / "scripted-ivr.md").read_text()
    example = msgspec.json.decode(page.partition("```json")[2].partition("```")[0])
    scripted = Scripted(embedded, example["tasks"], outputParameters=example["outputParameters"])

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        for keys in ("", "9", "1"):
            assert (await phone.given(Gather)).most == 1
            process.calls.happened(id, Pressed(process.at, keys))
        assert (await phone.given(Play)).prompt.text == "We call you back."
        await phone.given(Voicemail)

    scripted.run(story)


def test_a_caller_who_hangs_up_is_not_asked_about_any_more(embedded: Company):
    scripted = Scripted(embedded, WAITS)

    async def story(process: Process) -> None:
        await process.rings()
        await scripted.begun()
        await process.calls.close()
        assert (await scripted.ended())["status"] == "TERMINATED"

    scripted.run(story)


def test_a_recording_is_played_where_a_workflow_names_it(embedded: Company):
    scripted = Scripted(embedded, None)
    digest, id = "ab" * 32, embedded.desk.ids.new()
    kept = Kept(id=id, tenant_id=embedded.tenant(), value=Prompt(digest=digest, name="x"), created_at=1, updated_at=1)
    embedded.desk.transact(lambda tx: prompts.insert(tx, [kept]))
    scripted.tasks = saying({"action": "gather", "digits": 1, "play": str(id), "say": "In words."})

    async def story(process: Process) -> None:
        _, phone = await process.rings()
        prompt = (await phone.given(Gather)).prompt
        assert (prompt.recording, prompt.text) == (digest, "In words.")

    scripted.run(story)


def test_a_conversation_that_goes_round_ends_in_voicemail(embedded: Company):
    again = ends({"action": "gather", "digits": 1, "say": "Again?"})
    scripted = Scripted(embedded, [again])

    async def story(process: Process) -> None:
        id, phone = await process.rings()
        count = 0
        while isinstance(await phone.given_any(Gather, Voicemail), Gather):
            count += 1
            process.calls.happened(id, Pressed(process.at, "1"))
        assert count == 30
        assert "Workflows were asked 30 times" in await scripted.reasons(id)

    scripted.run(story)
