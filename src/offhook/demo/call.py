"""A real call to the office just made: a carrier's softphone dials its main line, presses a key, an operator's answers.

Both are softphones of this machine that hear each other by way of the server; what they saw and heard is shown as they
tell it, the rest as the server has it.
"""

import asyncio
import hashlib
import random
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from offhook.client import Client, body_of
from offhook.demo.phone import Missing, Phone, Trouble
from offhook.demo.server import HOST, NotShown, Server, near
from offhook.demo.stage import Stage

V1, V2 = "/api/offhook/v1", "/api/v2"
CALLER, CALLER_TONE, OPERATOR_TONE = "+13125550142", 440, 660
LISTENS, RINGS, TALKS = 1.5, 1.0, 1.0
"""Seconds: the caller listens to the menu, the operator's telephone rings, both listen to each other."""

PATIENCE = 15.0
_PACE = 0.1
_HEARD = {
    "recording": "recordings that were uploaded",
    "spoken": "speech, by {engine}",
    "tones": "beeps, as nothing speaks on this machine (apt install flite)",
    "nothing": "nothing, for which the log has the cause",
}


class Called:
    """The act of the call. What it shows of the server is good later, too, unless that `stops` at the end."""

    def __init__(self, stage: Stage, client: Client, server: Server, place: Path, *, stops: bool = False) -> None:
        self._stage, self._client, self._server, self._place = stage, client, server, place
        self._stops = stops
        self._began = 0.0
        self._story: list[tuple[float, str]] = []

    async def run(self, office_id: str) -> None:
        """Prepare, call, show. NotShown if a call does not come about that should."""
        self._stage.part("A real call, over the wire")
        phones: list[Phone] = []
        try:
            caller_at = free_port()
            caller = await self._phone(phones, "The caller", (CALLER, ""), CALLER_TONE, caller_at)
            ana = await self._prepare(office_id, caller_at)
            operator = await self._phone(phones, "Ana's telephone", (ana["username"], ana["password"]), OPERATOR_TONE)
            await operator.do("register")
            self._about(ana, caller_at)
            await self._talk(caller, operator, ana["line"])
        except Missing as missing:
            self._stage.say(
                f"No call is made: the demo's softphone, baresip-python, cannot be loaded ({missing}). "
                "make setup brings it for Linux on x86_64 and aarch64; to call with telephones of your own, read "
                "docs/telephones.md.",
                "yellow",
            )
            return
        except Trouble as trouble:
            logs = f"{near(self._server.log)} and {near(self._log)}"
            raise NotShown(f"The call did not come about. {trouble}. The logs are {logs}.") from None
        finally:
            for phone in phones:
                await phone.close()
        await self._tell(office_id)

    # Before

    async def _prepare(self, office_id: str, caller_at: int) -> dict[str, str]:
        """Somebody to answer, a menu with a key for them, recording, a carrier; the line is open."""
        changed = await self._have("PUT", f"{V1}/offices/{office_id}", await self._with_menu(office_id))
        office = changed["office"]
        by_hand = {"status": "open", "until": "1h", "reason": "Demo"}
        await self._have("PUT", f"{V1}/offices/{office_id}/by-hand", by_hand)
        await self._have("POST", f"{V1}/offices/{office_id}/licences", {"talk_lines": 1})
        name = {"first_name": "Ana", "last_name": "Sousa", "email": "ana@example.com"}
        ana = await self._have("POST", f"{V2}/users", {"office_id": office_id, **name})
        device = await self._have("POST", f"{V1}/users/{ana['id']}/devices", {"type": "sip", "name": "Softphone"})
        made = await self._have("POST", f"{V1}/phones/{device['id']}/new-password")
        operator = {"operator_type": "user", "operator_id": ana["id"]}
        await self._have("POST", f"{V2}/offices/{office_id}/operators", operator)
        carrier = {"name": "Demo carrier", "country": "US", "addresses": [f"{HOST}:{caller_at}"]}
        await self._have("POST", f"{V1}/trunks", carrier)
        settings = made["phone"]["settings"]
        return {
            "username": settings["username"],
            "password": made["password"],
            "line": office["phone_numbers"][0],
            "office": office["name"],
        }

    async def _with_menu(self, office_id: str) -> dict[str, Any]:
        """The office as it is, but for what becomes of calls while it is open, and that they are recorded."""
        office: dict[str, Any] = (await self._have("GET", f"{V1}/offices/{office_id}"))["office"]
        keys = [
            {"input": "1", "options": {"action": "operator"}},
            {"input": "9", "options": {"action": "voicemail"}},
        ]
        menu = {"action": "menu", "try_dial_operators": False, "operator_routing": "simultaneous", "dtmf": keys}
        return office | {
            "routing_options": office["routing_options"] | {"open": menu},
            "auto_call_recording": True,
        }

    async def _have(self, method: str, path: str, body: Any = None) -> Any:
        sent = None if body is None else body_of(body)
        return (await self._client.call(method, path, body=sent)).document

    @property
    def _log(self) -> Path:
        return self._place / "phones.log"

    async def _phone(
        self, phones: list[Phone], name: str, account: tuple[str, str], tone: int, listen: int = 0
    ) -> Phone:
        phone = await Phone.start(
            name, account, self._server.sip, tone=tone, listen=listen, log=self._log, heard=self._note(name)
        )
        phones.append(phone)
        return phone

    def _about(self, ana: dict[str, str], caller_at: int) -> None:
        stage = self._stage
        stage.say(
            f"{ana['office']} now has a menu (1 for an operator, 9 for voicemail), records its calls, is opened by "
            "hand for an hour, and has an operator, Ana, with a telephone. Two softphones of this machine are "
            "started: hers, and one that plays a carrier and calls from outside."
        )
        stage.out.print()
        stage.facts(
            [
                ("server", f"{self._server.sip}, UDP"),
                ("Ana", f"registered there as {ana['username']}; says a tone of {OPERATOR_TONE} Hz"),
                ("carrier", f"calls from {HOST}:{caller_at} are its own; the caller says {CALLER_TONE} Hz"),
            ]
        )

    # The call

    def _note(self, name: str) -> Callable[[list[Any]], None]:
        """Notes what a telephone says of itself, at its moment."""

        def heard(said: list[Any]) -> None:
            if said[0] == "incoming":
                who = re.sub(r"^sips?:|@.*", "", str(said[1]))
                self._happened(f"{name} rings, and shows {who}")

        return heard

    def _happened(self, text: str) -> None:
        self._story.append((time.monotonic() - self._began, text))

    async def _talk(self, caller: Phone, operator: Phone, line: str) -> None:
        self._began = time.monotonic()
        self._happened(f"The caller dials {line}, the main line")
        await caller.do("dial", f"sip:{line}@{self._server.sip}")
        await caller.until("up")
        await caller.do("listen")
        self._happened("The call is taken, and the caller hears the menu")
        await asyncio.sleep(LISTENS)
        await caller.do("keys", "1")
        self._happened("The caller presses 1")
        await operator.until("incoming")
        await asyncio.sleep(RINGS)
        await operator.do("answer")
        await operator.until("up")
        self._happened("Ana answers")
        heard = await asyncio.gather(caller.do("pitch", TALKS), operator.do("pitch", TALKS))
        for who, whose, pitch in (("The caller", "Ana's", heard[0]), ("Ana", "the caller's", heard[1])):
            self._happened(f"{who} hears {f'a tone of {pitch} Hz, {whose}' if pitch else 'nothing'}")
        await caller.do("hangup")
        self._happened("The caller hangs up")
        await operator.until("over")
        self._happened("Ana's telephone is told so")

    # After

    async def _tell(self, office_id: str) -> None:
        stage = self._stage
        stage.out.print()
        stage.say("What the two telephones saw and heard, in seconds:")
        stage.out.print()
        self._aligned([(f"{at:.1f}", text) for at, text in self._story])
        call = await self._over()
        trace = await self._have("GET", f"{V1}/calls/{call['id']}/trace")
        stage.out.print()
        stage.say("The server's trace of it, with the reasons, as it is kept with the call:")
        stage.out.print()
        # Clock, kind and words stand in columns there.
        self._aligned([(one[:6].strip(), one[8:13].strip(), one[15:]) for one in trace["text"].splitlines()])
        recording = await self._recording(call["id"])
        link = (await self._have("POST", f"{V1}/recordings/{recording['id']}/link"))["url"]
        file = await asyncio.to_thread(self._file, recording["digest"])
        stage.out.print()
        stage.facts(
            [
                ("prompts", f"were {await self._prompts(office_id)}"),
                ("recording", f"{recording['seconds']:.1f} s of both sides"),
                ("page", f"{self._server.url}/console/calls/{call['id']}, with a player; it takes the key below"),
            ]
        )
        stage.out.print()
        link_is = "a link that needs no key and is good for an hour"
        if self._stops:
            # Otherwise somebody opens what nobody serves any more.
            link_is = f"{link_is}. The server stops now: serve it again, as is said below, for the link and the page"
        stage.say(f"Listen to the recording: its file, and {link_is}.")
        stage.command(f"aplay {near(file)}")
        stage.command(link if link.startswith("http") else self._server.url + link)

    def _aligned(self, rows: list[tuple[str, ...]]) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(justify="right", style="dim", no_wrap=True)
        for _ in rows[0][2:]:
            grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for row in rows:
            grid.add_row(*map(Text, row))
        self._stage.out.print(Padding(grid, (0, 0, 0, 2), expand=False))

    async def _over(self) -> Any:
        """The call as the server has it, once it is over."""
        return await self._soon(f"{V1}/calls", lambda one: bool(one.get("ended")), "the call is not over")

    async def _recording(self, call_id: str) -> Any:
        lacks = "there is no recording of the call"
        return await self._soon(f"{V1}/recordings", lambda _: True, lacks, {"call_id": call_id})

    async def _soon(
        self, path: str, fits: Callable[[Any], bool], lacks: str, query: dict[str, str] | None = None
    ) -> Any:
        """The first of a list, once it is as it should be: what is told is kept a moment after it happened."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = (await self._client.call("GET", path, query=query)).document.get("items", [])
            if found and fits(found[0]):
                return found[0]
            await asyncio.sleep(_PACE)
        raise NotShown(f"After {PATIENCE:.0f} s {lacks}. The log is {near(self._server.log)}.")

    def _file(self, digest: str) -> Path:
        """Where the recording is on disk: the file of its digest."""
        for path in (self._server.data / "sound" / "kept").glob("*/*.wav"):
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                return path
        raise NotShown("The recording is in no file of the data folder.")

    async def _prompts(self, office_id: str) -> str:
        """What callers heard so far, by what it was made from: the server's own figures say so."""
        engine = (await self._have("GET", f"{V1}/offices/{office_id}/heard")).get("engine", "")
        text = (await self._client.content("/metrics", {})).decode()
        counts = re.findall(r'^offhook_prompts_heard_total\{made_from="(\w+)"\} ([0-9.e+]+)', text, re.MULTILINE)
        found = [_HEARD.get(kind, kind).format(engine=engine) for kind, count in counts if float(count) > 0]
        return " and ".join(found) or "not played"


def free_port() -> int:
    """A port of this machine that is free by UDP and TCP, as is the next one, which softphones use for TLS."""
    while True:
        port = random.randrange(10_000, 20_000, 2)
        with ExitStack() as tried:
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    for at in (port, port + 1):
                        tried.enter_context(socket.socket(socket.AF_INET, kind)).bind((HOST, at))
            except OSError:
                continue
            return port
