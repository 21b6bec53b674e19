"""One process that carries sound for the tests of a file, and telephones."""

from collections.abc import Iterator
from typing import Any

import pytest

from offhook.telephony.worker.media import EngineMedia
from tests.telephony.worker.media.bridge import Telephone, until
from tests.telephony.worker.rtp_peers import Ear, Peer, Sender

LAST = 98
"""A leg behind whose end nothing of others follows."""


@pytest.fixture(scope="module")
def listening() -> Ear:
    """What the process of the file tells."""
    return Ear()


@pytest.fixture(scope="module")
def engine(listening: Ear) -> Iterator[EngineMedia]:
    """The process of the file."""
    media = EngineMedia(listening, silence=0.4)
    yield media
    media.close()


@pytest.fixture
def ear(listening: Ear) -> Ear:
    """What is told of this test's legs."""
    listening.forget()
    return listening


@pytest.fixture
def media(engine: EngineMedia, ear: Ear) -> Iterator[EngineMedia]:
    """Sound, with nothing left of other tests: each leg of this one is over, and that was told."""
    yield engine
    for leg in list(engine._taken):
        engine.release(leg)
    engine.open(LAST)
    engine.release(LAST)
    until(lambda: (LAST, "", 0, 0) in ear.of("ended"))


@pytest.fixture
def media_of_its_own(ear: Ear) -> Iterator[EngineMedia]:
    """Sound by a process that the test may end."""
    media = EngineMedia(ear, silence=0.4)
    yield media
    media.close()


@pytest.fixture
def telephone() -> Iterator[Telephone]:
    """Makes telephones, and puts them away."""
    made: list[Peer] = []

    def make(**what: Any) -> Peer:
        made.append(Peer(**what))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def peer(telephone: Telephone) -> Peer:
    return telephone()


@pytest.fixture
def other(telephone: Telephone) -> Peer:
    return telephone(events=96, stream=Sender(source=0x9999, number=7))
