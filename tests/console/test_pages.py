"""The frame and the pages of what there is: headers, environment, the list, an office, other companies' things."""

import re
from typing import Any

import pytest

from offhook.console.frame import POLICY
from tests.api.desk import Api, Company, full, office, routing, state
from tests.conftest import at
from tests.console.visitor import Visitor

WEEK_BEFORE = "2026-12-21T10:30:00+00:00"


def page_of(visitor: Visitor, answer: Any) -> str:
    return f"/console/offices/{answer.id}"


# The frame


@pytest.mark.parametrize("path", ["/console/offices", "/console/offices/new", "/console/sign-in", "/console/nothing"])
def test_every_page_allows_nothing_but_its_own_files(visitor: Visitor, stranger: Visitor, path: str):
    page = (stranger if path == "/console/sign-in" else visitor).get(path)
    assert page.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son[a-z]+=|javascript:", page.html)


def test_an_office_s_page_and_its_picture_hold_no_style_either(visitor: Visitor, embedded: Company):
    page = visitor.get(page_of(visitor, embedded.sandbox.made(full(name="Porto"))))
    assert page.status == 200
    assert "<svg" in page.html
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son[a-z]+=|javascript:", page.html)


@pytest.mark.parametrize(("environment", "word"), [("live", "LIVE"), ("sandbox", "SANDBOX")])
def test_every_page_says_which_environment_it_shows(embedded: Company, environment: str, word: str):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(getattr(embedded, environment).key)
    for path in ("/console/offices", "/console/offices/new", "/console/nothing"):
        page = visitor.get(path)
        assert page.title.startswith(f"{word} · ")
        assert page.tags("html") == [{"lang": "en", "class": environment}]
        assert f" {word} " in page.text
        assert "Example Company" in page.text


def test_files_are_kept_by_browsers_and_their_address_changes_with_their_bytes(stranger: Visitor):
    page = stranger.get("/console/sign-in")
    (style,) = [one["href"] for one in page.tags("link") if one["rel"] == "stylesheet"]
    (script,) = [one["src"] for one in page.tags("script")]
    for address, media in ((style, "text/css"), (script, "text/javascript")):
        assert re.search(r"\.[0-9a-f]{12}\.(css|js)$", address)
        file = stranger.get(address)
        assert file.headers["content-type"].startswith(media)
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert stranger.get(style.replace("console.", "console.0", 1)).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [("/console/nothing", 404), ("/console/offices/x", 404), ("/console/offices/99999999999999999999", 404)],
)
def test_a_page_that_is_not_there_says_so_in_the_frame(visitor: Visitor, path: str, status: int):
    page = visitor.get(path)
    assert page.status == status
    assert "Sign out" in page.text


def test_a_page_asked_for_in_another_way_says_which_it_takes(visitor: Visitor):
    assert visitor.ask("DELETE", "/console/offices").status == 405
    assert visitor.get("/console/sign-out").status == 405


def test_the_console_begins_with_the_offices(visitor: Visitor):
    assert visitor.get("/console").headers["location"] == "/console/offices"


# The list


def test_the_list_says_how_each_office_stands_and_why_and_when_that_changes(visitor: Visitor, embedded: Company):
    embedded.sandbox.made(office(name="Lisbon", mainline_number=embedded.numbers[0]))
    with at(WEEK_BEFORE):
        text = visitor.get("/console/offices").text
    assert f"Lisbon PT Open Monday 10:30, in the hours 09:00-12:30 (Europe/Lisbon) {embedded.numbers[0]} Closed" in text
    assert "Mon 21 Dec 2026, 12:30" in text


def test_offices_of_one_name_are_told_apart_by_their_ids(visitor: Visitor, embedded: Company):
    ids = [embedded.sandbox.made(office(name=name)).id for name in ("Lisbon", "lisbon ", "Porto")]
    text = visitor.get("/console/offices").text
    assert [f"PT · {id}" in text for id in ids] == [True, True, False]


def test_offices_are_found_by_a_part_of_their_name(visitor: Visitor, embedded: Company):
    for name in ("Lisbon", "Lissabon", "Porto"):
        embedded.sandbox.made(office(name=name))
    text = visitor.get("/console/offices?q=LIS").text
    assert "Lisbon" in text
    assert "Lissabon" in text
    assert "Porto" not in text
    assert "No office has “Madrid” in its name" in visitor.get("/console/offices?q=Madrid").text


def test_a_long_list_goes_on_page_by_page(visitor: Visitor, embedded: Company):
    for number in range(25):
        embedded.sandbox.made(office(name=f"Branch {number:02}"))
    seen: list[str] = []
    path = "/console/offices?q=branch"
    while path:
        page = visitor.get(path)
        seen += re.findall(r"Branch \d\d", page.html)
        onward = [one["href"] for one in page.tags("a") if one.get("rel") == "next"]
        path = onward[0] if onward else ""
    assert seen == [f"Branch {number:02}" for number in range(25)]


def test_a_search_is_shown_as_text_and_not_as_a_page(visitor: Visitor):
    page = visitor.get("/console/offices?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page.html
    assert "&lt;script&gt;" in page.html


def test_a_forged_cursor_is_refused_in_the_frame(visitor: Visitor):
    page = visitor.get("/console/offices?cursor=abc")
    assert page.status == 400
    assert "not a cursor of this server" in page.text


# An office


def test_an_office_shows_its_week_its_status_and_the_days_that_differ(visitor: Visitor, embedded: Company):
    made = embedded.sandbox.made(full(name="Porto", country="PT", timezone="Europe/Lisbon", e911_address=None))
    days = [
        {"date": "2026-12-24", "name": "Christmas Eve", "hours": ["09:00", "12:00"]},
        {"date": "2020-12-25", "name": "Christmas Day", "kind": "holiday", "repeats_yearly": True},
        {"date": "2026-12-01", "name": "Long over", "kind": "holiday"},
    ]
    embedded.sandbox.put(f"/api/offhook/v1/offices/{made.id}/special-days", {"days": days})
    with at(WEEK_BEFORE):
        page = visitor.get(page_of(visitor, made))
    hours = page.part("hours")
    assert "Monday 08:00–12:00, 13:00–18:00" in hours
    assert "Sunday closed" in hours
    assert "Thu 24 Dec 2026 09:00–12:00 Christmas Eve override" in hours
    assert "Fri 25 Dec 2026 closed Christmas Day holiday" in hours
    assert "Long over" not in hours
    assert "Open Monday 10:30, in the hours 08:00-12:00 (Europe/Lisbon)" in page.text
    assert "Next: closed from Mon 21 Dec 2026, 12:00" in page.text


def test_an_office_says_in_words_what_happens_to_a_call(visitor: Visitor, embedded: Company):
    caller, home = embedded.sandbox, embedded.office_ids["sandbox"]
    sales = caller.post("/api/v2/departments", {"office_id": str(home), "name": "Sales <3"}).json["id"]
    keys = [
        {
            "input": "1",
            "options": {"action": "department", "action_target_type": "department", "action_target_id": sales},
        },
        {"input": "2", "options": {"action": "directory"}},
        {"input": "3"},
    ]
    opened = state(action="menu", operator_routing="roundrobin", dtmf=keys)
    closed = state(
        action="department", try_dial_operators=False, action_target_type="office", action_target_id=str(home)
    )
    made = caller.made(office(name="Lisbon", ring_seconds=20, routing_options=routing(opened, closed)))
    page = visitor.get(page_of(visitor, made))
    text = page.part("routing")
    assert "The operators ring for 20 seconds, in turns. If nobody answers, the caller hears the menu." in text
    assert "1 the call goes to Sales &lt;3 (department)" in text
    assert "2 the caller looks for a person by name" in text
    assert "3 nothing happens" in text
    assert "No operator rings; the call goes to Head office (office)." in text
    hrefs = {one["href"] for one in page.tags("a")}
    assert {f"/console/departments/{sales}", f"/console/offices/{home}"} <= hrefs


def test_an_office_shows_who_answers_what_it_has_and_what_happened(visitor: Visitor, embedded: Company):
    caller, home = embedded.sandbox, embedded.office_ids["sandbox"]
    body = {"office_id": str(home), "email": "ana@example.com", "first_name": "Ana", "last_name": "Sousa"}
    user = caller.post("/api/v2/users", body).json["id"]
    member = {"operator_type": "user", "operator_id": user}
    made = caller.made(full(name="Porto", mainline_number=embedded.numbers[0], operators=[member]))
    caller.post("/api/v2/callcenters", {"office_id": made.id, "name": "Support"})
    page = visitor.get(page_of(visitor, made))
    assert "Ana Sousa on duty" in page.part("operators")
    assert "Support Call center" in page.part("groups")
    assert f"{embedded.numbers[0]} main line" in page.part("numbers")
    assert "1 Market Street, Floor 4 San Francisco, CA 94105 US" in page.part("emergency")
    assert "monthly, in USD, by invoice" in page.part("plan")
    assert "office.created" in page.part("events")


@pytest.mark.parametrize(("folder", "kind"), [("departments", "Department"), ("callcenters", "Call center")])
def test_a_department_and_a_call_center_have_the_same_kind_of_page(
    visitor: Visitor, embedded: Company, folder: str, kind: str
):
    body = {"office_id": str(embedded.office_ids["sandbox"]), "name": "Sales", "hours_on": True}
    made = embedded.sandbox.post(f"/api/v2/{folder}", body).json["id"]
    page = visitor.get(f"/console/{folder}/{made}")
    assert page.status == 200
    assert f"Sales {kind} · US" in page.text
    assert "Monday 08:00–18:00" in page.part("hours")
    assert "Nobody answers for it yet" in page.part("operators")
    assert f"/console/offices/{embedded.office_ids['sandbox']}" in {one["href"] for one in page.tags("a")}


# Whose it is


def test_another_company_s_office_is_not_there(visitor: Visitor, embedded: Company):
    other = embedded.desk.found()
    foreign = other.sandbox.made(office(name="Secret"))
    body = {"office_id": str(other.office_ids["sandbox"]), "name": "Secret sales"}
    department = other.sandbox.post("/api/v2/departments", body).json["id"]
    for path in (f"/console/offices/{foreign.id}", f"/console/departments/{department}"):
        page = visitor.get(path)
        assert page.status == 404
        assert "Secret" not in page.html
    assert "Secret" not in visitor.get("/console/offices?q=secret").text.partition("Offices with")[2].partition("”")[2]


def test_the_other_environment_s_office_is_not_there(visitor: Visitor, embedded: Company):
    assert visitor.get(f"/console/offices/{embedded.office_ids['live']}").status == 404


def _signed_in(embedded: Company, caller: Api) -> Visitor:
    visitor = Visitor(embedded.desk)
    visitor.sign_in(caller.key)
    return visitor


def test_a_key_sees_the_sections_that_its_scopes_allow(embedded: Company):
    visitor = _signed_in(embedded, embedded.key("offices:read", environment="sandbox"))
    page = visitor.get(f"/console/offices/{embedded.office_ids['sandbox']}")
    assert page.status == 200
    assert "lacks the scope directory:read" in page.part("operators")
    assert "lacks the scope events:read" in page.part("events")
    assert "Monday" in page.part("hours")


def test_a_key_that_may_not_read_offices_is_told_so(embedded: Company):
    page = _signed_in(embedded, embedded.key("numbers:read", environment="sandbox")).get("/console/offices")
    assert page.status == 403
    assert "lacks the scope offices:read" in page.text


def test_no_page_shows_a_key_or_a_session(visitor: Visitor, embedded: Company):
    made = embedded.sandbox.made(office())
    for path in ("/console/offices", page_of(visitor, made), "/console/offices/new", "/console/x"):
        html = visitor.get(path).html
        assert "ohk_" not in html
        assert visitor.cookies["offhook-session"] not in html


def test_a_page_counts_as_requests_of_the_api(visitor: Visitor, embedded: Company):
    """Limits of the API hold for pages too: they are the same requests."""
    from offhook.access.limits import Verdict

    limiter = embedded.desk.offhook.limiter
    before = limiter.take_now((embedded.id, "offices.list"), embedded.desk.offhook.operations[0].limit)
    visitor.get("/console/offices")
    after = limiter.take_now((embedded.id, "offices.list"), embedded.desk.offhook.operations[0].limit)
    assert isinstance(before, Verdict)
    assert isinstance(after, Verdict)
    assert before.remaining - after.remaining == 2


def test_an_empty_environment_says_what_to_do_next():
    from offhook.console.frame import Frame

    page = Frame().page("offices.html", None, "", lines=[], cursor="", first=True, base="phones.example.com")
    assert b"There is no office yet" in page.body
    assert b'href="/console/offices/new"' in page.body
    assert b"curl -X POST" in page.body
