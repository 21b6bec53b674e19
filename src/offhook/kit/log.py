"""JSON logs by structlog, one object a line, on standard error. Secrets never get this far; none is removed here."""

import logging
import sys
from typing import Any

import msgspec
import structlog

_encode = msgspec.json.Encoder(enc_hook=repr).encode


def _render(_logger: Any, _name: str, event: dict[str, Any]) -> bytes:
    return _encode(event)


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
