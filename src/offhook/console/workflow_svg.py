"""A workflow's graph as a picture, from the places in a grid that its nodes have. Pure.

It has the size that it needs; the page lets it be pushed about in a box. Colours and letters are the style sheet's, by
class, and states are said in words and signs as well. A node leads to where the page says, and can be reached by
keyboard.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from markupsafe import Markup

from offhook.console.durations import short
from offhook.workflows.definitions.graph import Edge, Graph, Group, Node

_WIDE, _TALL, _CELL, _ROW, _TOP = 194, 50, 232, 92, 12
_PILL, _LOW = 84, 30
_LABEL, _NOTE = 7.7, 6.1
"""How wide a letter is at most, of a label and of a note."""

_ROUND = 7
_CUT_EDGE = 22
_CLEAR = 7

Address = Callable[[Node], str]

SIGNS: Mapping[str, str] = {
    "SCHEDULED": "○",
    "IN_PROGRESS": "◐",
    "COMPLETED": "✓",
    "COMPLETED_WITH_ERRORS": "!",
    "FAILED": "✕",
    "FAILED_WITH_TERMINAL_ERROR": "✕",
    "TIMED_OUT": "✕",
    "CANCELED": "–",
    "SKIPPED": "↷",
}


TYPES: Mapping[str, str] = {
    "HTTP": "HTTP",
    "JSON_JQ_TRANSFORM": "jq",
    "FORK_JOIN": "fork",
    "FORK_JOIN_DYNAMIC": "dynamic fork",
    "DO_WHILE": "loop",
    "SUB_WORKFLOW": "sub-workflow",
    "INLINE": "script",
}


class Shown(NamedTuple):
    """What a run made of a node: the state, how many attempts, the rounds of its loop, and seconds of the last one."""

    status: str
    attempts: int = 1
    rounds: int = 0
    seconds: float | None = None


class _Place(NamedTuple):
    """Where a node is: its middle, its top, its size."""

    x: float
    top: float
    wide: float
    tall: float

    @property
    def bottom(self) -> float:
        return self.top + self.tall


def workflow_svg(
    graph: Graph,
    label: str,
    *,
    states: Mapping[str, Shown] | None = None,
    address: Address | None = None,
    faulty: Iterable[str] = (),
    selected: str = "",
    ended: bool = False,
) -> Markup:
    """The SVG of a graph. `states` are by reference name, None for a definition that nobody runs.

    `address` gives where a node leads, "" for nowhere. `faulty` are places of the definition at which something is
    wrong: the node that is nearest above is marked. `selected` is the reference name of the node that the page shows;
    `ended` says that a run came to its end.
    """
    pen = _Pen(graph, states, address, _marked(graph, faulty), selected, ended)
    wide, tall = graph.width * _CELL, graph.height * _ROW + 4
    shape = Markup(
        '<svg class="graph" role="group" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        "<defs>{}{}</defs>{}</svg>"
    )
    tip = Markup(
        '<marker id="{0}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" orient="auto" '
        'markerUnits="userSpaceOnUse"><path class="{0}" d="M0 0.5L8 4L0 7.5Z"/></marker>'
    )
    tips = (tip.format("tip"), tip.format("tip-lit"))
    groups = (pen.group(one) for one in graph.groups if one.kind == "loop")
    parts = [*groups, *pen.edges(), *(pen.node(one) for one in graph.nodes)]
    return shape.format(label, wide, tall, wide, tall, *tips, Markup("").join(parts))


def _marked(graph: Graph, faulty: Iterable[str]) -> frozenset[str]:
    """The ids of the nodes whose task, but no task within it, has one of these places."""
    places = {node.place: node.id for node in graph.nodes if node.place}
    found: set[str] = set()
    for one in faulty:
        while one:
            if one in places:
                found.add(places[one])
                break
            one = one[: max(one.rfind("."), one.rfind("["), 0)]
    return frozenset(found)


class _Pen:
    def __init__(
        self,
        graph: Graph,
        states: Mapping[str, Shown] | None,
        address: Address | None,
        faulty: frozenset[str],
        selected: str,
        ended: bool,
    ) -> None:
        self._ended = ended
        self._graph, self._states, self._address = graph, states, address
        self._faulty, self._selected = faulty, selected
        self._nodes = {node.id: node for node in graph.nodes}
        self._groups = {group.id: group for group in graph.groups}
        self._depths: dict[str, int] = {}
        for group in graph.groups:
            self._depths[group.id] = self._depth(group)
        self._least = min((one for one in self._depths.values()), default=0)

    def _depth(self, group: Group) -> int:
        """How many loops are around a group."""
        depth, one = 0, self._groups.get(group.inside)
        while one is not None:
            depth += one.kind == "loop"
            one = self._groups.get(one.inside)
        return depth

    def _place(self, node: Node) -> _Place:
        small = node.shape in ("start", "end")
        wide, tall = (_PILL, _LOW) if small else (_WIDE, _TALL)
        top = node.y * _ROW + _TOP + (_TALL - tall if node.shape == "start" else 0)
        return _Place(node.x * _CELL + _CELL / 2, top, wide, tall)

    # Groups and edges

    def _edges_of(self, group: Group) -> tuple[float, float, float, float]:
        inset = 4 + 4 * min(self._depths[group.id], 3)
        left, right = group.x * _CELL + inset, (group.x + group.width) * _CELL - inset
        return left, right, group.y * _ROW + _TOP - 9 + inset / 2, (group.y + group.height) * _ROW - 6 - inset

    def group(self, group: Group) -> Markup:
        """What is within a loop."""
        left, right, top, bottom = self._edges_of(group)
        title = Markup("<title>{}</title>").format(f"Loop {group.ref}: {group.label}")
        shape = Markup('<g>{}<rect class="around" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="12"/></g>')
        return shape.format(title, left, top, right - left, bottom - top)

    def edges(self) -> Iterable[Markup]:
        """Lines first, then what stands at them. What leads past branches from one node to one other is one line."""
        together: dict[tuple[str, str, bool], list[Edge]] = {}
        for edge in self._graph.edges:
            together.setdefault((edge.source, edge.target, edge.kind == "back"), []).append(edge)
        words: list[Markup] = []
        for some in together.values():
            points, at = self._way(some[0])
            label = ", ".join(one.label for one in some if one.label)
            lit = self._lit(some[0])
            kind = "way back" if some[0].kind == "back" else "way"
            path = Markup('<path class="{}" d="{}" marker-end="url(#{})"/>')
            kind, tip = (f"{kind} lit", "tip-lit") if lit else (kind, "tip")
            yield path.format(kind, _rounded(points), tip)
            if label and some[0].kind != "back":
                text = Markup('<text class="case" x="{:g}" y="{:g}">{}<title>{}</title></text>')
                words.append(text.format(at[0], at[1], _cut(label, _CUT_EDGE), label))
        yield from words

    def _lit(self, edge: Edge) -> bool:
        """Whether a run has gone this way, as far as states tell."""
        if not self._states:
            return False
        source, target = self._nodes[edge.source], self._nodes[edge.target]
        if edge.kind == "case" and target.group != edge.source and self._entered(edge.source):
            return False
        from_there = source.shape == "start" or self._state(source) in ("COMPLETED", "COMPLETED_WITH_ERRORS", "SKIPPED")
        return from_there and self._state(target) != ""

    def _entered(self, id: str) -> bool:
        """Whether a run came to anything that is within a group."""
        return any(node.group == id and self._state(node) for node in self._graph.nodes)

    def _state(self, node: Node) -> str:
        if node.shape == "end":
            return "COMPLETED" if self._ended else ""
        found = self._states.get(node.ref) if self._states and node.ref else None
        return found.status if found is not None else ""

    def _way(self, edge: Edge) -> tuple[list[tuple[float, float]], tuple[float, float]]:
        """The corners of an edge, and where its label begins."""
        source, target = self._nodes[edge.source], self._nodes[edge.target]
        a, b = self._place(source), self._place(target)
        if edge.kind == "back":
            _, right, _, bottom = self._edges_of(self._groups[edge.target])
            low, lane, level = min(a.bottom + 12, bottom - 3), right - 5, b.top + b.tall / 2
            low = low if source.y * _ROW + _ROW < bottom else bottom - 5
            return [(a.x, a.bottom), (a.x, low), (lane, low), (lane, level), (b.x + b.wide / 2, level)], (lane, low)
        inside = edge.source in self._groups and target.group == edge.source
        if inside:
            return self._down(a, b)
        lane = a.x
        group = self._groups.get(edge.source)
        if group is not None and group.kind == "loop":
            # Out of a loop at its left side, so that its body is not crossed.
            lane, level, under = self._edges_of(group)[0] + 5, a.top + a.tall / 2, b.top - 15
            corners = [(a.x - a.wide / 2, level), (lane, level), (lane, under), (b.x, under), (b.x, b.top)]
            return corners, (lane + _CLEAR, under - 5)
        if group is not None and group.width > 1 and target.y >= group.y + group.height:
            # Past the branches, in the column that the group has for it.
            lane = (group.x + group.width - 1) * _CELL + _CELL / 2
        if lane == a.x:
            return self._down(a, b, late=True)
        over, under = a.bottom + 13, b.top - 15
        corners = [(a.x, a.bottom), (a.x, over), (lane, over), (lane, under), (b.x, under), (b.x, b.top)]
        return corners, (lane + _CLEAR, over + 22)

    @staticmethod
    def _down(a: _Place, b: _Place, *, late: bool = False) -> tuple[list[tuple[float, float]], tuple[float, float]]:
        if a.x == b.x:
            return [(a.x, a.bottom), (b.x, b.top)], (b.x + _CLEAR, a.bottom + 25)
        level = b.top - 15 if late else a.bottom + 13
        return [(a.x, a.bottom), (a.x, level), (b.x, level), (b.x, b.top)], (b.x + _CLEAR, a.bottom + 28)

    # Nodes

    def node(self, node: Node) -> Markup:
        """A node in its shape, with what became of it."""
        place = self._place(node)
        shown = self._states.get(node.ref) if self._states and node.ref else None
        label, note = _cut(node.label, int((place.wide - 24) / _LABEL)), self._note(node, shown)
        drawn = _outline(node, place)
        if node.shape in ("start", "end"):
            text = Markup('<text class="label" x="{:g}" y="{:g}" text-anchor="middle">{}</text>')
            return Markup('<g class="node cap">{}{}</g>').format(drawn, text.format(place.x, place.top + 20, label))
        sign = SIGNS.get(shown.status, "") if shown is not None else ("!" if node.id in self._faulty else "")
        middle = place.x + (9 if sign else 0)
        text = Markup('<text class="label" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
            middle, place.top + 21, label if not sign else _cut(node.label, int((place.wide - 54) / _LABEL))
        )
        text += Markup('<text class="note" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
            middle, place.top + 38, _cut(note, int((place.wide - (50 if sign else 24)) / _NOTE))
        )
        if sign:
            text += Markup('<text class="sign" x="{:g}" y="{:g}" text-anchor="middle">{}</text>').format(
                place.x - place.wide / 2 + 19, place.top + 31, sign
            )
        state = words_of(shown.status) if shown is not None else ""
        spoken = ", ".join(one for one in (f"{node.label} ({node.ref})", node.type, state) if one)
        if node.id in self._faulty:
            spoken += ", something is wrong here"
        whole = Markup("<title>{}</title>").format(f"{spoken}. {note}") + drawn + text
        to = self._address(node) if self._address is not None else ""
        if to:
            here = Markup(' aria-current="true"') if node.ref == self._selected else Markup("")
            whole = Markup('<a href="{}" aria-label="{}" data-ref="{}"{}>{}</a>').format(
                to, spoken, node.ref, here, whole
            )
        names = ["node", node.shape, *([kind_of(shown.status)] if shown is not None else [])]
        names += ["faulty"] if node.id in self._faulty else []
        names += ["selected"] if node.ref and node.ref == self._selected else []
        return Markup('<g class="{}">{}</g>').format(" ".join(names), whole)

    @staticmethod
    def _note(node: Node, shown: Shown | None) -> str:
        parts = [type_words(node.type)]
        if shown is not None:
            if shown.seconds is not None:
                parts.append(short(shown.seconds))
            if shown.rounds > 1:
                parts.append(f"round {shown.rounds}")
            elif shown.attempts > 1:
                parts.append(f"{shown.attempts} tries")
        return " · ".join(parts)


def kind_of(status: str) -> str:
    """The class of a state of a task: good, bad, going, waiting, or off."""
    if status in ("COMPLETED", "COMPLETED_WITH_ERRORS"):
        return "good"
    if status in ("FAILED", "FAILED_WITH_TERMINAL_ERROR", "TIMED_OUT"):
        return "bad"
    return {"IN_PROGRESS": "going", "SCHEDULED": "waiting"}.get(status, "off")


def words_of(status: str) -> str:
    """A state of a task or run in words."""
    known = {
        "FAILED_WITH_TERMINAL_ERROR": "failed for good",
        "COMPLETED_WITH_ERRORS": "failed, and the run goes on",
        "CANCELED": "cancelled",
        "IN_PROGRESS": "under way",
        "RUNNING": "under way",
        "SCHEDULED": "to be done",
    }
    return known.get(status, status.replace("_", " ").lower())


def type_words(type_: str) -> str:
    """A type of tasks as pages say it."""
    return TYPES.get(type_, type_.replace("_", " ").lower())


def _outline(node: Node, place: _Place) -> Markup:
    left, right = place.x - place.wide / 2, place.x + place.wide / 2
    if node.shape == "switch":
        slant, middle = 16, place.top + place.tall / 2
        path = (
            f"M{left + slant:g} {place.top:g}H{right - slant:g}L{right:g} {middle:g}L{right - slant:g} {place.bottom:g}"
            f"H{left + slant:g}L{left:g} {middle:g}Z"
        )
        return Markup('<path class="box" d="{}"/>').format(path)
    radius = {"start": 15, "end": 15, "wait": 25, "stop": 25, "fork": 3, "join": 3}.get(node.shape, 8)
    box = Markup('<rect class="box" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="{}"/>').format(
        left, place.top, place.wide, place.tall, radius
    )
    if node.shape == "sub":
        box += Markup('<path class="bars" d="M{0:g} {2:g}V{3:g}M{1:g} {2:g}V{3:g}"/>').format(
            left + 6, right - 6, place.top, place.bottom
        )
    if node.shape in ("fork", "join"):
        level = place.top + 1.5 if node.shape == "join" else place.bottom - 1.5
        box += Markup('<path class="bar" d="M{:g} {:g}H{:g}"/>').format(left + 2, level, right - 2)
    return box


def _rounded(points: list[tuple[float, float]]) -> str:
    """A path through points, straight between them, with round corners."""
    points = [one for number, one in enumerate(points) if number == 0 or one != points[number - 1]]
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(here, before), _towards(here, after)
        parts.append(f"L{near[0]:g} {near[1]:g}Q{here[0]:g} {here[1]:g} {far[0]:g} {far[1]:g}")
    parts.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return "".join(parts)


def _towards(here: tuple[float, float], there: tuple[float, float]) -> tuple[float, float]:
    x, y = there[0] - here[0], there[1] - here[1]
    length = abs(x) + abs(y)
    part = min(_ROUND, length / 2) / length if length else 0
    return here[0] + x * part, here[1] + y * part


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(1, most - 1)]}…"
