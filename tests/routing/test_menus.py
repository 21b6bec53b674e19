"""What callers press: keys of menus, names on the keypad, extensions."""

import pytest

from offhook.routing.model import Company
from offhook.routing.plan import (
    Gather,
)
from offhook.routing.simulate import Behaviour
from tests.routing.companies import Choice, company, line, routing, user
from tests.routing.stories import (
    ANA,
    BOB,
    EVE,
    SALES,
    call,
    codes,
    heard,
    lisbon,
    rung,
    said,
)

# --- menus ------------------------------------------------------------------------------------------------------------


def with_menu(**keys: Choice) -> Company:
    pressed = {name[1:]: choice for name, choice in keys.items()}
    menu = routing("menu", operators=False, keys=pressed)
    people = (ANA, BOB, EVE, user(4, "Жанна Петрова"))
    return company(lisbon(ANA, open=menu), line("department", 10, "Sales", [BOB]), *people)


def test_a_key_leads_where_it_says_and_the_menu_names_it():
    trace, state = call(with_menu(_1=Choice("department", SALES)), keys=("1",), people={"user:2": Behaviour(1)})
    assert heard(trace)[0] == "You have reached Lisbon. Press 1 for Sales."
    assert (state.outcome, state.talking) == ("answered", "user:2")


def test_a_menu_is_played_three_times_and_then_takes_a_message():
    trace, state = call(with_menu(_1=Choice("operator")), keys=("", "7"))
    assert len(heard(trace)) == 3
    assert [code for code in codes(state) if code in ("no_key", "unknown_key")] == ["no_key", "unknown_key", "no_key"]
    assert state.outcome == "voicemail"


def test_a_disabled_key_is_a_try_and_is_not_said():
    trace, state = call(with_menu(_1=Choice("operator"), _2=Choice("disabled")), keys=("2", "2", "2"))
    assert "Press 2" not in heard(trace)[0]
    assert codes(state).count("disabled_key") == 3
    assert state.outcome == "voicemail"


def test_a_key_that_repeats_the_menu_cannot_keep_a_caller_for_ever():
    _, state = call(with_menu(_1=Choice("menu")), keys=("1",) * 50)
    assert state.outcome == "voicemail"


def test_the_operator_key_rings_the_operators_and_then_takes_a_message():
    trace, state = call(with_menu(_0=Choice("operator")), keys=("0",))
    assert rung(trace) == [(("Ana Silva",), 30)]
    assert "menu_tried" in codes(state)
    assert state.outcome == "voicemail"


def test_the_recording_of_a_menu_is_played_instead_of_words():
    menu = routing("menu", operators=False, keys={"1": Choice("operator")})
    trace, _ = call(company(lisbon(ANA, open=menu, prompts={"MENU": "ab" * 32}), ANA))
    gathered = next(verb for step in trace.steps for verb in step.verbs if isinstance(verb, Gather))
    assert (gathered.prompt.recording, gathered.prompt.purpose) == ("ab" * 32, "MENU")


# --- names and extensions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "keys", "who"),
    [
        ("directory", ("262#", "1"), "user:1"),  # ANA and BOB are the same keys
        ("directory", ("74582#",), "user:1"),  # SILVA
        ("last_name_directory", ("74582#",), "user:1"),
        ("directory", ("78663262#",), "user:2"),  # STONEBO: last, then first name
        ("company_directory", ("26278663#",), "user:2"),  # BOBSTONE
        ("directory", ("78663#", "2"), "user:3"),  # STONE is two people; the second is Eve
    ],
)
def test_a_name_on_the_keypad_finds_the_person(action, keys, who):
    menu = with_menu(_1=Choice(action))
    _, state = call(menu, keys=("1", *keys), anyone=Behaviour(1))
    assert (state.outcome, state.talking) == ("answered", who)


def test_a_first_name_is_not_found_where_only_last_names_are():
    _, state = call(with_menu(_1=Choice("last_name_directory")), keys=("1", "383#", "383#", "383#"))
    assert codes(state).count("name_unknown") == 3
    assert state.outcome == "voicemail"


def test_an_extension_is_dialled():
    _, state = call(with_menu(_1=Choice("extension")), keys=("1", "999#", "102#"), anyone=Behaviour(1))
    assert "Nobody has the extension 999." in said(state)
    assert (state.outcome, state.talking) == ("answered", "user:2")


def test_a_whole_name_comes_before_those_that_begin_with_it():
    people = [user(50, "Bo Li"), *(user(60 + index, f"Bo{index} Ling") for index in range(10))]
    menu = routing("menu", operators=False, keys={"1": Choice("last_name_directory")})
    _, state = call(company(lisbon(open=menu), *people), keys=("1", "54#"), anyone=Behaviour(1))
    assert state.talking == "user:50"


def test_of_more_people_than_keys_nine_are_offered():
    people = [user(60 + index, "John Smith") for index in range(12)]
    menu = routing("menu", operators=False, keys={"1": Choice("directory")})
    _, state = call(company(lisbon(open=menu), *people), keys=("1", "76484#", "9"), anyone=Behaviour(1))
    assert state.outcome == "answered"
    assert "3 more are not offered" in said(state)


def test_what_is_dialled_on_is_taken_by_the_next_prompt_and_a_hash_is_a_key_of_no_menu():
    config = with_menu(_1=Choice("extension"))
    _, state = call(config, keys=("1102#",), anyone=Behaviour(1))
    assert state.talking == "user:2"
    _, state = call(config, keys=("#", "1", "102"), anyone=Behaviour(1))
    assert "The caller pressed #, which is not in the menu" in said(state)
    assert state.talking == "user:2"
