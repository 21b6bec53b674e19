"""What an API operation is: one description from which routing, limits, decoding and the OpenAPI document all come.

Subjects list their operations; app.py collects them; access/gate.py carries them out. Nothing here knows a subject.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

from offhook.kit.errors import Notice, Refusal, Violation

JSON = "application/json"
MIB = 1024 * 1024

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` accepted requests in any `seconds` long window, for a company and an operation."""

    count: int = 1200
    seconds: int = 60


class Nothing(msgspec.Struct, frozen=True):
    """An operation without query parameters."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back: a body already encoded, and headers beyond those the gate adds.

    With a `stream` the body is what that gives, piece by piece, for as long as the client listens.
    """

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media: bytes = b"application/json"
    stream: AsyncIterator[bytes] | None = None


class WarningOut(msgspec.Struct):
    """What was ignored, guessed or likely not meant."""

    code: str
    field: str
    text: str


class Rehearsed(msgspec.Struct):
    """What a create would have answered; nothing is stored."""

    dry_run: bool
    result: msgspec.Raw
    warnings: list[WarningOut]


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """A request that comes without a key, while it is not known who sends it.

    Names of headers are in lower case; `media` is what Content-Type says, without parameters. `params` lacks what could
    not be read. `body` reads the body, once, as far as the operation takes it; TooLarge if there is more.
    """

    params: Mapping[str, int | str]
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    media: str
    body: Callable[[], Awaitable[bytes]]


class Call(msgspec.Struct, kw_only=True):
    """One request that has passed the gate: who asks, for what, when, and what to say besides the answer.

    `range` and `if_range` are the headers of those names, of operations that answer in parts.
    """

    principal: Any
    params: Mapping[str, int | str]
    query: Any = None
    body: Any = None
    raw: bytes = b""
    media: str = JSON
    request_id: str = ""
    dry_run: bool = False
    idempotency_key: str | None = None
    if_match: int | None = None
    moment: datetime | None = None
    operation: str = ""
    notices: list[Notice] = []
    outside: Outside | None = None
    range: str = ""
    if_range: str = ""


Handler = Callable[[Call], Awaitable[Reply]]
Check = Callable[[Call], Awaitable[Sequence[Violation]]]
"""Asks an operation's rules about a body without doing anything."""

Adapt = Callable[[dict[str, Any], list[Notice]], dict[str, Any]]
"""Brings a body that was decoded into the form of an operation's struct; what it leaves out is a notice."""


Admit = Callable[[Outside], Awaitable[Any]]
"""Tells who has sent a request that has no key, from whatever else it shows: its principal, or a Refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How operations of another system's API are spoken to, where that is not the usual way.

    `refused` writes a refusal of a request to a path as that system's clients know it, and `error` is the type of such
    a body. `key_header`, in lower case, is a header that may bring the key, besides the usual ones.
    """

    name: str
    refused: Callable[[Refusal, str], Reply]
    error: type[msgspec.Struct]
    key_header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An API operation.

    `path` is a template: `{id}` and names ending in `_id` take int64, other names take one path segment of text,
    as does an id marked `{id:text}`; one marked `{id:user}` is a user's int64, or `me`.
    `scope` is what a key needs. `creates` operations accept `Idempotency-Key` and `Offhook-Dry-Run`;
    `rehearsal` is what a dry run answers, None if that is the reply itself. `handler` None
    answers 501 and names the operation. `check` lets a body that does not fit its struct be refused for its broken
    rules in the same answer. `adapt` sees the body before that, nulls included. `examples` maps a title to a request
    body. A body that is not `body_required` may be left out, and is None then. `reply_media` is the type of an answer
    that is not JSON; `other_media` are those that a query may ask for besides, `reply_status` is its status.
    An operation with `admit` takes no API key: `admit` tells who sends, limits hold for each sender and for those that
    fail from an address, and its handler finds the request in `Call.outside`, its body in `Call.raw`. It has no scope,
    and none of the headers that keys bring with them.
    An operation that is `ranged` answers in parts to who asks for one: 206, or 416 (RFC 9110, section 14).
    A `body` that is no struct (a map, a list of maps) is decoded and not looked into. `dialect` None is the usual way.
    `better` says what an operation of v2 does here beyond v2, `note` what else there is to know: docs/compatibility.md
    shows both.
    """

    id: str
    method: Method
    path: str
    summary: str
    handler: Handler | None = None
    check: Check | None = None
    description: str = ""
    tag: str = ""
    scope: str = "admin"
    limit: Limit = Limit()
    query: type[msgspec.Struct] = Nothing
    body: Any = None
    body_required: bool = True
    reply: Any = None
    reply_media: str = JSON
    reply_status: int = 200
    other_media: tuple[str, ...] = ()
    reply_description: str = ""
    rehearsal: Any = Rehearsed
    adapt: Adapt | None = None
    admit: Admit | None = None
    media: tuple[str, ...] = (JSON,)
    body_limit: int = MIB
    creates: bool = False
    dialect: Dialect | None = None
    ranged: bool = False
    refusals: tuple[int, ...] = ()
    better: str = ""
    note: str = ""
    examples: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, which its scope says."""
        return self.scope.endswith(":read")
