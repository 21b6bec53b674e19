"""Calls in and out, as the other side of the wire sees them."""

from collections.abc import Callable

from offhook.telephony import port
from tests.telephony.worker.peers import Call, Peer
from tests.telephony.worker.server import Server


def test_a_carriers_call_is_rung_taken_and_ended(server: Server, carrier: Peer) -> None:
    call = Call(carrier).start()
    told = server.hear(port.Incoming)
    assert (told.trunk, told.username, told.dialled, told.source) == (7, "", "100", carrier.address)
    server.tell(port.Ring(told.leg))
    call.heard(180)
    server.tell(port.Answer(told.leg))
    taken = call.heard(200)
    assert b"m=audio" in taken.body
    call.ack()
    assert server.hear(port.Up).leg == told.leg
    call.next("BYE")
    carrier.hear("200 BYE")
    assert server.hear(port.Down) == port.Down(leg=told.leg, cause="left")


def test_a_telephone_is_called_and_answers(server: Server, carrier: Peer, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, number="100", display="Ann"))
    invite = phone.hear("INVITE")
    assert invite["from"].startswith('Ann <sip:100@') or invite["from"].startswith('"Ann" <sip:100@')
    phone.reply(invite, 180)
    assert server.hear(port.Progress) == port.Progress(2, 180)
    phone.reply(invite, 200, body=phone.sound)
    phone.hear("ACK")
    assert server.hear(port.Up) == port.Up(2)
    server.tell(port.Drop(2))
    bye = phone.hear("BYE")
    phone.reply(bye, 200)
    assert server.hear(port.Down) == port.Down(leg=2, cause="ended", ours=True)
