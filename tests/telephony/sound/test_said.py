"""What a line says, as callers hear it: every prompt of it, and none of another line's."""

from datetime import datetime
from typing import Any

import pytest

from offhook.directory.lines.model import Target
from offhook.routing.model import Choice, Company
from offhook.telephony.sound.said import id_of, prompts_of, speaking_of
from tests.routing.companies import company, hours, line, routing, user

NOW = datetime.fromisoformat("2026-11-26T12:00:00+00:00")
MAIN, SALES = Target("office", 1), Target("department", 5)
WEEK = [["08:00", "18:00"]] * 5 + [[], []]


def of(**main: Any) -> Company:
    ana = user(1, "Ana Lima")
    department = line("department", 5, "Sales", [ana])
    return company(line("office", 1, "Lisbon", [ana], **{"schedule": hours(WEEK), **main}), department, ana)


def texts(found: Company, target: Target = MAIN) -> list[str]:
    return [one.text for one in prompts_of(found, target, NOW)]


def menu(**keys: Choice) -> Any:
    return routing("menu", operators=False, keys={key[1:]: one for key, one in keys.items()})


def test_a_menu_is_said_as_callers_hear_it_and_what_its_keys_say_here():
    found = of(open=menu(k1=Choice("bridge_target", SALES), k2=Choice("message")))
    said = texts(found)
    assert any(text.startswith("You have reached Lisbon. Press 1 for Sales.") for text in said)
    assert len(said) == len(set(said)) >= 2


def test_what_is_said_while_it_is_closed_is_said_too():
    open_only = set(texts(of(schedule=hours(None))))
    assert set(texts(of())) - open_only


def test_what_another_line_says_is_that_lines():
    found = of(open=menu(k1=Choice("bridge_target", SALES)))
    assert not set(texts(found)) & set(texts(found, SALES)) - {""}


def test_a_recording_stands_in_for_a_text():
    found = of(prompts={"MENU": "d1"}, open=menu(k1=Choice("voicemail")))
    assert "d1" in {one.recording for one in prompts_of(found, MAIN, NOW)}


def test_the_music_of_a_line_is_among_what_it_says_once():
    found = prompts_of(of(prompts={"HOLD_MUSIC": "d1"}), MAIN, NOW)
    assert [one.purpose for one in found if one.recording == "d1"] == ["HOLD_MUSIC"]


def test_a_line_that_is_not_there_says_nothing():
    assert texts(of(), Target("department", 99)) == []


def test_a_menu_that_leads_to_itself_ends():
    assert texts(of(open=menu(k1=Choice("bridge_target", MAIN), k2=Choice("menu"))))


def test_a_prompt_is_named_by_all_that_it_is():
    said = prompts_of(of(open=menu(k1=Choice("bridge_target", SALES), k2=Choice("message"))), MAIN, NOW)
    assert len({id_of(one) for one in said}) == len(said)


@pytest.mark.parametrize(
    ("touched", "speaks"),
    [({MAIN}, {MAIN}), ({SALES}, {MAIN, SALES}), ({Target("user", 1)}, set()), (set[Target](), set[Target]())],
)
def test_lines_that_name_what_was_changed_speak_anew(touched: set[Target], speaks: set[Target]):
    found = of(open=menu(k1=Choice("bridge_target", SALES)))
    assert set(speaking_of(found, touched)) == speaks
