"""Call routers as v2 has them."""

from typing import Annotated

import msgspec

from offhook.directory.callrouters.model import CallRouter, TargetType
from offhook.directory.callrouters.rules import ERRORS_ALLOWED
from offhook.directory.lines.wire import SingleLine
from offhook.kit import clock
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta

_URL = "The address that is asked about every call; https, or http with a warning."
_SECRET = "What requests are signed with: one line of 32 to 512 characters."  # noqa: S105 - says what it is


class CallRouterIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call router to create."""

    name: Annotated[SingleLine, Meta(description="The router's name.", examples=["After hours"])]
    office_id: Annotated[Int64, Meta(description="The office that it belongs to.")]
    routing_url: Annotated[str, Meta(description=_URL, examples=["https://example.com/route"])]
    default_target_type: Annotated[TargetType, Meta(description="Kind of what takes calls that it cannot decide.")]
    default_target_id: Annotated[Int64, Meta(description="Id of what takes calls that it cannot decide.")]
    enabled: Annotated[bool | None, Meta(description="Whether it is asked at all; true unless said.")] = None
    secret: Annotated[str | None, Meta(description=_SECRET)] = None


class CallRouterPatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to change of a call router; what is not sent stays."""

    name: Annotated[SingleLine | None, Meta(description="The router's name.")] = None
    office_id: Annotated[Int64 | None, Meta(description="The office that it belongs to.")] = None
    routing_url: Annotated[str | None, Meta(description=_URL)] = None
    default_target_type: Annotated[TargetType | None, Meta(description="Kind of the default target.")] = None
    default_target_id: Annotated[Int64 | None, Meta(description="Id of the default target.")] = None
    enabled: Annotated[bool | None, Meta(description="Whether it is asked at all.")] = None
    secret: Annotated[str | None, Meta(description=_SECRET + " Empty: no longer signed.")] = None
    reset_error_count: Annotated[bool | None, Meta(description="Count its errors from zero again.")] = None


class Signature(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How requests are signed; empty if they are not."""

    algo: str | None = None
    secret: str | None = None
    type: str | None = None


class CallRouterOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call router as v2 answers it."""

    id: Int64Text
    name: str
    office_id: Int64Text
    routing_url: str
    default_target_type: TargetType
    default_target_id: Int64Text
    enabled: bool
    signature: Signature
    phone_numbers: Annotated[tuple[str, ...], Meta(description="E.164, the primary one first.")] = ()


class CallRouterWhole(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call router, and what v2 does not say of it."""

    router: CallRouterOut
    recent_errors: Annotated[int, Meta(description="Errors within the last hour.")]
    errors_allowed: Annotated[int, Meta(description="One error more within an hour disables it.")]
    date_created: str
    date_updated: str
    date_last_error: str | None = None


class CallRouterPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of call routers."""

    items: list[CallRouterOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class CallRouterListQuery(msgspec.Struct):
    """Which call routers."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    office_id: Annotated[int | None, Meta(description="Only those of this office.")] = None


def router_out(kept: Kept[CallRouter]) -> CallRouterOut:
    """A call router as v2 answers it: its owner sees the secret."""
    router = kept.value
    return CallRouterOut(
        id=str(kept.id),
        name=router.name,
        office_id=str(router.office_id),
        routing_url=router.routing_url,
        default_target_type=router.default_target_type,
        default_target_id=str(router.default_target_id),
        enabled=router.enabled,
        signature=Signature(algo="HS256", secret=router.secret, type="jwt") if router.secret else Signature(),
        phone_numbers=router.phone_numbers,
    )


def router_whole(kept: Kept[CallRouter], recent: tuple[int, ...], last: int | None) -> CallRouterWhole:
    """A call router with all that is known of it."""
    return CallRouterWhole(
        router=router_out(kept),
        recent_errors=len(recent),
        errors_allowed=ERRORS_ALLOWED,
        date_created=clock.iso(kept.created_at),
        date_updated=clock.iso(kept.updated_at),
        date_last_error=None if last is None else clock.iso(last),
    )
