"""Contacts: shared or a user's own, under ids that v2's clients can compute, with numbers as people write them."""

from typing import Any

import pytest
from dialpad.schemas.contact import ContactCollection, ContactProto

from tests.api.desk import WHOLE, Company, office, routing, state
from tests.directory.people import gone, person, told
from tests.published import misfits

CONTACTS = "/api/v2/contacts"


def ada(**changes: Any) -> dict[str, Any]:
    return {"first_name": "Ada", "last_name": "Byron", **changes}


def test_the_life_of_a_shared_contact(company: Company):
    made = company.live.post(
        CONTACTS,
        ada(
            company_name="Analytical Engines",
            job_title="Countess",
            extension="1815",
            emails=["Ada@EXAMPLE.com", "byron@example.com"],
            phones=["+14155550123", "+442079460123"],
            urls=["https://example.com/ada"],
            trunk_group="west",
        ),
    )
    assert made.status == 200
    assert misfits(made.json, ContactProto) == []
    id = made.json["id"]
    assert made.json == {
        "id": id,
        "type": "shared",
        "owner_id": str(company.id),
        "first_name": "Ada",
        "last_name": "Byron",
        "display_name": "Ada Byron",
        "company_name": "Analytical Engines",
        "job_title": "Countess",
        "extension": "1815",
        "emails": ["Ada@example.com", "byron@example.com"],
        "primary_email": "Ada@example.com",
        "phones": ["+14155550123", "+442079460123"],
        "primary_phone": "+14155550123",
        "urls": ["https://example.com/ada"],
        "trunk_group": "west",
    }
    assert company.live.get(f"{CONTACTS}/{id}").json == made.json
    changed = company.live.patch(f"{CONTACTS}/{id}", {"phones": ["+442079460123"], "job_title": ""})
    assert (changed.json["primary_phone"], changed.json["last_name"]) == ("+442079460123", "Byron")
    assert "job_title" not in changed.json
    assert company.live.patch(f"{CONTACTS}/{id}", {"last_name": "x"}, headers={"if-match": '"1"'}).status == 412
    emptied = company.live.patch(f"{CONTACTS}/{id}", {"phones": [], "emails": []}).json
    assert not emptied.keys() & {"phones", "primary_phone", "emails", "primary_email"}
    assert company.live.delete(f"{CONTACTS}/{id}").json == emptied
    assert company.live.get(f"{CONTACTS}/{id}").status == 404
    assert told(company.live, id) == ["contact.created", "contact.updated", "contact.updated", "contact.deleted"]


def test_every_fault_of_a_contact_is_named_at_once(company: Company):
    body = {
        "first_name": "a\nb",
        "last_name": "",
        "owner_id": "12",
        "extension": "9" * 33,
        "emails": ["ada@example.com", "nobody"],
        "phones": ["12", "+14155550123"],
        "urls": ["javascript:alert(1)", "https://ada:secret@example.com"],
    }
    refused = company.live.post(CONTACTS, body)
    assert refused.status == 400
    assert refused.places == [
        "emails[1]",
        "extension",
        "first_name",
        "owner_id",
        "phones[0]",
        "urls[0]",
        "urls[1]",
    ]
    assert "secret" not in refused.response.text
    assert company.live.post(CONTACTS, {}).places == ["first_name", "last_name"]
    assert company.live.post(CONTACTS, {"first_name": " ", "last_name": ""}).places == ["first_name"]
    assert company.live.put(CONTACTS, ada(uid="a/b")).places == ["uid"]


def test_what_is_guessed_of_a_contact_is_said(company: Company):
    made = company.live.post(
        CONTACTS, ada(phones=["(415) 555-0123", "+1 415 555 0123"], urls=["example.com/ada"], last_name="")
    )
    assert made.json["phones"] == ["+14155550123"]
    assert made.json["urls"] == ["https://example.com/ada"]
    assert made.json["display_name"] == "Ada"
    assert [(one.code, one.field) for one in made.warnings] == [
        ("phone_completed", "phones[0]"),
        ("duplicate_left_out", "phones[1]"),
        ("url_completed", "urls[0]"),
    ]


def test_a_user_s_own_contacts_are_listed_apart(company: Company):
    owner, other = person(company), person(company)
    shared = company.live.post(CONTACTS, ada()).json["id"]
    own = company.live.post(CONTACTS, ada(owner_id=owner)).json
    assert (own["type"], own["owner_id"]) == ("local", owner)
    others = company.live.post(CONTACTS, ada(owner_id=int(other))).json["id"]

    def listed(query: str) -> list[str]:
        answer = company.live.get(f"{CONTACTS}{query}")
        assert misfits(answer.json, ContactCollection) == []
        return [one["id"] for one in answer.json.get("items", [])]

    assert listed("") == [shared]
    assert listed("?include_local=True") == [shared, own["id"], others]
    assert listed(f"?owner_id={owner}") == [own["id"]]
    assert listed("?owner_id=0") == []
    assert listed("?owner_id=1234") == []


def test_contacts_are_listed_page_by_page(embedded: Company):
    fresh = embedded.key("directory:write")
    made = [fresh.put(CONTACTS, ada(uid=f"u{index}")).json["id"] for index in range(100)]
    made.append(fresh.post(CONTACTS, ada()).json["id"])
    first = embedded.live.get(CONTACTS)
    second = embedded.live.get(CONTACTS, params={"cursor": first.json["cursor"]})
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == made
    assert "cursor" not in second.json
    assert embedded.live.get(f"{CONTACTS}?include_local=true&cursor={first.json['cursor']}").places == ["cursor"]
    # v2 takes a hundred creates a minute, for each of the two.
    assert fresh.put(CONTACTS, ada(uid="u0")).status == 429
    assert fresh.post(CONTACTS, ada()).status == 200


def test_a_contact_of_a_uid_is_made_once_and_then_replaced(company: Company):
    made = company.live.put(CONTACTS, ada(uid="crm 18:15", job_title="Countess"))
    assert misfits(made.json, ContactProto) == []
    assert made.json["id"] == f"shared_contact_pool_Company:{company.id}_uid_crm 18:15"
    path = f"{CONTACTS}/shared_contact_pool_Company:{company.id}_uid_crm%2018:15"
    assert company.live.get(path).json == made.json
    again = company.live.put(CONTACTS, ada(uid="crm 18:15", last_name="King"))
    assert (again.json["id"], again.json["last_name"]) == (made.json["id"], "King")
    assert "job_title" not in again.json
    company.live.put(CONTACTS, ada(uid="crm 18:15", last_name="King"))
    whole = company.live.get(path.replace("/v2/", "/offhook/v1/")).json
    assert (whole["uid"], whole["contact"]) == ("crm 18:15", again.json)
    assert told(company.live, whole["target_id"]) == ["contact.created", "contact.updated"]
    assert company.live.get(f"{CONTACTS}/{whole['target_id']}").json == again.json
    assert company.live.patch(path, {"first_name": "Augusta"}).json["first_name"] == "Augusta"
    assert company.live.delete(path).status == 200
    assert company.live.get(path).status == 404
    new = company.live.put(CONTACTS, ada(uid="crm 18:15"))
    assert new.json["id"] == made.json["id"]
    assert company.live.get(f"{CONTACTS}/{whole['target_id']}").status == 404


def test_a_uid_sent_twice_at_once_makes_one_contact(company: Company):
    body = ada(uid="one")
    answers = company.live.together([company.live.sending("PUT", CONTACTS, body) for _ in range(8)])
    assert {one.status for one in answers} == {200}
    assert len(company.live.get(CONTACTS).json["items"]) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_contact_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company, method: str):
    body = ada() if method == "POST" else ada(uid="one")
    dry = company.live.send(method, CONTACTS, body, headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["first_name"]) == (True, "Ada")
    assert company.live.get(CONTACTS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.send(method, CONTACTS, body, headers=headers) for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    assert company.live.send(method, CONTACTS, body | {"last_name": "x"}, headers=headers).status == 409


def test_another_company_s_contact_is_not_there(company: Company):
    other = company.desk.found()
    plain = company.live.post(CONTACTS, ada()).json["id"]
    named = company.live.put(CONTACTS, ada(uid="one")).json["id"]
    for caller in (other.live, other.sandbox, company.sandbox):
        for id in (plain, named):
            for method, path, body in (
                ("GET", CONTACTS, None),
                ("PATCH", CONTACTS, {"last_name": "x"}),
                ("DELETE", CONTACTS, None),
                ("GET", "/api/offhook/v1/contacts", None),
            ):
                assert caller.send(method, f"{path}/{id}", body).status == 404
        assert caller.get(f"{CONTACTS}?include_local=true").json == {}
    assert other.live.post(CONTACTS, ada(owner_id=person(company))).places == ["owner_id"]
    assert other.live.put(CONTACTS, ada(uid="one")).json["id"] != named
    assert company.live.get(f"{CONTACTS}/{plain}").status == 200


def called(company: Company, target: str) -> str:
    """An office that sends its calls to a contact."""
    bridge = state(action="bridge_target", action_target_type="contact", action_target_id=target)
    return company.live.made(office(routing_options=routing(bridge))).id


def test_a_contact_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = company.live.post(CONTACTS, ada()).json["id"]
    caller = called(company, id)
    refused = company.live.delete(f"{CONTACTS}/{id}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    assert company.live.delete(f"{CONTACTS}/{id}?force=true").codes == {"pointed_at_voicemail"}
    assert company.live.get(f"{WHOLE}/{caller}").json["office"]["no_operators_action"] == "voicemail"


def test_a_contact_of_a_uid_is_called_by_the_number_that_v2_answers(company: Company):
    made = company.live.put(CONTACTS, ada(uid="crm-1815", phones=["+14155550123"])).json
    assert company.live.get(CONTACTS).json["items"] == [made]
    caller = called(company, made["target_id"])
    assert company.live.get(f"{CONTACTS}/{made['target_id']}").json == made
    refused = company.live.delete(f"{CONTACTS}/{made['id']}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    # Of any other contact the id is that number already.
    assert "target_id" not in company.live.post(CONTACTS, ada()).json


PLACE = "routing_options.open.action_target_id"


def test_sending_calls_to_a_contact_without_a_telephone_is_warned_of(company: Company):
    own = str(company.office_ids["live"])
    id = company.live.post(CONTACTS, ada()).json["id"]
    reached = company.live.post(CONTACTS, ada(phones=["+14155550123"])).json["id"]

    def sent_to(contact: str) -> dict[str, Any]:
        bridge = {"action": "bridge_target", "action_target_type": "contact", "action_target_id": contact}
        return {"routing_options": routing(state(**bridge))}

    office_body, other = office(**sent_to(id)), company.live.made(office()).id
    dry = company.live.post("/api/v2/offices", office_body, headers={"offhook-dry-run": "true"})
    for answer in (
        company.live.post("/api/v2/offices", office_body),
        company.live.put(f"{WHOLE}/{other}", office_body),
        company.live.post("/api/v2/departments", {"name": "Sales", "office_id": own, **sent_to(id)}),
        company.live.post("/api/v2/callcenters", {"name": "Help", "office_id": own, **sent_to(id)}),
        dry,
    ):
        assert answer.status == 200
        silent = [one for one in answer.warnings if one.code == "target_unreachable"]
        assert [one.field for one in silent] == [PLACE]
        assert "Ada Byron" in silent[0].text
    department = company.live.post("/api/v2/departments", {"name": "Deals", "office_id": own, **sent_to(reached)})
    assert department.codes == set()
    changed = company.live.patch(f"/api/v2/departments/{department.json['id']}", sent_to(id))
    assert changed.codes == {"target_unreachable"}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_contact_that_calls_go_to_loses_its_last_telephone_with_a_warning(company: Company, method: str):
    made = company.live.put(CONTACTS, ada(uid="one", phones=["+14155550123", "+442079460123"])).json
    path, body = (CONTACTS, ada(uid="one")) if method == "PUT" else (f"{CONTACTS}/{made['id']}", {"phones": []})
    phones = {"phones": ["+14155550123"]}
    assert company.live.send(method, path, body).codes == set(), "nobody calls it"
    assert company.live.send(method, path, body | phones).codes == set()
    caller = called(company, made["target_id"])
    assert company.live.send(method, path, body | phones).codes == set()
    emptied = company.live.send(method, path, body)
    assert [(one.code, one.field) for one in emptied.warnings] == [("target_unreachable", "phones")]
    assert f"offices/{caller}.{PLACE}" in emptied.warnings[0].text
    assert company.live.send(method, path, body).codes == set(), "it had none"


def test_a_user_whose_own_contact_is_called_is_deleted_only_by_force_and_the_reply_says_what_became(company: Company):
    owner = person(company)
    own = company.live.post(CONTACTS, ada(owner_id=owner)).json["id"]
    caller = called(company, own)
    refused = company.live.delete(f"/api/v2/users/{owner}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.{PLACE}"])
    assert company.live.get(f"{CONTACTS}/{own}").status == 200
    deleted = company.live.delete(f"/api/v2/users/{owner}?force=true")
    pointed = [(one.code, one.field) for one in deleted.warnings]
    assert (deleted.status, pointed) == (200, [("pointed_at_voicemail", f"offices/{caller}")])
    assert company.live.get(f"{CONTACTS}/{own}").status == 404


def test_a_user_s_own_contacts_go_with_the_user(company: Company):
    owner = person(company)
    shared, own = (company.live.post(CONTACTS, body).json["id"] for body in (ada(), ada(owner_id=owner)))
    caller = called(company, own)
    gone(company, "user", owner)
    assert company.live.get(f"{CONTACTS}/{own}").status == 404
    assert company.live.get(f"{CONTACTS}/{shared}").status == 200
    assert told(company.live, own) == ["contact.created", "contact.deleted"]
    assert "office.pointed_at_voicemail" in told(company.live, caller)
