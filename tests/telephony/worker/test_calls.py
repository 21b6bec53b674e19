"""Calls in and out, as the other side of the wire sees them."""

import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from offhook.telephony import port
from offhook.telephony.phones.model import digests
from offhook.telephony.port import Address
from tests.telephony.worker.conftest import UNBOUND
from tests.telephony.worker.peers import Call, Message, Peer, sound
from tests.telephony.worker.server import PASSWORD, Server


def talking(server: Server, carrier: Peer, **more: object) -> tuple[Call, int]:
    """A call that came in and is up."""
    call = Call(carrier, **more).start()  # type: ignore[arg-type]
    leg = server.hear(port.Incoming).leg
    server.tell(port.Answer(leg))
    call.answered = call.heard(200)  # type: ignore[attr-defined]
    call.ack()
    assert server.hear(port.Up).leg == leg
    return call, leg


def reached(server: Server, phone: Peer, leg: int = 2, **more: object) -> Message:
    """A telephone that was called and took it: its INVITE."""
    server.tell(port.Dial(leg=leg, caller=0, uri=phone.contact, address=phone.address, number="100", **more))  # type: ignore[arg-type]
    invite = phone.hear("INVITE")
    phone.reply(invite, 200, body=phone.sound)
    phone.hear("ACK")
    assert server.hear(port.Up).leg == leg
    return invite


def rtp_of(message: Message) -> Address:
    """Where its description says that sound is heard."""
    host, number = re.search(rb"c=IN IP4 (\S+)", message.body), re.search(rb"m=audio (\d+)", message.body)
    assert host
    assert number
    return host[1].decode(), int(number[1])


def packet(number: int, payload: bytes = b"\xff" * 160, kind: int = 0, stamp: int = 0) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, number, stamp or number * 160, 77) + payload


def test_a_carriers_call_is_rung_taken_and_ended(server: Server, carrier: Peer) -> None:
    call = Call(carrier).start()
    told = server.hear(port.Incoming)
    assert (told.trunk, told.username, told.dialled, told.source) == (7, "", "100", carrier.address)
    server.tell(port.Ring(told.leg))
    call.heard(180)
    server.tell(port.Answer(told.leg))
    taken = call.heard(200)
    assert re.fullmatch(r"<sip:127.0.0.1:\d+>", taken["contact"])
    assert b"PCMU" in taken.body
    assert b"PCMA" not in taken.body
    call.ack()
    assert server.hear(port.Up).leg == told.leg
    call.next("BYE")
    carrier.hear("200 BYE")
    assert server.hear(port.Down) == port.Down(leg=told.leg, cause="left")


def test_who_calls_is_read_as_people_do(server: Server, carrier: Peer) -> None:
    carrier.send(
        Call(carrier, uri="sip:%2B4930%3A1@127.0.0.1").invite.replace(
            b"From: <sip:phone", 'From: "Zoë \\"Z\\"" <sip:+49301'.encode()
        )
    )
    told = server.hear(port.Incoming)
    assert (told.caller, told.display, told.dialled) == ("+49301", 'Zoë "Z"', "+4930:1")
    server.tell(port.Drop(told.leg, 404))
    carrier.hear("404 INVITE")


def test_a_number_is_dialled_that_is_no_sip_address(server: Server, carrier: Peer) -> None:
    Call(carrier, uri="tel:+49-30-123;phone-context=x").start()
    told = server.hear(port.Incoming)
    assert told.dialled == "+49-30-123"
    server.tell(port.Drop(told.leg, 404))
    carrier.hear("404 INVITE")


def test_a_telephone_is_called_and_answers(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100", display="Ann Ä"))
    invite = phone.hear("INVITE")
    assert invite.line == f"INVITE {phone.contact} SIP/2.0"
    assert invite["from"].startswith('"Ann Ä" <sip:100@')
    phone.reply(invite, 180)
    assert server.hear(port.Progress) == port.Progress(2, 180)
    phone.reply(invite, 200, body=phone.sound)
    assert phone.hear("ACK").line == f"ACK {phone.contact} SIP/2.0"
    assert server.hear(port.Up) == port.Up(2)
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)
    assert server.hear(port.Down) == port.Down(leg=2, cause="ended", ours=True)


def test_each_leg_has_a_call_id_of_its_own(server: Server, carrier: Peer, peer: Callable[[], Peer]) -> None:
    call, leg = talking(server, carrier)
    phone = peer()
    server.tell(port.Dial(leg=2, caller=leg, uri=phone.contact, address=phone.address, number="100"))
    assert phone.hear("INVITE")["call-id"] != call.call_id


def test_all_that_is_sent_goes_to_where_a_telephone_speaks_from(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri="sip:p@10.1.1.1:5060;transport=udp", address=phone.address, number="1"))
    invite = phone.hear("INVITE")
    assert invite.line == "INVITE sip:p@10.1.1.1:5060;transport=udp SIP/2.0"
    phone.reply(invite, 200, body=phone.sound, contact="sip:p@10.1.1.1:9")
    assert phone.hear("ACK").line == "ACK sip:p@10.1.1.1:9 SIP/2.0"
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)


def test_a_hidden_number_is_nowhere(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, display="Ann"))
    invite = phone.hear("INVITE")
    assert invite["from"].startswith("Anonymous <sip:anonymous@anonymous.invalid>") or invite["from"].startswith(
        '"Anonymous" <sip:anonymous@anonymous.invalid>'
    )
    assert invite["privacy"] == "id"
    assert b"Ann" not in invite.content.replace(b"Anonymous", b"")
    phone.reply(invite, 486)


def test_a_location_goes_along_beside_the_sound(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    body = '<?xml version="1.0"?><presence>Straße</presence>'.encode()
    server.tell(
        port.Dial(
            leg=2,
            caller=0,
            uri=phone.contact,
            address=phone.address,
            number="100",
            body=body,
            body_type="application/pidf+xml",
            headers=(("Geolocation", "<cid:location@offhook>"), ("X-A", "b\r\nc: d")),
        )
    )
    invite = phone.hear("INVITE")
    assert invite["geolocation"] == "<cid:location@offhook>"
    assert invite["x-a"] == "bc: d"
    assert int(invite["content-length"]) == len(invite.body)
    boundary = invite["content-type"].split("boundary=")[1].encode()
    _, first, second, end = invite.body.split(b"--" + boundary)
    assert b"application/sdp" in first
    assert b"m=audio" in first
    for part in (b"Content-Type: application/pidf+xml", b"<location@offhook>", body):
        assert part in second
    assert end.strip() == b"--"
    phone.reply(invite, 486)


def test_sound_before_the_answer(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100"))
    invite = phone.hear("INVITE")
    phone.reply(invite, 183, body=phone.sound)
    assert server.hear(port.Progress) == port.Progress(2, 183)
    phone.reply(invite, 200)
    phone.hear("ACK")
    server.hear(port.Up)
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)


def test_an_answer_without_sound_is_ended(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100"))
    phone.reply(phone.hear("INVITE"), 200)
    phone.hear("ACK")
    phone.reply(phone.hear("BYE"), 200)
    assert server.hear(port.Down) == port.Down(leg=2, code=488, cause="no sound agreed", ours=True)


def test_a_call_that_offers_nothing_gets_an_offer(server: Server, carrier: Peer) -> None:
    call = Call(carrier, body=b"").start()
    leg = server.hear(port.Incoming).leg
    server.tell(port.Answer(leg))
    assert b"RTP/AVP 0 8 101" in call.heard(200).body
    call.ack(carrier.sound)
    assert server.hear(port.Up).leg == leg
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_call_that_offers_nothing_and_answers_nothing_is_ended(server: Server, carrier: Peer) -> None:
    call = Call(carrier, body=b"").start()
    server.tell(port.Answer(server.hear(port.Incoming).leg))
    call.heard(200)
    call.ack()
    carrier.reply(carrier.hear("BYE"), 200)
    assert server.hear(port.Down).code == 488


@pytest.mark.parametrize(
    "body",
    [
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 31\r\n",
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n",
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n",
        b"v=0\r\nc=IN IP4 224.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
        b"nonsense",
    ],
)  # fmt: skip
def test_a_call_without_sound_for_us_is_refused(server: Server, carrier: Peer, body: bytes) -> None:
    call = Call(carrier, body=body).start()
    call.heard(488)
    call.ack_refusal()
    assert not server.fence()


def test_a_hold_and_its_end(server: Server, carrier: Peer, peer: Callable[[], Peer]) -> None:
    call, leg = talking(server, carrier)
    for direction, answer in (("sendonly", b"a=recvonly"), ("inactive", b"a=inactive")):
        call.next("INVITE", body=sound(carrier.rtp.getsockname(), direction))
        assert answer in call.heard(200).body
        call.ack()
        assert server.hear(port.Held) == port.Held(leg, True)
        call.next("INVITE", body=carrier.sound)
        assert b"a=sendrecv" in call.heard(200).body
        call.ack()
        assert server.hear(port.Held) == port.Held(leg, False)
    call.next("INVITE", body=sound(carrier.rtp.getsockname(), host="0.0.0.0"))
    call.heard(200)
    call.ack()
    assert server.hear(port.Held) == port.Held(leg, True)
    call.next("BYE")
    carrier.hear("200 BYE")


def test_the_other_side_holds(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = reached(server, phone)
    content = phone.request(
        "INVITE", uri=invite.contact, call_id=invite["call-id"], from_tag="t1", to_tag=invite.from_tag, sequence=9,
        body=sound(phone.rtp.getsockname(), "sendonly"),
    )  # fmt: skip
    phone.send(content)
    assert b"a=recvonly" in phone.hear("200 INVITE").body
    assert server.hear(port.Held) == port.Held(2, True)
    phone.send(phone.request("ACK", call_id=invite["call-id"], from_tag="t1", to_tag=invite.from_tag, sequence=9))
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)


def test_an_offerless_change_gets_an_offer_and_no_change_is_no_hold(server: Server, carrier: Peer) -> None:
    call, _ = talking(server, carrier)
    call.next("INVITE")
    assert b"m=audio" in call.heard(200).body
    call.ack(carrier.sound)
    call.next("INVITE", body=b"v=0\r\nnonsense")
    call.heard(488)
    call.ack_refusal()
    call.next("BYE")
    carrier.hear("200 BYE")
    assert not [event for event in server.fence() if isinstance(event, port.Held)]


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5"),
        ("application/dtmf-relay", b"Signal= #\r\n", "#"),
        ("application/dtmf", b"*", "*"),
        ("application/dtmf", b"11", "#"),
        ("application/dtmf", b"d", "D"),
    ],
)
def test_a_key_in_info(server: Server, carrier: Peer, kind: str, body: bytes, key: str) -> None:
    call, leg = talking(server, carrier)
    call.sequence += 1
    content = call.request("INFO", body=body, kind=kind, branch="z9hG4bKinfo")
    carrier.send(content)
    carrier.hear("200 INFO")
    carrier.send(content)
    carrier.hear("200 INFO")
    assert server.hear(port.Key) == port.Key(leg, key)
    assert not [event for event in server.fence() if isinstance(event, port.Key)]
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_key_in_sound(server: Server, carrier: Peer) -> None:
    call, leg = talking(server, carrier)
    where = rtp_of(call.answered)  # type: ignore[attr-defined]
    for number, (end, length) in enumerate([(0, 160), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)]):
        carrier.rtp.sendto(packet(number, struct.pack("!BBH", 11, end, length), 101, stamp=1000), where)
    assert server.hear(port.Key) == port.Key(leg, "#")
    carrier.rtp.sendto(packet(9, struct.pack("!BBH", 1, 0x80, 480), 101, stamp=9000), where)
    assert server.hear(port.Key) == port.Key(leg, "1")
    assert not [event for event in server.fence() if isinstance(event, port.Key)]
    call.next("BYE")
    carrier.hear("200 BYE")


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("MESSAGE", 405),
        ("UPDATE", 405),
        ("NOTIFY", 405),
        ("SUBSCRIBE", 405),
        ("PRACK", 405),
        ("FOO", 501),
        ("OPTIONS", 200),
    ],
)
def test_few_methods_are_taken_within_a_call(server: Server, carrier: Peer, method: str, code: int) -> None:
    call, _ = talking(server, carrier)
    call.next(method)
    assert "INVITE" in carrier.hear(f"{code} {method}")["allow"]
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_request_of_no_call_is_told_so(server: Server, carrier: Peer) -> None:
    call = Call(carrier)
    call.to_tag = "nobody"
    for method in ("BYE", "INFO", "INVITE", "REFER"):
        call.next(method)
        carrier.hear(f"481 {method}")
    call.cancel()
    carrier.hear("481 CANCEL")


def test_a_carrier_may_not_send_its_other_side_elsewhere(server: Server, carrier: Peer) -> None:
    call, _ = talking(server, carrier)
    call.next("REFER", headers=("Refer-To: <sip:900@evil.example>",))
    carrier.hear("603 REFER")
    assert not [event for event in server.fence() if isinstance(event, port.Referred)]
    call.next("BYE")
    carrier.hear("200 BYE")


def test_no_call_takes_the_place_of_another(server: Server, carrier: Peer) -> None:
    talked, _ = talking(server, carrier)
    for call_id in (talked.call_id, "nobody"):
        replaces = f"Replaces: {call_id};to-tag={talked.to_tag};from-tag=f1"
        call = Call(carrier, headers=(replaces,)).start()
        call.heard(481)
        call.ack_refusal()
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]
    talked.next("BYE")
    carrier.hear("200 BYE")


def test_a_telephone_asks_for_a_transfer(server: Server, peer: Callable[[], Peer]) -> None:
    phone, other = peer(), peer()
    invite, second = reached(server, phone), reached(server, other, 4)
    assert invite["supported"] == "replaces", "telephones connect two calls only where that is said"

    def refer(sequence: int, target: str) -> None:
        phone.send(phone.request(
            "REFER", uri=invite.contact, call_id=invite["call-id"], from_tag="t1", to_tag=invite.from_tag,
            sequence=sequence, headers=(f"Refer-To: <{target}>", f"Contact: <{phone.contact}>"),
        ))  # fmt: skip

    refer(2, "sip:200@127.0.0.1")
    assert server.hear(port.Referred) == port.Referred(leg=2, target="200")
    server.tell(port.Refer(leg=2, code=202))
    phone.hear("202 REFER")
    trying = phone.hear("NOTIFY")
    assert (trying.body, trying["event"]) == (b"SIP/2.0 100 Trying\r\n", "refer")
    phone.reply(trying, 200)
    server.tell(port.Refer(leg=2, code=200))
    done = phone.hear("NOTIFY")
    assert done.body == b"SIP/2.0 200 OK\r\n"
    assert done["subscription-state"].startswith("terminated")
    phone.reply(done, 200)
    refer(3, f"sip:200@127.0.0.1?Replaces={second['call-id']}%3Bto-tag%3D{second.from_tag}%3Bfrom-tag%3Dt1")
    assert server.hear(port.Referred) == port.Referred(leg=2, target="200", replaces=4)
    server.tell(port.Refer(leg=2, code=603))
    phone.hear("603 REFER")
    refer(4, "sip:200@127.0.0.1?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2")
    phone.hear("603 REFER")
    refer(5, "http://example.com")
    phone.hear("400 REFER")
    for leg, one in ((2, phone), (4, other)):
        server.tell(port.Drop(leg))
        one.reply(one.hear("BYE"), 200)


def test_two_legs_hear_each_other_and_a_recording_is_written(
    server: Server, carrier: Peer, peer: Callable[[], Peer], tmp_path: Path
) -> None:
    call, leg = talking(server, carrier)
    phone = peer()
    invite = reached(server, phone)
    server.tell(port.Connect(leg, 2), port.Record(leg=leg, path=str(tmp_path / "a.wav")))
    server.fence()
    for number in range(5):
        carrier.rtp.sendto(packet(number, bytes([number]) * 160), rtp_of(call.answered))  # type: ignore[attr-defined]
        phone.rtp.sendto(packet(number, b"\x55" * 160), rtp_of(invite))
    for socket, expected in ((phone.rtp, b"\x04" * 160), (carrier.rtp, b"\x55" * 160)):
        socket.settimeout(5)
        got = [socket.recv(2048)[12:] for _ in range(5)]
        assert got[-1] == expected
    server.tell(port.StopRecording(leg))
    told = server.hear(port.Recorded)
    assert (told.leg, told.fault) == (leg, "")
    assert 0.1 <= told.seconds < 0.3
    assert (tmp_path / "a.wav").read_bytes().startswith(b"RIFF")
    server.tell(port.Drop(leg), port.Drop(2))


def test_of_several_who_are_put_together_one_who_has_just_left_leaves_the_others_together(
    server: Server, peer: Callable[[], Peer]
) -> None:
    one, two = peer(), peer()
    to_one, to_two = rtp_of(reached(server, one)), rtp_of(reached(server, two, 4))
    server.tell(port.Join(98, (2, 4)))
    server.fence()
    for number in range(5):
        one.rtp.sendto(packet(number, b"\x33" * 160), to_one)
        two.rtp.sendto(packet(number, b"\x55" * 160), to_two)
    for phone, said in ((one, b"\x55" * 160), (two, b"\x33" * 160)):
        phone.rtp.settimeout(5)
        assert phone.rtp.recv(2048)[12:] == said
    server.tell(port.Drop(2), port.Drop(4))


def test_who_waits_for_a_recording_of_a_leg_that_is_over_is_told_that_it_is_none(
    server: Server, tmp_path: Path
) -> None:
    path = str(tmp_path / "late.wav")
    server.tell(port.Record(leg=98, path=path))
    assert server.hear(port.Recorded) == port.Recorded(leg=98, path=path, seconds=0)


def test_files_are_played(server: Server, carrier: Peer, tmp_path: Path) -> None:
    call, leg = talking(server, carrier)
    (tmp_path / "one.ulaw").write_bytes(b"\x11" * 320)
    server.tell(port.Play(leg=leg, token=5, files=(str(tmp_path / "one"),), times=2))
    assert server.hear(port.Played) == port.Played(leg, 5)
    carrier.rtp.settimeout(5)
    assert [carrier.rtp.recv(2048)[12:] for _ in range(4)] == [b"\x11" * 160] * 4
    server.tell(port.Play(leg=leg, token=6, files=(str(tmp_path / "none"),)))
    assert server.hear(port.Played).fault
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_carrier_that_asks_for_a_proof_gets_one(server: Server, peer: Callable[[], Peer]) -> None:
    one = peer()
    trunk = port.Trunk(id=9, proxy=one.address, domain="c.example", username="us", password=PASSWORD)
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    server.tell(port.Dial(leg=2, caller=0, uri="sip:+491@c.example", address=one.address, number="+492", trunk=9))
    invite = one.hear("INVITE")
    assert "<sip:+492@c.example>" in invite["from"]
    one.reply(invite, 407, headers=('Proxy-Authenticate: Digest realm="c", nonce="n1", algorithm=MD5, qop="auth"',))
    one.hear("ACK")
    again = one.hear("INVITE")
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', again["proxy-authorization"]))
    secret = hashlib.md5(f"us:c:{PASSWORD}".encode()).hexdigest()
    asked = hashlib.md5(f"INVITE:{said['uri']}".encode()).hexdigest()
    due = f"{secret}:n1:{said['nc']}:{said['cnonce']}:auth:{asked}"
    assert said["response"] == hashlib.md5(due.encode()).hexdigest()
    one.reply(again, 200, body=one.sound, headers=(f"Record-Route: <sip:127.0.0.1:{one.address[1]};lr>",))
    ack = one.hear("ACK")
    assert ack["route"] == f"<sip:127.0.0.1:{one.address[1]};lr>"
    server.hear(port.Up)
    server.tell(port.Drop(2))
    bye = one.hear("BYE")
    assert bye["route"] == f"<sip:127.0.0.1:{one.address[1]};lr>"
    one.reply(bye, 200)


def test_a_carrier_that_never_believes_us_is_tried_once(server: Server, peer: Callable[[], Peer]) -> None:
    one = peer()
    server.tell(port.Configure(trunks=(port.Trunk(id=9, username="us", password="x"),), limits=UNBOUND))
    server.tell(port.Dial(leg=2, caller=0, uri="sip:1@c", address=one.address, number="2", trunk=9))
    for _ in range(2):
        one.reply(one.hear("INVITE"), 401, headers=('WWW-Authenticate: Digest realm="c", nonce="n", qop="auth"',))
        one.hear("ACK")
    assert server.hear(port.Down).code == 401


def test_a_carrier_whom_we_prove_ourselves_to_need_not_prove_itself(server: Server, peer: Callable[[], Peer]) -> None:
    one = peer()
    trunk = port.Trunk(id=9, addresses=(one.address,), username="us", password="x")
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    server.fence()
    Call(one).start()
    told = server.hear(port.Incoming)
    assert told.trunk == 9
    server.tell(port.Drop(told.leg, 480))
    one.hear("480 INVITE")


def test_a_carrier_with_a_username_must_prove_itself(server: Server, peer: Callable[[], Peer]) -> None:
    from tests.telephony.worker.peers import authorization

    one = peer()
    trunk = port.Trunk(
        id=9, addresses=(one.address,), proves="them", username="us", password="x",
        digests=digests("them", "offhook", PASSWORD),
    )  # fmt: skip
    other = port.Trunk(id=8, addresses=(one.address,), proves="others", digests=digests("others", "offhook", "x"))
    server.tell(port.Configure(trunks=(other, trunk), limits=UNBOUND))
    server.fence()
    call = Call(one).start()
    challenge = call.heard(401)
    call.ack_refusal()
    call.to_tag, call.sequence = "", 2
    proof = authorization(challenge["www-authenticate"], "them", PASSWORD, "INVITE", call.target)
    one.send(call.request("INVITE", body=one.sound, headers=(f"Authorization: {proof}",)))
    told = server.hear(port.Incoming)
    assert (told.trunk, told.username) == (9, "")
    assert server.asked == []
    server.tell(port.Drop(told.leg, 480))
    one.hear("480 INVITE")


def test_calls_are_bounded(server: Server, carrier: Peer) -> None:
    trunk = port.Trunk(id=7, addresses=(carrier.address,))

    def bounded(**limits: int) -> None:
        server.tell(port.Configure(trunks=(trunk,), limits=port.Limits(packets=1e5, burst=1e5, **limits)))
        server.fence()

    bounded(early=1)
    first = Call(carrier).start()
    leg = server.hear(port.Incoming).leg
    assert Call(carrier).start().heard(503)["retry-after"] == "10"
    server.tell(port.Answer(leg))
    first.heard(200)
    first.ack()
    server.hear(port.Up)
    bounded(early=9, legs=1)
    Call(carrier).start().heard(503)
    first.next("BYE")
    carrier.hear("200 BYE")
    server.hear(port.Down)
    Call(carrier).start()
    server.tell(port.Drop(server.hear(port.Incoming).leg, 486))
    carrier.hear("486 INVITE")


def test_who_sends_too_much_is_not_heard() -> None:
    server = Server("--media", "plain")
    stranger = Peer(server.address)
    server.tell(port.Configure(limits=port.Limits(packets=0.001, burst=20)))
    server.fence()
    for _ in range(60):
        stranger.send(stranger.request("OPTIONS"))
    refused = server.hear(port.Figures, lambda told: "too many packets" in told.refused).refused
    assert refused["too many packets"] == 40
    assert len([message for message in stranger.pump() if message.what == "401 OPTIONS"]) == 20
    server.tell(port.Configure(trunks=(port.Trunk(id=1),), limits=port.Limits(packets=0.001, burst=20)))
    server.fence()
    stranger.send(stranger.request("OPTIONS"))
    assert server.hear(port.Figures, lambda told: bool(told.refused)).refused == {"too many packets": 1}
    stranger.close()
    server.close()


def test_a_bye_that_a_carrier_wants_a_proof_for_gets_one(server: Server, peer: Callable[[], Peer]) -> None:
    one = peer()
    server.tell(port.Configure(trunks=(port.Trunk(id=9, username="us", password="x"),), limits=UNBOUND))
    reached(server, one, trunk=9)
    server.tell(port.Drop(2))
    challenge = ('Proxy-Authenticate: Digest realm="c", nonce="n1", algorithm=MD5, qop="auth"',)
    one.reply(one.hear("BYE"), 407, headers=challenge)
    again = one.hear("BYE")
    assert 'username="us"' in again["proxy-authorization"]
    one.reply(again, 407, headers=challenge)
    assert [message.what for message in one.fence()].count("BYE") == 2


def test_two_changes_of_one_number_are_one(server: Server, carrier: Peer) -> None:
    call, _ = talking(server, carrier)
    for branch in ("z9hG4bKone", "z9hG4bKtwo"):
        carrier.send(call.request("INVITE", body=carrier.sound, sequence=2, branch=branch))
    carrier.hear("200 INVITE")
    carrier.hear("482 INVITE")
    call.sequence = 2
    call.ack()
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_worker_that_is_asked_to_end_does() -> None:
    server = Server("--media", "plain")
    phone = Peer(server.address)
    reached(server, phone)
    server.process.terminate()
    phone.reply(phone.hear("BYE"), 200)
    assert server.hear(port.Down).ours
    assert server.process.wait(timeout=10) == 0
    phone.close()
    server.close()


def test_a_silent_call_is_ended(peer: Callable[[], Peer]) -> None:
    server = Server("--media", "plain", "--silence", "0.2")
    phone = Peer(server.address)
    reached(server, phone)
    phone.reply(phone.hear("BYE"), 200)
    assert server.hear(port.Down) == port.Down(leg=2, cause="sound stopped", ours=True)
    phone.close()
    assert server.close() == (b"", b"")


@pytest.mark.parametrize(("code", "over"), [(200, False), (481, True)])
def test_a_silent_call_for_help_goes_on_while_somebody_is_there(code: int, over: bool) -> None:
    server = Server("--media", "plain", "--silence", "0.2", "--ask", "0.5")
    phone = Peer(server.address)
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100", helps=True))
    phone.reply(phone.hear("INVITE"), 200, body=phone.sound)
    server.hear(port.Up)
    for _ in range(1 if over else 2):
        # And again later, as long as nothing is heard.
        phone.reply(phone.hear("OPTIONS"), code)
    if over:
        assert server.hear(port.Down) == port.Down(leg=2, cause="gone", ours=True)
        phone.reply(phone.hear("BYE"), 200)
    else:
        with pytest.raises(AssertionError):
            server.hear(port.Down, wait=0.4)
    phone.close()
    server.close()


def test_a_call_on_hold_may_be_silent() -> None:
    server = Server("--media", "plain", "--silence", "0.2")
    phone = Peer(server.address)
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100"))
    phone.reply(phone.hear("INVITE"), 200, body=sound(phone.rtp.getsockname(), "recvonly"))
    server.hear(port.Up)
    with pytest.raises(AssertionError):
        server.hear(port.Down, wait=0.6)
    phone.close()
    server.close()


def test_all_calls_end_with_the_worker() -> None:
    server = Server("--media", "plain")
    phone = Peer(server.address)
    invite = reached(server, phone)
    server.tell(port.Close(seconds=1.0))
    bye = phone.hear("BYE")
    phone.reply(bye, 200)
    assert bye["call-id"] == invite["call-id"]
    assert server.hear(port.Down).ours
    assert server.close() == (b"", b"")
    assert server.process.returncode == 0
    phone.close()


def test_all_calls_end_when_the_server_is_gone() -> None:
    server = Server("--media", "plain")
    phone = Peer(server.address)
    reached(server, phone)
    server.socket.shutdown(2)
    phone.reply(phone.hear("BYE"), 200)
    assert server.process.wait(timeout=10) == 0
    phone.close()
    server.close()
