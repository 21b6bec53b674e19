"""docs/configuration.md has every figure that /metrics gives, with its kind, labels and their values."""

from prometheus_client import REGISTRY

from offhook.access import gate
from offhook.console import public
from offhook.telephony import figures as calls
from offhook.telephony.sound import figures
from offhook.workflows import metrics
from tests.docs.tables import quoted, rows, section

OURS = (
    gate.REQUESTS, gate.SECONDS, public.BATCHES, figures.HEARD, figures.OTHERWISE, figures.MADE, metrics.FIGURES,
    calls.FIGURES,
)  # fmt: skip
_ENDS = ("_created", "_bucket", "_count", "_sum")


def test_the_page_has_every_figure() -> None:
    listed = {quoted(row[0])[0]: row[1] for row in rows(section("configuration.md", "Metrics"))}
    kept = {one.name: one.type for one in REGISTRY.collect() if one.name.startswith("offhook_")}
    assert listed == {f"{name}_total" if kind == "counter" else name: kind for name, kind in kept.items()}
    assert OURS


def test_the_page_has_every_label() -> None:
    listed = {quoted(row[0])[0]: row for row in rows(section("configuration.md", "Metrics"))}
    assert quoted(listed["offhook_requests_total"][2]) == list(gate.REQUESTS._labelnames)
    assert quoted(listed["offhook_request_seconds"][2]) == list(gate.SECONDS._labelnames)
    counted = (metrics.FIGURES, figures.HEARD, figures.MADE, calls.FIGURES)
    for family in [family for one in counted for family in one.collect()]:
        samples = [one for one in family.samples if not one.name.endswith(_ENDS)]
        row = listed[samples[0].name]
        assert quoted(row[2]) == list(samples[0].labels)
        values = {value for one in samples for value in one.labels.values()}
        assert set(quoted(row[3])) == values, row[0]
