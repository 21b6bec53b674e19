"""Calls that are sent on, over the wire: by telephones of the test's own hand, and by real ones."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from offhook.kit import clock
from tests.api.desk import Company
from tests.scenarios.script import Call
from tests.scenarios.stage import V1, V2, Seen, sent
from tests.telephony.scenarios.handset import Handset, Talk
from tests.telephony.scenarios.people import Ringing, Soft
from tests.telephony.scenarios.real import CALLER, Real

BOB, CAROL, DAN = "bob@example.com", "carol@example.com", "dan@example.com"
COMPANY: dict[str, Any] = {
    "version": 1,
    "users": {
        who: {"office": "Head office", "first_name": who.partition("@")[0], "extension": 101 + at, "devices": ["Desk"]}
        for at, who in enumerate((BOB, CAROL, DAN))
    },
}
WAIT = 10.0


@dataclass
class Cast:
    """Who is there, and what may be asked of the house."""

    number: str
    caller: Handset
    people: dict[str, Handset | Soft]
    voices: dict[str, float]
    rings: list[Ringing]
    api: Any

    def phone(self, who: str) -> Handset:
        found = self.people[who]
        assert isinstance(found, Handset)
        return found

    async def rung(self, who: str) -> Ringing:
        """Wait until somebody is rung."""
        async with asyncio.timeout(WAIT):
            while not (found := [one for one in self.rings if one.who == who]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found[0]

    def dials(self, who: str, number: str) -> Talk:
        """Somebody calls, and knows everybody's voice."""
        return self.phone(who).dial(number, voices=self.voices)

    async def of(self, who: str, nth: int = 0) -> Ringing:
        """The nth time that somebody was rung, once they took the call."""
        async with asyncio.timeout(WAIT):
            while len(found := [one for one in self.rings if one.who == who and one.answered]) <= nth:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found[nth]

    async def ended(self) -> list[Any]:
        """All calls, the first one first, once they are over."""
        async with asyncio.timeout(WAIT):
            while any(one["phase"] != "over" for one in await self.calls()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return await self.calls()

    async def calls(self) -> list[Any]:
        """All calls, the first one first."""
        return list(reversed(sent(await self.api.sending("GET", f"{V1}/calls"))["items"]))


class Staged(Real):
    """A house in which a test says what everybody does; `slow` is one who takes a call late."""

    def __init__(self, company: Company, caller: str = "+12125550123", *, soft: bool = False, slow: str = "") -> None:
        super().__init__(company, pace=5.0, soft=soft)
        self.set(COMPANY, (), "2026-12-23 10:00")
        answer = {who: 10 if who == slow else 1 for who in (BOB, CAROL, DAN)}
        to = f"user {BOB}" if "@" not in caller else "102"
        self._call = Call(to=to, at="2026-12-23 10:00", caller=caller, answer=answer)

    def play(self, story: Callable[[Cast], Awaitable[None]]) -> None:
        """Have it told."""
        self._story = story
        self.call(self._call)

    async def _calling(
        self,
        call: Call,
        number: str,
        caller_at: Handset,
        voices: dict[str, float],
        people: dict[str, Handset | Soft],
        going: clock.Going,
    ) -> Seen:
        for one in people.values():
            if isinstance(one, Handset):
                one.voices = {**voices, CALLER: caller_at.pitch} if "@" not in call.caller else voices
        going.start()
        await self._story(Cast(number, caller_at, people, voices, self._rings, self._api))
        return Seen([], [], "", "", [], "")


async def hears(talk: Talk | None, voice: str) -> None:
    """Wait until somebody hears a voice."""
    assert talk is not None
    async with asyncio.timeout(WAIT):
        while await talk.heard.get() != voice:
            pass


async def told(talk: Talk | None, *codes: int) -> None:
    """What who sends a call on is told of it, in turn."""
    assert talk is not None
    async with asyncio.timeout(WAIT):
        assert [await talk.referred.get() for _ in codes] == list(codes)


async def over(talk: Talk | None) -> None:
    assert talk is not None
    async with asyncio.timeout(WAIT):
        await talk.down.wait()


def test_who_asked_a_colleague_connects_the_caller_with_them(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        caller = cast.caller.dial(cast.number, voices=cast.voices)
        bob = (await cast.of(BOB)).talk
        await hears(caller, BOB)
        asking = cast.dials(BOB, "102")
        carol = (await cast.of(CAROL)).talk
        await hears(asking, CAROL)
        assert bob is not None
        bob.refer("102", asking)
        await told(bob, 202, 100, 200)
        await hears(caller, CAROL)
        await hears(carol, CALLER)
        await over(bob)
        await over(asking)
        assert carol is not None
        carol.hang_up()
        await over(caller)
        first, second = await cast.ended()
        assert (first["outcome"], second["outcome"]) == ("answered", "transferred")
        legs = sent(await cast.api.sending("GET", f"{V2}/call"))["items"]
        sender = next(
            one for one in legs if one.get("entry_point_call_id") == first["id"] and one["ended_by"] == "transferred"
        )
        assert sender["is_transferred"]
        assert sender["target"]["email"] == BOB

    Staged(reached).play(story)


@pytest.mark.long
def test_whom_somebody_called_and_sends_on_has_a_call_of_their_own(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        bob = cast.dials(BOB, "102")
        carol = (await cast.of(CAROL)).talk
        await hears(bob, CAROL)
        bob.refer("+442071838750")
        await told(bob, 403)
        bob.refer("103")
        await told(bob, 202, 100, 200)
        dan = (await cast.of(DAN)).talk
        await hears(carol, DAN)
        await hears(dan, CAROL)
        await over(bob)
        assert carol is not None
        carol.hang_up()
        await over(dan)
        first, second = await cast.ended()
        assert (first["outcome"], second["outcome"]) == ("transferred", "answered")
        assert first["caller"].startswith("user:")
        assert second["caller"] != first["caller"]
        trace = sent(await cast.api.sending("GET", f"{V1}/calls/{second['id']}/trace"))
        assert "had been called by" in trace["text"]

    Staged(reached, BOB).play(story)


@pytest.mark.long
def test_a_caller_from_outside_and_a_carrier_send_nobody_on(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        caller = cast.caller.dial(cast.number, voices=cast.voices)
        bob = (await cast.of(BOB)).talk
        await hears(caller, BOB)
        caller.refer("102")
        await told(caller, 603)
        assert bob is not None
        bob.hang_up()
        await over(caller)

    Staged(reached).play(story)


@pytest.mark.long
def test_a_caller_is_sent_on_to_a_colleague_who_still_rings(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        caller = cast.caller.dial(cast.number, voices=cast.voices)
        bob = (await cast.of(BOB)).talk
        await hears(caller, BOB)
        asking = cast.dials(BOB, "103")
        await cast.rung(DAN)
        assert bob is not None
        bob.refer("103", asking)
        await told(bob, 202, 100, 200)
        await hears(caller, DAN)
        await over(bob)
        await over(asking)
        caller.hang_up()
        first, second = await cast.ended()
        assert (first["outcome"], second["outcome"]) == ("answered", "abandoned")

    Staged(reached, slow=DAN).play(story)


@pytest.mark.long
def test_an_api_sends_a_call_on(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        caller = cast.caller.dial(cast.number, voices=cast.voices)
        bob = (await cast.of(BOB)).talk
        await hears(caller, BOB)
        [call] = await cast.calls()
        refused = await cast.api.sending(
            "POST", f"{V2}/call/{call['id']}/transfer", {"to": {"number": "+442071838750"}}
        )
        assert (refused.status, "abroad" in refused.errors[0]["message"]) == (409, True)
        carol = next(
            one for one in sent(await cast.api.sending("GET", f"{V2}/users"))["items"] if CAROL in one["emails"]
        )
        body = {"to": {"target_type": "user", "target_id": carol["id"]}}
        sent(await cast.api.sending("POST", f"{V2}/call/{call['id']}/transfer", body))
        await hears(caller, CAROL)
        await over(bob)
        caller.hang_up()
        await over((await cast.of(CAROL)).talk)

    Staged(reached).play(story)


@pytest.mark.long
def test_a_real_telephone_sends_a_call_on_and_connects_two(reached: Company) -> None:
    async def story(cast: Cast) -> None:
        caller = cast.caller.dial(cast.number, voices=cast.voices)
        await hears(caller, BOB)
        bob = cast.people[BOB]
        assert isinstance(bob, Soft)
        bob.dial("102")
        await cast.of(CAROL)
        async with asyncio.timeout(WAIT):
            await bob.up.wait()
        bob.connect()
        await hears(caller, CAROL)
        carol = cast.people[CAROL]
        assert isinstance(carol, Soft)
        assert await carol.transfer("103")
        await hears(caller, DAN)
        caller.hang_up()
        assert [one["outcome"] for one in await cast.ended()] == ["answered", "transferred"]

    Staged(reached, soft=True).play(story)
