"""The server's end of a worker's socket, for tests: a real worker process, told and heard."""

import hashlib
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from offhook.telephony import port

E = TypeVar("E")
WAIT = 10.0
PASSWORD = "correct horse"  # noqa: S105  (of telephones in tests)


def digests(username: str, password: str = PASSWORD, realm: str = "offhook") -> dict[str, str]:
    """What the server keeps of a telephone's password."""
    secret = f"{username}:{realm}:{password}".encode()
    return {"MD5": hashlib.md5(secret).hexdigest(), "SHA-256": hashlib.sha256(secret).hexdigest()}  # noqa: S324


class Server:
    """A worker process. What it asks about telephones is answered from `accounts`, and registrations as asked."""

    def __init__(self, *arguments: str) -> None:
        self.socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "offhook.telephony.worker", str(theirs.fileno()), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *arguments], pass_fds=(theirs.fileno(),), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        theirs.close()
        self._frames = port.Frames(port.Event)
        self.events: list[port.Event] = []
        self.accounts: dict[str, dict[str, str]] = {}
        self.registers = True
        self.asked: list[str] = []
        self.faults: list[port.Fault] = []
        self.figures: port.Figures = port.Figures(legs=0)
        self.address = self.hear(port.Ready).address

    def tell(self, *commands: port.Command) -> None:
        """Send commands."""
        self.socket.sendall(b"".join(port.framed(command) for command in commands))

    def hear(self, kind: type[E], when: Callable[[E], bool] = lambda event: True, wait: float = WAIT) -> E:
        """The first event of a kind that was not heard yet; all others stay to be heard."""
        end = time.monotonic() + wait
        while True:
            for event in self.events:
                if isinstance(event, kind) and when(event):
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError(f"No {kind.__name__} came; there were {self.events}.")
            self._read()

    def pump(self) -> None:
        """Read what is there."""
        while select.select([self.socket], [], [], 0)[0]:
            self._read()

    def _read(self) -> None:
        content = self.socket.recv(65_536)
        if not content:
            raise AssertionError(f"The worker is gone: {self.process.communicate()}")
        for event in self._frames.feed(content):
            if isinstance(event, port.Whois):
                self.asked.append(event.username)
                self.tell(port.Account(username=event.username, digests=self.accounts.get(event.username, {})))
            elif isinstance(event, port.Register) and self.registers:
                self.events.append(event)
                self.tell(port.Registered(id=event.id, contacts=event.contacts))
            elif isinstance(event, port.Figures):
                self.figures = event
                self.events.append(event)
            elif isinstance(event, port.Fault):
                self.faults.append(event)
            else:
                self.events.append(event)

    def idle(self) -> port.Figures:
        """Wait until no leg is left."""
        return self.hear(port.Figures, lambda figures: figures.legs == 0)

    def close(self) -> tuple[bytes, bytes]:
        """End it; what it printed."""
        if self.process.poll() is None:
            self.tell(port.Close(seconds=0.2))
        try:
            printed = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            printed = self.process.communicate()
        self.socket.close()
        return printed
