"""Do-not-disturb and what a user says they are doing."""

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.directory.operators import store as operators
from offhook.directory.paths import id_of
from offhook.directory.users import rules, wire
from offhook.directory.users.licensing import KEEPER
from offhook.directory.work import Work
from offhook.events.keeper import tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Invalid, Notice, Violation, shown
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction

_YEAR = 366 * 86_400


class Presence:
    """Whether the users of all companies want to be called."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def set_dnd(self, call: Call) -> Reply:
        """Switch do-not-disturb, of the user or for one group that they are in."""
        body: wire.DndIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        if (body.group_id is None) != (body.group_type is None):
            lacking = "group_id" if body.group_id is None else "group_type"
            text = "Send group_id and group_type together, or neither."
            raise Invalid.of([Violation(location=lacking, reason="required", message=text)])

        def run(tx: Transaction, _notices: list[Notice]) -> wire.DndOut:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.refuse_old(call, before)
            if body.group_id is None or body.group_type is None:
                value = msgspec.structs.replace(before.value, do_not_disturb=body.do_not_disturb)
                KEEPER.change(tx, call, at, before, value, word=Word.USER_DO_NOT_DISTURB_UPDATED)
                return wire.DndOut(id=str(id), do_not_disturb=body.do_not_disturb)
            group_id = to_int64(body.group_id) or 0
            membership = operators.get(tx, tenant_id, body.group_type, group_id, "user", id)
            if membership is None:
                text = f"The user is in no {body.group_type} of this id; add them as an operator first."
                place = Violation(location="group_id", reason="notFound", message=text, sent=shown(body.group_id))
                raise Invalid.of([place])
            out = wire.DndOut(
                id=str(id), do_not_disturb=body.do_not_disturb, group_id=str(group_id), group_type=body.group_type
            )
            if membership.do_not_disturb != body.do_not_disturb:
                operators.change(tx, msgspec.structs.replace(membership, do_not_disturb=body.do_not_disturb))
                was = msgspec.structs.replace(out, do_not_disturb=membership.do_not_disturb)
                tell(tx, call, at, Word.USER_DO_NOT_DISTURB_UPDATED, id, before=was, after=out)
            return out

        return reply_of(await self._work.change(call, run))

    async def set_status(self, call: Call) -> Reply:
        """Set or remove the status message, for good or for a time."""
        body: wire.StatusIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        found: list[Violation] = []
        message = rules.name(body.status_message, "status_message", found) or ""
        seconds = None if body.expiration is None else to_int64(body.expiration)
        if body.expiration is not None and (seconds is None or not 0 < seconds <= _YEAR):
            text = f"Must be seconds from now, 1 to {_YEAR}; leave it out for a status that stays."
            found.append(Violation(location="expiration", message=text, sent=shown(body.expiration)))
        refuse(found)
        until = clock.milliseconds(at) + seconds * 1000 if seconds and message else 0

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            value = msgspec.structs.replace(before.value, status_message=message, status_until=until)
            KEEPER.change(tx, call, at, before, value)

        await self._work.change(call, run)
        return reply_of(wire.StatusOut(id=str(id), status_message=message, expiration=str(seconds) if until else None))
