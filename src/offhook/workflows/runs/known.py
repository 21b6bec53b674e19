"""Definitions and policies that runs go by, kept at hand for as long as they are surely the latest."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from offhook.kit.errors import NotFound
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction
from offhook.workflows.definitions.model import DYNAMIC_FORK, Definition, Policy, every
from offhook.workflows.machine.forking import written
from offhook.workflows.machine.model import Attempt, Found

FRESH_SECONDS = 0.25
"""How long something is known without a look whether it is still the latest."""

_MOST_LATEST = 10_000
_MOST_DEFINITIONS = 1_000


class Texts(Protocol):
    """What the engine asks of definitions."""

    def find(self, tx: Transaction, tenant_id: int, name: str, version: int | None) -> tuple[Found, Definition] | None:
        """The one of this name and version (None: the latest)."""

    def by_digest(self, tx: Transaction, tenant_id: int, digest: str) -> Definition | None:
        """The one whose text has this digest."""

    def written_out(self, raw: Any) -> tuple[Found, str]:
        """One that stands in a task: checked, with its text. Refusal if it breaks a rule."""

    def put(self, tx: Transaction, tenant_id: int, text: str) -> None:
        """Keep such a text."""

    def policies(self, tx: Transaction, tenant_id: int) -> Mapping[str, Policy]:
        """The registered policies, by the names of tasks."""


class Known:
    """What this process knows. A definition never changes; policies, and which is the latest, may at any time."""

    def __init__(self, reader: Reader, writer: Writer, texts: Texts, wall: Callable[[], float]) -> None:
        self._reader, self._writer, self._texts, self._wall = reader, writer, texts, wall
        self._definitions: dict[str, Definition] = {}
        self._inputs: dict[str, Mapping[str, Mapping[str, Any]]] = {}
        self._latest: dict[tuple[int, str, int | None], tuple[float, int, Found]] = {}
        self._policies: dict[int, tuple[float, int, Mapping[str, Policy]]] = {}

    async def find(self, tenant_id: int, name: str, version: int | None) -> Found:
        """The one of this name and version (None: the latest). NotFound if the company has none."""
        key, changes = (tenant_id, name, version), self._writer.changes()
        known = self._latest.get(key)
        if known is not None and known[1] == changes and self._wall() - known[0] < FRESH_SECONDS:
            return known[2]
        pair = await self._reader.run(lambda tx: self._texts.find(tx, tenant_id, name, version))
        if pair is None:
            which = f" in version {version}" if version else ""
            raise NotFound(f"There is no workflow {name}{which}.")
        found, definition = pair
        self._remember(found.digest, definition)
        if len(self._latest) > _MOST_LATEST:
            self._latest.clear()
        self._latest[key] = self._wall(), changes, found
        return found

    def written_out(self, workflow: Any) -> tuple[Found, str]:
        """One that is not registered: checked, with its text. Refusal if it breaks a rule."""
        return self._texts.written_out(workflow)

    async def keep(self, tenant_id: int, text: str) -> None:
        """Have such a text on disk, for runs that go by it."""
        await self._writer.aside(lambda tx: self._texts.put(tx, tenant_id, text))

    async def wanted(self, tenant_id: int, what: Mapping[str, Any]) -> Found:
        """The one that a task starts: `what` has its `name` and `version`, or itself as `workflow`."""
        if "workflow" not in what:
            return await self.find(tenant_id, str(what["name"]), what.get("version"))
        found, text = self.written_out(what["workflow"])
        await self.keep(tenant_id, text)
        return found

    async def definition(self, tenant_id: int, digest: str, text: str = "") -> Definition:
        """The one whose text has this digest; `text` is that text where it may not have been kept yet."""
        known = self._definitions.get(digest)
        if known is not None:
            return known
        found = await self._reader.run(lambda tx: self._texts.by_digest(tx, tenant_id, digest))
        if found is None and text:
            await self.keep(tenant_id, text)
            found = await self._reader.run(lambda tx: self._texts.by_digest(tx, tenant_id, digest))
        assert found is not None, "a definition that runs go by is never taken away"
        self._remember(digest, found)
        return found

    def template(self, digest: str, definition: Definition, attempt: Attempt) -> Mapping[str, Any]:
        """The input of an attempt's task as its definition has it, completed by its policy; {} if it was data.

        Of a branch of a dynamic fork that the definition writes out, it is what stands there.
        """
        inputs = self._inputs.get(digest)
        if inputs is None:
            if len(self._inputs) >= _MOST_DEFINITIONS:
                self._inputs.clear()
            tasks = [task for _, task in every(definition.tasks)]
            inputs = {ref: one for task in tasks if task.type == DYNAMIC_FORK for ref, one in written(task).items()}
            inputs |= {task.ref: task.input_parameters for task in tasks}
            self._inputs[digest] = inputs
        own = inputs.get(attempt.ref)
        if own is None:
            return {}
        more = attempt.policy.input_template if attempt.policy is not None else {}
        return {**more, **{name: value for name, value in own.items() if value is not None}} if more else own

    async def policies(self, tenant_id: int) -> Mapping[str, Policy]:
        """The company's registered policies, by the names of tasks."""
        changes = self._writer.changes()
        known = self._policies.get(tenant_id)
        if known is None or known[1] != changes or self._wall() - known[0] >= FRESH_SECONDS:
            found = await self._reader.run(lambda tx: self._texts.policies(tx, tenant_id))
            known = self._policies[tenant_id] = (self._wall(), changes, found)
        return known[2]

    def _remember(self, digest: str, definition: Definition) -> None:
        if len(self._definitions) >= _MOST_DEFINITIONS:
            self._definitions.clear()
            self._inputs.clear()
        self._definitions[digest] = definition
