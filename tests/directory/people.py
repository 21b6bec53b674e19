"""Users for tests: bodies, and users made through the API on lines that were bought for them."""

from typing import Any

from offhook.access.model import Environment
from offhook.directory.operators import store as operators
from tests.api.desk import WHOLE, Answer, Api, Company

USERS = "/api/v2/users"


def ann(company: Company, environment: Environment = "live", **changes: Any) -> dict[str, Any]:
    """A body that is accepted, with fields changed or, by None, taken out."""
    body = {
        "office_id": str(company.office_ids[environment]),
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def buy(caller: Api, office_id: Any, **lines: int) -> Answer:
    """Lines for an office, which must be sold."""
    answer = caller.post(f"{WHOLE}/{office_id}/licences", lines)
    assert answer.status == 200, answer
    return answer


def free(caller: Api, office_id: Any) -> dict[str, int]:
    """The free lines of an office, those of which there are none left out."""
    found = caller.get(f"{WHOLE}/{office_id}/licences").json["free"]
    return {line: int(count) for line, count in found.items() if count != "0"}


def used(caller: Api, office_id: Any) -> dict[str, int]:
    """The lines of an office that are in use."""
    found = caller.get(f"{WHOLE}/{office_id}/licences").json["used"]
    return {line: int(count) for line, count in found.items() if count != "0"}


def hired(company: Company, environment: Environment = "live", **changes: Any) -> str:
    """The id of a new user; live ones get a line first."""
    caller: Api = getattr(company, environment)
    body = ann(company, environment, **changes)
    if environment == "live":
        buy(caller, body["office_id"], talk_lines=1)
    answer = caller.post(USERS, body)
    assert answer.status == 200, answer
    return str(answer.json["id"])


def join(
    company: Company, user_id: str, group_type: Any, group_id: Any, environment: Environment = "live", **fields: Any
) -> None:
    """Make a user a member of a group."""
    one = operators.Operator(
        tenant_id=company.tenant(environment),
        group_type=group_type,
        group_id=int(group_id),
        member_type="user",
        member_id=int(user_id),
        seq=company.desk.ids.new(),
        **fields,
    )
    company.desk.transact(lambda tx: operators.add(tx, [one]))


def told(caller: Api, subject: str) -> list[str]:
    """What the event log says of a subject."""
    return [one["event"] for one in caller.events() if one["subject_id"] == subject]
