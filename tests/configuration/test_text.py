"""The file as text: words mean what they look like, and nothing hostile gets past the reader."""

import time

import pytest

from offhook.configuration import text
from offhook.kit.errors import Malformed


def refusal(source: str | bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        text.read(source if isinstance(source, bytes) else source.encode())
    return caught.value


def places(source: str) -> list[str]:
    return [violation.location for violation in refusal(source).violations]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2026-12-24", "2026-12-24"),
        ("+14155550123", "+14155550123"),
        ("01234", "01234"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("0x1F", "0x1F"),
        ("94105", 94105),
        ("-3", -3),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ('"5"', "5"),
        ("!!str 5", "5"),
    ],
)
def test_a_word_means_what_it_looks_like(word: str, meaning: object):
    assert text.read(f"a: {word}".encode()).value == {"a": meaning}


def test_what_is_written_is_read_as_the_same():
    document = {
        "version": 1,
        "words": {
            word: word
            for word in ("NO", "yes", "12:30", "2026-12-24", "+14155550123", "01", "5", "", "null", "~", "<<", "=",
                         "0o17", "0x1F", "1e3", "a: b", "# c", "é", "- x", "*a", "&a", "a\nb", " a ", "A (id 3)")
        },
        "rest": {"flag": True, "number": 5, "list": ["a", {"input": "1", "action": "menu"}], "empty": {}, "none": []},
    }  # fmt: skip
    assert text.read(text.write(document).encode()).value == document


def test_json_is_read_as_well():
    assert text.read(b'\xef\xbb\xbf{"version": 1, "rooms": {"A/B": null}}').value == {
        "version": 1,
        "rooms": {"A/B": None},
    }


def test_an_alias_is_the_same_value_again():
    found = text.read(b"a: &week {monday: closed}\nb: *week\n").value
    assert found == {"a": {"monday": "closed"}, "b": {"monday": "closed"}}


def test_every_place_has_its_line_and_column():
    found = text.read(b"version: 1\nusers:\n  ana@example.com:\n    names: [a,\n      b]\n")
    assert found.where("users.ana@example.com.names[1]") == (5, 7)
    assert found.where("users.ana@example.com.names[1].x.y") == (5, 7)
    assert found.where("users.ana@example.com.other") == (3, 3)
    assert found.where("rooms") is None


def test_keys_that_stand_twice_are_all_named():
    assert places("a: 1\nb: {c: 1, c: 2}\na: 2\n") == ["line 2, column 11", "line 3, column 1"]


@pytest.mark.parametrize(
    "source",
    [
        "a: !!python/object/apply:os.system [ls]",
        "a: !secret x",
        "a: !!int 5",
        "<<: {a: 1}",
        "a: [",
        "a: *missing",
        "a: &a [*a]",
        "? [a, b]\n: c",
        "? {a: b}\n: c",
        ": a",
        "a: 1\n---\nb: 2",
        "a:\n\t- b",
        "- a",
        "just words",
        "",
        "a: \x00",
    ],
)
def test_what_is_no_plain_document_is_refused(source: str):
    assert refusal(source).message


def test_a_file_that_is_not_utf8_names_the_line():
    assert "line 2" in refusal(b"a: b\nc: \xff\n").message


def test_a_bomb_of_aliases_is_refused_before_it_grows():
    source = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    source += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30))
    begun = time.monotonic()
    assert "larger" in refusal(source).message
    assert time.monotonic() - begun < 5
    long = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 100)}]\n"
    assert "larger" in refusal(long).message


def test_depth_and_size_are_bounded():
    assert "nested" in refusal("a: " + "[" * 100_000).message
    assert "nested" in refusal("a: " + "{b: " * 100_000).message
    assert "16 MiB" in refusal(b"a: " + b"x" * (16 * 1024 * 1024)).message


def test_many_faults_end_the_reading():
    assert len(refusal("".join("a: 1\n" for _ in range(10_000))).violations) == text.MAX_FAULTS
