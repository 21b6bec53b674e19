"""A request prepared from what a document says, checked against it, and written as code. Nothing is sent or kept."""

from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import urljoin

import msgspec

from offhook.catalog.credentials.service import Credentials
from offhook.catalog.documents.service import Apis
from offhook.catalog.documents.store import Api
from offhook.catalog.documents.wire import VersionQuery
from offhook.catalog.keeping import READ, V1
from offhook.catalog.model import Document, Head, Sent
from offhook.catalog.reference import code
from offhook.catalog.reference.page import reference
from offhook.catalog.requests import wire
from offhook.catalog.requests.building import prepare
from offhook.catalog.requests.checking import check
from offhook.catalog.requests.model import Final, Prepared, finished
from offhook.catalog.requests.typed import offers
from offhook.catalog.work import Work
from offhook.kit.errors import Invalid, NotFound, Notice, Refusal, Violation, shown
from offhook.kit.operation import MIB, Call, Operation, Reply
from offhook.kit.wire import encode, to_int64

Meta = msgspec.Meta
TAG = "Requests"
_MOST_MADE_UP = 200


class CodeOut(msgspec.Struct, kw_only=True):
    """A request as code to copy; a credential is not in it."""

    curl: str
    python: str
    http_task: Annotated[str, Meta(description="An HTTP task of a Conductor workflow, as JSON.")]


class PreparedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request made of an operation: required parameters, body, and what stands in for values."""

    request: wire.PreparedIO
    code: CodeOut | None = None
    made_up: Annotated[
        list[str],
        Meta(
            description="Places of values that nothing in the document says, and that only stand in for their type.",
            examples=[["path.id", "body.name"]],
        ),
    ] = []


class CheckIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request to look at."""

    request: wire.PreparedIO
    values: Annotated[
        dict[str, Any], Meta(description='Trial values for its expressions: {"workflow.input.city": "Lisbon"}.')
    ] = {}


class FaultOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that the document or the request itself does not allow."""

    location: str
    message: str
    sent: str = ""


class CheckOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is wrong with a request, and the address that it goes to; `code` is there if it can be sent."""

    faults: list[FaultOut] = []
    url: str = ""
    code: CodeOut | None = None
    offers: Annotated[
        list[wire.OfferOut], Meta(description="Credentials that secrets which were typed into it could be kept as.")
    ] = []


class Preparing:
    """Requests before they are sent."""

    def __init__(self, apis: Apis, credentials: Credentials) -> None:
        self._apis, self._credentials = apis, credentials

    async def prepared(self, call: Call) -> Reply:
        """The request that an operation's page prepares."""
        query: VersionQuery = call.query or VersionQuery()
        name, key = str(call.params["name"]), str(call.params["key"])
        made_up: list[str] = []

        def build(document: Document, head: Head, api: Api, work: Work) -> tuple[Prepared, bool]:
            # Of the page only parameters and headers are needed, which come first: what is cut of it is not told.
            page = reference(document, head.pointer, head, work.part(20_000))
            made = prepare(page, document, head.pointer, work, made_up)
            # A relative address is meant from where the document is; where that is not known, there is none.
            server = urljoin(api.address, made.server) if api.address or "://" in made.server else ""
            made = msgspec.structs.replace(made, api=name, version=str(api.number), operation=key, server=server)
            return made, work.cut

        made, cut = await self._apis.within(call.principal.tenant_id, name, key, query.version, build)
        out = PreparedOut(request=wire.prepared_out(made), made_up=made_up[:_MOST_MADE_UP])
        if cut:
            text = "The schemas of this operation are too manifold to make all of it; see what is missing yourself."
            call.notices.append(Notice("prepared_in_part", "request.body", text))
        # Whether it can be sent as it stands, its check says.
        with suppress(Invalid):
            out.code = code_of(finished(made), key)
        return Reply(body=encode(out))

    async def check(self, call: Call) -> Reply:
        """What is wrong with a request, and what it is as code."""
        body: CheckIn = call.body
        found: list[Violation] = []
        request = wire.prepared(body.request, "request", found)
        if found:
            raise Invalid.of(found)
        typed = offers(request)
        call.notices.extend(one.notice for one in typed)
        out = CheckOut(offers=[wire.offer_out(one) for one in typed])
        try:
            sent = finished(request, body.values)
            out.url, out.code = sent.url, code_of(sent, request.operation or "request")
        except Invalid as refusal:
            found += refusal.violations
        if request.api and request.operation:
            found += await self._against_its_document(call.principal.tenant_id, request)
        if request.credential_id:
            found += await self._of_its_credential(call.principal.tenant_id, request.credential_id, out.url)
        seen: set[tuple[str, str]] = set()
        for one in found:
            if (one.location, one.message) not in seen:
                seen.add((one.location, one.message))
                out.faults.append(FaultOut(location=one.location, message=one.message, sent=one.sent or ""))
        return Reply(body=encode(out))

    async def _of_its_credential(self, tenant_id: int, sent: str, url: str) -> list[Violation]:
        """Why a credential would not be sent; as long as the address is not whole, whether there is one at all."""
        id = to_int64(sent)
        if id is None:
            message = "Must be the id of a credential."
            return [Violation(location="credential_id", message=message, sent=shown(sent))]
        try:
            if url:
                await self._credentials.check(tenant_id, id, url)
            else:
                await self._credentials.kept(tenant_id, id)
        except Invalid as refusal:
            return list(refusal.violations)
        except Refusal as refusal:
            return [Violation(location="credential_id", message=refusal.message, reason=refusal.reason)]
        return []

    async def _against_its_document(self, tenant_id: int, request: Prepared) -> list[Violation]:
        number = int(request.version) if request.version.isdecimal() and len(request.version) < 10 else None
        try:
            found: list[Violation] = await self._apis.within(
                tenant_id, request.api, request.operation, number,
                lambda document, head, _, work: check(document, head.pointer, request, work),
            )  # fmt: skip
        except NotFound as missing:
            return [Violation(location="api", message=missing.message, reason="notFound")]
        return found


def code_of(sent: Final, name: str) -> CodeOut:
    """A request in all the ways in which it can be copied."""
    copied = Sent(method=sent.method, url=sent.url, headers=sent.headers, body=sent.body or None, fields=sent.fields)
    return CodeOut(curl=code.curl(copied), python=code.httpx(copied), http_task=code.http_task(copied, name))


def operations(apis: Apis, credentials: Credentials) -> list[Operation]:
    """The operations of this subject."""
    preparing = Preparing(apis, credentials)
    return [
        Operation(
            id="offhook.apis.prepared",
            method="GET",
            path=f"{V1}/apis/{{name}}/operations/{{key}}/prepared",
            tag=TAG,
            summary="Prepare a request for an operation",
            description="Server, required parameters, headers and a body built from the schema: defaults, first values "
            "of enumerations, examples. Nothing is sent.",
            handler=preparing.prepared,
            scope=READ,
            query=VersionQuery,
            reply=PreparedOut,
            reply_description="The request, and what it is as code.",
            note="as its page prepares it",
        ),
        Operation(
            id="offhook.requests.check",
            method="POST",
            path=f"{V1}/requests/check",
            tag=TAG,
            summary="Check a request against its document",
            description="Parameters and body by the schemas of the operation that it is for, and whether its "
            "credential may go there. Nothing is sent or kept.",
            handler=preparing.check,
            scope=READ,
            body=CheckIn,
            body_limit=4 * MIB,
            reply=CheckOut,
            reply_description="What is wrong with it, and what it is as code.",
            note="as one types",
        ),
    ]
