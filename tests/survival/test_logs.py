"""What the server says on standard error: JSON to the last line, a request id on every request, never a secret."""

import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from bench.server import PROGRAM
from offhook.examples import FULL, SMALL
from tests.survival.conftest import Start
from tests.survival.process import Answer, Process


def line_of(server: Process, answer: Answer) -> dict[str, Any]:
    """The one line about a request; it may be written a moment after the answer."""
    deadline = time.monotonic() + 5
    while True:
        found = [line for line in server.lines() if line.get("request_id") == answer.headers["x-request-id"]]
        assert len(found) <= 1
        if found:
            return found[0]
        assert time.monotonic() < deadline, "no line about the request"
        time.sleep(0.01)


def test_every_request_has_a_line_that_names_it(usual: Process) -> None:
    answer = usual.ask("POST", "/api/v2/offices", SMALL)
    line = line_of(usual, answer)
    assert line["event"] == "request"
    assert line["level"] == "info"
    assert line["timestamp"]
    assert line["status"] == 200
    assert line["operation"] == "offices.create"
    assert (line["method"], line["path"]) == ("POST", "/api/v2/offices")
    assert usual.company is not None
    assert str(line["company"]) == usual.company.company_id
    assert line["ms"] >= 0


def unhappy(server: Process) -> list[Answer]:
    """Requests that fail for every reason that a client can give."""
    key, ask = server.key, server.ask
    offices = "/api/v2/offices"
    return [
        ask("GET", f"{offices}?apikey={key}", key="x"),
        ask("GET", f"{offices}?apikey={key}&limit=0"),
        ask("GET", f"{offices}?api_key={key}"),
        ask("GET", f"/api/v2/nothing?apikey={key}"),
        ask("GET", f"/api/v2/nothing/{key}"),
        ask("GET", f"/api/v2/users?apikey={key}"),
        ask("GET", offices, key=key + "x"),
        ask("PATCH", offices, {}),
        ask("GET", f"{offices}/not-a-number"),
        ask("POST", offices, b"{"),
        ask("POST", offices, b"\xff\xfe"),
        ask("POST", offices, b'{"name": "\xff"}'),
        ask("POST", offices, b'{"a": 1, "a": 2}'),
        ask("POST", offices, b"[" * 10_000),
        ask("POST", offices, {}),
        ask("POST", offices, FULL | {"timezone": "Mars/Base", "country": None}),
        ask("POST", offices, SMALL, {"Idempotency-Key": "\u00e9" * 300}),
        ask("POST", offices, SMALL, {"Content-Type": "text/plain"}),
        ask("POST", offices, SMALL, {"Offhook-Clock": "2026-12-24T17:59:59Z"}),
        ask("POST", offices, SMALL, {"Offhook-Dry-Run": "perhaps"}),
        ask("POST", offices, b" " * (1024 * 1024 + 1)),
    ]


def test_a_clients_fault_leaves_neither_a_trace_nor_a_key_nor_a_query(usual: Process) -> None:
    answers = unhappy(usual)
    for answer in answers:
        assert 200 <= answer.status < 500 or answer.status == 501, answer
        if answer.status >= 400:
            answer.refused(answer.status)
        line = line_of(usual, answer)
        assert line["event"] == "request"
        assert line["level"] == "info"
    said = usual.log.read_text()
    assert usual.company is not None
    for secret in (usual.company.live_key, usual.company.sandbox_key):
        assert secret not in said.replace(f"/api/v2/nothing/{secret}", "")
    assert "apikey=" not in said
    assert "limit=0" not in said
    assert "Traceback" not in said
    assert usual.faults() == []


def test_what_is_not_http_is_told_in_json_too(usual: Process) -> None:
    key = usual.key
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /?apikey=%b HTTP/9.9\r\n\r\n" % key.encode(),
        b"\r\n\r\n\r\nX\r\n",
    ):
        with socket.create_connection(("127.0.0.1", usual.port), timeout=5) as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
    assert usual.get("/readyz")[0] == 200
    assert all(line["event"] for line in usual.lines())
    assert "apikey=" not in usual.log.read_text()
    assert usual.faults() == []


def test_a_key_sent_as_a_path_is_not_logged(usual: Process) -> None:
    answer = usual.ask("GET", f"/api/v2/{usual.key}", key="")
    assert answer.status == 404
    assert usual.key not in json.dumps(line_of(usual, answer))


def test_a_server_in_service_says_nothing_of_benchmarks(usual: Process) -> None:
    assert "benchmark" not in usual.ask("GET", "/healthz").json
    assert usual.ask("POST", "/benchmark/echo", {}).status in (404, 405)
    assert not any("benchmark" in line and line["benchmark"] for line in usual.lines())


def test_benchmark_mode_says_so_in_every_line_and_in_healthz(served: Process) -> None:
    served.ask("POST", "/api/v2/offices", SMALL)
    served.ask("POST", "/api/v2/offices", b"{")
    assert "100000" in served.ask("GET", "/healthz").json["benchmark"].replace(",", "").replace("e+05", "00000")
    lines = list(served.lines())
    assert len(lines) >= 3
    assert all(line["benchmark"] is True for line in lines)


def test_lifted_limits_are_refused_outside_benchmark_mode(tmp_path: Path, usual: Process) -> None:
    done = subprocess.run(
        [*PROGRAM, "serve", "--data", str(tmp_path / "data"), "--port", "0"],
        env={**usual.environment, "OFFHOOK_RATE_LIMIT_SCALE": "1.01"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "--benchmark" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.long
def test_a_scale_below_one_needs_no_leave(start: Start) -> None:
    server = start(scale=0.005)
    statuses = [server.ask("GET", "/api/v2/company").status for _ in range(8)]
    assert statuses == [200] * 6 + [429] * 2
