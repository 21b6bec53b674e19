"""A caller hangs up at every point of every verb: the record says where, nothing is left, and the next call works."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.telephony.faults.stage import MUSIC, TONE, Line, Phone, Stage, within

MAIN, SALES, NOTICE, BOX = (
    "office Head office",
    *(f"department Head office/{name}" for name in ("Sales", "Notice", "Box")),
)
SUPPORT, TAPED, DAN = "callcenter Head office/Support", "callcenter Head office/Taped", "user dan@example.com"
FAR = "+12125550199"


@dataclass
class Scene:
    """A call on its way to the point: the caller's line, and those that were rung by it."""

    stage: Stage
    caller: Line
    rung: list[Line]


Reach = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Point:
    """Where a call is when its caller leaves, and what its record says then."""

    to: str
    reach: Reach
    outcome: str
    says: str
    keeps: str = ""
    """Of what a tape is kept."""


async def at_once(_: Scene) -> None:
    """Nothing was answered yet."""


async def in_a_prompt(scene: Scene) -> None:
    await within(scene.caller.up)
    await scene.caller.hears_anything()


def pressing(keys: str, until: str = "") -> Reach:
    """In the menu, with keys that were pressed; what they lead to has begun once another prompt is decided on."""

    async def reach(scene: Scene) -> None:
        await within(scene.caller.up)
        scene.caller.press(keys)
        if until:
            await scene.stage.decided(until)

    return reach


def ringing(*who: str) -> Reach:
    """Their telephones ring."""

    async def reach(scene: Scene) -> None:
        for one in who:
            scene.rung.append(await scene.stage.desks[one].called())
        await scene.caller.gets("180 INVITE")

    return reach


async def before_they_ring(scene: Scene) -> None:
    """The INVITE is with them, and they have said nothing yet: the CANCEL has to wait (RFC 3261 section 9.1)."""
    for one in ("ann", "bob"):
        scene.stage.desks[one].rings = False
    scene.rung += [await scene.stage.desks[one].called() for one in ("ann", "bob")]


def talking(who: str) -> Reach:
    async def reach(scene: Scene) -> None:
        scene.rung.append(await scene.stage.desks[who].called())
        scene.rung[0].answer()
        await scene.stage.connected(scene.caller, scene.rung[0])

    return reach


async def ringing_outside(scene: Scene) -> None:
    scene.rung.append(await scene.stage.abroad.called())


async def talking_outside(scene: Scene) -> None:
    await ringing_outside(scene)
    scene.rung[0].answer()
    await scene.stage.connected(scene.caller, scene.rung[0])


async def after_the_tone(scene: Scene) -> None:
    await scene.caller.hears(TONE)
    await scene.stage.recorded()


async def proven(scene: Scene) -> None:
    """Only what shows who they are was asked for, and given."""
    await scene.caller.gets("401 INVITE")


POINTS = {
    "answer: before anything": Point(MAIN, at_once, "abandoned", "hung up in the menu"),
    "gather: in its prompt": Point(MAIN, in_a_prompt, "abandoned", "hung up in the menu"),
    "directory: while asked for a name": Point(
        MAIN, pressing("2", "pressed"), "abandoned", "hung up while asked for a name"
    ),
    "directory: in the middle of a name": Point(
        MAIN, pressing("226", "pressed"), "abandoned", "hung up while asked for a name"
    ),
    "directory: while asked which": Point(
        MAIN, pressing("2262#", "name_ambiguous"), "abandoned", "hung up while asked which name"
    ),
    "extension: while asked for it": Point(
        MAIN, pressing("3", "pressed"), "abandoned", "hung up while asked for an extension"
    ),
    "play: in a message": Point(NOTICE, in_a_prompt, "message", ""),
    "ring: before anything": Point(SALES, at_once, "abandoned", "hung up while"),
    "ring: before they ring": Point(SALES, before_they_ring, "abandoned", "hung up while it rang"),
    "ring: while they ring": Point(SALES, ringing("ann", "bob"), "abandoned", "hung up while it rang"),
    "ring: a number outside": Point(DAN, ringing_outside, "abandoned", "hung up while it rang"),
    "bridge: while they talk": Point(SALES, talking("bob"), "answered", "hung up after the talk"),
    "bridge: with a number outside": Point(DAN, talking_outside, "answered", "hung up after the talk"),
    "record: in its announcement": Point(TAPED, in_a_prompt, "abandoned", "hung up while"),
    "record: while they talk": Point(TAPED, talking("bobby"), "answered", "hung up after the talk", "recordings"),
    "voicemail: in its greeting": Point(BOX, in_a_prompt, "no_message", "hung up at the voicemail"),
    "voicemail: while it records": Point(BOX, after_the_tone, "voicemail", "was left", "voicemails"),
}
OUTGOING = {
    "transfer: before anything": Point(FAR, proven, "abandoned", "hung up while it rang outside"),
    "transfer: while it rings": Point(FAR, ringing_outside, "abandoned", "hung up while it rang outside"),
    "transfer: while they talk": Point(FAR, talking_outside, "answered", "hung up after the talk"),
    "ring: a colleague": Point("102", ringing("bob"), "abandoned", "hung up while it rang"),
    "bridge: with a colleague": Point("102", talking("bob"), "answered", "hung up after the talk"),
}


async def leaves(stage: Stage, caller: Line, point: Point) -> None:
    """The caller comes to the point, and hangs up there."""
    scene = Scene(stage, caller, [])
    await point.reach(scene)
    caller.hang_up()
    await within(caller.down)
    record = await stage.record()
    for one in scene.rung:
        if isinstance(one.handset, Phone) and not one.handset.rings:
            assert "CANCEL" not in one.whats
            one.say(180)
        await within(one.down)
    assert record.outcome == point.outcome, record.texts
    assert point.says in record.texts[-1]
    await stage.empty()
    for kind in ("voicemails", "recordings"):
        assert bool(await stage.tapes(kind, record.id)) == (kind == point.keeps)


@pytest.mark.parametrize("name", POINTS)
def test_a_caller_from_outside_hangs_up(stage: Stage, name: str) -> None:
    async def story() -> None:
        point = POINTS[name]
        await leaves(stage, stage.call(point.to), point)

    stage.play(story())


@pytest.mark.parametrize("name", OUTGOING)
def test_a_colleague_hangs_up(stage: Stage, name: str) -> None:
    async def story() -> None:
        point = OUTGOING[name]
        await leaves(stage, stage.desks["ann"].calls_number(point.to), point)

    stage.play(story())


@pytest.mark.parametrize("first", ["the caller", "the telephone"])
def test_a_caller_hangs_up_while_somebody_answers(stage: Stage, first: str) -> None:
    async def story() -> None:
        caller = stage.call(SALES)
        ann, bob = [await stage.desks[who].called() for who in ("ann", "bob")]
        await caller.gets("180 INVITE")
        steps = [caller.hang_up, bob.answer]
        for step in steps if first == "the caller" else reversed(steps):
            step()
        await within(caller.down, ann.down, bob.down)
        record = await stage.record()
        assert record.outcome in ("abandoned", "answered")
        assert record.reasons[-1] == "caller_hung_up"
        await stage.empty()

    stage.play(story())


def test_a_caller_who_waits_hangs_up(stage: Stage) -> None:
    async def story() -> None:
        busy = stage.desks["bob"].calls_number(FAR)
        outside = await stage.abroad.called()
        outside.answer()
        await within(busy.up)
        first = (await stage.ids_under_way())[0]
        await leaves_the_queue(stage)
        left = await stage.left()
        assert left["reserved"] == [f"user:{stage.ids['user bob@example.com']}"]
        assert "waiting" not in left
        assert await stage.ids_under_way() == [first]
        busy.hang_up()
        await within(outside.down)
        await stage.empty()

    async def leaves_the_queue(stage: Stage) -> None:
        caller = stage.call(SUPPORT)
        await caller.hears(MUSIC)
        caller.hang_up()
        await within(caller.down)
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("abandoned", "caller_hung_up")
        assert "while waiting" in record.texts[-1]

    stage.play(story())


@pytest.mark.parametrize("who", ["the one who was called", "both at once"])
def test_they_talk_and_somebody_else_hangs_up(stage: Stage, who: str) -> None:
    async def story() -> None:
        caller = stage.call(SALES)
        bob = await stage.desks["bob"].called()
        bob.answer()
        await within(caller.up, bob.up)
        bob.hang_up()
        if who == "both at once":
            caller.hang_up()
        await within(caller.down)
        record = await stage.record()
        assert record.outcome == "answered"
        await stage.empty()

    stage.play(story())


def test_the_next_call_works(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call(MAIN)
        await within(caller.up)
        caller.press("1")
        ann, bob = [await stage.desks[who].called() for who in ("ann", "bob")]
        ann.answer()
        await stage.connected(caller, ann)
        await within(bob.down)
        ann.hang_up()
        await within(caller.down)
        assert (await stage.record()).outcome == "answered"
        await stage.empty()

    stage.play(story())
