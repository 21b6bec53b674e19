"""Runs over HTTP."""

import base64
from typing import Annotated, Any

import msgspec

from offhook.catalog.keeping import iso
from offhook.catalog.requests.wire import PreparedIO, prepared_out
from offhook.catalog.runs.comparing import Comparison
from offhook.catalog.runs.model import Run, State
from offhook.catalog.runs.texts import header, pretty, text_of
from offhook.kit.wire import Int64, Int64Text

Meta = msgspec.Meta


class RunIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What to run: a request, or one that is saved."""

    request: Annotated[PreparedIO | None, Meta(description="The request to send.")] = None
    saved_id: Annotated[Int64 | None, Meta(description="The saved request that it is; sent as saved, if alone.")] = None
    values: Annotated[
        dict[str, Any], Meta(description='Trial values for its expressions: {"workflow.input.city": "Lisbon"}.')
    ] = {}
    redirects: Annotated[bool, Meta(description="Whether redirects are followed, at most five.")] = True
    wait: Annotated[bool, Meta(description="Answer when it has ended, not when it has begun.")] = True


class NamedOut(msgspec.Struct, kw_only=True):
    """A header."""

    name: str
    value: str


class RequestOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The request as it was sent, *** where something is secret."""

    method: str
    url: str
    headers: list[NamedOut] = []
    body: str = ""
    cut: bool = False


class TimesOut(msgspec.Struct, kw_only=True):
    """Where the time went, in milliseconds."""

    dns: float
    connect: float
    tls: float
    first_byte: Annotated[float, Meta(description="From the end of the request to the head of the answer.")]
    whole: Annotated[float, Meta(description="All of it, with redirects.")]


class RedirectOut(msgspec.Struct, kw_only=True):
    """An address that it was sent on from."""

    status: int
    url: str


class FaultOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the answer breaks of its document."""

    location: str
    message: str
    sent: str = ""


class RunOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run. What comes after `request` is there once an answer has begun."""

    id: Int64Text
    state: State
    started: str
    by: Annotated[str, Meta(description="Name of the key that asked for it.")]
    request: RequestOut
    prepared: Annotated[
        PreparedIO | None,
        Meta(description="What was asked for, expressions as written, without secrets. Not in lists."),
    ] = None
    url: Annotated[str, Meta(description="Where it ended.")] = ""
    api: str = ""
    version: str = ""
    operation: str = ""
    saved_id: Int64Text | None = None
    credential_id: str = ""
    error: Annotated[str, Meta(description="Why it did not end well.")] = ""
    status: Annotated[int, Meta(description="0 if no answer began.")] = 0
    headers: list[NamedOut] = []
    size: Annotated[int, Meta(description="Bytes of the body that came.")] = 0
    kept: Annotated[int, Meta(description="Bytes of the unpacked body that are kept.")] = 0
    cut: Annotated[bool, Meta(description="The body is longer than what is kept of it.")] = False
    body: Annotated[str | None, Meta(description="The body as text, JSON with indents. Not in lists.")] = None
    lossy: Annotated[bool, Meta(description="Some of it was not of its encoding, and stands as U+FFFD.")] = False
    body_base64: Annotated[str | None, Meta(description="A body that is no text.")] = None
    times: TimesOut | None = None
    redirects: list[RedirectOut] = []
    faults: Annotated[
        list[FaultOut] | None, Meta(description="What it breaks of its document; absent if there was none to ask.")
    ] = None


class RunPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of runs, without their bodies."""

    items: list[RunOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class RunQuery(msgspec.Struct):
    """Which ones."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="How many.")] = 50
    saved_id: Annotated[Int64 | None, Meta(description="Those of this saved request.")] = None
    api: Annotated[str | None, Meta(description="Those of this API document.")] = None
    operation: Annotated[str | None, Meta(description="Those of the operation with this key.")] = None


class ChangeOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One difference; without `before` it was added, without `after` it is gone."""

    path: str
    before: str | None = None
    after: str | None = None


class PairOut(msgspec.Struct, kw_only=True):
    """A time of both, in milliseconds."""

    name: str
    before: float
    after: float


class CompareOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is different in the second of two runs."""

    before: Int64Text
    after: Int64Text
    status_before: int
    status_after: int
    headers: list[ChangeOut]
    body: Annotated[list[ChangeOut] | None, Meta(description="By JSON path; absent if not both are JSON.")] = None
    same_body: Annotated[bool, Meta(description="Whether the bodies are the same, byte by byte.")]
    times: list[PairOut]
    more: Annotated[bool, Meta(description="There are more differences than are listed.")] = False


def run_out(run: Run, body: bytes | None = None, *, listed: bool = False) -> RunOut:
    """A run as it is answered; with its body, if it is given, and unless it is one of a list, with what was asked."""
    out = RunOut(
        id=str(run.id),
        state=run.state,
        started=iso(run.started),
        by=run.by,
        request=RequestOut(
            method=run.request.method,
            url=run.request.url,
            headers=_named(run.request.headers),
            body=run.request.body,
            cut=run.request.cut,
        ),
        url=run.url,
        api=run.api,
        version=run.version,
        operation=run.operation,
        saved_id=str(run.saved_id) if run.saved_id else None,
        credential_id=run.credential_id,
        error=run.error,
        status=run.status,
        headers=_named(run.headers),
        size=run.size,
        kept=run.kept,
        cut=run.cut,
        times=None if run.state == "running" else TimesOut(**msgspec.structs.asdict(run.times)),
        redirects=[RedirectOut(status=status, url=url) for status, url in run.redirects],
    )
    if run.prepared is not None and not listed:
        out.prepared = prepared_out(run.prepared)
    if run.faults is not None:
        out.faults = [FaultOut(location=one.location, message=one.message, sent=one.sent) for one in run.faults]
    if body is not None:
        media = header(run.headers, "content-type")
        text = text_of(body, media)
        out.lossy = text.lossy
        if text.binary:
            out.body_base64 = base64.b64encode(body).decode()
        else:
            out.body = pretty(text.text, media)
    return out


def _named(headers: tuple[tuple[str, str], ...]) -> list[NamedOut]:
    return [NamedOut(name=name, value=value) for name, value in headers]


def compare_out(before: Run, after: Run, found: Comparison) -> CompareOut:
    """A comparison as it is answered."""
    return CompareOut(
        before=str(before.id),
        after=str(after.id),
        status_before=found.status[0],
        status_after=found.status[1],
        headers=[ChangeOut(path=one.path, before=one.before, after=one.after) for one in found.headers],
        body=None
        if found.body is None
        else [ChangeOut(path=one.path, before=one.before, after=one.after) for one in found.body],
        same_body=found.same_body,
        times=[PairOut(name=name, before=one, after=other) for name, (one, other) in found.times.items()],
        more=found.more,
    )
