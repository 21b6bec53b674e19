"""Credentials over HTTP. What is secret goes in and never comes out: `***` stands for it."""

from typing import Annotated, Any

import msgspec

from offhook.catalog.credentials.model import Credential, Kind, Place, Way
from offhook.catalog.keeping import iso
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta
HIDDEN = "***"
_HOSTS = "Where it may be sent: api.example.com, api.example.com:8443, *.example.com. Never elsewhere."


class HeaderIn(msgspec.Struct, kw_only=True):
    """A header with its secret value."""

    name: Annotated[str, Meta(description="Name of the header.")]
    value: Annotated[str, Meta(description="Its value, which is not shown again.")]


class CredentialIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A credential to keep."""

    name: Annotated[str, Meta(description="What it is called; unique in the company.", examples=["Billing, test"])]
    kind: Annotated[Kind, Meta(description="How it is sent.")]
    hosts: Annotated[list[str], Meta(description=_HOSTS)]
    token: Annotated[str | None, Meta(description="bearer: the token.")] = None
    username: Annotated[str | None, Meta(description="basic: the user name.")] = None
    password: Annotated[str | None, Meta(description="basic: the password.")] = None
    place: Annotated[Place | None, Meta(description="api_key: where it is sent; header unless said.")] = None
    parameter: Annotated[str | None, Meta(description="api_key: name of the header or parameter.")] = None
    value: Annotated[str | None, Meta(description="api_key: the key.")] = None
    token_url: Annotated[str | None, Meta(description="oauth2: where tokens are asked for.")] = None
    client_id: Annotated[str | None, Meta(description="oauth2: who asks.")] = None
    client_secret: Annotated[str | None, Meta(description="oauth2: its secret.")] = None
    client_way: Annotated[Way | None, Meta(description="oauth2: how the secret is sent; basic unless said.")] = None
    scopes: Annotated[list[str] | None, Meta(description="oauth2: what the token is for.")] = None
    headers: Annotated[list[HeaderIn] | None, Meta(description="headers: all of them.")] = None


class CredentialPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change. Secrets that are left out stay, unless where they are sent is widened."""

    name: Annotated[str | None, Meta(description="What it is called.")] = None
    hosts: Annotated[list[str] | None, Meta(description=_HOSTS)] = None
    token: Annotated[str | None, Meta(description="bearer: the token.")] = None
    username: Annotated[str | None, Meta(description="basic: the user name.")] = None
    password: Annotated[str | None, Meta(description="basic: the password.")] = None
    place: Annotated[Place | None, Meta(description="api_key: where it is sent.")] = None
    parameter: Annotated[str | None, Meta(description="api_key: name of the header or parameter.")] = None
    value: Annotated[str | None, Meta(description="api_key: the key.")] = None
    token_url: Annotated[str | None, Meta(description="oauth2: where tokens are asked for.")] = None
    client_id: Annotated[str | None, Meta(description="oauth2: who asks.")] = None
    client_secret: Annotated[str | None, Meta(description="oauth2: its secret.")] = None
    client_way: Annotated[Way | None, Meta(description="oauth2: how the secret is sent.")] = None
    scopes: Annotated[list[str] | None, Meta(description="oauth2: what the token is for.")] = None
    headers: Annotated[list[HeaderIn] | None, Meta(description="headers: all of them.")] = None


class HeaderOut(msgspec.Struct, kw_only=True):
    """A header of a credential."""

    name: str
    value: Annotated[str, Meta(description="Always ***.")] = HIDDEN


class CredentialOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A credential, without what is secret."""

    id: Int64Text
    name: str
    kind: Kind
    hosts: list[str]
    secret: Annotated[str, Meta(description="Always ***.")]
    username: str = ""
    place: str = ""
    parameter: str = ""
    token_url: str = ""
    client_id: str = ""
    client_way: str = ""
    scopes: list[str] = []
    headers: list[HeaderOut] = []
    lost: Annotated[bool, Meta(description="No key of this server opens it: enter its secret again.")] = False
    created_at: str
    updated_at: str
    version: int


class CredentialPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of credentials."""

    items: list[CredentialOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class CredentialQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class RotatedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of a company's credentials, and of what else is sealed by the same keys."""

    sealed_again: Annotated[int, Meta(description="Those that are under the newest key now.")]
    already: Annotated[int, Meta(description="Those that were.")]
    lost: Annotated[list[Int64Text], Meta(description="Credentials that no key opens; they stay as they are.")] = []
    lost_elsewhere: Annotated[
        dict[str, list[str]], Meta(description="The same of other records, by kind: the ids of `hooks` and `trunks`.")
    ] = {}


def told(credential: Credential) -> dict[str, Any]:
    """What is not secret of a credential, by the names of the wire."""
    shown: dict[str, Any] = {"name": credential.name, "kind": credential.kind, "hosts": list(credential.hosts)}
    shown["secret"] = HIDDEN
    match credential.kind:
        case "basic":
            shown["username"] = credential.username
        case "api_key":
            shown |= {"place": credential.place, "parameter": credential.parameter}
        case "oauth2":
            shown |= {"token_url": credential.token_url, "client_id": credential.client_id}
            shown |= {"client_way": credential.client_way, "scopes": list(credential.scopes)}
        case "headers":
            shown["headers"] = [HeaderOut(name=name) for name in credential.header_names]
    return shown


def credential_out(kept: Kept[Credential], *, lost: bool = False) -> CredentialOut:
    """A credential as it is answered."""
    return CredentialOut(
        id=str(kept.id),
        lost=lost,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
        version=kept.version,
        **told(kept.value),
    )
