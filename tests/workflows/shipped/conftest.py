"""One server for all tests of shipped definitions; each test has a company of its own on it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from offhook import bootstrap
from offhook.examples import FULL
from offhook.kit.ids import Ids
from offhook.storage.database import Database
from offhook.storage.slots import lease
from tests.survival.process import Process
from tests.workflows.shipped.stage import SHIPPED, V1, House

NAMES = ("provision_office", "adopt_holidays", "nightly_check", "move_people")
_WAITS = re.compile(r'(retryDelaySeconds"?: ?)\d+')

_PLAIN = ("country", "currency", "plan_period", "unified_billing", "invoiced", "annual_commit_monthly_billing")
_HEAD = {
    "name": "Head office",
    "billing_address": FULL["billing_address"],
    "use_same_address": True,
    "timezone": "America/Los_Angeles",
}
HEAD = {**_HEAD, **{name: FULL[name] for name in _PLAIN}}
"""A head office whose callers reach it: always open, with a voicemail."""

Founding = Callable[[], House]


@pytest.fixture(scope="session")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server that may call anything on this machine."""
    settings = {"egress_allow": "127.0.0.0/8"}
    with Process(tmp_path_factory.mktemp("shipped") / "data", settings=settings) as process:
        yield process


@pytest.fixture(scope="session")
def founding(serving: Process) -> Iterator[Founding]:
    """Makes a company with the shipped definitions as they are, and the credential that they are run with."""
    database = Database(f"sqlite:///{serving.data / 'offhook.sqlite3'}")
    slot = lease(database)
    ids = Ids(slot.number)

    def make() -> House:
        with database.transaction() as tx:
            made = bootstrap.found(tx, ids, name="Example Company", primary=HEAD)
        house = House(serving, made.keys["sandbox"])
        house.credential("offhook", serving.port)
        for name in NAMES:
            house.post(f"{SHIPPED}/{name}")
        return house

    yield make
    slot.release()
    database.close()


@pytest.fixture
def house(founding: Founding) -> House:
    """A company of the test's own, whose definitions try again at once."""
    house = founding()
    for name in (*NAMES, "provision_office_undo"):
        raw: Any = house.get(f"{V1}/workflows/definitions/{name}")["definition"]
        hasty = msgspec.json.decode(_WAITS.sub(r"\g<1>0", msgspec.json.encode(raw).decode()))
        house.post(f"{V1}/workflows/definitions", {"definition": hasty, "overwrite": True})
    return house
