"""`GET /api/offhook/v1/events`: the outbox, page by page, in the order of commit."""

from collections.abc import Mapping
from typing import Any

import msgspec

from offhook.access.gate import reply_of
from offhook.events import store
from offhook.events.model import Show
from offhook.events.wire import ActorOut, EventOut, EventPage, EventQuery
from offhook.kit.cursor import Cursors
from offhook.kit.operation import Call, Operation, Reply
from offhook.storage.batches import Reader


def _out(row: Any, shows: Mapping[str, Show]) -> EventOut:
    seq, word, subject, actor_id, actor_name, at, request_id, before, after = row
    show = shows.get(word.partition(".")[0], _as_it_is)
    return EventOut(
        seq=str(seq),
        event=word,
        subject_id=subject,
        at=str(at),
        actor=ActorOut(str(actor_id) if actor_id else None, actor_name or None),
        request_id=request_id or None,
        before=msgspec.Raw(show(before, at)) if before else None,
        after=msgspec.Raw(show(after, at)) if after else None,
    )


def _as_it_is(document: str, _at: int) -> bytes:
    return document.encode()


def operations(reader: Reader, cursors: Cursors, shows: Mapping[str, Show]) -> list[Operation]:
    """The operations of this subject; `shows` by subject, for those that keep documents in a form of their own."""

    async def page(call: Call) -> Reply:
        query: EventQuery = call.query or EventQuery()
        tenant = call.principal.tenant_id
        chosen = query.newest_first or query.subject_id is not None
        filters = [query.newest_first, query.subject_id] if chosen else []
        after = cursors.open(query.cursor, "events", tenant, filters) if query.cursor else 0
        if chosen:
            rows, last = await reader.run(
                lambda tx: store.select(tx, tenant, after, query.limit, query.newest_first, query.subject_id)
            )
        else:
            rows = await reader.run(lambda tx: store.page(tx, tenant, after, query.limit))
            last = rows[-1][0] if rows else after
        cursor = cursors.seal("events", tenant, filters, last) if last else None
        return reply_of(EventPage([_out(row, shows) for row in rows], cursor))

    return [
        Operation(
            id="offhook.events.list",
            method="GET",
            path="/api/offhook/v1/events",
            tag="Events",
            summary="Page through everything that changed",
            description=(
                "Every change, with who made it, when, and the subject before and after, in the order in which the "
                "changes were committed. The last page's cursor stays good for polling: sent again later, it gives "
                "what has come since. newest_first goes back from the last change instead."
            ),
            note="the event log",
            handler=page,
            scope="events:read",
            query=EventQuery,
            reply=EventPage,
            reply_description="A page of events, oldest first.",
        )
    ]
