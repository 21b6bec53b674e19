"""Calls as v2 shows them: one leg for what was dialled, one for each who was rung, with when and why."""

import asyncio
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from dialpad.schemas.call import CallProto
from msgspec.structs import replace

from offhook.calls.legs.ledger import Ledger
from offhook.calls.legs.mailbox import PATIENCE_SECONDS, Mailbox
from offhook.calls.legs.model import Seen
from offhook.calls.legs.wishes import UNREACHED, Add, Granted, HangUp, Taping, TransferTo, Unpark, Wish
from offhook.directory.lines.model import Target
from offhook.kit.errors import Unavailable
from offhook.routing.plan import (
    Answered,
    Bridge,
    Ended,
    HungUp,
    Incoming,
    Leg,
    NotAnswered,
    Recorded,
    Ring,
    Transfer,
    Voicemail,
)
from offhook.routing.state import CallState
from offhook.routing.trace import Step
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CALLER, LISBON, TURNS, Phone, Process, lisbon, talks
from tests.published import misfits

V2 = "/api/v2/call"


async def shown(process: Process, id: int | str) -> Any:
    answer = await process.company.live.sending("GET", f"{V2}/{id}")
    assert answer.status == 200, answer
    return answer.json


async def over(process: Process, query: str = "") -> list[Any]:
    answer = await process.company.live.sending("GET", f"{V2}?{query}")
    assert answer.status == 200, answer
    return list(answer.json.get("items", []))


@pytest.mark.parametrize(
    ("query", "place"),
    [("started_after=noon", "started_after"), ("target_type=user&target_id=NIL", "target_id")],
)
def test_what_is_no_number_is_refused_and_not_taken_for_nothing(embedded: Company, query: str, place: str):
    answer = embedded.live.get(f"{V2}?{query}")
    assert (answer.status, answer.places) == (400, [place])


def told(legs: list[Any]) -> dict[str, tuple[str, str]]:
    return {f"{leg['target']['type']}:{leg['target']['id']}": (leg["state"], leg["ended_by"]) for leg in legs}


def test_a_call_to_a_main_line_has_a_leg_for_the_line_and_one_for_each_who_was_rung(company: Company):
    process = Process(company, *lisbon(ANA, BOB))

    async def story() -> None:
        began = process.at
        id, phone = await process.rings()
        await phone.given(Ring)
        await process.settle()
        entry = await shown(process, id)
        assert (entry["state"], entry["direction"], entry["external_number"]) == ("ringing", "inbound", CALLER)
        assert (entry["group_id"], entry["target"]["type"]) == ("Office:1", "office")
        assert entry["contact"] == {"id": "", "type": "local", "name": "(415) 555-0100", "phone": CALLER}
        assert "entry_point_call_id" not in entry
        assert await over(process) == []
        process.time.move(5)
        process.calls.seen(id, Seen(at=process.at, who="user:2", device="desk", what="answered"))
        process.calls.happened(id, Answered(process.at, "user:2"))
        await phone.given(Bridge)
        process.time.move(60)
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        await process.settle()
        legs = await over(process)
        found = told(legs)
        assert (found["user:1"], found["user:2"]) == (("missed", "elsewhere"), ("hangup", "left"))
        assert found["office:1"][0] == "hangup"
        assert legs[-1]["call_id"] == str(id)
        [bob] = [leg for leg in legs if leg["target"]["id"] == "2"]
        assert bob["entry_point_call_id"] == str(id)
        assert bob["entry_point_target"]["type"] == "office"
        assert (bob["duration"], bob["total_duration"], bob["device_id"]) == (60_000.0, 65_000.0, "desk")
        assert int(bob["date_started"]) == began
        assert int(bob["date_connected"]) == began + 5_000
        assert await shown(process, bob["call_id"]) == bob
        ours = {"ended_by", "device_id"}
        assert [misfits({n: v for n, v in leg.items() if n not in ours}, CallProto) for leg in legs] == [[]] * len(legs)

    process.run(story())


def test_of_those_who_are_rung_in_turn_one_whose_turn_never_came_was_not_rung(company: Company):
    process = Process(company, *lisbon(ANA, BOB, open=TURNS))

    async def story() -> None:
        id, phone = await process.rings()
        ring = await phone.given(Ring)
        assert ring.mode == "serial" or len(ring.legs) == 1
        process.time.move(3)
        process.calls.happened(id, HungUp(process.at))
        await process.calls.over(id)
        await process.settle()
        legs = told(await over(process))
        assert legs["user:1"] == ("missed", "caller_left")
        assert legs.get("user:2", ("missed", "not_rung")) == ("missed", "not_rung")
        assert legs["office:1"][0] == "missed"

    process.run(story())


def test_a_call_that_nobody_took_says_why_of_each_and_ends_in_voicemail(company: Company):
    process = Process(company, *lisbon(ANA, BOB))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        process.time.move(20)
        process.calls.happened(id, NotAnswered(process.at, {"user:1": "busy"}))
        await phone.given(Voicemail)
        await process.settle()
        assert (await shown(process, id))["state"] == "voicemail"
        process.calls.happened(id, Recorded(process.at, 3))
        await process.calls.over(id)
        await process.settle()
        legs = told(await over(process))
        assert legs["user:1"] == ("missed", "busy")
        assert legs["user:2"] == ("missed", "no_answer")
        assert legs["office:1"][0] == "voicemail"

    process.run(story())


def test_a_call_that_goes_out_is_its_users(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone = await process.dials("user:1", "+14155550123")
        await phone.given(Transfer)
        process.calls.happened(id, Answered(process.at, "+14155550123"))
        process.time.move(10)
        process.calls.happened(id, Ended(process.at))
        await process.calls.over(id)
        await process.settle()
        [leg] = await over(process)
        assert (leg["direction"], leg["target"]["id"], leg["external_number"]) == ("outbound", "1", "+14155550123")
        assert (leg["state"], leg["duration"]) == ("hangup", 10_000.0)

    process.run(story())


def test_calls_are_listed_by_time_and_target_a_page_at_a_time(company: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(company, *lisbon(ANA))
    monkeypatch.setattr("offhook.calls.legs.service.PAGE", 2)

    async def story() -> None:
        ids = []
        for _ in range(3):
            id, phone = await process.rings()
            await phone.given(Ring)
            process.time.move(1)
            process.calls.happened(id, HungUp(process.at))
            await process.calls.over(id)
            process.time.move(9)
            ids.append(str(id))
        await process.settle()
        found, cursor = [], ""
        while True:
            answer = (await company.live.sending("GET", f"{V2}?target_type=office&target_id=1&cursor={cursor}")).json
            found += [leg["call_id"] for leg in answer["items"]]
            if "cursor" not in answer:
                break
            cursor = answer["cursor"]
        assert found == ids[::-1]
        began = (await shown(process, ids[1]))["date_started"]
        assert {leg["call_id"] for leg in await over(process, f"started_after={began}")} & {*ids} == {ids[2]}
        assert {leg["call_id"] for leg in await over(process, f"started_before={began}")} & {*ids} == {ids[0]}
        assert len(await over(process, "target_type=user&target_id=1")) == 2
        assert (await company.live.sending("GET", f"{V2}?target_id=1")).places == ["target_type"]

    process.run(story())


def test_the_legs_of_a_process_that_died_end_with_its_call(company: Company):
    process = Process(company, *lisbon(ANA))
    other = Process(company, *lisbon(ANA), time=process.time)

    async def story() -> None:
        await talks(process)
        await process.dies()
        process.time.move(61)
        assert await other.calls.sweep() == 1
        legs = told(await over(process))
        assert legs == {"office:1": ("hangup", "lost"), "user:1": ("hangup", "lost")}
        await other.stop()

    process.run(story())


# What is done to a call


class Deft(Phone):
    """A telephone that can do what is wished of it."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[Wish] = []
        self.granted = Granted()

    async def grant(self, wish: Wish) -> Granted:
        self.wishes.append(wish)
        return self.granted


def mailbox_of(process: Process) -> Mailbox:
    offhook = process.desk.offhook
    return Mailbox(offhook.reader, offhook.writer, process.desk.ids, process.calls)


async def asks(process: Process, method: str, path: str, body: Any = None, mailbox: Mailbox | None = None) -> Any:
    """A request to the server's own process; this one looks for what is wished of its calls meanwhile."""
    looking = mailbox or mailbox_of(process)

    async def looks() -> None:
        while True:
            await looking.look()
            await asyncio.sleep(0.01)

    task = asyncio.ensure_future(looks())
    try:
        return await process.company.live.sending(method, path, body)
    finally:
        task.cancel()


async def talking(process: Process) -> tuple[int, Deft, str]:
    """A call in which somebody talks, and that person's leg."""
    phone = Deft()
    id = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
    await phone.given(Ring)
    process.calls.happened(id, Answered(process.at, "user:1"))
    await phone.given(Bridge)
    await process.settle()
    tenant = process.tenant
    with process.desk.offhook.database.reading() as tx:
        from offhook.calls.legs import store

        leg = store.active(tx, tenant, Target("user", 1))
    assert leg is not None
    return id, phone, str(leg.id)


@pytest.mark.parametrize("which", ["the call", "the person"])
def test_a_call_is_hung_up_from_another_process(company: Company, which: str):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone, leg = await talking(process)
        answer = await asks(process, "PUT", f"{V2}/{id if which == 'the call' else leg}/actions/hangup")
        assert (answer.status, answer.json) == (200, {})
        await process.calls.over(id)
        assert phone.kinds[-1] == "Hangup"
        await process.settle()
        assert [(await shown(process, one))["ended_by"] for one in (id, leg)] == ["ended", "ended"]
        assert (await shown(process, id))["state"] == "hangup"
        again = await asks(process, "PUT", f"{V2}/{id}/actions/hangup")
        assert again.status == 409
        assert "is over" in again.errors[0]["message"]

    process.run(story())


def test_what_another_company_wishes_of_a_call_does_not_reach_it(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone, _ = await talking(process)
        offhook, ticks = process.desk.offhook, count(step=PATIENCE_SECONDS + 1)
        mailbox = Mailbox(
            offhook.reader, offhook.writer, process.desk.ids, process.calls, monotonic=lambda: next(ticks)
        )
        with pytest.raises(Unavailable):
            await mailbox.ask(process.tenant + 1, id, HangUp())
        assert phone.kinds[-1] == "Bridge"

    process.run(story())


def test_a_process_without_calls_looks_for_no_wishes():
    looked_at: list[int] = []
    slept: list[float] = []

    class Reader:
        async def run(self, _unit: object) -> list[object]:
            looked_at.append(len(slept))
            return []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        calls.live = 2 if len(slept) == 2 else 0
        if len(slept) == 4:
            raise asyncio.CancelledError

    calls: Any = SimpleNamespace(live=0)
    parts: Any = Reader(), None, None, calls
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Mailbox(*parts, sleep=sleep).keep())
    assert looked_at == [2]


def test_who_only_rings_is_not_hung_up_alone(company: Company):
    process = Process(company, *lisbon(ANA, BOB))

    async def story() -> None:
        id, phone = await process.rings()
        await phone.given(Ring)
        await process.settle()
        with process.desk.offhook.database.reading() as tx:
            rows = tx.connection.exec_driver_sql(f"SELECT id FROM call_legs WHERE call_id = {id} AND id <> {id}").all()
        answer = await asks(process, "PUT", f"{V2}/{rows[0][0]}/actions/hangup")
        assert answer.status == 409
        assert str(id) in answer.errors[0]["message"]

    process.run(story())


def test_what_is_wished_of_a_call_reaches_its_telephone_and_the_answer_comes_back(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, phone, leg = await talking(process)
        body: Any = {"to": {"number": "+14155550123"}, "transfer_state": "hold"}
        answer = await asks(process, "POST", f"{V2}/{leg}/transfer", body)
        assert answer.json == {
            "call_id": leg, "transferred_to_number": "+14155550123", "transferred_to_state": "hold",
        }  # fmt: skip
        phone.granted = Granted(call_id=77)
        answer = await asks(process, "POST", f"{V2}/{id}/participants/add", {"participant": {"number": "+14155550124"}})
        assert answer.json == {"call_id": "77"}
        assert phone.wishes == [
            TransferTo(leg_id=int(leg), by="user:1", number="+14155550123", state="hold"), Add(number="+14155550124")
        ]  # fmt: skip
        phone.granted = Granted(refused="No carrier takes this number.")
        answer = await asks(process, "POST", f"{V2}/{leg}/transfer", body)
        assert (answer.status, answer.errors[0]["message"]) == (409, "No carrier takes this number.")

    process.run(story())


def test_a_telephone_that_cannot_says_so(company: Company):
    process = Process(company, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        answer = await asks(process, "POST", f"{V2}/{id}/transfer", {"transfer_state": "parked"})
        assert answer.status == 409
        assert "cannot do that" in answer.errors[0]["message"]

    process.run(story())


def test_a_process_that_does_not_answer_is_not_waited_for_for_ever(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    process = Process(embedded, *lisbon(ANA))
    monkeypatch.setattr("offhook.calls.legs.mailbox.PATIENCE_SECONDS", 0.1)

    async def story() -> None:
        id, _ = await talks(process)
        answer = await embedded.live.sending("PUT", f"{V2}/{id}/actions/hangup")
        assert answer.status == 503
        with process.desk.offhook.database.reading() as tx:
            assert tx.connection.exec_driver_sql("SELECT count(*) FROM call_wishes").scalar() == 0

    process.run(story())


def test_of_a_call_that_ends_while_its_process_is_asked_that_is_told(
    embedded: Company, monkeypatch: pytest.MonkeyPatch
):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)

        async def ends(_seconds: float) -> None:
            process.calls.happened(id, HungUp(process.at + 10_000))
            await process.calls.over(id)

        monkeypatch.setattr(process.desk.offhook.mailbox, "_sleep", ends)
        answer = await embedded.live.sending("PUT", f"{V2}/{id}/actions/hangup")
        assert (answer.status, answer.errors[0]["message"]) == (409, "The call is over.")

    process.run(story())


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["to"]),
        ({"to": {}}, ["to"]),
        ({"to": {"number": "12"}}, ["to.number"]),
        ({"to": {"number": "+14155550123", "call_id": "1"}}, ["to"]),
        ({"to": {"target_id": "1"}}, ["to.target_type"]),
    ],
)
def test_a_transfer_to_nowhere_is_refused(embedded: Company, body: Any, places: list[str]):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await talks(process)
        answer = await asks(process, "POST", f"{V2}/{id}/transfer", body)
        assert (answer.status, answer.places) == (400, places)

    process.run(story())


def test_recording_is_switched_in_the_call_that_a_user_is_in(company: Company):
    bought = company.live.post(f"/api/offhook/v1/offices/{company.office_ids['live']}/licences", {"talk_lines": 1})
    assert bought.status == 200
    body = {"office_id": str(company.office_ids["live"]), "email": "ana@example.com", "first_name": "Ana"}
    id = int(company.live.post("/api/v2/users", body).json["id"])
    from tests.routing.companies import user

    process = Process(company, *lisbon(user(id, "Ana")))
    path = f"/api/v2/users/{id}/activecall"

    async def story() -> None:
        assert (await asks(process, "PATCH", path, {"is_recording": True})).status == 409
        phone = Deft()
        call = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
        await phone.given(Ring)
        process.calls.happened(call, Answered(process.at, f"user:{id}"))
        await phone.given(Bridge)
        await process.settle()
        answer = await asks(process, "PATCH", path, {"is_recording": True, "play_message": False})
        assert answer.json["call_state"] == "connected"
        assert answer.json["is_recording"] is True
        assert answer.codes == set()
        assert phone.wishes == [Taping(on=True)]
        answer = await asks(process, "POST", f"{V2}/{call}/unpark", {"user_id": str(id)})
        assert phone.wishes[1:] == [Unpark(user_id=id)]

    process.run(story())


def test_a_user_without_a_telephone_is_rung_by_no_server(embedded: Company):
    bought = embedded.live.post(f"/api/offhook/v1/offices/{embedded.office_ids['live']}/licences", {"talk_lines": 1})
    assert bought.status == 200
    body = {"office_id": str(embedded.office_ids["live"]), "email": "ana@example.com", "first_name": "Ana"}
    id = embedded.live.post("/api/v2/users", body).json["id"]
    answer = embedded.live.post(V2, {"user_id": id, "phone_number": "+14155550123"})
    assert (answer.status, answer.errors[0]["message"]) == (409, UNREACHED)
    body = {"user_id": id, "phone_number": "12", "outbound_caller_id": "+1", "device_id": "x"}
    assert embedded.live.post(V2, body).places == ["device_id", "outbound_caller_id", "phone_number"]
    assert embedded.live.post(V2, {"user_id": "5", "phone_number": "+14155550123"}).status == 404


def test_a_wish_that_takes_long_is_carried_out_once(company: Company):
    process = Process(company, *lisbon(ANA))

    mailbox = mailbox_of(process)

    class Slow(Deft):
        async def grant(self, wish: Wish) -> Granted:
            granted = await super().grant(wish)
            # It is looked for what is wished again before this is told.
            await mailbox.look()
            return granted

    async def story() -> None:
        phone = Slow()
        id = await process.calls.begin(process.tenant, Incoming(process.at, CALLER, target=LISBON), phone)
        await phone.given(Ring)
        await process.settle()
        body = {"participant": {"number": "+14155550124"}}
        answer = await asks(process, "POST", f"{V2}/{id}/participants/add", body, mailbox)
        assert answer.status == 200
        assert len(phone.wishes) == 1

    process.run(story())


def test_a_leg_is_written_only_where_it_has_changed(embedded: Company):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        id, _ = await process.rings()
        await process.settle()
        call = process.calls.find(id)
        assert call is not None
        assert call._ledger.changed == {}

    process.run(story())


def test_whoever_is_rung_in_turn_rings_from_their_turn_on():
    ids = iter(range(11, 99))
    ledger = Ledger(7, 10, lambda: next(ids))
    rings = Ring("serial", (Leg("user:1", "Ana"), Leg("user:2", "Bob"), Leg("user:3", "Cyd")), 20)
    begun = CallState(id="10", seed=1, began=1_000, now=1_000, phase="ringing", home=LISBON, via=LISBON)
    first = Incoming(1_000, CALLER, "+14155550199")
    ledger.after(Step(event=first, reasons=(), verbs=(rings,), config=1), begun)
    over = replace(begun, phase="over", now=26_000, outcome="x")
    ledger.after(Step(event=HungUp(26_000), reasons=(), verbs=(), config=1), over)
    legs = [ledger.changed[id] for id in (11, 12, 13)]
    assert [(leg.rang, leg.ended, leg.cause) for leg in legs] == [
        (1_000, 26_000, "caller_left"), (21_000, 26_000, "caller_left"), (0, 26_000, "not_rung")
    ]  # fmt: skip
    assert ledger.changed[10].state == "missed"
