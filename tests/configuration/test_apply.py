"""A company as a document: exported, planned, applied; all of it or nothing, and nothing twice."""

from typing import Any

from tests.api.desk import WHOLE, Company, office
from tests.configuration.files import PATH, apply, document, export, lisbon, plan, refused, told

TWO = document(
    offices={
        "Lisbon": lisbon(routing_options={"open": {"action": "department", "target": "office Porto"}}),
        "Porto": lisbon(
            ring_seconds=40,
            special_days={
                "2026-12-24": {"name": "Christmas Eve", "hours": "09:00-12:00"},
                "2026-12-25": [
                    {"name": "Christmas", "kind": "holiday", "repeats_yearly": True},
                    {"name": "Helpers", "hours": "10:00-11:00"},
                ],
            },
            routing_options={
                "open": {
                    "action": "menu",
                    "try_dial_operators": True,
                    "operator_routing": "roundrobin",
                    "dtmf": [
                        {"input": 1, "action": "department", "target": "office Lisbon"},
                        {"input": 2, "action": "bridge_target", "target": "room Lisbon/Lobby"},
                        {"input": 3, "action": "voicemail"},
                    ],
                },
            },
        ),
    },
    rooms={"Lisbon/Lobby": None, "Porto/Bar": {}},
)


def test_two_offices_that_point_at_each_other_are_made_at_once(company: Company):
    planned = plan(company.live, TWO)
    assert told(planned) == [
        "create offices Lisbon",
        "create offices Porto",
        "create rooms Lisbon/Lobby",
        "create rooms Porto/Bar",
    ]
    assert (planned["created"], planned["changed"], planned["deleted"]) == (4, 0, 0)
    assert [one["subject_id"] for one in company.live.events() if one["event"] == "office.created"] == [
        str(company.office_ids["live"])
    ]
    done = apply(company.live, TWO)
    assert told(done) == told(planned)
    made = {one["key"]: one["id"] for one in done["changes"]}
    stored = company.live.get(f"{WHOLE}/{made['Porto']}").json["office"]
    assert [key["options"].get("action_target_id") for key in stored["routing_options"]["open"]["dtmf"]] == [
        made["Lisbon"],
        made["Lisbon/Lobby"],
        None,
    ]
    assert stored["monday_hours"] == ["09:00", "12:30", "14:00", "18:00"]
    assert [(day["date"], day["kind"], day["hours"]) for day in stored["special_days"]] == [
        ("2026-12-24", "override", ["09:00", "12:00"]),
        ("2026-12-25", "holiday", []),
        ("2026-12-25", "override", ["10:00", "11:00"]),
    ]


def test_applying_twice_changes_nothing(company: Company):
    apply(company.live, TWO)
    events, exported = company.live.events(), export(company.live)
    assert plan(company.live, TWO)["differs"] is False
    again = apply(company.live, TWO)
    assert (again["differs"], again["changes"]) == (False, [])
    assert apply(company.live, exported, prune=True)["changes"] == []
    assert company.live.events() == events
    assert export(company.live) == exported


def test_what_was_exported_makes_the_same_company_elsewhere(company: Company):
    apply(company.live, TWO)
    exported = export(company.live)
    other = company.desk.found()
    assert apply(other.live, exported)["created"] == 4
    assert export(other.live) == exported


def test_defaults_are_left_out(embedded: Company):
    apply(embedded.live, TWO)
    found = export(embedded.live)["offices"]["Lisbon"]
    assert "ring_seconds" not in found
    assert found["hours"] == {"monday": "09:00-12:30 14:00-18:00"}
    assert found["routing_options"] == {
        "open": {"action": "department", "target": "office Porto", "try_dial_operators": True}
    }


def test_a_plan_names_what_changes_with_before_and_after(company: Company):
    apply(company.live, TWO)
    wanted = document(
        offices={"Porto": {"ring_seconds": 20, "hours": {"friday": "closed"}, "special_days": {"2027-01-02": "Bridge"}}}
    )
    planned = plan(company.live, wanted)
    assert told(planned) == ["change offices Porto: hours.friday, special_days, ring_seconds"]
    fields = {one["field"]: one for one in planned["changes"][0]["fields"]}
    assert fields["ring_seconds"] == {"field": "ring_seconds", "before": 40, "after": 20}
    assert fields["hours.friday"] == {"field": "hours.friday", "before": "08:00-18:00", "after": "closed"}
    assert fields["special_days"]["after"] == {"2027-01-02": {"name": "Bridge"}}
    assert told(apply(company.live, wanted)) == told(planned)
    assert plan(company.live, wanted)["differs"] is False


def test_what_a_file_does_not_mention_stays(company: Company):
    apply(company.live, TWO)
    before = export(company.live)
    assert apply(company.live, document(offices={"Porto": {}}, rooms=None))["changes"] == []
    assert export(company.live) == before


def test_null_is_the_default_again(embedded: Company):
    apply(embedded.live, TWO)
    done = apply(embedded.live, document(offices={"Porto": {"ring_seconds": None, "special_days": None}}))
    assert told(done) == ["change offices Porto: special_days, ring_seconds"]
    assert "ring_seconds" not in export(embedded.live)["offices"]["Porto"]


def test_prune_makes_the_sections_what_they_say(company: Company):
    apply(company.live, TWO)
    head = export(company.live)["offices"]["Head office"]
    # Lisbon and Porto point at each other and at the lobby, and all of them go.
    wanted = document(offices={"Head office": head}, rooms={})
    planned = plan(company.live, wanted, prune=True)
    assert told(planned) == [
        "delete offices Lisbon",
        "delete offices Porto",
        "delete rooms Lisbon/Lobby",
        "delete rooms Porto/Bar",
    ]
    apply(company.live, wanted, prune=True)
    assert list(export(company.live)["offices"]) == ["Head office"]
    assert plan(company.live, wanted, prune=True)["differs"] is False


def test_prune_leaves_sections_alone_that_are_not_there_and_resets_fields(company: Company):
    apply(company.live, TWO)
    porto = {name: value for name, value in lisbon().items() if name != "hours"}
    everything = export(company.live)["offices"]
    done = apply(company.live, document(offices={**everything, "Porto": porto}), prune=True)
    assert [one["verb"] for one in done["changes"]] == ["change"]
    assert {one["field"] for one in done["changes"][0]["fields"]} == {
        "hours.monday",
        "ring_seconds",
        "routing_options.open",
        "special_days",
    }
    assert len(export(company.live)["rooms"]) == 2


def test_prune_does_not_delete_what_others_call(embedded: Company):
    apply(embedded.live, TWO)
    before = export(embedded.live)
    kept = {name: value for name, value in before["offices"].items() if name != "Lisbon"}
    answer = refused(embedded.live, document(offices=kept), prune=True)
    assert (answer.places, answer.status) == (["offices.Lisbon"], 400)
    assert export(embedded.live) == before


def test_the_primary_office_is_not_pruned(embedded: Company):
    assert refused(embedded.live, document(offices={}), prune=True).places == ["offices.Head office"]


def test_a_fault_in_the_last_record_leaves_nothing_behind(company: Company):
    before, events = export(company.live), company.live.events()
    wanted = document(**{**TWO, "rooms": {"Lisbon/Lobby": {}, "Porto/Bar": {"name": "a\nb"}}})
    assert refused(company.live, wanted).places == ["rooms.Porto/Bar.name"]
    assert export(company.live) == before
    assert company.live.events() == events


def test_all_faults_of_all_records_are_named_at_once(embedded: Company):
    wanted = document(
        ofices={},
        offices={
            "Lisbon": lisbon(ring_seconds=3, hours={"monday": "9-12", "tuesday": "09:00-25:00"}, currency="BTC"),
            "Porto": lisbon(
                routing_options={
                    "open": {
                        "action": "menu",
                        "dtmf": [{"input": 1, "action": "person", "target": "user nobody@example.com"}],
                    },
                    "closed": {"action": "department", "target": "Lisbon"},
                },
                special_days={"2026-02-30": "x", "2026-03-01": {"name": "y", "hours": "25:00-26:00"}},
            ),
            "Faro": {"colour": "blue"},
        },
        rooms={"Lisbon/Lobby": {}, "Nowhere/Bar": {}, "Desk": {}, "Porto/X": [1]},
    )
    assert refused(embedded.live, wanted).places == [
        "offices.Faro.annual_commit_monthly_billing",
        "offices.Faro.billing_address",
        "offices.Faro.colour",
        "offices.Faro.country",
        "offices.Faro.currency",
        "offices.Faro.invoiced",
        "offices.Faro.plan_period",
        "offices.Faro.unified_billing",
        "offices.Lisbon.currency",
        "offices.Lisbon.hours.monday[0]",
        "offices.Lisbon.hours.monday[1]",
        "offices.Lisbon.hours.tuesday[1]",
        "offices.Lisbon.ring_seconds",
        "offices.Porto.routing_options.closed.target",
        "offices.Porto.routing_options.open.dtmf[0].target",
        "ofices",
        "rooms.Desk",
        "rooms.Nowhere/Bar",
        "rooms.Porto/X",
    ]
    # What waits for a faulty record is no fault of its own.
    wanted = document(offices={"Lisbon": lisbon(ring_seconds=3)}, rooms={"Lisbon/Lobby": {}})
    assert refused(embedded.live, wanted).places == ["offices.Lisbon.ring_seconds"]


def test_a_company_that_changed_since_the_plan_is_left_alone(company: Company):
    planned = plan(company.live, TWO)
    company.live.patch(f"/api/v2/offices/{company.office_ids['live']}", {"sunday_hours": ["10:00", "11:00"]})
    answer = company.live.post(PATH + "/apply", {"document": TWO, "fingerprint": planned["fingerprint"]})
    assert answer.status == 409
    assert "Lisbon" not in export(company.live)["offices"]
    again = plan(company.live, TWO)["fingerprint"]
    assert again == company.live.get(PATH).headers["etag"].strip('"')
    done = apply(company.live, TWO, fingerprint=again)
    assert done["fingerprint"] == company.live.get(PATH).headers["etag"].strip('"')


def test_two_who_apply_the_same_make_it_once(company: Company):
    both = company.live.together([company.live.sending("POST", PATH + "/apply", {"document": TWO}) for _ in range(2)])
    assert sorted(one.json["created"] for one in both) == [0, 4]


def test_an_apply_is_done_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(PATH + "/apply", {"document": TWO}, headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["created"]) == (True, 4)
    assert all("id" not in one for one in dry.json["result"]["changes"])
    assert "Lisbon" not in export(company.live)["offices"]
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(PATH + "/apply", {"document": TWO}, headers=headers) for _ in range(2))
    assert (first.json, again.headers["offhook-replayed"]) == (again.json, "true")
    assert company.live.post(PATH + "/apply", {"document": document()}, headers=headers).status == 409


def test_names_of_another_company_are_not_found(company: Company):
    other = company.desk.found()
    apply(other.live, TWO)
    id = next(one for one in other.live.get("/api/v2/offices").json["items"] if one["name"] == "Lisbon")["id"]
    wanted = document(
        offices={
            "Faro": lisbon(routing_options={"open": {"action": "department", "target": "office Lisbon"}}),
            "Sines": lisbon(routing_options={"open": {"action": "department", "target": f"office {id}"}}),
            "Mine": {"id": id},
        },
        rooms={"Porto/Attic": {}},
    )
    assert refused(company.live, wanted).places == [
        "offices.Faro.routing_options.open.target",
        "offices.Mine.id",
        "offices.Sines.routing_options.open.target",
        "rooms.Porto/Attic",
    ]
    assert "Lisbon" not in str(export(company.live)) + str(export(other.sandbox))


def test_two_of_one_name_are_told_apart_by_id(company: Company):
    ids = [company.live.made(office(name="Lisbon")).id for _ in range(2)]
    apply(company.live, document(rooms={f"Lisbon (id {ids[0]})/Lobby": {}}))
    found = export(company.live)
    assert {record.get("id") for record in found["offices"].values()} == {None, *ids}
    assert found["offices"][f"Lisbon (id {ids[1]})"]["name"] == "Lisbon"
    assert plan(company.live, found, prune=True)["differs"] is False
    assert refused(company.live, document(offices={"Lisbon": {"ring_seconds": 20}})).places == ["offices.Lisbon"]
    done = apply(company.live, document(offices={"Sines": {"id": ids[1]}}))
    assert told(done)[0] == "change offices Sines: name"


def test_a_record_with_an_id_is_renamed_and_keeps_what_is_in_it(company: Company):
    apply(company.live, TWO)
    id = next(one for one in company.live.get("/api/v2/offices").json["items"] if one["name"] == "Lisbon")["id"]
    wanted = document(offices={"Lisboa": {"id": id}}, rooms={"Lisboa/Lobby": {}, "Lisboa/Attic": {}})
    done = apply(company.live, wanted)
    assert "create rooms Lisboa/Attic" in told(done)
    assert done["created"] == 1
    assert set(export(company.live)["rooms"]) == {"Lisboa/Attic", "Lisboa/Lobby", "Porto/Bar"}


def test_names_with_a_slash_say_their_office(embedded: Company):
    wanted = document(
        offices={"A/B": lisbon(), "A": lisbon()},
        rooms={"x": {"office": "A/B", "name": "C"}, "A/1/2": {"office": "A"}},
    )
    apply(embedded.live, wanted)
    found = export(embedded.live)
    assert found["rooms"] == {
        "A/1/2": {"office": "A", "name": "1/2"},
        "A/B/C": {"office": "A/B", "name": "C"},
    }
    assert plan(embedded.live, found)["differs"] is False
    assert plan(embedded.live, wanted)["differs"] is False
    assert refused(embedded.live, document(rooms={"A/B/new": {}})).places == ["rooms.A/B/new"]


def test_a_record_written_twice_is_refused(embedded: Company):
    apply(embedded.live, TWO)
    wanted = document(rooms={"Lisbon/Lobby": {}, "x": {"office": "Lisbon", "name": "Lobby"}})
    assert refused(embedded.live, wanted).places == ["rooms.x"]


def test_a_room_does_not_move(embedded: Company):
    apply(embedded.live, TWO)
    id = embedded.live.get("/api/v2/rooms").json["items"][0]["id"]
    answer = refused(embedded.live, document(rooms={"Porto/Lobby": {"id": id}}))
    assert answer.places == ["rooms.Porto/Lobby.office"]


def test_what_was_guessed_is_said_with_its_record(embedded: Company):
    wanted = document(offices={"Lisbon": lisbon(timezone=None)}, company={"name": "Another"})
    warned = {(one["code"], one["field"]) for one in plan(embedded.live, wanted)["warnings"]}
    assert {
        ("timezone_default", "offices.Lisbon.timezone"),
        ("company_differs", "company.name"),
    } <= warned


def test_a_document_must_say_its_version(embedded: Company):
    assert refused(embedded.live, {}).places == ["version"]
    assert refused(embedded.live, document(version=2)).places == ["version"]
    assert refused(embedded.live, document(rooms=[])).places == ["rooms"]


def test_a_key_without_admin_is_refused(embedded: Company):
    reader = embedded.key("offices:write", "directory:write")
    assert reader.get(PATH).status == 403
    assert reader.post(PATH + "/apply", {"document": TWO}).status == 403


def test_a_sandbox_applies_at_the_moment_that_it_says(embedded: Company):
    later: Any = embedded.sandbox.at("2027-01-01T10:00:00Z")
    apply(later, TWO)
    moments = {one["at"] for one in embedded.sandbox.events() if one["event"] == "room.created"}
    assert len(moments) == 1
    assert "2027-01-01T10:00" in str(moments) or "1798797600000" in str(moments)


def test_too_many_changes_are_refused_before_any_is_made(embedded: Company):
    rooms: dict[str, Any] = {f"Head office/Room {number}": {} for number in range(5_001)}
    answer = refused(embedded.live, document(rooms=rooms))
    assert (answer.status, "in parts" in answer.errors[0]["message"]) == (400, True)


def test_a_file_that_moves_an_office_abroad_is_told_that_its_clock_stays(company: Company):
    apply(company.live, document(offices={"Lisbon": lisbon(timezone="Europe/Lisbon")}))
    abroad = document(offices={"Lisbon": {"country": "ES"}})
    for answer in (plan(company.live, abroad), apply(company.live, abroad)):
        assert [(one["code"], one["field"]) for one in answer["warnings"]] == [
            ("timezone_elsewhere", "offices.Lisbon.timezone")
        ]
    renamed = document(offices={"Lisbon": {"country": "ES", "ring_seconds": 20}})
    assert plan(company.live, renamed)["warnings"] == []


def test_a_file_may_not_give_an_emergency_number_as_an_extension(company: Company):
    people = {"ann@example.com": {"office": "Lisbon", "extension": "112"}}
    wanted = document(offices={"Lisbon": lisbon(licences={"talk_lines": 1})}, users=people)
    assert refused(company.live, wanted).places == ["users.ann@example.com.extension"]
