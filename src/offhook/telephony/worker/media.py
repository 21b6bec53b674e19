"""Sound, as the signalling has it: `Media` of sound.py, carried by a process of its own (engine.py).

Here is only what has to be known at once: ports. They are taken here and handed over with their leg, so that no command
ever waits for the process that carries sound. Should that end, or hang and be ended, every leg is told to be cut off,
and the next one finds a new process.
"""

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import msgspec

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import engine, wav
from offhook.telephony.worker.engine import Agree, Open, Release, Silent, Told
from offhook.telephony.worker.sound import Heard, NoPort, Voice

SILENCE = 30.0
"""Seconds without a packet after which a leg is said to be silent."""

START = 20.0
"""Seconds in which it has to say that it is there."""

STUCK = 2.0
"""Seconds after which a process that takes nothing more is ended."""

HUNG = 10.0
"""Seconds without a word after which it hangs, and is ended: it tells its figures every second. As long as the server
waits for us; who talks has heard nothing for that time.
"""

AGAIN = 0.2
"""Seconds after which another process is started; until then there are no ports."""

END = 5.0
"""Seconds in which it has to write its recordings at the end."""


class EngineMedia:
    """`Media` in a process of its own. Each leg has a port of `host`, even ones of `ports` (first, last), and the next.

    `host` is where packets are taken, and what the other side is told unless `advertised` is; `silence` are the seconds
    without a packet that are told. `fault` is told what goes wrong, and how often. A process that says nothing for
    `hung` seconds is ended.
    """

    name = "engine"

    def __init__(
        self,
        heard: Heard,
        host: str = "127.0.0.1",
        ports: tuple[int, int] = (16_384, 32_766),
        silence: float = SILENCE,
        *,
        advertised: str = "",
        fault: Callable[[str, int], None] = lambda what, count: None,
        hung: float = HUNG,
    ) -> None:
        self._heard, self._host, self._advertised, self._silence = heard, host, advertised or host, silence
        self._fault, self._hung = fault, hung
        self._ports = range(ports[0], ports[1] + 1, 2)
        self.ports = len(self._ports)
        self._next = random.randrange(len(self._ports))
        self._lock = threading.Lock()
        self._taken: dict[int, int] = {}
        self._playing: dict[int, int] = {}
        self._taping: dict[int, str] = {}
        self._figures = self._before = (0, 0)
        self._strangers = self._strangers_before = 0
        self._closing = False
        self._control: socket.socket | None = None
        self._ready = threading.Event()
        self._start()
        if not self._ready.wait(START):
            raise RuntimeError(f"The process that carries sound said nothing for {START:g} seconds.")

    # The process

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, engine.BUFFER)
        ours.settimeout(STUCK)
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603  (our own module)
                    [sys.executable, "-m", engine.__name__, str(theirs.fileno()), str(self._silence)],
                    pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
                )  # fmt: skip
        except OSError:
            ours.close()
            raise
        self._control = ours
        self._listener = threading.Thread(target=self._listen, args=(ours, self._process), name="sound", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Of the process that carries sound now."""
        return self._process.pid

    def _tell(self, told: Told, *sockets: socket.socket) -> None:
        content = msgspec.msgpack.encode(told)
        if self._control is None:
            return
        try:
            if sockets:
                socket.send_fds(self._control, [content], [each.fileno() for each in sockets])
            else:
                self._control.send(content)
        except TimeoutError:
            self._process.kill()
        except OSError:
            # It ended: whoever listens to it says so.
            return

    def _listen(self, control: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        decoder = msgspec.msgpack.Decoder(engine.Heard)
        reader = control.dup()
        reader.settimeout(START / 2)
        said = quiet = False
        with reader:
            while True:
                try:
                    content = reader.recv(port.MOST)
                except TimeoutError:
                    # Once may be our own doing: this process was stopped, or had no turn.
                    if quiet:
                        self._fault("the process that carries sound hung", 1)
                        process.kill()
                    quiet = True
                    continue
                except OSError:
                    content = b""
                if not content:
                    break
                if not said:
                    reader.settimeout(self._hung / 2)
                said, quiet = True, False
                self._hear(decoder.decode(content))
        process.wait()
        if not self._closing:
            self._again()

    def _again(self) -> None:
        """The process is gone: so is the sound of all legs."""
        with self._lock:
            legs, self._taken = list(self._taken), {}
            playing, self._playing = self._playing, {}
            taping, self._taping = self._taping, {}
            self._before, control, self._control = self._figures, self._control, None
            self._strangers_before = self._strangers
        if control is not None:
            control.close()
        self._fault("the process that carries sound ended", 1)
        for leg, token in playing.items():
            self._heard.played(leg, token, "it was cut off")
        for leg in legs:
            self._heard.cut(leg)
        for leg, path in taping.items():
            self._rescue(leg, path)
        while not self._started_again():
            pass

    def _started_again(self) -> bool:
        """Whether there is a process again, or is to be none; where the machine has none to give it is asked again."""
        time.sleep(AGAIN)
        with self._lock:
            if not self._closing:
                try:
                    self._start()
                except OSError as fault:
                    self._fault(f"no process can carry sound: {fault.strerror or fault}", 1)
                    return False
            return True

    def _rescue(self, leg: int, path: str) -> None:
        """What was recorded until the process ended is kept, up to the last half second."""
        try:
            seconds, fault = wav.rescued(path), "it was cut off"
        except OSError as cause:
            seconds, fault = None, f"it was cut off: {cause.strerror or 'it could not be written'}"
        self._heard.recorded(leg, path, seconds or 0.0, "" if seconds is not None else fault)

    def _hear(self, event: engine.Heard) -> None:
        match event:
            case port.Key():
                self._heard.key(event.leg, event.key)
            case port.Played():
                with self._lock:
                    if self._playing.get(event.leg) != event.token:
                        return
                    del self._playing[event.leg]
                self._heard.played(event.leg, event.token, event.fault)
            case port.Recorded():
                with self._lock:
                    if self._taping.get(event.leg) == event.path:
                        del self._taping[event.leg]
                self._heard.recorded(event.leg, event.path, event.seconds, event.fault)
            case Silent():
                self._heard.silent(event.leg)
            case port.Figures():
                self._ready.set()
                self._figures = (self._before[0] + event.received, self._before[1] + event.lost)
                self._strangers = self._strangers_before + event.refused.get("sound", 0)
            case port.Sound():
                self._heard.ended(event.leg, event.codec, event.received, event.lost)
            case port.Fault():
                self._fault(event.what, event.count)

    # What the signalling asks for

    def open(self, leg: int) -> Address:
        """Take a port for the leg: the address that goes into its description. NoPort when there is none."""
        with self._lock:
            if self._control is None:
                raise NoPort
            taken = set(self._taken.values())
            for step in range(len(self._ports)):
                number = self._ports[(self._next + step) % len(self._ports)]
                if number not in taken and (sockets := self._bound(number)) is not None:
                    self._next = (self._next + step + 1) % len(self._ports)
                    self._taken[leg] = number
                    self._tell(Open(leg), *sockets)
                    for each in sockets:
                        each.close()
                    return self._advertised, number
        raise NoPort

    def _bound(self, number: int) -> tuple[socket.socket, socket.socket] | None:
        sound, reports = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        try:
            sound.bind((self._host, number))
            reports.bind((self._host, number + 1))
        except OSError:
            sound.close()
            reports.close()
            return None
        sound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, engine.BUFFER)
        return sound, reports

    def agree(self, leg: int, voice: Voice) -> None:
        """Speak with the other side so from now on."""
        self._of(leg, Agree(leg, voice))

    def connect(self, leg: int, other: int) -> None:
        """Let two legs hear each other."""
        with self._lock:
            if leg in self._taken and other in self._taken:
                self._playing.pop(leg, None)
                self._playing.pop(other, None)
                self._tell(port.Connect(leg, other))

    def join(self, legs: tuple[int, ...]) -> None:
        """Let several legs hear each other."""
        with self._lock:
            some = [leg for leg in legs if leg in self._taken]
            for leg in some:
                self._playing.pop(leg, None)
            if some:
                self._tell(port.Join(some[0], tuple(some[1:])))

    def part(self, leg: int) -> None:
        """Let the leg and whom it was connected with hear nobody."""
        self._of(leg, port.Part(leg))

    def play(self, leg: int, token: int, files: tuple[str, ...], times: int) -> None:
        """Play files one behind the other, `times` times (0 for ever), in place of what is played."""
        with self._lock:
            if leg in self._taken:
                self._playing[leg] = token
                self._tell(port.Play(leg=leg, token=token, files=files, times=times))

    def stop(self, leg: int) -> None:
        """Play no more."""
        with self._lock:
            self._playing.pop(leg, None)
            self._tell(port.Stop(leg))

    def record(self, leg: int, path: str, both: bool) -> None:
        """Write what the leg says, with `both` what it hears too, to `path`; of a leg that is over, nothing."""
        with self._lock:
            if leg in self._taken:
                self._taping[leg] = path
                self._tell(port.Record(leg=leg, path=path, both=both))
                return
        self._heard.recorded(leg, path, 0.0, "")

    def stop_recording(self, leg: int) -> None:
        """Write no more."""
        self._of(leg, port.StopRecording(leg))

    def release(self, leg: int) -> None:
        """The leg is over."""
        with self._lock:
            if self._taken.pop(leg, None) is not None:
                self._playing.pop(leg, None)
                self._tell(Release(leg))

    def figures(self) -> tuple[int, int]:
        """Packets received since the start, and how many never came; a second old at most."""
        return self._figures

    def strangers(self) -> int:
        """Packets since the start that were not taken, a second old at most."""
        return self._strangers

    def close(self) -> None:
        """Release everything and stop the process, its recordings written."""
        with self._lock:
            self._closing = True
            self._tell(port.Close())
        try:
            self._process.wait(END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(END)
        if self._control is not None:
            self._control.close()

    def _of(self, leg: int, told: Told) -> None:
        with self._lock:
            if leg in self._taken:
                self._tell(told)
