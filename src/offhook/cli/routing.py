"""Where calls go, by the API: a call that is not made, what callers would be lost by, a week on a terminal.

Nothing here changes anything. What is shown is what any client of the API gets.
"""

import shlex
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from offhook.cli import workflow_files as files
from offhook.cli.common import AsJson, emit, err, following, say, warn, write_private
from offhook.cli.lines import V1, CallCenter, Department, MaybeOffice, id_of, only_one
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.durations import passed
from offhook.kit.errors import Refusal

WARNINGS, ERRORS = 1, 2
_RANKS = ("error", "warning", "hint")
_STYLES = {"came": "bold", "why": "dim", "rang": "green", "heard": "cyan", "did": "magenta"}
_LABELS = {"came": "call", "why": "", "rang": "rings", "heard": "hears", "did": "does"}
_ALL = ("nobody", "everybody")
_HALF_HOURS = 48
_LEGEND = (
    ("#", "somebody rings"),
    ("k", "somebody behind a key of the menu"),
    ("!", "open, and nobody"),
    ("·", "closed"),
)
_SIGNS = tuple(sign for sign, _ in _LEGEND)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("simulate")(simulate)
    app.command("verify")(verify)
    app.command("coverage")(coverage)


# A call that is not made


@by_api
def simulate(
    way: Way,
    number: Annotated[str | None, typer.Argument(help="What is dialled: one of the company's numbers.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="When, on the clock of what is called, as 2026-12-24 17:59; now unless said.", metavar="MOMENT"
        ),
    ] = None,
    press: Annotated[
        list[str] | None,
        typer.Option(help="What the caller presses, each time keys are asked for; repeat it.", metavar="KEYS"),
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            help="nobody (as unless said), everybody, or who, and after how many seconds; repeat it.",
            metavar="WHO[@SECONDS]",
        ),
    ] = None,
    caller: Annotated[
        str, typer.Option("--from", help="The caller's number; hidden unless said.", metavar="NUMBER")
    ] = "",
    user: Annotated[
        str | None,
        typer.Option("--as", help="Somebody of the company dials: an id, extension, e-mail, name.", metavar="USER"),
    ] = None,
    office: Annotated[str | None, typer.Option(help="An office instead of a number.", metavar="ID")] = None,
    department: Department = None,
    callcenter: CallCenter = None,
    callrouter: Annotated[str | None, typer.Option(help="A call router instead.", metavar="ID")] = None,
    says: Annotated[
        list[str] | None,
        typer.Option(
            "--workflow-says", help="What a workflow says at a step: JSON, or @FILE; repeat it.", metavar="JSON"
        ),
    ] = None,
    transfer: Annotated[
        list[str] | None,
        typer.Option(help="What who talks dials to send the call on, each time; repeat it.", metavar="TO"),
    ] = None,
    hang_up: Annotated[
        int | None, typer.Option("--hang-up", min=0, help="The caller gives up after so long.", metavar="SECONDS")
    ] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid sequence diagram.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what would happen to a call, step by step and why. Nobody rings, and nothing changes."""
    lines = (("office", office), ("department", department), ("callcenter", callcenter), ("callrouter", callrouter))
    called = only_one(*lines)
    if (number is None) == (called is None):
        raise Refusal("What is called? A number, or an office, department, call center or call router by its id.")
    body: dict[str, Any] = {"caller": caller, "press": press or [], **_answering(answer or [])}
    given = {"to": number, "at": at, "caller_user": user, "hang_up_after": hang_up}
    body |= {name: value for name, value in given.items() if value is not None}
    if transfer:
        body["transfers"] = [{"to": one} for one in transfer]
    if says:
        body["workflows"] = [files.object_of(one, "--workflow-says") for one in says]

    async def work(client: Client) -> Answer:
        target = {}
        if called is not None:
            target = {"target_type": called[0], "target_id": await id_of(client, *called)}
        return await client.call("POST", f"{V1}/simulate", body=body_of(body | target))

    found: Answer = run(way, work, tells=not mermaid)
    trace = found.document
    if as_json:
        emit({**trace, "warnings": [warning(notice) for notice in found.notices]})
        return
    if mermaid:
        sys.stdout.write(trace["mermaid"])
        return
    warn(found.notices)
    for one in trace["story"]:
        say(f"{_minutes(one['seconds'])}  {_LABELS[one['kind']]:<5}  {one['text']}", _STYLES[one["kind"]])
    say(_ending(trace), "bold")
    following(f"offhook verify{again(way)}   finds calls that would be lost")


def _answering(said: list[str]) -> dict[str, Any]:
    """What `--answer` means: what all do, and what single people do."""
    everyone = [one for one in said if one in _ALL]
    if len(set(everyone)) > 1:
        raise Refusal("--answer nobody and --answer everybody contradict each other.")
    people = []
    for one in said:
        if one not in _ALL:
            who, at, seconds = one.rpartition("@")
            timed = bool(at) and seconds.isascii() and seconds.isdigit()
            people.append({"who": who, "after": int(seconds)} if timed else {"who": one})
    return {"answer": everyone[0] if everyone else "nobody", "people": people}


def _minutes(seconds: float) -> str:
    return f"{passed(seconds):>6}"


def _ending(trace: Any) -> str:
    """Who rang, and where the call ended, in a line."""
    rang = dict.fromkeys(name for one in trace["rang"] for name in one["names"])
    who = f"{', '.join(rang)} rang" if rang else "Nobody rang"
    end = trace["ends_at"]
    outcome = trace["outcome"].replace("_", " ")
    return f"{_minutes(trace['seconds'])}  {who}; it ended at {end['name']} ({end['type']} {end['id']}): {outcome}."


# What callers would be lost by


@by_api
def verify(
    way: Way,
    office_id: Annotated[
        str | None, typer.Argument(help="An office's id, or primary; all offices unless said.", metavar="OFFICE_ID")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what callers would be lost by, at all times of a year and with all keys.

    Ends with 0 if there is nothing, or hints alone; with 1 for warnings, as for a refusal; with 2 for errors.
    """
    named = only_one(("office", office_id))

    async def work(client: Client) -> tuple[list[Any], int]:
        if named is not None:
            offices = [{"id": await id_of(client, *named), "name": ""}]
        else:
            offices = await _offices(client)
        found: dict[tuple[str, ...], Any] = {}
        with err.status("Verifying") if err.is_terminal else nullcontext() as shown_status:
            for number, office in enumerate(offices, 1):
                if shown_status is not None:
                    shown_status.update(f"Verifying {number:,} of {len(offices):,}: {office['name']}")
                path = f"{V1}/offices/{office['id']}/verify"
                report = (await client.patiently(lambda path=path: client.call("POST", path))).document  # type: ignore[misc]
                # What an office's callers meet in another office is that office's finding, too.
                for one in report["findings"]:
                    where = one["where"]
                    found.setdefault(
                        (one["code"], where["target_type"], where["target_id"], where.get("field", "")), one
                    )
        return sorted(found.values(), key=lambda one: _RANKS.index(one["severity"])), len(offices)

    findings, offices = run(way, work)
    counts = {f"{rank}s": sum(one["severity"] == rank for one in findings) for rank in _RANKS}
    if as_json:
        emit({"offices": offices, **counts, "findings": findings})
    else:
        _show_findings(way, findings, offices)
    if counts["errors"] or counts["warnings"]:
        raise typer.Exit(ERRORS if counts["errors"] else WARNINGS)


async def _offices(client: Client) -> list[Any]:
    found: list[Any] = []
    query = {"limit": "100"}
    while True:
        page = (await client.patiently(lambda: client.call("GET", "/api/v2/offices", query=query))).document
        found += page.get("items", [])
        if "cursor" not in page:
            return found
        query["cursor"] = page["cursor"]


def _show_findings(way: Way, findings: list[Any], offices: int) -> None:
    from offhook.routing.findings import Finding, render

    sys.stdout.write(render(msgspec.convert(findings, list[Finding])))
    say(f"{offices:,} office{'' if offices == 1 else 's'} verified.", "dim", to=err)
    for one in findings:
        example = one.get("example")
        if example and example["type"] in ("office", "department", "callcenter", "callrouter"):
            pressed = "".join(f" --press {shlex.quote(key)}" for key in example["keys"])
            call = f"--{example['type']} {example['id']} --at {example['at']}{pressed}"
            following(f"offhook simulate {call}{again(way)}   shows the first of them")
            return


# A week


@by_api
def coverage(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    week_of: Annotated[
        str | None,
        typer.Option("--week-of", help="A date of the week, as 2026-12-24; this week unless said.", metavar="DATE"),
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write a picture to this file; - is standard output.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who can be reached when: a week of every line of the company, of an office, or of one line."""
    named = only_one(("office", office_id), ("department", department), ("callcenter", callcenter))
    query = {"week_of": week_of} if week_of is not None else {}
    if svg is not None and as_json:
        raise Refusal("--svg and --json are two kinds of answers; say one of them.")

    async def work(client: Client) -> Any:
        of = f"/{named[0]}s/{await id_of(client, *named)}" if named is not None else ""
        path = f"{V1}{of}/coverage"
        if svg is not None:
            return await client.content(path, {**query, "format": "svg"})
        return (await client.call("GET", path, query=query)).document

    found = run(way, work)
    if svg is not None:
        if str(svg) == "-":
            sys.stdout.write(found.decode())
        else:
            write_private(svg, found)
            say(f"The picture is in {svg}.", "green", to=err)
        return
    if as_json:
        emit(found)
        return
    for week in found["weeks"]:
        for line in _grid(week):
            say(line)
        say()
    say("   ".join(f"{sign} {meaning}" for sign, meaning in _LEGEND), "dim")
    following(f"offhook verify{again(way)}   says what is wrong with it, and how to mend it")


def _grid(week: Any) -> list[str]:
    """A line's week: its name, the hours, and a row a day with a character each half hour of its own clock."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(week["timezone"])
    stretches = [
        (datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]), _kind(one))
        for one in week["stretches"]
    ]
    place = week["line"]
    first = datetime.fromisoformat(week["first_day"])
    lines = [
        f"{place['name']}   {place['type']} {place['id']}   {week['timezone']}",
        " " * 12 + "".join(f"{hour:<6}" for hour in range(0, 24, 3)).rstrip(),
    ]
    for number in range(7):
        day = first + timedelta(days=number)
        row = ""
        for half in range(_HALF_HOURS):
            clock = day + timedelta(minutes=30 * half)
            start = clock.replace(tzinfo=zone).astimezone(UTC)
            # A half hour that the clock skips is none.
            skipped = start.astimezone(zone).replace(tzinfo=None) != clock
            row += " " if skipped else _sign(stretches, start)
        lines.append(f"{day:%a %d %b}  {row}")
    return lines


def _kind(stretch: Any) -> int:
    if stretch["rings"]:
        return 0
    if stretch["reachable"]:
        return 1
    return 2 if stretch["open"] else 3


def _sign(stretches: list[tuple[datetime, datetime, int]], start: datetime) -> str:
    """What half an hour shows: what holds longest in it, but an open line without anybody however short that is."""
    end = start + timedelta(minutes=30)
    lasting: dict[int, timedelta] = {}
    for begins, ends, kind in stretches:
        if begins < end and ends > start:
            lasting[kind] = lasting.get(kind, timedelta()) + (min(end, ends) - max(start, begins))
    if not lasting:
        return " "
    return _SIGNS[2 if 2 in lasting else max(lasting, key=lambda kind: lasting[kind])]
