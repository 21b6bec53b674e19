"""Telephones and a carrier behind one address: who proves to be a telephone is one, and the carrier need not."""

from collections.abc import Callable

import pytest

from offhook.telephony import port
from tests.telephony.worker.conftest import UNBOUND, known
from tests.telephony.worker.peers import Message, Peer, authorization
from tests.telephony.worker.server import PASSWORD, Server, digests
from tests.telephony.worker.test_registering import asked, proof, register


@pytest.fixture
def phone(server: Server, peer: Callable[[], Peer]) -> Peer:
    """A telephone where a carrier sends from any port."""
    one = peer()
    server.accounts["anna7"] = digests("anna7")
    trunk = port.Trunk(id=7, addresses=(("127.0.0.1", 0),), domain="carrier.example")
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    known(one)
    server.fence()
    server.asked.clear()
    return one


def invite(phone: Peer, user: str, *headers: str, call_id: str, sequence: int = 1, branch: str = "") -> bytes:
    return phone.request(
        "INVITE", call_id=call_id, sequence=sequence, branch=branch, caller=f"<sip:{user}@127.0.0.1>",
        body=phone.sound, headers=headers,
    )  # fmt: skip


def proven(phone: Peer, user: str, call_id: str, password: str = PASSWORD) -> None:
    """Call, as who is asked for a proof and gives one."""
    phone.send(invite(phone, user, call_id=call_id))
    challenge: Message = phone.hear("401 INVITE")
    uri = f"sip:100@127.0.0.1:{phone.worker[1]}"
    field = authorization(challenge["www-authenticate"], user, password, "INVITE", uri)
    phone.send(invite(phone, user, f"Authorization: {field}", call_id=call_id, sequence=2))


def test_a_telephone_registers_there_as_anywhere(server: Server, phone: Peer) -> None:
    phone.send(register(phone, "anna7", proof(asked(phone, "anna7"), "anna7"), sequence=2))
    phone.hear("200 REGISTER")
    assert server.hear(port.Register).username == "anna7"


def test_its_calls_are_its_own(server: Server, phone: Peer) -> None:
    proven(phone, "anna7", "own")
    told = server.hear(port.Incoming)
    assert (told.username, told.trunk) == ("anna7", 0)
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")


def test_with_a_wrong_password_it_is_nobody_and_not_the_carrier(server: Server, phone: Peer) -> None:
    proven(phone, "anna7", "wrong", password="guessed")
    phone.hear("401 INVITE")
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]


@pytest.mark.parametrize("user", ["+12125550123", "2125550123", "anonymous", "carrier"])
def test_the_carriers_calls_are_the_carriers(server: Server, phone: Peer, user: str) -> None:
    phone.send(invite(phone, user, call_id=f"from-{user}"))
    told = server.hear(port.Incoming)
    assert (told.username, told.trunk, told.caller) == ("", 7, user)
    # Numbers are asked of nobody: they are no telephones' names.
    assert server.asked == ([user] if user.isalpha() else [])
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")


def test_copies_that_come_while_it_is_asked_are_one_call(server: Server, phone: Peer) -> None:
    content = invite(phone, "nobody", call_id="copies", branch="z9hG4bKcopies")
    for _ in range(3):
        phone.send(content)
    told = server.hear(port.Incoming)
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")
