"""The routes by which calls are seen: those under way, as they change, and one as a ladder."""

from offhook.calls.ladder.service import showing
from offhook.calls.ladder.wire import LadderOut
from offhook.calls.live.watching import LOOK_SECONDS, MOST_CALLS, Watching
from offhook.calls.live.wire import LiveOut, WatchQuery
from offhook.kit.operation import Operation
from offhook.routing.service import CompanyOf
from offhook.storage.batches import Reader

TAG = "Calls"
SCOPE = "calls:read"
PATH = "/api/offhook/v1/calls"


def operations(reader: Reader, company: CompanyOf, watching: Watching) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.calls.live",
            method="GET",
            path=f"{PATH}/live",
            tag=TAG,
            summary="List calls under way",
            description=f"Of all processes, the latest first, with where each is in words; at most {MOST_CALLS}.",
            handler=watching.now,
            scope=SCOPE,
            reply=LiveOut,
            reply_description="The calls.",
            note="where each call is, in words, and who is rung or talks",
        ),
        Operation(
            id="offhook.calls.watch",
            method="GET",
            path=f"{PATH}/live/events",
            tag=TAG,
            summary="Watch calls under way",
            description="Server-sent events: `calls` with all of them, as they are listed, at once and whenever "
            f"anything has changed, {LOOK_SECONDS:g} s later at most; `end` when the time that was asked for is over, "
            "`gone` when the key is no longer good, `refused` when too many watch.",
            handler=watching.watch,
            scope=SCOPE,
            query=WatchQuery,
            reply_media="text/event-stream",
            reply_description="The events.",
            note="as server-sent events",
        ),
        Operation(
            id="offhook.calls.ladder",
            method="GET",
            path=f"{PATH}/{{id}}/ladder",
            tag=TAG,
            summary="Show a call as a ladder",
            description="Who is or was in it, since when, with what their telephones told once they are over (SIP "
            "status, codec, packets of sound that never came), and what went between them, moment by moment.",
            handler=showing(reader, company),
            scope=SCOPE,
            reply=LadderOut,
            reply_description="The call between its parties, and as text.",
            note="a call between its parties, with SIP's own status and the loss of sound",
        ),
    ]
