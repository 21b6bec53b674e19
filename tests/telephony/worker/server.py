"""The server's end of a worker's socket, for tests: a real worker process, told and heard."""

import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from offhook.telephony import port

E = TypeVar("E")
WAIT = 10.0
FENCE = 999_998
PASSWORD = "correct horse"


def digests(username: str, password: str = PASSWORD, realm: str = "offhook") -> dict[str, str]:
    """What the server keeps of a telephone's password."""
    secret = f"{username}:{realm}:{password}".encode()
    return {"MD5": hashlib.md5(secret).hexdigest(), "SHA-256": hashlib.sha256(secret).hexdigest()}


class Server:
    """A worker process. What it asks about telephones is answered from `accounts`, and registrations as asked."""

    def __init__(self, *arguments: str) -> None:
        self.socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "offhook.telephony.worker", str(theirs.fileno()), "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, *arguments], pass_fds=(theirs.fileno(),), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        theirs.close()
        self._changed = threading.Condition(threading.RLock())
        self._gone = False
        self.events: list[port.Event] = []
        self.accounts: dict[str, dict[str, str]] = {}
        self.registers = self.sure = True
        self.asked: list[str] = []
        self.faults: list[port.Fault] = []
        self.legs: set[int] = set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address = self.hear(port.Ready).address

    def tell(self, *commands: port.Command) -> None:
        """Send commands."""
        self.legs |= {command.leg for command in commands if isinstance(command, port.Dial)} - {FENCE}
        self.socket.sendall(b"".join(port.framed(command) for command in commands))

    def hear(self, kind: type[E], when: Callable[[E], bool] = lambda event: True, wait: float = WAIT) -> E:
        """The first event of a kind that was not heard yet; all others stay to be heard."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._gone or self._find(kind, when), wait) or self._gone:
                some = [*self.events[:20], len(self.events)]
                raise AssertionError(f"No {kind.__name__} came{' and it is gone' * self._gone}, but {some}.")
            found = self._find(kind, when)
            self.events.remove(found[0])  # type: ignore[arg-type]
            return found[0]

    def _find(self, kind: type[E], when: Callable[[E], bool]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind) and when(event)]

    def fence(self) -> list[port.Event]:
        """All events that were not heard, once a command sent now was answered."""
        self.tell(port.Dial(leg=FENCE, caller=0, uri="none", address=("127.0.0.1", 9)))
        self.hear(port.Down, lambda down: down.leg == FENCE)
        return [event for event in self.events if not isinstance(event, port.Figures | port.Sound | port.TurnedAway)]

    def clear(self) -> None:
        """Begin anew: all legs are over, and nothing is to be heard."""
        self.tell(*(port.Drop(leg) for leg in tuple(self.legs)))
        self.fence()
        with self._changed:
            self.events.clear()
            self.faults.clear()
            self.asked.clear()
            self.accounts.clear()
            self.registers = self.sure = True

    def _read(self) -> None:
        frames = port.Frames(port.Event)
        try:
            while content := self.socket.recv(65_536):
                with self._changed:
                    for event in frames.feed(content):
                        self._take(event)
                    self._changed.notify_all()
        except OSError:
            pass
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _take(self, event: port.Command | port.Event) -> None:
        if isinstance(event, port.Incoming):
            self.legs.add(event.leg)
        elif isinstance(event, port.Down):
            self.legs.discard(event.leg)
        if isinstance(event, port.Whois):
            self.asked.append(event.username)
            known = self.accounts.get(event.username, {})
            self.tell(port.Account(username=event.username, digests=known, sure=self.sure))
        elif isinstance(event, port.Register) and self.registers:
            self.events.append(event)
            self.tell(port.Registered(id=event.id, contacts=event.contacts))
        elif isinstance(event, port.Fault):
            self.faults.append(event)
        else:
            self.events.append(event)  # type: ignore[arg-type]

    def idle(self, wait: float = WAIT) -> None:
        """Wait until no leg is left and no transaction."""
        with self._changed:
            self.events = [event for event in self.events if not isinstance(event, port.Figures)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"what is refused is said within a second", self.address)
        self.hear(port.Figures, lambda figures: figures.legs == figures.transactions == 0, wait=wait)

    def close(self) -> tuple[bytes, bytes]:
        """End it; what it printed."""
        if self.process.poll() is None:
            self.tell(port.Close(seconds=0.2))
        try:
            printed = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            printed = self.process.communicate()
        self._reader.join(5)
        self.socket.close()
        return printed
