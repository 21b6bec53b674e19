"""API documents are kept by version, apart by tenant, cut into operations and pieces, and gone when deleted."""

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from offhook.catalog.documents import store
from offhook.catalog.model import Head, Problem
from offhook.kit.errors import Conflict
from offhook.storage.backup import backup, restore
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from offhook.storage.rehearsal import rows_of
from offhook.storage.tables import metadata
from tests.catalog.shelving import AT, OTHER, TENANT, a_version, an_api, content, op, put, put_again

TABLES = ("api_documents", "api_versions", "api_pieces", "api_operations")
FULL = Head(
    key="offices.create",
    method="POST",
    path="/api/v2/offices",
    pointer="/paths/~1api~1v2~1offices/post",
    summary="Create an office",
    description="Creates a secondary office.",
    tags=("offices", "a, b"),
    deprecated=True,
    words=("routing_options.open.dtmf[].input", "country"),
)


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    with database.reading() as tx:
        return [tuple(row) for row in tx.connection.execute(select(metadata.tables[table]))]


def test_a_document_comes_back_as_it_was_kept(database: Database):
    api = an_api("offhook", title="Offhook")
    version = a_version(api.id, problems=(Problem("/paths", "is odd"),))
    pieces = {
        "": {"openapi": "3.1.0"},
        "/components/schemas/Office": {"type": ["object", "null"]},
        "/a~1b": [1.5, None],
    }
    with database.transaction() as tx:
        assert store.create(tx, api, version, content([FULL], pieces.items(), b"openapi: 3.1.0\n")) == api
    with database.reading() as tx:
        assert store.get(tx, TENANT, api.id) == store.named(tx, TENANT, "offhook") == api
        assert store.page(tx, TENANT, 0, 10) == [api]
        kept = msgspec.structs.replace(version, operations=1)
        assert store.history(tx, TENANT, api.id) == [kept]
        assert store.version(tx, TENANT, api.id, 1) == kept
        assert store.source(tx, TENANT, version.id) == b"openapi: 3.1.0\n"
        assert store.heads(tx, TENANT, version.id, 0, 10) == [(1, FULL)]
        assert store.head(tx, TENANT, version.id, "offices.create") == FULL
        assert {one: store.piece(tx, TENANT, version.id, one) for one in pieces} == pieces
        assert store.pointers(tx, TENANT, version.id) == sorted(pieces)


def test_what_is_not_there_is_said(database: Database):
    api = put(database, "offhook", [FULL])
    with database.reading() as tx:
        version = store.history(tx, TENANT, api.id)[0]
        assert store.get(tx, TENANT, api.id + 1) is store.named(tx, TENANT, "other") is None
        assert store.version(tx, TENANT, api.id, 2) is None
        assert store.source(tx, TENANT, 1) is None
        assert store.head(tx, TENANT, version.id, "offices.delete") is None
        with pytest.raises(KeyError, match="/components"):
            store.piece(tx, TENANT, version.id, "/components")


def test_nobody_sees_what_another_tenant_has(database: Database):
    api = put(database, "offhook", [FULL])
    put(database, "offhook", [], OTHER)
    with database.reading() as tx:
        version = store.history(tx, TENANT, api.id)[0]
        assert store.get(tx, OTHER, api.id) is None
        assert [one.id for one in store.page(tx, OTHER, 0, 10)] != [api.id]
        assert store.history(tx, OTHER, api.id) == []
        assert store.heads(tx, OTHER, version.id, 0, 10) == []
        assert store.head(tx, OTHER, version.id, FULL.key) is None
        assert store.source(tx, OTHER, version.id) is None


def test_a_name_is_taken_once_and_free_again_when_its_document_is_deleted(database: Database):
    api = put(database, "offhook", [FULL])
    with pytest.raises(Conflict, match="offhook already"):
        put(database, "offhook")
    with database.transaction() as tx:
        store.delete(tx, api, AT + 1)
    again = put(database, "offhook", [FULL])
    with database.reading() as tx:
        assert store.page(tx, TENANT, 0, 10) == [again]


def test_a_deleted_document_leaves_nothing_of_its_content(database: Database):
    api = an_api("offhook")
    with database.transaction() as tx:
        store.create(tx, api, a_version(api.id), content([FULL], [("", {})]))
        store.delete(tx, api, AT + 1)
    assert [len(rows(database, table)) for table in TABLES] == [1, 0, 0, 0]
    with database.reading() as tx:
        assert store.get(tx, TENANT, api.id) is None
        assert store.current(tx) == []


def test_the_newest_version_is_the_current_one_and_older_ones_stay(database: Database):
    first = put(database, "offhook", [FULL])
    second = put_again(database, first, [op("GET", "/a"), op("GET", "/b")])
    with database.reading() as tx:
        assert [(one.number, one.operations) for one in store.history(tx, TENANT, first.id)] == [(2, 2), (1, 1)]
        newest, oldest = store.history(tx, TENANT, first.id)
        assert store.get(tx, TENANT, first.id) == second
        assert [one.version_id for one in store.current(tx)] == [newest.id]
        assert [one.path for _, one in store.heads(tx, TENANT, oldest.id, 0, 10)] == ["/api/v2/offices"]


def test_only_the_last_versions_are_kept(database: Database):
    api = put(database, "offhook", [FULL])
    other = put(database, "other", [FULL])
    for _ in range(3):
        api = put_again(database, api, [FULL])
    with database.transaction() as tx:
        assert store.keep_last(tx, api, 2) == 2
        assert store.keep_last(tx, api, 2) == 0
        assert [one.number for one in store.history(tx, TENANT, api.id)] == [4, 3]
        assert store.keep_last(tx, api, 0) == 1
        assert [one.number for one in store.history(tx, TENANT, api.id)] == [4]
        assert len(store.history(tx, TENANT, other.id)) == 1
    assert len(rows(database, "api_operations")) == 2


def test_operations_are_given_in_pages_in_the_order_of_the_document(database: Database):
    paths = [f"/{name}" for name in "zyxwvut"]
    api = put(database, "offhook", [op("GET", path) for path in paths])
    found, after = [], 0
    with database.reading() as tx:
        version = store.history(tx, TENANT, api.id)[0]
        while part := store.heads(tx, TENANT, version.id, after, 3):
            after = part[-1][0]
            found += [head.path for _, head in part]
    assert found == paths


@pytest.mark.parametrize("odd", ["\0", "\ud800", "~20000", "é ✆", "\\u0000"])
def test_texts_that_a_store_cannot_hold_do_no_harm(database: Database, odd: str):
    head = op("GET", f"/{odd}", odd, tags=(odd,), description=odd, words=(odd,), key=f"k{odd}")
    api = an_api("odd", title=odd)
    version = a_version(api.id, title=odd, problems=(Problem(odd, odd),))
    with database.transaction() as tx:
        store.create(tx, api, version, content([head], [(f"/a{odd}", {odd: odd}), ("/a", 1)]))
    with database.reading() as tx:
        assert store.piece(tx, TENANT, version.id, f"/a{odd}") == {odd: odd}
        assert store.history(tx, TENANT, api.id)[0].problems == (Problem(odd, odd),)
        found = store.head(tx, TENANT, version.id, f"k{odd}")
        assert found is not None
        assert found.tags == (odd,)
        assert odd == "~20000" or found.pointer == head.pointer
        shown = odd.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
        assert (found.path, found.summary, found.description) == (f"/{shown}", shown, shown)
        kept = store.named(tx, TENANT, "odd")
        assert kept is not None
        assert kept.title == shown


def test_long_texts_are_cut_for_lists(database: Database):
    head = op("GET", "/a", description="d" * 10_000, words=tuple(f"word{n}" for n in range(5_000)))
    problems = tuple(Problem("", str(n)) for n in range(1_000))
    api = an_api("long")
    version = a_version(api.id, problems=problems)
    with database.transaction() as tx:
        store.create(tx, api, version, content([head]))
        found = store.head(tx, TENANT, version.id, head.key)
        assert found is not None
        assert len(found.description) == store.DESCRIPTION_LIMIT
        assert sum(map(len, found.words)) <= store.WORDS_LIMIT
        assert found.words == head.words[: len(found.words)]
        listed = store.history(tx, TENANT, api.id)[0].problems
        assert len(listed) == store.PROBLEMS_LIMIT
        assert listed[-1].text == "There are 501 more problems, which are not listed."


def test_backups_bring_documents_back_and_rehearsals_do_without_them(database: Database, tmp_path):
    api = an_api("offhook")
    with database.transaction() as tx:
        store.create(tx, api, a_version(api.id), content([FULL], [("", {"a": "\0"})], bytes(range(256))))
    backup(database, tmp_path / "a.zip")
    second = Database(f"sqlite:///{tmp_path / 'second' / 'offhook.sqlite3'}")
    try:
        upgrade(second)
        restore(second, tmp_path / "a.zip")
        assert [rows(second, table) for table in TABLES] == [rows(database, table) for table in TABLES]
    finally:
        second.close()
    with database.reading() as tx:
        assert not {table.name for table in rows_of(tx, TENANT)} & {*TABLES}


def test_a_large_document_is_kept_in_parts(database: Database):
    schema = {"type": "object", "properties": {f"field_{n}": {"type": "string"} for n in range(10)}}
    api = an_api("large")
    version = a_version(api.id)
    heads = (op("GET", f"/things/{n}") for n in range(2_500))
    pieces = ((f"/components/schemas/S{n}", schema) for n in range(2_500))
    with database.transaction() as tx:
        store.create(tx, api, version, content(heads, pieces, json.dumps(schema).encode()))
    with database.reading() as tx:
        assert store.history(tx, TENANT, api.id)[0].operations == 2_500
        assert len(store.pointers(tx, TENANT, version.id)) == 2_500
