"""Has JavaScript, jq and JSONata evaluated by a few processes of their own (sandbox.py), and judges how they ended.

Nothing of a script runs in this process. Whatever it does, its worst is a ScriptError and a process that is replaced
(docs/decisions/0024).
"""

import asyncio
import math
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog

from offhook.workflows.expressions import sandbox
from offhook.workflows.expressions.places import Places

log = structlog.get_logger("offhook.workflows")

AT_ONCE = 3
"""Processes of all companies together; one company has all of them but one, at most."""

USES = 2_000
"""After how many scripts a process is replaced."""
MOST = 1_000_000
"""How many bytes of JSON a result may have, unless the caller says otherwise."""
INPUT = 10 * 1024 * 1024
SOURCE = 100_000
SECONDS = sandbox.SECONDS + 0.5
"""Of a processor, after which a process that gave no answer is ended; it ends a script by itself a little sooner."""

PATIENCE = 10
"""How many times as long it may take by the clock on the wall, on a machine that is busy with other things."""

Language = Literal["js", "jq", "jsonata"]

_PROGRAM = str(Path(sandbox.__file__).resolve())


class ScriptError(Exception):
    """Why a script gave no result, in words for who wrote it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotNow(ScriptError):
    """Nothing was wrong with the script: it could not be evaluated here and now."""


class _Ended(Exception):
    """The process closed its end, or said what it should not."""


class _Child:
    """One process that evaluates one script at a time."""

    def __init__(self, program: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", program],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"TZ": "UTC"},
            )
        ours.setblocking(False)
        self.socket = ours
        self.used = 0

    async def ask(self, head: bytes, value: bytes, most: int) -> bytes:
        """The answer's content; _Ended if there is none."""
        loop = asyncio.get_running_loop()
        self.used += 1
        try:
            await loop.sock_sendall(self.socket, b"".join((_size(head), head, _size(value), value)))
            size = int.from_bytes(await self._read(loop, 4), "big")
            if not 0 < size <= most:
                raise _Ended
            return await self._read(loop, size)
        except OSError:
            raise _Ended from None

    async def _read(self, loop: asyncio.AbstractEventLoop, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            part = await loop.sock_recv(self.socket, min(size - len(content), 262_144))
            if not part:
                raise _Ended
            content += part
        return bytes(content)

    def worked(self) -> float:
        """Seconds of a processor that it had so far; endless for one that is over, or where nobody can tell."""
        try:
            # The clock of another process, as the kernel numbers it.
            return time.clock_gettime((~self.process.pid << 3) | 2)
        except OSError:
            return math.inf

    def kill(self) -> None:
        self.socket.close()
        self.process.kill()


def _too_long(source: str) -> str:
    return f"It has {len(source):,} characters; it may have {SOURCE:,}."


def _size(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big")


class Scripts:
    """Evaluates at most `at_once` scripts at a time, each in a process that starts when it is first needed.

    Further ones wait for their turn, which is not counted as their time, and which companies have one after the other:
    one whose scripts never end leaves a process to the others. Awaiting may be cancelled at any moment; the process is
    ended then, so nothing goes on behind it. Used from one event loop.
    """

    def __init__(self, at_once: int = AT_ONCE, *, uses: int = USES, seconds: float = SECONDS) -> None:
        self._places = Places(at_once)
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._endings: set[asyncio.Future[Any]] = set()
        self._uses = uses
        self._seconds = seconds
        self._closed = False

    async def javascript(
        self, tenant_id: int, script: str, bindings: dict[str, Any], *, now_ms: int, seed: int, most: int = MOST
    ) -> Any:
        """What the script leaves, as JSON. `$` is `bindings`, Date stands at `now_ms`, chance follows from `seed`."""
        return await self._evaluate(tenant_id, "js", script, bindings, now_ms, seed, most)

    async def jq(
        self, tenant_id: int, query: str, value: Any, *, now_ms: int | None = None, most: int = MOST
    ) -> list[Any]:
        """All results of the query about `value`. `now` stands at `now_ms`; without it, it is an error of the query."""
        found: list[Any] = await self._evaluate(tenant_id, "jq", query, value, now_ms, 0, most)
        return found

    async def jsonata(
        self, tenant_id: int, expression: str, value: Any, *, now_ms: int, seed: int, most: int = MOST
    ) -> Any:
        """What the JSONata expression gives for `value`; nothing is None."""
        return await self._evaluate(tenant_id, "jsonata", expression, value, now_ms, seed, most)

    async def syntax(self, tenant_id: int, scripts: Sequence[tuple[Language, str]]) -> list[str | None]:
        """Why each script cannot be read, None for one that can; nothing of them is run.

        All are read in the time that one script has; ScriptError if they take longer, or cannot be read here and now.
        """
        short = [(op, source) for op, source in scripts if len(source) <= SOURCE]
        found: list[str | None] = []
        if short:
            found = await self._evaluate(tenant_id, "syntax", "", short, None, 0, MOST)
        faults = iter(found)
        return [next(faults) if len(source) <= SOURCE else _too_long(source) for _, source in scripts]

    async def close(self) -> None:
        """End all processes; scripts that are under way fail."""
        self._closed = True
        for child in list(self._all):
            self._end(child)
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _evaluate(
        self, tenant_id: int, op: str, source: str, value: Any, now: int | None, seed: int, most: int
    ) -> Any:
        if len(source) > SOURCE:
            raise ScriptError(_too_long(source))
        try:
            head = msgspec.json.encode({"op": op, "source": source, "now": now, "seed": seed % 2**53, "most": most})
            body = msgspec.json.encode(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ScriptError(f"What it is about is not JSON: {error}.") from None
        if len(body) > INPUT:
            raise ScriptError(f"What it is about has {len(body):,} bytes; it may have {INPUT:,}.")
        async with self._places.place(tenant_id):
            reply = await self._ask(head, body, most + 1_000)
        kind, content = reply[:1], reply[1:]
        if kind != sandbox.VALUE:
            raise ScriptError(content.decode(errors="replace"))
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError):
            raise ScriptError("Its result is nested too deeply, or is no JSON.") from None

    async def _ask(self, head: bytes, body: bytes, most: int) -> bytes:
        child = await self._child()
        good = False
        asking = asyncio.ensure_future(child.ask(head, body, most))
        try:
            reply = await self._patiently(child, asking)
            good = reply[:1] in (sandbox.VALUE, sandbox.FAULT)
            return reply
        except TimeoutError:
            raise ScriptError(sandbox.TOO_LONG) from None
        except _Ended:
            why = await self._why(child)
            raise (NotNow if self._closed else ScriptError)(why) from None
        finally:
            asking.cancel()
            if good and child.used < self._uses and not self._closed:
                self._idle.append(child)
            else:
                self._end(child)

    async def _patiently(self, child: _Child, asking: "asyncio.Future[bytes]") -> bytes:
        """The answer; TimeoutError once the process has had its time of a processor, which others may want as well."""
        begun = child.worked()
        for _ in range(PATIENCE):
            done, _pending = await asyncio.wait((asking,), timeout=self._seconds)
            if done:
                return asking.result()
            if child.worked() - begun >= self._seconds * 0.9:
                break
        raise TimeoutError

    async def _child(self) -> _Child:
        self._still_open()
        while self._idle:
            child = self._idle.pop()
            if child.process.poll() is None:
                return child
            self._end(child)
        starting = asyncio.ensure_future(asyncio.to_thread(_Child, _PROGRAM))
        try:
            child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(lambda done: None if done.exception() else self._end(done.result()))
            raise
        except OSError as error:
            log.error("script_process_not_started", error=str(error))
            raise NotNow("The server could not start a process for it; try again.") from None
        self._all.add(child)
        try:
            self._still_open()
        except ScriptError:
            self._end(child)
            raise
        return child

    def _still_open(self) -> None:
        if self._closed:
            raise NotNow("The server is being stopped.")

    async def _why(self, child: _Child) -> str:
        """In words, why a process ended by itself."""
        child.socket.close()
        try:
            status = await asyncio.wait_for(asyncio.to_thread(child.process.wait, 1), 2)
        except (TimeoutError, subprocess.TimeoutExpired):
            status = None
        log.warning("script_process_ended", status=status)
        if self._closed:
            return "The server is being stopped."
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            return sandbox.TOO_LONG
        return f"{sandbox.TOO_MUCH} ({sandbox.MEMORY // 1024**2} MB), or its calls are nested too deeply."

    def _end(self, child: _Child) -> None:
        child.kill()
        self._all.discard(child)
        ending = asyncio.ensure_future(asyncio.to_thread(child.process.wait))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
