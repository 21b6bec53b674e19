"""The same application and companies as in tests/api, and stores as in tests/routing."""

from tests.api.conftest import company, desk, embedded, postgresql_desk, runner, sqlite_desk
from tests.routing.conftest import postgres_template, sqlite_template, url

__all__ = [
    "company",
    "desk",
    "embedded",
    "postgres_template",
    "postgresql_desk",
    "runner",
    "sqlite_desk",
    "sqlite_template",
    "url",
]
