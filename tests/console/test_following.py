"""What happens to a call, as a picture and a list that are followed key by key."""

import re
from xml.etree import ElementTree

import pytest

from offhook.console import flow
from tests.api.desk import Company, office, routing, state
from tests.conftest import at
from tests.console.lines import HOSTILE, TUESDAY, department, home, lisbon
from tests.console.visitor import Page, Visitor

OPEN_AT, CLOSED_AT = f"{TUESDAY}T10:00:00+00:00", f"{TUESDAY}T20:00:00+00:00"


def page(visitor: Visitor, id: str, query: str = "", moment: str = OPEN_AT) -> Page:
    with at(moment):
        found = visitor.get(f"/console/offices/{id}{query}")
    assert found.status == 200
    return found


def lit(found: Page) -> list[str]:
    """The words of the steps that are highlighted, in the order of the picture."""
    marked = re.findall(r'<g class="(?:step|press) lit">(.*?)</g>', found.html, re.DOTALL)
    return [" ".join(re.findall(r"<text[^>]*>(.*?)</text>", one)) for one in marked]


def test_the_picture_shows_both_states_and_a_department_one_level_deep(visitor: Visitor, embedded: Company):
    found = page(visitor, lisbon(embedded))
    opened, closed = re.findall(r'<svg class="flow".*?</svg>', found.html, re.DOTALL)
    words = [re.sub(r"<[^>]+>", " ", one) for one in (opened, closed)]
    for word in ("is called", "The operators ring", "for 20 s, all at once", "The menu is heard", "Sales", "Extension"):
        assert word in words[0], word
    assert "The operators ring" not in words[1]
    assert "Voicemail" in words[1]
    assert 'href="/console/departments/' in opened


def test_the_list_says_the_same_as_the_picture(visitor: Visitor, embedded: Company):
    text = page(visitor, lisbon(embedded)).part("routing").partition("While open, as a list")[2]
    assert "1 the call goes to Sales (department) Open: The menu is heard" in text
    assert "2 the caller dials an extension" in text
    assert "no key the caller can leave a voicemail for Lisbon" in text


def test_nothing_is_followed_until_it_is_asked_for(visitor: Visitor, embedded: Company):
    assert lit(page(visitor, lisbon(embedded))) == []


def test_a_key_lights_its_way_and_says_what_the_caller_hears(visitor: Visitor, embedded: Company):
    found = page(visitor, lisbon(embedded), "?flow=open&keys=1")
    assert [one for one in lit(found) if one] == [
        "Lisbon is called", "Open", "The operators ring for 20 s, all at once", "The menu is heard", "1",
        "Sales department", "Open", "The menu is heard", "–", "Voicemail no key, three times",
    ]  # fmt: skip
    text = found.part("routing")
    assert "Ringing Lobby, for 20 s at most." in text
    assert "You have reached Sales. Press 1 to leave a message." in text
    assert "Voicemail , at Sales" in text


def test_a_second_key_is_followed_in_the_department(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    found = page(visitor, id, "?flow=open&keys=1")
    assert f"/console/offices/{id}?flow=open&keys=11#routing" in [one.get("href") for one in found.tags("a")]
    assert lit(page(visitor, id, "?flow=open&keys=11"))[-2:] == ["1", "Voicemail"]


def test_a_call_that_is_answered_gets_to_no_menu(visitor: Visitor, embedded: Company):
    found = page(visitor, lisbon(embedded), "?flow=open&answer=everybody")
    assert lit(found)[-1] == "The operators ring for 20 s, all at once"
    assert "Lobby answered." in found.part("routing")


@pytest.mark.parametrize(("moment", "way"), [(OPEN_AT, "closed"), (CLOSED_AT, "closed"), (CLOSED_AT, "open")])
def test_each_state_is_followed_at_a_moment_when_the_office_is_in_it(
    visitor: Visitor, embedded: Company, moment: str, way: str
):
    found = page(visitor, lisbon(embedded), f"?flow={way}", moment)
    assert way.capitalize() in lit(found)
    assert f"Lisbon was {way}:" in found.part("routing")


def test_an_office_that_never_closes_says_so_instead_of_following(visitor: Visitor, embedded: Company):
    id = lisbon(embedded, hours_on=False)
    text = page(visitor, id, "?flow=closed").part("routing")
    assert "It is never closed in the year ahead" in text
    assert "never: it takes calls at any hour" in text


def test_a_line_that_is_held_open_by_hand_is_said_to_be(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    assert embedded.sandbox.put(f"/api/offhook/v1/offices/{id}/by-hand", {"status": "open"}).status == 200
    text = visitor.get(f"/console/offices/{id}?flow=closed").part("routing")
    assert "It was opened by hand until somebody lifts that" in text


def test_a_holiday_with_hours_of_its_own_is_not_taken_for_closing(visitor: Visitor, embedded: Company):
    id = lisbon(embedded, tuesday_hours=["00:00", "24:00"])
    days = [{"date": "2026-11-25", "name": "Fair", "kind": "holiday", "hours": ["00:00", "24:00"]}]
    embedded.sandbox.put(f"/api/offhook/v1/offices/{id}/special-days", {"days": days})
    found = page(visitor, id, "?flow=closed")
    assert lit(found) == []
    assert "it is not closed yet. Choose a moment yourself." in found.part("routing")


def test_a_key_that_does_nothing_says_so(visitor: Visitor, embedded: Company):
    keys = [{"input": "4", "options": {"action": "disabled"}}, {"input": "5"}]
    options = routing(state(action="menu", try_dial_operators=False, dtmf=keys), state(action="disabled"))
    text = page(visitor, embedded.sandbox.made(office(routing_options=options)).id).part("routing")
    assert "4 nothing happens" in text
    assert "5 nothing happens" in text
    assert "Nobody is available" in text


@pytest.mark.parametrize("query", ["?flow=sideways", "?flow=open&keys=%3Cscript%3E", "?flow=open&keys=" + "9" * 500])
def test_an_odd_address_follows_what_it_can(visitor: Visitor, embedded: Company, query: str):
    assert "<script>" not in page(visitor, lisbon(embedded), query).html


def test_hostile_names_are_words_in_the_picture_and_in_the_list(visitor: Visitor, embedded: Company):
    id = lisbon(embedded, behind=HOSTILE, name=HOSTILE)
    found = page(visitor, id, "?flow=open&keys=1")
    assert "<script>alert" not in found.html
    assert "&lt;script&gt;" in found.html
    for picture in re.findall(r'<svg class="flow".*?</svg>', found.html, re.DOTALL):
        ElementTree.fromstring(picture)
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son[a-z]+=|javascript:", found.html)


def test_a_department_is_followed_on_its_own_page(visitor: Visitor, embedded: Company):
    found = visitor.get(f"/console/departments/{department(embedded)}?flow=open&keys=1")
    assert lit(found)[-2:] == ["1", "Voicemail"]


@pytest.mark.parametrize("action", ["last_name_directory", "last_name_company_directory", "company_directory"])
def test_every_directory_has_its_words(visitor: Visitor, embedded: Company, action: str):
    made = embedded.sandbox.made(office(routing_options=routing(state(action=action), state())))
    assert "name" in page(visitor, made.id).part("routing")


def test_a_call_is_not_lit_where_it_leaves_the_picture():
    """Whatever a trace says, only nodes of the line and of one level below it are lit."""

    def step(event: dict[str, str], *codes: str) -> dict[str, object]:
        return {"event": event, "reasons": [{"code": code} for code in codes]}

    steps = [
        step({"event": "incoming"}, "open", "menu"),
        step({"event": "pressed", "keys": "1"}, "pressed", "sent_on", "open", "sent_on", "open", "menu"),
    ]
    assert flow.passed(steps) == {
        "number", "open", "open/menu", "open/key:1", "open/key:1/open", "open/key:1/open/then",
    }  # fmt: skip


def test_the_primary_office_is_followed_too(visitor: Visitor, embedded: Company):
    assert visitor.get(f"/console/offices/{home(embedded)}?flow=open").status == 200
