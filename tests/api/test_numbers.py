"""Main lines: a number of the company's inventory is claimed by one office, and by one only."""

import pytest

from offhook.kit.errors import Conflict, Invalid
from offhook.kit.fiction import is_fictional
from tests.api.desk import OFFICES, WHOLE, Company, Desk, office


def test_a_sandbox_has_fictional_numbers_and_live_has_none(company: Company):
    assert len(company.numbers) == 100
    assert all(is_fictional(number) for number in company.numbers)
    made = company.sandbox.made(office(mainline_number=company.numbers[0]))
    assert made.office["phone_numbers"] == [company.numbers[0]]
    assert "no_number" not in made.codes
    answer = company.live.create(office(mainline_number=company.numbers[0]))
    assert answer.status == 400
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [("mainline_number", "notFound")]


def test_a_number_that_is_taken_is_409(company: Company):
    number = company.numbers[0]
    company.sandbox.made(office(mainline_number=number))
    for answer in (
        company.sandbox.create(office(mainline_number=number)),
        company.sandbox.dry(office(mainline_number=number)),
    ):
        assert answer.status == 409
        assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [("mainline_number", "conflict")]


def test_of_fifty_creates_that_ask_for_one_number_at_once_exactly_one_gets_it(company: Company):
    caller, number = company.sandbox, company.numbers[7]
    answers = caller.together(
        caller.sending("POST", OFFICES, office(name=f"N{index}", mainline_number=number)) for index in range(50)
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 49
    offices = caller.get(OFFICES).json["items"]
    assert len(offices) == 2
    assert [one["id"] for one in offices if one.get("phone_numbers") == [number]] == [
        next(answer.id for answer in answers if answer.status == 200)
    ]
    words = [(event["event"], event["subject_id"]) for event in caller.events()]
    assert words.count(("number.assigned", number)) == 1
    assert [word for word, _ in words].count("office.created") == 2


def test_each_of_fifty_creates_gets_the_number_it_asks_for(company: Company):
    caller = company.sandbox
    answers = caller.together(
        caller.sending("POST", OFFICES, office(mainline_number=number)) for number in company.numbers[:50]
    )
    assert [answer.office["phone_numbers"] for answer in answers] == [[number] for number in company.numbers[:50]]


def test_two_sandboxes_have_the_same_fictional_numbers_without_meeting(desk: Desk):
    one, other = desk.found(), desk.found()
    assert one.numbers == other.numbers
    for company in (one, other):
        assert company.sandbox.create(office(mainline_number=company.numbers[0])).status == 200


_SERIAL = iter(range(1000, 9999))


def _live_number() -> str:
    """A number that no test has used: live numbers are unique on a server."""
    return f"+1415781{next(_SERIAL)}"


def test_a_live_number_is_claimed_and_released(company: Company):
    number = company.add_number(_live_number())
    made = company.live.made(office(mainline_number=number))
    assert made.office["phone_numbers"] == [number]
    assert company.live.create(office(mainline_number=number)).status == 409
    company.live.delete(f"{WHOLE}/{made.id}")
    assert company.live.create(office(mainline_number=number)).status == 200


def test_anothers_number_is_unknown_rather_than_taken(desk: Desk):
    one, other = desk.found(), desk.found()
    number = one.add_number(_live_number())
    for _ in range(2):
        answer = other.live.create(office(mainline_number=number))
        assert answer.status == 400
        assert answer.errors[0]["reason"] == "notFound"
        one.live.create(office(mainline_number=number))


def test_a_live_number_rings_in_one_place_of_the_server(desk: Desk):
    one, other = desk.found(), desk.found()
    number = one.add_number(_live_number())
    for company in (one, other):
        with pytest.raises(Conflict):
            company.add_number(number)


@pytest.mark.parametrize("number", ["+14155550100", "4157811234", "+1415781", "nonsense", ""])
def test_what_cannot_ring_is_not_added_to_live(company: Company, number: str):
    with pytest.raises(Invalid):
        company.add_number(number)


def test_a_real_number_stays_out_of_a_sandbox(company: Company):
    with pytest.raises(Invalid):
        company.add_number(_live_number(), "sandbox")
