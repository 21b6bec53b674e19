"""Requests as code: whatever they hold, the code says the same."""

import ast
import base64
import json
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.catalog.model import Sent
from offhook.catalog.reference.code import arguments, curl, http_task, httpx
from offhook.catalog.requests.curl import from_curl
from offhook.catalog.requests.model import Prepared, finished
from offhook.kit.errors import Invalid

PLAIN = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
ANY = st.text(max_size=30)
REQUESTS = st.builds(
    lambda method, url, headers, body: Sent(method=method, url=url, headers=tuple(headers), body=body),
    st.sampled_from(["GET", "POST", "HEAD", "DELETE"]),
    ANY,
    st.lists(st.tuples(ANY, ANY), max_size=3),
    st.none() | ANY | st.binary(max_size=30),
)
POST = Sent(method="POST", url="https://a.b/c", headers=(("Content-Type", "application/json"),), body='{"a": "it\'s"}')


def test_a_command_of_curl_reads_well():
    assert curl(POST) == (
        "curl \\\n  --request POST \\\n  --url https://a.b/c \\\n  --header 'Content-Type: application/json'"
        ' \\\n  --data-raw \'{"a": "it\'"\'"\'s"}\''
    )
    assert curl(Sent(method="GET", url="https://a.b/?q[]={1}"), " ") == "curl --globoff --url 'https://a.b/?q[]={1}'"
    assert curl(Sent(method="HEAD", url="https://a.b"), " ") == "curl --head --url https://a.b"


@given(REQUESTS)
def test_a_shell_reads_the_very_arguments(sent: Sent):
    command = curl(sent, " ").rpartition("| base64 -d | ")[2] if "--data-binary" in arguments(sent) else curl(sent, " ")
    assert shlex.split(command) == arguments(sent)


@settings(max_examples=40)
@given(REQUESTS)
def test_a_real_shell_does_too(sent: Sent):
    script = 'curl() { printf "%s\\0" "$@"; cat; }\n' + curl(sent)
    done = subprocess.run(["sh", "-c", script], capture_output=True, stdin=subprocess.DEVNULL, check=True)
    words = arguments(sent)
    expected = b"".join(word.encode() + b"\0" for word in words[1:])
    assert done.stdout[: len(expected)] == expected
    if words[-1] == "@-":
        body = sent.body.encode("utf-8", "replace") if isinstance(sent.body, str) else sent.body
        assert done.stdout[len(expected) :] == body


def test_a_body_that_is_no_text_comes_from_base64():
    command = curl(Sent(method="PUT", url="u", body=b"\x00\xff"))
    assert command.startswith(f"printf %s {base64.b64encode(bytes([0, 255])).decode()} | base64 -d | curl")


def test_a_form_of_parts_is_told_curl_field_by_field():
    prepared = Prepared(
        method="POST", server="https://a.b", path="/up", media="multipart/form-data",
        body=json.dumps({"name": "it's; @x", "lines": "one\ntwo", "tag": ["a", "b"]}),
    )  # fmt: skip
    final = finished(prepared)
    command = curl(Sent(method="POST", url=final.url, headers=final.headers, body=final.body, fields=final.fields))
    assert shlex.split(command.replace("\\\n", " ")) == [
        "curl", "--request", "POST", "--url", "https://a.b/up", "--form-string", "name=it's; @x",
        "--form-string", "lines=one\ntwo", "--form-string", "tag=a", "--form-string", "tag=b",
    ]  # fmt: skip
    again = from_curl(command).prepared
    assert (again.media, json.loads(again.body)) == (prepared.media, json.loads(prepared.body))


@pytest.mark.parametrize("fields", [{"a=b": "c"}, {"a": "one\r\ntwo"}, {"a": "\x1b[2J"}])
def test_a_form_that_curl_cannot_be_told_goes_as_it_is_packed(fields: dict[str, str]):
    final = finished(
        Prepared(method="POST", server="https://a.b", media="multipart/form-data", body=json.dumps(fields))
    )
    command = curl(Sent(method="POST", url=final.url, headers=final.headers, body=final.body, fields=final.fields))
    packed = command.split("'")[1] if command.startswith("printf %s '") else command.split()[2]
    assert base64.b64decode(packed) == final.body
    assert "boundary=offhook-" in command
    assert command.isprintable() or "\r" not in command


def test_no_header_is_added_by_curl_itself():
    assert "Content-Type:" in arguments(Sent(method="POST", url="u", body="x"))
    assert arguments(Sent(method="GET", url="u", headers=(("X-Empty", ""),)))[-1] == "X-Empty;"


@given(REQUESTS)
def test_python_holds_the_very_values(sent: Sent):
    call = next(node for node in ast.walk(ast.parse(httpx(sent))) if isinstance(node, ast.Call))
    method, url = (ast.literal_eval(each) for each in call.args)
    given_words = {each.arg: ast.literal_eval(each.value) for each in call.keywords}
    assert method == sent.method
    if url.isprintable():
        assert url == sent.url.encode("utf-8", "replace").decode() or "%" in url
    assert len(given_words.get("headers", [])) == len(sent.headers)
    if sent.body is None:
        assert "content" not in given_words
    else:
        sent_bytes = sent.body if isinstance(sent.body, bytes) else sent.body.encode("utf-8", "replace")
        content = given_words["content"]
        assert (content if isinstance(content, bytes) else content.encode()) == sent_bytes


@given(PLAIN, PLAIN)
def test_a_line_break_in_a_header_makes_no_second_one(name: str, value: str):
    sent = Sent(method="GET", url="https://a\r\nX: 1", headers=((name, value + "\r\nX-Evil: 1"),))
    for word in arguments(sent):
        assert "\r" not in word
        assert "\n" not in word


def test_a_task_of_a_workflow_is_that_of_conductor():
    task = json.loads(http_task(POST, "Create an office!"))
    assert task == {
        "name": "Create an office!",
        "taskReferenceName": "Create_an_office",
        "type": "HTTP",
        "inputParameters": {
            "http_request": {
                "uri": "https://a.b/c",
                "method": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": {"a": "it's"},
            }
        },
    }
    assert (
        json.loads(http_task(Sent(method="PUT", url="u", body="a=b"), "x"))["inputParameters"]["http_request"]["body"]
        == "a=b"
    )
    assert "12345678901234567890" in http_task(Sent(method="PUT", url="u", body="[12345678901234567890]"), "x")


def test_a_task_cannot_send_bytes_and_says_so():
    with pytest.raises(Invalid, match="base64"):
        http_task(Sent(method="PUT", url="u", body=b"\xff"), "x")
