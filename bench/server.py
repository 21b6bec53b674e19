"""The real server in a process of its own: made with `offhook init`, started with `offhook serve`, watched in /proc."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import msgspec

PROGRAM = (str(Path(sys.executable).with_name("offhook")),)
START_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something without which there is no figure: a server that does not start, an answer that was not expected."""


class Company(msgspec.Struct):
    """What `offhook init --json` says."""

    company_id: int | str
    office_id: int | str
    live_key: str
    sandbox_key: str


class Server:
    """A company of its own and the process that serves it; `with` starts and ends it.

    `scale` multiplies the rate limits; `database_url` empty keeps all in SQLite in `data`. The process may be stopped
    or killed and started again on the same data and port.
    """

    def __init__(self, data: Path, *, scale: float = 100_000, database_url: str = "") -> None:
        self.data = data
        self.scale = scale
        self.environment: dict[str, str] = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OFFHOOK_")},
            "OFFHOOK_RATE_LIMIT_SCALE": str(scale),
            "OFFHOOK_SIP": "false",
            **({"OFFHOOK_DATABASE_URL": database_url} if database_url else {}),
        }
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.company: Company | None = None

    def __enter__(self) -> Self:
        try:
            if self.company is None:
                self.init()
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        assert self.company is not None
        return self.company.live_key

    @property
    def company_id(self) -> int:
        assert self.company is not None
        return int(self.company.company_id)

    @property
    def log(self) -> Path:
        """What the process wrote to standard output and error."""
        return self.data.with_name(self.data.name + ".log")

    def init(self) -> Company:
        """Create company, primary office and keys."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        command = [*PROGRAM, "init", "--data", str(self.data), "--json"]
        try:
            done = subprocess.run(
                command, env=self.environment, capture_output=True, check=False, timeout=START_SECONDS
            )
        except OSError as error:
            raise BenchError(f"{PROGRAM[0]} cannot be run: {error}") from error
        if done.returncode:
            raise BenchError(f"offhook init failed: {done.stderr.decode(errors='replace')[-2000:]}")
        self.company = msgspec.json.decode(done.stdout, type=Company)
        return self.company

    def start(self) -> None:
        """Serve, and wait until /readyz answers 200."""
        command = [*PROGRAM, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--benchmark"], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BenchError(f"offhook serve did not get ready:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def ready(self) -> bool:
        """Whether /readyz answers 200 now."""
        try:
            return self.get("/readyz", key="")[0] == 200
        except OSError:
            return False

    def get(self, path: str, *, key: str | None = None, timeout: float = 5.0) -> tuple[int, bytes]:
        """One GET on a connection of its own: status and body."""
        key = self.key if key is None else key
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that does not end it within 30 seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def remove(self) -> None:
        """End it and delete its data and log."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    @property
    def pid(self) -> int:
        if self.process is None:
            raise BenchError("the server does not run")
        return self.process.pid

    def cpu_seconds(self) -> float:
        """User and system time of the process, its threads and its living children so far; ticks of 10 ms."""
        return sum(cpu_of(pid) for pid in family(self.pid))

    def memory_mib(self) -> dict[str, float]:
        """Resident memory of the process and its children, now and at its highest."""
        fields = {"now": "VmRSS", "highest": "VmHWM"}
        return {name: sum(status_kib(pid, field) for pid in family(self.pid)) / 1024 for name, field in fields.items()}


def cpu_of(pid: int) -> float:
    """Processor seconds of a process so far."""
    try:
        # The second field is the name in parentheses and may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def status_kib(pid: int, name: str) -> int:
    """A figure of a process's status, 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)


def family(pid: int) -> list[int]:
    """A process and its living descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of this machine that is free now."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
