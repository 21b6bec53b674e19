"""Sealing again by the newest key: credentials, and whatever else is sealed by the same vault."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offhook.catalog.credentials.vault import Sealed, Vault
from offhook.kit.operation import Call
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


@dataclass(slots=True)
class Resealed:
    """What became of the records of a kind: how many were sealed again, how many needed it not, which no key opens."""

    done: int = 0
    already: int = 0
    lost: list[str] = field(default_factory=list)


SealAgain = Callable[[Transaction, Call, datetime], Resealed]
"""Seals again all records of a kind that the company of the call has."""


def resealed(vault: Vault, listed: Iterable[Kept[Any]], keep: Callable[[Kept[Any], str], Any]) -> Resealed:
    """Seal again what is `sealed` of each record that has something; `keep` puts it into its place."""
    found = Resealed()
    for before in listed:
        if not before.value.sealed:
            continue
        if vault.is_newest(before.value.sealed):
            found.already += 1
            continue
        try:
            secrets = vault.open(before.tenant_id, before.id, before.value.sealed)
        except Sealed:
            found.lost.append(str(before.id))
            continue
        keep(before, vault.seal(before.tenant_id, before.id, secrets))
        found.done += 1
    return found
