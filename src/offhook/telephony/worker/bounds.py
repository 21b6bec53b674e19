"""Bounds on what strangers use: packets of an address, and what was turned away, counted. Pure but for the clock it
is given.
"""

import ipaddress
import math
import threading
from collections import Counter
from collections.abc import Callable, Hashable
from itertools import islice
from typing import Generic, TypeVar

from offhook.kit.places import is_public

KNOWN = 20
"""Times as much is taken of an address that has proven itself: many telephones stand behind one."""
SOURCES = 20_000
"""Addresses that are remembered; the one that was longest silent is forgotten."""

FOR_HELP = 40
"""Legs beyond all bounds that calls for help may have: half of them for who calls, all of them for who is called."""

PORTS_FOR_HELP, FEW_PORTS = 4, 20
"""Ports for sound that are left to calls for help, where there are not too few for that."""

UNANSWERED = 3_700
"""Seconds that somebody who calls may wait for an answer, and a call for help too: the server gives up before. Without
that either would be ended after 300 (RFC 3261 sections 13.3.1 and 20.19).
"""

LONGEST_FOR_HELP = 6
"""Digits of an emergency number, at most."""

K = TypeVar("K", bound=Hashable)


def room(most: int, ports: int) -> int:
    """How many legs there may be of `most`, where so many `ports` are left for sound that help can be called too."""
    return min(most, ports - PORTS_FOR_HELP if ports >= FEW_PORTS else ports)


def may_be_for_help(dialled: str) -> bool:
    """Whether a number is so short that it may call for help; where it does so, only the server knows."""
    return 0 < sum(map(str.isdigit, dialled)) <= LONGEST_FOR_HELP


def is_hidden(host: str, source: str) -> bool:
    """Whether `host` cannot be a place of somebody who speaks to us from `source`, both of four numbers.

    A place of ours or of our network is not reached for somebody from outside, whatever they say: neither sound nor a
    request goes there for them.
    """
    said, seen = ipaddress.IPv4Address(host), ipaddress.IPv4Address(source)
    return (
        (is_public(seen) and not is_public(said))
        or (said.is_loopback and not seen.is_loopback)
        or (said.is_link_local and not seen.is_link_local)
    )


class Remembered(Generic[K]):
    """What was noted within the last `life` seconds, `most` of it at most: then the oldest goes."""

    def __init__(self, life: float, now: Callable[[], float], most: int = SOURCES) -> None:
        self._life, self._now, self._most = life, now, most
        self._noted: dict[K, float] = {}

    def note(self, key: K) -> None:
        """Remember it from now on."""
        self._noted.pop(key, None)
        self._noted[key] = self._now()
        if len(self._noted) > self._most:
            del self._noted[next(iter(self._noted))]

    def __contains__(self, key: K) -> bool:
        noted = self._noted.get(key)
        if noted is None:
            return False
        if self._now() - noted <= self._life:
            return True
        del self._noted[key]
        return False

    def __len__(self) -> int:
        return len(self._noted)


class Buckets:
    """A token bucket for each address: `rate` a second, `burst` at once. One thread's. Full ones are not kept."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self.rate = rate
        self.burst = burst
        self._now = now
        self._filled = burst / rate if rate else math.inf
        """Seconds after which every bucket is full again."""
        self._levels: dict[str, tuple[float, float]] = {}
        """How full they were and when, the one that was taken from last at the end."""
        self.known: dict[str, None] = {}
        """Addresses that are no strangers, the one that was named last at the end."""

    def know(self, host: str) -> None:
        """Take more of an address from now on."""
        self.known.pop(host, None)
        self.known[host] = None
        if len(self.known) > SOURCES:
            del self.known[next(iter(self.known))]

    def take(self, host: str) -> bool:
        """Whether one more packet of the address is within bounds."""
        now = self._now()
        more = KNOWN if host in self.known else 1
        level, at = self._levels.pop(host, (self.burst * more, now))
        level = min(self.burst * more, level + (now - at) * self.rate * more)
        taken = level >= 1
        self._levels[host] = (level - 1 if taken else level, now)
        for oldest in tuple(islice(self._levels, 2)):
            if len(self._levels) > SOURCES or now - self._levels[oldest][1] >= self._filled:
                del self._levels[oldest]
        return taken

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._levels)

    def give(self, host: str) -> None:
        """Take one back that was within its rights."""
        if host in self._levels:
            level, at = self._levels[host]
            self._levels[host] = min(self.burst, level + 1), at


class Refused:
    """What was turned away since it was last said, by why; counted by several threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, why: str, number: int = 1) -> None:
        """So many more."""
        with self._lock:
            self._counts[why] += number

    def said(self) -> dict[str, int]:
        """All of it, and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)
