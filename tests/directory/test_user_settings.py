"""What users set for themselves: do-not-disturb, status, caller ID, emergency address."""

from dialpad.schemas.caller_id import CallerIdProto
from dialpad.schemas.office import E911GetProto
from dialpad.schemas.user import (
    PersonaCollection,
    SetStatusProto,
    ToggleDNDProto,
)

from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, office
from tests.conftest import at
from tests.directory.people import (
    USERS,
    give_number,
    hired,
    join,
    sandbox_office,
    told,
)
from tests.published import misfits

# Do-not-disturb, status


def test_do_not_disturb_is_switched_for_all_calls_and_for_one_group(company: Company):
    id, place = hired(company), company.office_ids["live"]
    path = f"{USERS}/{id}/togglednd"
    on = company.live.patch(path, {"do_not_disturb": True})
    assert misfits(on.json, ToggleDNDProto) == []
    assert on.json == {"id": id, "do_not_disturb": True}
    assert company.live.get(f"{USERS}/{id}").json["do_not_disturb"] is True
    of_group = {"do_not_disturb": True, "group_id": place, "group_type": "office"}
    stranger = company.live.patch(path, of_group)
    assert (stranger.status, stranger.places) == (400, ["group_id"])
    join(company, id, "office", place)
    there = company.live.patch(path, of_group)
    assert misfits(there.json, ToggleDNDProto) == []
    assert there.json == {"id": id, "do_not_disturb": True, "group_id": str(place), "group_type": "office"}
    assert company.live.patch(path, {"do_not_disturb": False}).status == 200
    now = company.live.get(f"{USERS}/{id}").json
    assert now["do_not_disturb"] is False
    assert now["group_details"] == [
        {"group_id": str(place), "group_type": "office", "role": "operator", "do_not_disturb": True}
    ]
    assert company.live.patch(path, {"do_not_disturb": True, "group_id": place}).places == ["group_type"]
    assert company.live.patch(path, {"group_type": "office"}).places == ["do_not_disturb"]
    assert told(company.live, id)[1:] == ["user.do_not_disturb_updated"] * 3


def test_a_status_stays_until_it_expires(company: Company):
    id = hired(company)
    with at("2026-06-20T12:00:00Z"):
        said = company.live.patch(f"{USERS}/{id}/status", {"status_message": " At lunch ", "expiration": 3600})
        assert misfits(said.json, SetStatusProto) == []
        assert said.json == {"id": id, "status_message": "At lunch", "expiration": "3600"}
    with at("2026-06-20T12:59:59Z"):
        assert company.live.get(f"{USERS}/{id}").json["status_message"] == "At lunch"
    with at("2026-06-20T13:00:00Z"):
        assert "status_message" not in company.live.get(f"{USERS}/{id}").json
    company.live.patch(f"{USERS}/{id}/status", {"status_message": "Away"})
    assert company.live.get(f"{USERS}/{id}").json["status_message"] == "Away"
    assert company.live.patch(f"{USERS}/{id}/status", {}).json == {"id": id, "status_message": ""}
    assert "status_message" not in company.live.get(f"{USERS}/{id}").json
    wrong = {"status_message": "a\nb", "expiration": "1893456000000"}
    assert company.live.patch(f"{USERS}/{id}/status", wrong).places == ["expiration", "status_message"]


# Caller ID, personas


def test_a_user_shows_a_number_of_theirs_of_the_office_or_of_a_group(company: Company):
    id, place = hired(company, "sandbox", auto_assign=True), f"{USERS}/ID/caller_id"
    place = place.replace("ID", id)
    own = company.sandbox.get(f"{USERS}/{id}").json["phone_numbers"][0]
    main, group, foreign = company.numbers[10:13]
    head = company.office_ids["sandbox"]
    whole = company.sandbox.get(f"{WHOLE}/{head}").json["office"]
    assert "mainline_number" not in whole
    other = sandbox_office(company, name="Sales", mainline_number=group)
    join(company, id, "office", other, "sandbox")
    shown = company.sandbox.get(place)
    assert misfits(shown.json, CallerIdProto) == []
    assert shown.json == {
        "id": id,
        "caller_id": own,
        "primary_phone": own,
        "phone_numbers": [own],
        "groups": [{"caller_id": group, "display_name": "Sales"}],
    }
    chosen = company.sandbox.post(place, {"caller_id": group})
    assert misfits(chosen.json, CallerIdProto) == []
    assert chosen.json == shown.json | {"caller_id": group}
    assert company.sandbox.post(place, {"caller_id": "BLOCKED"}).json["caller_id"] == "blocked"
    for wrong in (main, foreign, "nonsense", "+12"):
        refused = company.sandbox.post(place, {"caller_id": wrong})
        assert (refused.status, refused.places) == (400, ["caller_id"])
    moved = company.sandbox.patch(f"{USERS}/{id}", {"office_id": other})
    assert moved.status == 200
    assert company.sandbox.get(place).json["office_main_line"] == group
    assert told(company.sandbox, id).count("user.caller_id_updated") == 2


def test_a_number_that_was_taken_away_is_shown_no_more(company: Company):
    id = hired(company, "sandbox")
    first, second = company.numbers[:2]
    give_number(company, "user", id, first, second, environment="sandbox")
    company.sandbox.post(f"{USERS}/{id}/caller_id", {"caller_id": second})
    company.sandbox.patch(f"{USERS}/{id}", {"phone_numbers": [first]})
    assert company.sandbox.get(f"{USERS}/{id}/caller_id").json["caller_id"] == first


def test_a_user_can_call_as_themselves_and_as_each_group(company: Company):
    id = hired(company)
    company.add_number("+12125552368")
    sales = company.live.made(office(name="Sales", mainline_number="+12125552368")).id
    join(company, id, "office", sales)
    listed = company.live.get(f"{USERS}/{id}/personas")
    assert misfits(listed.json, PersonaCollection) == []
    assert listed.json["items"] == [
        {"id": id, "type": "user", "name": "Ann Lee"},
        {
            "id": sales,
            "type": "office",
            "name": "Sales",
            "caller_id": "+12125552368",
            "phone_numbers": ["+12125552368"],
        },
    ]


# Emergency addresses


def test_help_is_sent_to_the_users_own_address_or_else_to_the_offices(company: Company):
    id, place = hired(company), f"{USERS}/ID/e911"
    place = place.replace("ID", id)
    head = company.live.get(f"{OFFICES}/{company.office_ids['live']}/e911").json
    assert company.live.get(place).json == head
    sent = ADDRESSES["US"] | {"address": "350 5th Ave", "city": "New York", "state": "New York", "zip": "10118"}
    kept = company.live.put(place, sent)
    assert misfits(kept.json, E911GetProto) == []
    assert (kept.json["state"], kept.codes) == ("New York", {"address_not_normalised"})
    normal = company.live.put(place, sent | {"use_validated_option": True})
    assert (normal.json["state"], normal.codes) == ("NY", set())
    assert company.live.get(place).json == normal.json
    assert told(company.live, id)[1:] == ["user.emergency_address_updated"] * 2
    refused = company.live.put(place, ADDRESSES["CA"] | {"address": "PO Box 5"})
    assert refused.places == ["address", "country"]
    assert company.live.put(place, {"address": "PO Box 5", "zip": 3}).places == [
        "address", "city", "country", "state", "zip",
    ]  # fmt: skip


def test_an_offices_new_address_reaches_all_of_its_users_at_once(company: Company):
    other = company.live.made(office(name="Other")).id
    here = [hired(company, email=f"u{n}@example.com") for n in range(3)]
    there = hired(company, email="there@example.com", office_id=other)
    address = ADDRESSES["US"] | {"address": "350 5th Ave", "city": "New York", "state": "NY", "zip": "10118"}
    company.live.put(f"{USERS}/{here[0]}/e911", ADDRESSES["US"])
    company.live.put(f"{USERS}/{here[1]}/e911", address)
    place = f"{OFFICES}/{company.office_ids['live']}/e911"
    assert company.live.put(place, address, headers={"if-match": '"99"'}).status == 412
    assert company.live.get(f"{USERS}/{here[0]}/e911").json["city"] == "San Francisco"
    said = company.live.put(place, address | {"update_all": True})
    assert (said.status, said.warnings) == (200, [])
    for id in here:
        assert company.live.get(f"{USERS}/{id}/e911").json["city"] == "New York"
        # Whoever had it already was not changed.
        assert told(company.live, id)[1:].count("user.emergency_address_updated") == (2 if id == here[0] else 1)
    assert "user.emergency_address_updated" not in told(company.live, there)
