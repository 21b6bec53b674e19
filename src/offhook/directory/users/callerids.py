"""What a user's calls show, and whom they can call as."""

from collections.abc import Iterable

import msgspec

from offhook.access.gate import reply_of
from offhook.directory.operators import store as operators
from offhook.directory.operators.store import Operator
from offhook.directory.paths import id_of
from offhook.directory.users import rules, wire
from offhook.directory.users.licensing import KEEPER
from offhook.directory.users.model import BLOCKED, User
from offhook.directory.work import Holding, Work
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Invalid, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import check_e164
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


class CallerIds:
    """The caller IDs and personas of the users of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def caller_id(self, call: Call) -> Reply:
        """What the user's calls show, and what they may show."""
        id = id_of(call)
        return reply_of(
            await self._work.reader.run(lambda tx: self._caller_ids(tx, KEEPER.get(tx, call.principal.tenant_id, id)))
        )

    async def set_caller_id(self, call: Call) -> Reply:
        """Choose what the user's calls show."""
        body: wire.CallerIdIn = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)
        wanted, fault = body.caller_id.strip(), None
        if wanted.lower() == BLOCKED:
            wanted = BLOCKED
        else:
            number, fault = check_e164(wanted, "caller_id")
            wanted = number or ""

        def run(tx: Transaction, _notices: list[Notice]) -> wire.CallerIdOut:
            before = KEEPER.get(tx, tenant_id, id)
            if fault is not None:
                raise Invalid.of([fault])
            choices = _choices(self._caller_ids(tx, before))
            if wanted != BLOCKED and wanted not in choices:
                text = f"Must be one of the user's choices: {', '.join([*choices[:20], BLOCKED])}."
                raise Invalid.of([Violation(location="caller_id", message=text, sent=wanted)])
            value = msgspec.structs.replace(before.value, caller_id=wanted)
            after = KEEPER.change(tx, call, at, before, value, word=Word.USER_CALLER_ID_UPDATED)
            return self._caller_ids(tx, after)

        return reply_of(await self._work.change(call, run))

    def _caller_ids(self, tx: Transaction, kept: Kept[User]) -> wire.CallerIdOut:
        user = kept.value
        card = self._work.office(tx, kept.tenant_id, user.office_id)
        groups = [
            wire.CallerIdGroup(caller_id=number, display_name=holding.name)
            for _, holding in self._groups(tx, kept)
            for number in holding.phone_numbers
        ]
        out = wire.CallerIdOut(
            id=str(kept.id),
            primary_phone=user.phone_numbers[0] if user.phone_numbers else None,
            phone_numbers=user.phone_numbers,
            office_main_line=card.main_line if card is not None else None,
            groups=tuple(groups),
            forwarding_numbers=user.forwarding_numbers,
        )
        shown_number = rules.caller_id(user, out.office_main_line, [group.caller_id for group in groups])
        return msgspec.structs.replace(out, caller_id=shown_number)

    def _groups(self, tx: Transaction, kept: Kept[User]) -> Iterable[tuple[Operator, Holding]]:
        """The groups that a user is in, with what each is called and its numbers."""
        for one in operators.of_member(tx, kept.tenant_id, "user", kept.id):
            holding = None
            if one.group_type == "office":
                card = self._work.office(tx, kept.tenant_id, one.group_id)
                if card is not None:
                    holding = Holding(office_id=card.id, name=card.name, phone_numbers=card.phone_numbers)
            elif (holder := self._work.holders.get(one.group_type)) is not None:
                holding = holder.get(tx, kept.tenant_id, one.group_id)
            if holding is not None:
                yield one, holding

    async def personas(self, call: Call) -> Reply:
        """Whom the user can call as: themselves, and each group that they are in."""
        id = id_of(call)

        def read(tx: Transaction) -> wire.PersonaList:
            kept = KEEPER.get(tx, call.principal.tenant_id, id)
            user = kept.value
            first = wire.PersonaOut(
                id=str(id),
                type="user",
                name=user.display_name,
                caller_id=self._caller_ids(tx, kept).caller_id,
                phone_numbers=user.phone_numbers,
            )
            return wire.PersonaList(
                items=[
                    first,
                    *(
                        wire.PersonaOut(
                            id=str(one.group_id),
                            type=one.group_type,
                            name=holding.name,
                            caller_id=holding.phone_numbers[0] if holding.phone_numbers else None,
                            phone_numbers=holding.phone_numbers,
                        )
                        for one, holding in self._groups(tx, kept)
                    ),
                ]
            )

        return reply_of(await self._work.reader.run(read))


def _choices(out: wire.CallerIdOut) -> list[str]:
    """The numbers that a user's calls may show."""
    all_of_them = (*out.phone_numbers, out.office_main_line, *(group.caller_id for group in out.groups))
    return list(dict.fromkeys(one for one in all_of_them if one))
