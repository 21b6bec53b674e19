"""Where scenarios are played: a company is set, a call is made in it, and what was seen of it comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from tests.api.desk import Answer, Api
from tests.scenarios.script import Call, Deed

V1, V2 = "/api/offhook/v1", "/api/v2"


class Refused(Exception):
    """What a company, a deed or a call was refused for; `places` are paths within it, each with what is wrong."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer))
        self.places = [(one.get("location", ""), one["message"]) for one in answer.errors]


@dataclass(frozen=True)
class Seen:
    """What was seen of a call; people are e-mail addresses.

    `rings` are those who rang at once, in turn; `answered_by` is "" if nobody did; `reasons` are codes.
    """

    rings: list[list[str]]
    heard: list[str]
    answered_by: str
    ends_in: str
    reasons: list[str]
    told: str


class Stage(Protocol):
    """A new company, and telephones in it."""

    def set(self, company: dict[str, Any], before: Sequence[Deed], at: str) -> None:
        """Make the company what a document says, and do what is done before the call; Refused if it cannot be."""

    def call(self, call: Call) -> Seen:
        """Make a call and wait for its end."""


class Simulated:
    """Calls that are not made: POST /api/offhook/v1/simulate, with a sandbox's key."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.ids: dict[str, str] = {}
        self.moment = datetime.min.replace(tzinfo=UTC)

    def set(self, company: dict[str, Any], before: Sequence[Deed], at: str) -> None:
        """By the configuration API, on the day of the call."""
        zone = sent(self.api.get(f"{V2}/offices/primary"))["timezone"]
        zone = company.get("offices", {}).get("Head office", {}).get("timezone", zone)
        self.moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        api = self.api.at((self.moment - timedelta(minutes=1)).isoformat().replace("+00:00", "Z"))
        sent(api.post(f"{V1}/configuration/apply", {"document": company}))
        self.ids = _ids(api)
        for deed in before:
            self._do(api, deed)

    def _do(self, api: Api, deed: Deed) -> None:
        if deed.by_hand is not None:
            kind = deed.by_hand.partition(" ")[0]
            body: dict[str, Any] = {"status": deed.status, "reason": deed.reason}
            sent(api.put(f"{V1}/{kind}s/{self.ids[deed.by_hand]}/by-hand", body))
        elif deed.do_not_disturb is not None:
            id = self.ids[f"user {deed.do_not_disturb}"]
            sent(api.patch(f"{V2}/users/{id}/togglednd", {"do_not_disturb": True}))
        else:
            id = self.ids[f"user {deed.off_duty}"]
            body = {"on_duty": False, "duty_status_reason": "Lunch Time"}
            sent(api.patch(f"{V2}/callcenters/operators/{id}/dutystatus", body))

    def call(self, call: Call) -> Seen:
        """By the same decisions, without a telephone."""
        return self.seen(self.trace(call))

    def trace(self, call: Call, **more: Any) -> Any:
        """The whole of what is answered; `more` is said of the call besides."""
        return sent(self.api.post(f"{V1}/simulate", self._body(call) | more))

    @property
    def names(self) -> dict[str, str]:
        """What a document calls things, by "user:1"."""
        return {f"{key.partition(' ')[0]}:{id}": key.partition(" ")[2] for key, id in self.ids.items()}

    def seen(self, trace: Any) -> Seen:
        """What a trace shows."""
        names = self.names
        rings = [[names[who] for who in one["who"]] for one in trace["rang"]]
        answered = [one["came_of_it"].removesuffix(" answered") for one in trace["rang"]]
        end = trace["ends_at"]
        named = names.get(f"{end['type']}:{end['id']}", end["name"])
        transfers = [verb for step in trace["steps"] for verb in step["verbs"] if verb["do"] == "transfer"]
        if trace["outcome"] in ("voicemail", "no_message"):
            ends_in = f"voicemail of {end['type']} {named}"
        elif transfers:
            ends_in = f"outside {transfers[-1]['number']}"
        else:
            ends_in = named if trace["outcome"] == "answered" else trace["outcome"]
        return Seen(
            rings=rings,
            heard=[one["text"] for one in trace["story"] if one["kind"] == "heard"],
            answered_by=next((names[who] for who in answered if who in names), ""),
            ends_in=ends_in,
            reasons=reasons(trace),
            told=trace["text"],
        )

    def _body(self, call: Call) -> dict[str, Any]:
        people: dict[str, dict[str, Any]] = {
            who: {"who": who, "does": "lets_it_ring"} for who in (*call.busy, *call.declines)
        }
        if isinstance(call.answer, dict):
            people |= {who: {"who": who, "after": seconds} for who, seconds in call.answer.items()}
        for who, seconds in call.busy.items():
            people[who]["busy_for"] = None if seconds == "always" else seconds
        for who in call.declines:
            people[who]["does"] = "declines"
        to = str(call.to)
        body: dict[str, Any] = {
            "at": call.at,
            "press": [str(keys) for keys in call.press],
            "answer": call.answer if isinstance(call.answer, str) else "nobody",
            "people": list(people.values()),
            "hang_up_after": call.hang_up,
            "park_after": call.park,
            "unpark": [{"who": who, "after": seconds} for who, seconds in call.unpark.items()],
            "transfers": [{"by": one.by, "to": str(one.to)} for one in call.transfers],
            "routers": [self._told(router, target) for router, target in call.routers.items()],
        }
        body |= {"caller_user": call.caller} if "@" in call.caller else {"caller": call.caller}
        return body | (
            {"target_type": to.partition(" ")[0], "target_id": self.ids[to]} if to in self.ids else {"to": to}
        )

    def _told(self, router: str, target: str) -> dict[str, str]:
        return {"id": self.ids[router], "target_type": target.partition(" ")[0], "target_id": self.ids[target]}


def reasons(trace: Any) -> list[str]:
    """The codes of a trace's reasons."""
    return [reason["code"] for step in trace["steps"] for reason in step["reasons"]]


def sent(answer: Answer) -> Any:
    """What came back; Refused if it was refused."""
    if answer.status != 200:
        raise Refused(answer)
    return answer.json


def _ids(api: Api) -> dict[str, str]:
    """The id of everything that calls can be at, by its kind and name as a document calls it."""
    offices = {one["id"]: one["name"] for one in sent(api.get(f"{V2}/offices"))["items"]}
    found = {f"office {name}": id for id, name in offices.items()}
    for kind in ("department", "callcenter", "callrouter", "room"):
        for one in sent(api.get(f"{V2}/{kind}s")).get("items", []):
            found[f"{kind} {offices[one['office_id']]}/{one['name']}"] = one["id"]
    for one in sent(api.get(f"{V2}/users")).get("items", []):
        found[f"user {one['emails'][0]}"] = one["id"]
    return found
