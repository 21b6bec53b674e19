"""Users as v2 has them: made, found, changed and deleted, and nothing of theirs is left behind."""

from typing import Any

import pytest
from dialpad.schemas.user import (
    UserCollection,
    UserProto,
)
from dialpad.schemas.userdevice import UserDeviceCollection, UserDeviceProto
from sqlalchemy import event

from offhook.directory.devices.model import Device
from offhook.directory.devices.store import devices
from offhook.directory.people import users_out
from offhook.directory.users.model import User
from offhook.directory.users.store import primary_emails, users
from offhook.kit import clock
from offhook.storage.documents import Kept
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, Desk, office, routing, state
from tests.conftest import at
from tests.directory.people import (
    USERS,
    ann,
    buy,
    hired,
    join,
    key_of,
    sandbox_office,
    told,
)
from tests.published import misfits

DEVICES = "/api/v2/userdevices"


# Life


def test_the_life_of_a_user(company: Company):
    place = company.office_ids["live"]
    buy(company.live, place, talk_lines=1)
    with at("2026-06-20T19:18:00.500Z"):
        made = company.live.post(USERS, ann(company))
    assert made.status == 200, made
    assert misfits(made.json, UserProto) == []
    id = made.json["id"]
    assert made.json == {
        "id": id,
        "company_id": str(company.id),
        "office_id": str(place),
        "display_name": "Ann Lee",
        "first_name": "Ann",
        "last_name": "Lee",
        "emails": ["ann@example.com"],
        "country": "us",
        "timezone": "America/Los_Angeles",
        "language": "en",
        "license": "talk",
        "state": "active",
        "is_admin": False,
        "is_super_admin": False,
        "is_available": True,
        "is_online": False,
        "is_on_duty": True,
        "on_duty_status": "available",
        "do_not_disturb": False,
        "muted": False,
        "international_dialing_enabled": False,
        "date_added": "2026-06-20T19:18:00",
        "date_active": "2026-06-20T19:18:00",
    }
    assert company.live.get(f"{USERS}/{id}").json == made.json
    changes = {
        "first_name": "Anna",
        "last_name": "",
        "job_title": "Accountant",
        "emails": ["anna@example.com", "ann@example.com"],
        "extension": "0123",
        "forwarding_numbers": ["(415) 555-0123", "+442079460123"],
        "admin_office_ids": [place],
        "is_super_admin": True,
        "international_dialing_enabled": True,
    }
    changed = company.live.patch(f"{USERS}/{id}", changes)
    assert misfits(changed.json, UserProto) == []
    expected = {name: value for name, value in made.json.items() if name != "last_name"} | changes
    del expected["last_name"]
    assert changed.json == expected | {
        "display_name": "Anna",
        "forwarding_numbers": ["+14155550123", "+442079460123"],
        "admin_office_ids": [str(place)],
        "is_admin": True,
        "group_details": [{"group_id": str(place), "group_type": "office", "role": "admin", "do_not_disturb": False}],
    }
    assert company.live.patch(f"{USERS}/{id}", {"job_title": "x"}, headers={"if-match": '"1"'}).status == 412
    with at("2026-06-21T08:00:00Z"):
        suspended = company.live.patch(f"{USERS}/{id}", {"state": "suspended"}, headers={"if-match": '"2"'})
        assert (suspended.json["state"], suspended.json["is_on_duty"]) == ("suspended", False)
        back = company.live.patch(f"{USERS}/{id}", {"state": "active"})
    assert (back.json["state"], back.json["date_active"]) == ("active", "2026-06-21T08:00:00")
    gone = company.live.delete(f"{USERS}/{id}")
    assert misfits(gone.json, UserProto) == []
    assert (gone.json["state"], gone.json["is_available"], gone.json["is_on_duty"]) == ("deleted", False, False)
    assert company.live.get(f"{USERS}/{id}").status == 404
    assert company.live.patch(f"{USERS}/{id}", {"first_name": "x"}).status == 404
    assert company.live.delete(f"{USERS}/{id}").status == 404
    assert told(company.live, id) == [
        "user.created", "user.updated", "user.suspended", "user.activated", "user.deleted",
    ]  # fmt: skip


def test_moving_suspending_and_all_else_in_one_request_are_one_step_with_an_event_each(company: Company):
    other, id = sandbox_office(company), hired(company, "sandbox")
    body = {"office_id": other, "state": "suspended", "job_title": "Clerk"}
    assert company.sandbox.patch(f"{USERS}/{id}", body, headers={"if-match": '"1"'}).status == 200
    assert told(company.sandbox, id) == ["user.created", "user.moved", "user.updated", "user.suspended"]
    refused = company.sandbox.patch(f"{USERS}/{id}", {"job_title": "Chief", "state": "active", "office_id": "12"})
    assert refused.places == ["office_id"]
    assert company.sandbox.get(f"{USERS}/{id}").json["job_title"] == "Clerk"


def test_every_fault_of_a_new_user_is_named_at_once(company: Company):
    refused = company.live.post(USERS, {"email": "ann", "office_id": "12", "first_name": "a\nb", "last_name": "c\td"})
    assert (refused.status, refused.places) == (400, ["email", "first_name", "last_name", "office_id"])
    assert company.live.post(USERS, {"license": "gold", "last_name": "c\td"}).places == [
        "email", "last_name", "license", "office_id",
    ]  # fmt: skip


def test_every_fault_of_a_change_is_named_at_once(company: Company):
    id = hired(company)
    body = {
        "first_name": "a\nb",
        "emails": ["ann@example.com", "nonsense", "ANN@example.com"],
        "extension": "1",
        "forwarding_numbers": ["+14155550100", "12"],
        "phone_numbers": ["+14155550100"],
        "admin_office_ids": [company.office_ids["live"], 5],
        "office_id": 7,
    }
    refused = company.live.patch(f"{USERS}/{id}", body)
    assert (refused.status, refused.places) == (
        400,
        [
            "admin_office_ids[1]",
            "emails[1]",
            "emails[2]",
            "extension",
            "first_name",
            "forwarding_numbers[1]",
            "office_id",
            "phone_numbers[0]",
        ],
    )
    assert company.live.patch(f"{USERS}/{id}", {"emails": []}).places == ["emails"]
    assert company.live.patch(f"{USERS}/{id}", {"state": "deleted", "extension": "x"}).places == ["extension", "state"]


def test_what_says_nothing_is_warned_of(embedded: Company):
    id = hired(embedded)
    said = embedded.live.patch(
        f"{USERS}/{id}", {"presence_status": {"provider": "x"}, "keep_paid_numbers": False, "nickname": "A"}
    )
    assert said.status == 200
    assert {(one.code, one.field) for one in said.warnings} == {
        ("ignored", "presence_status"),
        ("ignored", "keep_paid_numbers"),
        ("unknown_field", "nickname"),
    }


def test_a_user_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    buy(company.live, company.office_ids["live"], talk_lines=1)
    dry = company.live.post(USERS, ann(company), headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["display_name"]) == (True, "Ann Lee")
    assert company.live.get(USERS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(USERS, ann(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.post(USERS, ann(company, first_name="Bob"), headers=headers).status == 409


# Whom addresses and extensions belong to


def test_an_address_is_one_users_and_the_refusal_says_whose(company: Company):
    first = hired(company)
    company.live.patch(f"{USERS}/{first}", {"emails": ["ann@example.com", "lee@example.com"]})
    buy(company.live, company.office_ids["live"], talk_lines=1)
    for address in ("ann@example.com", "Lee@Example.com"):
        refused = company.live.post(USERS, ann(company, email=address))
        assert (refused.status, refused.places) == (409, ["email"])
        assert f"Ann Lee (user {first})" in refused.errors[0]["message"]
    other = company.live.post(USERS, ann(company, email="bob@example.com")).json["id"]
    refused = company.live.patch(f"{USERS}/{other}", {"emails": ["bob@example.com", "LEE@example.com"]})
    assert (refused.status, refused.places) == (409, ["emails[1]"])
    # What is given up, or belonged to somebody who is gone, is anybody's.
    assert company.live.patch(f"{USERS}/{first}", {"emails": ["ann@example.com"]}).status == 200
    assert company.live.patch(f"{USERS}/{other}", {"emails": ["lee@example.com"]}).status == 200
    assert company.live.delete(f"{USERS}/{first}").status == 200
    assert company.live.patch(f"{USERS}/{other}", {"emails": ["ann@example.com"]}).status == 200
    assert company.sandbox.post(USERS, ann(company, "sandbox")).status == 200


def test_a_user_is_made_with_an_extension(company: Company):
    buy(company.live, company.office_ids["live"], talk_lines=2)
    made = company.live.post(USERS, ann(company, extension="4711"))
    assert (made.json["extension"], made.codes) == ("4711", set())
    taken = company.live.post(USERS, ann(company, email="rui@example.com", extension="4711"))
    assert (taken.status, taken.places) == (409, ["extension"])
    assert company.live.post(USERS, ann(company, email="rui@example.com", extension="x")).places == ["extension"]


@pytest.mark.parametrize("digits", ["911", "112", "933"])
def test_an_emergency_number_of_the_country_is_no_extension(company: Company, digits: str):
    id, other = hired(company), company.office_ids["live"]
    assert company.live.patch(f"{USERS}/{id}", {"extension": digits}).places == ["extension"]
    assert company.live.post(USERS, ann(company, office_id=other, extension=digits)).places == ["extension"]
    assert "extension" not in company.live.get(f"{USERS}/{id}").json


def test_an_emergency_number_of_another_country_is_warned_of(company: Company):
    id = hired(company)
    answer = company.live.patch(f"{USERS}/{id}", {"extension": "999"})
    assert (answer.json["extension"], answer.warned) == ("999", {("emergency_number", "extension")})
    again = company.live.patch(f"{USERS}/{id}", {"extension": "999", "job_title": "Lead"})
    assert again.codes == set()
    assert company.live.patch(f"{USERS}/{id}", {"extension": "101"}).codes == set()


def test_an_extension_that_was_there_before_stays_though_it_is_an_emergency_number(company: Company):
    id, caller = hired(company), company.live
    abroad = caller.made(office(name="Lisbon")).id
    buy(caller, abroad, talk_lines=1)
    assert caller.patch(f"{USERS}/{id}", {"office_id": abroad, "extension": "911"}).status == 200
    back = caller.patch(f"{USERS}/{id}", {"office_id": company.office_ids["live"], "extension": "911"})
    assert (back.status, back.json["extension"]) == (200, "911")


def test_an_extension_is_one_users_and_the_refusal_says_whose(company: Company):
    first, other = hired(company), hired(company, email="bob@example.com", first_name="Bob")
    assert company.live.patch(f"{USERS}/{first}", {"extension": "12"}).json["extension"] == "12"
    assert company.live.patch(f"{USERS}/{first}", {"extension": "12"}).status == 200
    refused = company.live.patch(f"{USERS}/{other}", {"extension": "12"})
    assert (refused.status, refused.places) == (409, ["extension"])
    assert f"Ann Lee (user {first})" in refused.errors[0]["message"]
    assert "extension" not in company.live.patch(f"{USERS}/{first}", {"extension": ""}).json
    assert company.live.patch(f"{USERS}/{other}", {"extension": "12"}).status == 200
    for wrong in ("1", "1234567", "12a", "١٢", "-12"):
        assert company.live.patch(f"{USERS}/{first}", {"extension": wrong}).places == ["extension"]


def test_two_who_want_one_address_at_the_same_time_are_not_both_made(company: Company):
    buy(company.live, company.office_ids["live"], talk_lines=9)
    answers = company.live.together(company.live.sending("POST", USERS, ann(company)) for _ in range(9))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 8


# Lists


def test_users_are_listed_page_by_page(embedded: Company):
    buy(embedded.live, embedded.office_ids["live"], talk_lines=101)
    made = [embedded.live.post(USERS, ann(embedded, email=f"u{n}@example.com")).json["id"] for n in range(101)]
    first = embedded.live.get(USERS)
    assert misfits(first.json, UserCollection) == []
    second = embedded.live.get(f"{USERS}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == made
    assert "cursor" not in second.json
    assert embedded.live.get(f"{USERS}?state=active&cursor={first.json['cursor']}").places == ["cursor"]
    everybody = embedded.live.get(f"{USERS}?state=all")
    rest = embedded.live.get(f"{USERS}?state=all&cursor={everybody.json['cursor']}")
    assert [one["id"] for one in everybody.json["items"] + rest.json["items"]] == made


def test_users_are_found_by_state_by_rank_by_address_and_by_number(company: Company):
    ids = {name: hired(company, "sandbox", email=f"{name}@example.com", auto_assign=True) for name in "abcd"}
    call = company.sandbox
    call.patch(f"{USERS}/{ids['b']}", {"state": "suspended"})
    call.patch(f"{USERS}/{ids['c']}", {"is_super_admin": True, "emails": ["c@example.com", "cc@example.com"]})
    call.delete(f"{USERS}/{ids['d']}")
    number = call.get(f"{USERS}/{ids['a']}").json["phone_numbers"][0]

    def found(query: str) -> str:
        answer = call.get(f"{USERS}?{query}")
        assert answer.status == 200, answer
        names = {id: name for name, id in ids.items()}
        return "".join(names[one["id"]] for one in answer.json.get("items", []))

    assert found("") == "abc"
    assert found("state=active") == "ac"
    assert found("state=suspended") == "b"
    assert found("state=deleted") == "d"
    assert found("state=all") == "abcd"
    assert found("state=pending") == ""
    assert found("company_admin=true") == "c"
    assert found("company_admin=False") == "ab"
    assert found("company_admin=false&state=active") == "a"
    assert found("company_admin=false&state=all") == "abd"
    assert found("email=A@example.com") == "a"
    assert found("email=cc@example.com") == "c"
    assert found("email=d@example.com") == ""
    assert found("email=a@example.com&state=suspended") == ""
    assert found(f"number={number.replace('+', '%2B')}") == "a"
    assert found(f"number={number}") == "a"
    assert found(f"number={number[1:]}&email=a@example.com") == "a"
    assert found(f"number={number[1:]}&email=b@example.com") == ""
    assert found("number=%2B442079460999") == ""
    assert found("cursor=&state=&company_admin=&email=&number=") == "abc"
    assert call.get(f"{USERS}?number=12").places == ["number"]
    assert call.get(f"{USERS}?state=asleep").places == ["state"]
    assert company.live.get(f"{USERS}?email=a@example.com").json == {}


def test_a_thousand_users_with_their_groups_take_two_queries(embedded: Company):
    desk, tenant, place = embedded.desk, embedded.tenant(), embedded.office_ids["live"]
    rows = [
        Kept(
            id=desk.ids.new(),
            tenant_id=tenant,
            value=User(office_id=place, emails=(f"u{n}@example.com",), country="US", timezone="UTC"),
            created_at=0,
            updated_at=0,
        )
        for n in range(1000)
    ]
    desk.transact(lambda tx: users.insert(tx, rows))
    for kept in rows[:3]:
        join(embedded, str(kept.id), "office", place)
    statements: list[str] = []

    def count(*args: Any) -> None:
        statements.append(args[2])

    engine = desk.offhook.database.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        with desk.offhook.database.reading() as tx:
            statements.clear()
            out = users_out(tx, rows, embedded.id, clock.now())
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len(out) == 1000
    assert [len(one.group_details) for one in out[:4]] == [1, 1, 1, 0]
    # Two for each five hundred.
    assert len(statements) == 4


def test_lists_show_the_first_address_of_those_who_are_there(embedded: Company):
    desk, tenant, place = embedded.desk, embedded.tenant(), embedded.office_ids["live"]

    def kept(*emails: str, state: str = "active") -> Kept[User]:
        value = User(office_id=place, emails=emails, country="US", timezone="UTC")
        return Kept(id=desk.ids.new(), tenant_id=tenant, value=value, state=state, created_at=0, updated_at=0)

    first, second, gone = (
        kept("one@example.com", "two@example.com"),
        kept("three@example.com"),
        kept("x@example.com", state="deleted"),
    )
    desk.transact(lambda tx: users.insert(tx, [first, second, gone]))
    with desk.offhook.database.reading() as tx:
        ids = [first.id, gone.id, second.id, 1]
        assert primary_emails(tx, tenant, ids) == {first.id: "one@example.com", second.id: "three@example.com"}
        assert primary_emails(tx, tenant + 1, ids) == {}
        assert primary_emails(tx, tenant, []) == {}


# Deleting


def test_a_user_whom_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = hired(company)
    bridge = {"action": "bridge_target", "action_target_type": "user", "action_target_id": id}
    caller = company.live.made(office(routing_options=routing(state(**bridge)))).id
    suspended = company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    assert suspended.codes == {"calls_not_taken"}
    refused = company.live.delete(f"{USERS}/{id}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    assert "Calls are sent to the user Ann Lee by the office Lisbon; point" in refused.json["error"]["message"]
    forced = company.live.delete(f"{USERS}/{id}?force=true")
    assert (forced.status, forced.codes) == (200, {"pointed_at_voicemail"})
    assert company.live.get(f"{OFFICES}/{caller}").json["routing_options"]["open"]["action"] == "voicemail"


def test_of_many_who_send_calls_to_a_user_some_are_named(company: Company):
    id, place = hired(company), str(company.office_ids["live"])
    person = routing(state(action="person", action_target_type="user", action_target_id=id))
    first = ["the call center Support 0", "the call center Support 1", "the call center Support 2"]
    told = [
        first[0],
        " and ".join(first[:2]),
        f"{first[0]}, {first[1]} and {first[2]}",
        f"{', '.join(first)} and others",
    ]
    for number, senders in enumerate(told):
        callcenter = {"name": f"Support {number}", "office_id": place, "routing_options": person}
        assert company.live.post("/api/v2/callcenters", callcenter).status == 200
        refused = company.live.delete(f"{USERS}/{id}")
        assert f"sent to the user Ann Lee by {senders}; point" in refused.json["error"]["message"]


def test_a_line_that_calls_a_suspended_user_can_still_be_changed(company: Company):
    id = hired(company)
    place = str(company.office_ids["live"])
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": place}).json["id"]
    person = state(action="person", action_target_type="user", action_target_id=id)
    lobby = state(action="bridge_target", action_target_type="room", action_target_id=room)
    both = {"routing_options": routing(person, lobby)}
    caller = company.live.made(office(**both)).id
    department = company.live.post("/api/v2/departments", {"name": "Sales", "office_id": place, **both}).json["id"]
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    hours = {"hours_on": True, "monday_hours": ["09:00", "12:00"]}
    assert company.live.patch(f"{OFFICES}/{caller}", hours).status == 200
    moved = {"routing_options": routing(person, person)}
    assert company.live.patch(f"/api/v2/departments/{department}", moved | hours).status == 200
    forced = company.live.delete(f"/api/v2/rooms/{room}?force=true")
    assert [(one.code, one.field) for one in forced.warnings] == [("pointed_at_voicemail", f"offices/{caller}")]
    # A line that did not call them may not begin to.
    fresh = company.live.post(OFFICES, office(**moved))
    states = ("closed", "open")
    assert (fresh.status, fresh.places) == (400, [f"routing_options.{one}.action_target_id" for one in states])


def test_nothing_of_a_deleted_user_is_left(company: Company):
    id, place = hired(company), company.office_ids["live"]
    join(company, id, "office", place)
    join(company, id, "department", 77)
    mine = key_of(company, id)
    device = telephone(company, id)
    assert mine.get(f"{USERS}/me").json["is_online"] is True
    assert company.live.delete(f"{USERS}/{id}").json.get("group_details") is None
    events = company.live.events()
    assert [one["subject_id"] for one in events if one["event"] == "operator.removed"] == [str(place), "77"]
    assert [one["event"] for one in events][-1] == "user.deleted"
    assert "device.deleted" in [one["event"] for one in events]
    assert "key.revoked" in [one["event"] for one in events]
    company.desk.offhook.access.forget()
    assert mine.get(f"{USERS}/me").status == 401
    assert company.live.get(f"{DEVICES}/{device}").status == 404


def test_an_office_that_is_gone_has_no_administrator(company: Company):
    id, other = hired(company), company.live.made(office()).id
    company.live.patch(f"{USERS}/{id}", {"admin_office_ids": [other, company.office_ids["live"]]})
    join(company, id, "office", other)
    assert company.live.delete(f"{WHOLE}/{other}").status == 200
    now = company.live.get(f"{USERS}/{id}").json
    assert now["admin_office_ids"] == [str(company.office_ids["live"])]
    assert [one["group_id"] for one in now["group_details"]] == now["admin_office_ids"]


def test_deleting_the_last_operator_of_a_group_is_said(company: Company):
    made = company.live.post(
        "/api/v2/departments", {"name": "Sales", "office_id": str(company.office_ids["live"])}
    ).json
    id = hired(company)
    operators = f"/api/v2/departments/{made['id']}/operators"
    assert company.live.post(operators, {"operator_type": "user", "operator_id": id}).status == 200
    gone = company.live.delete(f"{USERS}/{id}")
    assert [(one.code, one.field) for one in gone.warnings] == [("group_empty", f"departments/{made['id']}.operators")]
    removed = [one for one in company.live.events() if one["event"] == "operator.removed"]
    assert [(one["subject_id"], one["before"]["operator_id"]) for one in removed] == [(made["id"], id)]


# Keys and devices


def telephone(company: Company, user_id: str, **fields: Any) -> str:
    """The id of a device of a live user that can be rung."""
    kept = Kept(
        id=company.desk.ids.new(),
        tenant_id=company.tenant(),
        value=Device(owner_type="user", owner_id=int(user_id), type="sip", **fields),
        created_at=1_781_983_080_000,
        updated_at=1_781_983_080_000,
    )
    company.desk.transact(lambda tx: devices.insert(tx, [kept]))
    return str(kept.id)


def test_me_is_the_user_of_a_key_that_was_made_for_one(company: Company):
    id = hired(company)
    mine = key_of(company, id)
    assert mine.get(f"{USERS}/me").json == company.live.get(f"{USERS}/{id}").json
    assert mine.patch(f"{USERS}/me", {"job_title": "Clerk"}).json["job_title"] == "Clerk"
    assert mine.put(f"{USERS}/me/e911", ADDRESSES["US"]).status == 200
    assert mine.patch(f"{USERS}/me/status", {"status_message": "x"}).json["id"] == id
    assert mine.get(f"{DEVICES}?user_id=me").json == {}
    assert mine.get(f"{USERS}/me/deskphones").json == {}
    for method, path, body in OPERATIONS:
        refused = company.live.send(method, path.replace("{id}", "me"), body)
        assert (refused.status, refused.places) == (400, ["id"]), path
        assert "offhook key create --user" in refused.errors[0]["message"]
        assert company.live.send(method, path.replace("{id}", "ann"), body).places == ["id"], path
    assert company.live.get(f"{DEVICES}?user_id=me").places == ["user_id"]


def test_a_suspended_user_is_not_online_whatever_telephones_are_there(company: Company):
    id = hired(company)
    telephone(company, id)
    assert company.live.get(f"{USERS}/{id}").json["is_online"] is True
    assert company.live.patch(f"{USERS}/{id}", {"state": "suspended"}).json["is_online"] is False
    assert company.live.patch(f"{USERS}/{id}", {"state": "active"}).json["is_online"] is True


def test_devices_are_listed_and_shown(company: Company):
    ann_, bob = hired(company), hired(company, email="bob@example.com")
    one = telephone(company, ann_, name="Desk", app_version="1.2", registered_at=1_781_983_080_000)
    two = telephone(company, bob)
    shown = company.live.get(f"{DEVICES}/{one}")
    assert misfits(shown.json, UserDeviceProto) == []
    assert shown.json == {
        "id": one,
        "user_id": ann_,
        "type": "sip",
        "display_name": "Desk",
        "app_version": "1.2",
        "date_created": "2026-06-20T19:18:00",
        "date_updated": "2026-06-20T19:18:00",
        "date_registered": "2026-06-20T19:18:00",
    }
    listed = company.live.get(DEVICES)
    assert misfits(listed.json, UserDeviceCollection) == []
    assert [item["id"] for item in listed.json["items"]] == [one, two]
    assert [item["id"] for item in company.live.get(f"{DEVICES}?user_id={bob}").json["items"]] == [two]
    assert company.live.get(f"{DEVICES}?user_id=12").status == 404
    for nobody in ("12", "nonsense"):
        assert company.live.get(f"{DEVICES}/{nobody}").status == 404
    assert company.sandbox.get(f"{DEVICES}/{one}").status == 404
    assert company.sandbox.get(DEVICES).json == {}


# Others


OPERATIONS: list[tuple[str, str, Any]] = [
    ("GET", USERS + "/{id}", None),
    ("PATCH", USERS + "/{id}", {"first_name": "Eve"}),
    ("DELETE", USERS + "/{id}", None),
    ("PATCH", USERS + "/{id}/togglednd", {"do_not_disturb": True}),
    ("PATCH", USERS + "/{id}/status", {"status_message": "Hacked"}),
    ("PATCH", USERS + "/{id}/move_office", {"office_id": "1"}),
    ("GET", USERS + "/{id}/caller_id", None),
    ("POST", USERS + "/{id}/caller_id", {"caller_id": "blocked"}),
    ("GET", USERS + "/{id}/personas", None),
    ("GET", USERS + "/{id}/e911", None),
    ("PUT", USERS + "/{id}/e911", ADDRESSES["US"]),
    ("POST", USERS + "/{id}/assign_number", {"area_code": "415"}),
    ("POST", USERS + "/{id}/unassign_number", {"number": "+14155550100"}),
]


@pytest.mark.parametrize(("method", "path", "body"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS])
def test_anothers_user_is_not_there(desk: Desk, company: Company, method: str, path: str, body: Any):
    id = hired(company)
    before = company.live.get(f"{USERS}/{id}").json
    other = desk.found()
    for caller in (other.live, other.sandbox, company.sandbox):
        answer = caller.send(method, path.replace("{id}", id), body)
        assert answer.status == 404
        nobody = caller.send(method, path.replace("{id}", "1234567"), body)
        assert answer.response.text.replace(id, "ID") == nobody.response.text.replace("1234567", "ID")
    assert company.live.get(f"{USERS}/{id}").json == before


def test_anothers_office_and_user_cannot_be_named(company: Company):
    other = company.desk.found()
    theirs, stranger = other.live.made(office()).id, hired(other)
    mine = hired(company)
    assert company.live.post(USERS, ann(company, office_id=theirs, email="x@example.com")).places == ["office_id"]
    assert company.live.patch(f"{USERS}/{mine}/move_office", {"office_id": theirs}).places == ["office_id"]
    assert company.live.patch(f"{USERS}/{mine}", {"admin_office_ids": [theirs]}).places == ["admin_office_ids[0]"]
    assert company.live.get(f"{DEVICES}?user_id={stranger}").status == 404
    bridge = state(action="bridge_target", action_target_type="user", action_target_id=stranger)
    assert company.live.refused(office(routing_options=routing(bridge))) == ["routing_options.open.action_target_id"]


def test_a_key_reads_and_writes_users_only_within_its_scopes(company: Company):
    id = hired(company)
    reader, foreign = company.key("directory:read"), company.key("offices:write")
    for method, path, body in OPERATIONS:
        path = path.replace("{id}", id)
        if method == "GET":
            assert reader.get(path).status == 200
        else:
            assert reader.send(method, path, body).status == 403
        assert foreign.send(method, path, body).status == 403


def test_an_event_says_whose_it_is_and_in_which_state(company: Company):
    id = hired(company)
    company.live.patch(f"{USERS}/{id}", {"state": "suspended"})
    (event_,) = [one for one in company.live.events() if one["event"] == "user.suspended"]
    assert (event_["before"]["state"], event_["after"]["state"]) == ("active", "suspended")
    assert event_["after"]["id"] == id
    assert event_["after"]["license"] == "talk"
    assert isinstance(event_["after"]["office_id"], str)


def test_an_agent_of_a_call_center_keeps_the_licence_for_it(company: Company):
    id = hired(company, license="talk")
    buy(company.live, company.office_ids["live"], sell_lines=1, talk_lines=1)
    made = company.live.post("/api/v2/callcenters", {"name": "Help", "office_id": str(company.office_ids["live"])}).json
    body = {"user_id": id, "license_type": "agents"}
    assert company.live.post(f"/api/v2/callcenters/{made['id']}/operators", body).status == 200
    refused = company.live.patch(f"{USERS}/{id}", {"license": "talk"})
    assert (refused.status, refused.places) == (409, [f"callcenters/{made['id']}.operators", "license"])


def test_only_an_admins_key_makes_admins(company: Company):
    id = hired(company)
    clerk = company.key("directory:write")
    refused = clerk.patch(f"{USERS}/{id}", {"is_super_admin": True, "admin_office_ids": [], "job_title": "Clerk"})
    assert (refused.status, refused.places) == (403, ["admin_office_ids", "is_super_admin"])
    assert clerk.patch(f"{USERS}/{id}", {"job_title": "Clerk"}).status == 200
    assert company.live.patch(f"{USERS}/{id}", {"is_super_admin": True}).json["is_super_admin"] is True
