"""The stock Python SDK of the API that we are compatible with, against the real server in a process of its own."""

import asyncio
import inspect
import random
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
from offhook.access.v2 import unbuilt
from tests.api.desk import ADDRESSES, office
from tests.api.response_shapes import COMPANY, E911, LICENCES, OFF_DUTY, OFFICE, PLAN, differences
from tests.api.seed_fields import every_field
from tests.survival.process import Process

BUILT = {
    "offices.create", "offices.get", "offices.list", "offices.get_billing_plan", "offices.get_e911_address",
    "offices.update_e911_address", "offices.list_available_licenses", "offices.list_offduty_statuses", "company.get",
}  # fmt: skip


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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_method_of_the_sdk_gets_an_answer_that_it_understands(served: tuple[Process, Company], seed: int):
    server, company = served
    client = DialpadClient(company.sandbox_key, base_url=f"http://127.0.0.1:{server.port}")
    methods = dict(_methods(client))
    assert len(methods) >= 190
    assert set(methods) >= BUILT
    chance = random.Random(seed)
    found: dict[str, int] = {}
    for name, call in methods.items():
        arguments = _arguments(call, chance)
        status = found[name] = _status(call, arguments)
        assert status == 501 or 200 <= status < 300 or 400 <= status < 500, (name, arguments, status)
    assert {name for name in BUILT if found[name] == 501} == set()
    # Made-up words in a path may lead to another path; hardly anything else that is not built may be but missing.
    documented = httpx.get(f"http://127.0.0.1:{server.port}/openapi.json").json()["paths"].values()
    built = {one["operationId"] for methods in documented for one in methods.values() if "operationId" in one}
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
