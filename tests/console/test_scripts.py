"""The workflow that a line hands calls to, on the line's page."""

import pytest

from tests.api.desk import Company, office, routing, state
from tests.console.lines import HOSTILE, department
from tests.console.visitor import Visitor

ASKS = routing(state(action="scripted_ivr", try_dial_operators=False), state(action="voicemail"))
DEFINITIONS = "/api/offhook/v1/workflows/definitions"


def register(company: Company, name: str = "welcome") -> None:
    task = {"name": "t", "taskReferenceName": "t", "type": "NOOP"}
    body = {"definition": {"name": name, "version": 1, "tasks": [task]}}
    assert company.sandbox.post(DEFINITIONS, body).status == 200


@pytest.fixture
def path(embedded: Company) -> str:
    """The page of an office whose calls are handed to a workflow while it is open."""
    register(embedded)
    return f"/console/offices/{embedded.sandbox.made(office(routing_options=ASKS)).id}"


def test_calls_that_are_handed_to_nobody_are_warned_of_until_a_workflow_is_attached(visitor: Visitor, path: str):
    page = visitor.get(path)
    warned = "Calls are handed to a workflow (while open), but none is attached"
    assert warned in page.part("script")
    answer = visitor.send(page, f"{path}/script", {"workflow": "welcome", "seconds": "8"})
    assert (answer.status, answer.headers["location"]) == (303, f"{path}#script")
    page = visitor.get(path)
    assert "Asked for the next step of a call: welcome , for up to 8 s each time." in page.part("script")
    assert "By the action “a script” while open." in page.part("script")
    assert warned not in page.part("script")
    assert 'href="/console/workflows/definitions/welcome"' in page.html
    answer = visitor.send(page, f"{path}/script/remove")
    assert answer.status == 303
    assert warned in visitor.get(path).part("script")


def test_a_department_has_its_own(visitor: Visitor, embedded: Company):
    register(embedded)
    path = f"/console/departments/{department(embedded)}"
    assert "None. A workflow can say" in visitor.get(path).part("script")
    visitor.send(visitor.get(path), f"{path}/script", {"workflow": "welcome"})
    assert "No action of this line asks it" in visitor.get(path).part("script")
    assert embedded.sandbox.get(f"/api/offhook/v1{path.removeprefix('/console')}/script").json == {
        "workflow": "welcome",
        "seconds": 5,
    }


def test_a_workflow_that_is_registered_no_more_is_said(visitor: Visitor, embedded: Company, path: str):
    visitor.send(visitor.get(path), f"{path}/script", {"workflow": "welcome"})
    assert embedded.sandbox.delete(f"{DEFINITIONS}/welcome?version=1").status == 200
    assert "welcome is not registered any more: calls that are handed to it" in visitor.get(path).part("script")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"workflow": "nowhere"}, "workflow", "No workflow of this name is registered"),
        ({"workflow": ""}, "workflow", "1"),
        ({"workflow": HOSTILE}, "workflow", "No workflow of this name is registered"),
        ({"workflow": "welcome", "seconds": "31"}, "seconds", "30"),
        ({"workflow": "welcome", "seconds": "soon"}, "seconds", "Must be"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    visitor: Visitor, path: str, fields: dict[str, str], field: str, words: str
):
    page = visitor.send(visitor.get(path), f"{path}/script", fields)
    assert page.status == 400
    assert words in page.html.partition(f'id="w-{field}-faults"')[2][:200]
    assert dict(page.form(f"{path}/script").values)["workflow"] == fields["workflow"]
    assert "<script>alert" not in page.html


def test_a_key_that_may_not_write_is_offered_no_form_and_refused(embedded: Company, path: str):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("offices:read", "directory:read", environment="sandbox").key)
    page = visitor.get(path)
    assert "none is attached" in page.part("script")
    assert f'action="{path}/script"' not in page.html
    token = dict(page.form(f"{path}/by-hand").values)["form-token"]
    values = [("form-token", token), ("workflow", "welcome")]
    assert visitor.ask("POST", f"{path}/script", values).status == 403


def test_another_company_s_line_is_given_no_workflow(visitor: Visitor, embedded: Company, path: str):
    foreign = embedded.desk.found().sandbox.made(office(name="Secret")).id
    values = [*visitor.get(path).form(f"{path}/script").values, ("workflow", "welcome")]
    page = visitor.ask("POST", f"/console/offices/{foreign}/script", values)
    assert page.status == 404
    assert "Secret" not in page.html
