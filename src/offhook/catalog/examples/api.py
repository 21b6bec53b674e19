"""Examples: kept of a run, listed, deleted."""

import msgspec

from offhook.access.doing import Doing, Done, refuse
from offhook.access.gate import reply_of
from offhook.catalog.examples import wire
from offhook.catalog.examples.store import Example, examples
from offhook.catalog.runs import store as runs
from offhook.catalog.runs.model import Run
from offhook.catalog.runs.texts import header, pretty, text_of
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice, Violation, shown
from offhook.kit.operation import Call, Operation, Reply
from offhook.kit.text import single_line
from offhook.kit.wire import to_int64
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

TAG = "Requests"
PATH = "/api/offhook/v1/api-examples"
MOST_TEXT = 100_000
"""Characters of a body that an example keeps."""

MOST = 100
"""Examples of an operation."""


def _told(_tx: Transaction, kept: Kept[Example]) -> dict[str, str]:
    return {"id": str(kept.id), "name": kept.value.name, "api": kept.value.api, "operation": kept.value.operation}


class Examples:
    """The examples of all companies."""

    def __init__(self, work: Doing) -> None:
        self._work = work
        self._keeper: Keeper[Example] = Keeper(
            noun="example", documents=examples, show=_told, created=Word.API_EXAMPLE_CREATED,
            updated=Word.API_EXAMPLE_CREATED, deleted=Word.API_EXAMPLE_DELETED,
        )  # fmt: skip

    async def create(self, call: Call) -> Reply:
        """Keep a run as an example."""
        body: wire.ExampleIn = call.body
        tenant_id, at = call.principal.tenant_id, clock.now()
        name, fault = single_line(body.name, "name", 200)
        refuse([] if fault is None else [fault])

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            run = runs.get(tx, tenant_id, to_int64(body.run_id) or 0)
            if run is None:
                text = "There is no such run."
                raise Invalid.of(
                    [Violation(location="run_id", message=text, sent=shown(body.run_id), reason="notFound")]
                )
            if not run.api or not run.operation or not run.status:
                text = "An example is of an operation and has an answer; this run was not made for one, or got none."
                raise Invalid.of([Violation(location="run_id", message=text)])
            value = _example(run, name or "", runs.body(tx, tenant_id, run.id), call.principal.key_name)
            known = examples.page(tx, tenant_id, 0, MOST, {"api": value.api, "operation": value.operation})
            if len(known) >= MOST:
                raise Conflict(f"This operation has {MOST} examples, the most; delete one first.")
            if any(one.value.name == value.name for one in known):
                text = f"The operation has an example {shown(value.name)} already."
                raise Conflict(text, [Violation(location="name", message=text, reason="conflict")])
            return wire.example_out(self._keeper.add(tx, call, at, self._work.ids.new(), value))

        return await self._work.create(call, make)

    async def page(self, call: Call) -> Reply:
        """The examples of an operation."""
        query: wire.ExamplesQuery = call.query
        tenant_id, wanted = call.principal.tenant_id, {"api": query.api, "operation": query.operation}
        found = await self._work.reader.run(lambda tx: examples.page(tx, tenant_id, 0, MOST, wanted))
        return reply_of(wire.ExamplesOut(items=[wire.example_out(one) for one in found]))

    async def delete(self, call: Call) -> Reply:
        """Delete an example."""
        tenant_id, at, id = call.principal.tenant_id, clock.now(), call.params["id"]
        assert isinstance(id, int)

        def run(tx: Transaction, _notices: list[Notice]) -> None:
            before = self._keeper.get(tx, tenant_id, id)
            gone = msgspec.structs.replace(before.value, request_body="", body="")
            self._keeper.remove(tx, call, at, before, gone)

        await self._work.change(call, run)
        return reply_of(Done())


def _example(run: Run, name: str, body: bytes, by: str) -> Example:
    media = header(run.headers, "content-type")
    text = text_of(body, media)
    shown_body = "" if text.binary else pretty(text.text, media)
    return Example(
        name=name, api=run.api, operation=run.operation, method=run.request.method, url=run.request.url,
        status=run.status, run_id=run.id, request_body=run.request.body[:MOST_TEXT], media=media,
        body=shown_body[:MOST_TEXT], by=by,
        cut=run.cut or run.request.cut or text.binary or max(len(shown_body), len(run.request.body)) > MOST_TEXT,
    )  # fmt: skip


def operations(work: Doing) -> list[Operation]:
    """The operations of this subject."""
    found = Examples(work)
    return [
        Operation(
            id="offhook.examples.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List the examples of an operation",
            handler=found.page,
            scope="catalog:read",
            query=wire.ExamplesQuery,
            reply=wire.ExamplesOut,
            reply_description="The examples, oldest first.",
            note="what it answered once, kept by name",
        ),
        Operation(
            id="offhook.examples.create",
            method="POST",
            path=PATH,
            tag=TAG,
            summary="Keep a run as an example of its operation",
            description="What was sent and what came back, without what was secret. It outlives the history of runs.",
            handler=found.create,
            scope="catalog:write",
            body=wire.ExampleIn,
            reply=wire.ExampleOut,
            reply_description="The example.",
            creates=True,
            refusals=(409,),
            note="shared within the company",
        ),
        Operation(
            id="offhook.examples.delete",
            method="DELETE",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Delete an example",
            handler=found.delete,
            scope="catalog:write",
            reply=Done,
            reply_description="An empty object.",
            note="the run stays, if it is kept",
        ),
    ]
