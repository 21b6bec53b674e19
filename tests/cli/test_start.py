"""How commands start: what they do not need is not loaded, and their help says what holds unless one says otherwise."""

import json
import subprocess
import sys

import pytest

from offhook.kit import openapi
from tests.cli.conftest import Run

SLOW = {"sqlalchemy", "alembic", "psycopg", "redis", "litestar", "uvicorn", "prometheus_client", "phonenumbers"} | {
    "holidays",
    "structlog",
    "opentelemetry",
}
_LISTS_WHAT_IT_LOADED = """
import json, sys
from offhook.cli import main
try:
    main()
finally:
    print(json.dumps(sorted(name for name in sys.modules if "." not in name)), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    """The libraries that a command has loaded when it ends."""
    command = [sys.executable, "-c", _LISTS_WHAT_IT_LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["serve", "--help"],
        ["key", "--help"],
        ["number", "list", "--help"],
        ["simulate", "--help"],
    ],
)
def test_help_comes_without_database_server_or_http_client(arguments):
    assert loaded(*arguments) & (SLOW | {"httpx"}) == set()


@pytest.mark.parametrize(
    "arguments",
    [["office", "list"], ["user", "list"], ["export"], ["verify"], ["coverage"], ["simulate", "+14155550100"]],
)
def test_a_command_that_asks_a_server_loads_no_database_and_no_server(arguments):
    found = loaded(*arguments, "--url", "http://127.0.0.1:1", "--key", "ohk_live_none")
    assert "httpx" in found, "it did ask"
    assert found & SLOW == set()


def test_a_command_on_a_folder_loads_no_web_framework_and_no_pages(company, empty):
    found = loaded("user", "list")
    assert "sqlalchemy" in found, "it did ask"
    assert found & {"litestar", "jinja2", "redis", "holidays", "opentelemetry"} == set()


def test_help_says_what_holds_unless_told_otherwise(offhook: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    serve = offhook("serve", "--help").out
    for name, default in (
        ("--data", "offhook-data"),
        ("--host", "127.0.0.1"),
        ("--port", "8080"),
        ("--log-level", "info"),
    ):
        line = next(line for line in serve.splitlines() if f" {name} " in line)
        assert f"default: ({default})" in line
    assert "default: (US)" in offhook("init", "--help").out
    assert "default: live" in offhook("key", "create", "--help").out


def test_offhooks_own_document_is_made_only_for_commands_that_show_it(offhook: Run, company, monkeypatch) -> None:
    made = []
    real = openapi.document

    def document(*operations, **told):
        made.append(told["title"])
        return real(*operations, **told)

    monkeypatch.setattr(openapi, "document", document)
    assert offhook("office", "list").status == 0
    assert made == []
    assert "offhook" in offhook("api", "list").out
    assert made == ["Offhook"]
