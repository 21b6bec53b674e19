"""A call for help belongs to who made it: no key, page or wish ends it, or does anything else with it."""

from typing import Any

import pytest

from offhook.calls import helping
from offhook.routing.plan import Answered, CarrierCalled, Hangup, HungUp, NotAnswered, Outgoing, Transfer
from tests.api.desk import Company
from tests.calls.legs.test_legs import Deft, asks
from tests.calls.scripted import ANA, Process, lisbon

V2 = "/api/v2/call"
WISHES: dict[str, tuple[str, str, Any, str]] = {
    "hang up": ("PUT", "actions/hangup", None, "hang_up_refused"),
    "transfer": ("POST", "transfer", {"to": {"number": "+14155550123"}}, "transfer_denied"),
    "park": ("POST", "transfer", {"transfer_state": "parked"}, "ignored"),
    "add": ("POST", "participants/add", {"participant": {"number": "+14155550124"}}, "invite_refused"),
}


async def calls(process: Process, number: str) -> tuple[int, Deft]:
    """Somebody calls, and it is answered."""
    phone = Deft()
    id = await process.calls.begin(process.tenant, Outgoing(process.at, "user:1", number), phone)
    await phone.given(Transfer)
    process.calls.happened(id, Answered(process.at, number))
    await process.settle()
    return id, phone


@pytest.mark.parametrize("wish", WISHES)
def test_a_call_for_help_goes_on_whatever_a_key_wishes(embedded: Company, wish: str):
    process = Process(embedded, *lisbon(ANA))
    method, path, body, code = WISHES[wish]

    async def story() -> None:
        id, phone = await calls(process, "911")
        answer = await asks(process, method, f"{V2}/{id}/{path}", body)
        assert answer.status == 409
        assert "call for help" in answer.errors[0]["message"]
        assert phone.wishes == []
        assert [one.get("emergency") for one in await process.listed() if one["id"] == str(id)] == ["call"]
        assert not [verb for verb in phone.verbs if isinstance(verb, Hangup)]
        told = await process.told(id)
        assert told["outcome"] == "out"
        assert code in [reason["code"] for reason in told["steps"][-1]["reasons"]]
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        assert (await process.told(id))["outcome"] == "answered"

    process.run(story())


def test_what_was_wished_in_vain_is_no_end_of_the_call_in_its_ladder_and_picture(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await calls(process, "911")
        await asks(process, "PUT", f"{V2}/{id}/actions/hangup")
        assert "hangs up" not in (await process.told(id))["mermaid"]
        ladder = await process.company.live.sending("GET", f"/api/offhook/v1/calls/{id}/ladder")
        assert "is asked to hang up" in ladder.json["text"]
        assert "refuses: Somebody at an API or a page wished to end the call" in ladder.json["text"]
        assert "hangs up" not in ladder.json["text"]

    process.run(story())


def test_the_event_of_a_call_for_help_says_that_it_was_placed_only_once_it_was(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def told(id: int) -> list[tuple[str, str | None]]:
        events = await process.company.live.sending("GET", "/api/offhook/v1/events?limit=500")
        return [
            (one["event"], one["after"].get("cause")) for one in events.json["items"] if one["subject_id"] == str(id)
        ]

    async def story() -> None:
        for event, expected in (
            (CarrierCalled(process.at, "Out"), ("emergency_call.placed", None)),
            (
                NotAnswered(process.at, {"911": "unreachable"}, fault="the company has no trunk"),
                ("emergency_call.failed", "the company has no trunk"),
            ),
        ):
            id = await process.calls.begin(process.tenant, Outgoing(process.at, "user:1", "911"), Deft())
            await process.settle()
            assert await told(id) == []
            process.calls.happened(id, event)
            await process.settle()
            assert await told(id) == [expected]
            process.calls.happened(id, HungUp(process.at))
            await process.settle()
            assert await told(id) == [expected]
            if expected[1]:
                text = (await process.told(id))["text"]
                assert "NO HELP WAS CALLED: the company has no trunk" in text
                assert "The event log tells that 911 could not be called." in text

    process.run(story())


def test_a_test_of_the_emergency_address_is_called_so_and_may_be_ended(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await calls(process, "933")
        live = await process.company.live.sending("GET", "/api/offhook/v1/calls/live")
        assert [one["words"] for one in live.json["items"] if one["id"] == str(id)] == [
            "Trying out the emergency address by 933"
        ]
        assert [one.get("emergency") for one in await process.listed() if one["id"] == str(id)] == ["test"]
        told = await process.told(id)
        texts = [reason["text"] for step in told["steps"] for reason in step["reasons"]]
        assert texts[0] == "Ana Silva dialled 933, the test of the emergency address: no help is called."
        assert "Test call of the emergency address to 933" in told["text"]
        assert "test call of the emergency address" in told["mermaid"]
        ladder = await process.company.live.sending("GET", f"/api/offhook/v1/calls/{id}/ladder")
        assert "tries out the emergency address" in ladder.json["text"]
        events = await process.company.live.sending("GET", "/api/offhook/v1/events?limit=500")
        assert not [one for one in events.json["items"] if one["event"] == "emergency_call.placed"]
        answer = await asks(process, "PUT", f"{V2}/{id}/actions/hangup")
        assert answer.status == 200
        await process.calls.over(id)

    process.run(story())


def test_a_key_that_goes_on_wishing_fills_no_trace(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(helping, "MOST", 2)
    process = Process(embedded, *lisbon(ANA))
    method, path, body, code = WISHES["transfer"]

    async def story() -> None:
        id, _ = await calls(process, "911")
        for _ in range(4):
            assert (await asks(process, method, f"{V2}/{id}/{path}", body)).status == 409
        told = await process.told(id)
        assert [reason["code"] for step in told["steps"] for reason in step["reasons"]].count(code) == 2

    process.run(story())
