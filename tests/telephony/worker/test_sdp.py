"""Descriptions read strictly, and answers to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.telephony.worker import sdp
from offhook.telephony.worker.sound import PCMA, PCMU

TWO = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=video 5000 RTP/AVP 31\r\n"
    b"m=audio 4000 RTP/AVP 9 8 0 96\r\nc=IN IP4 10.0.0.2\r\na=rtpmap:96 telephone-event/8000\r\n"
)


def test_the_sound_among_streams_is_found() -> None:
    found = sdp.read(TWO)
    assert found is not None
    assert (found.address, found.codecs, found.events, found.place) == (("10.0.0.2", 4000), (PCMA, PCMU), 96, 1)
    assert sdp.chosen(found) == PCMU


@pytest.mark.parametrize(
    "first",
    [b"m=audio 4000 RTP/AVP 18", b"m=audio 4000 RTP/SAVP 0", b"m=audio 0 RTP/AVP 0", b"m=audio 4000 RTP/AVP 96"],
)
def test_a_stream_behind_one_that_we_do_not_speak_is_taken(first: bytes) -> None:
    found = sdp.read(
        b"v=0\r\nc=IN IP4 10.0.0.1\r\n" + first + b"\r\na=rtpmap:96 telephone-event/8000\r\nm=audio 4002 RTP/AVP 8\r\n"
    )
    assert found is not None
    assert (found.address, found.codecs, found.place) == (("10.0.0.1", 4002), (PCMA,), 1)
    answer = sdp.write(("10.0.0.9", 6000), 1, 1, (PCMA,), None, answered=found)
    assert [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"m=")] == [b"0", b"6000"]


@pytest.mark.parametrize(
    "lines",
    [
        b"m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000",
        b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMA/8000",
        b"m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMU/8000",
        b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000",
        b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/2",
    ],
)
def test_what_only_claims_to_be_our_sound_is_none(lines: bytes) -> None:
    assert sdp.read(b"v=0\r\nc=IN IP4 10.0.0.1\r\n" + lines + b"\r\n") is None


def test_events_of_another_clock_or_a_type_that_is_taken_are_none() -> None:
    for lines in (b"101\r\na=rtpmap:101 telephone-event/16000", b"13\r\na=rtpmap:13 telephone-event/8000"):
        found = sdp.read(b"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0 " + lines + b"\r\na=ptime:60\r\n")
        assert found is not None
        assert (found.codecs, found.events) == ((PCMU,), None)


def test_an_answer_has_a_line_for_each_stream() -> None:
    found = sdp.read(TWO)
    assert found is not None
    lines = sdp.write(("10.0.0.9", 6000), 2, 1, (PCMU,), found.events, "recvonly", found).decode().split("\r\n")
    assert [line for line in lines if line.startswith("m=")] == ["m=video 0 RTP/AVP 31", "m=audio 6000 RTP/AVP 0 96"]
    assert "a=recvonly" in lines
    assert "a=rtpmap:96 telephone-event/8000" in lines


def test_what_we_write_we_read() -> None:
    found = sdp.read(sdp.write(("10.0.0.9", 6000), 1, 1))
    assert found is not None
    assert (found.address, found.codecs, found.events, found.held) == (("10.0.0.9", 6000), (PCMU, PCMA), 101, False)


@pytest.mark.parametrize(
    ("line", "held", "sends", "hears"),
    [
        (b"", False, True, True), (b"a=sendonly\r\n", True, False, False), (b"a=recvonly\r\n", False, False, True),
        (b"a=inactive\r\n", True, False, False), (b"c=IN IP4 0.0.0.0\r\n", True, False, False),
    ],
)  # fmt: skip
def test_who_holds_whom(line: bytes, held: bool, sends: bool, hears: bool) -> None:
    content = b"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n" + line
    found = sdp.read(content)
    assert found is not None
    voice = found.voice(PCMU)
    assert (found.held, voice.sends, voice.hears) == (held, sends, hears)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"v=1\r\n", b"v=0\r\n", b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\nc=IN IP4 1.2.3\r\nm=audio 1 RTP/AVP 0",
        b"v=0\r\nc=IN IP4 256.1.1.1\r\nm=audio 1 RTP/AVP 0", b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 99999 RTP/AVP 0",
        b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio x RTP/AVP 0", b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 300",
        b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP 0\r\na=rtpmap:0 opus/48000", b"v=0\r\n" + b"a=x\r\n" * 300,
        b"v=0\r\nc=IN IP4 255.255.255.255\r\nm=audio 4 RTP/AVP 0", b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4 RTP/AVP",
    ],
)  # fmt: skip
def test_what_is_no_sound_for_us_is_none(content: bytes) -> None:
    assert sdp.read(content) is None


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_none(content: bytes) -> None:
    for description in (content, TWO + content, TWO[:60] + content + TWO[60:]):
        sdp.read(description)
