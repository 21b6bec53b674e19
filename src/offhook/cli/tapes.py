"""Messages and recordings, by the API: which there are, heard, saved as WAV files, deleted.

Both are had in the same words: `offhook voicemail …` and `offhook recording …`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from offhook.cli.apis import line_of, pages
from offhook.cli.common import AsJson, emit, err, facts, following, say, table, when, write_private
from offhook.cli.lines import V1
from offhook.cli.people import caller_of, owner_of
from offhook.cli.way import Way, again, by_api, run, served_row
from offhook.client import Client, body_of
from offhook.kit.durations import lasted
from offhook.kit.errors import Refusal, shown


@dataclass(frozen=True, slots=True)
class Kind:
    """Messages or recordings: their word, where the API has them, and why there may be none."""

    noun: str
    path: str
    none: str


VOICEMAIL = Kind("voicemail", f"{V1}/voicemails", "There are no messages.")
RECORDING = Kind(
    "recording", f"{V1}/recordings", "There are no recordings: offhook line record has the calls of a line recorded."
)
PLAYERS: tuple[tuple[str, ...], ...] = (
    ("aplay", "-q"), ("paplay",), ("pw-play",), ("afplay",), ("ffplay", "-autoexit", "-nodisp", "-loglevel", "error"),
)  # fmt: skip
"""What plays WAV files of G.711 on Linux and macOS, the first that is installed."""

HOUR = 3600

Id = Annotated[str, typer.Argument(help="Its id, as the list shows it.", metavar="ID")]
Of = Annotated[
    str | None,
    typer.Option("--of", help="E-mail address, extension, name or id of a user; name or id of a room.", metavar="WHO"),
]
Office = Annotated[
    str | None, typer.Option("--office", help="Those of an office and of all that is in it.", metavar="ID")
]
Department = Annotated[str | None, typer.Option("--department", help="Those of a department.", metavar="ID")]
CallCenter = Annotated[str | None, typer.Option("--callcenter", help="Those of a call center.", metavar="ID")]
OfCall = Annotated[str | None, typer.Option("--call", help="Those of one call.", metavar="CALL")]
Most = Annotated[int, typer.Option("--most", min=1, max=10_000, help="How many, the latest first.")]


voicemail = typer.Typer(no_args_is_help=True, help="Voicemail: which messages there are, heard, saved, deleted.")
recording = typer.Typer(no_args_is_help=True, help="Recordings of calls: which there are, heard, saved, deleted.")


@voicemail.command("list", epilog="Example: offhook voicemail list --unread")
@by_api
def list_voicemails(
    way: Way,
    unread: Annotated[bool, typer.Option("--unread", help="Only those that nobody has marked as heard.")] = False,
    of: Of = None,
    office: Office = None,
    department: Department = None,
    callcenter: CallCenter = None,
    call: OfCall = None,
    most: Most = 50,
    as_json: AsJson = False,
) -> None:
    """List messages, the latest first, with who left them for whom."""
    given = _Wanted(of=of, office=office, department=department, callcenter=callcenter, call=call, unread=unread)
    _list(way, VOICEMAIL, given, most, as_json=as_json)


@recording.command("list", epilog="Example: offhook recording list --call 7312345678901234")
@by_api
def list_recordings(
    way: Way,
    of: Of = None,
    office: Office = None,
    department: Department = None,
    callcenter: CallCenter = None,
    call: OfCall = None,
    most: Most = 50,
    as_json: AsJson = False,
) -> None:
    """List recordings of calls, the latest first, with what line they are of."""
    given = _Wanted(of=of, office=office, department=department, callcenter=callcenter, call=call)
    _list(way, RECORDING, given, most, as_json=as_json)


def _share(app: typer.Typer, kind: Kind) -> None:
    """Add the commands that messages and recordings share."""
    example = f"Example: offhook {kind.noun} "

    @app.command(epilog=example + "play 7312345678901234", help=f"Play a {kind.noun} on this machine.")
    @by_api
    def play(way: Way, tape: Id, as_json: AsJson = False) -> None:
        program = next(([path, *more] for name, *more in PLAYERS if (path := shutil.which(name))), None)
        if program is None:
            names = ", ".join(name for name, *_ in PLAYERS)
            mend = f"offhook {kind.noun} save {_id(kind, tape)} keeps it"
            raise Refusal(f"Nothing here plays WAV files ({names}): {mend}.")
        one, sound = _fetched(way, kind, tape)
        if not as_json:
            facts(_facts(kind, one), to=err)
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            file.write(sound)
            file.flush()
            done = subprocess.run([*program, file.name], stdin=subprocess.DEVNULL, check=False)  # noqa: S603
        if done.returncode != 0:
            mend = f"offhook {kind.noun} save {one['id']} keeps it"
            raise Refusal(f"{Path(program[0]).name} cannot play it here: {mend}.")
        if as_json:
            emit(one)
            return
        following(*_steps(way, kind, one))

    @app.command(epilog=example + "save 7312345678901234 it.wav", help=f"Save a {kind.noun} as a WAV file.")
    @by_api
    def save(
        way: Way,
        tape: Id,
        file: Annotated[
            Path | None,
            typer.Argument(
                help="The file, which is replaced if it is there; - is standard output.",
                metavar="FILE",
                show_default=f"{kind.noun}-ID.wav",
            ),
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        if str(file) == "-" and as_json:
            raise Refusal("The sound and --json would both be on standard output: name a file.")
        one, sound = _fetched(way, kind, tape)
        if str(file) == "-":
            sys.stdout.buffer.write(sound)
            return
        path = file or Path(f"{kind.noun}-{one['id']}.wav")
        write_private(path, sound)
        if as_json:
            emit({**one, "file": str(path)})
            return
        say(f"The {kind.noun} is in {path}: {_length(one)}, {len(sound):,} bytes.", "green bold")
        following(*_steps(way, kind, one))

    @app.command(
        epilog=example + "link 7312345678901234 --hours 24", help=f"Make a link by which anybody hears a {kind.noun}."
    )
    @by_api
    def link(
        way: Way,
        tape: Id,
        hours: Annotated[int, typer.Option("--hours", min=1, max=168, help="How long it is good.")] = 1,
        as_json: AsJson = False,
    ) -> None:
        path = f"{kind.path}/{_id(kind, tape)}/link"

        async def work(client: Client) -> Any:
            return (await client.call("POST", path, body=body_of({"seconds": hours * HOUR}))).document

        made = run(way, work)
        if as_json:
            emit(made)
            return
        say(made["url"])
        for _, told in served_row(way, only_if_not_now=True):
            say(f"Server: {told}.", "yellow", to=err)
        say(f"Whoever has it hears it without a key until {when(made['expires'])}.", "yellow", to=err)

    @app.command(
        epilog=example + "delete 7312345678901234",
        help=f"Delete a {kind.noun} with its sound, for good. On a terminal it is asked first.",
    )
    @by_api
    def delete(
        way: Way,
        tape: Id,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        as_json: AsJson = False,
    ) -> None:
        path = f"{kind.path}/{_id(kind, tape)}"
        if sys.stdin.isatty() and not yes and not as_json:
            gone = run(way, lambda client: client.call("GET", path)).document
            typer.confirm(f"Delete the {kind.noun} of {_of(gone)}, {_length(gone)}, for good?", abort=True, err=True)
        deleted = run(way, lambda client: client.call("DELETE", path)).document
        if as_json:
            emit(deleted)
            return
        say(f"The {kind.noun} of {_of(deleted)} is deleted, {_length(deleted)} of sound with it.", "green bold")
        following(f"offhook {kind.noun} list{again(way)}   shows what is left")


_share(voicemail, VOICEMAIL)
_share(recording, RECORDING)


@voicemail.command(epilog="Example: offhook voicemail mark 7312345678901234")
@by_api
def mark(
    way: Way,
    tape: Id,
    unread: Annotated[bool, typer.Option("--unread", help="As not heard, again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mark a message as heard."""
    path = f"{VOICEMAIL.path}/{_id(VOICEMAIL, tape)}"

    async def work(client: Client) -> Any:
        return (await client.call("PATCH", path, body=body_of({"read": not unread}))).document

    one = run(way, work)
    if as_json:
        emit(one)
        return
    say(f"The voicemail of {_of(one)} is marked as {'heard' if one['read'] else 'not heard'}.", "green bold")
    following(f"offhook voicemail list --unread{again(way)}   shows what is not heard yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which ones are to be listed."""

    of: str | None
    office: str | None
    department: str | None
    callcenter: str | None
    call: str | None
    unread: bool = False

    async def query(self, client: Client) -> dict[str, str]:
        """The same as the API asks for it."""
        boxes = [
            (kind, id)
            for kind, id in (("department", self.department), ("callcenter", self.callcenter))
            if id is not None
        ]
        if len(boxes) + (self.of is not None) > 1:
            raise Refusal("One box at a time: --of, --department or --callcenter.")
        if self.of is not None:
            boxes.append(await owner_of(client, self.of))
        query = {"office_id": self.office, "call_id": self.call, "unread": "true" if self.unread else None}
        if boxes:
            query |= {"target_type": boxes[0][0], "target_id": boxes[0][1]}
        return {name: value for name, value in query.items() if value is not None}


def _list(way: Way, kind: Kind, wanted: _Wanted, most: int, *, as_json: bool) -> None:
    asked: dict[str, str] = {}

    async def work(client: Client) -> list[Any]:
        asked.update(await wanted.query(client))
        return await pages(client, kind.path, {**asked, "limit": str(min(most, 500))}, most=most)

    items = run(way, work)
    if as_json:
        emit({"items": items})
        return
    if not items:
        say(f"There is no {kind.noun} like that." if asked else kind.none, "bold", to=err)
        if asked:
            following(f"offhook {kind.noun} list{again(way)}   lists all")
        return
    last = "STATE" if kind is VOICEMAIL else "CALL"
    table(
        ("ID", "WHEN", "CALLER", "FOR" if kind is VOICEMAIL else "OF", "LENGTH", last),
        [
            (
                one["id"], when(one["began"]), caller_of(one), _of(one), _length(one),
                ("heard" if one["read"] else "new") if kind is VOICEMAIL else one["call_id"],
            )
            for one in items
        ],
    )  # fmt: skip
    following(f"offhook {kind.noun} save {items[0]['id']}{again(way)}   saves that one as a WAV file")


def _fetched(way: Way, kind: Kind, tape: str) -> tuple[Any, bytes]:
    """One as the API shows it, and its sound, whole."""
    path = f"{kind.path}/{_id(kind, tape)}"

    async def work(client: Client) -> tuple[Any, bytes]:
        return (await client.call("GET", path)).document, await client.content(f"{path}/sound", {})

    one, sound = run(way, work)
    if hashlib.sha256(sound).hexdigest() != one["digest"]:
        came = f"{len(sound):,} of {one['size']:,} bytes"
        raise Refusal(f"What came is not the whole {kind.noun}, or another one: {came}.")
    return one, sound


def _facts(kind: Kind, one: Any) -> list[tuple[str, str]]:
    return [
        (kind.noun, f"{one['id']}, of {_of(one)}"),
        ("from", caller_of(one)),
        ("when", when(one["began"])),
        ("length", _length(one)),
    ]


def _steps(way: Way, kind: Kind, one: Any) -> list[str]:
    heard = [] if one.get("read", True) else [f"offhook voicemail mark {one['id']}{again(way)}   marks it as heard"]
    return [*heard, f"offhook {kind.noun} delete {one['id']}{again(way)}   deletes it on the server"]


def _of(one: Any) -> str:
    return line_of(one["target_name"] or f"{one['target_type']} {one['target_id']}")


def _length(one: Any) -> str:
    return lasted(one["seconds"])


def _id(kind: Kind, text: str) -> str:
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise Refusal(f"{shown(text)} is no id of a {kind.noun}; offhook {kind.noun} list shows them.")
    return text
