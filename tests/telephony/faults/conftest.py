"""One server with telephones for the tests of a file."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from offhook.kit.settings import Settings
from tests.api.conftest import runner
from tests.api.desk import Desk
from tests.telephony.faults.stage import Stage, staged
from tests.telephony.scenarios.people import free_port

__all__ = ["runner"]


@pytest.fixture(scope="module")
def stage(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A company that can be called, on a worker that has its port again when it was started anew.

    Nobody may be left on it at the end.
    """
    data = str(tmp_path_factory.mktemp("data"))
    settings = Settings(
        data=data, access_log=False, speech="none", sip_port=free_port(), egress_allow="127.0.0.1/32"
    )  # fmt: skip
    desk = Desk(runner, settings)
    stack = AsyncExitStack()
    company = desk.found()
    found = desk.run(stack.enter_async_context(staged(company, company.tenant("sandbox"), silence=2.0)))
    yield found
    desk.run(found.figures_empty())
    desk.run(stack.aclose())
    desk.close()
