"""Runs the application under uvicorn: the port, the bounds on slow clients, the stop that loses nothing."""

import faulthandler
import gc
import resource
import socket
import sys
from collections.abc import Callable

import msgspec
import structlog
import uvicorn

from offhook.app import Offhook, application
from offhook.kit import clock, protocol
from offhook.kit.errors import Unavailable
from offhook.kit.settings import Settings, refuse_lifted_limits
from offhook.storage import served
from offhook.telephony.listening import told
from offhook.telephony.sound.engines import engine_of

log = structlog.get_logger("offhook")

_BACKLOG = 2048
_FILES = 65_536

_TURN_SECONDS = 0.001
"""After which a thread that waits for the interpreter gets it: Python's own 5 ms are longer than most requests take."""


def listen(host: str, port: int, *, or_any: bool = False) -> socket.socket:
    """A bound socket; with `or_any` a free port if `port` is taken. OSError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        if not or_any:
            bound.close()
            raise
        bound.bind((host, 0))
    bound.listen(_BACKLOG)
    bound.setblocking(False)
    return bound


class _Server(uvicorn.Server):
    """Says when it serves and when it stops, and keeps what start-up made out of the garbage collector's way."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started, self._on_stopping = started, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            # Collections of young objects alone cost a tenth of a create; what lives since start never dies.
            gc.collect()
            gc.freeze()
            # Nothing is left for it by a request or a call; it looks once there is something, and each look is short.
            gc.set_threshold(50_000, 5, 200)
            sys.setswitchinterval(_TURN_SECONDS)
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)


def allow_many_connections() -> None:
    """Raise the number of files that this process may have open as far as it may itself: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(settings: Settings, bound: socket.socket, started: Callable[[str], None] = lambda url: None) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests in flight and close the store."""
    # Native code that breaks down takes the process with it: then standard error has what each thread was at.
    faulthandler.enable()
    refuse_lifted_limits(settings)
    engine_of(settings)
    allow_many_connections()
    host, port = bound.getsockname()[:2]
    # Links and documents tell of the port that was given, where any was wanted.
    settings = msgspec.structs.replace(settings, port=port)
    offhook = Offhook(settings)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    config = uvicorn.Config(
        application(offhook),
        http=protocol.configured(
            refuse=offhook.gate.early_refusal,
            head_seconds=settings.head_seconds,
            body_seconds=settings.body_seconds,
        ),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.stop_seconds,
        backlog=_BACKLOG,
    )

    if not offhook.has_company():
        log.warning("no_company", mend="offhook init makes one; until then no key is valid here")

    offhook.place = served.Place(offhook.database, offhook.slot, settings, clock.milliseconds(clock.now()))
    try:
        offhook.place.keep()
    except Unavailable as fault:
        # A store that cannot be written now is no reason not to serve: it is tried again.
        log.warning("place_not_noted", cause=fault.message)

    def ready() -> None:
        store = offhook.database.url.get_backend_name()
        log.info("serving", url=url, store=store, benchmark=settings.benchmark, **told(settings))
        started(url)

    server = _Server(config, ready, offhook.gate.end_streams)
    server.run(sockets=[bound])
