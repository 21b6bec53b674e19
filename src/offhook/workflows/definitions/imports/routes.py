"""What a graph of routes is in terms of tasks within tasks: where ways meet again, which cycles are loops. Pure.

A cycle is a loop if it is entered at one task, left at one decision only, and passes that decision each time round.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

EXIT = ""
"""Stands for the end of all routes."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A cycle that begins at `head` and is left at the decision `decider`. `body` are all its tasks."""

    head: str
    decider: str
    body: frozenset[str]
    exits: tuple[str, ...]


class Routes:
    """The routes from `start` on. `after` are the tasks that each may lead to; those in `choosing` decide.

    `loops` are the cycles that are loops, by their first task; `cut` the routes back that belong to none.
    """

    def __init__(self, start: str, after: Mapping[str, tuple[str, ...]], choosing: frozenset[str]) -> None:
        self._after, self._choosing = after, choosing
        self.loops: dict[str, Loop] = {}
        self.cut: set[tuple[str, str]] = set()
        self.order, back = _walk(start, lambda node: self._after.get(node, ()))
        heads: dict[str, set[str]] = {}
        for source, head in back:
            heads.setdefault(head, set()).add(source)
        for head, sources in heads.items():
            loop = self._loop(head, sources)
            if loop is None:
                self.cut |= {(source, head) for source in sources}
            else:
                self.loops[head] = loop
        deciders = Counter(loop.decider for loop in self.loops.values())
        for head, loop in list(self.loops.items()):
            # One decision cannot say of two loops at once whether they go on.
            if deciders[loop.decider] > 1:
                del self.loops[head]
                self.cut |= {(source, head) for source in heads[head]}
        self._back = back
        self._above: dict[str, str] = {}
        self._depth: dict[str, int] = {EXIT: 0}
        self._meetings(start)
        for head, loop in list(self.loops.items()):
            if loop.decider not in self._chain(head):
                del self.loops[head]
                self.cut |= {(source, head) for source in heads[head]}

    def meet(self, targets: Iterable[str]) -> str:
        """The first task that all routes from all targets pass; EXIT if there is none."""
        found: str | None = None
        for target in targets:
            found = target if found is None else self._both(found, target)
        return EXIT if found is None else found

    def _loop(self, head: str, sources: set[str]) -> Loop | None:
        before: dict[str, set[str]] = {}
        for node in self.order:
            for following in self._after.get(node, ()):
                before.setdefault(following, set()).add(node)
        body, waiting = {head}, [one for one in sources if one != head]
        while waiting:
            node = waiting.pop()
            if node not in body:
                body.add(node)
                waiting += before.get(node, ())
        if any(not before.get(node, set()) <= body for node in body - {head}):
            return None
        leaving = {node for node in body for one in self._after.get(node, ()) if one not in body}
        if len(leaving) != 1 or not leaving <= self._choosing:
            return None
        (decider,) = leaving
        exits = tuple(dict.fromkeys(one for one in self._after[decider] if one not in body))
        return Loop(head, decider, frozenset(body), exits)

    def _forward(self, node: str) -> list[str]:
        targets: list[str] = []
        for one in self._after.get(node, ()):
            if (node, one) not in self._back:
                targets.append(one)
            elif one in self.loops:
                targets += self.loops[one].exits
        return targets

    def _meetings(self, start: str) -> None:
        # A route back of a loop leads on where the loop is left, so that what follows it is found as a meeting.
        for node in _walk(start, self._forward)[0]:
            found: str | None = None
            for one in self._forward(node):
                if one not in self._depth:
                    found = EXIT
                    break
                found = one if found is None else self._both(found, one)
            self._above[node] = found or EXIT
            self._depth[node] = self._depth[self._above[node]] + 1

    def _both(self, one: str, other: str) -> str:
        while one != other:
            if self._depth.get(one, 0) < self._depth.get(other, 0):
                one, other = other, one
            if one == EXIT:
                return EXIT
            one = self._above.get(one, EXIT)
        return one

    def _chain(self, node: str) -> list[str]:
        chain = [node]
        while chain[-1] != EXIT:
            chain.append(self._above.get(chain[-1], EXIT))
        return chain


def _walk(start: str, after: Callable[[str], Sequence[str]]) -> tuple[list[str], set[tuple[str, str]]]:
    """The tasks that are reached, those behind a task before it, and the routes that lead back."""
    order: list[str] = []
    back: set[tuple[str, str]] = set()
    state = {start: 1}
    stack = [(start, iter(after(start)))]
    while stack:
        node, rest = stack[-1]
        for following in rest:
            if following not in state:
                state[following] = 1
                stack.append((following, iter(after(following))))
                break
            if state[following] == 1:
                back.add((node, following))
        else:
            state[node] = 2
            order.append(node)
            stack.pop()
    return order, back
