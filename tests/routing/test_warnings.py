"""What callers of a line would be lost by is said in the answer of the very change that made it so."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from offhook.directory.lines.model import Target
from offhook.directory.lines.wire import RoutingStateOut
from offhook.hours.model import Schedule
from offhook.kit.errors import Unavailable
from offhook.routing import model, warnings
from offhook.routing.compiling import routing_of
from offhook.routing.findings import CODES
from offhook.routing.verify import quick
from tests.api.desk import Answer, Api, Company, office, routing, state

V1, V2 = "/api/offhook/v1", "/api/v2"
DIRECTORY = routing(state(action="directory", try_dial_operators=False))
"""Callers are to find somebody by name, where nobody is."""

EMPTY = ("directory_empty", "routing_options.open")


def made(api: Api, kind: str, **body: Any) -> Answer:
    """A department, call center or call router of a new office."""
    answer = api.post(f"{V2}/{kind}", {"name": "Sales", "office_id": api.made().id, **body})
    assert answer.status == 200, answer
    return answer


def router(api: Api, **body: Any) -> Answer:
    primary = api.get(f"{V2}/offices/primary").json["id"]
    wanted = {"routing_url": "https://example.com/route", "default_target_type": "office", "default_target_id": primary}
    return made(api, "callrouters", **wanted | body)


def codes(answer: Answer) -> set[tuple[str, str]]:
    assert answer.status == 200, answer
    return answer.warned


@pytest.mark.parametrize("kind", ["departments", "callcenters"])
def test_a_group_that_loses_its_callers_is_warned_of(company: Company, kind: str):
    api = company.sandbox
    created = made(api, kind, routing_options=DIRECTORY)
    assert EMPTY in codes(created)
    path = f"{V2}/{kind}/{created.json['id']}"
    assert EMPTY not in codes(api.patch(path, {"routing_options": routing()}))
    assert EMPTY in codes(api.patch(path, {"routing_options": DIRECTORY}))


def test_an_office_that_loses_its_callers_is_warned_of(company: Company):
    api = company.sandbox
    id = api.made().id
    assert EMPTY in codes(api.put(f"{V1}/offices/{id}", office(routing_options=DIRECTORY)))
    assert EMPTY not in codes(api.put(f"{V1}/offices/{id}", office()))


def test_a_call_router_that_asks_nobody_is_warned_of(company: Company):
    api = company.sandbox
    created = router(api)
    assert "router_disabled" not in created.codes
    changed = api.patch(f"{V2}/callrouters/{created.json['id']}", {"enabled": False})
    assert ("router_disabled", "enabled") in codes(changed)


def test_what_the_rules_have_said_is_not_said_again(company: Company):
    api = company.sandbox
    days = ("monday", "tuesday", "wednesday", "thursday", "friday")
    never: dict[str, Any] = {"hours_on": True} | {f"{day}_hours": [] for day in days}
    answer = api.patch(f"{V2}/offices/{api.made().id}", never)
    assert [one.code for one in answer.warnings].count("never_open") == 1


KEY = {"input": "1", "options": {"action": "voicemail"}}


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        (state(dtmf=[KEY]), ("keys_unreachable", "routing_options.open.dtmf")),
        (state(action="scripted_ivr"), ("script_missing", "routing_options.open")),
    ],
)
def test_what_an_office_has_against_itself_is_said_at_its_creation_and_in_dry_runs(
    company: Company, options: Any, warning: tuple[str, str]
):
    api = company.sandbox
    body = office(name="Faro", routing_options=routing(options))
    tried = api.post(f"{V2}/offices", body, headers={"offhook-dry-run": "true"})
    assert warning in codes(tried)
    assert warning[0] in {one["code"] for one in tried.json["warnings"]}
    made = api.create(body)
    assert warning in codes(made)
    assert "Faro" in next(one.text for one in made.warnings if one.code == warning[0])
    path = f"{V1}/offices/{made.id}"
    assert warning in codes(api.put(path, body))
    assert warning not in codes(api.put(path, office(name="Faro")))


ACTIONS = ("disabled", "menu", "voicemail", "directory", "department", "scripted_ivr")
KEYS: tuple[list[Any], ...] = (
    [],
    [{"input": "1"}],
    [{"input": "12", "options": {"action": "voicemail"}}],
    [{"input": None, "options": {"action": "voicemail"}}],
    *([{"input": "1", "options": {"action": action}}] for action in ACTIONS),
    [{"input": "1", "options": {"action": "menu"}}, {"input": "2"}],
    [{}, {"input": "", "options": {"action": "operator"}}, {"input": "0", "options": {"action": "operator"}}],
    [{"input": str(key), "options": {"action": "operator"}} for key in range(9)],
    [{"input": "1", "options": {"action": "department", "action_target_type": "department", "action_target_id": "7"}}],
    [{"input": "3", "options": {"action": "operator"}}, {"input": "4", "options": {"action": "disabled"}}],
)


@pytest.mark.parametrize("script", ["", "support_line"])
def test_what_is_looked_at_shortly_is_what_a_walk_would_find(script: str):
    states = [
        msgspec.convert({"action": action, "try_dial_operators": tried, "dtmf": keys}, RoutingStateOut)
        for action in ACTIONS
        for keys in KEYS
        for tried in (True, False)
    ]
    plain = states[0]
    pairs = [*((one, plain) for one in states), *((plain, one) for one in states)]
    shortly = [told(*pair, script) for pair in pairs]
    assert shortly == [walked(*pair, script) for pair in pairs]
    assert {code for found in shortly for code, _, _ in found} == warnings.OWN - (
        {"script_missing"} if script else set()
    )


def told(opened: RoutingStateOut, closed: RoutingStateOut, script: str) -> set[tuple[str, str, str]]:
    """Codes, fields and texts for an office that sends calls so."""
    asked = {"workflow": script} if script else None
    made: Any = SimpleNamespace(name="Lisbon", open=opened, closed=closed, script=asked and SimpleNamespace(**asked))
    return {(one.code, one.field, one.text) for one in warnings.advice(made)}


def walked(opened: RoutingStateOut, closed: RoutingStateOut, script: str) -> set[tuple[str, str, str]]:
    """The same by a walk through the whole of a company that has nothing else."""
    target = Target("office", 1)
    hours = Schedule(ZoneInfo("UTC"), (((540, 1020),),) * 5 + ((), ()), always_open=False)
    line = model.Line(
        target, "Lisbon", 1, hours, routing_of(opened, "open"), routing_of(closed, "closed"), script=script
    )
    found = quick(model.Company(tenant_id=0, version=0, lines={target: line}), target, datetime(2026, 1, 5, tzinfo=UTC))
    return {(one.code, one.field, one.text) for one in found if one.code in warnings.OWN}


def test_what_a_whole_look_finds_is_said_once(company: Company):
    api = company.sandbox
    primary = str(company.office_ids["sandbox"])
    to_primary = {"action": "department", "action_target_type": "office", "action_target_id": primary}
    answer = api.create(office(routing_options=routing(state(dtmf=[KEY]), state(**to_primary))))
    assert [one.code for one in answer.warnings].count("keys_unreachable") == 1


def test_an_office_is_looked_at_at_its_creation_only_if_it_names_others(company: Company):
    api = company.sandbox
    assert EMPTY not in codes(api.create(office(routing_options=DIRECTORY)))
    primary = str(company.office_ids["sandbox"])
    user = {"office_id": primary, "email": "ana@example.com", "license": "agents"}
    ana = api.post(f"{V2}/users", user).json["id"]
    operators = [{"operator_type": "user", "operator_id": ana}]
    assert EMPTY in codes(api.create(office(routing_options=DIRECTORY, operators=operators)))
    to_primary = {"action": "department", "action_target_type": "office", "action_target_id": primary}
    for closed in (state(**to_primary), state(action="menu", dtmf=[{"input": "1", "options": to_primary}])):
        assert EMPTY in codes(api.create(office(routing_options=routing(DIRECTORY["open"], closed))))


@pytest.mark.parametrize("kind", ["departments", "callcenters"])
def test_a_new_line_is_not_blamed_for_operators_who_are_still_to_come(company: Company, kind: str):
    assert set(CODES) > warnings.LATER | warnings.OWN
    api = company.sandbox
    created = made(api, kind)
    assert created.codes & warnings.LATER == set()
    path = f"{V2}/{kind}/{created.json['id']}"
    assert api.patch(path, {"name": "Sale"}).codes == set()
    off, on = (routing(state(try_dial_operators=tried)) for tried in (False, True))
    assert "group_empty" not in api.patch(path, {"routing_options": off}).codes
    assert "group_empty" in api.patch(path, {"routing_options": on}).codes, "this request made it so"


def test_what_was_so_before_is_said_again_only_to_who_sends_it_again(company: Company):
    api = company.sandbox
    path = f"{V2}/departments/{made(api, 'departments', routing_options=DIRECTORY).json['id']}"
    assert EMPTY not in codes(api.patch(path, {"name": "Sale"}))
    assert EMPTY in codes(api.patch(path, {"routing_options": DIRECTORY}))


def test_what_the_rules_say_in_their_own_words_is_not_said_in_others(company: Company):
    api = company.sandbox
    ada = api.post(f"{V2}/contacts", {"first_name": "Ada", "last_name": "Lovelace"}).json["id"]
    to_ada = state(action="bridge_target", action_target_type="contact", action_target_id=ada)
    answer = made(api, "departments", routing_options=routing(to_ada))
    assert answer.codes == {"target_unreachable"}


def test_a_dry_run_and_an_answer_that_is_given_again_are_not_looked_at(company: Company, monkeypatch: Any):
    api = company.sandbox
    looked: list[object] = []

    def look(*given: Any) -> Any:
        looked.append(given)
        return quick(*given)

    monkeypatch.setattr(warnings, "quick", look)
    body = {"name": "Sales", "office_id": api.made().id, "routing_options": DIRECTORY}
    assert EMPTY not in codes(api.post(f"{V2}/departments", body, headers={"offhook-dry-run": "true"}))
    assert not looked
    assert company.tenant("sandbox") not in company.desk.offhook.snapshots._held
    first, again = (api.post(f"{V2}/departments", body, headers={"idempotency-key": "k"}) for _ in "12")
    assert again.headers["offhook-replayed"] == "true"
    assert EMPTY in codes(first)
    assert again.json == first.json
    assert len(looked) == 1


def test_a_change_that_is_refused_is_not_looked_at(company: Company, monkeypatch: Any):
    monkeypatch.setattr(warnings, "quick", lambda *_: pytest.fail("it was looked at"))
    assert company.sandbox.post(f"{V2}/departments", {"name": "Sales", "office_id": "1"}).status == 400


class Broken:
    """A store that cannot be read."""

    async def run(self, function: Any) -> Any:
        raise Unavailable("The store cannot be reached.")


def test_a_store_that_cannot_be_read_does_not_undo_the_change(company: Company, monkeypatch: Any):
    api = company.sandbox
    body = {"name": "Sales", "office_id": str(company.office_ids["sandbox"]), "routing_options": DIRECTORY}
    with monkeypatch.context() as broken:
        broken.setattr(company.desk.offhook.snapshots, "_reader", Broken())
        answer = api.post(f"{V2}/departments", body)
    assert EMPTY not in codes(answer)
    assert api.get(f"{V2}/departments/{answer.json['id']}").json["name"] == "Sales"
    assert EMPTY in codes(api.patch(f"{V2}/departments/{answer.json['id']}", {"routing_options": DIRECTORY}))


def test_nothing_is_said_of_what_a_kept_snapshot_does_not_have(company: Company, monkeypatch: Any):
    api = company.sandbox
    made(api, "departments")
    with monkeypatch.context() as broken:
        broken.setattr(company.desk.offhook.snapshots, "_reader", Broken())
        answer = router(api)
    assert answer.codes == router(api, name="Other").codes


def test_a_fault_of_verification_does_not_make_a_change_look_undone(company: Company, monkeypatch: Any):
    def fault(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(warnings, "quick", fault)
    answer = made(company.sandbox, "departments")
    assert answer.status == 200


def test_a_line_with_very_much_wrong_says_the_first_of_it(company: Company, monkeypatch: Any):
    monkeypatch.setattr(warnings, "MOST", 3)
    keys = [{"input": str(key), "options": {"action": "directory"}} for key in range(10)]
    menu = state(action="menu", dtmf=keys, try_dial_operators=False)
    answer = made(company.sandbox, "departments", routing_options=routing(menu))
    assert [one.code for one in answer.warnings].count("directory_empty") == 3


def test_an_operator_without_a_telephone_is_warned_of_when_they_join(company: Company):
    api = company.sandbox
    primary = str(company.office_ids["sandbox"])
    ana = api.post(f"{V2}/users", {"office_id": primary, "email": "ana@example.com", "license": "agents"}).json["id"]
    path = f"{V2}/departments/{made(api, 'departments').json['id']}/operators"
    body = {"operator_type": "user", "operator_id": ana}
    assert ("operators_unreachable", "operators") in codes(api.post(path, body))
    api.delete(path, body)
    assert api.post(f"{V1}/users/{ana}/devices", {"name": "Desk"}).status == 200
    assert codes(api.post(path, body)) == set()


def test_a_menu_whose_only_key_does_nothing_is_warned_of_once(company: Company):
    nothing = [{"input": "1", "options": {"action": "disabled"}}]
    answer = company.sandbox.create(office(routing_options=routing(state(action="menu", dtmf=nothing))))
    assert {"menu_without_keys", "menu_key_disabled"} <= answer.codes
    assert len(answer.warnings) == len(answer.codes)
