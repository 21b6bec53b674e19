"""A leg as v2 shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from offhook.calls.legs.model import CallLeg
from offhook.calls.legs.wire import CallInfoOut, PartyOut, RecordingDetailsOut
from offhook.calls.tapes.model import Tape
from offhook.directory.lines.model import Target
from offhook.kit import phones
from offhook.routing.model import Company, who_of
from offhook.routing.state import NOWHERE
from offhook.routing.turn import name_of

_GROUPS = {"office": "Office", "department": "Department", "callcenter": "CallCenter"}


@dataclass(frozen=True, slots=True)
class Around:
    """What else is shown of legs: of the company, the legs of what was dialled, tapes by call, e-mail addresses."""

    config: Company
    entries: Mapping[int, CallLeg]
    tapes: Mapping[int, Sequence[Tape]] = field(default_factory=dict)
    emails: Mapping[int, str] = field(default_factory=dict)
    sounds: str = ""
    parties: dict[Target, PartyOut] = field(default_factory=dict)
    """Those that were shown already: legs of a page have few."""


def info(leg: CallLeg, around: Around) -> CallInfoOut:
    """One leg."""
    entry = around.entries.get(leg.call_id, leg)
    tapes = around.tapes.get(leg.call_id, ())
    made = [_details(one, around.sounds) for one in tapes if _concerns(one, leg)]
    group = entry.target if entry.target.type in _GROUPS else None
    return CallInfoOut(
        call_id=str(leg.id),
        entry_point_call_id=None if leg.entry else str(leg.call_id),
        state=leg.state,
        direction=leg.direction,
        date_started=str(leg.began),
        date_rang=_moment(leg.rang),
        date_connected=_moment(leg.connected),
        date_ended=_moment(leg.ended),
        event_timestamp=str(max(leg.began, leg.rang, leg.connected, leg.ended)),
        duration=float(leg.ended - leg.connected if leg.connected else 0) if leg.ended else None,
        total_duration=float(leg.ended - leg.began) if leg.ended else None,
        contact=_contact(leg, entry, around),
        target=_party(leg.target, around),
        entry_point_target=None if leg.entry or entry.direction == "outbound" else _party(entry.target, around),
        proxy_target={},
        external_number=leg.external or None,
        internal_number=leg.internal or None,
        group_id=f"{_GROUPS[group.type]}:{group.id}" if group is not None else None,
        is_transferred=leg.cause == "transferred",
        was_recorded=any(one.recording_type == "callrecording" for one in made),
        recording_details=made,
        ended_by=leg.cause or None,
        device_id=leg.device or None,
    )


def _contact(leg: CallLeg, entry: CallLeg, around: Around) -> PartyOut:
    """The other side: a contact of the company with that number, a number, or within the house whoever called."""
    if leg.external:
        number = leg.external
        for contact in around.config.contacts.values():
            if number in contact.phones:
                return PartyOut(id=str(contact.id), type="shared", name=contact.name, phone=number)
        return PartyOut(id="", type="local", name=_spoken(number), phone=number)
    if not leg.entry and entry.direction == "outbound":
        return _party(entry.target, around)
    return PartyOut(id="", type="local", name="")


def _party(target: Target, around: Around) -> PartyOut:
    found = around.parties.get(target)
    if found is None:
        found = around.parties[target] = _made(target, around)
    return found


def _made(target: Target, around: Around) -> PartyOut:
    config = around.config
    phone = ""
    if (line := config.lines.get(target)) is not None:
        phone = next(iter(line.numbers), "")
    elif (person := config.people.get(who_of(target))) is not None:
        phone = person.caller_id
    return PartyOut(
        id=str(target.id),
        type=target.type,
        name=name_of(config, target) if target != NOWHERE else "",
        phone=phone or None,
        email=around.emails.get(target.id) if target.type == "user" else None,
    )


def _concerns(tape: Tape, leg: CallLeg) -> bool:
    """Whether a tape is shown with a leg: with what was dialled all are, with a person those they are on."""
    return leg.entry or who_of(leg.target) in tape.who.split()


def _details(tape: Tape, sounds: str) -> RecordingDetailsOut:
    return RecordingDetailsOut(
        id=str(tape.id),
        recording_type="voicemail" if tape.kind == "voicemail" else "callrecording",
        start_time=str(tape.at),
        duration=str(tape.milliseconds),
        url=f"{sounds}/api/offhook/v1/{tape.kind}s/{tape.id}/sound",
    )


@lru_cache(4_096)
def _spoken(number: str) -> str:
    """A number as people read it; the same few come again and again, and take a tenth of a millisecond each."""
    read, fault = phones.check_e164(number, "")
    return number if fault is not None or read is None else phones.national(read)


def _moment(at: int) -> str | None:
    return str(at) if at else None
