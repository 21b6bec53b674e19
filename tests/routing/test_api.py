"""Simulation, weeks, verification and calls over HTTP: what may be asked, what is refused where, what never changes."""

import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

from offhook.calls import store
from offhook.calls.model import Kept
from offhook.directory.lines.model import Target
from offhook.routing.plan import HungUp, Incoming, Release, Reserve
from offhook.routing.state import new_call
from offhook.routing.trace import Step, step
from offhook.storage.database import Statement
from offhook.storage.tables import metadata
from tests.api.desk import Answer, Api, Company, office
from tests.configuration.files import lisbon

V1, V2 = "/api/offhook/v1", "/api/v2"
SIMULATE = f"{V1}/simulate"
NOBODYS = "1234567"
AT = "2026-12-23 10:00"
DESK = [{"name": "Desk", "type": "sip"}]
FROM = {"caller": "+12125550123"}
OPEN = {"action": "voicemail", "try_dial_operators": True, "operator_routing": "fixedorder"}


def _user(first: str, last: str, extension: int, **more: Any) -> dict[str, Any]:
    return {
        "office": "Lisbon", "first_name": first, "last_name": last, "extension": extension, "devices": DESK, **more,
    }  # fmt: skip


@dataclass
class Scene:
    """Lisbon: Ana and Rui take turns, Sales is Rui's, a call router decides for Sales; with the ids of all."""

    api: Api
    company: Company
    ids: dict[str, str]
    number: str

    def simulate(self, **body: Any) -> Answer:
        return self.api.post(SIMULATE, {"target_type": "office", "target_id": self.ids["Lisbon"], "at": AT, **body})

    def call(self, **body: Any) -> Any:
        answer = self.simulate(**body)
        assert answer.status == 200, answer
        return answer.json

    def outgoing(self, who: str, dialled: str, **body: Any) -> Answer:
        return self.api.post(SIMULATE, {"caller_user": who, "to": dialled, "at": AT, **body})


@pytest.fixture
def scene(company: Company) -> Scene:
    api, number = company.sandbox, company.numbers[0]
    wanted = {
        "version": 1,
        "offices": {
            "Lisbon": lisbon(
                hours={"monday": "09:00-12:30 14:00-18:00", "saturday": "closed"},
                routing_options={"open": OPEN, "closed": {**OPEN, "try_dial_operators": False}},
                operators=["ana@example.com", "rui@example.com"],
                licences={"talk_lines": 4},
                ring_seconds=30,
            )
        },
        "users": {
            "ana@example.com": _user("Ana", "Sousa", 101),
            "ana.reis@example.com": _user("Ana", "Reis", 102),
            "rui@example.com": _user("Rui", "Alves", 103),
        },
        "departments": {"Lisbon/Sales": {"operators": ["rui@example.com"], "phone_numbers": [number]}},
        "callcenters": {"Lisbon/Support": {}},
        "callrouters": {
            "Lisbon/Night": {"routing_url": "https://example.com/route", "default_target": "department Lisbon/Sales"}
        },
    }
    answer = api.post(f"{V1}/configuration/apply", {"document": wanted})
    assert answer.status == 200, answer
    ids = {one["name"]: one["id"] for one in api.get(f"{V2}/offices").json["items"]}
    for kind in ("departments", "callcenters", "callrouters"):
        ids |= {one["name"]: one["id"] for one in api.get(f"{V2}/{kind}").json["items"]}
    ids |= {one["emails"][0]: one["id"] for one in api.get(f"{V2}/users").json["items"]}
    return Scene(api, company, ids, number)


def rows(company: Company) -> dict[str, list[str]]:
    """All that the store holds, table by table; but for the processes that say now and then that they last."""

    def read(tx: Any) -> dict[str, list[str]]:
        names = [table.name for table in metadata.sorted_tables if table.name != "workflow_workers"]
        return {name: sorted(map(repr, tx.all(Statement(f"SELECT * FROM {name}")))) for name in names}

    found: dict[str, list[str]] = company.desk.transact(read)
    return found


# A call that is not made


def test_a_call_is_simulated_to_a_number_and_to_what_has_it(scene: Scene):
    by_number = scene.api.post(SIMULATE, {"to": scene.number, "at": AT, "answer": "everybody", **FROM}).json
    assert by_number["called"]["name"] == "Sales"
    assert by_number["ends_at"] == {"type": "user", "id": scene.ids["rui@example.com"], "name": "Rui Alves"}
    sales = {"target_type": "department", "target_id": scene.ids["Sales"]}
    by_target = scene.api.post(SIMULATE, {**sales, "at": AT, "answer": "everybody"}).json
    assert [one["names"] for one in by_target["rang"]] == [one["names"] for one in by_number["rang"]] == [["Rui Alves"]]


@pytest.mark.parametrize("id", [0, -1, 2**63, "9" * 30, "x"])
def test_what_is_no_id_is_nobodys(scene: Scene, id: int | str):
    answer = scene.simulate(target_id=id)
    assert (answer.status, answer.places) == (400, ["target_id"])
    assert str(id)[:20] in answer.errors[0]["message"] + str(answer.errors[0].get("sent"))


@pytest.mark.parametrize("strategy", ["roundrobin", "longestidle"])
def test_whose_turn_it_is_is_as_calls_have_left_it(scene: Scene, strategy: str):
    company, tenant, id = scene.company, scene.company.tenant("sandbox"), scene.ids["Lisbon"]
    opened = {"routing_options": {"open": {**OPEN, "operator_routing": strategy}}}
    document = {"version": 1, "offices": {"Lisbon": opened}}
    assert scene.api.post(f"{V1}/configuration/apply", {"document": document}).status == 200
    ana, rui = (f"user:{scene.ids[mail]}" for mail in ("ana@example.com", "rui@example.com"))
    assert scene.call()["rang"][0]["names"] == ["Ana Sousa"]

    async def a_call_that_ana_took() -> None:
        held = company.desk.offhook.reservations
        group = Target("office", int(id))
        asked = Reserve(group, strategy, (ana, rui), (100, 100), count=1, seed=1, roster=(ana, rui))
        got = await held.reserve(tenant, "1", asked, 1000)
        assert got.members == (ana,)
        await held.release(tenant, "1", Release((), ana), 2000)
        await held.finish(tenant, "1", 3000)

    company.desk.run(a_call_that_ana_took())
    assert scene.call()["rang"][0]["names"] == ["Rui Alves"]


def test_what_of_a_script_made_no_difference_is_said(scene: Scene):
    sunday = "2026-12-06 12:00"
    answer = scene.simulate(at=sunday, press=["1", "2"], people=[{"who": "rui", "after": 3}])
    assert answer.warned == {("keys_not_asked", "press"), ("never_rang", "people[0].who")}
    assert "Rui Alves was not rung" in str(answer.warnings)
    assert scene.simulate(people=[{"who": "Ana Sousa"}]).warned == set()
    assert scene.simulate(at=sunday, transfers=[{"to": "101"}]).warned == {("transfers_not_made", "transfers")}


def test_who_sends_a_simulated_call_on_is_named_as_anybody(scene: Scene):
    sent = [{"by": "Ana Sousa", "to": "112"}, {"by": "ana@example.com", "to": "912345678", "after": 3}]
    answer = scene.simulate(people=[{"who": "Ana Sousa"}], transfers=sent)
    assert answer.warned == set()
    codes = [reason["code"] for step in answer.json["steps"] for reason in step["reasons"]]
    assert codes[-4:] == ["transfer_denied", "transferred", "answered", "ended"]
    refused = scene.simulate(transfers=[{"by": "nobody at all", "to": "101"}])
    assert [one["location"] for one in refused.errors] == ["transfers[0].by"]


def test_a_call_is_parked_in_a_simulation_and_who_finds_none_on_park_is_said(scene: Scene):
    takes = {"unpark": [{"who": "rui", "after": 5}, {"who": "rui@example.com"}]}
    answer = scene.simulate(answer="everybody", park_after=10, **takes)
    assert answer.json["ends_at"]["name"] == "Rui Alves"
    assert "Hold music" in [one["text"] for one in answer.json["story"]]
    assert answer.warned == {("not_on_park", "unpark")}
    assert scene.simulate(unpark=[{"who": "nobody"}]).places == ["unpark[0].who"]


def test_a_number_may_be_written_as_it_is_dialled(scene: Scene):
    national = f"({scene.number[2:5]}) {scene.number[5:8]}-{scene.number[8:]}"
    assert scene.api.post(SIMULATE, {"to": national, "at": AT}).json["called"]["name"] == "Sales"


def test_people_are_named_in_whatever_way_they_are_known_by(scene: Scene):
    id = scene.ids["rui@example.com"]
    for who in (id, f"user:{id}", "103", "rui@example.com", " RUI@example.com ", "Rui Alves", "rui", "ALVES"):
        found = scene.call(people=[{"who": who, "after": 2}])
        assert found["ends_at"]["id"] == id, who
        assert [one["for_seconds"] for one in found["rang"]] == [10, 10]


def test_a_name_of_two_people_is_refused_with_both(scene: Scene):
    answer = scene.simulate(people=[{"who": "rui"}, {"who": "Ana"}])
    assert answer.places == ["people[1].who"]
    text = answer.errors[0]["message"]
    assert re.search(r"Names 2 people: Ana \w+ \(user:\d+\), Ana \w+ \(user:\d+\)\. Send an id\.", text)


def test_what_each_does_makes_the_difference(scene: Scene):
    ana = scene.ids["ana@example.com"]
    for does, heard in (("declines", "declined"), ("is_busy", "was busy"), ("is_unreachable", "could not be reached")):
        found = scene.call(people=[{"who": ana, "does": does}, {"who": "rui", "after": 1}])
        assert heard in found["text"], does
        assert found["ends_at"]["name"] == "Rui Alves"
    busy = scene.call(people=[{"who": ana, "busy_for": None}], answer="everybody")
    assert [one["names"] for one in busy["rang"]] == [["Rui Alves"]]


def test_of_who_lets_it_ring_nothing_is_told_as_telephones_tell_nothing(scene: Scene):
    ana, rui = (f"user:{scene.ids[f'{who}@example.com']}" for who in ("ana", "rui"))
    found = scene.call(people=[{"who": ana, "does": "declines"}, {"who": rui, "does": "lets_it_ring"}])
    told = [one["event"]["why"] for one in found["steps"] if one["event"]["event"] == "not_answered"]
    assert told[:2] == [{ana: "declined"}, {}]


def test_of_a_users_call_a_simulation_says_who_made_it_as_the_record_does(scene: Scene):
    made = scene.outgoing("ana@example.com", "103").json
    assert (made["called"]["type"], made["called"]["id"]) == ("user", scene.ids["ana@example.com"])


def test_a_user_dials_a_colleague_a_number_of_the_company_and_the_world(scene: Scene):
    colleague = scene.outgoing("ana@example.com", "103", answer="everybody").json
    assert colleague["ends_at"]["name"] == "Rui Alves"
    assert scene.outgoing("101", scene.number, answer="everybody").json["ends_at"]["name"] == "Rui Alves"
    outside = scene.outgoing("Rui", "+351210000000").json
    assert [verb["number"] for one in outside["steps"] for verb in one["verbs"] if verb["do"] == "transfer"] == [
        "+351210000000"
    ]
    emergency = scene.outgoing("Rui", "112").json
    assert "Emergency call to 112" in emergency["text"]


def test_a_call_router_says_what_the_script_says_and_else_nothing(scene: Scene):
    night = {"target_type": "callrouter", "target_id": scene.ids["Night"], "at": AT, "answer": "everybody"}
    silent = scene.api.post(SIMULATE, night).json
    assert "not asked in a simulation" in silent["text"]
    assert silent["ends_at"]["name"] == "Rui Alves"
    told = {"id": scene.ids["Night"], "target_type": "user", "target_id": scene.ids["ana@example.com"]}
    assert scene.api.post(SIMULATE, {**night, "routers": [told]}).json["ends_at"]["name"] == "Ana Sousa"


def test_a_moment_is_on_the_clock_of_what_is_called_unless_it_has_an_offset(scene: Scene):
    for moment, why in (
        ("2026-12-21 12:29:59", "was open"),
        ("2026-12-21 12:30", "was closed"),
        ("2026-12-21T12:30:00+00:00", "was closed"),
        ("2026-12-21T13:29:59+01:00", "was open"),
        ("2026-12-21T04:30:00-08:00", "was closed"),
    ):
        answer = scene.simulate(at=moment)
        assert why in answer.json["text"], moment
        assert not answer.codes


@pytest.mark.parametrize(
    ("moment", "code", "began"),
    [
        ("2026-03-29 01:30", "moment_skipped", "2026-03-29T01:30:00.000+00:00"),
        ("2026-10-25 01:30", "moment_twice", "2026-10-25T00:30:00.000+00:00"),
        ("2026-10-25T01:30:00+00:00", None, "2026-10-25T01:30:00.000+00:00"),
    ],
)
def test_an_hour_that_the_clock_skips_or_repeats_is_warned_of(scene: Scene, moment: str, code: str, began: str):
    answer = scene.simulate(at=moment)
    assert answer.warned == ({(code, "at")} if code else set())
    assert answer.json["began"] == began


def test_the_moment_is_now_if_none_is_sent(scene: Scene):
    found = scene.api.at("2026-12-21T12:30:00Z").post(
        SIMULATE, {"target_type": "office", "target_id": scene.ids["Lisbon"]}
    )
    assert found.json["began"] == "2026-12-21T12:30:00.000+00:00"


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"target_type": None, "target_id": None}, ["to"]),
    ({"target_type": None}, ["to"]),
    ({"to": "+14155550100"}, ["to"]),
    ({"to": "+19075550199", "target_type": None, "target_id": None}, ["to"]),
    ({"to": "nonsense", "target_type": None, "target_id": None}, ["to"]),
    ({"to": "", "target_type": None, "target_id": None}, ["to"]),
    ({"target_id": NOBODYS}, ["target_id"]),
    ({"target_type": "department"}, ["target_id"]),
    ({"target_type": "coachingteam", "target_id": NOBODYS}, ["target_id"]),
    ({"target_type": "planet"}, ["target_type"]),
    ({"at": "tomorrow"}, ["at"]),
    ({"at": "2026-02-30 10:00"}, ["at"]),
    ({"at": "0001-01-01 00:00"}, ["at"]),
    ({"at": "9999-12-31T23:59:59-23:59"}, ["at"]),
    ({"press": ["1"] * 101}, ["press"]),
    ({"press": "1"}, ["press"]),
    ({"people": [{"who": "Nobody"}]}, ["people[0].who"]),
    ({"people": [{"who": "rui"}, {"who": ""}, {"who": NOBODYS}]}, ["people[1].who", "people[2].who"]),
    ({"people": [{"who": "rui", "does": "sleeps"}]}, ["people[0].does"]),
    ({"people": [{"who": "rui", "after": -1}]}, ["people[0].after"]),
    ({"answer": "somebody"}, ["answer"]),
    ({"hang_up_after": -1}, ["hang_up_after"]),
    ({"routers": [{"id": NOBODYS, "target_type": "user", "target_id": NOBODYS}]}, ["routers[0].id"]),
    ({"caller_user": "Nobody", "target_type": None, "target_id": None}, ["caller_user", "to"]),
    ({"seed": -1}, ["seed"]),
]


@pytest.mark.parametrize(("changes", "places"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_what_cannot_be_is_refused_with_its_place(scene: Scene, changes: dict[str, Any], places: list[str]):
    answer = scene.simulate(**changes)
    assert answer.status == 400, answer
    assert answer.places == places


def test_all_that_is_wrong_is_named_at_once(scene: Scene):
    target = {"id": scene.ids["Night"], "target_type": "user", "target_id": NOBODYS}
    answer = scene.simulate(at="never", people=[{"who": "Nobody"}], routers=[target])
    assert answer.places == ["at", "people[0].who", "routers[0].target_id"]


def test_nothing_that_is_asked_changes_anything(scene: Scene):
    # What was made is compiled first.
    scene.call(answer="everybody")
    events, before = scene.api.events(), rows(scene.company)
    scene.call(answer="everybody")
    scene.call(press=["1"])
    scene.outgoing("Rui", "112")
    scene.outgoing("Rui", "+351210000000")
    night = {"target_type": "callrouter", "target_id": scene.ids["Night"], "at": AT}
    assert scene.api.post(SIMULATE, night).status == 200
    scene.simulate(at="never")
    for line in (f"offices/{scene.ids['Lisbon']}", f"departments/{scene.ids['Sales']}"):
        assert scene.api.post(f"{V1}/{line}/verify").status == 200
        assert scene.api.get(f"{V1}/{line}/coverage").status == 200
    assert scene.api.events() == events
    assert rows(scene.company) == before


def test_the_scope_is_one_for_calls(scene: Scene):
    reader = scene.company.key("calls:read", environment="sandbox")
    other = scene.company.key("offices:read", environment="sandbox")
    body = {"target_type": "office", "target_id": scene.ids["Lisbon"]}
    assert reader.post(SIMULATE, body).status == 200
    assert reader.get(f"{V1}/coverage").status == reader.get(f"{V1}/calls").status == 200
    assert other.post(SIMULATE, body).status == other.get(f"{V1}/coverage").status == 403
    assert other.get(f"{V1}/calls").status == other.post(f"{V1}/offices/{scene.ids['Lisbon']}/verify").status == 403


# Weeks


def test_a_week_is_cut_where_anything_changes(scene: Scene):
    found = scene.api.get(f"{V1}/offices/{scene.ids['Lisbon']}/coverage?week_of=2026-12-24").json
    assert [one["line"]["name"] for one in found["weeks"]] == ["Lisbon", "Sales", "Support"]
    week = found["weeks"][0]
    assert (week["first_day"], week["timezone"]) == ("2026-12-21", "Europe/Lisbon")
    first = [(one["start"], one["open"], one["rings"]) for one in week["stretches"]][:5]
    assert first == [
        ("2026-12-21T00:00:00+00:00", False, []),
        ("2026-12-21T09:00:00+00:00", True, ["Ana Sousa", "Rui Alves"]),
        ("2026-12-21T12:30:00+00:00", False, []),
        ("2026-12-21T14:00:00+00:00", True, ["Ana Sousa", "Rui Alves"]),
        ("2026-12-21T18:00:00+00:00", False, []),
    ]


def test_a_week_of_the_company_and_of_one_line(scene: Scene):
    everything = scene.api.get(f"{V1}/coverage?week_of=2026-12-24").json
    assert len(everything["weeks"]) == 4
    one = scene.api.get(f"{V1}/departments/{scene.ids['Sales']}/coverage?week_of=2026-12-24").json
    assert one["weeks"] == [week for week in everything["weeks"] if week["line"]["name"] == "Sales"]


@pytest.mark.parametrize("query", ["week_of=yesterday", "week_of=2026-02-30", "week_of=0001-01-01x", "format=png"])
def test_a_week_that_cannot_be_is_refused(scene: Scene, query: str):
    assert scene.api.get(f"{V1}/coverage?{query}").places == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("day", "status"), [("0001-01-01", 400), ("1971-01-01", 200), ("2200-12-31", 200), ("9999-12-31", 400)]
)
def test_a_week_is_of_a_year_that_can_be_told(scene: Scene, day: str, status: int):
    answer = scene.api.get(f"{V1}/offices/{scene.ids['Lisbon']}/coverage?week_of={day}")
    assert answer.status == status, answer


def test_a_picture_is_xml_whatever_an_office_is_called(company: Company):
    name = """<b>&"' ]]> –"""
    id = company.sandbox.made(office(name=name)).id
    answer = company.sandbox.get(f"{V1}/offices/{id}/coverage?format=svg&week_of=2026-12-24")
    assert answer.headers["content-type"] == "image/svg+xml"
    picture = ElementTree.fromstring(answer.response.content)
    texts = [text for one in picture.iter() if (text := one.text)]
    assert any(name in text for text in texts)
    assert not [one for one in picture.iter() if one.tag.rpartition("}")[2] in ("b", "script")]


# Verification


def test_an_office_is_verified_with_all_that_is_in_it(scene: Scene):
    report = scene.api.post(f"{V1}/offices/{scene.ids['Lisbon']}/verify").json
    found = report["findings"]
    assert len(found) == report["errors"] + report["warnings"] + report["hints"]
    ranks = [("error", "warning", "hint").index(one["severity"]) for one in found]
    assert ranks == sorted(ranks)
    assert ("group_empty", "Support") in {(one["code"], one["where"]["name"]) for one in found}
    assert ("no_number", "Lisbon") in {(one["code"], one["where"]["name"]) for one in found}


def test_one_line_is_verified_alone(scene: Scene):
    center = scene.api.post(f"{V1}/callcenters/{scene.ids['Support']}/verify").json
    assert {one["where"]["name"] for one in center["findings"]} == {"Support"}
    sales = scene.api.post(f"{V1}/departments/{scene.ids['Sales']}/verify").json
    assert sales["errors"] == 0
    assert "group_empty" not in {one["code"] for one in sales["findings"]}


def test_verification_sees_a_change_at_once(scene: Scene):
    path = f"{V1}/departments/{scene.ids['Sales']}/verify"
    body = {"operator_type": "user", "operator_id": scene.ids["rui@example.com"]}
    assert scene.api.delete(f"{V2}/departments/{scene.ids['Sales']}/operators", body).status == 200
    assert "group_empty" in {one["code"] for one in scene.api.post(path).json["findings"]}


# What is another's, or nobody's


LINES = [("offices", "Lisbon"), ("departments", "Sales"), ("callcenters", "Support")]


@pytest.mark.parametrize(("kind", "name"), LINES)
def test_another_companys_lines_are_not_there(scene: Scene, kind: str, name: str):
    stranger = scene.company.desk.found().sandbox
    for id in (scene.ids[name], NOBODYS):
        for answer in (stranger.post(f"{V1}/{kind}/{id}/verify"), stranger.get(f"{V1}/{kind}/{id}/coverage")):
            assert answer.status == 404
            assert answer.errors[0]["reason"] == "notFound"
    body = {"target_type": kind.removesuffix("s"), "target_id": scene.ids[name]}
    answer = stranger.post(SIMULATE, body)
    assert (answer.status, answer.places, answer.errors[0]["reason"]) == (400, ["target_id"], "notFound")


def test_another_companys_number_and_people_are_nobodys(scene: Scene):
    stranger = scene.company.live
    assert stranger.post(SIMULATE, {"to": scene.number}).errors[0]["reason"] == "notFound"
    people = [{"who": who} for who in ("rui@example.com", "103", scene.ids["rui@example.com"])]
    body = {"target_type": "office", "target_id": str(scene.company.office_ids["live"]), "people": people}
    answer = stranger.post(SIMULATE, body)
    assert answer.places == [f"people[{index}].who" for index in range(3)]


# Calls


def test_before_there_are_calls_the_list_is_empty(company: Company):
    assert company.sandbox.get(f"{V1}/calls").json == {}
    answer = company.sandbox.get(f"{V1}/calls/{NOBODYS}/trace")
    assert (answer.status, answer.errors[0]["reason"]) == (404, "notFound")


def kept(scene: Scene, number: int) -> str:
    """A call to the department that was given up, written as calls are: its id."""
    desk = scene.company.desk
    tenant, id = scene.company.tenant("sandbox"), desk.ids.new()
    config = desk.run(desk.offhook.snapshots.of(tenant))
    at = 1_798_000_000_000 + number * 60_000
    state = new_call(str(id), 7)
    taken: list[tuple[int, Step]] = []
    for event in (Incoming(at, "+12125550123", scene.number), HungUp(at + 5000)):
        state, one = step(config, state, event)
        taken.append((len(taken), one))
    call = Kept(
        id=id, tenant_id=tenant, began=at, ended=at + 5000, outcome=state.outcome, caller=state.caller,
        dialled=state.dialled, state=state,
    )  # fmt: skip
    desk.transact(lambda tx: store.keep(tx, call, taken, 0))
    return str(id)


def test_calls_are_listed_page_by_page_the_latest_first(scene: Scene):
    ids = [kept(scene, number) for number in range(5)]
    seen, cursor = [], ""
    for _ in range(4):
        page = scene.api.get(f"{V1}/calls?limit=2&cursor={cursor}" if cursor else f"{V1}/calls?limit=2").json
        seen += [one["id"] for one in page["items"]]
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert seen == ids[::-1]
    stranger = scene.company.live
    assert stranger.get(f"{V1}/calls").json == {}
    assert stranger.get(f"{V1}/calls?cursor={cursor}").status == 400


def test_a_call_tells_why_it_went_where_it_went(scene: Scene):
    id = kept(scene, 0)
    listed = scene.api.get(f"{V1}/calls").json["items"][0]
    assert (listed["id"], listed["caller"], listed["dialled"]) == (id, "+12125550123", scene.number)
    trace = scene.api.get(f"{V1}/calls/{id}/trace").json
    assert trace["called"]["name"] == "Sales"
    assert trace["outcome"] == listed["outcome"]
    assert "Sales was open" in trace["text"]
    assert trace["mermaid"].startswith("sequenceDiagram")
    for stranger in (scene.company.live, scene.company.desk.found().sandbox):
        assert stranger.get(f"{V1}/calls/{id}/trace").status == 404
