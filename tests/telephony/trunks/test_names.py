"""Names of carriers that are looked up, with a resolver of the test's."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest

from offhook.telephony.trunks import names
from offhook.telephony.trunks.names import AT_ONCE, Found, Names


class Resolver:
    """Answers for a name once the test lets it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.free = threading.Event()

    def look(self, host: str, port: int) -> Found:
        self.asked.append(host)
        if host == "broken":
            raise OSError("no such name")
        if host.startswith("slow"):
            assert self.free.wait(10)
        return ("203.0.113.7",)


@pytest.fixture
def run():
    resolver = Resolver()

    def played(story: Callable[[Names, Resolver], Awaitable[None]]) -> None:
        asyncio.run(story(Names(resolver.look), resolver))  # type: ignore[arg-type]

    yield played
    resolver.free.set()


def test_a_name_is_found_or_not(run):
    async def story(names_of: Names, _resolver: Resolver) -> None:
        assert await names_of.find(1, "carrier", 5060, 5) == ("203.0.113.7",)
        with pytest.raises(OSError, match="no such name"):
            await names_of.find(1, "broken", 5060, 5)
        assert not names_of._going
        assert not names_of._of

    run(story)


def test_who_asks_for_the_same_waits_for_the_same_answer(run):
    async def story(names_of: Names, resolver: Resolver) -> None:
        asking = [asyncio.create_task(names_of.find(1, "slow", 5060, 5)) for _ in range(20)]
        await asyncio.sleep(0)
        resolver.free.set()
        assert await asyncio.gather(*asking) == [("203.0.113.7",)] * 20
        assert resolver.asked == ["slow"]

    run(story)


def test_names_that_nobody_answers_for_keep_their_own_company_waiting_only(run):
    async def story(names_of: Names, resolver: Resolver) -> None:
        for number in range(AT_ONCE):
            with pytest.raises(TimeoutError):
                await names_of.find(1, f"slow{number}", 5060, 0.001)
        with pytest.raises(TimeoutError, match="too many"):
            await names_of.find(1, "carrier", 5060, 5)
        assert await names_of.find(2, "carrier", 5060, 5) == ("203.0.113.7",)
        assert await asyncio.to_thread(lambda: "others") == "others"
        resolver.free.set()
        await asyncio.gather(*names_of._going.values())
        assert await names_of.find(1, "carrier", 5060, 5) == ("203.0.113.7",)

    run(story)


def test_only_addresses_are_asked_for_that_sip_is_spoken_to(monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def answer(_host: str, port: int, family: int, kind: int) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        asked.append(family)
        return [(family, kind, 17, "", (address, port)) for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert names.look_up("carrier", 5060) == ("203.0.113.7", "203.0.113.8")
    assert asked == [socket.AF_INET]
