"""Calls, by the API: those under way and those that were, one of them between its parties, and hanging up."""

from typing import Annotated, Any

import typer

from offhook.cli.apis import clean, line_of, pages
from offhook.cli.common import AsJson, emit, err, facts, following, say, table, when
from offhook.cli.lines import V1
from offhook.cli.people import caller_of
from offhook.cli.way import Way, again, by_api, run
from offhook.client import Client
from offhook.kit.durations import passed
from offhook.kit.errors import Refusal

app = typer.Typer(no_args_is_help=True, help="Calls: under way and past ones, and why each went where it went.")

CALLS = f"{V1}/calls"
CallId = Annotated[str, typer.Argument(help="The id of a call, as offhook call list shows it.", metavar="CALL")]
_LABELS = {"came": "call", "why": "why", "rang": "rings", "heard": "hears", "did": "does"}


@app.command("list", epilog="Example: offhook call list --live")
@by_api
def list_calls(
    way: Way,
    live: Annotated[bool, typer.Option("--live", help="Only those under way, and where each is.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List calls, the latest first."""
    if live:
        _list_live(way, as_json=as_json)
        return
    items = run(way, lambda client: pages(client, CALLS, {"limit": str(min(most, 500))}, most=most))
    if as_json:
        emit({"items": items})
        return
    if not items:
        say("There was no call yet.", "bold", to=err)
        return
    table(
        ("ID", "WHEN", "CALLER", "DIALLED", "WHAT BECAME OF IT"),
        [
            (
                one["id"], when(one["began"]), caller_of(one), line_of(one["dialled"] or "-"),
                one.get("outcome", "").replace("_", " ") if "ended" in one else f"under way: {one['phase']}",
            )
            for one in items
        ],
    )  # fmt: skip
    following(f"offhook call show {items[0]['id']}{again(way)}   shows why that one went where it went")


def _list_live(way: Any, *, as_json: bool) -> None:
    async def work(client: Client) -> Any:
        return (await client.call("GET", f"{CALLS}/live")).document

    found = run(way, work)
    if as_json:
        emit(found)
        return
    if not found["items"]:
        say("Nobody calls at the moment.", "bold", to=err)
        return
    table(
        ("ID", "CALLER", "DIALLED", "WHERE IT IS NOW", "SINCE"),
        [
            (
                one["id"], caller_of(one), line_of(one["dialled"] or "-"),
                line_of(one["words"]), when(one["since"]),
            )
            for one in found["items"]
        ],
    )  # fmt: skip
    if found.get("more"):
        say(f"{found['more']} more are not shown.", to=err)


@app.command(epilog="Example: offhook call show 7312345678901234")
@by_api
def show(way: Way, call: CallId, as_json: AsJson = False) -> None:
    """Show a call between its parties, with what its telephones told, and why it went where it went."""
    id = _id(call)

    async def work(client: Client) -> tuple[Any, Any]:
        ladder = (await client.call("GET", f"{CALLS}/{id}/ladder")).document
        return ladder, (await client.call("GET", f"{CALLS}/{id}/trace")).document

    ladder, trace = run(way, work)
    if as_json:
        emit({"ladder": ladder, "trace": trace})
        return
    called = trace.get("called", {}).get("name")
    way_of = "from" if _made_within(ladder) else "to"  # of such a call, `called` is who made it
    facts([
        ("call", f"{ladder['id']} {way_of} {line_of(called)}" if called else ladder["id"]),
        *([] if way_of == "from" else [("caller", line_of(_caller(ladder).get("name", "unknown")))]),
        ("began", when(ladder["began"])),
        ("outcome", ladder["outcome"].replace("_", " ") if ladder["over"] else f"under way: {ladder['outcome']}"),
    ])  # fmt: skip
    say()
    for line in ladder["text"].splitlines():
        say(clean(line))
    say()
    for one in trace["story"]:
        say(f"{_clock(one['seconds'])}  {_LABELS[one['kind']]:<5}  {line_of(one['text'])}", "dim")
    if ladder.get("beeped"):
        say()
        say(
            "Beeps were heard in place of prompts that could not be spoken or played in time. Where no speech engine "
            "is installed on the server, install flite there; else prompt_heard_otherwise in its log says why.",
            "yellow",
        )
    phones = [(party, one) for party in ladder["parties"] for one in party.get("phones") or party.get("legs", ())]
    if phones:
        say()
        table(
            ("WHO", "ADDRESS", "SINCE", "RANG", "TAKEN", "ENDED", "SIP", "HOW", "SOUND"),
            [(line_of(party["name"]), *_phone(one)) for party, one in phones],
        )
    if not ladder["over"]:
        following(f"offhook call hangup {id}{again(way)}   ends it")


def _made_within(ladder: Any) -> bool:
    """Whether somebody of the company made the call, rather than that it came in."""
    return str(_caller(ladder).get("id", "")).startswith(("user:", "room:"))


def _caller(ladder: Any) -> dict[str, Any]:
    """The party that called; {} if it is not known."""
    return next((one for one in ladder["parties"] if one["kind"] == "caller"), {})


def _phone(one: Any) -> tuple[str, ...]:
    """A telephone as it told of itself, or as long as it has not, a leg as the call has it."""
    packets, lost = one.get("packets", 0), one.get("lost", 0)
    share = f", {100 * lost / (packets + lost):.1f} % lost" if packets + lost else ""
    return (
        one.get("address", "-"),
        *(_clock(one[name]).strip() if name in one else "-" for name in ("began", "rang", "taken", "ended")),
        str(one.get("code", "-")),
        line_of(one.get("words", one.get("cause", "-"))),
        f"{one['codec']}, {packets:,} packets{share}" if "codec" in one else "-",
    )


@app.command(epilog="Example: offhook call hangup 7312345678901234")
@by_api
def hangup(way: Way, call: CallId, as_json: AsJson = False) -> None:
    """End a call under way, whichever process has it."""
    id = _id(call)

    async def work(client: Client) -> Any:
        return (await client.call("PUT", f"/api/v2/call/{id}/actions/hangup")).document

    done = run(way, work)
    if as_json:
        emit(done)
        return
    say(f"The call {id} is over.")


def _id(text: str) -> str:
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        raise Refusal(f"{text[:40]!r} is no id of a call; offhook call list shows them.")
    return text


def _clock(seconds: float) -> str:
    return f"{passed(seconds):>6}"
