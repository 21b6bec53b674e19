"""Lines that hand their calls to a workflow: what it is asked, and what becomes of its answers. Pure.

Each question is a run of the workflow, which says the next step: something to hear, keys to ask for, somewhere to send
the call. Whatever goes wrong ends in the line's voicemail. docs/scripted-ivr.md has the words of both sides.
"""

from offhook.routing.dialling import is_home
from offhook.routing.model import Line
from offhook.routing.people import MAX_DIGITS, QUESTION_SECONDS
from offhook.routing.plan import AskScript, Gather, Hangup, Prompt, Told, Transfer
from offhook.routing.turn import Enter, Go, Mailbox, Turn, counted, name_of

MOST_ASKED = 30
"""How often workflows are asked in one call: a conversation that goes round ends in voicemail."""


def enter(turn: Turn, line: Line) -> Go:
    """A call is handed to the workflow of its line, from the beginning."""
    if not line.script:
        turn.because("no_script", f"{line.name} hands calls to a workflow, but none is attached: voicemail.")
        return Mailbox(line.target)
    if line.script in turn.config.missing_scripts:
        what = f"{line.name} hands calls to the workflow {line.script}, which is not registered any more: voicemail."
        turn.because("script_gone", what)
        return Mailbox(line.target)
    turn.state.script_step, turn.state.carried = 0, ""
    return _ask(turn, line, "")


def _ask(turn: Turn, line: Line, pressed: str) -> Go:
    state = turn.state
    if state.asked >= MOST_ASKED:
        turn.because("script_asked_enough", f"Workflows were asked {MOST_ASKED} times: voicemail of {line.name}.")
        return Mailbox(line.target)
    state.asked += 1
    state.script_step += 1
    seconds = line.script_seconds
    turn.because("script_asked", f"The workflow {line.script} was asked for step {state.script_step}, for {seconds} s.")
    turn.wait(
        "asking",
        AskScript(line.target, line.script, seconds, state.script_step, pressed, state.carried, line.office_id),
    )
    return None


def told(turn: Turn, line: Line, event: Told) -> Go:
    """What the workflow said."""
    state, said = turn.state, f"The workflow {line.script} said"
    if event.action == "ask" and event.digits > 0:
        turn.because("script_said", f"{said} to ask the caller for {counted(min(event.digits, MAX_DIGITS), 'key')}.")
        state.carried = event.carried
        turn.take()
        prompt = _prompt(event) or Prompt("Please dial.")
        turn.wait("question", Gather(prompt, min(event.digits, MAX_DIGITS), QUESTION_SECONDS, "question"))
        return None
    if event.action == "route" and event.target is not None:
        turn.because("script_said", f"{said}: {name_of(turn.config, event.target)}.")
        _speak(turn, event)
        return Enter(event.target)
    if event.action == "forward" and event.number:
        turn.because("script_said", f"{said} to send the call to {event.number}.")
        return _forward(turn, line, event)
    if event.action == "voicemail":
        turn.because("script_said", f"{said} that the caller leaves a message.")
        _speak(turn, event)
        return Mailbox(event.target or line.target)
    if event.action == "end":
        turn.because("script_said", f"{said} to end the call.")
        _speak(turn, event)
        turn.hang_up("message", Hangup())
        return None
    why = event.fault or "it says nothing to do"
    turn.because("script_failed", f"The workflow {line.script} gave no answer that can be used: {why}.")
    return Mailbox(line.target)


def answered(turn: Turn, line: Line, keys: str) -> Go:
    """The caller answered what the workflow wished to know."""
    turn.because("answered_question", f"The caller pressed {keys}." if keys else "The caller pressed nothing.")
    return _ask(turn, line, keys)


def _prompt(event: Told) -> Prompt | None:
    text = " ".join(event.message)
    return Prompt(text, "", event.recording) if text or event.recording else None


def _speak(turn: Turn, event: Told) -> None:
    prompt = _prompt(event)
    if prompt is not None:
        turn.hear(prompt)


def _forward(turn: Turn, line: Line, event: Told) -> Go:
    office = turn.config.offices.get(line.office_id)
    if office is None or not (office.international or is_home(event.number, office.country)):
        turn.because("international_off", f"{event.number} is abroad, and the office makes no such calls.")
        return Mailbox(line.target)
    _speak(turn, event)
    turn.state.outside = event.number
    turn.wait("out", Transfer(event.number, office.main_line, country=office.country))
    return None
