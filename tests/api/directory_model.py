"""People, groups, numbers and offices against a plain model: who has which number, on which line, in which order."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.api.desk import OFFICES, WHOLE, Answer, Api, Company, Desk, full, office, routing, state

V2, V1 = "/api/v2", "/api/offhook/v1"
NOBODY = "1234567"
MORE, ROOM = "additional_number_lines", "room_lines"
LICENSES = {"talk": "talk_lines", "agents": "sell_lines"}
PATHS = {
    "office": "offices", "user": "users", "room": "rooms", "department": "departments", "callcenter": "callcenters",
}  # fmt: skip
ROUTERS = "callrouters"
STATUS = {**{kind: kind for kind in PATHS}, "callcenter": "call_center"}
GROUPS = ("office", "department", "callcenter")
_AREAS = (415, 510, 650, 707, 831, 916, 925)
_SERIAL = count()

KINDS = st.sampled_from(list(PATHS))
CALLED = st.sampled_from([*PATHS, "callrouter"])
WHICH = st.integers(0, 9)
"""Which of those that there are, counted round; a model is small."""


def fresh_number() -> str:
    """A number that no inventory of this run has."""
    serial = next(_SERIAL)
    return f"+1{_AREAS[serial // 10_000 % len(_AREAS)]}783{serial % 10_000:04}"


@dataclass
class Thing:
    """An office, user, room, department, call center or call router.

    `lines` are of its numbers: "" is included in the plan. `points` is where a department or a router sends calls.
    """

    kind: str
    id: str
    office: str
    numbers: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)
    license: str = ""
    active: bool = True
    points: str = ""
    abroad: bool = False

    @property
    def line(self) -> str:
        """The line that its licence uses now."""
        return LICENSES[self.license] if self.kind == "user" and self.active else ""

    def next_line(self) -> str:
        """The line that one number more would use."""
        if any(line != MORE for line in self.lines.values()):
            return MORE
        return ROOM if self.kind == "room" else ""

    def settle(self) -> None:
        """The first number is included, whichever that is now."""
        if self.kind != "room" and self.numbers and all(self.lines.values()):
            self.lines[self.numbers[0]] = ""


class Directory(RuleBasedStateMachine):
    """The model: things in the order of their making, lines bought, pools of numbers, the members of groups."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.company: Company = self.desk.found()
        self.api: Api = self.company.live
        self.primary = str(self.company.office_ids["live"])
        self.things: dict[str, Thing] = {self.primary: Thing("office", self.primary, self.primary)}
        self.bought: dict[str, Counter[str]] = {self.primary: Counter()}
        self.pools: dict[str, str] = {}
        self.spare = [fresh_number() for _ in range(4)]
        self.members: dict[str, list[str]] = {self.primary: []}
        self.serial = 0
        self.import_to("", *self.spare[:3])
        first = {"talk_lines": 3, "sell_lines": 1, MORE: 2, ROOM: 1}
        self.send(200, "POST", f"{WHOLE}/{self.primary}/licences", first)
        self.bought[self.primary].update(first)
        for _ in range(2):
            self.hire(0, "talk", False)
        for kind in ("room", "department", "callcenter"):
            self.make(0, kind)
        for spare in (0, 1):
            self.assign(0, "user", spare, None, False, "t")
        for group, member in ((0, 1), (0, 0), (0, 2), (1, 2), (1, 1)):
            self.join(group, member)
        self.send_calls(0, 0, "room")

    # What there is

    def of(self, *kinds: str) -> list[Thing]:
        return [one for one in self.things.values() if one.kind in kinds]

    def one(self, which: int, *kinds: str) -> Thing | None:
        found = self.of(*kinds)
        return found[which % len(found)] if found else None

    def holder(self, number: str) -> Thing | None:
        return next((one for one in self.things.values() if number in one.numbers), None)

    def used(self, office_id: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for one in self.things.values():
            if one.office == office_id:
                found.update(line for line in (one.line, *one.lines.values()) if line)
        return found

    def free(self, office_id: str, *lines: str) -> bool:
        """Whether an office has these lines free."""
        wanted = self.used(office_id) + Counter(line for line in lines if line)
        return all(wanted[line] <= self.bought[office_id][line] for line in lines if line)

    def pooled(self, one: Thing) -> set[str]:
        """The free numbers that something gets which asks for any."""
        if self.things[one.office].abroad:
            return set()
        own = {number for number, pool in self.pools.items() if pool == one.office and not self.holder(number)}
        return own or {number for number, pool in self.pools.items() if not pool and not self.holder(number)}

    def looks(self, *paths: str) -> list[Any]:
        """What these say, asked for at once: most of the time goes by with looking, and looks change nothing."""
        found = self.api.together([self.api.sending("GET", path) for path in paths])
        assert {one.status for one in found} <= {200}, found
        return [one.json for one in found]

    def send(self, expected: int, method: str, path: str, body: Any = None) -> Answer:
        answer = self.api.send(method, path, body)
        assert answer.status == expected, (method, path, body, answer)
        return answer

    def path(self, one: Thing) -> str:
        return f"{V1 if one.kind == 'office' else V2}/{PATHS.get(one.kind, ROUTERS)}/{one.id}"

    # Offices and lines

    @rule(abroad=st.booleans(), number=st.none() | WHICH)
    def open_an_office(self, abroad: bool, number: int | None) -> None:
        body = office() if abroad else full(name="Second")
        known = list(self.pools)
        wanted = None if number is None or not known else known[number % len(known)]
        if wanted is not None:
            body["mainline_number"] = wanted
        status = 409 if wanted is not None and self.holder(wanted) else 200
        answer = self.send(status, "POST", OFFICES, body)
        if status == 200:
            made = Thing("office", answer.id, answer.id, abroad=abroad)
            if wanted is not None:
                made.numbers, made.lines = [wanted], {wanted: ""}
            self.things[made.id] = made
            self.bought[made.id], self.members[made.id] = Counter(), []

    @rule(which=WHICH, line=st.sampled_from(["talk_lines", "sell_lines", MORE, ROOM]), lines=st.integers(1, 3))
    def buy(self, which: int, line: str, lines: int) -> None:
        one = self.one(which, "office")
        assert one is not None
        self.send(200, "POST", f"{WHOLE}/{one.id}/licences", {line: lines})
        self.bought[one.id][line] += lines

    # People, rooms and groups

    @rule(which=WHICH, licence=st.sampled_from(list(LICENSES)), number=st.booleans())
    def hire(self, which: int, licence: str, number: bool) -> None:
        at = self.one(which, "office")
        assert at is not None
        self.serial += 1
        body = {"office_id": at.id, "email": f"p{self.serial}@example.com", "license": licence, "auto_assign": number}
        made = Thing("user", "", at.id, license=licence)
        status = 200 if self.free(at.id, made.line) else 409
        # Abroad it may be a number of another country.
        usable = self.pooled(made) or {
            number for number, pool in self.pools.items() if pool in ("", at.id) and not self.holder(number)
        }
        answer = self.send(status, "POST", f"{V2}/users", body)
        if status == 200:
            made.id = answer.json["id"]
            made.numbers = answer.json.get("phone_numbers", [])
            assert len(made.numbers) == (1 if number and usable else 0)
            assert set(made.numbers) <= usable
            made.lines = dict.fromkeys(made.numbers, "")
            self.things[made.id] = made

    @rule(email=st.integers(1, 3))
    def hire_somebody_who_is_there(self, email: int) -> None:
        address = f"p{email}@example.com"
        for one in self.api.get(f"{V2}/users?email={address}").json.get("items", []):
            answer = self.send(409, "POST", f"{V2}/users", {"office_id": self.primary, "email": address})
            assert one["id"] in answer.response.text

    @rule(which=WHICH, kind=st.sampled_from(["room", "department", "callcenter"]))
    def make(self, which: int, kind: str) -> None:
        at = self.one(which, "office")
        assert at is not None
        id = self.send(200, "POST", f"{V2}/{PATHS[kind]}", {"name": kind, "office_id": at.id}).json["id"]
        self.things[id] = Thing(kind, id, at.id)
        if kind != "room":
            self.members[id] = []

    @rule(which=WHICH, active=st.booleans())
    def suspend_or_activate(self, which: int, active: bool) -> None:
        one = self.one(which, "user")
        if one is None:
            return
        lacking = active and not one.active and not self.free(one.office, LICENSES[one.license])
        body = {"state": "active" if active else "suspended"}
        self.send(409 if lacking else 200, "PATCH", f"{V2}/users/{one.id}", body)
        one.active = one.active if lacking else active

    @rule(which=WHICH, licence=st.sampled_from(list(LICENSES)))
    def change_the_licence(self, which: int, licence: str) -> None:
        one = self.one(which, "user")
        if one is None:
            return
        agent = any(one.id in self.members[group.id] for group in self.of("callcenter"))
        fits = not agent or licence in ("agents", "lite_support_agents")
        good = licence == one.license or (fits and (not one.active or self.free(one.office, LICENSES[licence])))
        self.send(200 if good else 409, "PATCH", f"{V2}/users/{one.id}", {"license": licence})
        one.license = licence if good else one.license

    @rule(which=WHICH, where=WHICH, patched=st.booleans())
    def move(self, which: int, where: int, patched: bool) -> None:
        one, to = self.one(which, "user"), self.one(where, "office")
        if one is None or to is None:
            return
        there = self.things[one.office]
        keeps = one.numbers if there.abroad == to.abroad else []
        needed = [one.line, *[MORE for _ in keeps[1:]]]
        good = to.id == one.office or self.free(to.id, *needed)
        # A change of office takes no numbers away; only a move does.
        good = good and not (patched and one.numbers and there.abroad != to.abroad)
        away = Thing("user", "", to.id)
        gets = self.pooled(away) if there.abroad != to.abroad and one.numbers else set()
        if not to.abroad and there.abroad and one.numbers:
            # What was let go can be what is found.
            gets = gets | {number for number in one.numbers if self.pools[number] in ("", to.id)}
        path = f"{V2}/users/{one.id}" + ("" if patched else "/move_office")
        answer = self.send(200 if good else 409, "PATCH", path, {"office_id": to.id})
        if good and to.id != one.office:
            found = answer.json.get("phone_numbers", [])
            if there.abroad == to.abroad:
                assert found == keeps
            else:
                assert set(found) <= gets
                assert len(found) == (1 if gets else 0)
            one.office, one.numbers = to.id, found
            one.lines = {number: MORE if index else "" for index, number in enumerate(found)}

    # Calls

    @rule(which=WHICH, whom=WHICH, kind=CALLED)
    def put_a_router(self, which: int, whom: int, kind: str) -> None:
        at, to = self.one(which, "office"), self.one(whom, kind)
        if at is None or to is None:
            return
        body = {
            "name": "router",
            "office_id": at.id,
            "routing_url": "https://example.com/route",
            "default_target_type": kind,
            "default_target_id": to.id,
        }
        answer = self.send(200 if to.active else 400, "POST", f"{V2}/{ROUTERS}", body)
        if to.active:
            self.things[answer.json["id"]] = Thing("callrouter", answer.json["id"], at.id, points=to.id)

    @rule(which=WHICH, whom=WHICH, kind=CALLED)
    def send_calls(self, which: int, whom: int, kind: str) -> None:
        one, to = self.one(which, "department"), self.one(whom, kind)
        if one is None or to is None:
            return
        action = {"user": "person", "room": "bridge_target", "callrouter": "bridge_target"}.get(kind, "department")
        closed = state(action=action, action_target_type=kind, action_target_id=to.id)
        # Where calls go already they may stay.
        good = to.active or one.points == to.id
        body = {"routing_options": routing(None, closed)}
        self.send(200 if good else 400, "PATCH", f"{V2}/departments/{one.id}", body)
        one.points = to.id if good else one.points

    # Operators

    @rule(group=WHICH, member=WHICH)
    def join(self, group: int, member: int) -> None:
        to, one = self.one(group, *GROUPS), self.one(member, "user", "room")
        if to is None or one is None:
            return
        if to.kind == "callcenter":
            if one.kind == "room":
                return
            body: dict[str, Any] = {"user_id": one.id}
        else:
            body = {"operator_type": one.kind, "operator_id": one.id}
        swap = to.kind == "callcenter" and one.license == "talk"
        status = 200
        if not one.active:
            status = 400
        elif one.id in self.members[to.id] or (swap and not self.free(one.office, "sell_lines")):
            status = 409
        self.send(status, "POST", f"{V2}/{PATHS[to.kind]}/{to.id}/operators", body)
        if status == 200:
            self.members[to.id].append(one.id)
            one.license = "agents" if swap else one.license

    @rule(group=WHICH, member=WHICH)
    def leave(self, group: int, member: int) -> None:
        to, one = self.one(group, *GROUPS), self.one(member, "user", "room")
        if to is None or one is None or (to.kind == "callcenter" and one.kind == "room"):
            return
        body = {"user_id": one.id} if to.kind == "callcenter" else {"operator_type": one.kind, "operator_id": one.id}
        there = one.id in self.members[to.id]
        self.send(200 if there else 404, "DELETE", f"{V2}/{PATHS[to.kind]}/{to.id}/operators", body)
        if there:
            self.members[to.id].remove(one.id)

    # Numbers

    @rule(which=st.none() | WHICH, spare=st.integers(0, 3))
    def import_a_number(self, which: int | None, spare: int) -> None:
        pool = None if which is None else self.one(which, "office")
        self.import_to(pool.id if pool else "", self.spare[spare])

    def import_to(self, pool: str, *numbers: str) -> None:
        content = "number,office_id\n" + "".join(f"{number},{pool}\n" for number in numbers)
        answer = self.api.post(f"{V1}/numbers/import", content=content.encode(), headers={"content-type": "text/csv"})
        assert answer.status == 200, answer
        for number, record in zip(numbers, answer.json["records"], strict=True):
            assert record["status"] == ("existing" if number in self.pools else "created"), answer
            self.pools.setdefault(number, pool)

    @rule(
        which=WHICH,
        kind=KINDS,
        spare=st.integers(0, 3),
        beside=st.none() | st.integers(0, 3),
        first=st.booleans(),
        way=st.sampled_from("tna"),
    )
    def assign(self, which: int, kind: str, spare: int, beside: int | None, first: bool, way: str) -> None:
        """By the target's path, by the number's, or with both in the body; maybe to whoever has another."""
        number = self.spare[spare]
        one = (self.holder(self.spare[beside]) if beside is not None else None) or self.one(which, kind)
        if one is None:
            return
        kind = one.kind
        line = one.next_line()
        status = 200
        if number not in self.pools:
            status = 404 if way == "n" else 400
        elif self.holder(number) or not self.free(one.office, line):
            status = 409
        target = {"target_type": kind, "target_id": one.id}
        if way == "t":
            path, body = self._numbers_of(one, "assign_number"), {"number": number}
        elif way == "n":
            path, body = f"{V2}/numbers/{number}/assign", target
        else:
            path, body = f"{V2}/numbers/assign", {"number": number, **target}
        self.send(status, "POST", path, {**body, "primary": first})
        if status == 200:
            self._give(one, number, line, first=first)

    @rule(which=WHICH, kind=KINDS)
    def assign_any(self, which: int, kind: str) -> None:
        one = self.one(which, kind)
        if one is None:
            return
        line, pooled = one.next_line(), self.pooled(one)
        good = bool(pooled) and self.free(one.office, line)
        answer = self.send(200 if good else 409, "POST", self._numbers_of(one, "assign_number"), {})
        if good:
            assert answer.json["number"] in pooled
            self._give(one, answer.json["number"], line)

    @rule(which=WHICH, kind=KINDS, spare=st.integers(0, 3), right=st.booleans())
    def unassign(self, which: int, kind: str, spare: int, right: bool) -> None:
        number = self.spare[spare]
        one = (self.holder(number) if right else None) or self.one(which, kind)
        if one is None:
            return
        has = number in one.numbers
        self.send(200 if has else 400, "POST", self._numbers_of(one, "unassign_number"), {"number": number})
        if has:
            self._take(one, number)

    @rule(spare=st.integers(0, 3), release=st.booleans())
    def delete_a_number(self, spare: int, release: bool) -> None:
        number = self.spare[spare]
        status = 200 if number in self.pools else 404
        self.send(status, "DELETE", f"{V2}/numbers/{number}?release={str(release).lower()}")
        if (one := self.holder(number)) is not None:
            self._take(one, number)
        if release:
            self.pools.pop(number, None)

    @rule(which=WHICH, kind=KINDS, spare=st.integers(0, 3), other=st.integers(0, 3))
    def swap(self, which: int, kind: str, spare: int, other: int) -> None:
        number = self.spare[spare]
        one = self.holder(self.spare[other]) or self.one(which, kind)
        if one is None:
            return
        kind = one.kind
        status = 200
        if not one.numbers:
            status = 409
        elif number not in self.pools:
            status = 400
        elif self.holder(number):
            status = 409
        body = {
            "target": {"target_type": kind, "target_id": one.id},
            "swap_details": {"type": "provided_number", "number": number},
        }
        old = one.numbers[0] if one.numbers else ""
        line = ""
        if status == 200:
            gone = one.lines.pop(old)
            line = one.next_line()
            if not self.free(one.office, line):
                status, one.lines[old] = 409, gone
        self.send(status, "POST", f"{V2}/numbers/swap", body)
        if status == 200:
            one.numbers[0], one.lines[number] = number, line

    @rule(spare=st.integers(0, 3), turned=st.booleans(), fewer=st.booleans())
    def put_numbers_in_order(self, spare: int, turned: bool, fewer: bool) -> None:
        one = self.holder(self.spare[spare])
        if one is None or one.kind not in ("user", "room"):
            return
        wanted = list(reversed(one.numbers)) if turned else list(one.numbers)
        wanted = wanted[1:] if fewer else wanted
        answer = self.send(200, "PATCH", self.path(one), {"phone_numbers": wanted})
        assert answer.json.get("phone_numbers", []) == wanted
        one.lines = {number: one.lines[number] for number in wanted}
        one.numbers = wanted
        one.settle()

    def _numbers_of(self, one: Thing, verb: str) -> str:
        return f"{V1 if one.kind in ('department', 'callcenter') else V2}/{PATHS[one.kind]}/{one.id}/{verb}"

    @staticmethod
    def _give(one: Thing, number: str, line: str, *, first: bool = True) -> None:
        one.numbers.insert(0 if first else len(one.numbers), number)
        one.lines[number] = line

    @staticmethod
    def _take(one: Thing, number: str) -> None:
        one.numbers.remove(number)
        del one.lines[number]
        one.settle()

    # Endings

    @rule(which=WHICH, kind=CALLED, force=st.booleans())
    def delete(self, which: int, kind: str, force: bool) -> None:
        one = self.one(which, kind)
        if one is None:
            return
        # The routers of an office go with it, and do not keep it or each other.
        inside = [other for other in self.things.values() if other is not one and other.office == one.id]
        going = {one.id, *(other.id for other in inside if other.kind == "callrouter")}
        callers = [other for other in self.things.values() if other.points in going and other.id not in going]
        lived_in = any(other.kind != "callrouter" for other in inside)
        good = one.id != self.primary and not lived_in and (force or not callers)
        answer = self.send(200 if good else 409, "DELETE", f"{self.path(one)}?force={str(force).lower()}")
        if not good:
            return
        moved = [warned.field for warned in answer.warnings if warned.code == "pointed_at_voicemail"]
        assert sorted(moved) == sorted(f"{PATHS.get(other.kind, ROUTERS)}/{other.id}" for other in callers)
        for id in going:
            del self.things[id]
        self.members.pop(one.id, None)
        self.bought.pop(one.id, None)
        for joined in self.members.values():
            if one.id in joined:
                joined.remove(one.id)
        for other in self.things.values():
            other.points = "" if other.points in going else other.points
        self.pools = {number: "" if pool == one.id else pool for number, pool in self.pools.items()}
        self.send(404, "DELETE", self.path(one))

    @rule(which=WHICH, force=st.booleans())
    def delete_what_is_called(self, which: int, force: bool) -> None:
        called = [self.things[one.points] for one in self.things.values() if one.points]
        if called:
            one = called[which % len(called)]
            self.delete(self.of(one.kind).index(one), one.kind, force)

    @rule(kind=KINDS)
    def ask_for_what_is_not_there(self, kind: str) -> None:
        ghost = Thing(kind, NOBODY, self.primary)
        self.send(404, "DELETE", self.path(ghost))
        self.send(404, "POST", self._numbers_of(ghost, "assign_number"), {})
        self.send(404, "POST", self._numbers_of(ghost, "unassign_number"), {"number": self.spare[0]})
        self.send(400, "POST", f"{V2}/users", {"office_id": NOBODY, "email": "x@example.com"})

    # Always

    @invariant()
    def lists_are_the_models(self) -> None:
        pages = self.looks(*(f"{V2}/{path}" for path in PATHS.values()))
        for kind, page in zip(PATHS, pages, strict=True):
            listed = page.get("items", [])
            assert [(one["id"], one["office_id"], one["state"], one.get("phone_numbers", [])) for one in listed] == [
                (one.id, one.office, "active" if one.active else "suspended", one.numbers) for one in self.of(kind)
            ]
            if kind == "user":
                assert [one["license"] for one in listed] == [one.license for one in self.of(kind)]

    @invariant()
    def calls_are_sent_where_the_model_says(self) -> None:
        routers, departments = self.looks(f"{V2}/{ROUTERS}", f"{V2}/departments")
        listed = routers.get("items", [])
        assert [(one["id"], one["office_id"], one["default_target_id"]) for one in listed] == [
            (one.id, one.office, one.points or "0") for one in self.of("callrouter")
        ]
        assert all((one["default_target_type"] == "unknown") == (one["default_target_id"] == "0") for one in listed)
        for one in departments.get("items", []):
            closed = one["routing_options"]["closed"]
            assert closed.get("action_target_id", "") == self.things[one["id"]].points
            assert closed["action"] != "voicemail" or not self.things[one["id"]].points

    @invariant()
    def the_inventory_is_the_models(self) -> None:
        expected = {}
        for number, pool in sorted(self.pools.items()):
            one = self.holder(number)
            shown = (STATUS[one.kind], one.id, one.office) if one else ("available", None, pool or None)
            expected[number] = shown
        whole = [*_numbers(self.api)]
        assert {one["number"]: (one["status"], one.get("target_id"), one.get("office_id")) for one in whole} == expected
        assert [one["number"] for one in whole] == list(expected)
        status = random.Random(len(whole) + self.serial).choice(["available", *STATUS.values()])
        assert [one["number"] for one in _numbers(self.api, status)] == [
            number for number, shown in expected.items() if shown[0] == status
        ]

    @invariant()
    def operators_are_in_the_order_of_joining(self) -> None:
        pages = self.looks(*(f"{V2}/{PATHS[self.things[id].kind]}/{id}/operators" for id in self.members))
        for joined, found in zip(self.members.values(), pages, strict=True):
            for kind in ("user", "room"):
                expected = [member for member in joined if self.things[member].kind == kind]
                assert [one["id"] for one in found.get(f"{kind}s", [])] == expected

    @invariant()
    def lines_in_use_are_what_is_held_and_no_more_than_were_bought(self) -> None:
        pages = self.looks(*(f"{WHOLE}/{office_id}/licences" for office_id in self.bought))
        for (office_id, bought), found in zip(self.bought.items(), pages, strict=True):
            assert _counted(found["bought"]) == +bought
            assert _counted(found["used"]) == self.used(office_id)
            assert self.used(office_id) <= bought

    def teardown(self) -> None:
        assert_consistent(self.api)


def _numbers(api: Api, status: str = "") -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = api.get(f"{V2}/numbers?status={status}&cursor={cursor}").json
        yield from page.get("items", [])
        cursor = page.get("cursor", "")
        if not cursor:
            return


def _counted(lines: dict[str, str]) -> Counter[str]:
    return Counter({line: int(number) for line, number in lines.items() if number != "0"})


def assert_consistent(api: Api) -> None:
    """What holds whatever was done, by the answers of the API alone."""
    things: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, path in PATHS.items():
        cursor = ""
        while True:
            page = api.get(f"{V2}/{path}?cursor={cursor}").json
            things |= {(kind, one["id"]): one for one in page.get("items", [])}
            cursor = page.get("cursor", "")
            if not cursor:
                break
    inventory = {one["number"]: one for one in _numbers(api)}
    held = [number for one in things.values() for number in one.get("phone_numbers", [])]
    assert len(held) == len(set(held)), "a number is held twice"
    assert set(held) == {number for number, one in inventory.items() if one["status"] != "available"}
    expected: dict[str, Counter[str]] = {id: Counter() for kind, id in things if kind == "office"}
    for (kind, id), one in things.items():
        lines = expected[one["office_id"]]
        numbers = one.get("phone_numbers", [])
        for number in numbers:
            assert (inventory[number]["target_type"], inventory[number]["target_id"]) == (kind, id)
            assert inventory[number]["office_id"] == one["office_id"]
        if kind == "user" and one["state"] == "active":
            lines[LICENSES[one["license"]]] += 1
        # The numbers of a room use its own kind of line, or once that is given back only additional ones.
        lines["of numbers"] += len(numbers) if kind == "room" else len(numbers[1:])
    for office_id, lines in expected.items():
        found = api.get(f"{WHOLE}/{office_id}/licences").json
        used = _counted(found["used"])
        assert used[MORE] + used[ROOM] == lines.pop("of numbers")
        assert {line: used[line] for line in LICENSES.values()} == {line: lines[line] for line in LICENSES.values()}
        assert used <= _counted(found["bought"]), "more lines are in use than were bought"


def run(desk: Desk, examples: int, steps: int, *, part: int = 0) -> None:
    """Hold a server against the model by so many stories of so many steps, others in each part of a whole."""
    machine: Any = type("Directory", (Directory,), {"desk": desk})
    if part and settings.default is not None and settings.default.derandomize:
        machine = seed(part)(machine)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))
