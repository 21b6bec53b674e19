"""Offices against a plain model: whatever is done in whatever order, the API says what the model says."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, Desk, full, office, routing, state

NAMES = st.sampled_from(["Lisbon", "Porto", "東京", "O'Hare; DROP", "🏢", "x" * 256])
BAD_NAMES = st.sampled_from(["", "a\nb", "x" * 257, None])
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = st.sampled_from(
    [[], ["08:00", "18:00"], ["00:00", "24:00"], ["22:00", "02:00"], ["08:00", "12:00", "13:00", "17:00"]]
)
DATES = st.sampled_from(["2026-12-24", "2026-12-25", "2028-02-29"])
KINDS = st.sampled_from(["holiday", "override"])
STREETS = st.sampled_from(["1 Market Street", "500 Terry A Francois Blvd"])


class Offices(RuleBasedStateMachine):
    """The model keeps for each office what was last accepted: body, hours, address, special days, version."""

    company: Company
    offices = Bundle("offices")

    def __init__(self) -> None:
        super().__init__()
        self.company = self.desk.found()
        self.api = self.company.sandbox
        self.free = set(self.company.numbers[:2])
        self.model: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, str] = {}
        self.changes = len(self.api.events())

    desk: Desk

    def _keep(self, office_id: str, body: dict[str, Any]) -> None:
        before = self.model.get(office_id, {"days": {}, "version": 0})
        defaults = {f"{day}_hours": ["08:00", "18:00"] for day in DAYS[:5]} | {f"{day}_hours": [] for day in DAYS[5:]}
        address = body.get("e911_address")
        self.model[office_id] = {
            "name": body["name"],
            "country": body["country"].lower(),
            "hours_on": body.get("hours_on", False),
            **{name: body.get(name, hours) for name, hours in defaults.items()},
            "number": body.get("mainline_number"),
            "address": address and address | {"country": address["country"].lower()},
            "target": body.get("routing_options", {}).get("open", {}).get("action_target_id"),
            "days": before["days"],
            "version": before["version"] + 1,
        }

    def _note_change(self, which: str, answer: Any) -> None:
        """A change that changes nothing keeps the version and leaves no event; any other counts one on."""
        kept, etag = self.model[which], int(answer.headers["etag"].strip('"'))
        assert etag - kept["version"] in (0, 1)
        self.changes += etag - kept["version"]
        kept["version"] = etag

    def _body(self, data: Any, name: str) -> tuple[dict[str, Any], int]:
        """A body, and the status that the model expects for it."""
        american: bool = data.draw(st.booleans())
        body: dict[str, Any] = full(name=name) if american else office(name=name)
        body |= {"hours_on": data.draw(st.booleans()), "sunday_hours": data.draw(HOURS)}
        body.pop("routing_options", None)
        body.pop("no_operators_action", None)
        status = 200
        if data.draw(st.booleans()):
            number = data.draw(st.sampled_from(self.company.numbers[:2]))
            body["mainline_number"] = number
            status = 200 if number in self.free else 409
        if self.model and data.draw(st.booleans()):
            target = data.draw(st.sampled_from([*self.model, "5"]))
            body["routing_options"] = routing(
                state(action="department", action_target_type="office", action_target_id=target)
            )
            status = 400 if target == "5" else status
            if target == "5":
                body.pop("mainline_number", None)
        return body, status

    @rule(target=offices, data=st.data(), name=NAMES)
    def create(self, data: st.DataObject, name: str) -> Any:
        body, status = self._body(data, name)
        answer = self.api.create(body)
        assert answer.status == status, answer
        if status != 200:
            return multiple()
        self._keep(answer.id, body)
        self.free.discard(body.get("mainline_number", ""))
        self.changes += 2 if "mainline_number" in body else 1
        return answer.id

    @rule(target=offices, name=NAMES, key=st.sampled_from(["k1", "k2"]))
    def create_repeatably(self, name: str, key: str) -> Any:
        answer = self.api.create(office(name=name), headers={"idempotency-key": key})
        if key in self.keys:
            first, its_name = self.keys[key].split(" ", 1)
            assert answer.status == (200 if its_name == name else 409)
            assert answer.status == 409 or answer.id == first
            return multiple()
        assert answer.status == 200
        self.keys[key] = f"{answer.id} {name}"
        self._keep(answer.id, office(name=name))
        self.changes += 1
        return answer.id

    @rule(name=BAD_NAMES)
    def create_wrongly(self, name: str) -> None:
        assert self.api.refused(office(name=name)) == ["name"]

    @rule(data=st.data(), name=NAMES)
    def rehearse(self, data: st.DataObject, name: str) -> None:
        body, status = self._body(data, name)
        assert self.api.dry(body).status == status

    @rule(which=offices, data=st.data(), name=NAMES)
    def replace(self, which: str, data: st.DataObject, name: str) -> None:
        if which not in self.model:
            assert self.api.put(f"{WHOLE}/{which}", office()).status == 404
            return
        body, status = self._body(data, name)
        old, new = self.model[which]["number"], body.get("mainline_number")
        if new is None and status == 200:
            # A main line that is not sent stays.
            new = old
            body |= {"mainline_number": old} if old else {}
        if new is not None and new == old and status == 409:
            status = 200
        sent = {name: value for name, value in body.items() if name != "mainline_number" or value != old}
        answer = self.api.put(f"{WHOLE}/{which}", sent)
        assert answer.status == status, answer
        if status == 200:
            version = self.model[which]["version"]
            self._keep(which, body)
            self.model[which]["version"] = version
            self._note_change(which, answer)
            self.changes += 0 if old == new else (old is not None) + (new is not None)
            self.free = (self.free | ({old} if old else set())) - {new}

    @rule(which=offices, day=st.sampled_from(DAYS), hours=HOURS, on=st.none() | st.booleans())
    def change_hours(self, which: str, day: str, hours: list[str], on: bool | None) -> None:
        answer = self.api.patch(f"{OFFICES}/{which}", {f"{day}_hours": hours, "hours_on": on})
        if which not in self.model:
            assert answer.status == 404
            return
        assert answer.status == 200
        kept = self.model[which]
        kept[f"{day}_hours"] = hours
        kept["hours_on"] = kept["hours_on"] if on is None else on
        self._note_change(which, answer)

    @rule(which=offices, late=st.integers(1, 3))
    def change_too_late(self, which: str, late: int) -> None:
        if which in self.model:
            etag = f'"{self.model[which]["version"] + late}"'
            assert self.api.patch(f"{OFFICES}/{which}", {}, headers={"if-match": etag}).status == 412

    @rule(which=offices, street=STREETS)
    def move(self, which: str, street: str) -> None:
        address = ADDRESSES["US"] | {"address": street}
        answer = self.api.put(f"{OFFICES}/{which}/e911", address)
        if which not in self.model:
            assert answer.status == 404
        elif self.model[which]["country"] != "us":
            assert answer.places == ["country"]
        else:
            assert answer.status == 200
            self.model[which]["address"] = address | {"country": "us"}
            self._note_change(which, answer)

    @rule(which=offices, date=DATES, kind=KINDS, hours=HOURS)
    def set_a_day(self, which: str, date: str, kind: str, hours: list[str]) -> None:
        body = {"days": [{"date": date, "kind": kind, "name": "x", "hours": hours}]}
        answer = self.api.put(f"{WHOLE}/{which}/special-days", body)
        if which not in self.model:
            assert answer.status == 404
            return
        assert answer.status == 200
        self.model[which]["days"][date, kind] = hours
        self._note_change(which, answer)

    @rule(which=offices, date=DATES, kind=KINDS)
    def remove_a_day(self, which: str, date: str, kind: str) -> None:
        answer = self.api.delete(f"{WHOLE}/{which}/special-days/{date}?kind={kind}")
        if which not in self.model or (date, kind) not in self.model[which]["days"]:
            assert answer.status == 404
            return
        assert answer.status == 200
        del self.model[which]["days"][date, kind]
        self.model[which]["version"] += 1
        self.changes += 1

    @rule(which=consumes(offices))
    def delete(self, which: str) -> None:
        answer = self.api.delete(f"{WHOLE}/{which}")
        if which not in self.model:
            assert answer.status == 404
        elif any(other["target"] == which for name, other in self.model.items() if name != which):
            assert answer.status == 409
        else:
            assert answer.status == 200
            number = self.model.pop(which)["number"]
            self.free |= {number} if number else set()
            self.changes += 2 if number else 1

    @invariant()
    def the_list_is_the_models(self) -> None:
        listed = self.api.get(f"{OFFICES}?limit=100").json["items"]
        assert listed[0]["is_primary_office"]
        assert [one["id"] for one in listed[1:]] == list(self.model)
        for one in listed[1:]:
            kept = self.model[one["id"]]
            assert (one["name"], one["country"]) == (kept["name"], kept["country"])
            for day in DAYS:
                assert one.get(f"{day}_hours", []) == kept[f"{day}_hours"]
            assert one.get("phone_numbers", []) == ([kept["number"]] if kept["number"] else [])
            assert one.get("e911_address") == kept["address"]
            assert one["routing_options"]["open"].get("action_target_id") == kept["target"]

    @invariant()
    def every_office_has_its_plan_its_days_and_its_version(self) -> None:
        for which, kept in self.model.items():
            whole = self.api.get(f"{WHOLE}/{which}").json
            assert whole["plan"]["ppu_address"]["country"] == kept["country"]
            assert whole["office"]["version"] == str(kept["version"])
            assert whole["office"]["hours_on"] is kept["hours_on"]
            days = {(day["date"], day["kind"]): day["hours"] for day in whole["office"].get("special_days", [])}
            assert days == kept["days"]
        assert self.api.get("/api/v2/company").json["office_count"] == str(len(self.model) + 1)

    def teardown(self) -> None:
        assert len(self.api.events()) == self.changes


def _run(desk: Desk, examples: int, steps: int) -> None:
    machine = type("Offices", (Offices,), {"desk": desk})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))


@pytest.mark.brief
def test_offices_behave_like_their_model(sqlite_desk: Desk):
    _run(sqlite_desk, 20, 15)


@pytest.mark.postgres
def test_offices_behave_like_their_model_over_postgresql(postgresql_desk: Desk):
    _run(postgresql_desk, 5, 12)


@pytest.mark.long
def test_offices_behave_like_their_model_for_long(desk: Desk):
    # What is tried is the same over both; PostgreSQL takes thrice as long.
    _run(desk, 300 if desk.offhook.database.sqlite else 100, 40)
