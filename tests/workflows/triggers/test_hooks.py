"""Hooks are called over HTTP without a key; who has the secret starts a run, everybody else gets one and the same."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from offhook.kit import openapi
from offhook.kit.errors import NotFound
from offhook.kit.operation import MIB
from offhook.storage.database import Statement
from offhook.storage.tables import metadata
from offhook.workflows.triggers import rules, signing, store
from tests.workflows.triggers.waking import BEGUN, TENANT, V1, Waking

Make = Callable[..., Waking]
SECRET = "a secret that they have already"


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    """Nothing here depends on the kind of store."""
    path = tmp_path / "offhook.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


async def hook(one: Waking, **more: Any) -> tuple[str, str]:
    """The path and the secret of a new hook."""
    made = await one.made("hooks", {"name": "h", "workflow": "w", **more})
    assert made["hook"]["path"] == f"{V1}/hooks/{made['hook']['id']}"
    return made["hook"]["path"], made.get("secret", "")


async def call(one: Waking, path: str, body: bytes = b"", address: str = "192.0.2.1", **headers: str) -> httpx.Response:
    """A call without the company's key."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await one.send("POST", path, content=body, headers={"authorization": "", **names}, address=address)


def signed(body: bytes, at: float = BEGUN, secret: str = SECRET) -> dict[str, str]:
    return {"offhook_signature": signing.signature(secret, body, int(at))}


def test_a_call_becomes_a_run(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one, headers=["X-Kind"], version=1)
        answer = await call(
            one,
            f"{path}?a=1&b=2&b=3",
            b'{"x":[1,null]}',
            authorization=f"Bearer {secret}",
            content_type="application/json; charset=utf-8",
            x_kind="push",
            x_other="no",
            user_agent="them",
        )
        assert (answer.status_code, answer.json()) == (202, {"run_id": "1000"})
        [run] = one.target.started
        assert run.input == {
            "body": {"x": [1, None]},
            "headers": {"content-type": "application/json; charset=utf-8", "user-agent": "them", "x-kind": "push"},
            "query": {"a": "1", "b": ["2", "3"]},
        }
        assert (run.workflow, run.version, run.by, run.key) == ("w", 1, "hook h", "")
        assert run.correlation == f"hook:{path.rpartition('/')[2]}"

    story(tell)


@pytest.mark.parametrize(
    ("media", "body", "found"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=&a=2", {"a": ["1", "2"], "b": ""}),
        ("text/plain; charset=utf-8", "héllo".encode(), "héllo"),
        ("application/cloudevents+json", b"[1]", [1]),
        ("", b"[1]", [1]),
        ("application/json", b"", None),
    ],
)
def test_bodies(story: Any, media: str, body: bytes, found: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        answer = await call(one, path, body, offhook_hook_secret=secret, content_type=media)
        assert answer.status_code == 202, answer.text
        assert one.target.started[0].input["body"] == found

    story(tell)


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b'{"a":1,"a":2}', 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(1_001)), 400),
        ("text/plain", b"\xff", 400),
        ("image/png", b"x", 415),
        ("application/json", b'"' + b"x" * 1024 * 1024 + b'"', 413),
    ],
)
def test_bodies_that_are_refused_to_who_has_the_secret(story: Any, media: str, body: bytes, status: int):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        answer = await call(one, path, body, offhook_hook_secret=secret, content_type=media)
        assert answer.status_code == status
        assert one.target.asked == []

    story(tell)


def test_an_unknown_hook_and_a_wrong_secret_are_the_same(story: Any):
    async def tell(one: Waking) -> None:
        token, secret = await hook(one)
        own, _ = await hook(one, name="s", proof="signed", secret=SECRET)
        hub, _ = await hook(one, name="g", proof="github", secret=SECRET)
        calls: list[tuple[str, dict[str, str]]] = [
            (f"{V1}/hooks/12345", {"authorization": f"Bearer {secret}"}),
            (f"{V1}/hooks/x", {"authorization": f"Bearer {secret}"}),
            (token, {}),
            (token, {"authorization": "Bearer good"}),
            (token, {"authorization": f"Bearer {secret[:-1]}"}),
            (token, signed(b"{}")),
            (own, {"authorization": f"Bearer {SECRET}"}),
            (own, signed(b"{} ")),
            (own, signed(b"{}", BEGUN - 301)),
            (own, signed(b"{}", BEGUN + 301)),
            (own, signed(b"{}", secret="another secret")),
            (own, {"x_hub_signature_256": "sha256=" + "0" * 64}),
            (hub, signed(b"{}")),
            (hub, {"x_hub_signature_256": "sha256=" + "0" * 64}),
        ]
        answers = [await call(one, path, b"{}", content_type="application/json", **sent) for path, sent in calls]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.text for answer in answers}) == 1
        assert one.target.asked == []

    story(tell)


def test_signatures(story: Any):
    async def tell(one: Waking) -> None:
        path, made = await hook(one, proof="signed", secret=SECRET)
        assert made == "", "a secret that they sent is not sent back"
        answer = await call(one, path, b"{}", content_type="application/json", **signed(b"{}"))
        assert answer.status_code == 202
        one.clock[0] += 200
        again = await call(one, path, b"{}", content_type="application/json", **signed(b"{}"))
        assert again.json() == answer.json(), "the very same call, sent again by whoever saw it, is no other run"
        other = await call(one, path, b"{}", content_type="application/json", **signed(b"{}", BEGUN + 200))
        assert other.json() != answer.json()
        github, made = await hook(one, name="g", proof="github")
        body = b"payload=1"
        name = "sha256=" + signing._hmac(made, body)
        answer = await call(
            one, github, body, x_hub_signature_256=name, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 202

    story(tell)


def test_calls_of_one_delivery_are_one_call(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one, idempotency_header="X-GitHub-Delivery")
        first, again, other, long = [
            (await call(one, path, b"", offhook_hook_secret=secret, x_github_delivery=value)).json()
            for value in ("d1", "d1", "d2", "d" * 5_000)
        ]
        assert first == again
        assert len({first["run_id"], other["run_id"], long["run_id"]}) == 3
        assert all(len(run.key) < 120 for run in one.target.started)
        none = await call(one, path, b"", offhook_hook_secret=secret)
        assert none.status_code == 202

    story(tell)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("x_github_delivery", b""),
        ("webhook_id", b""),
        ("idempotency_key", b""),
        ("", b'{"id":"evt_1","object":"event","type":"charge.succeeded"}'),
    ],
)
@pytest.mark.parametrize("proof", ["token", "signed", "github"])
def test_a_delivery_that_is_sent_twice_starts_one_run(story: Any, proof: str, header: str, body: bytes):
    async def tell(one: Waking) -> None:
        path, token = await hook(one, proof=proof, **({} if proof == "token" else {"secret": SECRET}))

        async def deliver(number: int) -> Any:
            sent = body.replace(b"evt_1", b"evt_%d" % number)
            proofs = {
                "token": {"offhook_hook_secret": token},
                "signed": signed(sent, one.clock[0]),
                "github": {"x_hub_signature_256": "sha256=" + signing._hmac(SECRET, sent)},
            }
            named = {header: f"d{number}"} if header else {}
            one.clock[0] += 60
            answer = await call(one, path, sent, content_type="application/json", **proofs[proof], **named)
            assert answer.status_code == 202
            return answer.json()

        first, again, other = [await deliver(number) for number in (1, 1, 2)]
        assert first == again
        assert other != first

    story(tell)


@pytest.mark.parametrize(
    "body", [b'{"id":"evt_1"}', b'{"id":7,"object":"event"}', b"[", b'{"id":"7","object":"event"}']
)
def test_what_names_no_delivery_is_a_call_of_its_own(story: Any, body: bytes):
    async def tell(one: Waking) -> None:
        path, token = await hook(one)
        for _ in range(2):
            await call(one, path, body, offhook_hook_secret=token, content_type="text/plain")
        assert len({run.id for run in one.target.started}) == 2

    story(tell)


def test_a_secret_is_kept_nowhere_and_told_once(story: Any):
    async def tell(one: Waking) -> None:
        path, token = await hook(one)
        own, _ = await hook(one, name="s", proof="signed", secret=SECRET)
        shown = [await one.send("GET", path), await one.send("GET", own), await one.send("GET", f"{V1}/hooks")]
        rotated = await one.send("POST", f"{path}/rotate-secret")
        second = rotated.json()["secret"]
        assert (await call(one, path, b"", offhook_hook_secret=token)).status_code == 404
        assert (await call(one, path, b"", offhook_hook_secret=second)).status_code == 202
        with one.database.reading() as tx:
            kept = [str(tx.all(Statement(f"SELECT * FROM {table.name}"))) for table in metadata.sorted_tables]
        for secret in (token, second, SECRET):
            assert all(secret not in text for text in kept)
            assert all(secret not in answer.text for answer in shown)

    story(tell)


def test_a_new_secret_of_their_own(story: Any):
    async def tell(one: Waking) -> None:
        path, _ = await hook(one, proof="signed", secret=SECRET)
        changed = await one.send("POST", f"{path}/rotate-secret", {"secret": "their next secret"})
        assert "secret" not in changed.json()
        assert (await call(one, path, b"", **signed(b""))).status_code == 404
        assert (await call(one, path, b"", **signed(b"", secret="their next secret"))).status_code == 202

    story(tell)


def test_changes_keep_the_secret(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        changed = await one.send("PUT", path, {"name": "h2", "workflow": "w", "paused": True})
        assert changed.json()["name"] == "h2"
        paused = await call(one, path, b"", offhook_hook_secret=secret)
        assert paused.status_code == 409
        await one.send("PUT", path, {"name": "h2", "workflow": "w"})
        assert (await call(one, path, b"", offhook_hook_secret=secret)).status_code == 202
        other = await one.send("PUT", path, {"name": "h2", "workflow": "w", "proof": "signed"})
        assert other.status_code == 409
        assert (await one.send("DELETE", path)).status_code == 200
        assert (await call(one, path, b"", offhook_hook_secret=secret)).status_code == 404

    story(tell)


def test_a_start_that_fails_is_told_to_who_calls(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        one.target.refuse = [NotFound("There is no workflow w.")]
        answer = await call(one, path, b"", offhook_hook_secret=secret)
        assert answer.status_code == 409
        assert "There is no workflow w." in answer.text

    story(tell)


def test_each_hook_has_its_limit_which_strangers_cannot_use_up(make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        one = make(scale=0.005)
        one.register("w")
        path, secret = await hook(one)
        other, second = await hook(one, name="other")
        wrong = [(await call(one, path, b"", "192.0.2.66", offhook_hook_secret="no")).status_code for _ in range(5)]
        assert wrong == [404, 404, 404, 429, 429]
        statuses = [(await call(one, path, b"", offhook_hook_secret=secret)).status_code for _ in range(4)]
        assert statuses == [202, 202, 202, 429]
        assert (await call(one, other, b"", offhook_hook_secret=second)).status_code == 202

    runner.run(tell())


def test_from_an_address_where_too_many_failed_nothing_is_looked_up(make: Make, runner: asyncio.Runner):
    async def tell() -> None:
        one = make(scale=0.005)
        one.register("w")
        path, secret = await hook(one)
        for _ in range(3):
            await call(one, path, b"", offhook_hook_secret="wrong")
        looked: list[Any] = []

        async def run(unit: Any) -> Any:
            looked.append(unit)

        lookup, one.reader.run = one.reader.run, run  # type: ignore[method-assign,assignment]
        refused = await call(one, path, b"", offhook_hook_secret=secret)
        one.reader.run = lookup  # type: ignore[method-assign]
        assert (refused.status_code, looked) == (429, [])
        assert "fail from one address" in refused.json()["error"]["message"]
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert (await call(one, path, b"", "192.0.2.2", offhook_hook_secret=secret)).status_code == 202

    runner.run(tell())


def test_a_strangers_body_is_not_even_read(story: Any):
    async def tell(one: Waking) -> None:
        path, _ = await hook(one)
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError("the body was asked for")

        async def send(message: Any) -> None:
            sent.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(b"content-length", b"9")],
        }
        await one.gate(scope, receive, send)
        assert sent[0]["status"] == 404

    story(tell)


def test_other_operations_still_need_a_key(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        for method in ("GET", "PUT", "DELETE"):
            answer = await one.send(method, path, headers={"authorization": f"Bearer {secret}"})
            assert answer.status_code == 401
        assert (await one.send("POST", f"{path}/rotate-secret", headers={"authorization": ""})).status_code == 401

    story(tell)


def test_the_document_says_that_a_call_needs_no_key(story: Any):
    async def tell(one: Waking) -> None:
        document = openapi.document(one.operations, title="t", version="1")
        found = document["paths"][f"{V1}/hooks/{{id}}"]["post"]
        assert found["security"] == []
        assert "202" in found["responses"]
        assert not {"200", "401", "403"} & set(found["responses"])
        assert msgspec.json.encode(document)

    story(tell)


def test_a_hook_of_one_company_is_nothing_to_another(story: Any):
    async def tell(one: Waking) -> None:
        path, _ = await hook(one)
        id = int(path.rpartition("/")[2])
        with one.database.reading() as tx:
            assert store.hooks.get(tx, TENANT + 1, id) is None
            found = store.hook(tx, id)
        assert found is not None
        assert found.tenant_id == TENANT

    story(tell)


def test_the_owner_sees_what_came_of_calls_and_strangers_do_not(story: Any):
    async def tell(one: Waking) -> None:
        path, _ = await hook(one, proof="signed", secret=SECRET)
        good = signed(b"{}")
        assert (await call(one, path, b"{}", **good)).status_code == 202
        for _ in range(3):
            answer = await call(one, path, b"{}", **signed(b"other"))
            assert answer.json()["error"]["message"] == "There is no such hook, or the secret is not its own."
        await call(one, path, b"{}")
        await call(one, path, b"{}", **signed(b"{}", at=BEGUN - 301))
        await call(one, path, b"{", content_type="application/json", **signed(b"{"))
        one.target.refuse.append(NotFound("There is no workflow w."))
        await call(one, path, b"1", **signed(b"1"))
        assert (await call(one, path, b" " * (MIB + 1))).status_code == 413
        await one.hearing.close()
        shown = (await one.send("GET", path)).json()
        assert [(each.get("run_id"), each.get("times", 1), each.get("why")) for each in shown["calls"]] == [
            (None, 1, f"The body may have {MIB} bytes; this one has {MIB + 1}."),
            (None, 1, "The hook is good, but nothing was started: There is no workflow w."),
            (None, 1, shown["calls"][2]["why"]),
            (None, 1, "Its signature is good, but not of the last 5 minutes."),
            (None, 1, "It came without a signature."),
            (None, 3, "Its signature is not the hook's."),
            ("1000", 1, None),
        ]
        assert "JSON" in shown["calls"][2]["why"]
        listed = (await one.send("GET", f"{V1}/hooks")).json()["items"][0]
        assert (listed["last"], "calls" in listed) == (shown["calls"][0], False)
        assert SECRET not in str(shown)
        assert (await one.send("DELETE", path)).status_code == 200
        with one.database.reading() as tx:
            assert store.heard_of(tx, TENANT, int(path.rpartition("/")[2])) == []

    story(tell)


def test_only_the_latest_calls_of_a_hook_are_kept_however_many_there_are(story: Any):
    async def tell(one: Waking) -> None:
        path, secret = await hook(one)
        for _ in range(15):
            await call(one, path, authorization=f"Bearer {secret}")
            await call(one, path, authorization="Bearer no")
        await one.hearing.close()
        calls = (await one.send("GET", path)).json()["calls"]
        assert len(calls) == rules.MOST_HEARD
        assert [each.get("run_id") for each in calls[:4]] == [None, "1014", None, "1013"]

    story(tell)
