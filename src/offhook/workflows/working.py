"""Puts together what runs workflows: for app.py, which hands in its own parts."""

from offhook.access.doing import Doing
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.documents.service import Apis
from offhook.kit.egress import Egress
from offhook.kit.operation import Operation
from offhook.storage.batches import Reader, Writer
from offhook.workflows.definitions import api as definitions_api
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.runs import api as runs_api
from offhook.workflows.runs.engine import Engine
from offhook.workflows.runs.records import Records
from offhook.workflows.runs.service import Runs
from offhook.workflows.runs.texts import Registered
from offhook.workflows.tasks.http import HttpTask
from offhook.workflows.tasks.performing import Tasks
from offhook.workflows.tasks.secrets import from_environment


class Workflows:
    """The parts, and their operations. `keep` them going while serving; `close` them at the end."""

    def __init__(
        self,
        work: Doing,
        writer: Writer,
        reader: Reader,
        apis: Apis,
        sending: Credentials,
        egress: Egress,
        *,
        slot: int,
        days: int,
    ) -> None:
        scripts, texts = Scripts(), Registered()
        tasks = Tasks(HttpTask(egress, sending, sending.named, from_environment()), scripts)
        self.engine = Engine(writer, reader, work.ids, texts, tasks, scripts, slot=slot)
        self.runs = Runs(work, self.engine, texts)
        self.records = Records(reader, writer, days)
        self.operations: list[Operation] = [
            *definitions_api.operations(work, apis),
            *runs_api.operations(self.runs),
        ]

    async def keep(self, *, only_own: bool = False) -> None:
        """Take runs on for as long as this goes on: all, or those only that are started here and what they start."""
        await self.engine.keep(only_own=only_own)

    async def close(self) -> None:
        """End what is under way; what does not end is left to whoever starts next."""
        await self.engine.close()
