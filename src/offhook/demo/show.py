"""An office made by one call, shown act by act: what the server answered, never what it should have."""

from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from offhook.client import Answer, Client, Refused, body_of
from offhook.demo.server import Founded, NotShown
from offhook.demo.stage import Stage, local, steps
from offhook.kit.errors import Notice

CHRISTMAS_EVE = "2026-12-24T17:59:59-06:00"


def pointed(body: dict[str, Any], office_id: str) -> tuple[dict[str, Any], int]:
    """`body` with its targets of the kind `unknown` made the office `office_id`, and how many there were.

    A file that anybody can post cannot know an id of theirs, so the example's targets are `unknown`.
    """
    count = 0

    def follow(value: Any) -> Any:
        nonlocal count
        if isinstance(value, list):
            return [follow(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {name: follow(inner) for name, inner in value.items()}
        if made.get("action_target_type") == "unknown":
            count += 1
            made |= {"action_target_type": "office", "action_target_id": office_id}
        return made

    return follow(body), count


def broken(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with a handful of the mistakes that people make."""
    routing = body["routing_options"]
    keys = [{"input": "1", "options": {"action": "voicemail"}}, {"input": "1", "options": {"action": "person"}}]
    return body | {
        "name": "Chicago\nNorth",
        "currency": "BTC",
        "timezone": "America/Chcago",
        "ring_seconds": 60,
        "monday_hours": ["09:00", "17:00", "16:00", "18:00"],
        "billing_contact": body["billing_contact"] | {"email": "ana@", "phone": "+1 312 555"},
        "e911_address": body["e911_address"] | {"address": "PO Box 12", "zip": "94105"},
        "routing_options": routing | {"open": routing["open"] | {"dtmf": keys}},
    }


def curl(url: str, key: str, *options: str) -> str:
    """A command to paste, on lines of its own."""
    return " \\\n  ".join([f"curl -s {url}", f"-H 'Authorization: Bearer {key}'", *options])


def shorter(office: dict[str, Any]) -> dict[str, Any]:
    """An office's reply without what says the same once more: six of its days, its switches."""
    left_out = {"office_settings", *(f"{day}_hours" for day in ("tuesday", "wednesday", "thursday", "saturday"))}
    return {name: value for name, value in office.items() if name not in left_out}


class Show:
    """The demo's acts, in order."""

    def __init__(self, stage: Stage, client: Client, made: Founded, url: str) -> None:
        self._stage = stage
        self._client = client
        self._made = made
        self._url = url

    async def run(self, example: dict[str, Any]) -> str:
        """All of it; gives the new office's id."""
        body, targets = pointed(example, self._made.sandbox_office_id)
        self._request(body, targets)
        answer = await self._client.call("POST", "/api/v2/offices", body=body_of(body))
        office = answer.document["office"]
        self._reply(answer)
        self._warnings(answer.notices)
        await self._status(office["id"])
        await self._refusal(body)
        return str(office["id"])

    def _request(self, body: dict[str, Any], targets: int) -> None:
        stage = self._stage
        stage.part("The request: POST /api/v2/offices")
        stage.say(f"The body is examples/office.json, in which every one of the {fields(body)} fields is filled.")
        if targets:
            stage.say(
                f"Its {targets} targets are of the kind unknown, as an example cannot know your ids; here they were "
                f"made the company's primary office, {self._made.sandbox_office_id}.",
            )
        stage.out.print()
        routing = body["routing_options"]
        stage.facts(
            [
                ("office", f"{body['name']}, {body['timezone']}; main line {body['mainline_number']}"),
                ("hours", f"Monday {_pairs(body['monday_hours'])}; Friday {_pairs(body['friday_hours'])}"),
                ("open", _routing(routing["open"])),
                ("closed", _routing(routing["closed"])),
                ("emergency", ", ".join(body["e911_address"].values())),
                ("billing", f"{body['currency']}, {body['plan_period']}, {body['billing_contact']['email']}"),
            ]
        )

    def _reply(self, answer: Answer) -> None:
        stage, office, plan = self._stage, answer.document["office"], answer.document["plan"]
        stage.part("The reply: 200, and all of it is on disk")
        stage.json({"office": shorter(office), "plan": {name: plan[name] for name in _PLAN if name in plan}})
        hidden = len(office) - len(shorter(office)) + len(plan) - len([name for name in _PLAN if name in plan])
        stage.say(f"  ({hidden} fields are not shown here: four days, switches, counters of lines)", "dim")

    def _warnings(self, notices: list[Notice]) -> None:
        stage = self._stage
        stage.part("Warnings: what was ignored, guessed, or perhaps not meant")
        if not notices:
            stage.say("  None.")
        stage.facts([(notice.field or notice.code, notice.text) for notice in notices])

    async def _status(self, office_id: str) -> None:
        stage, path = self._stage, f"/api/offhook/v1/offices/{office_id}/opening-periods"
        now = (await self._client.call("GET", path)).document
        then = (await self._client.call("GET", path, moment=CHRISTMAS_EVE)).document
        change = now.get("next_change")
        stage.part("Does it take calls?")
        stage.facts(
            [
                ("now", f"{now['status']}. {now['explanation']}"),
                ("next change", f"{change['to']} on {local(change['at'])}" if change else "none within 400 days"),
                ("", ""),
                ("ask any moment", "a sandbox takes the time from a header, Offhook-Clock:"),
                (CHRISTMAS_EVE, f"{then['status']}. {then['explanation']}"),
            ]
        )

    async def _refusal(self, body: dict[str, Any]) -> None:
        stage = self._stage
        try:
            await self._client.call("POST", "/api/v2/offices", body=body_of(broken(body)))
        except Refused as refusal:
            stage.part(f"A refusal: {refusal.code}, and every mistake is named at once")
            grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
            for title in ("FIELD", "WAS SENT", "WHAT TO DO"):
                grid.add_column(title, overflow="fold")
            for violation in refusal.violations:
                grid.add_row(
                    Text(steps(violation.location), "red"), Text(violation.sent or "-"), Text(violation.message)
                )
            stage.out.print(Padding(grid, (0, 0, 0, 2), expand=False))
            return
        raise NotShown("The server took a body that is full of mistakes.")

    def farewell(self, office_id: str, sip: str, again: str = "") -> None:
        """What to try next, ready to paste. Telephones reach the server at `sip`; `again` is what starts it again, if
        it is about to stop.
        """
        stage, key = self._stage, self._made.sandbox_key
        stage.part("Yours")
        if again:
            stage.say("The server stops now; its data stays until the next demo. To try what follows, serve it again:")
            stage.command(again)
            stage.out.print()
        stage.facts(
            [
                ("server", self._url),
                ("reference", f"{self._url}/docs"),
                ("console", f"{self._url}/console, which takes the key below"),
                ("workbench", f"{self._url}/console/apis"),
                ("workflows", f"{self._url}/console/workflows"),
                ("telephones", f"{sip} by UDP, this machine only; {self._url}/console/phones"),
                ("sandbox key", key),
            ]
        )
        stage.out.print()
        stage.say("Is the office open on Christmas Eve, one second before six?")
        where = f"{self._url}/api/offhook/v1/offices/{office_id}/opening-periods"
        stage.command(curl(where, key, f"-H 'Offhook-Clock: {CHRISTMAS_EVE}'"))
        stage.out.print()
        stage.say(
            "Another office, on trial: every rule is asked, nothing is stored. Without Offhook-Dry-Run it is made."
        )
        stage.command(
            curl(
                f"{self._url}/api/v2/offices",
                key,
                "-H 'Content-Type: application/json'",
                "-H 'Offhook-Dry-Run: true'",
                "-d '" + body_of(_ANOTHER).decode() + "'",
            )
        )
        stage.out.print()


_PLAN = ("balance", "next_billing_date", "ppu_address")

_ANOTHER = {
    "name": "Lisbon",
    "country": "PT",
    "timezone": "Europe/Lisbon",
    "currency": "EUR",
    "plan_period": "monthly",
    "unified_billing": False,
    "invoiced": True,
    "annual_commit_monthly_billing": False,
    "billing_address": {
        "address_line_1": "Rua Augusta 100",
        "city": "Lisboa",
        "region": "Lisboa",
        "postal_code": "1100-053",
        "country": "PT",
    },
}


def fields(body: Any) -> int:
    """How many field paths a body fills; what stands in a list counts once."""
    paths: set[str] = set()

    def follow(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                inner_path = f"{path}.{name}" if path else name
                paths.add(inner_path)
                follow(inner, inner_path)
        elif isinstance(value, list):
            for inner in value:
                follow(inner, path)

    follow(body, "")
    return len(paths)


def _pairs(times: list[str]) -> str:
    return ", ".join(f"{start} to {end}" for start, end in zip(times[::2], times[1::2], strict=False)) or "closed"


def _routing(state: dict[str, Any]) -> str:
    first = f"operators ring ({state['operator_routing']}), then " if state["try_dial_operators"] else ""
    keys = ", ".join(f"{key['input']} {key['options']['action']}" for key in state["dtmf"])
    return f"{first}{state['action']}; keys {keys}"
