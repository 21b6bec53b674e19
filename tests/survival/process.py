"""The real server in a process of its own, as these tests need it: with any settings, killable, its log read back.

Its log is its standard error, every line of it JSON; what it says on standard output stays out of the way.
"""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import PROGRAM, START_SECONDS, BenchError, Company, Server
from tests.servers import _die_with_parent

LIFTED = 100_000.0
"""A scale of limits that no test reaches."""


class Process(Server):
    """`offhook serve` on data of its own.

    `scale` above 1 starts it in benchmark mode; `settings` are those of docs/configuration.md, in lower case without
    prefix; `before` goes in front of every command, for those who must run elsewhere (a namespace, another limit).
    """

    def __init__(
        self,
        data: Path,
        *,
        scale: float = LIFTED,
        database_url: str = "",
        settings: Mapping[str, object] | None = None,
        before: Sequence[str] = (),
        company: Company | None = None,
    ) -> None:
        super().__init__(data, scale=scale, database_url=database_url)
        self.environment |= {f"OFFHOOK_{name.upper()}": str(value) for name, value in (settings or {}).items()}
        self.before = list(before)
        self.company = company

    def init(self, *options: str) -> Company:
        """Create a company with `offhook init`; the last one made is the server's."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        command = [*self.before, *PROGRAM, "init", "--data", str(self.data), "--json", *options]
        environment = {**self.environment, "OFFHOOK_RATE_LIMIT_SCALE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=START_SECONDS)
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
        made = json.loads(done.stdout)
        self.company = Company(**{name: made[name] for name in Company.__struct_fields__})
        return self.company

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start to serve, without waiting for it."""
        command = [*self.before, *PROGRAM, "serve", "--data", str(self.data), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), *(["--benchmark"] if self.scale > 1 else [])]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=_die_with_parent(signal.SIGKILL),
            )
        return self.process

    def start(self) -> None:
        """Serve, and wait until /readyz answers 200."""
        self.spawn()
        self.wait()

    def wait(self) -> None:
        """Until /readyz answers 200."""
        process, deadline = self.process, time.monotonic() + START_SECONDS
        assert process is not None
        while not self.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BenchError(f"offhook serve did not get ready:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        key: str | None = None,
        timeout: float = 15.0,
    ) -> "Answer":
        """One request on a connection of its own; `body` is JSON, or bytes that go as they are."""
        sent = {"Authorization": f"Bearer {self.key if key is None else key}", **(headers or {})}
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())

    def events(self, path: str, *, key: str, quiet: float = 30.0) -> Generator[tuple[str, Any]]:
        """Server-sent events as they come: the name and the data of each. TimeoutError after `quiet` without a byte."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=quiet)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            with contextlib.closing(connection.getresponse()) as stream:
                assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
                name = ""
                for line in iter(stream.readline, b""):
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        yield name, json.loads(value)

    def terminate(self, seconds: float) -> tuple[int, float]:
        """SIGTERM: the exit status, and the seconds it took; fails if it takes longer than `seconds`."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds), time.monotonic() - begun

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it logged so far; fails on a line that is not JSON."""
        for line in self.log.read_text().splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                raise AssertionError(f"not JSON on standard error: {line[:500]}") from None

    def faults(self) -> list[str]:
        """Lines that tell of a fault of the server's own, or hold a stack trace; a kill may have cut some short."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if '"event":"fault"' in line or "Traceback" in line]


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def refused(self, status: int) -> list[dict[str, Any]]:
        """The entries of a refusal in the v2 form, which is checked."""
        assert self.status == status, self
        error = self.json["error"]
        assert error["code"] == status
        assert error["message"]
        assert error["errors"]
        for entry in error["errors"]:
            assert entry["domain"] == "global"
            assert entry["reason"]
            assert entry["message"]
        found: list[dict[str, Any]] = error["errors"]
        return found


def slot_of(number: str | int) -> int:
    """The slot of the process that issued an id."""
    return int(number) >> 5 & 63


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"
