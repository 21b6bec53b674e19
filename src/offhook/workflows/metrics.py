"""Figures of workflows for Prometheus, read when they are asked for: nothing is counted here.

They are of this process. What several engines in one process count, as in tests, is added up.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import get_args
from weakref import WeakSet

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from offhook.workflows.machine.model import ENDED, OPEN, Status
from offhook.workflows.runs.engine import Engine
from offhook.workflows.triggers.starting import Starting

RUNS = ("started", *sorted(ENDED))
ATTEMPTS = tuple(one for one in get_args(Status) if one not in OPEN)
STARTS = tuple(product(("schedule", "trigger"), ("started", "failed", "put_off")))


class Figures(Collector):
    """What is counted of the engines that are followed, for as long as they are there."""

    def __init__(self) -> None:
        self._engines: WeakSet[Engine] = WeakSet()
        self._starting: WeakSet[Starting] = WeakSet()

    def follow(self, engine: Engine, starting: Starting) -> None:
        """Have these in the figures."""
        self._engines.add(engine)
        self._starting.add(starting)

    def collect(self) -> Iterator[Metric]:
        """The families, each with all its labels: what has not happened yet is 0."""
        engines, starting = list(self._engines), list(self._starting)
        counts = [engine.counts for engine in engines]
        runs = CounterMetricFamily("offhook_workflow_runs", "Runs that were started, and that ended.", labels=["state"])
        for state in RUNS:
            runs.add_metric([state.lower()], _sum(one.get(("run", state), 0) for one in counts))
        attempts = CounterMetricFamily(
            "offhook_workflow_attempts", "Attempts of tasks that ended, by how.", labels=["state"]
        )
        for status in ATTEMPTS:
            attempts.add_metric([status.lower()], _sum(one.get(("attempt", status), 0) for one in counts))
        alerts = CounterMetricFamily("offhook_workflow_alerts", "Time limits that were passed and only told.")
        alerts.add_metric([], _sum(one.get(("alert", ""), 0) for one in counts))
        starts = CounterMetricFamily(
            "offhook_workflow_starts", "Starts by schedules and triggers.", labels=["source", "outcome"]
        )
        for source, outcome in STARTS:
            starts.add_metric([source, outcome], _sum(one.counts.get((source, outcome), 0) for one in starting))
        live = GaugeMetricFamily("offhook_workflow_runs_live", "Runs that something is being done for, in memory.")
        live.add_metric([], _sum(engine.live for engine in engines))
        under_way = GaugeMetricFamily("offhook_workflow_attempts_live", "Attempts that are being carried out.")
        under_way.add_metric([], _sum(engine.under_way for engine in engines))
        return iter((runs, attempts, alerts, starts, live, under_way))


def _sum(numbers: Iterable[int]) -> float:
    return float(sum(numbers))


FIGURES = Figures()
REGISTRY.register(FIGURES)
