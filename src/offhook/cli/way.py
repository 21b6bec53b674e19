"""How commands reach the API: that of a running server with --url and --key, else of the store on this machine.

What is shown is what any client of the API gets.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offhook.access.model import Environment, Principal
from offhook.client import Client, embedded, remote
from offhook.kit.errors import Notice, Refusal
from offhook.kit.settings import load

if TYPE_CHECKING:
    from offhook.storage.database import Transaction

Url = Annotated[
    str | None,
    typer.Option(envvar="OFFHOOK_URL", help="A running server, as http://127.0.0.1:8080.", metavar="URL"),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        "--key", envvar="OFFHOOK_KEY", help="The API key to use; other users of the machine see flags.", metavar="KEY"
    ),
]
In = Annotated[Environment, typer.Option("--environment", "-e", help="Without a key: live, or sandbox.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask every rule and say what would be; store nothing.")]


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach the API: by URL and key, or over the store that the settings name."""

    url: str | None
    key: str | None
    environment: Environment
    company: int | None
    data: str | None
    database_url: str | None
    config: Path | None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client while the block runs."""
        if self.url:
            if not self.key:
                raise Refusal("A server asks for a key: --key, or OFFHOOK_KEY in the environment.")
            async with remote(self.url, self.key) as client:
                yield client
            return
        from offhook.cli.store import opened
        from offhook.kit import log

        settings = load({"data": self.data, "database_url": self.database_url}, self.config)
        with opened(settings) as database, database.reading() as tx:
            caller = None if self.key else self._caller(tx)
        log.configure("error")
        async with embedded(settings, caller, self.key or "") as client:
            yield client

    def _caller(self, tx: "Transaction") -> Principal:
        from offhook.cli.store import company_of, tenant_of

        company = company_of(tx, self.company)
        tenant = tenant_of(tx, company, self.environment)
        return Principal(tenant, company.id, self.environment, 0, "offhook", frozenset({"admin"}))


def run(way: Way, work: Callable[[Client], Any]) -> Any:
    async def within() -> Any:
        async with way.client() as client:
            return await work(client)

    return asyncio.run(within())


def again(way: Way) -> str:
    """The options that reach the same place again, without the key."""
    if way.url:
        return f" --url {way.url}"
    return ("" if way.data is None else f" --data {way.data}") + (
        "" if way.environment == "live" else f" --environment {way.environment}"
    )


def warning(notice: Notice) -> dict[str, str]:
    """A warning as --json has it."""
    return {"code": notice.code, "field": notice.field, "text": notice.text}
