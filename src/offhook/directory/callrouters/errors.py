"""What becomes of a call router whose web service fails: it is disabled when it has failed too often."""

from datetime import datetime

import msgspec

from offhook.access.model import Principal
from offhook.directory.callrouters import rules, store, wire
from offhook.directory.callrouters.model import CallRouter
from offhook.directory.callrouters.store import callrouters
from offhook.events import store as events
from offhook.events.model import SYSTEM, Event, Word
from offhook.kit import clock
from offhook.kit.errors import Conflict
from offhook.kit.wire import encode
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


def veiled(kept: Kept[CallRouter]) -> Kept[CallRouter]:
    """A router that shows whether it has a secret, not which."""
    if not kept.value.secret:
        return kept
    return msgspec.structs.replace(kept, value=msgspec.structs.replace(kept.value, secret="***"))  # noqa: S106


def seen_by(principal: Principal, kept: Kept[CallRouter]) -> Kept[CallRouter]:
    """A router as a key sees it: the secret is for the company's own keys that may change routers, and for admins.

    Whoever knows it can sign requests as this server does.
    """
    trusted = principal.may("admin") or (principal.user_id is None and principal.may("directory:write"))
    return kept if trusted else veiled(kept)


def shown(kept: Kept[CallRouter]) -> wire.CallRouterOut:
    """A router as events keep it."""
    return wire.router_out(veiled(kept))


def note_error(tx: Transaction, tenant_id: int, id: int, at: datetime) -> bool:
    """Count an error of a router, and disable it if that is one too many; whether it was disabled by this one."""
    kept = callrouters.get(tx, tenant_id, id)
    if kept is None:
        return False
    moment = clock.milliseconds(at)
    errors = rules.recent((*store.errors(tx, tenant_id, id), moment), moment)
    store.keep_errors(tx, tenant_id, id, errors)
    if not kept.value.enabled or not rules.too_many(errors):
        return False
    after = msgspec.structs.replace(
        kept,
        value=msgspec.structs.replace(kept.value, enabled=False),
        version=kept.version + 1,
        updated_at=max(moment, kept.updated_at),
    )
    if not callrouters.update(tx, kept, after):
        raise Conflict("The call router was changed meanwhile; read it again.")
    events.append(
        tx,
        [
            Event(
                tenant_id=tenant_id,
                word=Word.CALLROUTER_DISABLED,
                subject_id=str(id),
                actor=SYSTEM,
                at=moment,
                before=encode(shown(kept)).decode(),
                after=encode(shown(after)).decode(),
            )
        ],
    )
    return True
