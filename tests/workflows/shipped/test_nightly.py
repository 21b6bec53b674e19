"""nightly_check: it fails if an office loses callers, or could not be looked at, and says which."""

from tests.workflows.shipped.stage import House, broken, pretty

OFFICES_A_PAGE = 25


def lossy(house: House, name: str, head: str) -> str:
    """An office of whose operators none can answer."""
    office = house.office(name)
    house.answering(office, house.user(head, name, telephone=False))
    return office


def test_it_completes_when_every_office_can_be_reached(house: House) -> None:
    run = house.run("nightly_check")
    assert run["status"] == "COMPLETED", pretty(run)
    assert run["output"] == {"offices": 1, "unreachable": 0, "unverified": 0, "errors": [], "failed": []}


def test_it_fails_naming_the_offices_that_lose_callers_on_whatever_page(house: House) -> None:
    head = house.offices()[0]["id"]
    first = lossy(house, "First", head)
    for number in range(OFFICES_A_PAGE):
        house.office(f"Office {number}")
    last = lossy(house, "Last", head)
    run = house.run("nightly_check")
    assert run["status"] == "FAILED", pretty(run)
    assert run["reason"] == "Of 28 offices, 2 lose callers and 0 could not be verified: First, Last."
    found = {one["id"]: [each["code"] for each in one["findings"]] for one in run["output"]["errors"]}
    assert found == {first: ["operators_unreachable"], last: ["operators_unreachable"]}
    assert (run["output"]["offices"], run["output"]["unreachable"]) == (28, 2)


def test_it_fails_if_an_office_cannot_be_verified(house: House) -> None:
    office = house.office("Silent")
    with broken(house, lambda _, path: path.endswith(f"/{office}/verify")) as way:
        run = house.run("nightly_check", **way.given)
    assert run["status"] == "FAILED", pretty(run)
    assert "1 could not be verified: Silent" in run["reason"]
    assert [one["id"] for one in run["output"]["failed"]] == [office]
    assert "503" in run["output"]["failed"][0]["why"]


def test_warnings_count_if_that_is_asked_for(house: House) -> None:
    office = house.office("Lisbon")
    run = house.run("nightly_check", also=["no_number"])
    assert run["status"] == "FAILED", pretty(run)
    assert office in {one["id"] for one in run["output"]["errors"]}
