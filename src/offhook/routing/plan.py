"""What a decision asks for, step by step, and what may come back: both JSON, so that any worker goes on with a call.

A step's verbs are carried out in order. The last one that can be answered ends the step, and its answer is the event of
the next. Whoever carries them out knows no strategy, no hours and no menu: only who rings, for how long, at once or in
turn.
"""

from typing import Literal

import msgspec

from offhook.directory.lines.model import Target
from offhook.emergency.model import CivicAddress

Mode = Literal["parallel", "serial"]
Hear = Literal["ringback", "hold_music"]
WaitFor = Literal["nothing", "whoever_is_rung", "whoever_is_free", "the_time"]
Missed = Literal["no_answer", "busy", "declined", "unreachable"]


class Prompt(msgspec.Struct, frozen=True, gc=False):
    """What a caller hears: the recording with this SHA-256 digest, or where there is none, `text` spoken.

    `purpose` is v2's ivr_type, "MENU" or "GREETING"; "" for what only Offhook says.
    """

    text: str
    purpose: str = ""
    recording: str = ""


class Leg(msgspec.Struct, frozen=True):
    """One who is rung: all of their devices (ids) and numbers (E.164) at once; who answers first has the call.

    `who` is "user:1", "room:2", "contact:3".
    """

    who: str
    name: str
    devices: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, tag="answer", tag_field="do"):
    """Take the call, from which on the caller can hear and press."""


class Play(msgspec.Struct, frozen=True, tag="play", tag_field="do"):
    """Let the caller hear something to its end."""

    prompt: Prompt


class Gather(msgspec.Struct, frozen=True, tag="gather", tag_field="do"):
    """Play, then read keys: at most `most`, ended by `#` or by `seconds` without a key. Keys interrupt the prompt.

    Answered by Pressed.
    """

    prompt: Prompt
    most: int
    seconds: int
    purpose: Literal["menu", "name", "choice", "extension", "question"]


class Reserve(msgspec.Struct, frozen=True, tag="reserve", tag_field="do"):
    """Take up to `count` of `members` (in order of joining) who are neither in a call nor rung by another one.

    Which of them, the strategy says, in the transaction that reserves them. `tried` had their turn; they come again
    when nobody else is left. With `seconds` the caller waits for somebody, hearing `hear`, and `keys` leave the wait;
    without, the place is taken where they would wait, and kept for a moment, in which they are asked for again. `since`
    is the moment from which the caller waits: who waits longest is first. In the queue there are `most_waiting` places;
    0 for who was in it before, and comes back whoever came meanwhile. `roster` are all operators of the line, also
    those who are away, which a round robin goes by. Ringback is that of `country`, hold music the recording `music`
    (SHA-256), "" for our own. With `asked` it is for who is asked into the call, which goes on meanwhile: that is no
    telephone's business. Answered by Reserved.
    """

    group: Target
    strategy: str
    members: tuple[str, ...]
    skills: tuple[int, ...]
    count: int
    seed: int
    round: int = 0
    tried: tuple[str, ...] = ()
    seconds: int = 0
    wait_for: WaitFor = "nothing"
    hear: Hear = "ringback"
    keys: str = ""
    since: int = 0
    most_waiting: int = 0
    roster: tuple[str, ...] = ()
    country: str = ""
    music: str = ""
    asked: str = ""


class Ring(msgspec.Struct, frozen=True, tag="ring", tag_field="do"):
    """Ring `legs`, at once or one behind the other, each for `seconds`. Answered by Answered or NotAnswered.

    The caller hears `hear` meanwhile, of `country` and `music` as in a Reserve, and `keys` leave the queue: Pressed.
    """

    mode: Mode
    legs: tuple[Leg, ...]
    seconds: int
    hear: Hear = "ringback"
    country: str = ""
    music: str = ""
    keys: str = ""


class Release(msgspec.Struct, frozen=True, tag="release", tag_field="do"):
    """Give back members that were reserved; `kept` has the call, or made it, and is busy until it ends."""

    members: tuple[str, ...]
    kept: str = ""


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="do"):
    """Ask a call router's web service where the call goes, for at most `seconds`. Answered by Told.

    `answers` are what callers pressed when the service had them asked, by the names that it gave to its questions.
    """

    router_id: int
    seconds: int
    answers: tuple[tuple[str, str], ...] = ()


class AskScript(msgspec.Struct, frozen=True, tag="ask_script", tag_field="do"):
    """Ask the workflow that is attached to a line for the next step, for at most `seconds`. Answered by Told.

    `step` counts from 1; `pressed` is what the caller answered to the step before, and `carried` (JSON, "" at first)
    what the workflow gave along with it. `office_id` is the office of the line.
    """

    group: Target
    script: str
    seconds: int
    step: int = 1
    pressed: str = ""
    carried: str = ""
    office_id: int = 0


class Bridge(msgspec.Struct, frozen=True, tag="bridge", tag_field="do"):
    """Connect the caller with who answered; whom either puts on hold hears `music`. Answered by Ended."""

    who: str
    transcribe: bool = False
    may_stop_transcript: bool = True
    music: str = ""


class Park(msgspec.Struct, frozen=True, tag="park", tag_field="do"):
    """Let go whom the caller talks with, and the caller hear hold music, `music`, until something else is to be done.

    Answered by Unparked, or by ParkOver after `seconds`.
    """

    seconds: int
    music: str = ""


class Invite(msgspec.Struct, frozen=True, tag="invite", tag_field="do"):
    """Ring `legs` at once, for `seconds`, while those in the call talk on, and let who answers first in.

    `asked` names what was wished for, as in the answer, CameIn or StayedOut. Numbers are shown `caller_id`.
    """

    asked: str
    legs: tuple[Leg, ...]
    seconds: int
    caller_id: str = ""


class Record(msgspec.Struct, frozen=True, tag="record", tag_field="do"):
    """Record the call from the next verb on: the caller has been told so."""


class Voicemail(msgspec.Struct, frozen=True, tag="voicemail", tag_field="do"):
    """Play the greeting, a tone, and record into a box for at most `seconds`. Answered by Recorded."""

    box: Target
    greeting: Prompt
    seconds: int


class Transfer(msgspec.Struct, frozen=True, tag="transfer", tag_field="do"):
    """Send the call out of the house, to `number`, showing `caller_id` ("" hides it).

    For an emergency call `location` is where help is to go, and nothing stands before this verb; a `trial` goes the
    same way, to what only says that address back. Answered by Answered or NotAnswered, which name the number, and
    after an answer by Ended; before that by CarrierFailed for each carrier that did not take it, and of a call for help
    first by CarrierCalled, unless there is no carrier.
    """

    number: str
    caller_id: str = ""
    emergency: bool = False
    location: CivicAddress | None = None
    country: str = ""
    trial: bool = False


class LetGo(msgspec.Struct, frozen=True, tag="let_go", tag_field="do"):
    """Let `who` go, with whom the caller talked: the call is sent on, and what follows is the caller's."""

    who: str


class CameBack(msgspec.Struct, frozen=True, tag="came_back", tag_field="do"):
    """Tell `who`, who sent the call on, that nobody was there: it comes back to them."""

    who: str


class HandOn(msgspec.Struct, frozen=True, tag="hand_on", tag_field="do"):
    """Let the side that was called, `party`, go on as the caller of a new call, which begins with `first`.

    Who called is let go. Answered by Handed, once that call has begun.
    """

    party: str
    first: "Transferred"


class Deny(msgspec.Struct, frozen=True, tag="deny", tag_field="do"):
    """Tell who wished to send the call on that it is not: all go on as they were. `text` says why."""

    text: str
    cause: Literal["forbidden", "unallocated"] = "forbidden"


class Notify(msgspec.Struct, frozen=True, tag="notify", tag_field="do"):
    """Tell the people of an office (0: it is not known) that an emergency call was placed, never before it; or that it
    was not, as `fault` says.
    """

    office_id: int
    who: str
    number: str
    fault: str = ""


class Hangup(msgspec.Struct, frozen=True, tag="hangup", tag_field="do"):
    """End the call; with `code`, SIP's, it is refused with what the number that was called answered."""

    cause: Literal["normal", "unavailable", "unallocated", "forbidden", "limit"] = "normal"
    code: int = 0


Verb = (
    Answer | Play | Gather | Reserve | Ring | Release | Ask | AskScript | Bridge | Park | Invite | Record | Voicemail
    | Transfer | LetGo | CameBack | HandOn | Deny | Notify | Hangup
)  # fmt: skip


class Incoming(msgspec.Struct, frozen=True, tag="incoming", tag_field="event"):
    """A call from outside, at `at` (milliseconds since 1970 UTC), to what a number belongs to or to `target`."""

    at: int
    caller: str = ""
    number: str = ""
    target: Target | None = None


class Outgoing(msgspec.Struct, frozen=True, tag="outgoing", tag_field="event"):
    """A user or room ("user:1", "room:2") dials."""

    at: int
    who: str
    dialled: str


class Pressed(msgspec.Struct, frozen=True, tag="pressed", tag_field="event"):
    """Keys, without the `#` that ended them; "" if none was pressed in time."""

    at: int
    keys: str = ""


class Reserved(msgspec.Struct, frozen=True, tag="reserved", tag_field="event"):
    """Who was reserved, in the order to ring; and of the others, who is in a call and who is being rung.

    `again`: all had their turn, and it began anew. `ahead` is how many callers wait before this one; `full`: the queue
    has no place left; `fault` says why nobody could be reserved at all. `asked` is as in the Reserve.
    """

    at: int
    members: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    rung: tuple[str, ...] = ()
    again: bool = False
    ahead: int = 0
    full: bool = False
    fault: str = ""
    asked: str = ""


class Answered(msgspec.Struct, frozen=True, tag="answered", tag_field="event"):
    """Who took the call; of a Transfer with the name of the `carrier` that it went by, where that is known."""

    at: int
    who: str
    carrier: str = ""


class NotAnswered(msgspec.Struct, frozen=True, tag="not_answered", tag_field="event"):
    """Nobody did, and why, of those of whom more is known than that they let it ring.

    `code` is what a number outside answered itself, as SIP has it; 0 if it did not, or only its carrier. `fault` says
    why a number outside was not even called, or of a Ring which numbers were not, each with why.
    """

    at: int
    why: dict[str, Missed] = {}
    code: int = 0
    fault: str = ""


class CarrierCalled(msgspec.Struct, frozen=True, tag="carrier_called", tag_field="event"):
    """A call for help has gone out, by the first `carrier` ("" where its name is not known)."""

    at: int
    carrier: str = ""


class CarrierFailed(msgspec.Struct, frozen=True, tag="carrier_failed", tag_field="event"):
    """A carrier answered `code` (SIP's) to a call to a number outside, or nothing that helps (0); it may go on.

    `location`: it is an answer to the address that went along, and the carrier is called once more without. `carrier`
    is its name, "" where that is not known.
    """

    at: int
    code: int = 0
    location: bool = False
    carrier: str = ""


class Told(msgspec.Struct, frozen=True, tag="told", tag_field="event"):
    """What a web service or a workflow said, or what went wrong with asking it.

    `route` to `target`, `forward` to `number` (E.164), `ask` for `digits` keys and give them back as `question`, `end`,
    or of a workflow `voicemail`, of `target` or the line; the caller hears `message` first, or of a workflow the
    recording with this digest instead. `carried` is what the workflow wishes to know again, as JSON.
    """

    at: int
    action: Literal["route", "forward", "ask", "end", "voicemail", ""] = ""
    target: Target | None = None
    number: str = ""
    message: tuple[str, ...] = ()
    question: str = ""
    digits: int = 0
    fault: str = ""
    recording: str = ""
    carried: str = ""


class Recorded(msgspec.Struct, frozen=True, tag="recorded", tag_field="event"):
    """A message of so many seconds was left; 0 if the caller said nothing."""

    at: int
    seconds: int = 0


class Ended(msgspec.Struct, frozen=True, tag="ended", tag_field="event"):
    """The other side hung up, or could not be reached if there is a `fault`."""

    at: int
    fault: str = ""


class HungUp(msgspec.Struct, frozen=True, omit_defaults=True, tag="hung_up", tag_field="event"):
    """The caller hung up; with a `cause` they did not, but were cut off by that, and by a fault of ours if `lost`.

    `ours`: nobody in the call did, but somebody at an API or a page.
    """

    at: int
    cause: str = ""
    lost: bool = False
    ours: bool = False


class Parked(msgspec.Struct, frozen=True, tag="parked", tag_field="event"):
    """Whoever has the call put it on park; `caller` if the wish is that of who called."""

    at: int
    caller: bool = False


class Unparked(msgspec.Struct, frozen=True, tag="unparked", tag_field="event"):
    """A user ("user:1") wishes to take the call off park."""

    at: int
    who: str


class ParkOver(msgspec.Struct, frozen=True, tag="park_over", tag_field="event"):
    """Nobody took it in time."""

    at: int


class Invited(msgspec.Struct, frozen=True, tag="invited", tag_field="event"):
    """One more is to come into the call: a `number` (E.164) or a `target`."""

    at: int
    number: str = ""
    target: Target | None = None


class CameIn(msgspec.Struct, frozen=True, tag="came_in", tag_field="event"):
    """`who` took the call that they were asked into by `asked`."""

    at: int
    asked: str
    who: str


class StayedOut(msgspec.Struct, frozen=True, tag="stayed_out", tag_field="event"):
    """Nobody of `asked` did, and why."""

    at: int
    asked: str
    why: Missed = "no_answer"


class Left(msgspec.Struct, frozen=True, tag="left", tag_field="event"):
    """One of more than two left, "" for the caller, and the others go on."""

    at: int
    who: str = ""


class Taped(msgspec.Struct, frozen=True, tag="taped", tag_field="event"):
    """An API had the call recorded from here on, or no longer."""

    at: int
    on: bool


class Transferred(msgspec.Struct, frozen=True, tag="transferred", tag_field="event"):
    """`by`, who is in the call, wishes to send the other side on: to what they would reach by `dialled`, or `target`.

    `by` is as states have it: "user:1", "room:2", or where an API asks also "contact:3" or a number. `box`: straight to
    the voicemail of it. `music`: the other side hears music while it rings there. `asked`: an API's key is good for it.

    As the first event of a call: its caller is `party`, who was the side that `by` had called, and talks to nobody now.
    """

    at: int
    by: str
    dialled: str = ""
    target: Target | None = None
    box: bool = False
    music: bool = False
    asked: bool = False
    party: str = ""


class Joined(msgspec.Struct, frozen=True, tag="joined", tag_field="event"):
    """`by`, with whom the caller talks, talks with `who` in the call `call` as well, and connects the two.

    As the first event of a call: its caller is `party`, whom `by` had called as well.
    """

    at: int
    by: str
    who: str
    call: str = ""
    party: str = ""


class Handed(msgspec.Struct, frozen=True, tag="handed", tag_field="event"):
    """Who was not sending is in the call `call` from now on; this one is over."""

    at: int
    call: str = ""


Event = (
    Incoming | Outgoing | Pressed | Reserved | Answered | NotAnswered | CarrierCalled | CarrierFailed | Told | Recorded
    | Ended | HungUp | Transferred | Joined | Handed | Parked | Unparked | ParkOver | Invited | CameIn | StayedOut
    | Left | Taped
)  # fmt: skip
First = Incoming | Outgoing | Transferred | Joined
"""What a call may begin with."""
