"""Puts together what runs workflows: for app.py, which hands in its own parts."""

import asyncio
from collections.abc import Callable, Mapping

from offhook.access.doing import Doing
from offhook.access.service import Access
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.credentials.vault import Vault
from offhook.catalog.documents.service import Apis
from offhook.events.model import Show
from offhook.kit.egress import Egress
from offhook.kit.operation import Operation
from offhook.storage.batches import Reader, Writer
from offhook.workflows.conductor import api as conductor_api
from offhook.workflows.definitions import api as definitions_api
from offhook.workflows.definitions.environment import settings
from offhook.workflows.definitions.service import Definitions
from offhook.workflows.definitions.surroundings import Surroundings
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.metrics import FIGURES
from offhook.workflows.remote.conductor import Conductor
from offhook.workflows.remote.service import RemoteRuns
from offhook.workflows.runs import api as runs_api
from offhook.workflows.runs.engine import Engine
from offhook.workflows.runs.engines import Engines
from offhook.workflows.runs.records import Records
from offhook.workflows.runs.service import Runs
from offhook.workflows.runs.texts import Registered
from offhook.workflows.shipped import api as shipped_api
from offhook.workflows.shipped.service import Taking
from offhook.workflows.tasks.http import HttpTask
from offhook.workflows.tasks.performing import Tasks
from offhook.workflows.tasks.secrets import from_environment
from offhook.workflows.triggers import api as triggers_api
from offhook.workflows.triggers.clockwork import Clockwork
from offhook.workflows.triggers.hearing import Hearing
from offhook.workflows.triggers.service import Hooks
from offhook.workflows.triggers.starting import of_engine


class Workflows:
    """The parts, and their operations. `keep` them going while serving; `close` them at the end."""

    def __init__(
        self,
        access: Access,
        work: Doing,
        writer: Writer,
        reader: Reader,
        apis: Apis,
        sending: Credentials,
        egress: Egress,
        *,
        slot: Callable[[], int],
        days: int,
        vault: Vault,
        shows: Mapping[str, Show],
        elsewhere: Conductor | None = None,
        address: str = "",
    ) -> None:
        scripts, texts = Scripts(), Registered()
        tasks = Tasks(HttpTask(egress, sending, sending.named, from_environment()), scripts)
        self.engine = Engine(writer, reader, work.ids, texts, tasks, scripts, slot=slot, env=settings())
        self.runs = Runs(work, self.engine, texts)
        self.remote = None if elsewhere is None else RemoteRuns(work, texts, elsewhere)
        self.engines = Engines(work, self.runs, self.remote)
        self.records = Records(reader, writer, days)
        start = of_engine(self.engine)
        self.hearing = Hearing(writer)
        self.clockwork = Clockwork(writer, reader, start, scripts, shows=shows)
        FIGURES.follow(self.engine, self.clockwork.starting)
        sending.others["hooks"] = Hooks(work, vault).seal_again
        definitions = Definitions(work, apis, Surroundings(reader, scripts, egress))
        self.operations: list[Operation] = [
            *definitions_api.operations(definitions),
            *shipped_api.operations(Taking(work, definitions, address)),
            *runs_api.operations(self.engines),
            *triggers_api.operations(work, reader, vault, start, self.hearing, scripts),
            *conductor_api.operations(access, work, definitions, self.runs),
        ]
        self.unbuilt = conductor_api.unbuilt()
        """Operations that are known, and not there."""

    async def keep(self, *, only_own: bool = False) -> None:
        """Take runs on for as long as this goes on: all, or those only that are started here and what they start."""
        if only_own:
            await self.engine.keep(only_own=True)
        else:
            await asyncio.gather(self.engine.keep(), self.clockwork.keep())

    async def close(self) -> None:
        """End what is under way; what does not end is left to whoever starts next."""
        await self.engine.close()
        await self.hearing.close()
        if self.remote is not None:
            await self.remote.close()
