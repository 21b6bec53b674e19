"""Examples over HTTP."""

from typing import Annotated

import msgspec

from offhook.catalog.examples.store import Example
from offhook.catalog.keeping import iso
from offhook.kit.wire import Int64, Int64Text
from offhook.storage.documents import Kept

Meta = msgspec.Meta
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class ExampleIn(msgspec.Struct, kw_only=True):
    """A run to keep as an example of its operation."""

    run_id: Annotated[Int64, Meta(description="The run; it must have been made for an operation, and have an answer.")]
    name: Annotated[Name, Meta(description="What it shows; unique for the operation.", examples=["A night office"])]


class ExampleOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An example: what was sent, and what came back."""

    id: Int64Text
    name: str
    api: str
    operation: str
    method: str
    url: str
    status: int
    request_body: str = ""
    media: str = ""
    body: str = ""
    cut: Annotated[bool, Meta(description="A body was longer than what is kept of it.")] = False
    by: str = ""
    created_at: str


class ExamplesOut(msgspec.Struct, kw_only=True):
    """The examples of an operation, oldest first."""

    items: list[ExampleOut]


class ExamplesQuery(msgspec.Struct):
    """Of which operation."""

    api: Annotated[str, Meta(description="The API document.")]
    operation: Annotated[str, Meta(description="The key of its operation.")]


def example_out(kept: Kept[Example]) -> ExampleOut:
    """An example as it is answered."""
    one = kept.value
    return ExampleOut(
        id=str(kept.id), name=one.name, api=one.api, operation=one.operation, method=one.method, url=one.url,
        status=one.status, request_body=one.request_body, media=one.media, body=one.body, cut=one.cut, by=one.by,
        created_at=iso(kept.created_at),
    )  # fmt: skip
