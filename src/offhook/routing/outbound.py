"""A call that a user or room of the company makes. Pure.

An emergency number is looked at before anything else, and its call is the first thing that happens: no prompt, no
reservation and no question stands before it; people are told once it was placed, or could not be.
"""

from offhook.kit.phones import emergency_in, has_plan, is_emergency, is_line_test
from offhook.routing.dialling import e164, is_home
from offhook.routing.model import Company, Office, Person
from offhook.routing.plan import (
    Answered,
    CarrierCalled,
    CarrierFailed,
    Ended,
    Event,
    Hangup,
    HungUp,
    NotAnswered,
    Notify,
    Outgoing,
    Release,
    Transfer,
)
from offhook.routing.turn import Enter, Go, Turn

_KEPT = frozenset("0123456789+*#")
_SHOWN = 32
"""Characters of what was dialled that a reason shows."""


def dial(turn: Turn, event: Outgoing) -> Go:
    """Where a dialled number leads."""
    state, config = turn.state, turn.config
    dialled = keys_of(event.dialled)
    state.began, state.who, state.dialled, state.taken = turn.at, event.who, dialled, True
    person = config.people.get(event.who)
    office = office_of_caller(config, person)
    country = office.country if office is not None else ""
    if for_help(dialled.rstrip("#"), country):
        return emergency(turn, person, office, dialled.rstrip("#"))
    if not dialled:
        # Of what is on no telephone nothing is called, and all of it is said.
        state.dialled = event.dialled[:_SHOWN]
    if person is None:
        turn.because("caller_unknown", "Who dialled is not in the company.")
        turn.hang_up("refused", Hangup("forbidden"))
        return None
    if person.state != "active":
        turn.because("person_inactive", f"{person.name} is {person.state} and makes no calls but to help.")
        turn.hang_up("refused", Hangup("forbidden"))
        return None
    state.where = state.home = person.target
    turn.verbs.append(Release((), kept=person.who))
    who = config.extensions.get(dialled)
    if who is not None and who in config.people:
        turn.because("extension", f"{person.name} dialled the extension {dialled} of {config.people[who].name}.")
        return Enter(config.people[who].target)
    number = e164(dialled, country)
    if number is None:
        turn.because("number_impossible", f"{person.name} dialled {_impossible(state.dialled, country)}.")
        turn.hang_up("refused", Hangup("unallocated"))
        return None
    if number in config.numbers:
        turn.because("own_number", f"{person.name} dialled {number}, which is a number of the company.")
        return Enter(config.numbers[number])
    return _outside(turn, person, office, number)


def _impossible(dialled: str, country: str) -> str:
    """What was dialled, and why that calls nobody."""
    if not keys_of(dialled):
        return f"{dialled}, in which there is nothing to call" if dialled else "nothing"
    where = f" in {country}" if country else ""
    nobodys = "nobody's extension and " if dialled.isdecimal() else ""
    return f"{dialled[:_SHOWN]}, which is {nobodys}no number{where}"


def keys_of(dialled: str) -> str:
    """What was dialled, without what is on no telephone."""
    return "".join(character for character in dialled if character in _KEPT)


def for_help(digits: str, country: str) -> bool:
    """Whether `digits` call for help; where no country with a dialling plan is known, what does so anywhere does."""
    return is_emergency(digits, country) if has_plan(country) else bool(emergency_in(digits))


def helps_anywhere(event: Outgoing) -> bool:
    """Whether what was dialled calls for help in some country."""
    return for_help(keys_of(event.dialled).rstrip("#"), "")


def helps(config: Company, event: Outgoing) -> bool:
    """Whether what was dialled calls for help where whoever dialled it is."""
    office = config.offices.get(config.primary_office)
    if (person := config.people.get(event.who)) is not None:
        office = config.offices.get(person.office_id, office)
    return for_help(keys_of(event.dialled).rstrip("#"), office.country if office is not None else "")


def emergency(turn: Turn, person: Person | None, office: Office | None, dialled: str) -> Go:
    """Place an emergency call, at once, whoever it is that calls.

    A number that only says back the emergency address goes the same way, is called what it is, and told to nobody.
    """
    turn.state.dialled, turn.state.helping = dialled, True
    if person is not None and turn.state.phase == "new":
        turn.state.where = turn.state.home = person.target
    who = person.who if person is not None else turn.state.who
    name = person.name if person is not None else who
    where = (person.e911 if person is not None else None) or (office.e911 if office is not None else None)
    turn.state.trial = trial = office is not None and is_line_test(dialled, office.country)
    if trial:
        turn.because(
            "emergency_test", f"{name} dialled {dialled}, the test of the emergency address: no help is called."
        )
    else:
        turn.because("emergency", f"{name} dialled {dialled}: the call goes out at once.")
    if where is None:
        turn.because("no_emergency_address", f"No emergency address of {name} or the office is on record.")
    shown = (person.caller_id if person is not None else "") or (office.main_line if office is not None else "")
    turn.wait("out", Transfer(dialled, shown, emergency=True, location=where, trial=trial))
    if person is not None:
        turn.verbs.append(Release((), kept=person.who))
    return None


def tell_of_help(turn: Turn, event: Event) -> None:
    """Tell people of a call for help, once: that it was placed, or why it was not."""
    state = turn.state
    if state.phase != "out" or not state.helping or state.trial or state.noticed:
        return
    match event:
        case HungUp() if not event.ours:
            fault = event.cause or "the caller hung up before a carrier was called"
        case NotAnswered() | Ended():
            fault = event.fault
        case CarrierCalled() | CarrierFailed() | Answered():
            fault = ""
        case _:
            return
    person = turn.config.people.get(state.who)
    office = office_of_caller(turn.config, person)
    state.noticed = True
    who = person.who if person is not None else state.who
    turn.verbs.append(Notify(office.id if office is not None else 0, who, state.dialled, fault))
    told = f"The event log of {office.name if office is not None else 'the company'} tells of it."
    if fault:
        turn.because("emergency_not_placed", f"NO HELP WAS CALLED: {fault}. {told}")
    else:
        turn.because("emergency_notice", told)


def _outside(turn: Turn, person: Person, office: Office | None, number: str) -> Go:
    if why := barred(number, person, office):
        turn.because("international_off", why)
        turn.hang_up("refused", Hangup("forbidden"))
        return None
    turn.because("dialled", f"{person.name} called {number}.")
    turn.state.outside = number
    turn.wait("out", Transfer(number, person.caller_id))
    return None


def barred(number: str, person: Person | None, office: Office | None) -> str:
    """Why `person`, or where that is nobody the office, may not call a number outside; "" if it may be called."""
    if office is not None and is_home(number, office.country):
        return ""
    if office is not None and office.international and (person is None or person.international):
        return ""
    own = person is not None and office is not None and office.international
    who = person.name if own and person is not None else office.name if office is not None else "It"
    field = "international_dialing_enabled of the user" if own else "international_enabled of the office"
    return f"{number} is abroad, and {who} may make no international calls ({field} allows them)."


def office_of_caller(config: Company, person: Person | None) -> Office | None:
    """The office by whose country somebody dials: their own, else the primary one."""
    office = config.offices.get(person.office_id if person is not None else config.primary_office)
    return office or config.offices.get(config.primary_office)
