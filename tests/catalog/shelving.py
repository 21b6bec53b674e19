"""API documents for tests: put into the store without a text to read."""

from collections.abc import Iterable
from typing import Any

from offhook.catalog.documents import store
from offhook.catalog.documents.store import Api, Content, Version
from offhook.catalog.model import METHODS, Head, pointer_to
from offhook.kit.ids import Ids
from offhook.storage.database import Database

AT = 1_800_000_000_000
TENANT, OTHER = 11, 12
IDS = Ids(7)


def op(method: str, path: str, summary: str = "", **more: Any) -> Head:
    """An operation."""
    assert method in METHODS
    key = more.pop("key", f"{method}{path}".lower().replace("/", "-").replace("{", "").replace("}", ""))
    pointer = pointer_to("paths", path, method.lower())
    return Head(key=key, method=method, path=path, pointer=pointer, summary=summary, **more)


def content(heads: Iterable[Head] = (), pieces: Iterable[tuple[str, Any]] = (), source: bytes = b"{}") -> Content:
    return Content(source=source, heads=heads, pieces=pieces)


def a_version(document_id: int, number: int = 1, **more: Any) -> Version:
    named: dict[str, Any] = {"created_at": AT, "made_by": "key 1", "kind": "openapi 3.1", "title": "An API"}
    named |= {"api_version": "1.0", "digest": "00"} | more
    return Version(id=IDS.new(), document_id=document_id, number=number, **named)


def an_api(name: str, tenant_id: int = TENANT, title: str = "") -> Api:
    return Api(tenant_id=tenant_id, id=IDS.new(), name=name, title=title or name, created_at=AT, updated_at=AT)


def put(database: Database, name: str, heads: Iterable[Head] = (), tenant_id: int = TENANT, title: str = "") -> Api:
    """Keep a new document of these operations."""
    api = an_api(name, tenant_id, title)
    with database.transaction() as tx:
        return store.create(tx, api, a_version(api.id), content(heads))


def put_again(database: Database, api: Api, heads: Iterable[Head]) -> Api:
    """Keep a further version of a document."""
    with database.transaction() as tx:
        return store.add(tx, api, a_version(api.id, api.number + 1), content(heads))
