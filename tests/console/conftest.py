"""The same application and companies as in tests/api, visited by a browser without a script."""

import pytest

from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.api.desk import Company, Desk
from tests.console.visitor import Visitor

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]


@pytest.fixture
def visitor(embedded: Company) -> Visitor:
    """A browser that is signed in with the sandbox key of a new company."""
    found = Visitor(embedded.desk)
    found.sign_in(embedded.sandbox.key)
    return found


@pytest.fixture
def stranger(sqlite_desk: Desk) -> Visitor:
    """A browser that is not signed in."""
    return Visitor(sqlite_desk)
