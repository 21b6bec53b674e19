"""A definition as a picture: nodes and edges with places in a grid, for whoever draws it, and as Mermaid text. Pure.

Nodes carry the reference name of their task, so that a page can colour them by the states of a run's tasks. Positions
are cells: x to the right, y downwards, the same for the same definition. Time flows downwards.
"""

import re
from typing import Literal

import msgspec

from offhook.workflows.definitions.model import Definition, Task

Shape = Literal["start", "end", "task", "switch", "fork", "join", "loop", "wait", "stop", "sub"]
EdgeKind = Literal["next", "case", "branch", "back"]

_SHAPES: dict[str, Shape] = {
    "SWITCH": "switch", "FORK_JOIN": "fork", "FORK_JOIN_DYNAMIC": "fork", "JOIN": "join", "DO_WHILE": "loop",
    "WAIT": "wait", "HUMAN": "wait", "TERMINATE": "stop", "SUB_WORKFLOW": "sub", "START_WORKFLOW": "sub",
}  # fmt: skip
_LONGEST = 60
_OTHER = re.compile(r"[^\w .,:'()/+-]")


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A task, or the start or end. `ref` is the task's reference name ("" for start and end), `group` the id of the
    loop or fork that it is within."""

    id: str
    ref: str
    label: str
    type: str
    shape: Shape
    x: int
    y: int
    place: str = ""
    group: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """What follows what. `label` is the case or branch that it is taken in."""

    source: str
    target: str
    kind: EdgeKind = "next"
    label: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What is within a loop, fork or switch, itself included: the cells from (x, y) on, `width` by `height`."""

    id: str
    ref: str
    kind: Literal["loop", "fork", "switch"]
    label: str
    x: int
    y: int
    width: int
    height: int
    inside: str = ""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture, `width` by `height` cells."""

    name: str
    version: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    width: int
    height: int


class _End(msgspec.Struct):
    """A node that what comes next hangs on, by which kind of edge."""

    id: str
    kind: EdgeKind = "next"
    label: str = ""


def graph(definition: Definition) -> Graph:
    """The picture of a definition that keeps the rules."""
    drawing = _Drawing()
    drawing.node("start", "", "Start", "", "start", 0, 0, "", "")
    ends, height, width = drawing.sequence(definition.tasks, [_End("start")], 0, 1, "tasks", "")
    drawing.node("end", "", "End", "", "end", 0, height, "", "")
    drawing.link(ends, "end")
    return Graph(
        name=definition.name,
        version=definition.version,
        nodes=tuple(drawing.nodes),
        edges=tuple(drawing.edges),
        groups=tuple(drawing.groups),
        width=max(1, width),
        height=height + 1,
    )


class _Drawing:
    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.groups: list[Group] = []

    def node(
        self, id: str, ref: str, label: str, type_: str, shape: Shape, x: int, y: int, place: str, group: str
    ) -> None:
        self.nodes.append(
            Node(id=id, ref=ref, label=label, type=type_, shape=shape, x=x, y=y, place=place, group=group)
        )

    def link(self, ends: list[_End], target: str) -> None:
        self.edges += [Edge(source=one.id, target=target, kind=one.kind, label=one.label) for one in ends]

    def sequence(
        self, tasks: list[Task], ends: list[_End], x: int, y: int, place: str, group: str
    ) -> tuple[list[_End], int, int]:
        """Draw tasks from the cell (x, y) on; gives what the next hangs on, the next free row, and how wide it was."""
        width = 1
        for number, task in enumerate(tasks):
            ends, y, wide = self.task(task, ends, x, y, f"{place}[{number}]", group)
            width = max(width, wide)
        return ends, y, width

    def task(self, task: Task, ends: list[_End], x: int, y: int, place: str, group: str) -> tuple[list[_End], int, int]:
        id, shape = f"t:{place}", _SHAPES.get(task.type, "task")
        self.node(id, task.ref, task.name, task.type, shape, x, y, place, group)
        self.link(ends, id)
        if task.type == "TERMINATE":
            return [], y + 1, 1
        if task.type == "SWITCH":
            cases = [(case, tasks, f"decisionCases.{case}") for case, tasks in task.decision_cases.items()]
            cases.append(("otherwise", task.default_case, "defaultCase"))
            return self._beside(task, id, cases, "case", x, y, place, group)
        if task.type == "FORK_JOIN":
            branches = [("", tasks, f"forkTasks[{number}]") for number, tasks in enumerate(task.fork_tasks)]
            return self._beside(task, id, branches, "branch", x, y, place, group)
        if task.type == "DO_WHILE":
            return self._loop(task, id, x, y, place, group)
        label = "for each of a list" if task.type == "FORK_JOIN_DYNAMIC" else ""
        return [_End(id, "branch" if label else "next", label)], y + 1, 1

    def _beside(
        self,
        task: Task,
        id: str,
        ways: list[tuple[str, list[Task], str]],
        kind: Literal["case", "branch"],
        x: int,
        y: int,
        place: str,
        group: str,
    ) -> tuple[list[_End], int, int]:
        at = len(self.groups)
        ends: list[_End] = []
        bottom, column = y + 1, x
        for label, tasks, name in ways:
            if not tasks:
                # The way leads past what is beside it, in a column of its own.
                ends.append(_End(id, kind, label))
                continue
            after, low, wide = self.sequence(tasks, [_End(id, kind, label)], column, y + 1, f"{place}.{name}", id)
            ends += after
            bottom, column = max(bottom, low), column + wide
        past = column > x and not all(tasks for _, tasks, _ in ways)
        width = max(1, column - x + past)
        self.groups.insert(
            at,
            Group(
                id=id, ref=task.ref, kind="switch" if kind == "case" else "fork", label=task.name,
                x=x, y=y, width=width, height=bottom - y, inside=group,
            ),
        )  # fmt: skip
        return ends, bottom, width

    def _loop(self, task: Task, id: str, x: int, y: int, place: str, group: str) -> tuple[list[_End], int, int]:
        at = len(self.groups)
        ends, bottom, width = self.sequence(task.loop_over, [_End(id)], x, y + 1, f"{place}.loopOver", id)
        label = "for each of a list" if task.items else "again"
        self.edges += [Edge(source=one.id, target=id, kind="back", label=one.label or label) for one in ends]
        self.groups.insert(
            at,
            Group(
                id=id, ref=task.ref, kind="loop", label=_over(task)[:_LONGEST],
                x=x, y=y, width=width, height=bottom - y, inside=group,
            ),
        )  # fmt: skip
        return [_End(id, "next", "done")], bottom, width


_MERMAID: dict[Shape, tuple[str, str]] = {
    "start": ("([", "])"), "end": ("([", "])"), "task": ("[", "]"), "switch": ("{", "}"), "fork": ("[/", "/]"),
    "join": ("[\\", "\\]"), "loop": ("{{", "}}"), "wait": ("(", ")"), "stop": ("([", "])"), "sub": ("[[", "]]"),
}  # fmt: skip


def mermaid(definition: Definition) -> str:
    """The picture as a Mermaid flowchart. Names are somebody's own words: they are never put in unguarded."""
    drawn = graph(definition)
    short = {node.id: f"n{number}" for number, node in enumerate(drawn.nodes)}
    rows = ["flowchart TD"]
    for node in drawn.nodes:
        begin, end = _MERMAID[node.shape]
        words = node.label if not node.type else f"{node.label} ({node.type})"
        rows.append(f'  {short[node.id]}{begin}"{safe(words)}"{end}')
    for edge in drawn.edges:
        arrow = "-.->" if edge.kind == "back" else "-->"
        label = f'|"{safe(edge.label)}"|' if safe(edge.label) else ""
        rows.append(f"  {short[edge.source]} {arrow}{label} {short[edge.target]}")
    return "\n".join(rows) + "\n"


def _over(task: Task) -> str:
    """What a loop goes over, or for how long it goes on."""
    if isinstance(task.items, list):
        return f"{len(task.items)} items"
    return task.items or task.loop_condition or ""


def safe(text: str) -> str:
    """`text` on one line and without what means something to Mermaid."""
    plain = re.sub(r"\s+", " ", _OTHER.sub(" ", text).replace("--", "-")).strip()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 3] + "..."
