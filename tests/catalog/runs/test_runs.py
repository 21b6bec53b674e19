"""Requests that are run: what is shown of them, what is kept, what ends them, and that no secret gets anywhere."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from offhook.catalog.runs import store
from offhook.catalog.runs.model import Request, Run
from offhook.catalog.runs.running import Limits
from offhook.kit import clock
from offhook.kit.egress import Egress
from tests.api.desk import Api, Company
from tests.catalog.workbench import (
    V1,
    Answer,
    Service,
    Workbench,
    answering,
    bomb,
    dripping,
    endless,
    never,
    serving,
)

PATH = f"{V1}/runs"
SECRET = "s3cr3t-word-42"

Go = Callable[[Service], Awaitable[Any]]


def with_service(workbench: Workbench, answer: Answer, go: Go) -> Any:
    async def run() -> Any:
        async with serving(answer) as service:
            return await go(service)

    return workbench.run(run())


def ran(workbench: Workbench, caller: Api, answer: Answer, *, values: Any = None, **request: Any) -> Any:
    """The run of a request to a service, as JSON; `server` is the service unless said."""

    async def go(service: Service) -> Any:
        sent = {"server": service.url(""), "path": "/x", **request}
        got = await caller.sending("POST", PATH, {"request": sent, "values": values or {}})
        assert got.status == 200, got
        return got.json | {"service": service}

    return with_service(workbench, answer, go)


@pytest.fixture
def small(workbench: Workbench) -> Iterator[Workbench]:
    """The workbench with limits that tests can wait for."""
    before = workbench.runs._limits
    workbench.runs._limits = Limits(seconds=0.3, most=10_000, at_once=2, at_once_in_all=3)
    yield workbench
    workbench.runs._limits = before


def test_a_run_shows_what_was_sent_and_what_came(workbench: Workbench, firm: Company):
    run = ran(
        workbench,
        firm.live,
        answering(b'{"a":[1,2]}', "x-one: 1", "x-one: 2", status="201 Created"),
        method="POST",
        path="/offices/{id}",
        path_parameters=[{"name": "id", "value": "${workflow.input.id}"}],
        query=[{"name": "q", "value": "1 2"}],
        headers=[{"name": "X-A", "value": "b"}],
        media="application/json",
        body='{"name": "${workflow.input.name}"}',
        values={"workflow": {"input": {"id": 7, "name": "Lisbon"}}},
        operation="get-x",
        api="a",
    )
    service = run["service"]
    assert (run["state"], run["status"], run.get("error", "")) == ("done", 201, "")
    assert run["request"]["method"] == "POST"
    assert run["request"]["url"] == service.url("/offices/7?q=1%202")
    assert run["request"]["body"] == '{"name":"Lisbon"}'
    assert service.bodies == [b'{"name":"Lisbon"}']
    assert {"name": "X-A", "value": "b"} in run["request"]["headers"]
    assert [one["value"] for one in run["headers"] if one["name"] == "x-one"] == ["1", "2"]
    assert run["body"] == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert (run["size"], run["kept"]) == (11, 11)
    assert set(run["times"]) == {"dns", "connect", "tls", "first_byte", "whole"}
    assert run["times"]["whole"] > 0
    again = firm.live.get(f"{PATH}/{run['id']}").json
    assert again == {name: value for name, value in run.items() if name != "service"}
    listed = firm.live.get(f"{PATH}?operation=get-x&api=a").json["items"]
    assert [one["id"] for one in listed] == [run["id"]]
    assert "body" not in listed[0]
    assert firm.live.get(f"{PATH}?operation=other").json.get("items", []) == []
    assert workbench.found().live.get(f"{PATH}/{run['id']}").status == 404


def test_what_cannot_be_sent_is_refused_and_not_kept(workbench: Workbench, firm: Company):
    answer = firm.live.post(
        PATH, {"request": {"server": "", "path": "/{id}", "query": [{"name": "q", "value": "${x}"}]}}
    )
    assert (answer.status, answer.places) == (400, ["path.id", "query.q", "server"])
    assert firm.live.post(PATH, {}).places == ["request"]
    assert firm.live.post(PATH, {"saved_id": "1"}).status == 404
    assert firm.live.get(PATH).json.get("items", []) == []
    assert firm.key("catalog:read").post(PATH, {}).status == 403


def test_what_is_inside_is_not_called(workbench: Workbench, firm: Company):
    before = workbench.runs._egress
    workbench.runs._egress = Egress()
    try:
        run = ran(workbench, firm.live, answering())
    finally:
        workbench.run(workbench.runs._egress.close())
        workbench.runs._egress = before
    assert run["state"] == "failed"
    assert "this installation does not allow it" in run["error"]
    assert run["service"].connections == 0


@pytest.mark.parametrize(
    ("answer", "word"),
    [(never, "no whole answer within 0.3 s"), (dripping, "bytes of it had come")],
)
def test_a_target_that_takes_too_long_is_cut_off(small: Workbench, firm: Company, answer: Answer, word: str):
    run = ran(small, firm.live, answer)
    assert run["state"] == "failed"
    assert word in run["error"]


@pytest.mark.parametrize("answer", [endless, bomb(20)])
def test_a_target_that_sends_too_much_is_cut_off(small: Workbench, firm: Company, answer: Answer):
    run = ran(small, firm.live, answer)
    assert (run["state"], run["cut"], run["kept"]) == ("done", True, 10_000)
    assert firm.live.get(f"{PATH}/{run['id']}").json["cut"] is True


@pytest.mark.parametrize(
    ("body", "media", "expected"),
    [
        (b"a\xff\xfeb", "text/plain", {"body": "a\ufffd\ufffdb", "lossy": True}),
        (b"\xe9", "text/plain; charset=iso-8859-1", {"body": "é"}),
        (b"\xe9", "text/plain; charset=punycode", {"body": "\ufffd", "lossy": True}),
        (b"\x89PNG\0\xff", "image/png", {"body_base64": "iVBORwD/"}),
        (b'{"a":', "application/json", {"body": '{"a":'}),
        (b"\xef\xbb\xbf{}", "application/json", {"body": "{}"}),
        (b"[" * 5000, "application/json", {"body": "[" * 5000}),
    ],
)
def test_bodies_are_shown_as_far_as_they_are_text(
    workbench: Workbench, firm: Company, body: bytes, media: str, expected: Any
):
    run = ran(workbench, firm.live, answering(body, f"content-type: {media}"))
    assert {name: run.get(name) for name in ("body", "lossy", "body_base64") if name in run} == expected


def test_an_answer_is_held_against_its_document(workbench: Workbench, firm: Company):
    schema = {"type": "object", "required": ["id"], "properties": {"name": {"type": "string"}}}
    responses = {"200": {"content": {"application/json": {"schema": schema}}}}
    workbench.document = {"paths": {"/x": {"get": {"responses": responses}}}}
    try:
        run = ran(workbench, firm.live, answering(b'{"name": 7}'), operation="x")
        assert sorted(one["location"] for one in run["faults"]) == ["body.id", "body.name"]
        assert ran(workbench, firm.live, answering(b'{"id": 7}'), operation="x")["faults"] == []
    finally:
        workbench.document = {}
    assert "faults" not in ran(workbench, firm.live, answering(b'{"id": 7}'), operation="x")


def test_a_run_is_cancelled(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        begun = await firm.live.sending("POST", PATH, {"request": {"server": service.url("")}, "wait": False})
        assert begun.json["state"] == "running"
        path = f"{PATH}/{begun.json['id']}"
        await service.asked.wait()
        states = [(await firm.live.sending("GET", path)).json["state"]]
        assert (await firm.live.sending("DELETE", path)).status == 409
        states.append((await firm.live.sending("POST", f"{path}/cancel")).json["state"])
        states.append((await firm.live.sending("GET", path)).json["state"])
        states.append((await firm.live.sending("POST", f"{path}/cancel")).json["state"])
        assert (await firm.live.sending("DELETE", path)).status == 200
        assert (await firm.live.sending("GET", path)).status == 404
        return states

    assert with_service(workbench, never, go) == ["running", "cancelled", "cancelled", "cancelled"]


def test_a_cancelled_run_says_how_long_it_took(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        begun = await firm.live.sending("POST", PATH, {"request": {"server": service.url("")}, "wait": False})
        await service.asked.wait()
        return (await firm.live.sending("POST", f"{PATH}/{begun.json['id']}/cancel")).json

    run = with_service(workbench, never, go)
    assert (run["state"], run["error"]) == ("cancelled", "It was cancelled.")
    assert run["times"]["whole"] > 0


def test_a_run_is_kept_from_its_beginning(workbench: Workbench, firm: Company):
    tenant = firm.tenant()

    async def go(service: Service) -> list[str]:
        begun = await firm.live.sending("POST", PATH, {"request": {"server": service.url("")}, "wait": False})
        await service.asked.wait()
        id = int(begun.json["id"])
        # What was begun before this is written before it.
        await workbench.offhook.writer.run(lambda _tx: None)
        kept = await workbench.offhook.reader.run(lambda tx: store.get(tx, tenant, id))
        assert kept is not None
        listed = (await firm.live.sending("GET", PATH)).json["items"]
        await firm.live.sending("POST", f"{PATH}/{id}/cancel")
        after = (await firm.live.sending("GET", PATH)).json["items"]
        return [kept.state, *(one["state"] for one in (*listed, *after))]

    assert with_service(workbench, never, go) == ["running", "running", "cancelled"]


@pytest.mark.parametrize(("age", "state"), [(3_600_000, "failed"), (1_000, "running")])
def test_a_run_whose_process_was_killed_is_cut_off_in_the_history(
    workbench: Workbench, firm: Company, age: int, state: str
):
    tenant, request = firm.tenant(), Request(method="POST", url="https://a.example")
    started = clock.milliseconds(clock.now()) - age
    left = Run(id=77, tenant_id=tenant, started=started, by="k", state="running", request=request)
    workbench.transact(lambda tx: store.begin(tx, left))
    for run in (firm.live.get(f"{PATH}/77").json, *firm.live.get(PATH).json["items"]):
        assert (run["state"], "cut off" in run.get("error", "")) == (state, state == "failed")
    assert firm.live.delete(f"{PATH}/77").status == (200 if state == "failed" else 409)


def test_only_so_many_run_at_a_time(small: Workbench, firm: Company):
    small.runs._limits = Limits(seconds=30, at_once=2, at_once_in_all=3)
    other = small.found()

    async def go(service: Service) -> list[int]:
        request = {"request": {"server": service.url("")}, "wait": False}
        answers = [
            await api.sending("POST", PATH, request)
            for api in (firm.live, firm.live, firm.live, other.live, other.live)
        ]
        for api, answer in zip((firm.live, firm.live, None, other.live, None), answers, strict=True):
            if api is not None:
                await api.sending("POST", f"{PATH}/{answer.json['id']}/cancel")
        again = await firm.live.sending("POST", PATH, request)
        await firm.live.sending("POST", f"{PATH}/{again.json['id']}/cancel")
        return [answer.status for answer in [*answers, again]]

    assert with_service(small, never, go) == [200, 200, 429, 200, 429, 200]


def test_a_saved_request_is_run_and_has_its_history(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        saved = {"name": "A", "request": {"server": service.url(""), "path": "/saved"}}
        id = (await firm.live.sending("POST", f"{V1}/requests", saved)).json["id"]
        run = (await firm.live.sending("POST", PATH, {"saved_id": id})).json
        assert (run["status"], run["saved_id"]) == (200, id)
        changed = {"request": {"server": service.url(""), "path": "/changed"}, "saved_id": id}
        await firm.live.sending("POST", PATH, changed)
        await firm.live.sending("POST", PATH, {"request": {"server": service.url("")}})
        page = (await firm.live.sending("GET", f"{PATH}?saved_id={id}&limit=1")).json
        more = (await firm.live.sending("GET", f"{PATH}?saved_id={id}&limit=1&cursor={page['cursor']}")).json
        return [one["request"]["url"].rpartition("/")[2] for one in page["items"] + more["items"]]

    assert with_service(workbench, answering(), go) == ["changed", "saved"]


def test_a_run_keeps_what_was_asked_for(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        id = await credential(firm, service, "bearer")
        request = {
            "method": "POST",
            "server": service.url(""),
            "path": "/{a}/x?api_key=typed-1",
            "path_parameters": [{"name": "a", "value": "${a}"}],
            "query": [{"name": "token", "value": "typed-2"}, {"name": "q", "value": "1", "on": False}],
            "headers": [{"name": "X-Api-Key", "value": "${key}"}, {"name": "X-Token", "value": "typed-3"}],
            "media": "application/x-www-form-urlencoded",
            "body": msgspec.json.encode({"a": "${a}", "long": "x" * 300_000, "own": SECRET}).decode(),
            "credential_id": id,
        }
        values = {"a": "value-of-a", "key": "value-of-key"}
        return id, (await firm.live.sending("POST", PATH, {"request": request, "values": values})).json

    id, run = with_service(workbench, answering(), go)
    kept = firm.live.get(f"{PATH}/{run['id']}").json["prepared"]
    assert run["prepared"] == kept
    assert kept["path"] == "/{a}/x?api_key=***"
    assert kept["path_parameters"] == [{"name": "a", "value": "${a}"}]
    assert kept["query"] == [{"name": "token"}, {"name": "q", "value": "1", "on": False}]
    assert kept["headers"] == [{"name": "X-Api-Key", "value": "${key}"}, {"name": "X-Token"}]
    assert msgspec.json.decode(kept["body"]) == {"a": "${a}", "long": "x" * 300_000, "own": "***"}
    assert (kept["credential_id"], kept["media"]) == (id, "application/x-www-form-urlencoded")
    assert all("prepared" not in one for one in firm.live.get(PATH).json["items"])


def test_runs_are_compared(workbench: Workbench, firm: Company):
    one = ran(workbench, firm.live, answering(b'{"a":1,"b":[1,2],"c":{"d":null}}', "x-a: 1"))
    two = ran(workbench, firm.live, answering(b'{"a":true,"b":[1],"c":{"e":"f"}}', "x-b: 1", status="202 Accepted"))
    found = firm.live.get(f"{PATH}/{one['id']}/compare/{two['id']}").json
    assert (found["status_before"], found["status_after"], found["same_body"]) == (200, 202, False)
    assert found["body"] == [
        {"path": "a", "before": "1", "after": "true"},
        {"path": "b[1]", "before": "2"},
        {"path": "c.d", "before": "null"},
        {"path": "c.e", "after": '"f"'},
    ]
    assert found["headers"] == [{"path": "x-a", "before": "1"}, {"path": "x-b", "after": "1"}]
    assert [one["name"] for one in found["times"]] == ["dns", "connect", "tls", "first_byte", "whole"]
    same = firm.live.get(f"{PATH}/{one['id']}/compare/{one['id']}").json
    assert (same["body"], same["headers"], same["same_body"]) == ([], [], True)
    assert firm.live.get(f"{PATH}/{one['id']}/compare/1").status == 404


def test_a_company_keeps_its_latest_thousand(workbench: Workbench, firm: Company, monkeypatch: pytest.MonkeyPatch):
    assert store.MOST == 1000
    monkeypatch.setattr(store, "MOST", 5)
    tenant = firm.tenant()

    def put(id: int, body: bytes = b"x") -> None:
        run = Run(id=id, tenant_id=tenant, started=0, by="", state="done", request=Request(method="GET", url=""))
        workbench.transact(lambda tx: store.put(tx, run, body))

    def kept() -> tuple[list[int], int]:
        runs = workbench.transact(lambda tx: store.page(tx, tenant, store.NEWEST, 100))
        count = workbench.transact(lambda tx: sum(bool(store.body(tx, tenant, id)) for id in range(20)))
        return [run.id for run in runs], count

    for id in range(1, 9):
        put(id)
    assert kept() == ([8, 7, 6, 5, 4], 5)
    monkeypatch.setattr(store, "MOST_BYTES", 3)
    put(9)
    assert kept() == ([9, 8, 7], 3)
    put(10, b"large")
    assert kept() == ([10], 1)


# Credentials


KINDS: dict[str, dict[str, Any]] = {
    "bearer": {"token": SECRET},
    "basic": {"username": "me", "password": SECRET},
    "api_key": {"parameter": "X-Odd", "value": SECRET},
    "query": {"kind": "api_key", "place": "query", "parameter": "odd", "value": SECRET},
    "headers": {"headers": [{"name": "X-Odd", "value": SECRET}]},
}


async def echo(head: str, writer: asyncio.StreamWriter) -> None:
    """Answers with all that it was sent, in its head and in its body."""
    line = head.split("\r\n")[0]
    await answering(head.encode("latin-1"), f"x-echo: {line}", "content-type: text/plain")(head, writer)


async def credential(firm: Company, service: Service, kind: str, **more: Any) -> str:
    sent = {
        "name": f"{kind} {service.port}",
        "kind": kind,
        "hosts": [f"127.0.0.1:{service.port}"],
        **KINDS.get(kind, {}),
    }
    made = await firm.live.sending("POST", f"{V1}/credentials", sent | more)
    assert made.status == 200, made
    return str(made.json["id"])


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_credential_is_sent_and_shown_nowhere(
    workbench: Workbench, firm: Company, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    async def go(service: Service) -> Any:
        id = await credential(firm, service, kind)
        request = {"server": service.url(""), "path": "/x?a=1", "credential_id": id}
        got = await firm.live.sending("POST", PATH, {"request": request})
        assert got.status == 200, got
        return got, service

    caplog.set_level(logging.DEBUG)
    got, service = with_service(workbench, echo, go)
    encoded = "bWU6czNjcjN0LXdvcmQtNDI="
    assert (encoded if kind == "basic" else SECRET) in service.heads[0]
    run = f"{PATH}/{got.json['id']}"
    shown = [got.response.text, firm.live.get(run).response.text, firm.live.get(PATH).response.text]
    shown += [firm.live.get(f"{run}/compare/{got.json['id']}").response.text, repr(firm.live.events())]
    out = capfd.readouterr()
    for text in [*shown, workbench.everything_kept(), caplog.text, out.out, out.err]:
        assert SECRET not in text
        assert encoded not in text
    assert "***" in got.json["body"]
    if kind == "query":
        assert got.json["request"]["url"].endswith("?a=1&odd=***")


async def echo_otherwise(head: str, writer: asyncio.StreamWriter) -> None:
    """Sends on to where the query stands escaped in small letters, and answers there in wide characters."""
    word = "ab/cd+ef=="
    if "/there" not in head:
        location = "/there?odd=ab%2fcd%2bef%3d%3d"
        await answering(b"", f"location: {location}", status="302 Found")(head, writer)
        return
    text = '{"a": "' + word.replace("/", "\\/") + '", "b": "' + word.replace("=", "\\u003d") + '"}'
    await answering(text.encode("utf-16"), "content-type: application/json; charset=utf-16")(head, writer)


def test_a_secret_that_comes_back_in_other_letters_is_not_shown(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        id = await credential(firm, service, "query", value="ab/cd+ef==")
        request = {"server": service.url(""), "credential_id": id}
        once = await firm.live.sending("POST", PATH, {"request": request, "redirects": False})
        return once.json, (await firm.live.sending("POST", PATH, {"request": request})).json

    once, followed = with_service(workbench, echo_otherwise, go)
    assert {"name": "location", "value": "/there?odd=***"} in once["headers"]
    assert followed["url"].endswith("/there?odd=***")
    assert msgspec.json.decode(followed["body"]) == {"a": "***", "b": "***"}
    assert followed["redirects"][0]["url"].endswith("?odd=***")


def test_a_secret_that_an_answer_is_cut_in_leaves_nothing(small: Workbench, firm: Company):
    """At every place of it: where the answer is longer than what is kept, and where it breaks off."""

    async def sent(answer: Answer) -> str:
        async with serving(answer) as service:
            id = await credential(firm, service, "bearer")
            request = {"server": service.url(""), "path": "/x", "credential_id": id}
            got = (await firm.live.sending("POST", PATH, {"request": request})).json
            return str(got["body"])

    async def broken(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 500\r\n\r\n12" + part)

    for length in range(1, len(SECRET) + 1):
        part = SECRET[:length].encode()
        body = b"1" * (10_000 - length) + SECRET.encode() + b"222"
        said = small.run(sent(answering(body, "content-type: text/plain")))
        assert said in ("1" * (10_000 - length), "1" * (10_000 - length) + "***"), said[-20:]
        assert small.run(sent(broken)) in ("12", "12***")


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
def test_a_credential_does_not_go_along_with_a_redirect(workbench: Workbench, firm: Company, kind: str, status: str):
    """Not even to a host that it names, nor to another port of the same one."""

    async def run() -> Any:
        async with (
            serving(answering()) as there,
            serving(answering(b"", f"location: {there.url('/there')}", status=status)) as here,
        ):
            id = await credential(firm, here, kind, hosts=[f"127.0.0.1:{here.port}", f"127.0.0.1:{there.port}"])
            own = [{"name": "Authorization", "value": "Bearer own-word"}, {"name": "X-Own", "value": "own-word"}]
            request = {"server": here.url(""), "credential_id": id, "headers": own}
            got = await firm.live.sending("POST", PATH, {"request": request})
            return got.json, here, there

    run_, here, there = workbench.run(run())
    assert run_["status"] == 200
    assert run_["redirects"][0]["status"] == int(status[:3])
    assert "own-word" in here.heads[0]
    for word in (SECRET, "own-word", "bWU6"):
        assert word not in there.heads[0]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("written", ["plain", "base64"])
def test_a_redirect_that_carries_a_secret_to_another_place_is_not_followed(
    workbench: Workbench, firm: Company, kind: str, written: str
):
    async def run() -> Any:
        secret = base64.urlsafe_b64encode(f"u:{SECRET}".encode()).decode() if written == "base64" else SECRET
        async with serving(answering()) as there:
            target = f"{there.url('/there')}?of={quote(secret)}"
            async with serving(answering(b"", f"location: {target}", status="302 Found")) as here:
                id = await credential(firm, here, kind)
                request = {"server": here.url(""), "credential_id": id}
                return (await firm.live.sending("POST", PATH, {"request": request})).json, there

    got, there = workbench.run(run())
    assert there.connections == 0
    assert (got["state"], got["status"]) == ("failed", 302)
    assert "another place with the secret" in got["error"]
    assert SECRET not in repr(got)


def test_a_credential_for_another_place_is_refused_before_anything_is_sent(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        id = await credential(firm, service, "bearer", hosts=["api.example.com"])
        got = await firm.live.sending("POST", PATH, {"request": {"server": service.url(""), "credential_id": id}})
        assert service.connections == 0
        return got

    got = with_service(workbench, answering(), go)
    assert (got.status, got.places) == (400, ["credential_id"])
    assert firm.live.post(PATH, {"request": {"server": "https://a.example", "credential_id": "x"}}).places == [
        "request.credential_id"
    ]
    assert firm.live.post(PATH, {"request": {"server": "https://a.example", "credential_id": "1"}}).status == 404


def test_a_token_that_a_target_refuses_is_replaced_once(workbench: Workbench, firm: Company):
    count = 0

    async def tokens_and_target(head: str, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        if head.startswith("POST /token"):
            count += 1
            await answering(b'{"access_token": "token-number-%d", "expires_in": 3600}' % count)(head, writer)
        elif "token-number-1" in head or "/never" in head:
            await answering(b"no", status="401 Unauthorized")(head, writer)
        else:
            await answering(b"{}")(head, writer)

    async def go(service: Service) -> Any:
        more = {"token_url": service.url("/token"), "client_id": "me", "client_secret": SECRET}
        id = await credential(firm, service, "oauth2", **more)
        found = []
        for path in ("/x", "/x", "/never"):
            request = {"server": service.url(""), "path": path, "credential_id": id}
            found.append((await firm.live.sending("POST", PATH, {"request": request})).json)
        return found, [head.split(" HTTP")[0] for head in service.heads]

    runs, asked = with_service(workbench, tokens_and_target, go)
    assert [run["status"] for run in runs] == [200, 200, 401]
    assert asked == [
        "POST /token", "GET /x", "POST /token", "GET /x", "GET /x", "GET /never", "POST /token", "GET /never",
    ]  # fmt: skip
    assert "token-number" not in workbench.everything_kept()


def test_no_token_is_the_runs_error(workbench: Workbench, firm: Company):
    async def go(service: Service) -> Any:
        more = {"token_url": service.url("/token"), "client_id": "me", "client_secret": SECRET}
        id = await credential(firm, service, "oauth2", **more)
        got = await firm.live.sending("POST", PATH, {"request": {"server": service.url(""), "credential_id": id}})
        return got.json

    run = with_service(workbench, answering(b"bad", status="400 Bad Request"), go)
    assert (run["state"], run["error"]) == ("failed", "The token endpoint answered 400: bad")


def test_typed_secrets_are_redacted_in_the_history(workbench: Workbench, firm: Company):
    typed: dict[str, Any] = {
        "headers": [{"name": "X-Api-Key", "value": "typed-1"}],
        "query": [{"name": "api_key", "value": "typed-2"}],
    }
    run = ran(workbench, firm.live, answering(), **typed)
    assert "typed-1" in run["service"].heads[0]
    assert "typed-2" in run["service"].heads[0]
    assert run["request"]["url"].endswith("/x?api_key=***")
    assert "typed-" not in firm.live.get(f"{PATH}/{run['id']}").response.text


def test_a_body_that_is_too_deep_is_refused_before_anything_is_sent(workbench: Workbench, firm: Company):
    deep = "[" * 700 + '"${x}"' + "]" * 700
    request = {"server": "https://a.example", "media": "application/json", "body": deep}
    got = firm.live.post(PATH, {"request": request, "values": {"x": 1}})
    assert (got.status, got.places) == (400, ["body"])
