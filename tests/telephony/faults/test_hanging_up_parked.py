"""A caller hangs up on park, and while whoever takes the call off it, or gets it back, is rung."""

import asyncio

import pytest

from offhook.routing import parking
from tests.scenarios.stage import V2
from tests.telephony.faults.stage import MUSIC, Line, Stage, within
from tests.telephony.faults.test_hanging_up import Point, Scene, leaves

ANN = "user ann@example.com"
CODE = "*68"
SOON = 5
"""Seconds on park, after which nobody waits for long."""


async def talks(scene: Scene) -> Line:
    """The caller talks with Ann: her side of it."""
    ann = await scene.stage.desks["ann"].called()
    scene.rung.append(ann)
    ann.answer()
    await scene.stage.connected(scene.caller, ann)
    return ann


async def parked(scene: Scene) -> str:
    """Ann puts the call on park, and is in it no more: the call."""
    stage = scene.stage
    ann = await talks(scene)
    [id] = await stage.ids_under_way()
    await stage.ask("POST", f"{V2}/call/{id}/transfer", {"transfer_state": "parked"})
    await within(ann.down)
    await scene.caller.hears(MUSIC)
    return id


async def on_park(scene: Scene) -> None:
    await parked(scene)


async def as_it_is_parked(scene: Scene) -> None:
    """Ann's telephone asks for it, and the caller leaves right behind."""
    (await talks(scene)).refer(CODE)


async def parked_by_telephone(scene: Scene) -> None:
    ann = await talks(scene)
    ann.refer(CODE)
    await within(ann.down)
    assert [await ann.referred.get() for _ in range(3)] == [202, 100, 200]
    await scene.caller.hears(MUSIC)


def takes(scene: Scene, id: str) -> "asyncio.Task[int]":
    """Bob wishes to take the call off: what that is answered."""

    async def asked() -> int:
        stage = scene.stage
        body = {"user_id": stage.ids["user bob@example.com"]}
        return (await stage.api.sending("POST", f"{V2}/call/{id}/unpark", body)).status

    return asyncio.create_task(asked())


async def bob_is_rung(scene: Scene) -> None:
    asking = takes(scene, await parked(scene))
    scene.rung.append(await scene.stage.desks["bob"].called())
    assert await asking == 200


async def before_bob_rings(scene: Scene) -> None:
    """His telephone has said nothing yet: the CANCEL has to wait."""
    scene.stage.desks["bob"].rings = False
    await bob_is_rung(scene)


async def bob_did_not_take_it(scene: Scene) -> None:
    """The call stays on park."""
    await bob_is_rung(scene)
    scene.rung[-1].refuse(486)
    await scene.rung[-1].gets("ACK")
    scene.rung.pop()
    await scene.stage.decided("still_parked")


async def bob_has_it(scene: Scene) -> None:
    await bob_is_rung(scene)
    scene.rung[-1].answer()
    await scene.stage.connected(scene.caller, scene.rung[-1])


async def it_comes_back(scene: Scene) -> None:
    """Nobody took it off: Ann, who parked it, is rung."""
    await parked(scene)
    scene.rung.append(await scene.stage.desks["ann"].called())


async def ann_has_it_back(scene: Scene) -> None:
    await it_comes_back(scene)
    scene.rung[-1].answer()
    await scene.stage.connected(scene.caller, scene.rung[-1])


RANG = "hung up while it rang"
TALKED = "hung up after the talk"
POINTS = {
    "on park": Point(ANN, on_park, "answered", "hung up on park"),
    "on park, by a telephone": Point(ANN, parked_by_telephone, "answered", "hung up on park"),
    "on park, as nobody took it": Point(ANN, bob_did_not_take_it, "answered", "hung up on park"),
    "before who takes it rings": Point(ANN, before_bob_rings, "answered", RANG),
    "while who takes it is rung": Point(ANN, bob_is_rung, "answered", RANG),
    "once it was taken off": Point(ANN, bob_has_it, "answered", TALKED),
}
BACK = {
    "while it comes back": Point(ANN, it_comes_back, "answered", RANG),
    "once it came back": Point(ANN, ann_has_it_back, "answered", TALKED),
}


@pytest.mark.parametrize("name", POINTS)
def test_a_caller_who_was_parked_hangs_up(stage: Stage, name: str) -> None:
    async def story() -> None:
        point = POINTS[name]
        await leaves(stage, stage.call(point.to), point)

    stage.play(story())


@pytest.mark.parametrize("name", BACK)
def test_a_caller_whom_nobody_took_off_park_hangs_up(stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "PARK_SECONDS", SOON)

    async def story() -> None:
        point = BACK[name]
        await leaves(stage, stage.call(point.to), point)

    stage.play(story())


def test_a_caller_hangs_up_as_the_call_is_parked(stage: Stage) -> None:
    async def story() -> None:
        scene = Scene(stage, stage.call(ANN), [])
        await as_it_is_parked(scene)
        scene.caller.hang_up()
        await within(scene.caller.down, scene.rung[0].down)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("answered", "caller_hung_up")
        await stage.empty()

    stage.play(story())


@pytest.mark.parametrize("first", ["the caller", "who takes it"])
def test_a_caller_hangs_up_as_the_call_is_taken_off_park(stage: Stage, first: str) -> None:
    async def story() -> None:
        scene = Scene(stage, stage.call(ANN), [])
        await bob_is_rung(scene)
        bob = scene.rung[-1]
        steps = [scene.caller.hang_up, bob.answer]
        for step in steps if first == "the caller" else reversed(steps):
            step()
        await within(scene.caller.down, bob.down)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("answered", "caller_hung_up")
        await stage.empty()

    stage.play(story())


def test_a_caller_hangs_up_as_somebody_wishes_to_take_the_call(stage: Stage) -> None:
    async def story() -> None:
        scene = Scene(stage, stage.call(ANN), [])
        asking = takes(scene, await parked(scene))
        scene.caller.hang_up()
        await within(scene.caller.down)
        # Bob was rung for a moment, or nobody was left to be taken.
        assert await asking in (200, 409)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("answered", "caller_hung_up")
        await stage.empty()
        await stage.nobody_rings()

    stage.play(story())
