"""A call between two steps: all that the next decision needs to know, as JSON."""

from typing import Literal

import msgspec

from offhook.directory.lines.model import Target

Phase = Literal[
    "new", "menu", "name", "choice", "extension", "question", "reserving", "ringing", "asking", "voicemail", "talking",
    "out", "parked", "over",
]  # fmt: skip
NOWHERE = Target("unknown", 0)


class Reason(msgspec.Struct, frozen=True, gc=False):
    """Why a step went as it did: `code` for programs, `text` for people, `at` in milliseconds since 1970 UTC."""

    at: int
    code: str
    text: str


class CallState(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One call. `decide` never changes one that it is given; it answers with another.

    `where` is what the call has reached and `home` what it reached first; `open` is what was decided of the hours of
    `where`. Moments are milliseconds since 1970 UTC.
    """

    id: str
    seed: int
    v: int = 1
    config: int = 0
    phase: Phase = "new"
    began: int = 0
    now: int = 0
    caller: str = ""
    dialled: str = ""
    who: str = ""
    """The user or room that called, "" for a caller from outside."""
    where: Target = NOWHERE
    home: Target = NOWHERE
    via: Target = NOWHERE
    """The line that the call reached last, whose rules hold for recording and transcription."""
    hops: int = 0
    steps: int = 0
    open: bool = True
    rang: bool = False
    """Whether the operators of `where` had their turn."""
    taken: bool = False
    announced: bool = False
    tries: int = 0
    since: int = 0
    """From when on the caller waits for the operators of `where`: who waits longest is first."""
    until: int = 0
    """When the ringing of the operators of `where` is over; 0 until it has begun."""
    round: int = 0
    round_began: int = 0
    """When the first one was rung of those who have their turn in this round."""
    pausing: bool = False
    """Whether nobody is rung for a moment, as all have just declined or been busy."""
    tried: tuple[str, ...] = ()
    reserved: tuple[str, ...] = ()
    queued: int = 0
    spoken: int = 0
    """When the place in the queue was last said."""
    directory: Literal["", "directory", "company_directory", "last_name_directory", "last_name_company_directory"] = ""
    matches: tuple[str, ...] = ()
    question: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    """What a call router's service asked the caller last, and what was answered so far."""
    asked: int = 0
    script_step: int = 0
    carried: str = ""
    """How often workflows were asked in all, of the one that has the call which step, and what it gave along."""
    talking: str = ""
    parked: int = 0
    """Since when the call is on park, also while somebody is rung to take it; 0 if it is not."""
    parked_by: str = ""
    recalled: bool = False
    """Whether whoever parked it is rung, as nobody took it."""
    others: tuple[str, ...] = ()
    """Who is in the call beside the caller and whoever they talk with."""
    inviting: tuple[str, ...] = ()
    """Who is rung to come in, by what was asked for: "user:1", "office:2", a number."""
    reserved_in: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Of those the people who are reserved for it."""
    caller_left: bool = False
    """Whether the others go on without who called."""
    outside: str = ""
    """The number outside that was called last."""
    helping: bool = False
    """Whether it is an emergency call."""
    trial: bool = False
    """Whether that only tries out which address it would give."""
    noticed: bool = False
    """Whether people were told that it was placed, or that it was not."""
    sent_by: str = ""
    """Who sent the call on, to whom it comes back if nobody is there."""
    music: bool = False
    """Whether the caller hears music while a person is rung, as an API wished."""
    outcome: str = ""
    reasons: tuple[Reason, ...] = ()


def new_call(id: str, seed: int) -> CallState:
    """A call before its first event; `seed` is what every random order of it comes from."""
    return CallState(id=id, seed=seed)
