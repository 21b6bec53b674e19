"""Shipped definitions over HTTP."""

from typing import Annotated, Any

import msgspec

from offhook.workflows.definitions.wire import DefinitionOut

Meta = msgspec.Meta


class InputOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An input of a workflow."""

    name: str
    about: str
    default: Annotated[Any, Meta(description="What it is if it is not said; absent: nothing.")] = None


class ShippedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A definition that comes with Offhook."""

    name: str
    description: str
    inputs: list[InputOut]
    scopes: Annotated[list[str], Meta(description="What the key of its credential must be allowed to do.")] = []
    undone_by: Annotated[str | None, Meta(description="Its failure workflow, which is registered with it.")] = None
    schedule: Annotated[dict[str, Any] | None, Meta(description="A schedule that it may be started by.")] = None
    registered: Annotated[int | None, Meta(description="The latest version that the company has of this name.")] = None


class ShippedPage(msgspec.Struct, kw_only=True):
    """All of them."""

    items: list[ShippedOut]


class TakeIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Defaults for its runs."""

    server: Annotated[
        Annotated[str, Meta(max_length=2_000)],
        Meta(description="Where Offhook is reached by itself; its own address unless said.", examples=["https://a.b"]),
    ] = ""
    credential: Annotated[
        Annotated[str, Meta(max_length=200)],
        Meta(description="The name of the workbench's credential that has a key of this company; offhook unless said."),
    ] = ""


class TakenOut(msgspec.Struct, kw_only=True):
    """What is registered now: the definition, and its failure workflow if it has one."""

    items: list[DefinitionOut]
