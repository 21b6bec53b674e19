"""What the server and its SIP worker say to each other, whatever SIP library the worker stands on.

One socket between two processes of one machine; each message is its length (4 bytes, big end first) and MessagePack.
The worker knows telephones, trunks and sound, and nothing of companies, hours or who is rung: it says what happens on a
leg and does what it is told with it. A leg is one dialogue with one telephone or trunk, named by a number: odd ones are
made by the worker (calls that come in), even ones by the server (calls that go out), and none is ever given twice, also
by the worker that follows one that died. What is said of one that is over, or was never there, is left alone by both:
the two cross on the way.

Moments are seconds since 1970 UTC, lengths of time are seconds, addresses are (host, port).
"""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

Address = tuple[str, int]
MOST = 1_000_000
"""Bytes of one message."""

DIED = "the telephone process ended"
"""Cause of a `Down` that no worker said: it is gone, and each of its legs with it."""

CUT = "the process that carries sound ended"
"""Cause of a `Down` of a leg whose ports went with what had them: nobody would be heard there any more."""


def pairs(first: int, last: int) -> range:
    """The ports for sound within a range: even ones, each of which has the next one for its reports (RFC 3550 section
    11).
    """
    return range(first + 1 & ~1, last, 2)


class Trunk(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier. Who sends from one of `addresses` (an IP address or a network as 203.0.113.0/28; port 0 is any) is it.

    With `proves` it must prove it too, by that username and the digests of it, as `Account` has them; several carriers
    may send from one address then. Calls go out to `proxy`, proven with `username` and `password` if it asks for that.
    """

    id: int
    addresses: tuple[Address, ...] = ()
    proves: str = ""
    digests: dict[str, str] = {}
    proxy: Address | None = None
    domain: str = ""
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without what is secret: a log may come to hold it."""
        return f"Trunk(id={self.id}, addresses={self.addresses}, proves={self.proves!r}, proxy={self.proxy})"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what others may use. `packets` is a second and address, `burst` at once."""

    packets: float = 50.0
    burst: float = 200.0
    legs: int = 400
    """Legs at once, of all."""
    early: int = 100
    """Calls of one source address that are not answered yet."""
    calls: float = 100.0
    """Calls of one carrier a second, three times as many at once."""
    messages: float = 20.0
    """Messages of one call a second, five times as many at once."""


# Told to the worker


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag="configure"):
    """First of all, and again when it changes: carriers and limits. With `more` the rest of the carriers follows, and
    nothing changes before the last of them is there (`in_parts`). From `telephones` telephones have registered lately.
    """

    trunks: tuple[Trunk, ...] = ()
    limits: Limits = Limits()
    realm: str = "offhook"
    more: bool = False
    telephones: tuple[Address, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True, tag="account"):
    """Who a username is. `digests` are hashes of "username:realm:password" by algorithm ("MD5", "SHA-256") in hex.

    An empty map says that there is no such telephone; the worker lets nobody see the difference. Where that is not
    `sure`, as the store cannot be asked, it is not remembered.
    """

    username: str
    digests: dict[str, str] = {}
    sure: bool = True

    def __repr__(self) -> str:
        """Without the digests, which are as good as the password."""
        return f"Account(username={self.username!r}, {'known' if self.digests else 'unknown'})"


class Registered(msgspec.Struct, frozen=True, kw_only=True, tag="registered"):
    """The answer to `Register`: what a telephone is reached at now, each with the seconds left, or a refusal."""

    id: int
    code: int = 200
    contacts: tuple[tuple[str, int], ...] = ()


class Ring(msgspec.Struct, frozen=True, tag="ring"):
    """Tell the caller that it rings; `early` with sound of our own before the call is taken."""

    leg: int
    early: bool = False


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """Take the call. Up follows once the caller has said that it knows, or Down."""

    leg: int


class Dial(msgspec.Struct, frozen=True, kw_only=True, tag="dial"):
    """Call `uri` at `address` (where it registered from), on account of the leg `caller`, whose sound it is given.

    `display` and `number` say who calls ("" hides it). `trunk` is the carrier it goes by, 0 for a telephone of ours.
    `body` and `body_type` go along beside the session's description: a location. `headers` are added. Unheard is said
    where nothing came back within `patience`, or nothing but 100 within `trying` (0: it is not). What `helps` goes on
    beyond the bounds of other calls.
    """

    leg: int
    caller: int
    uri: str
    address: Address
    number: str = ""
    display: str = ""
    trunk: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    body_type: str = ""
    patience: float = 0.0
    helps: bool = False
    trying: float = 0.0


class Connect(msgspec.Struct, frozen=True, tag="connect"):
    """Let two legs hear each other from now on. What was played to either stops."""

    leg: int
    other: int


TOGETHER = 10
"""Legs that may hear each other, at most."""


class Join(msgspec.Struct, frozen=True, tag="join"):
    """Let `leg` and `others`, up to TOGETHER of them in all, hear each other from now on, as Connect does with two.

    One that is over, be it `leg`, leaves the rest together.
    """

    leg: int
    others: tuple[int, ...]


class Part(msgspec.Struct, frozen=True, tag="part"):
    """Let the leg hear nobody."""

    leg: int


class Drop(msgspec.Struct, frozen=True, tag="drop"):
    """End the leg, whatever it has come to: CANCEL, BYE, or a refusal with `code`."""

    leg: int
    code: int = 480
    reason: str = ""
    """Of RFC 3326, as `SIP;cause=200;text="Call completed elsewhere"`."""


class Play(msgspec.Struct, frozen=True, kw_only=True, tag="play"):
    """Let the leg hear files one behind the other, from the beginning `times` times (0 for ever). Played follows.

    A file is named without the end that says its encoding: the worker takes what the leg speaks.
    """

    leg: int
    token: int
    files: tuple[str, ...]
    times: int = 1


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Let the leg hear no more of what is played to it. No Played follows."""

    leg: int


class Record(msgspec.Struct, frozen=True, kw_only=True, tag="record"):
    """Write what the leg says to `path`, with `both` what it hears too; ended by StopRecording, or when it is over.

    Recorded follows in any case: with 0 seconds where the leg was over before.
    """

    leg: int
    path: str
    both: bool = False


class StopRecording(msgspec.Struct, frozen=True, tag="stop_recording"):
    """Write no more. Recorded follows."""

    leg: int


class Refer(msgspec.Struct, frozen=True, kw_only=True, tag="refer"):
    """The answer to `Referred`: 202 and how it went on later, or a refusal."""

    leg: int
    code: int


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Are you there? Answered by Pong from the loop that does all else, in its turn: one that hangs answers nothing."""


class Close(msgspec.Struct, frozen=True, tag="close"):
    """End all legs within `seconds`, and then yourself."""

    seconds: float = 2.0


Command = (
    Configure | Account | Registered | Ring | Answer | Dial | Connect | Join | Part | Drop | Play | Stop | Record
    | StopRecording | Refer | Ping | Close
)  # fmt: skip


# Told by the worker


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """It listens at `address`; said once, first."""

    address: Address
    media: str = ""
    """What carries sound, by its name."""


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """The answer to Ping."""


class Whois(msgspec.Struct, frozen=True, tag="whois"):
    """Who is this? Answered by Account."""

    username: str


class Register(msgspec.Struct, frozen=True, kw_only=True, tag="register"):
    """A telephone that has proven itself is reached at `contacts`, each for so many seconds (0: no more), from now on.

    `everything` takes away all that it is reached at. `proof` is the `mark` of the digests that it proved itself with.
    Answered by Registered once that is on disk.
    """

    id: int
    username: str
    proof: str
    contacts: tuple[tuple[str, int], ...]
    source: Address
    call_id: str
    sequence: int
    agent: str = ""
    everything: bool = False


class Incoming(msgspec.Struct, frozen=True, kw_only=True, tag="incoming"):
    """Somebody calls: a telephone that has proven to be `username`, or the carrier `trunk`.

    `caller`, `display` and `dialled` are what was sent, cut to 128 characters; `source` is where from.
    """

    leg: int
    caller: str
    dialled: str
    source: Address
    display: str = ""
    username: str = ""
    trunk: int = 0
    call_id: str = ""
    crowded: bool = False
    """Bounds are reached: only a call for help may go on."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """A leg that was dialled says that it rings (180), or lets hear something (183)."""

    leg: int
    code: int


class Unheard(msgspec.Struct, frozen=True, tag="unheard"):
    """Nothing at all has come back from where a leg was dialled, for as long as its `patience`, or nothing but that it
    tries for as long as its `trying`. It goes on.
    """

    leg: int


class Up(msgspec.Struct, frozen=True, tag="up"):
    """The leg is there: it took the call, or knows that it was taken."""

    leg: int


class Down(msgspec.Struct, frozen=True, kw_only=True, tag="down"):
    """The leg is over. `code` is SIP's, 0 if it had been there and left, or we let it go of which nothing was heard;
    `ours` if we ended or could not dial it.

    `cause` says it in words for the call's record: "busy", "declined", "no answer", "sound stopped", "left", "unheard"
    where it was called and not one message came back, ...
    """

    leg: int
    code: int = 0
    cause: str = ""
    ours: bool = False


class Sound(msgspec.Struct, frozen=True, kw_only=True, tag="sound"):
    """What became of the sound of a leg that is over, said behind its Down if it had any.

    `codec` is its name in RFC 3551, "" if none was agreed; packets that came, and that never did by their numbers.
    """

    leg: int
    codec: str = ""
    received: int = 0
    lost: int = 0


class Key(msgspec.Struct, frozen=True, tag="key"):
    """A key was pressed: one of 0-9 * # A-D, however it was sent."""

    leg: int
    key: str


class Played(msgspec.Struct, frozen=True, tag="played"):
    """What was played has been heard to its end; with a fault it could not be."""

    leg: int
    token: int
    fault: str = ""


class Recorded(msgspec.Struct, frozen=True, kw_only=True, tag="recorded"):
    """A recording is whole and on disk: a WAV file of G.711, so many seconds of it in which something was said.

    With a `fault` some of it is missing; with 0 seconds then it is not whole, and what there is of it is beside `path`.
    """

    leg: int
    path: str
    seconds: float
    fault: str = ""


class Held(msgspec.Struct, frozen=True, tag="held"):
    """The leg is put on hold by its telephone, or no longer."""

    leg: int
    on: bool


class Referred(msgspec.Struct, frozen=True, kw_only=True, tag="referred"):
    """A telephone asks that its other side be sent to `target`; with `replaces` to whom it talks with on that leg."""

    leg: int
    target: str
    replaces: int = 0


class Fault(msgspec.Struct, frozen=True, tag="fault"):
    """Something went wrong in the worker, which goes on. Counted, and said at most once a second."""

    what: str
    count: int = 1


class TurnedAway(msgspec.Struct, frozen=True, kw_only=True, tag="turned_away"):
    """Somebody did not prove who they are, said at most once a second: of one of them, and how many `more` there were.

    `username` is what was given, printable and of 64 characters at most; `cause` is in words, for who reads the log.
    """

    source: Address
    username: str
    method: str
    cause: str
    more: int = 0


class Figures(msgspec.Struct, frozen=True, kw_only=True, tag="figures"):
    """Every second while anything goes on: packets of sound, of which so many were lost, and what was turned away."""

    legs: int
    received: int = 0
    lost: int = 0
    refused: dict[str, int] = {}
    transactions: int = 0
    """Requests that are not settled yet, either way."""
    strangers: int = 0
    """Packets of sound that were not taken, as they were of nobody who is spoken with; since the start, like those."""


Event = (
    Ready | Pong | Whois | Register | Incoming | Progress | Unheard | Up | Down | Sound | Key | Played | Recorded | Held
    | Referred | Fault | TurnedAway | Figures
)  # fmt: skip


def mark(digests: Mapping[str, str]) -> str:
    """Which password digests are of: the same for the same ones, and of no use to prove anything."""
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:32]


def in_parts(told: Configure, most: int = MOST // 2) -> list[Configure]:
    """The same in as many messages as none of which is too long, however many carriers there are."""
    parts: list[list[Trunk]] = [[]]
    size = 0
    for trunk in told.trunks:
        length = len(msgspec.msgpack.encode(trunk))
        if parts[-1] and size + length > most:
            parts.append([])
            size = 0
        parts[-1].append(trunk)
        size += length
    if told.telephones and told.trunks:
        parts.append([])
    last = len(parts) - 1
    return [
        msgspec.structs.replace(
            told, trunks=tuple(part), more=number < last, telephones=told.telephones if number == last else ()
        )
        for number, part in enumerate(parts)
    ]


def framed(message: Command | Event) -> bytes:
    """A message as it goes over the socket."""
    content = msgspec.msgpack.encode(message)
    return len(content).to_bytes(4, "big") + content


class Frames:
    """Messages out of what comes over the socket. ValueError for what is none, after which nothing more can be read."""

    def __init__(self, kind: object) -> None:
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._buffer = bytearray()

    def feed(self, content: bytes) -> "Iterator[Command | Event]":
        """The messages that are whole by now."""
        self._buffer += content
        while len(self._buffer) >= 4:
            size = int.from_bytes(self._buffer[:4], "big")
            if size > MOST:
                raise ValueError(f"A message of {size:,} bytes is longer than {MOST:,}.")
            if len(self._buffer) < 4 + size:
                return
            content = bytes(self._buffer[4 : 4 + size])
            del self._buffer[: 4 + size]
            try:
                yield self._decoder.decode(content)
            except msgspec.MsgspecError as error:
                raise ValueError(f"A message cannot be read: {error}") from None
