"""Whether the calls of a line are recorded, by the API. What else becomes of them stays as it is."""

from typing import Annotated, Any

import typer

from offhook.cli.common import AsJson, emit, following, say, warn
from offhook.cli.lines import V1, CallCenter, Department, MaybeOffice, id_of, line_named
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of

FIELD = "auto_call_recording"
BOTH = ("call_recording_inbound", "call_recording_outbound")
"""What call centers say apart."""


def register(line: typer.Typer) -> None:
    """Add the command to those of lines."""
    line.command("record", epilog="Example: offhook line record primary")(record)


@by_api
def record(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    off: Annotated[bool, typer.Option("--off", help="Calls are recorded no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have the calls of a line recorded: callers are told so, and both sides are heard once they talk."""
    kind, named = line_named(office_id, department, callcenter)

    async def work(client: Client) -> tuple[str, Answer]:
        id = await id_of(client, kind, named)
        if kind == "office":
            return id, await _of_office(client, id, not off)
        on: Any = {"advanced_settings": {FIELD: dict.fromkeys(BOTH, not off)}} if kind == "callcenter" else None
        return id, await client.call("PATCH", f"/api/v2/{kind}s/{id}", body=body_of(on or {FIELD: not off}))

    id, answer = run(way, work)
    if as_json:
        emit({"id": id, "recorded": not off, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say("Its calls are recorded from now on." if not off else "Its calls are recorded no more.", "green bold")
    warn(answer.notices)
    if off:
        following(f"offhook recording list{again(way)}   shows those that are kept")
    else:
        where = id if kind == "office" else f"--{kind} {id}"
        following(
            f"offhook recording list{again(way)}   shows them after a call",
            f"offhook line record {where} --off{again(way)}   ends it",
        )


async def _of_office(client: Client, id: str, on: bool) -> Answer:
    """An office is put as a whole, with what it was: v2 changes none."""
    path = f"{V1}/offices/{id}"
    got = await client.call("GET", path)
    # What is only shown changes by itself in the meantime.
    body = {name: value for name, value in got.document["office"].items() if name != "availability_status"}
    return await client.call("PUT", path, body=body_of(body | {FIELD: on}), match=got.etag)
