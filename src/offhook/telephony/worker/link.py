"""The worker's end of the socket to the server: commands in on a thread, events out on another, so that the loop
never waits.
"""

import queue
import socket
import threading
from collections.abc import Callable

from offhook.telephony import port

WAITING = 50_000
"""Events that wait for the server; when it takes none any more, it is as good as gone."""


class Link:
    """`told` is called with each command and `gone` once when the server is gone, both on the reading thread."""

    def __init__(self, skt: socket.socket, told: Callable[[port.Command], None], gone: Callable[[], None]) -> None:
        self._socket = skt
        self._told = told
        self._gone = gone
        self._events: queue.Queue[port.Event | None] = queue.Queue(WAITING)
        self._writer = threading.Thread(target=self._write, name="port-out", daemon=True)
        self._reader = threading.Thread(target=self._read, name="port-in", daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._writer.start()
        self._reader.start()

    def say(self, event: port.Event) -> None:
        """Send an event, soon."""
        try:
            self._events.put_nowait(event)
        except queue.Full:
            self._gone()

    def close(self) -> None:
        """Send what waits, and close."""
        self._events.put(None)
        self._writer.join(2)
        self._socket.close()

    def _write(self) -> None:
        while (event := self._events.get()) is not None:
            content = bytearray(port.framed(event))
            ended = False
            while len(content) < 65_536 and not self._events.empty():
                more = self._events.get()
                if more is None:
                    ended = True
                    break
                content += port.framed(more)
            try:
                self._socket.sendall(content)
            except OSError:
                self._gone()
                return
            if ended:
                return

    def _read(self) -> None:
        frames = port.Frames(port.Command)
        try:
            while content := self._socket.recv(65_536):
                for command in frames.feed(content):
                    self._told(command)  # type: ignore[arg-type]
        except (OSError, ValueError):
            pass
        self._gone()
