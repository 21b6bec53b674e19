"""Users as the subjects that hold users in groups see them: found by an id that a body names, and shown in a reply."""

from typing import Annotated

import msgspec

from offhook.directory.offices import no_such
from offhook.directory.users.model import License, User
from offhook.directory.users.store import users
from offhook.kit import clock
from offhook.kit.errors import Violation
from offhook.kit.wire import Int64Text, to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept


class PersonOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A user as v2 answers it."""

    id: Int64Text
    company_id: Int64Text
    office_id: Int64Text
    emails: tuple[str, ...]
    country: Annotated[str, msgspec.Meta(description="In lower case.")]
    timezone: str
    license: License
    state: str
    date_added: str
    display_name: str
    do_not_disturb: bool
    is_admin: bool
    is_super_admin: bool
    is_on_duty: bool
    international_dialing_enabled: bool
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    extension: str | None = None
    status_message: str | None = None
    admin_office_ids: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    forwarding_numbers: tuple[str, ...] = ()


def user_out(kept: Kept[User], company_id: int) -> PersonOut:
    """A user as v2 answers it within another answer."""
    user = kept.value
    return PersonOut(
        id=str(kept.id),
        company_id=str(company_id),
        office_id=str(user.office_id),
        emails=user.emails,
        country=user.country.lower(),
        timezone=user.timezone,
        license=user.license,
        state=kept.state,
        date_added=clock.iso(kept.created_at),
        display_name=user.display_name,
        do_not_disturb=user.do_not_disturb,
        is_admin=user.is_super_admin or bool(user.admin_office_ids),
        is_super_admin=user.is_super_admin,
        is_on_duty=user.on_duty,
        international_dialing_enabled=user.international_dialing_enabled,
        first_name=user.first_name or None,
        last_name=user.last_name or None,
        job_title=user.job_title or None,
        extension=user.extension or None,
        status_message=user.status_message or None,
        admin_office_ids=tuple(str(id) for id in user.admin_office_ids),
        phone_numbers=user.phone_numbers,
        forwarding_numbers=user.forwarding_numbers,
    )


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
