"""JSON logs by structlog, one object a line, on standard error. Secrets never get this far; none is removed here."""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from offhook.kit import clock

_encode = msgspec.json.Encoder(enc_hook=repr).encode


def _render(_logger: Any, _name: str, event: dict[str, Any]) -> bytes:
    return _encode(event)


class Request(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="event", tag="request"):
    """The line of one request. `path` is a template or comes without its query: a key may stand there."""

    level: str
    timestamp: str
    request_id: str
    method: str
    path: str
    status: int
    ms: float
    operation: str
    company: int = 0
    key: int = 0
    benchmark: bool = False


_LEVELS = {500: "error", 503: "warning"}


class RequestLog:
    """Request lines, written together once in a pass of the event loop: one system call for many requests.

    Otherwise they are as the other lines; a process that is killed loses those of its last pass.
    """

    def __init__(self, *, benchmark: bool = False) -> None:
        self._benchmark = benchmark
        self._lines: list[bytes] = []
        self._second = 0
        self._stamp = ""

    def note(self, **fields: Any) -> None:
        """Write a line soon; `fields` are those of `Request` that this class does not know itself."""
        now = clock.wall()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        stamp = f"{self._stamp}.{int((now - second) * 1_000_000):06d}Z"
        level = _LEVELS.get(fields["status"], "info")
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        self._lines.append(_encode_line(Request(level=level, timestamp=stamp, benchmark=self._benchmark, **fields)))

    def flush(self) -> None:
        """Write what is waiting."""
        if self._lines:
            lines, self._lines = self._lines, []
            lines.append(b"")
            sys.stderr.buffer.write(b"\n".join(lines))
            sys.stderr.buffer.flush()


_encode_line = msgspec.json.Encoder().encode


def configure(level: str, **fixed: object) -> None:
    """Set up logging for a process; `fixed` stands in every line."""
    number = getattr(logging, level.upper())
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(),
        _render,
    ]
    if fixed:
        processors.insert(0, lambda _logger, _name, event: {**fixed, **event})
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *processors[:-1],
                lambda *a: _render(*a).decode(),
            ]
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(max(number, logging.WARNING))
    logging.getLogger("uvicorn.error").setLevel(number)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
