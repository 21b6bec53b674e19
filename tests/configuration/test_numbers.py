"""Numbers in a file: the inventory, and who has which. A sandbox has fictional ones to begin with."""

from typing import Any

from tests.api.desk import Company
from tests.configuration.files import apply, document, export, lisbon, plan, refused, told


def wired(numbers: list[str]) -> dict[str, Any]:
    """Everything that can have numbers has some."""
    return document(
        offices={
            "Lisbon": lisbon(
                licences={"talk_lines": 1, "sell_lines": 1, "room_lines": 1, "additional_number_lines": 5},
                phone_numbers=numbers[:2],
            ),
        },
        users={"ana@example.com": {"office": "Lisbon", "phone_numbers": [numbers[2], numbers[3]]}},
        rooms={"Lisbon/Lobby": {"phone_numbers": [numbers[4]]}},
        departments={"Lisbon/Sales": {"phone_numbers": numbers[5]}},
        callcenters={"Lisbon/Support": {"phone_numbers": [numbers[6]]}},
        callrouters={
            "Lisbon/Night": {
                "routing_url": "https://example.com/route",
                "default_target": "office Lisbon",
                "phone_numbers": [numbers[7]],
            },
        },
    )


def test_everything_gets_its_numbers_and_keeps_them(company: Company):
    numbers = company.numbers
    done = apply(company.sandbox, wired(numbers))
    assert "no_number" not in {one["code"] for one in done["warnings"] if one["field"].startswith("offices.Lisbon")}
    found = export(company.sandbox)
    assert found["offices"]["Lisbon"]["phone_numbers"] == numbers[:2]
    assert found["users"]["ana@example.com"]["phone_numbers"] == numbers[2:4]
    assert [found[section][key]["phone_numbers"] for section, key in (
        ("rooms", "Lisbon/Lobby"), ("departments", "Lisbon/Sales"), ("callcenters", "Lisbon/Support"),
        ("callrouters", "Lisbon/Night"),
    )] == [[number] for number in numbers[4:8]]  # fmt: skip
    assert list(found["numbers"]) == sorted(numbers[:8])
    taken = company.sandbox.get(f"/api/v2/numbers/{numbers[0].replace('+', '%2B')}").json
    assert taken["status"] == "office"
    events = company.sandbox.events()
    assert apply(company.sandbox, wired(numbers))["changes"] == []
    assert apply(company.sandbox, found, prune=True)["changes"] == []
    assert company.sandbox.events() == events


def test_numbers_change_hands_and_order_in_one_apply(company: Company):
    numbers = company.numbers
    apply(company.sandbox, wired(numbers))
    wanted = document(
        offices={"Lisbon": {"phone_numbers": [numbers[3], numbers[0]]}},
        users={"ana@example.com": {"phone_numbers": [numbers[1], numbers[2]]}},
        rooms={"Lisbon/Lobby": {"phone_numbers": []}},
        departments={"Lisbon/Sales": {"phone_numbers": [numbers[4], numbers[5]]}},
    )
    done = apply(company.sandbox, wanted)
    assert told(done) == [
        "change offices Lisbon: phone_numbers",
        "change users ana@example.com: phone_numbers",
        "change rooms Lisbon/Lobby: phone_numbers",
        "change departments Lisbon/Sales: phone_numbers",
    ]
    found = export(company.sandbox)
    assert found["offices"]["Lisbon"]["phone_numbers"] == [numbers[3], numbers[0]]
    assert found["users"]["ana@example.com"]["phone_numbers"] == [numbers[1], numbers[2]]
    assert "phone_numbers" not in found["rooms"]["Lisbon/Lobby"]
    assert plan(company.sandbox, wanted)["differs"] is False


def test_an_office_changes_otherwise_without_losing_a_number(embedded: Company):
    numbers = embedded.numbers
    apply(embedded.sandbox, wired(numbers))
    done = apply(embedded.sandbox, document(offices={"Lisbon": {"ring_seconds": 20}}))
    assert told(done) == ["change offices Lisbon: ring_seconds"]
    assert export(embedded.sandbox)["offices"]["Lisbon"]["phone_numbers"] == numbers[:2]
    done = apply(embedded.sandbox, document(offices={"Lisbon": {"phone_numbers": None}}))
    assert told(done) == ["change offices Lisbon: phone_numbers"]
    assert "phone_numbers" not in export(embedded.sandbox)["offices"]["Lisbon"]


def test_the_inventory_grows_and_is_pruned(company: Company):
    numbers = company.numbers
    apply(company.sandbox, wired(numbers))
    fresh = {"+12125550177": {"office": "Lisbon"}, "+12125550178": None}
    done = apply(company.sandbox, document(numbers=fresh, rooms={"Lisbon/Lobby": {"phone_numbers": ["+12125550177"]}}))
    assert told(done) == [
        "create numbers +12125550177",
        "create numbers +12125550178",
        "change rooms Lisbon/Lobby: phone_numbers",
    ]
    found = export(company.sandbox)
    assert found["numbers"]["+12125550177"] == {"office": "Lisbon"}
    kept = {number: record for number, record in found["numbers"].items() if number != "+12125550178"}
    assert told(apply(company.sandbox, {**found, "numbers": kept}, prune=True)) == ["delete numbers +12125550178"]
    assert refused(company.sandbox, document(numbers={"+12125550177": {"office": "Head office"}})).places == [
        "numbers.+12125550177.office"
    ]


def test_numbers_that_cannot_be_had_are_named_with_their_place(company: Company):
    numbers = company.numbers
    wanted = wired(numbers)
    wanted["rooms"]["Lisbon/Lobby"]["phone_numbers"] = [numbers[0]]
    wanted["departments"]["Lisbon/Sales"]["phone_numbers"] = [numbers[5], numbers[5]]
    wanted["callcenters"]["Lisbon/Support"]["phone_numbers"] = ["+12125550179"]
    wanted["numbers"] = {"+442071838750": {}, "12": {}}
    assert refused(company.sandbox, wanted).places == [
        "callcenters.Lisbon/Support.phone_numbers[0]",
        "departments.Lisbon/Sales.phone_numbers[1]",
        "numbers.+442071838750",
        "numbers.12",
        "rooms.Lisbon/Lobby.phone_numbers[0]",
    ]
