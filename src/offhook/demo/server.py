"""The server of a demo: everything in a folder of its own, new each time, and `offhook serve` in its own process.

Nothing that OFFHOOK_ variables point to is touched.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from offhook.kit.settings import PREFIX

HOST, PORT, SIP_PORT = "127.0.0.1", 8080, 5060
START_SECONDS = 60.0
STOP_SECONDS = 30.0


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
    """`offhook serve` in a session of its own, its log in a file. Ctrl-C does not reach it: `stop` is all that ends it.

    `url` is known once it serves, and `sip`, where telephones reach it: from its own log, so that whatever else answers
    on a port is not taken for it.
    """

    def __init__(self, data: Path, log: Path) -> None:
        self.url = self.sip = ""
        self.log = log
        self.data = data
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve on the usual ports, or on free ones where those are taken; NotShown if it cannot."""
        for port, sip_port in ((_free(PORT, socket.SOCK_STREAM), _free(SIP_PORT, socket.SOCK_DGRAM)), (0, 0)):
            self._start(port, sip_port)
            if self._serves():
                return
        raise NotShown(f"The server ended at once. Its log, {self.log}:\n{self.tail()}")

    def _start(self, port: int, sip_port: int) -> None:
        command = [sys.executable, "-m", "offhook", "serve", "--data", str(self.data)]
        with self.log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*command, "--host", HOST, "--port", str(port), "--sip-host", HOST, "--sip-port", str(sip_port)],
                env=surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
                start_new_session=True,
            )

    def _serves(self) -> bool:
        """True once it does, False if it has ended."""
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if said := self._said():
                url = str(said["url"])
                if httpx.get(url + "/readyz", trust_env=False).status_code == 200:
                    self.url, self.sip = url, str(said["sip"])
                    return True
            elif self._process.poll() is not None:
                return False
            time.sleep(0.05)
        raise NotShown(f"The server was not ready within {START_SECONDS:.0f} s. Its log, {self.log}:\n{self.tail()}")

    def _said(self) -> dict[str, object]:
        """What it said of itself once it served."""
        for line in self.log.read_bytes().splitlines():
            with suppress(msgspec.DecodeError):
                event = msgspec.json.decode(line)
                if isinstance(event, dict) and event.get("event") == "serving":
                    return event
        return {}

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
            status = self._process.wait(STOP_SECONDS)
            # Before it serves, the signal does what it does to any process.
            return 0 if status == -signal.SIGTERM and not self.url else status
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return 1

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-1500:].strip()


def _free(port: int, kind: socket.SocketKind) -> int:
    """The port if it is free, else 0 for any."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: connections that have just ended keep nobody off.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return 0
    return port


def near(path: Path) -> str:
    """A path as it is written from here."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
