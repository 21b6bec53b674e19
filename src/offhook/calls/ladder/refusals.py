"""What Offhook refused in a call: what somebody wished for, and the call itself, each with why. Pure."""

from offhook.calls import words
from offhook.routing import plan
from offhook.routing.trace import Step

_WISHES = (plan.Parked, plan.Unparked, plan.Invited, plan.Transferred, plan.Joined)
"""Events by which somebody in a call, or at an API, wishes for something."""

_DECIDED = (plan.Parked, plan.Transferred, plan.Joined, plan.Handed)
"""Events of what a telephone asks for, granted or not. What is refused at once, as nobody talks yet, is none."""

_DECIDING_MS = 11_000
"""Within which such an event comes, if it comes."""

_NEAR_MS = 2_000
"""By how much it may seem to come before it was asked for."""

_SAYS_SO = ("_refused", "_denied")
"""How the codes of reasons end that say that something is not done."""


def of_wish(step: Step) -> str:
    """Why what an event asked for was not done; "" where it was, or where nothing was asked for."""
    if isinstance(step.event, plan.Incoming | plan.Outgoing):
        return ""
    denied = [verb.text for verb in step.verbs if isinstance(verb, plan.Deny)]
    denied += [reason.text for reason in step.reasons if reason.code.endswith(_SAYS_SO)]
    if denied:
        return _plain(denied[0])
    wished = isinstance(step.event, _WISHES)
    return words.NOT_THERE if wished and changed_nothing(step) else ""


def decides(event: plan.Event, asked: int) -> bool:
    """Whether this may be what was decided of a transfer that a telephone asked for at that moment."""
    return isinstance(event, _DECIDED) and -_NEAR_MS <= event.at - asked <= _DECIDING_MS


def changed_nothing(step: Step) -> bool:
    """Whether an event came that could not be any more: its step says so, and the call went on as before."""
    return any(reason.code == "ignored" for reason in step.reasons)


def still_parked(step: Step) -> str:
    """Why a call stays on park that somebody was to take off it; "" where no step says that it does."""
    if not any(reason.code == "still_parked" for reason in step.reasons):
        return ""
    return _plain(step.reasons[0].text)


def ending(hangup: plan.Hangup, step: Step, code: int) -> str:
    """How Offhook ends a call. `code` is what a caller was answered whose call was never taken, 0 if it was.

    The reason that stands last in the step is why, unless the call ends as calls do.
    """
    said = words.HAPPENED["hangup" if hangup.cause in ("normal", "unavailable") else "refused"]
    if code:
        name = words.ANSWERS.get(code, "")
        said = f"answers {code} ({name})" if name else f"answers {code}"
    odd = bool(code) or hangup.cause != "normal"
    why = _plain(step.reasons[-1].text) if odd and step.reasons else ""
    return f"{said}: {why}" if why else said


def _plain(text: str) -> str:
    """A reason as the end of a line."""
    return text.strip().removesuffix(".")
