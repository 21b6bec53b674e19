"""A caller's desk: companies of their own on a running application, and requests that read like sentences.

The application runs in this process, without a socket, on one event loop that the tests drive; so a test is a plain
function, and the clock that it sets is the one that its requests see.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextvars import copy_context
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from offhook import bootstrap
from offhook.access import service as access
from offhook.access.model import Environment
from offhook.app import Offhook, application
from offhook.events.model import SYSTEM
from offhook.examples import FULL, SMALL
from offhook.kit import clock
from offhook.kit.ids import Ids
from offhook.kit.settings import Settings
from offhook.numbers import service as numbers
from tests.api.asgi import HOST, Caller, Response

T = TypeVar("T")
OFFICES = "/api/v2/offices"
WHOLE = "/api/offhook/v1/offices"
TEST_SLOT = 63


# Bodies


def office(**changes: Any) -> dict[str, Any]:
    """A small body that is accepted, with fields changed or, by None, taken out."""
    return changed(SMALL, changes)


def full(**changes: Any) -> dict[str, Any]:
    """A body with nearly every field, changed likewise."""
    return changed(FULL, changes)


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of `body` with its top fields changed; None takes one out."""
    found = deepcopy(body) | deepcopy(changes)
    return {name: value for name, value in found.items() if value is not None}


REMOVED = object()


def placed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of `body` with `value` at a field path such as `routing_options.open.dtmf[0].input`; REMOVED takes it out.

    Objects and entries that the path needs are made.
    """
    found = deepcopy(body)
    here: Any = found
    way = steps(path)
    last = way[-1]
    for step, following in pairwise(way):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            while len(here) <= step:
                here.append({})
            here = here[step]
        else:
            here = here.setdefault(step, empty)
    if value is REMOVED:
        if isinstance(last, str):
            here.pop(last, None)
        else:
            del here[last]
    elif isinstance(last, int) and last == len(here):
        here.append(value)
    else:
        here[last] = value
    return found


def steps(path: str) -> list[str | int]:
    """The steps of a field path: `dtmf[0].input` is dtmf, 0, input."""
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


ADDRESSES: dict[str, dict[str, str]] = {
    "US": {"address": "1 Market Street", "city": "San Francisco", "state": "CA", "zip": "94105", "country": "US"},
    "CA": {"address": "111 Wellington St", "city": "Ottawa", "state": "ON", "zip": "K1A 0A9", "country": "CA"},
    "AU": {"address": "1 Macquarie Street", "city": "Sydney", "state": "NSW", "zip": "2000", "country": "AU"},
    "FR": {"address": "10 Rue de Rivoli", "city": "Paris", "state": "Paris", "zip": "75001", "country": "FR"},
    "GB": {"address": "10 Downing Street", "city": "London", "state": "London", "zip": "SW1A 2AA", "country": "GB"},
    "NZ": {"address": "1 Molesworth Street", "city": "Wellington", "state": "WGN", "zip": "6011", "country": "NZ"},
}
"""An emergency address in each country that demands one."""


def state(**fields: Any) -> dict[str, Any]:
    """One routing state that is accepted, with fields changed."""
    return changed({"action": "voicemail", "try_dial_operators": True}, fields)


def routing(opened: dict[str, Any] | None = None, closed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Both routing states."""
    return {"open": opened or state(), "closed": closed or state(try_dial_operators=False)}


def to(kind: str | None, target: Any, action: str = "bridge_target") -> dict[str, Any]:
    """A routing state that sends calls to a target."""
    return state(action=action, action_target_type=kind, action_target_id=target)


IN_CANADA = {
    "country": "CA",
    "currency": "CAD",
    "timezone": "America/Toronto",
    "billing_address": {
        "address_line_1": "111 Wellington St",
        "city": "Ottawa",
        "region": "ON",
        "postal_code": "K1A 0A9",
        "country": "CA",
    },
}
"""What places an office in Canada."""


# Answers


class Warned(msgspec.Struct, frozen=True):
    """One `Offhook-Warning`."""

    code: str
    field: str
    text: str


class Answer:
    """What came back."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.response.content)

    @property
    def office(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["office"]
        return found

    @property
    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["plan"]
        return found

    @property
    def id(self) -> str:
        return str(self.office["id"])

    @property
    def errors(self) -> list[dict[str, str]]:
        """The entries of an error, whose form is checked by the way."""
        error = self.json["error"]
        assert error["code"] == self.status
        assert error["message"]
        assert error["errors"]
        found: list[dict[str, str]] = error["errors"]
        for entry in found:
            assert entry["domain"] == "global"
            assert entry["message"]
            assert entry["reason"]
        return found

    @property
    def places(self) -> list[str]:
        """The field paths that an error names, sorted."""
        return sorted(entry.get("location", "") for entry in self.errors)

    @property
    def warnings(self) -> list[Warned]:
        lines = (unquote(line).split("; ", 2) for line in self.headers.get_list("offhook-warning"))
        return [Warned(*line) for line in lines]

    @property
    def codes(self) -> set[str]:
        """The codes of its warnings."""
        return {warning.code for warning in self.warnings}

    @property
    def warned(self) -> set[tuple[str, str]]:
        """The codes of its warnings, each with its field."""
        return {(warning.code, warning.field) for warning in self.warnings}

    def __repr__(self) -> str:
        return f"{self.status} {self.response.text[:2000]}"


# Callers


@dataclass
class Api:
    """One key's view of the application."""

    desk: "Desk"
    key: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """One request; `body` is encoded as JSON, `content` goes as it is, `headers` are added."""
        return self.desk.run(self.sending(method, path, body, **options))

    async def sending(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        headers: dict[str, Any] = {"authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= self.headers
        if body is not None:
            options["content"] = msgspec.json.encode(body)
        if "content" in options:
            headers["content-type"] = "application/json"
        headers |= options.pop("headers", {})
        options["headers"] = {name: value for name, value in headers.items() if value is not None}
        return Answer(await self.desk.client.request(method, f"http://{HOST}{path}", **options))

    def together(self, requests: Iterable[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """The answers to requests that are under way at the same time, in their order."""

        async def all_of_them() -> list[Answer]:
            return list(await asyncio.gather(*requests))

        return self.desk.run(all_of_them())

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("PATCH", path, body, **options)

    def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("DELETE", path, body, **options)

    def create(self, body: dict[str, Any] | None = None, **options: Any) -> Answer:
        """Create an office; whether it was accepted is the caller's to look at."""
        return self.send("POST", OFFICES, office() if body is None else body, **options)

    def made(self, body: dict[str, Any] | None = None, **options: Any) -> Answer:
        """Create an office, which must succeed."""
        answer = self.create(body, **options)
        assert answer.status == 200, answer
        return answer

    def at(self, moment: str) -> "Api":
        """The same caller at a moment of its choice, by `Offhook-Clock`: sandbox keys only."""
        return Api(self.desk, self.key, {**self.headers, "offhook-clock": moment})

    def dry(self, body: dict[str, Any], **options: Any) -> Answer:
        """A dry run of a create."""
        headers = {"offhook-dry-run": "true"} | options.pop("headers", {})
        return self.send("POST", OFFICES, body, headers=headers, **options)

    def refused(self, body: Any) -> list[str]:
        """The field paths that a create is refused for; it must be, with 400."""
        answer = self.create(body)
        assert answer.status == 400, answer
        return answer.places

    def events(self) -> list[dict[str, Any]]:
        """All events of the key's environment, oldest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(f"/api/offhook/v1/events?limit=500&cursor={cursor}").json
            found += page.get("items", [])
            if not page.get("items"):
                return found
            cursor = page["cursor"]


class Company:
    """A customer with both environments; requests go out as `live` or `sandbox`."""

    def __init__(self, desk: "Desk", founded: bootstrap.Founded) -> None:
        self.desk = desk
        self.id = founded.company.id
        self.company = founded.company
        self.office_ids = founded.office_ids
        self.numbers = founded.sandbox_numbers
        self.live = Api(desk, founded.keys["live"])
        self.sandbox = Api(desk, founded.keys["sandbox"])

    def key(self, *scopes: str, environment: Environment = "live", expires_at: int | None = None) -> Api:
        """A caller with a new key of these scopes; `key_id` is its id."""
        made = self.desk.transact(
            lambda tx: access.create_key(
                tx,
                self.desk.ids,
                company_id=self.id,
                environment=environment,
                name="one more",
                scopes=scopes or ("admin",),
                expires_at=expires_at,
            )
        )
        api = Api(self.desk, made.secret)
        api.key_id = made.key.id  # type: ignore[attr-defined]
        return api

    def tenant(self, environment: Environment = "live") -> int:
        from offhook.access import store

        found = self.desk.transact(lambda tx: store.tenant_id(tx, self.id, environment))
        assert found is not None
        return found

    def add_number(self, number: str, environment: Environment = "live") -> str:
        """Put a number into the inventory."""
        tenant = self.tenant(environment)
        return self.desk.transact(lambda tx: numbers.add(tx, tenant, environment, number, SYSTEM))


PRIMARY = {**FULL, "name": "Head office"}


class Desk:
    """A running application, and companies on it."""

    def __init__(self, runner: asyncio.Runner, settings: Settings) -> None:
        self._runner = runner
        self.ids = Ids(TEST_SLOT)
        self.offhook = Offhook(settings)
        self.app = application(self.offhook)
        self.client = Caller(self.app)
        self._running = self.offhook.running()
        self.run(self._running.__aenter__())

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on the tests' loop, under the clock that the test has set."""
        # As the runner does it, which asks the system twice each time who is told of Ctrl-C.
        loop = self._runner.get_loop()
        return loop.run_until_complete(loop.create_task(what, context=copy_context()))

    def transact(self, function: Any) -> Any:
        """A function of a transaction, through the application's own writer."""
        return self.run(self.offhook.writer.run(function))

    def found(self, moment: str | None = None, **primary: Any) -> Company:
        """A new company whose primary office is PRIMARY with these changes, founded at `moment`."""
        from tests.conftest import at

        body = changed(PRIMARY, primary)

        def make(tx: Any) -> bootstrap.Founded:
            with at(moment) if moment else clock.at(None):
                return bootstrap.found(tx, self.ids, name="Example Company", primary=body, admin_email="it@example.com")

        return Company(self, self.transact(make))

    def close(self) -> None:
        self.run(self._running.__aexit__(None, None, None))


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    """A body without a declared length."""
    for part in parts:
        yield part
