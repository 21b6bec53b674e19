"""Offices, by the API: a running server's with --url and --key, else that of the store on this machine.

What is shown is what any client of the API gets.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from offhook.access.model import Environment, Principal
from offhook.cli.common import (
    AsJson,
    CompanyId,
    ConfigFile,
    Data,
    DatabaseUrl,
    company_of,
    emit,
    err,
    facts,
    following,
    moment,
    opened,
    out,
    read_file,
    say,
    table,
    tenant_of,
    warn,
)
from offhook.cli.records import Chunk, chunks
from offhook.client import Answer, Client, body_of, embedded, remote
from offhook.kit import log
from offhook.kit.errors import Notice, Refusal, shown
from offhook.kit.settings import load
from offhook.offices.bulk import CSV, NDJSON
from offhook.storage.database import Transaction

app = typer.Typer(no_args_is_help=True, help="Offices, by the API.")

OFFICES = "/api/v2/offices"
WHOLE = "/api/offhook/v1/offices"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

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
OfficeId = Annotated[str, typer.Argument(help="Its id, or the word primary.", metavar="ID")]


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
        settings = load({"data": self.data, "database_url": self.database_url}, self.config)
        with opened(settings) as database, database.reading() as tx:
            caller = None if self.key else self._caller(tx)
        log.configure("error")
        async with embedded(settings, caller, self.key or "") as client:
            yield client

    def _caller(self, tx: Transaction) -> Principal:
        company = company_of(tx, self.company)
        tenant = tenant_of(tx, company, self.environment)
        return Principal(tenant, company.id, self.environment, 0, "offhook", frozenset({"admin"}))


def run(way: Way, work: Callable[[Client], Any]) -> Any:
    """What `work` gives with a client of the API."""

    async def within() -> Any:
        async with way.client() as client:
            return await work(client)

    return asyncio.run(within())


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="JSON body of a create; - reads standard input.")],
    dry_run: DryRun = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key again gives the same office again, not a second one.")
    ] = None,
    url: Url = None,
    key: ApiKey = None,
    environment: In = "live",
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Create an office from a JSON file."""
    body = read_file(file)
    way = Way(url, key, environment, company, data, database_url, config)

    async def work(client: Client) -> Answer:
        return await client.call("POST", OFFICES, body=body, dry_run=dry_run, idempotency_key=idempotency_key)

    answer: Answer = run(way, work)
    document = answer.document
    if as_json:
        emit(document if dry_run else {**document, "warnings": [warning(notice) for notice in answer.notices]})
        return
    office, plan = document["office"], document["plan"]
    if dry_run:
        say(f"{office['name']} would be created; nothing was stored.", "green bold")
    elif answer.replayed:
        say(f"{office['name']} was created before with this idempotency key; it is there once.", "green bold")
    else:
        say(f"{office['name']} is created.", "green bold")
    facts(
        [
            *([] if dry_run else [("id", office["id"])]),
            ("now", _status(office["availability_status"])),
            ("time zone", office["timezone"]),
            ("main line", ", ".join(office.get("phone_numbers", ())) or "none"),
            ("next invoice", moment(int(plan["next_billing_date"]))),
        ]
    )
    if dry_run:
        _periods(document)
    warn(answer.notices)
    if not dry_run:
        following(f"offhook office show {office['id']}{again(way)}")


@app.command("list")
def list_offices(
    limit: Annotated[int, typer.Option(min=0, help="How many at most; 0 for all.")] = 100,
    active_only: Annotated[bool, typer.Option("--active-only", help="Only offices in the state active.")] = False,
    url: Url = None,
    key: ApiKey = None,
    environment: In = "live",
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List offices, oldest first, with their state as of now."""

    async def work(client: Client) -> tuple[list[Any], bool]:
        found: list[Any] = []
        query = {"limit": "100"} | ({"active_only": "true"} if active_only else {})
        while True:
            page = (await client.patiently(lambda: client.call("GET", OFFICES, query=query))).document
            found += page.get("items", [])
            if "cursor" not in page:
                return (found[:limit] if limit else found), bool(limit) and len(found) > limit
            if limit and len(found) >= limit:
                return found[:limit], True
            query["cursor"] = page["cursor"]

    way = Way(url, key, environment, company, data, database_url, config)
    offices, more = run(way, work)
    if as_json:
        emit({"items": offices, "more": more})
        return
    table(
        ("ID", "NAME", "COUNTRY", "NOW", "TIME ZONE", "NUMBERS"),
        [
            (
                office["id"],
                office["name"] + (" (primary)" if office["is_primary_office"] else ""),
                office["country"].upper(),
                _status(office["availability_status"]),
                office["timezone"],
                " ".join(office.get("phone_numbers", ())),
            )
            for office in offices
        ],
    )
    if more:
        following(f"offhook office list --limit {limit * 10}   there are more than {limit}")


@app.command()
def show(
    office_id: OfficeId,
    url: Url = None,
    key: ApiKey = None,
    environment: In = "live",
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is stored of an office, when it opens, and the next change."""
    if office_id != "primary" and not (office_id.isascii() and office_id.isdigit()):
        raise Refusal(f"{shown(office_id)} is no id: a number, as offhook office list shows it, or primary.")

    async def work(client: Client) -> tuple[Any, Any]:
        wanted = office_id
        if wanted == "primary":
            wanted = (await client.call("GET", OFFICES + "/primary")).document["id"]
        record = (await client.call("GET", f"{WHOLE}/{wanted}")).document
        return record, (await client.call("GET", f"{WHOLE}/{wanted}/opening-periods")).document

    record, hours = run(Way(url, key, environment, company, data, database_url, config), work)
    if as_json:
        emit({**record, "opening": hours})
        return
    office, plan = record["office"], record["plan"]
    say(office["name"], "bold")
    facts(_about(office))
    _section("Opening hours")
    facts(_hours(office))
    _periods(hours)
    _section("Calls")
    facts(_calls(office))
    _section("Addresses")
    facts(_addresses(office))
    _section("Billing")
    facts(_billing(office, plan))


def _section(title: str) -> None:
    say()
    say(title, "bold")


def _about(office: Any) -> list[tuple[str, str]]:
    return [
        ("id", office["id"] + ("  primary" if office["is_primary_office"] else "")),
        ("state", office["state"]),
        ("country", office["country"].upper()),
        ("time zone", office["timezone"]),
        ("main line", office.get("mainline_number", "none")),
        ("numbers", ", ".join(office.get("phone_numbers", ())) or "none"),
        ("description", office["group_description"] or "-"),
        ("created", moment(int(office["created_at"]))),
        ("changed", f"{moment(int(office['updated_at']))}, version {office['version']}"),
    ]


def _hours(office: Any) -> list[tuple[str, str]]:
    rows = [("hours count", "yes" if office["hours_on"] else "no, it takes calls at any hour")]
    rows += [(day, _pairs(office.get(f"{day}_hours", []))) for day in DAYS]
    for day in office.get("special_days", []):
        yearly = ", each year" if day["repeats_yearly"] else ""
        rows.append((day["date"], f"{_pairs(day['hours'])}   {day['name']} ({day['kind']}{yearly})"))
    return rows


def _calls(office: Any) -> list[tuple[str, str]]:
    rows = [("rings", f"{office['ring_seconds']} s")]
    for state in ("open", "closed"):
        routing = office["routing_options"][state]
        first = f"operators ({routing['operator_routing']}), then " if routing["try_dial_operators"] else ""
        rows.append((f"while {state}", first + _action(routing)))
        rows += [
            (f"  key {key['input']}", _action(key.get("options", {})))
            for key in routing.get("dtmf", [])
            if "input" in key
        ]
    voice = office["voice_intelligence"]
    rows += [
        ("recorded", _yes(office["auto_call_recording"])),
        ("transcribed", _yes(voice["auto_start"]) + (", may be stopped" if voice["allow_pause"] else "")),
        ("calls abroad", _yes(office["international_enabled"])),
    ]
    return rows


def _action(options: Any) -> str:
    target = f"{options.get('action_target_type', '')} {options.get('action_target_id', '')}".strip()
    return f"{options.get('action', 'nothing')}{f' ({target})' if target else ''}"


def _addresses(office: Any) -> list[tuple[str, str]]:
    emergency = office.get("e911_address", {})
    return [
        ("emergency", _one_line(emergency, "address", "address2", "city", "state", "zip")),
        (
            "billing",
            _one_line(
                office["billing"]["address"], "address_line_1", "address_line_2", "city", "region", "postal_code"
            ),
        ),
    ]


def _one_line(address: Any, *fields: str) -> str:
    parts = [address[field] for field in fields if address.get(field)]
    return ", ".join([*parts, address.get("country", "").upper()]) if parts else "none"


def _billing(office: Any, plan: Any) -> list[tuple[str, str]]:
    terms, contact = office["billing"], office["billing"].get("contact")
    bound = terms.get("committed_until")
    return [
        ("plan", f"{terms['plan_period']}, {terms['currency']}, by {terms['payment']}"),
        ("committed", f"until {moment(int(bound))}" if bound else "no"),
        ("invoice of", f"office {terms['invoice_office_id']}"),
        ("next invoice", moment(int(plan["next_billing_date"]))),
        ("balance", plan["balance"]),
        ("contact", f"{contact['name']} <{contact['email']}> {contact.get('phone', '')}".strip() if contact else "-"),
    ]


def _pairs(times: list[str]) -> str:
    pairs = [f"{start}–{end}" for start, end in zip(times[::2], times[1::2], strict=False)]
    return ", ".join(pairs) or "closed"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _status(word: str) -> str:
    return word.replace("_", ", ") if word.startswith("holiday") else word


def _periods(document: Any) -> None:
    """Status and why, the next change, the coming week: of opening-periods' answer or a dry run's."""
    rows = []
    if "status" in document:
        rows.append(("now", f"{_status(document['status'])}: {document['explanation']}"))
    change = document.get("next_change")
    rows.append(("next change", f"{_clock(change['at'])}, {_status(change['to'])}" if change else "none in 400 days"))
    periods = document.get("periods", document.get("opening_periods", []))
    for index, period in enumerate(periods[:14]):
        start, end = datetime.fromisoformat(period["start"]), datetime.fromisoformat(period["end"])
        until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %d %b %H:%M}"
        rows.append(("" if index else "coming week", f"{start:%a %d %b %H:%M} to {until}"))
    facts(rows)


def _clock(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at:%a %d %b %Y %H:%M} ({at:%z})"


def warning(notice: Notice) -> dict[str, str]:
    """A warning as --json has it."""
    return {"code": notice.code, "field": notice.field, "text": notice.text}


def again(way: Way) -> str:
    """The options that reach the same place again, without the key."""
    if way.url:
        return f" --url {way.url}"
    return ("" if way.data is None else f" --data {way.data}") + (
        "" if way.environment == "live" else f" --environment {way.environment}"
    )


# Import


@app.command("import")
def import_offices(
    file: Annotated[Path, typer.Argument(help="Offices, one a line as JSON (.jsonl, .ndjson), or a table (.csv).")],
    report: Annotated[
        Path | None, typer.Option(help="Also write a JSON line for each record to this file.", metavar="FILE")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Name only records that were refused.")] = False,
    dry_run: DryRun = False,
    url: Url = None,
    key: ApiKey = None,
    environment: In = "live",
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Import offices from a file. Safe to repeat: what was imported before is found, not made again."""
    media = {".csv": CSV, ".jsonl": NDJSON, ".ndjson": NDJSON}.get(file.suffix.lower())
    if media is None:
        raise Refusal(f"{file} is neither .jsonl (or .ndjson) nor .csv: its name's end says how to read it.")
    way = Way(url, key, environment, company, data, database_url, config)
    with _readable(file) as source, _writable(report) as kept:
        size = file.stat().st_size
        with _bar() as bar:
            task = bar.add_task(f"Importing {file.name}", total=size)
            # On one terminal the bar must know of the lines, or they would run into it.
            console = bar.console if out.is_terminal else out
            done = _Import(console, quiet=quiet or as_json, kept=kept, keep=as_json)

            async def work(client: Client) -> None:
                for chunk in chunks(source, table=media == CSV):
                    await done.send(client, chunk, media, dry_run, bar.console.print)
                    bar.update(task, completed=chunk.end)

            stopped: Refusal | None = None
            try:
                run(way, work)
            except Refusal as refusal:
                if not done.counts:
                    raise
                stopped = refusal
    if as_json:
        emit(
            {
                **{status: done.counts.get(status, 0) for status in _COLOURS},
                "complete": stopped is None,
                "records": done.records,
            }
        )
    else:
        done.summary()
    if stopped is not None:
        text = f"Stopped behind line {done.line}: {stopped.message} What is listed as created is stored; import again."
        raise Refusal(text, stopped.violations)
    refused = done.counts.get("refused", 0)
    if refused and dry_run and not as_json:
        following(f"mend what would be refused, then offhook office import {file}{again(way)}")
    elif refused and not as_json:
        following(f"mend what was refused and import {file} again{again(way)}: the others are found, not made twice")
    elif not as_json and dry_run:
        following(f"offhook office import {file}{again(way)}")
    elif not as_json:
        following(f"offhook office list{again(way)}")
    if refused:
        raise typer.Exit(1)


_COLOURS = {"created": "green", "existing": "cyan", "would_create": "green", "refused": "red"}
_WORDS = {"would_create": "would be created"}


class _Import:
    """An import under way: what became of the records so far."""

    def __init__(self, console: Console, *, quiet: bool, kept: IO[bytes] | None, keep: bool) -> None:
        self._console = console
        self.counts: dict[str, int] = {}
        self.line = 0
        self.records: list[Any] = []
        self._quiet = quiet
        self._kept = kept
        self._keep = keep
        self._said: set[tuple[str, str]] = set()

    async def send(self, client: Client, chunk: Chunk, media: str, dry_run: bool, show: Callable[..., None]) -> None:
        """Import a chunk and report on each of its records."""
        records: list[Any] = []
        if chunk.body:

            def waiting(seconds: float) -> None:
                show(Text(f"The server asks to wait {seconds:.0f} s.", "yellow"))

            answer = await client.patiently(
                lambda: client.call("POST", WHOLE + "/import", body=chunk.body, media=media, dry_run=dry_run), waiting
            )
            records = answer.document["records"]
            for record in records:
                record["line"] += chunk.offset
            self._warn_once(answer.notices, show)
        records += [
            {"line": line, "status": "refused", "errors": [{"location": "", "message": text, "reason": "badRequest"}]}
            for line, text in chunk.unsendable
        ]
        for record in sorted(records, key=lambda one: one["line"]):
            self.counts[record["status"]] = self.counts.get(record["status"], 0) + 1
            self.line = record["line"]
            if self._keep:
                self.records.append(record)
            if self._kept is not None:
                self._kept.write(body_of(record) + b"\n")
            if not self._quiet or (record["status"] == "refused" and not self._keep):
                for line in _lines(record):
                    self._console.print(line, soft_wrap=True)

    def _warn_once(self, notices: Iterable[Notice], show: Callable[..., None]) -> None:
        for notice in notices:
            if (notice.code, notice.field) not in self._said:
                self._said.add((notice.code, notice.field))
                show(Text(f"{notice.field or notice.code}  {notice.text}", "yellow"))

    def summary(self) -> None:
        """How many records became what."""
        total = sum(self.counts.values())
        parts = [f"{count:,} {_WORDS.get(word, word)}" for word in _COLOURS if (count := self.counts.get(word))]
        say(f"{total:,} record{'' if total == 1 else 's'}: {', '.join(parts) or 'nothing to import'}.", "bold", to=err)


def _lines(record: Any) -> list[Text]:
    """A record's line, and one for each thing wrong with it or guessed."""
    status = record["status"]
    head = Text(f"line {record['line']:<6} ", "dim") + Text(
        f"{_WORDS.get(status, status):<9}", _COLOURS.get(status, "")
    )
    lines = [head + Text(f" {record.get('id', '-'):<16} {shown(record.get('name', ''))}".rstrip())]
    for error in record.get("errors", []):
        sent = f" Sent: {shown(error['sent'])}" if error.get("sent") is not None else ""
        lines.append(
            Text(f"  {error['location'] or '(record)'}: ", "bold") + Text(error["message"]) + Text(sent, "dim")
        )
    for warning in record.get("warnings", []):
        place = warning["field"] or warning["code"]
        lines.append(Text(f"  {place}: ", "yellow") + Text(warning["text"], "dim"))
    return lines


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def _readable(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from None


def _writable(report: Path | None) -> Any:
    if report is None:
        return nullcontext()
    try:
        return report.open("wb")
    except OSError as error:
        raise Refusal(f"{report} cannot be written: {error.strerror}.") from None
