"""A document in pieces is the same document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.catalog.documents.operations import heads
from offhook.catalog.documents.pieces import Pieces, cut
from offhook.catalog.model import Tree, pointer_to
from offhook.catalog.reference.page import reference

TREE = {
    "openapi": "3.1.0",
    "servers": [{"url": "https://a"}],
    "paths": {"/a/{b~c}": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}}, "/x": None},
    "components": {
        "responses": {"R": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/S~1T"}}}}},
        "schemas": {"S/T": {"properties": {"n": {"type": "integer"}}}},
        "broken": 5,
    },
}

JSON = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~0", max_size=3), inner, max_size=3),
    max_leaves=10,
)


def pieces(tree) -> Pieces:
    return Pieces(dict(cut(tree)).__getitem__)


def places(value, pointer=""):
    yield pointer, value
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield from places(inner, pointer + pointer_to(str(name)))


def test_it_is_cut_into_root_paths_and_components():
    assert [pointer for pointer, _ in cut(TREE)] == [
        "", "/paths/~1a~1{b~0c}", "/paths/~1x", "/components/responses/R", "/components/schemas/S~1T",
        "/components/broken",
    ]  # fmt: skip


@given(st.dictionaries(st.sampled_from(["paths", "components", "x", "definitions"]), JSON, max_size=4))
def test_every_place_of_a_piece_is_found(tree):
    document = pieces(tree)
    for start, piece in cut(tree):
        for pointer, value in places(piece, start):
            assert document.at(pointer) == value


def test_what_is_not_there_is_not_found():
    for pointer in (
        "/paths",
        "/paths/~1b",
        "/components/schemas/X",
        "/servers/1",
        "/servers/x",
        "nonsense",
        "/servers/-1",
    ):
        with pytest.raises(KeyError):
            pieces(TREE).at(pointer)


def test_a_piece_is_loaded_once():
    loaded = []
    store = dict(cut(TREE))

    def load(pointer: str):
        loaded.append(pointer)
        return store[pointer]

    document = Pieces(load)
    for _ in range(3):
        assert document.at("/components/schemas/S~1T/properties/n/type") == "integer"
        assert document.at("/servers/0/url") == "https://a"
    assert loaded == ["/components/schemas/S~1T", ""]


def test_a_page_made_of_pieces_is_that_of_the_whole():
    (head,) = heads(TREE)
    assert reference(pieces(TREE), head.pointer, head) == reference(Tree(TREE), head.pointer, head)
    assert reference(Tree(TREE), head.pointer, head).responses[0].bodies[0].fields[0].name == "n"
