"""decide: one step of a call. Pure: no clock, no store, no network; the same arguments always give the same answer.

Live calls, simulation and verification use this function and nothing else.
"""

from offhook.directory.lines.model import Target
from offhook.routing import endings, groups, menus, outbound, parking, people, scripts, together, transfers
from offhook.routing.model import Company
from offhook.routing.plan import (
    Answered,
    CameIn,
    CarrierCalled,
    CarrierFailed,
    Ended,
    Event,
    Handed,
    Hangup,
    HungUp,
    Incoming,
    Invited,
    Joined,
    Left,
    NotAnswered,
    Outgoing,
    Parked,
    Pressed,
    Recorded,
    Reserved,
    StayedOut,
    Taped,
    Told,
    Transferred,
    Unparked,
    Verb,
)
from offhook.routing.state import CallState
from offhook.routing.turn import (
    MAX_HOPS,
    MAX_STEPS,
    TEAMS,
    Act,
    Enter,
    Go,
    Mailbox,
    RingOperators,
    Turn,
    name_of,
    prompt,
)


def decide(config: Company, state: CallState, event: Event) -> tuple[CallState, tuple[Verb, ...]]:
    """What becomes of a call when `event` happens to it: its next state, and what is to be done.

    `state` is `state.new_call(...)` before the first event, one of `plan.First`, and after that what the last step
    gave. It is not changed. An event that cannot be, as one that comes too late, changes nothing but the reasons, and
    asks for nothing: what was asked for before goes on. After `phase` "over" nothing happens any more.
    """
    turn = Turn(config, state, event.at)
    if isinstance(event, Pressed | Told | Unparked | Invited):
        turn.state.steps += 1
    go = _first(turn, event)
    _go_on(turn, go)
    return turn.done()


def _go_on(turn: Turn, go: Go) -> None:
    while go is not None:
        if isinstance(go, Act):
            go = _act(turn, go)
        elif isinstance(go, Enter):
            go = _enter(turn, go.target)
        elif isinstance(go, RingOperators):
            line = turn.line()
            go = groups.ring_operators(turn, line, go.since) if line is not None else _gone(turn)
        elif turn.state.sent_by:
            go = transfers.comes_back(turn)
        else:
            go = endings.mailbox(turn, go)


def _first(turn: Turn, event: Event) -> Go:
    """Where the event leads."""
    state = turn.state
    if state.phase == "over":
        return endings.ignored(turn, event)
    if isinstance(event, Taped):
        said = "recorded from here on" if event.on else "recorded no longer"
        turn.because("taped", f"The call is {said}, as an API asked.")
        return None
    outbound.tell_of_help(turn, event)
    if isinstance(event, Reserved) and event.asked:
        return together.reserved(turn, event)
    if isinstance(event, HungUp):
        return endings.hung_up(turn, event)
    if isinstance(event, Handed) and state.phase != "new":
        # Its telephones are gone whatever was decided meanwhile, as that it is put on park.
        return transfers.handed(turn, event)
    if state.steps > MAX_STEPS and state.phase not in ("voicemail", "talking", "out"):
        turn.because("too_many_steps", f"The call took {MAX_STEPS} keys and answers: voicemail of where it came in.")
        if isinstance(event, Reserved):
            state.reserved = event.members
        turn.release()
        return Mailbox(endings.first_box(turn))
    if state.parked and state.phase in ("parked", "reserving", "ringing"):
        return parking.goes_on(turn, event)
    match state.phase, event:
        case "new", Incoming():
            return _incoming(turn, event)
        case "new", Outgoing():
            return outbound.dial(turn, event)
        case "new", Transferred():
            return transfers.begun(turn, event)
        case "new", Joined():
            return transfers.joined_anew(turn, event)
        case (("menu" | "name" | "choice" | "extension" | "question" | "reserving" | "ringing"), Pressed()):
            return _pressed(turn, event)
        case "reserving", Reserved():
            line = turn.line()
            return groups.reserved(turn, line, event) if line is not None else people.reserved(turn, event)
        case "ringing", Answered() if state.reserved and event.who not in state.reserved:
            # Who is not rung by this call may be rung by another one.
            return endings.ignored(turn, event)
        case "ringing", Answered():
            line = turn.line()
            return groups.answered(turn, line, event.who) if line is not None else people.answered(turn, event.who)
        case "ringing", NotAnswered():
            if event.fault:
                turn.because("number_not_called", f"No trunk for {event.fault}.")
            line = turn.line()
            return groups.not_answered(turn, line, event) if line is not None else people.not_answered(turn, event)
        case "asking", Told():
            return _told(turn, event)
        case "voicemail", (Recorded() | Ended()):
            return endings.recorded(turn, event)
        case "out", Answered():
            return endings.answered_outside(turn, event)
        case "out", CarrierCalled():
            return endings.carrier_called(turn, event)
        case "out", CarrierFailed():
            return endings.carrier_failed(turn, event)
        case "out", NotAnswered():
            return endings.not_answered_outside(turn, event)
        case "talking", Parked():
            return parking.park(turn, event)
        case (("talking" | "out"), (Invited() | CameIn() | StayedOut() | Left())):
            return together.goes_on(turn, event)
        case (("talking" | "out"), Ended()):
            return endings.ended(turn, event)
        case (("talking" | "out"), Transferred()):
            return transfers.transferred(turn, event)
        case (("talking" | "out"), Joined()):
            return transfers.joined(turn, event)
        case _, (Transferred() | Joined()):
            return transfers.denied(turn)
    return endings.ignored(turn, event)


def _incoming(turn: Turn, event: Incoming) -> Go:
    state = turn.state
    state.began, state.caller, state.dialled = turn.at, event.caller, event.number
    target = event.target or turn.config.numbers.get(event.number)
    if target is None:
        turn.because("number_unknown", f"The number {event.number[:32]} is assigned to nobody.")
        turn.hang_up("refused", Hangup("unallocated"))
        return None
    state.home = target
    if event.number:
        turn.because("number", f"{event.number} is a number of {name_of(turn.config, target)}.")
    return Enter(target)


def _enter(turn: Turn, target: Target) -> Go:
    """A call reaches a target, whatever it is."""
    state, config = turn.state, turn.config
    state.hops += 1
    if state.hops > MAX_HOPS:
        turn.because("too_many_hops", f"The call was sent on {MAX_HOPS} times: voicemail of where it came in.")
        return Mailbox(endings.first_box(turn))
    if (line := config.lines.get(target)) is not None:
        return groups.enter(turn, line)
    kind = target.type
    if kind in ("user", "room") and (person := config.people.get(f"{kind}:{target.id}")) is not None:
        return people.enter_person(turn, person)
    if kind == "callrouter" and (router := config.routers.get(target.id)) is not None:
        return people.enter_router(turn, router)
    if kind == "contact" and (contact := config.contacts.get(target.id)) is not None:
        return people.enter_contact(turn, contact)
    if kind in TEAMS and (team := config.teams.get(target.id)) is not None:
        return people.enter_team(turn, team)
    if kind == "channel" and target.id in config.channels:
        turn.because("not_callable", f"{config.channels[target.id]} is a channel, which takes no calls.")
    elif kind == "unknown":
        turn.because("target_unknown", "The target is of an unknown kind.")
    else:
        turn.because("target_gone", f"There is no {kind} {target.id} any more.")
    return Mailbox()


def _gone(turn: Turn) -> Go:
    """What the call has reached was deleted meanwhile."""
    where = turn.state.where
    turn.because("target_gone", f"There is no {where.type} {where.id} any more, where the call was.")
    return Mailbox()


def _act(turn: Turn, act: Act) -> Go:
    """Do what a routing or a key says."""
    choice, line = act.choice, turn.line()
    if line is None:
        return _gone(turn)
    match choice.action:
        case "voicemail":
            return Mailbox(choice.target or line.target)
        case "message":
            return endings.message(turn, act)
        case "disabled":
            turn.because("disabled", f"{line.name} says that nobody is available, and the call ends.")
            turn.hear(endings.unavailable(turn, act))
            turn.hang_up("unavailable", Hangup("unavailable"))
            return None
        case "department" | "bridge_target" | "person":
            return _send_on(turn, act)
        case "operator":
            if turn.state.rang and not act.key:
                return groups.after_operators(turn, line)
            return RingOperators()
        case "menu":
            turn.state.tries = 0
            return menus.menu(turn, line)
        case "directory" | "company_directory" | "last_name_directory" | "last_name_company_directory":
            return menus.ask_name(turn, choice.action)
        case "extension":
            return menus.ask_extension(turn)
        case "scripted_ivr":
            return scripts.enter(turn, line)
    turn.because("action_unknown", f"The action {choice.action} is not known here: voicemail of {line.name}.")
    return Mailbox(line.target)


def _send_on(turn: Turn, act: Act) -> Go:
    line, target = turn.line(), act.choice.target
    assert line is not None
    if target is None:
        turn.because("target_missing", f"{line.name} sends the call on, but names no target.")
        return Mailbox()
    turn.because("sent_on", f"{line.name} sent the call on to {name_of(turn.config, target)}.")
    if "NEXT_TARGET" in line.prompts:
        turn.hear(prompt(line.prompts, "NEXT_TARGET", "Please hold while your call is put through."))
    return Enter(target)


def _told(turn: Turn, event: Told) -> Go:
    router = turn.config.routers.get(turn.state.where.id) if turn.state.where.type == "callrouter" else None
    if router is not None:
        return people.told(turn, router, event)
    line = turn.line()
    return scripts.told(turn, line, event) if line is not None else _gone(turn)


def _pressed(turn: Turn, event: Pressed) -> Go:
    state, line = turn.state, turn.line()
    if state.phase in ("reserving", "ringing"):
        leaves = line is not None and line.queue is not None and state.queued and line.queue.escape
        if line is not None and leaves and event.keys == leaves:
            return groups.left_by_key(turn, line, event.keys)
        return endings.ignored(turn, event)
    if state.phase == "name":
        return menus.name_dialled(turn, event.keys)
    if state.phase == "choice":
        return menus.name_chosen(turn, event.keys)
    if state.phase == "question":
        if line is not None:
            return scripts.answered(turn, line, event.keys)
        router = turn.config.routers.get(state.where.id)
        return people.question_answered(turn, router, event.keys) if router is not None else _gone(turn)
    if state.phase == "extension":
        return _extension(turn, event.keys)
    return menus.pressed_in_menu(turn, line, event.keys) if line is not None else _gone(turn)


def _extension(turn: Turn, keys: str) -> Go:
    """An extension; but a colleague who dials an emergency number here is not kept from it."""
    person, office = turn.config.people.get(turn.state.who), turn.office()
    if person is not None:
        office = turn.config.offices.get(person.office_id)
        if office is not None and outbound.for_help(keys, office.country):
            return outbound.emergency(turn, person, office, keys)
    return menus.extension_dialled(turn, keys)
