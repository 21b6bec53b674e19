"""One leg of a call: what it has come to, and what is said about it to the server. Knows sound and no sippy.

A leg is told to be over once, whatever happens after that; its dialogue may go on for a while to end in good order.
"""

import re
import secrets
from collections.abc import Callable
from typing import Protocol

from msgspec import structs

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import sdp
from offhook.telephony.worker.bounds import is_hidden
from offhook.telephony.worker.packet import Packet, number_of, party, unescaped
from offhook.telephony.worker.sound import PCMA, PCMU, Media

CAUSES = {
    403: "declined", 404: "not found", 408: "no answer", 410: "not found", 415: "no sound agreed", 480: "no answer",
    484: "not found", 486: "busy", 487: "cancelled", 488: "no sound agreed", 600: "busy", 603: "declined",
    604: "not found", 606: "no sound agreed",
}  # fmt: skip
UNHEARD = "unheard"
"""The cause of an end where not one message had come back from whom we called."""

HOPS = 70
"""As often a call may be passed on that begins with us (RFC 3261 section 8.1.1.6)."""

_SIGNAL = re.compile(r"^[ \t]*(?:Signal[ \t]*=[ \t]*)?([0-9*#A-Da-d]|1[01])[ \t]*$", re.MULTILINE)


class Speaks(Protocol):
    """What a leg can have its dialogue do: see `dialogue.Dialogue`."""

    lTag: str  # noqa: N815
    cId: object  # noqa: N815
    heard_of: int

    def ring(self, code: int, description: bytes | None) -> None: ...
    def answer(self, description: bytes) -> None: ...
    def agree(self, description: bytes) -> None: ...
    def disagree(self, code: int) -> None: ...
    def refuse(self, code: int, reason: str) -> None: ...
    def end(self, reason: str) -> None: ...
    def ask(self) -> None: ...
    def refer(self, code: int) -> None: ...
    def again(self, packet: Packet) -> None: ...


def heard_at(host: str, source: str) -> str:
    """Where somebody hears who says that they hear at `host` and speaks from `source`.

    Behind a router a telephone does not know how it is reached: then it is reached as its signalling is.
    """
    return source if is_hidden(host, source) and host != "0.0.0.0" else host  # noqa: S104  (compared only)


def _nothing() -> None:
    """What a leg does on its arrival once that is long past."""


class Leg:
    """A leg from its first message on. `say` tells the server, `referral` finds a leg by what Replaces names."""

    def __init__(
        self,
        number: int,
        media: Media,
        say: Callable[[port.Event], None],
        source: Address,
        *,
        incoming: bool,
        username: str = "",
        trunk: int = 0,
        offer: sdp.Description | None = None,
        hops: int = HOPS,
    ) -> None:
        self.number = number
        self.hops = hops
        self.incoming = incoming
        self.source = source
        self.username = username
        self.trunk = trunk
        self.state = "early"
        """early, answered (the caller does not know yet), up, over."""
        self.local: Address = ("", 0)
        self.codec = PCMU
        self.theirs = offer
        self.held = False
        self.helps = False
        """Whether it is of a call for help, which silence does not end."""
        self.dialogue: Speaks | None = None
        self.on_arrived: Callable[[], None] = lambda: None
        self.on_over: Callable[[Leg], None] = lambda leg: None
        self.on_buried: Callable[[Leg], None] = lambda leg: None
        self.find: Callable[[str], int] = lambda replaces: 0
        self._media = media
        self._say = say
        self._session = secrets.randbits(31)
        self._version = 0
        self._sounds = b""
        self._dropped: str | None = None
        self._looked = self._progressed = 0.0
        self._progress: tuple[int, bytes | None] = (183, None)
        """What the caller was told of how it goes, which is told again while that lasts."""
        self._silent = False
        self.preferred: int = PCMU

    @property
    def over(self) -> bool:
        return self.state == "over"

    def called_by(self, caller: "Leg") -> int:
        """Be dialled on account of a leg, maybe for help; the codec to offer first, which is the caller's."""
        if caller.incoming:
            self.hops = caller.hops - 1
        caller.helps = caller.helps or self.helps
        return caller.codec

    def forget(self) -> None:
        """Know its dialogue no more: the two would be found by the garbage collector only, which stops everything."""
        self.dialogue = None
        self.on_arrived = _nothing

    # Told by the server

    def ring(self, early: bool) -> None:
        """180, or 183 with sound."""
        if self.state != "early" or not self.incoming or self.dialogue is None:
            return
        self._progress, self._progressed = (183, self._description()) if early else (180, None), 0.0
        self.dialogue.ring(*self._progress)

    def answer(self) -> None:
        """200; the caller's ACK makes it up."""
        if self.state != "early" or not self.incoming or self.dialogue is None:
            return
        self.state = "answered"
        self.dialogue.answer(self._description())

    def drop(self, code: int, reason: str, cause: str = "") -> None:
        """End it as it stands; `cause` is told in place of what is usual."""
        if self.over or self.dialogue is None:
            return
        before = self.state
        if before == "answered":
            # The BYE waits for the ACK (RFC 3261 section 15).
            self._dropped = reason
            self._down(0, cause or "ended", ours=True)
        elif before == "early" and self.incoming:
            self._down(code, cause or CAUSES.get(code, "refused"), ours=True)
            self.dialogue.refuse(code if 400 <= code <= 699 else 480, reason)
        else:
            if before == "early" and not cause and not self.dialogue.heard_of:
                # 487 is what is answered to a CANCEL: nobody was there to be told of one.
                self._down(0, UNHEARD, ours=True)
            else:
                usual = "cancelled" if before == "early" else "ended"
                self._down(487 if before == "early" else 0, cause or usual, ours=True)
            self.dialogue.end(reason)

    def cut(self) -> None:
        """What carried its sound is gone, with the port that the other side was told."""
        self.drop(503, "", port.CUT)

    def silent(self) -> None:
        """Nothing was heard of the other side for too long. In a call for help they are asked whether they are there:
        nobody is taken away from help as their sound, or their voice, fails.
        """
        if self.state == "up" and self.dialogue is not None and self.helps:
            self._silent = True
            self.dialogue.ask()
        elif self.state == "up" and self.dialogue is not None:
            self._down(0, "sound stopped", ours=True)
            self.dialogue.end("")

    def look(self, now: float, often: float, again: float) -> None:
        """Ask every `often` seconds whether somebody is there who sends no sound: on hold, silence says nothing. Tell a
        caller every `again` seconds that the call goes on which is not taken yet (RFC 3261 section 13.3.1.1).
        """
        if self.state == "early" and self.incoming and self.dialogue is not None:
            if not self._progressed:
                self._progressed = now
            elif now - self._progressed >= again:
                self._progressed = now
                self.dialogue.ring(*self._progress)
        theirs = self.theirs if self.state == "up" else None
        quiet = theirs is not None and (self._silent or not theirs.voice(self.codec).sends)
        if not quiet:
            self._looked = now
        elif now - self._looked >= often and self.dialogue is not None:
            self._looked = now
            self.dialogue.ask()

    # Told by the dialogue

    def arrived(self) -> None:
        self.on_arrived()

    def progressed(self, code: int, description: bytes | None) -> None:
        if self.over or code == 100:
            return
        if description is not None:
            self._hear(description)
        self._say(port.Progress(self.number, 180 if description is None else 183))

    def taken(self, description: bytes | None) -> None:
        if self.over or self.dialogue is None:
            return
        if self.state == "up":
            return
        if (description is not None and not self._hear(description)) or self.theirs is None:
            self._down(488, "no sound agreed", ours=True)
            self.dialogue.end('SIP;cause=488;text="Not Acceptable Here"')
            return
        self._up()

    def confirmed(self, description: bytes | None) -> None:
        if self._dropped is not None and self.dialogue is not None:
            reason, self._dropped = self._dropped, None
            self.dialogue.end(reason)
        elif self.state == "up" and description is not None:
            self._hear(description)
        elif self.state == "answered" and self.dialogue is not None:
            if (self.theirs is None and description is None) or (
                description is not None and not self._hear(description)
            ):
                self._down(488, "no sound agreed", ours=True)
                self.dialogue.end('SIP;cause=488;text="Not Acceptable Here"')
                return
            self._up()

    def failed(self, code: int) -> None:
        silent = code == 408 and self.dialogue is not None and not self.dialogue.heard_of
        self._down(code, UNHEARD if silent else CAUSES.get(code, "redirected" if code < 400 else "failed"))

    def left(self) -> None:
        code, cause = 0, "left"
        if self.state == "early":
            code, cause = 487, "left"
        elif self.state == "answered":
            code, cause = 408, "never acknowledged"
        self._down(code, cause)

    def gone(self) -> None:
        if self.state == "up" and self.dialogue is not None:
            self._down(0, "gone", ours=True)
            self.dialogue.end("")

    def offered(self, description: bytes) -> None:
        if self.dialogue is None:
            return
        theirs = sdp.read(description)
        if theirs is None or self.over:
            self.dialogue.disagree(488)
            return
        self._take(theirs, sdp.chosen(theirs))
        self.dialogue.agree(self._description())
        self._tell_held()

    def informed(self, packet: Packet) -> None:
        """A key in INFO: application/dtmf-relay (Signal=5) or application/dtmf (5); anything else is taken and left."""
        kind = packet.first("content-type").partition(";")[0].strip().lower()
        if self.over or kind not in ("application/dtmf-relay", "application/dtmf"):
            return
        if said := _SIGNAL.search(packet.body[:256].decode("latin-1").replace("\r", "")):
            key = {"10": "*", "11": "#"}.get(said[1], said[1]).upper()
            self._say(port.Key(self.number, key))

    def referred(self, packet: Packet) -> int:
        """Only a telephone of ours may ask; the server says whether the target may be called."""
        if self.over or self.trunk:
            return 603
        if len(packet.all("refer-to")) != 1:
            return 400
        target = party(packet.first("refer-to"))
        if target is None:
            return 400
        replaced = 0
        for part in target.uri.headers[1:].split("&") if target.uri.headers else ():
            name, _, value = part.partition("=")
            if name.lower() == "replaces":
                replaced = self.find(unescaped(value) if len(value) <= 384 else "")
                if not replaced:
                    return 603
        self._say(port.Referred(leg=self.number, target=number_of(target.uri), replaces=replaced))
        return 0

    def buried(self) -> None:
        if not self.over:
            self._down(0, "left")
        self.on_buried(self)

    # Sound

    def offer(self, first: int = PCMU) -> bytes:
        """What we offer of our own accord."""
        return self._written(sdp.write(
            self.local, self._version, self._session, (first, PCMA if first == PCMU else PCMU)
        ))  # fmt: skip

    def _description(self) -> bytes:
        """Our side of what was offered; an offer where nothing was."""
        if self.theirs is None:
            return self._written(sdp.write(self.local, self._version, self._session))
        self.codec = sdp.chosen(self.theirs)
        self._agree()
        direction = "inactive" if self.theirs.address[0] == "0.0.0.0" else sdp.OPPOSITE[self.theirs.direction]  # noqa: S104
        return self._written(sdp.write(
            self.local, self._version, self._session, (self.codec,), self.theirs.events, direction, self.theirs
        ))  # fmt: skip

    def _written(self, description: bytes) -> bytes:
        """With a version that grows when anything changes (RFC 3264 section 8)."""
        if description == self._sounds:
            return description
        old = f"o=- {self._session} {self._version} ".encode()
        self._version += 1
        self._sounds = description.replace(old, f"o=- {self._session} {self._version} ".encode(), 1)
        return self._sounds

    def _hear(self, description: bytes) -> bool:
        """An answer to what we offered."""
        theirs = sdp.read(description)
        if theirs is None:
            return False
        self._take(theirs, theirs.codecs[0])
        return True

    def _take(self, theirs: sdp.Description, codec: int) -> None:
        self.theirs, self.codec = theirs, codec
        self._agree()

    def _agree(self) -> None:
        if self.theirs is not None and not self.over:
            voice = self.theirs.voice(self.codec)
            host = heard_at(voice.address[0], self.source[0])
            self._media.agree(self.number, structs.replace(voice, address=(host, voice.address[1])))

    def _up(self) -> None:
        self.state = "up"
        self._agree()
        self._say(port.Up(self.number))
        self._tell_held()

    def _tell_held(self) -> None:
        held = self.theirs is not None and self.theirs.held
        if held != self.held and self.state == "up":
            self.held = held
            self._say(port.Held(self.number, held))

    def _down(self, code: int, cause: str, ours: bool = False) -> None:
        if self.over:
            return
        self.state = "over"
        self._media.release(self.number)
        self._say(port.Down(leg=self.number, code=code, cause=cause, ours=ours))
        self.on_over(self)
