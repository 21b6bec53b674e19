"""What a carrier must be, and by which of them a number is called."""

from typing import Any

import msgspec
import pytest

from offhook.kit.errors import Violation
from offhook.kit.places import Allowed
from offhook.storage.documents import Kept
from offhook.telephony.trunks import rules
from offhook.telephony.trunks.model import Trunk

NOBODY = Allowed()


@pytest.mark.parametrize(
    ("text", "kept", "hosts"),
    [
        ("203.0.113.7", "203.0.113.7", 1),
        (" 203.0.113.7:5080 ", "203.0.113.7:5080", 1),
        ("203.0.113.0/28", "203.0.113.0/28", 16),
        ("203.0.113.0/24:5060", "203.0.113.0/24:5060", 256),
        ("2001:DB8::7", "2001:db8::7", 1),
        ("[2001:db8::7]:5060", "[2001:db8::7]:5060", 1),
        ("[2001:db8::/120]:5060", "[2001:db8::/120]:5060", 256),
        ("::ffff:203.0.113.7", "203.0.113.7", 1),
    ],
)
def test_where_calls_come_from_is_kept_in_one_form(text: str, kept: str, hosts: int):
    found = rules.source(text)
    assert str(found) == kept
    assert found.network.num_addresses == hosts
    assert rules.source(kept) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "sip.example.com", "203.0.113", "203.0.113.7:0", "203.0.113.7:70000", "203.0.112.0/23", "0.0.0.0/0",
        "0.0.0.0", "::", "2001:db8::/119", "203.0.113.7/28", "224.0.0.1", "[203.0.113.7", "203.0.113.7:5060:1",
        "x" * 99,
    ],
)  # fmt: skip
def test_where_nobody_can_send_from_is_refused(text: str):
    found: list[Violation] = []
    assert rules.check_addresses([text], found) == ()
    assert [one.location for one in found] == ["addresses[0]"]


def test_a_network_with_more_than_itself_is_mended():
    with pytest.raises(ValueError, match=r"did you mean the network 203\.0\.113\.0/28\?"):
        rules.source("203.0.113.7/28")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("SIP.Example.com", "sip.example.com:5060"),
        ("1.1.1.1:5080", "1.1.1.1:5080"),
    ],
)
def test_a_proxy_is_kept_with_its_port(text: str, kept: str):
    found: list[Violation] = []
    assert rules.check_proxy(text, NOBODY, found) == kept
    assert found == []
    assert rules.place(kept)[1] in (5060, 5080)


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "10.0.0.5:5060", "169.254.169.254", "[::1]:5060", "[2606:4700::1]", "a b", "256.1.1.1", "-x"],
)
def test_calls_go_nowhere_private(text: str):
    found: list[Violation] = []
    rules.check_proxy(text, NOBODY, found)
    assert [one.location for one in found] == ["proxy"]


def test_calls_go_to_a_private_place_that_the_installation_allows():
    found: list[Violation] = []
    assert rules.check_proxy("127.0.0.1:5070", Allowed.read("127.0.0.1:5070"), found) == "127.0.0.1:5070"
    assert found == []


def test_prefixes_are_kept_in_order_without_what_another_holds():
    found: list[Violation] = []
    assert rules.check_prefixes(["+44 20", "+1", "+1415", "+1"], found) == ("+1", "+4420")
    assert found == []
    rules.check_prefixes(["", "+", "0044", "+0", "1", "+1x"], found)
    assert [one.location for one in found] == [f"prefixes[{number}]" for number in range(6)]


def kept(id: int, *, state: str = "active", **fields: Any) -> Kept[Trunk]:
    given = {"name": f"T{id}", "country": "US", "proxy": "1.1.1.1:5060", "prefixes": ("+1",)}
    trunk = Trunk(**{**given, **fields})
    return Kept(id=id, tenant_id=1, value=trunk, state=state, created_at=0, updated_at=0)


def ids(found: list[Kept[Trunk]]) -> list[int]:
    return [one.id for one in found]


def none(_id: int) -> int:
    return 0


NUMBER, BRITISH = "+14155550100", "+442079460123"


def test_nothing_is_called_that_no_list_names():
    assert rules.for_number([], NUMBER, none) == []
    assert rules.for_number([kept(1, prefixes=())], NUMBER, none) == []
    assert rules.for_number([kept(1, prefixes=("+1212",))], NUMBER, none) == []
    assert rules.for_number([kept(1, proxy="")], NUMBER, none) == []
    assert rules.for_number([kept(1, state="disabled")], NUMBER, none) == []
    assert ids(rules.for_number([kept(1)], NUMBER, none)) == [1]


def test_abroad_takes_more_than_a_prefix():
    assert rules.for_number([kept(1, prefixes=("+1", "+44"))], BRITISH, none) == []
    # Jamaica has +1 as well, and is abroad.
    assert rules.for_number([kept(1)], "+18765550100", none) == []
    assert ids(rules.for_number([kept(1, prefixes=("+44",), international=True)], BRITISH, none)) == [1]


def test_the_longest_prefix_comes_first_then_the_oldest():
    trunks = [kept(1), kept(2), kept(3, prefixes=("+1415",))]
    assert ids(rules.for_number(trunks, NUMBER, none)) == [3, 1, 2]


def test_a_carrier_with_all_its_calls_is_passed_over():
    trunks = [kept(1, most_calls=2), kept(2, most_calls=3)]
    assert ids(rules.for_number(trunks, NUMBER, lambda _: 1)) == [1, 2]
    assert ids(rules.for_number(trunks, NUMBER, lambda _: 2)) == [2]
    assert rules.for_number(trunks, NUMBER, lambda _: 3) == []


def test_help_is_called_by_those_who_are_for_it_then_by_any():
    trunks = [kept(1), kept(2, emergency=True, prefixes=()), kept(3, prefixes=()), kept(4, proxy="", emergency=True)]
    assert ids(rules.for_help(trunks)) == [2, 1]


OUT = Trunk(name="Out", country="US", proxy="1.1.1.1", prefixes=("+1",))
AID = Trunk(name="Aid", country="US", proxy="1.1.1.1", emergency=True)
IN = Trunk(name="In", country="US", addresses=("203.0.113.7",))


@pytest.mark.parametrize(
    ("trunks", "load", "why"),
    [
        ([], 0, "the company has no trunk"),
        ([IN], 0, "no trunk takes +18765551234 (offhook trunk list shows them)"),
        ([(OUT, "disabled")], 0, "the trunk Out that would take it is disabled"),
        ([OUT], 0, "it is abroad, seen from US, and the trunk Out takes no calls abroad"),
        ([msgspec.structs.replace(OUT, international=True)], 10, "the trunk Out has as many calls as it may (10)"),
        (
            [msgspec.structs.replace(OUT, international=True)],
            0,
            "the proxy of the trunk Out (1.1.1.1) is not found, or may not be called",
        ),
        (
            [(OUT, "disabled"), msgspec.structs.replace(OUT, name="Far")],
            0,
            "Out that would take it is disabled; it is abroad",
        ),
        ([msgspec.structs.replace(OUT, name=f"Out {number}") for number in range(5)], 0, "; and 2 more"),
    ],
)
def test_why_no_carrier_takes_a_number_is_said(trunks: list[Any], load: int, why: str):
    number = "+18765551234"
    if why.startswith("no trunk takes"):
        trunks = [IN, msgspec.structs.replace(OUT, prefixes=("+44",))]
    assert why in rules.why_none(all_kept(trunks), number, lambda _: load)


@pytest.mark.parametrize(
    ("trunks", "why"),
    [
        ([], "the company has no trunk"),
        ([IN], "no trunk takes calls for help"),
        ([IN, (AID, "disabled")], "the trunk Aid that would take it is disabled"),
        ([AID], "the proxy of the trunk Aid (1.1.1.1) is not found, or may not be called"),
        ([(OUT, "disabled")], "the trunk Out that would take it is disabled"),
    ],
)
def test_why_no_carrier_takes_a_call_for_help_is_said(trunks: list[Any], why: str):
    assert why in rules.why_none(all_kept(trunks), "911", lambda _: 10_000, emergency=True)


def all_kept(trunks: list[Any]) -> list[Kept[Trunk]]:
    """As they are kept: each enabled, unless it comes with its state."""
    pairs = [one if isinstance(one, tuple) else (one, "active") for one in trunks]
    return [
        Kept(id=id, tenant_id=1, value=trunk, state=state, created_at=0, updated_at=0)
        for id, (trunk, state) in enumerate(pairs)
    ]
