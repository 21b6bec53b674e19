"""A server with telephones in this process, its worker and its process of sound, and peers that do what a test says.

The house goes faster than it is, so that nobody waits for ringing to end; prompts are as long as they are. After each
call nothing may be left of it: `empty` looks at all places where something could be.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from offhook.kit import clock
from offhook.storage.database import Statement
from offhook.telephony.port import Address
from offhook.telephony.process import Worker
from tests.api.desk import Company
from tests.scenarios.stage import V1, V2, sent
from tests.telephony.scenarios.ear import OPENING, Ear
from tests.telephony.scenarios.handset import Handset, Talk
from tests.telephony.worker.peers import Message
from tests.telephony.worker.rtp_peers import FRAME

T = TypeVar("T")
WAIT = 10.0
"""Seconds in which anything has happened that will."""

LONGEST = 120.0
"""Seconds in which a test is over."""

PACE = 10.0
NOON = datetime(2026, 12, 23, 20, 0, tzinfo=UTC)
TONE, MUSIC = "(tone)", "(music)"
OUTSIDE = "+12125550123"
HELD = Statement("SELECT who FROM engagements WHERE tenant_id = ? AND call_id <> ''")
STAND = Statement("SELECT call_id FROM waiting_calls WHERE tenant_id = ?")

COMPANY: dict[str, Any] = {
    "version": 1,
    "offices": {
        "Head office": {
            "hours_on": False,
            "routing_options": {
                "open": {
                    "action": "menu",
                    "try_dial_operators": False,
                    "dtmf": [
                        {"input": 1, "action": "department", "target": "department Head office/Sales"},
                        {"input": 2, "action": "directory"},
                        {"input": 3, "action": "extension"},
                        {"input": 4, "action": "voicemail"},
                        {"input": 5, "action": "message"},
                    ],
                }
            },
        }
    },
    "users": {
        "ann@example.com": {"office": "Head office", "first_name": "Ann", "extension": "101", "devices": ["Desk"]},
        "bob@example.com": {
            "office": "Head office", "first_name": "Bob", "last_name": "Baker", "extension": "102", "devices": ["Desk"],
        },
        "bobby@example.com": {
            "office": "Head office", "first_name": "Bobby", "last_name": "Cole", "extension": "103",
            "devices": ["Desk"],
        },
        "dan@example.com": {
            "office": "Head office", "first_name": "Dan", "extension": "104", "forwarding_numbers": ["+14155550142"],
        },
    },
    "departments": {
        "Head office/Sales": {"operators": ["ann@example.com", "bob@example.com"]},
        "Head office/Notice": {
            "routing_options": {"open": {"action": "message", "try_dial_operators": False}},
            "operators": ["ann@example.com"],
        },
        "Head office/Box": {
            "routing_options": {"open": {"action": "voicemail", "try_dial_operators": False}},
            "operators": ["ann@example.com"],
        },
    },
    "callcenters": {
        "Head office/Support": {
            "hold_queue": {"queue_escape_dtmf": "*", "announcement_interval_seconds": 30},
            "operators": ["bob@example.com"],
        },
        "Head office/Taped": {
            "advanced_settings": {"auto_call_recording": {"call_recording_inbound": True}},
            "operators": ["bobby@example.com"],
        },
    },
}  # fmt: skip


class Hearing(Ear):
    """An ear that also knows that it hears anything at all."""

    def __init__(self, sounds: dict[str, bytes], voices: dict[str, float], told: Callable[[str], None]) -> None:
        super().__init__(sounds, voices, told)
        self.anything = asyncio.Event()

    def take(self, frame: bytes) -> None:
        self.anything.set()
        super().take(frame)


class Line(Talk):
    """One call of a peer's, with what its telephone would not do by itself. `log` is all that came for it."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.log: list[Message] = []
        self.came_more = asyncio.Event()
        self.acknowledges = self.obeys = True
        self.body: bytes | None = None
        """What it offers in place of what it can; b"" offers nothing."""

    def take(self, message: Message) -> None:
        self.log.append(message)
        phone = self.handset
        if (message.method == "CANCEL" and not self.obeys) or (message.method == "BYE" and message.to_tag != self.tag):
            # Of who has answered already, and of a fork.
            phone.reply(message, 200, tag=self.tag)
        elif message.method != "INVITE" or self._last or not isinstance(phone, Phone) or phone.rings:
            super().take(message)
        self.came_more.set()

    async def hears(self, what: str) -> None:
        """Wait until it hears a sound, or a voice; which it may hear again after that."""
        async with asyncio.timeout(WAIT):
            while await self.heard.get() != what:
                pass
        self.ear._voice = ""
        while not self.heard.empty():
            self.heard.get_nowait()

    async def hears_anything(self) -> None:
        ear = self.ear
        assert isinstance(ear, Hearing)
        await within(ear.anything)

    async def insists(self) -> None:
        """Send the INVITE again until it is heard, as telephones do (RFC 3261 section 17.1.1.2)."""
        while not self.begun.is_set():
            try:
                async with asyncio.timeout(0.5):
                    await self.begun.wait()
            except TimeoutError:
                self.invite_once_more()

    async def gets(self, what: str, count: int = 1) -> Message:
        """Wait for a message ("ACK", "180 INVITE"), the so manieth of its kind."""
        async with asyncio.timeout(WAIT):
            while len(found := [one for one in self.log if one.what == what]) < count:
                self.came_more.clear()
                await self.came_more.wait()
        return found[count - 1]

    @property
    def voice(self) -> str:
        """What it says, as others hear it."""
        return str(self.handset.pitch)

    @property
    def whats(self) -> list[str]:
        """What came, in order."""
        return [one.what for one in self.log]

    def say(self, code: int, *, sound: bool = False, tag: str = "", headers: tuple[str, ...] = ()) -> None:
        """Answer the INVITE with any code; 1xx of which nothing follows, and others."""
        assert self.came is not None
        body = self._sound if sound else b""
        self.handset.reply(self.came, code, tag=tag or self.tag, body=body, headers=headers)

    def answer_again(self) -> None:
        """The same 200 once more, as of who missed the ACK."""
        self.handset.send(self._last)

    def invite_again(self, direction: str) -> None:
        """A re-INVITE that holds ("sendonly") or takes back ("sendrecv")."""
        self._sequence += 1
        body = self._sound.replace(b"a=sendrecv", f"a={direction}".encode())
        self.handset.send(self._request("INVITE", branch=f"z9hG4bKre{self._sequence}{self.tag}", body=body))

    def invite_once_more(self) -> None:
        """The first INVITE again, to the byte."""
        self.handset.send(self._request("INVITE", branch=self._branch, body=self._sound, headers=self._proof))

    def acknowledge(self) -> None:
        """Acknowledge what was not, and from now on."""
        self.acknowledges = True
        super()._answered(next(one for one in self.log if one.what == "200 INVITE"))

    def begin_to_speak(self) -> None:
        """Say the tone before the call is taken: what carriers have to say."""
        self._speaking = asyncio.ensure_future(self._speak())

    def falls_silent(self) -> None:
        """Its sound stops, and nothing else."""
        assert self._speaking is not None
        self._speaking.cancel()

    @property
    def _sound(self) -> bytes:
        return super()._sound if self.body is None else self.body

    def _answered(self, message: Message) -> None:
        if message.code == 200 and not self.acknowledges:
            return
        if message.code >= 300 and message["cseq"].split()[0] != str(self._sequence):
            # What was sent twice is refused twice.
            return
        if message.code == 200 and self.body == b"":
            self.body = None
            self._there = message
            self.handset.send(self._request("ACK", body=self._sound))
            self._agree(message.body)
            self._is_up()
            return
        if message.code == 200 and self.up.is_set():
            # Of a change, or the same again: known, as each 200 must be.
            kept, self._there = self._there, message
            self.handset.send(self._request("ACK"))
            self._there = kept
            return
        super()._answered(message)


class Phone(Handset):
    """A telephone or a carrier. With `rings` it says so to each INVITE; calls that it gets are in `calls`.

    One that is `deaf` has died, and nobody told anybody.
    """

    def __init__(self, worker: Address, pitch: int, username: str = "", password: str = "") -> None:
        super().__init__(worker, pitch, username, password)
        self.rings, self.deaf = True, False
        self.calls: asyncio.Queue[Line] = asyncio.Queue()
        self.sounds: dict[str, bytes] = {}

    def _arrived(self) -> None:
        message = Message(*self.socket.recvfrom(65_536))
        if self.deaf:
            return
        call_id = message["call-id"]
        if (waiting := self._answers.get(call_id)) is not None and message.code >= 200:
            if not waiting.done():
                waiting.set_result(message)
            return
        talk = self.talks.get(call_id)
        if talk is None and message.method == "INVITE":
            talk = self.talks[call_id] = self._made(call_id, invite=message)
            if self.rings:
                self.reply(message, 180, tag=talk.tag)
            assert isinstance(talk, Line)
            self.calls.put_nowait(talk)
        elif talk is not None:
            talk.take(message)

    def _made(self, call_id: str, **more: Any) -> Line:
        line = Line(self, call_id, sounds=self.sounds, **more)
        line.ear = Hearing(self.sounds, self.voices, line.heard.put_nowait)
        return line

    def calls_number(self, number: str, shown: str = "", *, offers: bool = True, body: bytes | None = None) -> Line:
        """Call; with `body` in place of a description of sound, or without any."""
        line = self._made(secrets.token_hex(8), dialled=number, shown=shown)
        line.body = body if offers else b""
        self.talks[line.call_id] = line
        line.invite()
        return line

    async def called(self) -> Line:
        """The next call that it gets."""
        async with asyncio.timeout(WAIT):
            return await self.calls.get()

    def forget(self) -> None:
        """Begin anew: what it had is over."""
        for talk in self.talks.values():
            talk.close()
        self.talks.clear()
        self.rings, self.deaf = True, False
        while not self.calls.empty():
            self.calls.get_nowait()


@dataclass(frozen=True)
class Record:
    """What is kept of a call."""

    id: str
    outcome: str
    reasons: list[str]
    texts: list[str]
    trace: Any


class Stage:
    """The company COMPANY, callable. `outside` is the carrier by which calls come, `abroad` the one that takes them.

    `desks` are the people's telephones, by their first names; `numbers` lead to what is called by kind and name.
    """

    def __init__(self, company: Company, tenant_id: int, worker: Address) -> None:
        self.company, self.desk, self.api = company, company.desk, company.sandbox
        self.offhook = company.desk.offhook
        self.tenant_id = tenant_id
        self.worker_at = worker
        self.ids: dict[str, str] = {}
        self.outside, self.abroad = Phone(worker, 1_400), Phone(worker, 1_500)
        self.desks: dict[str, Phone] = {}
        self.numbers: dict[str, str] = {}
        self._seen: set[str] = set()

    def play(self, story: Any) -> Any:
        """Run a test's story; the next one begins anew."""

        async def told() -> Any:
            self.forget()
            self._seen = {one["id"] for one in await self._calls()}
            async with asyncio.timeout(LONGEST):
                return await story

        return self.desk.run(told())

    def forget(self) -> None:
        """Begin anew."""
        for phone in self.peers:
            phone.forget()

    @property
    def peers(self) -> list[Phone]:
        """All telephones and carriers."""
        return [self.outside, self.abroad, *self.desks.values()]

    @property
    def worker(self) -> Worker:
        """The SIP worker as the server has it."""
        telephony = self.offhook.telephones.telephony
        assert telephony is not None
        return telephony.worker

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The API, while calls go on."""
        return sent(await self.api.sending(method, path, body))

    def call(self, to: str, shown: str = OUTSIDE) -> Line:
        """Somebody outside calls a line ("department Head office/Sales") or a number."""
        return self.outside.calls_number(self.numbers.get(to, to), shown)

    async def connected(self, caller: Line, callee: Line) -> None:
        """Two talk: each hears the other."""
        await within(caller.up, callee.up)
        await asyncio.gather(caller.hears(callee.voice), callee.hears(caller.voice))

    async def forwarded(self, caller: Line, callee: Line) -> None:
        """Who was rung for Dan, at the number to which his calls are forwarded, talks with the caller and hangs up."""
        assert callee.came is not None
        assert callee.came.line.startswith("INVITE sip:+14155550142@")
        callee.answer()
        await self.connected(caller, callee)
        callee.hang_up()
        await within(caller.down)
        assert (await self.record()).outcome == "answered"
        await self.empty()

    async def record(self) -> Record:
        """What is kept of the test's next call that is over, or about to be."""

        async def over() -> list[str]:
            return [one["id"] for one in await self._calls() if one.get("ended") and one["id"] not in self._seen]

        id = (await there_is(over))[-1]
        self._seen.add(id)
        return await self.record_of(id)

    async def _calls(self) -> list[Any]:
        found: list[Any] = (await self.ask("GET", f"{V1}/calls?limit=20")).get("items", [])
        return found

    async def record_of(self, id: str) -> Record:
        """What is kept of a call."""
        trace = await self.ask("GET", f"{V1}/calls/{id}/trace")
        reasons = [reason for step in trace["steps"] for reason in step["reasons"]]
        return Record(id, trace["outcome"], [one["code"] for one in reasons], [one["text"] for one in reasons], trace)

    async def ids_under_way(self) -> list[str]:
        """The calls that are not over, the latest first."""
        return [one["id"] for one in await self._calls() if not one.get("ended")]

    async def decided(self, code: str) -> None:
        """Wait until a reason is given for the latest call that is under way."""

        async def given() -> bool:
            ids = await self.ids_under_way()
            return bool(ids) and code in (await self.record_of(ids[0])).reasons

        await there_is(given)

    async def recorded(self) -> None:
        """Wait until something of a tape is on disk: half a second at least."""
        await self.until(lambda: any(self.offhook.tapes._folder.glob("*.in.*.part")))

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what another process does."""

        async def look() -> bool:
            return happened()

        await there_is(look)

    async def tapes(self, kind: str, id: str) -> list[Any]:
        """The messages ("voicemails") or recordings of a call."""
        found: list[Any] = (await self.ask("GET", f"{V1}/{kind}?call_id={id}")).get("items", [])
        return found

    # What is left

    async def empty(self) -> None:
        """Wait until nothing is left of any call; says what is, if that never comes."""
        left: dict[str, Any] = {}

        async def nothing() -> bool:
            nonlocal left
            left = await self.left()
            return not left

        try:
            await there_is(nothing)
        except TimeoutError:
            raise AssertionError(f"Left over: {left}.") from None

    async def left(self) -> dict[str, Any]:
        """What there is of calls, in each place where anything could be."""
        offhook, worker = self.offhook, self.worker
        rows = await offhook.writer.run(lambda tx: (tx.all(HELD, self.tenant_id), tx.all(STAND, self.tenant_id)))
        found: dict[str, Any] = {
            "calls": offhook.calls.live,
            "unwritten": offhook.calls.behind,
            "legs": worker.legs,
            "trunks": dict(worker._trunks),
            "tapes that nobody waits for": dict(worker._taped),
            "reserved": [row[0] for row in rows[0]],
            "waiting": [row[0] for row in rows[1]],
            "ports": ports(worker.pid),
            "files": [path.name for path in offhook.tapes._folder.glob("*")],
            "notes": list(offhook.tapes._begun),
        }
        return {name: what for name, what in found.items() if what}

    async def nobody_rings(self) -> None:
        """Wait until each call that any of them made or got is over."""
        await within(*(talk.down for phone in self.peers for talk in phone.talks.values()))

    async def figures_empty(self) -> None:
        """Wait until the worker itself says that it has no leg, as it does each second while there is one."""
        await self.until(lambda: not self.worker.ready.done() or not self.worker.figures.legs)


async def there_is(look: Callable[[], Awaitable[T]]) -> T:
    """What is found, once anything is: what other processes do, and what is stored, nobody tells of."""
    async with asyncio.timeout(WAIT):
        while not (found := await look()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def within(*events: asyncio.Event) -> None:
    """Wait for all of them."""
    async with asyncio.timeout(WAIT):
        for event in events:
            await event.wait()


def sound_process(worker: int) -> int:
    """The process that carries sound, of a worker; 0 if there is none now."""
    for children in Path(f"/proc/{worker}/task").glob("*/children"):
        for pid in children.read_text().split():
            return int(pid)
    return 0


def ports(worker: int) -> int:
    """How many UDP sockets the process of sound has open."""
    pid = sound_process(worker)
    udp = {line.split()[9] for line in Path("/proc/net/udp").read_text().splitlines()[1:]}
    found = 0
    for one in Path(f"/proc/{pid}/fd").iterdir() if pid else ():
        try:
            target = str(one.readlink())
        except OSError:
            continue
        found += target.removeprefix("socket:[").removesuffix("]") in udp
    return found


@asynccontextmanager
async def answering(company: Company, going: clock.Going, silence: float = 0.0) -> AsyncIterator[Address]:
    """Telephones are answered; where. `silence` are the seconds without sound that end a call, 0 for the usual."""
    telephones = company.desk.offhook.telephones
    with clock.going(going):
        keeping = asyncio.create_task(telephones.keep())
    try:
        # It is made in the first step of the task, and starts its worker later.
        await asyncio.sleep(0)
        assert telephones.telephony is not None
        worker = telephones.telephony.worker
        if silence:
            worker._arguments = (*worker._arguments, "--silence", str(silence))
        async with asyncio.timeout(60):
            ready = await asyncio.shield(worker.ready)
        yield ready.address
    finally:
        await telephones.close()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def staged(company: Company, tenant_id: int, *, silence: float = 0.0) -> AsyncIterator[Stage]:
    """A stage, its telephones registered and its carriers known."""
    going = clock.Going(NOON, PACE)
    async with answering(company, going, silence) as worker:
        stage = Stage(company, tenant_id, worker)
        await _furnish(stage)
        going.start()
        try:
            yield stage
        finally:
            for phone in stage.peers:
                phone.close()


async def _furnish(stage: Stage) -> None:
    await stage.ask("POST", f"{V1}/configuration/apply", {"document": COMPANY})
    await _identify(stage)
    for phone in (await stage.ask("GET", f"{V1}/phones")).get("items", []):
        made = await stage.ask("POST", f"{V1}/phones/{phone['id']}/new-password", {})
        owner = next(key for key, id in stage.ids.items() if id == phone["owner_id"] and key.startswith("user "))
        name = owner.removeprefix("user ").partition("@")[0]
        settings = made["phone"]["settings"]
        desk = Phone(stage.worker_at, 1_600 + 100 * len(stage.desks), settings["username"], made["password"])
        stage.desks[name] = desk
        await desk.register()
    for key, id in stage.ids.items():
        kind = key.partition(" ")[0]
        body = {"target_type": kind, "target_id": id}
        if kind in ("office", "department", "callcenter", "user"):
            stage.numbers[key] = (await stage.ask("POST", f"{V2}/numbers/assign", body))["number"]
    await stage.ask("POST", f"{V1}/trunks", {
        "name": "In", "country": "US", "addresses": [f"127.0.0.1:{stage.outside.address[1]}"], "most_calls": 100,
    })  # fmt: skip
    await stage.ask("POST", f"{V1}/trunks", {
        "name": "Out", "country": "US", "proxy": f"127.0.0.1:{stage.abroad.address[1]}", "prefixes": ["+1"],
        "emergency": True, "most_calls": 100,
    })  # fmt: skip
    await stage.outside.known()
    sounds = stage.offhook.speech.sounds
    await sounds.start()
    known = {TONE: _read(sounds.tone()), MUSIC: _read(sounds.of_waiting("hold_music"))[: OPENING * FRAME]}
    for phone in stage.peers:
        phone.sounds = known
        phone.voices = {str(one.pitch): float(one.pitch) for one in stage.peers}


def _read(files: Iterable[str]) -> bytes:
    return b"".join(Path(f"{file}.ulaw").read_bytes() for file in files)


async def _identify(stage: Stage) -> None:
    """The ids of all that is called, by its kind and name."""
    offices = {one["id"]: one["name"] for one in (await stage.ask("GET", f"{V2}/offices"))["items"]}
    stage.ids |= {f"office {name}": id for id, name in offices.items()}
    for kind in ("department", "callcenter"):
        for one in (await stage.ask("GET", f"{V2}/{kind}s")).get("items", []):
            stage.ids[f"{kind} {offices[one['office_id']]}/{one['name']}"] = one["id"]
    for one in (await stage.ask("GET", f"{V2}/users")).get("items", []):
        stage.ids[f"user {one['emails'][0]}"] = one["id"]
