"""Credentials through the API: kept, never shown, bound to their hosts, sealed again; tokens got once and renewed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet

from offhook.catalog.credentials import store
from offhook.catalog.credentials.tokens import NoToken
from offhook.catalog.credentials.vault import Vault
from offhook.kit import clock
from offhook.kit.errors import Invalid, Refusal
from tests.api.desk import Company
from tests.catalog.workbench import KEY, V1, Answer, Service, Workbench, answering, serving

PATH = f"{V1}/credentials"
SECRET = "s3cr3t-word-42"

BODIES: dict[str, dict[str, Any]] = {
    "bearer": {"token": SECRET},
    "basic": {"username": "me", "password": SECRET},
    "api_key": {"parameter": "X-Api-Key", "value": SECRET},
    "oauth2": {"token_url": "https://auth.example.com/token", "client_id": "me", "client_secret": SECRET},
    "headers": {"headers": [{"name": "X-One", "value": SECRET}, {"name": "X-Two", "value": "an0ther"}]},
}


def body(kind: str = "bearer", **changes: Any) -> dict[str, Any]:
    made = {"name": f"Our {kind}", "kind": kind, "hosts": ["api.example.com"], **BODIES[kind], **changes}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize("kind", list(BODIES))
def test_a_credential_is_kept_and_its_secret_never_shown(firm: Company, workbench: Workbench, kind: str):
    api = firm.live
    made = api.post(PATH, body(kind))
    assert made.status == 200, made
    one = f"{PATH}/{made.json['id']}"
    changed = api.patch(one, {"name": "Renamed"})
    answers = [made, api.get(one), api.get(PATH), changed, api.post(f"{PATH}/rotate-key"), api.delete(one)]
    assert [answer.status for answer in answers] == [200] * 6, answers
    assert api.get(one).status == 404
    for answer in answers:
        assert SECRET not in answer.response.text
        assert "an0ther" not in answer.response.text
    assert made.json["secret"] == "***"
    events = repr(api.events())
    assert SECRET not in events
    assert "credential.created" in events
    assert SECRET not in workbench.everything_kept()


def test_a_deleted_credential_leaves_nothing_to_open(firm: Company, workbench: Workbench):
    made = firm.live.post(PATH, body()).json
    firm.live.delete(f"{PATH}/{made['id']}")
    tenant = firm.tenant()
    row = workbench.transact(lambda tx: store.credentials.get(tx, tenant, int(made["id"]), even_deleted=True))
    assert (row.state, row.value.sealed) == ("deleted", "")


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"hosts": []}, ["hosts"]),
        ({"hosts": ["https://x.example"]}, ["hosts[0]"]),
        ({"token": None}, ["token"]),
        ({"token": "two\nlines"}, ["token"]),
        ({"token": "é"}, ["token"]),
        ({"token": "abc"}, ["token"]),
        ({"kind": "basic", "username": "a", "password": "abc", "token": None}, ["password"]),
        ({"password": "x"}, ["password"]),
        ({"name": ""}, ["name"]),
        ({"kind": "api_key", "value": "value", "parameter": "Host"}, ["parameter"]),
        ({"kind": "basic", "username": "a:b", "password": "word", "token": None}, ["username"]),
        ({"kind": "oauth2", "token": None, "token_url": "http://auth.example.com/", "client_id": "a",
          "client_secret": "word"}, ["token_url"]),
        ({"kind": "headers", "token": None, "headers": []}, ["headers"]),
    ],
)  # fmt: skip
def test_what_is_no_credential_is_refused_without_its_secret(firm: Company, changes: Any, places: list[str]):
    answer = firm.live.post(PATH, body(**changes))
    assert (answer.status, answer.places) == (400, places)
    assert SECRET not in answer.response.text


def test_names_are_unique_and_versions_are_held_against_if_match(firm: Company):
    api = firm.live
    one, two = api.post(PATH, body()).json, api.post(PATH, body(name="Another")).json
    assert api.post(PATH, body()).status == 409
    assert api.patch(f"{PATH}/{two['id']}", {"name": "Our bearer"}).status == 409
    path = f"{PATH}/{one['id']}"
    assert api.get(path).headers["etag"] == '"1"'
    assert api.patch(path, {"name": "B"}, headers={"if-match": '"2"'}).status == 412
    assert api.patch(path, {"name": "B"}, headers={"if-match": '"1"'}).headers["etag"] == '"2"'
    assert api.delete(path, headers={"if-match": '"1"'}).status == 412


def test_a_credential_is_its_companys_and_takes_a_scope(firm: Company, workbench: Workbench):
    made = firm.live.post(PATH, body()).json
    other = workbench.found()
    assert other.live.get(f"{PATH}/{made['id']}").status == 404
    assert firm.sandbox.get(f"{PATH}/{made['id']}").status == 404
    assert other.live.get(PATH).json.get("items", []) == []
    assert firm.key("catalog:read").post(PATH, body(name="x")).status == 403
    assert firm.key("catalog:read").get(PATH).status == 200
    assert firm.key("events:read").get(PATH).status == 403


def test_a_create_is_repeated_and_rehearsed(firm: Company):
    headers = {"idempotency-key": "one"}
    one, again = (firm.live.post(PATH, body(), headers=headers) for _ in range(2))
    assert one.json["id"] == again.json["id"]
    assert firm.live.post(PATH, body(token="other"), headers=headers).status == 409
    assert firm.live.post(PATH, body(name="dry"), headers={"offhook-dry-run": "true"}).json["dry_run"] is True
    assert len(firm.live.get(PATH).json["items"]) == 1


def test_a_secret_is_not_sent_to_further_hosts_by_who_does_not_know_it(firm: Company):
    api, made = firm.live, firm.live.post(PATH, body(hosts=["a.example.com", "b.example.com"])).json
    path = f"{PATH}/{made['id']}"
    assert api.patch(path, {"hosts": ["a.example.com"]}).status == 200
    answer = api.patch(path, {"hosts": ["evil.example"]})
    assert (answer.status, answer.places) == (400, ["token"])
    assert api.patch(path, {"hosts": ["evil.example"], "token": "known"}).status == 200
    made = api.post(PATH, body("oauth2")).json
    answer = api.patch(f"{PATH}/{made['id']}", {"token_url": "https://evil.example/token"})
    assert (answer.status, answer.places) == (400, ["client_secret"])


def test_keys_are_rotated_and_what_is_lost_is_said(firm: Company, workbench: Workbench, tmp_path: Path):
    api, credentials = firm.live, workbench.credentials
    made = api.post(PATH, body()).json
    id, tenant = int(made["id"]), firm.tenant()
    new = Fernet.generate_key().decode()
    before = credentials._vault
    try:
        credentials._vault = Vault(f"{new},{KEY}", tmp_path / "k")
        assert api.post(f"{PATH}/rotate-key").json == {"sealed_again": 1, "already": 0}
        assert api.post(f"{PATH}/rotate-key").json == {"sealed_again": 0, "already": 1}
        credentials._vault = Vault(new, tmp_path / "k")
        applied = workbench.run(credentials.applied(tenant, id, "https://api.example.com/"))
        assert applied.headers == (("Authorization", f"Bearer {SECRET}"),)
        # The key is gone.
        credentials._vault = Vault(KEY, tmp_path / "k")
        assert api.get(f"{PATH}/{id}").json["lost"] is True
        assert api.post(f"{PATH}/rotate-key").json == {"sealed_again": 0, "already": 0, "lost": [str(id)]}
        with pytest.raises(Refusal, match="No key of this server"):
            workbench.run(credentials.applied(tenant, id, "https://api.example.com/"))
        assert api.patch(f"{PATH}/{id}", {"name": "x"}).places == ["token"]
        assert "lost" not in api.patch(f"{PATH}/{id}", {"token": "entered-again"}).json
    finally:
        credentials._vault = before


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "https://api.example.com:8443/", "http://api.example.com/", "https://x.api.example.com/"],
)
def test_a_credential_is_not_put_on_a_request_to_another_place(firm: Company, workbench: Workbench, url: str):
    id = int(firm.live.post(PATH, body(hosts=["api.example.com", "api.example.com:80"])).json["id"])
    with pytest.raises(Invalid) as refused:
        workbench.run(workbench.credentials.applied(firm.tenant(), id, url))
    assert SECRET not in repr(refused.value.violations)


# Tokens


def with_tokens(
    workbench: Workbench, firm: Company, answer: Answer, go: Callable[..., Awaitable[Any]], **changes: Any
) -> Any:
    """What `go(ask, service)` gives, `ask` being what puts the credential on a request."""
    tenant = firm.tenant()

    async def run() -> Any:
        async with serving(answer) as service:
            sent = body("oauth2", token_url=service.url("/token"), **changes)
            made = await firm.live.sending("POST", PATH, sent)
            assert made.status == 200, made
            id = int(made.json["id"])

            async def ask(**options: Any) -> str:
                applied = await workbench.credentials.applied(tenant, id, "https://api.example.com/", **options)
                assert applied.token in applied.secrets
                return applied.token

            return await go(ask, service)

    return workbench.run(run())


def numbered(**fields: Any) -> Answer:
    """A token endpoint that counts its tokens."""
    count = 0

    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        content = {"access_token": f"token-{count}", "token_type": "Bearer"} | fields
        await asyncio.sleep(0)
        await answering(msgspec.json.encode(content))(head, writer)

    return answer


def test_a_token_is_got_once_and_kept_sealed(firm: Company, workbench: Workbench):
    async def go(ask: Any, service: Service) -> tuple[list[str], Service]:
        return [*await asyncio.gather(*(ask() for _ in range(10))), await ask()], service

    tokens, service = with_tokens(workbench, firm, numbered(expires_in=3600), go, scopes=["read", "write"])
    assert set(tokens) == {"token-1"}
    assert service.connections == 1
    assert service.bodies == [b"grant_type=client_credentials&scope=read+write"]
    assert "authorization: basic " in service.heads[0].lower()
    kept = workbench.everything_kept()
    assert "token-1" not in kept
    assert SECRET not in kept


def test_the_secret_can_go_in_the_form(firm: Company, workbench: Workbench):
    async def go(ask: Any, service: Service) -> Service:
        await ask()
        return service

    service = with_tokens(workbench, firm, numbered(), go, client_way="body")
    assert SECRET.encode() in service.bodies[0]
    assert "authorization" not in service.heads[0].lower()


def test_a_token_is_renewed_before_it_ends(firm: Company, workbench: Workbench, monkeypatch: pytest.MonkeyPatch):
    async def go(ask: Any, _: Service) -> list[str]:
        begun = clock.wall()
        found = []
        for later in (0, 60, 69, 71, 72):
            monkeypatch.setattr(clock, "wall", lambda later=later: begun + later)
            found.append(await ask())
        return found

    tokens = with_tokens(workbench, firm, numbered(expires_in="100"), go)
    assert tokens == ["token-1", "token-1", "token-1", "token-2", "token-2"]


def test_a_token_that_was_refused_is_replaced_once(firm: Company, workbench: Workbench):
    async def go(ask: Any, _: Service) -> list[str]:
        first = await ask()
        return [first, *await asyncio.gather(*(ask(refused=first) for _ in range(5))), await ask()]

    tokens = with_tokens(workbench, firm, numbered(expires_in=3600), go)
    assert tokens == ["token-1", *["token-2"] * 6]


@pytest.mark.parametrize(
    "answer",
    [
        answering(b'{"error": "invalid_client", "echo": "%b"}' % SECRET.encode(), status="401 Unauthorized"),
        answering(b"{}"), answering(b"no json"), answering(b'{"access_token": "two\\nlines"}'),
        answering(b"", "location: http://127.0.0.1:1/", status="307 Temporary Redirect"),
    ],
)  # fmt: skip
def test_an_endpoint_that_gives_no_token_is_said_without_the_secret(
    firm: Company, workbench: Workbench, answer: Answer
):
    async def go(ask: Any, service: Service) -> str:
        with pytest.raises(NoToken) as refused:
            await ask()
        assert service.connections == 1
        return refused.value.message

    message = with_tokens(workbench, firm, answer, go)
    assert SECRET not in message
    assert message


def test_what_an_endpoint_says_is_cut_short_without_the_secrets_beginning(firm: Company, workbench: Workbench):
    async def go(ask: Any, _: Service) -> str:
        with pytest.raises(NoToken) as refused:
            await ask()
        return refused.value.message

    for more in range(len(SECRET)):
        said = b"1" * (118 - more) + SECRET.encode() + b"222"
        answer = answering(said, status="401 Unauthorized")
        message = with_tokens(workbench, firm, answer, go, name=f"Cut after {more}")
        assert SECRET[:1] not in message.partition("401: ")[2]


def test_changing_a_credential_drops_its_token(firm: Company, workbench: Workbench):
    async def go(ask: Any, _: Service) -> list[str]:
        first = await ask()
        page = (await firm.live.sending("GET", PATH)).json["items"]
        await firm.live.sending("PATCH", f"{PATH}/{page[0]['id']}", {"client_secret": "changed"})
        return [first, await ask()]

    assert with_tokens(workbench, firm, numbered(expires_in=3600), go) == ["token-1", "token-2"]
