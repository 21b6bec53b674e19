"""The application over both stores, as for the API's tests, with a company of its own for each test."""

from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]
