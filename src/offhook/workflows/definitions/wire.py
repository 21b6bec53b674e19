"""Definitions and policies over HTTP."""

from typing import Annotated, Any, Literal

import msgspec

from offhook.catalog.documents.comparing import Change
from offhook.catalog.keeping import iso
from offhook.catalog.requests.wire import PreparedIO
from offhook.kit.errors import Notice, Violation
from offhook.kit.operation import WarningOut
from offhook.storage.documents import Kept
from offhook.workflows.definitions.imports.report import Missing, Translated
from offhook.workflows.definitions.lint import Finding
from offhook.workflows.definitions.store import Listed, Registered, RegisteredPolicy

Meta = msgspec.Meta
Raw = dict[str, Any]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_DEFINITION = Meta(
    description="A workflow definition as Conductor writes it, schema version 2.",
    examples=[{"name": "hello", "version": 1, "tasks": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]}],
)


class RegisterIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A definition to be registered."""

    definition: Annotated[Raw, _DEFINITION]
    overwrite: Annotated[bool, Meta(description="Whether it may take the place of the same version.")] = False
    new_version: Annotated[bool, Meta(description="Register it as the version after the latest, whatever it says.")] = (
        False
    )


class UpdateIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What takes the place of a version."""

    definition: Annotated[Raw, _DEFINITION]


class DefinitionOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A version of a definition."""

    name: str
    version: int
    hash: Annotated[str, Meta(description="SHA-256 of its text; a run keeps it.")]
    description: str = ""
    tasks: Annotated[int, Meta(description="How many tasks it has, nested ones too.")]
    source: Annotated[str, Meta(description="How it came: sent, imported, or task added.")]
    registered_by: str
    created_at: str
    updated_at: str
    definition: Annotated[Raw | None, _DEFINITION] = None


class VersionsOut(msgspec.Struct, kw_only=True):
    """All versions of a definition, the latest first."""

    items: list[DefinitionOut]


class NameOut(msgspec.Struct, kw_only=True):
    """A name, its latest version and how many there are."""

    name: str
    latest: int
    versions: int
    description: Annotated[str, Meta(description="Of the latest version, as are those below.")] = ""
    tasks: Annotated[int, Meta(description="How many tasks it has, nested ones too.")] = 0
    updated_at: str = ""


class NamesOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of names, by when they were first registered."""

    items: list[NameOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class ListQuery(msgspec.Struct):
    """Which page."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None


class NamesQuery(ListQuery):
    """Which definitions, and which page of them."""

    name: Annotated[
        Annotated[str, Meta(max_length=200)],
        Meta(description="A part of their names; capitals count as small letters.", examples=["office"]),
    ] = ""


class VersionQuery(msgspec.Struct):
    """Which version; the latest if none is named."""

    version: Annotated[Number | None, Meta(description="Its number.")] = None


class DeleteQuery(msgspec.Struct):
    """Which version is deleted."""

    version: Annotated[Number, Meta(description="Its number.")]


class GraphQuery(msgspec.Struct):
    """Which version, and in which form."""

    version: Annotated[Number | None, Meta(description="Its number.")] = None
    form: Annotated[Literal["json", "mermaid"], Meta(description="Nodes and edges, or text for Mermaid.")] = "json"


class ValidateIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A definition to be looked at: as a value, or as the text that somebody types."""

    definition: Annotated[Raw | None, _DEFINITION] = None
    text: Annotated[str | None, Meta(description="The same as JSON text.")] = None


class ViolationOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A rule that is broken: where, what is allowed, and what stood there."""

    location: str
    message: str
    reason: str
    sent: str = ""


class ValidatedOut(msgspec.Struct, kw_only=True):
    """All that is to be said of a definition. `lint` is what stock Conductor lacks or treats otherwise."""

    good: bool
    violations: list[ViolationOut]
    notices: list[WarningOut]
    lint: list[Finding]


class ExportOut(msgspec.Struct, kw_only=True):
    """A definition in the form that a stock Conductor server takes safely, and what was lost on the way."""

    definition: Raw
    notices: list[WarningOut]


class ImportIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A definition of another system."""

    kind: Annotated[Literal["simworkflow"], Meta(description="Which system's.")]
    definition: Annotated[Raw, Meta(description="As that system gives it.")]
    register: Annotated[bool, Meta(description="Whether what it becomes is registered, as a new version.")] = False


class ImportOut(msgspec.Struct, kw_only=True):
    """What a definition became, and what of it has no equal."""

    definition: Raw
    others: Annotated[list[Raw], Meta(description="Further definitions that it runs.")]
    sound: Annotated[bool, Meta(description="Whether all of them keep the rules, so that they can be registered.")]
    names: Annotated[dict[str, list[str]], Meta(description="The reference names that each task got.")]
    translated: list[Translated]
    missing: list[Missing]
    registered: list[DefinitionOut]


class AddTaskIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request of the workbench to be added as an HTTP task."""

    saved_request: Annotated[
        str | None, Meta(description="A saved request: its id, or its name, or collection/name.")
    ] = None
    request: Annotated[PreparedIO | None, Meta(description="A prepared request, instead.")] = None
    after: Annotated[str | None, Meta(description="Behind the task with this reference name; else at the end.")] = None
    name: Annotated[str | None, Meta(description="The task's name; else the request's.")] = None
    reference_name: Annotated[str | None, Meta(description="Its reference name; else one made of its name.")] = None
    credential: Annotated[
        str | None, Meta(description="The name of the workbench's credential that it is sent with; else the request's.")
    ] = None
    version: Annotated[Number | None, Meta(description="The version that it is added to; else the latest.")] = None
    create: Annotated[bool, Meta(description="Make a definition of this name with the task, if there is none.")] = False


class AddedOut(msgspec.Struct, kw_only=True):
    """The new version, and the task that was added."""

    definition: DefinitionOut
    task: Raw


class TouchedOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A task made for an operation of an API document, and what has become of that operation since."""

    name: str
    version: int
    reference_name: str
    operation: str
    made_for: Annotated[str, Meta(description="The document's version that it was made for.")]
    state: Annotated[
        Literal["unchanged", "changed", "removed", "unknown"],
        Meta(description="Unknown: the document's version is not kept any more, or the operation was never there."),
    ]
    breaks: bool = False
    changes: list[Change] = []


class TouchedPage(msgspec.Struct, kw_only=True):
    """The tasks of the latest versions of definitions that were made for one API document."""

    api: str
    current: int
    items: list[TouchedOut]


class PolicyIn(msgspec.Struct, kw_only=True):
    """A policy to be registered by its name."""

    policy: Annotated[
        Raw,
        Meta(
            description="How attempts of tasks with this name are repeated and bounded: Conductor's task definition.",
            examples=[{"name": "call", "retryCount": 3, "retryLogic": "EXPONENTIAL_BACKOFF", "retryDelaySeconds": 2}],
        ),
    ]


class PolicyOut(msgspec.Struct, kw_only=True):
    """A policy."""

    name: str
    registered_by: str
    created_at: str
    updated_at: str
    policy: Raw


class PolicyPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of policies, oldest first."""

    items: list[PolicyOut]
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


def definition_out(kept: Kept[Registered], raw: Raw | None = None) -> DefinitionOut:
    """A version as it is answered."""
    one = kept.value
    return DefinitionOut(
        name=one.name,
        version=one.number,
        hash=one.hash,
        description=one.description,
        tasks=one.tasks,
        source=one.source,
        registered_by=one.by,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
        definition=raw,
    )


def name_out(one: Listed, latest: Kept[Registered] | None) -> NameOut:
    """A name as it is answered; None for a version that was deleted meanwhile."""
    out = NameOut(name=one.name, latest=one.latest, versions=one.versions)
    if latest is not None:
        out.description, out.tasks = latest.value.description, latest.value.tasks
        out.updated_at = iso(latest.updated_at)
    return out


def policy_out(kept: Kept[RegisteredPolicy]) -> PolicyOut:
    """A policy as it is answered."""
    return PolicyOut(
        name=kept.value.name,
        registered_by=kept.value.by,
        created_at=iso(kept.created_at),
        updated_at=iso(kept.updated_at),
        policy=kept.value.raw,
    )


def violation_out(one: Violation) -> ViolationOut:
    """A violation as it is answered within an answer."""
    return ViolationOut(location=one.location, message=one.message, reason=one.reason, sent=one.sent or "")


def notice_out(one: Notice) -> WarningOut:
    """A notice as it is answered within an answer."""
    return WarningOut(one.code, one.field, one.text)
