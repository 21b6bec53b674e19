"""Workflows that lines hand calls to: which one a line's `scripted_ivr` actions ask, and how long they wait for it.

One implementation for offices, departments and call centers, each of which says how its line is read and changed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

from offhook.access.gate import reply_of
from offhook.directory.lines.model import KeptScript
from offhook.events.model import Word
from offhook.kit.errors import Invalid, Violation, shown
from offhook.kit.operation import Call, Operation, Reply
from offhook.storage.database import Transaction
from offhook.workflows.definitions import store as definitions

Meta = msgspec.Meta
TAG = "Routing"
SECONDS, MOST_SECONDS = 5, 30


class ScriptIn(msgspec.Struct, kw_only=True):
    """The workflow of a line."""

    workflow: Annotated[
        Annotated[str, Meta(min_length=1, max_length=255)],
        Meta(description="The name of a registered workflow; its latest version is asked.", examples=["welcome"]),
    ]
    seconds: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_SECONDS)],
        Meta(description="How long a caller waits for a step; then the line's voicemail takes the call."),
    ] = SECONDS


class ScriptOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The workflow that a line's calls are handed to; without one, none is attached."""

    workflow: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Scripted:
    """A line as far as its workflow goes."""

    kept: KeptScript | None
    version: int


Edit = Callable[[Transaction], KeptScript | None]
"""What to keep; may refuse."""


@dataclass(frozen=True, slots=True)
class Side:
    """All in which the kinds of lines differ here."""

    path: str
    noun: str
    scopes: tuple[str, str]
    attached: Word
    detached: Word
    read: Callable[[Call], Awaitable[Scripted]]
    change: Callable[[Call, Word, Edit], Awaitable[Scripted]]


def out(kept: KeptScript | None) -> ScriptOut:
    """A line's workflow as it is answered."""
    return ScriptOut(workflow=kept.workflow, seconds=kept.seconds) if kept is not None else ScriptOut()


def operations(side: Side) -> list[Operation]:
    """The operations on one kind of line."""
    a_noun = f"an {side.noun}" if side.noun[0] in "aeiou" else f"a {side.noun}"

    async def show(call: Call) -> Reply:
        return _answer(await side.read(call))

    async def attach(call: Call) -> Reply:
        body: ScriptIn = call.body

        def edit(tx: Transaction) -> KeptScript:
            if definitions.version(tx, call.principal.tenant_id, body.workflow, None) is None:
                text = "No workflow of this name is registered; POST /api/offhook/v1/workflows/definitions does it."
                place = Violation(location="workflow", message=text, sent=shown(body.workflow), reason="notFound")
                raise Invalid.of([place])
            return KeptScript(workflow=body.workflow, seconds=body.seconds)

        return _answer(await side.change(call, side.attached, edit))

    async def detach(call: Call) -> Reply:
        return _answer(await side.change(call, side.detached, lambda _tx: None))

    path = f"/api/offhook/v1/{side.path}/{{id}}/script"
    return [
        Operation(
            id=f"offhook.{side.path}.script.get",
            method="GET",
            path=path,
            tag=TAG,
            summary=f"Show the workflow that {a_noun} hands calls to",
            handler=show,
            scope=side.scopes[0],
            reply=ScriptOut,
            reply_description="The workflow; empty if none is attached.",
            note="what its `scripted_ivr` actions ask",
        ),
        Operation(
            id=f"offhook.{side.path}.script.set",
            method="PUT",
            path=path,
            tag=TAG,
            summary=f"Attach a workflow to {a_noun}",
            description="Its scripted_ivr actions ask it for the next step of a call, with voicemail as the way out.",
            handler=attach,
            scope=side.scopes[1],
            body=ScriptIn,
            reply=ScriptOut,
            reply_description="The workflow.",
            refusals=(412,),
            note="`workflow`, `seconds`",
        ),
        Operation(
            id=f"offhook.{side.path}.script.remove",
            method="DELETE",
            path=path,
            tag=TAG,
            summary=f"Detach the workflow of {a_noun}",
            description="Calls that its scripted_ivr actions take end in voicemail.",
            handler=detach,
            scope=side.scopes[1],
            reply=ScriptOut,
            reply_description="Nothing is attached.",
            refusals=(412,),
            note="such calls end in voicemail",
        ),
    ]


def _answer(scripted: Scripted) -> Reply:
    return reply_of(out(scripted.kept), headers=((b"etag", b'"%d"' % scripted.version),))
