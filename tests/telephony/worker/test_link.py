"""The worker's end of the socket: events go together and in order, also to a server that takes none for a while."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from offhook.telephony import port
from offhook.telephony.worker import link
from offhook.telephony.worker.link import Link


class Loop:
    """The loop, as far as a link knows it: what is to be called soon waits until the test lets it."""

    def __init__(self) -> None:
        self._soon: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue()

    def soon(self, call: Callable[..., None], *values: Any) -> None:
        self._soon.put((call, values))

    def once(self, wait: float = 5.0) -> None:
        call, values = self._soon.get(timeout=wait)
        call(*values)

    @property
    def waits(self) -> int:
        return self._soon.qsize()


class Ends:
    """A link, and the server's end of its socket."""

    def __init__(self) -> None:
        self.server, ours = socket.socketpair()
        self.server.settimeout(5)
        self.loop, self.gone, self.told = Loop(), threading.Event(), list[port.Command]()
        self.link = Link(ours, self.told.append, self.gone.set, self.loop.soon)
        self.link.start()

    def heard(self, count: int) -> list[port.Event]:
        frames: Any = port.Frames(port.Event)
        found: list[port.Event] = []
        while len(found) < count:
            found += frames.feed(self.server.recv(65_536))
        return found


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.server.close()
    made.link.close()


def test_events_of_one_pass_go_as_one_packet(ends: Ends):
    said = [port.Up(number) for number in range(3)]
    for event in said:
        ends.link.say(event)
    assert ends.loop.waits == 1
    ends.loop.once()
    assert ends.server.recv(65_536) == b"".join(map(port.framed, said))


def test_nothing_is_lost_or_overtakes_while_the_server_takes_nothing(ends: Ends):
    said: list[port.Event] = [port.Fault("x" * 1_000, number) for number in range(2_000)]
    for event in said:
        ends.link.say(event)
    ends.loop.once()
    more: list[port.Event] = [port.Up(number) for number in range(5)]
    for event in more:
        ends.link.say(event)
        ends.loop.once()
    # Only now does it read, and the thread that went on with the rest says that it is through.
    assert ends.heard(2_000) == said
    ends.loop.once()
    assert ends.heard(5) == more


def test_what_waits_is_sent_before_the_end(ends: Ends):
    ends.link.say(port.Up(7))
    ends.link.close()
    assert ends.heard(1) == [port.Up(7)]
    assert ends.server.recv(1) == b""


def test_a_server_that_takes_no_more_is_as_good_as_gone(ends: Ends, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(link, "WAITING", 10)
    for number in range(10):
        ends.link.say(port.Up(number))
    assert not ends.gone.is_set()
    ends.link.say(port.Up(11))
    assert ends.gone.is_set()
