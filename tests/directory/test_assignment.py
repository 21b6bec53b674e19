"""Numbers and what has them: assigned, taken back, exchanged and deleted, each on a line of the office's plan."""

from functools import partial
from typing import Any

import pytest
from dialpad.schemas.number import NumberProto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offhook.billing import licences
from offhook.billing.model import LINES
from offhook.directory.assignment.service import moved
from offhook.directory.work import Holding
from offhook.kit.errors import Conflict
from offhook.numbers import store
from offhook.storage.database import Statement, Transaction
from tests.api.desk import OFFICES, WHOLE, Answer, Api, Company, Desk, office
from tests.published import misfits

NUMBERS = "/api/v2/numbers"
ROOMS = "/api/v2/rooms"
V1 = "/api/offhook/v1"


def buy(company: Company, office_id: Any = None, environment: str = "sandbox", **lines: int) -> None:
    """Give an office's plan these lines."""
    office_id = int(office_id or company.office_ids[environment])  # type: ignore[index]

    def write(tx: Transaction) -> None:
        for line, count in lines.items():
            tx.change(Statement(f"UPDATE plans SET {line} = ? WHERE office_id = ?"), count, office_id)

    company.desk.transact(write)


def _bare(made: Company) -> Company:
    """A company whose sandbox has lost the lines that it came with, so that those in these tests are all there are."""
    buy(made, None, "sandbox", **dict.fromkeys(LINES, 0))
    return made


@pytest.fixture
def company(desk: Desk) -> Company:
    return _bare(desk.found())


@pytest.fixture
def embedded(sqlite_desk: Desk) -> Company:
    return _bare(sqlite_desk.found())


def room(caller: Api, company: Company, **changes: Any) -> str:
    """A room in the sandbox's primary office."""
    answer = caller.post(ROOMS, {"name": "Lobby", "office_id": str(company.office_ids["sandbox"]), **changes})
    assert answer.status == 200, answer
    return str(answer.json["id"])


def free_lines(caller: Api, company: Company) -> dict[str, int]:
    answer = caller.get(f"{OFFICES}/{company.office_ids['sandbox']}/available_licenses")
    return {line: int(count) for line, count in answer.json.items() if count != "0"}


def events(caller: Api, number: str) -> list[str]:
    return [event["event"] for event in caller.events() if event["subject_id"] == number]


def numbers_of(caller: Api, path: str) -> list[str]:
    found: list[str] = caller.get(path).json.get("phone_numbers", [])
    return found


def test_a_room_gets_a_number_and_gives_it_back(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1)
    id, number = room(caller, company), company.numbers[5]
    given_ = caller.post(f"{ROOMS}/{id}/assign_number", {"number": number})
    assert given_.status == 200, given_
    assert misfits(given_.json, NumberProto) == []
    assert given_.json == {
        "number": number,
        "company_id": str(company.id),
        "office_id": str(company.office_ids["sandbox"]),
        "area_code": number[2:5],
        "status": "room",
        "type": "local",
        "target_type": "room",
        "target_id": id,
    }
    shown = caller.get(f"{ROOMS}/{id}").json
    assert (shown["phone_numbers"], shown["is_free"]) == ([number], False)
    assert caller.get(f"{NUMBERS}/{number}").json == given_.json
    assert free_lines(caller, company) == {}
    back = caller.post(f"{ROOMS}/{id}/unassign_number", {"number": number})
    assert misfits(back.json, NumberProto) == []
    assert back.json == {
        "number": number,
        "company_id": str(company.id),
        "area_code": number[2:5],
        "status": "available",
        "type": "local",
    }
    assert "phone_numbers" not in caller.get(f"{ROOMS}/{id}").json
    assert free_lines(caller, company) == {"room_lines": 1}
    assert events(caller, number) == ["number.assigned", "number.released"]
    assert events(caller, id) == ["room.created", "room.updated", "room.updated"]


def test_the_first_number_uses_its_own_kind_of_line_and_each_other_an_additional_one(company: Company):
    caller = company.sandbox
    buy(company, room_lines=5, additional_number_lines=5)
    id = room(caller, company)
    for number in company.numbers[:3]:
        assert caller.post(f"{ROOMS}/{id}/assign_number", {"number": number, "primary": False}).status == 200
    assert numbers_of(caller, f"{ROOMS}/{id}") == company.numbers[:3]
    assert free_lines(caller, company) == {"room_lines": 4, "additional_number_lines": 3}
    caller.post(f"{ROOMS}/{id}/unassign_number", {"number": company.numbers[0]})
    assert free_lines(caller, company) == {"room_lines": 5, "additional_number_lines": 3}
    caller.post(f"{ROOMS}/{id}/assign_number", {"number": company.numbers[0]})
    assert numbers_of(caller, f"{ROOMS}/{id}") == [company.numbers[0], *company.numbers[1:3]]
    assert free_lines(caller, company) == {"room_lines": 4, "additional_number_lines": 3}


def test_a_toll_free_number_uses_the_toll_free_kind_of_line(company: Company):
    caller = company.sandbox
    first, second = (company.add_number(f"+44808157010{serial}", "sandbox") for serial in (1, 2))
    buy(company, room_lines=1, additional_number_lines=1, tollfree_room_lines=1, tollfree_additional_number_lines=1)
    id = room(caller, company)
    assert caller.post(f"{ROOMS}/{id}/assign_number", {"number": first}).json["type"] == "tollfree"
    assert free_lines(caller, company) == {
        "room_lines": 1, "additional_number_lines": 1, "tollfree_additional_number_lines": 1
    }  # fmt: skip
    caller.post(f"{ROOMS}/{id}/assign_number", {"number": second})
    assert free_lines(caller, company) == {"room_lines": 1, "additional_number_lines": 1}
    caller.delete(f"{ROOMS}/{id}")
    assert len(free_lines(caller, company)) == 4


def test_without_a_free_line_nothing_is_assigned_and_the_refusal_says_what_to_buy(company: Company):
    caller, id = company.sandbox, room(company.sandbox, company)
    for body in ({"number": company.numbers[3]}, {}, {"area_code": "907"}):
        refused = caller.post(f"{ROOMS}/{id}/assign_number", body)
        assert refused.status == 409
        assert "room_lines" in refused.errors[0]["message"]
    assert caller.get(f"{NUMBERS}/{company.numbers[3]}").json["status"] == "available"
    assert caller.get(f"{NUMBERS}/+19075550100").status == 404
    assert len(events(caller, id)) == 1


def test_a_number_that_is_taken_is_409_and_one_that_there_is_not_400(company: Company):
    caller = company.sandbox
    buy(company, room_lines=2)
    one, other = room(caller, company), room(caller, company, name="Bar")
    number = company.numbers[0]
    caller.post(f"{ROOMS}/{one}/assign_number", {"number": number})
    taken = caller.post(f"{ROOMS}/{other}/assign_number", {"number": number})
    assert (taken.status, taken.places) == (409, ["number"])
    assert f"room {one}" in taken.errors[0]["message"]
    missing = caller.post(f"{ROOMS}/{other}/assign_number", {"number": "+19075550100"})
    assert (missing.status, missing.errors[0]["reason"], missing.places) == (400, "notFound", ["number"])
    assert numbers_of(caller, f"{ROOMS}/{other}") == []


def test_every_fault_of_an_assignment_is_named_at_once(company: Company):
    caller = company.sandbox
    wrong: Any = {"target_type": "channel", "target_id": "x", "number": "4155550100"}
    refused = caller.post(f"{NUMBERS}/assign", wrong)
    assert (refused.status, refused.places) == (400, ["number", "target_id", "target_type"])
    assert "+" in next(error["message"] for error in refused.errors if error["location"] == "number")
    wrong = {"target_type": "room", "target_id": 12, "number": "+19075550100"}
    assert caller.post(f"{NUMBERS}/assign", wrong).places == ["number", "target_id"]
    assert caller.post(f"{NUMBERS}/assign", {"area_code": "(415)"}).places == ["target_id", "target_type"]
    wrong = {"target_type": "room", "target_id": 12, "area_code": "(415)"}
    assert caller.post(f"{NUMBERS}/assign", wrong).places == ["area_code", "target_id"]
    wrong = {"target": {"target_type": "room", "target_id": 12}, "swap_details": {"type": "area_code"}}
    assert caller.post(f"{NUMBERS}/swap", wrong).places == ["swap_details.area_code", "target.target_id"]
    assert caller.post(f"{NUMBERS}/4155550100/assign", {"target_type": "room", "target_id": 1}).places == ["number"]


def test_by_area_code_the_offices_own_pool_comes_first_then_the_companys_then_the_carrier(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1, additional_number_lines=5)
    id, mine = room(caller, company), str(company.office_ids["sandbox"])
    own = "+19075550150"
    listed = f'{{"number": "{own}", "office_id": "{mine}"}}\n{{"number": "+19075550110"}}\n'
    headers = {"content-type": "application/x-ndjson"}
    assert caller.post(f"{V1}/numbers/import", content=listed.encode(), headers=headers).json["created"] == 2
    got = [caller.post(f"{ROOMS}/{id}/assign_number", {"area_code": "907"}).json["number"] for _ in range(3)]
    # Alaska is not in the sandbox's stock: the third is ordered, the first of that area that is not there.
    assert got == [own, "+19075550110", "+19075550100"]
    assert events(caller, got[2]) == ["number.added", "number.assigned"]
    # The ordered one is the company's, and goes back to its pool.
    caller.post(f"{ROOMS}/{id}/unassign_number", {"number": own})
    assert caller.get(f"{NUMBERS}/{own}").json["office_id"] == mine
    refused = caller.post(f"{ROOMS}/{id}/assign_number", {"area_code": "555"})
    assert (refused.status, refused.places) == (409, ["area_code"])
    assert "import" in refused.errors[0]["message"]


def test_a_live_company_gets_only_what_was_imported(company: Company):
    caller = company.live
    buy(company, environment="live", room_lines=2)
    id = room(caller, company, office_id=str(company.office_ids["live"]))
    refused = caller.post(f"{ROOMS}/{id}/assign_number", {})
    assert refused.status == 409
    assert "Import numbers" in refused.errors[0]["message"]


def test_any_number_is_of_the_offices_country_and_never_toll_free(company: Company):
    caller = company.sandbox
    company.add_number("+442079460123", "sandbox")
    tollfree = company.add_number("+448081570101", "sandbox")
    abroad = caller.made(office(name="London", country="GB", e911_address=None, **LONDON)).id
    buy(company, abroad, room_lines=1, additional_number_lines=2, tollfree_additional_number_lines=1)
    id = room(caller, company, office_id=abroad)
    assert caller.post(f"{ROOMS}/{id}/assign_number", {}).json["number"] == "+442079460123"
    ordered = caller.post(f"{ROOMS}/{id}/assign_number", {}).json
    assert (ordered["number"], ordered["type"]) == ("+442079460000", "local")
    assert caller.post(f"{ROOMS}/{id}/assign_number", {"area_code": "808"}).json["number"] == tollfree


LONDON: dict[str, Any] = {
    "currency": "GBP",
    "timezone": "Europe/London",
    "use_same_address": True,
    "billing_address": {
        "address_line_1": "10 Downing Street",
        "city": "London",
        "region": "London",
        "postal_code": "SW1A 2AA",
        "country": "GB",
    },
}


def test_an_office_gets_further_numbers_and_its_main_line_follows(company: Company):
    caller = company.sandbox
    made = caller.made(office(mainline_number=company.numbers[0]))
    path, id = f"{OFFICES}/{made.id}", made.id
    assert caller.post(f"{path}/assign_number", {"number": company.numbers[1]}).status == 409
    buy(company, id, additional_number_lines=1)
    added = caller.post(f"{path}/assign_number", {"number": company.numbers[1]})
    assert misfits(added.json, NumberProto) == []
    assert numbers_of(caller, path) == [company.numbers[1], company.numbers[0]]
    assert caller.get(f"{WHOLE}/{id}").json["office"]["mainline_number"] == company.numbers[1]
    gone = caller.delete(f"{NUMBERS}/{company.numbers[1]}")
    assert (gone.status, gone.json["status"]) == (200, "available")
    assert numbers_of(caller, path) == [company.numbers[0]]
    assert caller.get(f"{WHOLE}/{id}").json["office"]["mainline_number"] == company.numbers[0]
    assert caller.get(f"{path}/available_licenses").json["additional_number_lines"] == "1"
    back = caller.post(f"{path}/unassign_number", {"number": company.numbers[0]})
    assert back.json["status"] == "available"
    assert "mainline_number" not in caller.get(f"{WHOLE}/{id}").json["office"]
    # A main line is included in the plan, whichever number it is.
    assert caller.post(f"{path}/assign_number", {}).status == 200
    assert caller.get(f"{path}/available_licenses").json["additional_number_lines"] == "1"


def test_when_the_included_main_line_leaves_the_next_number_is_included(company: Company):
    caller = company.sandbox
    made = caller.made(office(mainline_number=company.numbers[0]))
    buy(company, made.id, additional_number_lines=1)
    caller.post(f"{OFFICES}/{made.id}/assign_number", {"number": company.numbers[1], "primary": False})
    lines = f"{OFFICES}/{made.id}/available_licenses"
    assert caller.get(lines).json["additional_number_lines"] == "0"
    caller.post(f"{OFFICES}/{made.id}/unassign_number", {"number": company.numbers[0]})
    assert caller.get(lines).json["additional_number_lines"] == "1"
    assert caller.get(f"{WHOLE}/{made.id}").json["office"]["mainline_number"] == company.numbers[1]


def test_replacing_an_office_exchanges_its_main_line_and_keeps_its_other_numbers(company: Company):
    caller = company.sandbox
    one, two, three = company.numbers[:3]
    made = caller.made(office(mainline_number=one))
    buy(company, made.id, additional_number_lines=1)
    caller.post(f"{OFFICES}/{made.id}/assign_number", {"number": two, "primary": False})
    path = f"{WHOLE}/{made.id}"
    assert caller.put(path, office(mainline_number=three)).json["office"]["phone_numbers"] == [three, two]
    assert caller.get(f"{NUMBERS}/{one}").json["status"] == "available"
    # One that it has becomes the main line; that of before is free.
    assert caller.put(path, office(mainline_number=two)).json["office"]["phone_numbers"] == [two]
    assert caller.get(f"{OFFICES}/{made.id}/available_licenses").json["additional_number_lines"] == "1"
    caller.post(f"{OFFICES}/{made.id}/assign_number", {"number": one, "primary": False})
    kept = caller.put(path, office())
    assert kept.codes >= {"main_line_kept"}
    assert kept.json["office"]["phone_numbers"] == [two, one]
    bare = caller.put(path, {**office(), "mainline_number": None})
    assert bare.codes >= {"main_line_moved"}
    assert "no_number" not in bare.codes
    assert bare.json["office"]["mainline_number"] == one
    assert caller.get(f"{NUMBERS}/{two}").json["status"] == "available"
    deleted = caller.delete(path).json
    assert deleted["released_numbers"] == [one]
    assert caller.get(f"{NUMBERS}/{one}").json["status"] == "available"


def test_the_pool_of_a_deleted_office_is_the_companys(company: Company):
    caller = company.sandbox
    id = caller.made(office()).id
    headers = {"content-type": "text/csv"}
    table = f"number,office_id\n+19075550120,{id}\n".encode()
    assert caller.post(f"{V1}/numbers/import", content=table, headers=headers).json["created"] == 1
    assert caller.get(f"{NUMBERS}/+19075550120").json["office_id"] == id
    caller.delete(f"{WHOLE}/{id}")
    assert "office_id" not in caller.get(f"{NUMBERS}/+19075550120").json


def test_the_number_in_the_path_goes_to_the_target_in_the_body(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1, additional_number_lines=1)
    id, (one, two) = room(caller, company), company.numbers[:2]
    body = {"target_type": "room", "target_id": int(id)}
    given_ = caller.post(f"{NUMBERS}/%2B{one[1:]}/assign", body)
    assert (given_.json["status"], given_.json["target_id"]) == ("room", id)
    assert misfits(given_.json, NumberProto) == []
    assert caller.post(f"{NUMBERS}/{two}/assign", body | {"primary": False}).status == 200
    assert numbers_of(caller, f"{ROOMS}/{id}") == [one, two]
    assert caller.post(f"{NUMBERS}/{two}/assign", body).status == 409
    assert caller.post(f"{NUMBERS}/+19075550100/assign", body).status == 404


def test_what_is_released_leaves_the_inventory(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1)
    id, number = room(caller, company), company.numbers[0]
    caller.post(f"{ROOMS}/{id}/assign_number", {"number": number})
    released = caller.delete(f"{NUMBERS}/{number}?release=true")
    assert (released.status, released.json) == (200, {"deleted": True})
    assert misfits(released.json, NumberProto) == []
    assert caller.get(f"{NUMBERS}/{number}").status == 404
    assert numbers_of(caller, f"{ROOMS}/{id}") == []
    assert free_lines(caller, company) == {"room_lines": 1}
    assert events(caller, number) == ["number.assigned", "number.released", "number.deleted"]
    idle = caller.delete(f"{NUMBERS}/{company.numbers[1]}")
    assert (idle.json["status"], idle.codes) == ("available", {"not_assigned"})
    assert caller.delete(f"{NUMBERS}/{number}").status == 404


def test_a_swap_exchanges_the_primary_number_and_frees_the_old_one(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1, additional_number_lines=1)
    id, (one, two, three) = room(caller, company), company.numbers[:3]
    target = {"target_type": "room", "target_id": id}
    nothing = caller.post(f"{NUMBERS}/swap", {"target": target})
    assert (nothing.status, nothing.places) == (409, ["target.target_id"])
    for number in (two, one):
        caller.post(f"{ROOMS}/{id}/assign_number", {"number": number})
    chosen = {"type": "provided_number", "number": three}
    swapped = caller.post(f"{NUMBERS}/swap", {"target": target, "swap_details": chosen})
    assert (swapped.json["number"], swapped.json["status"]) == (three, "room")
    assert misfits(swapped.json, NumberProto) == []
    assert numbers_of(caller, f"{ROOMS}/{id}") == [three, two]
    assert caller.get(f"{NUMBERS}/{one}").json["status"] == "available"
    area = caller.post(
        f"{NUMBERS}/swap", {"target": target, "swap_details": {"type": "area_code", "area_code": "907", "number": one}}
    )
    assert (area.json["number"], area.codes) == ("+19075550100", {"number_ignored"})
    auto = caller.post(f"{NUMBERS}/swap", {"target": target, "swap_details": {"type": "auto"}}).json["number"]
    assert auto != "+19075550100"
    assert numbers_of(caller, f"{ROOMS}/{id}") == [auto, two]
    assert free_lines(caller, company) == {}
    taken = caller.post(
        f"{NUMBERS}/swap", {"target": target, "swap_details": {"type": "provided_number", "number": two}}
    )
    assert (taken.status, taken.places) == (409, ["swap_details.number"])


def test_a_rooms_numbers_are_put_in_order_and_what_is_left_out_is_free(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1, additional_number_lines=2)
    id, (one, two, three) = room(caller, company), company.numbers[:3]
    for number in (one, two, three):
        caller.post(f"{ROOMS}/{id}/assign_number", {"number": number, "primary": False})
    path = f"{ROOMS}/{id}"
    refused = caller.patch(path, {"name": "a\nb", "phone_numbers": [two, "+19075550100", two]})
    assert (refused.status, refused.places) == (400, ["name", "phone_numbers[1]", "phone_numbers[2]"])
    changed = caller.patch(path, {"name": "Foyer", "phone_numbers": [three, one]})
    assert (changed.json["name"], changed.json["phone_numbers"]) == ("Foyer", [three, one])
    assert caller.get(f"{NUMBERS}/{two}").json["status"] == "available"
    assert free_lines(caller, company) == {"additional_number_lines": 1}
    old = caller.patch(path, {"phone_numbers": []}, headers={"if-match": '"1"'})
    assert old.status == 412
    assert caller.get(f"{NUMBERS}/{one}").json["status"] == "room"
    assert "phone_numbers" not in caller.patch(path, {"phone_numbers": []}).json
    assert free_lines(caller, company) == {"room_lines": 1, "additional_number_lines": 2}


def test_a_deleted_room_gives_back_its_numbers_and_lines(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1)
    id, number = room(caller, company), company.numbers[0]
    caller.post(f"{ROOMS}/{id}/assign_number", {"number": number})
    caller.delete(f"{ROOMS}/{id}")
    assert caller.get(f"{NUMBERS}/{number}").json["status"] == "available"
    assert free_lines(caller, company) == {"room_lines": 1}
    assert events(caller, number) == ["number.assigned", "number.released"]


def test_an_old_version_of_the_holder_gets_no_number(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1)
    id = room(caller, company)
    caller.patch(f"{ROOMS}/{id}", {"name": "Foyer"})
    headers = {"if-match": '"1"'}
    assert caller.post(f"{ROOMS}/{id}/assign_number", {"number": company.numbers[0]}, headers=headers).status == 412
    assert caller.get(f"{NUMBERS}/{company.numbers[0]}").json["status"] == "available"


ASSIGNMENTS = [
    ("/{rooms}/assign_number", {}),
    (NUMBERS + "/assign", {"target_type": "room", "target_id": "ID"}),
    (NUMBERS + "/NUMBER/assign", {"target_type": "room", "target_id": "ID"}),
    (NUMBERS + "/swap", {"target": {"target_type": "room", "target_id": "ID"}}),
]


@pytest.mark.parametrize(("path", "body"), ASSIGNMENTS, ids=[path for path, _ in ASSIGNMENTS])
def test_a_number_is_given_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company, path: str, body: Any):
    caller = company.sandbox
    buy(company, room_lines=1, additional_number_lines=1)
    id = room(caller, company)
    if "swap" in path:
        caller.post(f"{ROOMS}/{id}/assign_number", {"number": company.numbers[9]})
    path = path.replace("/{rooms}", f"{ROOMS}/{id}").replace("NUMBER", company.numbers[8])
    if "target" in body:
        body = {"target": body["target"] | {"target_id": id}}
    elif "target_id" in body:
        body = body | {"target_id": id}
    before = numbers_of(caller, f"{ROOMS}/{id}")
    dry = caller.post(path, body, headers={"offhook-dry-run": "true"})
    assert dry.json["dry_run"] is True
    assert dry.json["result"]["target_id"] == id
    assert numbers_of(caller, f"{ROOMS}/{id}") == before
    headers = {"idempotency-key": "one"}
    first, again = (caller.post(path, body, headers=headers) for _ in range(2))
    assert first.json == again.json == dry.json["result"]
    assert again.headers["offhook-replayed"] == "true"
    assert numbers_of(caller, f"{ROOMS}/{id}") == [first.json["number"]]


def test_a_dry_run_orders_nothing_and_shows_what_would_be(company: Company):
    caller = company.sandbox
    buy(company, room_lines=1)
    id = room(caller, company)
    path, body = f"{ROOMS}/{id}/assign_number", {"area_code": "907"}
    dry = caller.post(path, body, headers={"offhook-dry-run": "true"})
    assert dry.json["result"]["number"] == "+19075550100"
    assert caller.get(f"{NUMBERS}/+19075550100").status == 404
    assert caller.post(path, body).json["number"] == "+19075550100"


def test_a_number_that_was_kept_for_another_office_is_given_with_a_warning(company: Company):
    caller = company.sandbox
    other = caller.made(office()).id
    table = f"number,office_id\n+19075550130,{other}\n".encode()
    caller.post(f"{V1}/numbers/import", content=table, headers={"content-type": "text/csv"})
    buy(company, room_lines=1)
    id = room(caller, company)
    given_ = caller.post(f"{ROOMS}/{id}/assign_number", {"number": "+19075550130", "area_code": "415"})
    assert (given_.status, given_.codes) == (200, {"other_offices_number", "area_code_ignored"})


def test_the_lines_of_what_moves_to_another_office_move_with_it(company: Company):
    caller = company.sandbox
    other = caller.made(office()).id
    buy(company, room_lines=1, additional_number_lines=1)
    id, has = room(caller, company), tuple(company.numbers[:2])
    for number in has:
        caller.post(f"{ROOMS}/{id}/assign_number", {"number": number, "primary": False})
    here = Holding(office_id=int(other), name="Lobby", phone_numbers=has, first_line="room_lines")

    move = partial(moved, tenant_id=company.tenant("sandbox"), kind="room", id=int(id), holding=here)
    buy(company, other, room_lines=1)
    with pytest.raises(Conflict, match="additional number line"):
        company.desk.transact(move)
    assert free_lines(caller, company) == {}
    buy(company, other, additional_number_lines=1)
    company.desk.transact(move)
    assert free_lines(caller, company) == {"room_lines": 1, "additional_number_lines": 1}
    left = caller.get(f"{OFFICES}/{other}/available_licenses").json
    assert (left["room_lines"], left["additional_number_lines"]) == ("0", "0")
    assert caller.get(f"{NUMBERS}/{has[0]}").json["office_id"] == other


# Others


KINDS = ("offices", "users", "rooms", "callrouters", "departments", "callcenters")


@pytest.mark.parametrize("kind", KINDS)
def test_what_there_is_not_gets_no_number(company: Company, kind: str):
    base = V1 if kind in ("departments", "callcenters") else "/api/v2"
    back = V1 if kind in ("departments", "callcenters", "callrouters") else "/api/v2"
    for path, body in (
        (f"{base}/{kind}/12/assign_number", {"number": company.numbers[0]}),
        (f"{back}/{kind}/12/unassign_number", {"number": company.numbers[0]}),
    ):
        answer = company.sandbox.post(path, body)
        assert (answer.status, "12" in answer.errors[0]["message"]) == (404, True), answer


def test_what_is_anothers_is_not_there(desk: Desk):
    mine, theirs = desk.found(), desk.found()
    buy(theirs, room_lines=2)
    number = theirs.add_number("+19075550140", "sandbox")
    id = room(theirs.sandbox, theirs)
    theirs.sandbox.post(f"{ROOMS}/{id}/assign_number", {"number": number})
    before = theirs.sandbox.get(f"{ROOMS}/{id}").json
    other = str(theirs.office_ids["sandbox"])
    for caller in (mine.sandbox, mine.live, theirs.live):
        for method, path, body in (
            ("GET", f"{NUMBERS}/{number}", None),
            ("DELETE", f"{NUMBERS}/{number}", None),
            ("DELETE", f"{NUMBERS}/{number}?release=true", None),
            ("POST", f"{NUMBERS}/{number}/assign", {"target_type": "room", "target_id": id}),
            ("POST", f"{ROOMS}/{id}/assign_number", {}),
            ("POST", f"{ROOMS}/{id}/unassign_number", {"number": number}),
            ("POST", f"{OFFICES}/{other}/assign_number", {}),
            ("POST", f"{OFFICES}/{other}/unassign_number", {"number": number}),
        ):
            assert caller.send(method, path, body).status == 404, (method, path)
        assert caller.post(f"{NUMBERS}/assign", {"target_type": "room", "target_id": id}).places == ["target_id"]
        swap = {"target": {"target_type": "room", "target_id": id}}
        assert caller.post(f"{NUMBERS}/swap", swap).places == ["target.target_id"]
        assert number not in caller.get(f"{NUMBERS}?status=room").response.text
    assert theirs.sandbox.get(f"{ROOMS}/{id}").json == before


# At once


def test_of_fifty_that_ask_for_one_number_at_once_exactly_one_gets_it(company: Company):
    caller, number = company.sandbox, company.numbers[0]
    buy(company, room_lines=60)
    rooms = [room(caller, company, name=f"R{index}") for index in range(25)]
    answers = caller.together(
        [
            *(caller.sending("POST", f"{ROOMS}/{id}/assign_number", {"number": number}) for id in rooms),
            *(caller.sending("POST", OFFICES, office(name=str(n), mainline_number=number)) for n in range(25)),
        ]
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 49
    assert events(caller, number) == ["number.assigned"]


@pytest.mark.parametrize("area_code", ["415", "907"])
def test_fifty_that_ask_for_any_number_at_once_get_different_ones(company: Company, area_code: str):
    """Of the pool, which has ten of area 415, and of the carrier, who has a hundred of each area."""
    caller = company.sandbox
    buy(company, room_lines=60)
    rooms = [room(caller, company, name=f"R{index}") for index in range(50)]
    answers = caller.together(
        caller.sending("POST", f"{ROOMS}/{id}/assign_number", {"area_code": area_code}) for id in rooms
    )
    assert {answer.status for answer in answers} == {200}, answers
    assert len({answer.json["number"] for answer in answers}) == 50
    assert free_lines(caller, company) == {"room_lines": 10}


def test_the_last_free_line_is_taken_once(company: Company):
    caller = company.sandbox
    buy(company, room_lines=3)
    rooms = [room(caller, company, name=f"R{index}") for index in range(10)]
    answers: list[Answer] = caller.together(caller.sending("POST", f"{ROOMS}/{id}/assign_number", {}) for id in rooms)
    assert sorted(answer.status for answer in answers) == [200] * 3 + [409] * 7
    assert sum(bool(numbers_of(caller, f"{ROOMS}/{id}")) for id in rooms) == 3


# Always


def check_books(company: Company, rooms: list[str], offices: list[str]) -> None:
    """No number has two holders, holders' lists are the inventory's, and the lines in use are those that are held."""
    caller, tenant = company.sandbox, company.tenant("sandbox")
    has = {("room", int(id)): numbers_of(caller, f"{ROOMS}/{id}") for id in rooms}
    has |= {("office", int(id)): numbers_of(caller, f"{OFFICES}/{id}") for id in offices}
    held = [number for numbers in has.values() for number in numbers]
    assert len(held) == len(set(held))

    def read(tx: Transaction) -> Any:
        rows = store.page(tx, tenant, "", 10_000)
        return rows, {int(id): licences.used(tx, tenant, int(id)) for id in offices}

    rows, used = company.desk.transact(read)
    assert {row.e164 for row in rows if row.target_type} == set(held)
    expected = {int(id): dict.fromkeys(used[int(id)], 0) for id in offices}
    for row in rows:
        assert (row.status == "available") == (row.target_type == "")
        if row.target_type:
            assert row.e164 in has[row.target_type, row.target_id]
            if row.line:
                expected[row.target_office_id][row.line] += 1
        else:
            assert (row.line, row.target_id, row.target_office_id) == ("", 0, 0)
    assert used == expected
    for (kind, id), numbers in has.items():
        if kind == "office":
            record = caller.get(f"{WHOLE}/{id}").json["office"]
            assert record.get("mainline_number") == (numbers[0] if numbers else None)
            assert sum(row.line == "" for row in rows if row.e164 in numbers) == min(len(numbers), 1)


_steps = st.lists(
    st.tuples(
        st.sampled_from(["assign", "any", "path", "unassign", "swap", "delete", "release", "order", "replace"]),
        st.integers(0, 3),
        st.integers(0, 9),
        st.booleans(),
    ),
    min_size=5,
    max_size=30,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(_steps)
def test_whatever_is_done_with_numbers_the_books_agree(sqlite_desk: Desk, steps: list[tuple[str, int, int, bool]]):
    company = sqlite_desk.found()
    caller = company.sandbox
    second = caller.made(office(name="Second", mainline_number=company.numbers[0])).id
    offices = [str(company.office_ids["sandbox"]), second]
    lines: dict[str, Any] = {"room_lines": 1, "additional_number_lines": 2, "tollfree_room_lines": 1}
    for id in offices:
        buy(company, id, **lines)
    free = "+448081570101"
    company.add_number(free, "sandbox")
    pool = [*company.numbers[:9], free]
    rooms = [room(caller, company, name="A"), room(caller, company, name="B", office_id=second)]
    holders = [("room", rooms[0]), ("room", rooms[1]), ("office", offices[0]), ("office", second)]
    for what, who, which, flag in steps:
        answer = do(caller, what, *holders[who], pool[which], flag)
        assert answer.status in (200, 400, 404, 409), answer
        check_books(company, rooms, offices)


def do(caller: Api, what: str, kind: str, id: str, number: str, flag: bool) -> Answer:
    """One step of a random history."""
    path, target = f"/api/v2/{kind}s/{id}", {"target_type": kind, "target_id": id}
    provided = {"swap_details": {"type": "provided_number", "number": number}} if flag else {}
    match what:
        case "assign":
            return caller.post(f"{path}/assign_number", {"number": number, "primary": flag})
        case "any":
            return caller.post(f"{NUMBERS}/assign", target | {"area_code": number[2:5], "primary": flag})
        case "path":
            return caller.post(f"{NUMBERS}/{number}/assign", target | {"primary": flag})
        case "unassign":
            return caller.post(f"{path}/unassign_number", {"number": number})
        case "swap":
            return caller.post(f"{NUMBERS}/swap", {"target": target} | provided)
        case "delete":
            return caller.delete(f"{NUMBERS}/{number}")
        case "release":
            return caller.delete(f"{NUMBERS}/{number}?release=true")
        case "replace" if kind == "office":
            return caller.put(f"{WHOLE}/{id}", office(name="Second", mainline_number=number if flag else None))
        case "order" if kind == "room":
            return caller.patch(path, {"phone_numbers": numbers_of(caller, path)[:: -1 if flag else 2]})
    return caller.get(path)
