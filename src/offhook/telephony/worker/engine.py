"""The process that carries sound: one thread that waits for packets and for the moment of the next one to be played.

It is told what to do by messages of one socket, each a packet of its own, and tells what it heard the same way. It
knows no SIP and waits for no disk, so that a busy server or a burst of calls is not heard by those who speak.
"""

import functools
import gc
import heapq
import os
import select
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec

from offhook.telephony import port
from offhook.telephony.worker.clips import LONGEST, Clips, NoClip, Playing
from offhook.telephony.worker.leg import BUDGET, Leg
from offhook.telephony.worker.rooms import Rooms
from offhook.telephony.worker.sound import NAMES, PCMU, Voice
from offhook.telephony.worker.wav import Desk, Tape

TICK = 0.02
"""Seconds between two packets that are played."""

LATE = 0.2
"""Seconds by which one may be late before those between are not made up for."""

SWEEP = 0.1
"""Seconds between two looks at what may have ended without a packet."""

KEYS = 20
"""Keys of a leg that are told between two looks: far quicker than fingers and machines that dial."""

UNTOLD = 10_000
"""Messages that wait while nobody listens; the oldest go first, and how many is told in their place."""

GONE = "messages of the process that carries sound are gone, as nobody took them"

BUFFER = 256 * 1024


class Open(msgspec.Struct, frozen=True, tag="open"):
    """A leg, whose two sockets come along."""

    leg: int


class Agree(msgspec.Struct, frozen=True, tag="agree"):
    """Speak with the leg's other side so."""

    leg: int
    voice: Voice


class Release(msgspec.Struct, frozen=True, tag="release"):
    """The leg is over."""

    leg: int


class Silent(msgspec.Struct, frozen=True, tag="silent"):
    """Nothing came from the leg for as long as was set."""

    leg: int


Told = (
    Open | Agree | Release | port.Connect | port.Join | port.Part | port.Play | port.Stop | port.Record
    | port.StopRecording | port.Close
)  # fmt: skip
Heard = port.Key | port.Played | port.Recorded | Silent | port.Sound | port.Figures | port.Fault


class Engine:
    """Carries the sound of legs until it is told to close. `silence` is how many seconds may pass without a packet."""

    def __init__(self, control: socket.socket, silence: float) -> None:
        self._control, self._silence = control, silence
        control.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(control.fileno(), select.EPOLLIN)
        self._ready: dict[int, Callable[[float], None]] = {}
        self._untold: deque[bytes] = deque()
        self._gone = 0
        """How many went that were older than those."""
        self._telling = threading.Lock()
        self._legs: dict[int, Leg] = {}
        self._due: list[tuple[float, int, int]] = []
        self._clips, self._desk = Clips(), Desk()
        self._decoder = msgspec.msgpack.Decoder(Told)
        self._received = self._lost = self._refused = 0
        self._faults: dict[str, int] = {}
        self._quiet: dict[int, float] = {}
        self._spent: list[Leg] = []
        self._rooms = Rooms(self._connect)
        self._running = True

    def run(self) -> None:
        """Go on until it is closed, or nobody is left who tells it anything."""
        self._tell_figures()
        swept = figured = time.monotonic()
        while self._running:
            now = time.monotonic()
            next_due = min(self._due[0][0] if self._due else now + SWEEP, self._rooms.due)
            numbers = [number for number, _ in self._poll.poll(max(min(next_due, swept + SWEEP) - now, 0))]
            if self._control.fileno() in numbers:
                self._told_all()
            for number in numbers:
                ready = self._ready.get(number)
                if ready is not None:
                    self._guarded(ready)
            self._guarded(self._play)
            self._guarded(self._rooms.send)
            now = time.monotonic()
            if now - swept >= SWEEP:
                swept = now
                self._guarded(self._sweep)
            if now - figured >= 1.0:
                figured = now
                self._tell_figures()
        for leg in list(self._legs):
            self._release(leg)
        self._desk.close()
        self._tell_figures()

    def _guarded(self, step: Callable[[float], None]) -> None:
        """One step; a fault in it is ours, is counted, and stops nothing else."""
        try:
            step(time.monotonic())
        except Exception as fault:
            what = f"{type(fault).__name__} in the process that carries sound"
            self._faults[what] = self._faults.get(what, 0) + 1

    def _tell(self, heard: Heard) -> None:
        with self._telling:
            self._untold.append(msgspec.msgpack.encode(heard))
            if len(self._untold) > UNTOLD:
                self._untold.popleft()
                self._gone += 1
        self._tell_on()

    def _tell_on(self) -> None:
        """Tell what is not told yet, as far as it is taken: whoever does not listen holds nothing up."""
        with self._telling, suppress(OSError):
            if self._gone:
                self._control.send(msgspec.msgpack.encode(port.Fault(GONE, self._gone)))
                self._gone = 0
            while self._untold:
                self._control.send(self._untold[0])
                self._untold.popleft()

    # What it is told

    def _told_all(self) -> None:
        """Do all that was asked, before any packet that may have come after."""
        while self._running:
            try:
                content, descriptors, _, _ = socket.recv_fds(self._control, port.MOST, 2)
            except BlockingIOError:
                return
            except OSError:
                content, descriptors = b"", []
            if content:
                self._guarded(functools.partial(self._told, content, descriptors))
            else:
                self._running = False

    def _told(self, content: bytes, descriptors: list[int], now: float) -> None:
        command = self._decoder.decode(content)
        if isinstance(command, Open):
            self._open(command.leg, descriptors, now)
            return
        if isinstance(command, port.Close):
            self._running = False
            return
        leg = self._legs.get(command.leg)
        if leg is None:
            if isinstance(command, port.Record):
                self._tell(port.Recorded(leg=command.leg, path=command.path, seconds=0))
            return
        match command:
            case Agree():
                leg.agree(command.voice, now)
                if leg.asked is not None:
                    self._play_to(leg, *leg.asked, now)
            case port.Connect():
                self._connect(leg, self._legs.get(command.other))
            case port.Join():
                self._join([leg, *(self._legs[id] for id in command.others if id in self._legs)], now)
            case port.Part():
                self._part(leg)
            case port.Play():
                self._stop(leg)
                self._play_to(leg, command.token, command.files, command.times, now)
            case port.Stop():
                self._stop(leg)
            case port.Record():
                self._record(leg, command, now)
            case port.StopRecording():
                self._stop_recording(leg, now)
            case Release():
                self._release(leg.id)

    def _open(self, id: int, descriptors: list[int], now: float) -> None:
        sound, reports = (socket.socket(fileno=each) for each in descriptors)
        self._release(id)
        leg = self._legs[id] = Leg(id, sound, reports, now)

        def receive(now: float) -> None:
            leg.receive(now, self._pressed)
            self._spend(leg)

        def receive_report(now: float) -> None:
            leg.receive_report(now)
            self._spend(leg)

        for each, ready in ((sound, receive), (reports, receive_report)):
            each.setblocking(False)
            self._ready[each.fileno()] = ready
            self._poll.register(each.fileno(), select.EPOLLIN)

    def _spend(self, leg: Leg) -> None:
        """Listen to a leg no more until the next look when too much comes, so that it costs the others nothing."""
        leg.budget -= 1
        if leg.budget == 0:
            self._spent.append(leg)
            self._listen(leg, 0)

    def _listen(self, leg: Leg, events: int) -> None:
        for each in (leg.sound, leg.reports):
            self._poll.modify(each.fileno(), events)

    def _connect(self, leg: Leg, other: Leg | None) -> None:
        if other is None or other is leg:
            return
        for each, heard in ((leg, other), (other, leg)):
            self._stop(each)
            if each.other is not heard:
                self._part(each)
            self._rooms.leave(each)
        leg.other, other.other = other, leg

    def _join(self, legs: list[Leg], now: float) -> None:
        legs = list(dict.fromkeys(legs))
        for leg in legs:
            self._stop(leg)
            self._alone(leg)
        self._rooms.join(legs, now)

    def _part(self, leg: Leg) -> None:
        self._rooms.leave(leg)
        self._alone(leg)

    def _alone(self, leg: Leg) -> None:
        if leg.other is not None:
            leg.other.other = None
            leg.other = None

    def _release(self, id: int) -> None:
        leg = self._legs.pop(id, None)
        if leg is None:
            return
        self._part(leg)
        self._stop(leg)
        self._stop_recording(leg, time.monotonic())
        for each in (leg.sound, leg.reports):
            self._poll.unregister(each.fileno())
            del self._ready[each.fileno()]
        leg.close()
        self._received += leg.reception.received
        self._lost += leg.reception.lost
        self._refused += leg.refused
        self._quiet.pop(id, None)
        codec = NAMES[leg.voice.codec] if leg.voice is not None else ""
        self._tell(port.Sound(leg=id, codec=codec, received=leg.reception.received, lost=leg.reception.lost))

    # What legs hear

    def _play_to(self, leg: Leg, token: int, files: tuple[str, ...], times: int, now: float) -> None:
        if leg.voice is None:
            leg.asked = (token, files, times)
            return
        leg.asked = None
        try:
            pieces = [self._clips.get(file, leg.voice.codec) for file in files]
            if sum(map(len, pieces)) > LONGEST:
                raise NoClip("it is too long")
            content = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if not content:
                raise NoClip("there is nothing in it")
        except NoClip as fault:
            self._tell(port.Played(leg.id, token, str(fault)))
            return
        leg.playing = Playing(token, content, leg.voice.codec, times, now)
        leg.outgoing.begin()
        heapq.heappush(self._due, (now, leg.id, token))

    def _stop(self, leg: Leg) -> None:
        leg.playing = leg.asked = None

    def _play(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            at, id, token = heapq.heappop(self._due)
            leg = self._legs.get(id)
            playing = leg.playing if leg is not None else None
            if leg is None or playing is None or playing.due != at:
                continue
            if leg.play_on(now):
                playing.due = at + TICK if now - at < LATE else now + TICK
                heapq.heappush(self._due, (playing.due, id, token))
            else:
                leg.playing = None
                self._tell(port.Played(id, token))

    # Recordings

    def _record(self, leg: Leg, command: port.Record, now: float) -> None:
        self._stop_recording(leg, now)
        codec = leg.voice.codec if leg.voice is not None else PCMU
        id, path = leg.id, command.path

        def done(seconds: float, fault: str) -> None:
            self._tell(port.Recorded(leg=id, path=path, seconds=seconds, fault=fault))

        leg.tape = Tape(self._desk, path, command.both, codec, now, done)

    def _stop_recording(self, leg: Leg, now: float) -> None:
        if leg.tape is None:
            return
        for _ in range(BUDGET):
            # What was said before is on it.
            if not leg.receive(now, self._pressed):
                break
        leg.tape.end()
        leg.tape = None

    # What it tells

    def _pressed(self, leg: Leg, key: str) -> None:
        leg.pressed += 1
        if leg.pressed > KEYS:
            leg.refused += 1
        else:
            self._tell(port.Key(leg.id, key))

    def _sweep(self, now: float) -> None:
        self._tell_on()
        spent, self._spent = self._spent, []
        for leg in spent:
            if self._legs.get(leg.id) is leg:
                self._listen(leg, select.EPOLLIN)
        for leg in self._legs.values():
            leg.budget, leg.pressed = BUDGET, 0
            if leg.keys.pressed:
                for key in leg.keys.overdue(now):
                    self._pressed(leg, key)
            if leg.voice is not None and leg.voice.sends:
                heard_at = leg.heard_at
                if now - heard_at >= self._silence and self._quiet.get(leg.id) != heard_at:
                    self._quiet[leg.id] = heard_at
                    self._tell(Silent(leg.id))
            leg.keep_open(now)
            leg.report(now)

    def _tell_figures(self) -> None:
        legs = self._legs.values()
        self._tell(
            port.Figures(
                legs=len(self._legs),
                received=self._received + sum(leg.reception.received for leg in legs),
                lost=self._lost + sum(leg.reception.lost for leg in legs),
                refused={"sound": self._refused + sum(leg.refused for leg in legs)},
            )
        )
        faults, self._faults = self._faults, {}
        for what, count in faults.items():
            self._tell(port.Fault(what, count))


def main() -> None:
    """`python -m offhook.telephony.worker.engine DESCRIPTOR SECONDS`: serve until the other end is closed."""
    for each in (signal.SIGINT, signal.SIGTERM):
        # Whoever began it ends it: calls that are being ended are still heard.
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):
        # Where that is allowed: sound goes before whatever else is done on the machine.
        os.nice(-10)
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    engine = Engine(control, float(sys.argv[2]))
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    engine.run()
    control.close()
    os._exit(0)


if __name__ == "__main__":
    main()
