"""A call at a moment of choice, what verification finds, and who is reachable when: pages over what the API says."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from offhook.console.calling import presses, typed
from offhook.console.frame import POLICY, Frame
from offhook.console.visit import Part
from tests.api.desk import Company, office, routing, state
from tests.conftest import at
from tests.console.lines import HOSTILE, TUESDAY, department, home, lisbon
from tests.console.visitor import Page, Visitor

NOON = f"{TUESDAY}T12:00:00+00:00"
INLINE = re.compile(r"<style|<script(?! src)|\sstyle=|\son[a-z]+=|javascript:")


def called(visitor: Visitor, id: str, folder: str = "offices", **query: str) -> Page:
    with at(NOON):
        return visitor.get(f"/console/{folder}/{id}/call?{urlencode(query)}")


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        ("12", ["1", "2"]),
        ("2034#", ["2034#"]),
        ("1 2034#", ["1", "2034#"]),
        ("1, 2", ["1", "2"]),
        ("-1", ["", "1"]),
        ("*", ["*"]),
    ],
)
def test_keys_are_one_a_prompt_unless_a_hash_ends_them(text: str, entries: list[str]):
    assert presses(text) == entries
    assert presses(typed([one.rstrip("#") for one in entries])) == entries


def test_a_call_one_minute_before_closing_rings_and_at_closing_does_not(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    before = called(visitor, id, at=f"{TUESDAY} 16:59").part("story")
    assert "Ringing Lobby, for 20 s at most." in before
    after = called(visitor, id, at=f"{TUESDAY} 17:00").part("story")
    assert "Lisbon was closed: Tuesday 17:00, hours ended 17:00" in after
    assert "rang" not in after
    assert "Voicemail , at Lisbon" in after


def test_an_empty_moment_is_now(visitor: Visitor, embedded: Company):
    assert "Tuesday 12:00" in called(visitor, lisbon(embedded), keys="").part("story")


def test_the_form_alone_calls_nobody(visitor: Visitor, embedded: Company):
    page = visitor.get(f"/console/offices/{lisbon(embedded)}/call")
    assert page.status == 200
    assert 'id="story"' not in page.html


def test_a_named_operator_answers_after_the_seconds_that_are_said(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    (field,) = [one["name"] for one in called(visitor, id).tags("input") if one.get("name", "").startswith("after-")]
    text = called(visitor, id, **{field: "7"}).part("story")
    assert "0:07 why Lobby answered." in text
    assert "Answered , at Lobby" in text


def test_somebody_else_is_named_and_the_caller_is_told(visitor: Visitor, embedded: Company):
    text = called(visitor, lisbon(embedded), caller="+351210000001", who="lobby", after="3").part("story")
    assert "A call from +351210000001." in text
    assert "0:03 why Lobby answered." in text


def test_keys_lead_on_and_the_call_can_be_copied_as_mermaid(visitor: Visitor, embedded: Company):
    page = called(visitor, lisbon(embedded), keys="11")
    assert "The caller pressed 1. " in page.part("story")
    assert "sequenceDiagram" in page.html


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"at": "tomorrow"}, "at", "Must be a moment such as"),
        ({"who": "nobody at all"}, "who", "Names nobody in the company"),
        ({"who": "Lobby", "after": "soon"}, "after", "Must be a whole number"),
        ({"answer": "perhaps"}, "answer", "Must be"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    visitor: Visitor, embedded: Company, query: dict[str, str], field: str, words: str
):
    page = called(visitor, lisbon(embedded), **query)
    assert page.status == 400
    assert words in re.sub(r"<[^>]+>", " ", page.html.partition(f'id="c-{field}-faults"')[2])[:200]
    marked = [one.get("name") for one in page.tags("input") + page.tags("select") if one.get("aria-invalid")]
    assert marked == [field]
    typed = dict(page.form(page_action(page)).values)
    assert all(typed.get(name) == value for name, value in query.items() if name != "answer")


def page_action(page: Page) -> str:
    return next(one["action"] for one in page.tags("form") if one.get("class") == "callform")


def test_a_named_operator_s_wrong_seconds_are_said_at_that_operator(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    (field,) = [one["name"] for one in called(visitor, id).tags("input") if one.get("name", "").startswith("after-")]
    page = called(visitor, id, **{field: "soon"}, who="Lobby", after="3")
    assert page.status == 400
    assert [one["name"] for one in page.tags("input") if one.get("aria-invalid")] == [field]


def test_a_moment_that_the_clock_skips_is_said(visitor: Visitor, embedded: Company):
    text = called(visitor, lisbon(embedded), at="2026-03-29 01:30").part("story")
    assert "The clock of Europe/Lisbon skips 2026-03-29 01:30" in text


def test_the_address_of_a_call_is_gone_to_after_signing_in(embedded: Company):
    visitor = Visitor(embedded.desk)
    path = f"/console/offices/{home(embedded)}/call?at=2026-11-24+10%3A30&keys=1&after-user-1=3"
    onward = visitor.get(path).headers["location"]
    assert (
        visitor.send(visitor.get(onward), "/console/sign-in", {"key": embedded.sandbox.key}).headers["location"] == path
    )


def test_a_call_router_is_called_though_it_has_no_page(visitor: Visitor, embedded: Company):
    body = {
        "name": "Router", "office_id": home(embedded), "routing_url": "https://example.com/route",
        "default_target_type": "office", "default_target_id": home(embedded),
    }  # fmt: skip
    answer = embedded.sandbox.post("/api/v2/callrouters", body)
    assert answer.status == 200, answer
    assert "The call router Router was asked" in called(visitor, answer.json["id"], "callrouters", at="").part("story")


# Findings


def findings(visitor: Visitor, id: str, folder: str = "offices") -> Page:
    with at(NOON):
        return visitor.get(f"/console/{folder}/{id}/findings")


def test_findings_say_what_when_and_how_to_mend_it_the_worst_first(visitor: Visitor, embedded: Company):
    page = findings(visitor, lisbon(embedded))
    text = page.part("findings")
    kinds = re.findall(r'<li class="(error|warning|hint)">', page.html)
    assert kinds == sorted(kinds, key=["error", "warning", "hint"].index)
    assert "warning" in kinds
    assert "Warning Lisbon has no number, so nobody can call it from outside." in text
    assert "To mend POST /api/v2/offices/" in text


def test_the_example_of_a_finding_can_be_called_again(visitor: Visitor, embedded: Company):
    page = findings(visitor, lisbon(embedded))
    replays = [one["href"] for one in page.tags("a") if "/call?" in one.get("href", "")]
    assert any("keys=1&" in address for address in replays)
    for address in replays:
        again = visitor.get(address)
        assert again.status == 200
        assert "Voicemail" in again.part("story")
        assert ("keys=&" in address) != ("The caller pressed" in again.part("story"))


def test_a_line_without_findings_is_told_so_calmly():
    shown = {"it": {"errors": 0, "warnings": 0, "hints": 0}, "findings": []}
    part = Part("findings", "Findings", "_findings.html", shown)
    body = Frame().page("part.html", None, "", part=part, up=None).body.decode()
    assert "Nothing found" in body


def test_the_page_of_an_office_does_not_wait_for_findings_or_weeks(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    page = visitor.get(f"/console/offices/{id}")
    later = [one["data-later"] for one in page.tags("div") if "data-later" in one]
    assert later == [f"/console/offices/{id}/findings", f"/console/offices/{id}/coverage"]
    assert set(later) <= {one.get("href") for one in page.tags("a")}


# Coverage


def test_the_week_of_an_office_is_a_picture_and_a_table(visitor: Visitor, embedded: Company):
    with at(NOON):
        page = visitor.get(f"/console/offices/{lisbon(embedded)}/coverage")
    assert 'class="week coverage"' in page.html
    text = page.part("coverage")
    assert "Tue 24, 09:00 17:00 open Lobby 1 voicemail of Sales" in text
    assert f"?week_of={'2026-11-30'}" in "".join(one.get("href", "") for one in page.tags("a"))


def test_another_week_is_asked_for_by_its_date(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    assert "Thu 24, 09:00" in visitor.get(f"/console/offices/{id}/coverage?week_of=2026-12-24").part("coverage")
    page = visitor.get(f"/console/offices/{id}/coverage?week_of=soon")
    assert "<svg" not in page.part("coverage")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-30"])
def test_a_week_that_cannot_be_shown_is_refused_in_words(visitor: Visitor, embedded: Company, day: str):
    assert "of the years 1971 to 2200" in visitor.get(f"/console/coverage?week_of={day}").text
    assert embedded.sandbox.get(f"/api/offhook/v1/coverage?week_of={day}").places == ["week_of"]


@pytest.mark.parametrize("day", ["1971-01-01", "2200-12-31"])
def test_the_first_and_the_last_week_are_shown(visitor: Visitor, day: str):
    page = visitor.get(f"/console/coverage?week_of={day}")
    assert "<svg" in page.html.partition("<main")[2]


def test_the_company_s_week_has_every_line_with_its_page(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    page = visitor.get("/console/coverage")
    assert f"/console/offices/{id}" in [one.get("href") for one in page.tags("a")]
    assert "Sales, as a table" in page.text


# Whose it is, and what is in it


def pages(office_id: str, department_id: str) -> list[str]:
    return [
        f"/console/{folder}/{id}/{page}"
        for folder, id in (("offices", office_id), ("departments", department_id))
        for page in ("call?at=", "findings", "coverage")
    ]


def test_nothing_of_another_company_is_called_verified_or_drawn(visitor: Visitor, embedded: Company):
    other = embedded.desk.found()
    secret: Any = other.sandbox.made(office(name="Secret")).id
    for path in pages(secret, department(other, "Secret sales")):
        page = visitor.get(path)
        assert page.status == 404, path
        assert "Secret" not in page.html
    assert "Secret" not in visitor.get("/console/coverage").html


def test_hostile_names_are_words_on_every_page(visitor: Visitor, embedded: Company):
    id, sales = lisbon(embedded, name=HOSTILE, behind=HOSTILE), department(embedded, HOSTILE)
    for path in [*pages(id, sales), "/console/coverage", f"/console/offices/{id}/call?at=&keys=1&caller={HOSTILE}"]:
        page = visitor.get(path)
        assert page.status == 200, path
        assert page.headers["content-security-policy"] == POLICY
        assert not INLINE.search(page.html), path
        assert "&lt;script&gt;" in page.html


def test_a_key_that_may_not_see_calls_is_told_so_and_sees_the_rest(embedded: Company):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("offices:read", "directory:read", environment="sandbox").key)
    id = lisbon(embedded)
    page = visitor.get(f"/console/offices/{id}?flow=open")
    assert page.status == 200
    assert "lacks the scope calls:read" in page.part("routing")
    for part in ("findings", "coverage"):
        assert "lacks the scope calls:read" in visitor.get(f"/console/offices/{id}/{part}").text
    refused = visitor.get(f"/console/offices/{id}/call?at=")
    assert refused.status == 403
    assert "lacks the scope calls:read" in refused.text


def test_a_line_that_is_always_closed_by_its_menu_says_where_callers_end(visitor: Visitor, embedded: Company):
    made = embedded.sandbox.made(office(routing_options=routing(state(action="disabled"), state(action="disabled"))))
    assert "Nobody available" in called(visitor, made.id, at=f"{TUESDAY} 10:00").part("story")
