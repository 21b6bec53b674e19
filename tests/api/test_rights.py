"""The key of a user who is no admin opens that user's own things, whatever its scopes, to every operation."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from offhook.directory.rights.rules import OFFICE, OWN, PERMISSIONS
from offhook.kit.operation import Operation
from offhook.kit.settings import Settings
from tests.api.desk import Api, Desk
from tests.api.elsewhere import sharing
from tests.api.furnished import BODIES, HEADERS, QUERIES, WITHOUT_BODY, Furnished, filled, furnish, named
from tests.directory.people import key_of, person


class Scene:
    """A furnished company, another one, and a plain user of the first with a key that has every scope."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # Those in another system's form are asked where that form is known: tests/workflows/conductor.
        self.operations: dict[str, Operation] = {one.id: one for one in desk.offhook.operations if one.dialect is None}
        self.company, self.other = (furnish(desk.found(), "live") for _ in range(2))
        self.id = person(self.company.company, "Paul")
        self.key = key_of(self.company.company, self.id)

    def ask(self, key: Api, operation_id: str, things: Furnished, body_of: Furnished | None = None) -> Any:
        """An operation on the things of a company, with a body that is good for their owner."""
        one = self.operations[operation_id]
        path = filled(one.path, {place: things.own[thing] for place, thing in named(one.id, one.path).items()})
        body = BODIES[one.id]((body_of or things).own) if one.id in BODIES else None
        return key.send(one.method, path + QUERIES.get(one.id, ""), body)


@pytest.fixture(scope="module")
def scene(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    data = str(tmp_path_factory.mktemp("data"))
    desk = Desk(runner, Settings(data=data, access_log=False, benchmark=True, rate_limit_scale=1_000_000.0))
    yield Scene(sharing(desk))
    desk.close()


ASKED = sorted({*BODIES, *WITHOUT_BODY} - HEADERS.keys())
"""Operations that are asked with a key."""


@pytest.mark.parametrize("operation_id", ASKED)
def test_what_is_the_companys_or_a_colleagues_is_read_and_not_changed(scene: Scene, operation_id: str):
    before = len(scene.company.api.events())
    answer = scene.ask(scene.key, operation_id, scene.company)
    if operation_id.startswith(("offhook.voicemails.", "offhook.recordings.")) and scene.operations[operation_id].reads:
        # Theirs to hear who may hear them: tests/calls/tapes.
        assert answer.status == 404, answer
    elif scene.operations[operation_id].reads:
        assert answer.status == 200, answer
    else:
        assert answer.status == 403, answer
        assert "key of the company" in answer.errors[0]["message"]
        assert len(scene.company.api.events()) == before


_CHECKED = ("/offices/", "/users/", "/rooms/", "/departments/", "/callcenters/", "/callrouters/", "/contacts/")


@pytest.mark.parametrize("operation_id", ASKED)
def test_what_is_another_companys_is_not_there_or_forbidden_whoever_it_is(scene: Scene, operation_id: str):
    one = scene.operations[operation_id]
    if one.reads or "{" not in one.path:
        return
    answer = scene.ask(scene.key, operation_id, scene.other, scene.company)
    checked = any(f"{part}{{" in one.path for part in (*_CHECKED, "/operators/"))
    assert answer.status == (404 if checked else 403), answer


def test_operations_without_a_body_that_is_known_here_are_the_companys(scene: Scene):
    rest = [one for one in scene.operations.values() if not one.reads and one.id not in (*ASKED, *HEADERS)]
    assert {one.id for one in rest} == {
        "offhook.configuration.get", "offhook.configuration.plan", "offhook.configuration.apply",
        "offhook.numbers.import", "offhook.offices.import", "offhook.users.import",
        "offhook.credentials.rotate_key", "offhook.workflows.shipped.take",
    }  # fmt: skip
    for one in rest:
        assert scene.key.send(one.method, one.path, {}).status == 403, one.id


def test_a_company_admins_key_does_what_its_scopes_say(scene: Scene):
    own = scene.company.own
    boss, clerk = (key_of(scene.company.company, own["admin"], *scopes) for scopes in ((), ("directory:write",)))
    assert scene.ask(boss, "rooms.patch", scene.company).status == 200
    assert scene.ask(boss, "users.update", scene.company).status == 200
    assert scene.ask(clerk, "users.update_status", scene.company).status == 200
    refused = scene.ask(clerk, "users.update", scene.company)
    assert (refused.status, refused.places) == (403, ["admin_office_ids"])
    assert scene.ask(clerk, "offices.update", scene.company).status == 403


def test_the_tables_name_operations_that_there_are(scene: Scene):
    named_there = {*OWN, *OFFICE, *(one for operations in PERMISSIONS.values() for one in operations)}
    assert named_there <= scene.operations.keys()
    assert [one for one in named_there if scene.operations[one].reads] == []


def test_the_fields_in_the_tables_are_fields_of_those_bodies(scene: Scene):
    tables: list[Any] = [OWN, OFFICE, *PERMISSIONS.values()]
    for table in tables:
        for operation, fields in table.items():
            body: Any = scene.operations[operation].body
            for field in fields or ():
                assert field.partition(".")[0] in body.__struct_fields__, (operation, field)
