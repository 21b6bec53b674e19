"""Real calls: the list, and one call told step by step as a simulated one is."""

import html
import re
from collections.abc import Iterator
from datetime import datetime

import pytest

from offhook.calls.wires import store as wires
from offhook.calls.wires.model import Wire, Wires
from offhook.directory.lines.model import Target
from offhook.routing.plan import Handed, HungUp, Incoming, Outgoing, Prompt, Recorded, Verb
from offhook.routing.trace import mark_of
from tests.api.desk import Company
from tests.conftest import at
from tests.console.lines import HOSTILE, TUESDAY, lisbon, lobby
from tests.console.visitor import Visitor

MOMENT = f"{TUESDAY}T20:00:00+00:00"
CLOSED_AT = int(datetime.fromisoformat(MOMENT).timestamp() * 1000)


class Telephone:
    """Carries out nothing: what happens, the test says."""

    def do(self, call_id: int, verbs: tuple[Verb, ...]) -> None:
        """Ring nobody."""


def begun(company: Company, id: str, caller: str = "+351210000001") -> int:
    """A call to an office after hours, which has come to the voicemail; its id."""
    first = Incoming(CLOSED_AT, caller, target=Target("office", int(id)))
    calls, tenant = company.desk.offhook.calls, company.tenant("sandbox")
    return company.desk.run(calls.begin(tenant, first, Telephone()))


def ended(company: Company, call: int) -> str:
    """The caller leaves a message of nine seconds; the call's id."""
    calls = company.desk.offhook.calls

    async def end() -> None:
        calls.happened(call, Recorded(CLOSED_AT + 20_000, 9))
        await calls.over(call)

    company.desk.run(end())
    return str(call)


def placed(company: Company, id: str, caller: str = "+351210000001") -> str:
    """Such a call from its beginning to its end; its id."""
    return ended(company, begun(company, id, caller))


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    """All of it is at eight in the evening."""
    with at(MOMENT):
        yield


def test_a_company_without_calls_is_told_what_will_stand_here(visitor: Visitor):
    assert "No call yet." in visitor.get("/console/calls").text


def test_the_list_says_who_called_and_what_became_of_it(visitor: Visitor, embedded: Company):
    id = placed(embedded, lisbon(embedded))
    page = visitor.get("/console/calls")
    assert re.search(r"Tue 24 Nov 2026, \d\d:\d\d \+351210000001 – Voicemail", page.text)
    assert f"/console/calls/{id}" in [one.get("href") for one in page.tags("a")]


@pytest.mark.parametrize(
    ("dialled", "words"), [("911", "911 emergency call"), ("933", "933 test of the emergency address")]
)
def test_a_call_for_help_and_a_test_of_it_are_listed_as_such(
    visitor: Visitor, embedded: Company, dialled: str, words: str
):
    first = Outgoing(CLOSED_AT, f"room:{lobby(embedded)}", dialled)
    calls, tenant = embedded.desk.offhook.calls, embedded.tenant("sandbox")
    id = embedded.desk.run(calls.begin(tenant, first, Telephone()))
    assert words in visitor.get("/console/calls").text
    calls.happened(id, HungUp(CLOSED_AT + 1_000))
    embedded.desk.run(calls.over(id))


@pytest.mark.parametrize(("dialled", "ends"), [("911", False), ("933", True)])
def test_nobody_is_offered_to_end_a_call_for_help(visitor: Visitor, embedded: Company, dialled: str, ends: bool):
    first = Outgoing(CLOSED_AT, f"room:{lobby(embedded)}", dialled)
    calls, tenant = embedded.desk.offhook.calls, embedded.tenant("sandbox")
    id = embedded.desk.run(calls.begin(tenant, first, Telephone()))
    for page in (visitor.get("/console/calls/live"), visitor.get(f"/console/calls/{id}")):
        assert ("Hang up now" in page.html) == ends
        assert ("A call for help" in page.text) != ends
    calls.happened(id, HungUp(CLOSED_AT + 1_000))
    embedded.desk.run(calls.over(id))


def test_who_calls_from_within_is_listed_by_name_and_refused_by_offhook(visitor: Visitor, embedded: Company):
    room = lobby(embedded)
    first = Outgoing(CLOSED_AT, f"room:{room}", "7")
    calls, tenant = embedded.desk.offhook.calls, embedded.tenant("sandbox")
    id = embedded.desk.run(calls.begin(tenant, first, Telephone()))
    page = visitor.get("/console/calls")
    assert "Lobby 7 Refused" in page.text
    assert f"room:{room}" not in page.text
    [listed] = embedded.sandbox.get("/api/offhook/v1/calls").json["items"]
    assert (listed["caller"], listed["caller_name"]) == (f"room:{room}", "Lobby")
    shown = visitor.get(f"/console/calls/{id}")
    assert "Offhook -&gt; Lobby refuses the call: Lobby dialled 7, which is nobody" in shown.part("ladder")
    assert "refused by Offhook" in shown.part("legs")


def test_nobody_from_outside_is_listed_by_the_name_of_one_within(visitor: Visitor, embedded: Company):
    room = lobby(embedded)
    id = placed(embedded, lisbon(embedded), f"room:{room}")
    page = visitor.get("/console/calls")
    assert (f"room%3A{room} –" in page.text, "Lobby" in page.text) == (True, False)
    assert f"room%3A{room} -&gt; Offhook" in visitor.get(f"/console/calls/{id}").part("ladder")


def test_who_is_in_a_call_that_lasts_is_told_since_when(visitor: Visitor, embedded: Company):
    call = begun(embedded, lisbon(embedded))
    text = visitor.get(f"/console/calls/{call}").part("legs")
    assert re.search(r"\+351210000001 0:00 – – not yet leaves a message", text), text
    ended(embedded, call)
    assert "left a message" in visitor.get(f"/console/calls/{call}").part("legs")


def test_a_call_under_way_is_in_the_list_and_told_as_far_as_it_is(visitor: Visitor, embedded: Company):
    call = begun(embedded, lisbon(embedded))
    assert "Under way: voicemail" in visitor.get("/console/calls").text
    assert "The caller was asked to leave a message for Lisbon." in visitor.get(f"/console/calls/{call}").part("story")
    ended(embedded, call)


def test_a_call_is_told_step_by_step_with_its_reasons(visitor: Visitor, embedded: Company):
    page = visitor.get(f"/console/calls/{placed(embedded, lisbon(embedded))}")
    text = page.part("story")
    assert "A call from +351210000001." in text
    assert "Lisbon was closed" in text
    assert "0:20 why A message of 9 s was left." in text
    assert "Voicemail , at Lisbon , after 0:20" in text
    assert "sequenceDiagram" in page.html


def test_a_long_list_goes_on_page_by_page(visitor: Visitor, embedded: Company):
    office = lisbon(embedded)
    made = [placed(embedded, office) for _ in range(51)]
    first = visitor.get("/console/calls")
    (onward,) = [one["href"] for one in first.tags("a") if one.get("rel") == "next"]
    rest = visitor.get(onward)
    seen = [re.findall(r"/console/calls/(\d+)", page.html) for page in (first, rest)]
    assert seen[0] + seen[1] == made[::-1]


def test_another_company_s_calls_are_not_there(visitor: Visitor, embedded: Company):
    other = embedded.desk.found()
    foreign = placed(other, lisbon(other))
    assert visitor.get(f"/console/calls/{foreign}").status == 404
    assert "No call yet." in visitor.get("/console/calls").text


def test_hostile_callers_and_names_are_words(visitor: Visitor, embedded: Company):
    id = placed(embedded, lisbon(embedded, name=HOSTILE), HOSTILE)
    call = begun(embedded, lisbon(embedded, name=HOSTILE + "2"), HOSTILE)
    for path in ("/console/calls", f"/console/calls/{id}", "/console/calls/live"):
        page = visitor.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert "&lt;script&gt;" in page.html
    ended(embedded, call)


def test_calls_under_way_stand_on_a_page_of_their_own_and_can_be_hung_up(visitor: Visitor, embedded: Company):
    assert "Nobody calls at the moment." in visitor.get("/console/calls/live").text
    call = begun(embedded, lisbon(embedded))
    page = visitor.get("/console/calls/live")
    assert "Leaving a message for Lisbon" in page.text
    assert f"/console/calls/{call}" in [one.get("href") for one in page.tags("a")]
    assert ("refresh", "15") in [(one.get("http-equiv"), one.get("content")) for one in page.tags("meta")]
    assert "http-equiv" not in visitor.get("/console/calls/live?still").html
    back = visitor.send(page, f"/console/calls/{call}/hangup")
    embedded.desk.run(embedded.desk.offhook.calls.over(call))
    assert (back.status, back.headers["location"]) == (303, "/console/calls/live")
    assert "Nobody calls at the moment." in visitor.get("/console/calls/live").text


def test_a_call_that_is_over_cannot_be_hung_up_and_the_page_says_so(visitor: Visitor, embedded: Company):
    call = begun(embedded, lisbon(embedded))
    before = visitor.get(f"/console/calls/{call}")
    ended(embedded, call)
    page = visitor.send(before, f"/console/calls/{call}/hangup")
    assert page.status == 409
    assert "is over" in page.text
    assert f"/console/calls/{call}/hangup" not in page.html


def test_who_may_only_read_calls_is_offered_no_hanging_up(embedded: Company):
    call = begun(embedded, lisbon(embedded))
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("calls:read", environment="sandbox").key)
    for path in ("/console/calls/live", f"/console/calls/{call}"):
        assert "hangup" not in visitor.get(path).html
    ended(embedded, call)


def test_a_call_is_drawn_between_its_parties_and_told_as_text(visitor: Visitor, embedded: Company):
    page = visitor.get(f"/console/calls/{placed(embedded, lisbon(embedded))}")
    [picture] = [one for one in page.tags("svg") if one.get("class") == "ladder"]
    assert picture["aria-label"].startswith("The call between +351210000001, Offhook;")
    text = page.part("ladder")
    assert "leaves a message of 9 s" in text
    assert "0:20.0 +351210000001 -&gt; Offhook leaves a message of 9 s" in text
    assert "+351210000001" in page.part("legs")


def test_a_key_that_may_not_see_calls_is_told_so(embedded: Company):
    visitor = Visitor(embedded.desk)
    visitor.sign_in(embedded.key("offices:read", environment="sandbox").key)
    page = visitor.get("/console/calls")
    assert page.status == 403
    assert "lacks the scope calls:read" in page.text


def test_that_beeps_stood_for_prompts_is_told_with_a_remedy(visitor: Visitor, embedded: Company):
    id = placed(embedded, lisbon(embedded))
    page = visitor.get(f"/console/calls/{id}")
    greeting = re.search(r"hears (\"[^\"]+\")", html.unescape(page.text))
    assert greeting is not None
    assert "Beeps" not in page.text
    assert "calls Lisbon" in page.text
    wire = Wire(began=CLOSED_AT, ended=CLOSED_AT + 30_000, cause="left", beeped=(mark_of(Prompt(greeting[1][1:-1])),))
    told = [Wires(tenant_id=embedded.tenant("sandbox"), call_id=int(id), wires=(wire,))]
    embedded.desk.transact(lambda tx: wires.put(tx, told))
    page = visitor.get(f"/console/calls/{id}")
    assert f"hears Beeps, in place of {greeting[1]}" in html.unescape(page.text)
    told_why = page.part("ladder")
    assert "could not be spoken or played in time" in told_why
    assert "install flite there; else prompt_heard_otherwise in its log says why." in told_why


def test_the_call_that_one_goes_on_as_is_linked(visitor: Visitor, embedded: Company):
    call, onward = begun(embedded, lisbon(embedded)), placed(embedded, lisbon(embedded, behind="Other", name="Porto"))
    calls = embedded.desk.offhook.calls
    calls.happened(call, Handed(CLOSED_AT + 5_000, onward))
    embedded.desk.run(calls.over(call))
    page = visitor.get(f"/console/calls/{call}")
    assert f"The call goes on as {onward} ." in page.part("story")
    assert f"/console/calls/{onward}" in [one.get("href") for one in page.tags("a")]
