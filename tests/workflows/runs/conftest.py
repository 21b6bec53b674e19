"""Beside engines of a test's own: the application over both stores, as for the API's tests."""

from tests.api.conftest import company, desk, postgresql_desk, sqlite_desk

__all__ = ["company", "desk", "postgresql_desk", "sqlite_desk"]
