"""How commands reach the API: that of a running server with --url and --key, else of the store on this machine.

What is shown is what any client of the API gets.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offhook.access.model import ENVIRONMENTS, Environment, Principal
from offhook.cli.common import CompanyId, ConfigFile, Data, DatabaseUrl, NotThere, State, err, facts, moment, say
from offhook.client import Client, Refused, embedded, remote
from offhook.kit.errors import NotFound, Notice, Refusal
from offhook.kit.settings import load, named

if TYPE_CHECKING:
    from offhook.storage.database import Transaction
    from offhook.storage.served import Served

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
In = Annotated[
    Environment | None,
    typer.Option("--environment", "-e", help="Without a key: live, which is meant unless said, or sandbox."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Ask every rule and say what would be; store nothing.")]


_OPTIONS: Mapping[str, Any] = {
    "url": Url,
    "key": ApiKey,
    "environment": In,
    "company": CompanyId,
    "data": Data,
    "database_url": DatabaseUrl,
    "config": ConfigFile,
}
"""What leads to the API, as all commands that ask it have it."""


def by_api(command: Callable[..., None]) -> Callable[..., None]:
    """A command that asks the API. It takes the `way` there, which people say by the options that lead to it."""
    own = dict(inspect.signature(command, eval_str=True).parameters)
    del own["way"]
    last = own.pop("as_json")
    leading = [Parameter(name, last.kind, default=None, annotation=kind) for name, kind in _OPTIONS.items()]
    shown = [Parameter("within", last.kind, annotation=typer.Context), *own.values(), *leading, last]

    def run_it(within: typer.Context, **given: Any) -> None:
        way = Way(**{name: given.pop(name) for name in _OPTIONS})
        State.completed = partial(completed, way, within.find_root().command)
        command(way=way, **given)

    run_it.__name__, run_it.__doc__ = command.__name__, command.__doc__
    run_it.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    run_it.__annotations__ = {one.name: one.annotation for one in shown}
    return run_it


@dataclass(slots=True)
class Way:
    """How to reach the API: by URL and key, or over the store that the settings name."""

    url: str | None
    key: str | None
    environment: Environment | None
    company: int | None
    data: str | None
    database_url: str | None
    config: Path | None
    served: "Served | None" = field(default=None, init=False)
    """Who serves the store on this machine, or did last, once a client was there."""
    _told: bool = field(default=False, init=False)

    @property
    def of_key(self) -> Environment | None:
        """The environment that the key is of, as its beginning says."""
        for one in ENVIRONMENTS:
            if self.key and self.key.startswith(f"ohk_{one}_"):
                return one
        return None

    def acts_on(self) -> tuple[str, str]:
        """The environment as a row of facts; it is said once."""
        self._told = True
        if self.key:
            return "environment", f"{self.of_key or 'unknown'}, by the key"
        return "environment", self.environment or "live, as none was said; -e sandbox is the other"

    def tell(self, *, of_key: bool = True) -> None:
        """Say which environment it is, unless that was said, or scripts are answered.

        Where a key decides, it is said only if the caller wants it `of_key`, and if the key itself tells.
        """
        if self.key and not (of_key and self.of_key):
            return
        if not self._told and not State.json:
            facts([self.acts_on()], to=err)

    @asynccontextmanager
    async def client(self, *, takes_on: bool = False) -> AsyncIterator[Client]:
        """A client while the block runs. Without a server, with `takes_on`, workflow runs go on in this process."""
        if self.environment is not None and self.of_key not in (None, self.environment):
            raise Refusal(f"The key is one of the {self.of_key} environment: leave --environment out, or the key.")
        if self.url:
            if not self.key:
                raise Refusal("A server asks for a key: --key, or OFFHOOK_KEY in the environment.")
            async with remote(self.url, self.key) as client:
                yield client
            return
        from offhook.cli.store import opened
        from offhook.kit import log
        from offhook.storage import served

        flags = {"data": self.data, "database_url": self.database_url}
        settings = load(flags, self.config)
        with opened(settings) as database:
            self.served = served.found(database)
            with database.reading() as tx:
                caller = None if self.key else self._caller(tx)
        log.configure("error")
        settings = served.as_served(settings, self.served, named(flags, self.config))
        self._tell_of_realm(settings.sip_realm)
        async with embedded(settings, caller, self.key or "", takes_on=takes_on) as client:
            yield client

    def _tell_of_realm(self, realm: str) -> None:
        """Say it where passwords made here are no good for the server that answers telephones."""
        if self.served is None or not self.served.now or not self.served.sip.sip:
            return
        if realm != self.served.sip.sip_realm:
            say(
                f"sip_realm is {realm} here, and {self.served.sip.sip_realm} where telephones are answered: "
                "passwords made for one are void for the other.",
                "yellow",
                to=err,
            )

    def _caller(self, tx: "Transaction") -> Principal:
        from offhook.cli.store import company_of, tenant_of

        company = company_of(tx, self.company)
        environment = self.environment or "live"
        tenant = tenant_of(tx, company, environment)
        return Principal(tenant, company.id, environment, 0, "offhook", frozenset({"admin"}))


def run(
    way: Way, work: Callable[[Client], Any], *, tells: bool = True, takes_on: bool = False, of_key: bool = False
) -> Any:
    """What `work` gives. The environment is said with it, unless the caller `tells` it in another place.

    Whoever gave a key has chosen it: then it is said where the caller wants it `of_key`, and of what is not there. With
    `takes_on` workflow runs that `work` starts go on in this process while it lasts, if there is no server.
    """

    async def within() -> Any:
        async with way.client(takes_on=takes_on) as client:
            try:
                found = await work(client)
            except Refused as refused:
                # Many may have been refused: what is last is read.
                State.afterwards = partial(way.tell, of_key=of_key or refused.code == NotFound.status)
                raise
            except NotThere as missing:
                State.afterwards = partial(way.tell, of_key=True)
                raise NotFound(missing.told(again(way))) from None
            if tells:
                way.tell(of_key=of_key)
            return found

    return asyncio.run(within())


def again(way: Way) -> str:
    """The options that reach the same place again, without the key."""
    if way.url:
        return f" --url {way.url}"
    return on_this_machine(way.data, way.config, way.company) + (
        "" if way.environment in (None, "live") else f" --environment {way.environment}"
    )


def without_server(way: Way) -> str:
    """The options that lead a command without --url, as key create, to the same company and environment."""
    environment = way.of_key or way.environment
    there = "" if way.url else on_this_machine(way.data, way.config, way.company)
    return there + (f" --environment {environment}" if environment not in (None, "live") else "")


_COMMAND = re.compile(r"\boffhook((?: [a-z][a-z-]*)+)")


def completed(way: Way, root: Any, text: str) -> str:
    """What is said, with the options in its commands that lead to the same place again: the API does not know how it
    was asked.

    `root` has all commands; words behind `offhook` that are none of them stay as they are. So does a text that has the
    options.
    """

    def of(found: re.Match[str]) -> str:
        at, words = root, found[1].split()
        known = 0
        while known < len(words) and words[known] in getattr(at, "commands", ()):
            at, known = at.commands[words[known]], known + 1
        options = {option for one in at.params for option in one.opts}
        if hasattr(at, "commands") or "--environment" not in options:
            return found[0]
        asked = again(way) if "--url" in options else without_server(way)
        if asked in text:
            return found[0]
        return f"offhook {' '.join(words[:known])}{asked}{''.join(f' {word}' for word in words[known:])}"

    return _COMMAND.sub(of, text)


def on_this_machine(data: str | None, config: Path | None, company: int | None) -> str:
    """The options that lead to the same store and company again. The URL of a database may hold a password: it is left
    to whoever gave it.
    """
    given = (("data", data), ("config", config), ("company", company))
    return "".join(f" --{name} {value}" for name, value in given if value is not None)


def served_row(way: Way, *, telephones: bool = False, only_if_not_now: bool = False) -> list[tuple[str, str]]:
    """Whether what is told of this machine's server is true now, as a row of facts; nothing of a server elsewhere."""
    if way.url:
        return []
    served = way.served
    if served is None:
        return [("served", "not yet: this is what the settings say")]
    began = moment(served.sip.at if telephones else served.note.at)
    if not served.now:
        return [("served", f"not now: this is as it was last, or as the settings say; it began {began}")]
    if telephones and not served.sip.sip:
        return [("served", "now, but telephones are not answered (sip is off)")]
    return [] if only_if_not_now else [("served", f"now, since {began}")]


def warning(notice: Notice) -> dict[str, str]:
    """A warning as --json has it."""
    return {"code": notice.code, "field": notice.field, "text": notice.text}
