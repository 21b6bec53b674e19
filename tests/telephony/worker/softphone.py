"""A real telephone (baresip) in a process of its own: one runtime is all that a process may have.

`python softphone.py USER PASSWORD HOST:PORT TONE LISTEN` takes commands as JSON lists on its input and says what
happens as JSON lists on its output: ready, incoming, call_established, key, call_closed, done.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from queue import Empty, Queue

from offhook.demo.phone import user_agent

WAIT = 15.0


class Softphone:
    """The test's end of it."""

    def __init__(
        self,
        user: str,
        password: str,
        server: tuple[str, int],
        tone: int = 440,
        told: Callable[[list[object]], None] = lambda said: None,
        listen: int = 0,
    ) -> None:
        """`told` is called with all that it says, in a thread. `listen` is its port, 0 for any."""
        self._told = told
        command = [sys.executable, __file__, user, password, f"{server[0]}:{server[1]}", str(tone), str(listen)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._said: Queue[list[object]] = Queue()
        self._kept: list[list[object]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith(b"["):
                said = json.loads(line)
                self._said.put(said)
                self._told(said)

    def do(self, *command: object) -> None:
        """Have it do something: register, dial URI, answer, hangup, keys DIGITS, hold, resume, transfer, connect."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def hear(self, what: str, when: Callable[[list[object]], bool] = lambda said: True) -> list[object]:
        """Wait for what it says; the rest is kept."""
        for said in self._kept:
            if said[0] == what and when(said):
                self._kept.remove(said)
                return said
        while True:
            try:
                said = self._said.get(timeout=WAIT)
            except Empty:
                raise AssertionError(f"The telephone never said {what}, but {self._kept}.") from None
            if said[0] == what and when(said):
                return said
            self._kept.append(said)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


async def main(user: str, password: str, server: str, tone: str, listen: str) -> None:
    """The telephone itself."""

    def say(*words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    agent = await user_agent(user, password, server, tone, listen)
    calls: list[object] = []

    def follow(call: object) -> None:
        calls.append(call)
        call.on(lambda event: say(event.event.name.lower(), event.text or ""))  # type: ignore[attr-defined]
        call.on_dtmf(lambda digit: say("key", digit.digit))  # type: ignore[attr-defined]

    def incoming(call: object) -> None:
        follow(call)
        say("incoming", call.peer)  # type: ignore[attr-defined]

    agent.on_incoming(incoming)
    say("ready")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        name, *words = json.loads(line)
        try:
            if name == "register":
                await agent.register()
            elif name == "dial":
                follow(await agent.dial(words[0]))
            elif name == "connect":
                await calls[-1].wait_established()  # type: ignore[attr-defined]
                await calls[-2].attended_transfer(calls[-1])  # type: ignore[attr-defined]
            elif name == "keys":
                await calls[-1].send_dtmf(words[0])  # type: ignore[attr-defined]
            else:
                await getattr(calls[-1], name)(*words)
            say("done", name)
        except Exception as error:
            say("failed", name, f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
