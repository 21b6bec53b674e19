"""How what is kept becomes what calls see, one office, line or person at a time. Pure."""

import dataclasses
from collections.abc import Iterable, Sequence
from functools import lru_cache

from offhook.directory.callrouters.model import CallRouter
from offhook.directory.coaching.model import CoachingTeam
from offhook.directory.contacts.model import Contact as KeptContact
from offhook.directory.groups.model import CallCenter, CallCenterQueue, Department, DepartmentQueue
from offhook.directory.groups.rules import ANNOUNCED_FROM
from offhook.directory.lines.model import Target, target_of
from offhook.directory.lines.wire import MenuOptionsOut, RoutingStateOut
from offhook.directory.members import Member
from offhook.directory.offices import OFF_DUTY_STATUSES
from offhook.directory.operators.store import Operator as Membership
from offhook.directory.rooms.model import Room
from offhook.directory.users.model import BLOCKED, User
from offhook.directory.users.rules import caller_id
from offhook.hours.model import SpecialDay
from offhook.offices.model import Stored
from offhook.routing.dialling import is_home
from offhook.routing.model import (
    Choice,
    Contact,
    Line,
    Office,
    Operator,
    Person,
    Prompts,
    Queue,
    Router,
    Routing,
    Team,
    who_of,
)
from offhook.routing.spelling import spelled
from offhook.storage.documents import Kept

NO_TELEPHONE = "no telephone"


# Offices and lines


def office_of(stored: Stored) -> Office:
    """An office."""
    office = stored.office
    return Office(
        id=stored.id,
        name=office.name,
        country=office.country,
        timezone=office.timezone,
        state=stored.state,
        main_line=office.mainline_number or "",
        international=office.international_enabled,
        e911=office.e911_address,
    )


def main_line(stored: Stored, prompts: Prompts) -> Line:
    """The main line of an office, without its operators."""
    office = stored.office
    return Line(
        target=Target("office", stored.id),
        name=office.name,
        office_id=stored.id,
        schedule=stored.schedule(),
        open=routing_of(office.open, "open"),
        closed=routing_of(office.closed, "closed"),
        state=stored.state,
        ring_seconds=office.ring_seconds,
        record=office.auto_call_recording,
        transcribe=office.auto_start_vi,
        may_stop_transcript=office.allow_pause_vi,
        script=office.script.workflow if office.script is not None else "",
        script_seconds=office.script.seconds if office.script is not None else 5,
        prompts=prompts,
        numbers=office.phone_numbers,
    )


def group_line(
    kept: Kept[Department] | Kept[CallCenter],
    timezone: str,
    days: tuple[SpecialDay, ...],
    prompts: Prompts,
) -> Line:
    """The line of a department or call center, without its operators; zone and days are its office's."""
    group = kept.value
    queue: Queue | None
    if isinstance(group, CallCenter):
        kind, queue, record = "callcenter", _center_queue(group.hold_queue), group.recording.call_recording_inbound
    else:
        assert isinstance(group, Department)
        kind, queue, record = "department", _department_queue(group.hold_queue), group.auto_call_recording
    return Line(
        target=Target(kind, kept.id),
        name=group.name,
        office_id=group.office_id,
        schedule=group.schedule_in(timezone, days),
        open=routing_of(group.open, "open"),
        closed=routing_of(group.closed, "closed"),
        state=kept.state,
        ring_seconds=group.ring_seconds,
        queue=queue,
        record=record,
        transcribe=group.auto_start_vi,
        may_stop_transcript=group.allow_pause_vi,
        script=group.script.workflow if group.script is not None else "",
        script_seconds=group.script.seconds if group.script is not None else 5,
        prompts=prompts,
        numbers=group.phone_numbers,
    )


def _department_queue(queue: DepartmentQueue) -> Queue | None:
    return Queue(most=queue.max_hold_count, seconds=queue.max_hold_seconds) if queue.allow_queuing else None


def _center_queue(queue: CallCenterQueue) -> Queue:
    announced = queue.announce_position and queue.max_hold_seconds >= ANNOUNCED_FROM
    return Queue(
        most=queue.max_hold_count,
        seconds=queue.max_hold_seconds,
        escape=queue.queue_escape_dtmf,
        announce_seconds=queue.announcement_interval_seconds if announced else 0,
        stays_after_closing=queue.stay_in_queue_after_closing,
        unattended=queue.unattended_queue,
        callbacks=queue.allow_queue_callback,
    )


@lru_cache(maxsize=4096)
def routing_of(state: RoutingStateOut, name: str) -> Routing:
    """What happens to calls in one state, "open" or "closed". Many lines have the same: equal ones are one object."""
    place = f"routing_options.{name}"
    keys: dict[str, Choice] = {}
    for index, key in enumerate(state.dtmf):
        if key.input is not None:
            options = key.options or MenuOptionsOut()
            choice = Choice(options.action or "disabled", target_of(options), f"{place}.dtmf[{index}].options")
            keys.setdefault(key.input, choice)
    return Routing(
        try_operators=state.try_dial_operators,
        strategy=state.operator_routing or "simultaneous",
        choice=Choice(state.action, target_of(state), place),
        keys=keys,
    )


# People


def user_person(
    kept: Kept[User], office: Office | None, of_groups: Iterable[str], devices: Sequence[int], prompts: Prompts
) -> Person:
    """A user; `of_groups` are the numbers of the groups that they are in, `devices` those that may ring."""
    user, target = kept.value, Target("user", kept.id)
    main = office.main_line if office is not None else ""
    shown = caller_id(user, main or None, of_groups)
    forwarding, remarks = _forwarding(user, office)
    return Person(
        who=who_of(target),
        target=target,
        name=user.display_name,
        office_id=user.office_id,
        state=kept.state,
        extension=user.extension,
        devices=tuple(map(str, devices)),
        forwarding=forwarding,
        remarks=remarks,
        do_not_disturb=user.do_not_disturb,
        international=user.international_dialing_enabled,
        caller_id="" if shown in (None, BLOCKED) else str(shown),
        e911=user.e911_address,
        prompts=prompts,
        spelled=spelled(user.first_name, user.last_name),
        admin_of=user.admin_office_ids,
    )


def _forwarding(user: User, office: Office | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The numbers that ring along, and why others do not: those abroad, unless both office and user may call there."""
    numbers = user.forwarding_numbers
    if office is None or not numbers or (office.international and user.international_dialing_enabled):
        return numbers, ()
    barred = user.display_name if office.international else office.name
    home = tuple(number for number in numbers if is_home(number, office.country))
    remarks = tuple(
        f"{number} of {user.display_name} does not ring: it is abroad, and {barred} may make no international calls."
        for number in numbers
        if number not in home
    )
    return home, remarks


def room_person(kept: Kept[Room], office: Office | None, devices: Sequence[int]) -> Person:
    """A room. Whether it may call abroad is its office's to say."""
    room, target = kept.value, Target("room", kept.id)
    shown = room.phone_numbers[0] if room.phone_numbers else office.main_line if office is not None else ""
    return Person(
        who=who_of(target),
        target=target,
        name=room.name,
        office_id=room.office_id,
        state=kept.state,
        devices=tuple(map(str, devices)),
        caller_id=shown,
    )


def away_of(kept: Kept[User] | Kept[Room]) -> str:
    """Why no group rings somebody, in a receptionist's words; "" for one who may be rung."""
    if kept.state != "active":
        return kept.state
    one = kept.value
    if isinstance(one, Room):
        return "" if one.is_on_duty else "off duty"
    if not one.on_duty:
        said = one.duty_reason if one.duty_reason != OFF_DUTY_STATUSES[-1] else ""
        return f"off duty: {said}" if said else "off duty"
    return "does not want to be disturbed" if one.do_not_disturb else ""


def has_telephone(person: Person) -> bool:
    """Whether anything of somebody's rings."""
    return bool(person.devices or person.forwarding)


def operator_of(membership: Membership, person: Person, away: str) -> Operator:
    """A member of a group; `away` is why no group rings them."""
    never = membership.group_type == "callcenter" and membership.role != "operator"
    if never:
        away = f"{membership.role}, not an operator"
    elif not away:
        if membership.do_not_disturb:
            away = "does not want calls of this group"
        elif not has_telephone(person):
            away = NO_TELEPHONE
    return Operator(who=person.who, name=person.name, skill=membership.skill_level, away=away, never=never)


def staffed(line: Line, operators: Sequence[Operator]) -> Line:
    """A line with its operators, who are given in the order of joining."""
    return dataclasses.replace(line, operators=tuple(operators))


# All else


def router_of(kept: Kept[CallRouter]) -> Router:
    """A call router."""
    router = kept.value
    return Router(
        id=kept.id,
        name=router.name,
        office_id=router.office_id,
        enabled=router.enabled,
        default=router.default_target,
        state=kept.state,
    )


def contact_of(kept: Kept[KeptContact]) -> Contact:
    """A contact."""
    contact = kept.value
    name = contact.display_name or contact.company_name or f"contact {kept.id}"
    return Contact(id=kept.id, name=name, phones=contact.phones, state=kept.state)


def team_of(kept: Kept[CoachingTeam], members: Iterable[Member]) -> Team:
    """A coaching team and its members, in the order of joining."""
    team = kept.value
    return Team(
        target=Target("coachinggroup", kept.id),
        name=team.name,
        office_id=team.office_id,
        members=tuple(f"user:{one.user_id}" for one in members),
        ring_seconds=team.ring_seconds,
        state=kept.state,
    )


def is_resident(person: Person) -> bool:
    """Whether somebody can be found in the directory of their office."""
    return person.target.type == "user" and person.state == "active"


def admins_of(people: Iterable[Person]) -> dict[int, tuple[str, ...]]:
    """By office, those of `people` who administer it."""
    found: dict[int, list[Person]] = {}
    for person in people:
        for id in person.admin_of:
            found.setdefault(id, []).append(person)
    return {id: tuple(one.who for one in sorted(some, key=lambda one: one.target.id)) for id, some in found.items()}


def in_order(people: Iterable[Person]) -> tuple[str, ...]:
    """Who they are, in the order of names."""
    return tuple(one.who for one in sorted(people, key=lambda one: (one.name.casefold(), one.target.id)))
