"""sippy brought into bounds: its sockets, its transactions, its exceptions. Nothing else imports sippy but
`dialogue`.

It must be imported by the thread that runs `loop` and by no other (its loop belongs to the thread that imports it).
What comes in is read strictly first (`packet`), and sippy is given only what it needs of it, written anew. Its own
sockets are replaced: their sender thread ends for ever at the first address that cannot be sent to. Its exceptions
are counted and said through `fault`, never printed.
"""

import contextlib
import ipaddress
import os
import select
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ["SIPLOG_BEND"] = "none"

from sippy import Network_server, SipTransactionManager, Udp_server
from sippy.Core import EventDispatcher, Exceptions
from sippy.Network_server import Network_server as Server
from sippy.Network_server import Remote_address
from sippy.SipConf import SipConf
from sippy.SipTransactionManager import SipTMRetransmitO
from sippy.SipTransactionManager import SipTransactionManager as Transactions
from sippy.Time.MonoTime import MonoTime
from sippy.Time.Timeout import Timeout
from sippy.Udp_server import Udp_server_opts

from offhook.telephony.port import Address
from offhook.telephony.worker.bounds import Buckets
from offhook.telephony.worker.packet import MOST
from offhook.telephony.worker.quick import quicken

AT_ONCE = 128
"""Packets, and calls of other threads, that are taken before timers are looked at again."""
LOST = 0.02
"""Seconds after which the loop looks whether something waits: it is woken once for all of it, by a signal, and were
that one lost all would wait."""
REMEMBERED = 20_000
"""Packets whose answer sippy keeps for when they are sent again."""
RECEIVE = 4 << 20
Taken = Callable[[bytes, Address], None]
Fault = Callable[[str], None]


_failures = [0]
"""Exceptions of sippy so far: it tells nobody else of those it catches."""


@lru_cache(4_096)
def _numbers(host: str) -> str:
    """An address of numbers as it is; ValueError for a name, so that none is ever looked up."""
    return str(ipaddress.IPv4Address(host))


class Quiet:
    """sippy's log: nothing is written."""

    def write(self, *_: object, **__: object) -> None:
        """Nothing."""


class Socket(Server):  # type: ignore[misc]
    """A UDP socket of sippy's: one thread that waits for packets, which the loop then takes, and sending at once.

    Were they received by the thread, it would queue for the interpreter with each of them behind a busy loop. What the
    loop does not take in time waits in the kernel, whose buffer is the bound.

    `address` is what stands in Via, Contact and the like, for when the one that is bound is not reached from outside.
    """

    transport = "udp"
    host = ""
    buckets: Buckets | None = None
    refused: Callable[[str], None] = staticmethod(lambda _: None)

    def __init__(self, _: object, options: Any) -> None:
        super().__init__(options)
        self.skt = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.skt.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        self.skt.bind((self.uopts.laddress[0], int(self.uopts.laddress[1])))
        self.uopts.laddress = self.skt.getsockname()
        self._stop = threading.Event()
        self._poll = select.epoll()
        self._poll.register(self.skt.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
        self._thread = threading.Thread(target=self._receive, name="sip-receive", daemon=True)
        self._thread.start()

    def getSIPaddr(self) -> tuple[Address, str]:  # noqa: N802
        """What we call ourselves."""
        return (type(self).host or self.uopts.laddress[0], self.uopts.laddress[1]), self.transport

    def send_to(self, data: bytes | str, address: Address, delayed: bool = False) -> None:
        """Send at once, to an address of numbers; what cannot be sent is lost as packets are."""
        content = data if isinstance(data, bytes) else data.encode("latin-1", "replace")
        try:
            self.skt.sendto(content, (_numbers(str(address[0])), int(address[1])))
        except (OSError, ValueError, OverflowError, TypeError, IndexError):
            type(self).refused("unreachable")

    def _receive(self) -> None:
        """Have the loop take what came; until it has, nothing more is told of."""
        while not self._stop.is_set():
            if self._poll.poll(1.0) and not self._stop.is_set():
                from_thread(self._take)

    def _take(self) -> None:
        try:
            for _ in range(AT_ONCE):
                if self._stop.is_set():
                    return
                try:
                    content, source = self.skt.recvfrom(65_536, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return
                except OSError:
                    continue
                self._took(content, source)
        finally:
            if not self._stop.is_set():
                self._poll.modify(self.skt.fileno(), select.EPOLLIN | select.EPOLLONESHOT)

    def _took(self, content: bytes, source: Address) -> None:
        if self.buckets is not None and not self.buckets.take(source[0]):
            type(self).refused("too many packets")
        elif len(content) > 4 * MOST:
            type(self).refused("too large")
        elif (callback := self.uopts.data_callback) is not None:
            callback(content, Remote_address(source, "udp"), self, None)

    def shutdown(self) -> None:
        """Close the socket; its thread ends."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self.skt.shutdown(socket.SHUT_RDWR)
        self.join()
        self.uopts.data_callback = None

    def join(self) -> None:
        self._thread.join(2)
        self._poll.close()
        self.skt.close()


class Options(Udp_server_opts):  # type: ignore[misc]
    """One thread only: with more, 180 and 200 change places."""

    nworkers = 1

    def isWildCard(self) -> bool:  # noqa: N802
        """One socket, whatever it is bound to."""
        return False


class Manager(Transactions):  # type: ignore[misc]
    """sippy's transactions, given what `taken` lets through; half-made ones are dropped when anything goes wrong."""

    model_udp_server = (Socket, Options)

    def __init__(self, config: dict[str, Any], taken: Taken, fault: Fault) -> None:
        self._take = taken
        self._fault = fault
        self.acknowledged: Callable[[Any, Any, Address], Address] = lambda transaction, message, address: address
        super().__init__(config, self._asked)
        self.asked: Callable[[Any, Any], Any] = lambda request, transaction: None

    def _asked(self, request: Any, transaction: Any) -> Any:
        return self.asked(request, transaction)

    def handleIncoming(self, content: bytes, source: Any, _server: Any, _at: Any) -> None:  # noqa: N802
        """Of a datagram, before anything is read."""
        try:
            self._take(content, source.address)
        except Exception as error:
            self._fault(f"{type(error).__name__} in what came in: {error}")

    def give(self, text: str, source: Address) -> bool:
        """Let sippy have a message; whether it could do with it."""
        if len(self.l1rcache) > REMEMBERED:
            self.rCachePurge()
        failed = _failures[0]
        known = self.l4r.getServer(source)
        try:
            super().handleIncoming(text, Remote_address(source, "udp"), known, MonoTime())
        except Exception as error:
            _failures[0] += 1
            self._fault(f"{type(error).__name__} in sippy: {error}")
        return _failures[0] == failed

    def incomingRequest(self, request: Any, checksum: Any, tids: Any, server: Any) -> None:  # noqa: N802
        """sippy's, with the entry taken back that it makes first and fills later."""
        tid = request.getTId(wTTG=True) if request.getMethod() == "ACK" else request.getTId(wBRN=True)
        had = tid in self.tserver
        try:
            super().incomingRequest(request, checksum, tids, server)
        except Exception as error:
            self._fault(f"{type(error).__name__} in a request: {error}")
            _failures[0] += 1
            made = None if had else self.tserver.pop(tid, None)
            if made is not None:
                for name in ("teA", "teD", "teE", "teF"):
                    timer = getattr(made, name, None)
                    if timer is not None:
                        timer.cancel()
                made.cleanup()

    def transmitReq(self, transaction: Any, message: Any, address: Address, *rest: Any, **named: Any) -> None:  # noqa: N802
        """An ACK goes where the INVITE went, whatever name the Contact has."""
        to = self.acknowledged(transaction, message, address)
        super().transmitReq(transaction, message, to, *rest, **named)

    def transmitData(  # noqa: N802
        self, userv: Any, data: Any, address: Any, cachesum: Any = None, lossemul: int = 0
    ) -> None:
        """Without writing each packet to a log that nobody keeps."""
        userv.send_to(data, address)
        if cachesum is not None:
            self.l1rcache[cachesum] = SipTMRetransmitO(userv, data, address, None, 0)


def hushed(fault: Fault) -> None:
    """Let sippy tell its exceptions to `fault`, by type and place, and print nothing."""

    def told(message: str, *_: object, **__: object) -> None:
        _failures[0] += 1
        kind, value, trace = sys.exc_info()
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
        fault(f"{kind.__name__ if kind else 'exception'}{where}: {value}"[:300])

    for module in (SipTransactionManager, Network_server, Udp_server, EventDispatcher, Exceptions):
        module.dump_exception = told


def started(listen: Address, host: str, taken: Taken, fault: Fault, refused: Callable[[str], None]) -> Manager:
    """sippy's transactions at an address. OSError if it is taken."""
    hushed(fault)
    quicken()
    Socket.host = host
    Socket.refused = staticmethod(refused)
    SipConf.my_uaname = "Offhook"
    config: dict[str, Any] = {"_sip_address": listen[0], "_sip_port": listen[1], "_sip_logger": Quiet()}
    manager = Manager(config, taken, fault)
    config["_sip_tm"] = manager
    every(LOST, _call_all)
    return manager


def bound(manager: Manager) -> Address:
    """The address that it listens at."""
    server = next(iter(manager.l4r.cache_l2s.values()))
    return str(server.uopts.laddress[0]), int(server.uopts.laddress[1])


def socket_of(manager: Manager) -> Socket:
    """Its only socket."""
    found: Socket = next(iter(manager.l4r.cache_l2s.values()))
    return found


_asked: deque[tuple[Callable[..., None], tuple[object, ...]]] = deque()
_woken = [False]
"""What other threads want called, and whether the loop was told that there is something."""


def from_thread(call: Callable[..., None], *values: object) -> None:
    """Have the loop call something, from another thread. It is woken once for all that comes while it is busy."""
    _asked.append((call, values))
    if not _woken[0]:
        _woken[0] = True
        EventDispatcher.ED2.callFromThread(_call_all)


def _call_all() -> None:
    # Before anything is taken: who asks from now on wakes the loop again.
    _woken[0] = False
    for _ in range(AT_ONCE):
        if not _asked:
            return
        call, values = _asked.popleft()
        EventDispatcher.ED2.dispatchThreadCallback(call, values)
    if _asked and not _woken[0]:
        _woken[0] = True
        EventDispatcher.ED2.callFromThread(_call_all)


def later(seconds: float, call: Callable[..., None], *values: object) -> Any:
    """Have the loop call something once; what is given back has `cancel`."""
    return Timeout(call, seconds, 1, *values)


def every(seconds: float, call: Callable[..., None]) -> Any:
    """Have the loop call something again and again."""
    return Timeout(call, seconds, -1)


def loop() -> None:
    """Run until `end`."""
    EventDispatcher.ED2.loop()


def end() -> None:
    """Let the loop end."""
    EventDispatcher.ED2.breakLoop()


def now() -> float:
    """Seconds that never go back."""
    return time.monotonic()
