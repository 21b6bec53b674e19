"""A web service that workflows call: it counts what came, with the key that each call came with."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "Idempotency-Key"


class Counting:
    """All that came so far, in its order: paths with the keys that they came with, and when (monotonic seconds)."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """How long an answer takes: a call that takes time can be cut off."""
        self.calls: list[tuple[str, str, float]] = []
        self.lock = threading.Lock()
        self.url = ""

    def keys(self) -> dict[str, set[str]]:
        """The keys that each path was called with."""
        found: dict[str, set[str]] = defaultdict(set)
        for path, key, _ in list(self.calls):
            found[path].add(key)
        return found

    def count(self) -> int:
        """How many calls came."""
        return len(self.calls)


@contextlib.contextmanager
def counting(seconds: float = 0.02) -> Iterator[Counting]:
    """The service, on a free port of this machine."""
    service = Counting(seconds)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with service.lock:
                service.calls.append((self.path, self.headers.get(KEY, ""), time.monotonic()))
            time.sleep(service.seconds)
            body = b'{"value":1}'
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            """Clients are killed here; that their connections break is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
