"""Addresses of carriers' names, each looked up in a thread of its own: a name that nobody answers for keeps the threads
of nothing else waiting, and of its own company only so many at once.
"""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

AT_ONCE = 4
"""Look-ups of one company that may go on; whoever comes behind them takes what was found before."""

IN_ALL = 64

Found = tuple[str, ...]


def look_up(host: str, port: int) -> Found:
    """The IPv4 addresses of a name: SIP is spoken by no other here. OSError or UnicodeError if there are none."""
    entries = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))


class Names:
    """Look-ups that go on. Who asks for the same name waits for the same answer."""

    def __init__(self, look: Callable[[str, int], Found] = look_up) -> None:
        self._look = look
        self._going: dict[tuple[int, str, int], asyncio.Future[Found]] = {}
        self._of: Counter[int] = Counter()

    async def find(self, tenant_id: int, host: str, port: int, seconds: float) -> Found:
        """The addresses of a company's name.

        TimeoutError behind `seconds`, or where too many look-ups go on; OSError and UnicodeError as they come.
        """
        key = (tenant_id, host, port)
        future = self._going.get(key)
        if future is None:
            if self._of[tenant_id] >= AT_ONCE or len(self._going) >= IN_ALL:
                raise TimeoutError("too many other names are looked up")
            future = self._begin(key)
        async with asyncio.timeout(seconds):
            return await asyncio.shield(future)

    def _begin(self, key: tuple[int, str, int]) -> "asyncio.Future[Found]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()
        # Whoever waited may have gone.
        future.add_done_callback(lambda done: done.exception())
        self._going[key] = future
        self._of[key[0]] += 1

        def done(found: Found, error: Exception | None) -> None:
            del self._going[key]
            self._of[key[0]] -= 1
            if not self._of[key[0]]:
                del self._of[key[0]]
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(found)

        def run() -> None:
            found, error = Found(), None
            try:
                found = self._look(key[1], key[2])
            except Exception as fault:
                error = fault
            with suppress(RuntimeError):  # The loop has ended meanwhile.
                loop.call_soon_threadsafe(done, found, error)

        threading.Thread(target=run, name="carrier-name", daemon=True).start()
        return future
