"""Lists of users, and who has an e-mail address or a number."""

from collections.abc import Sequence

from offhook.access.doing import Page
from offhook.access.gate import reply_of
from offhook.directory.people import users_out
from offhook.directory.users import store, wire
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.directory.work import Work
from offhook.kit import clock
from offhook.kit.errors import Invalid
from offhook.kit.operation import Call, Reply
from offhook.kit.phones import check_phone
from offhook.numbers import store as inventory
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


class Finding:
    """Finds the users of all companies."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def page(self, call: Call) -> Reply:
        """A page of users; an e-mail address or a number finds at most one."""
        query: wire.UserListQuery = call.query or wire.UserListQuery()
        at, tenant_id, company_id = clock.now(), call.principal.tenant_id, call.principal.company_id
        number = _number_asked(query.number)
        filters = {
            name: value
            for name, value in (
                ("state", query.state),
                ("company_admin", query.company_admin),
                ("email", query.email and query.email.strip().casefold()),
                ("number", number),
            )
            if value is not None
        }

        def find(tx: Transaction, after: int, limit: int) -> Sequence[Kept[User]]:
            if query.email is None and number is None:
                return _behind(tx, tenant_id, after, limit, query)
            owners = set[int | None]()
            if query.email is not None:
                owners.add(store.by_email(tx, tenant_id, query.email.strip()))
            if number is not None:
                row = inventory.get(tx, tenant_id, number)
                owners.add(row.target_id if row is not None and row.target_type == "user" else None)
            owner = owners.pop() if len(owners) == 1 else None
            kept = users.get(tx, tenant_id, owner) if owner is not None and owner > after else None
            return [kept] if kept is not None and _asked_for(kept, query) else []

        def shown_with(tx: Transaction, after: int, limit: int) -> list[wire.UserOut]:
            return users_out(tx, find(tx, after, limit), company_id, at)

        page: Page[wire.UserOut] = await self._work.page(
            call, "users", shown_with, cursor=query.cursor, filters=filters, position=lambda one: int(one.id)
        )
        return reply_of(wire.UserPage(items=list(page.items), cursor=page.cursor))


def _behind(tx: Transaction, tenant_id: int, after: int, limit: int, query: wire.UserListQuery) -> list[Kept[User]]:
    """Users behind an id, by state and by whether they administer the company."""
    filters = {} if query.company_admin is None else {"is_super_admin": int(query.company_admin)}
    if query.state is None:
        return users.page(tx, tenant_id, after, limit, filters)
    if query.state != "all":
        return users.page(tx, tenant_id, after, limit, {"state": query.state, **filters}, even_deleted=True)
    alive = users.page(tx, tenant_id, after, limit, filters)
    deleted = users.page(tx, tenant_id, after, limit, {"state": "deleted", **filters}, even_deleted=True)
    return sorted([*alive, *deleted], key=lambda kept: kept.id)[:limit]


def _asked_for(kept: Kept[User], query: wire.UserListQuery) -> bool:
    if query.company_admin is not None and kept.value.is_super_admin != query.company_admin:
        return False
    return query.state in (None, "all", kept.state)


def _number_asked(text: str | None) -> str | None:
    """The number of a query; its + may have come through as a space, or not at all."""
    if text is None:
        return None
    digits = text.strip()
    number, fault = check_phone(digits if digits.startswith("+") else f"+{digits}", "", "number")
    if fault is not None:
        raise Invalid.of([fault])
    return number
