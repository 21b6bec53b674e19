"""A REGISTER by RFC 3261 section 10.3: what a telephone is reached at afterwards."""

from typing import Any

import pytest

from offhook.telephony.phones.model import Contact
from offhook.telephony.phones.rules import MOST_CONTACTS, register, same_uri
from offhook.telephony.port import Register

NOW = 1_800_000_000_000
SIP = "sip:ann@10.0.0.7:5062"


def asked(*contacts: tuple[str, int], **changes: Any) -> Register:
    given = {"id": 1, "username": "ann", "proof": "", "source": ("10.0.0.7", 5062), "call_id": "a@b", "sequence": 1}
    return Register(**{**given, "contacts": contacts, **changes})


def known(*requests: Register) -> tuple[Contact, ...]:
    """What is kept after these."""
    found: tuple[Contact, ...] = ()
    for request in requests:
        outcome = register(found, request, NOW)
        assert outcome.code == 200
        found = outcome.contacts
    return found


def test_a_telephone_is_reached_where_it_registered_from():
    (one,) = known(asked((SIP, 300), agent="Desk 1\r\n", source=("203.0.113.9", 61000)))
    assert (one.uri, one.host, one.port, one.agent) == (SIP, "203.0.113.9", 61000, "Desk 1")
    assert (one.since, one.until) == (NOW, NOW + 300_000)


@pytest.mark.parametrize(
    ("seconds", "code", "kept"),
    [(60, 200, 60), (59, 423, None), (1, 423, None), (3600, 200, 3600), (86400, 200, 3600), (0, 200, None)],
)
def test_how_long_it_is_kept_has_bounds(seconds: int, code: int, kept: int | None):
    outcome = register((), asked((SIP, seconds)), NOW)
    assert outcome.code == code
    assert [one.until - NOW for one in outcome.contacts] == ([] if kept is None else [kept * 1000])


def test_a_later_request_renews_and_keeps_since_when_it_is_there():
    before = known(asked((SIP, 300)))
    (one,) = register(before, asked((SIP, 600), sequence=2), NOW + 1000).contacts
    assert (one.since, one.until, one.sequence) == (NOW, NOW + 601_000, 2)


@pytest.mark.parametrize("sequence", [1, 0])
@pytest.mark.parametrize("contacts", [((SIP, 600),), ((SIP, 0),), (("sip:new@10.0.0.7", 600), (SIP, 600))])
def test_an_older_request_of_the_same_call_changes_nothing(sequence: int, contacts: Any):
    before = known(asked((SIP, 300)))
    outcome = register(before, asked(*contacts, sequence=sequence), NOW)
    assert (outcome.code, outcome.contacts) == (500, before)


def test_a_telephone_that_was_started_again_begins_a_new_call_whatever_its_number():
    before = known(asked((SIP, 300), sequence=90))
    (one,) = register(before, asked((SIP, 600), call_id="other", sequence=1), NOW).contacts
    assert (one.call_id, one.sequence) == ("other", 1)


def test_a_contact_is_taken_away():
    before = known(asked((SIP, 300), ("sip:ann@10.0.0.8", 300)))
    left = register(before, asked((SIP, 0), sequence=2), NOW).contacts
    assert [one.uri for one in left] == ["sip:ann@10.0.0.8"]


def test_a_star_takes_all_away():
    before = known(asked((SIP, 300), ("sip:ann@10.0.0.8", 300)))
    assert register(before, asked(everything=True, sequence=2), NOW).contacts == ()
    assert register(before, asked(everything=True, call_id="other"), NOW).contacts == ()
    late = register(before, asked(everything=True, sequence=1), NOW)
    assert (late.code, late.contacts) == (500, before)
    beside = register(before, asked((SIP, 300), everything=True, sequence=2), NOW)
    assert (beside.code, beside.contacts) == (400, before)


def test_all_of_a_request_holds_or_none():
    before = known(asked((SIP, 300)))
    outcome = register(before, asked(("sip:new@10.0.0.9", 300), (SIP, 5), sequence=2), NOW)
    assert (outcome.code, outcome.contacts) == (423, before)


def test_who_only_asks_is_told_and_what_is_over_is_not():
    before = known(asked((SIP, 60)), asked(("sip:ann@10.0.0.8", 300), sequence=2))
    outcome = register(before, asked(), NOW + 60_000)
    assert [one.uri for one in outcome.contacts] == ["sip:ann@10.0.0.8"]


def test_what_is_over_stands_in_nobodys_way():
    before = known(asked((SIP, 60), sequence=9))
    outcome = register(before, asked((SIP, 60), sequence=3), NOW + 60_000)
    assert outcome.code == 200
    assert [one.since for one in outcome.contacts] == [NOW + 60_000]


def test_a_telephone_with_too_many_contacts_loses_the_one_that_ends_first():
    many = [asked((f"sip:ann@10.0.0.{number}", 300 + number), sequence=number + 1) for number in range(MOST_CONTACTS)]
    before = sorted(known(*many), key=lambda one: one.until)
    after = register(before, asked(("sip:ann@10.0.0.99", 60), sequence=50), NOW).contacts
    assert len(after) == MOST_CONTACTS
    assert before[0] not in after
    assert after[-1].uri == "sip:ann@10.0.0.99"
    at_once = asked(*((f"sip:ann@10.0.1.{number}", 300) for number in range(MOST_CONTACTS + 1)), sequence=60)
    assert register(before, at_once, NOW).code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "", "tel:+14155550100", "http://10.0.0.7", "sip:", "sip:ann@", "sip:ann@10.0.0.7:0", "sip:ann@10.0.0.7:70000",
        "sip:ann@10.0.0.7\r\nVia: x", "sip:ann @10.0.0.7", "sip:ann@10.0.0.7>;expires=5", "sip:ann@h\u00f6st",
        "sip:ann@10.0.0.7\x00", "sip:" + "a" * 600 + "@10.0.0.7",
    ],
)  # fmt: skip
def test_what_no_request_can_be_sent_to_is_refused(uri: str):
    assert register((), asked((uri, 300)), NOW).code == 400


@pytest.mark.parametrize("changes", [{"sequence": -1}, {"sequence": 2**31}, {"call_id": ""}, {"call_id": "a\x00b"}])
def test_a_request_that_cannot_be_put_in_order_is_refused(changes: dict[str, Any]):
    assert register((), asked((SIP, 300), **changes), NOW).code == 400


SAME = [
    ("sip:ann@Example.com", "sip:ann@example.COM"),
    ("SIP:ann@example.com", "sip:ann@example.com"),
    ("sip:ann@example.com;transport=UDP", "sip:ann@example.com;transport=udp"),
    ("sip:ann@example.com;ob;line=1", "sip:ann@example.com;ob"),
    ("sip:ann@[2001:db8::1]:5060", "sip:ann@[2001:DB8::1]:5060"),
]
OTHERS = [
    ("sip:Ann@example.com", "sip:ann@example.com"),
    ("sip:ann@example.com:5060", "sip:ann@example.com"),
    ("sip:ann@example.com;transport=udp", "sip:ann@example.com"),
    ("sip:ann@example.com;line=1", "sip:ann@example.com;line=2"),
    ("sip:ann@example.com?a=b", "sip:ann@example.com"),
    ("sips:ann@example.com", "sip:ann@example.com"),
    ("sip:ann@example.com", "sip:example.com"),
]


@pytest.mark.parametrize(
    ("one", "other", "same"), [(*pair, True) for pair in SAME] + [(*pair, False) for pair in OTHERS]
)
def test_addresses_are_compared_as_rfc_3261_says(one: str, other: str, same: bool):
    assert same_uri(one, other) is same
    assert same_uri(other, one) is same
