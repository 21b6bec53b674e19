"""Whatever happens to a company, the snapshot made from the last one and its events is the one read whole."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from offhook.events.model import Word
from offhook.routing import snapshot
from offhook.routing.snapshot import Snapshot, compiled, refreshed
from offhook.routing.touched import Touched
from tests.api.desk import ADDRESSES, OFFICES, WHOLE, Company, Desk, full, office, routing, state
from tests.api.directory_model import V1, V2, WHICH, Directory
from tests.directory.people import buy, give_number, hired
from tests.directory.recordings import BEEP

ABROAD, HOME = "+351912345678", "+14155550123"


def differences(found: Snapshot, whole: Snapshot) -> list[str]:
    """Where two snapshots differ, in short: pytest would take minutes over two companies."""
    said = [] if found.away == whole.away else [f"away: {found.away} instead of {whole.away}"]
    for name in found.company.__dataclass_fields__:
        one, other = getattr(found.company, name), getattr(whole.company, name)
        if isinstance(one, dict) and isinstance(other, dict):
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
            said += [f"{name}[{key}]: {one.get(key)} instead of {other.get(key)}" for key in keys]
        elif one != other:
            said.append(f"{name}: {one} instead of {other}")
    if list(found.company.residents) != list(whole.company.residents):
        said.append("residents: another order of offices")
    return said


class Followed(Directory):
    """The directory with all else that calls see, and a snapshot that follows every step, one every fifth."""

    def __init__(self) -> None:
        super().__init__()
        self.tenant = self.company.tenant()
        self.snapshots: list[Snapshot | None] = [None, None]
        self.steps = 0
        router = {"name": "R", "office_id": self.primary, "routing_url": "https://example.com/r"}
        to_office = {"default_target_type": "office", "default_target_id": self.primary}
        self.router = self.send(200, "POST", f"{V2}/callrouters", {**router, **to_office}).json["id"]
        self.contacts = [
            self.send(200, "POST", f"{V2}/contacts", {"first_name": name, "last_name": ""}).json["id"] for name in "AB"
        ]
        self.team = self.send(200, "POST", f"{V1}/coaching-teams", {"name": "T", "office_id": self.primary}).json["id"]

    def lists_are_the_models(self) -> None:
        """Not here: this and the following are another test's to say."""

    def the_inventory_is_the_models(self) -> None: ...

    def calls_are_sent_where_the_model_says(self) -> None: ...

    def operators_are_in_the_order_of_joining(self) -> None: ...

    def lines_in_use_are_what_is_held_and_no_more_than_were_bought(self) -> None: ...

    def try_to(self, method: str, path: str, body: Any = None) -> None:
        """Whether it is refused does not matter, nor whether a limit is reached."""
        assert self.api.send(method, path, body).status in (200, 400, 404, 409, 429), (method, path, body)

    @invariant()
    def snapshots_follow(self) -> None:
        self.steps += 1

        def look(tx: Any) -> None:
            whole = compiled(tx, self.tenant)
            for index, known in enumerate(self.snapshots):
                if index == 0 or self.steps % 5 == 0:
                    found = refreshed(tx, self.tenant, known)
                    assert differences(found, whole) == []
                    self.snapshots[index] = found

        self.company.desk.run(self.company.desk.offhook.reader.run(look))

    @rule(which=WHICH, on=st.booleans(), reason=st.sampled_from(["Lunch Time", "Off Duty"]))
    def change_duty(self, which: int, on: bool, reason: str) -> None:
        if one := self.one(which, "user"):
            body = {"on_duty": on} if on else {"on_duty": on, "duty_status_reason": reason}
            self.try_to("PATCH", f"{V2}/callcenters/operators/{one.id}/dutystatus", body)

    @rule(which=WHICH, on=st.booleans(), group=st.none() | WHICH)
    def disturb(self, which: int, on: bool, group: int | None) -> None:
        if one := self.one(which, "user"):
            body: dict[str, Any] = {"do_not_disturb": on}
            if group is not None and (to := self.one(group, "office", "department", "callcenter")):
                body |= {"group_type": to.kind, "group_id": to.id}
            self.try_to("PATCH", f"{V2}/users/{one.id}/togglednd", body)

    @rule(which=WHICH, kind=st.sampled_from(["user", "room"]), enabled=st.booleans())
    def give_a_device(self, which: int, kind: str, enabled: bool) -> None:
        if one := self.one(which, kind):
            self.try_to("POST", f"{V1}/{kind}s/{one.id}/devices", {"enabled": enabled})

    @rule(which=WHICH, kind=st.sampled_from(["user", "room"]), enabled=st.none() | st.booleans())
    def change_a_device(self, which: int, kind: str, enabled: bool | None) -> None:
        if one := self.one(which, kind):
            for device in self.api.get(f"{V1}/{kind}s/{one.id}/devices").json.get("items", [])[:1]:
                path = f"{V1}/{kind}s/{one.id}/devices/{device['id']}"
                self.try_to("DELETE" if enabled is None else "PATCH", path, {"enabled": enabled})

    @rule(
        which=WHICH,
        name=st.sampled_from(["Ana", "Zé", "ana", ""]),
        extension=st.sampled_from(["", "11", "12"]),
        forwarding=st.lists(st.sampled_from([ABROAD, HOME]), unique=True),
        international=st.booleans(),
        admin=st.lists(WHICH, max_size=2),
    )
    def change_a_user(
        self, which: int, name: str, extension: str, forwarding: list[str], international: bool, admin: list[int]
    ) -> None:
        if one := self.one(which, "user"):
            body = {"first_name": name, "extension": extension, "forwarding_numbers": forwarding}
            offices = {found.id for wanted in admin if (found := self.one(wanted, "office"))}
            more = {"international_dialing_enabled": international, "admin_office_ids": sorted(offices)}
            self.try_to("PATCH", f"{V2}/users/{one.id}", {**body, **more})

    @rule(first=WHICH, second=WHICH)
    def two_users_change_extensions(self, first: int, second: int) -> None:
        """Both in what one look sees."""
        one, two = self.one(first, "user"), self.one(second, "user")
        if one and two and one is not two:
            for id, extension in ((one.id, ""), (two.id, "11"), (one.id, "12"), (two.id, ""), (one.id, "11")):
                self.try_to("PATCH", f"{V2}/users/{id}", {"extension": extension})
            self.try_to("PATCH", f"{V2}/users/{two.id}", {"extension": "12"})

    @rule(which=WHICH, number=st.none() | st.integers(0, 3))
    def choose_a_caller_id(self, which: int, number: int | None) -> None:
        if one := self.one(which, "user"):
            shown = "blocked" if number is None else self.spare[number]
            self.try_to("POST", f"{V2}/users/{one.id}/caller_id", {"caller_id": shown})

    @rule(group=WHICH, member=WHICH, spare=st.integers(0, 3))
    def show_a_groups_number(self, group: int, member: int, spare: int) -> None:
        """A member of a group that has a number, if it can be had."""
        to, one = self.one(group, "office", "department", "callcenter"), self.one(member, "user")
        if to and one:
            self.join(self.of("office", "department", "callcenter").index(to), self.of("user", "room").index(one))
            self.assign(self.of(to.kind).index(to), to.kind, spare, None, False, "t")
            for number in to.numbers[:1]:
                self.try_to("POST", f"{V2}/users/{one.id}/caller_id", {"caller_id": number})

    @rule(which=WHICH, own=st.booleans())
    def move_in(self, which: int, own: bool) -> None:
        """A person's or an office's emergency address."""
        if one := self.one(which, "user" if own else "office"):
            self.try_to("PUT", f"{V2}/{one.kind}s/{one.id}/e911", ADDRESSES["US"])

    @rule(which=WHICH, on=st.booleans(), hours=st.sampled_from([[], ["09:00", "17:00"]]))
    def change_hours(self, which: int, on: bool, hours: list[str]) -> None:
        if one := self.one(which, "office", "department", "callcenter"):
            self.try_to("PATCH", self.path(one).replace(V1, V2), {"hours_on": on, "monday_hours": hours})

    @rule(which=WHICH, name=st.sampled_from(["Eve", "Party"]))
    def keep_a_holiday(self, which: int, name: str) -> None:
        if one := self.one(which, "office"):
            self.try_to("PUT", f"{WHOLE}/{one.id}/special-days", {"days": [{"date": "2026-12-24", "name": name}]})

    @rule(which=WHICH, to=st.sampled_from(["contact", "callrouter", "coachinggroup", ""]), contact=st.integers(0, 1))
    def send_agents_calls(self, which: int, to: str, contact: int) -> None:
        if one := self.one(which, "callcenter"):
            ids = {"contact": self.contacts[contact], "callrouter": self.router, "coachinggroup": self.team}
            target = {"action": "bridge_target", "action_target_type": to, "action_target_id": ids.get(to)}
            opened = state(**target) if to else state(action="menu", dtmf=[{"input": "1", "options": {}}])
            self.try_to("PATCH", f"{V2}/callcenters/{one.id}", {"routing_options": routing(opened)})

    @rule(contact=st.integers(0, 1), name=st.sampled_from(["Ada", "Bob"]), phone=st.sampled_from([ABROAD, HOME]))
    def change_a_contact(self, contact: int, name: str, phone: str) -> None:
        self.try_to("PATCH", f"{V2}/contacts/{self.contacts[contact]}", {"first_name": name, "phones": [phone]})

    @rule(contact=st.integers(0, 1))
    def replace_a_contact(self, contact: int) -> None:
        self.try_to("DELETE", f"{V2}/contacts/{self.contacts[contact]}?force=true")
        made = self.send(200, "POST", f"{V2}/contacts", {"first_name": "New", "last_name": ""})
        self.contacts[contact] = made.json["id"]

    @rule(enabled=st.booleans(), whom=st.none() | WHICH)
    def change_the_router(self, enabled: bool, whom: int | None) -> None:
        self.try_to("PATCH", f"{V2}/callrouters/{self.router}", {"enabled": enabled, "name": str(whom)})

    @rule(which=WHICH, role=st.sampled_from(["coach", "trainee"]), leaves=st.booleans())
    def coach(self, which: int, role: str, leaves: bool) -> None:
        if one := self.one(which, "user"):
            if leaves:
                self.try_to("DELETE", f"{V1}/coaching-teams/{self.team}/members/{one.id}")
            else:
                body = {"member_id": one.id, "role": role}
                self.try_to("POST", f"{V2}/coachingteams/{self.team}/members", body)

    @rule(name=st.sampled_from(["T", "Team"]), seconds=st.integers(10, 12))
    def change_the_team(self, name: str, seconds: int) -> None:
        self.try_to("PATCH", f"{V1}/coaching-teams/{self.team}", {"name": name, "ring_seconds": seconds})

    @rule(gone=st.booleans())
    def keep_a_channel(self, gone: bool) -> None:
        body = {"name": "C", "description": "", "privacy_type": "public"}
        made = self.send(200, "POST", f"{V2}/channels", body)
        if gone:
            self.try_to("DELETE", f"{V2}/channels/{made.json['id']}")

    @rule(which=WHICH, kind=st.sampled_from(["GREETING", "MENU"]))
    def record(self, which: int, kind: str) -> None:
        if one := self.one(which, "office", "department", "callcenter", "user"):
            body = {"file": b64encode(BEEP).decode(), "ivr_type": kind, "target_type": one.kind, "target_id": one.id}
            self.try_to("POST", f"{V2}/customivrs", body)

    @precondition(lambda self: self.steps % 2)
    @rule(which=WHICH, delete=st.booleans())
    def take_a_recording(self, which: int, delete: bool) -> None:
        if one := self.one(which, "office", "department", "callcenter", "user"):
            listed = self.api.get(f"{V2}/customivrs?target_type={one.kind}&target_id={one.id}").json.get("items", [])
            for purpose in listed:
                path = f"{V2}/customivrs/{one.kind}/{one.id}/{purpose['ivr_type']}"
                self.try_to("DELETE" if delete else "PATCH", path, {"ivr_id": purpose["ivrs"][0]["id"]})


def _run(desk: Desk, examples: int, steps: int) -> None:
    machine = type("Followed", (Followed,), {"desk": desk})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))


@pytest.mark.brief
def test_a_snapshot_that_follows_is_the_one_that_is_read_whole(sqlite_desk: Desk):
    _run(sqlite_desk, 15, 30)


@pytest.mark.postgres
def test_a_snapshot_that_follows_is_the_one_that_is_read_whole_over_postgresql(postgresql_desk: Desk):
    _run(postgresql_desk, 2, 25)


@pytest.mark.long
def test_a_snapshot_follows_for_long(desk: Desk):
    _run(desk, 80, 60)


# What the random steps do not reach


def look(company: Company, known: Snapshot | None = None) -> Snapshot:
    """The live environment as it is, made from what is known; as it would be, read whole."""
    tenant, desk = company.tenant(), company.desk

    def read(tx: Any) -> Snapshot:
        found = refreshed(tx, tenant, known)
        assert differences(found, compiled(tx, tenant)) == []
        return found

    return desk.run(desk.offhook.reader.run(read))


def test_an_office_that_is_replaced_reaches_its_people_and_groups(company: Company):
    made = company.live.made(office(name="Second")).id
    room = company.live.post(f"{V2}/rooms", {"name": "Lobby", "office_id": made}).json["id"]
    group = company.live.post(f"{V2}/departments", {"name": "Sales", "office_id": made, "hours_on": True}).json["id"]
    known = look(company)
    body = full(name="Third", timezone="America/New_York", international_enabled=True)
    assert company.live.put(f"{WHOLE}/{made}", body).status == 200
    found = look(company, known).company
    assert (found.offices[int(made)].name, found.offices[int(made)].international) == ("Third", True)
    line = next(line for target, line in found.lines.items() if (target.type, target.id) == ("department", int(group)))
    assert line.schedule.zone.key == "America/New_York"
    assert found.people[f"room:{room}"].name == "Lobby"


def test_a_member_shows_the_groups_number_no_more_once_the_group_lost_it(company: Company):
    ann, office_id = hired(company), str(company.office_ids["live"])
    group = company.live.post(f"{V2}/departments", {"name": "Sales", "office_id": office_id}).json["id"]
    body = {"operator_type": "user", "operator_id": ann}
    assert company.live.post(f"{V2}/departments/{group}/operators", body).status == 200
    number = give_number(company, "department", group)
    assert company.live.post(f"{V2}/users/{ann}/caller_id", {"caller_id": number}).status == 200
    known = look(company)
    assert known.company.people[f"user:{ann}"].caller_id == number
    company.live.post(f"{V1}/departments/{group}/unassign_number", {"number": number})
    assert look(company, known).company.people[f"user:{ann}"].caller_id != number


def test_an_operator_who_gets_a_first_telephone_is_rung(company: Company):
    ann, office_id = hired(company), company.office_ids["live"]
    body = {"operator_type": "user", "operator_id": ann}
    company.live.post(f"{OFFICES}/{office_id}/operators", body)
    known = look(company)
    assert [line.ready for line in known.company.lines.values()] == [()]
    assert company.live.post(f"{V1}/users/{ann}/devices", {}).status == 200
    assert [len(line.ready) for line in look(company, known).company.lines.values()] == [1]


def test_extensions_that_two_exchange_follow_them(company: Company):
    ann, bob = hired(company), hired(company, email="bob@example.com")
    for id, extension in ((ann, "11"), (bob, "12")):
        company.live.patch(f"{V2}/users/{id}", {"extension": extension})
    known = look(company)
    for id, extension in ((ann, ""), (bob, "11"), (ann, "12")):
        assert company.live.patch(f"{V2}/users/{id}", {"extension": extension}).status == 200
    assert look(company, known).company.extensions == {"11": f"user:{bob}", "12": f"user:{ann}"}


def test_a_prompt_that_was_deleted_is_played_no_more(company: Company):
    target = {"target_type": "office", "target_id": str(company.office_ids["live"])}
    body = {"file": b64encode(BEEP).decode(), "ivr_type": "MENU", **target}
    id = company.live.post(f"{V2}/customivrs", body).json["id"]
    known = look(company)
    path = f"{V2}/customivrs/office/{target['target_id']}/MENU"
    assert company.live.delete(path, {"ivr_id": id}).status == 200
    assert [line.prompts for line in look(company, known).company.lines.values()] == [{}]


def test_who_moves_is_found_in_the_directory_of_the_new_office_only(company: Company):
    ann, primary = hired(company), company.office_ids["live"]
    made = company.live.made(office(name="Second")).id
    buy(company.live, made, talk_lines=1)
    known = look(company)
    assert company.live.patch(f"{V2}/users/{ann}/move_office", {"office_id": made}).status == 200
    assert look(company, known).company.residents == {primary: (), int(made): (f"user:{ann}",)}


def test_too_many_events_are_not_followed_one_by_one(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(snapshot, "MOST_EVENTS", 3)
    known = look(company)
    for index in range(4):
        company.live.made(office(name=f"Office {index}"))
    monkeypatch.setattr(Touched, "note", None)
    assert len(look(company, known).company.offices) == 5


def test_too_many_people_are_not_followed_one_by_one(company: Company, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(snapshot, "MOST_PEOPLE", 1)
    primary = company.office_ids["live"]
    rooms = [company.live.post(f"{V2}/rooms", {"name": name, "office_id": str(primary)}).json["id"] for name in "ABC"]
    known = look(company)
    for room in rooms:
        company.live.patch(f"{V2}/rooms/{room}", {"name": "Lobby"})
    assert {one.name for one in look(company, known).company.people.values()} == {"Lobby"}


def test_a_store_with_fewer_events_than_known_is_read_whole(company: Company):
    known = look(company)
    restored = Snapshot(
        type(known.company)(tenant_id=known.company.tenant_id, version=known.company.version + 1000), {}
    )
    assert differences(look(company, restored), known) == []


def test_without_an_event_the_snapshot_is_the_same_object(company: Company):
    known = look(company)
    assert company.live.get(OFFICES).status == 200
    assert look(company, known) is known


@pytest.mark.parametrize("word", list(Word))
def test_every_event_word_has_its_place_in_what_it_touches(word: Word):
    about = '{"group_type":"office","group_id":"1","operator_type":"user","operator_id":"2","target_type":"office"}'
    touched = Touched()
    touched.note(word, "+14155550100" if word.startswith("number.") else "1", about, about)
    assert not touched.everything


def test_an_unknown_word_is_no_reason_to_miss_a_change():
    touched = Touched()
    touched.note("weather.changed", "1", "", "")
    assert touched.everything
