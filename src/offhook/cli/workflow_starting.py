"""What the commands of schedules, triggers and hooks have in common: finding one, changing it, what became of it.

A change reads what there is, puts what was said in its place, and sends it with the version that was read, so that
nobody's change is overwritten unseen.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli import workflow_files as files
from offhook.cli.apis import line_of, pages
from offhook.cli.common import NotThere, emit, err, following, say, table, when
from offhook.cli.lines import V1
from offhook.cli.way import Way, again, run, warning
from offhook.client import Answer, Client, Refused, body_of
from offhook.kit.errors import Refusal, shown

EVENTS = f"{V1}/events"
_OF_LATE, _LOOKS = 10, 5

Word = Annotated[str, typer.Argument(help="Its name, or its id.", metavar="NAME")]
New = Annotated[str, typer.Argument(help="What it is called; unique among its kind.", metavar="NAME")]
Called = Annotated[str | None, typer.Option("--name", help="What it is called from now on.", metavar="NAME")]
OfWorkflow = Annotated[
    str | None, typer.Option("--workflow", help="Only those that start this workflow.", metavar="NAME")
]
Starts = Annotated[str, typer.Option("--workflow", "-w", help="The workflow that it starts.", metavar="NAME")]
StartsNow = Annotated[
    str | None, typer.Option("--workflow", "-w", help="The workflow that it starts from now on.", metavar="NAME")
]
Version = Annotated[
    int | None, typer.Option("--version", help="Which version of it; else the latest at each start.", min=1)
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", help="A value of the run's input; JSON where it is JSON, else text. Repeat it.",
        metavar="NAME=VALUE",
    ),
]  # fmt: skip
InputFile = Annotated[
    Path | None, typer.Option("--input-file", help="The run's input, as JSON or YAML; - reads it.", metavar="FILE")
]
Paused = Annotated[bool, typer.Option("--paused", help="Keep it, and let it start nothing for now.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the three: its noun, its command, where the API has them, the fields that are sent, which need not be."""

    noun: str
    command: str
    path: str
    fields: tuple[str, ...]
    clearable: tuple[str, ...]

    def one(self, id: str) -> str:
        """Where the API has one of them."""
        return f"{self.path}/{id}"

    def step(self, verb: str, name: str, way: Way, what: str) -> str:
        """A proposal of what to do next with the one of that name."""
        return f"offhook workflow {self.command} {verb} {shlex.quote(name)}{again(way)}   {what}"


async def found(client: Client, kind: Kind, word: str) -> Answer:
    """The one of that name or id, as it is now, with its ETag."""
    items = await pages(client, kind.path)
    for one in sorted(items, key=lambda one: one["name"] != word):
        if word in (one["name"], one["id"]):
            return await client.call("GET", kind.one(one["id"]))
    names = ", ".join(line_of(one["name"]) for one in items[:10])
    known = f" There are: {names}{', …' if len(items) > 10 else ''}." if items else " There is none yet."
    raise NotThere(f"There is no {kind.noun} {shown(word)}.{known}")


def create(way: Way, kind: Kind, body: Mapping[str, Any], *, dry_run: bool = False) -> Answer:
    """Keep a new one."""
    kept = body_of({name: value for name, value in body.items() if value is not None})

    async def work(client: Client) -> Answer:
        return await client.call("POST", kind.path, body=kept, dry_run=dry_run)

    made: Answer = run(way, work)
    return made


def change(way: Way, kind: Kind, word: str, said: Mapping[str, Any], clear: Sequence[str] | None) -> Answer:
    """Put what was said in place of what there is; `clear` names fields that go back to what they are unless said."""
    changes = {name: value for name, value in said.items() if value is not None}
    for name in clear or ():
        if name not in kind.clearable:
            raise Refusal(f"--clear takes one of {', '.join(kind.clearable)}; {shown(name)} is none of them.")
        if name in changes:
            raise Refusal(f"{name} is both said and cleared; leave one of them out.")
    if not changes and not clear:
        raise Refusal(f"Say what is to change; offhook workflow {kind.command} set --help lists what can be.")

    async def work(client: Client) -> Answer:
        before = await found(client, kind, word)
        body = {name: before.document[name] for name in kind.fields if name in before.document}
        body = {name: value for name, value in (body | changes).items() if name not in (clear or ())}
        try:
            return await client.call("PUT", kind.one(before.document["id"]), body=body_of(body), match=before.etag)
        except Refused as refused:
            if refused.code != 412:
                raise
            text = f"Somebody has changed {line_of(before.document['name'])} in this moment; nothing was changed."
            raise Refused(412, f"{text} Look at it, then say it again.", [], refused.document) from None

    changed: Answer = run(way, work)
    return changed


def act(way: Way, kind: Kind, word: str, verb: str, body: Any = None) -> Any:
    """Do something with one of them: what the API answers."""

    async def work(client: Client) -> Any:
        id = (await found(client, kind, word)).document["id"]
        answer = await client.call("POST", f"{kind.one(id)}/{verb}", body=None if body is None else body_of(body))
        return answer.document

    return run(way, work)


def get(way: Way, kind: Kind, word: str) -> Any:
    """The one of that name or id."""

    async def work(client: Client) -> Any:
        return (await found(client, kind, word)).document

    return run(way, work)


def delete(way: Way, kind: Kind, word: str, effect: str, *, yes: bool, as_json: bool) -> None:
    """Delete one; on a terminal it is asked first, with what that does."""
    gone = get(way, kind, word)
    if sys.stdin.isatty() and not yes and not as_json:
        typer.confirm(f"Delete the {kind.noun} {line_of(gone['name'])}? {effect}", abort=True, err=True)

    async def work(client: Client) -> None:
        await client.call("DELETE", kind.one(gone["id"]))

    run(way, work)
    if as_json:
        emit({"deleted": gone["id"], "name": gone["name"]})
        return
    say(f"The {kind.noun} {line_of(gone['name'])} is deleted. {effect}", "green bold")
    following(f"offhook workflow {kind.command} list{again(way)}   shows what is left")


def listed(way: Way, kind: Kind, workflow: str | None) -> list[Any]:
    """All of them, or those that start one workflow."""
    query = {"workflow": workflow} if workflow is not None else {}
    items: list[Any] = run(way, lambda client: pages(client, kind.path, query))
    return items


def given(inputs: list[str] | None, input_file: Path | None) -> dict[str, Any] | None:
    """The input as it was said; None if nothing was."""
    return files.given(inputs, input_file) if inputs or input_file is not None else None


def answered(answer: Answer) -> Any:
    """An answer as --json has it."""
    return {**answer.document, "warnings": [warning(notice) for notice in answer.notices]}


# What is shown


def starts(one: Any) -> str:
    """The workflow that it starts, and in which version."""
    version = f" version {one['version']}" if one.get("version") else ""
    return line_of(one["workflow"]) + version


def last(one: Any) -> str:
    """What became of a schedule or trigger last, in a few words."""
    ran = one.get("last")
    if not ran:
        return "never"
    run_id = f", run {ran['run_id']}" if ran.get("run_id") else ""
    return f"{ran['outcome']} {when(ran['moment'])}{run_id}"


def last_rows(one: Any) -> list[tuple[str, str]]:
    """The same as rows of facts, with the cause."""
    rows = [("last", last(one))]
    if one.get("last", {}).get("why"):
        rows.append(("because", line_of(one["last"]["why"])))
    if waits := one.get("put_off"):
        tried = "once" if waits["tries"] == 1 else f"{waits['tries']:,} times"
        rows.append(("waits", f"the start for {when(waits['moment'])}, tried {tried}: {line_of(waits['why'])}"))
    return rows


async def of_late(client: Client, id: str, words: Sequence[str]) -> list[Any] | None:
    """What the event log says of it, the latest first; None if the key may not read that."""
    query, known = {"subject_id": id, "newest_first": "true", "limit": "100"}, list[Any]()
    # A page of the log looks at so many events only.
    for _ in range(_LOOKS):
        try:
            page = (await client.call("GET", EVENTS, query=query)).document
        except Refused as refused:
            if refused.code != 403:
                raise
            return None
        known += [one for one in page.get("items", []) if one["event"] in words]
        if len(known) >= _OF_LATE or "cursor" not in page:
            break
        query["cursor"] = page["cursor"]
    return known[:_OF_LATE]


def show_of_late(events: list[Any] | None) -> None:
    """The log of what it has started, missed, and why."""
    if events is None:
        say("What it has started is in the event log, which this key may not read (events:read).", "dim", to=err)
    if not events:
        return
    say()
    table(
        ("OF LATE", "FOR", "RUN", "CAUSE"),
        [
            (
                one["event"].partition(".")[2].replace("_", " "),
                when(after["moment"]) if "moment" in after else "",
                after.get("run_id", ""),
                line_of(after.get("why", "") or after.get("event", "")),
            )
            for one in events
            for after in [one.get("after") or {}]
        ],
    )


def serving(way: Way) -> list[str]:
    """What it takes to start anything, where no server was named."""
    return [] if way.url else ["offhook serve   starts it, if no server runs over this store"]


def run_step(way: Way, run_id: str) -> str:
    """The proposal to look at a run."""
    return f"offhook workflow status {run_id}{again(way)}   shows that run"
