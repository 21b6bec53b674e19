"""Spans go to a collector where one is set, join the caller's trace, and carry no secret."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offhook.examples import SMALL
from tests.survival.conftest import Start

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """An OTLP/HTTP collector that keeps what it gets."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}"
        self.raw: list[bytes] = []
        self.paths: list[str] = []
        self.arrived = threading.Condition()

    def spans(self) -> list[Any]:
        """All spans so far."""
        found: list[Any] = []
        for raw in self.raw:
            for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
                for scope in resource.scope_spans:
                    found.extend(scope.spans)
        return found

    def wait(self, number: int, seconds: float = 15.0) -> list[Any]:
        """Until there are `number` spans."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.spans()) >= number, seconds), f"{len(self.spans())} came"
        return self.spans()


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            assert self.headers.get("content-encoding") in (None, "identity")
            with kept.arrived:
                kept.raw.append(raw)
                kept.paths.append(self.path)
                kept.arrived.notify_all()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept = Collector(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_request_is_a_span_of_the_callers_trace(start: Start, collector: Collector) -> None:
    server = start(scale=1.0, settings={"otel_endpoint": collector.url})
    sent = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    assert server.ask("POST", "/api/v2/offices", SMALL, sent).status == 200
    assert server.ask("GET", f"/api/v2/offices?apikey={server.key}", None, sent, key="").status == 401
    assert server.ask("GET", f"/api/v2/websockets?apikey={server.key}").status == 501
    assert server.ask("POST", "/api/v2/offices", b'{"name": "\xff"}').status in (400, 500)
    # What was not sent yet is sent at the end.
    assert server.terminate(20)[0] == 0
    spans = collector.wait(4)
    assert set(collector.paths) == {"/v1/traces"}
    assert len(spans) == 4
    joined = [span for span in spans if span.trace_id.hex() == TRACE]
    assert [span.parent_span_id.hex() for span in joined] == [PARENT, PARENT]
    own = [span for span in spans if span.trace_id.hex() != TRACE]
    assert all(span.parent_span_id == b"" for span in own)
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in spans)
    create = joined[0]
    assert create.kind == create.SPAN_KIND_SERVER
    assert attributes(create)["http.request.method"] == "POST"
    assert attributes(create)["url.path"] == "/api/v2/offices"
    assert attributes(create)["http.response.status_code"] == 200
    assert server.company is not None
    everything = b"".join(collector.raw)
    for secret in (server.company.live_key, server.company.sandbox_key):
        assert secret.encode() not in everything
        assert secret[-20:].encode() not in everything
    assert b"apikey" not in everything


@pytest.mark.long
def test_a_collector_that_is_away_costs_no_request(start: Start) -> None:
    with collecting() as gone:
        url = gone.url
    server = start(scale=1.0, settings={"otel_endpoint": url})
    begun = time.monotonic()
    assert [server.ask("POST", "/api/v2/offices", SMALL).status for _ in range(20)] == [200] * 20
    assert time.monotonic() - begun < 5
    assert server.terminate(25)[0] == 0
    assert server.key not in server.log.read_text()
    assert all(line["event"] for line in server.lines())
