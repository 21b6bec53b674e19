"""The load generator of calls passes only what goes exactly as it should, and says of all else what was wrong."""

import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.telephony import generator, sip
from bench.telephony.__main__ import main
from bench.telephony.generator import Generator, Group, Phone, Plan, Seen
from bench.telephony.sip import HOST, Message
from bench.telephony.watching import Sample, flatness, growth

FAULTS = {
    "refuses": "503 to the caller",
    "leaves the other one ringing": "without CANCEL and ACK to the other telephone",
    "stops who took it": "CANCEL to who took it",
    "does not say that it rings": "200 before it rang, or before anybody took it",
    "never acknowledges": "without ACK to who took it",
    "keeps the end to itself": "without BYE to the other side",
}


class Fake:
    """A server that carries one group's calls; `wrong` is what it does otherwise, once."""

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.port = self.socket.getsockname()[1]
        self.phones: dict[str, tuple[str, int]] = {}
        self._calls: dict[bytes, dict[str, Any]] = {}
        self._number = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.socket.sendto(b"end", self.socket.getsockname())
        self._thread.join(5)
        self.socket.close()

    def _run(self) -> None:
        while True:
            content, source = self.socket.recvfrom(65_536)
            if content == b"end":
                return
            self._heard(Message(content), source)

    def _send(self, content: bytes, to: tuple[str, int]) -> None:
        self.socket.sendto(content, to)

    def _heard(self, message: Message, source: tuple[str, int]) -> None:
        if message.code:
            self._answered(message)
        elif message.method == b"REGISTER":
            self.phones[message.contact.decode().partition(":")[2].partition("@")[0]] = source
            self._send(sip.answer(message, 200, "OK", "s"), source)
        elif message.method == b"INVITE":
            self._invited(message, source)
        elif message.method == b"BYE":
            self._send(sip.answer(message, 200, "OK"), source)
            self._ended(self._calls[message.call_id], message)

    def _invited(self, message: Message, source: tuple[str, int]) -> None:
        if self.wrong == "refuses":
            self._send(sip.answer(message, 503, "No", "s"), source)
            return
        call: dict[str, Any] = {"invite": message, "carrier": source, "legs": {}}
        self._calls[message.call_id] = call
        if self.wrong != "does not say that it rings":
            self._send(sip.answer(message, 180, "Ringing", "s"), source)
        for name in (name for name in self.phones if message.user.decode() in name):
            address = self.phones[name]
            self._number += 1
            call_id, branch = f"out{self._number}", sip.branch()
            call["legs"][call_id] = name, address, branch
            self._calls[call_id.encode()] = call
            self._send(self._request("INVITE", call_id, name, via=branch, body=sip.description(9)), address)

    def _request(self, method: str, call_id: str, name: str, tag: str = "", **more: Any) -> bytes:
        to = f"<sip:{name}@{HOST}>" + tag
        contact = f"sip:{HOST}:{self.port}"
        return sip.request(
            method, f"sip:{name}@{HOST}", self.port, f"<sip:x@{HOST}>;tag=o", to, call_id, 1, contact=contact, **more
        )

    def _answered(self, message: Message) -> None:
        call = self._calls[message.call_id]
        if message.method != b"INVITE" or message.code < 200:
            return
        name, address, branch = call["legs"][message.call_id.decode()]
        tag = message.callee.decode().partition(">")[2]
        if message.code == 487:
            self._send(self._request("ACK", message.call_id.decode(), name, tag, via=branch), address)
            return
        call["won"] = message.call_id.decode(), name, address, tag
        if self.wrong == "stops who took it":
            self._send(self._request("CANCEL", message.call_id.decode(), name, via=branch), address)
        if self.wrong != "never acknowledges":
            self._send(self._request("ACK", message.call_id.decode(), name, tag), address)
        for other, (their_name, their_address, their_branch) in call["legs"].items():
            if other != message.call_id.decode() and self.wrong != "leaves the other one ringing":
                self._send(self._request("CANCEL", other, their_name, via=their_branch), their_address)
        taken = sip.answer(call["invite"], 200, "OK", "s", f"sip:{HOST}:{self.port}", sip.description(9))
        self._send(taken, call["carrier"])

    def _ended(self, call: dict[str, Any], bye: Message) -> None:
        if self.wrong == "keeps the end to itself":
            return
        invite = call["invite"]
        if bye.call_id == invite.call_id:
            call_id, name, address, tag = call["won"]
            self._send(self._request("BYE", call_id, name, tag), address)
        else:
            who, to = f"{invite.callee.decode()};tag=s", invite.caller.decode()
            content = sip.request("BYE", "sip:x", self.port, who, to, invite.call_id.decode(), 1)
            self._send(content, call["carrier"])


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits 32 s for what never comes."""
    monkeypatch.setattr(generator, "LIMIT", 0.3)


def played(wrong: str, count: int, groups: int = 1) -> Iterator[Seen]:
    fake = Fake(wrong)
    numbers = [f"+1415555010{number}" for number in range(groups)]
    made = [Group(number, (Phone(f"a{number}", ""), Phone(f"b{number}", ""))) for number in numbers]
    plan = Plan(worker=(HOST, fake.port), port=0, groups=made, ring=0.01, talk=0.01)
    load = Generator(plan, lambda _: None)
    try:
        load.register()
        yield load.calls(20.0, count)
    finally:
        load.close()
        fake.close()


def test_calls_that_go_as_they_should_pass() -> None:
    """Each at a group of its own, and however long the machine lets it take."""
    [seen] = played("", 4, groups=4)
    assert (seen.offered, seen.failed, seen.faults) == (4, 0, {})
    assert 0 < seen.ringing_p50 <= seen.ringing_p99
    assert 0 < seen.taking_p50 <= seen.taking_p99
    assert seen.repeated_by_us == seen.repeated_by_it == 0


@pytest.mark.parametrize("wrong", FAULTS)
def test_a_call_that_goes_otherwise_has_failed(short: None, wrong: str) -> None:
    [seen] = played(wrong, 1)
    assert seen.failed == 1
    [why] = seen.faults
    assert why.startswith(FAULTS[wrong])


def test_calls_begin_in_time_whatever_became_of_those_before(short: None) -> None:
    """With no group free, a call that cannot be begun has failed, and the others are not late for it."""
    [seen] = played("never acknowledges", 3)
    assert (seen.offered, seen.failed) == (3, 3)
    assert seen.faults["no group was free, so many calls are not over"] == 2
    assert seen.late_p99 < 40


def test_growth_is_what_the_line_through_all_points_rises() -> None:
    assert growth([(0, 5), (1, 6), (2, 7)]) == pytest.approx(2)
    assert growth([(0, 5), (10, 9), (20, 5)]) == pytest.approx(0)
    assert growth([(0, 5)]) == 0


def test_what_grows_only_while_it_warms_up_is_flat() -> None:
    samples = [Sample(at, {"server": min(50 + 10 * at, 80), "worker": 30 + at}, 0) for at in range(11)]
    found = flatness(samples, 3)
    assert found["server"] == pytest.approx((80, 0))
    assert found["worker"] == pytest.approx((33, 7))
    assert all(map(math.isnan, found["sound"]))


@pytest.mark.long
def test_a_short_run_through_the_real_product_holds_all_but_its_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--short", "--seconds", "3", "--rate", "5", "--out", str(tmp_path)])
    said = (tmp_path / "telephony.json").read_text()
    assert '"calls that failed"' in said
    table = capsys.readouterr().out
    for line in table.splitlines():
        if any(name in line for name in ("calls that failed", "sound lost", "left behind", "calls on disk")):
            assert "ok" in line, table
