"""`${workflow.secrets.NAME}`: put in where the definition asks for it, and in nothing that is kept."""

import base64
import json
from typing import Any

import pytest

from offhook.workflows.tasks.asked import FORM
from offhook.workflows.tasks.secrets import from_environment
from tests.catalog.workbench import Answer, answering
from tests.workflows.tasks.calling import SECRETS, call, get, header_of, post
from tests.workflows.tasks.test_credentials import echo, unseen

TERMINAL = "FAILED_WITH_TERMINAL_ERROR"
KEY, OTHER = SECRETS["KEY"], SECRETS["OTHER"]
ASKS = post(
    "/${workflow.secrets.KEY}?q=${workflow.secrets.OTHER}",
    headers={"X-Key": "key ${workflow.secrets.KEY}", "X-List": ["a", "${workflow.secrets.OTHER}"]},
    body={"deep": [{"secret": "${workflow.secrets.KEY}"}]},
)


@pytest.mark.parametrize("nested", [False, True])
def test_secrets_are_put_in_where_the_definition_asks(nested: bool):
    given = {"http_request": ASKS} if nested else ASKS
    outcome, service = call(given, echo(), template=given)
    assert outcome.status == "COMPLETED", outcome
    (head,) = service.heads
    assert head.startswith(f"POST /{KEY}?q={OTHER} ")
    assert header_of(head, "X-Key") == f"key {KEY}"
    assert header_of(head, "X-List") == "a"
    assert f"X-List: {OTHER}" in head
    assert json.loads(service.bodies[0]) == {"deep": [{"secret": KEY}]}
    unseen(outcome, KEY, OTHER)


def _says(body: bytes, *more: str, status: str = "200 OK") -> Answer:
    return answering(body, *more, status=status)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"you sent": KEY, KEY: [KEY, {"x": f"a {KEY} b"}]}).encode(),
        json.dumps({"b": base64.b64encode(KEY.encode()).decode(), "h": KEY.encode().hex()}).encode(),
        base64.b64encode(f"Authorization: Bearer {KEY}\r\n".encode()),
        f"text with {KEY}".encode(),
        KEY.encode("utf-16"),
        b"\xff\xfe\x00" + KEY.encode() + b"\x00\xff",
        "".join(f"\\u{ord(one):04x}" for one in KEY).join('""').encode(),
        "".join(f"%{ord(one):02X}" for one in KEY).encode(),
        f"[{KEY}".encode(),
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
def test_what_a_target_says_back_is_kept_without_them(body: bytes, status: str):
    asks = get(headers={"X-Key": "${workflow.secrets.KEY}"})
    outcome, _ = call(asks, _says(body, f"X-Back: {KEY}", f"X-{KEY}: 1", status=status), template=asks)
    assert outcome.status == ("COMPLETED" if status.startswith("2") else "FAILED")
    unseen(outcome, KEY)
    decoded = base64.b64decode(outcome.output["response"].get("bodyBase64", ""))
    assert KEY.encode() not in decoded
    assert KEY.encode("utf-16-le") not in decoded
    assert KEY not in json.loads(json.dumps(repr(outcome)))


def test_a_number_that_is_a_secret_is_hidden():
    asks = get(headers={"X-Key": "${workflow.secrets.PIN}"})
    said = _says(b'{"pin": 482913, "in": 14829130, "482913": true, "other": [7, "a 482913"]}')
    outcome, _ = call(asks, said, template=asks, secrets={"PIN": "482913"})
    assert outcome.output["response"]["body"] == {"pin": "***", "in": "***", "***": True, "other": [7, "a ***"]}


def test_a_secret_with_quotes_is_hidden_in_json():
    secret = 'pa"ss\\word'
    asks = get(body="x", headers={}, contentType="text/plain") | {"body": "${workflow.secrets.Q}"}
    outcome, service = call(
        asks, _says(json.dumps({"said": [secret], secret: 1}).encode()), template=asks, secrets={"Q": secret}
    )
    assert service.bodies == [secret.encode()]
    assert outcome.output["response"]["body"] == {"said": ["***"], "***": 1}


def test_a_reason_has_none():
    asks = {"uri": "http://127.0.0.1:1/${workflow.secrets.KEY}", "method": "GET"}
    outcome, _ = call(asks, template=asks)
    assert outcome.status == "FAILED"
    unseen(outcome, KEY)
    bad = {"uri": "http://${workflow.secrets.KEY}:x/", "method": "GET"}
    outcome, _ = call(bad, template=bad)
    assert outcome.status == TERMINAL
    unseen(outcome, KEY)
    bad = get(headers={"X-Key": "${workflow.secrets.BAD}"})
    outcome, _ = call(bad, template=bad, secrets={"BAD": "sécret-word"})
    assert outcome.status == TERMINAL
    assert "sécret" not in outcome.reason


def test_a_reason_has_no_host_that_is_one():
    asks = {"uri": "http://${workflow.secrets.INSIDE}/", "method": "GET"}
    outcome, _ = call(asks, template=asks, secrets={"INSIDE": "10.0.0.1"})
    assert "*** is not on the open internet" in outcome.reason
    asks = {"uri": "http://${workflow.secrets.NAME}.localhost:1/", "method": "GET"}
    outcome, _ = call(asks, template=asks, secrets={"NAME": "Ins1de-Name"})
    assert "***.localhost" in outcome.reason


@pytest.mark.parametrize("where", ["http://localhost:1/?key=", "http://10.0.0.1/"])
def test_a_redirect_takes_none_elsewhere_in_its_address(where: str):
    asks = get("/?key=${workflow.secrets.KEY}")
    outcome, service = call(asks, answering(b"", f"location: {where}{KEY}", status="302 X"), template=asks)
    assert outcome.status == TERMINAL
    assert "redirected to another place with the secret" in outcome.reason
    assert len(service.heads) == 1
    unseen(outcome, KEY)


@pytest.mark.parametrize(
    "more", [{"contentType": "text/plain"}, {}, {"contentType": FORM}], ids=["plain", "JSON", FORM]
)
def test_what_was_sent_is_found_in_base64_as_it_was_sent(more: dict[str, Any]):
    secret = 'pass "w\u00f6rd"/ & \\ more'
    asks = post(
        body="${workflow.secrets.Q}" if more.get("contentType") == "text/plain" else {"a": "${workflow.secrets.Q}"}
    )
    asks |= more
    _, service = call(asks, template=asks, secrets={"Q": secret})
    back = [base64.b64encode(b"-" * shift + service.bodies[0]).decode() for shift in range(3)]
    outcome, _ = call(asks, _says(json.dumps(back).encode()), template=asks, secrets={"Q": secret})
    assert all("***" in one for one in outcome.output["response"]["body"]), outcome


def test_the_beginning_of_one_at_which_an_answer_is_cut_off_is_not_shown():
    asks = get("/${workflow.secrets.KEY}", maxBytes=10)
    outcome, _ = call(asks, _says(f"so: {KEY}".encode(), status="500 X"), template=asks)
    assert outcome.reason.endswith(": so:")


@pytest.mark.parametrize(
    "template",
    [
        {},
        get() | {"headers": {"X-Key": "${workflow.input.key}"}},
        get() | {"headers": {"X-Other": "${workflow.secrets.KEY}"}},
        get() | {"headers": {"X-Key": "${workflow.secrets.OTHER}"}},
        {"http_request": get() | {"headers": {"X-Key": "${workflow.secrets.KEY}"}}},
    ],
)
def test_data_of_a_run_gets_no_secret(template: Any):
    given = get(headers={"X-Key": "${workflow.secrets.KEY}"})
    outcome, service = call(given, template=template)
    assert outcome.status == TERMINAL
    assert outcome.reason.startswith("headers.X-Key: would be sent with the text ${workflow.secrets.KEY}, which came")
    assert service.heads == []
    unseen(outcome, KEY)


def test_the_text_that_stands_for_a_secret_is_sent_if_the_definition_writes_that():
    given = get(headers={"X-Key": "as ${workflow.secrets.KEY}"})
    template = get(headers={"X-Key": "as $${workflow.secrets.KEY}"})
    outcome, service = call(given, template=template)
    assert outcome.status == "COMPLETED"
    assert header_of(service.heads[0], "X-Key") == "as ${workflow.secrets.KEY}"


def test_a_secret_that_is_not_there_ends_the_task_for_good():
    asks = get(headers={"X-Key": "${workflow.secrets.NOBODYS}"})
    outcome, service = call(asks, template=asks)
    assert outcome.status == TERMINAL
    assert "there is no secret NOBODYS" in outcome.reason
    assert service.heads == []


def test_secrets_of_the_environment():
    secret = from_environment({"OFFHOOK_SECRET_KEY": "word", "OFFHOOK_SECRET_EMPTY": "", "KEY": "no"})
    assert [secret(1, name) for name in ("KEY", "EMPTY", "NONE")] == ["word", None, None]
