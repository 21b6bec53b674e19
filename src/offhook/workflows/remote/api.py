"""The routes of runs elsewhere."""

from functools import partial
from typing import Any, get_args

from offhook.access.doing import Done
from offhook.kit.operation import MIB, Call, Operation, Reply
from offhook.workflows.definitions.api import BASE, READ, WRITE
from offhook.workflows.remote import wire
from offhook.workflows.remote.model import Act
from offhook.workflows.remote.service import RemoteRuns
from offhook.workflows.runs.wire import Reason, WholeRunOut

TAG = "Workflows elsewhere"
PATH = f"{BASE}/elsewhere"
ONE = f"{PATH}/runs/{{run}}"
_ALL: dict[str, Any] = {"tag": TAG, "refusals": (409, 503)}


def operations(runs: RemoteRuns) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.workflows.elsewhere.send",
            method="POST",
            path=f"{PATH}/definitions/{{name}}",
            summary="Send a workflow definition to the Conductor server",
            description="In the form that a stock server takes, its names marked as the company's.",
            handler=runs.send,
            scope=WRITE,
            body=wire.SendIn,
            body_required=False,
            reply=wire.SentOut,
            reply_description="What was sent, and what was lost on the way.",
            note="what a stock server lacks is left out and said",
            **_ALL,
        ),
        Operation(
            id="offhook.workflows.elsewhere.start",
            method="POST",
            path=f"{PATH}/runs",
            summary="Start a workflow run on the Conductor server",
            handler=runs.start,
            scope=WRITE,
            body=wire.RemoteStartIn,
            body_limit=4 * MIB,
            reply=wire.RemoteStartedOut,
            reply_description="The run.",
            note="of a definition that was sent there",
            **_ALL,
        ),
        Operation(
            id="offhook.workflows.elsewhere.list",
            method="GET",
            path=f"{PATH}/runs",
            summary="Search workflow runs on the Conductor server",
            handler=runs.page,
            scope=READ,
            query=wire.RemoteQuery,
            reply=wire.RemotePage,
            reply_description="A page of runs.",
            note="the company's own, as runs here are shown",
            **_ALL,
        ),
        Operation(
            id="offhook.workflows.elsewhere.get",
            method="GET",
            path=ONE,
            summary="Show a workflow run on the Conductor server",
            handler=runs.get,
            scope=READ,
            reply=WholeRunOut,
            reply_description="The run.",
            note="in the form of runs here",
            **_ALL,
        ),
        *(_acting(runs, what) for what in get_args(Act)),
    ]


def _acting(runs: RemoteRuns, what: Act) -> Operation:
    async def act(call: Call) -> Reply:
        return await runs.act(call, what)

    made = partial(Operation, body=Reason, body_required=False) if what == "terminate" else Operation
    return made(
        id=f"offhook.workflows.elsewhere.{what}",
        method="POST",
        path=f"{ONE}/{what}",
        summary=f"{what.title()} a workflow run on the Conductor server",
        handler=act,
        scope=WRITE,
        reply=Done,
        reply_description="An empty object.",
        **_ALL,
    )
