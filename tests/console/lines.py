"""An office that pages of calls are shown of: somebody who rings, a menu, and a department behind a key."""

from typing import Any

from tests.api.desk import Company, office, routing, state, to

HOSTILE = '<script>alert("x")</script>'
TUESDAY = "2026-11-24"
WEEK = {f"{day}_hours": ["09:00", "17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def lobby(company: Company, name: str = "Lobby") -> str:
    """A room with a telephone; its id."""
    caller = company.sandbox
    made: str = caller.post("/api/v2/rooms", {"name": name, "office_id": home(company)}).json["id"]
    assert caller.post(f"/api/offhook/v1/rooms/{made}/devices", {}).status == 200
    return made


def home(company: Company) -> str:
    """The primary office of the sandbox."""
    return str(company.office_ids["sandbox"])


def department(company: Company, name: str = "Sales", **changes: Any) -> str:
    """A department that asks its callers for 1 (voicemail) or 2; its id."""
    keys = [{"input": "1", "options": {"action": "voicemail"}}, {"input": "2", "options": {"action": "extension"}}]
    options = routing(state(action="menu", try_dial_operators=False, dtmf=keys), state(action="voicemail"))
    body = {"name": name, "office_id": home(company), "hours_on": False, "routing_options": options, **changes}
    answer = company.sandbox.post("/api/v2/departments", body)
    assert answer.status == 200, answer
    found: str = answer.json["id"]
    return found


def lisbon(company: Company, *, behind: str = "Sales", **changes: Any) -> str:
    """An office open from nine to five on working days: its operator rings 20 s, then a menu; its id.

    1 leads to the department `behind`, 9 to the voicemail. While it is closed, callers get the voicemail at once.
    """
    sales = department(company, behind)
    keys = [
        {"input": "1", "options": to("department", sales, "department")},
        {"input": "9", "options": {"action": "voicemail"}},
    ]
    options = routing(state(action="menu", dtmf=keys), state(action="voicemail", try_dial_operators=False))
    body = office(
        hours_on=True, **WEEK, ring_seconds=20, routing_options=options,
        operators=[{"operator_type": "room", "operator_id": lobby(company)}],
    )  # fmt: skip
    return company.sandbox.made(body | changes).id
