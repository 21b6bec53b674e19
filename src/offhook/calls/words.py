"""What calls are told in: the one table of words for phases, for what happens, and for why something ended. Pure.

A word that is not here, as of what came later, is told as it is written, so that nothing is ever left out.
"""

from collections import defaultdict
from collections.abc import Mapping

PHASES: Mapping[str, str] = {
    "new": "Coming in",
    "menu": "In the menu of {place}",
    "name": "Looking for a name at {place}",
    "choice": "Choosing among names at {place}",
    "extension": "Dialling an extension at {place}",
    "question": "Being asked by {place}",
    "reserving": "Waiting for {place}",
    "ringing": "Ringing {people}",
    "asking": "Coming to {place}, which is asked where to",
    "voicemail": "Leaving a message for {place}",
    "talking": "Talking with {people}",
    "out": "Calling {people}",
    "trial": "Trying out the emergency address by {people}",
    "parked": "Parked at {place}",
    "held": "On hold",
    "over": "Over",
}
"""Where a call is, by its phase."""

CAUSES: Mapping[str, str] = {
    "abandoned": "over before anybody answered",
    "answered": "over after talking",
    "busy": "busy",
    "caller_left": "the caller hung up",
    "cancelled": "no longer rung",
    "declined": "declined",
    "elsewhere": "answered elsewhere",
    "ended": "hung up on",
    "left": "hung up",
    "lost": "lost, as the process that had the call ended",
    "no_answer": "did not answer",
    "not_rung": "their turn never came",
    "parked": "put the call on park",
    "refused": "refused by Offhook",
    "transferred": "sent the call on",
    "unheard": "nothing was heard from it",
    "unreachable": "could not be reached",
    "voicemail": "left a message",
}
"""Why a leg ended."""

HAPPENED: Mapping[str, str] = {
    "incoming": "calls {number}",
    "outgoing": "dials {number}",
    "pressed": "presses {keys}",
    "answered": "answers",
    "not_answered": "did not answer",
    "told": "says where to",
    "recorded": "leaves a message of {seconds} s",
    "ended": "hangs up",
    "hung_up": "hangs up",
    "hung_up_on": "hangs up from here",
    "carrier_called": "{carrier} is called",
    "carrier_failed": "{carrier} does not take the call",
    "location_not_taken": "{carrier} does not take the address: called without it",
    "answer": "takes the call",
    "reserve": "has the caller wait",
    "ring": "rings for up to {seconds} s",
    "ask": "asks the web service",
    "ask_script": "asks the workflow",
    "bridge": "connected",
    "record": "records from here",
    "taped": "records from here, as an API asked",
    "untaped": "records no longer, as an API asked",
    "transfer": "calls",
    "emergency": "calls for help",
    "trial": "tries out the emergency address",
    "hangup": "ends the call",
    "refused": "refuses the call",
    "refuses": "refuses: {why}",
    "cut_off": "cuts off: {why}",
    "rang": "it rings",
    "taken": "takes the call",
    "hold": "puts on hold",
    "resume": "is back from hold",
    "referred": "asks to transfer to {number}",
    "stopped": "stops ringing",
    "parked": "puts the call on park",
    "unparked": "asks for the parked call",
    "park_over": "nobody took the call off park",
    "invited": "asks {whom} in",
    "came_in": "comes in",
    "stayed_out": "stays out",
    "left": "leaves",
    "transferred": "sends the call on to {whom}",
    "joined": "connects the call with {whom}",
    "handed": "goes on as another call",
    "park": "parks the call",
    "still_parked": "stays on park",
    "not_rung": "not rung: {why}",
    "let_go": "lets go",
    "came_back": "says that the call comes back",
    "hand_on": "hands the other side on",
    "deny": "does not send the call on",
    "lost": "the process that had the call ended",
}
"""What happens between parties of a call: events and verbs by their tags, and what telephones tell."""


WISHED: Mapping[str, str] = {
    "parked": "asks to park the call",
    "unparked": "asks for the parked call",
    "invited": "is asked to have {whom} in",
    "transferred": "asks to send the call on to {whom}",
    "joined": "asks to connect the call with {whom}",
    "hung_up": "is asked to hang up",
}
"""The same of events whose wish is refused."""

NOT_THERE = "the call is not where that can be done"
"""Why something is refused that could not be done when it was asked for."""

ANSWERS: Mapping[int, str] = {
    403: "forbidden",
    404: "no such number",
    408: "no answer in time",
    410: "no such number",
    480: "nobody is reached",
    484: "not all of a number",
    486: "busy",
    487: "given up",
    488: "no way of sound",
    500: "a fault",
    503: "no room",
    600: "busy",
    603: "declined",
    604: "no such number",
}
"""What SIP's status says to a caller (RFC 3261 section 21)."""

LEGS: Mapping[str, str] = {
    "calling": "calls",
    "ringing": "rings",
    "connected": "in the call",
    "parked": "on park",
    "voicemail": "leaves a message",
    "waiting": "waits",
    "later": "their turn is to come",
}
"""Where a leg is that is not over, by its state: `waiting` is a caller, and `later` one who is rung behind others."""


def of(table: Mapping[str, str], word: str, **values: object) -> str:
    """What a word says, with values put in, nothing for one that is not given; a word without words as itself."""
    text = table.get(word)
    return text.format_map(defaultdict(str, values)).strip() if text is not None else plain(word)


def plain(word: str) -> str:
    """A word of programs as people write it: `not_answered` as "not answered"."""
    return word.replace("_", " ")


def listed(names: "list[str]", most: int = 4) -> str:
    """Names as a sentence has them: "A, B and C", "A, B, C, D and 3 more"."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 2 else names)
