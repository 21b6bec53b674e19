"""Asking a company's web service where a call goes, in v2's words: route, forward, ask, end.

The request is JSON, or with a secret a JWT (HS256) of it, so that the service knows who asks. What fails is counted,
and too many failures within an hour disable the router.
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
import structlog

from offhook.directory.callrouters.errors import note_error
from offhook.directory.callrouters.model import CallRouter
from offhook.directory.callrouters.store import callrouters
from offhook.directory.lines.model import Target
from offhook.directory.lines.wire import TargetType
from offhook.kit import clock
from offhook.kit.egress import Egress, EgressError
from offhook.kit.errors import Refusal
from offhook.kit.phones import check_e164
from offhook.kit.wire import to_int64
from offhook.routing.people import MAX_DIGITS
from offhook.routing.plan import Ask, Told
from offhook.routing.scripted import spoken
from offhook.routing.state import CallState
from offhook.storage.batches import Reader, Writer

MOST = 64 * 1024

log = structlog.get_logger("offhook.calls")


class Question(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the web service is told of a call. Moments are milliseconds; ids are texts, as in all answers."""

    call_id: str
    router_id: str
    external_number: str
    internal_number: str
    date_started: int
    office_id: str
    answers: dict[str, str]


class Answer(msgspec.Struct, kw_only=True):
    """What it may say."""

    action: Literal["route", "forward", "ask", "end"]
    target_type: TargetType | Literal["coachingteam"] | None = None
    target_id: int | str | None = None
    forward_to: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    message: Annotated[list[str], msgspec.Meta(max_length=20)] | str | None = None
    hint_name: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    num_digits: int | None = None


_answer = msgspec.json.Decoder(Answer)
_encode = msgspec.json.Encoder().encode


def asking(reader: Reader, writer: Writer, egress: Egress) -> Callable[[int, int, Ask, CallState], Awaitable[Told]]:
    """The function that asks."""

    async def ask(tenant_id: int, call_id: int, verb: Ask, state: CallState) -> Told:
        kept = await reader.run(lambda tx: callrouters.get(tx, tenant_id, verb.router_id))
        if kept is None or not kept.value.enabled:
            return Told(clock.milliseconds(clock.now()), fault="it is not enabled any more")
        body, media = asked(kept.value, verb, call_id, state)
        try:
            got = await egress.request(
                "POST",
                kept.value.routing_url,
                headers={"content-type": media},
                body=body,
                seconds=verb.seconds,
                most=MOST,
            )
            told = said(got.status, got.body)
        except EgressError as error:
            told = Told(0, fault=str(error))
        now = clock.now()
        if told.fault:
            try:
                await writer.run(lambda tx: note_error(tx, tenant_id, verb.router_id, now))
            except Refusal as refusal:
                # The caller is what counts.
                log.error("router_error_not_counted", router_id=verb.router_id, cause=refusal.message)
        return msgspec.structs.replace(told, at=clock.milliseconds(now))

    return ask


def asked(router: CallRouter, verb: Ask, call_id: int, state: CallState) -> tuple[bytes, str]:
    """The body of the request and its media type."""
    body = _encode(
        Question(
            call_id=str(call_id),
            router_id=str(verb.router_id),
            external_number=state.caller,
            internal_number=state.dialled,
            date_started=state.began,
            office_id=str(router.office_id),
            answers=dict(verb.answers),
        )
    )
    return (jwt(body, router.secret), "application/jwt") if router.secret else (body, "application/json")


def jwt(payload: bytes, secret: str) -> bytes:
    """A JSON Web Token of a JSON document, signed by HS256 (RFC 7515, RFC 7518 section 3.2)."""
    signed = b".".join(_base64url(part) for part in (b'{"alg":"HS256","typ":"JWT"}', payload))
    return b".".join((signed, _base64url(hmac.new(secret.encode(), signed, hashlib.sha256).digest())))


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def said(status: int, body: bytes) -> Told:
    """What an answer means, or in `fault` why it means nothing. Pure."""
    if not 200 <= status < 300:
        return Told(0, fault=f"it answered with status {status}")
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Told(0, fault=f"its answer cannot be read: {str(error)[:120]}")
    message = spoken([answer.message] if isinstance(answer.message, str) else answer.message or [])
    if answer.action == "route":
        id = to_int64(answer.target_id) if answer.target_id is not None else None
        if answer.target_type is None or id is None or id <= 0:
            return Told(0, fault="it said route without target_type and target_id")
        kind = "coachinggroup" if answer.target_type == "coachingteam" else answer.target_type
        return Told(0, "route", Target(kind, id), message=message)
    if answer.action == "forward":
        number, _ = check_e164(answer.forward_to or "", "forward_to")
        if number is None:
            return Told(0, fault="it said forward without a number in E.164 in forward_to")
        return Told(0, "forward", number=number, message=message)
    if answer.action == "ask":
        digits = min(answer.num_digits or 0, MAX_DIGITS)
        if digits < 1:
            return Told(0, fault="it said ask without num_digits")
        return Told(0, "ask", message=message, question=answer.hint_name or "digits", digits=digits)
    return Told(0, "end", message=message)
