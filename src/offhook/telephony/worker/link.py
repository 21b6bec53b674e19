"""The worker's end of the socket to the server: commands in on a thread, events out by the loop, which never waits.

Events of one pass of the loop are sent together. What the server does not take at once a second thread goes on with.
"""

import queue
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from offhook.telephony import port

WAITING = 50_000
"""Events that wait for the server; when it takes none any more, it is as good as gone."""

Soon = Callable[..., None]


class Link:
    """`told` is called with each command and `gone` once when the server is gone, both on the reading thread.

    `soon` has the loop call something behind what it does now.
    """

    def __init__(
        self, skt: socket.socket, told: Callable[[port.Command], None], gone: Callable[[], None], soon: Soon
    ) -> None:
        self._socket = skt
        self._told = told
        self._gone = gone
        self._soon = soon
        self._events: list[port.Event] = []
        self._due = self._closing = False
        self._stuck = False
        """Whether the writing thread has something, behind which all else has to wait."""
        self._rest: queue.Queue[bytes | None] = queue.Queue()
        self._writer = threading.Thread(target=self._write, name="port-out", daemon=True)
        self._reader = threading.Thread(target=self._read, name="port-in", daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._writer.start()
        self._reader.start()

    def say(self, event: port.Event) -> None:
        """Send an event, soon. The loop's only."""
        if len(self._events) >= WAITING:
            self._gone()
            return
        self._events.append(event)
        if not self._due:
            self._due = True
            self._soon(self._send)

    def close(self) -> None:
        """Send what waits, and close; after the loop has ended."""
        self._closing = True
        self._rest.put(None)
        self._writer.join(2)
        with suppress(OSError):
            if not self._writer.is_alive():
                self._socket.settimeout(2)
                self._socket.sendall(self._taken())
            # Whoever reads on it is woken.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _taken(self) -> bytes:
        events, self._events = self._events, []
        return b"".join(map(port.framed, events))

    def _send(self) -> None:
        self._due = False
        if self._stuck or not self._events:
            return
        content = self._taken()
        try:
            sent = self._socket.send(content, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._gone()
            return
        if sent < len(content):
            self._stuck = True
            self._rest.put(content[sent:])

    def _went(self) -> None:
        self._stuck = False
        self._send()

    def _write(self) -> None:
        while (content := self._rest.get()) is not None:
            try:
                self._socket.sendall(content)
            except OSError:
                self._gone()
                return
            self._soon(self._went)

    def _read(self) -> None:
        frames: Any = port.Frames(port.Command)
        try:
            while content := self._socket.recv(65_536):
                for command in frames.feed(content):
                    self._told(command)
        except (OSError, ValueError):
            pass
        if not self._closing:
            self._gone()
