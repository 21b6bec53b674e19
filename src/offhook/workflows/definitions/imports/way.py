"""Where compiling is, and what it has made so far."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from offhook.workflows.definitions.imports.format import Raw
from offhook.workflows.definitions.imports.report import Report
from offhook.workflows.definitions.imports.routes import Routes


@dataclass(frozen=True, slots=True)
class Way:
    """Where compiling is: what may be spoken of here, and how.

    `seen` are the reference names by task name, several where it is open which has run. `before` is the task that ran
    last: (name, reference), None at the start, () where it is open. `item` are a Map's item and index. `input` is what
    stands for workflow.input, `within` the path in front of the references of tasks outside a workflow of its own.
    """

    tasks: Raw
    routes: Routes
    place: str
    branch: bool = False
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: tuple[str, str] | tuple[()] | None = None
    item: Mapping[str, str] = field(default_factory=dict)
    input: str = "workflow.input"
    outer: frozenset[str] = frozenset()
    level: int = 0
    stops: frozenset[str] = frozenset()


@dataclass(slots=True)
class Done:
    """What was compiled: the tasks, the way from there on, and the task that it goes on at; None if it is over."""

    tasks: list[Raw]
    way: Way
    at: str | None = None


class Making:
    """What is made of a definition: its names, the workflows beside it, and what is reported.

    `names` are the reference names by task name, `passed` what each workflow of its own reads of this one.
    """

    def __init__(self, raw: Raw) -> None:
        self.raw, self.report = raw, Report()
        self.types: dict[str, str] = {}
        self.names: dict[str, list[str]] = {}
        self.others: list[Raw] = []
        self.made = 0
        self.passed: list[set[str]] = []
        self._used: set[str] = set()

    def ref(self, name: str) -> str:
        """A reference name for one more task that this one became."""
        ref = self.unique(slug(name))
        self.names.setdefault(name, []).append(ref)
        self.made += 1
        return ref

    def unique(self, wanted: str) -> str:
        """The name, or one like it if it is taken."""
        ref, number = wanted, 1
        while ref in self._used:
            number += 1
            ref = f"{wanted}_{number}"
        self._used.add(ref)
        return ref

    def stub(self, name: str) -> Raw:
        """A task that stands for what was not translated, and ends the run."""
        ref = self.unique(f"{slug(name)}_not_translated")
        reason = f"What follows {name} was not translated."
        inputs = {"terminationStatus": "FAILED", "terminationReason": reason}
        return {"name": ref, "taskReferenceName": ref, "type": "TERMINATE", "inputParameters": inputs}


class Compiler(Protocol):
    """What tasks that hold others ask of the one that compiles graphs."""

    def way(self, graph: Raw, place: str, way: Way | None = None, **changes: object) -> Way:
        """The way into a graph."""

    def run(self, way: Way, name: str, *, first: bool = False) -> Done:
        """Compile from a task on until a stop or an end. `first` says that it is compiled though it is a stop."""

    def inside(self, way: Way, target: str, stop: str) -> Done:
        """Compile one of several ways, until they meet at `stop`."""

    def goes(self, way: Way, name: str) -> list[str]:
        """The tasks that a decision leads to, but for ways back that are no loops."""

    def unreached(self, tasks: Raw, routes: Routes, place: str) -> None:
        """Say of which tasks of a graph nothing became."""


def slug(name: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:80]
    slug = re.sub(r"__+", "_", slug)
    return slug if slug and not slug[0].isdigit() and slug != "workflow" else f"task_{slug}".rstrip("_")


def past(way: Way, name: str, ref: str) -> Way:
    """The way behind a task."""
    return replace(way, seen={**way.seen, name: (ref,)}, before=(name, ref))
