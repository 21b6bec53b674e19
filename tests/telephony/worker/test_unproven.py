"""Who did not prove who they are, as the server is told of them for its log."""

from collections.abc import Callable

import pytest

from offhook.telephony import port
from offhook.telephony.worker import unproven
from offhook.telephony.worker.packet import Packet, Party, uri
from offhook.telephony.worker.unproven import Unproven
from tests.telephony.worker.peers import Call, Peer
from tests.telephony.worker.server import Server, digests
from tests.telephony.worker.test_registering import asked, proof, register

NO_TRUNK = "no trunk that is enabled names this address"


class Told:
    """Who was turned away, by a clock of their own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.said: list[port.Event] = []
        self.kept = Unproven(self.said.append, lambda: self.now)

    def pass_by(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.kept.second()


def request(method: str = "REGISTER", call_id: str = "one", who: str = "sip:anna@a") -> Packet:
    address = uri(who)
    assert address is not None
    return Packet(method=method, call_id=call_id, caller=Party(uri=address))


def source(number: int) -> port.Address:
    return f"11.0.{number >> 8}.{number & 255}", 5060


def away(number: int, username: str, cause: str, method: str = "REGISTER", more: int = 0) -> port.TurnedAway:
    return port.TurnedAway(source=source(number), username=username, method=method, cause=cause, more=more)


def test_of_all_who_are_turned_away_within_a_second_one_is_told_and_how_many_more_there_were() -> None:
    told = Told()
    for number in range(100_000):
        told.kept.add(request(), source(1), f"user{number}", "wrong password")
    assert told.said == []
    told.pass_by()
    told.pass_by()
    assert told.said == [away(1, "user0", "wrong password", more=99_999)]


def test_one_address_that_tries_all_day_does_not_keep_another_from_being_told() -> None:
    told = Told()
    for _ in range(2):
        told.kept.add(request(), source(1), "admin", "no such telephone")
        told.kept.add(request(), source(2), "anna", "wrong password")
        told.kept.add(request(), source(1), "admin", "no such telephone")
        told.pass_by()
    assert told.said == [
        away(1, "admin", "no such telephone", more=2),
        away(2, "anna", "wrong password", more=2),
    ]


def test_a_username_is_told_without_what_a_log_could_not_show_and_cut() -> None:
    told = Told()
    told.kept.add(request(), source(1), "\x1b[31man\r\nna" + "a" * 500, "wrong password")
    told.pass_by()
    assert told.said == [away(1, ("[31manna" + "a" * 500)[:64], "wrong password")]


def test_who_has_not_given_a_proof_is_told_once_none_follows() -> None:
    told = Told()
    told.kept.challenged(request("INVITE", who="sip:+15550100@a"), source(1), NO_TRUNK)
    told.kept.challenged(request("INVITE", "two"), source(2), NO_TRUNK)
    told.pass_by(2.0)
    told.kept.challenged(request("INVITE", who="sip:+15550100@a"), source(1), NO_TRUNK)
    told.kept.proof(request("INVITE", "two"), source(2))
    assert told.said == []
    told.pass_by(unproven.PROOF_SECONDS - 2.0)
    assert told.said == [away(1, "+15550100", NO_TRUNK, "INVITE")]
    assert len(told.kept) == 0


def test_however_many_give_none_few_are_waited_for() -> None:
    told = Told()
    for number in range(20_000):
        told.kept.challenged(request(call_id=str(number)), source(number), NO_TRUNK)
    assert len(told.kept) == unproven.WAITED_FOR
    told.pass_by(unproven.PROOF_SECONDS)
    assert told.said == [away(0, "anna", NO_TRUNK, more=unproven.WAITED_FOR - 1)]


@pytest.mark.parametrize(("name", "cause"), [("zoe", "wrong password"), ("nobody", "no such telephone")])
def test_of_a_proof_that_is_wrong_the_server_is_told_why(
    server: Server, peer: Callable[[], Peer], name: str, cause: str
) -> None:
    phone = peer()
    server.accounts["zoe"] = digests("zoe")
    phone.send(register(phone, name, proof(asked(phone, name), name, "wrong"), sequence=2))
    phone.hear("401 REGISTER")
    found = server.hear(port.TurnedAway)
    assert found == port.TurnedAway(source=phone.address, username=name, method="REGISTER", cause=cause)


def test_who_cannot_be_looked_up_is_not_told_to_be_unknown(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.sure = False
    phone.send(register(phone, "erik", proof(asked(phone, "erik"), "erik"), sequence=2))
    phone.hear("401 REGISTER")
    assert server.hear(port.TurnedAway).cause == "the telephones cannot be looked up"


def test_a_call_that_no_carrier_of_ours_sends_is_told_and_a_telephone_that_begins_without_a_proof_is_not(
    server: Server, peer: Callable[[], Peer]
) -> None:
    phone, stranger = peer(), peer()
    server.accounts["anna"] = digests("anna")
    phone.send(register(phone, "anna", proof(asked(phone, call_id="right")), call_id="right", sequence=2))
    phone.hear("200 REGISTER")
    Call(phone).start().heard(401)
    Call(stranger, uri="sip:+15550100@127.0.0.1").start().heard(401)
    found = server.hear(port.TurnedAway)
    assert (found.source, found.method, found.cause, found.more) == (stranger.address, "INVITE", NO_TRUNK, 0)
    server.fence()
    assert not [event for event in server.events if isinstance(event, port.TurnedAway)]
