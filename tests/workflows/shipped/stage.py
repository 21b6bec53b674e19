"""A real server with the shipped definitions, and a way into it that fails where a test says."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offhook.examples import SMALL
from tests.survival.process import Answer, Process

V1, V2 = "/api/offhook/v1", "/api/v2"
RUNS, SHIPPED = f"{V1}/workflows/runs", f"{V1}/workflows/shipped"
SECONDS = 60.0

Matches = Callable[[str, str], bool]


@dataclass
class House:
    """A company's sandbox on a running server, as a client of its API sees it."""

    server: Process
    key: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.server.ask(method, path, body, headers, key=self.key)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.ask("POST", path, {} if body is None else body)
        assert answer.status == 200, answer
        return answer.json

    def credential(self, name: str, port: int) -> None:
        """One that has the company's key, for a port of this machine."""
        hosts = [f"127.0.0.1:{port}"]
        self.post(f"{V1}/credentials", {"name": name, "kind": "bearer", "token": self.key, "hosts": hosts})

    def office(self, name: str, **more: Any) -> str:
        return str(self.post(f"{V2}/offices", {**SMALL, "name": name, **more})["office"]["id"])

    def offices(self) -> list[Any]:
        return self.all(f"{V2}/offices?limit=100")

    def all(self, path: str) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
            found += page.get("items", [])
            cursor = page.get("cursor", "")
            if not cursor:
                return found

    def user(self, office: str, name: str, *, telephone: bool = True) -> str:
        body = {"email": f"{name}@example.com", "first_name": name, "last_name": "Silva", "office_id": office}
        id = str(self.post(f"{V2}/users", body)["id"])
        if telephone:
            self.post(f"{V1}/users/{id}/devices", {"name": "Desk"})
        return id

    def lines(self, office: str, count: int) -> None:
        """Have lines for so many more users."""
        self.post(f"{V1}/offices/{office}/licences", {"talk_lines": count})

    def answering(self, office: str, *people: str, role: str = "operator") -> None:
        """Have users answer an office's main line."""
        for one in people:
            body = {"operator_type": "user", "operator_id": one, "role": role}
            self.post(f"{V2}/offices/{office}/operators", body)

    def begin(self, workflow: str, **given: Any) -> str:
        return str(self.post(RUNS, {"workflow": workflow, "input": given})["id"])

    def ended(self, id: str) -> Any:
        """A run, once it is over."""
        deadline = time.monotonic() + SECONDS
        while (run := self.get(f"{RUNS}/{id}"))["status"] == "RUNNING":
            assert time.monotonic() < deadline, run
            time.sleep(0.02)
        return run

    def run(self, workflow: str, **given: Any) -> Any:
        return self.ended(self.begin(workflow, **given))

    def undone(self, run: Any) -> Any:
        """The run of the failure workflow of a run that failed."""
        assert run["status"] == "FAILED", run
        return self.ended(run["failure_run_id"])

    def left(self) -> dict[str, Any]:
        """What there is of offices, numbers and who answers where: the same before and after what leaves nothing."""
        offices = self.offices()
        return {
            "offices": sorted(one["id"] for one in offices),
            "numbers": sorted((one["number"], one["status"]) for one in self.all(f"{V2}/numbers")),
            "groups": sorted(
                (user["id"], group["group_id"])
                for user in self.all(f"{V2}/users")
                for group in user.get("group_details", [])
            ),
        }


@dataclass
class Broken:
    """A way to a server on which some requests fail.

    Of those that match, the first `times` are not passed on and answered 503; with `late`, they are passed on, and
    their answer is lost. `seen` is what came, in order.
    """

    target: int
    matches: Matches
    times: int
    late: bool = False
    port: int = 0
    failed: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def given(self) -> dict[str, str]:
        """The input of a run that goes this way."""
        return {"server": f"http://127.0.0.1:{self.port}", "credential": f"way {self.port}"}

    def fails(self, method: str, path: str) -> bool:
        with self.lock:
            self.seen.append((method, path))
            if not self.matches(method, path) or self.failed >= self.times:
                return False
            self.failed += 1
            return True


@contextmanager
def broken(house: House, matches: Matches, times: int = 1_000, *, late: bool = False) -> Iterator[Broken]:
    """Such a way, while the block runs."""
    way = Broken(house.server.port, matches, times, late)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fails = way.fails(self.command, self.path)
            if fails and not way.late:
                self.answer(503, b'{"error": {"message": "It is broken."}}', [])
                return
            connection = http.client.HTTPConnection("127.0.0.1", way.target, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body, headers)
            came = connection.getresponse()
            content = came.read()
            connection.close()
            if fails:
                self.close_connection = True
                return
            skipped = ("content-length", "connection", "transfer-encoding", "date", "server")
            self.answer(came.status, content, [one for one in came.getheaders() if one[0].lower() not in skipped])

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

        def answer(self, status: int, content: bytes, headers: list[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        way.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        house.credential(f"way {way.port}", way.port)
        try:
            yield way
        finally:
            server.shutdown()


def pretty(run: Any) -> str:
    """A run for a message of a test."""
    return json.dumps(run, indent=1)[:6_000]
