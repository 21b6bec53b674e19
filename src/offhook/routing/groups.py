"""A call at a line: open or closed, its operators and their order, its queue. Pure."""

from datetime import UTC, datetime
from typing import Any

from offhook.hours.schedule import explain, status
from offhook.routing import strategies
from offhook.routing.model import Line, Queue, Routing
from offhook.routing.plan import (
    Bridge,
    Hear,
    Leg,
    Mode,
    NotAnswered,
    Play,
    Prompt,
    Record,
    Release,
    Reserve,
    Reserved,
    Ring,
)
from offhook.routing.turn import MISSED, Act, Go, Mailbox, RingOperators, Turn, counted, listed, prompt

PAUSE_SECONDS = 5
"""How long nobody is rung once all have declined or been busy, so that no telephone is rung over and over."""

LOOK_SECONDS = 60
"""How often a caller who waits is decided about anew, so that hours and people who come on duty count."""

WORDS = {
    "simultaneous": "all at once",
    "fixedorder": "one at a time in their fixed order",
    "roundrobin": "one at a time in rotation",
    "longestidle": "one at a time, the longest idle first",
    "mostskilled": "one at a time, the most skilled first",
    "random": "one at a time in a random order",
}


def availability(line: Line, at: int) -> tuple[bool, str]:
    """Whether a line takes calls at `at` (milliseconds), and why in words."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return status(line.schedule, moment).takes_calls, explain(line.schedule, moment)


def routing_of(turn: Turn, line: Line) -> Routing:
    """The state of the line that was decided when the call reached it."""
    return line.open if turn.state.open else line.closed


def enter(turn: Turn, line: Line) -> Go:
    """A call reaches a line."""
    state = turn.state
    state.where = state.via = line.target
    state.rang, state.tries, state.until, state.round = False, 0, 0, 0
    state.tried, state.queued, state.spoken, state.matches, state.directory, state.pausing = (), 0, 0, (), "", False
    if line.state != "active":
        turn.because("line_inactive", f"{line.name} is {line.state} and takes no calls.")
        return Mailbox(None if line.target.type != "office" else line.target)
    state.open, why = availability(line, turn.at)
    turn.because("open" if state.open else "closed", f"{line.name} was {'open' if state.open else 'closed'}: {why}.")
    routing = routing_of(turn, line)
    intro = "DEPARTMENT_INTRO" if state.open else "CLOSED_DEPARTMENT_INTRO"
    if intro in line.prompts:
        turn.hear(prompt(line.prompts, intro, f"Welcome to {line.name}."))
    return RingOperators() if routing.try_operators else Act(routing.choice)


def ring_operators(turn: Turn, line: Line, since: int = 0) -> Go:
    """Begin with the operators of the line, for whom the caller waits `since` then, or from now on."""
    state, routing = turn.state, routing_of(turn, line)
    state.rang, state.since, state.until = True, since or turn.at, 0
    state.tried, state.round = (), 0
    ready, away = line.ready, [one for one in line.operators if one.away]
    if not line.operators:
        turn.because("no_operators", f"{line.name} has no operators to ring.")
        return _queue_or_go_on(turn, line)
    missing = f" Not rung: {listed([f'{one.name} ({one.away})' for one in away])}." if away else ""
    if not ready:
        turn.because("nobody_ready", f"None of the operators of {line.name} can be rung.{missing}")
        return _queue_or_go_on(turn, line)
    turn.because(
        "operators",
        f"{line.name} rings {counted(len(ready), 'operator')} {WORDS.get(routing.strategy, routing.strategy)}, "
        f"for {line.ring_seconds} s.{missing}",
    )
    return _reserve(turn, line)


def _reserve(turn: Turn, line: Line) -> Go:
    state = turn.state
    announce_recording(turn, line)
    if not state.until and not any(isinstance(verb, Play) for verb in turn.verbs):
        _ring_time_begins(turn, line)
    # Where nobody is free, the caller has a place in the queue before they are asked to hold.
    queue = line.queue if state.open else None
    turn.wait(
        "reserving",
        _asked(
            turn,
            line,
            tried=state.tried,
            seconds=max(0, _left(turn)) if queue is None else 0,
            wait_for="whoever_is_rung" if queue is None else "whoever_is_free",
            hear="hold_music" if state.tried else "ringback",
            most_waiting=queue.most if queue is not None else 0,
        ),
    )
    return None


def _ring_time_begins(turn: Turn, line: Line) -> None:
    turn.state.until = turn.at + line.ring_seconds * 1000


def _left(turn: Turn) -> int:
    """Seconds of ring time that are left, rounded: steps take milliseconds, of which no turn is to lose a second."""
    return (turn.state.until - turn.at + 500) // 1000


def _asked(turn: Turn, line: Line, **how: Any) -> Reserve:
    """Ask for operators of the line, in the order of its strategy."""
    routing = routing_of(turn, line)
    return Reserve(
        group=line.target,
        strategy=routing.strategy,
        members=tuple([one.who for one in line.ready]),
        skills=tuple([one.skill for one in line.ready]),
        roster=line.roster if routing.strategy == "roundrobin" else (),
        count=1 if routing.strategy in strategies.ONE_AT_A_TIME else 0,
        seed=turn.state.seed,
        round=turn.state.round,
        since=turn.state.since,
        country=turn.country(),
        music=turn.music(),
        **how,
    )


def announce_recording(turn: Turn, line: Line | None) -> None:
    """Said once a call, behind all other prompts, before anybody can hear the caller."""
    if line is not None and line.record and not turn.state.announced:
        turn.state.announced = True
        turn.because("recording_announced", f"Calls of {line.name} are recorded, and the caller is told so.")
        turn.hear(prompt(line.prompts, "AUTO_RECORDING", "This call may be recorded."))


def reserved(turn: Turn, line: Line, event: Reserved) -> Go:
    """Who may be rung now, or nobody."""
    state, routing = turn.state, routing_of(turn, line)
    names = {one.who: one.name for one in line.operators}
    if state.pausing and not event.fault:
        state.pausing = False
        turn.because("pause_over", "The seconds in which nobody was rung are over.")
        if state.queued and line.queue is not None:
            return _wait_on(turn, line, line.queue, event.ahead)
        return _reserve(turn, line) if _left(turn) >= 1 else _ring_time_over(turn, line)
    state.pausing = False
    first = not state.until
    if first:
        # It was asked for behind the prompts of its step.
        _ring_time_begins(turn, line)
    if event.members:
        if event.again:
            if turn.at - state.round_began < PAUSE_SECONDS * 1000:
                turn.verbs.append(Release(event.members))
                return _pause(turn, line)
            _turns_anew(turn)
            turn.because("turns_again", f"Of {line.name} all who are free had their turn: it begins anew.")
        if state.queued:
            waited = (turn.at - state.queued) // 1000
            turn.because("left_queue", f"After {waited} s in the queue of {line.name} somebody is free.")
            _ring_time_begins(turn, line)
        state.reserved = event.members
        return _ring(turn, line, event, routing, names)
    if event.fault:
        turn.because("nobody_reserved", f"Nobody of {line.name} could be reserved: {event.fault}")
        return _leave_queue(turn, line) if state.queued else after_operators(turn, line)
    if line.queue is not None and state.open:
        return _queue(turn, line, line.queue, event)
    busy = [f"{names.get(who, who)} is in a call" for who in event.busy]
    rung = [f"{names.get(who, who)} is being rung by another caller" for who in event.rung]
    if first and rung:
        turn.because("waits_for_rung", f"{listed(rung)}: the caller waits for whoever is free first.")
        return _reserve(turn, line)
    why = f": {listed([*busy, *rung])}" if busy or rung else ""
    turn.because("nobody_free", f"Nobody of {line.name} was free{why}.")
    return _leave_queue(turn, line) if state.queued else after_operators(turn, line)


def _ring(turn: Turn, line: Line, event: Reserved, routing: Routing, names: dict[str, str]) -> Go:
    state = turn.state
    if not state.tried:
        state.round_began = turn.at
    one_at_a_time = routing.strategy in strategies.ONE_AT_A_TIME
    left = max(1, _left(turn))
    seconds = min(strategies.TURN_SECONDS, left) if one_at_a_time else left
    passed = [names.get(who, who) for who in event.busy]
    note = f" Passed over as in a call: {listed(passed)}." if passed else ""
    members = listed([names.get(who, who) for who in event.members])
    turn.because("rung", f"Ringing {members}, for {seconds} s at most.{note}")
    again = bool(state.tried or state.round or state.queued)
    legs = tuple([_leg(turn, who) for who in event.members])
    hear: Hear = "hold_music" if again else "ringback"
    mode: Mode = "serial" if one_at_a_time else "parallel"
    keys = line.queue.escape if state.queued and line.queue is not None else ""
    turn.wait("ringing", Ring(mode, legs, seconds, hear, turn.country(), turn.music(), keys))
    return None


def _leg(turn: Turn, who: str) -> Leg:
    person = turn.config.people.get(who)
    if person is None:
        return Leg(who, who)
    return Leg(who, person.name, person.devices, person.forwarding)


def answered(turn: Turn, line: Line, who: str) -> Go:
    """An operator took the call."""
    name = next((one.name for one in line.operators if one.who == who), who)
    turn.because("answered", f"{name} answered.")
    turn.release(kept=who)
    connect(turn, line, who)
    return None


def connect(turn: Turn, line: Line | None, who: str) -> None:
    """Connect the caller with who answered, under the rules of the line that the call came through."""
    turn.take()
    turn.state.talking, turn.state.outcome = who, "answered"
    if line is not None and line.record and turn.state.announced:
        turn.verbs.append(Record())
    elif line is not None and line.record:
        told = f"The caller was not told that calls of {line.name} are recorded"
        turn.because("not_recorded", f"{told}, as they are only now: this one is not.")
    turn.wait(
        "talking",
        Bridge(
            who,
            transcribe=line is not None and line.transcribe,
            may_stop_transcript=line is None or line.may_stop_transcript,
            music=turn.music(),
        ),
    )


def not_answered(turn: Turn, line: Line, event: NotAnswered) -> Go:
    """Nobody of those rung took the call: the next one's turn, or what follows the operators."""
    state, routing = turn.state, routing_of(turn, line)
    names = {one.who: one.name for one in line.operators}
    known = [f"{names.get(who, who)} {MISSED[event.why.get(who, 'no_answer')]}" for who in state.reserved]
    turn.because("not_answered", f"{listed(known)}." if known else "Nobody answered.")
    state.tried = (*state.tried, *(who for who in state.reserved if who not in state.tried))
    turn.release()
    rings_on = _left(turn) >= 1 and routing.strategy in strategies.ONE_AT_A_TIME
    everybody = {one.who for one in line.ready} <= set(state.tried)
    if (rings_on or state.queued) and everybody and turn.at - state.round_began < PAUSE_SECONDS * 1000:
        return _pause(turn, line)
    if state.queued and line.queue is not None:
        return _wait_on(turn, line, line.queue)
    if rings_on:
        return _reserve(turn, line)
    if _left(turn) < 1:
        return _ring_time_over(turn, line)
    turn.because("nobody_left", f"Of {line.name} nobody is left to ring.")
    return after_operators(turn, line)


def _ring_time_over(turn: Turn, line: Line) -> Go:
    turn.because("ring_time_over", f"The {line.ring_seconds} s in which {line.name} rings are over.")
    return after_operators(turn, line)


def _pause(turn: Turn, line: Line) -> Go:
    """All have declined or been busy within a moment: telephones are left alone for a while before they ring again."""
    state, seconds = turn.state, PAUSE_SECONDS
    queue = line.queue if state.queued else None
    declined = f"All of {line.name} just declined or were busy"
    if queue is not None:
        seconds = min(seconds, _queue_left(turn, queue))
        if seconds <= 0:
            return _wait_on(turn, line, queue)
    elif _left(turn) <= PAUSE_SECONDS:
        least = f"no more than {PAUSE_SECONDS} of the {line.ring_seconds} s in which it rings are left"
        turn.because("ring_time_over", f"{declined}, and {least}.")
        return after_operators(turn, line)
    state.pausing = True
    _turns_anew(turn)
    turn.because("pause", f"{declined}: nobody is rung for {seconds} s.")
    hear: Hear = "hold_music" if queue is not None else "ringback"
    pause = Reserve(
        group=line.target,
        strategy="fixedorder",
        members=(),
        skills=(),
        count=1,
        seed=state.seed,
        seconds=seconds,
        # Who is in the queue keeps the place in it; who is not takes none.
        wait_for="whoever_is_free" if queue is not None else "the_time",
        hear=hear,
        country=turn.country(),
        music=turn.music(),
        keys=queue.escape if queue is not None else "",
        since=state.since,
    )
    turn.wait("reserving", pause)
    return None


def _turns_anew(turn: Turn) -> None:
    """Nobody had their turn yet; the round begins when somebody is rung."""
    turn.state.tried, turn.state.round = (), turn.state.round + 1


def after_operators(turn: Turn, line: Line) -> Go:
    """No operator took the call: what the line's routing says then."""
    choice = routing_of(turn, line).choice
    if choice.action == "operator":
        turn.because("operators_tried", f"The operators had their turn: voicemail of {line.name}.")
        return Mailbox(line.target)
    if choice.action == "menu" and turn.state.tries:
        turn.because("menu_tried", f"The caller had heard the menu: voicemail of {line.name}.")
        return Mailbox(line.target)
    return Act(choice)


def _queue_or_go_on(turn: Turn, line: Line) -> Go:
    if line.queue is not None and line.queue.unattended and turn.state.open:
        return _reserve(turn, line)
    return after_operators(turn, line)


def _queue(turn: Turn, line: Line, queue: Queue, event: Reserved) -> Go:
    """Let the caller wait for an operator, if the queue has a place left."""
    state = turn.state
    if event.full:
        waiting = counted(queue.most, "caller waits", "callers wait")
        turn.because("queue_full", f"The queue of {line.name} has no place left: {waiting}.")
        state.queued = 0
        return after_operators(turn, line)
    if state.queued:
        waited = (turn.at - state.queued) // 1000
        turn.because("still_waiting", f"After {waited} s in the queue of {line.name} nobody is free yet.")
    else:
        state.queued, state.spoken = turn.at, 0
        why = "There is nobody to ring"
        if event.busy or event.rung:
            why = f"All of {line.name} are {'in calls' if not event.rung else 'in calls or being rung by others'}"
        turn.because("queued", f"{why}: the caller waits, for up to {queue.seconds} s.")
        announce_recording(turn, line)
        turn.hear(prompt(line.prompts, "HOLD_INTRO", "All of us are in calls. Please hold."))
    return _wait_on(turn, line, queue, event.ahead)


def _queue_left(turn: Turn, queue: Queue) -> int:
    """For how many seconds more the caller may wait."""
    return queue.seconds - (turn.at - turn.state.queued) // 1000


def _until_place(turn: Turn, queue: Queue) -> int:
    """In how many seconds, rounded up, the caller is to hear their place in the queue."""
    due = (turn.state.spoken or turn.state.queued) + queue.announce_seconds * 1000
    return -((turn.at - due) // 1000)


def _wait_on(turn: Turn, line: Line, queue: Queue, ahead: int | None = None) -> Go:
    """The caller waits for a while, with so many `ahead` of them; None: that is not known, and their place not said."""
    state = turn.state
    left = _queue_left(turn, queue)
    if left <= 0:
        turn.because("queue_time_over", f"The caller waited {queue.seconds} s for {line.name}, the most.")
        return _leave_queue(turn, line)
    if not queue.stays_after_closing and not availability(line, turn.at)[0]:
        turn.because("closed_while_waiting", f"{line.name} closed while the caller waited.")
        state.open = False
        if line.closed.try_operators:
            # Who comes now is rung through to whoever is on call; so is who has waited.
            state.queued = 0
            turn.verbs.append(Release(()))
            return RingOperators(state.since)
        return _leave_queue(turn, line)
    spell = min(left, LOOK_SECONDS)
    if queue.announce_seconds:
        if ahead is not None and _until_place(turn, queue) <= 0:
            state.spoken = turn.at
            place = ahead + 1
            turn.because("place_said", f"The caller heard that they are number {place} in the queue.")
            turn.hear(Prompt(f"You are number {place} in the queue.", _place_purpose(place)))
        spell = min(spell, max(1, _until_place(turn, queue)))
    turn.wait(
        "reserving",
        _asked(
            turn,
            line,
            tried=state.tried,
            seconds=spell,
            wait_for="whoever_is_free",
            hear="hold_music",
            keys=queue.escape,
        ),
    )
    return None


_PLACES = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")


def _place_purpose(place: int) -> str:
    return f"HOLD_POSITION_{_PLACES[place] if place < len(_PLACES) else 'MORE'}"


def _leave_queue(turn: Turn, line: Line) -> Go:
    turn.state.queued, turn.state.pausing = 0, False
    turn.verbs.append(Release(()))
    return after_operators(turn, line)


def left_by_key(turn: Turn, line: Line, keys: str) -> Go:
    """The caller pressed the key that leaves the queue, also while somebody is rung."""
    turn.because("left_by_key", f"The caller pressed {keys} and left the queue of {line.name}.")
    turn.release()
    return _leave_queue(turn, line)
