"""What tries requests, put together: over PostgreSQL too, and with the server's own address allowed."""

import asyncio
from pathlib import Path

import pytest

from offhook.catalog.trying import own_places
from offhook.kit.settings import Settings
from tests.catalog.workbench import V1, Service, Workbench, answering, serving


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        (Settings(), {("127.0.0.1", 8080), ("localhost", 8080), ("::1", 8080)}),
        (Settings(port=0), set()),
        (Settings(port=0, public_url="https://phones.example.com"), {("phones.example.com", 443)}),
        (Settings(port=0, public_url="http://phones.example.com:81"), {("phones.example.com", 81)}),
        (Settings(host="0.0.0.0", port=1), {("127.0.0.1", 1), ("localhost", 1), ("::1", 1)}),
        (Settings(host="10.0.0.5", port=1), {("127.0.0.1", 1), ("localhost", 1), ("::1", 1), ("10.0.0.5", 1)}),
    ],
)
def test_the_servers_own_places_are_known(settings: Settings, places: set[tuple[str, int]]):
    assert set(own_places(settings)) == places


def test_all_of_it_over_postgresql(runner: asyncio.Runner, postgres_url: str, tmp_path: Path):
    bench = Workbench(runner, tmp_path, postgres_url)
    try:
        api = bench.found().live

        async def go(service: Service) -> None:
            host = f"127.0.0.1:{service.port}"
            sent = {
                "name": "A",
                "kind": "oauth2",
                "hosts": [host],
                "token_url": service.url("/token"),
                "client_id": "a",
            }
            made = await api.sending("POST", f"{V1}/credentials", sent | {"client_secret": "s3cr3t-word"})
            assert made.status == 200, made
            request = {"server": service.url(""), "credential_id": made.json["id"], "body": "a", "method": "POST"}
            saved = await api.sending("POST", f"{V1}/requests", {"name": "B", "request": request | {"body": ""}})
            assert saved.status == 200, saved
            change = {"name": "C", "request": request | {"body": ""}}
            assert (await api.sending("PUT", f"{V1}/requests/{saved.json['id']}", change)).json["version"] == 2
            versions = await api.sending("GET", f"{V1}/requests/{saved.json['id']}/versions")
            assert [one["name"] for one in versions.json["items"]] == ["C", "B"]
            run = await api.sending("POST", f"{V1}/runs", {"request": request, "saved_id": saved.json["id"]})
            assert (run.status, run.json["status"]) == (200, 200), run
            assert (await api.sending("GET", f"{V1}/runs/{run.json['id']}")).json == run.json
            listed = await api.sending("GET", f"{V1}/runs?saved_id={saved.json['id']}")
            assert len(listed.json["items"]) == 1
            assert (await api.sending("GET", f"{V1}/request-collections")).json["items"][0]["requests"] == 1
            assert (await api.sending("POST", f"{V1}/credentials/rotate-key")).json["already"] == 1
            assert (await api.sending("DELETE", f"{V1}/runs/{run.json['id']}")).status == 200

        async def run() -> None:
            async with serving(answering(b'{"access_token": "got-a-token", "nul": "\\u0000"}')) as service:
                await go(service)

        bench.run(run())
    finally:
        bench.close()
