"""A create that is repeated with the same `Idempotency-Key` gets its first answer; with another body it is refused.

The record is written in the transaction of the create itself, so there is no moment at which one exists without the
other. Only successes are kept: a refused create changes nothing and may be mended under the same key.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from offhook.access import store
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice, Violation, shown
from offhook.kit.ids import Ids
from offhook.kit.operation import Call
from offhook.kit.wire import encode, encode_sorted, normal, shape
from offhook.storage.database import Transaction

MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Claim:
    """A create that may be repeated: which one (`digest`), and with what (`fingerprint`). `id` is the record's own."""

    id: int
    digest: bytes
    fingerprint: bytes
    at: int
    keep_ms: int


class Outcome(msgspec.Struct, frozen=True):
    """The answer to a create: its body, what to say besides, and whether it is a first answer given again."""

    body: bytes
    notices: tuple[Notice, ...] = ()
    replayed: bool = False


def check_key(key: str) -> str:
    """The header's value, 1 to 255 visible ASCII characters."""
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise Invalid.of(
            [
                Violation(
                    location="Idempotency-Key",
                    message=f"Must be 1 to {MAX_KEY} visible ASCII characters; a UUID serves well.",
                    sent=shown(key),
                )
            ]
        )
    return key


def digest(tenant_id: int, operation: str, key: str) -> bytes:
    """What a key stands for: the same key of another company, environment or operation is another one."""
    return hashlib.sha256(f"{tenant_id}\0{operation}\0{key}".encode()).digest()


def claim_of(call: Call, ids: Ids, keep_ms: int) -> Claim | None:
    """The record of a create that may be repeated; None for one without an `Idempotency-Key`."""
    if call.idempotency_key is None:
        return None
    key = digest(call.principal.tenant_id, call.operation, call.idempotency_key)
    return Claim(ids.new(), key, fingerprint(call), int(clock.wall() * 1000), keep_ms)


def fingerprint(call: Call) -> bytes:
    """What makes two requests the same: what they are about, and their bodies but for the way they are written."""
    try:
        body = msgspec.json.decode(call.raw)
        if call.body is not None:
            kind: type[msgspec.Struct] = type(call.body)
            body = normal(body, shape(kind))
        return hashlib.sha256(encode_sorted([dict(call.params), body])).digest()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A file of lines or a table: it is the same only as it stands.
        return hashlib.sha256(encode_sorted(dict(call.params)) + call.raw).digest()


def refuse_other(tx: Transaction, claim: Claim | None) -> None:
    """Conflict if the claim's key has answered another body; changes nothing."""
    found = store.reply(tx, claim.digest) if claim is not None else None
    if claim is not None and found is not None and found[3] + claim.keep_ms > claim.at:
        _refuse_other(found[0], claim)


def _refuse_other(fingerprint: bytes, claim: Claim) -> None:
    if fingerprint != claim.fingerprint:
        raise Conflict(
            "This Idempotency-Key was already used with another body; use a new key for a new request.",
            [Violation(location="Idempotency-Key", reason="conflict", message="Already used with another body.")],
        )


def replay(tx: Transaction, claim: Claim) -> Outcome | None:
    """The first answer, if there is one still kept; Conflict if it answered another body."""
    found = store.reply(tx, claim.digest)
    if found is None:
        return None
    fingerprint, warnings, body, kept_at = found
    if kept_at + claim.keep_ms <= claim.at:
        store.forget_reply(tx, claim.digest)
        return None
    _refuse_other(fingerprint, claim)
    return Outcome(body.encode(), tuple(msgspec.json.decode(warnings, type=list[Notice])), replayed=True)


def keep(tx: Transaction, answers: Sequence[tuple[Claim, Outcome]]) -> None:
    """Record first answers, at least one."""
    store.insert_replies(
        tx,
        [
            (c.id, c.digest, c.fingerprint, c.at, encode(o.notices).decode() if o.notices else "[]", o.body.decode())
            for c, o in answers
        ],
    )


def settle(tx: Transaction, claim: Claim, outcome: Outcome | None) -> None:
    """Record an answer in the place of the one that is kept; None: nothing was done, and the key is free again."""
    store.forget_reply(tx, claim.digest)
    if outcome is not None:
        keep(tx, [(claim, outcome)])


def once(tx: Transaction, claim: Claim | None, create: Callable[[], Outcome]) -> Outcome:
    """`create()`, or its first answer if `claim` was answered before."""
    if claim is None:
        return create()
    if (first := replay(tx, claim)) is not None:
        return first
    outcome = create()
    keep(tx, [(claim, outcome)])
    return outcome
