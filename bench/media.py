"""Bridged calls through the process that carries sound, beside telephones on the same machine.

Every telephone says a packet each 20 ms with the moment in it, and keeps what it hears: packets that never came are
counted there, not by what is measured. How long they were on the way is from just before they were sent until the
kernel had them for the other telephone, so that a late telephone is not taken for late sound.
`python -m bench.media [calls] [seconds]`.
"""

import multiprocessing
import select
import socket
import struct
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import Voice

CALLS, SECONDS = 100, 20.0
BAR = 0.005
"""The share of packets that may be lost."""

TICK = 0.02
LAST = 1.0
"""Seconds for the last packets to come."""

FILL = bytes(152)
STAMPED = 35
"""SO_TIMESTAMPNS of Linux: the kernel says when it had a packet."""


class Silent:
    """Nobody who is told anything."""

    def key(self, leg: int, key: str) -> None: ...
    def played(self, leg: int, token: int, fault: str) -> None: ...
    def recorded(self, leg: int, path: str, seconds: float, fault: str) -> None: ...
    def silent(self, leg: int) -> None: ...
    def cut(self, leg: int) -> None: ...
    def ended(self, leg: int, codec: str, received: int, lost: int) -> None: ...


def telephones(count: int, seconds: float, pipe: Connection) -> None:
    """`count` telephones, spread over the 20 ms. Told are: where they are; to them, where to speak to; how it was."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
        each.setblocking(False)
        each.setsockopt(socket.SOL_SOCKET, STAMPED, 1)
    pipe.send([each.getsockname() for each in sockets])
    for each, address in zip(sockets, pipe.recv(), strict=True):
        each.connect(address)
    poll = select.epoll()
    by_number = {each.fileno(): each for each in sockets}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    sent, ways = 0, []
    began = time.monotonic()
    due = [(began + TICK * place / count, each, place) for place, each in enumerate(sockets)]
    step, total = 0, int(seconds / TICK) * count
    while True:
        now = time.monotonic()
        while step < total and (at := due[step % count][0] + TICK * (step // count)) <= now:
            _, each, place = due[step % count]
            number = step // count
            head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * 160, place + 1)
            each.send(head + struct.pack("!d", time.clock_gettime(time.CLOCK_REALTIME)) + FILL)
            sent += 1
            step += 1
        if step >= total and now > began + seconds + LAST:
            break
        wait = at - now if step < total else 0.05
        for number, _ in poll.poll(max(min(wait, 0.05), 0)):
            content, ((_, _, stamp), *_), _, _ = by_number[number].recvmsg(2_048, 64)
            whole, nanoseconds = struct.unpack("qq", stamp)
            ways.append(whole + nanoseconds / 1e9 - struct.unpack_from("!d", content, 12)[0])
    pipe.send((sent, sorted(ways)))


def processor(pid: int) -> float:
    """Seconds of processor time that a process had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measured(calls: int = CALLS, seconds: float = SECONDS) -> dict[str, float]:
    """Share lost, milliseconds on the way, and how much of a core it took."""
    media = EngineMedia(Silent(), ports=(34_000, 34_000 + 8 * calls))
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=telephones, args=(2 * calls, seconds, theirs))
    process.start()
    to = []
    for place, address in enumerate(ours.recv()):
        to.append(media.open(place + 1))
        media.agree(place + 1, Voice(address=address))
        if place % 2:
            media.connect(place, place + 1)
    before = processor(media.pid)
    ours.send(to)
    sent, ways = ours.recv()
    took = processor(media.pid) - before
    process.join()
    received, lost = media.figures()
    media.close()
    return {
        "sent": sent,
        "heard": len(ways),
        "lost": 1 - len(ways) / sent,
        "received by us": received,
        "lost before us": lost,
        "on the way p50 ms": ways[len(ways) // 2] * 1_000,
        "on the way p99 ms": ways[len(ways) * 99 // 100] * 1_000,
        "longest ms": ways[-1] * 1_000,
        "of a core": took / seconds,
    }


def main() -> int:
    """Measure it once and say what it was; 1 if too much was lost."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    figures = measured(calls, float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS)
    print(f"{calls} bridged calls")
    for name, figure in figures.items():
        print(f"  {name:20} {figure:,.4g}")
    return int(figures["lost"] > BAR)


if __name__ == "__main__":
    sys.exit(main())
