"""Places that companies share: who has the next one, whatever a single company has waiting."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from offhook.workflows.expressions.places import Places


class Scene:
    """What has a place, in the order in which it got it; each keeps it until it is let go."""

    def __init__(self, most: int) -> None:
        self.places = Places(most)
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._gates: dict[str, asyncio.Event] = {}

    async def ask(self, *names: str) -> None:
        """`a1` is the first of the company a."""
        for name in names:
            self._gates[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._have(name))
        await settle()

    async def let(self, name: str) -> None:
        self._gates[name].set()
        await settle()

    async def cancel(self, *names: str) -> None:
        for name in names:
            self.tasks[name].cancel()
        await settle()

    async def _have(self, name: str) -> None:
        async with self.places.place(ord(name[0])):
            self.served.append(name)
            await self._gates[name].wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def play(most: int, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        scene = Scene(most)
        await story(scene)
        for task in scene.tasks.values():
            task.cancel()
        await settle()

    asyncio.run(all_of_it())


def test_one_company_leaves_a_place_to_others():
    async def story(scene: Scene) -> None:
        await scene.ask("a1", "a2", "a3", "a4")
        assert scene.served == ["a1", "a2"]
        await scene.ask("b1")
        assert scene.served == ["a1", "a2", "b1"]

    play(3, story)


def test_a_single_place_goes_from_company_to_company():
    async def story(scene: Scene) -> None:
        await scene.ask("a1", "a2", "a3", "b1", "b2", "c1")
        for name in ("a1", "b1", "c1", "a2", "b2"):
            await scene.let(name)
        assert scene.served == ["a1", "b1", "c1", "a2", "b2", "a3"]

    play(1, story)


def test_who_has_fewest_is_next():
    async def story(scene: Scene) -> None:
        await scene.ask("a1", "b1", "b2", "a2", "b3", "c1")
        await scene.let("b1")
        assert scene.served[3:] == ["c1"]

    play(3, story)


def test_who_gives_up_waiting_takes_no_place():
    async def story(scene: Scene) -> None:
        await scene.ask("a1", "a2", "b1")
        await scene.cancel("a2", "b1")
        await scene.ask("c1")
        await scene.let("a1")
        assert scene.served == ["a1", "c1"]

    play(1, story)


def test_who_gives_up_as_its_place_comes_passes_it_on():
    async def story(scene: Scene) -> None:
        await scene.ask("a1", "b1", "c1")
        scene._gates["a1"].set()
        await asyncio.sleep(0)
        scene.tasks["b1"].cancel()
        await settle()
        assert scene.served == ["a1", "c1"]

    play(1, story)


@given(
    st.integers(1, 4),
    st.lists(
        st.one_of(
            st.tuples(st.just("ask"), st.sampled_from("abc")),
            st.tuples(st.sampled_from(["let", "cancel"]), st.integers(0, 100)),
        ),
        max_size=40,
    ),
)
def test_no_place_is_lost_or_given_twice(most: int, steps: list[tuple[str, str | int]]):
    async def story(scene: Scene) -> None:
        for number, (what, which) in enumerate(steps):
            if what == "ask":
                await scene.ask(f"{which}{number}")
            elif names := [name for name, task in scene.tasks.items() if not task.done()]:
                name = names[int(which) % len(names)]
                await (scene.let(name) if what == "let" else scene.cancel(name))
            open_ones = [name for name, task in scene.tasks.items() if not task.done()]
            having = [name for name in open_ones if name in scene.served]
            shares = {one: sum(name[0] == one for name in having) for one in "abc"}
            assert len(having) <= most
            assert all(share <= scene.places.of_one for share in shares.values())
            for name in set(open_ones) - set(having):
                assert len(having) == most or shares[name[0]] == scene.places.of_one, "nobody waits beside a free place"

    play(most, story)
