"""REGISTER and digest, as telephones and guessers see it."""

from collections.abc import Callable

import pytest

from offhook.telephony import port
from tests.telephony.worker.conftest import UNBOUND, known
from tests.telephony.worker.peers import Call, Message, Peer, authorization
from tests.telephony.worker.server import PASSWORD, Server, digests

URI = "sip:127.0.0.1"


def asked(phone: Peer, username: str = "anna", call_id: str = "reg-1") -> Message:
    """What a REGISTER without a proof is answered."""
    phone.send(register(phone, username, call_id=call_id))
    return phone.hear("401 REGISTER")


def register(
    phone: Peer,
    username: str,
    *headers: str,
    call_id: str = "reg-1",
    sequence: int = 1,
    contact: str = "",
    branch: str = "",
) -> bytes:
    return phone.request(
        "REGISTER", uri=URI, to=f"<sip:{username}@127.0.0.1>", call_id=call_id, sequence=sequence, branch=branch,
        headers=(f"Contact: {contact or f'<{phone.contact}>'}", *headers),
    )  # fmt: skip


def proof(challenge: Message, username: str = "anna", password: str = PASSWORD, which: int = 0, **more: object) -> str:
    value = challenge.all("www-authenticate")[which]
    return "Authorization: " + authorization(value, username, password, "REGISTER", URI, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", [0, 1])
def test_a_telephone_registers_with_either_algorithm(server: Server, peer: Callable[[], Peer], which: int) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    challenge = asked(phone)
    assert [("SHA-256" in x, "MD5" in x) for x in challenge.all("www-authenticate")] == [(True, False), (False, True)]
    phone.send(register(phone, "anna", proof(challenge, which=which), "User-Agent: Desk 1", "Expires: 120", sequence=2))
    told = server.hear(port.Register)
    assert (told.username, told.contacts, told.source, told.call_id, told.sequence, told.agent, told.everything) == (
        "anna", ((phone.contact, 120),), phone.address, "reg-1", 2, "Desk 1", False,
    )  # fmt: skip
    assert told.proof == port.mark(digests("anna")) != port.mark(digests("anna", "another"))
    assert phone.hear("200 REGISTER")["contact"] == f"<{phone.contact}>;expires=120"


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["zoe"] = digests("zoe")
    seen = []
    for name in ("zoe", "nobody"):
        challenge = asked(phone, name, call_id=f"same-{name}")
        phone.send(register(phone, name, proof(challenge, name, "wrong"), call_id=f"same-{name}", sequence=2))
        answer = phone.hear("401 REGISTER")
        varying = ("to", "from", "call-id", "via", "www-authenticate")
        seen.append((answer.line, [field for field in answer.fields if field[0] not in varying],
                     [x.split("nonce=")[0] + x.split(", ", 2)[2] for x in answer.all("www-authenticate")]))  # fmt: skip
    assert seen[0] == seen[1]
    assert server.asked == ["zoe", "nobody"]


def test_credentials_of_one_do_not_register_another(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts |= {"anna": digests("anna"), "bert": digests("bert")}
    phone.send(register(phone, "bert", proof(asked(phone, "bert")), sequence=2))
    phone.hear("403 REGISTER")


def test_a_proof_for_another_server_does_not_hide_ours(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    field = proof(asked(phone))
    other = field.replace('realm="offhook"', 'realm="elsewhere"')
    phone.send(register(phone, "anna", other, field, sequence=2))
    phone.hear("200 REGISTER")


def test_a_forged_nonce_is_challenged(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    field = proof(asked(phone))
    nonce = field.split('nonce="')[1].split('"')[0]
    forged = ("A" if nonce[0] != "A" else "B") + nonce[1:]
    phone.send(register(phone, "anna", field.replace(nonce, forged), sequence=2))
    assert "stale" not in phone.hear("401 REGISTER")["www-authenticate"]
    assert server.asked == []


def test_a_proof_that_is_used_again_is_stale(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    challenge = asked(phone)
    field = proof(challenge)
    phone.send(register(phone, "anna", field, sequence=2))
    phone.hear("200 REGISTER")
    phone.send(register(phone, "anna", field, sequence=3))
    assert "stale=true" in phone.hear("401 REGISTER")["www-authenticate"]
    phone.send(register(phone, "anna", proof(challenge, count=2), sequence=4))
    phone.hear("200 REGISTER")


def test_the_same_register_again_is_answered_the_same_and_told_once(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    content = register(phone, "anna", proof(asked(phone)), sequence=2, branch="z9hG4bKagain")
    phone.send(content)
    first = phone.hear("200 REGISTER")
    phone.send(content)
    assert phone.hear("200 REGISTER").content == first.content
    server.hear(port.Register)
    assert not [event for event in server.fence() if isinstance(event, port.Register)]


def test_a_comma_within_quotes_parts_nothing(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    field = proof(asked(phone), extra=', opaque="a, b=\\"c\\", realm=x"')
    phone.send(register(phone, "anna", field, sequence=2))
    phone.hear("200 REGISTER")


@pytest.mark.parametrize(
    "change",
    [
        lambda field: field.replace("algorithm=SHA-256", "algorithm=SHA-512"),
        lambda field: field.replace("qop=auth", "qop=auth-int"),
        lambda field: field.replace(f'uri="{URI}"', 'uri="sip:other"'),
        lambda field: field.replace("Digest ", "Basic "),
        lambda field: field.replace('realm="offhook"', 'realm="x"'),
        lambda field: field.replace("nc=00000001", "nc=1"),
        lambda field: field.split(", response")[0],
        lambda field: "Authorization: Digest " + "a=b," * 500,
    ],
)
def test_other_proofs_are_challenged(server: Server, peer: Callable[[], Peer], change: Callable[[str], str]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    phone.send(register(phone, "anna", change(proof(asked(phone))), sequence=2))
    phone.hear("401 REGISTER")


def test_all_bindings_are_taken_away_by_a_star(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    challenge = asked(phone)
    phone.send(register(phone, "anna", proof(challenge), "Expires: 0", sequence=2, contact="*"))
    assert server.hear(port.Register).everything
    phone.hear("200 REGISTER")
    phone.send(register(phone, "anna", proof(challenge, count=2), sequence=3, contact="*"))
    phone.hear("400 REGISTER")


def test_a_binding_that_is_too_brief_is_refused(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    phone.send(register(phone, "anna", proof(asked(phone)), "Expires: 5", sequence=2))
    assert phone.hear("423 REGISTER")["min-expires"] == "60"


def test_the_servers_refusal_is_the_answer(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    server.registers = False
    phone.send(register(phone, "anna", proof(asked(phone)), sequence=2))
    server.tell(port.Registered(id=server.hear(port.Register).id, code=503))
    phone.hear("503 REGISTER")


@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "BYE", "FOO"])
def test_strangers_are_challenged_whatever_they_ask(server: Server, peer: Callable[[], Peer], method: str) -> None:
    stranger = peer()
    stranger.send(stranger.request(method, body=stranger.sound if method == "INVITE" else b""))
    answer = stranger.hear(f"401 {method}")
    assert len(answer.all("www-authenticate")) == 2
    assert server.asked == []


def test_a_telephone_that_has_proven_itself_may_call(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["anna"] = digests("anna")
    uri = f"sip:100@127.0.0.1:{server.address[1]}"
    phone.send(phone.request("INVITE", uri=uri, call_id="anna-calls", body=phone.sound))
    challenge = phone.hear("401 INVITE")
    phone.send(phone.request("ACK", uri=uri, call_id="anna-calls", to_tag=challenge.to_tag))
    field = authorization(challenge["www-authenticate"], "anna", PASSWORD, "INVITE", uri)
    phone.send(phone.request(
        "INVITE", uri=uri, call_id="anna-calls", sequence=2, body=phone.sound, headers=(f"Authorization: {field}",)
    ))  # fmt: skip
    told = server.hear(port.Incoming)
    assert (told.username, told.trunk, told.dialled, told.caller) == ("anna", 0, "100", "phone")
    server.tell(port.Drop(told.leg, 486))
    phone.hear("486 INVITE")


def test_what_the_server_does_not_know_for_sure_is_asked_again(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["dora"] = digests("dora")
    challenge = asked(phone, "dora")
    server.tell(port.Account(username="dora", sure=False))
    server.fence()
    phone.send(register(phone, "dora", proof(challenge, "dora"), sequence=2))
    phone.hear("200 REGISTER")
    assert server.asked.count("dora") == 1
    server.tell(port.Account(username="dora", sure=False))
    server.fence()
    phone.send(register(phone, "dora", proof(challenge, "dora", count=2), sequence=3))
    phone.hear("200 REGISTER")
    assert server.asked.count("dora") == 2


def test_a_telephones_new_password_counts_at_once(server: Server, peer: Callable[[], Peer]) -> None:
    phone = peer()
    server.accounts["carl"] = digests("carl", "old")
    challenge = asked(phone, "carl")
    phone.send(register(phone, "carl", proof(challenge, "carl", password="old"), sequence=2))
    phone.hear("200 REGISTER")
    server.tell(port.Account(username="carl", digests=digests("carl", "new")))
    server.fence()
    phone.send(register(phone, "carl", proof(challenge, "carl", password="new", count=2), sequence=3))
    phone.hear("200 REGISTER")


def test_a_worker_gives_no_number_that_the_one_before_could_have_given() -> None:
    server = Server("--media", "plain", "--first", "200")
    phone = Peer(server.address)
    server.accounts["anna"] = digests("anna")
    phone.send(register(phone, "anna", proof(asked(phone)), sequence=2))
    assert server.hear(port.Register).id == 201
    phone.hear("200 REGISTER")
    carrier = Peer(server.address)
    trunk = port.Trunk(id=7, addresses=(carrier.address,), proxy=carrier.address)
    server.tell(port.Configure(trunks=(trunk,), limits=UNBOUND))
    known(carrier)
    Call(carrier).start()
    leg = server.hear(port.Incoming).leg
    assert leg == 201
    server.tell(port.Drop(leg, 404))
    carrier.hear("404 INVITE")
    for one in (phone, carrier):
        one.close()
    server.close()
