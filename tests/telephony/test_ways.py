"""Who is reached where, and whose call came in."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from offhook.kit.errors import Unavailable
from offhook.kit.places import Allowed
from offhook.telephony import port
from offhook.telephony import ways as telephony_ways
from offhook.telephony.origin import Origin
from offhook.telephony.process import Worker
from offhook.telephony.room import Full
from offhook.telephony.telephone import Way
from offhook.telephony.trunks.names import Names
from offhook.telephony.ways import Ways
from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.api.desk import Company
from tests.telephony.phones.test_phones import account, device, new_password, register
from tests.telephony.trunks.test_trunks import made

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]

NUMBER = "+14155550100"


def number(company: Company, dialled: str, *, emergency: bool = False, ways: Ways | None = None) -> Way | None:
    ways = ways or company.desk.offhook.ways
    return company.desk.run(ways.of_number(company.tenant(), dialled, emergency=emergency))


def came(company: Company, **fields: Any) -> Origin | None:
    given = {"leg": 1, "caller": "", "dialled": "", "source": ("10.0.0.1", 5060)}
    return company.desk.run(company.desk.offhook.ways.origin(port.Incoming(**{**given, **fields})))


def reached(company: Company, id: str, tenant: int | None = None) -> list[Way]:
    return company.desk.run(company.desk.offhook.ways.of_device(tenant or company.tenant(), id))


def test_a_telephone_is_rung_where_it_registered_from(company: Company):
    id = device(company)
    assert reached(company, id) == []
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    register(company, name, ("sip:a@192.168.1.5:5062", 300), source=("203.0.113.9", 61000))
    register(company, name, ("sip:a@192.168.1.6", 600), source=("203.0.113.9", 61001), call_id="other")
    assert reached(company, id) == [
        Way(uri="sip:a@192.168.1.6", address=("203.0.113.9", 61001)),
        Way(uri="sip:a@192.168.1.5:5062", address=("203.0.113.9", 61000)),
    ]
    assert reached(company, id, company.tenant("sandbox")) == []
    assert reached(company, "x") == []


def test_no_number_is_called_without_a_carrier(company: Company):
    assert number(company, NUMBER) is None
    made(company.live, prefixes=[])
    assert number(company, NUMBER) is None


def test_a_number_is_called_by_the_carrier_that_allows_it(company: Company):
    id = int(made(company.live, domain="example.com")["id"])
    assert number(company, NUMBER) == Way(
        uri=f"sip:{NUMBER}@example.com;user=phone", address=("1.1.1.1", 5060), trunk=id
    )
    assert number(company, "+442079460123") is None
    company.live.patch(f"/api/offhook/v1/trunks/{id}", {"enabled": False})
    assert number(company, NUMBER) is None


def test_why_a_number_is_called_by_no_carrier_is_said(company: Company):
    def why(dialled: str, *, emergency: bool = False) -> str:
        ways = company.desk.offhook.ways
        return company.desk.run(ways.why_not(company.tenant(), dialled, emergency=emergency))

    assert why(NUMBER) == why("911", emergency=True) == "the company has no trunk (offhook trunk add connects one)"
    trunk = made(company.live, enabled=False)
    assert why(NUMBER) == why("911", emergency=True) == f"the trunk {trunk['name']} that would take it is disabled"
    assert why("+442079460123").startswith("no trunk takes +442079460123")
    assert why("") == "it has more than digits"
    with away(company):
        assert why(NUMBER) == why("911", emergency=True) == "the store does not say which trunks there are"


@pytest.mark.parametrize("dialled", ["", "+1415555010\r\n", "+1415;phone-context=x", "sip:1@x", "+٣٣"])
def test_what_is_no_number_is_not_called(company: Company, dialled: str):
    made(company.live, prefixes=["+1", "+3"], emergency=True)
    assert number(company, dialled) is None
    assert number(company, dialled, emergency=True) is None


def test_help_is_called_whatever_the_list_and_the_bound(company: Company):
    other = int(made(company.live, most_calls=1)["id"])
    busy = Ways(company.desk.offhook.reader, company.desk.offhook.registrar, Allowed(), lambda _: 5)
    assert number(company, NUMBER, ways=busy) is None
    way = number(company, "911", emergency=True, ways=busy)
    assert way == Way(uri="sip:911@1.1.1.1", address=("1.1.1.1", 5060), trunk=other)
    first = int(made(company.live, name="Help", emergency=True, prefixes=[], proxy="8.8.8.8:5080")["id"])
    way = number(company, "911", emergency=True, ways=busy)
    assert way == Way(uri="sip:911@8.8.8.8:5080", address=("8.8.8.8", 5080), trunk=first)
    found = [
        company.desk.run(busy.of_number(company.tenant(), "911", emergency=True, but=without))
        for without in ((first,), (first, other))
    ]
    assert [way and way.trunk for way in found] == [other, None]


def test_a_name_that_leads_to_a_private_place_is_not_called(company: Company):
    made(company.live, proxy="localhost:5070")
    offhook = company.desk.offhook
    assert number(company, NUMBER) is None
    allowed = Ways(offhook.reader, offhook.registrar, Allowed.read("localhost:5070"))
    way = number(company, NUMBER, ways=allowed)
    assert way is not None
    assert way.address == ("127.0.0.1", 5070)
    assert way.uri == f"sip:{NUMBER}@localhost:5070;user=phone"


def test_a_name_that_is_not_found_now_is_called_where_it_was(company: Company):
    made(company.live, proxy="sip.example.com:5070")
    answers: list[tuple[str, ...]] = [("1.1.1.1",), ("10.0.0.5",), (), ("10.0.0.5", "8.8.8.8")]

    def look(_host: str, _port: int) -> tuple[str, ...]:
        found = answers.pop(0)
        if not found:
            raise OSError("no such name")
        return found

    offhook = company.desk.offhook
    ways = Ways(offhook.reader, offhook.registrar, Allowed(), names=Names(look))
    found = [number(company, NUMBER, ways=ways) for _ in range(4)]
    assert [way and way.address for way in found] == [("1.1.1.1", 5070), None, ("1.1.1.1", 5070), ("8.8.8.8", 5070)]


@pytest.mark.parametrize(
    "dialled", ["+14155550100", "14155550100", "4155550100", "(415) 555-0100", "011 1 415 555 0100"]
)
def test_a_carriers_call_is_its_companys_in_e164(company: Company, dialled: str):
    id = int(made(company.live)["id"])
    found = came(company, trunk=id, dialled=dialled, caller="02079460123")
    assert found == Origin(company.tenant(), caller="02079460123", number=NUMBER)
    assert came(company, trunk=id, dialled="100", caller="anonymous") == Origin(
        company.tenant(), caller="anonymous", number="100"
    )


def test_a_carriers_numbers_are_read_as_its_country_dials(company: Company):
    id = int(made(company.live, country="GB", prefixes=[])["id"])
    found = came(company, trunk=id, dialled="442079460123", caller="07700900123")
    assert found == Origin(company.tenant(), caller="+447700900123", number="+442079460123")


@pytest.mark.parametrize(("sent", "caller"), [
    ("user:1", "user%3A1"),
    ("room:7211451987554304123", "room%3A7211451987554304123"),
    ("user:1234567890123456", "user%3A1234567890123456"),
    ("contact:1", "contact%3A1"),
])  # fmt: skip
def test_no_carriers_caller_looks_like_one_of_the_company(embedded: Company, sent: str, caller: str):
    id = int(made(embedded.live)["id"])
    found = came(embedded, trunk=id, dialled=NUMBER, caller=sent)
    assert found == Origin(embedded.tenant(), caller=caller, number=NUMBER)


def test_a_carrier_that_is_gone_or_full_brings_nobody(company: Company):
    id = int(made(company.live, most_calls=1)["id"])
    offhook = company.desk.offhook
    full = Ways(offhook.reader, offhook.registrar, Allowed(), lambda trunk: 1 if trunk == id else 0)
    incoming = port.Incoming(leg=1, caller="", dialled=NUMBER, source=("10.0.0.1", 5060), trunk=id)
    with pytest.raises(Full):
        company.desk.run(full.origin(incoming))
    assert came(company, trunk=id, dialled=NUMBER) is not None
    company.live.delete(f"/api/offhook/v1/trunks/{id}")
    assert came(company, trunk=id, dialled=NUMBER) is None
    assert came(company, dialled=NUMBER) is None


def test_a_carrier_of_two_companies_is_that_of_whoever_has_the_number(company: Company):
    other, here = company.desk.found(), "198.51.100.7"
    mine = int(made(company.live, addresses=[here])["id"])
    theirs = int(made(other.live, addresses=[here + "/32"], most_calls=1)["id"])
    company.add_number("+14152007711")
    other.add_number("+14152007722")

    def asked(dialled: str, trunk: int, source: str = here) -> Origin | None:
        return came(company, trunk=trunk, dialled=dialled, source=(source, 5060))

    # Whichever the worker knew of.
    for known in (mine, theirs):
        for dialled in ("+14152007711", "4152007711"):
            found = asked(dialled, known)
            assert found is not None
            assert (found.tenant_id, found.number) == (company.tenant(), "+14152007711")
        found = asked("+14152007722", known)
        assert found is not None
        assert found.tenant_id == other.tenant()
    # A number of nobody's is refused by whoever the worker knew of.
    nobodys = asked("+14152007733", theirs)
    assert nobodys is not None
    assert nobodys.tenant_id == other.tenant()
    # From elsewhere the number alone opens nothing.
    far = asked("+14152007722", mine, source="198.51.100.8")
    assert far is not None
    assert far.tenant_id == company.tenant()


def test_a_carrier_of_two_companies_is_told_apart_also_where_they_dial_differently(embedded: Company):
    other, here = embedded.desk.found(), "198.51.100.9"
    mine = int(made(embedded.live, addresses=[here], country="GB", prefixes=["+44"])["id"])
    theirs = int(made(other.live, addresses=[here])["id"])
    other.add_number("+14152007744")
    found = came(embedded, trunk=mine, dialled="4152007744", source=(here, 5060))
    assert found is not None
    assert (found.tenant_id, found.number) == (other.tenant(), "+14152007744")
    # One that is switched off takes no calls.
    other.live.patch(f"/api/offhook/v1/trunks/{theirs}", {"enabled": False})
    found = came(embedded, trunk=mine, dialled="4152007744", source=(here, 5060))
    assert found is not None
    assert found.tenant_id == embedded.tenant()


def test_a_carrier_of_two_companies_is_found_by_the_network_too_that_one_of_them_names(embedded: Company):
    other = embedded.desk.found()
    mine = int(made(embedded.live, addresses=["203.0.113.255"])["id"])
    theirs = int(made(other.live, addresses=["203.0.113.0/24"])["id"])
    other.add_number("+14152007766")
    for host, known in (("203.0.113.255", mine), ("203.0.113.0", theirs)):
        found = came(embedded, trunk=known, dialled="+14152007766", source=(host, 5060))
        assert found is not None
        assert found.tenant_id == other.tenant()


def test_a_call_is_counted_by_the_carrier_that_it_is_of(embedded: Company):
    other, here = embedded.desk.found(), "198.51.100.10"
    mine = int(made(embedded.live, addresses=[here])["id"])
    theirs = int(made(other.live, addresses=[here], most_calls=1)["id"])
    other.add_number("+14152007755")
    offhook = embedded.desk.offhook
    loads = {mine: 50, theirs: 0}
    counted: list[tuple[int, int]] = []
    ways = Ways(
        offhook.reader, offhook.registrar, Allowed(), loads.__getitem__, count=lambda *one: counted.append(one)
    )  # fmt: skip
    incoming = port.Incoming(leg=1, caller="", dialled="+14152007755", source=(here, 5060), trunk=mine)
    assert embedded.desk.run(ways.origin(incoming)) is not None
    assert counted == [(1, theirs)]
    loads[theirs] = 1
    with pytest.raises(Full):
        embedded.desk.run(ways.origin(incoming))
    assert len(counted) == 1


def test_of_two_calls_that_come_together_where_there_is_room_for_one_a_carrier_brings_exactly_one(company: Company):
    id, offhook = int(made(company.live, most_calls=1)["id"]), company.desk.offhook

    async def nobody(_event: port.Event) -> None:
        pass

    async def story() -> list[Origin | BaseException | None]:
        worker = Worker((), nobody)
        ways = Ways(offhook.reader, offhook.registrar, Allowed(), worker.on_trunk, count=worker.by_trunk)
        came = [
            port.Incoming(leg=leg, caller="", dialled=NUMBER, source=("10.0.0.1", 5060), trunk=id) for leg in (1, 3)
        ]
        for one in came:
            worker._hear(one)
        found = await asyncio.gather(*map(ways.origin, came), return_exceptions=True)
        [taken] = [one.leg for one, said in zip(came, found, strict=True) if isinstance(said, Origin)]
        # Once that one is over there is room again.
        worker._hear(port.Down(leg=taken))
        [other] = [one for one in came if one.leg != taken]
        return [*found, await ways.origin(other)]

    found = company.desk.run(story())
    assert sorted(type(one).__name__ for one in found) == ["Full", "Origin", "Origin"]


def test_a_telephones_call_is_its_owners(company: Company):
    id = device(company)
    shown = new_password(company.live, id)["phone"]
    name = shown["settings"]["username"]
    assert came(company, username=name, dialled="9") == Origin(
        company.tenant(), who=f"user:{shown['owner_id']}", number="9"
    )
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": str(company.office_ids["live"])}).json[
        "id"
    ]
    other = company.live.post(f"/api/offhook/v1/rooms/{room}/devices", {}).json["id"]
    name = new_password(company.live, other)["phone"]["settings"]["username"]
    assert came(company, username=name, dialled="9") == Origin(company.tenant(), who=f"room:{room}", number="9")
    assert came(company, username="nobody", dialled="9") is None


def know_carriers(company: Company, ways: Ways) -> None:
    """Remember them, and find their names, those of other tests among them: nothing is looked up for real."""

    async def known() -> None:
        before = ways._names
        if ways is company.desk.offhook.ways:
            ways._names = Names(lambda _host, _port: ("1.1.1.1",))
        await ways.know_carriers()
        assert ways._finding is not None
        await ways._finding
        ways._names = before

    company.desk.run(known())


class Away:
    """A reader of a store that cannot be read."""

    async def run(self, _function: Any) -> Any:
        raise Unavailable("The store cannot be reached.")

    async def briefly(self, function: Any) -> Any:
        return await self.run(function)


@contextmanager
def away(company: Company) -> Iterator[None]:
    """The store cannot be read meanwhile."""
    offhook = company.desk.offhook
    kept = offhook.ways._reader, offhook.registrar._reader
    offhook.ways._reader = offhook.registrar._reader = Away()  # type: ignore[assignment]
    try:
        yield
    finally:
        offhook.ways._reader, offhook.registrar._reader = kept


def test_help_is_called_by_the_last_known_carriers_and_nothing_else_is_where_the_store_is_away(company: Company):
    id = int(made(company.live)["id"])
    with away(company), pytest.raises(Unavailable):
        number(company, "911", emergency=True)
    know_carriers(company, company.desk.offhook.ways)
    with away(company):
        way = number(company, "911", emergency=True)
        assert way == Way(uri="sip:911@1.1.1.1", address=("1.1.1.1", 5060), trunk=id)
        with pytest.raises(Unavailable):
            number(company, NUMBER)
    company.live.delete(f"/api/offhook/v1/trunks/{id}")
    assert number(company, "911", emergency=True) is None
    with away(company):
        assert number(company, "911", emergency=True) is None


def test_whose_a_telephone_is_is_remembered_from_when_it_proved_itself(company: Company):
    id = device(company)
    name = new_password(company.live, id)["phone"]["settings"]["username"]
    with away(company), pytest.raises(Unavailable):
        came(company, username=name, dialled="911")
    known = account(company, name)
    owner = company.live.get(f"/api/offhook/v1/phones/{id}").json["owner_id"]
    assert came(company, username=name, dialled="911") == Origin(company.tenant(), who=f"user:{owner}", number="911")
    with away(company):
        assert account(company, name) == known
        assert came(company, username=name, dialled="911") == Origin(
            company.tenant(), who=f"user:{owner}", number="911", recalled=True
        )
    company.desk.offhook.registrar.forget_account(name)
    with away(company), pytest.raises(Unavailable):
        account(company, name)


def test_a_store_that_does_not_answer_holds_up_no_call_for_help(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telephony_ways, "HELP_SECONDS", 0.01)
    id = device(embedded)
    name = new_password(embedded.live, id)["phone"]["settings"]["username"]
    trunk = int(made(embedded.live)["id"])
    account(embedded, name)
    know_carriers(embedded, embedded.desk.offhook.ways)

    async def hangs(_self: Away, _function: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(Away, "run", hangs)
    with away(embedded):
        found = came(embedded, username=name, dialled="911")
        assert found is not None
        assert found.recalled
        way = number(embedded, "911", emergency=True)
        assert way is not None
        assert way.trunk == trunk


def test_a_name_of_a_carrier_for_help_is_not_waited_for_that_was_found_before(
    embedded: Company, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(telephony_ways, "HELP_SECONDS", 0.01)
    monkeypatch.setattr(telephony_ways, "LOOK_UP_SECONDS", 60.0)
    made(embedded.live, proxy="sip.example.com:5070")
    there = threading.Event()
    there.set()

    def look(_host: str, _port: int) -> tuple[str, ...]:
        return ("1.1.1.1",) if there.wait(2) else ("8.8.8.8",)

    offhook = embedded.desk.offhook
    ways = Ways(offhook.reader, offhook.registrar, Allowed(), names=Names(look))
    first = number(embedded, "911", emergency=True, ways=ways)
    there.clear()
    try:
        assert number(embedded, "911", emergency=True, ways=ways) == first
        assert first is not None
    finally:
        there.set()


def test_a_carrier_that_fills_while_its_name_is_looked_up_is_full(embedded: Company):
    made(embedded.live, proxy="sip.example.com:5070", most_calls=1, emergency=True)
    calls = [0]

    def look(_host: str, _port: int) -> tuple[str, ...]:
        calls[0] += 1
        return ("1.1.1.1",)

    offhook = embedded.desk.offhook
    ways = Ways(offhook.reader, offhook.registrar, Allowed(), lambda _: calls[0], names=Names(look))
    assert number(embedded, NUMBER, ways=ways) is None
    assert calls == [1]
    assert number(embedded, "911", emergency=True, ways=ways) is not None


def test_the_names_of_carriers_for_help_are_found_before_anybody_calls(embedded: Company):
    made(embedded.live, proxy="sip.example.com:5070")
    there = [True]

    def look(_host: str, _port: int) -> tuple[str, ...]:
        if not there[0]:
            raise OSError("no such name")
        return ("1.1.1.1",)

    offhook = embedded.desk.offhook
    ways = Ways(offhook.reader, offhook.registrar, Allowed(), names=Names(look))
    know_carriers(embedded, ways)
    there[0] = False
    way = number(embedded, "911", emergency=True, ways=ways)
    assert way is not None
    assert way.address == ("1.1.1.1", 5070)
