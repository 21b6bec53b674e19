"""What a leg does at moments that no test waits for, and files that are kept in memory."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.telephony.worker import clips, leg, rtcp
from offhook.telephony.worker.clips import Clips, NoClip
from offhook.telephony.worker.leg import Leg, Outgoing
from offhook.telephony.worker.sound import PCMA, PCMU, Voice
from tests.telephony.worker.rtp_peers import FRAME, Peer


@pytest.fixture
def ours() -> Iterator[Leg]:
    sound, reports = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for each in (sound, reports):
        each.bind(("127.0.0.1", 0))
    ours = Leg(2, sound, reports, 100.0)
    yield ours
    ours.close()


def test_who_hears_nothing_for_long_is_sent_silence_now_and_then(ours: Leg) -> None:
    peer = Peer(codec=PCMA)
    ours.agree(peer.voice, 100.0)
    ours.keep_open(100.0 + leg.KEEP - 0.1)
    ours.keep_open(100.0 + leg.KEEP)
    ours.keep_open(100.1 + leg.KEEP)
    ours.keep_open(100.0 + 2 * leg.KEEP)
    first, second = peer.wait(2)
    assert first.payload == second.payload == b"\xd5" * FRAME
    assert (second.stamp - first.stamp) & 0xFFFFFFFF == leg.KEEP * 8_000
    peer.close()


def test_who_is_held_both_ways_is_sent_nothing(ours: Leg) -> None:
    peer = Peer()
    ours.agree(Voice(address=peer.address, sends=False, hears=False), 100.0)
    ours.keep_open(200.0)
    ours.report(200.0)
    ours.agree(peer.voice, 200.0)
    ours.report(200.1)
    assert peer.reports.recv(2_000)[1] == rtcp.RECEIVER, "The first report is of the time after."
    assert ours.outgoing.packets == 0
    peer.close()


def test_an_address_that_nothing_can_be_sent_to_is_no_fault(ours: Leg) -> None:
    for port in (0, 65_535):
        ours.agree(Voice(address=("127.0.0.1", port)), 100.0)
        ours.keep_open(200.0)
        ours.report(200.0)


def test_what_is_relayed_late_does_not_turn_the_stream_back() -> None:
    stream = Outgoing(0.0)
    for number in (10, 12, 11):
        stream.relayed("them", (0, False, number, number * 160, 1, b""), 0, bytes(FRAME), 0.0)
    before = stream.number
    stream.relayed("others", (0, False, 500, 0, 2, b""), 0, bytes(FRAME), 0.0)
    assert stream.number == before + 1


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    kept = Clips()
    file = tmp_path / "a.ulaw"
    file.write_bytes(b"one")
    assert kept.get(str(tmp_path / "a"), PCMU) == b"one"
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert kept.get(str(tmp_path / "a"), PCMU) == b"two"


def test_files_that_are_kept_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "KEPT", 1_000)
    kept = Clips()
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.ulaw").write_bytes(bytes(400))
        kept.get(str(tmp_path / name), PCMU)
    assert [Path(path).name for path, _, _ in kept._clips] == ["b.ulaw", "c.ulaw"]
    monkeypatch.setattr(clips, "LONGEST", 100)
    (tmp_path / "long.ulaw").write_bytes(bytes(101))
    with pytest.raises(NoClip, match="too long"):
        kept.get(str(tmp_path / "long"), PCMU)
