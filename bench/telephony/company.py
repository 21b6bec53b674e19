"""The company that is called: an office with many groups of two operators, each with a telephone, and a carrier.

All of it is made through the API, as anybody would.
"""

import http.client
from typing import Any

import msgspec

from bench.server import BenchError, Server
from bench.telephony.generator import Group, Phone
from offhook.kit.fiction import RANGES
from offhook.numbers.fiction import fictional_numbers

V1, V2 = "/api/offhook/v1", "/api/v2"
RING_SECONDS = 30
MOST_CALLS = 1_000


class Api:
    """Requests with a key, on one connection."""

    def __init__(self, server: Server, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._headers = {"Authorization": f"Bearer {key}"}

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """What is answered; BenchError if it is refused."""
        content = None if body is None else body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        self._connection.request(method, path, content, {**self._headers, "Content-Type": kind})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise BenchError(f"{method} {path}: {answer.status} {text[:2000]!r}")
        return msgspec.json.decode(text) if text else None

    def close(self) -> None:
        """No more."""
        self._connection.close()


def document(office: str, numbers: list[str]) -> dict[str, Any]:
    """A configuration with a group for each number, which rings both of its operators at once."""
    users: dict[str, Any] = {}
    groups: dict[str, Any] = {}
    state = {"action": "voicemail", "try_dial_operators": True, "operator_routing": "simultaneous"}
    for place, number in enumerate(numbers):
        pair = [f"g{place}{side}@example.com" for side in "ab"]
        for who in pair:
            users[who] = {"office": office, "first_name": who.partition("@")[0].title(), "devices": ["Desk"]}
        groups[f"{office}/Group {place}"] = {
            "phone_numbers": [number],
            "hours_on": False,
            "ring_seconds": RING_SECONDS,
            "routing_options": {"open": state, "closed": state},
            "operators": pair,
        }
    return {"version": 1, "users": users, "departments": groups}


def made(server: Server, key: str, groups: int, carrier: int) -> tuple[list[Group], str]:
    """Make it; its groups, and the id of its office. The carrier calls from the port `carrier`."""
    api = Api(server, key)
    office = api.ask("GET", f"{V2}/offices/primary")
    country = str(office["country"]).upper()
    numbers = fictional_numbers(country if country in RANGES else "US", groups)
    records = "\n".join(f'{{"number":"{number}"}}' for number in numbers)
    api.ask("POST", f"{V1}/numbers/import", records, "application/x-ndjson")
    api.ask("POST", f"{V1}/offices/{office['id']}/licences", {"talk_lines": 2 * groups})
    api.ask("POST", f"{V1}/configuration/apply", {"document": document(office["name"], numbers)})
    trunk = {"name": "In", "country": country, "addresses": [f"127.0.0.1:{carrier}"], "most_calls": MOST_CALLS}
    api.ask("POST", f"{V1}/trunks", trunk)
    by_owner: dict[str, Phone] = {}
    for one in _phones(api):
        new = api.ask("POST", f"{V1}/phones/{one['id']}/new-password", {})
        by_owner[one["owner_name"]] = Phone(new["phone"]["settings"]["username"], new["password"])
    api.close()
    found = [
        Group(number, (_of(by_owner, f"G{place}A"), _of(by_owner, f"G{place}B")))
        for place, number in enumerate(numbers)
    ]
    return found, str(office["id"])


def _phones(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = api.ask("GET", f"{V1}/phones" + (f"?cursor={cursor}" if cursor else ""))
        found += page.get("items", [])
        cursor = page.get("cursor", "")
        if not cursor:
            return found


def _of(by_owner: dict[str, Phone], name: str) -> Phone:
    for owner, phone in by_owner.items():
        if owner.split()[0] == name:
            return phone
    raise BenchError(f"{name} has no telephone among {list(by_owner)[:5]}")
