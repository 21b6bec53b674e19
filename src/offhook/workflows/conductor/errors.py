"""Refusals as Conductor's clients know them."""

from typing import Annotated, Any

import msgspec

from offhook.kit.errors import RateLimited, Refusal, Unauthenticated, Unavailable
from offhook.kit.operation import Dialect, Reply
from offhook.kit.wire import encode

Meta = msgspec.Meta


class ConductorViolation(msgspec.Struct, kw_only=True, rename="camel"):
    """A rule that one place of a request breaks."""

    path: Annotated[str, Meta(description="The place, such as tasks[0].taskReferenceName.")]
    message: Annotated[str, Meta(description="What is allowed, and what to do.")]
    invalid_value: Annotated[str | None, Meta(description="What stood there, shortened.")] = None


class ConductorError(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Why a request was not carried out."""

    status: int
    message: str
    instance: Annotated[str, Meta(description="The path that was asked.")]
    retryable: Annotated[bool, Meta(description="Whether the same request may pass later.")]
    validation_errors: list[ConductorViolation] | None = None
    error: Annotated[str | None, Meta(description="INVALID_TOKEN where the key is missing or not valid.")] = None


def refused(refusal: Refusal, path: str) -> Reply:
    """A refusal in Conductor's form."""
    body = ConductorError(
        status=refusal.status,
        message=refusal.message,
        instance=path[:500],
        retryable=refusal.status in (RateLimited.status, Unavailable.status),
        validation_errors=[
            ConductorViolation(path=one.location, message=one.message, invalid_value=one.sent)
            for one in refusal.violations
        ]
        or None,
        error="INVALID_TOKEN" if refusal.status == Unauthenticated.status else None,
    )
    headers: list[Any] = [(name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers]
    return Reply(body=encode(body), status=refusal.status, headers=tuple(headers))


CONDUCTOR = Dialect(name="Conductor", refused=refused, error=ConductorError, key_header="x-authorization")
