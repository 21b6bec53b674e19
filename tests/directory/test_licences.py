"""Lines of an office's plan: bought, taken by whoever needs one, and given back; never held twice and never lost."""

from typing import Any

import pytest

from offhook.billing.model import LINES
from offhook.directory.users.model import LINE_OF
from tests.api.desk import OFFICES, WHOLE, Company, Desk, office
from tests.directory.people import USERS, ann, buy, free, give_number, hired, told, used


def licences(office_id: Any) -> str:
    return f"{WHOLE}/{office_id}/licences"


# Buying


def test_lines_are_bought_and_counted(company: Company):
    place = company.office_ids["live"]
    none = dict.fromkeys(LINES, "0")
    assert company.live.get(licences(place)).json == {
        "office_id": str(place),
        "bought": none,
        "used": none,
        "free": none,
    }
    bought = company.live.post(licences(place), {"talk_lines": 5, "fax_lines": "2"})
    assert bought.json == {
        "office_id": str(place),
        "bought": none | {"talk_lines": "5", "fax_lines": "2"},
        "used": none,
        "free": none | {"talk_lines": "5", "fax_lines": "2"},
    }
    more = buy(company.live, place, talk_lines=1)
    assert more.json["bought"]["talk_lines"] == "6"
    assert company.live.post(USERS, ann(company)).status == 200
    now = company.live.get(licences(place)).json
    assert [now[kind]["talk_lines"] for kind in ("bought", "used", "free")] == ["6", "1", "5"]
    assert company.live.get(f"{OFFICES}/{place}/available_licenses").json == now["free"]
    assert company.live.get(f"{OFFICES}/{place}/plan").json["talk_lines"] == "6"
    events = [one for one in company.live.events() if one["event"] == "office.licences_bought"]
    assert [one["subject_id"] for one in events] == [str(place)] * 2
    assert (events[1]["before"], events[1]["after"]) == (bought.json, more.json)


def test_every_fault_of_a_purchase_is_named_at_once(company: Company):
    place = licences(company.office_ids["live"])
    wrong = {"talk_lines": 0, "sell_lines": -1, "room_lines": 10_001, "fax_lines": "10000"}
    assert company.live.post(place, wrong).places == ["room_lines", "sell_lines", "talk_lines"]
    assert company.live.post(place, {}).places == [""]
    assert company.live.post(place, {"talk_lines": "many", "fax_lines": 1.5}).places == ["fax_lines", "talk_lines"]
    assert free(company.live, company.office_ids["live"]) == {}
    assert company.live.post(place, {"talk_lines": 10_000}).status == 200


def test_lines_are_bought_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    place = licences(company.office_ids["live"])
    dry = company.live.post(place, {"talk_lines": 5}, headers={"offhook-dry-run": "true"})
    assert dry.json["result"]["free"]["talk_lines"] == "5"
    assert free(company.live, company.office_ids["live"]) == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(place, {"talk_lines": 5}, headers=headers) for _ in range(2))
    assert first.json == again.json
    assert free(company.live, company.office_ids["live"]) == {"talk_lines": 5}
    assert company.live.post(place, {"talk_lines": 6}, headers=headers).status == 409


def test_purchases_at_the_same_time_all_count(company: Company):
    place = licences(company.office_ids["live"])
    company.live.together(company.live.sending("POST", place, {"talk_lines": 1}) for _ in range(20))
    assert free(company.live, company.office_ids["live"]) == {"talk_lines": 20}


def test_a_new_sandbox_has_a_hundred_lines_of_each_kind_and_live_has_none(company: Company):
    assert free(company.sandbox, company.office_ids["sandbox"]) == dict.fromkeys(LINES, 100)
    assert free(company.live, company.office_ids["live"]) == {}
    assert told(company.sandbox, str(company.office_ids["sandbox"])) == ["office.created", "office.licences_bought"]
    assert free(company.sandbox, company.sandbox.made().id) == {}


def test_lines_of_anothers_office_are_not_there(desk: Desk, company: Company):
    place, other = company.live.made().id, desk.found()
    for caller in (other.live, other.sandbox, company.sandbox):
        assert caller.get(licences(place)).status == 404
        assert caller.post(licences(place), {"talk_lines": 5}).status == 404
    assert free(company.live, place) == {}
    assert company.key("offices:read").post(licences(place), {"talk_lines": 5}).status == 403
    assert company.key("directory:write").get(licences(place)).status == 403


# Taking and giving back


@pytest.mark.parametrize(
    ("licence", "line"),
    [
        ("talk", "talk_lines"),
        ("agents", "sell_lines"),
        ("lite_support_agents", "contact_center_lines"),
        ("admins", "talk_lines"),
        ("dpde_all", "talk_lines"),
        ("dpde_one", "talk_lines"),
        ("lite_lines", "talk_lines"),
        ("magenta_lines", "talk_lines"),
    ],
)
def test_each_licence_takes_its_kind_of_line(embedded: Company, licence: str, line: str):
    place = embedded.office_ids["live"]
    refused = embedded.live.post(USERS, ann(embedded, license=licence))
    assert (refused.status, refused.places) == (409, ["license"])
    message = refused.errors[0]["message"]
    assert f"POST /api/offhook/v1/offices/{place}/licences" in message
    assert f'{{"{line}": 1}}' in message
    buy(embedded.live, place, **{line: 1})
    assert embedded.live.post(USERS, ann(embedded, license=licence)).json["license"] == licence
    assert used(embedded.live, place) == {line: 1}
    assert embedded.live.post(USERS, ann(embedded, license=licence, email="b@example.com")).status == 409


def test_twenty_users_at_once_for_five_lines_are_five(company: Company):
    place = company.office_ids["live"]
    buy(company.live, place, talk_lines=5)
    bodies = [ann(company, email=f"u{n}@example.com") for n in range(20)]
    answers = company.live.together(company.live.sending("POST", USERS, body) for body in bodies)
    assert sorted(answer.status for answer in answers) == [200] * 5 + [409] * 15
    assert len(company.live.get(USERS).json["items"]) == 5
    assert (used(company.live, place), free(company.live, place)) == ({"talk_lines": 5}, {})


def test_a_suspended_user_takes_no_line_and_needs_one_to_come_back(company: Company):
    place, id = company.office_ids["live"], hired(company)
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    assert used(company.live, place) == {}
    other = company.live.post(USERS, ann(company, email="b@example.com")).json["id"]
    refused = company.live.patch(f"{USERS}/{id}", {"state": "active", "job_title": "x"})
    assert (refused.status, refused.places) == (409, ["state"])
    assert company.live.get(f"{USERS}/{id}").json["state"] == "suspended"
    assert "job_title" not in company.live.get(f"{USERS}/{id}").json
    company.live.delete(f"{USERS}/{other}")
    assert company.live.patch(f"{USERS}/{id}", {"state": "active"}).status == 200
    assert used(company.live, place) == {"talk_lines": 1}
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    company.live.delete(f"{USERS}/{id}")
    assert used(company.live, place) == {}


def test_another_licence_swaps_the_line(company: Company):
    place, id = company.office_ids["live"], hired(company)
    refused = company.live.patch(f"{USERS}/{id}", {"license": "agents"})
    assert (refused.status, refused.places) == (409, ["license"])
    buy(company.live, place, sell_lines=1)
    assert company.live.patch(f"{USERS}/{id}", {"license": "agents"}).json["license"] == "agents"
    assert (used(company.live, place), free(company.live, place)) == ({"sell_lines": 1}, {"talk_lines": 1})
    # A licence of the same kind of line needs no free one.
    company.live.patch(f"{USERS}/{id}", {"license": "talk"})
    assert company.live.patch(f"{USERS}/{id}", {"license": "admins"}).status == 200
    # Nor does a suspended user, until they come back.
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    assert company.live.patch(f"{USERS}/{id}", {"license": "lite_support_agents"}).status == 200
    assert used(company.live, place) == {}


def test_under_a_support_licence_each_number_takes_a_line_or_goes(company: Company):
    place, id = company.office_ids["sandbox"], hired(company, "sandbox")
    first, second = company.numbers[:2]
    give_number(company, "user", id, first, environment="sandbox")
    assert used(company.sandbox, place) == {"talk_lines": 1}
    kept = company.sandbox.patch(f"{USERS}/{id}", {"license": "lite_support_agents"})
    assert kept.json["phone_numbers"] == [first]
    assert used(company.sandbox, place) == {"contact_center_lines": 1, "additional_number_lines": 1}
    company.sandbox.patch(f"{USERS}/{id}", {"license": "talk"})
    assert used(company.sandbox, place) == {"talk_lines": 1}
    released = company.sandbox.patch(f"{USERS}/{id}", {"license": "lite_support_agents", "keep_paid_numbers": False})
    assert "phone_numbers" not in released.json
    assert told(company.sandbox, first) == ["number.assigned", "number.released"]
    assert used(company.sandbox, place) == {"contact_center_lines": 1}
    agent = company.sandbox.post(
        USERS, ann(company, "sandbox", email="b@example.com", license="lite_support_agents", auto_assign=True)
    )
    assert agent.status == 200
    assert used(company.sandbox, place) == {"contact_center_lines": 2, "additional_number_lines": 1}
    company.sandbox.delete(f"{USERS}/{agent.json['id']}")
    assert used(company.sandbox, place) == {"contact_center_lines": 1}
    assert second not in released.response.text


def test_moving_takes_a_line_there_and_gives_one_back_here(company: Company):
    id, here, there = hired(company), company.office_ids["live"], company.live.made(office()).id
    refused = company.live.patch(f"{USERS}/{id}/move_office", {"office_id": there})
    assert (refused.status, refused.places) == (409, ["office_id"])
    assert f"offices/{there}/licences" in refused.errors[0]["message"]
    assert company.live.get(f"{USERS}/{id}").json["office_id"] == str(here)
    buy(company.live, there, talk_lines=1)
    assert company.live.patch(f"{USERS}/{id}/move_office", {"office_id": there}).status == 200
    assert (used(company.live, here), used(company.live, there)) == ({}, {"talk_lines": 1})


def test_who_buys_licences_by_another_word_is_told_the_kinds_of_lines(company: Company):
    path = licences(company.office_ids["live"])
    answer = company.live.post(path, {"talk_lines": 1, "agents": 5, "colour": 1, "rooms_lines": 1})
    told = " ".join(answer.headers.get_list("offhook-warning"))
    assert answer.codes == {"unknown_field"}
    assert "agents is a user's licence, not a kind of line: it takes sell_lines" in told
    assert "The kinds of lines are talk_lines, sell_lines," in told
    assert "Did you mean room_lines?" in told


def test_the_reference_says_which_line_each_licence_takes(company: Company):
    schemas = company.live.get("/openapi.json").json["components"]["schemas"]
    for struct in ("UserIn", "UserPatch"):
        text = schemas[struct]["properties"]["license"]["description"]
        assert "agents: sell_lines; lite_support_agents: contact_center_lines" in text
        assert all(name in text for name in LINE_OF)
    bought = schemas["LicencesIn"]["properties"]
    assert "The licence agents takes one." in bought["sell_lines"]["description"]
    assert "For fax numbers." in bought["fax_lines"]["description"]


# Offices


def test_an_office_with_people_or_rooms_in_it_is_not_deleted(company: Company):
    place = company.live.made(office(name="Other")).id
    buy(company.live, place, talk_lines=2)
    people = [
        company.live.post(USERS, ann(company, office_id=place, email=f"u{n}@example.com")).json["id"] for n in range(2)
    ]
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": place}).json["id"]
    for path in (f"{WHOLE}/{place}", f"{WHOLE}/{place}?force=true"):
        refused = company.live.delete(path)
        assert (refused.status, refused.places) == (409, ["rooms", "users"])
        assert "2 users" in refused.json["error"]["message"]
        assert "1 room " in refused.json["error"]["message"]
    company.live.delete(f"/api/v2/rooms/{room}")
    company.live.delete(f"{USERS}/{people[0]}")
    # Whoever is suspended is still there.
    company.live.patch(f"{USERS}/{people[1]}", {"state": "suspended"})
    assert company.live.delete(f"{WHOLE}/{place}").places == ["users"]
    company.live.patch(f"{USERS}/{people[1]}", {"office_id": company.office_ids["live"]})
    assert company.live.delete(f"{WHOLE}/{place}").status == 200
    assert company.live.get(licences(place)).status == 404
