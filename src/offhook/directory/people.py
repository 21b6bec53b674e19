"""Users as the subjects that hold users in groups see them: found by an id that a body names, and shown in a reply."""

from collections.abc import Sequence
from datetime import datetime

from offhook.directory.devices import store as devices
from offhook.directory.offices import no_such
from offhook.directory.operators import store as operators
from offhook.directory.users import wire
from offhook.directory.users.model import User
from offhook.directory.users.store import users
from offhook.kit.errors import Violation
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


def users_out(tx: Transaction, found: Sequence[Kept[User]], company_id: int, at: datetime) -> list[wire.UserOut]:
    """Users of one company as v2 answers them, however many, in two queries."""
    if not found:
        return []
    tenant_id, ids = found[0].tenant_id, [kept.id for kept in found]
    groups, online = operators.of_members(tx, tenant_id, "user", ids), devices.online(tx, tenant_id, ids)
    return [
        wire.user_out(kept, company_id, groups.get(kept.id, ()), is_online=kept.id in online, at=at) for kept in found
    ]


def user_in(
    tx: Transaction, tenant_id: int, sent: int | str, location: str, found: list[Violation]
) -> Kept[User] | None:
    """The user that a body names; if the company has none of that id, `found` gets a violation at `location`."""
    kept = users.get(tx, tenant_id, to_int64(sent) or 0)
    if kept is None:
        found.append(no_such(location, "user", sent))
    return kept


def admin_in(
    tx: Transaction, tenant_id: int, sent: int | str, location: str, found: list[Violation]
) -> Kept[User] | None:
    """The company admin that a body names; `found` gets a violation if there is no such user, or it is no admin."""
    kept = user_in(tx, tenant_id, sent, location, found)
    if kept is not None and not kept.value.is_super_admin:
        text = "This user is no company admin: name one whose is_super_admin is true."
        found.append(Violation(location=location, message=text, sent=str(kept.id)))
        return None
    return kept
