"""The stock Python SDK of the API that we are compatible with, against the real server in a process of its own."""

import asyncio
import inspect
import random
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import httpx
import pytest
import requests
from dialpad import AsyncDialpadClient, DialpadClient
from typing_extensions import get_type_hints, is_typeddict

from bench.server import Company
from offhook.access.v2 import V2_OPERATIONS, unbuilt
from offhook.kit.router import Router
from tests.api.desk import ADDRESSES, office, routing, state
from tests.api.response_shapes import COMPANY, E911, LICENCES, OFF_DUTY, OFFICE, PLAN, differences
from tests.api.seed_fields import every_field
from tests.directory.recordings import BEEP
from tests.published import misfits
from tests.survival.process import Process


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Company]]:
    server = Process(tmp_path_factory.mktemp("sdk") / "data", scale=1.0)
    company = server.init()
    server.start()
    try:
        yield server, company
        assert server.faults() == []
        assert server.terminate(10.0)[0] == 0
    finally:
        server.kill()


@pytest.fixture(params=["", "/"], ids=["plain", "slash at the end"])
def client(request: pytest.FixtureRequest, served: tuple[Process, Company]) -> Iterator[DialpadClient]:
    """The SDK with a sandbox key; a base URL that ends in a slash doubles the one of the path."""
    server, company = served
    made = DialpadClient(company.sandbox_key, base_url=f"http://127.0.0.1:{server.port}{request.param}")
    yield made
    made._session.close()


def test_the_life_of_an_office_through_the_sdk(client: Any):
    before = client.company.get()
    assert differences(before, COMPANY) == []
    primary = next(iter(client.offices.list()))
    made = client.offices.create(every_field(primary["id"], _free_number(client)))
    assert differences(made, {"office": OFFICE, "plan": PLAN}) == []
    office_id = made["office"]["id"]
    # Ids come as strings; both forms go back in.
    for one in (office_id, int(office_id)):
        assert client.offices.get(one) == made["office"]
        assert client.offices.get_billing_plan(one) == made["plan"]
        assert differences(client.offices.list_available_licenses(one), LICENCES) == []
        assert differences(client.offices.list_offduty_statuses(one), OFF_DUTY) == []
        assert client.offices.get_e911_address(one) == made["office"]["e911_address"]
    address = ADDRESSES["CA"] | {"address": "150 Elgin Street", "update_all": True, "use_validated_option": True}
    changed = client.offices.update_e911_address(office_id, address)
    assert differences(changed, E911) == []
    assert changed["address"].upper() == "150 ELGIN STREET"
    assert client.offices.get_e911_address(office_id) == changed
    assert int(client.company.get()["office_count"]) == int(before["office_count"]) + 1


def _free_number(client: Any) -> str:
    taken = {number for one in client.offices.list() for number in one.get("phone_numbers", [])}
    return next(number for number in (f"+1415555{serial:04}" for serial in range(100, 110)) if number not in taken)


def test_the_sdk_lists_offices_over_several_pages(client: Any):
    known = {one["id"] for one in client.offices.list()}
    names = [f"Page {index}" for index in range(105)]
    made = {client.offices.create(office(name=name))["office"]["id"] for name in names}
    found = list(client.offices.list())
    assert {one["id"] for one in found} == known | made
    assert len(found) == len(known) + len(made) > 100
    assert [one["name"] for one in found if one["id"] in made] == names
    assert all(differences(one, OFFICE) == [] for one in found)
    assert [one["id"] for one in client.offices.list(active_only=True)] == [one["id"] for one in found]
    assert len(list(client.offices.list(active_only=False))) == len(found)


def test_the_async_sdk_which_sends_empty_parameters(served: tuple[Process, Company]):
    server, company = served

    async def life() -> None:
        client: Any = AsyncDialpadClient(company.live_key, base_url=f"http://127.0.0.1:{server.port}")
        made = await asyncio.gather(*(client.offices.create(office(name=f"A{index}")) for index in range(101)))
        found = [one async for one in client.offices.list()]
        assert {one["office"]["id"] for one in made} < {one["id"] for one in found}
        assert len(found) >= 102
        assert len([one async for one in client.offices.list(active_only=True)]) == len(found)
        one = made[0]["office"]
        assert await client.offices.get(int(one["id"])) == one
        assert (await client.company.get())["id"] == company.company_id
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await client.offices.create(office(name=""))
        assert refused.value.response.json()["error"]["errors"][0]["location"] == "name"
        await client._session.aclose()

    asyncio.run(life())


def _refused() -> Any:
    return pytest.raises(requests.HTTPError)


def test_a_refusal_reaches_the_sdks_caller_in_the_form_it_knows(client: Any):
    with _refused() as refused:
        client.offices.create(office(name="", ring_seconds=5))
    error = refused.value.response.json()["error"]
    assert error["code"] == refused.value.response.status_code == 400
    assert [entry["location"] for entry in error["errors"]] == ["name", "ring_seconds"]
    with _refused() as missing:
        client.offices.get(1)
    assert missing.value.response.status_code == 404
    with _refused() as unbuilt:
        list(client.webhooks.list())
    assert unbuilt.value.response.status_code == 501
    assert "webhooks.list" in unbuilt.value.response.text


def test_a_wrong_key_is_401_to_the_sdk(served: tuple[Process, Company]):
    server, _ = served
    client = DialpadClient("ohk_live_wrong", base_url=f"http://127.0.0.1:{server.port}")
    with _refused() as refused:
        client.company.get()
    assert refused.value.response.status_code == 401
    client._session.close()


# All that is built, in either form of the SDK


WITHOUT_METHOD = frozenset({"offices.primary.get", "offices.update"})
"""Operations that the SDK has no method for: they are newer than it."""


class Sdk:
    """The SDK in either form, awaited: each reply is held against what its method says that it returns.

    `driven` are the ids of the operations that were asked and that answered with success, or as was foretold.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.driven: set[str] = set()
        self._router = Router([*unbuilt(())])
        self._sent: list[tuple[str, str]] = []
        raw = client._raw_request

        def recorded(method: str = "GET", sub_path: str | None = None, **options: Any) -> Any:
            self._sent.append((method, str(sub_path)))
            return raw(method=method, sub_path=sub_path, **options)

        client._raw_request = recorded

    async def __call__(self, name: str, *arguments: Any, **named: Any) -> Any:
        """What a method such as `users.get` gives; all of it, in a list, if it gives one after another."""
        resource, _, method = name.partition(".")
        call = getattr(getattr(self.client, resource), method)
        self._sent.clear()
        found = call(*arguments, **named)
        if inspect.isasyncgen(found):
            found = [one async for one in found]
        elif inspect.isgenerator(found):
            found = list(found)
        elif inspect.isawaitable(found):
            found = await found
        declared = get_type_hints(call, include_extras=True)["return"]
        if declared is NoneType:
            assert found in (None, {}), (name, found)
        elif isinstance(found, list):
            (kind,) = get_args(declared)
            assert [wrong for one in found for wrong in misfits(one, kind)] == [], (name, found)
        else:
            assert misfits(found, declared) == [], (name, found)
        self._note()
        return found

    async def refused(self, status: int, name: str, *arguments: Any) -> None:
        """A method that must be refused with this status."""
        with pytest.raises((requests.HTTPError, httpx.HTTPStatusError)) as refused:
            await self(name, *arguments)
        assert refused.value.response.status_code == status  # type: ignore[attr-defined]
        self._note()

    def _note(self) -> None:
        for method, path in self._sent:
            match = self._router.find(method, path)
            assert match is not None
            assert match.operation is not None
            self.driven.add(match.operation.id)


async def _drive(sdk: Sdk, ours: Any) -> None:
    """Everything that is built, once at least. `ours` asks what v2 has no operation for."""
    primary = next(one["id"] for one in await sdk("offices.list") if one["is_primary_office"])
    company = await sdk("company.get")
    assert int(company["office_count"]) == 1
    lines = {"talk_lines": 3, "sell_lines": 3, "contact_center_lines": 9, "additional_number_lines": 9, "room_lines": 3}
    ours("POST", f"/api/offhook/v1/offices/{primary}/licences", lines)

    # Offices
    made = await sdk("offices.create", office(name="Annex", country="US", e911_address=ADDRESSES["US"]))
    annex = made["office"]["id"]
    ours("POST", f"/api/offhook/v1/offices/{annex}/licences", lines)
    assert await sdk("offices.get", annex) == made["office"]
    assert await sdk("offices.get_billing_plan", annex)
    assert int((await sdk("offices.list_available_licenses", annex))["sell_lines"]) >= 3
    assert (await sdk("offices.list_offduty_statuses", primary))["off_duty_statuses"]
    address = ADDRESSES["US"] | {"address": "500 Terry A Francois Blvd"}
    assert await sdk("offices.update_e911_address", annex, address) == await sdk("offices.get_e911_address", annex)
    number = (await sdk("offices.assign_number", primary, {}))["number"]
    assert (await sdk("offices.unassign_number", primary, {"number": number}))["status"] == "available"
    main = (await sdk("offices.assign_number", primary, {"area_code": number[2:5]}))["number"]

    # Users
    ann, bob, eve = [
        (await sdk("users.create", {"office_id": primary, "email": f"{name}@example.com", "first_name": name,
                                    "last_name": "Lee", "license": "agents", "auto_assign": name == "ann"}))["id"]
        for name in ("ann", "bob", "eve")
    ]  # fmt: skip
    body = {"job_title": "Clerk", "extension": "123", "is_super_admin": True, "admin_office_ids": [primary]}
    whole = await sdk("users.partial_update", ann, {**body, "forwarding_numbers": ["+14155550199"]})
    assert (whole["job_title"], whole["is_admin"]) == ("Clerk", True)
    assert await sdk("users.get", ann) == whole
    assert len(await sdk("users.list")) == 3
    assert [one["id"] for one in await sdk("users.list", email="ann@example.com")] == [ann]
    assert [one["id"] for one in await sdk("users.list", state="active", company_admin=True)] == [ann]
    number = (await sdk("users.assign_number", bob, {"primary": True}))["number"]
    assert [one["id"] for one in await sdk("users.list", number=number)] == [bob]
    assert number in (await sdk("users.get_caller_id", bob))["phone_numbers"]
    assert (await sdk("users.set_caller_id", bob, {"caller_id": number}))["caller_id"] == number
    assert (await sdk("users.list_personas", bob))[0]["id"] == bob
    assert await sdk("users.get_e911_address", bob)
    assert (await sdk("users.set_e911_address", bob, ADDRESSES["US"]))["city"]
    assert (await sdk("users.toggle_dnd", bob, {"do_not_disturb": True}))["do_not_disturb"]
    status = {"status_message": "Lunch", "expiration": 600}
    assert (await sdk("users.update_user_status", bob, status))["status_message"] == "Lunch"
    assert (await sdk("users.move_office", eve, {"office_id": annex}))["office_id"] == annex
    assert await sdk("users.move_office", eve, {"office_id": primary})
    assert (await sdk("users.unassign_number", bob, {"number": number}))["status"] == "available"
    assert await sdk("user_devices.list") == []
    await sdk.refused(404, "user_devices.get", "1234567")
    phone = ours("POST", f"/api/offhook/v1/users/{ann}/devices", {"type": "polycom", "name": "Desk"})["id"]
    assert [one["id"] for one in await sdk("user_devices.list", user_id=ann)] == [phone]
    assert (await sdk("user_devices.get", phone))["display_name"] == "Desk"
    assert [one["id"] for one in await sdk("users.list_deskphones", ann)] == [phone]
    assert (await sdk("users.get_deskphone", phone, ann))["name"] == "Desk"
    await sdk("users.delete_deskphone", phone, ann)

    # Rooms
    room = (await sdk("rooms.create", {"name": "Lobby", "office_id": int(primary)}))["id"]
    number = (await sdk("rooms.assign_number", room, {}))["number"]
    assert (await sdk("rooms.get", room))["phone_numbers"] == [number]
    assert (await sdk("rooms.partial_update", room, {"name": "Hall"}))["name"] == "Hall"
    assert [one["id"] for one in await sdk("rooms.list", office_id=primary)] == [room]

    phone = ours("POST", f"/api/offhook/v1/rooms/{room}/devices", {"name": "Counter"})["id"]
    assert [one["id"] for one in await sdk("rooms.list_room_phones", room)] == [phone]
    assert (await sdk("rooms.get_room_phone", phone, room))["owner_id"] == room
    await sdk("rooms.delete_room_phone", phone, room)

    # Operators of the office
    for who in ({"operator_type": "user", "operator_id": ann}, {"operator_type": "room", "operator_id": room}):
        assert await sdk("offices.add_operator", primary, {**who, "role": "operator"})
    assert await sdk("offices.list_operators", primary) == {
        "users": [await sdk("users.get", ann)], "rooms": [await sdk("rooms.get", room)],
    }  # fmt: skip
    assert (await sdk("offices.remove_operator", primary, {"operator_type": "room", "operator_id": room}))["id"] == room

    # Departments
    opened = state(action="department", action_target_type="office", action_target_id=primary)
    routed = {"routing_options": routing(opened), "hours_on": True, "group_description": "All that is sold"}
    body = {"name": "Sales", "office_id": primary, "hold_queue": {"allow_queuing": True}, **routed}
    sales = (await sdk("departments.create", body))["id"]
    assert (await sdk("departments.get", sales))["hold_queue"]["allow_queuing"]
    assert (await sdk("departments.partial_update", sales, {"name": "Sale"}))["name"] == "Sale"
    assert [one["id"] for one in await sdk("departments.list", name_search="SALE")] == [sales]
    assert [one["id"] for one in await sdk("offices.list_departments", primary)] == [sales]
    who = {"operator_type": "user", "operator_id": int(bob)}
    assert (await sdk("departments.add_operator", sales, {**who, "role": "admin"}))["id"] == bob
    assert [one["id"] for one in (await sdk("departments.list_operators", sales))["users"]] == [bob]
    assert await sdk("departments.remove_operator", sales, who)

    # Call centers
    body = {"name": "Support", "office_id": primary, "alerts": {"cc_service_level": 80}, **routed}
    support = (await sdk("call_centers.create", body))["id"]
    assert await sdk("call_centers.get", support)
    assert (await sdk("call_centers.partial_update", support, {"name": "Help"}))["name"] == "Help"
    assert [one["id"] for one in await sdk("call_centers.list", office_id=int(primary))] == [support]
    assert [one["id"] for one in await sdk("offices.list_call_centers", primary)] == [support]
    assert (await sdk("call_centers.add_operator", support, {"user_id": bob, "skill_level": 50}))["id"] == bob
    assert [one["id"] for one in (await sdk("call_centers.list_operators", support))["users"]] == [bob]
    assert (await sdk("call_centers.get_operator_skill_level", support, bob))["skill_level"] == "50"
    assert await sdk("call_centers.update_operator_skill_level", support, bob, {"skill_level": 60})
    off = {"on_duty": False, "duty_status_reason": "Lunch Time"}
    assert await sdk("call_center_operators.update_duty_status", bob, off)
    assert not (await sdk("call_center_operators.get_duty_status", bob))["on_duty"]
    assert (await sdk("call_centers.get_status", support))["on_duty_operators"] == "0"
    assert await sdk("call_centers.remove_operator", support, {"user_id": bob})

    # Voice prompts
    of_sales = ("MENU", sales, "department")
    ivr = {"file": b64encode(BEEP).decode(), "ivr_type": "MENU", "target_type": "department", "target_id": sales}
    first, second = [(await sdk("custom_ivrs.create", {**ivr, "name": name}))["id"] for name in ("first", "second")]
    assert (await sdk("custom_ivrs.partial_update", first, {"name": "one"}))["name"] == "one"
    assert len((await sdk("custom_ivrs.assign", *of_sales, {"ivr_id": first}))["ivrs"]) == 2
    assert [one["selected"] for one in (await sdk("custom_ivrs.list", sales, "department"))[0]["ivrs"]] == [True, False]
    assert (await sdk("custom_ivrs.unassign", *of_sales, {"ivr_id": second}))["id"] == second

    # Channels
    body = {"name": "Front desk", "description": "", "privacy_type": "public", "user_id": ann}
    channel = (await sdk("channels.create", body))["id"]
    assert (await sdk("channels.get", channel))["name"] == "Front desk"
    assert [one["id"] for one in await sdk("channels.list")] == [channel]
    assert await sdk("channels.add_member", channel, {"user_id": bob})
    assert [one["id"] for one in await sdk("channels.list_members", channel)] == [ann, bob]
    await sdk("channels.remove_member", channel, {"user_id": bob})
    await sdk("channels.delete", channel)

    # Contacts
    body = {"first_name": "Ada", "last_name": "Byron", "emails": ["ada@example.com"], "phones": ["+14155550198"]}
    contact = (await sdk("contacts.create", {**body, "owner_id": bob}))["id"]
    assert (await sdk("contacts.get", contact))["owner_id"] == bob
    assert (await sdk("contacts.partial_update", contact, {"job_title": "Countess"}))["job_title"] == "Countess"
    made = await sdk("contacts.create_or_update", {**body, "uid": "ada"})
    shared = made["id"]
    bridge = state(action="bridge_target", action_target_type="contact", action_target_id=int(made["target_id"]))
    away = {"name": "Away", "office_id": primary, "routing_options": routing(bridge)}
    department = await sdk("departments.create", away)
    assert department["routing_options"]["open"]["action_target_id"] == made["target_id"]
    await sdk("departments.delete", department["id"])
    assert [one["id"] for one in await sdk("contacts.list")] == [shared]
    assert len(await sdk("contacts.list", include_local=True)) == 2
    assert (await sdk("contacts.delete", shared))["id"] == shared

    # Coaching teams, which v2 cannot make
    team = ours("POST", "/api/offhook/v1/coaching-teams", {"name": "New hires", "office_id": primary})["id"]
    assert await sdk("coaching_teams.get", team) == (await sdk("coaching_teams.list"))[0]
    assert [one["id"] for one in await sdk("offices.list_coaching_teams", primary)] == [team]
    assert await sdk("coaching_teams.add_member", team, {"member_id": bob, "role": "trainee"})
    assert [one["id"] for one in await sdk("coaching_teams.list_members", team)] == [bob]

    # Call routers
    body = {"name": "Decider", "office_id": primary, "routing_url": "https://example.com/route", "secret": "s" * 32,
            "default_target_type": "department", "default_target_id": sales}  # fmt: skip
    router = (await sdk("call_routers.create", body))["id"]
    assert (await sdk("call_routers.get", router))["signature"]["secret"] == "s" * 32
    assert not (await sdk("call_routers.partial_update", router, {"enabled": False}))["enabled"]
    number = (await sdk("call_routers.assign_number", router, {}))["number"]
    assert [one["phone_numbers"] for one in await sdk("call_routers.list", office_id=primary)] == [[number]]
    await sdk("call_routers.delete", router)

    # Access control policies
    body = {"name": "Hours", "owner_id": ann, "permission_sets": ["business_hours_write"], "target_type": "office"}
    policy = (await sdk("access_control_policies.create", body))["id"]
    assert (await sdk("access_control_policies.get", policy))["owner_id"] == ann
    assert (await sdk("access_control_policies.partial_update", policy, {"name": "Days", "user_id": ann}))["name"]
    assert [one["id"] for one in await sdk("access_control_policies.list")] == [policy]
    there = {"user_id": bob, "target_type": "office", "target_id": primary}
    assert (await sdk("access_control_policies.assign", policy, there))["policy_targets"]
    assert len(await sdk("access_control_policies.list_assignments", policy)) == 1
    assert "policy_targets" not in await sdk("access_control_policies.unassign", policy, there)
    assert (await sdk("access_control_policies.delete", policy))["state"] == "deleted"

    # Numbers
    assert main in [one["number"] for one in await sdk("numbers.list", status="office")]
    assert len(await sdk("numbers.list")) == 100
    number = (await sdk("numbers.auto_assign", {"target_type": "department", "target_id": sales}))["number"]
    body = {"target": {"target_type": "department", "target_id": int(sales)}, "swap_details": {"type": "auto"}}
    swapped = (await sdk("numbers.swap", body))["number"]
    assert swapped != number
    assert (await sdk("numbers.assign", number, {"target_type": "user", "target_id": eve}))["status"] == "user"
    assert (await sdk("numbers.get", number))["target_id"] == eve
    assert (await sdk("numbers.unassign", number))["status"] == "available"
    assert (await sdk("numbers.unassign", swapped, release=True))["deleted"]
    assert (await sdk("numbers.format_number", country_code="US", number="(415) 555-0100"))["e164_number"]

    # Calls: there are none, and no telephones
    assert await sdk("calls.list", target_type="user", target_id=int(ann)) == []
    await sdk.refused(404, "calls.get", 1)
    await sdk.refused(404, "calls.hangup_call", 1)
    await sdk.refused(404, "calls.transfer", 1, {"to": {"number": "+14155550123"}})
    await sdk.refused(404, "calls.add_participant", 1, {"participant": {"number": "+14155550123"}})
    await sdk.refused(404, "calls.unpark", 1, {"user_id": int(ann)})
    await sdk.refused(409, "calls.initiate_ring_call", {"user_id": int(ann), "phone_number": "+14155550123"})
    await sdk.refused(409, "users.toggle_active_call_recording", ann, {"is_recording": True})

    # And their end
    number = (await sdk("rooms.get", room))["phone_numbers"][0]
    assert await sdk("rooms.unassign_number", room, {"number": number})
    assert (await sdk("rooms.delete", room))["state"] == "deleted"
    assert (await sdk("departments.delete", sales))["state"] == "deleted"
    assert (await sdk("call_centers.delete", support))["state"] == "deleted"
    assert (await sdk("users.delete", eve))["state"] == "deleted"
    assert [one["id"] for one in await sdk("users.list", state="deleted")] == [eve]


@pytest.mark.parametrize("form", [DialpadClient, AsyncDialpadClient], ids=["plain", "async"])
def test_every_operation_that_is_built_through_the_sdk(served: tuple[Process, Company], form: Any):
    server, before = served
    company = server.init("--another")
    server.company = before
    url = f"http://127.0.0.1:{server.port}"

    def ours(method: str, path: str, body: Any) -> Any:
        answer = server.ask(method, path, body, key=company.sandbox_key)
        assert answer.status == 200, answer
        return answer.json

    async def life() -> Sdk:
        sdk = Sdk(form(company.sandbox_key, base_url=url))
        try:
            await _drive(sdk, ours)
        finally:
            if form is AsyncDialpadClient:
                await sdk.client._session.aclose()
            else:
                sdk.client._session.close()
        return sdk

    sdk = asyncio.run(life())
    assert sdk.driven >= _built(url) - WITHOUT_METHOD
    assert _built(url) >= WITHOUT_METHOD


def _built(url: str) -> set[str]:
    """The ids of the operations of v2 that the server has."""
    documented = httpx.get(f"{url}/openapi.json").json()["paths"]
    ids = {one["operationId"] for path in documented.values() for one in path.values() if "operationId" in one}
    return ids & set(V2_OPERATIONS)


# All of its methods


def _methods(client: Any) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(client)):
        if name.startswith("_") or name in ("company_id", "request", "iter_request"):
            continue
        for method, call in inspect.getmembers(getattr(client, name), inspect.ismethod):
            if not method.startswith("_"):
                yield f"{name}.{method}", call


WORDS = (
    "x",
    "Lisbon",
    "me",
    "+14155550100",
    "2026-12-24",
    "https://example.com/hook",
    "0",
    "a b",
    "é",
    "",
    "../x",
    "%2F",
)


def _made_up(kind: Any, chance: random.Random, depth: int = 0) -> Any:
    """Something of a type of the SDK."""
    origin: Any = get_origin(kind)
    inside: tuple[Any, ...] = get_args(kind)
    if origin in (Required, NotRequired, Annotated):
        return _made_up(inside[0], chance, depth)
    if origin is Union:
        return _made_up(chance.choice([one for one in inside if one is not NoneType]), chance, depth)
    if origin is Literal:
        return chance.choice(inside)
    if origin in (list, tuple):
        return [_made_up(inside[0], chance, depth + 1) for _ in range(chance.randint(0, 2))]
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        optional: frozenset[str] = kind.__optional_keys__
        return {
            name: _made_up(hint, chance, depth + 1)
            for name, hint in hints.items()
            if name not in optional or (depth < 4 and chance.random() < 0.7)
        }
    if kind is bool:
        return chance.random() < 0.5
    if kind is int:
        return chance.choice((0, 1, 7, -1, 25, 2**53, 2**63 - 1))
    if kind is float:
        return chance.choice((0.0, 1.5))
    if kind is str:
        return chance.choice(WORDS)
    if kind is dict or origin is dict or kind is Any or kind is object:
        return {}
    raise AssertionError(f"a type that is not known here: {kind!r}")


def _arguments(call: Any, chance: random.Random) -> dict[str, Any]:
    hints = get_type_hints(call, include_extras=True)
    return {
        name: _made_up(hints.get(name, str), chance)
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is inspect.Parameter.empty or chance.random() < 0.5
    }


def _status(call: Any, arguments: dict[str, Any]) -> int:
    try:
        found = call(**arguments)
        if inspect.isgenerator(found):
            list(found)
    except requests.HTTPError as error:
        answer = error.response
        assert answer is not None
        form = answer.json()["error"]
        assert form["code"] == answer.status_code
        assert form["errors"]
        return int(answer.status_code)
    return 200


@pytest.mark.parametrize("seed", range(1, 7))
def test_every_method_of_the_sdk_gets_an_answer_that_it_understands(served: tuple[Process, Company], seed: int):
    server, company = served
    client = DialpadClient(company.sandbox_key, base_url=f"http://127.0.0.1:{server.port}")
    methods = dict(_methods(client))
    assert len(methods) >= 190
    chance = random.Random(seed)
    found: dict[str, int] = {}
    for name, call in methods.items():
        arguments = _arguments(call, chance)
        status = found[name] = _status(call, arguments)
        assert status == 501 or 200 <= status < 300 or 400 <= status < 500, (name, arguments, status)
    # Made-up words in a path may lead to another path; hardly anything else that is not built may be but missing.
    built = _built(f"http://127.0.0.1:{server.port}")
    assert len([name for name, status in found.items() if status == 501]) > len(unbuilt(built)) - 25
    client._session.close()


def test_the_rate_limit_over_the_wire(tmp_path: Path):
    """Decided at the edge of the protocol, before a request is made of the bytes; the connection lives on."""
    server = Process(tmp_path / "data", scale=0.01)
    company = server.init()
    server.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
            headers = {"authorization": f"Bearer {company.live_key}", "content-type": "application/json"}
            statuses = [client.post("/api/v2/offices", json=office(), headers=headers).status_code for _ in range(15)]
            assert statuses == [200] * 12 + [429] * 3
            refused = client.post("/api/v2/offices", json=office(), headers=headers)
            assert refused.json()["error"]["code"] == 429
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.headers["ratelimit-policy"] == '"default";q=12;w=60'
            assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
            assert refused.headers["content-type"] == "application/json"
            in_url = client.post(f"/api/v2/offices?apikey={company.live_key}", json=office())
            assert in_url.status_code == 429
            assert client.get("/api/v2/offices", headers=headers).status_code == 200
    finally:
        server.kill()
