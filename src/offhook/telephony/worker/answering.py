"""What we answer ourselves, without sippy, and the same again for each copy of what was asked (RFC 3261 section 17.2).

What is kept is bounded by number and by time: strangers, who are answered by `give` alone, leave nothing here.
"""

import secrets
from collections.abc import Callable

from offhook.telephony.port import Address
from offhook.telephony.worker import answers, bodies
from offhook.telephony.worker.packet import Packet
from offhook.telephony.worker.rewriting import printable

COPIES = 20_000
COPY_LIFE = 32.0
"""Seconds in which a request may be sent again: 64 times T1."""
MANY = 1_000
"""Answers from which on those that are too old are looked for."""

Headers = tuple[tuple[str, str], ...]


class Answering:
    """Answers that are sent by `send`; `now` are seconds of a clock that never goes back."""

    def __init__(self, send: Callable[[bytes, Address], None], now: Callable[[], float]) -> None:
        self._send = send
        self._now = now
        self._key = secrets.token_bytes(32)
        self._copies: dict[tuple[str, ...], tuple[float, bytes, Address]] = {}

    def give(self, packet: Packet, source: Address, code: int, headers: Headers = (), reason: str = "") -> bytes:
        """Answer a request, and keep nothing of it."""
        content = answers.answer(packet, source, self._key, code, headers, reason)
        self._send(content, answers.back_to(packet, source))
        return content

    def refuse(self, packet: Packet, source: Address, code: int) -> None:
        """Refuse a request, with what its sender needs to know to do better."""
        known: dict[int, Headers] = {
            415: (("Accept", bodies.SDP),),
            420: (("Unsupported", printable(", ".join(bodies.unsupported(packet)))[:200]),),
            503: (("Retry-After", "10"),),
        }
        self.give(packet, source, code, known.get(code, ()))

    def again(self, packet: Packet, source: Address) -> bool:
        """Whether it was there before, and has been answered the same again."""
        copy = self._copies.get(_copy_key(packet, source))
        if copy is None or self._now() - copy[0] > COPY_LIFE:
            return False
        if copy[1]:
            self._send(copy[1], copy[2])
        return True

    def hold(self, packet: Packet, source: Address) -> None:
        """Copies of it say nothing until it is answered."""
        self._copies[_copy_key(packet, source)] = self._now(), b"", source
        while len(self._copies) > COPIES:
            del self._copies[next(iter(self._copies))]

    def final(self, packet: Packet, source: Address, code: int, headers: Headers) -> None:
        """Answer what was held."""
        content = self.give(packet, source, code, headers)
        self._copies[_copy_key(packet, source)] = self._now(), content, answers.back_to(packet, source)

    def look_through(self) -> None:
        """Forget what nobody sends again any more."""
        if len(self._copies) > MANY:
            due = self._now() - COPY_LIFE
            self._copies = {key: copy for key, copy in self._copies.items() if copy[0] > due}


def _copy_key(packet: Packet, source: Address) -> tuple[str, ...]:
    return (source[0], str(source[1]), packet.call_id, packet.branch, packet.from_tag, packet.first("cseq"))
