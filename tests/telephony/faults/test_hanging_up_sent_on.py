"""Somebody hangs up at every point of a transfer: asked for, decided, begun, done, blind and attended.

Four calls are sent on: one that came to Ann, and one that she made; to whom rings then, and to whom she talks with.
"""

import asyncio
from dataclasses import dataclass, field

import pytest

from offhook.calls.call import Call
from offhook.routing.plan import Event, Joined, Transferred
from offhook.routing.trace import Step
from offhook.telephony.sending import Sending
from tests.telephony.faults.stage import Line, Record, Stage, within

ANN = "user ann@example.com"
HUNG_UP, ENDED, HANDED = "caller_hung_up", "ended", "handed_on"


@dataclass
class Scene:
    """Ann talks with `other` and is about to send them on to `third`, of a call of hers by `asking` if she has one."""

    stage: Stage
    other: Line
    ann: Line
    to: str
    who: str = ""
    asking: Line | None = None
    third: Line | None = None
    legs: int = 0
    rung: list[Line] = field(default_factory=list)

    def refers(self) -> None:
        """Ann's telephone asks for it."""
        self.legs = self.stage.worker.legs
        self.ann.refer(self.to, self.asking)

    def leaves(self, who: str) -> None:
        """Somebody hangs up: "other", "ann", her "asking", "both" of hers, or the "third"."""
        lines = {"other": self.other, "ann": self.ann, "asking": self.asking, "third": self.third}
        for one in ("ann", "asking") if who == "both" else (who,):
            line = lines[one]
            assert line is not None
            line.hang_up()

    async def left(self, who: str) -> None:
        """The server knows that they did."""
        count = self.legs - (2 if who == "both" else 1)
        await self.stage.until(lambda: self.stage.worker.legs <= count)

    async def rings(self) -> Line:
        """The one to whom it is sent is rung."""
        self.third = await self.stage.desks[self.who].called()
        return self.third

    async def talk(self) -> None:
        """Who was sent on talks with the third, and Ann is in no call; the third hangs up."""
        assert self.third is not None
        await self.stage.connected(self.other, self.third)
        for line in (self.ann, self.asking):
            if line is not None:
                await within(line.down)
        self.third.hang_up()
        await within(self.other.down)


async def answers(stage: Stage, who: str, caller: Line) -> Line:
    line = await stage.desks[who].called()
    line.answer()
    await stage.connected(caller, line)
    return line


async def came_in(stage: Stage) -> Scene:
    """Somebody outside talks with Ann; the third is Bob."""
    caller = stage.call(ANN)
    return Scene(stage, caller, await answers(stage, "ann", caller), "102", "bob")


async def went_out(stage: Stage) -> Scene:
    """Ann has called Bob; the third is Bobby."""
    ann = stage.desks["ann"].calls_number("102")
    return Scene(stage, await answers(stage, "bob", ann), ann, "103", "bobby")


async def asks(scene: Scene) -> Scene:
    """Ann has called the third, and talks with them."""
    scene.asking = scene.stage.desks["ann"].calls_number(scene.to)
    scene.third = await answers(scene.stage, scene.who, scene.asking)
    return scene


async def came_in_and_asks(stage: Stage) -> Scene:
    return await asks(await came_in(stage))


async def went_out_and_asks(stage: Stage) -> Scene:
    return await asks(await went_out(stage))


class Gate:
    """A point that calls come to, and pass once it is open."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


def gate_at(point: str, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Before it is "deciding", before anybody is moved as their name is read ("naming"), and before the call that
    comes of it is "beginning".
    """
    gate, step, shown = Gate(), Call._step, Sending._shown

    async def slow_step(call: Call, event: Event) -> Step | None:
        if isinstance(event, Joined | Transferred) and bool(event.party) == (point == "beginning"):
            await gate()
        return await step(call, event)

    async def slow_name(sending: Sending, party: str) -> tuple[str, str]:
        await gate()
        return await shown(sending, party)

    if point == "naming":
        monkeypatch.setattr(Sending, "_shown", slow_name)
    else:
        monkeypatch.setattr(Call, "_step", slow_step)
    return gate


async def all_that_is_kept(stage: Stage) -> list[Record]:
    """The records of all calls of the test, in the order in which they began, once nothing is left of any."""
    await stage.empty()
    await stage.nobody_rings()
    ids = [one["id"] for one in await stage._calls() if one["id"] not in stage._seen]
    return [await stage.record_of(id) for id in sorted(ids, key=int)]


async def are_kept(stage: Stage, *expected: tuple[str, str]) -> None:
    """The calls ended so: their outcomes, and what was the last reason of each."""
    found = await all_that_is_kept(stage)
    assert [(one.outcome, one.reasons[-1]) for one in found] == list(expected), [one.texts for one in found]


SETTINGS = {"came in": came_in, "went out": went_out}
CONSULTED = {"came in": came_in_and_asks, "went out": went_out_and_asks}
POINTS = {"came in": ("deciding",), "went out": ("deciding", "naming", "beginning")}
CASES = [(setting, point) for setting, points in POINTS.items() for point in points]


async def held(scene: Scene, gate: Gate, who: str) -> None:
    """It is asked for, and somebody hangs up while it is at the gate."""
    scene.refers()
    await within(gate.reached)
    scene.leaves(who)
    await scene.left(who)
    gate.open.set()


# Blind


@pytest.mark.parametrize(("setting", "point"), CASES)
def test_who_is_sent_on_hangs_up_meanwhile(
    stage: Stage, setting: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        gate = gate_at(point, monkeypatch)
        scene = await SETTINGS[setting](stage)
        await held(scene, gate, "other")
        await within(scene.ann.down)
        if setting == "came in":
            await are_kept(stage, ("abandoned", HUNG_UP))
        elif point == "beginning":
            await are_kept(stage, ("transferred", HANDED), ("abandoned", HUNG_UP))
        else:
            await are_kept(stage, ("answered", ENDED))

    stage.play(story())


@pytest.mark.parametrize(("setting", "point"), CASES)
def test_who_sends_on_hangs_up_meanwhile_and_it_is_done(
    stage: Stage, setting: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        gate = gate_at(point, monkeypatch)
        scene = await SETTINGS[setting](stage)
        await held(scene, gate, "ann")
        (await scene.rings()).answer()
        await scene.talk()
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("answered", ENDED))

    stage.play(story())


@pytest.mark.parametrize("setting", SETTINGS)
def test_who_is_sent_on_hangs_up_while_it_rings(stage: Stage, setting: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        await scene.rings()
        scene.other.hang_up()
        await within(scene.ann.down)
        assert [await scene.ann.referred.get() for _ in range(3)] == [202, 100, 487]
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("abandoned", HUNG_UP))

    stage.play(story())


@pytest.mark.parametrize("setting", SETTINGS)
def test_who_sends_on_hangs_up_while_it_rings(stage: Stage, setting: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        third = await scene.rings()
        scene.ann.hang_up()
        third.answer()
        await scene.talk()
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("answered", ENDED))

    stage.play(story())


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_third_declines_and_who_was_sent_on_hangs_up_as_it_comes_back(stage: Stage, setting: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        (await scene.rings()).refuse(486)
        await stage.desks["ann"].called()
        assert [await scene.ann.referred.get() for _ in range(3)] == [202, 100, 480]
        scene.other.hang_up()
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("abandoned", HUNG_UP))

    stage.play(story())


@pytest.mark.parametrize("who", ["other", "third"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_somebody_hangs_up_once_it_is_done(stage: Stage, setting: str, who: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        third = await scene.rings()
        third.answer()
        await stage.connected(scene.other, third)
        await within(scene.ann.down)
        scene.leaves(who)
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("answered", HUNG_UP if who == "other" else ENDED))

    stage.play(story())


@pytest.mark.parametrize("setting", SETTINGS)
def test_who_is_sent_on_hangs_up_right_behind_the_wish(stage: Stage, setting: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        scene.leaves("other")
        await within(scene.ann.down)
        found = await all_that_is_kept(stage)
        # By what came first of the two.
        last = found[-1]
        assert (last.outcome, last.reasons[-1]) in [("answered", HUNG_UP), ("answered", ENDED), ("abandoned", HUNG_UP)]

    stage.play(story())


@pytest.mark.parametrize("setting", SETTINGS)
def test_who_sends_on_hangs_up_right_behind_the_wish(stage: Stage, setting: str) -> None:
    async def story() -> None:
        scene = await SETTINGS[setting](stage)
        scene.refers()
        scene.leaves("ann")
        (await scene.rings()).answer()
        await scene.talk()
        first = [("transferred", HANDED)] if setting == "went out" else []
        await are_kept(stage, *first, ("answered", ENDED))

    stage.play(story())


# Attended


ATTENDED = [("came in", "deciding"), ("went out", "naming"), ("went out", "beginning")]


@pytest.mark.parametrize(("setting", "point"), ATTENDED)
def test_who_is_to_be_connected_hangs_up_meanwhile(
    stage: Stage, setting: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        gate = gate_at(point, monkeypatch)
        scene = await CONSULTED[setting](stage)
        await held(scene, gate, "other")
        await within(scene.ann.down)
        assert scene.asking is not None
        assert scene.third is not None
        if point == "beginning":
            await within(scene.asking.down, scene.third.down)
            await are_kept(stage, ("transferred", HANDED), ("transferred", HANDED), ("answered", HUNG_UP))
            return
        # Ann has not connected them, and talks on with the other one.
        await stage.connected(scene.asking, scene.third)
        scene.asking.hang_up()
        await are_kept(stage, ("answered", HUNG_UP if setting == "came in" else ENDED), ("answered", HUNG_UP))

    stage.play(story())


@pytest.mark.parametrize("who", ["ann", "asking", "both"])
@pytest.mark.parametrize(("setting", "point"), ATTENDED)
def test_who_connects_two_hangs_up_meanwhile_and_it_is_done(
    stage: Stage, setting: str, point: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        gate = gate_at(point, monkeypatch)
        scene = await CONSULTED[setting](stage)
        await held(scene, gate, who)
        await scene.talk()
        await are_connected(stage, setting, ENDED)

    stage.play(story())


async def are_connected(stage: Stage, setting: str, last: str) -> None:
    """Two were, and the records say so: of one call that went on, or of one that came of both."""
    if setting == "came in":
        await are_kept(stage, ("answered", last), ("transferred", HANDED))
    else:
        await are_kept(stage, ("transferred", HANDED), ("transferred", HANDED), ("answered", last))


@pytest.mark.parametrize(("setting", "point"), ATTENDED)
def test_the_third_hangs_up_meanwhile(stage: Stage, setting: str, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        gate = gate_at(point, monkeypatch)
        scene = await CONSULTED[setting](stage)
        await held(scene, gate, "third")
        assert scene.asking is not None
        await within(scene.asking.down)
        if point == "naming":
            # It is refused, and Ann talks on with whom she would have sent on.
            assert await scene.ann.referred.get() == 403
            await stage.connected(scene.ann, scene.other)
            scene.ann.hang_up()
            await within(scene.other.down)
            await are_kept(stage, ("answered", HUNG_UP), ("answered", ENDED))
            return
        await within(scene.other.down, scene.ann.down)
        if setting == "came in":
            await are_kept(stage, ("answered", ENDED), ("answered", ENDED))
        else:
            await are_connected(stage, setting, ENDED)

    stage.play(story())


@pytest.mark.parametrize("who", ["ann", "asking", "both"])
@pytest.mark.parametrize("setting", CONSULTED)
def test_who_connects_two_hangs_up_right_behind_the_wish(stage: Stage, setting: str, who: str) -> None:
    async def story() -> None:
        scene = await CONSULTED[setting](stage)
        scene.refers()
        scene.leaves(who)
        await scene.talk()
        await are_connected(stage, setting, ENDED)

    stage.play(story())


@pytest.mark.parametrize("who", ["other", "third"])
@pytest.mark.parametrize("setting", CONSULTED)
def test_who_is_to_be_connected_hangs_up_right_behind_the_wish_and_nobody_is_rung_again(
    stage: Stage, setting: str, who: str
) -> None:
    async def story() -> None:
        scene = await CONSULTED[setting](stage)
        scene.refers()
        scene.leaves(who)
        assert scene.asking is not None
        assert scene.third is not None
        # Ann talks on with the one who is left, if she had not connected them before.
        first, second = (scene.ann, scene.asking) if who == "other" else (scene.asking, scene.ann)
        await within(first.down)
        second.hang_up()
        await within(scene.other.down, scene.third.down)
        assert all(desk.calls.empty() for desk in stage.desks.values())
        for record in await all_that_is_kept(stage):
            assert record.outcome in ("answered", "transferred"), record.texts

    stage.play(story())


@pytest.mark.parametrize("who", ["other", "third"])
@pytest.mark.parametrize("setting", CONSULTED)
def test_somebody_hangs_up_once_two_are_connected(stage: Stage, setting: str, who: str) -> None:
    async def story() -> None:
        scene = await CONSULTED[setting](stage)
        scene.refers()
        assert scene.third is not None
        await stage.connected(scene.other, scene.third)
        scene.leaves(who)
        await within(scene.other.down, scene.third.down)
        await are_connected(stage, setting, HUNG_UP if who == "other" else ENDED)

    stage.play(story())
