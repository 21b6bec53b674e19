"""The only SQL of prompts. A recording is kept once for a company's environment, however many prompts are made of it;
nobody learns whether another company has it, as every key begins with the tenant id.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, Table
from sqlalchemy import text as sql_text

from offhook.directory.lines.model import Target
from offhook.directory.prompts.model import Prompt, Recording, Sound, Use
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.documents import Documents
from offhook.storage.tables import BULKY, big, metadata, text

prompts = Documents("prompts", Prompt, texts={"digest": lambda prompt: prompt.digest})

# The large columns stand last: what is before them is read without them.
recordings = Table(
    "prompt_recordings",
    metadata,
    big("tenant_id", primary_key=True),
    text("digest", primary_key=True),
    text("media_type"),
    big("size"),
    big("milliseconds"),
    big("damaged"),
    Column("original", LargeBinary, nullable=False),
    Column("wav", LargeBinary, nullable=False),
    info={BULKY: True},
)

uses = Table(
    "prompt_uses",
    metadata,
    big("tenant_id", primary_key=True),
    text("target_type", primary_key=True),
    big("target_id", primary_key=True),
    text("ivr_type", primary_key=True),
    big("prompt_id", primary_key=True),
    big("inbound"),
    big("outbound"),
    Index(None, "tenant_id", "prompt_id"),
    *(
        Index(
            f"uq_prompt_uses_{direction}",
            "tenant_id",
            "target_type",
            "target_id",
            "ivr_type",
            unique=True,
            sqlite_where=sql_text(f"{direction} = 1"),
            postgresql_where=sql_text(f"{direction} = 1"),
        )
        for direction in ("inbound", "outbound")
    ),
)

_insert_recording = Insert(
    recordings, ["tenant_id", "digest", "media_type", "size", "milliseconds", "damaged", "original", "wav"]
)
_RECORDING = "FROM prompt_recordings WHERE tenant_id = ? AND digest = ?"
_GET_RECORDING = Statement(f"SELECT media_type, size, milliseconds, damaged {_RECORDING}")
_GET_WAV = Statement(f"SELECT wav {_RECORDING}")
_DELETE_RECORDING = Statement(f"DELETE {_RECORDING}")

_insert_use = Insert(uses, ["tenant_id", "target_type", "target_id", "ivr_type", "prompt_id", "inbound", "outbound"])
_USE = "SELECT target_type, target_id, ivr_type, prompt_id, inbound, outbound FROM prompt_uses WHERE tenant_id = ? "
_TARGET = "AND target_type = ? AND target_id = ? "
_OF_TARGET = Statement(f"{_USE}{_TARGET}ORDER BY prompt_id, ivr_type")
_OF_KIND = Statement(f"{_USE}{_TARGET}AND ivr_type = ? ORDER BY prompt_id")
_GET_USE = Statement(f"{_USE}{_TARGET}AND ivr_type = ? AND prompt_id = ?")
_OF_PROMPT = Statement(f"{_USE}AND prompt_id = ? ORDER BY target_type, target_id, ivr_type LIMIT ?")
_COUNTS = Statement(
    f"SELECT ivr_type, COUNT(*) FROM prompt_uses WHERE tenant_id = ? {_TARGET}GROUP BY ivr_type"  # noqa: S608
)
_CHANGE_USE = Statement(
    f"UPDATE prompt_uses SET inbound = ?, outbound = ? WHERE tenant_id = ? {_TARGET}"  # noqa: S608
    "AND ivr_type = ? AND prompt_id = ?"
)
_DELETE_USE = Statement(
    f"DELETE FROM prompt_uses WHERE tenant_id = ? {_TARGET}AND ivr_type = ? AND prompt_id = ?"  # noqa: S608
)
_PLAYED = (
    "SELECT u.target_type, u.target_id, u.ivr_type, p.digest FROM prompt_uses u "
    "JOIN prompts p ON p.id = u.prompt_id AND p.tenant_id = u.tenant_id WHERE u.tenant_id = ? AND u.inbound = 1"
)
_PLAYED_BY_ALL = Statement(_PLAYED)


# Recordings


def recording(tx: Transaction, tenant_id: int, digest: str) -> Recording | None:
    """What is known of the file with this digest, None if the company has not uploaded it."""
    row = tx.first(_GET_RECORDING, tenant_id, digest)
    if row is None:
        return None
    return Recording(media_type=row[0], size=row[1], milliseconds=row[2], damaged=row[3])


def wav(tx: Transaction, tenant_id: int, digest: str) -> bytes | None:
    """What is played of the file with this digest."""
    row = tx.first(_GET_WAV, tenant_id, digest)
    return bytes(row[0]) if row is not None else None


def add_recording(tx: Transaction, tenant_id: int, digest: str, original: bytes, sound: Sound) -> None:
    """Keep an uploaded file and what is played of it."""
    row = (
        tenant_id, digest, sound.media_type, len(original), sound.milliseconds, sound.damaged, original, sound.wav,
    )  # fmt: skip
    _insert_recording(tx, [row])


def forget_recording(tx: Transaction, tenant_id: int, digest: str) -> None:
    """Delete a file of which no prompt is made any more."""
    if prompts.count(tx, tenant_id, digest=digest) == 0:
        tx.change(_DELETE_RECORDING, tenant_id, digest)


# Uses


def _use(row: Sequence[Any]) -> Use:
    return Use(
        target=Target(row[0], row[1]), kind=row[2], prompt_id=row[3], inbound=bool(row[4]), outbound=bool(row[5])
    )


def of_target(tx: Transaction, tenant_id: int, target: Target) -> list[Use]:
    """All prompts of a target, in the order of their ids."""
    return [_use(row) for row in tx.all(_OF_TARGET, tenant_id, target.type, target.id)]


def of_kind(tx: Transaction, tenant_id: int, target: Target, kind: str) -> list[Use]:
    """A target's prompts for one purpose, in the order of their ids."""
    return [_use(row) for row in tx.all(_OF_KIND, tenant_id, target.type, target.id, kind)]


def of_prompt(tx: Transaction, tenant_id: int, prompt_id: int, limit: int) -> list[Use]:
    """Where a prompt is in use."""
    return [_use(row) for row in tx.all(_OF_PROMPT, tenant_id, prompt_id, limit)]


def counts(tx: Transaction, tenant_id: int, target: Target) -> dict[str, int]:
    """How many prompts a target has, by purpose."""
    return {row[0]: int(row[1]) for row in tx.all(_COUNTS, tenant_id, target.type, target.id)}


def use(tx: Transaction, tenant_id: int, target: Target, kind: str, prompt_id: int) -> Use | None:
    """A target's use of a prompt for one purpose, or None."""
    row = tx.first(_GET_USE, tenant_id, target.type, target.id, kind, prompt_id)
    return _use(row) if row is not None else None


def add_use(tx: Transaction, tenant_id: int, one: Use) -> None:
    """Give a target a prompt for a purpose."""
    _insert_use(
        tx,
        [(tenant_id, one.target.type, one.target.id, one.kind, one.prompt_id, int(one.inbound), int(one.outbound))],
    )


def change_use(tx: Transaction, tenant_id: int, one: Use) -> None:
    """Replace the directions of a use. Take one from another prompt before it is given."""
    tx.change(
        _CHANGE_USE,
        int(one.inbound),
        int(one.outbound),
        tenant_id,
        one.target.type,
        one.target.id,
        one.kind,
        one.prompt_id,
    )


def remove_use(tx: Transaction, tenant_id: int, one: Use) -> None:
    """Take a prompt from a target's purpose."""
    tx.change(_DELETE_USE, tenant_id, one.target.type, one.target.id, one.kind, one.prompt_id)


def played(tx: Transaction, tenant_id: int) -> dict[Target, dict[str, str]]:
    """What is played to callers of all targets: by target, the digest of the recording by purpose."""
    return _by_target(tx.all(_PLAYED_BY_ALL, tenant_id))


def played_by(
    tx: Transaction, tenant_id: int, target_type: str, target_ids: Sequence[int]
) -> dict[Target, dict[str, str]]:
    """The same of some targets of a kind; one without any is left out."""
    found: dict[Target, dict[str, str]] = {}
    for padded, marks in in_parts(target_ids, 0):
        query = Statement(f"{_PLAYED} AND u.target_type = ? AND u.target_id IN ({marks})")
        found |= _by_target(tx.all(query, tenant_id, target_type, *padded))
    return found


def _by_target(rows: Sequence[Any]) -> dict[Target, dict[str, str]]:
    found: dict[Target, dict[str, str]] = {}
    for target_type, target_id, kind, digest in rows:
        found.setdefault(Target(target_type, target_id), {})[kind] = digest
    return found
