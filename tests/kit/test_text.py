import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.kit.text import enumerated, multi_line, single_line

ANY = st.text(st.characters(codec=None, exclude_categories=[]), max_size=400)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Lisbon", "Lisbon"),
        ("  Lisbon  HQ ", "Lisbon  HQ"),
        ("\N{NO-BREAK SPACE}Lisboa\N{EM SPACE}", "Lisboa"),
        ("東京", "東京"),
        ("مكتب", "مكتب"),
        ("👩\N{ZERO WIDTH JOINER}💻 office", "👩\N{ZERO WIDTH JOINER}💻 office"),
        ("نمی\N{ZERO WIDTH NON-JOINER}خواهم", "نمی\N{ZERO WIDTH NON-JOINER}خواهم"),
        ("a" * 256, "a" * 256),
        (" " + "a" * 256 + " ", "a" * 256),
    ],
)
def test_one_line_is_taken_and_trimmed(text, line):
    assert single_line(text, "name") == (line, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\N{NO-BREAK SPACE}", "empty"),
        ("\N{ZERO WIDTH SPACE}\N{ZERO WIDTH JOINER}", "empty"),
        ("a\nb", "line feed (U+000A) as character 2"),
        ("Lisbon\n", "line feed"),
        ("\r\nLisbon", "carriage return"),
        ("a\tb", "tab"),
        ("a\0b", "NUL"),
        ("a\x7fb", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\N{LINE SEPARATOR}b", "line separator"),
        ("a\N{PARAGRAPH SEPARATOR}b", "line separator"),
        ("a\ud800", "surrogate"),
        ("a" * 257, "at most 256 characters, but has 257"),
        ("\N{ZERO WIDTH JOINER}" + "a" * 256, "at most 256"),
    ],
)
def test_what_is_not_one_line_is_refused_with_the_reason(text, says):
    line, violation = single_line(text, "name")
    assert line is None
    assert violation is not None
    assert violation.location == "name"
    assert says.replace("line separator", "separator") in violation.message


@given(ANY)
@example("\x85")
@example("\ufffe")
def test_a_line_never_breaks_and_never_is_empty(text):
    line, violation = single_line(text, "name", 300)
    assert (line is None) != (violation is None)
    if line is not None:
        assert line.splitlines() == [line]
        assert 0 < len(line) <= 300
        assert line == line.strip()
        line.encode()
        assert not {unicodedata.category(c) for c in line} & {"Cc", "Zl", "Zp", "Cs"}
        assert single_line(line, "name", 300) == (line, None)


@pytest.mark.parametrize("text", ["", "one\ntwo", "one\r\n\ttwo", "a" * 256, "  kept  "])
def test_a_description_may_have_lines_tabs_or_nothing(text):
    assert multi_line(text, "group_description", 256) == (text, None)


@pytest.mark.parametrize(
    ("text", "says"), [("a" * 257, "257"), ("a\0", "NUL"), ("\x1b[31m", "U+001B"), ("\udc00", "half")]
)
def test_a_description_has_no_other_control_characters_and_an_end(text, says):
    line, violation = multi_line(text, "group_description", 256)
    assert line is None
    assert violation is not None
    assert says in violation.message


@given(ANY)
def test_a_description_that_is_taken_can_be_stored(text):
    line, violation = multi_line(text, "group_description", 256)
    assert (line is None) != (violation is None)
    if line is not None:
        assert line == text
        assert "\0" not in line.encode().decode()


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["1 room"], "1 room"),
        (["a", "b"], "a and b"),
        (["2 rooms", "20 users", "1 department"], "2 rooms, 20 users and 1 department"),
    ],
)
def test_parts_of_a_sentence_have_commas_and_one_and(parts, sentence):
    assert enumerated(parts) == sentence
