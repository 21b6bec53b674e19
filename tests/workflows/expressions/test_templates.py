"""What expressions give, as Conductor gives it, what is refused, and what must hold for any value and any data."""

import asyncio
import json
import time

import jsonpath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offhook.workflows.expressions import templates
from offhook.workflows.expressions.paths import PathError, Work, compiled
from offhook.workflows.expressions.resolving import resolved
from offhook.workflows.expressions.scripts import Scripts
from offhook.workflows.expressions.templates import (
    ExpressionError,
    references,
    resolve,
    uses_jsonata,
    with_secrets,
)

DATA: dict = {
    "workflow": {
        "input": {
            "x": 3,
            "yes": True,
            "none": None,
            "ratio": 2.0,
            "name": "Ann",
            "key": "x",
            "items": [{"id": 1, "price": 5}, {"id": 2, "price": 7}],
            "a b": {"c": 1},
            "$ref": "r",
        },
        "env": {"REGION": "eu"},
    },
    "my-task": {"output": {"response": {"body": {"y": [1, [2, 3]]}}}},
    "swf:item": {"message": "hi"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${workflow.input.x}", 3),
        ("${workflow.input.yes}", True),
        ("${workflow.input.none}", None),
        ("${workflow.input.items}", DATA["workflow"]["input"]["items"]),
        ("${workflow.env.REGION}", "eu"),
        ("${workflow.env.HOME}", None),
        ("${my-task.output.response.body.y[1][0]}", 2),
        ("${my-task.output.response.body.y[-1]}", [2, 3]),
        ("${my-task.output.response.body.y[9]}", None),
        ("${swf:item.message}", "hi"),
        ("${workflow.input['a b'].c}", 1),
        ('${workflow["input"]["a b"].c}', 1),
        ("${['workflow'].input.x}", 3),
        ("${$.workflow.input.x}", 3),
        ("${workflow.input.$ref}", "r"),
        ("${ workflow.input.x }", 3),
        ("${workflow.input.missing.deeper}", None),
        ("${gone.output}", None),
        ("${}", ""),
        ("${  }", ""),
        ("a${}b", "ab"),
        ("x=${workflow.input.x}", "x=3"),
        ("${workflow.input.none}|${workflow.input.yes}|${workflow.input.ratio}", "null|true|2.0"),
        ("${workflow.input.a}${workflow.input.name}", "nullAnn"),
        ("${workflow.input.items}!", '[{"id":1,"price":5},{"id":2,"price":7}]!'),
        ("${workflow.input.${workflow.input.key}}", 3),
        ("${workflow.input['${workflow.input.key}']}", 3),
        ("$${workflow.input.x}", "${workflow.input.x}"),
        ("$${a.${workflow.input.x}}", "${a.3}"),
        ("${workflow.input.x} $${y}", "3 ${y}"),
        ("cost $5 {x} $", "cost $5 {x} $"),
        ("${open", "${open"),
        ("${workflow.input.items[*].id}", [1, 2]),
        ("${workflow.input.items[0,1].id}", [1, 2]),
        ("${workflow.input.items[0:1].id}", [1]),
        ("${workflow.input.items[?(@.price > 5)].id}", [2]),
        ("${workflow.input.items[?(@.price > 5 && @.id in [2, 3])].id}", [2]),
        ("${workflow.input.items[?(@.price > 99)]}", []),
        ("${workflow.input.items[?(@.id == $.workflow.input.x)]}", []),
        ("${workflow..id}", [1, 2]),
        ("${workflow.input.items.length()}", 2),
        ("${workflow.input.items[*].price.sum()}", 12),
        ("${workflow.input.items[?(@.price > 5)].first()}", {"id": 2, "price": 7}),
        ("${workflow.secrets.KEY}", "${workflow.secrets.KEY}"),
        ("Bearer ${workflow.secrets.KEY}, ${workflow.input.x}", "Bearer ${workflow.secrets.KEY}, 3"),
    ],
)
def test_an_expression_gives(text, expected):
    found = resolve(text, DATA)
    assert found == expected
    assert type(found) is type(expected)


def test_keys_are_left_and_values_are_resolved_at_any_depth():
    value = {"${workflow.input.x}": [{"a": ["${workflow.input.x}", 1, None]}]}
    assert resolve(value, DATA) == {"${workflow.input.x}": [{"a": [3, 1, None]}]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${a b}", "cannot be read at ' b'"),
        ("${a[}", "bracket that is not closed"),
        ("${a[?(@.s =~ /(x+)+y/)]}", "regular expression"),
        ("${a[?match(@.s, 'x')]}", "regular expression"),
        ("${a[b.c]}", "nested expression"),
        ("${a.b()}", "has no function b()"),
        ("${a[?(@.b == )]}", "cannot be followed"),
        ("${workflow.secrets.${workflow.input.key}}", "name of a secret"),
        ("${workflow.input.${workflow.secrets.KEY}}", "name of a secret"),
        ("${workflow.secrets}", "no name of a secret"),
        ("${jsonata: 1 + 1}", "JSONata"),
        ("${" + "a" * 3_000 + "}", "3,000 characters"),
        ("${a}" * 1_001, "1,000 expressions"),
        ("${" * 20 + "a" + "}" * 20, "nested deeper than the 8 levels"),
    ],
)
def test_what_has_no_meaning_is_told_with_its_place(text, words):
    with pytest.raises(ExpressionError) as told:
        resolve({"body": [{"f": text}]}, DATA, place="inputParameters")
    assert told.value.place == "inputParameters.body[0].f"
    assert words in told.value.message


def test_a_computed_path_names_no_secret():
    data = {"workflow": {"input": {"p": "workflow.secrets.KEY", "q": "jsonata: 1"}}}
    for text in ("${${workflow.input.p}}", "${${workflow.input.q}}"):
        with pytest.raises(ExpressionError, match="computed"):
            resolve(text, data)


def test_the_result_is_bounded():
    data = {"workflow": {"input": {"big": ["x" * 1_000] * 100}}}
    assert resolve("${workflow.input.big}", data, most=110_000)
    with pytest.raises(ExpressionError, match="larger than the 200,000"):
        resolve(["${workflow.input.big}"] * 3, data, most=200_000)
    with pytest.raises(ExpressionError, match="larger than the 200,000"):
        resolve("${workflow.input.big}" * 3, data, most=200_000)
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(ExpressionError, match="deep"):
        resolve(deep, data)
    with pytest.raises(ExpressionError, match="deep"):
        resolve("${workflow.deep}", {"workflow": {"deep": deep}})


def test_queries_over_much_data_end_soon():
    rows = [{"a": number, "b": {"c": str(number)}} for number in range(60_000)]
    data = {"l": rows, "ids": list(range(50_000)), "s": "x" * 1_000_000, "k" * 100_000: rows}
    paths = (
        "l[?@.a == 5 && @.a != 4]", "..c", "l[?@.a in $.ids]", "l[?$.ids == $.ids]", "l[?$.ids == 5]",
        "l[?!@ && !@ && !@]",
        "l[?$.s contains 'xy']", "l[?count($..c) > 1]", "..*", "l[?@.a == 1 && " + "!@ && " * 200 + "!@]",
    )  # fmt: skip
    for path in paths:
        start = time.process_time()
        with pytest.raises(ExpressionError, match="more than the"):
            resolve("${" + path + "}", data)
        assert time.process_time() - start < 3, path


def test_strings_of_data_are_never_documents():
    assert resolve("${l[?(@.a)]}", {"l": ['{"a": 1}', {"a": 1}]}) == [{"a": 1}]


# Secrets


def test_secrets_are_put_in_where_the_definition_asks_for_them():
    template = {"h": "Bearer ${workflow.secrets.KEY}", "b": "${workflow.input.name}", "n": ["${workflow.secrets.KEY}"]}
    data = {"workflow": {"input": {"name": "${workflow.secrets.OTHER} ${workflow.secrets.KEY}"}}}
    value = resolve(template, data)
    assert "s3cret" not in json.dumps(value)
    found, used = with_secrets(value, {"KEY": "s3cret", "OTHER": "o"}.get, template=template)
    assert found == {"h": "Bearer s3cret", "b": "${workflow.secrets.OTHER} ${workflow.secrets.KEY}", "n": ["s3cret"]}
    assert used == {"KEY": "s3cret"}
    assert value["h"] == "Bearer ${workflow.secrets.KEY}"


def test_without_the_template_any_text_counts_as_in_conductor():
    assert with_secrets({"a": "${workflow.secrets.KEY}"}, {"KEY": "s"}.get) == ({"a": "s"}, {"KEY": "s"})
    assert with_secrets({"a": 1, "b": "${workflow.input.x}"}, dict[str, str]().get) == (
        {"a": 1, "b": "${workflow.input.x}"},
        {},
    )


def test_a_secret_that_is_not_there_is_told_with_its_place():
    with pytest.raises(ExpressionError, match=r"in\.a\[0\]: there is no secret KEY"):
        with_secrets({"a": ["${workflow.secrets.KEY}"]}, dict[str, str]().get, place="in")


def test_an_escaped_secret_is_text():
    template = {"a": "$${workflow.secrets.KEY}"}
    assert with_secrets(resolve(template, {}), {"KEY": "s"}.get, template=template)[0] == {
        "a": "${workflow.secrets.KEY}"
    }


# References


def test_references_tell_place_root_and_faults():
    value = {
        "uri": "http://x/${workflow.input.id}/${get_user.output.response.body.id}",
        "body": {"items": ["${['my task'].output}", "${a.${b.output.key}.c}", "$${no.reference}", "${}"]},
        "bad": ["${a b}", "${open", "${workflow.secrets.KEY}", "${${x.y}.z}", "${item..id}"],
    }
    found = [(one.place, one.root, bool(one.fault), one.spaces) for one in references(value, "in")]
    assert found == [
        ("in.uri", "workflow", False, False),
        ("in.uri", "get_user", False, False),
        ("in.body.items[0]", "my task", False, True),
        ("in.body.items[1]", "a", False, False),
        ("in.body.items[1]", "b", False, False),
        ("in.bad[0]", "", True, True),
        ("in.bad[1]", "", True, False),
        ("in.bad[2]", "workflow", False, False),
        ("in.bad[3]", "", False, False),
        ("in.bad[3]", "x", False, False),
        ("in.bad[4]", "item", False, False),
    ]
    faults = {one.place: one.fault for one in references(value, "in") if one.fault}
    assert "has a space" in faults["in.bad[0]"]
    assert "not closed" in faults["in.bad[1]"]


def test_references_of_jsonata_are_the_roots_that_it_reads():
    value = {"a": "${jsonata: $sum(get.output.l) + workflow.input.x & '}'}", "b": "${jsonata: a +}"}
    found = references(value)
    assert [(one.place, one.root, one.jsonata) for one in found] == [
        ("a", "get", True), ("a", "workflow", True), ("b", "", True),
    ]  # fmt: skip
    assert "is no JSONata" in found[2].fault
    assert uses_jsonata(value)
    assert not uses_jsonata({"a": "$${jsonata: 1}", "b": "jsonata: 1"})


def test_jsonata_is_resolved_beside_paths():
    value = {
        "a": "${jsonata: $encodeUrl(`swf:item`.message & ' there')}",
        "b": "m=${jsonata:workflow.input.items[price > 5].id}&x=${workflow.input.x}",
        "c": "${jsonata: $now()}",
        "d": "${jsonata: nothing}",
        "e": "${jsonata: {'sum': $sum(workflow.input.items.price)}}",
    }

    async def work():
        scripts = Scripts(1)
        try:
            found = await resolved(1, value, DATA, scripts, now_ms=0, seed=1)
            with pytest.raises(ExpressionError, match="no JSONata"):
                await resolved(1, "${jsonata: a +}", DATA, scripts, now_ms=0, seed=1)
            with pytest.raises(ExpressionError, match="gave nothing"):
                await resolved(1, "${jsonata: $error('no')}", DATA, scripts, now_ms=0, seed=1)
            return found
        finally:
            await scripts.close()

    assert asyncio.run(work()) == {
        "a": "hi%20there", "b": "m=2&x=3", "c": "1970-01-01T00:00:00.000Z", "d": None, "e": {"sum": 12},
    }  # fmt: skip


# What holds always

names = st.sampled_from(["a", "b", "workflow", "input", "x1", "a_b"]) | st.text("ab é-_'\"\\]", min_size=1, max_size=4)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab${}.", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(names, documents, max_size=4)
pieces = st.sampled_from(
    ["${", "}", "$", "{", "a", "b", ".", "..", "[", "]", "0", "-1", "*", "?", "(@.a)", "'", '"', "\\", " ", "workflow",
     ".secrets.", "jsonata:", "length()", "==", "`", ",", ":", "@", "|", "&", "~", "#", "^", "_", "in", "é", "\ud800"]
)  # fmt: skip
texts = st.lists(pieces, max_size=14).map("".join)
values = st.recursive(
    texts | documents,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(values, objects)
@settings(max_examples=250, deadline=None)
def test_resolving_gives_a_value_or_an_expression_error(value, data):
    try:
        resolve(value, data, most=10_000)
    except ExpressionError as error:
        told = error.message
        assert told
    for one in references(value):
        assert isinstance(one.place, str)
    assert len(templates.jsonata(value)) < 100
    try:
        with_secrets(value, lambda name: name)
    except ExpressionError:
        raise AssertionError("every secret is there") from None


@given(st.lists(names | st.integers(-3, 3), min_size=1, max_size=5), objects)
@example(["a", 0], {"a": [[1]]})
@example(["it's", "\\"], {"it's": {"\\": 1}})
@settings(max_examples=200, deadline=None)
def test_the_short_way_agrees_with_the_engine(steps, data):
    """A path to one place, written for us and for the engine: the same value, or nothing in both."""
    text = "".join(f"[{one if isinstance(one, int) else _quoted(one)}]" for one in steps)
    path = compiled(text)
    assert path.query is None
    found = jsonpath.findall("$" + text, data, strict=True) if data else []
    assert repr([path.find(data, Work())]) == repr(found or [None])


def _quoted(name):
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(st.lists(st.sampled_from(["a", "b", "x1", "a_b", "[0]", "[-1]", "['a']"]), min_size=1, max_size=5), objects)
@settings(max_examples=150, deadline=None)
def test_dotted_paths_agree_with_the_engine(steps, data):
    text = "".join(one if one.startswith("[") else f".{one}" for one in steps)
    found = jsonpath.findall("$" + text, data, strict=True) if data else []
    assert repr([compiled(text.removeprefix(".")).find(data, Work())]) == repr(found or [None])


@given(texts)
@settings(max_examples=150, deadline=None)
def test_a_path_is_read_or_refused(text):
    try:
        compiled(text)
    except PathError as error:
        told = str(error)
        assert told


@given(st.text(max_size=30))
def test_what_is_escaped_comes_out_as_it_was_written(text):
    assert resolve(text.replace("${", "$${"), {}) == text
