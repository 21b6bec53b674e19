"""REGISTER, once its sender is proven (RFC 3261 section 10): what it asks, told to the server, and the server's word
back.

Nothing is kept here of who is reached where; only what a REGISTER was answered is, for when it is sent again.
"""

from collections.abc import Callable

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker.packet import Packet, party, split, unescaped

LEAST, MOST, USUAL = 60, 3600, 3600
"""Seconds of a binding: a shorter one is refused (423), a longer one cut."""
CONTACTS = 10
WAITING = 5_000
"""Of them that wait for the server's word; the oldest is not answered any more, which is counted."""
Headers = tuple[tuple[str, str], ...]
Reply = Callable[[Packet, Address, int, Headers], None]


class Registrar:
    """Registrations on their way to the server. `reply` sends an answer, `say` tells the server, by numbers behind
    `first`. `refused` is told why each is turned away that nobody answers.
    """

    def __init__(
        self, reply: Reply, say: Callable[[port.Event], None], refused: Callable[[str], None], first: int = 0
    ) -> None:
        self._reply = reply
        self._say = say
        self._refused = refused
        self._number = first
        self._waiting: dict[int, tuple[Packet, Address]] = {}

    def register(self, packet: Packet, source: Address, username: str, proof: str) -> None:
        """Ask the server for what a telephone asks that has proven to be `username` by digests of the mark `proof`."""
        wanted = self._wanted(packet, username)
        if isinstance(wanted, int):
            self._reply(packet, source, wanted, (("Min-Expires", str(LEAST)),) if wanted == 423 else ())
            return
        self._number += 1
        self._waiting[self._number] = packet, source
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
            self._refused("too many waiting")
        self._say(port.Register(
            id=self._number,
            username=username,
            proof=proof,
            contacts=wanted[0],
            everything=wanted[1],
            source=source,
            call_id=packet.call_id,
            sequence=packet.sequence,
            agent=unescaped(packet.first("user-agent"))[:128],
        ))  # fmt: skip

    def registered(self, told: port.Registered) -> None:
        """The server's word."""
        found = self._waiting.pop(told.id, None)
        if found is not None:
            contacts = tuple(("Contact", f"<{uri}>;expires={seconds}") for uri, seconds in told.contacts)
            self._reply(*found, told.code, contacts if told.code == 200 else ())

    def _wanted(self, packet: Packet, username: str) -> tuple[tuple[tuple[str, int], ...], bool] | int:
        """The contacts with their seconds, and whether all are taken away; or a code."""
        if packet.callee is None or unescaped(packet.callee.uri.user) != username:
            return 403
        usual = min(int(packet.first("expires") or USUAL), MOST)
        values = [part.strip() for value in packet.all("contact") for part in split(value)]
        if values == ["*"]:
            return ((), True) if packet.first("expires") == "0" else 400
        if len(values) > CONTACTS:
            return 403
        found = []
        for value in values:
            contact = party(value)
            if contact is None or contact.uri.scheme not in ("sip", "sips"):
                return 400
            said = contact.params.get("expires", "")
            seconds = min(int(said), MOST) if said.isdecimal() and len(said) <= 10 else usual
            if 0 < seconds < LEAST:
                return 423
            found.append((contact.uri.text, seconds))
        return tuple(found), False
