"""The same application and companies as in tests/api."""

from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk

__all__ = ["company", "desk", "embedded", "postgresql_desk", "runner", "sqlite_desk"]
