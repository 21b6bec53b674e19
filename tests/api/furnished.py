"""A company that has one thing of each kind, and a body that is good for each operation: what proofs over all
operations need. Whatever is served and stands in no table here fails a test.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from msgspec.structs import replace

from offhook.access.model import Environment
from offhook.calls import store
from offhook.calls.legs.model import CallLeg
from offhook.calls.model import Kept
from offhook.calls.tapes import store as tapes
from offhook.calls.tapes.model import Kind, Tape
from offhook.catalog.runs import store as runs
from offhook.catalog.runs.model import Request, Run
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.routing.state import new_call
from tests.api.desk import ADDRESSES, WHOLE, Api, Company, full, office, routing, state
from tests.directory.recordings import BEEP

V2 = "/api/v2"
V1 = "/api/offhook/v1"
WORKFLOWS = f"{V1}/workflows"
DATE = "2026-12-24"
SECRET = "0123456789abcdef0123456789abcdef"
INSIDE = "https://10.0.0.1"
"""Where requests go that are to reach nobody: it is refused before anything is sent, and the run is kept."""
_SERIAL = count(1000)

Things = dict[str, str]
"""Ids (of numbers: E.164) by the name of the thing."""


@dataclass
class Furnished:
    """One environment of a company with a thing of each kind in it. `own` are their ids."""

    api: Api
    company: Company
    environment: Environment
    own: Things


def furnish(company: Company, environment: Environment) -> Furnished:
    """Make one of each kind. The user is in every group and team; the other one and the free number are in nothing."""
    api: Api = getattr(company, environment)
    primary = str(company.office_ids[environment])
    own: Things = {"primary": primary, "date": DATE, "version": "1"}

    def make(path: str, body: Any, field: str = "id") -> str:
        answer = api.post(path, body)
        assert answer.status == 200, (path, answer)
        return str(answer.json[field])

    lines = dict.fromkeys(("talk_lines", "sell_lines", "contact_center_lines", "room_lines"), 9)
    make(f"{WHOLE}/{primary}/licences", {**lines, "additional_number_lines": 9}, "office_id")
    own["office"] = api.made(office(name="Aside")).id
    make(f"{WHOLE}/{own['office']}/licences", {**lines, "additional_number_lines": 9}, "office_id")
    for name in ("user", "other", "admin"):
        body = {"office_id": primary, "email": f"{name}@example.com", "first_name": name, "license": "agents"}
        own[name] = make(f"{V2}/users", body)
    assert api.patch(f"{V2}/users/{own['admin']}", {"is_super_admin": True}).status == 200
    own["room"] = make(f"{V2}/rooms", {"name": "Lobby", "office_id": primary})
    own["department"] = make(f"{V2}/departments", {"name": "Sales", "office_id": primary})
    own["callcenter"] = make(f"{V2}/callcenters", {"name": "Support", "office_id": primary})
    own["callrouter"] = make(f"{V2}/callrouters", BODIES["callrouters.create"](own))
    own["channel"] = make(f"{V2}/channels", {**BODIES["channels.post"](own), "user_id": own["user"]})
    welcome = {"name": "welcome", "version": 1, "tasks": [{"name": "a", "taskReferenceName": "a", "type": "NOOP"}]}
    make(f"{V1}/workflows/definitions", {"definition": welcome}, "name")
    own["contact"] = make(f"{V2}/contacts", {"first_name": "Ada", "last_name": "Lovelace"})
    own["team"] = make(f"{V1}/coaching-teams", {"name": "New hires", "office_id": primary})
    make(f"{V2}/coachingteams/{own['team']}/members", {"member_id": own["user"], "role": "trainee"})
    for level in ("company", "office", "callcenter"):
        body = {**BODIES["accesscontrolpolicies.create"](own), "name": level, "target_type": level}
        own[f"{level}_policy"] = make(f"{V2}/accesscontrolpolicies", body)
    make(f"{V2}/accesscontrolpolicies/{own['company_policy']}/assign", {"user_id": own["user"]}, "user")
    for group in ("offices", "departments"):
        id = own[group.removesuffix("s")]
        make(f"{V2}/{group}/{id}/operators", {"operator_type": "user", "operator_id": own["user"]})
    make(f"{V2}/callcenters/{own['callcenter']}/operators", {"user_id": own["user"]})
    own["prompt"] = make(f"{V2}/customivrs", BODIES["ivr.create"](own))
    for path, thing in (
        (V2 + "/offices", "office"),
        (V2 + "/users", "user"),
        (V2 + "/rooms", "room"),
        (V2 + "/callrouters", "callrouter"),
        (V1 + "/departments", "department"),
        (V1 + "/callcenters", "callcenter"),
    ):
        own[f"{thing}_number"] = number = _number(company, environment)
        make(f"{path}/{own[thing]}/assign_number", {"number": number}, "number")
    own["number"] = own["user_number"]
    own["free_number"] = _number(company, environment)
    days = {"days": [{"date": DATE, "name": "Eve"}]}
    assert api.put(f"{WHOLE}/{own['office']}/special-days", days).status == 200
    own["device"] = make(f"{V1}/users/{own['user']}/devices", {})
    own["room_device"] = make(f"{V1}/rooms/{own['room']}/devices", {})
    own["trunk"] = make(f"{V1}/trunks", trunk("Carrier"))
    own["call"] = str(_call(company, environment, own["office_number"]))
    own["live_call"] = str(_call(company, environment, own["office_number"], live=True))
    for thing in _HEARD:
        own[f"{thing}_heard"] = str(api.get(f"{V1}/{thing}s/{own[thing]}/heard").json["items"][0]["id"])
    for kind in ("voicemail", "recording"):
        own[kind] = str(_tape(company, environment, kind, own))
    _workbench(company, environment, make, own)
    _workflows(api, make, own)
    return Furnished(api, company, environment, own)


def _workbench(company: Company, environment: Environment, make: Callable[..., str], own: Things) -> None:
    """What companies name themselves is a number here, so that it is found in answers as ids are."""
    own |= {thing: str(7_000_000_000 + next(_SERIAL)) for thing in ("api", "operation", "collection")}
    make(f"{V1}/apis", {"document": described(own["operation"]), "name": own["api"]}, "api")
    own["credential"] = make(f"{V1}/credentials", BODIES["offhook.credentials.create"](own) | {"name": own["api"]})
    own["request"] = make(f"{V1}/requests", BODIES["offhook.requests.create"](own) | {"name": own["api"]})
    for run in ("run", "other_run"):
        own[run] = str(_run(company, environment, own))
    own["example"] = make(f"{V1}/api-examples", BODIES["offhook.examples.create"](own) | {"name": own["api"]})


def _workflows(api: Api, make: Callable[..., str], own: Things) -> None:
    """A definition with a task that waits for somebody; runs of it that go on, are paused, are over; what starts it."""
    names = ("definition", "policy_of_tasks", "task_ref", "correlation")
    own |= {thing: str(7_000_000_000 + next(_SERIAL)) for thing in names}
    make(f"{WORKFLOWS}/definitions", {"definition": waiting(own["definition"], own["task_ref"])}, "name")
    make(f"{WORKFLOWS}/policies", {"policy": {"name": own["policy_of_tasks"], "retryCount": 1}}, "name")
    for run, become in (("workflow_run", None), ("paused_workflow_run", "pause"), ("over_workflow_run", "terminate")):
        body = {"workflow": own["definition"], "correlation_id": own["correlation"]}
        own[run] = make(f"{WORKFLOWS}/runs", body)
        own[f"task_of_{run}"] = str(api.get(f"{WORKFLOWS}/runs/{own[run]}").json["tasks"][0]["id"])
        if become is not None:
            make(f"{WORKFLOWS}/runs/{own[run]}/{become}", None)
    own["schedule"] = make(f"{WORKFLOWS}/schedules", {**BODIES["offhook.workflows.schedules.create"](own), **_CALLED})
    own["trigger"] = make(f"{WORKFLOWS}/triggers", {**BODIES["offhook.workflows.triggers.create"](own), **_CALLED})
    made = api.post(f"{WORKFLOWS}/hooks", {**BODIES["offhook.workflows.hooks.create"](own), **_CALLED}).json
    own |= {"hook": made["hook"]["id"], "hook_secret": made["secret"]}
    if api.desk.offhook.workflows.engines.conductor is not None:
        body = {"workflow": own["definition"], "correlation_id": own["correlation"], "engine": "conductor"}
        own["run_elsewhere"] = make(f"{WORKFLOWS}/runs", body)


_CALLED = {"name": "One"}


def trunk(name: str) -> dict[str, Any]:
    """A carrier with an address that is nobody else's."""
    number = next(_SERIAL)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {"name": name, "country": "US", "addresses": [address]}


def waiting(name: str, ref: str) -> dict[str, Any]:
    """A workflow definition with one task, which somebody has to complete."""
    task = {"name": ref, "taskReferenceName": ref, "type": "HUMAN"}
    return {"name": name, "version": 1, "schemaVersion": 2, "tasks": [task]}


def described(operation: str) -> str:
    """An API document with one operation of that name."""
    told = {"operationId": operation, "summary": f"Zebrafish {operation}", "responses": {"200": {"description": "ok"}}}
    return json.dumps({
        "openapi": "3.1.0",
        "info": {"title": f"Zebrafish of {operation}", "version": "1"},
        "servers": [{"url": INSIDE}],
        "paths": {f"/zebrafish/{operation}": {"get": told}},
    })  # fmt: skip


def _number(company: Company, environment: Environment) -> str:
    """A free number: a new one, or in a sandbox, which takes fictional ones only, one of its own."""
    if environment == "live":
        return company.add_number(f"+1925783{next(_SERIAL)}")
    return company.numbers[next(_SERIAL) % len(company.numbers)]


def _call(company: Company, environment: Environment, number: str, *, live: bool = False) -> int:
    """A call that was once, or goes on for ever: its id."""
    id, tenant_id = company.desk.ids.new(), company.tenant(environment)
    outcome = "" if live else "hung_up"
    state = replace(new_call(str(id), 1), phase="new" if live else "over", outcome=outcome, dialled=number)
    kept = Kept(
        id=id, tenant_id=tenant_id, began=1, ended=0 if live else 2, outcome=outcome, caller="+14155550100",
        dialled=number, state=state,
    )  # fmt: skip
    leg = CallLeg(
        id=id, tenant_id=tenant_id, call_id=id, direction="inbound", external="+14155550100", internal=number,
        state="hangup", began=1, ended=2,
    )  # fmt: skip
    company.desk.transact(lambda tx: store.Keep(store.row_of(kept, 2**52 if live else 0), (), legs=(leg,)).run(tx))
    return id


def _tape(company: Company, environment: Environment, kind: Kind, own: Things) -> int:
    """A message or a recording: its id."""
    tape = Tape(
        id=company.desk.ids.new(), tenant_id=company.tenant(environment), kind=kind, call_id=int(own["call"]),
        box=Target("office", int(own["office"])), office_id=int(own["office"]), who="", caller="+14155550100",
        name=token_urlsafe(24), milliseconds=1000, size=8044, digest="0" * 64, at=clock.milliseconds(clock.now()),
    )  # fmt: skip
    sound = Path(company.desk.offhook.settings.data) / "sound" / "kept" / tape.name[:2] / f"{tape.name}.wav"
    sound.parent.mkdir(parents=True, exist_ok=True)
    sound.write_bytes(bytes(tape.size))
    company.desk.transact(lambda tx: tapes.add(tx, tape))
    return tape.id


def _run(company: Company, environment: Environment, own: Things) -> int:
    """A run that was answered once: its id."""
    id, url = company.desk.ids.new(), f"{INSIDE}/zebrafish/{own['operation']}"
    run = Run(
        id=id, tenant_id=company.tenant(environment), started=1, by="key", state="done",
        request=Request(method="GET", url=url), url=url, api=own["api"], version="1", operation=own["operation"],
        status=200,
    )  # fmt: skip
    company.desk.transact(lambda tx: runs.put(tx, run, b"{}"))
    return id


# Bodies


def _routing(own: Things) -> dict[str, Any]:
    """Both states, which call the primary office: at once, and on a key."""
    called = {"action": "department", "action_target_type": "office", "action_target_id": own["primary"]}
    each = state(**called, dtmf=[{"input": "1", "options": called}])
    return routing(each, each)


def _assigned(own: Things) -> dict[str, Any]:
    return {"number": own["free_number"]}


def _held(thing: str) -> Callable[[Things], dict[str, Any]]:
    return lambda own: {"number": own[f"{thing}_number"]}


def _user_ref(own: Things) -> dict[str, Any]:
    return {"user_id": own["user"]}


def _other_ref(own: Things) -> dict[str, Any]:
    return {"user_id": own["other"]}


def _operator_ref(own: Things) -> dict[str, Any]:
    return {"operator_type": "user", "operator_id": own["user"]}


def _operator(own: Things) -> dict[str, Any]:
    return {"operator_type": "user", "operator_id": own["other"], "role": "admin"}


def _office(own: Things) -> dict[str, Any]:
    return full(routing_options=_routing(own), mainline_number=own["free_number"])


def _request(own: Things, **changes: Any) -> dict[str, Any]:
    """A request for the operation of the company's document, with its credential."""
    return {
        "api": own["api"], "operation": own["operation"], "method": "GET", "server": INSIDE,
        "path": f"/zebrafish/{own['operation']}", "credential_id": own["credential"], **changes,
    }  # fmt: skip


def _started(own: Things, **more: Any) -> dict[str, Any]:
    """What starts the workflow, by a name of its own."""
    return {"name": "One more", "workflow": own["definition"], **more}


LISBON = {"address": "Rua Garrett 1", "city": "Lisboa", "state": "Lisboa", "zip": "1200-203", "country": "PT"}


BODIES: dict[str, Callable[[Things], dict[str, Any]]] = {
    "numbers.assign_target_number.post": lambda own: {
        "target_type": "user", "target_id": own["other"], "number": own["free_number"],
    },
    "numbers.assign_number.post": lambda own: {"target_type": "user", "target_id": own["other"]},
    "numbers.swap_number.post": lambda own: {
        "target": {"target_type": "user", "target_id": own["user"]},
        "swap_details": {"type": "provided_number", "number": own["free_number"]},
    },
    "numbers.assign_office_number.post": _assigned,
    "numbers.office_unassign_number.post": _held("office"),
    "numbers.assign_user_number.post": _assigned,
    "numbers.user_unassign_number.post": _held("user"),
    "numbers.assign_room_number.post": _assigned,
    "numbers.room_unassign_number.post": _held("room"),
    "numbers.assign_call_router_number.post": _assigned,
    "offhook.callrouters.unassign_number": _held("callrouter"),
    "offhook.departments.assign_number": _assigned,
    "offhook.departments.unassign_number": _held("department"),
    "offhook.callcenters.assign_number": _assigned,
    "offhook.callcenters.unassign_number": _held("callcenter"),
    "rooms.post": lambda own: {"name": "Cellar", "office_id": own["primary"]},
    "rooms.patch": lambda own: {"name": "Attic", "phone_numbers": [own["room_number"]]},
    "callrouters.create": lambda own: {
        "name": "Decider", "office_id": own["primary"], "routing_url": "https://example.com/route",
        "default_target_type": "office", "default_target_id": own["primary"], "secret": SECRET,
    },
    "callrouters.update": lambda own: {
        "name": "Other", "office_id": own["primary"], "default_target_type": "office",
        "default_target_id": own["primary"],
    },
    "contacts.create": lambda own: {"first_name": "Bob", "last_name": "Ray", "owner_id": own["user"]},
    "contacts.create_with_uid": lambda own: {"first_name": "Eve", "last_name": "Ray", "uid": "eve"},
    "contacts.update": lambda own: {"job_title": "Countess"},
    "channels.post": lambda own: {
        "name": "Front desk", "description": "", "privacy_type": "public", "user_id": own["other"],
    },
    "channels.members.post": _other_ref,
    "channels.members.delete": _user_ref,
    "coaching_team.members.add": lambda own: {"member_id": own["other"], "role": "coach"},
    "offhook.coaching_teams.create": lambda own: {"name": "Late shift", "office_id": own["primary"]},
    "offhook.coaching_teams.update": lambda own: {"name": "Early shift", "office_id": own["primary"]},
    "accesscontrolpolicies.create": lambda own: {
        "name": "Hours", "owner_id": own["admin"], "permission_sets": ["business_hours_write"],
    },
    "accesscontrolpolicies.update": lambda own: {"name": "Days", "user_id": own["admin"]},
    "accesscontrolpolicies.assign": _other_ref,
    "accesscontrolpolicies.unassign": _user_ref,
    "users.create": lambda own: {"office_id": own["primary"], "email": "new@example.com", "license": "agents"},
    "users.update": lambda own: {
        "job_title": "Clerk", "office_id": own["primary"], "admin_office_ids": [own["primary"]],
        "phone_numbers": [own["user_number"]],
    },
    "call.transfer_call": lambda own: {"to": {"target_type": "office", "target_id": own["office"]}},
    "call.participants.add": lambda own: {"participant": {"target_type": "user", "target_id": own["user"]}},
    "call.unpark": lambda own: {"user_id": own["user"]},
    "call.call": lambda own: {"user_id": own["user"], "phone_number": "+14155550123"},
    "users.update_active_call": lambda own: {"is_recording": True},
    "offhook.voicemails.update": lambda own: {"read": True},
    "offhook.voicemails.link": lambda own: {"seconds": 60},
    "offhook.recordings.link": lambda own: {"seconds": 60},
    "users.toggle_dnd": lambda own: {"do_not_disturb": True, "group_type": "office", "group_id": own["office"]},
    "users.update_status": lambda own: {"status_message": "Lunch"},
    "users.move_office.patch": lambda own: {"office_id": own["office"]},
    "caller_id.users.post": lambda own: {"caller_id": own["user_number"]},
    "users.e911.update": lambda own: ADDRESSES["US"],
    "departments.create": lambda own: {
        "name": "Repairs", "office_id": own["primary"], "routing_options": _routing(own),
    },
    "departments.update": lambda own: {"name": "Sale", "routing_options": _routing(own)},
    "callcenters.create": lambda own: {"name": "Help", "office_id": own["primary"], "routing_options": _routing(own)},
    "callcenters.update": lambda own: {"name": "Helpers", "routing_options": _routing(own)},
    "offices.operators.post": _operator,
    "offices.operators.delete": _operator_ref,
    "departments.operators.post": _operator,
    "departments.operators.delete": _operator_ref,
    "callcenters.operators.post": _other_ref,
    "callcenters.operators.delete": _user_ref,
    "callcenters.operators.dutystatus": lambda own: {"on_duty": False, "duty_status_reason": "Lunch Time"},
    "callcenters.operators.skilllevel": lambda own: {"skill_level": 7},
    "ivr.create": lambda own: {
        "file": b64encode(BEEP).decode(), "ivr_type": "MENU", "target_type": "office", "target_id": own["office"],
    },
    "ivr_details.update": lambda own: {"name": "Evening"},
    "ivr.update": lambda own: {"ivr_id": own["prompt"]},
    "ivr.delete": lambda own: {"ivr_id": own["prompt"]},
    "offhook.users.devices.create": lambda own: {"type": "native", "name": "Laptop"},
    "offhook.users.devices.update": lambda own: {"name": "Desk", "enabled": False},
    "offhook.rooms.devices.create": lambda own: {"type": "polycom", "name": "Table"},
    "offhook.rooms.devices.update": lambda own: {"name": "Wall", "enabled": False},
    "offhook.trunks.create": lambda own: trunk("One more"),
    "offhook.trunks.update": lambda own: {"name": "Other", "most_calls": 2},
    "offhook.licences.buy": lambda own: {"talk_lines": 1},
    "offices.create": _office,
    "offices.update": lambda own: {"hours_on": False},
    "offices.e911.update": lambda own: LISBON,
    "offhook.offices.replace": lambda own: office(mainline_number=own["office_number"], routing_options=_routing(own)),
    "offhook.offices.days.set": lambda own: {"days": [{"date": DATE, "name": "Christmas Eve"}]},
    "offhook.offices.holidays.import": lambda own: {"years": [2026]},
    "offhook.offices.byhand.set": lambda own: {"status": "closed"},
    "offhook.departments.byhand.set": lambda own: {"status": "closed"},
    "offhook.callcenters.byhand.set": lambda own: {"status": "closed"},
    "offhook.offices.script.set": lambda own: {"workflow": "welcome"},
    "offhook.departments.script.set": lambda own: {"workflow": "welcome"},
    "offhook.callcenters.script.set": lambda own: {"workflow": "welcome"},
    "offhook.simulate": lambda own: {
        "target_type": "office", "target_id": own["primary"],
        "routers": [{"id": own["callrouter"], "target_type": "office", "target_id": own["primary"]}],
    },
    "offhook.apis.import": lambda own: {"document": described("1"), "name": "one-more"},
    "offhook.apis.reimport": lambda own: {"document": described(f"{own['operation']}0")},
    "offhook.requests.create": lambda own: {
        "name": "One more", "collection": own["collection"], "request": _request(own),
    },
    "offhook.requests.update": lambda own: {
        "name": "Other", "collection": own["collection"], "request": _request(own, method="PUT"),
    },
    "offhook.requests.from_curl": lambda own: {"curl": f"curl {INSIDE}/fish"},
    "offhook.requests.check": lambda own: {"request": _request(own)},
    "offhook.credentials.create": lambda own: {
        "name": "One more", "kind": "bearer", "hosts": ["10.0.0.1"], "token": SECRET,
    },
    "offhook.credentials.update": lambda own: {"token": SECRET[::-1]},
    "offhook.runs.create": lambda own: {"request": _request(own)},
    "offhook.examples.create": lambda own: {"run_id": own["run"], "name": "One more"},
    "offhook.workflows.definitions.register": lambda own: {"definition": waiting("one-more", own["task_ref"])},
    "offhook.workflows.definitions.validate": lambda own: {"definition": waiting("one-more", own["task_ref"])},
    "offhook.workflows.definitions.import": lambda own: {
        "kind": "simworkflow", "register": True,
        "definition": {"name": "Hello", "startTask": "Hi", "tasks": {"Hi": {"type": "Simple", "end": True}}},
    },
    "offhook.workflows.definitions.update": lambda own: {"definition": waiting(own["definition"], "other")},
    "offhook.workflows.definitions.add_task": lambda own: {"request": _request(own)},
    "offhook.workflows.policies.register": lambda own: {"policy": {"name": "one-more", "retryCount": 2}},
    "offhook.workflows.runs.start": lambda own: {"workflow": own["definition"], "input": {"a": 1}},
    "offhook.workflows.runs.terminate": lambda own: {"reason": "Not wanted."},
    "offhook.workflows.runs.rerun": lambda own: {"task_id": own["task_of_over_workflow_run"]},
    "offhook.workflows.runs.skip": lambda own: {"output": {"a": 1}},
    "offhook.workflows.runs.complete": lambda own: {"output": {"a": 1}},
    "offhook.workflows.schedules.create": lambda own: _started(own, cron="0 4 1 1 *", timezone="Europe/Lisbon"),
    "offhook.workflows.schedules.update": lambda own: _started(own, cron="0 5 1 1 *"),
    "offhook.workflows.triggers.create": lambda own: _started(own, events=["key.revoked"]),
    "offhook.workflows.triggers.update": lambda own: _started(own, events=["company.created"]),
    "offhook.workflows.hooks.create": lambda own: _started(own, headers=["X-One"]),
    "offhook.workflows.hooks.update": lambda own: _started(own, idempotency_header="X-Id"),
    "offhook.workflows.hooks.rotate_secret": lambda own: {},
}  # fmt: skip
"""By operation id: a body that is accepted, of a caller who owns these things."""

WITHOUT_BODY = frozenset({
    "plan.get", "plan.available_licenses.get", "numbers.get", "numbers.delete", "rooms.get", "rooms.delete",
    "callrouters.get", "callrouters.delete", "offhook.callrouters.get", "contacts.get", "contacts.delete",
    "offhook.contacts.get", "channels.get", "channels.delete", "channels.members.list", "coaching_team.list",
    "coaching_team.get", "coaching_team.members.get", "offhook.coaching_teams.delete",
    "offhook.coaching_teams.remove_member", "accesscontrolpolicies.get", "accesscontrolpolicies.delete",
    "accesscontrolpolicies.assignments", "users.get", "users.delete", "caller_id.users.get", "users.personas.get",
    "users.e911.get", "userdevices.get", "offhook.users.devices.list", "offhook.users.devices.get",
    "offhook.users.devices.delete", "offhook.rooms.devices.list", "offhook.rooms.devices.get",
    "offhook.rooms.devices.delete", "deskphones.users.list", "deskphones.users.get", "deskphones.users.delete",
    "deskphones.rooms.list", "deskphones.rooms.get", "deskphones.rooms.delete",
    "departments.list", "departments.get", "departments.delete",
    "callcenters.list", "callcenters.get", "callcenters.delete", "callcenters.status", "offices.operators.get",
    "departments.operators.get", "callcenters.operators.get", "callcenters.operators.get.dutystatus",
    "callcenters.operators.get.skilllevel", "offhook.prompts.get", "offhook.prompts.audio", "offhook.licences.get",
    "offices.get", "offices.e911.get", "offices.offdutystatuses.get", "offhook.offices.get", "offhook.offices.delete",
    "offhook.offices.periods", "offhook.offices.days.list", "offhook.offices.days.delete",
    "offhook.offices.byhand.get", "offhook.offices.byhand.lift", "offhook.departments.byhand.get",
    "offhook.departments.byhand.lift", "offhook.callcenters.byhand.get", "offhook.callcenters.byhand.lift",
    "offhook.offices.script.get", "offhook.offices.script.remove", "offhook.departments.script.get",
    "offhook.departments.script.remove", "offhook.callcenters.script.get", "offhook.callcenters.script.remove",
    *(f"offhook.{line}.heard{what}" for line in ("offices", "departments", "callcenters") for what in ("", "_audio")),
    "offhook.offices.coverage", "offhook.departments.coverage", "offhook.callcenters.coverage",
    "offhook.voicemails.get", "offhook.voicemails.delete", "offhook.voicemails.sound", "offhook.recordings.get",
    "offhook.recordings.delete", "offhook.recordings.sound", "call.get_call_info", "call.actions.hangup",
    "offhook.offices.verify", "offhook.departments.verify", "offhook.callcenters.verify", "offhook.calls.trace",
    "offhook.calls.ladder",
    "offhook.apis.get", "offhook.apis.delete", "offhook.apis.source", "offhook.apis.problems", "offhook.apis.versions",
    "offhook.apis.review", "offhook.apis.operations", "offhook.apis.operation", "offhook.apis.prepared",
    "offhook.requests.get", "offhook.requests.delete", "offhook.requests.versions.list",
    "offhook.requests.versions.get", "offhook.credentials.get", "offhook.credentials.delete", "offhook.runs.get",
    "offhook.runs.delete", "offhook.runs.cancel", "offhook.runs.compare",
    "offhook.examples.delete",
    "offhook.phones.get", "offhook.phones.new_password", "offhook.trunks.get", "offhook.trunks.delete",
    "offhook.workflows.definitions.by_api", "offhook.workflows.definitions.get", "offhook.workflows.definitions.delete",
    "offhook.workflows.definitions.versions", "offhook.workflows.definitions.graph",
    "offhook.workflows.definitions.export", "offhook.workflows.policies.get", "offhook.workflows.policies.delete",
    "offhook.workflows.runs.get", "offhook.workflows.runs.delete", "offhook.workflows.runs.attempts",
    "offhook.workflows.runs.attempt", "offhook.workflows.runs.graph", "offhook.workflows.runs.watch",
    "offhook.workflows.runs.pause", "offhook.workflows.runs.resume", "offhook.workflows.runs.retry",
    "offhook.workflows.runs.restart", "offhook.workflows.schedules.get", "offhook.workflows.schedules.delete",
    "offhook.workflows.schedules.pause", "offhook.workflows.schedules.resume", "offhook.workflows.schedules.run",
    "offhook.workflows.triggers.get", "offhook.workflows.triggers.delete", "offhook.workflows.triggers.pause",
    "offhook.workflows.triggers.resume", "offhook.workflows.hooks.get", "offhook.workflows.hooks.delete",
    "offhook.workflows.hooks.call",
})  # fmt: skip
"""The ids of the other operations that name something in their path."""

HEADERS: dict[str, Callable[[Things], dict[str, str]]] = {
    "offhook.workflows.hooks.call": lambda own: {"authorization": f"Bearer {own['hook_secret']}"},
}
"""By operation id: what is sent along instead of a key."""


# Paths

_OF_SEGMENT = {
    "accesscontrolpolicies": "company_policy", "callcenters": "callcenter", "callrouters": "callrouter",
    "call": "call", "calls": "call", "voicemails": "voicemail", "recordings": "recording",
    "channels": "channel", "coaching-teams": "team", "coachingteams": "team", "contacts": "contact",
    "departments": "department", "deskphones": "device",
    "offices": "office", "operators": "user", "prompts": "prompt", "rooms": "room",
    "phones": "device", "trunks": "trunk",
    "userdevices": "device", "users": "user", "apis": "api", "requests": "request", "credentials": "credential",
    "runs": "run",
    "api-examples": "example", "definitions": "definition", "policies": "policy_of_tasks", "schedules": "schedule",
    "triggers": "trigger", "hooks": "hook",
}  # fmt: skip
_OF_NAME = {
    "device_id": "device",
    "office_id": "office",
    "number": "number",
    "call_center_id": "callcenter",
    "user_id": "user",
    "member_id": "user",
    "ivr_id": "prompt",
    "target_id": "office",
    "date": "date",
    "key": "operation",
    "version_id": "version",
    "other_id": "other_run",
    "api": "api",
    "task_id": "task_of_workflow_run",
    "ref": "task_ref",
    "heard": "office_heard",
}
_RUNS = {
    "offhook.workflows.runs.resume": "paused_workflow_run",
    **dict.fromkeys(
        (f"offhook.workflows.runs.{what}" for what in ("watch", "delete", "retry", "restart", "rerun")),
        "over_workflow_run",
    ),
}
"""The runs of workflows that an operation is good for, where that is not one that goes on."""
_HEARD = ("office", "department", "callcenter")
"""What says something to callers."""

NOBODYS_OWN = frozenset({"date", "version", *(f"{thing}_heard" for thing in _HEARD)})
"""Things that mean the same to everybody."""
QUERIES = {
    "offhook.apis.review": "?before=1", "offhook.workflows.definitions.delete": "?version=1",
    "offhook.calls.watch": "?seconds=0",
}  # fmt: skip
"""What must stand behind a path, by operation id."""
WORDS = {"target_type": "office", "ivr_type": "MENU"}
"""What stands in a path and names nothing that is anybody's."""


def named(operation_id: str, path: str) -> dict[str, str]:
    """By parameter of a path: which thing stands there; KeyError for a parameter that is not known here."""
    segments, found = path.split("/"), {}
    for before, segment in pairwise(segments):
        if segment.startswith("{"):
            name = segment.strip("{}").partition(":")[0]
            if name not in WORDS:
                found[segment] = _OF_SEGMENT[before] if name in ("id", "parent_id", "name") else _OF_NAME[name]
    if path.startswith(f"{WORKFLOWS}/runs/{{id"):
        found["{id:text}" if "{id:text}" in found else "{id}"] = _RUNS.get(operation_id, "workflow_run")
    if "{heard}" in found:
        found["{heard}"] = f"{segments[4].removesuffix('s')}_heard"
    if operation_id == "numbers.assign_number.post":
        found["{number}"] = "free_number"
    if segments[3:4] == ["rooms"] or segments[4:5] == ["rooms"]:
        found = {segment: "room_device" if thing == "device" else thing for segment, thing in found.items()}
    return found


def filled(path: str, values: dict[str, str]) -> str:
    """A path template with what stands in each place."""
    for name, value in {**values, **{f"{{{name}}}": word for name, word in WORDS.items()}}.items():
        path = path.replace(name, value)
    return path
