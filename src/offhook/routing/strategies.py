"""Who rings next: the six orders of operators, as contracts. Pure, and run in the transaction that reserves.

Each has its page under docs/algorithms. Whoever is in a call, or rung by another call, is passed over by all of them.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TURN_SECONDS = 10
"""How long one operator rings before the next one's turn, where they ring one at a time."""

ONE_AT_A_TIME = frozenset({"fixedorder", "roundrobin", "longestidle", "mostskilled", "random"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows at the moment of choosing.

    `idle_since` is when a member's last call ended (milliseconds; one who had none is left out, and has been idle
    longest). `rotation` is the round robin's order, whose first is next; empty until somebody answered. `roster` are
    all operators, also those who are away now: who goes to lunch does not begin the round anew.
    """

    in_call: frozenset[str] = frozenset()
    rung: frozenset[str] = frozenset()
    idle_since: Mapping[str, int] = field(default_factory=dict)
    rotation: tuple[str, ...] = ()
    roster: tuple[str, ...] = ()


def order(
    strategy: str,
    members: Sequence[str],
    facts: Facts,
    *,
    skills: Sequence[int] = (),
    seed: int = 0,
    shuffle: int = 0,
) -> list[str]:
    """All of `members` (given in the order of joining) in the order of their turns, whether free or not.

    Equals keep the order of joining; equally skilled ones go by how long they have been idle.
    """
    if strategy == "longestidle":
        return sorted(members, key=lambda who: facts.idle_since.get(who, 0))
    if strategy == "mostskilled":
        skill = dict(zip(members, skills, strict=True))
        return sorted(members, key=lambda who: (-skill[who], facts.idle_since.get(who, 0)))
    if strategy == "roundrobin":
        here = frozenset(members)
        return [who for who in rotation_of(facts.roster or members, facts.rotation) if who in here]
    if strategy == "random":
        shuffled = list(members)
        random.Random(f"{seed}:{shuffle}").shuffle(shuffled)
        return shuffled
    return list(members)


@dataclass(frozen=True, slots=True)
class Pick:
    """Who is rung, in order; who was passed over as being in a call or rung by another; whether turns began anew."""

    chosen: tuple[str, ...]
    busy: tuple[str, ...]
    rung: tuple[str, ...]
    again: bool = False


def pick(ordered: Sequence[str], tried: Sequence[str], facts: Facts, count: int) -> Pick:
    """The first `count` of `ordered` who are free, those who had no turn yet before those who had (0: all)."""
    had = frozenset(tried)
    free = [who for who in ordered if who not in facts.in_call and who not in facts.rung]
    fresh = [who for who in free if who not in had]
    chosen = fresh or free
    most = count or len(chosen)
    return Pick(
        chosen=tuple(chosen[:most]),
        busy=tuple(who for who in ordered if who in facts.in_call),
        rung=tuple(who for who in ordered if who in facts.rung and who not in facts.in_call),
        again=bool(free) and not fresh,
    )


def choose(
    strategy: str,
    members: Sequence[str],
    tried: Sequence[str],
    facts: Facts,
    count: int,
    *,
    skills: Sequence[int] = (),
    seed: int = 0,
    shuffle: int = 0,
) -> tuple[list[str], Pick]:
    """The order of turns, and who of them is rung. Where turns begin anew, it is the order of the round that begins."""
    ordered = order(strategy, members, facts, skills=skills, seed=seed, shuffle=shuffle)
    picked = pick(ordered, tried, facts, count)
    if picked.again and strategy == "random":
        ordered = order(strategy, members, facts, seed=seed, shuffle=shuffle + 1)
        picked = pick(ordered, tried, facts, count)
    return ordered, picked


def rotation_of(members: Sequence[str], rotation: Sequence[str]) -> tuple[str, ...]:
    """The round robin's order: `rotation` while it is of exactly these members, else their order of joining."""
    return tuple(rotation) if sorted(rotation) == sorted(members) else tuple(members)


def turned(rotation: Sequence[str], to_the_end: Sequence[str]) -> tuple[str, ...]:
    """`rotation` with those who answered, or missed their turn in a call, behind the others, in the order given."""
    last = [who for who in to_the_end if who in rotation]
    return (*(who for who in rotation if who not in last), *last)
