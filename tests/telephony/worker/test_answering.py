"""Answers of our own and their copies, with a clock of the test's."""

import pytest

from offhook.telephony.port import Address
from offhook.telephony.worker import answering
from offhook.telephony.worker.answering import COPIES, COPY_LIFE, MANY, Answering
from offhook.telephony.worker.packet import Packet, read

HOST = ("10.9.9.9", 4000)


def request(branch: str = "z9hG4bK1") -> Packet:
    return read(
        f"REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a:5070;branch={branch}\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n".encode()
    )


class Kept:
    """What is sent, and a clock."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []
        self.time = 0.0
        self.answers = Answering(lambda content, to: self.sent.append((content, to)), lambda: self.time)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_a_copy_says_nothing_until_it_is_answered_and_then_the_same(kept: Kept) -> None:
    assert not kept.answers.again(request(), HOST)
    kept.answers.hold(request(), HOST)
    assert kept.answers.again(request(), HOST)
    assert kept.sent == []
    kept.answers.final(request(), HOST, 200, (("Contact", "<sip:a@b>;expires=60"),))
    assert kept.answers.again(request(), HOST)
    first, second = kept.sent
    assert first == second
    assert first[1] == ("10.9.9.9", 5070)
    assert first[0].startswith(b"SIP/2.0 200 OK\r\n")


def test_what_comes_from_elsewhere_is_no_copy(kept: Kept) -> None:
    kept.answers.final(request(), HOST, 200, ())
    assert not kept.answers.again(request(), ("10.9.9.9", 4001))
    assert not kept.answers.again(request(branch="z9hG4bK2"), HOST)


def test_after_its_time_a_copy_is_asked_anew(kept: Kept) -> None:
    kept.answers.final(request(), HOST, 200, ())
    kept.time = COPY_LIFE
    assert kept.answers.again(request(), HOST)
    kept.time += 0.1
    assert not kept.answers.again(request(), HOST)


def test_who_is_only_answered_leaves_nothing(kept: Kept) -> None:
    kept.answers.give(request(), HOST, 401)
    kept.answers.refuse(request(), HOST, 503)
    assert [content.splitlines()[0] for content, _ in kept.sent] == [
        b"SIP/2.0 401 Unauthorized", b"SIP/2.0 503 Service Unavailable",
    ]  # fmt: skip
    assert b"Retry-After: 10\r\n" in kept.sent[1][0]
    assert not kept.answers.again(request(), HOST)


def test_answers_are_not_kept_without_end(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    assert COPIES == 20_000
    monkeypatch.setattr(answering, "COPIES", MANY + 5)
    for number in range(MANY + 10):
        kept.answers.hold(request(branch=f"z9hG4bK{number}"), HOST)
    assert len(kept.answers._copies) == MANY + 5
    assert not kept.answers.again(request(branch="z9hG4bK4"), HOST)
    assert kept.answers.again(request(branch="z9hG4bK5"), HOST)
    kept.time = COPY_LIFE + 0.1
    kept.answers.look_through()
    assert len(kept.answers._copies) == 0
