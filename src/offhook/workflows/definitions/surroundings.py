"""Holds a definition against the server that it is to run on: whether its scripts can be read, and what is not there.

A script that cannot be read is a fault, found by the engines themselves in the process that evaluates scripts.
Workflows and credentials that are not there may come, and addresses may be allowed later: notices.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from offhook.catalog.credentials.store import credentials
from offhook.kit.egress import Egress
from offhook.kit.errors import shown
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction
from offhook.workflows.definitions import store
from offhook.workflows.definitions.checked import Checked
from offhook.workflows.definitions.environment import settings, unset
from offhook.workflows.definitions.model import Policy
from offhook.workflows.definitions.wants import Script, Wants, wants_of
from offhook.workflows.expressions.scripts import ScriptError, Scripts

LANGUAGES = {"js": "JavaScript", "jq": "jq", "jsonata": "JSONata"}

_NEAR = 300
"""Among how many names one is looked for that was likely meant."""


class Surroundings:
    """What definitions are held against: the store, the evaluator of scripts, and the client that calls out."""

    def __init__(self, reader: Reader, scripts: Scripts, egress: Egress) -> None:
        self._reader, self._scripts, self._egress = reader, scripts, egress

    async def look(
        self,
        tenant_id: int,
        raw: Mapping[str, Any],
        policies: Mapping[str, Policy],
        found: Checked,
        also: frozenset[str] = frozenset(),
    ) -> None:
        """Add to what was `found` in a definition, which may break any rule; then all of it stands in its order.

        `also` names workflows that are registered along with it.
        """
        wants = await asyncio.to_thread(wants_of, raw, policies)
        if wants.scripts:
            await self._read(tenant_id, wants.scripts, found)
        if wants.workflows or wants.credentials:
            there = also | {str(raw.get("name"))}
            for place, code, text in await self._reader.run(lambda tx: _absent(tx, tenant_id, wants, there, found)):
                found.notice(place, code, text)
        for one in wants.targets:
            if self._egress.refuses(one.host, one.port):
                text = (
                    f"{shown(one.host)} is not on the open internet, and this installation does not allow it: the "
                    f"request will not be sent, unless its setting egress_allow names {shown(one.host)}:{one.port}."
                )
                found.notice(one.place, "address_refused", text)
        if found.good:
            for said in unset(raw, settings()):
                found.notice(said.field, said.code, said.text)
        await asyncio.to_thread(found.sort, raw)

    async def _read(self, tenant_id: int, scripts: list[Script], found: Checked) -> None:
        try:
            faults = await self._scripts.syntax(tenant_id, [(one.language, one.source) for one in scripts])
        except ScriptError as error:
            text = f"Whether the scripts can be read was not found out: {error.message}"
            found.notice("", "scripts_not_checked", text)
            return
        for one, fault in zip(scripts, faults, strict=True):
            if fault is not None:
                text = f"This {LANGUAGES[one.language]} cannot be read: {fault.removesuffix('.')}."
                found.fault(one.place, "syntax", text, one.source)


def _absent(
    tx: Transaction, tenant_id: int, wants: Wants, there: frozenset[str], found: Checked
) -> list[tuple[str, str, str]]:
    """The notices about workflows and credentials that are not there. Those of `there` will be, when it runs."""
    told: list[tuple[str, str, str]] = []
    names: list[str] | None = None
    for one in wants.workflows:
        if one.name in there or store.version(tx, tenant_id, one.name, one.version) is not None:
            continue
        if names is None:
            names = [kept.name for kept in store.names(tx, tenant_id, 0, _NEAR)]
        which = "" if one.version is None else f" in version {one.version}"
        near = found.near(one.name, [name for name in names if name != one.name])
        text = f"There is no workflow {shown(one.name)}{which} yet; register it before this one runs.{near}"
        told.append((one.place, "workflow_not_there", text))
    kept_names: list[str] | None = None
    for place, name in wants.credentials:
        if credentials.first(tx, tenant_id, name=name) is not None:
            continue
        if kept_names is None:
            kept_names = [kept.value.name for kept in credentials.page(tx, tenant_id, 0, _NEAR)]
        text = (
            f"There is no credential {shown(name)} yet, and without it the request is not sent; add it to the "
            f"workbench (offhook api credential add).{found.near(name, kept_names)}"
        )
        told.append((place, "credential_not_there", text))
    return told
