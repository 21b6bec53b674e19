"""A hook is called from outside: who does is told by the secret, and the call becomes a run.

An unknown hook, a wrong secret, a signature that is missing, false or too old are one and the same answer.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from offhook.access.gate import reply_of
from offhook.access.model import Principal
from offhook.catalog.credentials.vault import Sealed, Vault
from offhook.kit import clock
from offhook.kit.errors import Conflict, Malformed, NotFound, Refusal, UnsupportedMedia
from offhook.kit.operation import JSON, Call, Outside, Reply
from offhook.kit.wire import Int64Text, parse
from offhook.storage.batches import Reader
from offhook.storage.documents import Kept
from offhook.workflows.triggers import signing, store
from offhook.workflows.triggers.checking import ALWAYS
from offhook.workflows.triggers.hearing import Hearing
from offhook.workflows.triggers.model import Heard, Hook, Start

FORM = "application/x-www-form-urlencoded"
MEDIA = (JSON, FORM, "text/plain")
MOST_FIELDS = 1_000
MOST_VALUE = 8_000
_LONG_KEY = 100
_NOBODYS = signing.digest("nobody's")

log = structlog.get_logger("offhook.workflows")


DELIVERIES = ("x-github-delivery", "webhook-id", "idempotency-key")
"""Headers by which senders name a delivery: GitHub's, that of Standard Webhooks, the usual one."""


class _Event(msgspec.Struct):
    """What an event of Stripe's has at its top."""

    id: str = ""
    object: str = ""


_event = msgspec.json.Decoder(_Event).decode


class CalledOut(msgspec.Struct, kw_only=True):
    """The run that a call has started, or had started before."""

    run_id: Int64Text


class Calling:
    """Admits callers of hooks and starts their runs. `hearing` is told what came of each."""

    def __init__(
        self,
        reader: Reader,
        vault: Vault,
        start: Start,
        hearing: Hearing,
        *,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._reader, self._vault, self._start, self._hearing, self._wall = reader, vault, start, hearing, wall

    async def admit(self, outside: Outside) -> Principal:
        """Who calls; NotFound if that is nobody who may. The body is read only where it is signed."""
        id = outside.params.get("id")
        kept = await self._reader.run(lambda tx: store.hook(tx, id)) if isinstance(id, int) else None
        if kept is None:
            signing.token_fits(outside.headers, _NOBODYS)
            raise _nothing()
        if kept.value.proof == "token":
            good = signing.token_fits(outside.headers, kept.value.digest)
            why = "" if good else _why_not("secret", signing.token_of(outside.headers))
        else:
            why = self._unsigned(kept, outside.headers, await self._body(kept, outside))
        if why:
            log.warning("hook_refused", hook=str(kept.id), tenant=str(kept.tenant_id), proof=kept.value.proof)
            self._heard(kept, why=why)
            raise _nothing()
        one = kept.value
        return Principal(kept.tenant_id, one.company_id, one.environment, kept.id, f"hook {one.name}", frozenset())

    async def call(self, call: Call) -> Reply:
        """Start the run, or give the one that the same call has started."""
        outside, id = call.outside, call.principal.key_id
        assert outside is not None
        kept = await self._reader.run(lambda tx: store.hook(tx, id))
        if kept is None:
            raise _nothing()
        try:
            run_id = await self._run(kept, call, outside)
        except Refusal as refusal:
            self._heard(kept, why=refusal.message)
            raise
        self._heard(kept, run_id=run_id)
        return reply_of(CalledOut(run_id=str(run_id)), status=202)

    async def _run(self, kept: Kept[Hook], call: Call, outside: Outside) -> int:
        one = kept.value
        if one.paused:
            raise Conflict("This hook is paused; nothing was started.")
        named = (*ALWAYS, *one.headers)
        given = {
            "body": _body(call.media, call.raw),
            "headers": {name: outside.headers[name][:MOST_VALUE] for name in named if name in outside.headers},
            "query": _plain(outside.query),
        }
        try:
            return await self._start(
                kept.tenant_id,
                one.workflow,
                one.version,
                given,
                idempotency=self._key(kept, outside.headers, call.raw),
                by=call.principal.key_name,
                correlation=f"hook:{kept.id}",
            )
        except NotFound as missing:
            # Another answer than a stranger's: it is the workflow that is not there.
            log.warning("hook_started_nothing", hook=str(kept.id), tenant=str(kept.tenant_id), cause=missing.message)
            raise Conflict(f"The hook is good, but nothing was started: {missing.message}") from None

    def _heard(self, kept: Kept[Hook], *, run_id: int = 0, why: str = "") -> None:
        heard = Heard(moment=int(self._wall() * 1000), run_id=run_id, why=why)
        self._hearing.note(kept.tenant_id, kept.id, heard)

    async def _body(self, kept: Kept[Hook], outside: Outside) -> bytes:
        try:
            return await outside.body()
        except Refusal as refusal:
            self._heard(kept, why=refusal.message)
            raise

    def _unsigned(self, kept: Kept[Hook], headers: Mapping[str, str], body: bytes) -> str:
        """Why a call does not count as signed, for the hook's owner; "" if it does."""
        try:
            secret = self._secret(kept)
        except (Sealed, KeyError):
            log.error("hook_sealed", hook=str(kept.id), tenant=str(kept.tenant_id))
            return "No key of this server opens the hook's secret: give it a new one."
        if kept.value.proof == "github":
            good = signing.hub_signed(headers, secret, body)
            return "" if good else _why_not("signature", headers.get(signing.HUB_HEADER, ""))
        if signing.signed(headers, secret, body, self._wall()):
            return ""
        if signing.good_signature(headers, secret, body)[0]:
            return f"Its signature is good, but not of the last {signing.TOLERANCE_SECONDS // 60} minutes."
        return _why_not("signature", headers.get(signing.SIGNATURE_HEADER, ""))

    def _secret(self, kept: Kept[Hook]) -> str:
        return self._vault.open(kept.tenant_id, kept.id, kept.value.sealed)["secret"]

    def _key(self, kept: Kept[Hook], headers: Mapping[str, str], body: bytes) -> str:
        """What makes a call the same call: the named header; else what the sender calls the delivery, if the hook names
        none; else the signature with its time, if it has one.
        """
        named = kept.value.idempotency_header
        value = headers.get(named, "") if named else _delivery(headers, body)
        if value:
            short = value if len(value) <= _LONG_KEY else hashlib.sha256(value.encode()).hexdigest()
            return f"hook:{kept.id}:{short}"
        if kept.value.proof == "signed":
            signature, _ = signing.good_signature(headers, self._secret(kept), body)
            return f"hook:{kept.id}:signature:{signature}"
        return ""


def _delivery(headers: Mapping[str, str], body: bytes) -> str:
    """What the sender calls this delivery, the same each time that it is sent again; "" if it does not say."""
    for name in DELIVERIES:
        if headers.get(name):
            return headers[name]
    try:
        event = _event(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return event.id if event.object == "event" and event.id.startswith("evt_") else ""


def _why_not(what: str, sent: str) -> str:
    return f"Its {what} is not the hook's." if sent else f"It came without a {what}."


def _nothing() -> NotFound:
    return NotFound("There is no such hook, or the secret is not its own.")


def _body(media: str, raw: bytes) -> Any:
    """A body as the run sees it: JSON as what it says, a form as an object, text as it is; null if there is none."""
    if not raw:
        return None
    if media == JSON or media.endswith("+json") or not media:
        return parse(raw).value
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    if media == FORM:
        try:
            return _plain(parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            raise Malformed(f"The form has more than {MOST_FIELDS:,} fields.") from None
    if media.startswith("text/"):
        return text
    raise UnsupportedMedia(f"The Content-Type must be {', '.join(MEDIA)}, or end in +json.")


def _plain(pairs: Mapping[str, list[str]]) -> dict[str, Any]:
    """Names with their value, or the list of them where one stands several times."""
    return {name: values[0] if len(values) == 1 else values for name, values in pairs.items()}
