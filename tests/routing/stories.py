"""A call as a caller would live through it: the office in Lisbon, its people, and what is looked at of a call."""

from offhook.directory.lines.model import Target
from offhook.routing.model import Company, Line
from offhook.routing.plan import (
    Gather,
    Incoming,
    Play,
    Ring,
)
from offhook.routing.simulate import Script, simulate
from offhook.routing.state import CallState
from offhook.routing.trace import Trace
from tests.routing.companies import hours, line, ms, user

TUESDAY = "2026-11-24"


WORKDAYS = [["08:00", "18:00"]] * 5 + [[], []]


ANA, BOB, EVE = user(1, "Ana Silva", extension="101"), user(2, "Bob Stone", extension="102"), user(3, "Eve Stone")


LISBON, SALES = Target("office", 1), Target("department", 10)


def at(clock: str, day: str = TUESDAY) -> int:
    """A moment in Lisbon in winter, where the clock shows UTC."""
    return ms(f"{day}T{clock}+00:00")


def lisbon(*operators: object, **more: object) -> Line:
    """The office in Lisbon, Monday to Friday from 8 to 18."""
    more.setdefault("schedule", hours(WORKDAYS))
    return line("office", 1, "Lisbon", operators, **more)  # type: ignore[arg-type]


def call(
    config: Company, target: Target = LISBON, clock: str = "10:00:00", day: str = TUESDAY, **script: object
) -> tuple[Trace, CallState]:
    """A whole call."""
    return simulate(config, Incoming(at(clock, day), "+351910000000", target=target), Script(**script))  # type: ignore[arg-type]


def codes(state: CallState) -> list[str]:
    return [reason.code for reason in state.reasons]


def said(state: CallState) -> str:
    return " ".join(reason.text for reason in state.reasons)


def rung(trace: Trace) -> list[tuple[tuple[str, ...], int]]:
    return [
        (tuple(leg.name for leg in verb.legs), verb.seconds)
        for step in trace.steps
        for verb in step.verbs
        if isinstance(verb, Ring)
    ]


def heard(trace: Trace) -> list[str]:
    return [
        verb.prompt.text for step in trace.steps for verb in step.verbs if isinstance(verb, Play | Gather)
    ]  # fmt: skip
