"""Somebody hangs up while one more is asked into the call, and once three talk: who is left goes on."""

from itertools import permutations

import pytest

from tests.scenarios.stage import V2
from tests.telephony.faults.stage import Line, Stage, within
from tests.telephony.faults.test_hanging_up import Point, Scene, leaves, talking

ANN = "user ann@example.com"
FAR = "+12125550199"
TALKED = "hung up after the talk"


async def asks(scene: Scene, participant: dict[str, str]) -> None:
    """An API asks one more into the call, in which the caller talks with Ann."""
    stage = scene.stage
    await talking("ann")(scene)
    [id] = await stage.ids_under_way()
    await stage.ask("POST", f"{V2}/call/{id}/participants/add", {"participant": participant})


async def bob_is_asked(scene: Scene) -> None:
    await asks(scene, {"target_type": "user", "target_id": scene.stage.ids["user bob@example.com"]})


async def bob_is_rung(scene: Scene) -> None:
    await bob_is_asked(scene)
    scene.rung.append(await scene.stage.desks["bob"].called())


async def before_bob_rings(scene: Scene) -> None:
    """His telephone has said nothing yet: the CANCEL has to wait."""
    scene.stage.desks["bob"].rings = False
    await bob_is_rung(scene)


async def a_number_is_rung(scene: Scene) -> None:
    await asks(scene, {"number": FAR})
    scene.rung.append(await scene.stage.abroad.called())


async def bob_stays_out(scene: Scene) -> None:
    await bob_is_rung(scene)
    scene.rung[-1].refuse(486)
    await scene.rung[-1].gets("ACK")
    scene.rung.pop()
    await scene.stage.decided("stayed_out")


async def three(stage: Stage) -> dict[str, Line]:
    """The caller, Ann and Bob talk, each with each: their lines by who they are."""
    scene = Scene(stage, stage.call(ANN), [])
    await bob_is_rung(scene)
    ann, bob = scene.rung
    bob.answer()
    await within(bob.up)
    await stage.decided("came_in")
    return {"caller": scene.caller, "ann": ann, "bob": bob}


POINTS = {
    "as one is asked in": Point(ANN, bob_is_asked, "answered", TALKED),
    "before who is asked in rings": Point(ANN, before_bob_rings, "answered", TALKED),
    "while who is asked in is rung": Point(ANN, bob_is_rung, "answered", TALKED),
    "while a number outside is rung": Point(ANN, a_number_is_rung, "answered", TALKED),
    "once who was asked in stays out": Point(ANN, bob_stays_out, "answered", TALKED),
}


@pytest.mark.parametrize("name", POINTS)
def test_a_caller_hangs_up_while_one_is_asked_in(stage: Stage, name: str) -> None:
    async def story() -> None:
        point = POINTS[name]
        await leaves(stage, stage.call(point.to), point)
        await stage.nobody_rings()

    stage.play(story())


def test_the_other_side_hangs_up_while_one_is_asked_in(stage: Stage) -> None:
    async def story() -> None:
        scene = Scene(stage, stage.call(ANN), [])
        await bob_is_rung(scene)
        ann, bob = scene.rung
        ann.hang_up()
        await within(scene.caller.down, bob.down)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("answered", "ended")
        await stage.empty()

    stage.play(story())


@pytest.mark.parametrize("first", ["the caller", "who is asked in"])
def test_a_caller_hangs_up_as_who_is_asked_in_answers(stage: Stage, first: str) -> None:
    async def story() -> None:
        scene = Scene(stage, stage.call(ANN), [])
        await bob_is_rung(scene)
        ann, bob = scene.rung
        steps = [scene.caller.hang_up, bob.answer]
        for step in steps if first == "the caller" else reversed(steps):
            step()
        await within(scene.caller.down)
        # Whoever came first: Bob is in the call, and talks on with Ann, or not.
        ann.hang_up()
        await within(bob.down)
        record = await stage.record()
        assert record.outcome == "answered"
        assert record.reasons[-1] in ("caller_hung_up", "ended")
        await stage.empty()

    stage.play(story())


@pytest.mark.parametrize(("first", "second"), list(permutations(("caller", "ann", "bob"), 2)))
def test_one_of_three_hangs_up_and_two_go_on_until_one_more_does(stage: Stage, first: str, second: str) -> None:
    async def story() -> None:
        lines = await three(stage)
        lines.pop(first).hang_up()
        await stage.connected(*lines.values())
        assert f"user:{stage.ids.get(f'user {first}@example.com')}" not in (await stage.left())["reserved"]
        lines.pop(second).hang_up()
        [last] = lines.values()
        await within(last.down)
        record = await stage.record()
        assert record.outcome == "answered"
        assert record.reasons[-2:] == ["left", "caller_hung_up" if second == "caller" else "ended"]
        await stage.empty()

    stage.play(story())


def test_all_three_hang_up_at_once(stage: Stage) -> None:
    async def story() -> None:
        lines = await three(stage)
        for line in lines.values():
            line.hang_up()
        record = await stage.record()
        assert (record.outcome, record.reasons[-2]) == ("answered", "left")
        await stage.empty()

    stage.play(story())
