"""Calls from the command line."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec

from offhook.calls import store
from offhook.calls.model import Kept
from offhook.configuration import text
from offhook.kit.settings import Settings
from offhook.routing.plan import HungUp, Incoming, Ring
from offhook.routing.plan import Leg as Rung
from offhook.routing.state import new_call
from offhook.routing.trace import Step
from offhook.storage.batches import Writer
from offhook.storage.database import Database, Statement, Transaction
from tests.cli.conftest import Run

TENANT = Statement("SELECT id FROM tenants WHERE environment = 'live'")
BEGAN = 1_795_680_000_000


def kept(data: Path, id: int, *, over: bool, who: str = "", caller: str = "+14155550123") -> None:
    """A call to a telephone that rings, or rang for nine seconds; of `who` in the company, or of a `caller` outside."""

    def put(tx: Transaction) -> None:
        [[tenant]] = tx.all(TENANT)
        state = new_call(str(id), id)
        state.phase, state.began, state.now, state.caller = (
            ("over" if over else "ringing"),
            BEGAN,
            BEGAN,
            caller,
        )
        state.who = who
        call = Kept(
            id=id, tenant_id=tenant, began=BEGAN, ended=BEGAN + 9_000 if over else 0,
            outcome="not_answered" if over and who else "abandoned" if over else "",
            caller=who or caller, dialled="+14155550100", state=state,
        )  # fmt: skip
        ring = Ring("parallel", (Rung("user:1", "Ann \x1b[31mred"),), 20)
        steps = [Step(event=Incoming(BEGAN, "+14155550123", "+14155550100"), reasons=(), verbs=(ring,), config=1)]
        if over:
            steps.append(Step(event=HungUp(BEGAN + 9_000), reasons=(), verbs=(), config=1))
        store.keep(tx, call, list(enumerate(steps)), 0 if over else 2**52)

    async def work() -> None:
        writer = Writer(Database(Settings(data=str(data)).url))
        await writer.aside(put)
        await writer.close()

    asyncio.run(work())


def test_calls_are_listed_those_under_way_with_where_they_are(offhook: Run, company: Any, empty: Path):
    assert "no call yet" in offhook("call", "list").err
    assert "Nobody calls" in offhook("call", "list", "--live").err
    kept(empty / "offhook-data", 5, over=True)
    kept(empty / "offhook-data", 6, over=False)
    said = offhook("call", "list")
    assert re.search(r"^5 .*\+14155550123 +\+14155550100 +abandoned$", said.out, re.MULTILINE)
    assert re.search(r"^6 .*under way: ringing$", said.out, re.MULTILINE)
    live = offhook("call", "list", "--live")
    assert re.search(r"^6 +\+14155550123 +\+14155550100 +Ringing ", live.out, re.MULTILINE)
    assert "\n5 " not in live.out
    assert [one["id"] for one in offhook("call", "list", "--live", "--json").json["items"]] == ["6"]


def test_who_calls_from_within_is_listed_by_name(offhook: Run, company: Any, empty: Path):
    lines = text.write({"version": 1, "offices": {"Head office": {"licences": {"talk_lines": 2}}}})
    (empty / "lines.yaml").write_text(lines)
    assert offhook("apply", "lines.yaml", "--yes").status == 0
    person = {"email": "ana@example.com", "office_id": company["office_id"], "first_name": "Ana"}
    (empty / "people.jsonl").write_text(msgspec.json.encode(person).decode())
    assert offhook("user", "import", "people.jsonl").status == 0
    [user] = [one["id"] for one in offhook("user", "list", "--json").json["items"] if "ana@" in str(one)]
    kept(empty / "offhook-data", 5, over=True, who=f"user:{user}")
    assert re.search(r"^5 .* Ana +\+14155550100 +not answered$", offhook("call", "list").out, re.MULTILINE)
    [listed] = offhook("call", "list", "--json").json["items"]
    assert (listed["caller"], listed["caller_name"]) == (f"user:{user}", "Ana")
    # What a stranger sent, as older calls have it.
    kept(empty / "offhook-data", 6, over=True, caller=f"user:{user}")
    kept(empty / "offhook-data", 7, over=False, caller=f"user:{user}")
    assert re.search(rf"^6 .* user%3A{user} +\+14155550100 +abandoned$", offhook("call", "list").out, re.MULTILINE)
    live = offhook("call", "list", "--live").out
    assert re.search(rf"^7 +user%3A{user} +\+14155550100 +Ringing ", live, re.MULTILINE)


def test_a_call_is_shown_between_its_parties_and_with_why(offhook: Run, company: Any, empty: Path):
    kept(empty / "offhook-data", 5, over=True)
    said = offhook("call", "show", "5")
    assert said.status == 0
    assert re.search(r"  0:00\.0  \+14155550123 +-> Offhook +calls \+14155550100", said.out)
    assert re.search(r"  0:09\.0  \+14155550123 +-> Offhook +hangs up", said.out)
    assert "A call from +14155550123" in said.out
    assert re.search(r"^caller +\+14155550123$", said.out, re.MULTILINE)
    assert "\x1b[31m" not in said.out
    shown = offhook("call", "show", "5", "--json").json
    assert shown["ladder"]["parties"][0]["name"] == "+14155550123"
    assert shown["trace"]["outcome"] == "abandoned"


def test_what_is_no_call_is_said(offhook: Run, company: Any):
    assert "no id of a call" in offhook("call", "show", "latest").err
    assert "There is no call 9" in offhook("call", "show", "9").err
    assert offhook("call", "hangup", "9").status == 1
