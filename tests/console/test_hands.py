"""Opening and closing by hand, beside the status of a line."""

import pytest

from tests.api.desk import Company, office
from tests.conftest import at
from tests.console.lines import HOSTILE, TUESDAY, department, lisbon
from tests.console.visitor import Page, Visitor

NOON = f"{TUESDAY}T12:00:00+00:00"


@pytest.fixture
def id(embedded: Company) -> str:
    """An office that is open at noon."""
    return lisbon(embedded)


def sent(visitor: Visitor, path: str, **fields: str | None) -> Page:
    """The form of a line's page, filled in at noon."""
    with at(NOON):
        return visitor.send(visitor.get(path), f"{path}/by-hand", fields)


def shown(visitor: Visitor, path: str, moment: str = NOON) -> str:
    with at(moment):
        return visitor.get(path).text


def test_an_office_is_closed_until_a_moment_and_the_page_says_who_did_it_and_why(visitor: Visitor, id: str):
    path = f"/console/offices/{id}"
    answer = sent(visitor, path, do="closed", how="moment", until=f"{TUESDAY} 14:00", reason="Fire drill")
    assert (answer.status, answer.headers["location"]) == (303, path)
    text = shown(visitor, path)
    assert "Closed by hand with the key “" in text
    assert "until Tue 24 Nov 2026, 14:00: Fire drill" in text
    assert "by hand" not in shown(visitor, path, f"{TUESDAY}T14:00:00+00:00").replace("Open or close by hand", "")


def test_the_usual_length_is_until_the_hours_change_next(visitor: Visitor, id: str):
    sent(visitor, f"/console/offices/{id}", do="closed")
    assert "until Tue 24 Nov 2026, 17:00" in shown(visitor, f"/console/offices/{id}")


def test_what_was_done_by_hand_can_be_lifted(visitor: Visitor, id: str):
    path = f"/console/offices/{id}"
    sent(visitor, path, do="closed", how="lifted")
    assert "until it is lifted" in shown(visitor, path)
    with at(NOON):
        answer = visitor.send(visitor.get(path), f"{path}/by-hand/lift")
    assert (answer.status, answer.headers["location"]) == (303, path)
    assert "Lift it now" not in shown(visitor, path)


def test_a_department_is_opened_and_closed_on_its_page(visitor: Visitor, embedded: Company):
    path = f"/console/departments/{department(embedded)}"
    sent(visitor, path, do="closed", how="lifted", reason="Moving")
    assert "Closed by hand" in shown(visitor, path)
    assert ": Moving" in shown(visitor, path)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"how": "moment", "until": "later"}, "until", "Must be a moment"),
        ({"how": "moment", "until": ""}, "until", "Must be a moment"),
        ({"how": "moment", "until": f"{TUESDAY} 11:00"}, "until", "Must be after now"),
        ({"how": "lifted", "reason": "x" * 101}, "reason", "100"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_done(
    visitor: Visitor, id: str, fields: dict[str, str], field: str, words: str
):
    path = f"/console/offices/{id}"
    page = sent(visitor, path, do="closed", **fields)
    assert page.status == 400
    assert words in page.html.partition(f'id="h-{field}-faults"')[2][:200]
    assert dict(page.form(f"{path}/by-hand").values)["how"] == fields["how"]
    assert "Lift it now" not in shown(visitor, path)


def test_an_office_without_hours_ahead_is_not_opened_until_they_change(visitor: Visitor, embedded: Company):
    path = f"/console/offices/{embedded.sandbox.made(office(hours_on=False, monday_hours=None)).id}"
    page = sent(visitor, path, do="closed", how="change")
    assert "The hours have no change ahead." in page.html.partition('id="h-how-faults"')[2][:200]


def test_a_form_without_its_token_or_from_elsewhere_changes_nothing(visitor: Visitor, id: str):
    path = f"/console/offices/{id}"
    with at(NOON):
        page = visitor.get(path)
        assert visitor.send(page, f"{path}/by-hand", {"form-token": "0" * 64, "do": "closed"}).status == 403
        assert visitor.send(page, f"{path}/by-hand", {"do": "closed"}, origin="https://example.com").status == 403
        assert visitor.get(f"{path}/by-hand").status == 405
    assert "Lift it now" not in shown(visitor, path)


def test_a_key_that_may_not_write_is_refused_on_the_page(embedded: Company, id: str):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("offices:read", "directory:read", environment="sandbox").key)
    page = sent(visitor, f"/console/offices/{id}", do="closed")
    assert page.status == 403
    assert "lacks the scope offices:write" in page.html.partition('id="h-all-faults"')[2][:200]


def test_another_company_s_office_is_not_closed(visitor: Visitor, embedded: Company, id: str):
    foreign = embedded.desk.found().sandbox.made(office(name="Secret")).id
    with at(NOON):
        values = visitor.get(f"/console/offices/{id}").form(f"/console/offices/{id}/by-hand").values
        page = visitor.ask("POST", f"/console/offices/{foreign}/by-hand", [*values, ("do", "closed")])
    assert page.status == 404
    assert "Secret" not in page.html


def test_a_hostile_reason_is_words(visitor: Visitor, id: str):
    path = f"/console/offices/{id}"
    sent(visitor, path, do="closed", how="lifted", reason=HOSTILE)
    with at(NOON):
        assert "<script>alert" not in visitor.get(path).html
