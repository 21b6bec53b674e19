"""Many who want the same at once: each number and each line is had once."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.api.desk import OFFICES, WHOLE, Answer, Company, full
from tests.api.directory_model import (
    GROUPS,
    LICENSES,
    MORE,
    NOBODY,
    PATHS,
    ROOM,
    V2,
    assert_consistent,
    fresh_number,
)


def _stocked(company: Company, numbers: int) -> list[str]:
    """New numbers in the live inventory."""
    return [company.add_number(fresh_number()) for _ in range(numbers)]


class Crowd:
    """Clients of one company who all want the same few numbers and lines."""

    def __init__(self, company: Company, seed: int) -> None:
        self.api = company.live
        self.chance = random.Random(seed)
        self.numbers = _stocked(company, 5)
        self.offices = [str(company.office_ids["live"]), company.live.made(full(name="Second")).id]
        lines = {"talk_lines": 3, "sell_lines": 2, MORE: 2, ROOM: 1}
        for id in self.offices:
            assert self.api.post(f"{WHOLE}/{id}/licences", lines).status == 200
        self.ids: dict[str, list[str]] = {kind: [] for kind in PATHS} | {"office": self.offices}
        for kind in ("user", "user", "room", "department", "callcenter"):
            self.api.desk.run(self.make(kind))
        self.statuses: Counter[int] = Counter()

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        answer = await self.api.sending(method, path, body)
        assert answer.status in (200, 400, 404, 409), (method, path, body, answer)
        return answer

    async def make(self, kind: str) -> Answer:
        place = self.chance.choice(self.offices)
        body: dict[str, Any] = {"office_id": place, "name": kind}
        if kind == "user":
            email = f"p{self.chance.randrange(10**9)}@example.com"
            body = {"office_id": place, "email": email, "auto_assign": self.chance.random() < 0.5}
        answer = await self.ask("POST", f"{V2}/{PATHS[kind]}", body)
        if answer.status == 200:
            self.ids[kind].append(answer.json["id"])
        return answer

    async def step(self) -> Answer:
        chance = self.chance
        kind, number = chance.choice(list(PATHS)), chance.choice(self.numbers)
        id = chance.choice(self.ids[kind] or [NOBODY])
        user = chance.choice(self.ids["user"] or [NOBODY])
        group = chance.choice(GROUPS)
        operators = f"{V2}/{PATHS[group]}/{chance.choice(self.ids[group] or [NOBODY])}/operators"
        member = {"user_id": user} if group == "callcenter" else {"operator_type": "user", "operator_id": user}
        target = {"target_type": kind, "target_id": id}
        match chance.randrange(13):
            case 0:
                return await self.make(chance.choice(["user", "room", "department", "callcenter"]))
            case 1 | 2:
                return await self.ask("POST", f"{V2}/numbers/assign", {"number": number, **target})
            case 3:
                return await self.ask("POST", f"{V2}/numbers/assign", target)
            case 4:
                return await self.ask("DELETE", f"{V2}/numbers/{number}")
            case 5:
                details = {"type": "provided_number", "number": number}
                return await self.ask("POST", f"{V2}/numbers/swap", {"target": target, "swap_details": details})
            case 6 | 7:
                body = {"state": chance.choice(["active", "suspended"])}
                return await self.ask("PATCH", f"{V2}/users/{user}", body)
            case 8:
                body = {"office_id": chance.choice(self.offices)}
                return await self.ask("PATCH", f"{V2}/users/{user}/move_office", body)
            case 9:
                body = {"license": chance.choice(list(LICENSES))}
                return await self.ask("PATCH", f"{V2}/users/{user}", body)
            case 10:
                return await self.ask("POST", operators, member)
            case 11:
                return await self.ask("DELETE", operators, member)
            case _:
                gone = chance.choice(["user", "room", "department", "callcenter"])
                id = chance.choice(self.ids[gone] or [NOBODY])
                return await self.ask("DELETE", f"{V2}/{PATHS[gone]}/{id}?force=true")

    async def client(self, steps: int) -> Answer:
        for _ in range(steps):
            answer = await self.step()
            self.statuses[answer.status] += 1
        return answer


def _crowded(company: Company, seed: int, steps: int) -> None:
    crowd = Crowd(company, seed)
    company.live.together([crowd.client(steps) for _ in range(8)])
    assert {200, 409} <= set(crowd.statuses)
    assert_consistent(company.live)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_eight_clients_who_want_the_same_numbers_and_lines(company: Company, seed: int):
    _crowded(company, seed, 20)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 40))
def test_eight_clients_who_want_the_same_numbers_and_lines_for_long(company: Company, seed: int):
    _crowded(company, seed, 60)


def test_of_fifty_offices_at_once_one_gets_the_number(company: Company):
    (number,) = _stocked(company, 1)
    body = full(mainline_number=number)
    answers = company.live.together([company.live.sending("POST", OFFICES, body) for _ in range(50)])
    assert Counter(one.status for one in answers) == {200: 1, 409: 49}
    winner = next(one for one in answers if one.status == 200)
    assert winner.office["phone_numbers"] == [number]
    assert company.live.get(f"{V2}/numbers/{number}").json["target_id"] == winner.id
    assert company.live.get("/api/v2/company").json["office_count"] == "2"
    assert_consistent(company.live)


def test_of_twenty_people_at_once_as_many_are_hired_as_there_are_lines(company: Company):
    primary = str(company.office_ids["live"])
    _stocked(company, 2)
    company.live.post(f"{WHOLE}/{primary}/licences", {"talk_lines": 3})
    bodies = [{"office_id": primary, "email": f"p{one}@example.com", "auto_assign": True} for one in range(20)]
    answers = company.live.together([company.live.sending("POST", f"{V2}/users", body) for body in bodies])
    assert Counter(one.status for one in answers) == {200: 3, 409: 17}
    assert_consistent(company.live)
