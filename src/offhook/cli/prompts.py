"""Voice prompts, by the API: a recording on this machine becomes what callers of a target hear."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli.common import (
    AsJson,
    emit,
    following,
    moment,
    read_file,
    say,
    table,
    warn,
)
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.errors import Refusal, shown

app = typer.Typer(no_args_is_help=True, help="Voice prompts: recordings that callers hear.")

IVRS = "/api/v2/customivrs"
PROMPTS = "/api/offhook/v1/prompts"

Target = Annotated[
    str, typer.Option("--target", "-t", help="What plays it: office:ID, department:ID, user:ID…", metavar="KIND:ID")
]


def target_of(text: str) -> tuple[str, str]:
    """The kind and id that `office:12` writes."""
    kind, colon, id = text.partition(":")
    if not (kind and colon and id):
        raise Refusal(f"{shown(text)} is no target: write it as office:ID; offhook office list shows ids.")
    return kind, id


@app.command()
@by_api
def upload(
    way: Way,
    file: Annotated[Path, typer.Argument(help="An MP3 or WAV file; - reads standard input.")],
    target: Target,
    kind: Annotated[str, typer.Option("--kind", "-k", help="When it is played: MENU, GREETING, CLOSED, HOLD_MUSIC…")],
    name: Annotated[str | None, typer.Option(help="A name; the file's unless said.")] = None,
    as_json: AsJson = False,
) -> None:
    """Upload a recording; the target plays it from now on."""
    target_type, target_id = target_of(target)
    body = {
        "file": base64.b64encode(read_file(file)).decode(),
        "ivr_type": kind.upper(),
        "target_type": target_type,
        "target_id": target_id,
        "name": name if name is not None or str(file) == "-" else file.name,
    }

    async def work(client: Client) -> tuple[Answer, Any]:
        made = await client.call("POST", IVRS, body=body_of(body))
        return made, (await client.call("GET", f"{PROMPTS}/{made.document['id']}")).document

    made, prompt = run(way, work)
    if as_json:
        emit({**prompt, "warnings": [warning(notice) for notice in made.notices]})
        return
    say(f"The {target_type} {target_id} plays it for {kind.upper()} ({prompt['seconds']:.1f} seconds).", "green bold")
    warn(made.notices)
    following(f"offhook prompt list --target {target_type}:{target_id}{again(way)}")


@app.command("list")
@by_api
def list_prompts(
    way: Way,
    target: Target,
    as_json: AsJson = False,
) -> None:
    """List a target's prompts, and which of them are played."""
    target_type, target_id = target_of(target)

    async def work(client: Client) -> list[Any]:
        query = {"target_type": target_type, "target_id": target_id}
        found: list[Any] = []
        while True:
            page = (await client.patiently(lambda: client.call("GET", IVRS, query=query))).document
            found += page.get("items", [])
            if "cursor" not in page:
                return found
            query["cursor"] = page["cursor"]

    items = run(way, work)
    if as_json:
        emit({"items": items})
        return
    table(
        ("KIND", "ID", "PLAYED", "ADDED", "NAME"),
        [
            (
                one["ivr_type"],
                ivr["id"],
                "yes" if ivr["selected"] else "no",
                moment(int(ivr["date_added"])),
                ivr.get("name", ""),
            )
            for one in items
            for ivr in one["ivrs"]
        ],
    )
    if not items:
        following(f"offhook prompt upload FILE --target {target_type}:{target_id} --kind MENU{again(way)}")
