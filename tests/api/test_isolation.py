"""Companies and environments do not see each other: what is another's is not there, to every operation."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from offhook.kit.operation import Operation
from offhook.kit.settings import Settings
from tests.api.desk import OFFICES, REMOVED, WHOLE, Answer, Company, Desk, full, office, placed
from tests.api.elsewhere import sharing
from tests.api.furnished import (
    BODIES,
    HEADERS,
    INSIDE,
    NOBODYS_OWN,
    QUERIES,
    V1,
    V2,
    WITHOUT_BODY,
    WORKFLOWS,
    Furnished,
    filled,
    furnish,
    named,
)
from tests.servers import PostgreSQL

NOBODYS = "1234567"
NO_NUMBER = "+19257839999"


class Scene:
    """A furnished company, and callers who may not know of it, who have the same things of their own."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # Those in another system's form are asked where that form is known: tests/workflows/conductor.
        self.operations: dict[str, Operation] = {one.id: one for one in desk.offhook.operations if one.dialect is None}
        self.owner: Furnished | None = None
        company, other = desk.found(), desk.found()
        self.company = furnish(company, "live")
        self.strangers = {
            "another company": furnish(other, "live"),
            "another company's sandbox": furnish(other, "sandbox"),
            "the company's own sandbox": furnish(company, "sandbox"),
        }

    @property
    def told(self) -> int:
        return len(self.company.api.events())


def _generous(data: str, **settings: Any) -> Settings:
    return Settings(data=data, access_log=False, benchmark=True, rate_limit_scale=1_000_000.0, **settings)


@pytest.fixture(scope="module")
def sqlite_scene(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    desk = Desk(runner, _generous(str(tmp_path_factory.mktemp("data"))))
    yield Scene(sharing(desk))
    desk.close()


@pytest.fixture(scope="module")
def postgresql_scene(
    runner: asyncio.Runner, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    with postgres.database() as url:
        desk = Desk(runner, _generous(str(tmp_path_factory.mktemp("data")), database_url=url))
        yield Scene(sharing(desk))
        desk.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def scene(request: pytest.FixtureRequest) -> Scene:
    found: Scene = request.getfixturevalue(f"{request.param}_scene")
    return found


# What the path names

PATHS = sorted({*BODIES, *WITHOUT_BODY})


def test_every_operation_that_names_something_is_asked(sqlite_scene: Scene):
    of_path = {one.id for one in sqlite_scene.operations.values() if "{" in one.path} - EVERYBODYS
    with_body = {one.id for one in sqlite_scene.operations.values() if one.body is not None} - BY_NAME - EVERYBODYS
    assert of_path | with_body == set(PATHS)
    assert with_body == set(BODIES)
    assert [one for one in READS if not sqlite_scene.operations[one].reads] == []


def _asked(caller: Furnished, one: Operation, path: str) -> Answer:
    body = BODIES[one.id](caller.own) if one.id in BODIES else None
    headers = HEADERS[one.id](caller.own) if one.id in HEADERS else {}
    return caller.api.send(one.method, path + QUERIES.get(one.id, ""), body, headers=headers)


@pytest.mark.parametrize("operation_id", PATHS)
def test_what_is_anothers_is_not_there(scene: Scene, operation_id: str):
    one = scene.operations[operation_id]
    things = named(one.id, one.path)
    theirs = {place: thing for place, thing in things.items() if thing not in NOBODYS_OWN}
    if not theirs:
        return
    before = scene.told
    for who, stranger in scene.strangers.items():
        # All ids are the other's, and each of them alone among the caller's own.
        for foreign in {tuple(theirs), *((place,) for place in theirs)}:
            values = {place: stranger.own[thing] for place, thing in things.items()}
            nobody = dict(values)
            for number, place in enumerate(foreign):
                values[place] = scene.company.own[things[place]]
                nobody[place] = NO_NUMBER if "number" in things[place] else f"{NOBODYS}{number}"
            answer = _asked(stranger, one, filled(one.path, values))
            assert answer.status == 404, (who, foreign, answer)
            never = _asked(stranger, one, filled(one.path, nobody))
            assert _anonymous(answer, values, foreign) == _anonymous(never, nobody, foreign), (who, foreign)
    assert scene.told == before


def _anonymous(answer: Any, values: dict[str, str], foreign: tuple[str, ...]) -> str:
    text: str = answer.response.text
    for place in foreign:
        text = re.sub(rf"(?<!\d){re.escape(values[place])}(?!\d)", place, text)
    return text


_CHANGES = "new_password delete remove remove_member lift cancel pause resume retry restart run call hangup".split()
READS = [one for one in PATHS if one not in BODIES and one.rpartition(".")[2] not in _CHANGES]


def _own(company: Furnished, one: Operation) -> Answer:
    things = named(one.id, one.path)
    return _asked(company, one, filled(one.path, {place: company.own[thing] for place, thing in things.items()}))


@pytest.mark.parametrize("operation_id", READS)
def test_it_is_there_for_its_owner(sqlite_scene: Scene, operation_id: str):
    answer = _own(sqlite_scene.company, sqlite_scene.operations[operation_id])
    assert answer.status == 200, answer


REMOVES = re.compile("delete|remove|unassign|swap|move")
CHANGES = sorted({*PATHS} - {*READS}, key=lambda one: (bool(REMOVES.search(one)), one))


WHILE_IT_LASTS = {
    "call.actions.hangup", "call.transfer_call", "call.participants.add", "call.unpark", "users.update_active_call",
    "call.call",
}  # fmt: skip
"""What needs a call under way, or telephones: tests/calls/legs does these."""


@pytest.mark.parametrize("operation_id", CHANGES)
def test_its_owner_may_do_what_others_may_not(sqlite_scene: Scene, operation_id: str):
    """So that the refusals above cannot come from the bodies.

    One owner does it all for as long as they have what is named; where that is gone or taken, a new one goes on.
    """
    one = sqlite_scene.operations[operation_id]
    answer = _own(sqlite_scene.owner, one) if sqlite_scene.owner else None
    if answer is None or 400 <= answer.status < 500:
        sqlite_scene.owner = furnish(sqlite_scene.desk.found(), "live")
        answer = _own(sqlite_scene.owner, one)
    assert answer.status == (409 if operation_id in WHILE_IT_LASTS else one.reply_status), answer


def test_a_contact_named_by_its_uid_is_its_companys(scene: Scene):
    body = {"first_name": "Eve", "last_name": "Ray", "uid": "same"}
    ids = [one.api.put(f"{V2}/contacts", body).json["id"] for one in (scene.company, *scene.strangers.values())]
    before = scene.told
    for stranger in scene.strangers.values():
        for path in (f"{V2}/contacts/{ids[0]}", f"{V1}/contacts/{ids[0]}"):
            answer = stranger.api.get(path)
            if stranger.company is scene.company.company:
                # The uid is in the id, so that the two environments have the same; each finds its own.
                assert answer.status == 200
                assert ids[0] == ids[-1]
            else:
                assert answer.status == 404
                assert stranger.api.patch(f"{V2}/contacts/{ids[0]}", {"job_title": "Spy"}).status == 404
    sandbox = scene.strangers["the company's own sandbox"].api
    assert sandbox.patch(f"{V2}/contacts/{ids[0]}", {"job_title": "Tester"}).status == 200
    assert "job_title" not in scene.company.api.get(f"{V2}/contacts/{ids[0]}").json
    assert scene.told == before


# What the body names

_REFERENCE = re.compile(r"(_id|_ids|number|numbers|workflow|saved_request)$")
NO_REFERENCE = {
    "forwarding_numbers": "any telephone in the world",
    "keep_paid_numbers": "a choice",
    "client_id": "who the company is to a service elsewhere",
    "correlation_id": "a name of the caller's own",
}
"""Fields that look like references and are none."""

IGNORED = {
    ("offhook.offices.replace", place)
    for place in ("operators[0].operator_id", "office_id", "billing.invoice_office_id", "phone_numbers")
} | {
    ("offhook.requests.check", "request.credential_id"), ("call.transfer_call", "to.number"),
    ("call.participants.add", "participant.number"), ("call.call", "group_id"), ("call.call", "phone_number"),
}  # fmt: skip
"""Taken and ignored, with a warning: operators stay as they are, and what is only shown is no wish. Checking a request
sends nothing, so it asks for no credential. Calls go to any telephone in the world, and for a user, not a group."""

_TARGETS = {
    "office": "primary", "department": "department", "callcenter": "callcenter", "user": "user", "room": "room",
    "callrouter": "callrouter", "channel": "channel", "contact": "contact", "coachinggroup": "team",
}  # fmt: skip
_ACTIONS = {"office": "department", "department": "department", "callcenter": "department", "user": "person"}
_TARGETS_OF = {
    "numbers.assign_target_number.post": ("office", "user", "room", "callrouter", "department", "callcenter"),
    "numbers.assign_number.post": ("office", "user", "room", "callrouter", "department", "callcenter"),
    "numbers.swap_number.post": ("office", "user", "room", "callrouter", "department", "callcenter"),
    "accesscontrolpolicies.assign": ("office", "callcenter"),
    "accesscontrolpolicies.unassign": ("office", "callcenter"),
    "ivr.create": ("office", "department", "callcenter", "user", "coachinggroup"),
    "offhook.simulate": tuple(_TARGETS),
    "call.transfer_call": ("office", "user", "department", "callcenter"),
    "call.participants.add": ("office", "user", "department", "callcenter"),
}
_ONE = {
    "office_id": "primary", "admin_office_ids": "primary", "owner_id": "admin", "user_id": "other",
    "member_id": "other", "ivr_id": "prompt", "number": "free_number", "mainline_number": "free_number",
    "phone_numbers": "user_number", "caller_id": "user_number", "outbound_caller_id": "user_number",
    "run_id": "run", "credential_id": "credential", "saved_id": "request", "saved_request": "request",
    "workflow": "definition", "task_id": "task_of_over_workflow_run",
}  # fmt: skip


def _fields(kind: Any, prefix: str = "") -> Iterator[str]:
    """The paths of the fields of a body that can name something; the first entry of a list stands for all."""
    if isinstance(kind, msgspec.inspect.StructType):
        for one in kind.fields:
            yield from _fields(one.type, f"{prefix}.{one.encode_name}" if prefix else one.encode_name)
    elif isinstance(kind, msgspec.inspect.UnionType):
        yield from dict.fromkeys(found for one in kind.types for found in _fields(one, prefix))
    elif isinstance(kind, msgspec.inspect.ListType | msgspec.inspect.VarTupleType | msgspec.inspect.SetType):
        yield from _fields(kind.item_type, f"{prefix}[0]")
    elif isinstance(kind, msgspec.inspect.Metadata):
        yield from _fields(kind.type, prefix)
    elif _REFERENCE.search(_leaf(prefix)):
        yield prefix


def _leaf(place: str) -> str:
    return place.rpartition(".")[2].removesuffix("[0]")


def _uses(operation_id: str, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The kinds of things that a field can name, each with what must be sent beside it, by place."""
    leaf, beside = _leaf(place), place.rpartition(".")[0]
    prefix = f"{beside}." if beside else ""
    if leaf == "operator_id":
        yield from ((kind, {f"{prefix}operator_type": kind}) for kind in ("user", "room"))
    elif leaf == "group_id":
        yield from ((kind, {f"{prefix}group_type": kind}) for kind in ("office", "department", "callcenter"))
    elif leaf == "default_target_id":
        for kind, thing in _TARGETS.items():
            if kind != "contact":
                yield thing, {"default_target_type": kind}
    elif leaf == "action_target_id":
        for kind, thing in _TARGETS.items():
            action = _ACTIONS.get(kind, "bridge_target")
            yield thing, {f"{prefix}action": action, f"{prefix}action_target_type": kind}
    elif leaf == "target_id":
        for kind in _TARGETS_OF[operation_id]:
            word = "coachingteam" if kind == "coachinggroup" else kind
            yield _TARGETS[kind], {f"{prefix}target_type": word}
    elif leaf == "device_id":
        yield "device", {}
    elif leaf == "call_id":
        yield "call", {f"{prefix}target_type": REMOVED, f"{prefix}target_id": REMOVED}
    elif leaf == "saved_request":
        yield "request", {"request": REMOVED}
    else:
        yield _ONE[leaf], {}


@pytest.mark.parametrize("operation_id", sorted(BODIES))
def test_what_is_anothers_cannot_be_named(scene: Scene, operation_id: str):
    one = scene.operations[operation_id]
    places = [place for place in _fields(msgspec.inspect.type_info(one.body)) if _leaf(place) not in NO_REFERENCE]
    before = scene.told
    for place in places:
        for thing, others in () if (one.id, place) in IGNORED else _uses(one.id, place):
            for who, stranger in scene.strangers.items():
                good = BODIES[one.id](stranger.own)
                for other, value in others.items():
                    good = placed(good, other, value)
                own = dict(stranger.own)
                if "policies" in one.id and "target_type" in others:
                    own["company_policy"] = own[f"{others['target_type']}_policy"]
                path = filled(one.path, {name: own[known] for name, known in named(one.id, one.path).items()})
                foreign, never = scene.company.own[thing], NO_NUMBER if "number" in thing else NOBODYS
                answer = stranger.api.send(one.method, path, placed(good, place, foreign))
                nobody = stranger.api.send(one.method, path, placed(good, place, never))
                where = (who, place, thing)
                assert answer.status in (400, 404), (where, answer)
                if answer.status == 400:
                    assert place in answer.places, (where, answer)
                known, unknown = {place: foreign}, {place: never}
                assert _anonymous(answer, known, (place,)) == _anonymous(nobody, unknown, (place,)), where
    assert scene.told == before


def test_what_is_only_shown_says_nothing_of_another(sqlite_scene: Scene):
    foreign, operation = sqlite_scene.company.own, sqlite_scene.operations["offhook.offices.replace"]
    for stranger in sqlite_scene.strangers.values():
        path = operation.path.replace("{id}", str(stranger.own["office"]))
        body = BODIES[operation.id](stranger.own)
        pairs = ({"office_id": foreign["office"], "phone_numbers": [foreign["user_number"]]},
                 {"office_id": NOBODYS, "phone_numbers": [NO_NUMBER]})  # fmt: skip
        answers = [stranger.api.put(path, body | pair) for pair in pairs]
        assert [answer.status for answer in answers] == [200, 200]
        assert {("read_only", "office_id"), ("read_only", "phone_numbers")} <= answers[0].warned
        assert answers[0].warned == answers[1].warned


def test_the_fields_that_can_name_something_are_found(sqlite_scene: Scene):
    kind = msgspec.inspect.type_info(sqlite_scene.operations["offices.create"].body)
    routed = [f"{state}.{way}" for state in ("open", "closed") for way in ("", "dtmf[0].options.")]
    assert set(_fields(kind)) == {
        "mainline_number",
        "operators[0].operator_id",
        *(f"routing_options.{one.removesuffix('.')}.action_target_id".replace("..", ".") for one in routed),
    }


@pytest.mark.parametrize("place", ["api", "operation", "credential_id"])
def test_a_request_that_is_checked_or_run_says_nothing_of_anothers(scene: Scene, place: str):
    thing = place.removesuffix("_id")
    for stranger in scene.strangers.values():
        for path in ("requests/check", "runs"):
            texts = []
            for value in (scene.company.own[thing], NOBODYS):
                body = placed(BODIES["offhook.runs.create"](stranger.own), f"request.{place}", value)
                answer = stranger.api.post(f"{V1}/{path}", body)
                text = answer.response.text
                if path == "runs" and answer.status == 200:
                    # It names what is another's because it was told to, which the lists below are not to find.
                    assert stranger.api.delete(f"{V1}/runs/{answer.json['id']}").status == 200
                for varying in ('"id":"[0-9]+"', '"started":"[^"]+"', '"whole":[0-9.]+'):
                    text = re.sub(varying, "", text)
                texts.append(re.sub(rf"(?<!\d){value}(?!\d)", place, text))
            assert texts[0] == texts[1]


def test_the_name_of_anothers_api_document_is_free(scene: Scene):
    own = scene.company.own
    for stranger in scene.strangers.values():
        body = BODIES["offhook.apis.import"](own) | {"name": own["api"]}
        assert stranger.api.post(f"{V1}/apis", body, headers={"offhook-dry-run": "true"}).status == 200
        credential = BODIES["offhook.credentials.create"](own) | {"name": own["api"]}
        assert stranger.api.post(f"{V1}/credentials", credential, headers={"offhook-dry-run": "true"}).status == 200


_NAMING: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "SUB_WORKFLOW": lambda workflow, _: {"subWorkflowParam": {"name": workflow}},
    "START_WORKFLOW": lambda workflow, _: {"inputParameters": {"startWorkflow": {"name": workflow}}},
    "HTTP": lambda _, credential: {
        "inputParameters": {"uri": f"{INSIDE}/fish", "method": "GET", "credential": credential},
    },
}
"""Tasks that name a workflow, or a credential."""


@pytest.mark.parametrize("kind", _NAMING)
def test_a_run_finds_no_workflow_and_no_credential_of_another(scene: Scene, kind: str):
    own, nobody = scene.company.own, NOBODYS
    for stranger in scene.strangers.values():
        told = []
        for workflow, credential in ((own["definition"], own["api"]), (nobody, nobody)):
            task = {"name": "a", "taskReferenceName": "a", "type": kind, **_NAMING[kind](workflow, credential)}
            raw = {"name": "one-more", "version": 1, "schemaVersion": 2, "tasks": [task]}
            run = _ended(stranger, {"definition": raw})
            assert run["status"] == "FAILED", run
            reason = run["tasks"][0]["reason"]
            assert workflow in reason or credential in reason
            told.append(reason.replace(workflow, "ONE").replace(credential, "ONE"))
            # It names what is another's because it was told to, which the lists below are not to find.
            assert stranger.api.delete(f"{WORKFLOWS}/runs/{run['id']}").status == 200
        assert told[0] == told[1]


def test_a_run_finds_the_workflow_of_its_company(sqlite_scene: Scene):
    company = furnish(sqlite_scene.desk.found(), "live")
    named = _NAMING["START_WORKFLOW"](company.own["definition"], "")
    task = {"name": "a", "taskReferenceName": "a", "type": "START_WORKFLOW", **named}
    run = _ended(company, {"definition": {"name": "one-more", "version": 1, "schemaVersion": 2, "tasks": [task]}})
    assert run["status"] == "COMPLETED", run


def _ended(caller: Furnished, body: dict[str, Any]) -> Any:
    """The run that is started with that body, once it is over."""
    started = caller.api.post(f"{WORKFLOWS}/runs", body)
    assert started.status == 200, started
    until = time.monotonic() + 20
    while True:
        run = caller.api.get(f"{WORKFLOWS}/runs/{started.json['id']}").json
        if "ended_at" in run:
            return run
        assert time.monotonic() < until, run
        caller.company.desk.run(asyncio.sleep(0.01))


def test_an_import_names_no_office_of_another(scene: Scene):
    for stranger in scene.strangers.values():
        office_ids = (scene.company.own["office"], NOBODYS)
        texts = []
        for office_id in office_ids:
            number = NO_NUMBER if stranger.environment == "live" else "+19075550100"
            content = msgspec.json.encode({"number": number, "office_id": office_id})
            headers = {"content-type": "application/x-ndjson"}
            answer = stranger.api.post(f"{V1}/numbers/import", content=content, headers=headers)
            assert answer.json["refused"] == 1, answer
            texts.append(answer.response.text.replace(office_id, "ID"))
        assert texts[0] == texts[1]
        assert '"location":"office_id"' in texts[0]


# Lists


LISTS = [
    f"{V2}/{name}"
    for name in (
        "offices", "users?state=all", "rooms", "departments", "callcenters", "callrouters", "channels?state=deleted",
        "channels", "contacts?include_local=true", "coachingteams", "accesscontrolpolicies?include_deleted=true",
        "numbers", "userdevices", "call",
    )
] + [
    f"{V1}/{name}"
    for name in (
        "prompts", "events?limit=500", "calls", "calls/live", "calls/live/events?seconds=0",
        "voicemails", "recordings", "coverage", "apis",
        "api-operations?q=zebrafish", "requests",
        "request-collections", "credentials", "runs", "api-examples?api={api}&operation={operation}",
        "workflows/definitions", "workflows/policies", "workflows/runs", "workflows/schedules", "workflows/triggers",
        "workflows/hooks", "workflows/runs?engine=conductor", "phones", "trunks",
    )
]  # fmt: skip
NO_LIST = {
    "company.get", "offices.primary.get", "custom_ivrs.get", "offhook.configuration.get",
    "offhook.workflows.schedules.preview", "offhook.workflows.shipped.list",
}  # fmt: skip
EVERYBODYS = {"offhook.workflows.shipped.take", "offhook.sounds.get"}
"""What names things that come with Offhook, and nothing of a company's; and links that are for whoever has them."""

BY_NAME = {"offhook.configuration.plan", "offhook.configuration.apply"}
"""What knows things by their names; tests/configuration asks it for another company's."""


def test_every_list_is_asked(sqlite_scene: Scene):
    read = {one.path for one in sqlite_scene.operations.values() if one.method == "GET" and "{" not in one.path}
    others = {sqlite_scene.operations[id].path for id in NO_LIST}
    assert read - others == {path.partition("?")[0] for path in LISTS}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_holds_only_ones_own(scene: Scene, path: str):
    ids = {value for name, value in scene.company.own.items() if name not in NOBODYS_OWN}
    path = path.format(**scene.company.own)
    for stranger in scene.strangers.values():
        answer = stranger.api.get(path)
        assert answer.status == 200
        assert not ids & set(re.findall(r"\+?\d+", answer.response.text))
    if "deleted" not in path:
        assert ids & set(re.findall(r"\+?\d+", scene.company.api.get(path).response.text)), "the owner's own list"


FILTERS = [
    (f"{V2}/rooms?office_id=", "primary"),
    (f"{V2}/departments?office_id=", "primary"),
    (f"{V2}/callcenters?office_id=", "primary"),
    (f"{V2}/callrouters?office_id=", "primary"),
    (f"{V2}/contacts?include_local=true&owner_id=", "user"),
    (f"{V2}/userdevices?user_id=", "user"),
    (f"{V2}/users?number=", "user_number"),
    (f"{V2}/customivrs?target_type=office&target_id=", "office"),
    (f"{V1}/requests?collection=", "collection"),
    (f"{V1}/requests?api=", "api"),
    (f"{V1}/requests?operation=", "operation"),
    (f"{V1}/runs?api=", "api"),
    (f"{V1}/runs?operation=", "operation"),
    (f"{V1}/api-operations?q=zebrafish&api=", "api"),
    *((f"{WORKFLOWS}/{one}?workflow=", "definition") for one in ("runs", "schedules", "triggers", "hooks")),
    (f"{WORKFLOWS}/runs?correlation_id=", "correlation"),
    (f"{WORKFLOWS}/runs?engine=conductor&workflow=", "definition"),
]


@pytest.mark.parametrize(("path", "thing"), FILTERS, ids=[path for path, _ in FILTERS])
def test_a_search_for_what_is_anothers_finds_nothing(scene: Scene, path: str, thing: str):
    foreign, never = scene.company.own[thing], NO_NUMBER if "number" in thing else NOBODYS
    for stranger in scene.strangers.values():
        answer, nobody = stranger.api.get(path + foreign[0:]), stranger.api.get(path + never)
        assert answer.status == nobody.status
        assert answer.response.text.replace(foreign, "ID") == nobody.response.text.replace(never, "ID")
        assert stranger.api.get(path + stranger.own[thing]).json.get("items") or "owner_id" in path


def test_people_of_another_company_are_not_found_by_their_address(scene: Scene):
    changed = scene.company.api.patch(f"{V2}/users/{scene.company.own['user']}", {"emails": ["only@a.example"]})
    assert changed.status == 200
    for stranger in scene.strangers.values():
        assert "items" not in stranger.api.get(f"{V2}/users?email=only@a.example").json
        body = {"office_id": stranger.own["primary"], "email": "only@a.example", "license": "agents"}
        assert stranger.api.post(f"{V2}/users", body, headers={"offhook-dry-run": "true"}).status == 200


def test_a_cursor_of_one_company_is_none_of_another(scene: Scene):
    for _ in range(101):
        scene.company.api.post(f"{V2}/rooms", {"name": "Room", "office_id": scene.company.own["primary"]})
    cursor = scene.company.api.get(f"{V2}/rooms").json["cursor"]
    assert scene.company.api.get(f"{V2}/rooms?cursor={cursor}").status == 200
    for stranger in scene.strangers.values():
        assert stranger.api.get(f"{V2}/rooms?cursor={cursor}").status == 400


def test_nobody_else_can_keep_an_office_from_being_deleted(company: Company, desk: Desk):
    made = company.live.made(office()).id
    for caller in (desk.found().live, company.sandbox):
        body = {"name": "Sales", "office_id": "0", "routing_options": None}
        assert caller.post(f"{V2}/departments", {**body, "office_id": made}).places == ["office_id"]
    assert company.live.delete(f"{WHOLE}/{made}").status == 200


def test_the_primary_offices_of_the_two_environments_are_their_own(company: Company):
    live, sandbox = (str(company.office_ids[name]) for name in ("live", "sandbox"))
    assert live != sandbox
    company.live.patch(f"{OFFICES}/{live}", {"monday_hours": []})
    assert "monday_hours" in company.sandbox.get(f"{OFFICES}/{sandbox}").json
    company.sandbox.put(f"{WHOLE}/{sandbox}", full(currency="EUR"))
    assert company.sandbox.create(office(unified_billing=True)).status == 200
    assert company.live.create(office(unified_billing=True)).places == ["currency"]
