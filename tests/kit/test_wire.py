"""The one JSON reader, and how a value becomes a struct: nothing but refusals, every fault with its place."""

import difflib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.examples import FULL, SMALL
from offhook.kit.errors import Invalid, Malformed, Notice, Refusal, shown
from offhook.kit.wire import (
    MAX_DEPTH,
    MAX_MEANT,
    Int64,
    Misfit,
    fit,
    json_fault,
    parse,
    read,
    read_query,
    shape,
    to_int64,
)
from offhook.offices import wire

# Reading JSON

KEYS = st.sampled_from(["a", "b", "a:b", "", "é", 'q"', "\\", "a\\", "\x01", ":", "{", "👩"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=6)
    | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([":", '":', "\\u003a", '{"a":1,"a":2}'])
)  # fmt: skip


class Twice(list[tuple[str, Any]]):
    """An object as its members in order, so that a key can stand in it twice."""


TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=4).map(Twice),
    max_leaves=12,
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, bool]:
    """A JSON text, and whether any of its objects has a key twice. Characters may be written as escapes."""
    repeated = False

    def quoted(text: str) -> str:
        plain = json.dumps(text, ensure_ascii=draw(st.booleans()))
        if text and draw(st.integers(0, 3)) == 0:
            units = text.encode("utf-16-be", "surrogatepass")
            plain = '"' + "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2)) + '"'
        return plain

    def written(value: Any) -> str:
        nonlocal repeated
        space = draw(st.sampled_from(["", "", " ", "\n", "\t "]))
        if isinstance(value, Twice):
            keys = [key for key, _ in value]
            repeated = repeated or len(set(keys)) < len(keys)
            members = (f"{quoted(key)}{space}:{space}{written(inner)}" for key, inner in value)
            return "{" + space + f"{space},".join(members) + space + "}"
        if isinstance(value, list):
            return "[" + space + f",{space}".join(map(written, value)) + "]"
        return quoted(value) if isinstance(value, str) else json.dumps(value)

    tree = draw(TREES)
    return written(tree), repeated


@given(texts())
def test_a_key_that_stands_twice_is_found_exactly(found: tuple[str, bool]):
    text, repeated = found
    if repeated:
        with pytest.raises(Malformed, match="twice"):
            parse(text.encode())
    else:
        value = parse(text.encode()).value
        assert value == json.loads(text)


@given(st.binary(max_size=60) | st.text(st.characters(codec="utf-8"), max_size=60).map(str.encode))
@example(b'{"a":"\xff"}')
@example(b"\xff")
@example(b'"\xed\xa0\x80"')
@example(b'{"a":1,"a":' + b"9" * 4300 + b"}")
@example(b'{"a":1,"a":' + b"9" * 4299 + b"}")
@example(b'{"\\u003a":1e400}')
def test_any_bytes_are_read_or_refused(raw: bytes):
    try:
        value = parse(raw).value
    except Refusal:
        return
    assert value == json.loads(raw)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A JSON text with a byte or two changed."""
    raw = bytearray(draw(texts())[0].encode())
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.integers(0, 2)):
            case 0:
                raw[at:at] = draw(st.sampled_from([b'"', b"{", b"}", b"\\", b"\0", b"\xff", b"1", b",", b":", b"\xc3"]))
            case 1:
                del raw[at : at + 1]
            case _:
                raw[at : at + 1] = bytes([draw(st.integers(0, 255))])
    return bytes(raw)


@given(broken())
def test_a_damaged_text_is_read_as_the_standard_reads_it_or_refused(raw: bytes):
    try:
        value = parse(raw).value
    except Refusal:
        return
    assert value == json.loads(raw.decode(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("raw", "what", "place"),
    [
        (b'{"a" 1}', "expected ':'", "line 1, column 6"),
        (b'{"name": "w",\n "tasks": [],}', "trailing comma in object", "line 2, column 14"),
        (b'{\n"a": [', "it ends before it is whole", "line 2, column 7"),
        (b"", "it ends before it is whole", "line 1, column 1"),
        ('{\n"ä": x}'.encode(), "invalid character", "line 2, column 6"),
        (b'{"a":\n "\xff"}', "this is not UTF-8", "line 2, column 3"),
    ],
)
def test_what_is_no_json_is_told_with_its_line_and_column(raw: bytes, what: str, place: str):
    with pytest.raises(Malformed) as refused:
        parse(raw)
    assert refused.value.message == f"The body is not valid JSON: {what} ({place})."
    fault = json_fault(raw)
    assert fault is not None
    assert (fault[0], f"line {fault[1]}, column {fault[2]}") == (what, place)
    assert json_fault(b'{"a": 1}') is None


@given(TREES)
def test_a_fingerprint_does_not_depend_on_spacing_or_the_order_of_keys(tree: Any):
    def plain(value: Any, backwards: bool) -> Any:
        if isinstance(value, Twice):
            members = list(dict(value).items())
            return {k: plain(v, backwards) for k, v in (reversed(members) if backwards else members)}
        return [plain(one, backwards) for one in value] if isinstance(value, list) else value

    compact = parse(json.dumps(plain(tree, False), separators=(",", ":")).encode())
    loose = parse(json.dumps(plain(tree, True), indent=3, ensure_ascii=False).encode())
    assert compact.fingerprint == loose.fingerprint


@pytest.mark.parametrize(("one", "other"), [(b'{"a":1}', b'{"a":2}'), (b'{"a":1}', b'{"b":1}'), (b"[1,2]", b"[2,1]"),
                                            (b'{"a":"1"}', b'{"a":1}'), (b'{"a":null}', b"{}")])  # fmt: skip
def test_what_differs_has_another_fingerprint(one: bytes, other: bytes):
    assert parse(one).fingerprint != parse(other).fingerprint


@pytest.mark.parametrize("shape", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [1, 31, 32, 33, 34, 100, 1000, 100_000])
def test_32_levels_are_read_and_more_are_refused(shape: bytes, depth: int):
    raw = shape * depth + (b"1" if shape != b"[" else b"") + {b"[": b"]"}.get(shape, b"}") * depth
    if depth <= MAX_DEPTH:
        parse(raw)
    else:
        with pytest.raises(Malformed, match="nested deeper than 32"):
            parse(raw)


def test_many_brackets_side_by_side_are_not_deep():
    parse(b"[" + b",".join([b"[]"] * 500) + b"]")
    parse(b'"' + b"[{" * 500 + b'"')


# Reading straight into a struct

BODIES = (wire.OfficeIn, wire.OfficePatch, wire.E911UpdateIn, wire.SpecialDaysIn, wire.HolidaysIn)


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    yield kind
    for _, inner, _ in shape(kind).nested:
        yield from _structs(inner)


@pytest.mark.parametrize("kind", [one for body in BODIES for one in _structs(body)])
def test_what_is_read_leaves_its_defaults_out_when_written(kind: type[msgspec.Struct]):
    """The quick way of `read` counts on it: a default that is written could make up for a key that was dropped."""
    assert kind.__struct_config__.omit_defaults


@st.composite
def doubled(draw: st.DrawFn) -> tuple[bytes, bool]:
    """A good body of an office, some of its members written again, and whether any was."""
    again = False

    def written(value: Any) -> str:
        nonlocal again
        if isinstance(value, dict):
            members = [f"{json.dumps(name)}:{written(inner)}" for name, inner in value.items()]
            for name in draw(st.sets(st.sampled_from(sorted(value)), max_size=1)) if value else ():
                if draw(st.integers(0, 5)) == 0:
                    again = True
                    members.insert(draw(st.integers(0, len(members))), f"{json.dumps(name)}:{written(value[name])}")
            if draw(st.integers(0, 5)) == 0:
                members.append(
                    f"{json.dumps(draw(st.sampled_from(['x', 'a:b'])))}:{draw(st.sampled_from(['1', '{}']))}"
                )
            return "{" + ",".join(members) + "}"
        return "[" + ",".join(map(written, value)) + "]" if isinstance(value, list) else json.dumps(value)

    return written(draw(st.sampled_from([SMALL, FULL]))).encode(), again


@given(doubled())
def test_a_body_with_a_key_twice_is_refused_and_any_other_read_as_it_is(found: tuple[bytes, bool]):
    raw, again = found
    notices: list[Notice] = []
    if again:
        with pytest.raises(Malformed, match="twice"):
            read(raw, wire.OfficeIn, notices)
    else:
        value = json.loads(raw)
        body, _ = read(raw, wire.OfficeIn, notices)
        assert body == msgspec.convert(value, wire.OfficeIn)
        assert bool(notices) == (b'"x":' in raw or b'"a:b":' in raw)


def test_the_canonical_form_does_not_depend_on_the_way_a_body_was_read():
    plain = json.dumps(FULL)
    for other in (
        json.dumps(FULL, indent=2),
        json.dumps(dict(reversed(FULL.items()))),
        plain.replace("San Francisco", "San \\u0046rancisco"),
        plain.replace('"name"', '"n\\u0061me"'),
        plain.replace('"08:00"', '"08\\u003a00"'),
        plain.replace("{", '{"mainline_number":null,', 1),
    ):
        assert read(other.encode(), wire.OfficeIn, [])[1] == read(plain.encode(), wire.OfficeIn, [])[1], other[:60]
    changed = plain.replace('"ring_seconds": 25', '"ring_seconds": 26')
    assert read(changed.encode(), wire.OfficeIn, [])[1] != read(plain.encode(), wire.OfficeIn, [])[1]


# 64-bit integers


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        ("0", 0),
        ("-1", -1),
        ("007", 7),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        (2**63, None),
        (-(2**63) - 1, None),
        (str(2**63), None),
        ("1" * 20, None),
        ("", None),
        ("-", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1\n", None),
        ("1_0", None),
        ("1.0", None),
        ("1e3", None),
        ("٣", None),
        ("²", None),
        ("0x1", None),
    ],
)
def test_what_is_a_64_bit_integer(value: int | str, number: int | None):
    assert to_int64(value) == number


# From a value to a struct


class Leaf(msgspec.Struct, kw_only=True):
    word: Annotated[str, msgspec.Meta(max_length=5)]
    number: Int64 | None = None
    colour: Literal["red", "green"] | None = None


class Tree(msgspec.Struct, kw_only=True):
    leaf: Leaf
    flag: bool
    more: Annotated[list[Leaf], msgspec.Meta(min_length=1, max_length=3)] | None = None
    words: Annotated[list[str], msgspec.Meta(max_length=2)] | None = None
    other: Leaf | None = None


GOOD: dict[str, Any] = {"leaf": {"word": "oak"}, "flag": True}


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"flag": None}, ["flag"]),
        ({"flag": 1}, ["flag"]),
        ({"flag": "true"}, ["flag"]),
        ({"leaf": None}, ["leaf"]),
        ({"leaf": []}, ["leaf"]),
        ({"leaf": {}}, ["leaf.word"]),
        ({"leaf": {"word": None}}, ["leaf.word"]),
        ({"leaf": {"word": "x" * 6}}, ["leaf.word"]),
        ({"leaf": {"word": 5, "number": 1.5, "colour": "blue"}}, ["leaf.colour", "leaf.number", "leaf.word"]),
        ({"more": {}}, ["more"]),
        ({"more": "x"}, ["more"]),
        ({"more": [None]}, ["more[0]"]),
        ({"more": [{"word": "a"}, {"word": 1}, 5]}, ["more[1].word", "more[2]"]),
        ({"more": []}, ["more"]),
        ({"more": [{"word": "a"}] * 4}, ["more"]),
        ({"words": [1, None]}, ["words[0]", "words[1]"]),
        ({"words": ["a", 1, None]}, ["words", "words[1]", "words[2]"]),
        ({"words": ["a", "b", "c"]}, ["words"]),
        ({"words": "a"}, ["words"]),
        ({"other": {"word": True}, "flag": "x"}, ["flag", "other.word"]),
    ],
)
def test_every_place_that_does_not_fit_is_named(change: dict, places: list[str]):
    with pytest.raises(Invalid) as refused:
        fit(GOOD | change, Tree, [])
    assert sorted(violation.location for violation in refused.value.violations) == places


@pytest.mark.parametrize("value", [[], "x", 5, None, True, 1.5])
def test_what_is_no_object_fits_nothing(value: Any):
    with pytest.raises(Invalid, match="must be a JSON object"):
        fit(value, Tree, [])


class Needy(msgspec.Struct, kw_only=True):
    leaves: Annotated[list[Leaf], msgspec.Meta(min_length=1, max_length=3)]


@pytest.mark.parametrize("leaves", [[], [{"word": "a"}] * 4, None, "x"])
def test_a_list_that_must_not_be_empty_is_named(leaves: Any):
    with pytest.raises(Invalid) as refused:
        fit({"leaves": leaves}, Needy, [])
    assert [violation.location for violation in refused.value.violations] == ["leaves"]


def test_null_is_absent_wherever_it_stands():
    found = fit(
        {
            "leaf": {"word": "a", "number": None, "colour": None},
            "flag": True,
            "more": None,
            "words": None,
            "other": None,
        },
        Tree,
        [],
    )
    assert found == Tree(leaf=Leaf(word="a"), flag=True)


def test_unknown_fields_are_named_with_their_path():
    notices: list[Notice] = []
    value = GOOD | {"x": 1, "more": [{"word": "a"}, {"word": "b", "y": None}], "other": {"word": "c", "z\n": {}}}
    fit(value, Tree, notices)
    assert [notice.field for notice in notices] == ["x", "more[1].y", "other.z\ufffd"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"flags": True}, "Did you mean flag?"),
        ({"FLAG": True}, "Did you mean flag?"),
        ({"other": {"wrd": "a", "word": "b"}}, "Did you mean word?"),
        ({"entirely_else": 1}, "was ignored."),
        ({"f" * 5000: 1}, "was ignored."),
    ],
)
def test_a_field_that_is_nearly_a_known_one_is_told_which(sent, text):
    notices: list[Notice] = []
    fit(GOOD | sent, Tree, notices)
    assert [notice.text.endswith(text) for notice in notices] == [True]


def test_thousands_of_unknown_fields_are_not_all_compared_with_the_known_ones(monkeypatch):
    asked: list[str] = []

    def compared(word: str, *_: object, **__: object) -> list[str]:
        asked.append(word)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", compared)
    notices: list[Notice] = []
    fit(GOOD | {f"flag{number}": 1 for number in range(5000)}, Tree, notices)
    assert len(asked) == MAX_MEANT
    assert "4980 more" in notices[-1].text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=7) | st.just("red"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["leaf", "flag", "more", "words", "other", "word", "number", "colour", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(JSON_VALUES)
def test_a_value_fits_or_is_refused_and_what_is_mended_fits(value: Any):
    found = _fitted(value)
    if isinstance(found, Tree):
        assert isinstance(found.flag, bool)
    else:
        assert found.violations
        assert isinstance(found, Misfit) is isinstance(value, dict)
        assert not isinstance(found, Misfit) or isinstance(found.mended, Tree)


def _fitted(value: Any) -> Tree | Invalid:
    try:
        return fit(value, Tree, [])
    except Invalid as refused:
        return refused


@given(st.text(st.characters(codec=None), max_size=300) | st.lists(st.text(max_size=50), max_size=20))
def test_what_was_sent_is_shown_in_one_short_line(value: Any):
    text = shown(value)
    assert len(text) <= 120
    assert text.isprintable()


# Queries


class Query(msgspec.Struct):
    flag: bool = False
    count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 5
    word: str | None = None
    kind: Literal["a", "b"] | None = None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, Query()),
        ({"flag": [""], "count": [""], "word": [""], "kind": [""]}, Query()),
        ({"flag": ["True"]}, Query(flag=True)),
        ({"flag": ["FALSE"]}, Query()),
        ({"count": ["9"], "word": ["x"], "kind": ["b"]}, Query(count=9, word="x", kind="b")),
        ({"word": ["", "x", ""]}, Query(word="x")),
        ({"word": ["5"]}, Query(word="5")),
        ({"word": ["true"]}, Query(word="true")),
        ({"word": ["null"]}, Query(word="null")),
    ],
)
def test_a_query_is_read(query: dict, found: Query):
    assert read_query(query, Query, []) == found


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ({"flag": ["x"]}, ["flag"]),
        ({"count": ["0"]}, ["count"]),
        ({"count": ["10"]}, ["count"]),
        ({"count": ["five"]}, ["count"]),
        ({"count": ["1.5"]}, ["count"]),
        ({"kind": ["c"]}, ["kind"]),
        ({"word": ["x", "y"]}, ["word"]),
        ({"flag": ["x"], "count": ["x"], "kind": ["x"]}, ["count", "flag", "kind"]),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_with_every_place(query: dict, places: list[str]):
    with pytest.raises(Invalid) as refused:
        read_query(query, Query, [])
    assert sorted(violation.location for violation in refused.value.violations) == places


class IdQuery(msgspec.Struct):
    id: int = 0


@pytest.mark.parametrize("id", [2**63, -(2**63) - 1, 10**30])
def test_a_query_number_that_no_store_keeps_is_refused(id: int):
    with pytest.raises(Invalid) as refused:
        read_query({"id": [str(id)]}, IdQuery, [])
    assert [violation.location for violation in refused.value.violations] == ["id"]
    assert read_query({"id": [str(2**63 - 1)]}, IdQuery, []).id == 2**63 - 1


def test_unknown_parameters_are_noted_but_for_the_key_and_empty_ones():
    notices: list[Notice] = []
    read_query({"x": ["1"], "y": [""], "apikey": ["secret"]}, Query, notices)
    assert [(notice.code, notice.field) for notice in notices] == [("unknown_parameter", "x")]
    assert "secret" not in str(notices)


@pytest.mark.parametrize("depth", range(900, 1100, 3))
def test_nesting_under_a_key_that_is_dropped_is_refused_as_well(depth: int):
    raw = b'{"a":' + b"[" * depth + b"]" * depth + b',"a":1}'
    with pytest.raises(Malformed):
        parse(raw)
