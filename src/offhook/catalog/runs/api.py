"""The routes of runs."""

from offhook.access.doing import Done
from offhook.catalog.keeping import READ, V1, WRITE
from offhook.catalog.runs import wire
from offhook.catalog.runs.service import Runs
from offhook.kit.operation import MIB, Limit, Operation

TAG = "Test runs"
PATH = f"{V1}/runs"


def operations(runs: Runs) -> list[Operation]:
    """The operations of this subject."""
    return [
        Operation(
            id="offhook.runs.create",
            method="POST",
            path=PATH,
            tag=TAG,
            summary="Run a request",
            description="Sends it from this server and answers with what came: status, headers, body, times, and what "
            "the answer breaks of its document. Addresses that are not on the open internet are refused. At most 30 "
            "seconds, 5 MB of the answer, 8 runs of a company at a time.",
            handler=runs.create,
            scope=WRITE,
            limit=Limit(120, 60),
            body=wire.RunIn,
            body_limit=4 * MIB,
            reply=wire.RunOut,
            reply_description="The run.",
            refusals=(404, 409, 429),
            note="a prepared or a saved request",
        ),
        Operation(
            id="offhook.runs.list",
            method="GET",
            path=PATH,
            tag=TAG,
            summary="List runs",
            description="The latest first, without bodies. The latest thousand are kept.",
            handler=runs.page,
            scope=READ,
            query=wire.RunQuery,
            reply=wire.RunPage,
            reply_description="A page of runs.",
            note="of the company, a saved request or an operation",
        ),
        Operation(
            id="offhook.runs.get",
            method="GET",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Show a run",
            handler=runs.get,
            scope=READ,
            reply=wire.RunOut,
            reply_description="The run, with the body that it got.",
            note="also while it is under way",
        ),
        Operation(
            id="offhook.runs.delete",
            method="DELETE",
            path=f"{PATH}/{{id}}",
            tag=TAG,
            summary="Delete a run",
            handler=runs.delete,
            scope=WRITE,
            reply=Done,
            reply_description="An empty object.",
            refusals=(409,),
            note="one that is over",
        ),
        Operation(
            id="offhook.runs.cancel",
            method="POST",
            path=f"{PATH}/{{id}}/cancel",
            tag=TAG,
            summary="Cancel a run",
            description="Ends its connection. One that is over stays as it is.",
            handler=runs.cancel,
            scope=WRITE,
            reply=wire.RunOut,
            reply_description="The run.",
            note="ends the connection",
        ),
        Operation(
            id="offhook.runs.compare",
            method="GET",
            path=f"{PATH}/{{id}}/compare/{{other_id}}",
            tag=TAG,
            summary="Compare two runs",
            description="Status, headers, JSON by its paths, times.",
            handler=runs.compare,
            scope=READ,
            reply=wire.CompareOut,
            reply_description="What is different in the other one.",
            note="what is added, gone and changed",
        ),
    ]
