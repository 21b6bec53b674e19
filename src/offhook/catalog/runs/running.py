"""Sends one finished request and keeps what came of it, without anything secret.

A credential is put on for the address that is called first, and goes nowhere else, whatever redirects there are.
"""

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from offhook.catalog.credentials.model import Applied
from offhook.catalog.credentials.redaction import (
    HIDDEN,
    is_private,
    redact,
    redact_bytes,
    redact_headers,
    shown_url,
    without_beginnings,
)
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.requests.model import Final, Pair, Prepared
from offhook.catalog.runs.model import Request, Run, Times
from offhook.catalog.runs.texts import encoding_of, header
from offhook.kit.egress import Egress, Exchange
from offhook.kit.errors import Refusal

MOST_SHOWN = 100_000
"""Characters of the body that was sent that are kept."""

_FOR_ALL = frozenset({"accept", "accept-language", "accept-encoding", "content-type", "user-agent", "range"})
"""Headers that say nothing of who asks, and go along with a redirect to another place."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a run, and of how many there are at a time."""

    seconds: float = 30.0
    most: int = 5_000_000
    redirects: int = 5
    at_once: int = 8
    at_once_in_all: int = 32


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. `credential_id` 0 is none."""

    sent: Final
    credential_id: int = 0
    redirects: bool = True


async def execute(
    egress: Egress, credentials: Credentials, order: Order, run: Run, limits: Limits
) -> tuple[Run, bytes]:
    """`run` as it ended, and the body that came, as far as it is kept.

    Refusals (a credential that is not for this place, or has no token) are the run's error. Cancelling ends the call.
    """
    sent = order.sent
    applied = Applied()
    hidden: list[str] = []
    try:
        if order.credential_id:
            applied = await credentials.applied(run.tenant_id, order.credential_id, sent.url)
            hidden += applied.secrets
        done = await _call(egress, order, applied, limits)
        if done.status == 401 and applied.token and not done.redirects and not done.error:
            # It may have been taken back before its end. Once.
            applied = await credentials.applied(run.tenant_id, order.credential_id, sent.url, refused=applied.token)
            hidden += applied.secrets
            done = await _call(egress, order, applied, limits)
    except Refusal as refusal:
        done = Exchange(sent.url, error=refusal.message, refused=True)
    # Bodies are up to five million bytes: not on the event loop.
    return await asyncio.to_thread(_ended, run, sent, applied, done, hidden)


async def _call(egress: Egress, order: Order, applied: Applied, limits: Limits) -> Exchange:
    sent = with_credential(order.sent, applied)
    return await egress.exchange(
        sent.method,
        sent.url,
        headers=sent.headers,
        body=sent.body,
        seconds=limits.seconds,
        most=limits.most,
        redirects=limits.redirects if order.redirects else 0,
        private=frozenset(name.lower() for name, _ in sent.headers) - _FOR_ALL | _names(applied),
        carries=lambda url: redact(url, applied.secrets) != url,
    )


def _names(applied: Applied) -> frozenset[str]:
    return frozenset(name.lower() for name, _ in applied.headers)


def with_credential(sent: Final, applied: Applied) -> Final:
    """The request with what a credential adds; its headers take the place of those of the same name."""
    url = sent.url
    for name, value in applied.query:
        url += f"{'&' if '?' in url else '?'}{quote(name, safe='')}={quote(value, safe='')}"
    names = _names(applied)
    headers = (*((name, value) for name, value in sent.headers if name.lower() not in names), *applied.headers)
    return msgspec.structs.replace(sent, url=url, headers=headers)


def request_of(sent: Final, applied: Applied, secrets: Iterable[str] = ()) -> Request:
    """The request as it is kept: with what was added, without what is secret."""
    secrets = (*applied.secrets, *secrets)
    whole = with_credential(sent, applied)
    names = _names(applied)
    headers = tuple(
        (name, HIDDEN if name.lower() in names and not is_private(name) else value)
        for name, value in redact_headers(whole.headers, secrets)
    )
    text = redact(whole.body.decode("utf-8", "replace"), secrets)
    return Request(
        method=whole.method,
        url=shown_url(whole.url, secrets, {name for name, _ in applied.query}),
        headers=headers,
        body=text[:MOST_SHOWN],
        cut=len(text) > MOST_SHOWN,
    )


def prepared_of(prepared: Prepared, secrets: Iterable[str] = ()) -> Prepared:
    """A request as it was prepared, to be tried again, without what is secret; expressions are none."""
    secrets = tuple(secrets)

    def clean(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        return tuple(
            msgspec.structs.replace(
                pair,
                value="" if is_private(pair.name) and "${" not in pair.value else redact(pair.value, secrets),
            )
            for pair in pairs
        )

    return msgspec.structs.replace(
        prepared,
        server=shown_url(prepared.server, secrets),
        path=shown_url(prepared.path, secrets),
        path_parameters=clean(prepared.path_parameters),
        query=clean(prepared.query),
        headers=clean(prepared.headers),
        body=redact(prepared.body, secrets),
    )


def _ended(run: Run, sent: Final, applied: Applied, done: Exchange, hidden: list[str]) -> tuple[Run, bytes]:
    private = {name for name, _ in applied.query}
    encoding = encoding_of(header(done.headers, "content-type"))

    def whole(body: bytes) -> bytes:
        return without_beginnings(body, hidden, encoding) if done.cut or done.error else body

    # A secret may have been cut in two; and before what is taken out, there may stand another's beginning.
    body = whole(redact_bytes(whole(done.body), hidden, encoding))
    times = done.timings
    return (
        msgspec.structs.replace(
            run,
            state="failed" if done.error else "done",
            request=request_of(sent, applied, hidden),
            prepared=None if run.prepared is None else prepared_of(run.prepared, hidden),
            url=shown_url(done.url, hidden, private),
            status=done.status,
            headers=redact_headers(done.headers, hidden, private),
            size=done.size,
            kept=len(body),
            cut=done.cut,
            times=Times(
                dns=round(times.dns, 2),
                connect=round(times.connect, 2),
                tls=round(times.tls, 2),
                first_byte=round(times.first_byte, 2),
                whole=round(times.whole, 2),
            ),
            redirects=tuple((status, shown_url(url, hidden, private)) for status, url in done.redirects),
            error=redact(done.error, hidden),
        ),
        body,
    )
