"""One worker for the tests of a file, a carrier that need not prove itself, and peers."""

from collections.abc import Callable, Iterator

import pytest

from offhook.telephony import port
from tests.telephony.worker.peers import Peer
from tests.telephony.worker.server import Server

UNBOUND = port.Limits(packets=1e5, burst=1e5, calls=1e5, messages=1e5)


@pytest.fixture(scope="module")
def worker() -> Iterator[Server]:
    server = Server("--media", "engine")
    yield server
    printed, complaints = server.close()
    assert printed == b""
    assert complaints == b""


@pytest.fixture
def server(worker: Server) -> Iterator[Server]:
    """The worker, with nothing left of other tests; every fault is a failure."""
    worker.clear()
    yield worker
    worker.fence()
    assert worker.faults == []


@pytest.fixture
def peer(server: Server) -> Iterator[Callable[[], Peer]]:
    """Makes peers."""
    made: list[Peer] = []

    def make() -> Peer:
        made.append(Peer(server.address))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def carrier(server: Server, peer: Callable[[], Peer]) -> Peer:
    """A peer whose address is a trunk's."""
    one = peer()
    trunk = port.Trunk(id=7, addresses=(one.address,), proxy=one.address, domain="carrier.example")
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    known(one)
    return one


def known(one: Peer) -> None:
    """Wait until the worker has taken a carrier's address over: the two ways to it are no order."""
    for _ in range(1000):
        one.send(one.request("OPTIONS"))
        answer = one.first()
        one.forget()
        if answer.code == 200:
            return
    raise AssertionError("The worker never knew its carrier.")
