"""Two legs that hear each other, and waiting for what another process does."""

import threading
import time
from collections.abc import Callable

from offhook.telephony.worker.media import EngineMedia
from tests.telephony.worker.rtp_peers import PATIENCE, Peer, Sender, pause, tone

LEG, OTHER = 2, 4
Address = tuple[str, int]
Telephone = Callable[..., Peer]
"""Makes one."""


def bridged(media: EngineMedia, peer: Peer, other: Peer) -> tuple[Address, Address]:
    """Two legs that hear each other: where each is to speak to."""
    to, to_other = media.open(LEG), media.open(OTHER)
    media.agree(LEG, peer.voice)
    media.agree(OTHER, other.voice)
    media.connect(LEG, OTHER)
    return to, to_other


def both_say(peer: Peer, to: Address, other: Peer, to_other: Address, seconds: float = 0.5) -> float:
    """One says 440 Hz and the other 1,000 Hz, at once. How many seconds that took: a busy machine lets them wait."""
    began = time.monotonic()
    speaking = threading.Thread(target=other.say, args=(to_other, tone(1_000, seconds)))
    speaking.start()
    peer.say(to, tone(440, seconds))
    speaking.join()
    return time.monotonic() - began


def stranger(telephone: Telephone, host: str) -> Peer:
    """Somebody who is not of the call."""
    return telephone(host=host, stream=Sender(source=0xBAD))


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends
        pause(time.monotonic() + 0.02)
