"""Telephones over HTTP: what one enters into a softphone, and where it is reached. A password is shown once."""

from typing import Annotated

import msgspec

from offhook.directory.devices.model import ENABLED, Device, DeviceType, OwnerType
from offhook.directory.e911 import E911Out, e911_out
from offhook.emergency.model import CivicAddress
from offhook.kit import clock
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept
from offhook.telephony.phones.model import Contact, Phone

Meta = msgspec.Meta


class PhoneQuery(msgspec.Struct):
    """Whose telephones."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    user_id: Annotated[str | None, Meta(description="Only this user's; `me` with a key of a user.")] = None
    room_id: Annotated[str | None, Meta(description="Only this room's.")] = None


class SettingsOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is entered into a telephone, beside the password."""

    server: Annotated[str, Meta(description="Host of the registrar, which is the outbound proxy too.")]
    port: Annotated[int, Meta(description="Its port.")]
    transport: Annotated[str, Meta(description="How it is spoken to.")]
    realm: Annotated[str, Meta(description="What the password is good for.")]
    username: Annotated[str | None, Meta(description="Also what authenticates. Absent until a password was made.")] = (
        None
    )
    uri: Annotated[str | None, Meta(description="The same as one address, for those that ask for one.")] = None


class ContactOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A place where a telephone is reached now."""

    uri: str
    address: Annotated[str, Meta(description="Where it registered from, and calls are sent to.")]
    registered_at: Annotated[str, Meta(description="When it came there.")]
    expires_at: Annotated[str, Meta(description="When it is gone, unless it registers again.")]
    agent: Annotated[str | None, Meta(description="What it says it is.")] = None


class PhoneOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A telephone that signs in by SIP. Its id is that of the device."""

    id: Int64Text
    owner_type: OwnerType
    owner_id: Int64Text
    owner_name: Annotated[str, Meta(description="Whose telephone it is.")]
    type: DeviceType
    enabled: Annotated[bool, Meta(description="Whether it rings.")]
    settings: SettingsOut
    registered: Annotated[bool, Meta(description="Whether it is reached now.")]
    contacts: Annotated[list[ContactOut], Meta(description="Where.")]
    name: str | None = None
    password_set_at: Annotated[str | None, Meta(description="When its password was made; absent without one.")] = None
    password_void: Annotated[
        bool, Meta(description="The server's realm is another one by now: it needs a new password.")
    ] = False
    e911_address: Annotated[
        E911Out | None,
        Meta(description="The address that its calls for help carry: the user's own, or else the office's."),
    ] = None


class PhonePage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of telephones."""

    items: list[PhoneOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class PasswordOut(msgspec.Struct, kw_only=True):
    """A telephone with its new password."""

    phone: PhoneOut
    password: Annotated[str, Meta(description="Shown this once: only digests of it are kept.")]


class Server(msgspec.Struct, kw_only=True):
    """Where telephones sign in. `port` is 0 until it is known."""

    host: str
    port: int
    realm: str
    transport: str = "udp"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose telephone one is, as far as it is told: `e911` is the address that calls for help carry."""

    name: str = ""
    office_id: int = 0
    e911: CivicAddress | None = None


def phone_out(
    kept: Kept[Device], owner: Owner, phone: Phone | None, contacts: list[Contact], server: Server
) -> PhoneOut:
    """A telephone as it is answered."""
    device = kept.value
    settings = SettingsOut(server=server.host, port=server.port, transport=server.transport, realm=server.realm)
    if phone is not None:
        settings.username, settings.uri = phone.username, f"sip:{phone.username}@{_in_uri(server.host)}:{server.port}"
    return PhoneOut(
        id=str(kept.id),
        owner_type=device.owner_type,
        owner_id=str(device.owner_id),
        owner_name=owner.name,
        type=device.type,
        enabled=kept.state == ENABLED,
        settings=settings,
        registered=bool(contacts),
        contacts=[_contact_out(one) for one in contacts],
        name=device.name or None,
        password_set_at=clock.iso(phone.set_at) if phone is not None else None,
        password_void=phone is not None and phone.realm != server.realm,
        e911_address=e911_out(owner.e911),
    )


def _contact_out(contact: Contact) -> ContactOut:
    return ContactOut(
        uri=contact.uri,
        address=f"{_in_uri(contact.host)}:{contact.port}",
        registered_at=clock.iso(contact.since),
        expires_at=clock.iso(contact.until),
        agent=contact.agent or None,
    )


def _in_uri(host: str) -> str:
    return f"[{host}]" if ":" in host else host
