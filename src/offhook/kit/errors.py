"""Refusals: errors as types that carry their status and name every offending place at once.

Whoever detects a fault raises one of these; the gate turns it into the v2 error form. Nothing here may hold a secret:
what was sent is shortened, and places that can carry keys never pass `sent`.
"""

import re
import reprlib
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

SENT_LIMIT = 120
MAX_VIOLATIONS = 100

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = SENT_LIMIT


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that one place of a request breaks.

    `location` is the field path as the reference writes it (`routing_options.open.dtmf[2].input`), `sent` what stood
    there, shortened to 120 characters, `message` what is allowed and what to do. `about` are other places that the
    rule looked at: where one of those is faulty itself, this violation may be no more than its echo.
    """

    location: str
    message: str
    reason: str = "invalidParameter"
    sent: str | None = None
    about: tuple[str, ...] = ()


_KEY = re.compile(r"ohk_[A-Za-z0-9]+_[A-Za-z0-9]+")


def redacted(text: str) -> str:
    """`text` with every API key in it made unusable; it may end in the middle of one."""
    return _KEY.sub("ohk_***", text) if "ohk_" in text else text


def sentence(clause: str) -> str:
    """A clause such as "must be HH:MM" as a sentence."""
    return f"{clause[:1].upper()}{clause[1:]}."


def shown(value: Any) -> str:
    """`value` as it goes into an error: compact, at most 120 characters, nothing that breaks a line."""
    text = value[: SENT_LIMIT + 1] if isinstance(value, str) else _brief.repr(value)
    return whole(text if len(text) <= SENT_LIMIT else text[: SENT_LIMIT - 1] + "…")


def whole(text: str) -> str:
    """All of `text`, with nothing in it that breaks a line, and no API key that could be used."""
    return redacted("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that was ignored, guessed or likely not meant: said in `Offhook-Warning`, never in silence.

    `about` are other fields that it follows from: who changed only those is told all the same.
    """

    code: str
    field: str
    text: str
    about: tuple[str, ...] = ()


class Refusal(Exception):
    """A request that is not carried out. Subclasses fix the status and the v2 `reason` word."""

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "badRequest"

    def __init__(
        self, message: str, violations: Iterable[Violation] = (), headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.violations = tuple(violations)
        self.headers = tuple(headers)


class Malformed(Refusal):
    """The body is not one JSON document that we read without loss."""


class Invalid(Refusal):
    """The body is JSON, but breaks one or more rules; `violations` lists all of them."""

    reason = "invalidParameter"

    @classmethod
    def of(cls, violations: Iterable[Violation]) -> "Invalid":
        """One refusal for all of `violations`; its message counts them and shows the first."""
        found = tuple(violations)
        if len(found) > MAX_VIOLATIONS:
            text = f"{len(found) - MAX_VIOLATIONS:,} more violations are not listed."
            found = (*found[:MAX_VIOLATIONS], Violation(location="", message=text))
        first = f"{found[0].location}: {found[0].message}".removeprefix(": ")
        more = "" if len(found) == 1 else f" (and {len(found) - 1} more, see errors)"
        return cls(first + more, found)


class Unauthenticated(Refusal):
    """No key, or one that is unknown, revoked or expired: the three look the same."""

    status = 401
    reason = "required"


class Forbidden(Refusal):
    """The key is good, but not for this."""

    status = 403
    reason = "forbidden"


class NotFound(Refusal):
    """Nothing there, or nothing that this key may know of."""

    status = 404
    reason = "notFound"


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status = 405
    reason = "methodNotAllowed"


class Conflict(Refusal):
    """The request is well-formed, but the state of things forbids it."""

    status = 409
    reason = "conflict"


class PreconditionFailed(Refusal):
    """`If-Match` names a version that is no longer the current one."""

    status = 412
    reason = "conditionNotMet"


class TooLarge(Refusal):
    """The body is longer than the operation reads."""

    status = 413
    reason = "uploadTooLarge"


class UnsupportedMedia(Refusal):
    """The Content-Type is not one that the operation reads."""

    status = 415
    reason = "unsupportedMediaType"


class RangeNotSatisfiable(Refusal):
    """The part that is asked for is not in the file; `Content-Range` says how long it is."""

    status = 416
    reason = "requestedRangeNotSatisfiable"


class RateLimited(Refusal):
    """The company has used up the operation's window; `Retry-After` says when the next request passes."""

    status = 429
    reason = "rateLimitExceeded"


class NotBuilt(Refusal):
    """An operation of v2 that this server does not have yet."""

    status = 501
    reason = "notImplemented"


class Unstorable(Invalid):
    """What was sent, or came of it, has a value that the store cannot hold, however often it is tried."""


class Unavailable(Refusal):
    """The store cannot take the request now; nothing was changed, so it may be repeated."""

    status = 503
    reason = "backendError"
