"""What others try who know SIP well: carriers that are none, calls that go round, sides that are gone."""

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from offhook.telephony import port
from offhook.telephony.worker import __main__ as worker
from offhook.telephony.worker import bounds, sdp, wire
from offhook.telephony.worker.legs import Leg
from offhook.telephony.worker.signalling import Signalling
from tests.telephony.worker.conftest import UNBOUND, known
from tests.telephony.worker.peers import Call, Message, Peer, authorization, sound
from tests.telephony.worker.server import PASSWORD, Server, digests
from tests.telephony.worker.test_calls import reached, talking
from tests.telephony.worker.test_registering import asked, proof, register


def called(
    server: Server, phone: Peer, username: str, call_id: str, sequence: int = 2, dialled: str = "100", body: bytes = b""
) -> bytes:
    """The INVITE of a telephone, with a proof for the challenge that it was sent."""
    uri = f"sip:{dialled}@127.0.0.1:{server.address[1]}"
    phone.send(phone.request("INVITE", uri=uri, call_id=call_id, sequence=sequence - 1, body=phone.sound))
    challenge = phone.hear("401 INVITE")
    field = authorization(challenge["www-authenticate"], username, PASSWORD, "INVITE", uri)
    return phone.request(
        "INVITE", uri=uri, call_id=call_id, sequence=sequence, body=body or phone.sound,
        headers=(f"Authorization: {field}",),
    )  # fmt: skip


# Whose address it is


def test_an_address_that_somebody_names_as_a_carriers_takes_nobodys_telephone_away(
    server: Server, peer: Callable[[], Peer]
) -> None:
    phone = peer()
    trunk = port.Trunk(id=666, addresses=(("127.0.0.0/24", 0),))
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    known(phone)
    server.accounts["anna"] = digests("anna")
    phone.send(register(phone, "anna", proof(asked(phone)), sequence=2))
    phone.hear("200 REGISTER")
    phone.send(called(server, phone, "anna", "hers"))
    told = server.hear(port.Incoming)
    assert (told.username, told.trunk) == ("anna", 0)
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")
    other, third = peer(), peer()
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND, telephones=(third.address,)))
    server.fence()
    third.send(third.request("OPTIONS"))
    third.hear("401 OPTIONS")
    Call(other).start()
    told = server.hear(port.Incoming)
    assert (told.username, told.trunk) == ("", 666)
    server.tell(port.Drop(told.leg, 486))


def test_nothing_changes_before_the_last_carrier_is_there(
    server: Server, carrier: Peer, peer: Callable[[], Peer]
) -> None:
    other = peer()
    first = port.Trunk(id=8, addresses=(other.address,))
    second = port.Trunk(id=9, addresses=(carrier.address,))
    server.tell(port.Configure(trunks=(first,), limits=UNBOUND, more=True))
    server.fence()
    other.send(other.request("OPTIONS"))
    other.hear("401 OPTIONS")
    carrier.send(carrier.request("OPTIONS"))
    carrier.hear("200 OPTIONS")
    server.tell(port.Configure(trunks=(second,), limits=UNBOUND))
    server.fence()
    for one in (other, carrier):
        one.send(one.request("OPTIONS"))
        one.hear("200 OPTIONS")


def agreed(offer: sdp.Description, source: str, trunk: int) -> str:
    """Where a leg is to be sent sound that says it hears at the offer's address."""
    voices: list[Any] = []
    media: Any = SimpleNamespace(agree=lambda leg, voice: voices.append(voice))
    leg = Leg(1, media, lambda event: None, (source, 5060), incoming=True, trunk=trunk, offer=offer)
    leg.local = ("127.0.0.1", 4000)
    leg._description()
    return str(voices[-1].address[0])


@pytest.mark.parametrize("trunk", [0, 7])
@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "192.168.0.1"])
def test_no_sound_is_sent_into_our_own_network_for_somebody_outside(trunk: int, host: str) -> None:
    offer = sdp.read(sound((host, 161)))
    assert offer is not None
    assert agreed(offer, "8.8.4.4", trunk) == "8.8.4.4"
    elsewhere = msgspec.structs.replace(offer, address=("8.8.8.8", 4000))
    assert agreed(elsewhere, "8.8.4.4", trunk) == "8.8.8.8"


def test_no_request_is_sent_to_a_place_of_ours_for_a_carrier(server: Server, carrier: Peer) -> None:
    _, leg = talking(server, carrier, headers=("Contact: <sip:x@169.254.169.254:80>",))
    server.tell(port.Drop(leg))
    bye = carrier.hear("BYE")
    assert bye.line == "BYE sip:x@169.254.169.254:80 SIP/2.0"
    carrier.reply(bye, 200)


# Calls that go round, and numbers with more to them


def test_a_call_that_was_passed_on_too_often_goes_no_further(server: Server, carrier: Peer) -> None:
    call = Call(carrier)
    carrier.send(call.invite.replace(b"Max-Forwards: 70", b"Max-Forwards: 0"))
    call.heard(483)
    call.ack_refusal()
    assert not server.fence()


@pytest.mark.parametrize(("said", "passed"), [(b"Max-Forwards: 5", "4"), (b"Max-Forwards: 255", "69"), (b"X: 1", "69")])
def test_a_call_that_is_passed_on_has_been_so_once_more(
    server: Server, carrier: Peer, peer: Callable[[], Peer], said: bytes, passed: str
) -> None:
    phone = peer()
    carrier.send(Call(carrier).invite.replace(b"Max-Forwards: 70", said))
    leg = server.hear(port.Incoming).leg
    server.tell(port.Dial(leg=2, caller=leg, uri=phone.contact, address=phone.address, number="1"))
    invite = phone.hear("INVITE")
    assert invite["max-forwards"] == passed
    phone.reply(invite, 486)
    server.tell(port.Dial(leg=4, caller=0, uri=phone.contact, address=phone.address, number="1"))
    invite = phone.hear("INVITE")
    assert invite["max-forwards"] == "70"
    phone.reply(invite, 486)


def test_a_call_that_has_to_be_proven_has_not_begun_anew(
    server: Server, carrier: Peer, peer: Callable[[], Peer]
) -> None:
    one = peer()
    there = port.Trunk(id=7, addresses=(carrier.address,))
    server.tell(port.Configure(trunks=(there, port.Trunk(id=9, username="us", password="x")), limits=UNBOUND))
    server.fence()
    carrier.send(Call(carrier).invite.replace(b"Max-Forwards: 70", b"Max-Forwards: 5"))
    leg = server.hear(port.Incoming).leg
    server.tell(port.Dial(leg=2, caller=leg, uri="sip:1@c", address=one.address, number="2", trunk=9))
    challenge = ('WWW-Authenticate: Digest realm="c", nonce="n", algorithm=MD5, qop="auth"',)
    one.reply(one.hear("INVITE"), 401, headers=challenge)
    again = one.hear("INVITE")
    assert again["max-forwards"] == "4"
    one.reply(again, 486)


@pytest.mark.parametrize(
    "uri",
    [
        "sip:911;phone-context=+1@127.0.0.1;user=phone", "tel:911;phone-context=+1", "sip:911;isub=900@127.0.0.1",
        "sip:%39%31%31@127.0.0.1", "sips:911@127.0.0.1",
    ],
)  # fmt: skip
def test_what_a_number_brings_along_is_not_dialled(server: Server, carrier: Peer, uri: str) -> None:
    carrier.send(Call(carrier, uri=uri).invite.replace(b"From: <sip:phone@", b"From: <sip:+4930;cpc=ordinary@"))
    told = server.hear(port.Incoming)
    assert (told.dialled, told.caller) == ("911", "+4930")
    server.tell(port.Drop(told.leg, 404))
    carrier.hear("404 INVITE")


def test_a_telephone_that_sends_its_caller_elsewhere_is_not_followed(server: Server, peer: Callable[[], Peer]) -> None:
    phone, elsewhere = peer(), peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="1"))
    phone.reply(phone.hear("INVITE"), 302, headers=(f"Contact: <{elsewhere.contact}>",))
    phone.hear("ACK")
    assert server.hear(port.Down) == port.Down(leg=2, code=302, cause="redirected")
    elsewhere.fence()
    assert elsewhere.log == []
    assert [message.what for message in phone.fence()] == ["INVITE", "ACK"]


# What is insisted on


def test_session_timers_are_the_other_sides_to_keep(server: Server, carrier: Peer) -> None:
    call = Call(carrier, headers=("Require: timer", "Session-Expires: 90;refresher=uas")).start()
    assert call.heard(420)["unsupported"] == "timer"
    call.ack_refusal()
    call, _ = talking(server, carrier, headers=("Supported: timer", "x: 90;refresher=uac", "Min-SE: 90"))
    taken: Message = call.answered  # type: ignore[attr-defined]
    assert (taken["session-expires"], taken["require"]) == ("", "")
    for _ in range(2):
        call.next("INVITE", body=carrier.sound, headers=("Session-Expires: 90;refresher=uac",))
        again = call.heard(200)
        assert again.body == taken.body, "Nothing has changed, and the version says so."
        call.ack()
    call.next("BYE")
    carrier.hear("200 BYE")


def test_a_change_that_is_not_understood_is_refused_and_changes_nothing(server: Server, carrier: Peer) -> None:
    call, _ = talking(server, carrier)
    call.next("INVITE", body=b"hi", kind="text/plain")
    assert call.heard(415)["accept"] == "application/sdp"
    call.ack_refusal()
    call.next("INVITE", body=carrier.sound, headers=("Require: 100rel, precondition",))
    assert call.heard(420)["unsupported"] == "100rel, precondition"
    call.ack_refusal()
    call.next("BYE")
    carrier.hear("200 BYE")


# Too much of it


def test_a_telephone_that_asks_too_often_is_put_off(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Configure(limits=UNBOUND))
    server.accounts["greedy"] = digests("greedy")
    challenge = asked(phone, "greedy", call_id="greedy")
    for count in range(1, 80):
        phone.send(
            register(phone, "greedy", proof(challenge, "greedy", count=count), call_id="greedy", sequence=count + 1)
        )
        phone.first()
    codes = [message.code for message in phone.log if message.code != 401]
    assert 60 <= codes.index(503) < 70
    assert codes[:60] == [200] * 60
    refused = next(message for message in phone.log if message.code == 503)
    assert refused["retry-after"] == "10"
    phone.forget()
    other = peer()
    server.accounts["modest"] = digests("modest")
    other.send(register(other, "modest", proof(asked(other, "modest"), "modest"), sequence=2))
    other.hear("200 REGISTER")


def test_a_carrier_that_calls_too_often_is_put_off_and_another_is_not(
    server: Server, carrier: Peer, peer: Callable[[], Peer]
) -> None:
    other = peer()
    trunks = (port.Trunk(id=7000, addresses=(carrier.address,)), port.Trunk(id=7001, addresses=(other.address,)))
    server.tell(port.Configure(trunks=trunks, limits=port.Limits(packets=1e5, burst=1e5)))
    server.fence()
    for _ in range(4):
        for _ in range(150):
            # What is refused for its body counts as well, and costs the test less.
            Call(carrier, body=b"v=1").start()
        carrier.fence()
    codes = [message.code for message in carrier.log]
    assert codes.count(488) >= 300
    assert 503 in codes
    assert codes.count(488) + codes.count(503) == 600
    Call(other).start()
    server.tell(port.Drop(server.hear(port.Incoming).leg, 486))
    other.hear("486 INVITE")


def test_a_telephone_is_heard_beyond_the_bounds_as_it_may_call_for_help(
    server: Server, carrier: Peer, peer: Callable[[], Peer]
) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    trunk = port.Trunk(id=7, addresses=(carrier.address,))
    for limits in (port.Limits(packets=1e5, burst=1e5, legs=1), port.Limits(packets=1e5, burst=1e5, early=1)):
        server.tell(port.Configure(trunks=(trunk,), limits=limits))
        server.fence()
        Call(carrier).start()
        first = server.hear(port.Incoming)
        assert not first.crowded
        refused = Call(carrier).start()
        refused.heard(503)
        phone.send(called(server, phone, "anna", f"help-{limits.legs}"))
        told = server.hear(port.Incoming)
        assert (told.username, told.crowded) == ("anna", True)
        server.tell(port.Drop(told.leg, 503), port.Drop(first.leg, 480))
        phone.hear("503 INVITE")
        carrier.hear("480 INVITE")
    server.fence()


def test_what_helps_is_dialled_beyond_the_bound_of_legs(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Configure(limits=port.Limits(packets=1e5, burst=1e5, legs=1)))

    def dial(leg: int, *, helps: bool = False) -> None:
        server.tell(port.Dial(leg=leg, caller=0, uri=phone.contact, address=phone.address, helps=helps))

    dial(2)
    dial(4)
    dial(6)
    assert server.hear(port.Down) == port.Down(leg=6, code=503, cause="failed", ours=True)
    for leg in range(8, 8 + 2 * bounds.FOR_HELP, 2):
        dial(leg, helps=True)
    assert not [event for event in server.fence() if isinstance(event, port.Down)]
    dial(998, helps=True)
    assert server.hear(port.Down).leg == 998


def test_who_is_not_dialled_at_the_bound_of_legs_is_counted() -> None:
    server = Server("--media", "plain")
    server.tell(port.Configure(limits=port.Limits(legs=1)))
    for leg in (2, 4, 6, 8):
        server.tell(port.Dial(leg=leg, caller=0, uri="sip:anna@127.0.0.1:9", address=("127.0.0.1", 9)))
    for leg in (6, 8):
        assert server.hear(port.Down) == port.Down(leg=leg, code=503, cause="failed", ours=True)
    counted = 0
    while counted < 2:
        # A second may end between the two.
        refused = server.hear(port.Figures, lambda told: bool(told.refused)).refused
        assert refused.keys() == {"too many legs"}
        counted += refused["too many legs"]
    assert counted == 2
    server.close()


def test_who_is_not_dialled_for_want_of_a_port_is_counted() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        first = taken.getsockname()[1] // 2 * 2
        server = Server("--media", "engine", "--ports", f"{first}-{first + 1}")
        server.tell(port.Dial(leg=2, caller=0, uri="sip:anna@127.0.0.1:9", address=("127.0.0.1", 9)))
        assert server.hear(port.Down) == port.Down(leg=2, code=503, cause="failed", ours=True)
        assert server.hear(port.Figures, lambda told: bool(told.refused)).refused == {"no port": 1}
        server.close()


def test_faults_of_what_carries_sound_are_told_with_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[port.Event] = []
    heard: Any = SimpleNamespace(_faults={}, _faulted=False, _say=told.append)
    heard.fault = lambda *of: Signalling.fault(heard, *of)
    monkeypatch.setattr(worker, "EngineMedia", lambda *_, fault, **__: fault)
    monkeypatch.setattr(wire, "from_thread", lambda what, *of: what(*of))
    fault: Any = worker.carried("", heard, "127.0.0.1", "127.0.0.1", (20_000, 20_010), 30.0)
    fault("some are gone", 5)
    fault("some are gone", 7)
    fault("some are gone", 8)
    assert (told, heard._faults) == ([port.Fault("some are gone", 5)], {"some are gone": 15})


def test_a_telephone_that_called_too_often_may_still_call_for_help(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Configure(limits=UNBOUND))
    server.accounts["eager"] = digests("eager")
    codes: list[int] = []
    while len(codes) < 150 and 503 not in codes:
        phone.forget()
        # What is refused for its body counts as well.
        phone.send(called(server, phone, "eager", f"eager-{len(codes)}", dialled="14155550123", body=b"v=1"))
        codes.append(phone.first().code)
    assert codes.index(503) >= 100
    phone.forget()
    phone.send(called(server, phone, "eager", "eager-help", dialled="911"))
    told = server.hear(port.Incoming)
    assert told.dialled == "911"
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")


def test_answers_of_many_places_are_ended_within_bounds(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = reached(server, phone)
    for number in range(30):
        phone.reply(invite, 200, tag=f"fork{number}", body=phone.sound)
        phone.reply(invite, 200, tag=f"fork{number}", body=phone.sound)
    log = [message.what for message in phone.fence()]
    assert log.count("BYE") == 10
    assert log.count("ACK") == 1 + 20
    for message in phone.log:
        if message.what == "BYE":
            phone.reply(message, 481)
    server.tell(port.Drop(2))
    phone.forget()
    phone.reply(phone.hear("BYE"), 200)


def test_who_says_too_much_in_a_call_is_not_heard_and_the_next_one_works(server: Server, carrier: Peer) -> None:
    trunk = port.Trunk(id=7, addresses=(carrier.address,))
    server.tell(port.Configure(trunks=(trunk,), limits=port.Limits(packets=1e5, burst=1e5)))
    call, leg = talking(server, carrier)
    for _ in range(400):
        call.next("INFO", body=b"5", kind="application/dtmf")
    carrier.fence()
    keys = [event for event in server.fence() if isinstance(event, port.Key)]
    assert 90 <= len(keys) <= 200
    server.hear(port.Figures, lambda told: "too many messages of a call" in told.refused)
    other, _ = talking(server, carrier)
    other.next("BYE")
    carrier.hear("200 BYE")
    server.tell(port.Drop(leg))
    carrier.reply(carrier.hear("BYE"), 200)


# Who is gone


def test_a_recording_of_a_leg_that_is_over_is_told_to_be_none(server: Server) -> None:
    server.tell(port.Record(leg=77, path="/none"))
    assert server.hear(port.Recorded) == port.Recorded(leg=77, path="/none", seconds=0)


def test_who_is_on_hold_is_asked_for_now_and_then() -> None:
    server = Server("--media", "plain", "--ask", "0.1")
    phones = {code: Peer(server.address) for code in (200, 405, 481)}
    try:
        for leg, phone in zip((2, 4, 6), phones.values(), strict=True):
            server.tell(port.Dial(leg=leg, caller=0, uri=phone.contact, address=phone.address, number="100"))
            phone.reply(phone.hear("INVITE"), 200, body=sound(phone.rtp.getsockname(), "inactive"))
            assert server.hear(port.Up).leg == leg
        for _ in range(2):
            for code in (200, 405):
                phones[code].reply(phones[code].hear("OPTIONS"), code)
        phones[481].reply(phones[481].hear("OPTIONS"), 481)
        assert server.hear(port.Down) == port.Down(leg=6, cause="gone", ours=True)
        phones[481].reply(phones[481].hear("BYE"), 481)
        assert not [event for event in server.fence() if isinstance(event, port.Down)]
    finally:
        for phone in phones.values():
            phone.close()
        server.close()
