"""What only one may have at a time changes hands in one apply, however the file turns it around."""

from typing import Any

import pytest

from tests.api.desk import Api, Company
from tests.configuration.files import apply, document, export, plan, refused, told

USERS = "/api/v2/users"


def staff(company: Company, names: str, first: int = 101, **each: Any) -> None:
    """Users with the extensions `first` and those that follow, in the first office."""
    apply(
        company.live,
        document(
            offices={"Head office": {"licences": {"talk_lines": len(names.split()), "room_lines": 5}}},
            users={
                f"{name}@example.com": {"office": "Head office", "extension": first + index, **each}
                for index, name in enumerate(names.split())
            },
        ),
    )


def kept(api: Api) -> dict[str, Any]:
    """The users by first address."""
    return {one["emails"][0]: one for one in api.get(USERS).json["items"]}


def extensions(api: Api) -> dict[str, str]:
    return {email.partition("@")[0]: one["extension"] for email, one in kept(api).items()}


def users(**extension: int) -> dict[str, Any]:
    return document(users={f"{name}@example.com": {"extension": one} for name, one in extension.items()})


def test_two_users_exchange_their_extensions(company: Company):
    staff(company, "ana rui")
    before = len(company.live.events())
    wanted = users(ana=102, rui=101)
    planned = plan(company.live, wanted)
    assert [(one["key"], one["fields"]) for one in planned["changes"]] == [
        ("ana@example.com", [{"field": "extension", "before": "101", "after": "102"}]),
        ("rui@example.com", [{"field": "extension", "before": "102", "after": "101"}]),
    ]
    assert told(apply(company.live, wanted)) == told(planned)
    assert extensions(company.live) == {"ana": "102", "rui": "101"}
    # One change for each of them, from what they had to what they have.
    events = company.live.events()[before:]
    assert [(one["event"], one["before"]["extension"], one["after"]["extension"]) for one in events] == [
        ("user.updated", "101", "102"),
        ("user.updated", "102", "101"),
    ]
    assert apply(company.live, wanted)["changes"] == []
    assert (
        company.live.patch(f"{USERS}/{kept(company.live)['ana@example.com']['id']}", {"extension": "101"}).status == 409
    )


@pytest.mark.parametrize(
    "wanted", [{"ana": 102, "rui": 103, "eva": 101}, {"eva": 102, "ana": 103, "rui": 101}, {"rui": 103, "eva": 200}]
)
def test_extensions_go_round(embedded: Company, wanted: dict[str, int]):
    staff(embedded, "ana rui eva")
    apply(embedded.live, users(**wanted))
    expected = {"ana": 101, "rui": 102, "eva": 103} | wanted
    assert extensions(embedded.live) == {name: str(one) for name, one in expected.items()}


def test_everybody_moves_up_by_one(embedded: Company):
    names = [f"user{index}" for index in range(90)]
    staff(embedded, " ".join(names), first=201)
    wanted = {name: 202 + index for index, name in enumerate(names)}
    apply(embedded.live, users(**wanted))
    assert extensions(embedded.live) == {name: str(one) for name, one in wanted.items()}


def test_an_extension_of_somebody_who_keeps_it_is_not_given_away(embedded: Company):
    staff(embedded, "ana rui eva")
    answer = refused(embedded.live, users(ana=102, rui=103))
    assert answer.places == ["users.rui@example.com.extension"]
    assert extensions(embedded.live) == {"ana": "101", "rui": "102", "eva": "103"}


def test_an_exchange_with_a_fault_changes_nothing_and_names_that_fault_alone(embedded: Company):
    staff(embedded, "ana rui")
    events = embedded.live.events()
    wanted = users(ana=102, rui=101)
    wanted["users"]["rui@example.com"]["first_name"] = "a\nb"
    assert refused(embedded.live, wanted).places == ["users.rui@example.com.first_name"]
    wanted["users"]["rui@example.com"] = {"extension": 101, "colour": "blue"}
    assert refused(embedded.live, wanted).places == ["users.rui@example.com.colour"]
    assert extensions(embedded.live) == {"ana": "101", "rui": "102"}
    assert embedded.live.events() == events


def test_two_users_exchange_further_addresses(company: Company):
    def further(ana: str, rui: str) -> dict[str, Any]:
        return document(users={"ana@example.com": {"more_emails": [ana]}, "rui@example.com": {"more_emails": [rui]}})

    staff(company, "ana rui")
    apply(company.live, further("sales@example.com", "help@example.com"))
    apply(company.live, further("help@example.com", "Sales@example.com"))
    assert kept(company.live)["rui@example.com"]["emails"] == ["rui@example.com", "sales@example.com"]
    asked = company.live.get(f"{USERS}?email=sales@example.com").json["items"]
    assert [one["emails"][0] for one in asked] == ["rui@example.com"]


def test_two_users_exchange_the_addresses_they_are_called_by(company: Company):
    staff(company, "ana rui")
    apply(
        company.live,
        document(
            channels={"Desk": {"privacy_type": "public", "members": ["ana@example.com"]}},
            departments={"Head office/Sales": {"operators": ["rui@example.com"]}},
        ),
    )
    ids = {email: one["id"] for email, one in kept(company.live).items()}
    wanted = document(
        users={"ana@example.com": {"id": ids["rui@example.com"]}, "rui@example.com": {"id": ids["ana@example.com"]}},
        # The desk's member shall be who is called ana from now on.
        channels={"Desk": {"members": ["ana@example.com"]}},
    )
    apply(company.live, wanted)
    assert {email: one["id"] for email, one in kept(company.live).items()} == {
        "ana@example.com": ids["rui@example.com"],
        "rui@example.com": ids["ana@example.com"],
    }
    found = export(company.live)
    assert found["channels"]["Desk"]["members"] == ["ana@example.com"]
    # The operator is still the same person.
    assert found["departments"]["Head office/Sales"]["operators"] == ["ana@example.com"]
    again = document(**{**wanted, "users": {name: {"id": one["id"]} for name, one in kept(company.live).items()}})
    assert plan(company.live, again)["differs"] is False


def test_holders_exchange_their_numbers(company: Company):
    one, two, three = company.numbers[:3]
    holders = {"rooms": "Head office/Lobby", "departments": "Head office/Sales", "users": "ana@example.com"}

    def held(*numbers: list[str], **more: Any) -> dict[str, Any]:
        return document(
            **{
                section: {key: {"phone_numbers": numbers[index], **more.get(section, {})}}
                for index, (section, key) in enumerate(holders.items())
            }
        )

    apply(company.sandbox, held([one], [two], [three], users={"office": "Head office"}))
    for wanted in (held([two], [one], [three]), held([three], [two], [one]), held([one], [three], [two])):
        apply(company.sandbox, wanted)
        found = export(company.sandbox)
        for section, key in holders.items():
            assert found[section][key]["phone_numbers"] == wanted[section][key]["phone_numbers"]
        assert plan(company.sandbox, wanted)["differs"] is False


def test_two_rooms_exchange_their_names(embedded: Company):
    staff(embedded, "ana")
    apply(embedded.live, document(rooms={"Head office/Lobby": {}, "Head office/Bar": {}}))
    ids = {one["name"]: one["id"] for one in embedded.live.get("/api/v2/rooms").json["items"]}
    wanted = document(rooms={"Head office/Lobby": {"id": ids["Bar"]}, "Head office/Bar": {"id": ids["Lobby"]}})
    apply(embedded.live, wanted)
    now = {one["name"]: one["id"] for one in embedded.live.get("/api/v2/rooms").json["items"]}
    assert now == {"Lobby": ids["Bar"], "Bar": ids["Lobby"]}


def test_what_somebody_had_who_goes_is_given_to_another(company: Company):
    number = company.numbers[0]
    first = document(
        users={
            "ana@example.com": {"office": "Head office", "extension": 101, "more_emails": ["sales@example.com"]},
            "rui@example.com": {"office": "Head office"},
        },
        rooms={"Head office/Lobby": {"phone_numbers": [number]}},
    )
    apply(company.sandbox, first)
    rui = {"office": "Head office", "extension": 101, "more_emails": ["sales@example.com"], "phone_numbers": [number]}
    wanted = document(users={"rui@example.com": rui}, rooms={})
    assert {one["verb"] for one in apply(company.sandbox, wanted, prune=True)["changes"]} == {"change", "delete"}
    found = export(company.sandbox)
    assert found["users"] == {"rui@example.com": {**rui, "extension": "101"}}
    assert found["rooms"] == {}
    gone = [one for one in company.sandbox.events() if one["event"] == "user.deleted"]
    assert gone[0]["before"]["extension"] == "101"
