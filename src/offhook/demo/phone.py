"""A softphone for the demo: baresip, in a process of its own, as a process may have one of them.

`python -m offhook.demo.phone USER PASSWORD HOST:PORT TONE LISTEN` takes commands as JSON lists on its input (register;
dial URI; answer; keys DIGITS; listen; pitch SECONDS; hangup) and says as JSON lists on its output what became of them
(done NAME RESULT, failed NAME CAUSE) and what happens: ready, incoming WHO, up, over CAUSE.
"""

import asyncio
import json
import sys
from array import array
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Self

WAIT = 15.0
"""Seconds in which everything that is waited for happens, or never will."""

QUIET = 500
"""Of 32,767: below that nothing is heard."""

_FRAME = 0.02


class Trouble(Exception):
    """A telephone could not do what it was told, or what was waited for did not happen; says what."""


class Missing(Exception):
    """There is no softphone on this machine; says why."""


class Phone:
    """The demo's end of one. `heard` is called with all that it says, and when."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, heard: Callable[[list[Any]], None]) -> None:
        self._name, self._process, self._heard = name, process, heard
        self._said: asyncio.Queue[list[Any]] = asyncio.Queue()
        self._kept: list[list[Any]] = []
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(
        cls,
        name: str,
        account: tuple[str, str],
        server: str,
        *,
        tone: int,
        log: Path,
        listen: int = 0,
        heard: Callable[[list[Any]], None] = lambda said: None,
    ) -> Self:
        """One that says a tone of so many Hz when it talks, at a port of 127.0.0.1, 0 for any. Missing if there is
        none.

        `account` is username and password; without a password it never registers.
        """
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "offhook.demo.phone", *account, server, str(tone), str(listen),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=file,
            )  # fmt: skip
        phone = cls(name, process, heard)
        try:
            await phone.until("ready")
        except BaseException:
            await phone.close()
            raise
        return phone

    async def do(self, *command: object) -> Any:
        """Have it do something; what came of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        with suppress(ConnectionError):
            await self._process.stdin.drain()
        said = await self.until("done", lambda one: one[1] == command[0])
        return said[2]

    async def until(self, what: str, when: Callable[[list[Any]], bool] = lambda said: True) -> list[Any]:
        """Wait for what it says; the rest is kept."""
        for said in self._kept:
            if said[0] == what and when(said):
                self._kept.remove(said)
                return said
        try:
            async with asyncio.timeout(WAIT):
                while True:
                    said = await self._said.get()
                    if said[0] == what and when(said):
                        return said
                    if said[0] == "missing":
                        raise Missing(said[1])
                    if said[0] in ("failed", "gone"):
                        raise Trouble(f"{self._name}: {' '.join(map(str, said[1:]))}")
                    self._kept.append(said)
        except TimeoutError:
            known = ", ".join(str(said[0]) for said in self._kept) or "nothing"
            raise Trouble(f"{self._name}: waited {WAIT:.0f} s for {what}, and heard of {known}") from None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            # The library's own words go beside ours.
            if line.startswith(b"["):
                said = json.loads(line)
                self._heard(said)
                self._said.put_nowait(said)
        self._said.put_nowait(["gone", "its process ended"])

    async def close(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading


# In its process


def pitch(samples: "array[int]", rate: int) -> int:
    """Hz of a tone, by how far apart it rises through zero; 0 where nothing is heard. Gaps and clicks do not count."""
    if not samples or max(samples) < QUIET:
        return 0
    rises = [at for at in range(1, len(samples)) if samples[at - 1] < 0 <= samples[at]]
    apart = [after - before for before, after in pairwise(rises)]
    if not apart:
        return 0
    usual = median(apart)
    near = [one for one in apart if abs(one - usual) <= usual / 4]
    return round(rate * len(near) / sum(near))


class _Ear:
    """What a call's telephone hears."""

    def __init__(self, call: Any) -> None:
        self._audio = call.audio
        self._rate = 8_000

    def _taken(self) -> "array[int]":
        from baresip.errors import AudioNotActive

        samples = array("h")
        with suppress(AudioNotActive):
            info = self._audio.info()
            self._rate = info.rx_sample_rate or self._rate
            size = max(info.rx_buffered, 2) & ~1
            samples.frombytes(self._audio.read(size))
        return samples

    async def listen(self) -> None:
        """Until something is heard."""
        while max(self._taken(), default=0) < QUIET:  # noqa: ASYNC110 - it tells nobody when something comes
            await asyncio.sleep(_FRAME)

    async def pitch(self, seconds: float) -> int:
        """Of what is heard from now on, for so long."""
        while self._taken():
            pass
        samples = array("h")
        while len(samples) < seconds * self._rate:
            await asyncio.sleep(_FRAME)
            samples += self._taken()
        return pitch(samples, self._rate)


async def user_agent(user: str, password: str, server: str, tone: str, listen: str) -> Any:
    """The one user agent of this process, at port `listen` of loopback (0 for any), which says a tone of so many Hz.

    `server` is HOST:PORT. Without a password it is one that cannot register, as a carrier.
    """
    from baresip import Account, Config, Runtime, UserAgent

    runtime = Runtime()
    await runtime.start(
        Config(
            net_interface="127.0.0.1",
            audio_source=f"ausine,{tone}",
            audio_player="aumem",
            extra_config_text=f"sip_listen 127.0.0.1:{listen}\n",
        )
    )
    return await UserAgent.create(runtime, Account(user, server, password, reg_interval=60 if password else 0))


async def _serve(user: str, password: str, server: str, tone: str, listen: str) -> None:
    def say(*words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    agent = await user_agent(user, password, server, tone, listen)
    calls: list[Any] = []

    def follow(call: Any) -> None:
        calls.append(call)

        def told(event: Any) -> None:
            word = {"CALL_ESTABLISHED": "up", "CALL_CLOSED": "over"}.get(event.event.name)
            if word:
                say(word, event.text or "")

        call.on(told)

    def incoming(call: Any) -> None:
        follow(call)
        say("incoming", call.peer)

    agent.on_incoming(incoming)

    async def do(name: str, *words: Any) -> Any:
        match name:
            case "register":
                await agent.register()
            case "dial":
                follow(await agent.dial(words[0]))
            case "keys":
                await calls[-1].send_dtmf(words[0])
            case "listen":
                await _Ear(calls[-1]).listen()
            case "pitch":
                return await _Ear(calls[-1]).pitch(words[0])
            case "answer" | "hangup":
                await getattr(calls[-1], name)()
        return None

    say("ready")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        name, *words = json.loads(line)
        try:
            say("done", name, await do(name, *words))
        except Exception as error:
            say("failed", name, f"{type(error).__name__}: {error}")


def main() -> None:
    """Be one, until nobody tells it anything any more."""
    try:
        import baresip  # noqa: F401
    except ImportError as error:
        sys.stdout.write(json.dumps(["missing", str(error)]) + "\n")
        return
    asyncio.run(_serve(*sys.argv[1:]))


if __name__ == "__main__":
    main()
