"""Many users from one file: each by the rules of a create, none twice, whatever becomes of the others."""

import json
from typing import Any

from tests.api.desk import WHOLE, Answer, Api, Company

PATH = "/api/offhook/v1/users/import"
USERS = "/api/v2/users"


def lines(*records: Any) -> bytes:
    return b"\n".join(record if isinstance(record, bytes) else json.dumps(record).encode() for record in records)


def send(api: Api, content: bytes, media: str = "application/x-ndjson", **headers: str) -> Answer:
    return api.post(PATH, content=content, headers={"content-type": media, **headers})


def person(company: Company, name: str, **changes: Any) -> dict[str, Any]:
    return {"email": f"{name}@example.com", "office_id": str(company.office_ids["live"]), **changes}


def buy(company: Company, **lines: int) -> None:
    office = company.office_ids["live"]
    assert company.live.post(f"{WHOLE}/{office}/licences", lines).status == 200


def statuses(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [record["status"] for record in answer.json["records"]]


def test_users_are_made_with_all_that_is_said_of_them_and_found_the_next_time(company: Company):
    buy(company, talk_lines=2)
    file = lines(
        person(company, "ana", first_name="Ana", job_title="Lead", extension="101", is_super_admin=True),
        b"",
        person(company, "rui", forwarding_numbers=["+14155550142"]),
    )
    made = send(company.live, file)
    assert statuses(made) == ["created", "created"]
    assert [record["line"] for record in made.json["records"]] == [1, 3]
    ana = company.live.get(f"{USERS}/{made.json['records'][0]['id']}").json
    assert (ana["job_title"], ana["extension"], ana["is_super_admin"]) == ("Lead", "101", True)
    events = company.live.events()
    again = send(company.live, file)
    assert statuses(again) == ["existing", "existing"]
    assert [one["id"] for one in again.json["records"]] == [one["id"] for one in made.json["records"]]
    assert company.live.events() == events


def test_a_record_that_is_refused_stops_no_other_and_leaves_nothing_of_itself(company: Company):
    buy(company, talk_lines=2)
    answer = send(
        company.live,
        lines(
            person(company, "ana", extension="101"),
            person(company, "rui", extension="101"),
            person(company, "eva", office_id="12", first_name="a\nb"),
            {"email": "x", "office_id": "y"},
            b"{",
            b"[1]",
            person(company, "leo"),
            person(company, "mia"),
        ),
    )
    assert statuses(answer) == ["created", *["refused"] * 5, "created", "refused"]
    faults = [sorted(error["location"] for error in one.get("errors", [])) for one in answer.json["records"]]
    assert faults[1:4] == [["extension"], ["first_name", "office_id"], ["email", "office_id"]]
    # The two lines of the plan are taken: for that, and only for that, the last one is refused.
    assert faults[-1] == ["license"]
    assert [one["emails"] for one in company.live.get(USERS).json["items"]] == [
        ["ana@example.com"],
        ["leo@example.com"],
    ]


def test_a_table_is_read_by_its_first_row(embedded: Company):
    buy(embedded, talk_lines=1, sell_lines=1)
    office = embedded.office_ids["live"]
    table = (
        "email,office_id,first_name,license,extension,international_dialing_enabled,colour\n"
        f"ana@example.com,{office},Ana,,0101,TRUE,blue\n"
        f"rui@example.com,{office},Rui,agents,,,\n"
    )
    answer = send(embedded.live, table.encode(), "text/csv")
    assert statuses(answer) == ["created", "created"]
    assert answer.codes == {"unknown_column"}
    ana, rui = embedded.live.get(USERS).json["items"]
    assert (ana["extension"], ana["international_dialing_enabled"], rui["license"]) == ("0101", True, "agents")


def test_a_dry_run_counts_the_free_lines_and_stores_nothing(company: Company):
    buy(company, talk_lines=1)
    file = lines(person(company, "ana"), person(company, "rui"))
    dry = send(company.live, file, **{"offhook-dry-run": "true"})
    assert statuses(dry) == ["would_create", "refused"]
    assert company.live.get(USERS).json == {}


def test_the_same_import_under_one_key_is_answered_once(company: Company):
    buy(company, talk_lines=1)
    file = lines(person(company, "ana"))
    first, again = (send(company.live, file, **{"idempotency-key": "one"}) for _ in range(2))
    assert (first.json, again.headers["offhook-replayed"]) == (again.json, "true")
    assert send(company.live, lines(person(company, "rui")), **{"idempotency-key": "one"}).status == 409


def test_two_imports_at_once_make_nobody_twice(company: Company):
    buy(company, talk_lines=60)
    file = lines(*(person(company, f"user{number}") for number in range(30)))
    options = {"content": file, "headers": {"content-type": "application/x-ndjson"}}
    answers = company.live.together([company.live.sending("POST", PATH, **options) for _ in range(2)])
    assert sum(answer.json["created"] for answer in answers) == 30
    assert sum(answer.json["existing"] for answer in answers) == 30


def test_an_office_of_another_company_is_none(embedded: Company):
    other = embedded.desk.found()
    buy(other, talk_lines=1)
    answer = send(embedded.live, lines(person(other, "ana")))
    assert [error["location"] for error in answer.json["records"][0]["errors"]] == ["office_id"]
    buy(embedded, talk_lines=1)
    assert statuses(send(other.live, lines(person(other, "ana")))) == ["created"]
    assert statuses(send(embedded.live, lines(person(embedded, "ana")))) == ["created"]


def test_too_many_records_and_a_table_without_names_are_refused(embedded: Company):
    assert send(embedded.live, lines(*[{}] * 1001)).places == ["records"]
    assert send(embedded.live, b"a,b\n1,2\n", "text/csv").status == 400
    assert send(embedded.live, b"").codes == {"no_records"}
    assert embedded.key("directory:read").post(PATH, content=b"").status == 403


def test_who_stands_twice_in_a_file_is_made_once_and_said_so(company: Company):
    buy(company, talk_lines=2)
    file = lines(
        person(company, "ana", extension="1"),
        person(company, "ana", extension="101"),
        person(company, "rui"),
        {**person(company, "x"), "email": "ANA@example.com"},
    )
    for dry, word in (({"offhook-dry-run": "true"}, "would_create"), ({}, "created")):
        answer = send(company.live, file, **dry)
        # What was refused in the first line is made by the second.
        assert statuses(answer) == ["refused", word, word, "existing"]
        told = [[(one["code"], one["text"]) for one in record.get("warnings", [])] for record in answer.json["records"]]
        assert told == [[], [], [], [("listed_twice", "Line 2 has the same address.")]]


def test_who_is_there_and_differs_from_the_file_is_named_with_what_differs_and_left_alone(company: Company):
    buy(company, talk_lines=2)
    ana = person(company, "ana", first_name="Ana", extension="101", forwarding_numbers=["+14155550142"])
    assert statuses(send(company.live, lines(ana))) == ["created"]
    events = company.live.events()
    other = {**ana, "email": " Ana@example.com", "last_name": "Sousa", "extension": "102", "license": "agents"}
    answer = send(company.live, lines(ana, other))
    assert statuses(answer) == ["existing", "existing"]
    same, differs = (
        [(one["code"], one["field"]) for one in record.get("warnings", [])] for record in answer.json["records"]
    )
    assert same == []
    assert differs == [
        ("listed_twice", "email"),
        ("kept_as_it_was", "last_name"),
        ("kept_as_it_was", "license"),
        ("kept_as_it_was", "extension"),
    ]
    assert company.live.events() == events


def test_a_key_is_told_nothing_of_an_office_of_the_other_environment(company: Company):
    sandbox, live = (str(company.office_ids[one]) for one in ("sandbox", "live"))
    for api, id in ((company.live, sandbox), (company.sandbox, live)):
        told = [
            send(api, lines({"email": "ana@example.com", "office_id": office})).json["records"][0]["errors"][0][
                "message"
            ]
            for office in (id, "12")
        ]
        assert told[0] == told[1]
