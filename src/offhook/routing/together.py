"""More than two in a call: one more is asked in, comes in or does not, and leaves again. Pure.

The call is that of its caller and of whoever took it; others come beside them. It goes on until one of all is left.
"""

from offhook.directory.lines.model import Target
from offhook.routing.dialling import is_home
from offhook.routing.endings import ignored
from offhook.routing.groups import availability
from offhook.routing.model import Line, who_of
from offhook.routing.people import PERSON_SECONDS, can_ring
from offhook.routing.plan import CameIn, Event, Invite, Invited, Left, Leg, Release, Reserve, Reserved, StayedOut
from offhook.routing.state import CallState
from offhook.routing.turn import MAX_STEPS, MISSED, Go, Turn, listed, name_of_who

MOST = 10
"""In one call, with those who are still rung for it."""


def goes_on(turn: Turn, event: Event) -> Go:
    """What happens to a call in which people talk, or more than two do."""
    state = turn.state
    match event:
        case Invited():
            _ask_in(turn, event)
        case CameIn() if event.asked in state.inviting:
            _come_in(turn, event)
        case StayedOut() if event.asked in state.inviting:
            turn.because("stayed_out", f"{name_of_who(turn.config, event.asked)} {MISSED[event.why]}.")
            _rung_no_more(turn, event.asked)
        case Left() if state.others:
            _leave(turn, event.who)
        case _:
            return ignored(turn, event)
    return None


def _ask_in(turn: Turn, event: Invited) -> None:
    state, config = turn.state, turn.config
    target = event.target or config.numbers.get(event.number)
    asked = who_of(target) if target is not None else event.number
    if 2 - state.caller_left + len(state.others) + len(state.inviting) >= MOST:
        turn.because("invite_refused", f"No more than {MOST} may be in a call.")
        return
    if state.phase == "out" and (not state.outcome or state.helping):
        turn.because("invite_refused", "Nobody is asked into a call for help, or into one that was not answered.")
        return
    if asked in (*_there(state), *state.inviting, *_rung(state)):
        turn.because("invite_refused", f"{name_of_who(config, asked)} is in the call already, or asked into it.")
        return
    if state.steps > MAX_STEPS:
        turn.because("invite_refused", f"The call took {MAX_STEPS} keys and wishes: nobody is asked in any more.")
        return
    legs, why = _legs_of(turn, target) if target is not None else _leg_outside(turn, event.number)
    if not legs:
        turn.because("invite_refused", why)
        return
    state.inviting = (*state.inviting, asked)
    people = tuple([leg.who for leg in legs if leg.who in config.people])
    if not people or target is None:
        _ring(turn, asked, legs)
        return
    # Like all who are rung, so that nobody is rung by two calls, or while they are in one.
    turn.verbs.append(
        Reserve(
            group=target, strategy="simultaneous", members=people, skills=tuple([100 for _ in people]), count=0,
            seed=state.seed, asked=asked,
        )
    )  # fmt: skip


def reserved(turn: Turn, event: Reserved) -> Go:
    """Who of those that are asked in may be rung now."""
    state, config = turn.state, turn.config
    if event.asked not in state.inviting:
        return ignored(turn, event)
    twice = _rung(state)
    people = [config.people[who] for who in event.members if who in config.people and who not in twice]
    if people:
        state.reserved_in = (*state.reserved_in, (event.asked, tuple([one.who for one in people])))
        _ring(turn, event.asked, tuple([Leg(one.who, one.name, one.devices, one.forwarding) for one in people]))
        return None
    busy = [f"{name_of_who(config, who)} is in a call" for who in event.busy]
    rung = [f"{name_of_who(config, who)} is being rung by another caller" for who in event.rung]
    why = event.fault.removesuffix(".") or listed([*busy, *rung]) or "Nobody is free"
    turn.because("invite_refused", f"{why}.")
    state.inviting = _without(state.inviting, event.asked)
    return None


def _ring(turn: Turn, asked: str, legs: tuple[Leg, ...]) -> None:
    name, office = name_of_who(turn.config, asked), turn.office()
    turn.because("invited", f"{name} is asked into the call, and rung for up to {PERSON_SECONDS} s.")
    turn.verbs.append(Invite(asked, legs, PERSON_SECONDS, office.main_line if office is not None else ""))


def _there(state: CallState) -> tuple[str, ...]:
    """Who is in the call, people and numbers."""
    caller = "" if state.caller_left else state.caller
    return (state.who, caller, state.outside if state.phase == "out" else state.talking, *state.others)


def _rung(state: CallState) -> list[str]:
    """Who is rung to come in, of the company's people."""
    return [who for _, members in state.reserved_in for who in members]


def _rung_no_more(turn: Turn, asked: str, kept: str = "") -> None:
    """Give back who was reserved for what was asked, but for one who has come in."""
    state = turn.state
    state.inviting = _without(state.inviting, asked)
    people = [who for each, members in state.reserved_in if each == asked for who in members]
    state.reserved_in = tuple([each for each in state.reserved_in if each[0] != asked])
    others = tuple([who for who in people if who != kept])
    if others or kept in turn.config.people:
        turn.verbs.append(Release(others, kept=kept if kept in turn.config.people else ""))


def _leg_outside(turn: Turn, number: str) -> tuple[tuple[Leg, ...], str]:
    office = turn.office()
    if office is None or not (office.international or is_home(number, office.country)):
        return (), f"{number} is abroad, and the office makes no such calls."
    return (Leg(number, number, numbers=(number,)),), ""


def _legs_of(turn: Turn, target: Target) -> tuple[tuple[Leg, ...], str]:
    """Whom to ring for a target, or why nobody can be rung."""
    if (line := turn.config.lines.get(target)) is not None:
        return _legs_of_line(turn, line)
    person = turn.config.people.get(who_of(target))
    if person is None:
        return (), f"There is no {target.type} {target.id} that could be rung."
    if not can_ring(person):
        return (), f"{person.name} cannot be rung now."
    return (Leg(person.who, person.name, person.devices, person.forwarding),), ""


def _legs_of_line(turn: Turn, line: Line) -> tuple[tuple[Leg, ...], str]:
    """The operators of a line that is open, all at once; there is no queue to come into a call."""
    if line.state != "active" or not availability(line, turn.at)[0]:
        return (), f"{line.name} is closed."
    there = {*_there(turn.state), *turn.state.inviting, *_rung(turn.state)}
    people = [turn.config.people[one.who] for one in line.ready if one.who in turn.config.people]
    legs = [Leg(one.who, one.name, one.devices, one.forwarding) for one in people if one.who not in there]
    return tuple(legs), f"Nobody of {line.name} can be rung now."


def _come_in(turn: Turn, event: CameIn) -> None:
    turn.state.others = (*turn.state.others, event.who)
    turn.because("came_in", f"{name_of_who(turn.config, event.who)} joined the call.")
    _rung_no_more(turn, event.asked, event.who)


def _leave(turn: Turn, who: str) -> None:
    state = turn.state
    if not who and not state.caller_left:
        state.caller_left, gone = True, state.who
        turn.because("left", "Who called left, and the others talk on.")
    elif who and (who in (state.talking, *state.others) or state.phase == "out"):
        gone = who
        if who not in state.others:
            state.talking, *others = state.others
            state.others, state.phase = tuple(others), "talking"
        else:
            state.others = _without(state.others, who)
        turn.because("left", f"{name_of_who(turn.config, who)} left, and the others talk on.")
    else:
        turn.because("ignored", f"{name_of_who(turn.config, who) or 'Who called'} left, and was not there.")
        return
    if gone in turn.config.people:
        turn.verbs.append(Release((gone,)))


def _without(some: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple([each for each in some if each != one])
