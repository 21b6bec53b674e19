"""The same application and companies as in tests/api."""

from tests.api.conftest import desk, embedded, runner, sqlite_desk

__all__ = ["desk", "embedded", "runner", "sqlite_desk"]
