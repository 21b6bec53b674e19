"""SIGTERM: what is under way is answered, what was acknowledged is kept, and the end comes in time with status 0."""

import contextlib
import http.client
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent import futures
from pathlib import Path

import pytest

from tests.survival.conftest import Start, copied
from tests.survival.ledger import CONNECTIONS, Ledger, store_of
from tests.survival.process import Process

PRIMARIES = 2  # one in each environment


def stop_under_load(server: Process, ledger: Ledger, after: float) -> None:
    with ledger.creating(seconds=20) as running:
        # The stop comes at a moment of its own; the creates go on until it does.
        assert not futures.wait([running], timeout=after).done
        status, seconds = server.terminate(10)
        assert running.result().ended == "server gone"
    assert status == 0
    assert seconds < 5, "nothing was in the way of a quick stop"
    assert ledger.answers.keys() <= {200, 503}, ledger.answers
    server.start()
    with store_of(server) as query:
        # Every office came with an answer: a request is finished or was never begun.
        assert ledger.check_all(query) == len(ledger.acknowledged), "something was created and not acknowledged"


def stop_while_the_store_is_held(server: Process, ledger: Ledger) -> None:
    """Somebody else writes to the store when the stop comes: creates that wait for it are carried out all the same."""
    with contextlib.closing(sqlite3.connect(server.data / "offhook.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = len(ledger.acknowledged)
        with ledger.creating(seconds=20) as running:
            assert not futures.wait([running], timeout=0.2).done
            assert len(ledger.acknowledged) == before
            assert server.process is not None
            server.process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(0.7)
            other.execute("ROLLBACK")
            assert server.process.wait(10) == 0
            assert running.result().ended == "server gone"
    assert len(ledger.acknowledged) == before + CONNECTIONS
    with store_of(server) as query:
        assert len(query("SELECT id FROM offices")) == len(ledger.acknowledged) + PRIMARIES


def test_whoever_watches_a_run_does_not_hold_the_stop_up(start: Start) -> None:
    server = start()
    assert server.company is not None
    asks = {"name": "asks", "tasks": [{"name": "you", "taskReferenceName": "you", "type": "HUMAN"}]}
    runs, key = "/api/offhook/v1/workflows/runs", server.company.sandbox_key
    begun = server.ask("POST", runs, {"definition": asks}, key=key).json
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:
        connection.request("GET", f"{runs}/{begun['id']}/live", headers={"Authorization": f"Bearer {key}"})
        with contextlib.closing(connection.getresponse()) as stream:
            assert b"event: run\n" in iter(stream.readline, b"")
            status, seconds = server.terminate(30)
            stream.read()
    assert (status, server.faults()) == (0, [])
    assert seconds < 5


def test_a_stop_under_load_answers_what_it_began(start: Start) -> None:
    server = start()
    ledger = Ledger(server, 3)
    stop_under_load(server, ledger, 0.4)
    stop_while_the_store_is_held(server, ledger)
    assert not server.faults()


@pytest.mark.long
def test_ten_stops_under_load_answer_what_they_began(start: Start) -> None:
    server = start()
    ledger = Ledger(server, 4)
    for turn in range(10):
        stop_under_load(server, ledger, 0.1 + turn * 0.07)
    assert not server.faults()


def test_a_client_in_the_middle_of_its_body_delays_a_stop_no_longer_than_the_setting_says(start: Start) -> None:
    server = start(settings={"stop_seconds": 1})
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        head = f"POST /api/v2/offices HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {server.key}\r\n"
        slow.sendall(head.encode() + b"content-type: application/json\r\ncontent-length: 900\r\n\r\n{")
        assert server.get("/readyz")[0] == 200  # by now the slow one has been read
        status, seconds = server.terminate(10)
    assert status == 0
    assert 0.5 < seconds < 4
    assert not server.faults()


def test_a_server_on_a_taken_port_says_so(founded: Process, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = copied(founded, tmp_path / "data")
        server.port = taken.getsockname()[1]
        assert server.spawn().wait(30) == 1
    said = server.log.read_text()
    assert str(server.port) in said
    assert "taken" in said
    assert "Traceback" not in said


def test_nobody_gets_an_answer_before_the_server_is_ready_and_an_idle_one_stops_at_once(
    founded: Process, tmp_path: Path
) -> None:
    server = copied(founded, tmp_path / "data")
    first: list[tuple[str, int]] = []

    def ask(path: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                first.append((path, server.get(path, timeout=30)[0]))
                return
            except OSError:
                time.sleep(0.01)

    paths = ("/readyz", "/api/v2/offices/primary")
    asking = [threading.Thread(target=ask, args=(path,)) for path in paths]
    server.spawn()
    try:
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        # No 503 for a start, and no office before the store is open: the first answer is the good one.
        assert sorted(first) == sorted((path, 200) for path in paths)
        assert any(line["event"] == "serving" for line in server.lines())
        # With nothing to do it stops at once, whoever is still connected.
        with socket.create_connection(("127.0.0.1", server.port)) as idle:
            assert server.get("/readyz")[0] == 200
            status, seconds = server.terminate(10)
            assert idle.recv(1) == b""
        assert status == 0
        assert seconds < 3
        assert not server.faults()
    finally:
        server.kill()
