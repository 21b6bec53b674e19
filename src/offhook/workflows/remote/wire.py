"""Runs elsewhere over HTTP."""

from typing import Annotated, Any

import msgspec

from offhook.kit.operation import WarningOut
from offhook.workflows.definitions.wire import Number
from offhook.workflows.runs.wire import RunOut, Short

Meta = msgspec.Meta
Raw = dict[str, Any]


class SendIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A definition of this server that is sent to the other one."""

    version: Annotated[Number | None, Meta(description="Its version; else the latest one.")] = None


class SentOut(msgspec.Struct, kw_only=True):
    """What was sent: the form that a stock server takes, and what was lost on the way."""

    name: Annotated[str, Meta(description="What it is called there: its name, with the company's mark.")]
    version: int
    definition: Raw
    starts: Annotated[list[str], Meta(description="Other definitions that it starts; send those too.")]
    notices: list[WarningOut]


class RemoteStartIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run to be started there."""

    workflow: Annotated[Short, Meta(description="The definition's name, as it is here.", examples=["hello"])]
    version: Annotated[Number | None, Meta(description="Its version; else the latest one there.")] = None
    input: Annotated[Raw, Meta(description="What its expressions call workflow.input.")] = {}
    correlation_id: Annotated[Short, Meta(description="Your own name for what this is about.")] = ""


class RemoteStartedOut(msgspec.Struct, kw_only=True):
    """The run that was started there."""

    id: str
    workflow: str


class RemoteQuery(msgspec.Struct, kw_only=True):
    """Which runs."""

    workflow: Annotated[Short | None, Meta(description="The definition's name; else all that are registered here.")] = (
        None
    )
    status: Annotated[str | None, Meta(description="One or more states, separated by commas.")] = None
    start: Annotated[int, Meta(ge=0, le=10_000, description="How many are passed over.")] = 0
    limit: Annotated[int, Meta(ge=1, le=100, description="How many a page has.")] = 100


class RemotePage(msgspec.Struct, kw_only=True):
    """A page of runs there, the latest first."""

    items: list[RunOut]
    total: Annotated[int, Meta(description="How many there are, as that server counts them.")]
