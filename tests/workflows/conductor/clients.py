"""The stock Python SDK of Conductor as a client, and a web service that definitions call."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conductor.client.configuration.configuration import Configuration
from conductor.client.configuration.settings.authentication_settings import AuthenticationSettings
from conductor.client.http.models import StartWorkflowRequest
from conductor.client.orkes_clients import OrkesClients
from conductor.client.workflow.executor.workflow_executor import WorkflowExecutor

Raw = dict[str, Any]
SECONDS = 30.0
OVER = ("COMPLETED", "FAILED", "TIMED_OUT", "TERMINATED")


class Conductor:
    """Clients of one server: this one with a `key`, or a real Conductor without. `own` says which."""

    def __init__(self, url: str, key: str = "", key_id: str = "test") -> None:
        self.own = bool(key)
        settings = AuthenticationSettings(key_id, key) if key else None
        self.configuration = Configuration(server_api_url=url, authentication_settings=settings)
        clients = OrkesClients(self.configuration)
        self.metadata: Any = clients.get_metadata_client()
        self.workflows: Any = clients.get_workflow_client()
        self.tasks: Any = clients.get_task_client()
        self.executor: Any = WorkflowExecutor(self.configuration)

    def register(self, *tasks: Raw, **fields: Any) -> str:
        """Register a definition by a name of its own; gives the name."""
        name = fields.pop("name", None) or unique()
        raw = {"name": name, "version": 1, "schemaVersion": 2, "ownerEmail": "owner@example.com", "tasks": list(tasks)}
        self.metadata.register_workflow_def({**raw, **fields}, overwrite=True)
        return str(name)

    def start(self, name: str, given: Raw | None = None, **more: Any) -> str:
        """Start a run; its id."""
        return str(self.workflows.start_workflow(StartWorkflowRequest(name=name, input=given or {}, **more)))

    def run(self, *tasks: Raw, given: Raw | None = None, **fields: Any) -> Any:
        """Register a definition, run it to its end, and give the run."""
        return self.until(self.start(self.register(*tasks, **fields), given))

    def until(self, id: str, *statuses: str) -> Any:
        """The run once it is in one of some states, or over."""
        return self.when(id, lambda run: run.status in (statuses or OVER))

    def when(self, id: str, holds: Any) -> Any:
        """The run once something holds of it."""
        end = time.monotonic() + SECONDS
        while True:
            run = self.workflows.get_workflow(id, include_tasks=True)
            if holds(run):
                return run
            assert time.monotonic() < end, (run.status, run.reason_for_incompletion, states(run))
            time.sleep(0.02)

    def found(self, query: str, count: int, **more: Any) -> list[Any]:
        """What a search finds, once it is as much as that: a real Conductor indexes a little later."""
        end = time.monotonic() + SECONDS
        while True:
            results: list[Any] = self.workflows.search(query=query, **more).results
            if len(results) == count or time.monotonic() > end:
                assert len(results) == count, results
                return results
            time.sleep(0.05)


def unique() -> str:
    """A name that no other test has."""
    return f"w_{uuid.uuid4().hex}"


def states(run: Any) -> list[tuple[str, str]]:
    """The reference names of a run's tasks with their states, in order."""
    return [(one.reference_task_name, one.status) for one in run.tasks]


def of(run: Any, ref: str) -> Any:
    """The last attempt of a task of a run."""
    return [one for one in run.tasks if one.reference_task_name == ref][-1]


class Service:
    """A web service on loopback that counts what it is asked.

    `/echo` says what came; `/status/503` answers so; `/flaky/NAME/2` answers 503 twice, then as /echo.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: Counter[str] = Counter()


@contextmanager
def serving() -> Iterator[Service]:
    """A service while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            service.asked[self.path] += 1
            parts = self.path.strip("/").split("/")
            status = 200
            if parts[0] == "status":
                status = int(parts[1])
            elif parts[0] == "flaky" and service.asked[self.path] <= int(parts[2]):
                status = 503
            told = {"method": self.command, "path": self.path, "body": json.loads(raw) if raw else None}
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - as the base class calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = Service(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
