"""Tasks that are sent with a credential of the workbench, and what may not be seen of it."""

import base64
import json
from typing import Any

import pytest

from offhook.workflows.machine.model import Outcome
from tests.api.desk import Company
from tests.catalog.workbench import V1, Answer, Service, Workbench, answering, serving
from tests.workflows.tasks.calling import TENANT, addressed, get, header_of, http_task, post

TERMINAL = "FAILED_WITH_TERMINAL_ERROR"
SECRET = "s3cr3t-word-42"


def keep(firm: Company, kind: str, *, name: str = "ours", hosts: list[str] | None = None, **more: Any) -> None:
    made = firm.live.post(
        f"{V1}/credentials", {"name": name, "kind": kind, "hosts": hosts or ["127.0.0.1:PORT"], **more}
    )
    assert made.status == 200, made


def call(
    workbench: Workbench, firm: Company, kind: str, answer: Answer, given: dict[str, Any], **fields: Any
) -> tuple[Outcome, Service]:
    """Do one task with a credential of this kind, which is for the service that is called."""

    tenant = firm.tenant()

    async def do(service: Service) -> Outcome:
        task = http_task(credentials=workbench.credentials)
        try:
            return await task.perform(tenant, addressed({"credential": "ours", **given}, service), key="k")
        finally:
            await task.egress.close()

    server = serving(answer)
    service = workbench.run(server.__aenter__())
    try:
        hosts = fields.pop("hosts", [f"127.0.0.1:{service.port}"])
        keep(firm, kind, hosts=hosts, **addressed(fields, service))
        return workbench.run(do(service)), service
    finally:
        workbench.run(server.__aexit__(None, None, None))


def echo() -> Answer:
    """Says back all that it was sent, in all ways that it can."""

    async def answer(head: str, writer: Any) -> None:
        raw = head.encode("latin-1")
        body = {
            "head": head,
            "base64": base64.b64encode(raw).decode(),
            "hex": raw.hex(),
            "upper": raw.hex().upper(),
            "lines": head.split("\r\n"),
        }
        lines = [f"X-Back: {line}" for line in head.split("\r\n")[1:] if line]
        await answering(json.dumps(body).encode(), *lines)(head, writer)

    return answer


def unseen(outcome: Outcome, *secrets: str) -> None:
    """None of these is in what is kept, in any form that is easily undone."""
    kept = json.dumps([outcome.output, outcome.reason])
    for secret in secrets:
        raw = secret.encode()
        for text in (secret, raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode().rstrip("=")):
            assert text not in kept, text
        for shift in range(3):
            inner = base64.b64encode(b"\0" * shift + raw).decode()[4:-4]
            assert inner not in kept, inner


@pytest.mark.parametrize(
    ("kind", "fields", "header", "value"),
    [
        ("bearer", {"token": SECRET}, "Authorization", f"Bearer {SECRET}"),
        ("basic", {"username": "me", "password": SECRET}, "Authorization",
         "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()),
        ("api_key", {"parameter": "X-Api-Key", "value": SECRET}, "X-Api-Key", SECRET),
        ("headers", {"headers": [{"name": "X-One", "value": SECRET}]}, "X-One", SECRET),
    ],
)  # fmt: skip
def test_a_credential_is_sent_and_not_seen(
    workbench: Workbench, firm: Company, kind: str, fields: Any, header: str, value: str
):
    given = get(headers={header: "what the task has"})
    outcome, service = call(workbench, firm, kind, echo(), given, **fields)
    assert outcome.status == "COMPLETED", outcome
    assert header_of(service.heads[0], header) == value
    assert service.heads[0].lower().count(f"\n{header.lower()}:") == 1
    unseen(outcome, SECRET, value)


def test_a_key_in_the_address_is_sent_and_not_seen(workbench: Workbench, firm: Company):
    fields = {"place": "query", "parameter": "apikey", "value": "k&y/ü".encode("ascii", "replace").decode() + "42"}
    outcome, service = call(workbench, firm, "api_key", echo(), get("/a?b=c&apikey=other"), **fields)
    assert service.heads[0].startswith("GET /a?b=c&apikey=k%26y%2F%3F42 ")
    unseen(outcome, "k&y/?42", "k%26y%2F%3F42")


def test_a_credential_is_not_sent_to_a_host_that_it_is_not_for(workbench: Workbench, firm: Company):
    outcome, service = call(workbench, firm, "bearer", echo(), get(), token=SECRET, hosts=["api.example.com"])
    assert outcome.status == TERMINAL
    assert "is for api.example.com only" in outcome.reason
    assert service.heads == []


def test_a_credential_that_nobody_has(workbench: Workbench, firm: Company):
    outcome, service = call(workbench, firm, "bearer", echo(), get(credential="theirs"), token=SECRET)
    assert outcome.status == TERMINAL
    assert 'no credential with the name "theirs"' in outcome.reason
    assert service.heads == []


def test_another_companys_credential_is_none(workbench: Workbench, firm: Company):
    keep(firm, "bearer", token=SECRET, hosts=["127.0.0.1"])

    async def do() -> Outcome:
        task = http_task(credentials=workbench.credentials)
        given = {"uri": "http://127.0.0.1/", "method": "GET", "credential": "ours"}
        return await task.perform(TENANT, given, key="k")

    outcome = workbench.run(do())
    assert outcome.status == TERMINAL
    assert "no credential" in outcome.reason


def test_a_credential_does_not_follow_to_another_place(workbench: Workbench, firm: Company):
    server = serving(answering(b"1"))
    other = workbench.run(server.__aenter__())
    moved = answering(b"", f"location: {other.url('/')}", status="307 X")
    try:
        outcome, _ = call(
            workbench, firm, "api_key", moved, post(body={}), parameter="X-Own", value=SECRET
        )  # fmt: skip
    finally:
        workbench.run(server.__aexit__(None, None, None))
    assert outcome.status == "COMPLETED", outcome
    assert SECRET not in other.heads[0]


# OAuth 2


def _granting(tokens: list[str], refused: set[str], status: str = "200 OK") -> Answer:
    """A token endpoint at /token, and all else for who has a token that is not refused."""

    async def answer(head: str, writer: Any) -> None:
        if head.startswith("POST /token "):
            given = {"access_token": tokens.pop(0), "expires_in": 3600} if tokens else {"error": "enough"}
            await answering(json.dumps(given).encode(), status=status)(head, writer)
        elif (header_of(head, "Authorization") or "").removeprefix("Bearer ") in refused:
            await answering(b'"who are you?"', status="401 Unauthorized")(head, writer)
        else:
            await echo()(head, writer)

    return answer


OAUTH = {"token_url": "HERE/token", "client_id": "me", "client_secret": SECRET}


def test_a_token_is_got_and_not_seen(workbench: Workbench, firm: Company):
    outcome, service = call(workbench, firm, "oauth2", _granting(["tok3n-one-1"], set()), get(), **OAUTH)
    assert outcome.status == "COMPLETED", outcome
    assert header_of(service.heads[1], "Authorization") == "Bearer tok3n-one-1"
    unseen(outcome, SECRET, "tok3n-one-1")


def test_a_token_that_is_refused_is_renewed_once(workbench: Workbench, firm: Company):
    answer = _granting(["tok3n-one-1", "tok3n-two-2"], {"tok3n-one-1"})
    outcome, service = call(workbench, firm, "oauth2", answer, post(body={"a": 1}), **OAUTH)
    assert outcome.status == "COMPLETED", outcome
    assert [head.split(" ")[1] for head in service.heads] == ["/token", "/", "/token", "/"]
    assert service.bodies[3] == b'{"a":1}'
    assert header_of(service.heads[1], "Idempotency-Key") == header_of(service.heads[3], "Idempotency-Key") == "k"
    unseen(outcome, SECRET, "tok3n-one-1", "tok3n-two-2")


def test_a_second_refusal_is_the_answer(workbench: Workbench, firm: Company):
    answer = _granting(["tok3n-one-1", "tok3n-two-2", "tok3n-three"], {"tok3n-one-1", "tok3n-two-2"})
    outcome, service = call(workbench, firm, "oauth2", answer, get(), **OAUTH)
    assert (outcome.status, outcome.output["response"]["statusCode"]) == ("FAILED", 401)
    assert len(service.heads) == 4


def test_a_token_is_renewed_once_for_all_pages(workbench: Workbench, firm: Company):
    tokens = [f"tok3n-{number}-of-many" for number in range(5)]

    async def answer(head: str, writer: Any) -> None:
        if head.startswith("POST /token "):
            await answering(json.dumps({"access_token": tokens.pop(0)}).encode())(head, writer)
        elif header_of(head, "Authorization") == "Bearer tok3n-1-of-many" and "p=1" in head:
            await answering(b"[1]")(head, writer)
        else:
            await answering(b"{}", status="401 Unauthorized")(head, writer)

    given = get(pagination={"kind": "page", "parameter": "p"})
    outcome, service = call(workbench, firm, "oauth2", answer, given, **OAUTH)
    assert (outcome.status, outcome.output["response"]["statusCode"]) == ("FAILED", 401)
    assert [head.split(" ")[1] for head in service.heads] == ["/token", "/?p=1", "/token", "/?p=1", "/?p=2"]


def test_a_refusal_at_another_address_asks_for_no_token(workbench: Workbench, firm: Company):
    granting = _granting(["tok3n-one-1", "tok3n-two-2"], {"tok3n-one-1"})

    async def answer(head: str, writer: Any) -> None:
        moved = answering(b"", "location: /b", status="302 X")
        await (moved if head.startswith("GET /a ") else granting)(head, writer)

    outcome, service = call(workbench, firm, "oauth2", answer, get("/a"), **OAUTH)
    assert (outcome.status, outcome.output["response"]["statusCode"]) == ("FAILED", 401)
    assert [head.split(" ")[1] for head in service.heads] == ["/token", "/a", "/b"]


def test_a_refusal_of_another_credential_is_the_answer(workbench: Workbench, firm: Company):
    refused = answering(b"{}", status="401 Unauthorized")
    outcome, service = call(workbench, firm, "bearer", refused, get(), token=SECRET)
    assert (outcome.status, len(service.heads)) == ("FAILED", 1)


def test_a_token_that_is_not_to_be_had_may_be_had_later(workbench: Workbench, firm: Company):
    outcome, service = call(workbench, firm, "oauth2", _granting([], set(), "503 X"), get(), **OAUTH)
    assert outcome.status == "FAILED"
    assert "The token endpoint answered 503" in outcome.reason
    assert len(service.heads) == 1
    unseen(outcome, SECRET)
