"""What carries a leg's sound, whatever does it: ports and packets here, and nothing of SIP.

`Media` is all that the signalling knows of sound. It is called from the signalling's thread only and returns at once;
what comes of it is told through `Heard`, from any thread. A leg that is not there is left alone.
"""

from typing import Protocol

import msgspec

from offhook.telephony.port import Address

PCMU = 0
PCMA = 8
"""Payload types of RFC 3551; no other is ever agreed on."""
NAMES = {PCMU: "PCMU", PCMA: "PCMA"}


class NoPort(Exception):
    """Every port is taken."""


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed with the other side of a leg.

    It hears at `address` and speaks `codec` (0 PCMU, 8 PCMA) in both directions; `events` is the payload type of its
    telephone events (RFC 4733), the same in both directions, None if it has none. `sends` is False while it has put
    us on hold or hears only: then no silence is told. `hears` is False while it wants no sound: then none is sent.
    Sound is taken only from `address`'s host; from another port of it when the first packets come from there (a NAT).
    """

    address: Address
    codec: int = PCMU
    events: int | None = None
    sends: bool = True
    hears: bool = True


class Heard(Protocol):
    """Who is told; each may be called from any thread, and never blocks."""

    def key(self, leg: int, key: str) -> None:
        """A telephone event has ended, told once however often it was sent: one of 0-9 * # A-D."""

    def played(self, leg: int, token: int, fault: str) -> None:
        """All files were heard as often as asked, or could not be ("" is no fault)."""

    def recorded(self, leg: int, path: str, seconds: float, fault: str) -> None:
        """A recording is whole and on disk (WAV of G.711), with so many seconds in which something was said."""

    def silent(self, leg: int) -> None:
        """No packet came for the time that was set, of a leg whose other side should send. Told once."""

    def cut(self, leg: int) -> None:
        """Its port is gone, and nothing is heard there any more. Told once, in the place of all else."""

    def ended(self, leg: int, codec: str, received: int, lost: int) -> None:
        """The leg was released: its codec by name ("" if none was agreed), packets that came, and that never did."""


class Media(Protocol):
    """Sound of many legs, each named by its number in the port's messages."""

    name: str
    """For `Ready.media`."""

    ports: int
    """How many legs may have one at once."""

    def open(self, leg: int) -> Address:
        """Take a port for the leg: the address that goes into its description. NoPort when there is none."""

    def agree(self, leg: int, voice: Voice) -> None:
        """Speak with the other side so from now on; called again when it changes (a hold, another address).

        What is played, recorded and connected goes on.
        """

    def connect(self, leg: int, other: int) -> None:
        """Let two legs hear each other: what was played to either stops, and who they heard before hears them no more.

        Two legs may speak different codecs and have different payload types for events: that is translated. Either may
        not be agreed yet, or only one way; then it begins once it is.
        """

    def join(self, legs: tuple[int, ...]) -> None:
        """Let several legs hear each other, as `connect` does with two; one that is released leaves the others so."""

    def part(self, leg: int) -> None:
        """Let the leg and whom it was connected with hear nobody."""

    def play(self, leg: int, token: int, files: tuple[str, ...], times: int) -> None:
        """Play files one behind the other, `times` times (0 for ever), in place of what is played. `played` follows.

        A file's name has no ending: `name.ulaw` and `name.alaw` are raw G.711 of 8,000 Hz.
        """

    def stop(self, leg: int) -> None:
        """Play no more; no `played` follows."""

    def record(self, leg: int, path: str, both: bool) -> None:
        """Write what the leg says (and hears) to `path` as WAV; one at a time, a second one ends the first.

        `recorded` follows in any case, of a leg that is not there with nothing on it.
        """

    def stop_recording(self, leg: int) -> None:
        """Write no more; `recorded` follows."""

    def release(self, leg: int) -> None:
        """The leg is over: `recorded` follows if it was recorded, and its port is free again."""

    def figures(self) -> tuple[int, int]:
        """Packets received since the start, and how many never came (by sequence number)."""

    def strangers(self) -> int:
        """Packets since the start that were not taken."""

    def close(self) -> None:
        """Release everything and stop all threads."""
