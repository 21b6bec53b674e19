"""Figures of calls and telephones for Prometheus, read when they are asked for.

They are of this process. What several servers in one process count, as in tests, is added up.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from weakref import WeakSet

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from offhook.telephony.working import Telephones

DIRECTIONS = ("inbound", "outbound")
OUTCOMES = (
    "abandoned", "answered", "failed", "lost", "message", "no_message", "not_answered", "refused", "transferred",
    "unavailable", "voicemail",
)  # fmt: skip
"""How calls end; one that is not among them has its own word all the same."""

REASONS = (
    "challenged", "malformed", "no port", "no word in time", "stale", "too large", "too many early calls",
    "too many legs", "too many messages of a call", "too many packets", "too many requests", "too many waiting",
    "unknown answer", "unreachable",
)  # fmt: skip
"""Why packets of SIP are turned away, and telephones and carriers are not dialled."""


class Figures(Collector):
    """What is counted of the telephones that are followed, for as long as they are there."""

    def __init__(self) -> None:
        self._telephones: WeakSet[Telephones] = WeakSet()

    def follow(self, telephones: "Telephones") -> None:
        """Have these in the figures."""
        self._telephones.add(telephones)

    def collect(self) -> Iterator[Metric]:
        """The families, each with its labels: what has not happened yet is 0."""
        every = list(self._telephones)
        workers = [one.telephony.worker for one in every if one.telephony is not None]
        tallies = [one.tally for one in every]
        calls = [one.calls for one in every]
        live = GaugeMetricFamily("offhook_calls_live", "Calls under way.", labels=["direction"])
        for direction, outgoing in zip(DIRECTIONS, (False, True), strict=True):
            live.add_metric([direction], _sum(one.under_way(outgoing=outgoing) for one in calls))
        ended = CounterMetricFamily("offhook_calls_ended", "Calls that ended, by how.", labels=["outcome"])
        for outcome in dict.fromkeys([*OUTCOMES, *(word for one in calls for word in one.ended)]):
            ended.add_metric([outcome], _sum(one.ended.get(outcome, 0) for one in calls))
        legs = GaugeMetricFamily("offhook_legs_live", "Telephones and carriers that calls have or ring.")
        legs.add_metric([], _sum(one.legs for one in workers))
        packets = CounterMetricFamily(
            "offhook_rtp_packets", "Packets of sound, by what became of them.", labels=["what"]
        )
        for index, what in enumerate(("received", "lost", "refused")):
            packets.add_metric([what], _sum(one.packets[index] for one in tallies))
        refused = CounterMetricFamily(
            "offhook_sip_refused", "Packets of SIP turned away, and telephones not dialled, by why.", labels=["reason"]
        )
        for reason in dict.fromkeys([*REASONS, *(word for one in tallies for word in one.refused)]):
            refused.add_metric([reason], _sum(one.refused.get(reason, 0) for one in tallies))
        going = GaugeMetricFamily("offhook_sip_transactions", "Requests of SIP that are not settled yet.")
        going.add_metric([], _sum(one.transactions for one in tallies))
        registered = GaugeMetricFamily("offhook_registrations", "Telephones that are registered.")
        registered.add_metric([], _sum(one.registered for one in every))
        restarts = CounterMetricFamily(
            "offhook_sip_worker_restarts", "Times that the telephone process was started again."
        )
        restarts.add_metric([], _sum(max(one.starts - 1, 0) for one in workers))
        hangs = CounterMetricFamily(
            "offhook_sip_worker_hangs", "Times that the telephone process lived and answered nothing, and was ended."
        )
        hangs.add_metric([], _sum(one.hangs for one in workers))
        faults = CounterMetricFamily("offhook_sip_faults", "Faults that the telephone process went on after.")
        faults.add_metric([], _sum(one.faults for one in workers))
        return iter((live, ended, legs, packets, refused, going, registered, restarts, hangs, faults))


def _sum(numbers: Iterable[int]) -> float:
    return float(sum(numbers))


FIGURES = Figures()
REGISTRY.register(FIGURES)
