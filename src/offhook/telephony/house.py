"""What the telephones of every call need: ways to people, sounds, tapes, and the legs of the SIP worker."""

from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from offhook.calls.legs.model import Seen
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.routing import plan
from offhook.routing.plan import Hear, Missed, Prompt
from offhook.routing.trace import Step
from offhook.telephony import port
from offhook.telephony.carrying import Carried
from offhook.telephony.exchange import Exchange

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
"""RFC 3326: a telephone that is told so shows no missed call."""

_BUSY, _DECLINED = (486, 600), (603, 403, 607, 608)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to somebody: a telephone where it registered, or a number by a carrier."""

    uri: str
    address: port.Address
    trunk: int = 0
    carrier: str = field(default="", compare=False)
    """The name of the trunk."""
    display: str = ""
    number: str | None = None
    """Who is shown to call; "" hides it, and None is who calls."""


class Ways(Protocol):
    """Who is reached where."""

    async def of_device(self, tenant_id: int, device_id: str) -> list[Way]:
        """Where a telephone is registered now; none if it is not."""

    async def of_number(self, tenant_id: int, number: str, *, emergency: bool, but: Collection[int] = ()) -> Way | None:
        """The carrier that a number may be called by, of those that are not `but`; None if none may."""

    async def why_not(self, tenant_id: int, number: str, *, emergency: bool) -> str:
        """Why a number can be called by no carrier, as the end of a sentence."""


class Sounds(Protocol):
    """What callers hear, as files that the worker can play."""

    async def of_prompt(self, tenant_id: int, prompt: Prompt) -> tuple[str, ...]:
        """A recording, or a text spoken."""

    def are_beeps(self, files: tuple[str, ...]) -> bool:
        """Whether these, of a prompt, are beeps in its place."""

    def of_waiting(self, hear: Hear, country: str = "") -> tuple[str, ...]:
        """Ringback as in a country, or music on hold."""

    async def of_hold(self, tenant_id: int, music: str) -> tuple[str, ...]:
        """Music on hold: the recording with this digest, or ours where it cannot be had."""

    def tone(self) -> tuple[str, ...]:
        """After which a message is spoken."""


class Tapes(Protocol):
    """Where what is recorded goes."""

    def new_message(self, tenant_id: int, call_id: int, box: Target) -> str:
        """The path of a message that is about to be left."""

    async def message_left(self, tenant_id: int, call_id: int, box: Target, path: str, seconds: float) -> None:
        """It is whole; with 0 seconds it is thrown away."""

    def new_recording(self, tenant_id: int, call_id: int) -> str:
        """The path of a recording that is about to begin."""

    async def recording_begun(self, path: str) -> None:
        """It is being recorded."""

    async def recording_made(
        self, tenant_id: int, call_id: int, path: str, seconds: float, people: tuple[str, ...] = ()
    ) -> None:
        """It is whole; `people` are on it ("user:1")."""


class Legs(Protocol):
    """What a call asks of the worker."""

    def tell(self, command: port.Command) -> None: ...
    def new_leg(self, heard: Callable[[port.Event], None]) -> int: ...
    def hold(self, leg: int, heard: Callable[[port.Event], None]) -> None: ...
    def let_go(self, leg: int) -> None: ...


@dataclass(slots=True)
class Other:
    """Somebody who was dialled, or came from another call, as `who`: "user:1", "contact:2", a number."""

    leg: int
    who: str
    device: str = ""
    up: bool = False
    down: port.Down | None = None
    outside: bool = False
    """Whether the caller may hear what comes before the answer."""
    carried: Carried | None = None
    """By whom it goes on where the carrier fails, until they answer."""

    @property
    def telephone(self) -> str:
        """The id of the telephone of ours that it is; "" for a number outside."""
        return "" if self.device.startswith("+") else self.device


async def _nothing(_call_id: int, _event: plan.Event) -> Step | None:
    return None


@dataclass(frozen=True, slots=True)
class House:
    """What every call needs. `happened`, `seen`, `decided`, `withdraw` and `leg_of` are those of `Calls`; `location`
    writes where help is to go, with its type. `exchange` knows all calls.
    """

    legs: Legs
    ways: Ways
    sounds: Sounds
    tapes: Tapes
    happened: Callable[[int, plan.Event], bool]
    location: Callable[[plan.Transfer], tuple[bytes, str]]
    sleep: Callable[[float], Coroutine[Any, Any, None]] = clock.sleep
    seen: Callable[[int, Seen], None] = lambda _call_id, _seen: None
    decided: Callable[[int, plan.Event], Awaitable[Step | None]] = _nothing
    withdraw: Callable[[int, plan.Event], bool] = lambda _call_id, _event: True
    leg_of: Callable[[int, str], int] = lambda _call_id, _who: 0
    exchange: Exchange = field(default_factory=Exchange)
    outside_seconds: float = 14_400.0
    """For which numbers outside talk with each other at most, where nobody of the company is with them."""
    belongs: Callable[[int, int, int, str, str, str], None] = lambda *_: None
    """Is told whose each leg is from now on: leg, tenant, call, who ("" who called), device, address ("" as before)."""

    beeped: Callable[[int, Prompt], None] = lambda _leg, _prompt: None
    """Is told of each prompt that is beeps to a leg."""

    async def prompt(self, tenant_id: int, leg: int, prompt: Prompt) -> tuple[str, ...]:
        """The files of a prompt that a leg hears."""
        files = await self.sounds.of_prompt(tenant_id, prompt)
        if self.sounds.are_beeps(files):
            self.beeped(leg, prompt)
        return files

    def begun(self, tenant_id: int, call_id: int, caller: int, other: Other | None) -> None:
        """A call begins on the leg of who called, or of legs that were in another one."""
        self.belongs(caller, tenant_id, call_id, "", "", "")
        if other is not None:
            self.joined(tenant_id, call_id, other)

    def joined(self, tenant_id: int, call_id: int, other: Other, way: Way | None = None) -> None:
        """Somebody is dialled by a way, or comes into a call, if that has begun."""
        if call_id:
            address = f"{way.address[0]}:{way.address[1]}" if way is not None else ""
            self.belongs(other.leg, tenant_id, call_id, other.who, other.telephone, address)


def missed(down: port.Down, *, carrier: bool = False) -> Missed:
    """Why somebody did not take a call, by how their leg ended (RFC 3261 section 21).

    What a `carrier` forbids (403) nobody has declined.
    """
    if down.code in _BUSY:
        return "busy"
    if carrier and down.code == 403:
        return "unreachable"
    return "declined" if down.code in _DECLINED else "unreachable" if down.code not in (0, 487) else "no_answer"
