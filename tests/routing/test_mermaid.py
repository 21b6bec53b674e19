"""A call as a Mermaid sequence: each party is one participant, by their name."""

from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.routing.report import trace_out
from offhook.routing.trace import Step, Trace

NAMES = {Target("user", 1): "Ann", Target("user", 2): "Bo; Lee", Target("office", 5): "Lisbon"}
ANN = plan.Leg("user:1", "Ann")


def step(event: plan.Event, *verbs: plan.Verb) -> Step:
    return Step(event=event, reasons=(), verbs=verbs, config=1)


def drawn(called: Target | None, *steps: Step) -> list[str]:
    """The lines of the diagram behind its first."""
    trace = Trace(id="1", seed=1, steps=steps)
    out = trace_out(
        trace, name_of=lambda target: NAMES.get(target, str(target)), called=called, ends=Target("office", 5),
        outcome="answered", config=1,
    )  # fmt: skip
    return [line.strip() for line in out.mermaid.splitlines()[1:]]


def test_who_calls_from_within_is_one_participant_and_offhook_the_other():
    ring = plan.Ring("parallel", (ANN,), 30)
    found = drawn(
        Target("user", 2), step(plan.Outgoing(0, "user:2", "101"), ring), step(plan.Answered(2_000, "user:1")),
        step(plan.HungUp(9_000)),
    )  # fmt: skip
    assert found == [
        "participant C as Bo Lee", "participant L as Offhook", "participant P1 as Ann",
        "L->>P1: rings at 0:00 for up to 30 s", "P1-->>L: answers", "C--xL: hangs up",
    ]  # fmt: skip


def test_who_called_and_is_rung_again_is_still_one_participant():
    back = step(plan.Outgoing(0, "user:1", "102"), plan.Ring("parallel", (ANN,), 30))
    assert drawn(None, back) == [
        "participant C as Ann", "participant L as Offhook", "L->>C: rings at 0:00 for up to 30 s",
    ]  # fmt: skip


def test_a_call_that_goes_on_has_who_was_called_before_as_its_caller():
    found = drawn(Target("user", 1), step(plan.Joined(0, "user:1", "user:1", party="user:2")))
    assert found[:2] == ["participant C as Bo Lee", "participant L as Offhook"]


def test_a_caller_from_outside_calls_a_line_by_its_name_or_a_person_through_offhook():
    came = step(plan.Incoming(0, "+14155550100", "+14155550199"), plan.Ring("parallel", (ANN,), 30))
    assert drawn(Target("office", 5), came)[:2] == ["participant C as Caller", "participant L as Lisbon"]
    found = drawn(Target("user", 1), came)
    assert [line for line in found if line.startswith("participant")] == [
        "participant C as Caller", "participant L as Offhook", "participant P1 as Ann",
    ]  # fmt: skip
