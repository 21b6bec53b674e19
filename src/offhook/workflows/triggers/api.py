"""The routes of schedules, triggers and hooks, and the one that hooks are called by."""

from collections.abc import Callable
from typing import Any

from offhook.access.doing import Doing, Done
from offhook.catalog.credentials.vault import Vault
from offhook.kit import clock
from offhook.kit.operation import MIB, Limit, Operation
from offhook.storage.batches import Reader
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.triggers import wire
from offhook.workflows.triggers.calling import MEDIA, CalledOut, Calling
from offhook.workflows.triggers.hearing import Hearing
from offhook.workflows.triggers.model import Start
from offhook.workflows.triggers.service import HOOKS, Hooks, Schedules, Triggers

TAG = "Workflow triggers"
BASE = "/api/offhook/v1/workflows"
SCHEDULES, TRIGGERS = f"{BASE}/schedules", f"{BASE}/triggers"
READ, WRITE = "workflows:read", "workflows:write"
_SEEN: dict[str, Any] = {"tag": TAG, "scope": READ}
_KEPT: dict[str, Any] = {"tag": TAG, "scope": WRITE}
_CHANGED: dict[str, Any] = {**_KEPT, "refusals": (409, 412)}


def operations(
    work: Doing,
    reader: Reader,
    vault: Vault,
    start: Start,
    hearing: Hearing,
    scripts: Scripts,
    *,
    wall: Callable[[], float] = clock.wall,
) -> list[Operation]:
    """The operations of this subject. `start` starts runs, `vault` seals the secrets that calls are signed with,
    `hearing` remembers the calls of hooks, and `scripts` reads the expressions of triggers.
    """
    return [
        *_schedules(Schedules(work, start, wall)),
        *_triggers(Triggers(work, scripts)),
        *_hooks(Hooks(work, vault)),
        _call(Calling(reader, vault, start, hearing, wall=wall)),
    ]


def _schedules(schedules: Schedules) -> list[Operation]:
    one = f"{SCHEDULES}/{{id}}"
    answer: dict[str, Any] = {"reply": wire.ScheduleOut, "reply_description": "The schedule."}
    return [
        Operation(
            id="offhook.workflows.schedules.list",
            method="GET",
            path=SCHEDULES,
            summary="List schedules",
            description="Oldest first, each with its next moment and what became of it last.",
            handler=schedules.page,
            query=wire.ListQuery,
            reply=wire.SchedulePage,
            reply_description="A page of schedules.",
            note="with their next moments",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.schedules.create",
            method="POST",
            path=SCHEDULES,
            summary="Start a workflow by the clock",
            description="At the moments of a cron expression in a time zone. Each moment is one run, however many "
            "servers there are; what is missed, skipped or fails is an event.",
            handler=schedules.create,
            check=schedules.check,
            body=wire.ScheduleIn,
            creates=True,
            note="cron in a time zone",
            **answer,
            **_KEPT,
        ),
        Operation(
            id="offhook.workflows.schedules.preview",
            method="GET",
            path=f"{SCHEDULES}/preview",
            summary="Show the next moments of a cron expression",
            description="On the clock of a time zone, with a note where that clock is put on or back.",
            handler=schedules.preview,
            query=wire.PreviewQuery,
            reply=wire.PreviewOut,
            reply_description="The moments.",
            note="before a schedule is kept",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.schedules.get",
            method="GET",
            path=one,
            summary="Show a schedule",
            handler=schedules.get,
            note="with its version as ETag",
            **answer,
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.schedules.update",
            method="PUT",
            path=one,
            summary="Change a schedule",
            description="What is sent takes its place.",
            handler=schedules.update,
            check=schedules.check,
            body=wire.ScheduleIn,
            note="its next moment is found anew",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.schedules.delete",
            method="DELETE",
            path=one,
            summary="Delete a schedule",
            handler=schedules.delete,
            reply=Done,
            reply_description="An empty object.",
            note="runs that it started go on",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.schedules.pause",
            method="POST",
            path=f"{one}/pause",
            summary="Pause a schedule",
            description="What passes meanwhile is not made up for.",
            handler=schedules.pause,
            note="until it is resumed",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.schedules.resume",
            method="POST",
            path=f"{one}/resume",
            summary="Resume a schedule",
            description="It goes on with the next moment from now.",
            handler=schedules.resume,
            note="with the next moment",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.schedules.run",
            method="POST",
            path=f"{one}/run",
            summary="Start a schedule's workflow now",
            description="With its input, whatever the time, and whether the run before goes on or not. Its next moment "
            "stays.",
            handler=schedules.fire,
            reply=wire.FiredOut,
            reply_description="The run.",
            creates=True,
            note="whatever the time",
            **_KEPT,
        ),
    ]


def _triggers(triggers: Triggers) -> list[Operation]:
    one = f"{TRIGGERS}/{{id}}"
    answer: dict[str, Any] = {"reply": wire.TriggerOut, "reply_description": "The trigger."}
    return [
        Operation(
            id="offhook.workflows.triggers.list",
            method="GET",
            path=TRIGGERS,
            summary="List triggers",
            description="Oldest first, each with what became of it last, and the event that it passed over last.",
            handler=triggers.page,
            query=wire.ListQuery,
            reply=wire.TriggerPage,
            reply_description="A page of triggers.",
            note="what events start",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.triggers.create",
            method="POST",
            path=TRIGGERS,
            summary="Start a workflow by events",
            description="For each event from now on that fits, one run, however many servers there are and whatever "
            "dies. One that goes round in circles is stopped, and an event says so.",
            handler=triggers.create,
            check=triggers.check,
            body=wire.TriggerIn,
            creates=True,
            note="each event starts one run",
            **answer,
            **_KEPT,
        ),
        Operation(
            id="offhook.workflows.triggers.get",
            method="GET",
            path=one,
            summary="Show a trigger",
            handler=triggers.get,
            note="with its version as ETag",
            **answer,
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.triggers.update",
            method="PUT",
            path=one,
            summary="Change a trigger",
            description="What is sent takes its place.",
            handler=triggers.update,
            check=triggers.check,
            body=wire.TriggerIn,
            note="for events from then on",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.triggers.delete",
            method="DELETE",
            path=one,
            summary="Delete a trigger",
            handler=triggers.delete,
            reply=Done,
            reply_description="An empty object.",
            note="runs that it started go on",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.triggers.pause",
            method="POST",
            path=f"{one}/pause",
            summary="Pause a trigger",
            description="What happens meanwhile is not made up for.",
            handler=triggers.pause,
            note="until it is resumed",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.triggers.resume",
            method="POST",
            path=f"{one}/resume",
            summary="Resume a trigger",
            description="Also one that the server has stopped. It looks at what happens from now on.",
            handler=triggers.resume,
            note="for what happens from then on",
            **answer,
            **_CHANGED,
        ),
    ]


def _hooks(hooks: Hooks) -> list[Operation]:
    one = f"{HOOKS}/{{id}}"
    answer: dict[str, Any] = {"reply": wire.HookOut, "reply_description": "The hook, without its secret."}
    made: dict[str, Any] = {"reply": wire.HookMade, "reply_description": "The hook, and its new secret, this once."}
    return [
        Operation(
            id="offhook.workflows.hooks.list",
            method="GET",
            path=HOOKS,
            summary="List hooks",
            description="Oldest first, without their secrets, each with its latest call.",
            handler=hooks.page,
            query=wire.ListQuery,
            reply=wire.HookPage,
            reply_description="A page of hooks.",
            note="addresses that start workflows",
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.hooks.create",
            method="POST",
            path=HOOKS,
            summary="Start a workflow by a call from outside",
            description="Its address is called without an API key, by who has its secret. The secret is shown this "
            "once; a token is kept as a hash, a secret for signatures encrypted.",
            handler=hooks.create,
            check=hooks.check,
            body=wire.HookIn,
            refusals=(409,),
            note="with a secret of its own",
            **made,
            **_KEPT,
        ),
        Operation(
            id="offhook.workflows.hooks.get",
            method="GET",
            path=one,
            summary="Show a hook",
            description="With its latest calls: the run of each, or why it has started nothing.",
            handler=hooks.get,
            note="without its secret",
            **answer,
            **_SEEN,
        ),
        Operation(
            id="offhook.workflows.hooks.update",
            method="PUT",
            path=one,
            summary="Change a hook",
            description="What is sent takes its place; its secret stays.",
            handler=hooks.update,
            check=hooks.check,
            body=wire.HookIn,
            note="its secret stays",
            **answer,
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.hooks.delete",
            method="DELETE",
            path=one,
            summary="Delete a hook",
            handler=hooks.delete,
            reply=Done,
            reply_description="An empty object.",
            note="calls are answered 404 from then on",
            **_CHANGED,
        ),
        Operation(
            id="offhook.workflows.hooks.rotate_secret",
            method="POST",
            path=f"{one}/rotate-secret",
            summary="Give a hook a new secret",
            description="The one before is good no more.",
            handler=hooks.rotate,
            body=wire.RotateIn,
            body_required=False,
            note="shown this once",
            **made,
            **_CHANGED,
        ),
    ]


def _call(calling: Calling) -> Operation:
    return Operation(
        id="offhook.workflows.hooks.call",
        method="POST",
        path=f"{HOOKS}/{{id}}",
        tag=TAG,
        summary="Call a hook",
        description="Without an API key, but with the hook's secret: Authorization: Bearer or Offhook-Hook-Secret with "
        "the token; or Offhook-Signature: t=TIME,v1=HEX, HMAC-SHA256 of TIME, a dot and the body, within five minutes; "
        "or X-Hub-Signature-256. The run's input has the body, the headers that the hook names, and the query.",
        admit=calling.admit,
        handler=calling.call,
        scope="",
        limit=Limit(600, 60),
        media=MEDIA,
        body_limit=MIB,
        body_required=False,
        reply=CalledOut,
        reply_status=202,
        reply_description="The run.",
        refusals=(404, 409),
        note="without an API key, by who has the secret",
    )
