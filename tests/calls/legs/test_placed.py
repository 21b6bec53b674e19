"""Calls that are placed by a server without telephones: one that has some rings the user, until it is given up."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from offhook.calls import store
from offhook.calls.legs.mailbox import Mailbox
from offhook.calls.legs.placed import Placed, Placement, Unbegun
from offhook.calls.legs.wishes import HangUp
from offhook.kit import clock
from offhook.kit.errors import Conflict
from offhook.routing.plan import Outgoing, Ring
from tests.api.desk import Company
from tests.calls.scripted import ANA, Phone, Process, lisbon
from tests.telephony.phones.test_phones import device, new_password, register

V1, V2 = "/api/offhook/v1", "/api/v2/call"
NUMBER = "+14155550123"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def placed(process: Process, **more: Any) -> Placed:
    return Placed(process.desk.offhook.writer, process.desk.offhook.snapshots.of, **more)


class Ringing:
    """A process with telephones, which rings until it is given up."""

    here = True

    def __init__(self, process: Process) -> None:
        self.process, self.placed = process, placed(process)
        self.asked: list[tuple[int, str, tuple[str, ...], str]] = []
        self.times: list[datetime] = []
        self.going: list[int] = []
        self.refused = ""

    async def reached(self, tenant_id: int, devices: tuple[str, ...]) -> bool:
        return True

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        self.asked.append((tenant_id, who, devices, number))
        self.times.append(clock.now())
        if self.refused:
            raise Conflict(self.refused)
        self.going.append(id := self.process.calls.new_id())
        await self.placed.begun(Placement(tenant_id, id, who, devices, number, 45))
        return id

    def rings(self, tenant_id: int, id: int) -> bool:
        return tenant_id == self.process.tenant and id in self.going

    def give_up(self, tenant_id: int, id: int) -> bool:
        if not self.rings(tenant_id, id):
            return False
        self.going.remove(id)
        return True


class Others:
    """Processes that look for what is wished while one asks."""

    def __init__(self, process: Process, several: int = 1) -> None:
        offhook = process.desk.offhook
        self.process = process
        self.ringing = [Ringing(process) for _ in range(several)]
        self.mailboxes = [
            Mailbox(offhook.reader, offhook.writer, process.desk.ids, process.calls, one) for one in self.ringing
        ]

    async def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """A request to the server itself, which has no telephones."""

        async def looks() -> None:
            while True:
                await asyncio.gather(*(mailbox.look() for mailbox in self.mailboxes))
                await asyncio.sleep(0.01)

        task = asyncio.ensure_future(looks())
        try:
            return await self.process.company.live.sending(method, path, body, headers=headers or {})
        finally:
            task.cancel()


def telephone(company: Company) -> tuple[str, str]:
    """A user, and their telephone that is registered with whatever process."""
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    register(company, name, ("sip:a@10.0.0.7", 300))
    return str(company.live.get(f"{V1}/phones/{id}").json["owner_id"]), id


def test_one_of_the_servers_with_telephones_rings_the_user_and_it_is_hung_up_while_it_rings(company: Company):
    user, phone = telephone(company)
    process = Process(company, *lisbon(ANA))
    others = Others(process, several=2)

    async def story() -> None:
        answer = await others.ask("POST", V2, {"user_id": user, "phone_number": NUMBER})
        assert answer.status == 200, answer
        asked = [one for ringing in others.ringing for one in ringing.asked]
        assert asked == [(process.tenant, f"user:{user}", (phone,), NUMBER)]
        id = answer.json["call_id"]
        assert [one for ringing in others.ringing for one in ringing.going] == [int(id)]
        other = await process.company.sandbox.sending("PUT", f"{V2}/{id}/actions/hangup")
        assert other.status == 404
        answer = await others.ask("PUT", f"{V2}/{id}/actions/hangup")
        assert (answer.status, answer.json) == (200, {})
        assert [one for ringing in others.ringing for one in ringing.going] == []
        for ringing in others.ringing:
            await ringing.placed.over(process.tenant, int(id), Unbegun(given_up=True))
        again = await others.ask("PUT", f"{V2}/{id}/actions/hangup")
        assert (again.status, again.errors[0]["message"]) == (409, f"The call {id} is over.")

    process.run(story())


def test_why_nobody_is_rung_there_is_told_here(embedded: Company):
    user, _ = telephone(embedded)
    process = Process(embedded, *lisbon(ANA))
    others = Others(process)
    others.ringing[0].refused = "The company is full."

    async def story() -> None:
        answer = await others.ask("POST", V2, {"user_id": user, "phone_number": NUMBER})
        assert (answer.status, answer.errors[0]["message"]) == (409, "The company is full.")

    process.run(story())


def test_where_no_server_with_telephones_answers_that_is_told_and_nobody_is_rung_later(
    embedded: Company, monkeypatch: pytest.MonkeyPatch
):
    user, _ = telephone(embedded)
    process = Process(embedded, *lisbon(ANA))
    others = Others(process)
    monkeypatch.setattr("offhook.calls.legs.mailbox.PATIENCE_SECONDS", 0.1)

    async def story() -> None:
        answer = await embedded.live.sending("POST", V2, {"user_id": user, "phone_number": NUMBER})
        assert answer.status == 503
        await others.mailboxes[0].look()
        await process.settle()
        assert others.ringing[0].asked == []

    process.run(story())


def test_what_a_process_that_died_left_is_taken_away(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    others = Others(process)

    async def story() -> None:
        died, id = placed(process, wall=lambda: 0.0), process.calls.new_id()
        await died.begun(Placement(process.tenant, id, "user:1", ("1",), NUMBER, 45))
        await others.mailboxes[0].look()
        await process.calls.sweep()
        again = await embedded.live.sending("PUT", f"{V2}/{id}/actions/hangup")
        assert (again.status, again.errors[0]["message"]) == (409, f"The call {id} is over.")
        shown = await embedded.live.sending("GET", f"{V2}/{id}")
        assert (shown.json["state"], shown.json["ended_by"]) == ("missed", "lost")

    process.run(story())


# Kept


def test_a_call_that_is_placed_is_under_way_while_its_user_is_rung(company: Company):
    user, _ = telephone(company)
    process = Process(company, *lisbon(ANA))
    others = Others(process)

    async def story() -> None:
        id = (await others.ask("POST", V2, {"user_id": user, "phone_number": NUMBER})).json["call_id"]
        ask = process.company.live.sending
        shown = (await ask("GET", f"{V2}/{id}")).json
        assert (shown["state"], shown["direction"], shown["external_number"]) == ("calling", "outbound", NUMBER)
        assert (shown["target"]["type"], shown["target"]["id"]) == ("user", user)
        name = shown["target"]["name"]
        [live] = (await ask("GET", f"{V1}/calls/live")).json["items"]
        assert (live["id"], live["words"], live["caller_name"]) == (id, f"Ringing {name}", name)
        trace = (await ask("GET", f"{V1}/calls/{id}/trace")).json
        assert f"{name} is rung first, and {NUMBER} is dialled once they answer." in trace["text"]
        assert (await process.company.sandbox.sending("GET", f"{V2}/{id}")).status == 404
        denied = await others.ask("POST", f"{V2}/{id}/transfer", {"to": {"number": "+14155550199"}})
        assert denied.status == 409
        assert "still rung" in denied.errors[0]["message"]
        # It begins, under the same id.
        phone = Phone()
        await process.calls.begin(process.tenant, Outgoing(0, f"user:{user}", NUMBER), phone, id=int(id))
        await others.ringing[0].placed.over(process.tenant, int(id), None)
        kept = await process.desk.offhook.reader.run(lambda tx: store.get(tx, process.tenant, int(id)))
        assert kept is not None
        assert "placed" not in str(await process.retold(int(id)))

    process.run(story())


@pytest.mark.parametrize(
    ("why", "outcome", "cause", "words"),
    [
        (Unbegun("busy"), "not_answered", "busy", "did not take it (busy), so nothing was dialled."),
        (Unbegun(given_up=True), "abandoned", "ended", "It was hung up while"),
        (Unbegun(fault="the server stopped"), "failed", "refused", "nothing was dialled: the server stopped"),
    ],
)
def test_why_a_call_that_was_placed_never_began_is_kept(
    embedded: Company, why: Unbegun, outcome: str, cause: str, words: str
):
    process = Process(embedded, *lisbon(ANA))

    async def story() -> None:
        rung, id = placed(process), process.calls.new_id()
        await rung.begun(Placement(process.tenant, id, "user:1", ("1",), NUMBER, 45))
        await rung.over(process.tenant, id, why)
        ask = embedded.live.sending
        [shown] = (await ask("GET", V2)).json["items"]
        assert (shown["call_id"], shown["state"], shown["ended_by"]) == (str(id), "missed", cause)
        [kept] = (await ask("GET", f"{V1}/calls")).json["items"]
        assert (kept["phase"], kept["outcome"], kept["dialled"]) == ("over", outcome, NUMBER)
        assert words in (await ask("GET", f"{V1}/calls/{id}/trace")).json["text"]
        ladder = (await ask("GET", f"{V1}/calls/{id}/ladder")).json
        assert ladder["over"]
        assert (await ask("GET", f"{V1}/calls/live")).json["items"] == []

    process.run(story())


# At whatever moment a request pretends to be made


def recent(moment: datetime) -> bool:
    return abs(clock.now() - moment) < timedelta(minutes=5)


def test_a_call_is_placed_and_hung_up_by_the_time_that_it_is(embedded: Company):
    process = Process(embedded, *lisbon(ANA))
    others = Others(process)

    async def story() -> None:
        with clock.at(LONG_AGO):
            await others.mailboxes[0].place(process.tenant, "user:1", ("1",), NUMBER)
            id, phone = await process.rings()
            await phone.given(Ring)
            await others.mailboxes[0].ask(process.tenant, id, HangUp())
            assert clock.now() == LONG_AGO
        await process.calls.over(id)
        trace, _ = await process.retold(id)
        ended = datetime.fromtimestamp(trace.steps[-1].event.at / 1000, UTC)
        assert recent(ended)
        assert all(map(recent, others.ringing[0].times))

    process.run(story())
