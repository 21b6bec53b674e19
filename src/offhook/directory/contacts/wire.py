"""Contacts as v2 has them."""

from typing import Annotated, Literal

import msgspec

from offhook.directory.contacts.model import Contact, id_text
from offhook.directory.lines.wire import SingleLine
from offhook.kit import clock
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

Texts = Annotated[list[str], Meta(max_length=100)]


class ContactFields(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a contact may have; in a change, what is not sent stays and an empty value takes away."""

    company_name: Annotated[SingleLine | None, Meta(description="Whom they work for.")] = None
    job_title: Annotated[SingleLine | None, Meta(description="What they do there.")] = None
    extension: Annotated[SingleLine | None, Meta(description="Their extension; at most 32 characters.")] = None
    emails: Annotated[Texts | None, Meta(description="E-mail addresses, the primary one first.")] = None
    phones: Annotated[
        Texts | None,
        Meta(description="E.164, or as dialled in the company's country; the primary one first."),
    ] = None
    urls: Annotated[Texts | None, Meta(description="Web addresses.")] = None
    trunk_group: Annotated[SingleLine | None, Meta(description="Deprecated in v2; kept and answered.")] = None


class ContactIn(ContactFields, kw_only=True, omit_defaults=True):
    """A contact to create."""

    first_name: Annotated[SingleLine, Meta(description="Given name.", examples=["Ada"])]
    last_name: Annotated[SingleLine, Meta(description="Family name; may be empty if the other is not.")]
    owner_id: Annotated[Int64 | None, Meta(description="The user whose contact it is; without it, all share it.")] = (
        None
    )


class ContactUidIn(ContactFields, kw_only=True, omit_defaults=True):
    """A shared contact to create under a name of the caller's, or to replace."""

    first_name: Annotated[SingleLine, Meta(description="Given name.", examples=["Ada"])]
    last_name: Annotated[SingleLine, Meta(description="Family name; may be empty if the other is not.")]
    uid: Annotated[
        str,
        Meta(description="The caller's own name for it; at most 128 characters, no slash.", examples=["crm-1815"]),
    ]


class ContactPatch(ContactFields, kw_only=True, omit_defaults=True):
    """What to change of a contact; what is not sent stays."""

    first_name: Annotated[SingleLine | None, Meta(description="Given name.")] = None
    last_name: Annotated[SingleLine | None, Meta(description="Family name.")] = None


class ContactOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A contact as v2 answers it."""

    id: Annotated[str, Meta(description="Digits; for a contact with a uid, a text that ends with it.")]
    target_id: Annotated[
        Int64Text | None,
        Meta(description="Of a contact with a uid: what a routing action names it by, as action_target_id. Not in v2."),
    ] = None
    type: Literal["local", "shared"]
    owner_id: Annotated[str, Meta(description="The user whose it is, or the company.")]
    first_name: str
    last_name: str
    display_name: str
    company_name: str | None = None
    job_title: str | None = None
    extension: str | None = None
    emails: tuple[str, ...] = ()
    phones: Annotated[tuple[str, ...], Meta(description="E.164.")] = ()
    primary_email: str | None = None
    primary_phone: str | None = None
    urls: tuple[str, ...] = ()
    trunk_group: str | None = None


class ContactWhole(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A contact, and what v2 does not say of it."""

    contact: ContactOut
    target_id: Annotated[Int64Text, Meta(description="What a routing action names it by, as action_target_id.")]
    date_created: str
    date_updated: str
    uid: str | None = None


class ContactPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of contacts."""

    items: list[ContactOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ContactListQuery(msgspec.Struct):
    """Which contacts."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    include_local: Annotated[bool, Meta(description="Also those of users, not only the shared ones.")] = False
    owner_id: Annotated[int | None, Meta(description="Only those of this user.")] = None


def contact_out(kept: Kept[Contact], company_id: int) -> ContactOut:
    """A contact as v2 answers it."""
    contact = kept.value
    return ContactOut(
        id=id_text(kept.id, contact, company_id),
        target_id=str(kept.id) if contact.uid else None,
        type="local" if contact.owner_id else "shared",
        owner_id=str(contact.owner_id or company_id),
        first_name=contact.first_name,
        last_name=contact.last_name,
        display_name=contact.display_name,
        company_name=contact.company_name or None,
        job_title=contact.job_title or None,
        extension=contact.extension or None,
        emails=contact.emails,
        phones=contact.phones,
        primary_email=contact.emails[0] if contact.emails else None,
        primary_phone=contact.phones[0] if contact.phones else None,
        urls=contact.urls,
        trunk_group=contact.trunk_group or None,
    )


def contact_whole(kept: Kept[Contact], company_id: int) -> ContactWhole:
    """A contact with all that is known of it."""
    return ContactWhole(
        contact=contact_out(kept, company_id),
        target_id=str(kept.id),
        date_created=clock.iso(kept.created_at),
        date_updated=clock.iso(kept.updated_at),
        uid=kept.value.uid or None,
    )
