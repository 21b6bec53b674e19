"""One process over each kind of store."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from offhook.catalog.credentials.vault import Vault
from offhook.storage.database import Database
from tests.workflows.triggers.waking import Target, Waking

Make = Callable[..., Waking]


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault("", tmp_path / "credentials.key")


@pytest.fixture
def make(database: Database, vault: Vault, runner: asyncio.Runner) -> Iterator[Make]:
    """Makes processes over one store, to the same target unless another is given; within the event loop."""
    made: list[Waking] = []
    target = Target()

    def waking(**more: Any) -> Waking:
        one = Waking(database, more.pop("target", target), vault, **more)
        made.append(one)
        return one

    yield waking

    async def close() -> None:
        for one in made:
            await one.close()

    runner.run(close())


@pytest.fixture
def story(make: Make, runner: asyncio.Runner) -> Callable[[Callable[[Waking], Any]], Any]:
    """Runs a story of one process that knows the workflow w."""

    def run(tell: Callable[[Waking], Any]) -> Any:
        async def told() -> Any:
            one = make()
            one.register("w")
            return await tell(one)

        return runner.run(told())

    return run
