"""Operators over the store: whose turn it is, one call a person, given back on every way out."""

import asyncio

import pytest

from offhook.routing.board import CALL_SECONDS, MARGIN_SECONDS
from offhook.routing.strategies import TURN_SECONDS
from tests.routing.reserving import Loop, Time, Worker, ask, queue

# Whose turn it is


def test_simultaneous_takes_all_who_are_free(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.talk("before", ask("fixedorder", [2]))
        answer = await worker.reserve("a", ask("simultaneous"))
        assert answer.members == ("user:1", "user:3")
        assert answer.busy == ("user:2",)
        assert worker.held() == {"1": "a", "2": "before*", "3": "a"}

    loop.run(story())


def test_fixed_order_begins_with_the_first_every_time(loop: Loop, worker: Worker):
    async def story() -> None:
        for call in "abc":
            assert await worker.talk(call, ask("fixedorder")) == ("1",)
            await worker.finish(call)
        assert await worker.talk("d", ask("fixedorder")) == ("1",)
        assert await worker.talk("e", ask("fixedorder")) == ("2",)

    loop.run(story())


def test_fixed_order_goes_on_to_the_next_who_had_no_turn_and_then_begins_anew(loop: Loop, worker: Worker):
    async def story() -> None:
        seen: list[tuple[int, bool]] = []
        tried: tuple[int, ...] = ()
        for _ in range(4):
            answer = await worker.reserve("a", ask("fixedorder", tried=tried))
            [who] = [int(one.removeprefix("user:")) for one in answer.members]
            seen.append((who, answer.again))
            tried = (who,) if answer.again else (*tried, who)
            await worker.release("a", str(who))
        assert seen == [(1, False), (2, False), (3, False), (1, True)]

    loop.run(story())


def test_round_robin_who_answered_goes_to_the_end(loop: Loop, worker: Worker):
    async def story() -> None:
        seen: list[str] = []
        for call in "abcde":
            seen += await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert seen == ["1", "2", "3", "1", "2"]

    loop.run(story())


def test_round_robin_who_did_not_answer_keeps_their_place(loop: Loop, worker: Worker):
    async def story() -> None:
        assert await worker.got("a", ask("roundrobin")) == ("1",)
        await worker.release("a", "1")
        assert await worker.got("a", ask("roundrobin", tried=[1])) == ("2",)
        await worker.release("a", kept="2")
        await worker.finish("a")
        assert await worker.got("b", ask("roundrobin")) == ("1",)

    loop.run(story())


def test_round_robin_who_misses_a_turn_in_a_call_goes_to_the_end(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.talk("elsewhere", ask("fixedorder", [1], group=2))
        assert await worker.talk("a", ask("roundrobin")) == ("2",)
        await worker.finish("a")
        await worker.finish("elsewhere")
        # 1 missed their turn, then 2 answered: 3, 1, 2.
        seen: list[str] = []
        for call in "bcd":
            seen += await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert seen == ["3", "1", "2"]

    loop.run(story())


def test_round_robin_begins_anew_when_the_list_changes(loop: Loop, worker: Worker):
    async def story() -> None:
        for call in "ab":
            await worker.talk(call, ask("roundrobin"))
            await worker.finish(call)
        assert await worker.got("c", ask("roundrobin", [1, 2, 3, 4])) == ("1",)

    loop.run(story())


def test_round_robin_of_each_line_is_its_own(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.talk("a", ask("roundrobin", group=1))
        await worker.finish("a")
        assert await worker.got("b", ask("roundrobin", group=2)) == ("1",)
        assert await worker.got("c", ask("roundrobin", group=1)) == ("2",)

    loop.run(story())


def test_calls_of_one_moment_take_turns_in_a_round_robin(loop: Loop, worker: Worker):
    async def story() -> None:
        got = await asyncio.gather(*(worker.got(call, ask("roundrobin")) for call in "abcd"))
        assert got == [("1",), ("2",), ("3",), ()]
        assert worker.writer.batches == 1

    loop.run(story())


def test_longest_idle_is_who_has_had_no_call_for_longest(loop: Loop, worker: Worker, time: Time):
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


def test_to_be_rung_without_answering_does_not_make_anybody_less_idle(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.talk("a", ask("fixedorder", [2], group=2))
        await worker.finish("a")
        time.move(5)
        assert await worker.got("b", ask("longestidle", [1, 2])) == ("1",)
        await worker.release("b", "1")
        assert await worker.got("c", ask("longestidle", [1, 2])) == ("1",)

    loop.run(story())


def test_most_skilled_first_and_of_equals_the_longest_idle(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        verb = ask("mostskilled", skills=[50, 90, 90])
        assert await worker.talk("a", verb) == ("2",)
        await worker.finish("a")
        time.move(1)
        got = [await worker.got(call, verb) for call in "bcd"]
        assert got == [("3",), ("2",), ("1",)]

    loop.run(story())


def test_random_comes_from_the_seed_and_is_another_order_each_round(loop: Loop, worker: Worker):
    async def story() -> None:
        seen = set()
        for seed in range(20):
            got = await worker.got("a", ask("random", seed=seed))
            assert got == await worker.got("a", ask("random", seed=seed))
            seen.add(got)
        assert seen == {("1",), ("2",), ("3",)}

    loop.run(story())


# One call a person


def test_a_new_random_order_is_taken_from_its_first_one_on(loop: Loop, worker: Worker):
    async def story() -> None:
        for seed in range(5):
            answer = await worker.reserve("a", ask("random", range(1, 10), tried=range(1, 10), seed=seed))
            first = await worker.reserve("a", ask("random", range(1, 10), seed=seed, round=1))
            assert (answer.members, answer.again) == (first.members, True)

    loop.run(story())


def test_a_person_is_one_across_lines_and_direct_calls_of_a_company(loop: Loop, worker: Worker):
    async def story() -> None:
        assert await worker.got("a", ask("fixedorder", [1], group=1)) == ("1",)
        answer = await worker.reserve("b", ask("fixedorder", [1], group=2))
        assert (answer.members, answer.rung) == ((), ("user:1",))
        await worker.release("a", kept="1")
        direct = ask(members=[1])
        answer = await worker.reserve("c", direct)
        assert (answer.members, answer.busy, answer.rung) == ((), ("user:1",), ())

    loop.run(story())


def test_another_company_has_people_of_its_own(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.got("a", ask(members=[1]))
        assert (await worker.reserve("a", ask(members=[1, 2]), tenant=8)).members == ("user:1", "user:2")
        await worker.reservations.finish(8, "a", 0)
        assert worker.held() == {"1": "a"}

    loop.run(story())


def test_calls_of_one_moment_never_get_one_person_twice(loop: Loop, worker: Worker):
    async def story() -> None:
        verbs = {f"call{number}": ask("random", range(1, 31), seed=number) for number in range(40)}
        got = await asyncio.gather(*(worker.got(call, verb) for call, verb in verbs.items()))
        taken = [who for one in got for who in one]
        assert len(taken) == len(set(taken)) == 30
        assert worker.writer.batches == 1

    loop.run(story())


def test_a_step_that_is_done_again_takes_nobody_twice(loop: Loop, worker: Worker):
    async def story() -> None:
        verb = ask("fixedorder")
        assert await worker.got("a", verb) == ("1",)
        assert await worker.got("a", verb) == ("1",)
        assert worker.held() == {"1": "a"}

    loop.run(story())


def test_two_processes_see_the_same_people(loop: Loop, url: str, worker: Worker, time: Time):
    async def story() -> None:
        other = Worker(url, time)
        got = await asyncio.gather(worker.got("a", ask("fixedorder")), other.got("b", ask("fixedorder")))
        assert sorted(got) == [("1",), ("2",)]
        await other.close()

    loop.run(story())


# Given back


def test_who_was_rung_is_free_again_and_who_answered_is_in_the_call(loop: Loop, worker: Worker):
    async def story() -> None:
        await worker.talk("a", ask())
        assert worker.held() == {"1": "a*"}
        await worker.finish("a")
        assert worker.held() == {}

    loop.run(story())


def test_giving_back_twice_is_as_giving_back_once(loop: Loop, worker: Worker, time: Time):
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


def test_a_call_that_is_late_gives_back_nobody_of_another_call(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        await worker.got("a", ask("fixedorder", [1]))
        time.move(TURN_SECONDS + MARGIN_SECONDS)
        assert await worker.got("b", ask("fixedorder", [1])) == ("1",)
        await worker.release("a", kept="1")
        await worker.release("a", "1")
        await worker.finish("a")
        assert worker.held() == {"1": "b"}

    loop.run(story())


def test_somebody_in_two_calls_is_free_when_both_are_over(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        for first, second in (("a", "b"), ("b", "a")):
            await worker.talk("a", ask("fixedorder", [1]))
            await worker.release("b", kept="1")
            await worker.finish(first)
            assert await worker.got("c", ask("fixedorder", [1])) == ()
            await worker.finish(second)
            assert worker.held() == {}

    loop.run(story())


def test_who_dials_out_while_they_are_rung_is_in_a_call(loop: Loop, worker: Worker, time: Time):
    async def story() -> None:
        assert await worker.got("a", ask("fixedorder", [1])) == ("1",)
        await worker.release("b", kept="1")
        await worker.release("a", "1")
        assert await worker.got("c", ask("fixedorder", [1])) == ()
        await worker.finish("b")
        assert await worker.got("c", ask("fixedorder", [1])) == ("1",)

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
    loop: Loop, worker: Worker, time: Time, verb, seconds: int
):
    async def story() -> None:
        await worker.got("a", verb)
        time.move(seconds - 1)
        assert await worker.got("b", ask(members=[1])) == ()
        time.move(1)
        assert await worker.got("b", ask(members=[1])) == ("1",)

    loop.run(story())


def test_a_worker_that_dies_in_a_call_holds_nobody_for_long_and_a_live_call_holds_on(
    loop: Loop, worker: Worker, time: Time
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


def test_a_caller_who_hangs_up_while_reserving_leaves_nobody_reserved(loop: Loop, worker: Worker):
    async def story() -> None:
        task = asyncio.create_task(worker.got("a", ask()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert worker.held() == {}

    loop.run(story())
