"""The gate: every API request passes here, in this order, and is refused in the v2 form where it fails.

Path and method, key, rate limit, scope, rights of the key's user, headers, body, then the operation. Limits are decided
before the body is read. The gate knows no subject, and is handed what judges rights; it must never let a key, or what a
key was sent with, into a log or an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
import structlog
from prometheus_client import Counter, Histogram

from offhook.access import limits
from offhook.access.idempotency import check_key
from offhook.access.model import Principal
from offhook.access.service import Access
from offhook.kit import clock
from offhook.kit.errors import (
    Forbidden,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotBuilt,
    NotFound,
    Notice,
    RateLimited,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unstorable,
    UnsupportedMedia,
    Violation,
    shown,
)
from offhook.kit.ids import Ids
from offhook.kit.log import RequestLog
from offhook.kit.operation import JSON, Call, Check, Dialect, Limit, Nothing, Operation, Outside, Reply
from offhook.kit.protocol import WHOLE
from offhook.kit.router import Match, Router, public
from offhook.kit.wire import Misfit, encode, is_struct, read, read_plain, read_query

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger("offhook.request")

REQUESTS = Counter("offhook_requests", "API requests by operation and status.", ["operation", "status"])
SECONDS = Histogram(
    "offhook_request_seconds",
    "Time from the request head to the end of the answer.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

MAX_WARNINGS = 32

KEY_DIGEST = "offhook.key_digest"
"""Where the scope of a request that this process itself makes, for a session of the console, has its key's digest."""


class Rights(Protocol):
    """Says what the user of a key may do, which a floor above knows: Forbidden, NotFound, or nothing.

    It is asked before a body is read, and with the `whole` request once it is.
    """

    async def __call__(self, call: Call, operation: Operation, *, whole: bool) -> None: ...


class Gate:
    """The ASGI application for everything under /api."""

    def __init__(
        self,
        router: Router,
        access: Access,
        limiter: limits.Limiter,
        ids: Ids,
        *,
        scale: float = 1.0,
        requests: RequestLog | None = None,
        rights: Rights | None = None,
    ) -> None:
        self._router = router
        self._access = access
        self._limiter = limiter
        self._ids = ids
        self._scale = scale
        self._requests = requests
        self._rights = rights
        self._meters: dict[tuple[str, int], Any] = {}
        self._timers: dict[str, Any] = {}
        self._limits: dict[Limit, Limit] = {}
        self._refusing_until = 0.0
        self._early: dict[str, tuple[float, int]] = {}
        self._stopping = asyncio.Event()

    def end_streams(self) -> None:
        """End every stream: the server stops, and whoever listens asks again elsewhere or later."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = clock.monotonic()
        request_id = f"{self._ids.new():x}"
        seen = _Seen()
        try:
            reply = await self._answer(scope, receive, request_id, seen)
        except Refusal as refusal:
            if isinstance(refusal, Unavailable):
                log.error("unavailable", request_id=request_id, cause=repr(refusal.__cause__)[:500])
            elif isinstance(refusal, Unstorable):
                cause = type(refusal.__cause__).__name__
                log.warning("unstorable", request_id=request_id, operation=seen.operation, cause=cause)
            reply = seen.refused(refusal, scope["path"])
        except ClientGone:
            return
        except asyncio.CancelledError:
            # The time for requests in flight is over; whoever waited is told so.
            stopping = Unavailable("The server is stopping; try again.", headers=[("Retry-After", "1")])
            reply = seen.refused(stopping, scope["path"])
        except Exception:
            log.exception("fault", request_id=request_id, operation=seen.operation)
            fault = _Fault(f"Something went wrong here; it was logged as request {request_id}.")
            reply = seen.refused(fault, scope["path"])
        body = reply.body
        headers = [(b"content-type", reply.media), (b"x-request-id", request_id.encode()), *reply.headers]
        if seen.notices:
            headers.extend(warning_headers(seen.notices))
        if reply.stream is not None:
            await _send_stream(reply, headers, receive, send, self._stopping)
        elif WHOLE in (scope.get("extensions") or ()):
            await send({"type": WHOLE, "status": reply.status, "headers": headers, "body": body})
        else:
            headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        self._note(scope, seen, reply.status, clock.monotonic() - begun, request_id)

    def _note(self, scope: Scope, seen: "_Seen", status: int, seconds: float, request_id: str) -> None:
        meter = self._meters.get((seen.operation, status))
        if meter is None:
            meter = self._meters[seen.operation, status] = REQUESTS.labels(seen.operation, str(status))
        timer = self._timers.get(seen.operation)
        if timer is None:
            timer = self._timers[seen.operation] = SECONDS.labels(seen.operation)
        meter.inc()
        timer.observe(seconds)
        if self._requests is not None:
            self._requests.note(
                request_id=request_id,
                method=scope["method"],
                # The template, or the path without its query: a key may stand in the query.
                path=seen.path or shown(scope["path"]),
                status=status,
                ms=round(seconds * 1000, 2),
                operation=seen.operation,
                company=seen.company,
                key=seen.key,
            )

    async def _answer(self, scope: Scope, receive: Receive, request_id: str, seen: "_Seen") -> Reply:
        match, operation = self._match(scope, seen)
        if operation.admit is not None and operation.handler is not None:
            return await self._from_outside(match, operation, scope, receive, request_id, seen)
        heads = _Heads(scope["headers"])
        query = (
            parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True) if scope["query_string"] else {}
        )
        principal = await self._admitted(scope, operation, heads, query, seen)
        if match.violations:
            raise Invalid.of(match.violations)
        params = match.params
        if match.mine:
            params = {**params, **{name: principal.me(name) for name in match.mine}}
        if operation.handler is None:
            raise NotBuilt(f"{operation.id} ({operation.method} {seen.path}) is not built yet on this server.")
        call = Call(
            principal=principal,
            params=params,
            request_id=request_id,
            operation=operation.id,
            notices=seen.notices,
            moment=_moment(heads, principal),
        )
        if operation.ranged:
            call.range = _text(heads.all.get(b"range")) or ""
            call.if_range = _text(heads.all.get(b"if-range")) or ""
        if operation.query is not Nothing or query:
            call.query = read_query(query, operation.query, seen.notices)
        rights = None if principal.user_id is None or operation.reads else self._rights
        if rights is not None:
            await rights(call, operation, whole=operation.body is None)
        call.dry_run = _flag(heads.dry_run, "Offhook-Dry-Run")
        if call.dry_run and not operation.creates and operation.method != "GET":
            text = "This operation has no dry run and would be carried out; send it without this header."
            raise Invalid.of([Violation(location="Offhook-Dry-Run", message=text, sent="true")])
        if heads.idempotency_key is not None and operation.creates:
            call.idempotency_key = check_key(heads.idempotency_key)
        if heads.if_match is not None:
            call.if_match = _version(heads.if_match)
        if not operation.body_required and heads.length == 0:
            pass
        elif operation.body is not None or operation.media != (JSON,):
            await self._read_body(call, operation, heads, receive)
        elif heads.length is None or heads.length > 0:
            await _drain(receive, operation.body_limit)
        if rights is not None and operation.body is not None:
            await rights(call, operation, whole=True)
        if call.moment is None:
            return await operation.handler(call)
        with clock.at(call.moment):
            return await operation.handler(call)

    async def _admitted(
        self, scope: Scope, operation: Operation, heads: "_Heads", query: Mapping[str, list[str]], seen: "_Seen"
    ) -> Principal:
        """Whose key it is, once it is within its limits and scopes."""
        digest = scope.get(KEY_DIGEST)
        if digest is None:
            principal = await self._access.authenticate(_secret(heads, query, operation.dialect))
        else:
            principal = await self._access.identify(digest)
        seen.company, seen.key = principal.company_id, principal.key_id
        await self._limit(principal.company_id, operation)
        if operation.handler is not None and not principal.may(operation.scope):
            raise Forbidden(f"This key lacks the scope {operation.scope}.")
        return principal

    def _match(self, scope: Scope, seen: "_Seen") -> tuple[Match, Operation]:
        path = scope.get("raw_path") or scope["path"].encode()
        match = self._router.find(scope["method"], path.decode("latin-1"))
        if match is None:
            raise self._unknown_path(scope["method"], path.decode("latin-1"))
        if match.operation is None:
            allowed = ", ".join(match.allowed)
            raise MethodNotAllowed(f"This path takes {allowed}.", headers=[("Allow", allowed)])
        seen.operation, seen.path = match.operation.id, public(match.operation.path)
        seen.dialect = match.operation.dialect
        return match, match.operation

    def _unknown_path(self, method: str, path: str) -> NotFound:
        near = self._router.near(method, path)
        meant = f" Did you mean {near}?" if near is not None else ""
        return NotFound(f"There is no path {shown(path)}.{meant} GET /openapi.json lists those that there are.")

    async def _from_outside(
        self, match: Match, operation: Operation, scope: Scope, receive: Receive, request_id: str, seen: "_Seen"
    ) -> Reply:
        """Carry out an operation that takes no key.

        Who is not admitted counts for the address alone: from where as many have failed as the operation's limit has,
        nothing is looked up or read any more until the window is over.
        """
        assert operation.admit is not None
        assert operation.handler is not None
        limit = self._scaled(operation.limit)
        address = (0, f"{operation.id} {(scope.get('client') or ('',))[0]}")
        failed = self._limiter.would_refuse(address, limit)
        if failed is not None:
            raise rate_limited(failed, limit, operation, "that fail from one address")
        heads = _Heads(scope["headers"])
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            text = value.decode("latin-1").strip()
            known = headers.get(name.decode("latin-1").lower())
            headers[name.decode("latin-1").lower()] = text if known is None else f"{known}, {text}"
        read: list[bytes] = []

        async def body() -> bytes:
            if not read:
                if heads.length is not None and heads.length > operation.body_limit:
                    raise TooLarge(f"The body may have {operation.body_limit} bytes; this one has {heads.length}.")
                read.append(await _body(receive, operation.body_limit) if heads.length != 0 else b"")
            return read[0]

        outside = Outside(
            params=match.params,
            headers=headers,
            query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
            media=(heads.content_type or "").split(";")[0].strip().lower(),
            body=body,
        )
        try:
            principal: Principal = await operation.admit(outside)
        except Refusal as refusal:
            if refusal.status < 500:
                await self._limiter.take(address, limit)
            raise
        seen.company, seen.key = principal.company_id, principal.key_id
        await self._limit(principal.key_id, operation)
        call = Call(
            principal=principal,
            params=match.params,
            raw=await body(),
            media=outside.media,
            request_id=request_id,
            operation=operation.id,
            notices=seen.notices,
            outside=outside,
            range=headers.get("range", "") if operation.ranged else "",
            if_range=headers.get("if-range", "") if operation.ranged else "",
        )
        return await operation.handler(call)

    async def _limit(self, whose: int, operation: Operation) -> None:
        """Count a request of a company, or of whoever else sends it."""
        limit = self._scaled(operation.limit)
        key = (whose, operation.id)
        verdict = self._limiter.take_now(key, limit) or await self._limiter.take(key, limit)
        if not verdict.accepted:
            self._refusing_until = max(self._refusing_until, clock.monotonic() + verdict.reset_after)
            raise rate_limited(verdict, limit, operation)

    def _scaled(self, limit: Limit) -> Limit:
        found = self._limits.get(limit)
        if found is None:
            found = self._limits[limit] = limits.scaled(limit, self._scale)
        return found

    async def _read_body(self, call: Call, operation: Operation, heads: "_Heads", receive: Receive) -> None:
        media = (heads.content_type or "").split(";")[0].strip().lower()
        if not media and not heads.length and not await _body(receive, operation.body_limit):
            raise Malformed(f"This request needs a body ({' or '.join(operation.media)}), and came without one.")
        if media not in operation.media:
            raise UnsupportedMedia(
                f"The Content-Type must be {' or '.join(operation.media)}.",
                [
                    Violation(
                        location="Content-Type",
                        reason=UnsupportedMedia.reason,
                        message=f"Must be {' or '.join(operation.media)}.",
                        sent=shown(media),
                    )
                ],
            )
        if heads.length is not None and heads.length > operation.body_limit:
            raise TooLarge(f"The body may have {operation.body_limit} bytes; this one has {heads.length}.")
        call.raw, call.media = await _body(receive, operation.body_limit), media
        if operation.body is not None and not is_struct(operation.body):
            call.body = read_plain(call.raw, operation.body)
        elif operation.body is not None:
            reading = partial(read, call.raw, operation.body, call.notices, operation.adapt)
            try:
                # What takes long would keep all others waiting.
                call.body, call.raw = reading() if len(call.raw) < _LARGE else await asyncio.to_thread(reading)
            except Misfit as misfit:
                raise await whole_refusal(misfit, call, operation.check) from None

    def early_refusal(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes | None:
        """A whole 429 answer, if it is already certain from the head that the request would get one; else None.

        Called before anything is made for a request, so that a client that ignores its limit costs next to nothing.
        """
        if clock.monotonic() >= self._refusing_until or b"?" in url:
            return None
        secret = None
        for name, value in headers:
            if name == b"authorization":
                secret = value
        if secret is None or secret[:7].lower() != b"bearer ":
            return None
        match = self._router.find(method.decode("latin-1"), url.decode("latin-1"))
        if match is None or match.operation is None or match.operation.dialect is not None:
            return None
        principal = self._access.known(secret[7:].strip().decode("latin-1"))
        if principal is None:
            return None
        limit = self._scaled(match.operation.limit)
        verdict = self._limiter.would_refuse((principal.company_id, match.operation.id), limit)
        if verdict is None:
            return None
        return self._early_bytes(match.operation, verdict, limit)

    def _count_early(self, operation: Operation) -> None:
        """One line a second for an operation, with how many requests were refused early since the last line."""
        since, count = self._early.get(operation.id, (0.0, 0))
        now = clock.monotonic()
        if now - since >= 1.0:
            log.warning("refused_early", operation=operation.id, status=429, requests=count + 1)
            self._early[operation.id] = (now, 0)
        else:
            self._early[operation.id] = (since, count + 1)

    def _early_bytes(self, operation: Operation, verdict: limits.Verdict, limit: Limit) -> bytes:
        reply = refusal_reply(rate_limited(verdict, limit, operation))
        meter = self._meters.get((operation.id, 429))
        if meter is None:
            meter = self._meters[operation.id, 429] = REQUESTS.labels(operation.id, "429")
        meter.inc()
        self._count_early(operation)
        head = b"".join(b"%b: %b\r\n" % pair for pair in reply.headers)
        return b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b" % (
            len(reply.body),
            head,
            reply.body,
        )


async def _send_stream(
    reply: Reply, headers: list[tuple[bytes, bytes]], receive: Receive, send: Send, stopping: asyncio.Event
) -> None:
    """Send what a stream gives until it ends, the client leaves or the server stops; then the stream is closed."""
    assert reply.stream is not None
    stream = reply.stream
    headers.append((b"cache-control", b"no-store"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})

    async def pieces() -> None:
        async for piece in stream:
            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    sending, leaving = asyncio.ensure_future(pieces()), asyncio.ensure_future(gone())
    ending = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait((sending, leaving, ending), return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and not sending.cancelled():
            sending.result()
        if not leaving.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        for one in (sending, leaving, ending):
            one.cancel()
        await asyncio.gather(sending, leaving, ending, return_exceptions=True)
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


class ClientGone(Exception):
    """The client left before its request was whole."""


class _Fault(Refusal):
    status = 500
    reason = "backendError"


class _Seen:
    """What is known of a request so far, for its log line and its warnings."""

    __slots__ = ("company", "dialect", "key", "notices", "operation", "path")

    def __init__(self) -> None:
        self.dialect: Dialect | None = None
        self.operation = "none"
        self.path = ""
        self.company = 0
        self.key = 0
        self.notices: list[Notice] = []

    def refused(self, refusal: Refusal, path: str) -> Reply:
        """A refusal in the form of the operation's clients; v2's where none was found."""
        return refusal_reply(refusal) if self.dialect is None else self.dialect.refused(refusal, path)


class _Heads:
    """The request headers that the gate reads, picked in one pass."""

    __slots__ = ("all", "authorization", "clock", "content_type", "dry_run", "idempotency_key", "if_match", "length")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        found = self.all = dict(headers)
        self.authorization = _text(found.get(b"authorization"))
        self.content_type = _text(found.get(b"content-type"))
        self.idempotency_key = _text(found.get(b"idempotency-key"))
        self.dry_run = _text(found.get(b"offhook-dry-run"))
        self.clock = _text(found.get(b"offhook-clock"))
        self.if_match = _text(found.get(b"if-match"))
        length = found.get(b"content-length", b"")
        self.length: int | None = int(length[:19]) if length.isdigit() else None
        if self.length is None and b"transfer-encoding" not in found:
            self.length = 0


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1").strip()


def _secret(heads: _Heads, query: Mapping[str, list[str]], dialect: Dialect | None) -> str:
    given = heads.authorization
    own = dialect.key_header if dialect is not None else ""
    if own and (secret := _text(heads.all.get(own.encode()))):
        return secret
    if given:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            return secret.strip()
    elif in_url := [value for value in query.get("apikey", ()) if value]:
        return in_url[-1]
    besides = f", {own}: <key>" if own else ""
    raise Unauthenticated(
        f"An API key is required: Authorization: Bearer <key>{besides}, or ?apikey=<key>.",
        headers=[("WWW-Authenticate", "Bearer")],
    )


def _flag(value: str | None, location: str) -> bool:
    if value is None or value == "":
        return False
    if value.lower() not in ("true", "false"):
        raise Invalid.of([Violation(location=location, message="Must be true or false.", sent=shown(value))])
    return value.lower() == "true"


def _version(value: str) -> int | None:
    if value == "*":
        return None
    digits = value.removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise Invalid.of(
            [Violation(location="If-Match", message='Must be an ETag as this server gave it: "7".', sent=shown(value))]
        )
    return int(digits)


def _moment(heads: _Heads, principal: Principal) -> datetime | None:
    if not heads.clock:
        return None
    if principal.environment != "sandbox":
        raise Forbidden("Offhook-Clock is for sandbox keys; a live key always has the real time.")
    try:
        moment = datetime.fromisoformat(heads.clock)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1971 <= moment.year <= 2199:
        raise Invalid.of(
            [
                Violation(
                    location="Offhook-Clock",
                    message="Must be a moment with its offset, as 2026-12-24T17:59:59Z, from 1971 to 2199.",
                    sent=shown(heads.clock),
                )
            ]
        )
    return moment.astimezone(UTC)


async def whole_refusal(misfit: Misfit, call: Call, check: Check | None) -> Invalid:
    """What is wrong with a body that does not fit its struct, its broken rules included, as far as they can be told."""
    if check is None:
        return misfit
    try:
        with clock.at(call.moment):
            broken = await check(msgspec.structs.replace(call, body=misfit.mended, notices=[]))
    except Unstorable:
        # A rule that asks the store cannot do so with the very value that is faulty.
        return misfit
    return Invalid.of([*misfit.violations, *(one for one in broken if not misfit.explains(one))])


_LARGE = 1_000_000
"""Bytes of a body from which it is not read on the event loop."""


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(f"The body may have {limit} bytes; this one has more.")
        if not message.get("more_body"):
            return b"".join([*parts, part]) if parts else part
        parts.append(part)


async def _drain(receive: Receive, limit: int) -> None:
    """Read and drop a body where none is expected; clients may send one with any method."""
    await _body(receive, limit)


def rate_limited(
    verdict: limits.Verdict, limit: Limit, operation: Operation, whose: str = "for a company"
) -> RateLimited:
    """The refusal of a request over its limit. Its message holds the word that existing clients look for."""
    headers = [(name.decode(), value.decode()) for name, value in limits.headers_for(verdict, limit)]
    requests = f"{limit.count} request{'' if limit.count == 1 else 's'}"
    return RateLimited(
        f"rate_limit_exceeded: {operation.id} takes {requests} in {limit.seconds} seconds {whose}.",
        headers=headers,
    )


def refusal_reply(refusal: Refusal) -> Reply:
    """A refusal in the v2 error form: one entry a violation, or one for the whole."""
    entries: list[dict[str, str]] = []
    for violation in refusal.violations or (Violation(location="", reason=refusal.reason, message=refusal.message),):
        entry = {"domain": "global", "reason": violation.reason, "message": violation.message}
        if violation.location:
            entry |= {"locationType": "field", "location": violation.location}
        if violation.sent is not None:
            entry["sent"] = violation.sent
        entries.append(entry)
    body = encode({"error": {"code": refusal.status, "message": refusal.message, "errors": entries}})
    headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in refusal.headers)
    return Reply(body=body, status=refusal.status, headers=headers)


def warning_headers(notices: list[Notice]) -> list[tuple[bytes, bytes]]:
    """`Offhook-Warning`, one each: `code; field; text`. What is not ASCII is percent-encoded.

    Clients bound their headers: of more than 32 warnings the last header counts the rest, and each has 400 bytes.
    """
    told = notices if len(notices) <= MAX_WARNINGS else notices[: MAX_WARNINGS - 1]
    values = ["; ".join((_safe(n.code), _safe(n.field), _safe(n.text))) for n in told]
    if len(told) < len(notices):
        values.append(f"more_warnings; ; {len(notices) - len(told)} more warnings are not listed here.")
    return [(b"offhook-warning", (v if len(v) <= 400 else v[:397] + "...").encode()) for v in values]


def _safe(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace")) for c in text)


def reply_of(value: msgspec.Struct | Mapping[str, Any] | list[Any], **options: Any) -> Reply:
    """A JSON answer from a wire struct."""
    return Reply(body=encode(value), **options)
