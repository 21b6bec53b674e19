"""What calls see of a company: who is rung and why not, what is played, where numbers lead."""

from base64 import b64encode
from typing import Any

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Company as Compiled
from offhook.routing.model import Contact, Line, Person
from offhook.routing.plan import Incoming
from offhook.routing.snapshot import compiled
from offhook.routing.state import new_call
from tests.api.desk import ADDRESSES, WHOLE, Company, full, office, routing, state
from tests.directory.people import buy, give_number, hired, person
from tests.directory.recordings import BEEP

V1, V2 = "/api/offhook/v1", "/api/v2"
ABROAD, HOME = "+351912345678", "+14155550123"


def seen(company: Company, tenant: int = 0) -> Compiled:
    """The live environment as calls see it, or another tenant."""
    tenant_id, desk = tenant or company.tenant(), company.desk
    return desk.run(desk.offhook.reader.run(lambda tx: compiled(tx, tenant_id))).company


def primary(company: Company) -> Target:
    return Target("office", company.office_ids["live"])


def line(company: Company, target: Target | None = None) -> Line:
    return seen(company).lines[target or primary(company)]


def of(company: Company, user_id: str) -> Person:
    return seen(company).people[f"user:{user_id}"]


def joined(company: Company, *users: str, kind: str = "offices", group: Any = None) -> None:
    """Users who answer for the primary office, or for another group."""
    for user in users:
        body = {"user_id": user} if kind == "callcenters" else {"operator_type": "user", "operator_id": user}
        path = f"{V2}/{kind}/{group or company.office_ids['live']}/operators"
        assert company.live.post(path, body).status == 200


def telephone(company: Company, id: str, kind: str = "users", **fields: Any) -> str:
    answer = company.live.post(f"{V1}/{kind}/{id}/devices", fields)
    assert answer.status == 200
    return str(answer.json["id"])


# Who is rung


def test_operators_stand_in_the_order_of_joining_with_their_telephones(company: Company):
    zoe, ann = person(company, "Zoe"), person(company, "Ann")
    joined(company, zoe, ann)
    phones = [telephone(company, ann), telephone(company, ann, type="web")]
    telephone(company, zoe)
    assert [(one.name, one.away) for one in line(company).operators] == [("Zoe", ""), ("Ann", "")]
    assert list(of(company, ann).devices) == phones


AWAY: list[tuple[str, str, Any, str]] = [
    ("PATCH", "/callcenters/operators/{id}/dutystatus", {"on_duty": False, "duty_status_reason": "Lunch Time"},
     "off duty: Lunch Time"),
    ("PATCH", "/callcenters/operators/{id}/dutystatus", {"on_duty": False}, "off duty"),
    ("PATCH", "/users/{id}/togglednd", {"do_not_disturb": True}, "does not want to be disturbed"),
    ("PATCH", "/users/{id}/togglednd", {"do_not_disturb": True, "group_type": "office", "group_id": "{office}"},
     "does not want calls of this group"),
    ("PATCH", "/users/{id}", {"state": "suspended"}, "suspended"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "why"), AWAY, ids=[why for *_, why in AWAY])
def test_who_is_not_rung_is_said_in_a_receptionists_words(
    embedded: Company, method: str, path: str, body: dict[str, Any], why: str
):
    ann = person(embedded, "Ann")
    joined(embedded, ann)
    telephone(embedded, ann)
    body = {name: str(embedded.office_ids["live"]) if value == "{office}" else value for name, value in body.items()}
    assert embedded.live.send(method, V2 + path.format(id=ann), body).status == 200
    found = line(embedded)
    assert [one.away for one in found.operators] == [why]
    assert found.ready == ()


def test_whoever_has_no_telephone_that_is_enabled_is_not_rung(embedded: Company):
    ann = person(embedded, "Ann")
    joined(embedded, ann)
    assert line(embedded).operators[0].away == "no telephone"
    id = telephone(embedded, ann, enabled=False)
    assert line(embedded).operators[0].away == "no telephone"
    embedded.live.patch(f"{V1}/users/{ann}/devices/{id}", {"enabled": True})
    assert line(embedded).operators[0].away == ""


def test_a_supervisor_of_a_call_center_is_no_operator(embedded: Company):
    center = embedded.live.post(f"{V2}/callcenters", {"name": "Help", "office_id": str(primary(embedded).id)}).json
    ann = person(embedded, "Ann")
    telephone(embedded, ann)
    buy(embedded.live, primary(embedded).id, sell_lines=1)
    body = {"user_id": ann, "role": "supervisor", "skill_level": 7}
    assert embedded.live.post(f"{V2}/callcenters/{center['id']}/operators", body).status == 200
    one = line(embedded, Target("callcenter", int(center["id"]))).operators[0]
    assert (one.away, one.skill) == ("supervisor, not an operator", 7)


def test_a_room_answers_with_its_telephone(embedded: Company):
    room = embedded.live.post(f"{V2}/rooms", {"name": "Lobby", "office_id": str(primary(embedded).id)}).json["id"]
    body = {"operator_type": "room", "operator_id": room}
    assert embedded.live.post(f"{V2}/offices/{primary(embedded).id}/operators", body).status == 200
    id = telephone(embedded, room, "rooms")
    assert [(one.name, one.away) for one in line(embedded).operators] == [("Lobby", "")]
    assert seen(embedded).people[f"room:{room}"].devices == (id,)


# Abroad


@pytest.mark.parametrize(
    ("of_office", "of_user", "rings"), [(False, False, 1), (True, False, 1), (False, True, 1), (True, True, 2)]
)
def test_a_forwarding_number_abroad_rings_only_where_office_and_user_may_call_there(
    embedded: Company, of_office: bool, of_user: bool, rings: int
):
    made = embedded.live.made(full(name="Second", international_enabled=of_office)).id
    ann = person(embedded, "Ann", office_id=int(made), international_dialing_enabled=of_user)
    embedded.live.patch(f"{V2}/users/{ann}", {"forwarding_numbers": [ABROAD, HOME]})
    found = of(embedded, ann)
    assert len(found.forwarding) == rings
    assert len(found.remarks) == 2 - rings
    if found.remarks:
        barred = "Ann" if of_office else "Second"
        assert found.remarks[0] == (
            f"{ABROAD} of Ann does not ring: it is abroad, and {barred} may make no international calls."
        )


# Numbers, extensions, caller IDs, addresses


def test_numbers_lead_to_whoever_has_them(company: Company):
    ann = hired(company)
    number = give_number(company, "user", ann)
    free = company.add_number("+19257834444")
    found = seen(company)
    assert found.numbers[number] == Target("user", int(ann))
    assert free not in found.numbers
    assert found.primary_office == company.office_ids["live"]


def test_an_extension_leads_to_its_user(embedded: Company):
    ann = hired(embedded)
    embedded.live.patch(f"{V2}/users/{ann}", {"extension": "204"})
    assert seen(embedded).extensions == {"204": f"user:{ann}"}


def test_calls_show_what_the_user_chose_while_it_is_theirs(embedded: Company):
    ann = hired(embedded)
    buy(embedded.live, embedded.office_ids["live"], additional_number_lines=2)
    first, second = give_number(embedded, "user", ann), give_number(embedded, "user", ann)
    assert of(embedded, ann).caller_id == first
    embedded.live.post(f"{V2}/users/{ann}/caller_id", {"caller_id": second})
    assert of(embedded, ann).caller_id == second
    embedded.live.post(f"{V2}/users/{ann}/unassign_number", {"number": second})
    assert of(embedded, ann).caller_id == first
    embedded.live.post(f"{V2}/users/{ann}/caller_id", {"caller_id": "blocked"})
    assert of(embedded, ann).caller_id == ""


def test_addresses_of_emergency_are_the_persons_and_the_offices(embedded: Company):
    ann, bob = hired(embedded), hired(embedded, email="bob@example.com")
    embedded.live.put(f"{V2}/users/{ann}/e911", ADDRESSES["US"])
    found = seen(embedded)
    assert found.people[f"user:{ann}"].e911 is not None
    assert found.people[f"user:{bob}"].e911 is None
    assert found.offices[primary(embedded).id].e911 is not None


def test_a_member_may_show_the_groups_number_while_the_group_has_it(embedded: Company):
    ann = hired(embedded)
    joined(embedded, ann)
    number = give_number(embedded, "office", str(primary(embedded).id))
    embedded.live.post(f"{V2}/users/{ann}/caller_id", {"caller_id": number})
    assert of(embedded, ann).caller_id == number


# The directory by name


def test_residents_of_an_office_stand_in_the_order_of_names_without_the_suspended(embedded: Company):
    names = {name: person(embedded, name) for name in ("bob", "Ann", "Cid")}
    embedded.live.patch(f"{V2}/users/{names['Cid']}", {"state": "suspended"})
    made = embedded.live.made(office(name="Second")).id
    found = seen(embedded)
    assert found.residents[primary(embedded).id] == (f"user:{names['Ann']}", f"user:{names['bob']}")
    assert found.residents[int(made)] == ()
    spelled = found.people[f"user:{names['bob']}"].spelled
    assert spelled is not None
    assert spelled.first == "262"


# Lines


def test_a_group_keeps_its_offices_zone_and_special_days(embedded: Company):
    made = embedded.live.made(office(name="Second", country="PT", timezone="Europe/Lisbon")).id
    embedded.live.put(f"{WHOLE}/{made}/special-days", {"days": [{"date": "2026-12-24", "name": "Eve"}]})
    body = {"name": "Sales", "office_id": made, "hours_on": True}
    group = embedded.live.post(f"{V2}/departments", body).json["id"]
    hours = line(embedded, Target("department", int(group))).schedule
    assert (hours.zone.key, [day.name for day in hours.days]) == ("Europe/Lisbon", ["Eve"])


def test_the_keys_of_a_menu_say_where_in_the_body_they_stand(embedded: Company):
    keys = [{"input": "2", "options": {"action": "operator"}}, {"input": "3"}]
    body = {"name": "Sales", "office_id": str(primary(embedded).id)}
    opened = state(action="menu", try_dial_operators=False, dtmf=keys)
    group = embedded.live.post(f"{V2}/departments", {**body, "routing_options": routing(opened)}).json["id"]
    found = line(embedded, Target("department", int(group))).open
    assert (found.try_operators, found.choice.action, found.choice.place) == (False, "menu", "routing_options.open")
    assert (found.keys["2"].action, found.keys["2"].place) == ("operator", "routing_options.open.dtmf[0].options")
    assert found.keys["3"].action == "disabled"


def test_a_call_centers_queue_and_recording_are_those_of_its_body(embedded: Company):
    queue = {"max_hold_count": 7, "max_hold_seconds": 100, "announce_position": False, "queue_escape_dtmf": "*"}
    body = {
        "name": "Help", "office_id": str(primary(embedded).id), "hold_queue": queue, "ring_seconds": 12,
        "advanced_settings": {"auto_call_recording": {"call_recording_inbound": True}},
        "voice_intelligence": {"auto_start": False},
    }  # fmt: skip
    answer = embedded.live.post(f"{V2}/callcenters", body)
    assert answer.status == 200, answer
    found = line(embedded, Target("callcenter", int(answer.json["id"])))
    assert found.queue is not None
    assert (found.queue.most, found.queue.seconds, found.queue.announce_seconds, found.queue.escape) == (7, 100, 0, "*")
    assert (found.record, found.transcribe, found.ring_seconds) == (True, False, 12)
    assert line(embedded).queue is None


@pytest.mark.parametrize(("longest", "announced"), [(119, 0), (120, 30)])
def test_who_waits_less_than_two_minutes_is_not_told_the_place(embedded: Company, longest: int, announced: int):
    queue = {"max_hold_seconds": longest, "announcement_interval_seconds": 30}
    body = {"name": "Help", "office_id": str(primary(embedded).id), "hold_queue": queue}
    id = int(embedded.live.post(f"{V2}/callcenters", body).json["id"])
    found = line(embedded, Target("callcenter", id)).queue
    assert found is not None
    assert (found.seconds, found.announce_seconds) == (longest, announced)


def test_only_the_prompt_that_is_chosen_for_inbound_calls_is_played(company: Company):
    target = {"target_type": "office", "target_id": str(primary(company).id)}
    body = {"file": b64encode(BEEP).decode(), "ivr_type": "GREETING", **target}
    made = company.live.post(f"{V2}/customivrs", body).json["id"]
    digest = company.live.get(f"{V1}/prompts/{made}").json["digest"]
    assert line(company).prompts == {"GREETING": digest}
    company.live.delete(f"{V2}/customivrs/office/{primary(company).id}/GREETING", {"ivr_id": made})
    assert line(company).prompts == {}


# Others


def test_of_the_contacts_only_those_that_calls_are_sent_to_are_there(embedded: Company):
    ada, _ = (
        embedded.live.post(f"{V2}/contacts", {"first_name": name, "last_name": "", "phones": [HOME]}).json["id"]
        for name in ("Ada", "Bob")
    )
    bridge = state(action="bridge_target", action_target_type="contact", action_target_id=ada)
    body = {"name": "Sales", "office_id": str(primary(embedded).id), "routing_options": routing(bridge)}
    assert embedded.live.post(f"{V2}/departments", body).status == 200
    assert seen(embedded).contacts == {int(ada): Contact(int(ada), "Ada", (HOME,))}


def test_a_team_has_its_members_in_the_order_of_joining(embedded: Company):
    zoe, ann = person(embedded, "Zoe"), person(embedded, "Ann")
    team = embedded.live.post(f"{V1}/coaching-teams", {"name": "New", "office_id": str(primary(embedded).id)}).json[
        "id"
    ]
    for user, role in ((zoe, "coach"), (ann, "trainee")):
        embedded.live.post(f"{V2}/coachingteams/{team}/members", {"member_id": user, "role": role})
    assert seen(embedded).teams[int(team)].members == (f"user:{zoe}", f"user:{ann}")


def test_another_company_and_the_other_environment_see_nothing_of_it(company: Company):
    ann = hired(company)
    stranger = company.desk.found()
    for tenant in (stranger.tenant(), company.tenant("sandbox")):
        found = seen(company, tenant)
        assert f"user:{ann}" not in found.people
        assert primary(company) not in found.lines


def test_a_call_to_a_company_just_made_is_decided_with_what_the_store_says(company: Company):
    ann = person(company, "Ann")
    joined(company, ann)
    telephone(company, ann)
    number = give_number(company, "office", str(primary(company).id))
    config = seen(company)
    state_, verbs = decide(config, new_call("c", 1), Incoming(at=1_781_976_000_000, number=number, caller=HOME))
    assert verbs
    assert state_.home == primary(company)
    assert state_.config == config.version
