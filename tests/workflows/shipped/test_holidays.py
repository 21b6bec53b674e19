"""adopt_holidays: every office gets a year's public holidays, and what there is no data for is said."""

from tests.workflows.shipped.stage import V1, V2, House, broken, pretty

OFFICES_A_PAGE = 25


def test_every_office_adopts_the_holidays_of_its_country(house: House) -> None:
    for number in range(OFFICES_A_PAGE + 1):
        house.office(f"Office {number}")
    run = house.run("adopt_holidays", year=2027)
    assert run["status"] == "COMPLETED", pretty(run)
    done = run["output"]
    assert (done["offices"], done["failures"], done["failed"], done["without"]) == (OFFICES_A_PAGE + 2, 0, [], [])
    days = 0
    for office in house.offices():
        kept = house.get(f"{V1}/offices/{office['id']}/special-days")["days"]
        assert {one["date"][:4] for one in kept} == {"2027"}
        assert "2027-01-01" in {one["date"] for one in kept}
        days += len(kept)
    assert done["days"] == days
    assert {one["id"] for one in done["adopted"]} == {one["id"] for one in house.offices()}


def test_next_year_is_taken_unless_another_is_named(house: House) -> None:
    this_year = int(house.ask("GET", f"{V2}/company").headers["date"].split()[3])
    assert house.run("adopt_holidays")["output"]["year"] == this_year + 1


def test_a_region_is_that_of_an_office(house: House) -> None:
    head = house.offices()[0]["id"]
    run = house.run("adopt_holidays", year=2027, regions={head: "CA"})
    assert run["status"] == "COMPLETED", pretty(run)
    names = {one["name"] for one in house.get(f"{V1}/offices/{head}/special-days")["days"]}
    assert "Cesar Chavez Day" in names, names


def test_a_country_without_data_is_said_and_not_taken_for_one_without_holidays(house: House) -> None:
    office = house.office("Kyiv", country="UA", timezone="Europe/Kyiv")
    run = house.run("adopt_holidays", year=2027)
    assert run["status"] == "COMPLETED", pretty(run)
    assert run["output"]["without"] == [{"id": office, "name": "Kyiv"}]


def test_offices_that_are_refused_or_do_not_answer_are_named_and_the_others_have_their_days(house: House) -> None:
    head, wrong, silent, good = house.offices()[0]["id"], *(house.office(name) for name in ("Wrong", "Silent", "Good"))
    with broken(house, lambda _, path: f"/{silent}/holidays" in path) as way:
        run = house.run("adopt_holidays", year=2027, regions={wrong: "nowhere"}, **way.given)
    assert run["status"] == "FAILED"
    assert run["reason"] == "2 of 4 offices have not got their holidays."
    failed = {one["id"]: one["why"] for one in run["output"]["failed"]}
    assert set(failed) == {wrong, silent}
    assert "nowhere" in failed[wrong] or "region" in failed[wrong]
    assert "503" in failed[silent]
    for office, has in ((head, True), (wrong, False), (silent, False), (good, True)):
        assert bool(house.get(f"{V1}/offices/{office}/special-days")["days"]) is has
