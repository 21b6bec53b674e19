"""Who rings next: what each order promises, whatever the operators and whatever they are doing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.routing.strategies import ONE_AT_A_TIME, Facts, order, pick, rotation_of, turned

STRATEGIES = ["simultaneous", *sorted(ONE_AT_A_TIME)]
people = st.lists(st.sampled_from([f"user:{number}" for number in range(1, 9)]), unique=True, max_size=8)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[str], list[int], Facts]:
    """Operators in the order of joining, their skills, and what they are doing."""
    members = draw(people)
    some = st.sets(st.sampled_from(members)) if members else st.just(set[str]())
    idle = draw(st.dictionaries(st.sampled_from(members), st.integers(1, 5))) if members else {}
    rotation = draw(st.one_of(st.just(()), st.permutations(members), people))
    facts = Facts(frozenset(draw(some)), frozenset(draw(some)), idle, tuple(rotation))
    return members, [draw(st.integers(1, 3)) for _ in members], facts


def ordered(strategy: str, members: list[str], skills: list[int], facts: Facts, **more: int) -> list[str]:
    return order(strategy, members, facts, skills=skills, **more)


# What holds for all of them


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(situations(), st.integers(0, 99), st.integers(0, 3))
def test_every_operator_has_a_turn_and_none_has_two(strategy: str, situation, seed: int, shuffle: int):
    members, skills, facts = situation
    found = ordered(strategy, members, skills, facts, seed=seed, shuffle=shuffle)
    assert sorted(found) == sorted(members)
    assert found == ordered(strategy, members, skills, facts, seed=seed, shuffle=shuffle)


@given(situations(), people, st.integers(0, 3))
def test_nobody_is_rung_who_is_in_a_call_or_rung_by_another(situation, tried: list[str], count: int):
    members, _, facts = situation
    found = pick(members, tried, facts, count)
    free = [who for who in members if who not in facts.in_call | facts.rung]
    assert set(found.chosen) <= set(free)
    assert bool(found.chosen) == bool(free)
    assert set(found.busy) == facts.in_call & set(members)
    assert set(found.rung) == (facts.rung - facts.in_call) & set(members)
    assert len(found.chosen) <= count or count == 0


@given(situations(), people)
def test_who_had_no_turn_comes_before_who_had_one(situation, tried: list[str]):
    members, _, facts = situation
    free = [who for who in members if who not in facts.in_call | facts.rung]
    fresh = [who for who in free if who not in tried]
    found = pick(members, tried, facts, 1)
    assert found.chosen == tuple((fresh or free)[:1])
    assert found.again == (bool(free) and not fresh)


@pytest.mark.parametrize("strategy", sorted(ONE_AT_A_TIME))
@given(situations())
def test_as_many_turns_as_operators_are_free_ring_each_of_them_once(strategy: str, situation):
    members, skills, facts = situation
    tried: list[str] = []
    for _ in [who for who in members if who not in facts.in_call | facts.rung]:
        found = pick(ordered(strategy, members, skills, facts), tried, facts, 1)
        assert not found.again
        tried += found.chosen
    assert len(tried) == len(set(tried))
    assert set(tried) == set(members) - facts.in_call - facts.rung


# What each promises


@given(situations())
def test_fixed_order_and_simultaneous_keep_the_order_of_joining(situation):
    members, skills, facts = situation
    assert ordered("fixedorder", members, skills, facts) == members
    assert ordered("simultaneous", members, skills, facts) == members
    free = tuple(who for who in members if who not in facts.in_call | facts.rung)
    assert pick(members, (), facts, 0).chosen == free


@given(situations())
def test_longest_idle_begins_with_who_never_had_a_call_and_equals_go_by_joining(situation):
    members, skills, facts = situation
    found = ordered("longestidle", members, skills, facts)
    keys = [(facts.idle_since.get(who, 0), members.index(who)) for who in found]
    assert keys == sorted(keys)


@given(situations())
def test_most_skilled_go_by_skill_then_by_how_long_they_were_idle_then_by_joining(situation):
    members, skills, facts = situation
    skill = dict(zip(members, skills, strict=True))
    found = ordered("mostskilled", members, skills, facts)
    keys = [(-skill[who], facts.idle_since.get(who, 0), members.index(who)) for who in found]
    assert keys == sorted(keys)


@given(people.filter(bool))
def test_in_a_round_robin_nobody_answers_again_while_another_has_not(members: list[str]):
    rotation: tuple[str, ...] = ()
    answered = []
    for _ in range(len(members) * 2):
        rotation = rotation_of(members, rotation)
        answered.append(rotation[0])
        rotation = turned(rotation, [rotation[0]])
    assert answered == members * 2


@given(people, people)
def test_a_rotation_loses_nobody(rotation: list[str], to_the_end: list[str]):
    after = turned(rotation, to_the_end)
    assert sorted(after) == sorted(rotation)
    moved = [who for who in to_the_end if who in rotation]
    assert list(after[len(after) - len(moved) :]) == moved
    assert list(after[: len(after) - len(moved)]) == [who for who in rotation if who not in moved]


@given(people, people)
def test_a_rotation_is_of_exactly_the_line_s_people_or_begins_anew(members: list[str], rotation: list[str]):
    found = rotation_of(members, rotation)
    assert found == (tuple(rotation) if set(rotation) == set(members) else tuple(members))


def test_random_gives_each_operator_the_first_turn_about_equally_often():
    members = [f"user:{number}" for number in range(1, 5)]
    first = [order("random", members, Facts(), seed=seed)[0] for seed in range(4000)]
    assert all(900 < first.count(who) < 1100 for who in members)


def test_random_is_shuffled_anew_when_turns_begin_anew():
    members = [f"user:{number}" for number in range(1, 7)]
    orders = {tuple(order("random", members, Facts(), seed=3, shuffle=turn)) for turn in range(10)}
    assert len(orders) == 10


def test_who_goes_to_lunch_does_not_begin_the_round_anew():
    facts = Facts(rotation=("c", "a", "b"), roster=("a", "b", "c"))
    assert order("roundrobin", ("a", "c"), facts) == ["c", "a"]
    assert order("roundrobin", ("a", "b", "c"), facts) == ["c", "a", "b"]
