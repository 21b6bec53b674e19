"""Lines, by the API: how commands name one, and opening and closing one by hand, whatever its hours say."""

from datetime import datetime
from typing import Annotated, Any

import typer

from offhook.cli.common import AsJson, emit, facts, following, say, warn
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Lines: opened and closed by hand, and the workflow that they ask.")

V1 = "/api/offhook/v1"
PRIMARY = "primary"

MaybeOffice = Annotated[str | None, typer.Argument(help="The office's id, or the word primary.", metavar="OFFICE_ID")]
Department = Annotated[str | None, typer.Option(help="A department instead, by its id.", metavar="ID")]
CallCenter = Annotated[str | None, typer.Option("--callcenter", help="A call center instead.", metavar="ID")]
Until = Annotated[
    str | None, typer.Option(help="Until when, on the line's clock, as 2026-12-24 18:00.", metavar="MOMENT")
]
UntilNextChange = Annotated[
    bool, typer.Option("--until-next-change", help="Until its hours would open or close it the next time anyway.")
]
Reason = Annotated[str | None, typer.Option(help="Why, in a few words; traces of calls say it.", metavar="TEXT")]


def only_one(*named: tuple[str, str | None]) -> tuple[str, str] | None:
    """The one kind and id that was said; None if none was."""
    said = [(kind, id) for kind, id in named if id is not None]
    if len(said) > 1:
        raise Refusal(f"One thing at a time: {' and '.join(kind for kind, _ in said)} were said.")
    for kind, id in said:
        if not (id.isascii() and id.isdigit()) and (kind, id) != ("office", PRIMARY):
            word = ", or primary" if kind == "office" else ""
            raise Refusal(f"{shown(id)} is no id of {kind}s: a number, as lists show it{word}.")
    return said[0] if said else None


async def id_of(client: Client, kind: str, id: str) -> str:
    """The id, where primary stands for one."""
    if (kind, id) != ("office", PRIMARY):
        return id
    found: str = (await client.call("GET", "/api/v2/offices/primary")).document["id"]
    return found


@app.command("open")
@by_api
def open_line(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    until: Until = None,
    until_next_change: UntilNextChange = False,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Open a line from now on: until a moment, the next change of its hours, or until resumed."""
    line = line_named(office_id, department, callcenter)
    _change(way, line, "PUT", _body("open", until, until_next_change, reason), as_json=as_json)


@app.command("close")
@by_api
def close_line(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    until: Until = None,
    until_next_change: UntilNextChange = False,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Close a line from now on: until a moment, the next change of its hours, or until resumed."""
    line = line_named(office_id, department, callcenter)
    _change(way, line, "PUT", _body("closed", until, until_next_change, reason), as_json=as_json)


@app.command("resume")
@by_api
def resume_line(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    as_json: AsJson = False,
) -> None:
    """Let a line go by its hours again."""
    _change(way, line_named(office_id, department, callcenter), "DELETE", None, as_json=as_json)


def line_named(office_id: str | None, department: str | None, callcenter: str | None) -> tuple[str, str]:
    """The kind and id of the line that was said; a Refusal if none or several were."""
    line = only_one(("office", office_id), ("department", department), ("callcenter", callcenter))
    if line is None:
        raise Refusal("Which line? The id of an office, or --department ID, or --callcenter ID.")
    return line


def _body(status: str, until: str | None, until_next_change: bool, reason: str | None) -> dict[str, Any]:
    given = {"until": until, "until_next_change": until_next_change or None, "reason": reason}
    return {"status": status} | {name: value for name, value in given.items() if value is not None}


def _change(way: Way, line: tuple[str, str], method: str, body: Any, *, as_json: bool) -> None:
    kind, named = line

    async def work(client: Client) -> tuple[str, Answer]:
        id = await id_of(client, kind, named)
        path = f"{V1}/{kind}s/{id}/by-hand"
        return id, await client.call(method, path, body=None if body is None else body_of(body))

    id, answer = run(way, work)
    stands = answer.document
    if as_json:
        emit({**stands, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say(f"The line is {stands['availability_status'].replace('_', ', ')}.", "green bold")
    facts([("why", stands["explanation"]), ("next change", _clock(stands.get("next_change")))])
    warn(answer.notices)
    where = id if kind == "office" else f"--{kind} {id}"
    if stands["by_hand"]:
        following(f"offhook line resume {where}{again(way)}   lets it go by its hours again")
    else:
        following(f"offhook simulate --{kind} {id}{again(way)}   says what a caller would hear now")


def _clock(text: str | None) -> str:
    return f"{datetime.fromisoformat(text):%a %d %b %Y %H:%M}" if text else "none ahead"
