"""The inventory: listed by status and page by page, rewritten, imported into from a carrier's list."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from dialpad.schemas.e164_format import FormatNumberResponse
from dialpad.schemas.number import NumberCollection, NumberProto

from offhook.kit.errors import Unavailable
from offhook.numbers import store
from offhook.numbers.bulk import MAX_RECORDS, Imports
from offhook.numbers.model import Number
from offhook.storage.database import Database, Statement
from offhook.storage.migrate import configuration
from tests.api.desk import OFFICES, Answer, Api, Company, Desk, office
from tests.published import misfits

NUMBERS = "/api/v2/numbers"
IMPORT = "/api/offhook/v1/numbers/import"


def send(caller: Api, content: str, media: str = "application/x-ndjson", **headers: str) -> Answer:
    named = {"content-type": media} | {name.replace("_", "-"): value for name, value in headers.items()}
    return caller.post(IMPORT, content=content.encode(), headers=named)


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


# Reading


def test_numbers_are_listed_page_by_page_in_the_order_of_their_digits(company: Company):
    caller = company.sandbox
    company.add_number("+442079460123", "sandbox")
    first = caller.get(NUMBERS)
    assert misfits(first.json, NumberCollection) == []
    second = caller.get(f"{NUMBERS}?cursor={first.json['cursor']}")
    listed = [one["number"] for one in first.json["items"] + second.json["items"]]
    assert listed == sorted([*company.numbers, "+442079460123"])
    assert "cursor" not in second.json
    assert first.json["items"][0] == {
        "number": listed[0],
        "company_id": str(company.id),
        "area_code": listed[0][2:5],
        "status": "available",
        "type": "local",
    }


def test_a_list_of_one_status_holds_that_status_only(company: Company):
    caller, number = company.sandbox, company.numbers[3]
    made = caller.made(office(mainline_number=number))
    of_offices = caller.get(f"{NUMBERS}?status=office")
    assert [one["number"] for one in of_offices.json["items"]] == [number]
    assert of_offices.json["items"][0]["target_id"] == of_offices.json["items"][0]["office_id"] == made.id
    free = caller.get(f"{NUMBERS}?status=available").json
    assert len(free["items"]) == 99
    assert caller.get(f"{NUMBERS}?status=porting").json == {}
    refused = caller.get(f"{NUMBERS}?status=free")
    assert (refused.status, refused.places) == (400, ["status"])
    assert "available" in refused.errors[0]["message"]
    cursor = caller.get(NUMBERS).json.get("cursor")
    assert cursor is None
    company.add_number("+442079460123", "sandbox")
    cursor = caller.get(NUMBERS).json["cursor"]
    assert caller.get(f"{NUMBERS}?status=office&cursor={cursor}").places == ["cursor"]


@pytest.mark.parametrize("written", ["+14155550100", "%2B14155550100"])
def test_a_number_is_shown_however_its_plus_is_written(company: Company, written: str):
    found = company.sandbox.get(f"{NUMBERS}/{written}")
    assert found.json["number"] == "+14155550100"
    assert misfits(found.json, NumberProto) == []
    assert company.live.get(f"{NUMBERS}/{written}").status == 404


@pytest.mark.parametrize("written", ["14155550100", "%20" + "14155550100", "4155550100", "nonsense"])
def test_a_number_in_another_form_is_refused_with_the_right_one(company: Company, written: str):
    refused = company.sandbox.get(f"{NUMBERS}/{written}")
    assert (refused.status, refused.places) == (400, ["number"])
    assert "+1415" in refused.errors[0]["message"]


@pytest.mark.parametrize(
    ("query", "local", "area", "country", "e164"),
    [
        ("number=4155550100&country_code=US", "(415) 555-0100", "(415)", "US", "+14155550100"),
        ("number=%2B14155550100", "(415) 555-0100", "(415)", "US", "+14155550100"),
        ("number=+14155550100", "(415) 555-0100", "(415)", "US", "+14155550100"),
        ("number=020 7946 0123&country_code=gb", "020 7946 0123", "020", "GB", "+442079460123"),
    ],
)
def test_a_number_is_given_in_both_forms(embedded: Company, query: str, local: str, area: str, country: str, e164: str):
    answer = embedded.live.post(f"{NUMBERS}/format?{query.replace(' ', '%20')}")
    assert misfits(answer.json, FormatNumberResponse) == []
    assert answer.json == {
        "e164_number": e164,
        "local_number": local,
        "area_code": area,
        "country_code": country,
    }


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", ["number"]),
        ("number=4155550100", ["number"]),
        ("number=12&country_code=ZZ", ["country_code", "number"]),
        ("number=hello&country_code=US", ["number"]),
    ],
)
def test_what_cannot_be_rewritten_is_refused(embedded: Company, query: str, places: list[str]):
    refused = embedded.live.post(f"{NUMBERS}/format?{query}")
    assert (refused.status, refused.places) == (400, places)


def test_keys_do_what_their_scopes_allow(company: Company):
    reader, writer, other = (company.key(scope) for scope in ("numbers:read", "numbers:write", "directory:write"))
    assert (reader.get(NUMBERS).status, other.get(NUMBERS).status) == (200, 403)
    assert other.post(f"{NUMBERS}/assign", {"target_type": "room", "target_id": 1}).status == 403
    assert send(reader, lines({"number": "+442071838750"})).status == 403
    assert send(writer, lines({"number": "x"})).status == 200


# Importing


def test_a_carriers_list_is_imported_and_each_bad_line_is_named(company: Company):
    caller, mine = company.sandbox, str(company.office_ids["sandbox"])
    report = send(
        caller,
        lines(
            {"number": "+19075550100", "office_id": mine},
            {"number": "+442071838750"},
            {"number": "4155550199", "office_id": "x"},
            {"number": "+19075550101", "office_id": 12},
            {"type": "lokal"},
            {"number": "+19075550102", "type": "free", "colour": "blue"},
            {"number": company.numbers[0], "type": "mobile"},
            {"number": "+19075550100"},
            {"number": "+19075550101"},
        )
        + "{bad\n",
    )
    assert report.status == 200
    assert {name: report.json[name] for name in ("created", "existing", "refused")} == {
        "created": 2, "existing": 2, "refused": 6
    }  # fmt: skip
    told = report.json["records"]
    assert [one["line"] for one in told] == list(range(1, 11))
    assert [one["status"] for one in told] == [
        "created", "refused", "refused", "refused", "refused", "created", "existing", "existing", "refused", "refused"
    ]  # fmt: skip
    assert [[error["location"] for error in one.get("errors", [])] for one in told] == [
        [], ["number"], ["number", "office_id"], ["office_id"], ["number", "type"], [], [], [], ["number"], [""]
    ]  # fmt: skip
    assert [[warning["code"] for warning in one.get("warnings", [])] for one in told[5:8]] == [
        ["unknown_field"], ["kept_as_it_was"], ["listed_twice"]
    ]  # fmt: skip
    assert caller.get(f"{NUMBERS}/+19075550100").json["office_id"] == mine
    assert caller.get(f"{NUMBERS}/+19075550102").json["type"] == "free"
    assert caller.get(f"{NUMBERS}/{company.numbers[0]}").json["type"] == "local"
    told = [event for event in caller.events() if event["event"] == "numbers.imported"]
    assert [event["after"] for event in told] == [{"count": 2, "numbers": ["+19075550100", "+19075550102"]}]


def test_a_kind_that_the_digits_rule_out_is_refused_and_one_they_speak_against_is_warned_of(company: Company):
    report = send(
        company.sandbox,
        lines(
            {"number": "+19075550103", "type": "tollfree"},
            {"number": "+448081570103", "type": "local"},
            {"number": "+447700900103", "type": "local"},
            {"number": "+448081570104", "type": "tollfree"},
        ),
    ).json
    assert [one["status"] for one in report["records"]] == ["refused", "refused", "created", "created"]
    assert [[error["location"] for error in one.get("errors", [])] for one in report["records"]] == [
        ["type"], ["type"], [], []
    ]  # fmt: skip
    assert "+448081570103 cannot be local: it is a toll-free number" in report["records"][1]["errors"][0]["message"]
    assert [[warning["code"] for warning in one.get("warnings", [])] for one in report["records"]] == [
        [], [], ["type_doubtful"], []
    ]  # fmt: skip
    assert company.sandbox.get(f"{NUMBERS}/+447700900103").json["type"] == "local"


def test_the_same_list_again_adds_nothing(company: Company):
    text = lines(*({"number": f"+1907555{serial:04}"} for serial in range(100, 200)))
    assert send(company.sandbox, text).json["created"] == 100
    again = send(company.sandbox, text).json
    assert (again["created"], again["existing"], again["refused"]) == (0, 100, 0)


def test_a_table_may_have_semicolons_and_columns_that_say_nothing(company: Company):
    answer = send(company.sandbox, "number;note;type\n+19075550100;hello;\n\n+19075550101;;mobile\n", "text/csv")
    assert (answer.json["created"], answer.codes) == (2, {"unknown_column"})
    assert [one["line"] for one in answer.json["records"]] == [2, 4]
    assert company.sandbox.get(f"{NUMBERS}/+19075550101").json["type"] == "mobile"
    assert send(company.sandbox, "a,b\n1,2\n", "text/csv").status == 400


def test_a_dry_run_adds_nothing_and_says_what_it_would(company: Company):
    text = lines(
        {"number": "+19075550100"}, {"number": company.numbers[0]}, {"number": "x"}, {"number": "+19075550100"}
    )
    dry = send(company.sandbox, text, offhook_dry_run="true").json
    assert dry["dry_run"] is True
    assert [one["status"] for one in dry["records"]] == ["would_create", "existing", "refused", "existing"]
    assert (dry["created"], dry["would_create"]) == (0, 1)
    assert company.sandbox.get(f"{NUMBERS}/+19075550100").status == 404
    assert "numbers.imported" not in [event["event"] for event in company.sandbox.events()]


def test_an_import_under_a_key_is_answered_once(company: Company):
    text = lines({"number": "+19075550100"})
    first, again = (send(company.sandbox, text, idempotency_key="one") for _ in range(2))
    assert first.json == again.json
    assert again.headers["offhook-replayed"] == "true"
    other = send(company.sandbox, lines({"number": "+19075550101"}), idempotency_key="one")
    assert other.status == 409


def test_a_live_number_of_another_company_is_refused(desk: Desk):
    one, other = desk.found(), desk.found()
    number = f"+4420718{desk.ids.new() % 100_000:05}"
    assert send(one.live, lines({"number": number})).json["created"] == 1
    refused = send(other.live, lines({"number": number})).json["records"][0]
    assert (refused["status"], refused["errors"][0]["reason"]) == ("refused", "conflict")
    assert other.live.get(f"{NUMBERS}/{number}").status == 404
    office_of_one = str(one.office_ids["live"])
    stranger = send(other.live, lines({"number": f"+4420719{desk.ids.new() % 100_000:05}", "office_id": office_of_one}))
    assert stranger.json["records"][0]["errors"][0]["location"] == "office_id"


def test_two_imports_at_once_add_each_number_once(company: Company):
    text = lines(*({"number": f"+1907555{serial:04}"} for serial in range(100, 200))).encode()
    headers = {"content-type": "application/x-ndjson"}
    answers = company.sandbox.together(
        company.sandbox.sending("POST", IMPORT, content=text, headers=headers) for _ in range(5)
    )
    assert sorted(answer.json["created"] for answer in answers) == [0, 0, 0, 0, 100]


def test_what_was_stored_before_the_store_failed_is_said(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    text = lines(*({"number": f"+44113496{serial:04}"} for serial in range(600)))
    real, asked = Imports._put, []

    def failing(self: Imports, *arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 2:
            raise Unavailable("The disk is full.")
        return real(self, *arguments)

    monkeypatch.setattr(Imports, "_put", failing)
    broken = send(embedded.sandbox, text).json
    assert (broken["created"], broken["refused"]) == (500, 100)
    assert {one["errors"][0]["reason"] for one in broken["records"][500:]} == {"backendError"}
    monkeypatch.undo()
    mended = send(embedded.sandbox, text).json
    assert (mended["created"], mended["existing"]) == (100, 500)


def test_a_list_that_is_too_long_is_refused_whole(embedded: Company):
    text = lines({"number": "+19075550100"}) * (MAX_RECORDS + 1)
    assert send(embedded.sandbox, text).places == ["records"]
    assert send(embedded.sandbox, "\n\n").codes == {"no_records"}


# The store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    opened = Database(
        f"sqlite:///{tmp_path}/data/offhook.sqlite3" if sqlite else request.getfixturevalue("postgres_url")
    )
    yield opened
    opened.close()


def test_numbers_of_before_get_what_their_digits_say(old_store: Database):
    def migrate(revision: str) -> None:
        config = configuration()
        with old_store.transaction() as tx:
            config.attributes["connection"] = tx.connection
            command.upgrade(config, revision)

    migrate("0004")
    with old_store.transaction() as tx:
        for number, kind, target in (("+14155550100", "office", 7), ("+448081570101", "", 0)):
            tx.change(Statement("INSERT INTO numbers VALUES (1, ?, 'sandbox', ?, ?, 5)"), number, kind, target)
    migrate("0005")
    with old_store.transaction() as tx:
        taken, free = store.page(tx, 1, "", 10)
        assert taken == Number(
            e164="+14155550100", type="local", country="US", area_code="415", status="office", target_type="office",
            target_id=7, target_office_id=7, added_at=5,
        )  # fmt: skip
        assert (free.type, free.country, free.area_code, free.status) == ("tollfree", "GB", "808", "available")
        assert store.free(tx, 1, 0, "GB", "tollfree", "808") == free


WHOLE = frozenset({"_COUNT", "_TAKEN_BY"})
"""What reads all there is on purpose: a count, and all that callers may dial, which a snapshot begins with."""

STATEMENTS = {
    name: one for name, one in vars(store).items() if isinstance(one, Statement) and name not in WHOLE
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_grows_with_the_inventory(sqlite_desk: Desk, name: str):
    """Each goes straight to its rows by an index that has all it asks for, and sorts nothing."""
    sql = STATEMENTS[name].text(True)
    with sqlite_desk.offhook.database.reading() as tx:
        told = " ".join(row[3] for row in tx.all(Statement(f"EXPLAIN QUERY PLAN {sql}"), *[1] * sql.count("?")))
    assert "SEARCH numbers" in told
    assert "(tenant_id=?)" not in told
    assert "TEMP B-TREE" not in told


def test_an_office_is_listed_as_having_its_number(company: Company):
    made = company.sandbox.made(office(mainline_number=company.numbers[0]))
    assert company.sandbox.get(f"{NUMBERS}/{company.numbers[0]}").json["target_id"] == made.id
    assert company.sandbox.get(f"{OFFICES}/{made.id}").json["phone_numbers"] == [company.numbers[0]]
