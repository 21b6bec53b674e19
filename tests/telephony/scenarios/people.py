"""Who is rung in a scenario, each with a telephone that does as the file says."""

import asyncio
import random
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from offhook.telephony.port import Address
from tests.telephony.scenarios.handset import WAIT, Handset, Talk
from tests.telephony.worker.softphone import Softphone

ACCEPTED, DECLINED = 202, 603
_AWAITED = ("register", "transfer")


@dataclass
class Does:
    """Takes the call after so many (real) seconds, None: never; or declines it at once."""

    seconds: float | None = None
    declines: bool = False


@dataclass
class Ringing:
    """One telephone that rang, from when to when; `answered` if it was taken. `hang_up` ends it from there, `send_on`
    tells whether the other side was sent on to a number.
    """

    who: str
    hang_up: Callable[[], None]
    send_on: Callable[[str], Awaitable[bool]]
    talk: Talk | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    answered: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, *, answered: bool = False) -> None:
        """It rings no more."""
        self.ended = self.ended or time.monotonic()
        self.answered = self.answered or answered
        self.over.set()


Rung = Callable[[Ringing], None]


def scripted(handset: Handset, who_of: Callable[[Talk], str], does: Callable[[str], Does], rung: Rung) -> None:
    """Have a handset do as told, as whoever `who_of` says that a call is for."""

    async def follow(talk: Talk) -> None:
        who = who_of(talk)
        one = Ringing(who, talk.hang_up, partial(_sends_on, talk), talk)
        rung(one)
        todo = does(who)
        if todo.declines:
            talk.refuse(DECLINED)
        elif todo.seconds is not None:
            down = asyncio.ensure_future(talk.down.wait())
            await asyncio.wait({down}, timeout=todo.seconds)
            down.cancel()
            if not talk.ended:
                talk.answer()
                one.end(answered=True)
                return
        await talk.down.wait()
        one.end()

    tasks: set[asyncio.Task[None]] = set()

    def ring(talk: Talk) -> None:
        task = asyncio.ensure_future(follow(talk))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    handset.rung = ring


async def _sends_on(talk: Talk, number: str) -> bool:
    talk.refer(number)
    async with asyncio.timeout(WAIT):
        return await talk.referred.get() == ACCEPTED


def free_port() -> int:
    """A port that is free by UDP and TCP, as is the next one (for TLS), and that nobody is given by chance."""
    while True:
        port = random.randrange(10_000, 20_000, 2)
        with ExitStack() as tried:
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    for at in (port, port + 1):
                        tried.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", at))
            except OSError:
                continue
            return port


class Soft:
    """A real telephone (baresip) of somebody; `listen` is its port, for one that a carrier rings.

    `up` once a call that it made itself was taken.
    """

    def __init__(
        self,
        who: str,
        name: str,
        password: str,
        server: Address,
        pitch: int,
        does: Callable[[str], Does],
        rung: Rung,
        listen: int = 0,
    ) -> None:
        self._who, self._server, self._does, self._rung = who, server, does, rung
        self._loop = asyncio.get_running_loop()
        self._now: Ringing | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self._ready, self.up = asyncio.Event(), asyncio.Event()
        self._did: asyncio.Queue[bool] = asyncio.Queue()
        """What was asked for and waited for: done, or not."""
        self._phone = Softphone(name, password, server, pitch, self._said, listen)

    def _said(self, said: list[object]) -> None:
        self._loop.call_soon_threadsafe(self._told, said)

    def _told(self, said: list[object]) -> None:
        match said[0]:
            case "ready":
                self._ready.set()
            case "done" | "failed" if said[1] in _AWAITED:
                self._did.put_nowait(said[0] == "done")
            case "incoming":
                todo = self._does(self._who)
                self._now = Ringing(self._who, self.hang_up, self.transfer)
                self._rung(self._now)
                if todo.declines:
                    self.hang_up()
                elif todo.seconds is not None:
                    self._waiting = self._loop.call_later(todo.seconds, self._phone.do, "answer")
            case "call_established":
                if self._now is not None:
                    self._now.end(answered=True)
                self.up.set()
            case "call_closed" if self._now is not None:
                if self._waiting is not None:
                    self._waiting.cancel()
                self._now.end()
            case _:
                pass

    async def ready(self) -> None:
        """Wait until it can be called."""
        async with asyncio.timeout(WAIT):
            await self._ready.wait()

    async def register(self) -> None:
        """Be reached."""
        assert await self._does_so("register"), f"{self._who} could not register"

    def dial(self, number: str) -> "Soft":
        """Call a number."""
        self._phone.do("dial", f"sip:{number}@127.0.0.1:{self._server[1]}")
        return self

    async def transfer(self, number: str) -> bool:
        """Send the other side on; whether that was taken on."""
        return await self._does_so("transfer", f"sip:{number}@127.0.0.1:{self._server[1]}")

    async def _does_so(self, *command: object) -> bool:
        self._phone.do(*command)
        async with asyncio.timeout(WAIT):
            return await self._did.get()

    def connect(self) -> None:
        """Connect the other sides of its last two calls."""
        self._phone.do("connect")

    def hang_up(self) -> None:
        """End its call, or refuse the one that rings."""
        self._phone.do("hangup")

    def close(self) -> None:
        self._phone.close()
