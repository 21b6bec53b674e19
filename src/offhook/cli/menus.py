"""The menu of a line, by the API: given keys, and taken away. What else becomes of its calls stays as it is."""

from typing import Annotated, Any, get_args

import typer

from offhook.cli.common import AsJson, emit, facts, following, say, warn
from offhook.cli.lines import V1, CallCenter, Department, MaybeOffice, id_of, line_named
from offhook.cli.people import owner_of
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.directory.lines.wire import Action
from offhook.kit.errors import Refusal, shown

TO = {
    "office": "department",
    "department": "department",
    "callcenter": "department",
    "user": "person",
    "room": "bridge_target",
    "callrouter": "bridge_target",
    "contact": "bridge_target",
}
"""What a key can lead to, by kind, with the action that takes it (docs/algorithms/routing-fields.md)."""

ALONE = tuple(one for one in get_args(Action) if one not in (*TO.values(), "menu", "disabled"))
"""Actions of keys that lead nowhere in particular."""

Press = Annotated[
    list[str] | None,
    typer.Option(
        "--press",
        help="A key and what it does: 1=operator, 2=department:ID, 3=user:ann@example.com, 9=voicemail; repeat it.",
        metavar="KEY=WHAT",
    ),
]


def register(line: typer.Typer) -> None:
    """Add the command to those of lines."""
    line.command("menu", epilog="Example: offhook line menu primary --press 1=operator --press 9=voicemail")(menu)


@by_api
def menu(
    way: Way,
    office_id: MaybeOffice = None,
    department: Department = None,
    callcenter: CallCenter = None,
    press: Press = None,
    closed: Annotated[bool, typer.Option("--closed", help="While the line is closed; open unless said.")] = False,
    operators_first: Annotated[
        bool, typer.Option("--operators-first", help="Ring the operators before callers hear it.")
    ] = False,
    off: Annotated[bool, typer.Option("--off", help="No menu: the operators ring while open, then voicemail.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a line a menu, by its keys; the one before is replaced."""
    line = line_named(office_id, department, callcenter)
    if off == bool(press):
        raise Refusal("Which keys? --press 1=operator --press 9=voicemail gives it a menu, --off takes it away.")
    state = "closed" if closed else "open"

    async def work(client: Client) -> tuple[str, Any, Answer]:
        id = await id_of(client, *line)
        path, record, version = await _read(client, line[0], id)
        routing = record["routing_options"]
        order = routing[state].get("operator_routing")
        keys = [await _key(client, one) for one in press or ()]
        routing[state] = {
            "try_dial_operators": operators_first or (off and not closed),
            **({"operator_routing": order} if order else {}),
            **({"action": "voicemail"} if off else {"action": "menu", "dtmf": keys}),
        }
        if line[0] == "office":
            # What is only shown changes by itself in the meantime.
            body = {name: value for name, value in record.items() if name != "availability_status"}
            answer = await client.call("PUT", path, body=body_of(body), match=version)
            return id, answer.document["office"]["routing_options"][state], answer
        answer = await client.call("PATCH", path, body=body_of({"routing_options": routing}), match=version)
        return id, answer.document["routing_options"][state], answer

    id, now, answer = run(way, work)
    if as_json:
        emit({state: now, "warnings": [warning(notice) for notice in answer.notices]})
        return
    say(f"While {state}, callers hear {'no menu' if off else 'this menu'}.", "green bold")
    first = [("first", f"the operators ring ({now.get('operator_routing', 'simultaneous')})")]
    keys = [(f"key {one['input']}", _told(one["options"])) for one in now.get("dtmf", ())]
    facts([*(first if now["try_dial_operators"] else []), *(keys or [("then", "voicemail")])])
    warn(answer.notices)
    pressed = f" --press {now['dtmf'][0]['input']}" if now.get("dtmf") else ""
    following(f"offhook simulate --{line[0]} {id}{pressed}{again(way)}   says what becomes of a call")


async def _read(client: Client, kind: str, id: str) -> tuple[str, Any, str]:
    """Where a line is changed, all of it as it is, and its version."""
    path = f"{V1}/offices/{id}" if kind == "office" else f"/api/v2/{kind}s/{id}"
    got = await client.call("GET", path)
    return path, got.document["office"] if kind == "office" else got.document, got.etag


async def _key(client: Client, said: str) -> dict[str, Any]:
    """A key as routing_options has it; users and rooms may be named as people call them."""
    pressed, equals, what = said.partition("=")
    kind, colon, whom = what.partition(":")
    if not equals or len(pressed) != 1 or not pressed.isascii() or not pressed.isdigit():
        raise Refusal(f"{shown(said)} is no key of a menu: write a digit and what it does, as 1=operator.")
    if not colon and what in ALONE:
        return {"input": pressed, "options": {"action": what}}
    if kind not in TO or not whom:
        raise Refusal(
            f"Key {pressed} cannot do {shown(what)}. It may do {', '.join(ALONE)}; or lead to "
            f"{', '.join(f'{one}:ID' for one in TO)}; of users and rooms also by name, as user:ann@example.com."
        )
    id = await _id_of(client, kind, whom) if kind in ("user", "room") else whom
    return {"input": pressed, "options": {"action": TO[kind], "action_target_type": kind, "action_target_id": id}}


async def _id_of(client: Client, kind: str, whom: str) -> str:
    found, id = await owner_of(client, whom)
    if found != kind:
        raise Refusal(f"{shown(whom)} is a {found}: write {found}:{whom}.")
    return id


def _told(options: Any) -> str:
    kind = options.get("action_target_type")
    return f"{kind} {options['action_target_id']}" if kind else str(options["action"]).replace("_", " ")
