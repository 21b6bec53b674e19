"""A run that is played by hand: what would be carried out is answered by the test, and time is what it says."""

import itertools
from collections.abc import Callable
from typing import Any

from offhook.workflows.definitions.model import converted
from offhook.workflows.machine import controls, walk
from offhook.workflows.machine.model import Answer, Attempt, Found, Outcome, Run, State, Turn
from offhook.workflows.machine.moment import Tools

BEGUN = 1_800_000_000_000


def task(ref: str, kind: str = "HTTP", /, **more: Any) -> dict[str, Any]:
    """A task as it stands in a definition."""
    more.setdefault("inputParameters", {"uri": "http://localhost/", "method": "GET"} if kind == "HTTP" else {})
    return {"name": ref, "taskReferenceName": ref, "type": kind, **more}


class Play:
    """A definition of `tasks` and one run of it. `answers` says what scripts give, by the script."""

    def __init__(self, *tasks: dict[str, Any], given: Any = None, **more: Any) -> None:
        self.definition = converted({"name": "played", "tasks": list(tasks), **more})
        self.ids = itertools.count(1000)
        self.now = BEGUN
        run = Run(
            id=1, tenant_id=1, name="played", version=1, definition="", input=given or {}, started=BEGUN,
            variables=dict(self.definition.variables),
        )  # fmt: skip
        self.state = State(run)
        self.scripts: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.history: list[Attempt] = []
        self.turn: Turn
        self.go()

    def go(self) -> Turn:
        """A turn, with every script answered that has an answer."""
        answers: dict[str, Answer] = {}
        started: list[Any] = []
        cancelled: list[int] = []
        while True:
            tools = Tools(ids=lambda: next(self.ids), env={"CITY": "Lisbon"}, answers=answers)
            self.turn = walk.advance(self.definition, self.state, self.now, tools)
            self._keep(self.turn)
            started += self.turn.start
            cancelled += self.turn.cancel
            for ask in self.turn.ask:
                if ask.language == "workflow" and ask.key not in answers:
                    name, version = ask.bindings["name"], ask.bindings["version"]
                    answers[ask.key] = Answer(Found(name, version or 1, "digest"))
            new = [ask for ask in self.turn.ask if ask.script in self.scripts and ask.key not in answers]
            if not new and any(ask.language == "workflow" for ask in self.turn.ask):
                continue
            if not new:
                self.started, self.cancelled = started, cancelled
                return self.turn
            for ask in new:
                try:
                    answers[ask.key] = Answer(self.scripts[ask.script](ask.bindings))
                except ValueError as error:
                    answers[ask.key] = Answer(error=str(error))

    def _keep(self, turn: Turn) -> None:
        known = {one.id: number for number, one in enumerate(self.history)}
        for one in turn.changed:
            if one.id in known:
                self.history[known[one.id]] = one
            else:
                self.history.append(one)

    @property
    def status(self) -> str:
        return self.state.run.status

    @property
    def run(self) -> Run:
        return self.state.run

    @property
    def waiting(self) -> list[str]:
        """The keys of what is to be carried out now."""
        return [one.key for one in self.turn.perform]

    def at(self, key: str) -> Attempt:
        return self.state.tasks[key]

    def statuses(self) -> dict[str, str]:
        return {key: one.status for key, one in self.state.tasks.items()}

    def end(self, key: str, output: Any = None, *, status: str = "COMPLETED", reason: str = "", after: int = 0) -> Turn:
        """The attempt of `key` ends."""
        outcome = Outcome(status=status, output={} if output is None else output, reason=reason, after=after)  # type: ignore[arg-type]
        assert controls.finish(self.state, self.at(key).id, outcome, self.now), f"{key} is not open"
        return self.go()

    def fail(self, key: str, reason: str = "it broke", **more: Any) -> Turn:
        return self.end(key, status="FAILED", reason=reason, **more)

    def later(self, seconds: float) -> Turn:
        """Time goes by. The run is looked at only if it said so, or has something to ask."""
        self.now += round(seconds * 1000)
        return self.go() if 0 < self.turn.due <= self.now else self.turn

    def reload(self) -> None:
        """As another process would read it."""
        self.state = State(self.state.run, sorted(self.state.tasks.values(), key=lambda one: one.number))
