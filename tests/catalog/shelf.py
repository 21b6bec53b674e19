"""API documents at a whole application: one that is imported, versions of it, and what is asked of it."""

import asyncio
import copy
import json
import random
import string
from pathlib import Path
from typing import Any

from offhook.kit.settings import Settings
from tests.api.desk import Answer, Api, Company, Desk
from tests.catalog.workbench import V1, Service, serving
from tests.catalog.workbench import Answer as Served

APIS = f"{V1}/apis"
TREE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Harbour Berths", "version": "2.4"},
    "servers": [{"url": "https://harbour.example"}],
    "paths": {
        "/berths": {
            "get": {
                "operationId": "berths.list",
                "summary": "List berths",
                "responses": {"200": {"description": "ok"}},
            },
            "post": {
                "operationId": "berths.book",
                "summary": "Book a berth",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Booking"}}}},
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/berths/{id}": {
            "delete": {
                "operationId": "berths.free",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "ok"}},
            },
        },
    },
    "components": {
        "schemas": {
            "Booking": {
                "type": "object",
                "required": ["vessel"],
                "properties": {"vessel": {"type": "string"}, "metres": {"type": "integer", "maximum": 400}},
            }
        }
    },
}


def text(tree: Any = TREE) -> str:
    return json.dumps(tree)


def unlike(count: int) -> str:
    """So many characters that no store can pack."""
    return "".join(random.Random(count).choices(string.ascii_letters + string.digits, k=count))


def altered() -> dict[str, Any]:
    """A later version: one operation goes, one comes, and a booking needs a captain."""
    tree = copy.deepcopy(TREE)
    del tree["paths"]["/berths/{id}"]
    tree["paths"]["/tides"] = {"get": {"operationId": "tides.list", "responses": {"200": {"description": "ok"}}}}
    booking = tree["components"]["schemas"]["Booking"]
    booking["properties"]["captain"] = {"type": "string"}
    booking["required"].append("captain")
    tree["info"]["version"] = "3.0"
    return tree


def settings_of(data: Path, **more: Any) -> Settings:
    return Settings(data=str(data), access_log=False, egress_allow="127.0.0.0/8", rate_limit_scale=1_000_000.0, **more)


def imported(api: Api, tree: Any = TREE, **more: Any) -> Answer:
    answer = api.post(APIS, {"document": tree if isinstance(tree, str) else text(tree), **more})
    assert answer.status == 200, answer
    return answer


def events(api: Api) -> list[str]:
    return [one["event"] for one in api.events() if one["event"].startswith("api.")]


def from_service(company: Company, served: Served, path: str = APIS, **body: Any) -> tuple[Answer, Service]:
    """The answer to an import from a web service on loopback."""

    async def run() -> tuple[Answer, Service]:
        async with serving(served) as there:
            return await company.live.sending(
                "POST", path, {"url": there.url("/harbour.json?token=t0psecret"), **body}
            ), there

    return company.desk.run(run())


def found(api: Api, query: str) -> list[tuple[str, str]]:
    return [(one["api"], one["key"]) for one in api.get(f"{V1}/api-operations?{query}").json["items"]]


def own_is_kept(desk: Desk) -> None:
    """Wait for the document that the application keeps of itself when it starts."""

    async def look() -> None:
        caller = founded.sending("GET", f"{APIS}/offhook")
        while (await caller).status != 200:
            await asyncio.sleep(0.01)
            caller = founded.sending("GET", f"{APIS}/offhook")

    founded = desk.found().live
    desk.run(asyncio.wait_for(look(), 30))
