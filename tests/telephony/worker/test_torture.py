"""Odd and broken messages: each has its answer, none does harm."""

from collections.abc import Callable

import pytest

from offhook.telephony import port
from tests.telephony.worker.peers import Call, Peer, authorization
from tests.telephony.worker.server import PASSWORD, Server, digests
from tests.telephony.worker.torture import CALL, INVALID, NOTHING, REGISTERED, VALID

MESSAGES = VALID | INVALID


def test_there_are_fifty() -> None:
    assert len(MESSAGES) + len(REGISTERED) >= 49


@pytest.mark.parametrize("name", MESSAGES)
def test_an_odd_message_has_its_answer(server: Server, carrier: Peer, name: str) -> None:
    text, expected = MESSAGES[name]
    content = text.replace("{p}", str(carrier.address[1]))
    carrier.send(content.encode("utf-8" if not name.startswith("mpart01") else "latin-1"))
    carrier.fence()
    for _ in range(2):
        # Who it is from may have been asked of the server, whose word comes another way.
        server.fence()
    answers = [message for message in carrier.fence() if message.code != 100]
    if expected == CALL:
        told = server.hear(port.Incoming)
        assert not answers
        server.tell(port.Drop(told.leg, 486))
        refused = carrier.hear("486 INVITE")
        carrier.send(
            f"ACK sip:user@example.com SIP/2.0\r\nVia: {refused['via']}\r\nFrom: {refused['from']}\r\n"
            f"To: {refused['to']}\r\nCall-ID: {refused['call-id']}\r\n"
            f"CSeq: {refused['cseq'].split()[0]} ACK\r\n\r\n".encode()
        )
        server.idle()
    elif expected == NOTHING:
        assert answers == []
    else:
        assert [message.code for message in answers] == [expected]
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]
    works(server, carrier)


@pytest.mark.parametrize("name", REGISTERED)
def test_an_odd_registration_has_its_answer(server: Server, peer: Callable[[], Peer], name: str) -> None:
    phone = peer()
    server.accounts["user"] = digests("user")
    fields, expected = REGISTERED[name]
    common = {"uri": "sip:example.com", "to": "<sip:user@example.com>", "call_id": name.split(":")[0]}
    phone.send(phone.request("REGISTER", **common, headers=fields))  # type: ignore[arg-type]
    challenge = phone.hear("401 REGISTER")
    if expected == 401:
        return
    proof = authorization(challenge["www-authenticate"], "user", PASSWORD, "REGISTER", "sip:example.com")
    phone.send(phone.request("REGISTER", sequence=2, **common, headers=(*fields, f"Authorization: {proof}")))  # type: ignore[arg-type]
    assert phone.hear(f"{expected} REGISTER").code == expected


def works(server: Server, carrier: Peer) -> None:
    """The next call is one."""
    carrier.forget()
    call = Call(carrier).start()
    told = server.hear(port.Incoming, lambda told: told.call_id == call.call_id)
    server.tell(port.Answer(told.leg))
    call.heard(200)
    call.ack()
    server.hear(port.Up, lambda up: up.leg == told.leg)
    call.next("BYE")
    carrier.hear("200 BYE")
    server.hear(port.Down, lambda down: down.leg == told.leg)
