"""Looking for something: offices by name, events of one thing, the newest first."""

import pytest

from offhook.events import store as events
from offhook.offices import store as offices
from tests.api.desk import OFFICES, Api, Company, office

EVENTS = "/api/offhook/v1/events"


def names(caller: Api, query: str) -> list[str]:
    """The names on all pages."""
    found: list[str] = []
    cursor = ""
    while True:
        page = caller.get(f"{OFFICES}?{query}&cursor={cursor}").json
        found += [one["name"] for one in page.get("items", ())]
        cursor = page.get("cursor", "")
        if not cursor:
            return found


def test_offices_are_found_by_any_part_of_their_name(company: Company):
    for name in ("Lisboa Centro", "Porto", "LISBOA Norte", "Straße"):
        company.sandbox.made(office(name=name))
    assert names(company.sandbox, "name_search=lisboa") == ["Lisboa Centro", "LISBOA Norte"]
    assert names(company.sandbox, "name_search=STRASSE") == ["Straße"]
    assert names(company.sandbox, "name_search=%25") == []
    assert len(names(company.sandbox, "name_search=")) == 5


@pytest.mark.parametrize("searched", [1, 3, 200])
def test_a_search_finds_all_however_few_offices_it_looks_at_at_once(
    embedded: Company, monkeypatch: pytest.MonkeyPatch, searched: int
):
    for number in range(7):
        embedded.sandbox.made(office(name=f"Branch {number}"))
    monkeypatch.setattr(offices, "SEARCHED", searched * 2)
    monkeypatch.setattr(offices, "_PART", searched)
    assert names(embedded.sandbox, "name_search=branch&limit=2") == [f"Branch {number}" for number in range(7)]
    assert names(embedded.sandbox, "name_search=branch+6&limit=2") == ["Branch 6"]


def test_a_cursor_belongs_to_its_search(embedded: Company):
    for number in range(2):
        embedded.sandbox.made(office(name=f"Branch {number}"))
    cursor = embedded.sandbox.get(f"{OFFICES}?name_search=branch&limit=1").json["cursor"]
    assert embedded.sandbox.get(f"{OFFICES}?name_search=other&cursor={cursor}").places == ["cursor"]
    assert embedded.sandbox.get(f"{OFFICES}?cursor={cursor}").places == ["cursor"]


def test_a_search_finds_no_other_company_s_offices(company: Company):
    company.desk.found().sandbox.made(office(name="Secret"))
    assert names(company.sandbox, "name_search=secret") == []


def words(caller: Api, query: str) -> list[str]:
    """The words of events on all pages, until one looks at nothing more."""
    found: list[str] = []
    cursor = ""
    while True:
        page = caller.get(f"{EVENTS}?{query}&cursor={cursor}").json
        found += [one["event"] for one in page.get("items", ())]
        if page.get("cursor", "") == cursor or not page.get("items"):
            return found
        cursor = page["cursor"]


def test_events_of_one_office_newest_first(company: Company):
    caller = company.sandbox
    made = caller.made(office())
    caller.made(office())
    caller.patch(f"{OFFICES}/{made.id}", {"hours_on": False})
    found = words(caller, f"subject_id={made.id}&newest_first=true&limit=1")
    assert found == ["office.hours_updated", "office.created"]
    assert words(caller, f"subject_id={made.id}&limit=1") == found[::-1]


def test_newest_first_is_the_whole_log_backwards(company: Company):
    caller = company.sandbox
    for _ in range(3):
        caller.made(office())
    assert words(caller, "newest_first=true&limit=2") == words(caller, "limit=500")[::-1]


def test_a_look_for_a_subject_goes_on_behind_what_it_has_looked_at(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    caller = embedded.sandbox
    first = caller.made(office()).id
    for _ in range(5):
        caller.made(office())
    monkeypatch.setattr(events, "SEARCHED", 3)
    path, cursor, pages = f"{EVENTS}?subject_id={first}&newest_first=true", "", 0
    while not (page := caller.get(f"{path}&cursor={cursor}").json).get("items"):
        cursor, pages = page["cursor"], pages + 1
    assert [one["event"] for one in page["items"]] == ["office.created"]
    assert pages == 1


def test_an_event_cursor_belongs_to_its_order(embedded: Company):
    embedded.sandbox.made(office())
    cursor = embedded.sandbox.get(f"{EVENTS}?newest_first=true&limit=1").json["cursor"]
    assert embedded.sandbox.get(f"{EVENTS}?cursor={cursor}").places == ["cursor"]


def test_another_company_s_events_are_not_found(company: Company):
    foreign = company.desk.found().sandbox.made(office()).id
    assert words(company.sandbox, f"subject_id={foreign}") == []
