"""Two things that cross on the way, things that are lost, and things that come twice."""

from collections.abc import Callable

import pytest
from msgspec import structs

from offhook.telephony import port
from offhook.telephony.worker.bounds import UNANSWERED
from tests.telephony.worker.peers import Call, Message, Peer
from tests.telephony.worker.server import Server


def dialled(server: Server, phone: Peer, leg: int = 2) -> Message:
    """A telephone that is rung: its INVITE."""
    server.tell(port.Dial(leg=leg, caller=0, uri=phone.contact, address=phone.address, number="100"))
    return phone.hear("INVITE")


def whats(phone: Peer) -> list[str]:
    """What came, in order, without the 200s that the peer asked for."""
    return [message.what for message in phone.fence()]


def incoming(server: Server, carrier: Peer) -> tuple[Call, int]:
    call = Call(carrier).start()
    return call, server.hear(port.Incoming).leg


@pytest.mark.parametrize("first", ["200", "CANCEL"])
def test_a_200_crosses_our_cancel_in_either_order_200_times(
    server: Server, carrier: Peer, peer: Callable[[], Peer], first: str
) -> None:
    phone = peer()
    for number in range(100):
        leg = 2 * number + 2
        invite = dialled(server, phone, leg)
        phone.reply(invite, 180)
        server.hear(port.Progress)
        if first == "200":
            # Sent before the command, and not heard of yet: either may win, and both ends are in order.
            phone.reply(invite, 200, body=phone.sound)
            server.tell(port.Drop(leg))
        else:
            server.tell(port.Drop(leg))
            cancel = phone.hear("CANCEL")
            phone.reply(invite, 200, body=phone.sound)
            phone.reply(cancel, 200)
        phone.hear("ACK")
        bye = phone.hear("BYE")
        assert bye.to_tag == "t1"
        phone.reply(bye, 200)
        assert server.hear(port.Down, lambda down, leg=leg: down.leg == leg).ours  # type: ignore[misc]
        phone.forget()
    assert not [event for event in server.fence() if isinstance(event, port.Down)]


def test_a_cancel_before_any_answer_waits_for_the_first(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    server.tell(port.Drop(2, reason='SIP;cause=200;text="Call completed elsewhere"'))
    assert server.hear(port.Down) == port.Down(leg=2, cause="unheard", ours=True)
    assert "CANCEL" not in whats(phone)
    phone.reply(invite, 180)
    cancel = phone.hear("CANCEL")
    assert cancel.branch == invite.branch
    phone.reply(cancel, 200)
    phone.reply(invite, 487)
    phone.hear("ACK")


@pytest.mark.parametrize("code", [100, 180])
def test_who_said_anything_at_all_before_they_were_let_go_was_heard_of(
    server: Server, peer: Callable[[], Peer], code: int
) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, code)
    server.fence()
    phone.fence()
    server.tell(port.Drop(2))
    assert server.hear(port.Down) == port.Down(leg=2, code=487, cause="cancelled", ours=True)
    phone.reply(phone.hear("CANCEL"), 200)
    phone.reply(invite, 487)
    phone.hear("ACK")


def test_a_cancel_says_why(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 180)
    server.hear(port.Progress)
    server.tell(port.Drop(2, reason='SIP;cause=200;text="Call completed elsewhere"'))
    cancel = phone.hear("CANCEL")
    assert cancel["reason"] == 'SIP;cause=200;text="Call completed elsewhere"'
    phone.reply(cancel, 200)
    phone.reply(invite, 487)
    ack = phone.hear("ACK")
    assert ack.branch == invite.branch


def test_a_second_200_from_a_fork_is_acknowledged_and_ended(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 200, body=phone.sound, tag="one")
    assert phone.hear("ACK").to_tag == "one"
    server.hear(port.Up)
    phone.reply(invite, 200, body=phone.sound, tag="two")
    assert phone.hear("ACK").to_tag == "two"
    bye = phone.hear("BYE")
    assert bye.to_tag == "two"
    phone.reply(bye, 200)
    phone.reply(invite, 200, body=phone.sound, tag="two")
    assert phone.hear("ACK").to_tag == "two"
    server.tell(port.Drop(2))
    bye = phone.hear("BYE")
    assert bye.to_tag == "one"
    phone.reply(bye, 200)


def test_a_200_sent_again_is_acknowledged_again_also_if_it_differs(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 200, body=phone.sound)
    first = phone.hear("ACK")
    phone.reply(invite, 200, body=phone.sound)
    again = phone.hear("ACK")
    phone.reply(invite, 200, body=phone.sound, headers=("X-Attempt: 3",))
    third = phone.hear("ACK")
    assert first.branch == again.branch == third.branch
    assert [x for x in whats(phone) if x == "BYE"] == []
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)


def test_a_200_long_after_a_drop_is_acknowledged_and_ended(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 180)
    server.hear(port.Progress)
    server.tell(port.Drop(2))
    phone.reply(phone.hear("CANCEL"), 200)
    phone.reply(invite, 200, body=phone.sound, tag="late")
    phone.hear("ACK")
    phone.reply(phone.hear("BYE"), 200)
    server.hear(port.Down)
    assert not [event for event in server.fence() if isinstance(event, port.Up)]


def test_an_early_tag_and_another_in_the_answer(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 180, tag="one")
    phone.reply(invite, 180, tag="two")
    phone.reply(invite, 200, tag="two", body=phone.sound)
    assert phone.hear("ACK").to_tag == "two"
    server.hear(port.Up)
    server.tell(port.Drop(2))
    bye = phone.hear("BYE")
    assert bye.to_tag == "two"
    phone.reply(bye, 200)


@pytest.mark.parametrize(
    ("code", "cause"),
    [(486, "busy"), (603, "declined"), (404, "not found"), (480, "no answer"), (302, "redirected"), (500, "failed")],
)
def test_a_refusal_is_acknowledged_each_time_and_told_once(
    server: Server, peer: Callable[[], Peer], code: int, cause: str
) -> None:
    phone = peer()
    invite = dialled(server, phone)
    for _ in range(3):
        phone.reply(invite, code)
        assert phone.hear("ACK").branch == invite.branch
    assert server.hear(port.Down) == port.Down(leg=2, code=code, cause=cause)
    assert not [event for event in server.fence() if isinstance(event, port.Down)]


def test_an_invite_is_sent_again_until_something_comes(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    again = phone.hear("INVITE")
    assert again.content == invite.content
    phone.reply(invite, 100)
    phone.reply(invite, 486)
    phone.hear("ACK")
    server.hear(port.Down)


@pytest.mark.parametrize("code", [0, 100, 180])
def test_whoever_says_nothing_is_told_of_and_whoever_says_anything_is_not(
    server: Server, peer: Callable[[], Peer], code: int
) -> None:
    phone, other = peer(), peer()
    told = port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, patience=0.2)
    server.tell(told)
    invite = phone.hear("INVITE")
    if code:
        phone.reply(invite, code)
    # Dialled later, with the same patience.
    server.tell(structs.replace(told, leg=4, uri=other.contact, address=other.address))
    last = other.hear("INVITE")
    server.hear(port.Unheard, lambda event: event.leg == 4)
    first = [event.leg for event in server.fence() if isinstance(event, port.Unheard)]
    assert first == ([] if code else [2])
    # It goes on, and may be taken.
    other.reply(last, 200, body=other.sound)
    other.hear("ACK")
    server.hear(port.Up, lambda event: event.leg == 4)
    server.tell(port.Drop(4), port.Drop(2))
    other.reply(other.hear("BYE"), 200)
    if not code:
        phone.reply(invite, 180)
    phone.reply(phone.hear("CANCEL"), 200)
    phone.reply(invite, 487)
    phone.hear("ACK")


@pytest.mark.parametrize("code", [0, 100, 180])
def test_whoever_says_only_that_it_tries_is_told_of_where_that_is_not_enough(
    server: Server, peer: Callable[[], Peer], code: int
) -> None:
    phone, other = peer(), peer()
    told = port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, trying=0.2)
    server.tell(told)
    invite = phone.hear("INVITE")
    if code:
        phone.reply(invite, code)
    server.tell(structs.replace(told, leg=4, uri=other.contact, address=other.address))
    other.hear("INVITE")
    server.hear(port.Unheard, lambda event: event.leg == 4)
    first = [event.leg for event in server.fence() if isinstance(event, port.Unheard)]
    assert first == ([] if code == 180 else [2])


def test_one_that_was_let_go_is_not_told_of_as_silent(server: Server, peer: Callable[[], Peer]) -> None:
    phone, other = peer(), peer()
    for leg, one, patience in ((2, phone, 0.1), (4, other, 0.2)):
        server.tell(port.Dial(leg=leg, caller=0, uri=one.contact, address=one.address, patience=patience))
        one.hear("INVITE")
    server.tell(port.Drop(2))
    server.hear(port.Unheard, lambda event: event.leg == 4)
    assert not [event for event in server.fence() if isinstance(event, port.Unheard)]


def test_an_invite_that_comes_again_is_one_call(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    call.start()
    server.tell(port.Ring(leg))
    call.heard(180)
    call.start()
    call.heard(180)
    # Not the same to the byte, but the same transaction.
    carrier.send(call.invite.replace(b"Max-Forwards: 70", b"Max-Forwards: 69"))
    call.heard(180)
    server.tell(port.Answer(leg))
    call.heard(200)
    call.start()
    call.heard(200)
    call.ack()
    server.hear(port.Up)
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]
    call.next("BYE")
    carrier.hear("200 BYE")


def test_the_same_call_over_another_way_is_a_loop(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    carrier.send(call.invite.replace(call.branch.encode(), b"z9hG4bKother"))
    carrier.hear("482 INVITE")
    assert not [event for event in server.fence() if isinstance(event, port.Incoming)]
    server.tell(port.Drop(leg, 486))
    call.heard(486)
    call.ack_refusal()


def test_our_200_is_sent_again_until_the_ack(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    first = call.heard(200)
    second = call.heard(200)
    assert first.content == second.content
    assert not [event for event in server.fence() if isinstance(event, port.Up)]
    call.ack()
    server.hear(port.Up)
    server.tell(port.Drop(leg))
    carrier.reply(carrier.hear("BYE"), 200)


@pytest.mark.long
def test_a_caller_that_never_acknowledges_is_ended_after_32_seconds(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    call.heard(200)
    assert server.hear(port.Down, wait=40) == port.Down(leg=leg, code=408, cause="never acknowledged")
    carrier.reply(carrier.hear("BYE"), 200)


@pytest.mark.long
def test_a_silent_telephone_is_given_up_after_32_seconds(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    dialled(server, phone)
    assert server.hear(port.Down, wait=40) == port.Down(leg=2, code=408, cause="unheard")
    assert 6 <= whats(phone).count("INVITE") <= 7


@pytest.mark.long
def test_a_telephone_may_ring_longer_than_32_seconds(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    invite = dialled(server, phone)
    phone.reply(invite, 180)
    with pytest.raises(AssertionError):
        server.hear(port.Down, wait=40)
    phone.reply(invite, 200, body=phone.sound)
    phone.hear("ACK")
    server.hear(port.Up)
    server.tell(port.Drop(2))
    phone.reply(phone.hear("BYE"), 200)


def test_a_telephone_that_dies_while_it_rings_is_cancelled(server: Server, peer: Callable[[], Peer]) -> None:
    phone, other = peer(), peer()
    invite = dialled(server, phone)
    phone.reply(invite, 180)
    server.hear(port.Progress)
    phone.socket.close()
    server.tell(port.Drop(2))
    server.hear(port.Down)
    invite = dialled(server, other, 4)
    other.reply(invite, 486)
    other.hear("ACK")


def test_a_caller_hangs_up_before_it_rings(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    call.cancel()
    carrier.hear("200 CANCEL")
    call.heard(487)
    call.ack_refusal()
    assert server.hear(port.Down) == port.Down(leg=leg, code=487, cause="left")
    server.tell(port.Ring(leg), port.Answer(leg), port.Drop(leg))
    assert "200 INVITE" not in [message.what for message in carrier.fence()]


def test_a_caller_hangs_up_while_it_rings(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Ring(leg))
    call.heard(180)
    call.cancel()
    carrier.hear("200 CANCEL")
    call.heard(487)
    call.ack_refusal()
    assert server.hear(port.Down).code == 487


def test_a_caller_hangs_up_while_it_hears_sound_before_the_answer(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Ring(leg, early=True))
    assert b"m=audio" in call.heard(183).body
    call.cancel()
    call.heard(487)
    call.ack_refusal()
    server.hear(port.Down)


def test_a_caller_hangs_up_by_bye_while_it_rings(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Ring(leg))
    call.heard(180)
    call.next("BYE")
    carrier.hear("200 BYE")
    carrier.hear("487 INVITE")
    server.hear(port.Down)


def test_a_callers_cancel_crosses_our_answer(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    call.heard(200)
    call.cancel()
    carrier.hear("200 CANCEL")
    call.ack()
    server.hear(port.Up)
    call.next("BYE")
    carrier.hear("200 BYE")
    assert server.hear(port.Down).cause == "left"


def test_a_caller_hangs_up_instead_of_acknowledging(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    call.heard(200)
    call.next("BYE")
    carrier.hear("200 BYE")
    server.hear(port.Down)


def test_a_cancel_from_elsewhere_ends_nothing(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    stranger = Peer(server.address, "127.0.0.2")
    for branch in (call.branch, "z9hG4bKguessed"):
        stranger.send(call.request("CANCEL", branch=branch).replace(str(carrier.address[1]).encode(), b"9"))
    stranger.send(call.request("CANCEL", branch=call.branch))
    stranger.close()
    carrier.fence()
    server.tell(port.Ring(leg))
    call.heard(180)
    server.tell(port.Drop(leg, 480))
    call.heard(480)
    call.ack_refusal()


def test_we_end_a_call_that_is_not_acknowledged_only_after_the_ack(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    call.heard(200)
    server.tell(port.Drop(leg))
    assert server.hear(port.Down).ours
    assert "BYE" not in [message.what for message in carrier.fence()]
    call.ack()
    carrier.reply(carrier.hear("BYE"), 200)


def test_both_hang_up_at_once(server: Server, carrier: Peer) -> None:
    call, leg = incoming(server, carrier)
    server.tell(port.Answer(leg))
    call.heard(200)
    call.ack()
    server.hear(port.Up)
    server.tell(port.Drop(leg))
    bye = carrier.hear("BYE")
    call.next("BYE")
    carrier.hear("200 BYE")
    carrier.reply(bye, 200)
    server.hear(port.Down)


def test_180_is_never_behind_200(server: Server, carrier: Peer) -> None:
    for _ in range(30):
        call, leg = incoming(server, carrier)
        server.tell(port.Ring(leg), port.Answer(leg))
        call.heard(200)
        call.ack()
        server.hear(port.Up)
        order = [message.what for message in carrier.log if message.what in ("180 INVITE", "200 INVITE")]
        assert order[:2] == ["180 INVITE", "200 INVITE"]
        call.next("BYE")
        carrier.hear("200 BYE")
        carrier.forget()


@pytest.mark.parametrize(("helps", "seconds"), [(False, "300"), (True, str(UNANSWERED))])
def test_help_may_ring_longer_than_anybody_else(
    server: Server, peer: Callable[[], Peer], helps: bool, seconds: str
) -> None:
    phone = peer()
    server.tell(port.Dial(leg=2, caller=0, uri=phone.contact, address=phone.address, helps=helps))
    invite = phone.hear("INVITE")
    assert invite.all("expires") == [seconds]
    phone.reply(invite, 486)
    phone.hear("ACK")
    assert server.hear(port.Down).code == 486
