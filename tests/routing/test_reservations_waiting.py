"""Callers who wait for an operator: in the order in which they came, as long as they may, and nobody for ever."""

import asyncio

import pytest

from offhook.kit.errors import Unavailable
from offhook.routing.board import RETURN_SECONDS, WAIT_SECONDS
from offhook.routing.plan import Reserved
from tests.routing.reserving import Loop, Time, Worker, ask, queue


def test_who_is_merely_rung_by_another_call_is_waited_for(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        second = await worker.starts("b", ask("fixedorder", [1], seconds=20, wait_for="whoever_is_rung"))
        assert not second.done()
        await worker.release("a", "1")
        assert await second == ("1",)
        assert worker.waiting() == []

    loop.run(story())


def test_nobody_waits_for_who_is_in_a_call_unless_in_a_queue(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        verb = ask("fixedorder", [1], seconds=20, wait_for="whoever_is_rung")
        second = await worker.starts("b", verb)
        await worker.release("a", kept="1")
        assert await second == ()
        answer = await worker.reserve("c", verb)
        assert (answer.members, answer.busy) == ((), ("user:1",))

    loop.run(story())


def test_a_wait_ends_when_its_seconds_are_over_and_not_before(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        began = time.at
        task = asyncio.create_task(worker.reserve("b", queue("fixedorder", [1], began, seconds=3)))
        for _ in range(3):
            await worker.settle()
            assert not task.done()
            time.move(1)
        answer = await task
        assert answer == Reserved(began + 3000, busy=("user:1",))

    loop.run(story())


def test_nobody_to_wait_for_is_said_at_once_without_a_queue_and_waited_out_in_one(
    loop: Loop, worker: Worker, time: Time
):
    async def story() -> None:
        assert await worker.got("a", ask(members=[], seconds=9, wait_for="whoever_is_rung")) == ()
        task = await worker.starts("b", queue("simultaneous", [], time.at, seconds=1))
        assert not task.done()
        time.move(1)
        assert await task == ()

    loop.run(story())


def test_who_waits_longest_is_served_first(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        began = time.at
        # They are back at the store in another order than they came.
        waiting = {
            call: await worker.starts(call, queue("fixedorder", [1], began + since))
            for call, since in (("third", 30), ("first", 10), ("second", 20))
        }
        await worker.finish("a")
        for call in ("first", "second", "third"):
            assert await waiting[call] == ("1",)
            assert worker.held() == {"1": call}
            await worker.finish(call)

    loop.run(story())


def test_a_new_call_does_not_overtake_one_that_waits(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at - 1))
        # All in one moment: the operator is given back and the newcomer asks.
        _, late = await asyncio.gather(worker.finish("a"), worker.got("late", ask("fixedorder", [1])))
        assert late == ()
        assert await first == ("1",)

    loop.run(story())


def test_a_call_that_waits_in_another_process_is_not_overtaken_either(loop: Loop, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        await worker.talk("a", ask("fixedorder", [1, 2]))
        await worker.talk("b", ask("fixedorder", [1, 2]))
        first = await other.starts("first", queue("fixedorder", [1, 2], time.at - 1))
        await worker.finish("a")
        answer = await worker.reserve("late", ask("fixedorder", [1, 2]))
        assert (answer.members, answer.busy, answer.rung) == ((), ("user:2",), ("user:1",))
        # But what the first one cannot use is nobody's.
        await worker.finish("b")
        assert await worker.got("late", ask("fixedorder", [1, 2])) == ("2",)
        assert not first.done()
        time.move(1)
        await other.settle()
        assert await first == ("1",)
        await other.close()

    loop.run(story())


def test_a_line_whose_people_also_answer_elsewhere_is_not_starved(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1], group=1))
        patient = await worker.starts("patient", queue("fixedorder", [1], time.at, group=2))
        hasty = await worker.starts("hasty", queue("fixedorder", [1], time.at + 1, group=1))
        await worker.finish("a")
        assert await patient == ("1",)
        assert not hasty.done()
        await worker.finish("patient")
        assert await hasty == ("1",)

    loop.run(story())


def test_what_a_caller_ahead_cannot_use_goes_to_the_next(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        await worker.talk("b", ask("fixedorder", [2]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at, group=1))
        second = await worker.starts("second", queue("fixedorder", [2], time.at + 1, group=2))
        await worker.finish("b")
        assert await second == ("2",)
        assert not first.done()
        await worker.finish("a")
        assert await first == ("1",)

    loop.run(story())


def test_a_caller_who_hangs_up_while_waiting_leaves_the_queue(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at))
        second = await worker.starts("second", queue("fixedorder", [1], time.at + 1))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert worker.waiting() == ["second"]
        await worker.finish("a")
        assert await second == ("1",)

    loop.run(story())


def test_a_caller_who_hangs_up_in_the_moment_of_being_served_gives_back(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at))
        second = await worker.starts("second", queue("fixedorder", [1], time.at + 1))
        given = asyncio.create_task(worker.finish("a"))
        for _ in range(2):
            await asyncio.sleep(0)
        first.cancel()
        await given
        assert await second == ("1",)
        assert worker.held() == {"1": "second"}
        assert worker.waiting() == []

    loop.run(story())


def test_a_worker_that_dies_holds_up_the_queue_for_ten_seconds_at_most(
    loop: Loop, url: str, worker: Worker, time: Time
):
    async def story() -> None:
        dead = Worker(url, time)
        await worker.talk("a", ask("fixedorder", [1]))
        await dead.starts("lost", queue("fixedorder", [1], time.at))
        await dead.close()
        second = await worker.starts("second", queue("fixedorder", [1], time.at + 1))
        await worker.finish("a")
        await worker.settle()
        assert not second.done()
        for _ in range(WAIT_SECONDS):
            time.move(1)
            await worker.settle()
        assert await second == ("1",)
        assert worker.waiting() == []

    loop.run(story())


def test_a_long_wait_keeps_its_place(loop: Loop, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at))
        for _ in range(WAIT_SECONDS - 1):
            time.move(1)
            await worker.settle()
        time.seconds += 1
        # Long after it came, and before its process looks again.
        await other.finish("a")
        assert await other.got("late", ask("fixedorder", [1])) == ()
        time.move(0)
        assert await first == ("1",)
        await other.close()

    loop.run(story())


def test_a_worker_that_stood_still_takes_nobody_from_another_call(loop: Loop, url: str, worker: Worker, time: Time):
    async def story() -> None:
        still = Worker(url, time)
        verb = ask("fixedorder", [1], seconds=WAIT_SECONDS * 5, wait_for="whoever_is_rung", since=time.at)
        await worker.got("a", verb)
        waits = await still.starts("b", verb)
        time.seconds += WAIT_SECONDS
        # The other one clears the place of the one that is silent, which then goes on as if nothing had been.
        await worker.reservations.renew(7, ["a"])
        assert worker.waiting() == []
        time.move(1)
        await still.settle()
        assert not waits.done()
        assert worker.held() == {"1": "a"}
        await worker.release("a", "1")
        time.move(1)
        assert await waits == ("1",)
        await still.close()

    loop.run(story())


# The queue


def test_a_full_queue_takes_no_more(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        verb = [queue("fixedorder", [1], time.at + number, most_waiting=2) for number in range(4)]
        first, second = [await worker.starts(call, one) for call, one in zip("bc", verb, strict=False)]
        answer = await worker.reserve("d", verb[2])
        assert (answer.full, answer.members, answer.ahead) == (True, (), 2)
        await worker.finish("a")
        assert await first == ("1",)
        third = await worker.starts("d", verb[2])
        assert not third.done()
        assert worker.waiting() == ["c", "d"]
        second.cancel()
        third.cancel()

    loop.run(story())


def test_callers_of_one_moment_do_not_overfill_a_queue(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        tasks = [
            asyncio.create_task(worker.reserve(f"call{n}", queue("fixedorder", [1], time.at, most_waiting=5)))
            for n in range(12)
        ]
        await worker.settle()
        assert len(worker.waiting()) == 5
        assert sum(task.done() and task.result().full for task in tasks) == 7
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert worker.waiting() == []

    loop.run(story())


def test_a_caller_whose_operator_did_not_answer_comes_back_though_the_queue_is_full(
    loop: Loop, worker: Worker, time: Time
):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        await worker.talk("b", ask("fixedorder", [2]))
        began = time.at
        first = await worker.starts("first", queue("fixedorder", [1], began, most_waiting=1))
        await worker.finish("a")
        assert await first == ("1",)
        time.move(2)
        second = await worker.starts("second", queue("fixedorder", [2], time.at, most_waiting=1))
        await worker.release("first", kept="1")
        assert (await worker.reserve("third", queue("fixedorder", [1], began, seconds=0, most_waiting=1))).full
        again = asyncio.create_task(worker.reserve("first", queue("fixedorder", [1], began, seconds=1)))
        await worker.settle()
        assert worker.waiting() == ["first", "second"]
        time.move(1)
        assert not (await again).full
        second.cancel()

    loop.run(story())


def test_a_call_that_does_not_wait_takes_no_place(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        assert await worker.got("b", ask("fixedorder", [1])) == ()
        assert worker.waiting() == []
        await worker.release("a", "1")
        assert await worker.got("c", ask("fixedorder", [1])) == ("1",)

    loop.run(story())


@pytest.mark.parametrize("wait_for", ["whoever_is_free", "whoever_is_rung"])
def test_who_asks_without_seconds_is_told_at_once_and_keeps_their_place_for_a_while(
    loop: Loop, worker: Worker, time: Time, wait_for: str
):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        began = time.at
        verb = ask("fixedorder", [1], wait_for=wait_for, since=began)
        answer = await worker.reserve("b", verb)
        assert (answer.members, answer.rung) == ((), ("user:1",))
        assert worker.waiting() == ["b"]
        await worker.release("a", "1")
        assert await worker.got("c", ask("fixedorder", [1])) == (), "whose turn it is may be hearing a prompt"
        assert await worker.got("b", verb) == ("1",)
        await worker.release("b", "1")
        await worker.got("a", ask("fixedorder", [1]))
        await worker.reserve("b", verb)
        await worker.release("a", "1")
        time.move(RETURN_SECONDS - 1)
        assert await worker.got("c", ask("fixedorder", [1])) == ()
        time.move(2)
        assert await worker.got("c", ask("fixedorder", [1])) == ("1",)

    loop.run(story())


def test_who_came_before_a_welcome_finds_a_queue_full_that_filled_up_meanwhile(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        came = time.at
        time.move(5)
        assert not (await worker.reserve("b", queue("fixedorder", [1], time.at, seconds=0, most_waiting=1))).full
        assert (await worker.reserve("c", queue("fixedorder", [1], came, seconds=0, most_waiting=1))).full
        assert worker.waiting() == ["b"]
        assert not (await worker.reserve("b", queue("fixedorder", [1], came, seconds=0, most_waiting=1))).full

    loop.run(story())


def test_a_pause_lasts_its_time_and_takes_no_place_in_the_queue(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        pause = ask("fixedorder", [], seconds=5, wait_for="the_time")
        resting = asyncio.create_task(worker.reserve("b", pause))
        await worker.settle()
        waits = await worker.starts("c", queue("fixedorder", [1], time.at, most_waiting=1))
        assert not waits.done(), "the queue has its place left"
        time.move(4)
        await worker.settle()
        assert not resting.done()
        time.move(1)
        answer = await resting
        assert (answer.members, answer.full) == ((), False)
        waits.cancel()

    loop.run(story())


def test_a_caller_who_hears_their_place_keeps_it_meanwhile(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        began = time.at
        first = asyncio.create_task(worker.reserve("first", queue("fixedorder", [1], began, seconds=1, most_waiting=2)))
        await worker.settle()
        second = asyncio.create_task(worker.reserve("second", queue("fixedorder", [1], began + 1, most_waiting=2)))
        await worker.settle()
        time.move(1)
        assert (await first).ahead == 0
        # Now they are told their place; nobody takes it.
        assert (await worker.reserve("third", queue("fixedorder", [1], time.at, most_waiting=2))).full
        await worker.finish("a")
        await worker.settle()
        assert not second.done()
        assert await worker.got("first", queue("fixedorder", [1], began)) == ("1",)
        await worker.finish("first")
        assert (await second).members == ("user:1",)

    loop.run(story())


def test_a_caller_who_does_not_come_back_to_the_queue_loses_their_place(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at, seconds=1))
        time.move(1)
        assert await first == ()
        await worker.finish("a")
        time.move(RETURN_SECONDS)
        assert await worker.got("late", ask("fixedorder", [1])) == ("1",)

    loop.run(story())


def test_leaving_the_queue_gives_up_the_place(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at, seconds=1))
        time.move(1)
        await first
        assert worker.waiting() == ["first"]
        await worker.release("first")
        assert worker.waiting() == []

    loop.run(story())


def test_a_caller_is_told_how_many_are_ahead_in_the_line(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        began = time.at
        other = await worker.starts("other", queue("fixedorder", [1], began, group=2))
        tasks = [
            asyncio.create_task(worker.reserve(f"{n}", queue("fixedorder", [1], began + n, seconds=1)))
            for n in range(1, 4)
        ]
        await worker.settle()
        time.move(1)
        assert [(await task).ahead for task in tasks] == [0, 1, 2]
        other.cancel()

    loop.run(story())


# When the store is away, and at the end


def test_callers_wait_on_while_the_store_is_away(
    loop: Loop, worker: Worker, time: Time, monkeypatch: pytest.MonkeyPatch
):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at))
        with monkeypatch.context() as patch:

            async def away(unit: object) -> None:
                raise Unavailable("The store is away.")

            patch.setattr(worker.writer, "submit", away)
            time.move(1)
            for _ in range(5):
                await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await worker.finish("a")
        assert not first.done()
        await worker.finish("a")
        assert await first == ("1",)

    loop.run(story())


def test_a_server_that_stops_refuses_who_waits(loop: Loop, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        await worker.talk("a", ask("fixedorder", [1]))
        first = await other.starts("first", queue("fixedorder", [1], time.at))
        await other.close()
        with pytest.raises(Unavailable):
            await first

    loop.run(story())
