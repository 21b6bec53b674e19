"""On which line a place of a JSON text stands."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from offhook.console.json_lines import line_named, lines

TEXT = """{
  "name": "x",
  "tasks": [
    {"name": "a",
     "inputParameters": {
       "uri": "}],{\\"\\\\"}},
    {"name": "b", "decisionCases": {"BIG": [
      {"name": "c"}]}}
  ]
}"""


def test_places_have_the_lines_where_they_stand():
    places = ["name", "tasks", "tasks[0]", "tasks[0].inputParameters.uri", "tasks[1].decisionCases.BIG[0].name"]
    assert list(lines(TEXT, places).values()) == [2, 3, 4, 6, 8]


def test_what_is_not_there_has_the_line_of_what_is_around_it():
    assert lines(TEXT, ["tasks[0].inputParameters.method", "tasks[1].type", "version", ""]) == {
        "tasks[0].inputParameters.method": 5,
        "tasks[1].type": 7,
        "version": 1,
        "": 0,
    }


def test_a_text_that_is_cut_off_or_no_json_at_all_has_lines_as_far_as_it_goes():
    assert lines(TEXT[:60], ["tasks[0].name", "tasks[1]"]) == {"tasks[0].name": 4, "tasks[1]": 3}
    for text in ("", "]]]", "{{{", '{"a', "[" * 100_000, '{"a": {"b"'):
        lines(text, ["a.b", "tasks[0]"])


def test_the_line_that_a_refusal_names():
    assert line_named("The body is not valid JSON: invalid character (line 3, column 7).") == 3
    assert line_named("something else") == 0


@given(st.recursive(
    st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4), max_leaves=20,
))  # fmt: skip
def test_every_value_is_found_on_the_line_that_it_is_written_on(value: Any):
    marked: list[str] = []

    def mark(inner: Any, place: str) -> Any:
        if isinstance(inner, dict):
            return {key: mark(one, f"{place}.{key}" if place else key) for key, one in inner.items()}
        if isinstance(inner, list):
            return [mark(one, f"{place}[{number}]") for number, one in enumerate(inner)]
        marked.append(place)
        return f"here {len(marked) - 1} ."

    text = json.dumps(mark(value, ""), indent=1)
    rows = text.splitlines()
    for number, place in enumerate(marked):
        if place:
            assert f"here {number} ." in rows[lines(text, [place])[place] - 1]
