"""Who is rung, who is in a call, who waits for whom: what reserving and giving back do to that. Pure.

A board is a tenant's picture within one transaction. Many calls may be served on it, one behind the other, before it is
kept; `store` draws it and keeps what changed. The docs are docs/algorithms/reservations.md.

Moments called `moment` and `until` are of the wall clock, which ends leases; `at`, `since` and `idle_since` are of the
clock that decisions go by. All are milliseconds since 1970 UTC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from offhook.directory.lines.model import Target
from offhook.routing import strategies
from offhook.routing.plan import Reserve, Reserved
from offhook.routing.strategies import TURN_SECONDS, Facts, Pick

MARGIN_SECONDS = 15
"""How long somebody stays reserved when their turn should be over: time to release them, or to renew."""

CALL_SECONDS = 60
"""How long a reservation lasts that is not for one turn, and any that a live call has renewed."""

WAIT_SECONDS = 10
"""How long the place of a waiting call is kept when its worker is not heard of any more."""

RETURN_SECONDS = 20
"""How long a caller's place is kept between two spells of waiting, as while their place in the queue is said."""


RINGS = "~"


@dataclass(slots=True)
class Engagement:
    """What a person does: rung by a call or in it (`taken`), until its lease ends; nothing where `call_id` is "".

    `turns_of` is the line whose round robin goes on when they answer. `also` are further calls that they are in, as one
    who asks a colleague something meanwhile, or, with a `~` before them, that ring them: free is who is in none.
    """

    call_id: str = ""
    taken: bool = False
    until: int = 0
    idle_since: int = 0
    turns_of: str = ""
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Place:
    """A call that waits. `queued`: in the line's queue, not merely until somebody else's ringing is over."""

    call_id: str
    line: str
    since: int
    queued: bool
    until: int
    members: frozenset[str]
    asked: str

    @property
    def key(self) -> tuple[int, str]:
        """Its order: who waits longest is first."""
        return self.since, self.call_id


@dataclass(slots=True)
class Waiter:
    """A waiting call of this process, when its place is looked at. `over`: it waits no longer, whatever comes of it."""

    call_id: str
    verb: Reserve
    at: int
    over: bool = False


_decode = msgspec.json.Decoder(Reserve).decode
_encode = msgspec.json.Encoder().encode


def line_of(group: Target) -> str:
    """A group as a key: "office:1"."""
    return f"{group.type}:{group.id}"


class Board:
    """A tenant's waiting calls (in any order), and the people and rotations that were asked for.

    Whoever a step names must have been asked for, so that nobody is taken for free of whom nothing is known; KeyError.
    Leases that are over at `moment` are taken off at once. `changed`, `gone` and `turned` name what is to be kept.
    """

    __slots__ = ("changed", "gone", "held", "moment", "moved", "people", "places", "rotations", "turned")

    def __init__(
        self,
        moment: int,
        people: dict[str, Engagement],
        places: Iterable[Place] = (),
        rotations: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.moment = moment
        self.people = people
        self.changed: set[str] = set()
        self.gone: set[str] = set()
        self.moved: set[str] = set()
        self.turned: set[str] = set()
        self.rotations = dict(rotations or {})
        self.places: dict[str, Place] = {}
        for place in sorted(places, key=lambda one: one.key):
            if place.until > moment:
                self.places[place.call_id] = place
            else:
                self.gone.add(place.call_id)
        # Whom each call has had; who has left it since is still named.
        self.held: dict[str, list[str]] = {}
        for who, one in people.items():
            if one.call_id and one.until <= moment:
                self._end(who, one, one.until)
            if one.call_id:
                for call_id in (one.call_id, *(other.removeprefix(RINGS) for other in one.also)):
                    self.held.setdefault(call_id, []).append(who)

    def reserve(self, call_id: str, verb: Reserve, at: int) -> Reserved | None:
        """Reserve for a call at once, or say that nobody can be; None: the call has a place, and waits.

        One that would wait, but asks for no seconds, is told at once, and keeps the place that it now has for a while.

        What the call held for ringing is given back first, so that a step done again takes nothing twice.
        """
        for who in verb.members:
            if (one := self.people[who]).call_id == call_id and not one.taken:
                self._free(who, one)
        key = (verb.since or at, call_id)
        claimed = self._claimed(key, verb.members) if self.places else set()
        ahead = self._ahead(line_of(verb.group), key) if self.places else 0
        ordered, picked = self._pick(call_id, verb, claimed)
        if picked.chosen:
            self._take(call_id, verb, ordered, picked)
            return _told(at, picked, ahead)
        if not _waits(verb, picked):
            self._leave(call_id)
            return _told(at, picked, ahead)
        queued = verb.wait_for == "whoever_is_free"
        most = verb.most_waiting if call_id not in self.places else 0
        if queued and most and self._queued(line_of(verb.group), call_id) >= most:
            self._leave(call_id)
            return Reserved(at, busy=picked.busy, rung=picked.rung, ahead=ahead, full=True)
        self._wait(call_id, verb, key[0])
        if verb.seconds > 0:
            return None
        self._extend(self.places[call_id], RETURN_SECONDS)
        return _told(at, picked, ahead)

    def serve(self, waiters: Sequence[Waiter]) -> dict[str, Reserved]:
        """Look at all who wait, who waits longest first, and answer those of `waiters` who wait no longer.

        What waiting calls of other processes would take is left to them.
        """
        here = {one.call_id: one for one in waiters}
        for one in waiters:
            if one.call_id not in self.places:
                self._wait(one.call_id, one.verb, one.verb.since or one.at)
        free = self._all_free()
        claimed: set[str] = set()
        ahead: dict[str, int] = {}
        answers: dict[str, Reserved] = {}
        for place in list(self.places.values()):
            waiter = here.get(place.call_id)
            before = ahead.get(place.line, 0)
            if not free.isdisjoint(place.members):
                verb = waiter.verb if waiter is not None else _decode(place.asked)
                ordered, picked = self._pick(place.call_id, verb, claimed)
                free.difference_update(picked.chosen)
                if waiter is None:
                    claimed.update(picked.chosen)
                elif picked.chosen:
                    self._take(place.call_id, verb, ordered, picked)
                    answers[place.call_id] = _told(waiter.at, picked, before)
                    continue
            if waiter is not None and (answer := self._unserved(place, waiter, claimed, before)) is not None:
                answers[place.call_id] = answer
            if place.queued and place.call_id in self.places:
                ahead[place.line] = before + 1
        return answers

    def _unserved(self, place: Place, waiter: Waiter, claimed: set[str], ahead: int) -> Reserved | None:
        """The answer to a waiting call that got nobody, if it waits no longer."""
        if waiter.over or not (place.queued or waiter.verb.wait_for == "the_time"):
            _, picked = self._pick(place.call_id, waiter.verb, claimed)
            if waiter.over or not picked.rung:
                if place.queued:
                    self._extend(place, RETURN_SECONDS)
                else:
                    self._leave(place.call_id)
                return _told(waiter.at, picked, ahead)
        if place.until - self.moment < WAIT_SECONDS * 500:
            self._extend(place, WAIT_SECONDS)
        return None

    def release(self, call_id: str, members: Sequence[str], kept: str, at: int) -> None:
        """Give back `members`; `kept` is in the call from now on. The call waits no longer."""
        for who in members:
            if who != kept:
                self._give_back(who, call_id, at)
        if kept:
            one = self.people[kept]
            if one.taken and one.call_id != call_id:
                if call_id not in one.also:
                    one.also = (*_without(one.also, call_id), call_id)
                    self.held.setdefault(call_id, []).append(kept)
                    self.changed.add(kept)
            else:
                if one.turns_of and one.call_id == call_id:
                    self._turn(one.turns_of, self.rotations.get(one.turns_of, ()), (kept,))
                if one.call_id not in ("", call_id):
                    # A call that rings them meanwhile rings in vain, and has them when this one is over.
                    one.also = (RINGS + one.call_id, *one.also)
                one.also = _without(one.also, call_id)
                self._hold(kept, one, call_id, True, CALL_SECONDS, "")
        self._leave(call_id)

    def finish(self, call_id: str, at: int) -> None:
        """The call is over: whoever it held is free, and idle from now on if they were in it."""
        for who in self.held.get(call_id, ()):
            self._give_back(who, call_id, at)
        self._leave(call_id)

    def withdraw(self, call_id: str) -> None:
        """The call waits no longer and rings nobody; who is in it stays."""
        for who in self.held.get(call_id, ()):
            if (one := self.people[who]).call_id == call_id and not one.taken:
                self._free(who, one)
        self._leave(call_id)

    def renew(self, call_ids: frozenset[str]) -> None:
        """These calls are alive: what they hold lasts on."""
        until = self.moment + CALL_SECONDS * 1000
        for call_id in call_ids:
            for who in self.held.get(call_id, ()):
                if (one := self.people[who]).call_id == call_id and one.until < until:
                    one.until = until
                    self.changed.add(who)

    def _all_free(self) -> set[str]:
        """All who are waited for and are free."""
        wanted = {who for place in self.places.values() for who in place.members}
        return {who for who in wanted if not self.people[who].call_id}

    def _claimed(self, key: tuple[int, str], members: Sequence[str]) -> set[str]:
        """Whom those take who wait longer than `key`, as far as it matters for `members`."""
        claimed: set[str] = set()
        if next(iter(self.places.values())).key >= key:
            return claimed
        mine = {who for who in members if not self.people[who].call_id}
        if not mine:
            return claimed
        free = self._all_free()
        for place in self.places.values():
            if place.key >= key or mine <= claimed:
                break
            if place.call_id != key[1] and not free.isdisjoint(place.members):
                chosen = self._pick(place.call_id, _decode(place.asked), claimed)[1].chosen
                claimed.update(chosen)
                free.difference_update(chosen)
        return claimed

    def _pick(self, call_id: str, verb: Reserve, claimed: set[str]) -> tuple[list[str], Pick]:
        """The members in the order of their turns, and who of them is chosen now. Whom others take counts as rung."""
        in_call, rung, idle = [], [], {}
        for who in verb.members:
            one = self.people[who]
            if one.idle_since:
                idle[who] = one.idle_since
            if one.taken:
                in_call.append(who)
            elif one.call_id and one.call_id != call_id:
                rung.append(who)
        facts = Facts(
            frozenset(in_call),
            frozenset((*rung, *claimed)) if claimed else frozenset(rung),
            idle,
            self.rotations.get(line_of(verb.group), ()) if verb.strategy == "roundrobin" else (),
            verb.roster,
        )
        return strategies.choose(
            verb.strategy, verb.members, verb.tried, facts, verb.count,
            skills=verb.skills, seed=verb.seed, shuffle=verb.round,
        )  # fmt: skip

    def _take(self, call_id: str, verb: Reserve, ordered: Sequence[str], picked: Pick) -> None:
        turns_of = ""
        if verb.strategy == "roundrobin":
            turns_of = line_of(verb.group)
            passed = ordered[: ordered.index(picked.chosen[0])]
            busy = frozenset(picked.busy)
            order = strategies.rotation_of(verb.roster or verb.members, self.rotations.get(turns_of, ()))
            self._turn(turns_of, order, [who for who in passed if who in busy])
        seconds = TURN_SECONDS + MARGIN_SECONDS if verb.strategy in strategies.ONE_AT_A_TIME else CALL_SECONDS
        for who in picked.chosen:
            self._hold(who, self.people[who], call_id, False, seconds, turns_of)
        if self.places:
            self._leave(call_id)

    def _hold(self, who: str, one: Engagement, call_id: str, taken: bool, seconds: int, turns_of: str) -> None:
        one.call_id, one.taken, one.turns_of = call_id, taken, turns_of
        one.until = self.moment + seconds * 1000
        self.held.setdefault(call_id, []).append(who)
        self.changed.add(who)

    def _give_back(self, who: str, call_id: str, at: int) -> None:
        """Somebody is in, or rung by, this call no more; whom another call has stays."""
        one = self.people[who]
        if one.call_id == call_id:
            self._end(who, one, at)
        elif (left := _without(one.also, call_id)) != one.also:
            one.also = left
            self.changed.add(who)

    def _end(self, who: str, one: Engagement, at: int) -> None:
        """The call that somebody has is over for them: the next one of theirs has them, or they are free."""
        if one.also:
            following, one.also = one.also[0], one.also[1:]
            one.call_id, one.taken = following.removeprefix(RINGS), not following.startswith(RINGS)
            one.until = self.moment + CALL_SECONDS * 1000
            self.changed.add(who)
        else:
            self._free(who, one, at)

    def _free(self, who: str, one: Engagement, at: int = 0) -> None:
        """Make somebody free, and idle since `at` if they were in the call."""
        if one.taken:
            one.idle_since = at
        one.call_id, one.taken, one.until, one.turns_of = "", False, 0, ""
        self.changed.add(who)

    def _turn(self, line: str, order: Sequence[str], to_the_end: Sequence[str]) -> None:
        after = strategies.turned(order, to_the_end)
        if after and after != self.rotations.get(line):
            self.rotations[line] = after
            self.turned.add(line)

    def _wait(self, call_id: str, verb: Reserve, since: int) -> None:
        """Give a call its place, the one that it had if it had one."""
        place = Place(
            call_id,
            line_of(verb.group),
            since,
            verb.wait_for == "whoever_is_free",
            self.moment + WAIT_SECONDS * 1000,
            frozenset(verb.members),
            _encode(verb).decode(),
        )
        self.places[call_id] = place
        self.places = {one.call_id: one for one in sorted(self.places.values(), key=lambda one: one.key)}
        self.gone.discard(call_id)
        self.moved.add(call_id)

    def _extend(self, place: Place, seconds: int) -> None:
        place.until = self.moment + seconds * 1000
        self.moved.add(place.call_id)

    def _leave(self, call_id: str) -> None:
        if self.places.pop(call_id, None) is not None:
            self.moved.discard(call_id)
            self.gone.add(call_id)

    def _queue(self, line: str) -> Iterator[Place]:
        return (place for place in self.places.values() if place.queued and place.line == line)

    def _ahead(self, line: str, key: tuple[int, str]) -> int:
        """How many wait in the queue of a line before `key`."""
        return sum(place.key < key for place in self._queue(line))

    def _queued(self, line: str, but: str) -> int:
        """How many wait in the queue of a line, `but` one not counted."""
        return sum(place.call_id != but for place in self._queue(line))


def _without(also: tuple[str, ...], call_id: str) -> tuple[str, ...]:
    return tuple([other for other in also if other.removeprefix(RINGS) != call_id]) if also else also


def _waits(verb: Reserve, picked: Pick) -> bool:
    """Whether a call that got nobody has a place: for anybody, or only while somebody's ringing may soon be over."""
    if verb.wait_for == "whoever_is_rung":
        return bool(picked.rung)
    return verb.wait_for != "nothing"


def _told(at: int, picked: Pick, ahead: int) -> Reserved:
    return Reserved(at, picked.chosen, picked.busy, picked.rung, picked.again, ahead)
