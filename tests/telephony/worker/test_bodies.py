"""What an INVITE carries, as it is read from a packet."""

import pytest

from offhook.telephony.worker.bodies import described, judged, unread
from offhook.telephony.worker.bounds import UNANSWERED
from offhook.telephony.worker.packet import Packet, read
from offhook.telephony.worker.rewriting import for_sippy

SOUND = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
PARTS = b"--b\r\nContent-Type: application/pidf+xml\r\n\r\n<x/>\r\n--b\r\nc: text/plain\r\n\r\nhi\r\n"
MULTI = 'multipart/mixed; boundary="b"'


def invite(body: bytes = SOUND, *fields: str, contact: str = "<sip:a@127.0.0.1>") -> Packet:
    lines = [
        "INVITE sip:1@a SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "From: <sip:a@a>;tag=1", "To: <sip:1@a>",
        "Call-ID: 1", "CSeq: 1 INVITE", f"Contact: {contact}", *fields, f"Content-Length: {len(body)}",
    ]  # fmt: skip
    return read("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


@pytest.mark.parametrize("name", ["Content-Type", "c", "CONTENT-TYPE"])
def test_sound_alone(name: str) -> None:
    refused, offer = judged(invite(SOUND, f"{name}: application/sdp;charset=x"))
    assert refused == 0
    assert offer is not None
    assert offer.address == ("127.0.0.1", 4000)


def test_sound_among_other_parts() -> None:
    body = PARTS + b"--b\r\nContent-Type : application/sdp\r\n\r\n" + SOUND + b"--b--\r\n"
    assert described(invite(body, f"Content-Type: {MULTI}")) == SOUND


@pytest.mark.parametrize(
    ("body", "fields", "contact", "code"),
    [
        (b"", (), "<sip:a@a>", 0),
        (SOUND, ("Content-Type: text/plain",), "<sip:a@a>", 415),
        (SOUND, (), "<sip:a@a>", 415),
        (SOUND, ("Content-Type: application/sdp", "Content-Encoding: gzip"), "<sip:a@a>", 415),
        (SOUND, ("Content-Type: application/sdp", "Accept: text/plain"), "<sip:a@a>", 406),
        (SOUND, ("Content-Type: application/sdp", "Accept: application/*"), "<sip:a@a>", 0),
        (b"v=1", ("Content-Type: application/sdp",), "<sip:a@a>", 488),
        (PARTS + b"--b--", (f"Content-Type: {MULTI}",), "<sip:a@a>", 415),
        (PARTS * 9 + b"--b\r\nContent-Type: application/sdp\r\n\r\n" + SOUND + b"--b--", (f"Content-Type: {MULTI}",),
         "<sip:a@a>", 415),
        (PARTS, ("Content-Type: multipart/mixed",), "<sip:a@a>", 415),
        (PARTS, ("Content-Type: multipart/mixed;boundary=" + "b" * 71,), "<sip:a@a>", 415),
        (SOUND, ("Content-Type: application/sdp",), "*", 400),
        (SOUND, ("Content-Type: application/sdp",), "<sip:a@a>, <sip:b@b>", 400),
        (SOUND, ("Content-Type: application/sdp",), "<sips:a@a>", 400),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(body: bytes, fields: tuple[str, ...], contact: str, code: int) -> None:
    packet = invite(body, *fields, contact=contact)
    assert judged(packet)[0] == code
    assert unread(packet) == (415 if code == 415 else 0)


@pytest.mark.parametrize(
    ("said", "seconds"), [((), UNANSWERED), (("Expires: 0",), UNANSWERED), (("Expires: 060",), 60)]
)
def test_whoever_calls_may_wait_until_the_server_gives_up_unless_they_say_for_how_long(
    said: tuple[str, ...], seconds: int
) -> None:
    lines = for_sippy(invite(b"", *said), ("127.0.0.1", 5060)).split("\r\n")
    assert [line for line in lines if line.startswith("Expires")] == [f"Expires: {seconds}"]
