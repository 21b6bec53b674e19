"""Puts together what runs workflows: for app.py, which hands in its own parts."""

from offhook.access.doing import Doing
from offhook.access.service import Access
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.credentials.store import credentials
from offhook.catalog.documents.service import Apis
from offhook.kit.egress import Egress
from offhook.kit.operation import Operation
from offhook.storage.batches import Reader, Writer
from offhook.workflows.conductor import api as conductor_api
from offhook.workflows.definitions import api as definitions_api
from offhook.workflows.definitions.service import Definitions
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.remote import api as remote_api
from offhook.workflows.remote.model import Elsewhere
from offhook.workflows.remote.service import RemoteRuns
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
        access: Access,
        work: Doing,
        writer: Writer,
        reader: Reader,
        apis: Apis,
        sending: Credentials,
        egress: Egress,
        *,
        slot: int,
        days: int,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        async def credential_id(tenant_id: int, name: str) -> int | None:
            found = await reader.run(lambda tx: credentials.first(tx, tenant_id, name=name))
            return None if found is None else found.id

        scripts, texts = Scripts(), Registered()
        tasks = Tasks(HttpTask(egress, sending, credential_id, from_environment()), scripts)
        self.engine = Engine(writer, reader, work.ids, texts, tasks, scripts, slot=slot)
        self.runs = Runs(work, self.engine, texts)
        self.remote = RemoteRuns(work, elsewhere)
        self.records = Records(reader, writer, days)
        self.operations: list[Operation] = [
            *definitions_api.operations(work, apis),
            *runs_api.operations(self.runs),
            *remote_api.operations(self.remote),
            *conductor_api.operations(access, work, Definitions(work, apis), self.runs),
        ]
        self.unbuilt = conductor_api.unbuilt()
        """Operations that are known, and not there."""

    async def keep(self) -> None:
        """Take runs on for as long as this goes on."""
        await self.engine.keep()

    async def close(self) -> None:
        """End what is under way; what does not end is left to whoever starts next."""
        await self.engine.close()
        await self.remote.close()
