"""Stores as in tests/routing, and one event loop for all tests."""

from collections.abc import Iterator

import pytest

from offhook.storage.database import Database
from tests.api.conftest import runner
from tests.routing.conftest import postgres_template, sqlite_template, url

__all__ = ["postgres_template", "runner", "sqlite_template", "url"]


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty store, SQLite and PostgreSQL in turn."""
    opened = Database(url)
    yield opened
    opened.close()
