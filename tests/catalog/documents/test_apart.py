"""Documents read in a process of their own: the same comes out, and what goes too far ends there."""

import asyncio
import json
from typing import Any

import pytest

from offhook.catalog.documents import apart
from offhook.catalog.documents.apart import Readers, read_apart, read_here
from offhook.catalog.model import Document
from offhook.kit.errors import Invalid, Unavailable
from tests.catalog.shelf import TREE

ODD = {**TREE, "info": {"title": "Ünlike \N{TELEPHONE SIGN}", "version": "1\n2"}, "x-float": 1e300, "x-big": 2**70}
SWAGGER = {"swagger": "2.0", "info": {}, "paths": {"a": {"get": {"responses": {"200": {"schema": {"type": "file"}}}}}}}


def plain(pieces: Any) -> dict[str, Any]:
    return {where: json.loads(value) if isinstance(value, bytes) else value for where, value in pieces}


def at(document: Document, pointer: str) -> Any:
    try:
        return document.at(pointer)
    except KeyError:
        return None


@pytest.mark.parametrize("tree", [TREE, ODD, SWAGGER, {"paths": {}}])
def test_a_document_read_apart_is_as_one_read_here(tree: Any):
    raw = json.dumps(tree).encode()
    here, there = read_here(raw, "a.json"), read_apart(raw, "a.json")
    assert there.told == here.told
    assert there.digest == here.digest
    for _ in range(2):
        assert list(there.heads) == list(here.heads)
        assert plain(there.pieces) == plain(here.pieces)
    for pointer in ("/components/schemas/Booking/required/0", "/info/title", "/nothing"):
        assert at(there.tree, pointer) == at(here.tree, pointer)


@pytest.mark.parametrize("raw", [b"{", b"[]", b"a: [", b"\x1f\x8b", b"", b'{"a": 1}'])
def test_what_is_no_document_is_refused_with_the_same_words(raw: bytes):
    with pytest.raises(Invalid) as here:
        read_here(raw)
    with pytest.raises(Invalid) as there:
        read_apart(raw)
    assert there.value.violations == here.value.violations


@pytest.mark.parametrize(
    "again", ["x-b:\n" + "- *a\n" * 5_000, "paths:\n" + "".join(f"  /{n}: *a\n" for n in range(700))]
)
def test_what_swells_ends_in_its_process(again: str):
    swelling = f"openapi: 3.0.0\nx-a: &a {'x' * 1_000_000}\n{again}"
    with pytest.raises(Invalid, match="could not be read within"):
        read_apart(swelling.encode())


def test_what_takes_too_long_is_ended():
    with pytest.raises(Invalid, match="could not be read within"):
        read_apart(json.dumps(TREE).encode(), seconds=0.001)


def test_large_ones_and_those_that_may_swell_are_read_apart(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(apart, "LARGE", 1000)
    monkeypatch.setattr(apart, "read_apart", lambda raw, name: asked.append(name))
    monkeypatch.setattr(apart, "read_here", lambda raw, name: None)

    async def go() -> None:
        readers = Readers()
        for name, text in (
            ("small", "a: 1"),
            ("large", "a: 1" + " " * 1000),
            ("swelling", "a: &b 1\nc: *b"),
            ("no", "a&b"),
        ):
            await readers.read(text, name)
        readers._here = apart.AT_ONCE + apart.WAITING
        with pytest.raises(Unavailable):
            await readers.read("a: &b 1", "too many")
        await readers.read("a: 1", "small")

    asyncio.run(go())
    assert asked == ["large", "swelling"]
