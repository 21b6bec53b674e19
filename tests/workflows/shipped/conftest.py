"""One server for all tests of shipped definitions; each test has a company of its own on it."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.survival.process import Process
from tests.workflows.shipped.stage import SHIPPED, House

_NAMES = ("provision_office", "adopt_holidays", "nightly_check", "move_people")


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that may call anything on this machine."""
    settings = {"egress_allow": "127.0.0.0/8"}
    with Process(tmp_path_factory.mktemp("shipped") / "data", settings=settings) as process:
        yield process


@pytest.fixture(scope="session")
def found(serving: Process) -> Callable[[], House]:
    """Makes a company with the shipped definitions and the credential that they are run with."""
    count = itertools.count(1)

    def make() -> House:
        company = serving.init("--another", "--name", f"Company {next(count)}")
        house = House(serving, company.sandbox_key)
        house.credential("offhook", serving.port)
        for name in _NAMES:
            house.post(f"{SHIPPED}/{name}")
        return house

    return make


@pytest.fixture
def house(found: Callable[[], House]) -> House:
    """A company of the test's own."""
    return found()
