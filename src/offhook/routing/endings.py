"""How calls end: a message left, a message heard, an answer that ends, a caller who hangs up. Pure."""

from offhook.directory.lines.model import Target
from offhook.routing.plan import (
    Answered,
    CarrierCalled,
    CarrierFailed,
    Ended,
    Event,
    Hangup,
    HungUp,
    NotAnswered,
    Prompt,
    Recorded,
    Release,
    Reserved,
    Voicemail,
)
from offhook.routing.turn import MISSED, Act, Go, Mailbox, Turn, name_of, office_of, prompt

MESSAGE_SECONDS = 180
"""The longest message that a box takes."""


def mailbox(turn: Turn, go: Mailbox) -> Go:
    """The caller is asked for a message; where there is no box, the call ends saying so."""
    box = go.box
    office = turn.office()
    if box is None or not _has_box(turn, box):
        if box is not None:
            code, why = _no_box(turn, box)
            turn.because(code, f"{why}: the voicemail of the office takes the message.")
        box = Target("office", office.id) if office is not None else None
    if box is None:
        turn.because("no_box", "There is no box that could take a message.")
        turn.hear(prompt({}, "", "Nobody is available to take your call. Please call again later."))
        turn.hang_up("unavailable", Hangup("unavailable"))
        return None
    turn.release()
    name = name_of(turn.config, box)
    turn.because("voicemail", f"The caller was asked to leave a message for {name}.")
    turn.take()
    turn.wait("voicemail", Voicemail(box, _greeting(turn, box, name), MESSAGE_SECONDS))
    turn.state.outcome = "voicemail"
    turn.state.talking = f"{box.type}:{box.id}"
    return None


def _has_box(turn: Turn, box: Target) -> bool:
    if box.type == "user":
        person = turn.config.people.get(f"user:{box.id}")
        return person is not None and person.state == "active"
    return box in turn.config.lines


def _no_box(turn: Turn, box: Target) -> tuple[str, str]:
    """Why nobody can leave a message in a box that was named."""
    if (person := turn.config.people.get(f"{box.type}:{box.id}")) is not None:
        if person.state == "active":
            return "box_missing", f"{person.name} has no voicemail"
        return "box_inactive", f"{person.name} is {person.state}"
    known = name_of(turn.config, box)
    if known != f"{box.type} {box.id}":
        return "box_missing", f"{known} has no voicemail"
    return "box_gone", f"There is no {box.type} {box.id} any more" if box.type != "unknown" else "The box is unknown"


def _greeting(turn: Turn, box: Target, name: str) -> Prompt:
    line, person = turn.config.lines.get(box), turn.config.people.get(f"{box.type}:{box.id}")
    prompts = line.prompts if line is not None else person.prompts if person is not None else {}
    if line is not None and box == turn.state.where and not turn.state.open:
        return prompt(prompts, "CLOSED", f"{name} is closed. Please leave a message after the tone.")
    return prompt(prompts, "GREETING", f"{name} cannot take your call. Please leave a message after the tone.")


def first_box(turn: Turn) -> Target | None:
    """The office that the call came in at."""
    id = office_of(turn.config, turn.state.home)
    return Target("office", id) if id is not None else None


def message(turn: Turn, act: Act) -> Go:
    """The caller hears the line's message."""
    line = turn.line()
    assert line is not None
    turn.because("message", f"{line.name} played its message, and the call ended.")
    turn.hear(unavailable(turn, act))
    turn.hang_up("message", Hangup())
    return None


def unavailable(turn: Turn, act: Act) -> Prompt:
    """What a line says where nobody takes the call, or a key of its menu says."""
    line = turn.line()
    assert line is not None
    if act.key:
        purpose = "MENU_OPTION" if turn.state.open else "CLOSED_MENU_OPTION"
        if purpose in line.prompts:
            return prompt(line.prompts, purpose, "")
    purpose = "VM_UNAVAILABLE" if turn.state.open else "VM_UNAVAILABLE_CLOSED"
    text = "Nobody is available to take your call." if turn.state.open else f"{line.name} is closed."
    return prompt(line.prompts, purpose, f"{text} Please call again later.")


def recorded(turn: Turn, event: Recorded | Ended) -> Go:
    """A message was left, or none."""
    seconds = event.seconds if isinstance(event, Recorded) else 0
    if seconds:
        turn.because("message_left", f"A message of {seconds} s was left.")
    else:
        turn.because("no_message", "No message was left.")
        turn.state.outcome = "no_message"
    turn.hang_up(turn.state.outcome, Hangup())
    return None


def answered_outside(turn: Turn, event: Answered) -> Go:
    """The number outside, to which the call was sent, answered."""
    if turn.state.outcome:
        return ignored(turn, event)
    by = f", by the trunk {event.carrier}" if event.carrier else ""
    turn.because("answered", f"{_outside(turn)} answered{by}.")
    turn.state.outcome = "answered"
    return None


def not_answered_outside(turn: Turn, event: NotAnswered) -> Go:
    """It did not: who made the call hears so; who came in and was sent on to it may leave a message."""
    if turn.state.outcome:
        return ignored(turn, event)
    missed = _ANSWERED.get(event.code) or MISSED[next(iter(event.why.values()), "no_answer")]
    said = f": {event.fault}" if event.fault else f", it answered {event.code}" if event.code else ""
    turn.because("not_answered", f"{_outside(turn)} {missed}{said}.")
    if not turn.state.who or turn.state.sent_by:
        return Mailbox()
    turn.hang_up("not_answered", Hangup("unavailable", event.code))
    return None


_ANSWERED = {
    404: "is not in use", 410: "is in use no more", 484: "is no whole number", 485: "is no whole number",
    604: "is not in use",
}  # fmt: skip
"""What a number's answer says of it, where that is more than that it cannot be reached (RFC 3398 section 7.2.4.1)."""


def carrier_called(turn: Turn, event: CarrierCalled) -> Go:
    """A call for help has gone out."""
    if turn.state.outcome:
        return ignored(turn, event)
    if event.carrier:
        turn.because("carrier_called", f"{_outside(turn)} is called by the trunk {event.carrier}.")
    return None


def carrier_failed(turn: Turn, event: CarrierFailed) -> Go:
    """A carrier did not take the call to a number outside; who carries it out goes on to the next, if there is one."""
    state = turn.state
    if state.outcome:
        return ignored(turn, event)
    who = f"The trunk {event.carrier}" if event.carrier else "A carrier"
    if event.location:
        turn.because(
            "location_not_taken",
            f"{who} answered {event.code} to the call with the address where help is to go, and is called again "
            "WITHOUT THE ADDRESS: whoever answers must be told it. Have the carrier take locations.",
        )
    elif event.code:
        turn.because("carrier_failed", f"{who} did not take the call: it answered {event.code}.")
    else:
        turn.because("carrier_silent", f"{who} said nothing, or only that it tries: the next one is called.")
    return None


def _outside(turn: Turn) -> str:
    """The number that was called last; of a call for help what was dialled."""
    return turn.state.outside or (turn.state.dialled if turn.state.who else "The number outside")


def ended(turn: Turn, event: Ended) -> Go:
    """The other side hung up."""
    if event.fault:
        turn.because("failed", f"The call could not go on: {event.fault}.")
        turn.hang_up("failed", Hangup("unavailable"))
    else:
        turn.because("ended", "The other side hung up.")
        turn.hang_up(turn.state.outcome or ("not_answered" if turn.state.phase == "out" else "answered"), Hangup())
    return None


_WHERE = {
    "menu": "in the menu",
    "name": "while asked for a name",
    "choice": "while asked which name",
    "extension": "while asked for an extension",
    "question": "while asked a question",
    "reserving": "while waiting",
    "ringing": "while it rang",
    "asking": "while a service was asked",
    "voicemail": "at the voicemail",
    "talking": "after the talk",
    "out": "while it rang outside",
    "parked": "on park",
}


def hung_up(turn: Turn, event: HungUp) -> Go:
    """The caller hung up, or was cut off, or somebody ended the call who is not in it."""
    state = turn.state
    where = "talking" if state.phase == "out" and state.outcome else state.phase
    if event.ours and state.helping and not state.trial:
        turn.because(
            "hang_up_refused",
            "Somebody at an API or a page wished to end the call: one for help is ended by who made or took it.",
        )
        return None
    if event.cause:
        turn.because("cut_off", f"The call was cut off {_WHERE.get(where, 'at once')}: {event.cause}.")
    elif event.ours:
        turn.because("hung_up_on", f"Somebody at an API or a page hung up {_WHERE.get(where, 'at once')}.")
    else:
        turn.because("caller_hung_up", f"The caller hung up {_WHERE.get(where, 'at once')}.")
    # Who was put on park had talked with whoever did so, also while somebody else is rung to take the call.
    usual = "answered" if state.parked else "abandoned"
    outcome = {"talking": "answered", "voicemail": "no_message"}.get(where, usual)
    turn.hang_up("lost" if event.lost else outcome, Hangup())
    return None


def ignored(turn: Turn, event: Event) -> Go:
    """An event that cannot be: nothing changes, and it is said. Whoever was reserved too late is given back."""
    if isinstance(event, Reserved):
        late = tuple(who for who in event.members if who not in turn.state.reserved)
        if late:
            turn.verbs.append(Release(late))
    turn.because("ignored", f"{type(event).__name__} came while the call was {turn.state.phase}: it changed nothing.")
    return None
