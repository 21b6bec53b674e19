"""What the pages say of an office in words: how it stands, what becomes of a call, when something happens. Pure."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

STATUS = {
    "open": "Open",
    "closed": "Closed",
    "holiday_open": "Open, holiday hours",
    "holiday_closed": "Closed, holiday",
}
ACTIONS = {
    "bridge_target": "the call goes to {target}",
    "company_directory": "the caller looks for a person of the company by name",
    "department": "the call goes to {target}",
    "directory": "the caller looks for a person by name",
    "disabled": "the caller hears that nobody is available, and the call ends",
    "extension": "the caller dials an extension",
    "last_name_company_directory": "the caller looks for a person of the company by last name",
    "last_name_directory": "the caller looks for a person by last name",
    "menu": "the caller hears the menu",
    "message": "the caller hears a message, and the call ends",
    "operator": "the operators ring",
    "person": "the call goes to {target}",
    "scripted_ivr": "a script takes the call",
    "voicemail": "the caller can leave a voicemail",
}
"""What each action does, as the end of a sentence."""

SHORT = {
    "company_directory": "Name in the company",
    "directory": "Name on the keypad",
    "disabled": "Nobody is available",
    "extension": "Extension",
    "last_name_company_directory": "Last name in the company",
    "last_name_directory": "Last name on the keypad",
    "menu": "Menu",
    "message": "A message, then the end",
    "operator": "The operators ring",
    "scripted_ivr": "A script",
    "voicemail": "Voicemail",
}
"""What each action that needs no target does, as a label."""

CHOICES = {
    **{action: text.format(target="a target") for action, text in ACTIONS.items()},
    "bridge_target": "the call goes to any target",
    "department": "the call goes to a department, call center or office",
    "person": "the call goes to a user",
    "fixedorder": "one after another, in the order of joining",
    "longestidle": "whoever has been idle longest first",
    "mostskilled": "the most skilled first",
    "random": "in random order",
    "roundrobin": "in turns",
    "simultaneous": "all at once",
}
"""What the words of the API mean that can be chosen in a form."""

KINDS = {"callcenter": "call center", "callrouter": "call router", "coachinggroup": "coaching team"}
PAGES = {"office": "offices", "department": "departments", "callcenter": "callcenters"}
"""The kinds of targets that have a page, and the folder it is in."""

OUTCOMES = {
    "abandoned": "Over before anybody answered",
    "answered": "Answered",
    "failed": "Could not go on",
    "lost": "Lost",
    "message": "Heard a message",
    "no_message": "Voicemail, without a message",
    "not_answered": "Not answered",
    "out": "Under way, outside",
    "refused": "Refused",
    "talking": "Under way, in conversation",
    "transferred": "Goes on in another call",
    "unavailable": "Nobody available",
    "voicemail": "Voicemail",
}
"""How calls end, and how those stand that last."""

LINES = {
    "talk_lines": "Users with a number",
    "sell_lines": "Agents with a number",
    "contact_center_lines": "Agents without a number",
    "room_lines": "Rooms with a number",
    "tollfree_room_lines": "Rooms, toll-free",
    "fax_lines": "Fax",
    "additional_number_lines": "Further numbers",
    "tollfree_additional_number_lines": "Further numbers, toll-free",
    "uberconference_lines": "Conference dial-in",
    "tollfree_uberconference_lines": "Conference dial-in, toll-free",
}


class Target(NamedTuple):
    """What a call is sent to; `href` is "" for what has no page."""

    kind: str
    id: str
    name: str
    href: str


class Told(NamedTuple):
    """The end of a sentence, in two parts around a target if there is one."""

    before: str
    target: Target | None
    after: str


class State(NamedTuple):
    """What happens to a call in one state: whether and how operators ring, and what follows."""

    rings: str
    then: Told


def places(routing: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each (kind, id) that the open and the closed state send calls to."""
    for state in ("open", "closed"):
        for holder in (routing[state], *(key.get("options") or {} for key in routing[state].get("dtmf", ()))):
            kind, id = holder.get("action_target_type"), holder.get("action_target_id")
            if kind and id:
                yield kind, id


def state_of(routing: Mapping[str, Any], ring_seconds: str, names: Mapping[tuple[str, str], str]) -> State:
    """One of the two states of `routing_options`; `names` are those of the targets that were found."""
    order = CHOICES.get(routing.get("operator_routing") or "simultaneous", "")
    rings = f"The operators ring for {ring_seconds} seconds, {order}." if routing["try_dial_operators"] else ""
    return State(rings, told(routing, names))


def told(holder: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> Told:
    """What becomes of a call by a choice: that of a state, or that of a key."""
    action = holder.get("action")
    if action is None:
        return Told("nothing happens", None, "")
    target = target_of(holder, names)
    if action == "voicemail" and target is not None:
        return Told("the caller can leave a voicemail for ", target, "")
    before, mark, after = ACTIONS[action].partition("{target}")
    if not mark:
        return Told(before, None, "")
    return Told(before, target, after) if target else Told(before + "nobody", None, after)


def target_of(holder: Mapping[str, Any], names: Mapping[tuple[str, str], str]) -> Target | None:
    """Where a choice sends a call, None if nowhere; `names` are those of the targets that were found."""
    kind, id = holder.get("action_target_type"), holder.get("action_target_id") or ""
    if not kind:
        return None
    href = f"/console/{PAGES[kind]}/{id}" if kind in PAGES and (kind, id) in names else ""
    return Target(KINDS.get(kind, kind), id, names.get((kind, id), id), href)


def outcome(word: str) -> str:
    """How a call ended, or where one stands that lasts; what is not known here in its own word."""
    return OUTCOMES.get(word, word.replace("_", " ").capitalize())


def elapsed(since: str, now: str) -> str:
    """How long it is from one moment to another, as `1:05` or `1:02:05`."""
    gone = max(int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()), 0)
    minutes = gone // 60
    return f"{minutes // 60}:{minutes % 60:02}:{gone % 60:02}" if minutes >= 60 else f"{minutes}:{gone % 60:02}"


def moment(text: str) -> str:
    """A moment with its offset, as `Thu 24 Dec 2026, 18:00`, by the clock that it is written in."""
    at = datetime.fromisoformat(text)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def instant(text: str) -> str:
    """A moment with its seconds, as `24 Dec 2026, 18:00:03`, by the clock that it is written in."""
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%b %Y, %H:%M:%S}"


def since_1970(milliseconds: str) -> str:
    """A moment in milliseconds since 1970, in UTC."""
    at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC"


def day(text: str) -> str:
    """A date as `Thu 24 Dec 2026`."""
    return moment(text + "T00:00").partition(",")[0]


def hours(entries: list[str]) -> str:
    """A day's list as `09:00–12:30, 14:00–18:00`; closed if it has nothing."""
    pairs = zip(entries[::2], entries[1::2], strict=False)
    return ", ".join(f"{start}–{end}" for start, end in pairs) or "closed"
