"""HTTP tasks on a network that is not as one would have it: timeouts, broken answers, redirects, places inside."""

import asyncio
import socket
from typing import Any

import pytest

from tests.catalog.workbench import answering, dripping, endless, never, serving
from tests.listening import listening
from tests.workflows.tasks.calling import TENANT, by_path, call, get, header_of, http_task, in_turn, post

TERMINAL = "FAILED_WITH_TERMINAL_ERROR"


# Time


@pytest.mark.parametrize("answer", [never, dripping])
def test_an_answer_that_takes_too_long_fails_and_may_be_tried_again(answer: Any):
    outcome, _ = call(get(connectionTimeOut=50, readTimeOut=50), answer)
    assert (outcome.status, outcome.output) == ("FAILED", None)
    assert "within 0.1 s" in outcome.reason


def test_a_connection_that_takes_too_long_fails():
    async def go(port: int) -> Any:
        task = http_task()
        given = {"uri": f"http://127.0.0.1:{port}/", "method": "GET", "connectionTimeOut": 30, "readTimeOut": 60_000}
        try:
            return await task.perform(TENANT, given, key="k")
        finally:
            await task.egress.close()

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.create_connection(full.getsockname()):
            # Nobody takes that one, so there is no place for another.
            outcome = asyncio.run(asyncio.wait_for(go(full.getsockname()[1]), 10))
    assert outcome.status == "FAILED"
    assert "no connection to 127.0.0.1" in outcome.reason.lower()


def test_an_answer_without_end_is_read_up_to_its_bound():
    outcome, _ = call(get(maxBytes=1_000), endless)
    assert outcome.status == TERMINAL
    assert "1,000 bytes" in outcome.reason


def test_a_cancelled_task_ends_its_connection():
    async def go() -> bytes:
        asked, ended = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            ended.set_result(await reader.read())
            writer.close()

        async with listening(serve) as port:
            task = http_task()
            given = {"uri": f"http://127.0.0.1:{port}/", "method": "GET"}
            doing = asyncio.ensure_future(task.perform(TENANT, given, key="k"))
            await asked.wait()
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
            return await asyncio.wait_for(ended, 5)

    assert asyncio.run(go()) == b""


# Broken answers


async def _nothing(_head: str, _writer: asyncio.StreamWriter) -> None:
    """The connection is closed."""


async def _half(_head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1]")


async def _nonsense(_head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9\r\n")


@pytest.mark.parametrize(
    "answer", [_nothing, _half, _nonsense, answering(b"no gzip", "content-encoding: gzip")]
)  # fmt: skip
def test_a_broken_answer_is_kept_in_no_part_and_may_be_tried_again(answer: Any):
    outcome, _ = call(get(), answer)
    assert (outcome.status, outcome.output) == ("FAILED", None)
    assert outcome.reason.endswith(".")


def test_nobody_there():
    outcome, _ = call({"uri": "http://127.0.0.1:1/", "method": "GET"})
    assert (outcome.status, outcome.output) == ("FAILED", None)
    assert "no connection to 127.0.0.1 on port 1" in outcome.reason.lower()


# Places


@pytest.mark.parametrize("uri", ["HERE/", "http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/"])
def test_places_inside_are_not_called_unless_the_installation_allows_it(uri: str):
    outcome, service = call({"uri": uri, "method": "GET"}, allowed="")
    assert outcome.status == TERMINAL
    assert "does not allow it" in outcome.reason
    assert service.connections == 0


# Redirects


def _moved(status: str, to: str) -> Any:
    return answering(b"", f"location: {to}", status=status)


def test_a_redirect_is_followed_unless_it_is_said_otherwise():
    answer = by_path(lambda path: answering(b"[1]") if path == "/new" else _moved("302 Found", "/new"))
    outcome, _ = call(get("/old"), answer)
    assert outcome.output["response"]["body"] == [1]
    stays, service = call(get("/old", followRedirects=False), answer)
    assert stays.status == "FAILED"
    assert stays.output["response"]["statusCode"] == 302
    assert stays.output["response"]["headers"]["location"] == ["/new"]
    assert len(service.heads) == 1
    accepted, _ = call(get("/old", followRedirects=False, acceptedStatusCodes=["3xx"]), answer)
    assert accepted.status == "COMPLETED"


def test_a_redirect_without_end_fails():
    outcome, service = call(get(), _moved("302 Found", "/"))
    assert (outcome.status, len(service.heads)) == ("FAILED", 6)
    assert "redirected more than 5 times" in outcome.reason


def test_a_redirect_to_a_place_inside_is_not_followed():
    outcome, _ = call(get(), _moved("302 Found", "http://10.0.0.1/"))
    assert outcome.status == TERMINAL
    assert "10.0.0.1 is not on the open internet" in outcome.reason


@pytest.mark.parametrize(("status", "method"), [("303 See Other", "GET"), ("307 Temporary", "POST")])
def test_what_is_sent_on_is_what_the_status_says(status: str, method: str):
    answer = by_path(lambda path: answering(b"1") if path == "/new" else _moved(status, "/new"))
    _, service = call(post("/old", body={"a": 1}), answer)
    assert service.heads[1].startswith(f"{method} /new ")
    assert service.bodies[1] == (b'{"a":1}' if method == "POST" else b"")


def _elsewhere(given: dict[str, Any], status: str = "307 Temporary", **more: Any) -> tuple[Any, Any]:
    """A task whose target sends it to another origin: what came of it, and what that saw."""

    async def go() -> tuple[Any, Any]:
        async with serving(answering(b"1")) as other, serving(_moved(status, other.url("/new"))) as first:
            task = http_task()
            outcome = await task.perform(TENANT, {"uri": first.url(), **given}, key="k", **more)
            await task.egress.close()
            return outcome, other

    return asyncio.run(go())


def test_what_says_who_asks_does_not_go_to_another_place():
    own = {"Authorization": "Bearer x", "Cookie": "a=b", "X-Api-Key": "word", "Accept-Language": "pt", "Range": "a"}
    outcome, other = _elsewhere({"method": "GET", "headers": own})
    assert outcome.status == "COMPLETED"
    (head,) = other.heads
    assert [name for name in own if header_of(head, name) is not None] == ["Accept-Language", "Range"]
    assert header_of(head, "Accept") == "application/json"


def test_a_secret_goes_to_no_other_place_in_any_header():
    given = {"method": "GET", "headers": {"Accept-Language": "${workflow.secrets.KEY}", "Range": "bytes=0-"}}
    outcome, other = _elsewhere(given, template=given)
    assert outcome.status == "COMPLETED"
    assert header_of(other.heads[0], "Accept-Language") is None
    assert header_of(other.heads[0], "Range") == "bytes=0-"


def test_a_body_goes_to_another_place_unless_it_has_a_secret():
    outcome, other = _elsewhere({"method": "POST", "body": {"a": 1}})
    assert (outcome.status, other.bodies) == ("COMPLETED", [b'{"a":1}'])
    given = {"method": "POST", "body": {"a": "${workflow.secrets.KEY}"}}
    outcome, other = _elsewhere(given, template=given)
    assert outcome.status == TERMINAL
    assert "redirected to another place" in outcome.reason
    assert other.heads == []


# Keys


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_repeated_with_care_has_a_key(method: str):
    for _ in range(2):
        _, service = call({**post(), "method": method}, key="offhook-12")
        assert header_of(service.heads[0], "Idempotency-Key") == "offhook-12"


def test_keys_of_a_kind_of_its_own():
    _, service = call(get())
    assert header_of(service.heads[0], "Idempotency-Key") is None
    _, service = call(post(idempotencyKey=False))
    assert header_of(service.heads[0], "Idempotency-Key") is None
    _, service = call(post(idempotencyKey="X-Request-Id"))
    assert header_of(service.heads[0], "X-Request-Id") == "key-1"
    assert header_of(service.heads[0], "Idempotency-Key") is None
    _, service = call(post(headers={"idempotency-key": "own"}))
    assert service.heads[0].lower().count("idempotency-key") == 1
    assert header_of(service.heads[0], "Idempotency-Key") == "own"


def test_a_redirect_keeps_the_key():
    answer = in_turn(_moved("307 Temporary", "/new"), answering(b"1"))
    _, service = call(post(), answer)
    assert [header_of(head, "Idempotency-Key") for head in service.heads] == ["key-1", "key-1"]
