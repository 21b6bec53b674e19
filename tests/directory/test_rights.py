"""What a user may do with a key of their own: for themselves, as an admin of an office, and by a policy."""

from typing import Any

import pytest

from offhook.directory.rights.rules import Grant, Person, Thing, judge
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Api, Company, office, routing
from tests.directory.people import USERS, agent, give_number, hired, key_of, person

V2 = "/api/v2"
V1 = "/api/offhook/v1"
CONTACTS, POLICIES = f"{V2}/contacts", f"{V2}/accesscontrolpolicies"
DEPARTMENTS, CALLCENTERS, ROOMS = f"{V2}/departments", f"{V2}/callcenters", f"{V2}/rooms"


def made(caller: Api, path: str, **body: Any) -> str:
    answer = caller.post(path, body)
    assert answer.status == 200, answer
    return str(answer.json["id"])


def home(company: Company) -> str:
    return str(company.office_ids["live"])


# Oneself


def test_a_user_sets_what_is_theirs_by_id_and_as_me(company: Company):
    id = hired(company)
    mine = key_of(company, id, "directory:write", "numbers:write")
    for who in ("me", id):
        path = f"{USERS}/{who}"
        body = {"first_name": "Anna", "last_name": "Li", "job_title": "Clerk", "forwarding_numbers": ["+14155550123"]}
        assert mine.patch(path, body).json["first_name"] == "Anna"
        assert mine.patch(f"{path}/togglednd", {"do_not_disturb": True}).status == 200
        assert mine.patch(f"{path}/status", {"status_message": "Lunch"}).status == 200
        assert mine.post(f"{path}/caller_id", {"caller_id": "blocked"}).status == 200
        assert mine.put(f"{path}/e911", ADDRESSES["US"]).status == 200
        number = company.add_number({"me": "+14157829001", id: "+14157829002"}[who])
        company.live.post(f"{WHOLE}/{home(company)}/licences", {"additional_number_lines": 1})
        assert mine.post(f"{path}/assign_number", {"number": number}).json["target_id"] == id
        assert mine.post(f"{path}/unassign_number", {"number": number}).json["status"] == "available"
    assert mine.patch(f"{V2}/callcenters/operators/{id}/dutystatus", {"on_duty": False}).status == 200


def test_a_user_does_not_change_what_the_company_pays_or_allows_them(company: Company):
    id = hired(company)
    mine, before = key_of(company, id), company.live.get(f"{USERS}/{id}").json
    body = {
        "job_title": "Chief", "license": "agents", "state": "suspended", "office_id": home(company),
        "international_dialing_enabled": True, "is_super_admin": True, "admin_office_ids": [home(company)],
        "emails": ["chief@example.com"], "extension": "11",
    }  # fmt: skip
    refused = mine.patch(f"{USERS}/me", body)
    assert (refused.status, refused.places) == (403, sorted(body.keys() - {"job_title"}))
    assert mine.patch(f"{USERS}/me/move_office", {"office_id": home(company)}).status == 403
    assert mine.delete(f"{USERS}/me").status == 403
    assert company.live.get(f"{USERS}/{id}").json == before


def test_a_user_changes_no_colleague_and_the_refusal_says_who_may(company: Company):
    mine, bob = key_of(company, person(company)), person(company, "Bob")
    refused = mine.patch(f"{USERS}/{bob}/togglednd", {"do_not_disturb": True})
    assert refused.status == 403
    text = refused.errors[0]["message"]
    assert "a key of the company" in text
    assert "a company admin or an admin of the office" in text
    # What the key may not do is said before the body is read.
    assert mine.patch(f"{USERS}/{bob}/togglednd", content=b"nonsense").status == 403
    assert company.live.get(f"{USERS}/{bob}").json["do_not_disturb"] is False


def test_a_user_starts_and_records_calls_of_their_own_and_ends_those_of_nobody(company: Company):
    id, bob = person(company), person(company, "Bob")
    mine = key_of(company, id, "calls:read", "calls:write")
    # It is theirs to ask, but nobody's telephone is there.
    for who, status in ((id, 409), (bob, 403)):
        assert mine.post(f"{V2}/call", {"user_id": who, "phone_number": "+14155550123"}).status == status
        assert mine.patch(f"{USERS}/{who}/activecall", {"is_recording": True}).status == status
    assert mine.put(f"{V2}/call/1/actions/hangup").status == 403


def test_contacts_of_ones_own_are_ones_own_and_shared_ones_are_not(company: Company):
    id, bob = person(company), person(company, "Bob")
    mine = key_of(company, id, "directory:write")
    own = made(mine, CONTACTS, first_name="Eve", last_name="Ray", owner_id=id)
    assert mine.patch(f"{CONTACTS}/{own}", {"job_title": "Spy"}).status == 200
    assert mine.delete(f"{CONTACTS}/{own}").status == 200
    for owner in ({}, {"owner_id": bob}):
        body = {"first_name": "Eve", "last_name": "Ray", **owner}
        assert mine.post(CONTACTS, body).status == 403
        theirs = made(company.live, CONTACTS, **body)
        assert mine.patch(f"{CONTACTS}/{theirs}", {"job_title": "Spy"}).status == 403
        assert mine.delete(f"{CONTACTS}/{theirs}").status == 403
    body = {"first_name": "Eve", "last_name": "Ray", "uid": "eve"}
    shared = company.live.put(CONTACTS, body).json["id"]
    assert mine.put(CONTACTS, body).status == 403
    assert mine.delete(f"{CONTACTS}/{shared}").status == 403
    assert mine.delete(f"{CONTACTS}/12").status == 404


def test_a_suspended_user_changes_nothing_with_a_key_made_since(company: Company):
    mine = key_of(company, person(company, state="suspended"))
    assert mine.get(f"{USERS}/me").status == 200
    assert mine.patch(f"{USERS}/me", {"job_title": "Clerk"}).status == 403


def test_scopes_bound_a_users_key_too(company: Company):
    mine = key_of(company, person(company), "directory:read")
    assert mine.get(f"{USERS}/me").status == 200
    assert mine.patch(f"{USERS}/me", {"job_title": "Clerk"}).status == 403


# Admins of offices


@pytest.fixture
def there(company: Company) -> tuple[Api, str]:
    """The key of an admin of a second office, who sits in the first one, and that office's id."""
    other = company.live.made(office(name="Branch")).id
    lines = {"talk_lines": 5, "sell_lines": 5, "room_lines": 5, "additional_number_lines": 5}
    assert company.live.post(f"{WHOLE}/{other}/licences", lines).status == 200
    chief = person(company, "Chief", admin_office_ids=(int(other),))
    return key_of(company, chief), other


def test_an_admin_of_an_office_changes_what_is_in_it(company: Company, there: tuple[Api, str]):
    chief, other = there
    id = chief.post(USERS, {"office_id": other, "email": "new@example.com"}).json["id"]
    assert chief.patch(f"{USERS}/{id}", {"license": "agents", "extension": "12", "state": "suspended"}).status == 200
    assert chief.patch(f"{USERS}/{id}", {"state": "active"}).status == 200
    room = made(chief, ROOMS, name="Lobby", office_id=other)
    desk = made(chief, DEPARTMENTS, name="Sales", office_id=other)
    center = made(chief, CALLCENTERS, name="Help", office_id=other)
    assert chief.patch(f"{DEPARTMENTS}/{desk}", {"name": "Sale", "routing_options": routing()}).status == 200
    assert chief.post(f"{CALLCENTERS}/{center}/operators", {"user_id": id}).status == 200
    assert chief.patch(f"{CALLCENTERS}/{center}/operators/{id}/skill", {"skill_level": 5}).status == 200
    assert chief.patch(f"{OFFICES}/{other}", {"hours_on": False}).status == 200
    number = company.add_number("+14157829003")
    assert chief.post(f"{ROOMS}/{room}/assign_number", {"number": number}).status == 200
    for path in (f"{ROOMS}/{room}", f"{DEPARTMENTS}/{desk}", f"{CALLCENTERS}/{center}", f"{USERS}/{id}"):
        assert chief.delete(path).status == 200, path


def test_an_admin_of_an_office_changes_nothing_of_another(company: Company, there: tuple[Api, str]):
    chief, other = there
    bob, room = person(company, "Bob"), made(company.live, ROOMS, name="Lobby", office_id=home(company))
    inside = person(company, "Ina", office_id=int(other))
    asked = [
        chief.patch(f"{USERS}/{bob}", {"first_name": "x"}),
        chief.post(USERS, {"office_id": home(company), "email": "new@example.com"}),
        chief.patch(f"{ROOMS}/{room}", {"name": "x"}),
        chief.patch(f"{OFFICES}/{home(company)}", {"hours_on": False}),
        # Neither does the body reach over: who is there does not come here, and nobody is sent away.
        chief.post(f"{OFFICES}/{other}/operators", {"operator_type": "user", "operator_id": bob}),
        chief.post(f"{OFFICES}/{other}/operators", {"operator_type": "room", "operator_id": room}),
        chief.patch(f"{USERS}/{inside}", {"office_id": home(company)}),
        chief.patch(f"{USERS}/{inside}/move_office", {"office_id": home(company)}),
    ]
    assert [answer.status for answer in asked] == [403] * len(asked)


def test_an_admin_of_an_office_makes_no_admins_buys_nothing_and_leaves_company_admins_alone(
    company: Company, there: tuple[Api, str]
):
    chief, other = there
    inside = person(company, "Ina", office_id=int(other))
    boss = person(company, "Grace", office_id=int(other), is_super_admin=True)
    refused = chief.patch(f"{USERS}/{inside}", {"is_super_admin": True, "admin_office_ids": [other], "extension": "1"})
    assert (refused.status, refused.places) == (403, ["admin_office_ids", "is_super_admin"])
    assert chief.patch(f"{USERS}/{boss}", {"state": "suspended"}).status == 403
    assert chief.delete(f"{USERS}/{boss}").status == 403
    assert chief.post(f"{WHOLE}/{other}/licences", {"talk_lines": 1}).status == 403
    assert chief.delete(f"{WHOLE}/{other}").status == 403
    assert chief.post(OFFICES, office()).status == 403


# Policies


def holder(company: Company, *permissions: str, level: str = "company", target: str | None = None) -> Api:
    """The key of a user who has a policy with these permissions."""
    boss, id = person(company, "Grace", is_super_admin=True), person(company)
    body = {"name": "x", "owner_id": boss, "permission_sets": permissions, "target_type": level}
    policy = made(company.live, POLICIES, **body)
    given = {"user_id": id} if target is None else {"user_id": id, "target_id": target}
    assert company.live.post(f"{POLICIES}/{policy}/assign", given).status == 200
    key = key_of(company, id)
    key.policy = policy  # type: ignore[attr-defined]
    return key


HOURS = {"hours_on": True, "monday_hours": ["08:00", "12:00"]}


def test_a_policy_lets_its_user_change_what_it_says_and_no_field_besides(company: Company):
    desk = made(company.live, DEPARTMENTS, name="Sales", office_id=home(company))
    clerk = holder(company, "business_hours_write")
    assert clerk.patch(f"{DEPARTMENTS}/{desk}", HOURS).status == 200
    assert clerk.patch(f"{OFFICES}/{home(company)}", HOURS).status == 200
    refused = clerk.patch(f"{DEPARTMENTS}/{desk}", {**HOURS, "name": "Mine", "routing_options": routing()})
    assert (refused.status, set(refused.places)) == (
        403, {"name", "routing_options.open", "routing_options.closed"}
    )  # fmt: skip
    assert "name_language_description_settings_write" in refused.errors[0]["message"]
    assert clerk.delete(f"{DEPARTMENTS}/{desk}").status == 403
    assert clerk.put(f"{WHOLE}/{home(company)}/special-days", {"days": []}).status == 403


def test_two_permissions_are_one_right(company: Company):
    desk = made(company.live, DEPARTMENTS, name="Sales", office_id=home(company))
    clerk = holder(company, "business_hours_write", "name_language_description_settings_write")
    assert clerk.patch(f"{DEPARTMENTS}/{desk}", {**HOURS, "name": "Mine"}).status == 200


def test_a_policy_at_an_office_or_a_call_center_ends_there(company: Company):
    other = company.live.made(office(name="Branch")).id
    here = made(company.live, DEPARTMENTS, name="Sales", office_id=home(company))
    there = made(company.live, DEPARTMENTS, name="Sales", office_id=other)
    local = holder(company, "business_hours_write", level="office", target=other)
    assert local.patch(f"{DEPARTMENTS}/{there}", HOURS).status == 200
    assert local.patch(f"{DEPARTMENTS}/{here}", HOURS).status == 403
    one, two = (made(company.live, CALLCENTERS, name=name, office_id=other) for name in ("One", "Two"))
    lead = holder(company, "business_hours_write", "cc_call_settings_write", level="callcenter", target=one)
    settings = {"hold_queue": {"max_hold_count": 5}, "advanced_settings": {"max_wrap_up_seconds": 9}}
    assert lead.patch(f"{CALLCENTERS}/{one}", {**HOURS, **settings}).status == 200
    recording = {"auto_call_recording": {"call_recording_inbound": True}}
    refused = lead.patch(f"{CALLCENTERS}/{one}", {"advanced_settings": recording})
    assert (refused.status, refused.places) == (403, ["advanced_settings.auto_call_recording"])
    assert lead.patch(f"{CALLCENTERS}/{two}", HOURS).status == 403
    assert lead.patch(f"{OFFICES}/{other}", HOURS).status == 403


def test_a_policy_for_agents_reaches_people_of_the_same_office(company: Company):
    other = company.live.made(office(name="Branch")).id
    center = made(company.live, CALLCENTERS, name="Help", office_id=home(company))
    near, far = agent(company, "Near"), agent(company, "Far", office_id=int(other))
    lead = holder(
        company, "agents_admins_manage_agents_settings_write", "agents_admins_skill_level_write",
        level="callcenter", target=center,
    )  # fmt: skip
    assert lead.post(f"{CALLCENTERS}/{center}/operators", {"user_id": near}).status == 200
    assert lead.patch(f"{CALLCENTERS}/{center}/operators/{near}/skill", {"skill_level": 3}).status == 200
    assert lead.post(f"{CALLCENTERS}/{center}/operators", {"user_id": far}).status == 403
    assert lead.delete(f"{CALLCENTERS}/{center}/operators", {"user_id": near}).status == 200


def test_a_policy_for_numbers_and_for_holidays(company: Company):
    desk = made(company.live, DEPARTMENTS, name="Sales", office_id=home(company))
    number = give_number(company, "department", desk)
    clerk = holder(company, "number_settings_write", "holiday_hours_settings_write")
    path = f"{V1}/departments/{desk}"
    assert clerk.post(f"{path}/unassign_number", {"number": number}).status == 200
    assert clerk.post(f"{path}/assign_number", {"number": number}).status == 200
    days = {"days": [{"date": "2026-12-24", "name": "Eve"}]}
    assert clerk.put(f"{WHOLE}/{home(company)}/special-days", days).status == 200
    assert clerk.delete(f"{V2}/numbers/{number}").status == 403


def test_a_policy_that_is_taken_back_or_deleted_gives_nothing(company: Company):
    desk = made(company.live, DEPARTMENTS, name="Sales", office_id=home(company))
    for end in ("unassign", "delete"):
        clerk = holder(company, "business_hours_write")
        assert clerk.patch(f"{DEPARTMENTS}/{desk}", HOURS).status == 200
        policy = f"{POLICIES}/{clerk.policy}"  # type: ignore[attr-defined]
        if end == "delete":
            assert company.live.delete(policy).status == 200
        else:
            me = clerk.get(f"{USERS}/me").json["id"]
            assert company.live.post(f"{policy}/unassign", {"user_id": me, "unassign_all": True}).status == 200
        assert clerk.patch(f"{DEPARTMENTS}/{desk}", HOURS).status == 403


def test_permissions_that_have_no_effect_are_named(company: Company):
    boss = person(company, "Grace", is_super_admin=True)
    body = {"name": "x", "owner_id": boss, "permission_sets": ["csat_surveys_write", "business_hours_write"]}
    said = company.live.post(POLICIES, body)
    assert [(one.code, one.field) for one in said.warnings] == [("permission_without_effect", "permission_sets")]
    assert "csat_surveys_write" in said.warnings[0].text
    assert "business_hours_write" not in said.warnings[0].text
    path = f"{POLICIES}/{said.json['id']}"
    assert company.live.post(f"{path}/assign", {"user_id": boss}).codes == {"permission_without_effect"}
    assert company.live.patch(path, {"permission_sets": ["business_hours_write"]}).codes == set()
    assert company.live.post(f"{path}/assign", {"user_id": boss}).codes == set()
    # Days are an office's, so that a policy of call centers gives nothing with them but the choice to keep them.
    body = {**body, "target_type": "callcenter", "permission_sets": ["holiday_hours_settings_write"]}
    assert company.live.post(POLICIES, body).codes == set()


# The rules by themselves


def test_what_stands_in_no_table_is_for_company_admins():
    me = Thing(kind="user", id=1, office_id=7)
    everything = Grant(permissions=("business_hours_write",), level="company", target_id=5)
    plain = Person(id=1, office_ids=frozenset({7}), grants=(everything,))
    assert not judge(plain, "something.new", me).allowed
    assert judge(Person(id=1, is_company_admin=True), "something.new", me).allowed


def test_a_request_that_touches_nothing_of_ones_own_is_not_ones_own():
    plain = Person(id=1, office_ids=frozenset({7}))
    assert not judge(plain, "contacts.create", None).allowed
    assert not judge(plain, "rooms.post", None).allowed
    # Before the body is read, it may still name one's own.
    assert judge(plain, "rooms.post", None, whole=False).allowed
    assert not judge(Person(id=1), "rooms.post", None, whole=False).allowed
