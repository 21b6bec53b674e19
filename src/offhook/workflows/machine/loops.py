"""Loops: how long they go round, what they give, and which of their rounds are kept. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from offhook.workflows.definitions.model import DYNAMIC_FORK, Definition, Task, every
from offhook.workflows.expressions.templates import ExpressionError
from offhook.workflows.machine.branches import forked_tasks, refs
from offhook.workflows.machine.data import iterations_of, suffix
from offhook.workflows.machine.model import MOST_ITERATIONS, Attempt, State
from offhook.workflows.machine.moment import Moment, Pending, written

_CONDITION_FALSE = frozenset({"", "false", "null", "0"})


def first_round(at: Moment, task: Task, found: Attempt, given: dict[str, Any]) -> Attempt:
    """Begin a loop: over a list, or until its condition is false."""
    if task.items is None:
        return at.progress(found, output={"iteration": 1})
    try:
        items = at.value(task.items, iterations_of(found), "items", f"{found.key}~{found.retry}")
    except ExpressionError as error:
        return at.fail(found, str(error), terminal=True)
    except Pending:
        return found
    if not isinstance(items, list):
        return at.fail(found, "items must be a list.", terminal=True)
    found = msgspec.structs.replace(found, input={**given, "items": items})
    if not items:
        return at.complete(found, {"iteration": 0})
    return at.progress(found, output={"iteration": 1, "loopItem": items[0], "loopIndex": 0})


def go_round(
    at: Moment,
    task: Task,
    found: Attempt,
    iterations: tuple[int, ...],
    walk: Callable[[list[Task], tuple[int, ...]], bool],
) -> Attempt:
    """Go round for as long as nothing has to be waited for. `walk` takes on a round, and says whether it is done."""
    given = found.input if isinstance(found.input, dict) else {}
    items = given.get("items") if task.items is not None else None
    keep = given.get("keepLastN")
    keep = keep if isinstance(keep, int) and keep > 0 else 0
    while True:
        number = int(found.output["iteration"])
        inner = (*iterations, number)
        if not walk(task.loop_over, inner):
            return found
        if items is not None:
            again = number < len(items)
        else:
            answer = at.asked(found, number, task.loop_condition or "", _bindings(at, task, found, inner))
            if answer is None:
                return found
            if answer.error:
                return at.fail(found, f"loopCondition: {answer.error}", terminal=True)
            again = written(answer.value) not in _CONDITION_FALSE
        if not again:
            return at.complete(found, {**_rounds(at, task, iterations, number, keep), **found.output})
        if number >= MOST_ITERATIONS:
            return at.fail(found, f"It went round {MOST_ITERATIONS} times, which is the most.", terminal=True)
        if at.state.run.status == "PAUSED":
            return found
        if keep and number >= keep:
            _forget_round(at, task, (*iterations, number + 1 - keep))
        output: dict[str, Any] = {"iteration": number + 1}
        if items is not None:
            output |= {"loopItem": items[number], "loopIndex": number}
        found = at.put(msgspec.structs.replace(found, output=output))


def _bindings(at: Moment, task: Task, found: Attempt, inner: tuple[int, ...]) -> dict[str, Any]:
    """What a loop's condition sees: its input, its own output, and by name the outputs of this round."""
    outputs = {ref: one.output for ref, one in _of_round(at, task, inner)}
    return {**(found.input or {}), **outputs, task.ref: found.output}


def _of_round(at: Moment, task: Task, inner: tuple[int, ...]) -> Iterator[tuple[str, Attempt]]:
    end = suffix(inner)
    for ref in refs(task.loop_over):
        one = at.state.tasks.get(ref + end)
        if one is not None:
            yield ref, one


def _rounds(at: Moment, task: Task, iterations: tuple[int, ...], last: int, keep: int) -> dict[str, Any]:
    first = max(1, last - keep + 1) if keep else 1
    return {
        str(number): {ref: one.output for ref, one in _of_round(at, task, (*iterations, number))}
        for number in range(first, last + 1)
    }


def _forget_round(at: Moment, task: Task, inner: tuple[int, ...]) -> None:
    """A round of which nothing is needed any more; its rows stay."""
    for _, one in list(_of_round(at, task, inner)):
        at.state.drop(one.key)


def undo_rounds(at: Moment, task: Task, iterations: tuple[int, ...]) -> None:
    """A loop is begun anew: what its rounds came to does not count, and what is open of it is not wanted."""
    for one in in_rounds(at.state, task, iterations):
        at.give_up(one, "Its loop began anew.")
        at.state.drop(one.key)


def in_rounds(state: State, loop: Task, iterations: tuple[int, ...]) -> list[Attempt]:
    """What a loop came to in all its rounds, those of loops and of forks within too."""
    depth = len(iterations)
    known = {one.ref: one for _, one in every(loop.loop_over)}
    rounds = [one for one in state.tasks.values() if iterations_of(one)[:depth] == iterations]
    for fork in [one for one in rounds if one.ref in known and one.type == DYNAMIC_FORK and one.status == "COMPLETED"]:
        known |= {one.ref: one for made in forked_tasks(state, fork) for _, one in every([made])}
    return [one for one in rounds if one.ref in known]


def loop_of(state: State, definition: Definition, ref: str) -> Task:
    """A loop that a run came to, by its name: of the definition, or made by a dynamic fork."""
    forks = [one for one in state.tasks.values() if one.type == DYNAMIC_FORK and one.status == "COMPLETED"]
    made = [task for fork in forks for task in forked_tasks(state, fork)]
    return next(one for _, one in every([*definition.tasks, *made]) if one.ref == ref)
