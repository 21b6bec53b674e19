"""What others change of carriers and passwords over the same store is told, once each."""

import asyncio

import pytest

from offhook.kit.errors import Unavailable
from offhook.telephony import following
from offhook.telephony.following import Following
from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.api.desk import Company
from tests.telephony.phones.test_phones import device, new_password
from tests.telephony.trunks.test_trunks import TRUNKS, made

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]
CARRIERS = "carriers"


class Followed:
    """What was told of a company since it was asked last; `away` names those that cannot be told now."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.told: list[str] = []
        self.away: set[str] = set()
        self.following = Following(company.desk.offhook.reader, lambda: self.told.append(CARRIERS), self._password)
        assert self.look() == [CARRIERS]

    async def _password(self, username: str) -> None:
        if username in self.away:
            raise Unavailable("The store cannot be reached.")
        self.told.append(username)

    def look(self) -> list[str]:
        self.company.desk.run(self.following.look())
        told, self.told = self.told, []
        return told


def password(company: Company, id: str) -> str:
    """Give a telephone a new password: its username."""
    return str(new_password(company.live, id)["phone"]["settings"]["username"])


def test_a_carrier_is_told_of_when_it_is_connected_changed_and_gone_and_nothing_else_is(company: Company):
    followed = Followed(company)
    id = made(company.live)["id"]
    assert followed.look() == [CARRIERS]
    assert company.live.post("/api/v2/contacts", {"first_name": "Eve", "last_name": "Stone"}).status == 200
    assert followed.look() == []
    assert company.live.patch(f"{TRUNKS}/{id}", {"most_calls": 3}).status == 200
    assert followed.look() == [CARRIERS]
    assert company.live.delete(f"{TRUNKS}/{id}").status == 200
    assert followed.look() == [CARRIERS]


def test_a_new_password_is_told_of_with_whose_it_is_once_a_look(company: Company):
    followed = Followed(company)
    id = device(company)
    username = password(company, id)
    assert password(company, id) == username
    assert followed.look() == [username]


def test_more_than_one_look_takes_is_told_by_the_next_ones(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(following, "MOST_EVENTS", 2)
    followed = Followed(company)
    usernames = [password(company, device(company)) for _ in range(3)]
    made(company.live)
    assert [followed.look() for _ in range(3)] == [usernames[:2], [CARRIERS, usernames[2]], []]


def test_what_could_not_be_told_is_told_again(embedded: Company):
    followed = Followed(embedded)
    username = password(embedded, device(embedded))
    followed.away.add(username)
    with pytest.raises(Unavailable):
        followed.look()
    followed.away.clear()
    assert followed.look() == [username]


def test_a_look_that_fails_is_not_the_last_one():
    class Away:
        async def run(self, _unit: object) -> None:
            raise Unavailable("The store cannot be reached.")

    looks = 0

    async def sleep(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise asyncio.CancelledError

    async def nobody(_username: str) -> None:
        raise AssertionError

    async def story() -> None:
        reader: object = Away()
        await Following(reader, lambda: None, nobody, sleep=sleep).keep()  # type: ignore[arg-type]

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())
    assert looks == 3
