"""Who has which number, by the API: given to somebody or to a line, and taken back."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from offhook.cli.apis import line_of
from offhook.cli.common import AsJson, emit, following, say, warn
from offhook.cli.lines import CallCenter, Department, id_of, only_one
from offhook.cli.people import owner_of
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.errors import Refusal

NUMBERS = "/api/v2/numbers"
ANY = "any"

Number = Annotated[str, typer.Argument(help="In E.164, as +14155550123; or the word any.", metavar="NUMBER")]
Held = Annotated[str, typer.Argument(help="In E.164, as +14155550123.", metavar="NUMBER")]
MaybeWho = Annotated[
    str | None,
    typer.Argument(help="E-mail address, extension, name or id of a user; name or id of a room.", metavar="WHO"),
]
Office = Annotated[str | None, typer.Option("--office", help="An office instead: id, or primary.", metavar="ID")]
Router = Annotated[str | None, typer.Option("--callrouter", help="A call router instead.", metavar="ID")]


def register(number: typer.Typer) -> None:
    """Add the commands to those of numbers."""
    number.command("assign", epilog="Example: offhook number assign +14155550123 ann@example.com")(assign)
    number.command("unassign", epilog="Example: offhook number unassign +14155550123")(unassign)


@by_api
def assign(
    way: Way,
    number: Number,
    who: MaybeWho = None,
    office: Office = None,
    department: Department = None,
    callcenter: CallCenter = None,
    callrouter: Router = None,
    area_code: Annotated[
        str | None, typer.Option("--area-code", help="Of any, one of this area.", metavar="DIGITS")
    ] = None,
    behind: Annotated[bool, typer.Option("--behind", help="Behind the numbers that it has; else it is first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a free number to a user or a room, or to a line."""
    line = only_one(
        ("office", office), ("department", department), ("callcenter", callcenter), ("callrouter", callrouter)
    )
    if (who is None) == (line is None):
        raise Refusal("Whom? One user or room, or one of --office, --department, --callcenter, --callrouter.")
    if area_code is not None and number != ANY:
        raise Refusal("--area-code chooses among free numbers: write any in the place of the number.")

    async def work(client: Client) -> Answer:
        if line is not None:
            kind, id = line[0], await id_of(client, *line)
        else:
            assert who is not None
            kind, id = await owner_of(client, who)
        body: dict[str, Any] = {"target_type": kind, "target_id": id, "primary": not behind}
        if area_code is not None:
            body["area_code"] = area_code
        path = f"{NUMBERS}/assign" if number == ANY else f"{NUMBERS}/{quote(number, safe='+')}/assign"
        return await client.call("POST", path, body=body_of(body))

    _tell(way, run(way, work), line[1] if line is not None else who, as_json=as_json)


@by_api
def unassign(way: Way, number: Held, as_json: AsJson = False) -> None:
    """Take a number from whatever has it. It stays in the inventory, free."""
    path = f"{NUMBERS}/{quote(number, safe='+')}"
    _tell(way, run(way, lambda client: client.call("DELETE", path)), None, as_json=as_json)


def _tell(way: Way, answer: Answer, whom: str | None, *, as_json: bool) -> None:
    """What became of a number; `whom` are the words for who has it now, as they were typed."""
    made = answer.document
    if as_json:
        emit({**made, "warnings": [warning(notice) for notice in answer.notices]})
        return
    number, kind = made["number"], made.get("target_type")
    if kind:
        say(f"{number} is that of {kind} {line_of(whom or made['target_id'])}.", "green bold")
        following(f"offhook number unassign {number}{again(way)}   takes it back")
    else:
        say(f"{number} is free.", "green bold")
        following(f"offhook number assign {number} WHO{again(way)}   gives it to somebody")
    warn(answer.notices)
