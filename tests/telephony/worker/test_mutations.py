"""Messages that were tampered with: nothing breaks, nothing stays behind, the next call works."""

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from offhook.telephony import port
from tests.telephony.worker.peers import Call, Message, Peer, authorization
from tests.telephony.worker.server import PASSWORD, Server, digests
from tests.telephony.worker.test_torture import MESSAGES, works

TRICKY = [
    b"\x00", b"\xff\xfe", b"\r\n", b"\n", b"\r", b'"', b"\\", b"<", b">", b";", b",", b"=", b"%", b"%00", b"%zz",
    b" ", b"\t", b":", b"99999999999999999999", b"-1", b"0", b"sip:", b"tel:+1", b"*", b"@", b"[::1]",
    b"255.255.255.255", b"z9hG4bK", b";tag=", b"\xc3\x85", b"\xe2\x80\xa8", b"A" * 300, b"(" * 200, b"?a=b", b"SIP/2.0",
    b"\x1c", b"\x85",
]  # fmt: skip


def mutated(content: bytes, dice: random.Random) -> bytes:
    """A message with one to five things done to it."""
    if dice.random() < 0.5:
        content = re.sub(rb"(?m)^(Call-ID: ).*\r$", rb"\g<1>%d@fresh\r" % dice.randrange(1 << 40), content)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 5))):
        place = dice.randrange(len(content) + 1)
        match dice.randrange(8):
            case 0 if content:
                place = min(place, len(content) - 1)
                content = content[:place] + bytes([dice.randrange(256)]) + content[place + 1 :]
            case 1:
                content = content[:place] + dice.choice(TRICKY) + content[place:]
            case 2:
                content = content[:place] + content[place + dice.randint(1, 40) :]
            case 3:
                lines = content.split(b"\r\n")
                dice.shuffle(lines)
                content = b"\r\n".join(lines) if dice.random() < 0.2 else content
            case 4:
                lines = content.split(b"\r\n")
                lines.insert(dice.randrange(len(lines) + 1), dice.choice(lines))
                content = b"\r\n".join(lines)
            case 5:
                lines = content.split(b"\r\n")
                del lines[dice.randrange(len(lines))]
                content = b"\r\n".join(lines)
            case 6 if dice.random() < 0.2:
                content = content[:place]
            case _:
                end = place + dice.randint(1, 20)
                content = content[:place] + content[place:end] * 2 + content[end:]
    return content[:60_000]


@contextmanager
def refusing(server: Server) -> Iterator[None]:
    """Every call that comes of it is refused at once, or taken."""
    ended = threading.Event()

    def refuse() -> None:
        while not ended.is_set():
            try:
                told = server.hear(port.Incoming, wait=0.2)
            except AssertionError:
                continue
            server.tell(port.Drop(told.leg, 486) if told.leg % 3 else port.Answer(told.leg))
            if told.leg % 3 == 0:
                server.tell(port.Drop(told.leg))

    thread = threading.Thread(target=refuse)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def corpus(server: Server, carrier: Peer) -> list[bytes]:
    """Messages of a call under way, and out of any."""
    server.accounts["anna"] = digests("anna")
    call = Call(carrier).start()
    told = server.hear(port.Incoming)
    server.tell(port.Answer(told.leg))
    call.heard(200)
    call.ack()
    server.hear(port.Up)
    server.tell(port.Dial(leg=2, caller=0, uri=carrier.contact, address=carrier.address, number="100"))
    invite = carrier.hear("INVITE")
    proof = authorization(
        f'Digest realm="offhook", nonce="{"A" * 43}=", algorithm=MD5, qop="auth"', "anna", PASSWORD, "REGISTER", "sip:x"
    )
    messages = [
        call.request("INVITE", body=carrier.sound, sequence=2),
        call.request("INVITE", sequence=3),
        call.request("ACK"),
        call.request("INFO", body=b"Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay", sequence=4),
        call.request(
            "REFER", headers=("Refer-To: <sip:200@127.0.0.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",), sequence=5
        ),
        call.request("BYE", sequence=6),
        call.request("UPDATE", sequence=7),
        call.invite,
        Call(carrier).invite,
        Call(carrier, body=b"").invite,
        carrier.request("CANCEL", call_id=call.call_id, branch=call.branch),
        carrier.request("REGISTER", headers=(f"Authorization: {proof}", "Contact: <sip:a@127.0.0.1>;expires=60")),
        carrier.answer(invite, 180),
        carrier.answer(invite, 183, body=carrier.sound),
        carrier.answer(invite, 200, body=carrier.sound),
        carrier.answer(invite, 486),
        carrier.answer(
            invite, 401, headers=('WWW-Authenticate: Digest realm="x", nonce="y", algorithm=MD5, qop="auth"',)
        ),
    ]
    return messages + [
        text.replace("{p}", str(carrier.address[1])).encode() for text, _ in MESSAGES.values()
    ]  # fmt: skip


def survives(server: Server, carrier: Peer, many: int, seed: int) -> None:
    dice = random.Random(seed)
    messages = corpus(server, carrier)
    with refusing(server):
        send(server, carrier, messages, many, dice, seed)


def send(server: Server, carrier: Peer, messages: list[bytes], many: int, dice: random.Random, seed: int) -> None:
    for number in range(many):
        content = mutated(dice.choice(messages), dice)
        carrier.send(content or b"x")
        if number % 50 == 49:
            for message in carrier.fence():
                acknowledge(carrier, message)
            assert server.faults == [], f"after {number} of seed {seed}"
            carrier.forget()


def acknowledge(carrier: Peer, message: Message) -> None:
    """As a caller would, and take a BYE."""
    if message.what == "BYE":
        carrier.reply(message, 200)
    elif message.code >= 200 and message["cseq"].endswith(" INVITE"):
        lines = ["ACK sip:a@127.0.0.1 SIP/2.0", *(f"Via: {value}" for value in message.all("via"))]
        lines += [f"{name}: {message[name]}" for name in ("from", "to", "call-id")]
        lines += [f"CSeq: {message['cseq'].split()[0]} ACK", "", ""]
        carrier.send("\r\n".join(lines).encode())


@pytest.mark.brief
def test_thousands_of_mutated_messages_do_no_harm(server: Server, carrier: Peer) -> None:
    survives(server, carrier, 4_000, 1)


@pytest.mark.long
def test_a_hundred_thousand_mutated_messages_do_no_harm(server: Server, carrier: Peer) -> None:
    survives(server, carrier, 100_000, 2)
    server.clear()
    server.idle(wait=120)


def test_the_next_call_works_and_nothing_stays(server: Server, carrier: Peer) -> None:
    works(server, carrier)
