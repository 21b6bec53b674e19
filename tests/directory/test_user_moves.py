"""A user's numbers, and the way to another office: what goes along and what stays."""

from tests.api.desk import ADDRESSES, Company, office
from tests.directory.people import (
    USERS,
    abroad,
    ann,
    buy,
    give_number,
    hired,
    sandbox_office,
    told,
)

# Numbers


def test_a_new_user_may_be_given_a_free_number_of_the_offices_country(company: Company):
    here = company.sandbox.post(USERS, ann(company, "sandbox", auto_assign=True))
    (number,) = here.json["phone_numbers"]
    assert number.startswith("+1")
    assert told(company.sandbox, number) == ["number.assigned"]
    there = company.sandbox.post(USERS, ann(company, "sandbox", email="b@example.com", auto_assign=True))
    assert there.json["phone_numbers"] != [number]
    for british in ("+442079460500", "+442079460501"):
        company.add_number(british, "sandbox")
    london = abroad(company)
    body = ann(company, "sandbox", office_id=london, email="c@example.com", auto_assign=True)
    assert company.sandbox.post(USERS, body).json["phone_numbers"] == ["+442079460500"]


def test_where_there_is_no_free_number_the_user_has_none_and_is_told(company: Company):
    buy(company.live, company.office_ids["live"], talk_lines=2)
    none = company.live.post(USERS, ann(company, auto_assign=True))
    assert (none.status, none.codes) == (200, {"no_free_number"})
    assert "phone_numbers" not in none.json
    company.add_number("+442083661177")
    other = company.live.post(USERS, ann(company, email="b@example.com", auto_assign=True))
    assert (other.json["phone_numbers"], other.codes) == (["+442083661177"], {"number_abroad"})


def test_two_users_who_are_made_at_the_same_time_get_different_numbers(company: Company):
    bodies = [ann(company, "sandbox", email=f"u{n}@example.com", auto_assign=True) for n in range(10)]
    answers = company.sandbox.together(company.sandbox.sending("POST", USERS, body) for body in bodies)
    assert len({answer.json["phone_numbers"][0] for answer in answers}) == 10


def test_numbers_are_put_in_order_and_what_is_left_out_is_free_again(company: Company):
    id = hired(company, "sandbox")
    first, second, third = company.numbers[:3]
    give_number(company, "user", id, first, second, third, environment="sandbox")
    place = f"{USERS}/{id}"
    assert company.sandbox.patch(place, {"phone_numbers": [third, first, second]}).json["phone_numbers"] == [
        third, first, second,
    ]  # fmt: skip
    left = company.sandbox.patch(place, {"phone_numbers": [first]})
    assert left.json["phone_numbers"] == [first]
    assert told(company.sandbox, second) == ["number.assigned", "number.released"]
    assert company.sandbox.get(f"{USERS}?number={second}").json == {}
    assert company.sandbox.patch(place, {"phone_numbers": [first, first]}).places == ["phone_numbers[1]"]
    assert company.sandbox.patch(place, {"state": "suspended"}).json["phone_numbers"] == [first]
    gone = company.sandbox.delete(place)
    assert "phone_numbers" not in gone.json
    assert told(company.sandbox, first) == ["number.assigned", "number.released"]
    assert company.sandbox.create(office(mainline_number=first)).status == 200


# Moving


def test_a_user_moves_to_another_office_with_numbers_in_the_same_country(company: Company):
    id, other = hired(company, "sandbox", auto_assign=True), sandbox_office(company, timezone="America/New_York")
    before = company.sandbox.get(f"{USERS}/{id}").json
    moved = company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": int(other)})
    assert moved.json == before | {"office_id": other, "timezone": "America/New_York"}
    assert moved.warnings == []
    assert told(company.sandbox, id)[-1] == "user.moved"
    assert company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": other}).json == moved.json
    assert company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": "5"}).places == ["office_id"]
    assert company.sandbox.patch(f"{USERS}/{id}/move_office", {}).codes == {"ignored"}
    stale = company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": other}, headers={"if-match": '"1"'})
    assert stale.status == 412


def test_a_user_who_moves_abroad_leaves_numbers_and_emergency_address_behind(company: Company):
    company.add_number("+442079460500", "sandbox")
    id, london = hired(company, "sandbox", auto_assign=True), abroad(company)
    number = company.sandbox.get(f"{USERS}/{id}").json["phone_numbers"][0]
    company.sandbox.put(f"{USERS}/{id}/e911", ADDRESSES["US"])
    moved = company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": london})
    assert moved.codes == {"emergency_address_dropped"}
    assert (moved.json["country"], moved.json["timezone"]) == ("gb", "Europe/London")
    assert moved.json["phone_numbers"] == ["+442079460500"]
    assert told(company.sandbox, number) == ["number.assigned", "number.released"]
    assert company.sandbox.get(f"{USERS}/{id}/e911").json["city"] == "London"
    # And back: there are American numbers enough; but no second British one.
    home = company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": company.office_ids["sandbox"]})
    assert home.json["phone_numbers"][0].startswith("+1")
    company.sandbox.create(office(mainline_number="+442079460500"))
    again = company.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": london})
    assert ("phone_numbers" in again.json, again.codes) == (False, {"no_free_number"})


def test_internal_numbers_go_with_a_user_to_any_country(embedded: Company):
    id, london = hired(embedded, "sandbox"), abroad(embedded)
    tenant = embedded.tenant("sandbox")
    embedded.desk.transact(
        lambda tx: tx.connection.exec_driver_sql(
            f'UPDATE users SET document = replace(document, \'"emails"\', \'"phone_numbers":["80312345"],"emails"\') '
            f"WHERE tenant_id = {tenant} AND id = {id}"
        )
    )
    moved = embedded.sandbox.patch(f"{USERS}/{id}/move_office", {"office_id": london})
    assert (moved.json["phone_numbers"], moved.warnings) == (["80312345"], [])


def test_an_emergency_address_of_the_old_office_does_not_move_along(company: Company):
    id, other = hired(company), company.live.made(office(name="Other")).id
    buy(company.live, other, talk_lines=1)
    place = f"/api/v2/offices/{company.office_ids['live']}/e911"
    assert company.live.put(place, ADDRESSES["US"] | {"update_all": True}).status == 200
    moved = company.live.patch(f"{USERS}/{id}/move_office", {"office_id": other})
    assert moved.codes == {"emergency_address_dropped"}
    assert "address" not in company.live.get(f"{USERS}/{id}/e911").json or (
        company.live.get(f"{USERS}/{id}/e911").json == company.live.get(f"/api/v2/offices/{other}/e911").json
    )


def test_a_change_of_office_takes_no_numbers_away_which_only_a_move_does(company: Company):
    company.add_number("+442079460500", "sandbox")
    id, london = hired(company, "sandbox"), abroad(company)
    number = give_number(company, "user", id, company.numbers[0], environment="sandbox")
    refused = company.sandbox.patch(f"{USERS}/{id}", {"office_id": london})
    assert (refused.status, refused.places) == (409, ["office_id"])
    assert number in refused.response.text
    assert "move_office" in refused.response.text
    assert company.sandbox.get(f"{USERS}/{id}").json["phone_numbers"] == [number]
    # Numbers that are given up in the same request are no reason.
    moved = company.sandbox.patch(f"{USERS}/{id}", {"office_id": london, "phone_numbers": []})
    assert (moved.status, moved.json["office_id"]) == (200, london)
