"""A hundred thousand strangers, each from an address of their own, and what is remembered of them: little."""

import pytest

from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import accounts, bounds, digest, registrar
from offhook.telephony.worker.accounts import Accounts
from offhook.telephony.worker.bounds import SOURCES, Buckets, Refused, Remembered
from offhook.telephony.worker.digest import Digests
from offhook.telephony.worker.packet import Packet, Party, uri
from offhook.telephony.worker.registrar import Registrar
from tests.telephony.worker.peers import authorization
from tests.telephony.worker.server import PASSWORD, digests

MANY = 100_000
URI = "sip:example.com"


def address(number: int) -> str:
    return f"11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def test_their_addresses_are_forgotten_and_who_is_known_is_not() -> None:
    now = [0.0]
    buckets = Buckets(0.1, 1, lambda: now[0])
    buckets.know("10.0.0.1")
    for number in range(MANY):
        now[0] += 0.0001
        assert buckets.take(address(number))
    assert len(buckets._levels) == SOURCES
    assert sum(buckets.take("10.0.0.1") for _ in range(100)) == bounds.KNOWN
    assert not buckets.take(address(MANY - 1))


def test_of_those_who_are_known_the_one_named_first_is_forgotten() -> None:
    buckets = Buckets(1, 1, lambda: 0.0)
    for number in range(MANY):
        buckets.know(address(number))
    assert len(buckets.known) == SOURCES


def test_places_are_remembered_for_a_while_and_not_without_end() -> None:
    now = [0.0]
    places: Remembered[Address] = Remembered(10.0, lambda: now[0])
    for number in range(MANY):
        places.note((address(number), 5060))
    assert len(places) == SOURCES
    last = (address(MANY - 1), 5060)
    assert last in places
    assert (address(0), 5060) not in places
    now[0] = 10.1
    assert last not in places
    assert len(places) == SOURCES - 1


def test_names_that_nobody_has_are_asked_for_within_bounds() -> None:
    now, asked, refused = [0.0], list[port.Event](), Refused()
    kept = Accounts(asked.append, refused.add, lambda: now[0])
    taken = sum(kept.ask(f"nobody{number}", lambda _: None) for number in range(MANY))
    assert taken == len(asked) == len(kept._asking) == accounts.WAITING
    assert kept.ask("nobody0", lambda _: None)
    assert refused.said() == {"too many waiting": MANY - accounts.WAITING}
    now[0] = 6.0
    assert kept.ask("another", lambda _: None)
    assert len(kept._asking) == 1
    assert refused.said() == {"no word in time": accounts.WAITING + 1}
    for number in range(MANY):
        kept.told(port.Account(username=f"nobody{number}"))
    assert len(kept._known) == accounts.REMEMBERED
    assert sum(kept.ask("one", lambda _: None) for _ in range(100)) == 20
    assert refused.said() == {"too many waiting": 80}


def test_registrations_on_their_way_are_bounded() -> None:
    refused = Refused()
    kept = Registrar(lambda *_: None, lambda _: None, refused.add)
    to = uri("sip:anna@a")
    assert to is not None
    packet = Packet(method="REGISTER", callee=Party(uri=to))
    for number in range(20_000):
        kept.register(packet, (address(number), 5060), "anna", "")
    assert len(kept._waiting) == registrar.WAITING
    assert refused.said() == {"too many waiting": 20_000 - registrar.WAITING}


def test_a_challenge_costs_no_memory_and_what_was_used_is_used_however_many_were_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(digest, "USED", 100)
    now = [1000.0]
    realm = Digests("offhook", lambda: now[0])
    known = digests("anna")

    def proof(challenge: str) -> digest.Credentials:
        found = digest.read(authorization(challenge, "anna", PASSWORD, "REGISTER", URI))
        assert found is not None
        return found

    for _ in range(MANY // 100):
        realm.challenge()
    assert not realm._used
    waiting = proof(realm.challenge()[0][1])
    first = proof(realm.challenge()[0][1])
    assert realm.proven(first, "REGISTER", uri(URI), known) is True
    for _ in range(1000):
        now[0] += 0.001
        assert realm.proven(proof(realm.challenge()[0][1]), "REGISTER", uri(URI), known) is True
    assert len(realm._used) == 100
    assert realm.proven(first, "REGISTER", uri(URI), known) is None, "It would be good twice."
    assert realm.proven(waiting, "REGISTER", uri(URI), known) is None
    assert realm.proven(proof(realm.challenge(stale=True)[0][1]), "REGISTER", uri(URI), known) is True
