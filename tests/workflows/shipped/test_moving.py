"""move_people: users and operators come to the other office, and who could not is named with the reason."""

from typing import Any

from tests.workflows.shipped.stage import V1, V2, House, broken, pretty

USERS_A_PAGE = 100


def offices_of(house: House) -> dict[str, str]:
    """The office of each user."""
    return {one["id"]: one["office_id"] for one in house.all(f"{V2}/users")}


def roles(house: House, office: str) -> dict[str, str]:
    """Who answers an office's main line, and as what."""
    found: list[Any] = house.get(f"{V2}/offices/{office}/operators").get("users", [])
    return {one["id"]: group["role"] for one in found for group in one["group_details"] if group["group_id"] == office}


def move(house: House, old: str, new: str, **more: Any) -> Any:
    return house.run("move_people", **{"from": old, "to": new}, **more)


def test_all_users_of_an_office_move_on_whatever_page_they_are(house: House) -> None:
    head, old, new = house.offices()[0]["id"], house.office("Old"), house.office("New")
    for office in (old, new):
        house.lines(office, USERS_A_PAGE + 1)
    first = house.user(old, "first")
    stays = [house.user(head, f"u{number}", telephone=False) for number in range(3)]
    people = [house.user(old, f"m{number}", telephone=False) for number in range(USERS_A_PAGE)]
    run = move(house, old, new)
    assert run["status"] == "COMPLETED", pretty(run)
    assert (run["output"]["moved"], run["output"]["stayed"]) == (USERS_A_PAGE + 1, 0)
    where = offices_of(house)
    assert {where[one] for one in (first, *people)} == {new}
    assert {where[one] for one in stays} == {head}


def test_operators_answer_the_new_main_line_as_what_they_were_and_the_old_one_no_more(house: House) -> None:
    head, old, new = house.offices()[0]["id"], house.office("Old"), house.office("New")
    house.lines(old, 1)
    house.lines(new, 1)
    boss, guest = house.user(old, "Boss"), house.user(head, "Guest")
    house.answering(old, boss, role="admin")
    house.answering(old, guest)
    house.answering(new, guest)
    run = move(house, old, new)
    assert run["status"] == "COMPLETED", pretty(run)
    assert roles(house, new) == {boss: "admin", guest: "operator"}
    assert roles(house, old) == {}
    assert run["output"]["operators"] == 2
    assert offices_of(house)[guest] == head


def test_who_could_not_be_moved_is_named_with_the_reason_and_goes_on_answering(house: House) -> None:
    old, new = house.office("Old"), house.office("New")
    house.lines(old, 3)
    house.lines(new, 2)
    people = [house.user(old, name) for name in ("Ana", "Rui", "Mia")]
    house.answering(old, *people)
    room = house.post(f"{V2}/rooms", {"name": "Lobby", "office_id": old})["id"]
    house.post(f"{V2}/offices/{old}/operators", {"operator_type": "room", "operator_id": room})
    run = move(house, old, new)
    assert run["status"] == "COMPLETED", pretty(run)
    done, where = run["output"], offices_of(house)
    stayed = [one for one in people if where[one] == old]
    assert (len(stayed), done["moved"], done["stayed"]) == (1, 2, 2)
    why = {(one["type"], one["id"]): one["why"] for one in done["failed"]}
    assert set(why) == {("user", stayed[0]), ("room", room)}
    assert "line" in why["user", stayed[0]]
    assert set(roles(house, old)) == set(stayed)
    assert set(roles(house, new)) == set(people) - set(stayed)


def test_a_failure_half_way_is_mended_by_running_it_again(house: House) -> None:
    old, new = house.office("Old"), house.office("New")
    for office in (old, new):
        house.lines(office, 2)
    people = [house.user(old, name) for name in ("Ana", "Rui")]
    house.answering(old, *people)
    with broken(house, lambda method, path: method == "DELETE" and path.endswith("/operators"), 4) as way:
        run = move(house, old, new, **way.given)
        assert run["status"] == "FAILED"
        house.post(f"{V1}/workflows/runs/{run['id']}/retry")
        assert house.ended(run["id"])["status"] == "COMPLETED"
    assert set(roles(house, new)) == set(people)
    assert roles(house, old) == {}
    assert set(offices_of(house).values()) == {new}


def test_one_office_is_not_two_and_one_that_is_not_there_is_refused(house: House) -> None:
    old = house.office("Old")
    same = move(house, old, old)
    assert (same["status"], same["reason"]) == ("FAILED", "Both offices are the same.")
    gone = move(house, old, "123456789")
    assert gone["status"] == "FAILED"
    assert "404" in gone["reason"]
    assert [one.get("attempt", 0) for one in gone["tasks"] if one["reference_name"] == "new"] == [0]


def test_offices_that_are_not_named_are_asked_for_before_anything_is_done(house: House) -> None:
    run = house.run("move_people")
    assert (run["status"], run["reason"]) == ("FAILED", "The inputs from and to are needed: the ids of two offices.")
    assert not [one for one in run["tasks"] if one["type"] == "HTTP"]
