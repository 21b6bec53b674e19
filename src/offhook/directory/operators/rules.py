"""What can be said of an operator. Pure: whether there is such a user or room is the service's to ask."""

from collections.abc import Sequence

import msgspec

from offhook.directory.lines.rules import whole
from offhook.directory.offices import OFF_DUTY_STATUSES
from offhook.directory.operators import wire
from offhook.directory.operators.store import MemberType
from offhook.directory.users.model import License
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.wire import to_int64

MOST_SKILLED = 100


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to join a group, and as what. `place` is the field path that names the member.

    `license` is the one asked for, if any; `keep_numbers` counts for a support licence.
    """

    place: str
    member_type: MemberType
    member_id: int
    role: str = "operator"
    skill_level: int = MOST_SKILLED
    license: License | None = None
    keep_numbers: bool = True


def member_id(value: int | str, place: str, found: list[Violation]) -> int:
    """An id that can be one; 0 and a fault if it cannot."""
    number = to_int64(value)
    if number is not None and number > 0:
        return number
    text = "Must be an id: a positive integer, as a number or a string of digits."
    found.append(Violation(location=place, message=text, sent=shown(value)))
    return 0


def joining(body: wire.OperatorIn, found: list[Violation], prefix: str = "") -> Joining:
    """An operator of an office or a department."""
    place = f"{prefix}operator_id"
    return Joining(
        place=place,
        member_type=body.operator_type,
        member_id=member_id(body.operator_id, place, found),
        role=body.role or "operator",
    )


def agent(body: wire.AgentIn, found: list[Violation]) -> Joining:
    """An operator of a call center."""
    return Joining(
        place="user_id",
        member_type="user",
        member_id=member_id(body.user_id, "user_id", found),
        role=body.role or "operator",
        skill_level=whole(body.skill_level, "skill_level", MOST_SKILLED, 1, MOST_SKILLED, found),
        license=body.license_type,
        keep_numbers=body.keep_paid_numbers is not False,
    )


def joinings(bodies: Sequence[wire.OperatorIn], field: str, found: list[Violation]) -> list[Joining]:
    """Several operators of one group, in the order of joining; nobody joins twice."""
    first: dict[tuple[MemberType, int], int] = {}
    joined = []
    for index, body in enumerate(bodies):
        one = joining(body, found, f"{field}[{index}].")
        earlier = first.setdefault((one.member_type, one.member_id), index)
        if earlier != index and one.member_id:
            text = f"This {one.member_type} is already {field}[{earlier}]; name each once."
            found.append(Violation(location=one.place, reason="duplicate", message=text, sent=str(one.member_id)))
        joined.append(one)
    return joined


def skill(body: wire.SkillIn, found: list[Violation]) -> int:
    """A skill level as v2 lets it be changed: 0 too."""
    return whole(body.skill_level, "skill_level", MOST_SKILLED, 0, MOST_SKILLED, found)


def duty_reason(body: wire.DutyIn, found: list[Violation], notices: list[Notice]) -> str:
    """Why somebody is off duty: one of the office's reasons; "" on duty."""
    sent = (body.duty_status_reason or "").strip()
    if body.on_duty:
        if sent:
            text = "A reason is for being off duty; the one sent was ignored."
            notices.append(Notice("reason_ignored", "duty_status_reason", text))
        return ""
    if not sent:
        text = f"Not sent: {OFF_DUTY_STATUSES[-1]} was taken."
        notices.append(Notice("reason_default", "duty_status_reason", text))
        return OFF_DUTY_STATUSES[-1]
    if sent not in OFF_DUTY_STATUSES:
        text = f"Must be one of the office's off-duty reasons: {', '.join(OFF_DUTY_STATUSES)}."
        found.append(Violation(location="duty_status_reason", message=text, sent=shown(sent)))
    return sent
