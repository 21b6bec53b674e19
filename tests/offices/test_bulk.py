"""Importing offices: what a file may look like, what each record becomes, and that sending it again is safe."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import bootstrap
from offhook.access.idempotency import check_key
from offhook.app import Offhook
from offhook.examples import FULL, SMALL
from offhook.kit.errors import Invalid, Malformed, Notice, Unavailable
from offhook.kit.records import CSV, MAX_ERRORS, MAX_RECORD, NDJSON
from offhook.kit.settings import Settings
from offhook.offices import bulk
from offhook.offices.bulk import KEY, read_records
from offhook.offices.create import NewOffice
from offhook.storage.database import Statement

PATH = "/api/offhook/v1/offices/import"
_COUNT = Statement("SELECT (SELECT count(*) FROM offices), (SELECT count(*) FROM plans), (SELECT count(*) FROM events)")


class House:
    """A server in this process, with a company and a client that has its key."""

    def __init__(self, offhook: Offhook, client: httpx.AsyncClient, made: bootstrap.Founded) -> None:
        self.offhook = offhook
        self.client = client
        self.made = made

    async def send(self, content: str | bytes, media: str = NDJSON, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(PATH, content=content, headers={"content-type": media, **named})

    async def sent(self, content: str | bytes, media: str = NDJSON, **headers: str) -> dict[str, Any]:
        reply = await self.send(content, media, **headers)
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        assert answer["created"] + answer["existing"] + answer["refused"] + answer.get("would_create", 0) == len(
            answer["records"]
        )
        return answer

    def stored(self) -> int:
        """Offices beside the primary ones; each has its plan and its event, or this fails."""
        with self.offhook.database.reading() as tx:
            offices, plans, events = tx.all(_COUNT)[0]
        assert plans == offices
        assert events - 5 - self.numbers_assigned() == offices
        return int(offices) - 2

    def numbers_assigned(self) -> int:
        with self.offhook.database.reading() as tx:
            row = tx.first(Statement("SELECT count(*) FROM events WHERE word = 'number.assigned'"))
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def _house(settings: Settings) -> AsyncIterator[House]:
    offhook = Offhook(settings)
    async with offhook.running():
        with offhook.database.transaction() as tx:
            made = bootstrap.found(tx, offhook.ids, name="Example", primary={**FULL, "name": "Head office"})
        transport = httpx.ASGITransport(offhook.gate)
        headers = {"authorization": f"Bearer {made.keys['sandbox']}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield House(offhook, client, made)


def in_house(story: Callable[[House], Any], tmp_path: Path, **settings: Any) -> None:
    """Run a story in a house of its own."""

    async def run() -> None:
        options: dict[str, Any] = {
            "data": str(tmp_path / "data"),
            "access_log": False,
            "benchmark": True,
            "rate_limit_scale": 1000,
        }
        async with _house(Settings(**(options | settings))) as house:
            await story(house)

    asyncio.run(run())


def lines(*records: Any) -> str:
    return "\n".join(json.dumps(record) for record in records) + "\n"


def named(name: str, base: dict[str, Any] = SMALL, **more: Any) -> dict[str, Any]:
    return {**base, "name": name, **more}


def flat(record: dict[str, Any], under: str = "") -> dict[str, str]:
    """A record as a row: lists of times between spaces, menus as JSON."""
    found: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= flat(value, f"{under}{name}.")
        elif name == "dtmf":
            found[under + name] = json.dumps(value)
        elif isinstance(value, list):
            found[under + name] = " ".join(value) or "[]"
        else:
            found[under + name] = str(value)
    return found


def table(*records: dict[str, Any], delimiter: str = ",") -> str:
    rows = [flat(record) for record in records]
    out = io.StringIO()
    writer = csv.DictWriter(out, sorted({name for row in rows for name in row}), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# Each record by itself


def test_every_good_record_becomes_an_office_with_plan_and_event(tmp_path):
    async def story(house: House) -> None:
        answer = await house.sent(lines(*(named(f"Office {n}") for n in range(40))))
        assert (answer["created"], answer["existing"], answer["refused"]) == (40, 0, 0)
        assert [record["line"] for record in answer["records"]] == list(range(1, 41))
        assert house.stored() == 40
        first = answer["records"][0]
        office = (await house.client.get(f"/api/v2/offices/{first['id']}")).json()
        assert office["name"] == first["name"] == "Office 0"
        assert "no_number" in [warning["code"] for warning in first["warnings"]]

    in_house(story, tmp_path)


def test_a_bad_record_stops_no_other_and_says_all_that_is_wrong(tmp_path):
    async def story(house: House) -> None:
        bad = named("Bad", ring_seconds=99, monday_hours=["18:00"], currency="XYZ", shoe_size=43)
        body = b"\n".join(
            [
                lines(named("One")).encode(),
                json.dumps(bad).encode(),
                b"   ",
                b"{broken",
                b'{"name": "\xff"}',
                b"[1]",
                b'{"name": "a", "name": "b"}',
                json.dumps(named("Two")).encode() + b"\r",
                json.dumps(named("x" * MAX_RECORD)).encode(),
                lines(named("Three")).encode(),
            ]
        )
        answer = await house.sent(body)
        statuses = {record["line"]: record["status"] for record in answer["records"]}
        refused = dict.fromkeys((3, 5, 6, 7, 8, 10), "refused")
        assert statuses == {1: "created", 9: "created", 11: "created", **refused}
        errors = {r["line"]: [e["location"] for e in r["errors"]] for r in answer["records"] if "errors" in r}
        assert set(errors[3]) == {"currency", "ring_seconds", "monday_hours[0]"}
        assert errors[8] == ["name"]
        assert [errors[line] for line in (5, 6, 7, 10)] == [[""]] * 4
        assert house.stored() == 3

    in_house(story, tmp_path)


def test_the_rules_and_errors_are_those_of_a_create(tmp_path):
    bad = named("Bad", ring_seconds=9, timezone="Mars/Base", unified_billing="yes", e911_address={"city": 1})

    async def story(house: House) -> None:
        created = (await house.client.post("/api/v2/offices", json=bad)).json()["error"]["errors"]
        imported = (await house.sent(lines(bad)))["records"][0]["errors"]
        assert sorted(e["location"] for e in imported) == sorted(e["location"] for e in created)
        assert sorted(e["message"] for e in imported) == sorted(e["message"] for e in created)

    in_house(story, tmp_path)


def test_a_record_with_countless_faults_gets_a_short_answer(tmp_path):
    async def story(house: House) -> None:
        answer = await house.sent(lines(named("Bad", monday_hours=[1] * 20_000)))
        errors = answer["records"][0]["errors"]
        assert len(errors) == MAX_ERRORS + 1
        assert errors[-1]["message"].startswith("And ")
        assert "this list has 20000" in errors[0]["message"]

    in_house(story, tmp_path)


def test_two_records_that_want_one_number_get_it_once(tmp_path):
    async def story(house: House) -> None:
        number = house.made.sandbox_numbers[0]
        records = lines(*(named(f"Office {n}", mainline_number=number) for n in range(3)))
        rehearsed = await house.sent(records, offhook_dry_run="true")
        assert [r["status"] for r in rehearsed["records"]] == ["would_create", "refused", "refused"]
        answer = await house.sent(records)
        assert (answer["created"], answer["refused"]) == (1, 2)
        refused = [r["errors"][0] for r in answer["records"] if r["status"] == "refused"]
        assert {(e["location"], e["reason"]) for e in refused} == {("mainline_number", "conflict")}
        assert house.stored() == 1

    in_house(story, tmp_path)


def test_more_than_a_thousand_records_are_refused_before_any_is_stored(tmp_path):
    async def story(house: House) -> None:
        reply = await house.send(lines(*(named(f"Office {n}") for n in range(1001))))
        assert reply.status_code == 400
        assert reply.json()["error"]["errors"][0]["location"] == "records"
        assert house.stored() == 0

    in_house(story, tmp_path)


@pytest.mark.parametrize("media", [NDJSON, CSV])
@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_imports_nothing_and_says_so(tmp_path, media, content):
    async def story(house: House) -> None:
        reply = await house.send(content, media)
        assert reply.json() == {"created": 0, "existing": 0, "refused": 0, "records": []}
        assert "no_records" in reply.headers["offhook-warning"]

    in_house(story, tmp_path)


def test_json_is_not_taken_for_json_lines(tmp_path):
    async def story(house: House) -> None:
        assert (await house.send("{}", "application/json")).status_code == 415

    in_house(story, tmp_path)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_and_json_lines_of_the_same_offices_are_the_same_records(delimiter):
    offices = [named("One", FULL), named("Zwei, »Süd«", FULL, group_description="a\nb"), named("Three", FULL)]
    notices: list[Notice] = []
    rows = read_records(table(*offices, delimiter=delimiter).encode(), CSV, notices)
    assert [(r.value, r.key) for r in rows] == [
        (r.value, r.key) for r in read_records(lines(*offices).encode(), NDJSON, notices)
    ]
    assert [record.line for record in rows] == [2, 3, 5]
    assert notices == []


def test_a_table_after_the_same_json_lines_finds_every_office_existing(tmp_path):
    async def story(house: House) -> None:
        offices = [named("One"), named("Two", FULL)]
        assert (await house.sent(lines(*offices)))["created"] == 2
        assert (await house.sent(table(*offices), "text/csv; charset=utf-8"))["existing"] == 2
        assert house.stored() == 2

    in_house(story, tmp_path)


HEAD = "name,country,hours_on,monday_hours,routing_options.open.dtmf,billing_address.city,ring_seconds,idempotency_key"

CELLS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("A,PT,,,,,,", {"name": "A", "country": "PT"}, []),
    (" A , PT ,TRUE,,,,,", {"name": "A", "country": "PT", "hours_on": True}, []),
    ("A,,False,,,,,", {"name": "A", "hours_on": False}, []),
    ("A,,maybe,,,,,", {"name": "A", "hours_on": "maybe"}, ["hours_on"]),
    ("A,,,08:00  12:00,,,,", {"name": "A", "monday_hours": ["08:00", "12:00"]}, []),
    ("A,,,[],,,,", {"name": "A", "monday_hours": []}, []),
    ("A,,,[,,,,", {"name": "A", "monday_hours": "["}, ["monday_hours"]),
    (
        'A,,,,"[{""input"":""1""}]",,,',
        {"name": "A", "routing_options": {"open": {"dtmf": [{"input": "1"}]}}},
        [],
    ),
    ("A,,,,1:menu,,,", {"name": "A", "routing_options": {"open": {"dtmf": "1:menu"}}}, ["routing_options.open.dtmf"]),
    ("A,,,,,Lisboa,,", {"name": "A", "billing_address": {"city": "Lisboa"}}, []),
    ("A,,,,,,20,", {"name": "A", "ring_seconds": 20}, []),
    ("A,,,,,,soon,", {"name": "A", "ring_seconds": "soon"}, []),
    ("007,,,,,,,", {"name": "007"}, []),
    ('"A ""B"", C",,,,,,,', {"name": 'A "B", C'}, []),
    ("A,,,,,,,,,", {"name": "A"}, []),
    ("A,,,,,,,,one too many", {}, [""]),
    ("A,PT", {}, [""]),
    ('"A" B,,,,,,,', {}, [""]),
    ('"A,,,,,,,', {}, [""]),
]


@pytest.mark.parametrize(("row", "value", "faults"), CELLS)
def test_a_cell_becomes_what_its_field_takes(row, value, faults):
    (record,) = read_records(f"{HEAD}\n{row}\n".encode(), CSV, [])
    assert (record.value or {}) == value
    assert [fault.location for fault in record.faults] == faults


def test_a_quote_that_is_never_closed_spoils_its_own_line_only():
    body = f'{HEAD}\n"A,,,,,,,\nB,,,,,,,\n,,,,,,,\n"C\nC",,,,,,,\nD,,,,,,,\n'
    records = read_records(body.encode(), CSV, [])
    assert [(r.line, (r.value or {}).get("name"), len(r.faults)) for r in records] == [
        (2, None, 1),
        (3, "B", 0),
        (5, "C\nC", 0),
        (7, "D", 0),
    ]


def test_columns_that_are_not_known_are_named_once():
    notices: list[Notice] = []
    read_records(b"name,colour,,billing_address\nA,red,x,y\nB,blue,,\n", CSV, notices)
    assert [notice.field for notice in notices] == ["colour", "(column 3)", "billing_address"]


@pytest.mark.parametrize("header", ["", "Lisbon,PT,EUR", "name,name", '"name', "name\xff"])
def test_a_table_without_a_header_is_refused_whole(header):
    with pytest.raises(Malformed):
        read_records(header.encode("latin-1") + b"\nLisbon,PT,EUR\n", CSV, [])


# Again


def test_a_file_that_is_sent_again_makes_no_second_office(tmp_path):
    async def story(house: House) -> None:
        body = lines(named("One"), named("Two", idempotency_key="two"), named("Three"))
        first = await house.sent(body)
        again = await house.sent(body)
        assert (first["created"], again["created"], again["existing"]) == (3, 0, 3)
        assert [r["id"] for r in first["records"]] == [r["id"] for r in again["records"]]
        assert house.stored() == 3

    in_house(story, tmp_path)


def test_the_same_record_otherwise_written_is_the_same_record(tmp_path):
    async def story(house: House) -> None:
        one = named("One", ring_seconds=20)
        others = [
            dict(reversed(one.items())),
            {**one, "ring_seconds": "20"},
            {**one, "ring_seconds": 20, "billing_contact": None},
        ]
        answer = await house.sent(lines(one, *others))
        assert [r["status"] for r in answer["records"]] == ["created", "existing", "existing", "existing"]
        assert len({r["id"] for r in answer["records"]}) == 1
        assert house.stored() == 1

    in_house(story, tmp_path)


def test_offices_that_are_alike_in_everything_need_keys_of_their_own(tmp_path):
    async def story(house: House) -> None:
        answer = await house.sent(
            lines(named("One", idempotency_key="a"), named("One", idempotency_key="b"), named("One"))
        )
        assert answer["created"] == 3
        assert house.stored() == 3

    in_house(story, tmp_path)


def test_a_key_of_ones_own_never_stands_for_the_content_of_another_record(tmp_path):
    async def story(house: House) -> None:
        (other,) = read_records(lines(named("Two")).encode(), NDJSON, [])
        answer = await house.sent(lines(named("One", idempotency_key=other.key), named("Two")))
        assert answer["created"] == 2

    in_house(story, tmp_path)


def test_a_key_with_another_content_is_a_conflict_in_one_file_and_across_files(tmp_path):
    async def story(house: House) -> None:
        within = await house.sent(lines(named("One", idempotency_key="k"), named("Two", idempotency_key="k")))
        across = await house.sent(lines(named("Three", idempotency_key="k")))
        assert [r["status"] for r in within["records"]] == ["created", "refused"]
        for refused in (within["records"][1], across["records"][0]):
            assert [(e["location"], e["reason"]) for e in refused["errors"]] == [(KEY, "conflict")]
        assert house.stored() == 1

    in_house(story, tmp_path)


def test_a_refused_record_may_be_mended_under_its_key(tmp_path):
    async def story(house: House) -> None:
        bad, good = named("One", ring_seconds=1, idempotency_key="k"), named("One", idempotency_key="k")
        answer = await house.sent(lines(bad, bad, good, good))
        assert [r["status"] for r in answer["records"]] == ["refused", "refused", "created", "existing"]
        assert [r["line"] for r in answer["records"]] == [1, 2, 3, 4]

    in_house(story, tmp_path)


@pytest.mark.parametrize("key", ["", "a\nb", "é", "x" * 256, 5, ["k"]])
def test_a_key_must_be_one_that_the_header_would_take(tmp_path, key):
    if isinstance(key, str):
        with pytest.raises(Invalid):
            check_key(key)

    async def story(house: House) -> None:
        answer = await house.sent(lines(named("One", currency="XYZ", idempotency_key=key)))
        assert {e["location"] for e in answer["records"][0]["errors"]} == {KEY, "currency"}

    in_house(story, tmp_path)


def test_imports_of_the_same_file_at_the_same_time_make_each_office_once(tmp_path):
    async def story(house: House) -> None:
        body = lines(*(named(f"Office {n}") for n in range(60)))
        answers = await asyncio.gather(*(house.sent(body) for _ in range(4)))
        assert sum(answer["created"] for answer in answers) == 60
        assert sum(answer["existing"] for answer in answers) == 180
        ids = {tuple(r["id"] for r in answer["records"]) for answer in answers}
        assert len(ids) == 1
        assert house.stored() == 60

    in_house(story, tmp_path)


def test_a_record_whose_office_was_deleted_is_existing_and_warned_of(tmp_path):
    async def story(house: House) -> None:
        created = (await house.sent(lines(named("One"))))["records"][0]
        assert (await house.client.delete(f"/api/offhook/v1/offices/{created['id']}")).status_code == 200
        again = (await house.sent(lines(named("One"))))["records"][0]
        assert again["status"] == "existing"
        assert [warning["code"] for warning in again["warnings"]] == ["deleted_since"]

    in_house(story, tmp_path)


def test_a_whole_import_is_answered_again_under_its_header_unless_something_was_refused(tmp_path):
    async def story(house: House) -> None:
        first = await house.send(lines(named("One")), idempotency_key="whole")
        again = await house.send(lines(named("One")), idempotency_key="whole")
        other = await house.send(lines(named("Two")), idempotency_key="whole")
        assert first.content == again.content
        assert again.headers["offhook-replayed"] == "true"
        assert other.status_code == 409
        for name, status in (("Bad", "refused"), ("Good", "created")):
            body = lines(named(name, currency="XYZ" if name == "Bad" else "EUR"))
            assert (await house.sent(body, idempotency_key="mended"))["records"][0]["status"] == status

    in_house(story, tmp_path)


def test_another_company_may_import_the_same_file(tmp_path):
    async def story(house: House) -> None:
        with house.offhook.database.transaction() as tx:
            other = bootstrap.found(tx, house.offhook.ids, name="Other", primary={**FULL, "name": "Other"})
        body = lines(named("One", idempotency_key="k"), named("Two"))
        assert (await house.sent(body))["created"] == 2
        answer = await house.sent(body, authorization=f"Bearer {other.keys['sandbox']}")
        assert answer["created"] == 2

    in_house(story, tmp_path)


# Rehearsed, interrupted


def test_a_dry_run_checks_all_and_stores_nothing(tmp_path):
    async def story(house: House) -> None:
        await house.sent(lines(named("Here")))
        body = lines(named("Here"), named("New"), named("New"), named("Bad", currency="XYZ"))
        for _ in range(2):
            answer = await house.sent(body, offhook_dry_run="true")
            assert [r["status"] for r in answer["records"]] == ["existing", "would_create", "existing", "refused"]
            assert (answer["created"], answer["would_create"], answer["dry_run"]) == (0, 1, True)
            assert "id" not in answer["records"][1]
        assert house.stored() == 1

    in_house(story, tmp_path)


def test_a_store_that_fails_midway_keeps_what_it_took_and_the_file_may_be_sent_again(tmp_path, monkeypatch):
    async def story(house: House) -> None:
        body = lines(*(named(f"Office {n}") for n in range(200)), named("Bad", currency="XYZ"))
        submit, taken = house.offhook.writer.submit, 0

        async def failing(unit: Any) -> Any:
            nonlocal taken
            if isinstance(unit, NewOffice):
                taken += 1
                if taken > 50:
                    raise Unavailable("The store is full.")
            return await submit(unit)

        with monkeypatch.context() as patch:
            patch.setattr(house.offhook.writer, "submit", failing)
            answer = await house.sent(body)
        assert answer["created"] == 50 == house.stored()
        reasons = {e["reason"] for r in answer["records"] if r["status"] == "refused" for e in r["errors"]}
        assert "backendError" in reasons
        assert taken < 50 + 2 * bulk.CONCURRENT, "the rest was not tried one by one"
        again = await house.sent(body)
        assert (again["created"], again["existing"], again["refused"]) == (150, 50, 1)
        assert house.stored() == 200

    in_house(story, tmp_path)


def test_a_store_that_takes_nothing_is_answered_with_503(tmp_path, monkeypatch):
    async def story(house: House) -> None:
        async def failing(_unit: Any) -> Any:
            raise Unavailable("The store is full.")

        await house.sent(lines(named("Warm")), offhook_dry_run="true")
        with monkeypatch.context() as patch:
            patch.setattr(house.offhook.writer, "submit", failing)
            assert (await house.send(lines(named("One"), named("Two")))).status_code == 503
        assert house.stored() == 0

    in_house(story, tmp_path)


def test_on_postgresql_too(tmp_path, postgres_url):
    async def story(house: House) -> None:
        body = lines(*(named(f"Office {n}") for n in range(30)), named("Bad", currency="XYZ"))
        answers = await asyncio.gather(*(house.sent(body) for _ in range(3)))
        assert sum(answer["created"] for answer in answers) == 30
        assert sum(answer["existing"] for answer in answers) == 60
        assert house.stored() == 30

    in_house(story, tmp_path, database_url=postgres_url)


# Anything at all

_PIECES = st.sampled_from(
    [
        json.dumps(SMALL).encode(),
        b'{"name":"\xff"}',
        b'{"idempotency_key":{"a":[]}}',
        b'{"a\\u003a":1,"name":"\\ud800"}',
        b"[" * 200,
        b'{"ring_seconds":1e999}',
        b'{"ring_seconds":' + b"9" * 5000 + b"}",
        HEAD.encode(),
        b'"',
        b",",
        b";",
        b"\n",
        b"\r\n",
        b"\0",
        b"name",
        b"idempotency_key",
        b"routing_options.open.dtmf",
        b"\xef\xbb\xbf",
    ]
)
_BYTES = st.one_of(st.binary(max_size=300), st.lists(st.one_of(_PIECES, st.binary(max_size=8))).map(b"".join))


def test_arbitrary_bytes_are_answered_and_never_by_a_fault(tmp_path):
    async def story(house: House) -> None:
        runner = asyncio.get_running_loop()

        @given(_BYTES, st.sampled_from([NDJSON, CSV]), st.sampled_from(["true", "false"]))
        def holds(content: bytes, media: str, dry_run: str) -> None:
            asked = house.send(content, media, offhook_dry_run=dry_run)
            reply = asyncio.run_coroutine_threadsafe(asked, runner).result(30)
            assert reply.status_code in (200, 400), reply.text
            if reply.status_code == 200:
                errors = [e for r in reply.json()["records"] for e in r.get("errors", ())]
                assert "backendError" not in {error["reason"] for error in errors}

        await asyncio.to_thread(holds)

    in_house(story, tmp_path)


@given(_BYTES, st.sampled_from([NDJSON, CSV]))
def test_records_begin_on_lines_that_rise(content, media):
    try:
        records = read_records(content, media, [])
    except (Malformed, Invalid):
        return
    found = [record.line for record in records]
    assert found == sorted(set(found))
    assert all(1 <= line <= content.count(b"\n") + 1 for line in found)


def test_a_file_of_brackets_under_a_key_is_refused_and_no_fault(tmp_path):
    async def story(house: House) -> None:
        for depth in (40, 960, 200_000):
            answer = await house.sent(b"[" * depth, idempotency_key="again")
            assert answer["refused"] == 1

    in_house(story, tmp_path)
