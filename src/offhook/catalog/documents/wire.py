"""API documents, their operations and what a new version changes, over HTTP."""

from typing import Annotated

import msgspec

from offhook.catalog.documents.comparing import Review
from offhook.catalog.model import Problem, Reference
from offhook.kit.wire import Int64Text

Meta = msgspec.Meta
Name = Annotated[str, Meta(max_length=100)]
Url = Annotated[str, Meta(max_length=4000)]
Word = Annotated[str, Meta(max_length=10)]
Number = Annotated[int, Meta(ge=1)]


class HeaderIn(msgspec.Struct, kw_only=True):
    """A header that the document is asked for with; it is not kept."""

    name: Annotated[str, Meta(max_length=200)]
    value: Annotated[str, Meta(max_length=8000)]


class DocumentIn(msgspec.Struct, kw_only=True):
    """An API document: its text, or where it is. OpenAPI 3.0 or 3.1, or Swagger 2.0; JSON or YAML."""

    document: Annotated[str | None, Meta(description="The text of the document.")] = None
    url: Annotated[
        Url | None, Meta(description="Where it is fetched from.", examples=["https://example.com/openapi.json"])
    ] = None
    headers: Annotated[list[HeaderIn], Meta(description="Sent along when it is fetched; never kept.")] = []
    name: Annotated[Name | None, Meta(description="What it is called in addresses; made of its title unless said.")] = (
        None
    )


class ApiOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An API document at its current version."""

    name: str
    title: str
    version: Annotated[int, Meta(description="How often it was imported.")]
    api_version: Annotated[str, Meta(description="The version that it says it has.")] = ""
    kind: Annotated[str, Meta(description="What it is written in.", examples=["OpenAPI 3.1.0"])]
    operations: int
    problems: Annotated[int, Meta(description="How many of its own rules it breaks.")] = 0
    address: Annotated[str, Meta(description="Where it came from.")] = ""
    built_in: Annotated[bool, Meta(description="It belongs to Offhook: it cannot be changed.")] = False
    imported_at: str
    imported_by: str = ""


class ApiPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """API documents, those of Offhook first."""

    items: list[ApiOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ImportedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was read, what is wrong with it, and what it changes."""

    api: ApiOut
    problems: list[Problem] = []
    review: Annotated[Review | None, Meta(description="Against the version before; absent for the first.")] = None
    same: Annotated[bool, Meta(description="The text is that of the current version: nothing was kept.")] = False


class Source(msgspec.Struct, kw_only=True):
    """The document itself, whatever it says."""


class ProblemsOut(msgspec.Struct, kw_only=True):
    """What a version breaks of the rules of its kind, and what was left out of it for that."""

    items: list[Problem]


class VersionOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A version that is kept."""

    version: int
    api_version: str = ""
    kind: str
    operations: int
    problems: int = 0
    imported_at: str
    imported_by: str = ""


class VersionsOut(msgspec.Struct, kw_only=True):
    """The versions of a document, newest first."""

    items: list[VersionOut]


class HeadOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An operation as it is listed."""

    key: str
    method: str
    path: str
    summary: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False


class HeadPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Operations in the order of their document."""

    items: list[HeadOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class OperationOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """All that is said of an operation. Descriptions are Markdown, as they were written."""

    api: str
    title: str
    version: int
    reference: Reference


class HitOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An operation that was found; `why` says where the words stand."""

    api: str
    title: str
    key: str
    method: str
    path: str
    summary: str = ""
    why: str = ""
    built_in: bool = False


class HitsOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The operations that fit best, best first."""

    items: list[HitOut]
    without: Annotated[list[str], Meta(description="Words that are found nowhere: the items are for the others.")] = []


class ListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class OperationsQuery(msgspec.Struct):
    """Which operations."""

    version: Annotated[Number | None, Meta(description="Those of this version; of the current one unless said.")] = None
    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class SearchQuery(msgspec.Struct):
    """What is looked for."""

    q: Annotated[
        str, Meta(max_length=256, description="Words of the API, path, method, summary or fields; may be mistyped.")
    ]
    api: Annotated[Name | None, Meta(description="Only in this document.")] = None
    method: Annotated[Word | None, Meta(description="Only with this method.")] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="At most so many.")] = 20


class VersionQuery(msgspec.Struct):
    """Which version."""

    version: Annotated[Number | None, Meta(description="The current one unless said.")] = None


class ReviewQuery(msgspec.Struct):
    """Which versions are compared."""

    before: Annotated[Number, Meta(description="The earlier version.")]
    after: Annotated[Number | None, Meta(description="The later one; the current one unless said.")] = None


class ReviewOut(msgspec.Struct, kw_only=True):
    """What is different in the later version, and whether clients of the earlier one break."""

    before: Int64Text
    after: Int64Text
    breaks: bool
    review: Review
