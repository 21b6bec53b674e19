"""Carriers over HTTP. Passwords go in and never come out: `***` stands for one that is kept."""

from typing import Annotated, Any

import msgspec

from offhook.directory.lines.wire import SingleLine
from offhook.kit import clock
from offhook.kit.wire import Int64Text
from offhook.storage.documents import Kept
from offhook.telephony.trunks.model import ENABLED, Trunk

Meta = msgspec.Meta
HIDDEN = "***"
_ADDRESSES = "Where its calls come from: 203.0.113.7, 203.0.113.7:5060, 203.0.113.0/28; at most 256 addresses each."
_PROXY = "Where calls go out to: sip.example.com or 203.0.113.7:5060. None: no calls go out."
_PREFIXES = "What numbers begin with that may be called by it: +1, +4420. None: no numbers may."
_ABROAD = "Whether numbers outside its country may be called, where an office lets its people call abroad."
_EMERGENCY = "Whether emergency calls go by it, before all others."
_CALLS = "How many calls may go on by it at once, in and out; emergency calls go out beyond that."


class TrunkIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A carrier to connect."""

    name: Annotated[SingleLine, Meta(description="What it is called; unique in the company.", examples=["Carrier"])]
    country: Annotated[str, Meta(description="Whose way of dialling its numbers are in.", examples=["US"])]
    enabled: Annotated[bool | None, Meta(description="Whether calls come and go by it; true unless said.")] = None
    addresses: Annotated[list[str] | None, Meta(description=_ADDRESSES)] = None
    inbound_username: Annotated[str | None, Meta(description="What it must prove to be, by digest.")] = None
    inbound_password: Annotated[str | None, Meta(description="The password for that.")] = None
    proxy: Annotated[str | None, Meta(description=_PROXY)] = None
    domain: Annotated[str | None, Meta(description="What stands behind the @; the proxy's host unless said.")] = None
    username: Annotated[str | None, Meta(description="Who we are to it, where it asks.")] = None
    password: Annotated[str | None, Meta(description="The password for that.")] = None
    prefixes: Annotated[list[str] | None, Meta(description=_PREFIXES)] = None
    international: Annotated[bool | None, Meta(description=f"{_ABROAD} False unless said.")] = None
    emergency: Annotated[bool | None, Meta(description=f"{_EMERGENCY} False unless said.")] = None
    most_calls: Annotated[int | None, Meta(description=f"{_CALLS} 1 to 1000, 10 unless said.")] = None


class TrunkPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change. What is left out stays; an empty text or list takes away."""

    name: Annotated[SingleLine | None, Meta(description="What it is called.")] = None
    country: Annotated[str | None, Meta(description="Whose way of dialling its numbers are in.")] = None
    enabled: Annotated[bool | None, Meta(description="Whether calls come and go by it.")] = None
    addresses: Annotated[list[str] | None, Meta(description=_ADDRESSES)] = None
    inbound_username: Annotated[str | None, Meta(description="What it must prove to be, by digest.")] = None
    inbound_password: Annotated[str | None, Meta(description="The password for that.")] = None
    proxy: Annotated[str | None, Meta(description=_PROXY)] = None
    domain: Annotated[str | None, Meta(description="What stands behind the @.")] = None
    username: Annotated[str | None, Meta(description="Who we are to it, where it asks.")] = None
    password: Annotated[
        str | None, Meta(description="The password for that; sent again where proxy or domain change.")
    ] = None
    prefixes: Annotated[list[str] | None, Meta(description=_PREFIXES)] = None
    international: Annotated[bool | None, Meta(description=_ABROAD)] = None
    emergency: Annotated[bool | None, Meta(description=_EMERGENCY)] = None
    most_calls: Annotated[int | None, Meta(description=f"{_CALLS} 1 to 1000.")] = None


class TrunkOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A carrier, without what is secret."""

    id: Int64Text
    name: str
    country: str
    enabled: bool
    addresses: list[str]
    prefixes: list[str]
    international: bool
    emergency: bool
    most_calls: int
    proxy: str | None = None
    domain: str | None = None
    username: str | None = None
    password: Annotated[str | None, Meta(description="*** if one is kept.")] = None
    inbound_username: str | None = None
    inbound_password: Annotated[str | None, Meta(description="*** if one is kept.")] = None
    lost: Annotated[
        bool, Meta(description="No key of this server opens its passwords: enter them again. Nothing comes in by it.")
    ] = False
    created_at: str
    updated_at: str
    version: int


class TrunkPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of carriers."""

    items: list[TrunkOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class TrunkQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


def told(kept: Kept[Trunk]) -> dict[str, Any]:
    """What is not secret of a carrier, by the names of the wire."""
    trunk = kept.value
    return {
        "name": trunk.name,
        "country": trunk.country,
        "enabled": kept.state == ENABLED,
        "addresses": list(trunk.addresses),
        "prefixes": list(trunk.prefixes),
        "international": trunk.international,
        "emergency": trunk.emergency,
        "most_calls": trunk.most_calls,
        "proxy": trunk.proxy or None,
        "domain": trunk.domain or None,
        "username": trunk.username or None,
        "password": HIDDEN if trunk.username else None,
        "inbound_username": trunk.inbound_username or None,
        "inbound_password": HIDDEN if trunk.inbound_username else None,
    }


def trunk_out(kept: Kept[Trunk], *, lost: bool = False) -> TrunkOut:
    """A carrier as it is answered."""
    return TrunkOut(
        id=str(kept.id),
        lost=lost,
        created_at=clock.iso(kept.created_at),
        updated_at=clock.iso(kept.updated_at),
        version=kept.version,
        **told(kept),
    )
