"""The only SQL of users and their e-mail addresses."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from sqlalchemy import Index, Table

from offhook.directory.users.model import User
from offhook.storage.database import Insert, Statement, Transaction, in_parts
from offhook.storage.documents import Documents
from offhook.storage.tables import big, metadata, text

users = Documents(
    "users",
    User,
    numbers={
        "office_id": lambda user: user.office_id,
        "is_super_admin": lambda user: int(user.is_super_admin),
        "is_office_admin": lambda user: int(bool(user.admin_office_ids)),
    },
    texts={"extension": lambda user: user.extension},
    unique=("extension",),
    by_state=((), ("is_super_admin",)),
)

emails = Table(
    "user_emails",
    metadata,
    big("tenant_id", primary_key=True),
    text("email", primary_key=True),
    big("user_id"),
    Index(None, "tenant_id", "user_id"),
)


class _Addresses(msgspec.Struct):
    """Of a user's document, what lists show of somebody."""

    emails: tuple[str, ...] = ()


_addresses = msgspec.json.Decoder(_Addresses).decode
_insert_emails = Insert(emails, ["tenant_id", "email", "user_id"])
_FORGET_EMAILS = Statement("DELETE FROM user_emails WHERE tenant_id = ? AND user_id = ?")
_FREE_EXTENSION = Statement("UPDATE users SET extension = '' WHERE tenant_id = ? AND id = ?")
_BY_EMAIL = Statement("SELECT user_id FROM user_emails WHERE tenant_id = ? AND email = ?")


def keep_emails(tx: Transaction, tenant_id: int, user_id: int, addresses: Sequence[str]) -> None:
    """Replace the addresses that a user is found by, and that nobody else may have."""
    tx.change(_FORGET_EMAILS, tenant_id, user_id)
    if addresses:
        _insert_emails(tx, [(tenant_id, address.casefold(), user_id) for address in addresses])


def free_extension(tx: Transaction, tenant_id: int, user_id: int) -> None:
    """Let others have a user's extension in this transaction, in which the user must get another or be deleted."""
    tx.change(_FREE_EXTENSION, tenant_id, user_id)


def by_email(tx: Transaction, tenant_id: int, address: str) -> int | None:
    """The id of the user who has an e-mail address, in whatever case it is written."""
    row = tx.first(_BY_EMAIL, tenant_id, address.casefold())
    return int(row[0]) if row else None


def primary_emails(tx: Transaction, tenant_id: int, ids: Sequence[int]) -> dict[int, str]:
    """The first e-mail address of those of the users who have one."""
    found: dict[int, str] = {}
    for part, marks in in_parts(ids, 0):
        for id, document in tx.all(_documents(marks), tenant_id, *part):
            if emails := _addresses(document).emails:
                found[id] = emails[0]
    return found


@lru_cache(maxsize=64)
def _documents(marks: str) -> Statement:
    return Statement(
        f"SELECT id, document FROM users WHERE tenant_id = ? AND id IN ({marks}) AND state <> 'deleted'"  # noqa: S608
    )
