"""Proofs, with a clock of the test's."""

import pytest

from offhook.telephony.worker.digest import LIFE, Credentials, Digests, read
from offhook.telephony.worker.packet import uri
from tests.telephony.worker.peers import authorization
from tests.telephony.worker.server import PASSWORD, digests

URI = "sip:example.com"
NOW = [1000.0]


@pytest.fixture
def realm() -> Digests:
    NOW[0] = 1000.0
    return Digests("offhook", lambda: NOW[0])


def made(realm: Digests, which: int = 0, count: int = 1, password: str = PASSWORD, qop: str = "auth") -> Credentials:
    challenge = realm.challenge()[which][1]
    found = read(authorization(challenge, "anna", password, "REGISTER", URI, count=count, qop=qop))
    assert found is not None
    return found


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_a_right_proof_counts_once(realm: Digests, which: int, qop: str) -> None:
    proof = made(realm, which, qop=qop)
    assert realm.proven(proof, "REGISTER", uri(URI), digests("anna")) is True
    assert realm.proven(proof, "REGISTER", uri(URI), digests("anna")) is None


def test_a_proof_is_for_its_request_only(realm: Digests) -> None:
    assert realm.proven(made(realm), "INVITE", uri(URI), digests("anna")) is False
    assert realm.proven(made(realm), "REGISTER", uri("sip:other"), digests("anna")) is False
    assert realm.proven(made(realm), "REGISTER", uri(URI), digests("bert")) is False
    assert realm.proven(made(realm), "REGISTER", uri(URI), {}) is False
    assert realm.proven(made(realm, password="wrong"), "REGISTER", uri(URI), digests("anna")) is False


def test_a_nonce_ends(realm: Digests) -> None:
    proof = made(realm)
    NOW[0] += LIFE + 1
    assert realm.fresh(proof) is False
    assert realm.proven(proof, "REGISTER", uri(URI), digests("anna")) is None
    wrong = made(realm, password="wrong")
    NOW[0] += LIFE + 1
    assert realm.proven(wrong, "REGISTER", uri(URI), digests("anna")) is False


def test_a_nonce_of_another_process_is_none_of_ours(realm: Digests) -> None:
    proof = made(Digests("offhook", lambda: NOW[0]))
    assert realm.fresh(proof) is None
    assert realm.proven(proof, "REGISTER", uri(URI), digests("anna")) is False


def test_a_count_must_grow(realm: Digests) -> None:
    challenge = realm.challenge()[0][1]
    outcomes = []
    for count in (1, 2, 2, 9, 5, 10):
        proof = read(authorization(challenge, "anna", PASSWORD, "REGISTER", URI, count=count))
        assert proof is not None
        outcomes.append(realm.proven(proof, "REGISTER", uri(URI), digests("anna")))
    assert outcomes == [True, True, None, True, None, True]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Digest",
        "Basic abc",
        "Digest username",
        'Digest username="a"',
        "Digest " + 'a="' * 999,
        "Digest " + "\\" * 999,
    ],
)
def test_what_is_no_proof_is_none(value: str) -> None:
    assert read(value) is None
