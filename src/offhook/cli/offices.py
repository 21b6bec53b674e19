"""Offices, by the API: a running server's with --url and --key, else that of the store on this machine.

What is shown is what any client of the API gets.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli import imports
from offhook.cli.common import (
    AsJson,
    emit,
    facts,
    following,
    moment,
    read_file,
    say,
    table,
    warn,
)
from offhook.cli.emergency import one_line
from offhook.cli.imports import Kind, Quiet, Report
from offhook.cli.records import RECORDS
from offhook.cli.way import DryRun, Way, again, by_api, run, warning
from offhook.client import Answer, Client
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Offices, by the API.")

OFFICES = "/api/v2/offices"
WHOLE = "/api/offhook/v1/offices"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

OfficeId = Annotated[str, typer.Argument(help="Its id, or the word primary.", metavar="ID")]


@app.command()
@by_api
def create(
    way: Way,
    file: Annotated[Path, typer.Argument(help="JSON body of a create; - reads standard input.")],
    dry_run: DryRun = False,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key again gives the same office again, not a second one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create an office from a JSON file."""
    body = read_file(file)

    async def work(client: Client) -> Answer:
        return await client.call("POST", OFFICES, body=body, dry_run=dry_run, idempotency_key=idempotency_key)

    answer: Answer = run(way, work, tells=False)
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
            way.acts_on(),
            ("now", _status(office["availability_status"])),
            ("time zone", office["timezone"]),
            ("main line", ", ".join(office.get("phone_numbers", ())) or "none"),
            ("emergency", _help(office)),
            ("next invoice", moment(int(plan["next_billing_date"]))),
        ]
    )
    if dry_run:
        _periods(document)
    warn(answer.notices)
    if not dry_run:
        following(f"offhook office show {office['id']}{again(way)}")


@app.command("list")
@by_api
def list_offices(
    way: Way,
    limit: Annotated[int, typer.Option(min=0, help="How many at most; 0 for all.")] = 100,
    active_only: Annotated[bool, typer.Option("--active-only", help="Only offices in the state active.")] = False,
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
@by_api
def show(
    way: Way,
    office_id: OfficeId,
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

    record, hours = run(way, work, tells=False)
    if as_json:
        emit({**record, "opening": hours})
        return
    office, plan = record["office"], record["plan"]
    say(office["name"], "bold")
    facts(_about(office, way))
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


def _about(office: Any, way: Way) -> list[tuple[str, str]]:
    return [
        ("id", office["id"] + ("  primary" if office["is_primary_office"] else "")),
        way.acts_on(),
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
    bill = ("address_line_1", "address_line_2", "city", "region", "postal_code")
    return [
        ("emergency", _help(office)),
        ("billing", one_line(office["billing"]["address"], *bill) or "none"),
    ]


def _help(office: Any) -> str:
    return one_line(office.get("e911_address", {})) or "none: calls for help carry no address"


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


# Import


@app.command("import")
@by_api
def import_offices(
    way: Way,
    file: Annotated[Path, typer.Argument(help="Offices, one a line as JSON (.jsonl, .ndjson), or a table (.csv).")],
    report: Report = None,
    quiet: Quiet = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import offices from a file. Safe to repeat: what was imported before is found, not made again."""
    kind = Kind("office", WHOLE + "/import", _named, RECORDS)
    imports.run(file, way, kind, report=report, quiet=quiet, dry_run=dry_run, as_json=as_json)


def _named(record: Any) -> str:
    return f"{record.get('id', '-'):<16} {shown(record.get('name', ''))}"
