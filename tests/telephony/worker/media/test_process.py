"""The process that carries sound: its ports, its end, and what is left of calls then."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import soundfile

from offhook.telephony import port
from offhook.telephony.worker import engine as sounding
from offhook.telephony.worker.engine import Engine, Heard
from offhook.telephony.worker.media import START, EngineMedia
from offhook.telephony.worker.sound import NoPort
from offhook.telephony.worker.wav import KEPT
from tests.telephony.worker.media.bridge import LEG, OTHER, Telephone, until
from tests.telephony.worker.rtp_peers import Ear, Peer, clip, hertz, pause, tone

FIGURES, QUIET = msgspec.msgpack.encode(port.Figures(legs=0)), TimeoutError()


@pytest.fixture
def media(media_of_its_own: EngineMedia) -> EngineMedia:
    """A process a test: most of them end it."""
    return media_of_its_own


def test_ports_run_out_and_come_back(ear: Ear) -> None:
    first = free_ports(4)
    media = EngineMedia(ear, ports=(first, first + 2))
    ports = {media.open(2)[1], media.open(4)[1]}
    assert ports == {first, first + 2}
    with pytest.raises(NoPort):
        media.open(6)
    media.release(2)
    assert retried(lambda: media.open(6))[1] in ports
    media.close()


def test_a_port_that_somebody_else_has_is_passed_over(ear: Ear) -> None:
    first = free_ports(6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("127.0.0.1", first + 3))
        media = EngineMedia(ear, ports=(first, first + 4))
        assert {media.open(2)[1], media.open(4)[1]} == {first, first + 4}
        media.close()


def test_what_is_told_the_other_side_may_be_another_address(ear: Ear) -> None:
    media = EngineMedia(ear, advertised="192.0.2.7")
    assert media.open(LEG)[0] == "192.0.2.7"
    media.close()


def test_a_leg_that_is_not_there_is_left_alone(media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path) -> None:
    media.connect(LEG, OTHER)
    media.open(LEG)
    media.connect(LEG, OTHER)
    for leg in (OTHER, LEG):
        media.release(leg)
        media.agree(leg, peer.voice)
        media.part(leg)
        media.play(leg, 1, ("a",), 1)
        media.stop(leg)
        media.record(leg, str(tmp_path / "a.wav"), False)
        media.stop_recording(leg)
        media.release(leg)
    media.close()
    # But who waits for a recording is told that there is none.
    recorded = [("recorded", leg, str(tmp_path / "a.wav"), 0.0, "") for leg in (OTHER, LEG)]
    assert sorted(ear.told) == sorted([*recorded, ("ended", LEG, "", 0, 0)]), "That the one is over which was there."


def test_should_the_process_end_all_is_told_and_the_next_call_finds_another(
    media: EngineMedia, ear: Ear, telephone: Telephone, peer: Peer, tmp_path: Path
) -> None:
    media.open(LEG)
    media.agree(LEG, peer.voice)
    path = str(tmp_path / "a.wav")
    media.record(LEG, path, False)
    media.play(LEG, 7, (clip(tmp_path, "a", tone(440, 0.2)),), 0)
    peer.wait(2)
    os.kill(media.pid, signal.SIGKILL)
    assert ear.wait("recorded") == [(LEG, path, 0.0, "it was cut off")]
    assert ear.of("cut") == [(LEG,)]
    assert ear.of("played") == [(LEG, 7, "it was cut off")]
    other = telephone()
    retried(lambda: media.open(OTHER))
    media.agree(OTHER, other.voice)
    media.play(OTHER, 8, (str(tmp_path / "a"),), 1)
    other.wait(10)


def test_one_that_lives_and_says_nothing_is_ended_as_if_it_had_died(ear: Ear) -> None:
    told: list[str] = []
    # More than the second after which it says something, twice.
    media = EngineMedia(ear, hung=2.4, fault=lambda what, _: told.append(what))
    media.open(LEG)
    stopped = media.pid
    os.kill(stopped, signal.SIGSTOP)
    assert ear.wait("cut") == [(LEG,)]
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)
    assert told == ["the process that carries sound hung", "the process that carries sound ended"]
    assert retried(lambda: media.open(OTHER))[0] == "127.0.0.1"
    media.close()


@pytest.mark.parametrize(
    ("heard", "ended"),
    [
        ([FIGURES, QUIET, FIGURES, QUIET, FIGURES], False),
        ([QUIET, FIGURES], False),
        ([FIGURES, QUIET, QUIET], True),
        ([QUIET, QUIET], True),
    ],
)
def test_quiet_for_half_the_time_it_is_left_alone_as_we_may_have_been_stopped_with_it(
    heard: list[bytes | Exception], ended: bool
) -> None:
    told: list[str] = []
    waits: list[float] = []

    class Reader:
        settimeout = staticmethod(waits.append)

        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

        def recv(self, _most: int) -> bytes:
            came = heard.pop(0) if heard else b""
            if isinstance(came, Exception):
                raise came
            return came

    process: Any = SimpleNamespace(kill=lambda: told.append("killed"), wait=lambda: None)
    media: Any = SimpleNamespace(
        _hung=3.0, _fault=lambda what, _: told.append(what), _hear=lambda _: None, _closing=True
    )
    said = FIGURES in heard
    EngineMedia._listen(media, SimpleNamespace(dup=Reader), process)  # type: ignore[arg-type]
    assert told == ["the process that carries sound hung", "killed"] * ended
    # Until its first word it has the time in which it has to begin.
    assert waits == [START / 2, 1.5][: 1 + said]


def test_where_the_machine_has_no_process_to_give_it_is_asked_again(
    media: EngineMedia, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = subprocess.Popen, [OSError(11, "Resource temporarily unavailable") for _ in range(2)]
    told: list[str] = []

    def starting(*arguments: Any, **more: Any) -> Any:
        if refused:
            raise refused.pop()
        return start(*arguments, **more)

    monkeypatch.setattr(subprocess, "Popen", starting)
    media._fault = lambda what, _: told.append(what)
    os.kill(media.pid, signal.SIGKILL)
    until(lambda: not refused)
    assert retried(lambda: media.open(OTHER))[0] == "127.0.0.1"
    assert told[1:] == ["no process can carry sound: Resource temporarily unavailable"] * 2


def test_what_was_recorded_until_the_process_ended_is_whole(
    media: EngineMedia, ear: Ear, peer: Peer, tmp_path: Path
) -> None:
    to = media.open(LEG)
    media.agree(LEG, peer.voice)
    path = tmp_path / "a.wav"
    media.record(LEG, str(path), False)
    peer.say(to, tone(440, 1.2))
    until(lambda: any(one.stat().st_size >= KEPT for one in tmp_path.iterdir()))
    os.kill(media.pid, signal.SIGKILL)
    [(_, told, seconds, fault)] = ear.wait("recorded")
    assert (told, fault) == (str(path), "")
    samples = soundfile.read(path, dtype="int16")[0]
    assert hertz(samples) == pytest.approx(440, abs=5)
    assert seconds == pytest.approx(len(samples) / 8_000, abs=0.03)
    assert 0.5 <= len(samples) / 8_000 <= 1.3
    assert [one.name for one in tmp_path.iterdir()] == ["a.wav"]


def test_it_ends_with_who_began_it(tmp_path: Path) -> None:
    media = EngineMedia(Ear())
    pid = media.pid
    media.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_went_wrong_in_its_last_second_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        engine = Engine(theirs, 30.0)

        def broken(_now: float) -> None:
            engine._running = False
            raise ValueError

        monkeypatch.setattr(engine, "_play", broken)
        engine.run()
        ours.setblocking(False)
        told: list[Heard] = []
        with suppress(BlockingIOError):
            while True:
                told.append(msgspec.msgpack.decode(ours.recv(port.MOST), type=Heard))
    assert port.Fault("ValueError in the process that carries sound", 1) in told


def test_messages_that_nobody_takes_are_gone_in_bounds_and_how_many_is_told_in_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sounding, "UNTOLD", 10)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        engine = Engine(theirs, 30.0)
        ours.setblocking(False)
        many = 20_000
        for token in range(many):
            engine._tell(port.Played(LEG, token))
        assert len(engine._untold) == 10
        told: list[Heard] = []
        for _ in range(2):
            with suppress(BlockingIOError):
                while True:
                    told.append(msgspec.msgpack.decode(ours.recv(port.MOST), type=Heard))
            engine._tell_on()
    [fault] = [one for one in told if isinstance(one, port.Fault)]
    at = told.index(fault)
    assert (fault.what, fault.count) == (sounding.GONE, many - len(told) + 1)
    before, after = ([one.token for one in some if isinstance(one, port.Played)] for some in (told[:at], told[at:]))
    assert before == list(range(len(before)))
    assert after == list(range(many - 10, many))


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody has, an even one."""
    while True:
        first = random.randrange(20_000, 30_000, 2)
        with ExitStack() as stack, suppress(OSError):
            for number in range(first, first + count):
                each = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                each.bind(("127.0.0.1", number))
            return first


def retried(opened: Callable[[], tuple[str, int]]) -> tuple[str, int]:
    """A port, once there is one."""
    ends = time.monotonic() + 10
    while True:
        try:
            return opened()
        except NoPort:
            assert time.monotonic() < ends
            pause(time.monotonic() + 0.02)
