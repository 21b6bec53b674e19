"""Operators over the store: whose turn it is, one call a person, given back on every way out, nobody waits for ever."""

import asyncio

import pytest

from offhook.kit.errors import Unavailable
from offhook.routing.board import CALL_SECONDS, MARGIN_SECONDS, RETURN_SECONDS, WAIT_SECONDS
from offhook.routing.plan import Reserved
from offhook.routing.strategies import TURN_SECONDS
from tests.routing.reserving import Time, Worker, ask, queue

# Whose turn it is


def test_simultaneous_takes_all_who_are_free(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.talk("before", ask("fixedorder", [2]))
        answer = await worker.reserve("a", ask("simultaneous"))
        assert answer.members == ("user:1", "user:3")
        assert answer.busy == ("user:2",)
        assert worker.held() == {"1": "a", "2": "before*", "3": "a"}

    loop.run(story())


def test_fixed_order_begins_with_the_first_every_time(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        for call in "abc":
            assert await worker.talk(call, ask("fixedorder")) == ("1",)
            await worker.finish(call)
        assert await worker.talk("d", ask("fixedorder")) == ("1",)
        assert await worker.talk("e", ask("fixedorder")) == ("2",)

    loop.run(story())


def test_fixed_order_goes_on_to_the_next_who_had_no_turn_and_then_begins_anew(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        seen = []
        tried: tuple[int, ...] = ()
        for _ in range(4):
            answer = await worker.reserve("a", ask("fixedorder", tried=tried))
            [who] = [int(one.removeprefix("user:")) for one in answer.members]
            seen.append((who, answer.again))
            tried = (who,) if answer.again else (*tried, who)
            await worker.release("a", str(who))
        assert seen == [(1, False), (2, False), (3, False), (1, True)]

    loop.run(story())


def test_round_robin_who_answered_goes_to_the_end(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        seen = []
        for call in "abcde":
            seen += await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert seen == ["1", "2", "3", "1", "2"]

    loop.run(story())


def test_round_robin_who_did_not_answer_keeps_their_place(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        assert await worker.got("a", ask("roundrobin")) == ("1",)
        await worker.release("a", "1")
        assert await worker.got("a", ask("roundrobin", tried=[1])) == ("2",)
        await worker.release("a", kept="2")
        await worker.finish("a")
        assert await worker.got("b", ask("roundrobin")) == ("1",)

    loop.run(story())


def test_round_robin_who_misses_a_turn_in_a_call_goes_to_the_end(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.talk("elsewhere", ask("fixedorder", [1], group=2))
        assert await worker.talk("a", ask("roundrobin")) == ("2",)
        await worker.finish("a")
        await worker.finish("elsewhere")
        # 1 missed their turn, then 2 answered: 3, 1, 2.
        seen = []
        for call in "bcd":
            seen += await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert seen == ["3", "1", "2"]

    loop.run(story())


def test_round_robin_begins_anew_when_the_list_changes(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        for call in "ab":
            await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert await worker.got("c", ask("roundrobin", [1, 2, 3, 4])) == ("1",)

    loop.run(story())


def test_round_robin_of_each_line_is_its_own(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.talk("a", ask("roundrobin", group=1))
        await worker.finish("a")
        assert await worker.got("b", ask("roundrobin", group=2)) == ("1",)
        assert await worker.got("c", ask("roundrobin", group=1)) == ("2",)

    loop.run(story())


def test_calls_of_one_moment_take_turns_in_a_round_robin(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        got = await asyncio.gather(*(worker.got(call, ask("roundrobin")) for call in "abcd"))
        assert got == [("1",), ("2",), ("3",), ()]
        assert worker.writer.batches == 1

    loop.run(story())


def test_longest_idle_is_who_has_had_no_call_for_longest(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        for call, who in (("a", 2), ("b", 1), ("c", 3)):
            await worker.talk(call, ask("fixedorder", [who], group=2))
        for call in "cab":
            time.move(5)
            await worker.finish(call)
        # 3 has been free for longest, then 2, then 1; 4 was never called.
        got = [await worker.got(call, ask("longestidle", [1, 2, 3, 4])) for call in "defg"]
        assert got == [("4",), ("3",), ("2",), ("1",)]

    loop.run(story())


def test_to_be_rung_without_answering_does_not_make_anybody_less_idle(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [2], group=2))
        await worker.finish("a")
        time.move(5)
        assert await worker.got("b", ask("longestidle", [1, 2])) == ("1",)
        await worker.release("b", "1")
        assert await worker.got("c", ask("longestidle", [1, 2])) == ("1",)

    loop.run(story())


def test_most_skilled_first_and_of_equals_the_longest_idle(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        verb = ask("mostskilled", skills=[50, 90, 90])
        assert await worker.talk("a", verb) == ("2",)
        await worker.finish("a")
        time.move(1)
        got = [await worker.got(call, verb) for call in "bcd"]
        assert got == [("3",), ("2",), ("1",)]

    loop.run(story())


def test_random_comes_from_the_seed_and_is_another_order_each_round(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        seen = set()
        for seed in range(20):
            got = await worker.got("a", ask("random", seed=seed))
            assert got == await worker.got("a", ask("random", seed=seed))
            seen.add(got)
        assert seen == {("1",), ("2",), ("3",)}

    loop.run(story())


# One call a person


def test_a_person_is_one_across_lines_and_direct_calls_of_a_company(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        assert await worker.got("a", ask("fixedorder", [1], group=1)) == ("1",)
        answer = await worker.reserve("b", ask("fixedorder", [1], group=2))
        assert (answer.members, answer.rung) == ((), ("user:1",))
        await worker.release("a", kept="1")
        direct = ask(members=[1])
        answer = await worker.reserve("c", direct)
        assert (answer.members, answer.busy, answer.rung) == ((), ("user:1",), ())

    loop.run(story())


def test_another_company_has_people_of_its_own(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask(members=[1]))
        assert (await worker.reserve("a", ask(members=[1, 2]), tenant=8)).members == ("user:1", "user:2")
        await worker.reservations.finish(8, "a", 0)
        assert worker.held() == {"1": "a"}

    loop.run(story())


def test_calls_of_one_moment_never_get_one_person_twice(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        verbs = {f"call{number}": ask("random", range(1, 31), seed=number) for number in range(40)}
        got = await asyncio.gather(*(worker.got(call, verb) for call, verb in verbs.items()))
        taken = [who for one in got for who in one]
        assert len(taken) == len(set(taken)) == 30
        assert worker.writer.batches == 1

    loop.run(story())


def test_a_step_that_is_done_again_takes_nobody_twice(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        verb = ask("fixedorder")
        assert await worker.got("a", verb) == ("1",)
        assert await worker.got("a", verb) == ("1",)
        assert worker.held() == {"1": "a"}

    loop.run(story())


def test_two_processes_see_the_same_people(loop: asyncio.Runner, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        got = await asyncio.gather(worker.got("a", ask("fixedorder")), other.got("b", ask("fixedorder")))
        assert sorted(got) == [("1",), ("2",)]
        await other.close()

    loop.run(story())


# Given back


def test_who_was_rung_is_free_again_and_who_answered_is_in_the_call(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.talk("a", ask())
        assert worker.held() == {"1": "a*"}
        await worker.finish("a")
        assert worker.held() == {}

    loop.run(story())


def test_giving_back_twice_is_as_giving_back_once(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("longestidle", [1]))
        await worker.finish("a")
        time.move(60)
        await worker.finish("a")
        await worker.talk("b", ask("longestidle", [2]))
        await worker.finish("b")
        # Were 1 taken to be idle only since the second finish, they would be even and 1 be first by joining later.
        assert await worker.got("c", ask("longestidle", [2, 1])) == ("1",)
        await worker.release("c", "1")
        await worker.release("c", "1")
        assert worker.held() == {}

    loop.run(story())


def test_a_call_that_is_late_gives_back_nobody_of_another_call(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        time.move(TURN_SECONDS + MARGIN_SECONDS)
        assert await worker.got("b", ask("fixedorder", [1])) == ("1",)
        await worker.release("a", kept="1")
        await worker.release("a", "1")
        await worker.finish("a")
        assert worker.held() == {"1": "b"}

    loop.run(story())


@pytest.mark.parametrize(
    ("verb", "seconds"),
    [
        (ask("fixedorder", [1], seconds=25), TURN_SECONDS + MARGIN_SECONDS),
        (ask(members=[1]), CALL_SECONDS),
        (queue("simultaneous", [1], seconds=1800), CALL_SECONDS),
    ],
)
def test_a_worker_that_dies_while_it_rings_holds_nobody_for_long(
    loop: asyncio.Runner, worker: Worker, time: Time, verb, seconds: int
):
    async def story() -> None:
        await worker.got("a", verb)
        time.move(seconds - 1)
        assert await worker.got("b", ask(members=[1])) == ()
        time.move(1)
        assert await worker.got("b", ask(members=[1])) == ("1",)

    loop.run(story())


def test_a_worker_that_dies_in_a_call_holds_nobody_for_long_and_a_live_call_holds_on(
    loop: asyncio.Runner, worker: Worker, time: Time
):
    async def story() -> None:
        await worker.talk("dead", ask("fixedorder", [1]))
        await worker.talk("alive", ask("fixedorder", [2]))
        time.move(CALL_SECONDS - 1)
        await worker.reservations.renew(7, ["alive", "never heard of"])
        time.move(1)
        answer = await worker.reserve("b", ask("longestidle", [1, 2]))
        assert (answer.members, answer.busy) == (("user:1",), ("user:2",))
        await worker.reservations.renew(7, ["dead"])
        assert worker.held() == {"1": "b", "2": "alive*"}

    loop.run(story())


def test_a_caller_who_hangs_up_while_reserving_leaves_nobody_reserved(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        task = asyncio.create_task(worker.got("a", ask()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert worker.held() == {}

    loop.run(story())


# Waiting


def test_who_is_merely_rung_by_another_call_is_waited_for(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        second = await worker.starts("b", ask("fixedorder", [1], seconds=20, wait_for="whoever_is_rung"))
        assert not second.done()
        await worker.release("a", "1")
        assert await second == ("1",)
        assert worker.waiting() == []

    loop.run(story())


def test_nobody_waits_for_who_is_in_a_call_unless_in_a_queue(loop: asyncio.Runner, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        verb = ask("fixedorder", [1], seconds=20, wait_for="whoever_is_rung")
        second = await worker.starts("b", verb)
        await worker.release("a", kept="1")
        assert await second == ()
        answer = await worker.reserve("c", verb)
        assert (answer.members, answer.busy) == ((), ("user:1",))

    loop.run(story())


def test_a_wait_ends_when_its_seconds_are_over_and_not_before(loop: asyncio.Runner, worker: Worker, time: Time):
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
    loop: asyncio.Runner, worker: Worker, time: Time
):
    async def story() -> None:
        assert await worker.got("a", ask(members=[], seconds=9, wait_for="whoever_is_rung")) == ()
        task = await worker.starts("b", queue("simultaneous", [], time.at, seconds=1))
        assert not task.done()
        time.move(1)
        assert await task == ()

    loop.run(story())


def test_who_waits_longest_is_served_first(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_a_new_call_does_not_overtake_one_that_waits(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at - 1))
        # All in one moment: the operator is given back and the newcomer asks.
        _, late = await asyncio.gather(worker.finish("a"), worker.got("late", ask("fixedorder", [1])))
        assert late == ()
        assert await first == ("1",)

    loop.run(story())


def test_a_call_that_waits_in_another_process_is_not_overtaken_either(
    loop: asyncio.Runner, url: str, worker: Worker, time: Time
):
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


def test_a_line_whose_people_also_answer_elsewhere_is_not_starved(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_what_a_caller_ahead_cannot_use_goes_to_the_next(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_a_caller_who_hangs_up_while_waiting_leaves_the_queue(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_a_caller_who_hangs_up_in_the_moment_of_being_served_gives_back(
    loop: asyncio.Runner, worker: Worker, time: Time
):
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
    loop: asyncio.Runner, url: str, worker: Worker, time: Time
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


def test_a_long_wait_keeps_its_place(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at))
        for _ in range(WAIT_SECONDS * 5):
            time.move(1)
            await worker.settle()
        await worker.reservations.renew(7, ["a"])
        answer = await worker.reserve("late", ask("fixedorder", [1]))
        assert answer.members == ()
        assert worker.waiting() == ["first"]
        await worker.finish("a")
        assert await first == ("1",)

    loop.run(story())


# The queue


def test_a_full_queue_takes_no_more(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_callers_of_one_moment_do_not_overfill_a_queue(loop: asyncio.Runner, worker: Worker, time: Time):
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


def test_a_caller_who_hears_their_place_keeps_it_meanwhile(loop: asyncio.Runner, worker: Worker, time: Time):
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
        assert (await worker.reserve("third", queue("fixedorder", [1], began + 2, most_waiting=2))).full
        await worker.finish("a")
        await worker.settle()
        assert not second.done()
        assert await worker.got("first", queue("fixedorder", [1], began)) == ("1",)
        await worker.finish("first")
        assert (await second).members == ("user:1",)

    loop.run(story())


def test_a_caller_who_does_not_come_back_to_the_queue_loses_their_place(
    loop: asyncio.Runner, worker: Worker, time: Time
):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at, seconds=1))
        time.move(1)
        assert await first == ()
        await worker.finish("a")
        time.move(RETURN_SECONDS)
        assert await worker.got("late", ask("fixedorder", [1])) == ("1",)

    loop.run(story())


def test_leaving_the_queue_gives_up_the_place(loop: asyncio.Runner, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [1]))
        first = await worker.starts("first", queue("fixedorder", [1], time.at, seconds=1))
        time.move(1)
        await first
        assert worker.waiting() == ["first"]
        await worker.release("first")
        assert worker.waiting() == []

    loop.run(story())


def test_a_caller_is_told_how_many_are_ahead_in_the_line(loop: asyncio.Runner, worker: Worker, time: Time):
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
    loop: asyncio.Runner, worker: Worker, time: Time, monkeypatch: pytest.MonkeyPatch
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


def test_a_server_that_stops_refuses_who_waits(loop: asyncio.Runner, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        await worker.talk("a", ask("fixedorder", [1]))
        first = await other.starts("first", queue("fixedorder", [1], time.at))
        await other.close()
        with pytest.raises(Unavailable):
            await first

    loop.run(story())
