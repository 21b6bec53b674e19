"""The key that seals secrets is exchanged, and the old one forgotten: all that was sealed by it still opens."""

from pathlib import Path
from typing import Any

import msgspec

from offhook.catalog.credentials.vault import KEY_FILE
from offhook.kit import clock
from offhook.workflows.triggers import signing
from tests.api.desk import Answer, Api, Company, Desk

V1 = "/api/offhook/v1"
SECRET = "a secret that they have already"


def hook(api: Api, name: str) -> str:
    """The path of a new hook whose callers sign."""
    body = {"name": name, "workflow": "w", "proof": "signed", "secret": SECRET}
    answer = api.post(f"{V1}/workflows/hooks", body)
    assert answer.status == 200, answer
    return str(answer.json["hook"]["path"])


def call(api: Api, path: str, number: int) -> Answer:
    body = msgspec.json.encode({"number": number})
    sent = {"offhook-signature": signing.signature(SECRET, body, int(clock.wall()))}
    nobody = Api(api.desk, "", headers=sent)
    return nobody.post(path, msgspec.Raw(body))


def test_hooks_are_sealed_again_with_the_credentials(embedded: Company, sqlite_desk: Desk):
    api, vault = embedded.live, sqlite_desk.offhook.trying.vault
    task = {"name": "t", "taskReferenceName": "t", "type": "NOOP"}
    definition: dict[str, Any] = {"name": "w", "version": 1, "tasks": [task]}
    assert api.post(f"{V1}/workflows/definitions", {"definition": definition}).status == 200
    path = hook(api, "first")
    token = api.post(f"{V1}/workflows/hooks", {"name": "token", "workflow": "w"})
    assert call(api, path, 1).status == 202
    credential = {"name": "c", "kind": "bearer", "hosts": ["api.example.com"], "token": "a token of theirs"}
    assert api.post(f"{V1}/credentials", credential).status == 200
    file = Path(sqlite_desk.offhook.settings.data) / KEY_FILE
    old = file.read_text()

    vault.renew()
    assert api.post(f"{V1}/credentials/rotate-key").json == {"sealed_again": 2, "already": 0}
    assert api.post(f"{V1}/credentials/rotate-key").json == {"sealed_again": 0, "already": 2}
    words = [one["event"] for one in api.events() if one["event"].endswith("sealed_again")]
    assert words == ["credential.sealed_again", "workflow_hook.sealed_again"]
    new = file.read_text().split()[0]
    try:
        file.write_text(f"{new}\n")
        assert call(api, path, 2).status == 202
        assert api.get(token.json["hook"]["path"]).status == 200
        lost = hook(api, "second")
        file.write_text(old)
        assert call(api, lost, 3).status == 404
        found = api.post(f"{V1}/credentials/rotate-key").json
        assert len(found["lost"]) == 1
        assert set(found["lost_elsewhere"]["hooks"]) == {one.rpartition("/")[2] for one in (path, lost)}
    finally:
        file.write_text(f"{new}\n{old}")
