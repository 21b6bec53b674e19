"""The SIP worker as the server has it: a process that is started, spoken to, and started again when it dies or hangs.

What it tells of a leg goes to whoever holds that leg. When the process is gone every leg of it is over, and is said to
be: a call that was under way ends in its record with that cause, and the next one finds a new worker.
"""

import asyncio
import os
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

import structlog

from offhook.kit.settings import PREFIX
from offhook.telephony import port
from offhook.telephony.port import (
    DIED,
    Close,
    Command,
    Configure,
    Down,
    Event,
    Fault,
    Figures,
    Frames,
    Ping,
    Pong,
    Ready,
    framed,
)

PAUSES = (0.1, 0.5, 2.0, 5.0)
"""Seconds before it is started again, longer each time that it did not come up."""

START_SECONDS = 20.0
"""In which it has to say that it is ready."""

BEAT_SECONDS = 2.0
"""After which it is asked again whether it is there."""

UNANSWERED = 5
"""Questions after which one that answered none of them hangs: after ten seconds. With 30 calls a second on two cores,
which others used too, the latest answer of 137 came after 0.02; by its own rules it waits two at most, for a process of
sound that takes nothing. Who calls or hangs up sends that again for 32 seconds (64*T1, RFC 3261 section 17.1): the next
one still hears it.
"""

STOP_SECONDS = 4.0

MALLOC = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""How glibc keeps the worker's memory: in one heap, of which what is free at its end goes back. Each of its threads
would have a heap of its own otherwise, which only grows. Other C libraries do not know these.
"""

EACH = 1 << 32
"""Numbers that a worker may give: the next one begins behind them, so that what somebody still means to say of a leg
of one that died is said of no other.
"""

ENDED = 1_000
"""Legs of which it is known how they ended; the oldest is forgotten."""

log = structlog.get_logger("offhook.telephony")
Heard = Callable[[Event], None]


def environment() -> dict[str, str]:
    """What the worker has of our environment: none of the settings, as it reads what strangers send and needs no secret
    among them, nor those of a bucket.
    """
    return MALLOC | {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "AWS_"))}


class _Line(asyncio.Protocol):
    """Our end of the socket: what came is `heard` at once, without a stream's buffer and a task that waits for it.

    It is `ready` when the worker said so, and `over` at the end of the socket, or with the fault of what came.
    """

    def __init__(self, made: Callable[[asyncio.BaseTransport], None], heard: Callable[[Event], None]) -> None:
        self._made, self._heard, self._frames = made, heard, Frames(Event)
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._made(transport)

    def data_received(self, content: bytes) -> None:
        """Some more came."""
        if self.closed or self.over.done():
            return
        try:
            for event in self._frames.feed(content):
                if isinstance(event, Ready) and not self.ready.done():
                    self.ready.set_result(None)
                self._heard(event)  # type: ignore[arg-type]
        except Exception as fault:
            self.over.set_exception(fault)

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing more comes."""
        if self.over.done():
            return
        if error is None or self.closed:
            self.over.set_result(None)
        else:
            self.over.set_exception(error)


class Worker:
    """One worker process at a time. `keep` it going while serving; what is no leg's goes to `heard`."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        heard: Callable[[Event], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        beat: float = BEAT_SECONDS,
    ) -> None:
        self._arguments, self._heard, self._sleep, self.beat = arguments, heard, sleep, beat
        self._legs: dict[int, Heard] = {}
        self._early: dict[int, list[Event]] = {}
        """What happened on legs that came in, for whoever holds them: a caller may be gone before that."""
        self._ended: dict[int, Down] = {}
        """How the latest legs ended, for whoever takes one that is over."""
        self._taped: dict[str, Heard] = {}
        self._writer: asyncio.WriteTransport | None = None
        self._untold = bytearray()
        self._next = 0
        self._closing = False
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Future[None]] = set()
        self._trunks: dict[int, int] = {}
        self._dialled: Counter[int] = Counter()
        self._dialled_for: dict[int, int] = {}
        self.configured = Configure()
        self.ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        """Where it listens, once it does; another one whenever it was started again."""
        self.watch: Callable[[Event], None] = lambda event: None
        """Is told everything that the worker tells, before anybody else."""
        self.starting = True
        """Whether it is started for the first time, and has neither come up yet nor failed to."""
        self.figures = Figures(legs=0)
        self.faults = 0
        self.starts = 0
        self.hangs = 0
        """How often it lived and answered nothing."""
        self._unanswered = 0
        self.pid = 0

    # What is asked of it

    def tell(self, command: Command) -> None:
        """Have it do something; nothing comes of it while there is no worker, as then no leg is left either, and none
        can be dialled.
        """
        if isinstance(command, port.Dial) and self._writer is None:
            self.refuse(command.leg)
        if isinstance(command, port.Record) and (heard := self._legs.get(command.leg)) is not None:
            # A recording is told of when it is whole, also after its leg was over.
            self._taped[command.path] = heard
        if isinstance(command, port.Dial) and command.trunk and self._writer is not None:
            self._trunks[command.leg] = command.trunk
        if self._writer is not None:
            if not self._untold:
                # With the loop's next pass: all that one event leads to is one packet of the socket.
                asyncio.get_running_loop().call_soon(self._tell)
            self._untold += framed(command)

    def _tell(self) -> None:
        untold, self._untold = self._untold, bytearray()
        if self._writer is not None:
            self._writer.write(untold)

    def on_trunk(self, trunk: int) -> int:
        """How many legs there are by a carrier: those that are dialled by it, and those of calls that it may bring."""
        return sum(one == trunk for one in self._trunks.values())

    def by_trunk(self, leg: int, trunk: int) -> None:
        """A leg that came in is counted by this carrier from now on, unless it is over."""
        early = self._early.get(leg, ())
        if leg in self._legs or (leg in self._early and not any(isinstance(event, Down) for event in early)):
            self._trunks[leg] = trunk

    def dialled_of(self, tenant_id: int) -> int:
        """How many of a company's telephones are dialled or talk."""
        return self._dialled[tenant_id]

    def dialled_for(self, leg: int, tenant_id: int) -> None:
        """A telephone of a company is about to be dialled."""
        if leg in self._legs and leg not in self._dialled_for:
            self._dialled_for[leg] = tenant_id
            self._dialled[tenant_id] += 1

    def refuse(self, leg: int) -> None:
        """Say soon that a leg cannot be dialled."""
        asyncio.get_running_loop().call_soon(self._hear, Down(leg=leg, code=503, cause="failed", ours=True))

    def _forget(self, leg: int) -> None:
        """It is over. What nobody has been told of it yet stays for whoever will hold it."""
        self._legs.pop(leg, None)
        self._trunks.pop(leg, None)
        tenant_id = self._dialled_for.pop(leg, None)
        if tenant_id is not None:
            self._dialled[tenant_id] -= 1
            if not self._dialled[tenant_id]:
                del self._dialled[tenant_id]

    def _note_ended(self, down: Down) -> None:
        self._ended[down.leg] = down
        if len(self._ended) > ENDED:
            del self._ended[next(iter(self._ended))]

    def configure(self, configured: Configure) -> None:
        """Which carriers there are from now on, and after each start."""
        self.configured = configured
        for part in port.in_parts(configured):
            self.tell(part)

    def hold(self, leg: int, heard: Heard) -> None:
        """Be told what happens on a leg from now on; of one that came in, also what happened on it before.

        Of one that is over it is told soon that it is: whoever takes it may not have heard of that, nor may anybody.
        """
        if leg not in self._early and leg not in self._legs:
            ended = self._ended.get(leg, Down(leg=leg))
            asyncio.get_running_loop().call_soon(_pass_on, heard, ended)
            return
        early = self._early.pop(leg, [])
        if not any(isinstance(event, Down) for event in early):
            self._legs[leg] = heard
        for event in early:
            heard(event)

    def new_leg(self, heard: Heard) -> int:
        """A leg that is to be dialled, and be told what happens on it."""
        self._next += 2
        self._legs[self._next] = heard
        return self._next

    def let_go(self, leg: int) -> None:
        """Be told no more of it."""
        self._early.pop(leg, None)
        self._forget(leg)

    @property
    def legs(self) -> int:
        """How many legs are held."""
        return len(self._legs) + len(self._early)

    # Keeping it

    async def keep(self) -> None:
        """Start it, and again whenever it ended, for as long as this goes on."""
        try:
            await self._keep()
        finally:
            self.starting = False
            self._over.set()

    async def _keep(self) -> None:
        failed = 0
        while True:
            try:
                came_up = await self._once()
            except Exception:
                # Whatever it is, telephones are to be answered again.
                log.exception("telephone_process_failed")
                came_up = False
            self.starting = False
            if self._closing:
                return
            failed = 0 if came_up else failed + 1
            pause = PAUSES[min(failed, len(PAUSES) - 1)]
            log.error("telephone_process_ended", mend="it is started again", after=pause)
            await self._sleep(pause)

    async def close(self) -> None:
        """End it, and all calls with it; what it has to say of them is heard."""
        self._closing = True
        if self._writer is not None:
            self.tell(Close(STOP_SECONDS / 2))
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._over.wait()

    async def _once(self) -> bool:
        ours, theirs = socket.socketpair()
        line = _Line(self._made, self._hear)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "offhook.telephony.worker", str(theirs.fileno()), *self._arguments,
                    "--first", str(self.starts * EACH), pass_fds=(theirs.fileno(),), stdin=asyncio.subprocess.DEVNULL,
                    env=environment(),
                )  # fmt: skip
            self._untold = bytearray()
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: line, sock=ours)
        except BaseException:
            ours.close()
            raise
        self.starts += 1
        self.pid = process.pid
        self.configure(self.configured)
        try:
            await asyncio.wait({line.ready, line.over}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if line.ready.done() or line.over.done():
                await self._attend(line)
            else:
                log.error("telephone_process_silent", seconds=START_SECONDS)
        except (OSError, ValueError) as fault:
            log.error("telephone_process_unreadable", cause=str(fault))
        finally:
            line.closed = True
            transport.close()
            self._writer = None
            await self._end(process)
            if self.ready.done():
                self.ready = asyncio.get_running_loop().create_future()
            self._all_down()
        return line.ready.done()

    async def _attend(self, line: _Line) -> None:
        """Wait until it is over, or hangs; which is told by questions and not by the clock.

        While we hear nothing ourselves, as this process was stopped or had too much to do, we do not ask either.
        """
        self._unanswered = 0
        while not line.over.done():
            if self._unanswered >= UNANSWERED:
                self.hangs += 1
                log.error("telephone_process_hung", seconds=self._unanswered * self.beat)
                return
            self._unanswered += 1
            self.tell(Ping())
            await asyncio.wait({line.over}, timeout=self.beat)
        await line.over

    def _made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are so without saying so.
        self._writer = cast(asyncio.WriteTransport, transport)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS if self._closing else 0.5)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _all_down(self) -> None:
        legs, self._legs = self._legs, {}
        self._trunks, self.figures = {}, Figures(legs=0)
        self._dialled_for = {}
        self._dialled.clear()
        taped, self._taped = self._taped, {}
        for path, heard in taped.items():
            _pass_on(heard, port.Recorded(leg=0, path=path, seconds=0, fault=DIED))
        for leg, heard in legs.items():
            self.watch(Down(leg=leg, cause=DIED))
            self._note_ended(Down(leg=leg, cause=DIED))
            _pass_on(heard, Down(leg=leg, cause=DIED))
        for leg, early in self._early.items():
            early.append(Down(leg=leg, cause=DIED))

    def _hear(self, event: Event) -> None:
        self.watch(event)
        match event:
            case Ready():
                self.starting = False
                if not self.ready.done():
                    self.ready.set_result(event)
                log.info("telephones", listening=f"{event.address[0]}:{event.address[1]}", media=event.media)
            case Pong():
                self._unanswered = 0
            case Figures():
                self.figures = event
            case Fault():
                self.faults += event.count
                log.warning("telephone_fault", what=event.what, count=event.count)
            case port.TurnedAway():
                log.warning(
                    "telephone_turned_away", source=f"{event.source[0]}:{event.source[1]}", username=event.username,
                    method=event.method, cause=event.cause, more=event.more,
                )  # fmt: skip
            case port.Whois() | port.Register() | port.Incoming():
                if isinstance(event, port.Incoming):
                    self._early[event.leg] = []
                task = asyncio.ensure_future(self._heard(event))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case port.Recorded():
                if (heard := self._taped.pop(event.path, None)) is not None:
                    _pass_on(heard, event)
            case _:
                heard = self._legs.get(event.leg)
                if isinstance(event, Down):
                    self._forget(event.leg)
                    self._note_ended(event)
                if heard is not None:
                    _pass_on(heard, event)
                elif event.leg in self._early:
                    self._early[event.leg].append(event)


def _pass_on(heard: Heard, event: Event) -> None:
    """Tell who holds a leg; a fault of theirs is not the worker's, nor that of all other calls."""
    try:
        heard(event)
    except Exception:
        log.exception("event_not_taken", event_kind=type(event).__name__)
