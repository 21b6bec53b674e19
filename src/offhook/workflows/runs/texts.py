"""What the engine asks of definitions."""

from collections.abc import Mapping
from typing import Any

import msgspec

from offhook.kit import clock
from offhook.storage.database import Transaction
from offhook.workflows.definitions import store
from offhook.workflows.definitions.model import Definition, Policy
from offhook.workflows.definitions.reading import read
from offhook.workflows.machine.model import Found


class Registered:
    """The definitions that companies have registered."""

    def find(self, tx: Transaction, tenant_id: int, name: str, version: int | None) -> tuple[Found, Definition] | None:
        """The one of this name and version (None: the latest)."""
        found = store.definition_for(tx, tenant_id, name, version)
        if found is None:
            return None
        digest, number, definition = found
        return Found(name, number, digest), definition

    def by_digest(self, tx: Transaction, tenant_id: int, digest: str) -> Definition | None:
        """The one whose text has this digest."""
        return store.by_hash(tx, tenant_id, digest)

    def written_out(self, raw: Any) -> tuple[Found, str]:
        """One that stands in a task or a request: checked, with its text. Invalid if it breaks a rule."""
        found = read(raw)
        text, digest = store.written(found.raw)
        return Found(found.definition.name, found.definition.version, digest), text

    def put(self, tx: Transaction, tenant_id: int, text: str) -> None:
        """Keep such a text."""
        store.put_text(tx, tenant_id, msgspec.json.decode(text), clock.milliseconds(clock.now()))

    def policies(self, tx: Transaction, tenant_id: int) -> Mapping[str, Policy]:
        """The registered policies, by the names of tasks."""
        return store.all_policies(tx, tenant_id)
