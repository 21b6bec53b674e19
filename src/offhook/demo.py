"""A newcomer's first minute (`make demo`): a real server in its own process, an office made by one call, all shown.

Everything is in .demo/ and new each time; nothing that OFFHOOK_ variables point to is touched. ONCE=1 ends it after the
show. It shows what the server answered, never what it should have.
"""

import asyncio
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from offhook.client import Answer, Client, Refused, body_of, remote
from offhook.kit.errors import Notice, Refusal
from offhook.kit.settings import PREFIX

HOST, PORT = "127.0.0.1", 8080
START_SECONDS = 60.0
STOP_SECONDS = 30.0
WIDEST = 110
CHRISTMAS_EVE = "2026-12-24T17:59:59-06:00"


class NotShown(Exception):
    """The demo cannot go on; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Founded:
    """What `offhook init --json` printed."""

    company_id: str
    office_id: str
    sandbox_office_id: str
    live_key: str
    sandbox_key: str


# The server


def root() -> Path:
    """The repository; for an installed package the folder one is in."""
    here = Path(__file__).resolve().parents[2]
    return here if (here / "examples" / "office.json").is_file() else Path.cwd()


def surroundings() -> dict[str, str]:
    """The environment without settings: a demo must not write into somebody's database."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


@contextmanager
def folder(base: Path) -> Iterator[Path]:
    """An empty folder for one demo; another that still runs keeps its own."""
    base.mkdir(exist_ok=True)
    number = 1
    while True:
        lock = os.open(base / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            os.close(lock)
            number += 1
    try:
        chosen = base / str(number)
        shutil.rmtree(chosen, ignore_errors=True)
        chosen.mkdir()
        yield chosen
    finally:
        os.close(lock)


def found(data: Path) -> Founded:
    """Run `offhook init`."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "offhook", "init", "--data", str(data), "--name", "Demo Company", "--json"],
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotShown(f"offhook init failed:\n{done.stderr.strip()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=Founded)


class Server:
    """`offhook serve` in a process of its own, its log in a file. Ctrl-C reaches it too, as it shares the terminal.

    `url` is known once it serves, from its own log: whatever else answers on a port is not taken for it.
    """

    def __init__(self, data: Path, log: Path) -> None:
        self.url = ""
        self.log = log
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve on port 8080, or on a free one if that is taken; NotShown if it cannot."""
        for port in (PORT, 0):
            self._start(port)
            if self._serves():
                return
        raise NotShown(f"The server ended at once. Its log, {self.log}:\n{self.tail()}")

    def _start(self, port: int) -> None:
        command = [sys.executable, "-m", "offhook", "serve", "--data", str(self._data)]
        with self.log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*command, "--host", HOST, "--port", str(port)],
                env=surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )

    def _serves(self) -> bool:
        """True once it does, False if it has ended."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if url := self._said():
                if httpx.get(url + "/readyz", trust_env=False).status_code == 200:
                    self.url = url
                    return True
            elif self._process.poll() is not None:
                return False
            time.sleep(0.05)
        raise NotShown(f"The server was not ready within {START_SECONDS:.0f} s. Its log, {self.log}:\n{self.tail()}")

    def _said(self) -> str:
        for line in self.log.read_bytes().splitlines():
            with suppress(msgspec.DecodeError):
                event = msgspec.json.decode(line)
                if isinstance(event, dict) and event.get("event") == "serving":
                    return str(event["url"])
        return ""

    def wait(self) -> int:
        """Until the server ends by itself; gives its status."""
        assert self._process is not None
        return self._process.wait()

    def stop(self) -> int:
        """Ask it to end, which finishes requests under way; its status, 0 if it ended as it should."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return 1

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-1500:].strip()


# What is sent


def pointed(body: dict[str, Any], office_id: str) -> tuple[dict[str, Any], int]:
    """`body` with its targets of the kind `unknown` made the office `office_id`, and how many there were.

    A file that anybody can post cannot know an id of theirs, so the example's targets are `unknown`.
    """
    count = 0

    def follow(value: Any) -> Any:
        nonlocal count
        if isinstance(value, list):
            return [follow(item) for item in value]
        if not isinstance(value, dict):
            return value
        made = {name: follow(inner) for name, inner in value.items()}
        if made.get("action_target_type") == "unknown":
            count += 1
            made |= {"action_target_type": "office", "action_target_id": office_id}
        return made

    return follow(body), count


def broken(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with a handful of the mistakes that people make."""
    routing = body["routing_options"]
    keys = [{"input": "1", "options": {"action": "voicemail"}}, {"input": "1", "options": {"action": "person"}}]
    return body | {
        "name": "Chicago\nNorth",
        "currency": "BTC",
        "timezone": "America/Chcago",
        "ring_seconds": 60,
        "monday_hours": ["09:00", "17:00", "16:00", "18:00"],
        "billing_contact": body["billing_contact"] | {"email": "ana@", "phone": "+1 312 555"},
        "e911_address": body["e911_address"] | {"address": "PO Box 12", "zip": "94105"},
        "routing_options": routing | {"open": routing["open"] | {"dtmf": keys}},
    }


def curl(url: str, key: str, *options: str) -> str:
    """A command to paste, on lines of its own."""
    return " \\\n  ".join([f"curl -s {url}", f"-H 'Authorization: Bearer {key}'", *options])


# What is shown


class Stage:
    """Prints the parts of the show, as wide as is readable, to a terminal or a log."""

    def __init__(self) -> None:
        size = shutil.get_terminal_size((100, 24)).columns
        self.out = Console(width=max(60, min(size, WIDEST)), highlight=False)
        self._number = 0

    def part(self, title: str) -> None:
        """A heading."""
        self._number += 1
        self.out.print()
        self.out.rule(Text(f"{self._number}  {title}", "bold"), align="left", style="dim")
        self.out.print()

    def say(self, text: str, style: str = "") -> None:
        self.out.print(Text(text, style))

    def json(self, value: Any) -> None:
        """A JSON document, indented, short lists on one line."""
        text = layout(value)
        theme = "ansi_dark"
        if self.out.is_terminal and not self.out.no_color:
            shown: Any = Syntax(text, "json", theme=theme, background_color="default", word_wrap=True)
        else:
            shown = Text(text)
        self.out.print(Padding(shown, (0, 0, 0, 2), expand=False))

    def facts(self, rows: list[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in rows:
            grid.add_row(Text(name), Text(value))
        self.out.print(Padding(grid, (0, 0, 0, 2), expand=False))

    def command(self, text: str) -> None:
        """Lines to copy: never broken, without spaces before them."""
        for line in text.splitlines():
            self.out.print(Text(line, "cyan"), soft_wrap=True)


def layout(value: Any, indent: int = 0, room: int = 74) -> str:
    """JSON for people: what fits on a line stands on one."""
    flat = msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if not isinstance(value, dict | list) or not value or len(flat) + indent <= room:
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        inner = [f"{msgspec.json.encode(key).decode()}: {layout(item, indent + 2)}" for key, item in value.items()]
        return "{\n" + ",\n".join(pad + item for item in inner) + "\n" + " " * indent + "}"
    inner = [layout(item, indent + 2) for item in value]
    return "[\n" + ",\n".join(pad + item for item in inner) + "\n" + " " * indent + "]"


def shorter(office: dict[str, Any]) -> dict[str, Any]:
    """An office's reply without what says the same once more: six of its days, its switches."""
    left_out = {"office_settings", *(f"{day}_hours" for day in ("tuesday", "wednesday", "thursday", "saturday"))}
    return {name: value for name, value in office.items() if name not in left_out}


def steps(path: str, width: int = 26) -> str:
    """A field path on several lines if it is long, broken at its dots."""
    lines = [""]
    for part in path.replace(".", "\0.").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("  ")
        lines[-1] += part
    return "\n".join(lines)


def local(text: str) -> str:
    """A moment by the office's wall clock, in words."""
    at = datetime.fromisoformat(text)
    return f"{at:%A %d %B %Y, %H:%M:%S} ({at:%z})".replace(":00 (", " (")


class Show:
    """The demo's acts, in order."""

    def __init__(self, stage: Stage, client: Client, made: Founded, url: str) -> None:
        self._stage = stage
        self._client = client
        self._made = made
        self._url = url

    async def run(self, example: dict[str, Any]) -> str:
        """All of it; gives the new office's id."""
        body, targets = pointed(example, self._made.sandbox_office_id)
        self._request(body, targets)
        answer = await self._client.call("POST", "/api/v2/offices", body=body_of(body))
        office = answer.document["office"]
        self._reply(answer)
        self._warnings(answer.notices)
        await self._status(office["id"])
        await self._refusal(body)
        return str(office["id"])

    def _request(self, body: dict[str, Any], targets: int) -> None:
        stage = self._stage
        stage.part("The request: POST /api/v2/offices")
        stage.say(f"The body is examples/office.json, in which every one of the {fields(body)} fields is filled.")
        if targets:
            stage.say(
                f"Its {targets} targets are of the kind unknown, as an example cannot know your ids; here they were "
                f"made the company's primary office, {self._made.sandbox_office_id}.",
            )
        stage.out.print()
        routing = body["routing_options"]
        stage.facts(
            [
                ("office", f"{body['name']}, {body['timezone']}; main line {body['mainline_number']}"),
                ("hours", f"Monday {_pairs(body['monday_hours'])}; Friday {_pairs(body['friday_hours'])}"),
                ("open", _routing(routing["open"])),
                ("closed", _routing(routing["closed"])),
                ("emergency", ", ".join(body["e911_address"].values())),
                ("billing", f"{body['currency']}, {body['plan_period']}, {body['billing_contact']['email']}"),
            ]
        )

    def _reply(self, answer: Answer) -> None:
        stage, office, plan = self._stage, answer.document["office"], answer.document["plan"]
        stage.part("The reply: 200, and all of it is on disk")
        stage.json({"office": shorter(office), "plan": {name: plan[name] for name in _PLAN if name in plan}})
        hidden = len(office) - len(shorter(office)) + len(plan) - len([name for name in _PLAN if name in plan])
        stage.say(f"  ({hidden} fields are not shown here: four days, switches, counters of lines)", "dim")

    def _warnings(self, notices: list[Notice]) -> None:
        stage = self._stage
        stage.part("Warnings: what was ignored, guessed, or perhaps not meant")
        if not notices:
            stage.say("  None.")
        stage.facts([(notice.field or notice.code, notice.text) for notice in notices])

    async def _status(self, office_id: str) -> None:
        stage, path = self._stage, f"/api/offhook/v1/offices/{office_id}/opening-periods"
        now = (await self._client.call("GET", path)).document
        then = (await self._client.call("GET", path, moment=CHRISTMAS_EVE)).document
        change = now.get("next_change")
        stage.part("Does it take calls?")
        stage.facts(
            [
                ("now", f"{now['status']}. {now['explanation']}"),
                ("next change", f"{change['to']} on {local(change['at'])}" if change else "none within 400 days"),
                ("", ""),
                ("ask any moment", "a sandbox takes the time from a header, Offhook-Clock:"),
                (CHRISTMAS_EVE, f"{then['status']}. {then['explanation']}"),
            ]
        )

    async def _refusal(self, body: dict[str, Any]) -> None:
        stage = self._stage
        try:
            await self._client.call("POST", "/api/v2/offices", body=body_of(broken(body)))
        except Refused as refusal:
            stage.part(f"A refusal: {refusal.code}, and every mistake is named at once")
            grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
            for title in ("FIELD", "WAS SENT", "WHAT TO DO"):
                grid.add_column(title, overflow="fold")
            for violation in refusal.violations:
                grid.add_row(
                    Text(steps(violation.location), "red"), Text(violation.sent or "-"), Text(violation.message)
                )
            stage.out.print(Padding(grid, (0, 0, 0, 2), expand=False))
            return
        raise NotShown("The server took a body that is full of mistakes.")

    def farewell(self, office_id: str, again: str = "") -> None:
        """What to try next, ready to paste. `again` is what starts the server again, if it is about to stop."""
        stage, key = self._stage, self._made.sandbox_key
        stage.part("Yours")
        if again:
            stage.say("The server stops now; its data stays until the next demo. To try what follows, serve it again:")
            stage.command(again)
            stage.out.print()
        stage.facts(
            [
                ("server", self._url),
                ("reference", f"{self._url}/docs"),
                ("console", f"{self._url}/console, which takes the key below"),
                ("workbench", f"{self._url}/console/apis"),
                ("workflows", f"{self._url}/console/workflows"),
                ("sandbox key", key),
            ]
        )
        stage.out.print()
        stage.say("Is the office open on Christmas Eve, one second before six?")
        where = f"{self._url}/api/offhook/v1/offices/{office_id}/opening-periods"
        stage.command(curl(where, key, f"-H 'Offhook-Clock: {CHRISTMAS_EVE}'"))
        stage.out.print()
        stage.say(
            "Another office, on trial: every rule is asked, nothing is stored. Without Offhook-Dry-Run it is made."
        )
        stage.command(
            curl(
                f"{self._url}/api/v2/offices",
                key,
                "-H 'Content-Type: application/json'",
                "-H 'Offhook-Dry-Run: true'",
                "-d '" + body_of(_ANOTHER).decode() + "'",
            )
        )
        stage.out.print()


_PLAN = ("balance", "next_billing_date", "ppu_address")

_ANOTHER = {
    "name": "Lisbon",
    "country": "PT",
    "timezone": "Europe/Lisbon",
    "currency": "EUR",
    "plan_period": "monthly",
    "unified_billing": False,
    "invoiced": True,
    "annual_commit_monthly_billing": False,
    "billing_address": {
        "address_line_1": "Rua Augusta 100",
        "city": "Lisboa",
        "region": "Lisboa",
        "postal_code": "1100-053",
        "country": "PT",
    },
}


def fields(body: Any) -> int:
    """How many field paths a body fills; what stands in a list counts once."""
    paths: set[str] = set()

    def follow(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                inner_path = f"{path}.{name}" if path else name
                paths.add(inner_path)
                follow(inner, inner_path)
        elif isinstance(value, list):
            for inner in value:
                follow(inner, path)

    follow(body, "")
    return len(paths)


def _pairs(times: list[str]) -> str:
    return ", ".join(f"{start} to {end}" for start, end in zip(times[::2], times[1::2], strict=False)) or "closed"


def _routing(state: dict[str, Any]) -> str:
    first = f"operators ring ({state['operator_routing']}), then " if state["try_dial_operators"] else ""
    keys = ", ".join(f"{key['input']} {key['options']['action']}" for key in state["dtmf"])
    return f"{first}{state['action']}; keys {keys}"


# The demo


def demonstrate(once: bool, stage: Stage) -> int:
    """Run the demo; gives the status to end with."""
    base = root()
    example = base / "examples" / "office.json"
    try:
        body: dict[str, Any] = msgspec.json.decode(example.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise NotShown(f"{example} cannot be read: {error}. Run the demo from a clone of the repository.") from None
    with folder(base / ".demo") as place:
        stage.say("Offhook: an office phone system that you create with one API call.", "bold")
        made = found(place / "data")
        server = Server(place / "data", place / "server.log")
        try:
            server.start()
            taken = "" if server.url.endswith(f":{PORT}") else f" (port {PORT} is taken)"
            stage.say(f"A company was made in {_near(place / 'data')}, and a server runs at {server.url}{taken}.")
            again = _serve_again(place / "data", server.url) if once else ""
            asyncio.run(_show(stage, made, server.url, body, again))
            if not once:
                stage.say(f"It goes on serving; its log is {_near(server.log)}. Ctrl-C ends it.", "bold")
                status = server.wait()
                stage.say(f"The server ended by itself, with status {status}:\n{server.tail()}", "red")
                return 1
        except KeyboardInterrupt:
            stage.out.print()
        finally:
            status = server.stop()
        if status != 0:
            stage.say(f"The server did not end as it should (status {status}):\n{server.tail()}", "red")
            return 1
        stage.say("The server has stopped.")
        return 0


async def _show(stage: Stage, made: Founded, url: str, body: dict[str, Any], again: str) -> None:
    async with remote(url, made.sandbox_key) as client:
        show = Show(stage, client, made, url)
        show.farewell(await show.run(body), again)


def _serve_again(data: Path, url: str) -> str:
    """The command that serves a demo's data at the same place."""
    program = _near(Path(sys.executable).with_name("offhook"))
    return shlex.join([program, "serve", "--data", _near(data), "--port", url.rpartition(":")[2]])


def _near(path: Path) -> str:
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """`python -m offhook.demo`."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stage = Stage()
    try:
        status = demonstrate(os.environ.get("ONCE", "") not in ("", "0"), stage)
    except KeyboardInterrupt:
        status = 130
    except NotShown as problem:
        stage.out.print(Text(f"The demo cannot go on. {problem}", "red"), soft_wrap=True)
        status = 1
    except Refusal as refusal:
        stage.say(f"The server refused what the demo sent: {refusal.message}", "red")
        for violation in refusal.violations:
            stage.say(f"  {violation.location}  {violation.message}")
        status = 1
    raise SystemExit(status)


if __name__ == "__main__":
    main()
