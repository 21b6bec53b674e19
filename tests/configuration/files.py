"""Documents for the tests, and the three requests about them."""

from typing import Any

from tests.api.desk import Answer, Api, office

PATH = "/api/offhook/v1/configuration"


def lisbon(**changes: Any) -> dict[str, Any]:
    """A small office as a document has it."""
    body = office()
    body.pop("name")
    body.pop("monday_hours")
    body["hours"] = {"monday": "09:00-12:30 14:00-18:00"}
    found = body | changes
    return {name: value for name, value in found.items() if value is not None}


def document(**sections: Any) -> dict[str, Any]:
    return {"version": 1, **sections}


def export(api: Api) -> dict[str, Any]:
    answer = api.get(PATH)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json
    return found


def plan(api: Api, wanted: dict[str, Any], **options: Any) -> Any:
    answer = api.post(PATH + "/plan", {"document": wanted, **options})
    assert answer.status == 200, answer
    return answer.json


def apply(api: Api, wanted: dict[str, Any], **options: Any) -> Any:
    answer = api.post(PATH + "/apply", {"document": wanted, **options})
    assert answer.status == 200, answer
    return answer.json


def refused(api: Api, wanted: dict[str, Any], **options: Any) -> Answer:
    """The refusal of an apply; a plan must say the same."""
    planned = api.post(PATH + "/plan", {"document": wanted, **options})
    applied = api.post(PATH + "/apply", {"document": wanted, **options})
    assert planned.status == applied.status >= 400, (planned, applied)
    assert planned.places == applied.places
    return applied


def told(planned: Any) -> list[str]:
    """The changes of a plan in one line each: `change offices Lisbon: ring_seconds`."""
    return [
        f"{one['verb']} {one['section']} {one['key']}"
        + (f": {', '.join(each['field'] for each in one['fields'])}" if one["verb"] == "change" else "")
        for one in planned["changes"]
    ]
