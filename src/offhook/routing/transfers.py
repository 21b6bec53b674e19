"""A call that somebody in it sends on: to whom they may, and what becomes of it where nobody is. Pure.

Who sends is somebody of the company, by their telephone, or an API's client. They may send to whoever they could call
by themselves. Where the caller is sent on by whom they reached, the call goes on; where who called sends on the other
side, that goes on as a call of its own, so that each record has one caller.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from offhook.directory.lines.model import Target
from offhook.routing.dialling import e164
from offhook.routing.groups import connect
from offhook.routing.model import Company, Office, Person, target_of_who, who_of
from offhook.routing.outbound import barred, for_help, keys_of, office_of_caller
from offhook.routing.plan import CameBack, Deny, Handed, HandOn, Hangup, Joined, LetGo, Release, Transfer, Transferred
from offhook.routing.turn import TEAMS, Enter, Go, Mailbox, Turn, name_of


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a call is sent: a target, or a number outside; `text` names it."""

    text: str
    target: Target | None = None
    number: str = ""


def transferred(turn: Turn, event: Transferred) -> Go:
    """Somebody in the call wishes to send the other side on (RFC 3515, RFC 5589 section 6)."""
    state = turn.state
    person = turn.config.people.get(event.by)
    if (why := _not_theirs(turn, event.by)) or (why := _not_able(person, event.by, asked=event.asked)):
        return _deny(turn, why)
    way = _way(turn, event, person)
    if isinstance(way, Deny):
        return _deny(turn, way.text, way.cause)
    if state.who and event.by == state.who:
        party = _with_whom(turn)
        turn.because("transferred", f"{_name(turn, event.by)} sent {_name(turn, party)} on to {way.text}.")
        first = Transferred(
            turn.at,
            event.by,
            way.number or keys_of(event.dialled),
            way.target,
            event.box,
            event.music,
            event.asked,
            party,
        )
        turn.verbs.append(HandOn(party, first))
        return None
    turn.because("transferred", f"{_name(turn, event.by)} sent the call on to {way.text}.")
    turn.verbs.append(LetGo(event.by))
    if person is not None:
        turn.verbs.append(Release((event.by,)))
    state.queued, state.spoken, state.tried, state.pausing = 0, 0, (), False
    return _send(turn, event, way)


def begun(turn: Turn, event: Transferred) -> Go:
    """A call begins with one whom `by` had called, and sends on."""
    person = turn.config.people.get(event.by)
    way = _way(turn, event, person)
    _begin(turn, event.party)
    if isinstance(way, Deny):
        # The company has changed since it was allowed.
        turn.because("transfer_denied", f"The call was not sent on: {way.text}.")
        return Mailbox(person.target if person is not None and person.target.type == "user" else None)
    turn.state.dialled = way.number or keys_of(event.dialled)
    turn.because("transferred", f"{_name(turn, event.by)} sent {_name(turn, event.party)} on to {way.text}.")
    if person is not None:
        turn.state.where = person.target
    turn.state.home = way.target or turn.state.where
    return _send(turn, event, way)


def _send(turn: Turn, event: Transferred, way: _Way) -> Go:
    """The call goes where it is sent. It comes back only from where there is nobody else to answer for it."""
    state = turn.state
    state.hops, state.talking, state.outcome, state.sent_by, state.outside = 0, "", "", "", ""
    state.music = event.music
    if way.target is None:
        state.sent_by = event.by if event.by in turn.config.people else ""
        state.outside = way.number
        person = turn.config.people.get(event.by)
        office = turn.office()
        shown = person.caller_id if person is not None else office.main_line if office is not None else ""
        turn.wait("out", Transfer(way.number, shown, country=turn.country()))
        return None
    if event.box:
        return Mailbox(way.target)
    if way.target.type in ("user", "room", "contact", *TEAMS) and event.by in turn.config.people:
        state.sent_by = event.by
    return Enter(way.target)


def comes_back(turn: Turn) -> Go:
    """Nobody was where the call was sent: who sent it is rung, and if they do not answer, it is their voicemail's."""
    state = turn.state
    person = turn.config.people.get(state.sent_by)
    turn.release()
    turn.verbs.append(CameBack(state.sent_by))
    state.sent_by = state.outside = ""
    if person is None:
        return Mailbox()
    turn.because("came_back", f"The call comes back to {person.name}, who had sent it on.")
    return Enter(person.target)


def joined(turn: Turn, event: Joined) -> Go:
    """Whom the caller talks with connects them with another one of theirs (RFC 3891, RFC 5589 section 7)."""
    state = turn.state
    why = _not_theirs(turn, event.by) or _not_able(turn.config.people.get(event.by), event.by, asked=False)
    if not why and state.who and event.by == state.who:
        why = "Who called connects nobody within the same call"
    why = why or kept_out(turn.config, (state.who, event.who)).removesuffix(".")
    if why:
        return _deny(turn, why)
    turn.because("joined", f"{_name(turn, event.by)} connected the caller with {_name(turn, event.who)}.")
    turn.verbs.append(LetGo(event.by))
    turn.verbs.append(Release((event.by,), event.who if event.who in turn.config.people else ""))
    return _talk(turn, event.who)


def joined_anew(turn: Turn, event: Joined) -> Go:
    """A call begins of two whom `by` had called, and connects."""
    person = turn.config.people.get(event.by)
    _begin(turn, event.party)
    if person is not None:
        turn.state.where = turn.state.home = person.target
    if why := kept_out(turn.config, (event.by, event.party, event.who)):
        # The company has changed since they were asked for.
        turn.because("transfer_denied", f"They were not connected: {why}")
        turn.hang_up("refused", Hangup("forbidden"))
        return None
    text = f"{_name(turn, event.by)} connected {_name(turn, event.party)} with {_name(turn, event.who)}."
    turn.because("joined", text)
    if event.who in turn.config.people:
        turn.verbs.append(Release((), event.who))
    return _talk(turn, event.who)


def kept_out(config: Company, people: Collection[str]) -> str:
    """Why some people may not be connected with each other: nobody who is suspended comes into another call by that.

    "" if they may; numbers and names that are nobody's may.
    """
    found = [config.people[who] for who in people if who in config.people]
    return next((f"{one.name} is {one.state}." for one in found if one.state != "active"), "")


def _talk(turn: Turn, who: str) -> Go:
    state = turn.state
    state.sent_by = ""
    # Nobody is recorded who could not know of it.
    told = state.announced and who in turn.config.people
    connect(turn, turn.config.lines.get(state.via) if told else None, who)
    if ":" not in who:
        state.talking, state.outside = "", who
        state.phase = "out"
    return None


def handed(turn: Turn, event: Handed) -> Go:
    """The side that stays is in another call now."""
    turn.because("handed_on", f"The call goes on as {event.call}.")
    turn.release()
    turn.state.phase, turn.state.outcome = "over", "transferred"
    return None


def denied(turn: Turn) -> Go:
    """Nobody can be sent on from where the call is."""
    return _deny(turn, "Nobody talks in this call")


def _begin(turn: Turn, party: str) -> None:
    """`party` is the caller of this call, and has been answered."""
    state, config = turn.state, turn.config
    state.began, state.taken = turn.at, True
    if party in config.people:
        state.who = party
        turn.verbs.append(Release((), kept=party))
    elif ":" not in party:
        state.caller = party
    elif (contact := config.contacts.get(target_of_who(party).id)) is not None:
        state.caller = next(iter(contact.phones), "")


def _deny(turn: Turn, text: str, cause: Literal["forbidden", "unallocated"] = "forbidden") -> Go:
    turn.because("transfer_denied", f"The call was not sent on: {text}.")
    turn.verbs.append(Deny(f"{text}.", cause))
    return None


def _not_theirs(turn: Turn, by: str) -> str:
    """Why the call is none that `by` may send on; "" if it is."""
    state = turn.state
    if state.helping:
        return "A call for help goes on with who made it"
    if state.phase == "out" and not state.outcome:
        return "Nobody talks in this call yet"
    if state.others or state.inviting or state.caller_left:
        return "More than two are in the call, or asked into it"
    return "" if by and by in (state.who, _with_whom(turn)) else "Who wishes it does not talk in this call"


def _not_able(person: Person | None, by: str, *, asked: bool) -> str:
    if person is None:
        return "" if asked else f"{by} is nobody of the company"
    return "" if person.state == "active" else f"{person.name} is {person.state}"


def _with_whom(turn: Turn) -> str:
    """Who was called: "user:1", "contact:2", or a number."""
    return turn.state.talking if turn.state.phase == "talking" else turn.state.outside


def _way(turn: Turn, event: Transferred, person: Person | None) -> _Way | Deny:
    """Where `person`, or where that is nobody the office, may send a call; or why they may not."""
    config = turn.config
    office = office_of_caller(config, person) if person is not None else turn.office()
    if event.target is not None:
        return _to_target(turn, event.target)
    dialled = keys_of(event.dialled)
    if for_help(dialled.rstrip("#"), office.country if office is not None else ""):
        return Deny("Nobody is sent on to where help is called")
    who = config.extensions.get(dialled)
    if who is not None and who in config.people:
        return _Way(config.people[who].name, config.people[who].target)
    number = e164(dialled, office.country if office is not None else "")
    if number is None:
        return Deny(f"{dialled[:32] or 'It'} is no number", "unallocated")
    if number in config.numbers:
        return _Way(name_of(config, config.numbers[number]), config.numbers[number])
    if event.box:
        return Deny(f"{number} has no voicemail here", "unallocated")
    return _outside(number, person, office)


def _outside(number: str, person: Person | None, office: Office | None) -> _Way | Deny:
    why = barred(number, person, office)
    return Deny(why.removesuffix(".")) if why else _Way(number, number=number)


def _to_target(turn: Turn, target: Target) -> _Way | Deny:
    config = turn.config
    known = target in config.lines or who_of(target) in config.people
    known = known or (target.type == "callrouter" and target.id in config.routers)
    known = known or (target.type in TEAMS and target.id in config.teams)
    if not known:
        return Deny(f"There is no {target.type} {target.id}", "unallocated")
    return _Way(name_of(config, target), target)


def _name(turn: Turn, who: str) -> str:
    """What people call somebody in a call."""
    return name_of(turn.config, target_of_who(who)) if ":" in who else who
