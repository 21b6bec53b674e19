"""A caller whose call is not taken for long is told again and again that it goes on (RFC 3261 section 13.3.1.1)."""

from offhook.telephony import port
from tests.telephony.worker.conftest import UNBOUND, known
from tests.telephony.worker.peers import Call, Peer
from tests.telephony.worker.server import Server

TOLD = ((None, 183), (False, 180), (True, 183))
"""Whether it was told to ring, with sound or without, and what the caller hears."""


def test_who_waits_is_told_again_what_they_were_told_until_it_is_taken() -> None:
    # It looks every second, and tells them each time.
    server = Server("--media", "plain", "--again", "0.5")
    carriers = [Peer(server.address) for _ in TOLD]
    try:
        addresses = tuple(carrier.address for carrier in carriers)
        trunk = port.Trunk(id=7, addresses=addresses, proxy=addresses[0], domain="carrier.example")
        server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
        calls, legs = [], []
        for carrier, (early, _) in zip(carriers, TOLD, strict=True):
            known(carrier)
            calls.append(Call(carrier).start())
            legs.append(server.hear(port.Incoming).leg)
            if early is not None:
                server.tell(port.Ring(legs[-1], early=early))
        for call, (early, code) in zip(calls, TOLD, strict=True):
            answers = [call.heard(code) for _ in range(3 if early is not None else 2)]
            assert len({answer.to_tag for answer in answers}) == 1
            # Sound before the answer is that which was agreed: the same description.
            assert len({answer.body for answer in answers}) == 1
            assert bool(answers[0].body) == bool(early)
        for call, leg in zip(calls, legs, strict=True):
            server.tell(port.Answer(leg))
            call.heard(200)
            call.ack()
            assert server.hear(port.Up) == port.Up(leg)
            call.next("BYE")
            call.peer.hear("200 BYE")
            assert server.hear(port.Down).leg == leg
    finally:
        for carrier in carriers:
            carrier.close()
        printed = server.close()
    assert printed == (b"", b"")
