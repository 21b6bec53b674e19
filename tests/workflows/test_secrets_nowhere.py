"""No secret that a workflow was given to send is found anywhere afterwards: files, log, answers of the API, pages.

The target says back all that it got, in every way that it can think of, well and badly. What is no secret and travelled
beside them is found: so the search is one that finds.
"""

import base64
import contextlib
import gzip
import html
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlencode

import pytest

from tests.survival.process import Answer, Process

API = "/api/offhook/v1"
CANARY = "canary-that-anybody-may-see"
SECONDS = 60.0

HELD = {
    "HEADER": 'h3ader+s3cr3t/"w0rd"=7',
    "BODY": "b\u00f6dy-s3cr3t \u260e 'x' <&> \\ 9",
    "URL": "Ur1-s3cr3t/w1th=odd&parts",
    "HOST": "H0st-S3cr3t-Name",
    "LINES": "tw0-l1nes\r\nw1th-s3cr3ts",
    "NUMBER": "8675309123",
}
"""What the server's environment holds."""

TOKEN, KEY = "b3arer.T0ken~+/=", "qu3ry+key/&=42%"
"""What its credentials hold."""

SECRETS = {**HELD, "TOKEN": TOKEN, "KEY": KEY}


def forms(secret: str) -> set[bytes]:
    """A secret as it may stand somewhere: plain, escaped, encoded, alone or amid what was encoded with it."""
    raw = secret.encode()
    texts = {secret, secret.lower(), html.escape(secret), html.escape(secret, quote=False)}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {json.dumps(one)[1:-1] for one in texts}
    coded = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(quote(secret, safe=""), safe="")}
    texts |= coded | {one.lower() for one in coded} | {raw.hex(), raw.hex().upper()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # What stands for whole groups of three bytes of the secret alone.
            text = encode(b"\0" * before + raw).decode()
            texts.add(text[4 if before else 0 : (before + len(raw)) // 3 * 4])
    return {one.encode() for one in texts} | {secret.encode("utf-16-le"), secret.encode("utf-16-be")}


FORMS = {name: forms(secret) for name, secret in SECRETS.items()}


def leaks(text: bytes) -> list[str]:
    """The secrets that stand in a text, each with the form and what is around it."""
    found = []
    for name, ways in FORMS.items():
        for way in ways:
            at = text.find(way)
            if at >= 0:
                found.append(f"{name} as {way!r} in {text[max(0, at - 80) : at + 120]!r}")
    return found


# The target


@dataclass
class Seen:
    """What the target got."""

    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


def told(head: str, body: bytes) -> dict[str, Any]:
    """All that came, in all ways."""
    raw = head.encode("latin-1") + body
    text = body.decode("utf-8", "replace")
    lines = [line.partition(": ")[2] for line in head.splitlines()]
    return {
        "head": head,
        "lines": lines,
        "path": head.split(" ")[1],
        "unquoted": unquote(head.split(" ")[1]),
        "body": text,
        "parsed": json.loads(body) if body.startswith(b"{") else None,
        "base64": base64.b64encode(raw).decode(),
        "each": [base64.urlsafe_b64encode(one.encode("latin-1")).decode() for one in lines],
        "hex": raw.hex(),
        "upper": raw.hex().upper(),
        "quoted": quote(raw),
        "html": html.escape(head + text),
        "again": json.dumps([head, text]),
        "keys": dict.fromkeys(lines, 1),
        "numbers": [int(one) for one in re.findall(r"\d{8,15}", text)],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: Seen

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        head = f"{self.requestline}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        self.seen.heads.append(head)
        self.seen.bodies.append(body)
        way = self.path.split("/")[1]
        with contextlib.suppress(OSError):
            getattr(self, f"_{way}", self._json)(told(head, body))

    def do_POST(self) -> None:
        self.do_GET()

    def _json(self, said: Any, status: int = 200, *more: tuple[str, str]) -> None:
        self._say(json.dumps(said).encode(), status, *more)

    def _say(self, body: bytes, status: int = 200, *more: tuple[str, str], promised: int = 0) -> None:
        given = [("Content-Type", "application/json"), *more]
        self.send_response_only(status)
        for name, value in {name.lower(): (name, value) for name, value in given}.values():
            self.send_header(name, value)
        for number, value in enumerate(self.headers.values()):
            self.send_header(f"X-Back-{number}", value)
        self.send_header("X-Path", self.path)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _text(self, said: Any) -> None:
        self._say(f"{said['head']}\n{said['body']}\n{said['base64']}".encode(), 200, ("Content-Type", "text/plain"))

    def _wide(self, said: Any) -> None:
        self._say((said["head"] + said["body"]).encode("utf-16"), 200, ("Content-Type", "text/plain; charset=utf-16"))

    def _binary(self, said: Any) -> None:
        body = b"\0\xff\xfe" + (said["head"] + said["body"]).encode() + b"\xff"
        self._say(body, 200, ("Content-Type", "application/octet-stream"))

    def _packed(self, said: Any) -> None:
        self._say(gzip.compress(json.dumps(said).encode()), 200, ("Content-Encoding", "gzip"))

    def _failing(self, said: Any) -> None:
        self._json(said, 503, ("Retry-After", "0"))

    def _refusing(self, said: Any) -> None:
        self._say(said["lines"][0].encode() + said["body"].encode(), 401)

    def _twice(self, said: Any) -> None:
        calls = sum(head.split(" ")[1].startswith("/twice/") for head in self.seen.heads)
        self._json(said, 200 if calls > 2 else 500)

    def _breaking(self, said: Any) -> None:
        self._say(json.dumps(said).encode(), promised=1_000_000)
        self.close_connection = True

    def _cut(self, said: Any) -> None:
        # Where what is read of it ends, one byte of a secret after the other.
        secret = said["parsed"]["only"].encode()
        number = sum(head.split(" ")[1].startswith("/cut/") for head in self.seen.heads)
        self._say(b"x" * (40 - number) + secret + b" and more", 500, ("Content-Type", "text/plain"))

    def _elsewhere(self, said: Any) -> None:
        there = self.seen.url.replace("127.0.0.1", "localhost")
        self._json(said, 302, ("Location", f"{there}/json/sent{said['path']}"))

    def _away(self, said: Any) -> None:
        there = self.seen.url.replace("127.0.0.1", "localhost")
        self._json(said, 302, ("Location", f"{there}/moved"))

    def _further(self, said: Any) -> None:
        page = len(re.findall("page=", said["path"])) + 1
        following = f"{self.seen.url}{said['path']}&page={page}"
        self._json({"items": [said, said["lines"]], "next": following if page < 4 else None})

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def target() -> Iterator[Seen]:
    seen = Seen()

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that has read enough goes away."""

    server = Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


# The workflow

WAYS = (
    "json", "text", "wide", "binary", "packed", "failing", "refusing", "twice", "breaking", "elsewhere", "away",
    "further",
)  # fmt: skip


def secret(name: str) -> str:
    return f"${{workflow.secrets.{name}}}"


def call(seen: Seen, way: str, credential: str) -> dict[str, Any]:
    """A call of the target that carries all secrets, and what anybody may see."""
    further = {"pagination": {"kind": "next_url", "next": "$.next", "items": "$.items"}} if way == "further" else {}
    deep = [{"deep": secret("BODY")}, f"both {secret('BODY')} and {secret('HEADER')}", secret("NUMBER")]
    return {
        "uri": f"{seen.url}/{way}/{secret('URL')}?in={secret('URL')}&canary={CANARY}",
        "method": "POST",
        "headers": {
            "X-One": secret("HEADER"),
            "X-Several": ["a", f"b {secret('HEADER')}"],
            "X-Canary": "${workflow.input.canary}",
        },
        "body": {"list": deep, "canary": CANARY},
        "credential": credential,
        **further,
    }


def task(ref: str, given: Any, kind: str = "HTTP", /, **more: Any) -> dict[str, Any]:
    policy = {"name": ref, "retryCount": 1, "retryDelaySeconds": 0}
    return {
        "name": ref, "taskReferenceName": ref, "type": kind, "optional": True, "inputParameters": given,
        "taskDefinition": policy, **more,
    }  # fmt: skip


def definition(seen: Seen) -> dict[str, Any]:
    calls = [
        task(f"{way}_{one}", call(seen, way, one), **({"retryCount": 3} if way == "twice" else {}))
        for way in WAYS
        for one in ("bearer", "query")
    ]
    form = call(seen, "json", "query") | {"contentType": "application/x-www-form-urlencoded"}
    cut = {"uri": f"{seen.url}/cut/x", "method": "POST", "body": {"only": secret("URL")}, "maxBytes": 40}
    at = {"method": "GET", "connectionTimeOut": 500}
    wrong = {
        "nowhere": at | {"uri": f"http://{secret('HOST')}.localhost:1/{secret('URL')}"},
        "nobody": at | {"uri": f"http://127.0.0.1:1/{secret('URL')}"},
        "not_let_out": at | {"uri": f"http://10.0.0.1/{secret('URL')}"},
        "no_address": at | {"uri": f"{secret('HEADER')}://x"},
        "no_header": at | {"uri": seen.url, "headers": {"X-Lines": secret("LINES")}},
        "no_headers": at | {"uri": seen.url, "headers": secret("HEADER")},
        "theirs": {"uri": f"{seen.url}/json/x", "method": "POST", "body": {"theirs": "${workflow.input.tries}"}},
        "no_path": at | {"uri": f"{seen.url}/{secret('LINES')}"},
        "no_list": call(seen, "json", "bearer") | {"pagination": {"kind": "next_url", "next": "$.head", "items": "$"}},
        "no_next": call(seen, "json", "bearer")
        | {"pagination": {"kind": "next_url", "next": "$.head", "items": "$.lines"}},
    }
    script = {"evaluatorType": "javascript", "expression": "JSON.stringify($.all) + $.key"}
    return {
        "name": "everything",
        "version": 1,
        "tasks": [
            *calls,
            task("form", form),
            task("cut", cut, retryCount=len(HELD["URL"])),
            *(task(ref, given) for ref, given in wrong.items()),
            task("asks", {**script, "all": "x", "key": secret("HEADER")}, "INLINE"),
            task("script", {**script, "all": "${json_query.output}", "key": ""}, "INLINE"),
            task("set", {"kept": "${text_bearer.output}", "asks": secret("HEADER")}, "SET_VARIABLE"),
            task(
                "side", {"given": "${json_bearer.output}", "asks": secret("HEADER")}, "SUB_WORKFLOW",
                subWorkflowParam={"name": "side", "version": 1, "workflowDefinition": {
                    "name": "side", "version": 1, "tasks": [task("inner", call(seen, "json", "query"))]}},
            ),
            task("last", call(seen, "failing", "query"), optional=False),
        ],
        "failureWorkflow": "undo",
        "outputParameters": {"all": "${json_query.output}", "variables": "${workflow.variables}",
                             "asks": secret("HEADER")},
    }  # fmt: skip


# The server, with the run behind it


@dataclass
class Scene:
    server: Process
    seen: Seen
    run: str
    attempts: list[dict[str, Any]]


def over(server: Process, id: str) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        run: dict[str, Any] = server.ask("GET", f"{API}/workflows/runs/{id}").json
        if run.get("ended_at"):
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.05)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    allowed = "127.0.0.0/8"
    server = Process(
        tmp_path_factory.mktemp("served") / "data", settings={"log_level": "debug", "egress_allow": allowed}
    )
    server.environment |= {f"OFFHOOK_SECRET_{name}": value for name, value in HELD.items()}
    with target() as seen, server:
        hosts = [seen.url.removeprefix("http://")]
        kept = [
            {"name": "bearer", "kind": "bearer", "token": TOKEN, "hosts": hosts},
            {"name": "query", "kind": "api_key", "place": "query", "parameter": "key", "value": KEY, "hosts": hosts},
        ]
        for one in kept:
            answer = server.ask("POST", f"{API}/credentials", one)
            assert answer.status == 200, answer
        undo = {"name": "undo", "version": 1, "tasks": [task("nothing", {"why": "${workflow.input.reason}"}, "NOOP")]}
        for raw in (undo, definition(seen)):
            answer = server.ask("POST", f"{API}/workflows/definitions", {"definition": raw})
            assert answer.status == 200, answer
        started = {"workflow": "everything", "input": {"canary": CANARY, "tries": secret("HEADER")}}
        id = server.ask("POST", f"{API}/workflows/runs", started | {"correlation_id": "mine"}).json["id"]
        assert over(server, id)["status"] == "FAILED"
        assert server.ask("POST", f"{API}/workflows/runs/{id}/retry").status == 200
        assert over(server, id)["status"] == "FAILED"
        attempts: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = server.ask("GET", f"{API}/workflows/runs/{id}/attempts?after={after}").json
            attempts += page["items"]
            after = page.get("after")
        yield Scene(server, seen, id, attempts)


def test_the_target_got_every_secret(scene: Scene) -> None:
    heads, bodies = "".join(scene.seen.heads), b"".join(scene.seen.bodies).decode()
    assert HELD["HEADER"] in heads
    assert HELD["URL"] in heads
    assert f"Bearer {TOKEN}" in heads
    assert quote(KEY, safe="") in heads
    assert HELD["NUMBER"] in bodies
    sent = [json.loads(body) for body in scene.seen.bodies if body.startswith(b"{")]
    assert HELD["BODY"] in [one["list"][0]["deep"] for one in sent if "list" in one]
    assert [one for one in sent if "theirs" in one] == [], "a caller's text is no expression, and is not sent as one"
    (theirs,) = {one["reason"] for one in scene.attempts if one["key"] == "theirs"}
    assert "came here as data" in theirs


def test_no_other_place_got_one(scene: Scene) -> None:
    others = [head for head in scene.seen.heads if "host: localhost" in head.lower()]
    assert [found for head in others for found in leaks(head.encode("latin-1"))] == []
    assert any(" /moved" in head for head in others)


def test_every_way_was_gone(scene: Scene) -> None:
    found: dict[str, list[str]] = {}
    for one in scene.attempts:
        found.setdefault(one["reference_name"], []).append(one["status"])
    for way in WAYS:
        good = way in ("json", "text", "wide", "binary", "packed", "twice", "away", "further")
        for credential in ("bearer", "query"):
            assert found[f"{way}_{credential}"][-1] == ("COMPLETED" if good else "COMPLETED_WITH_ERRORS"), way
    assert len(found["cut"]) == len(HELD["URL"]) + 1
    assert found["last"] == ["FAILED"] * 4


def test_no_answer_of_the_api_has_one(scene: Scene) -> None:
    pages = everything_of_the_api(scene)
    assert {path: leaks(page.body) for path, page in pages.items() if leaks(page.body)} == {}
    assert len(pages) > 100
    shown = [path for path, page in pages.items() if CANARY.encode() in page.body]
    assert any("/attempts" in path for path in shown)
    assert any(path.startswith("/api/workflow/") for path in shown)
    assert any("/tasks/" in path for path in shown)


def everything_of_the_api(scene: Scene) -> dict[str, Answer]:
    """The answers of all that can be read about the run, its tasks, its definition and its credentials."""
    server, run = scene.server, scene.run
    document = server.ask("GET", "/openapi.json").json
    kept = [str(one["id"]) for one in server.ask("GET", f"{API}/credentials").json["items"]]
    runs = [str(one["id"]) for one in server.ask("GET", f"{API}/workflows/runs").json["items"]]
    assert len(runs) >= 4, "the run, its side, and what undoes it"
    values = {
        "name": ["everything", "undo"], "workflowId": runs, "correlationId": ["mine"], "taskType": ["HTTP"],
        "api": ["any"], "run": [run], "task_id": [one["id"] for one in scene.attempts],
        "taskId": [one["id"] for one in scene.attempts],
    }  # fmt: skip
    asked: dict[str, Answer] = {}
    for path, operations in document["paths"].items():
        if "get" not in operations or not re.search("workflow|task|event|credential", path):
            continue
        if "text/event-stream" in operations["get"]["responses"]["200"].get("content", {}):
            # It does not end.
            continue
        ways = [path]
        for name in re.findall(r"\{(\w+)\}", path):
            own = kept if "credentials" in path else runs if "task_id" not in path else [run]
            many = own if name == "id" else values[name]
            ways = [one.replace(f"{{{name}}}", value) for one in ways for value in many]
        for one in ways:
            for query in ("", "?includeTasks=true", "?form=mermaid"):
                answer = server.ask("GET", one + query)
                assert answer.status < 500 or answer.status == 501, (one, answer)
                asked[one + query] = answer
    return asked


def test_an_answer_that_was_cut_off_has_not_even_a_beginning_of_one(scene: Scene) -> None:
    causes = [one["reason"] for one in scene.attempts if one["reference_name"] == "cut"]
    assert {one.rpartition("x")[2] for one in causes} == {"", "***"}


def test_no_page_has_one(scene: Scene) -> None:
    pages = everything_of_the_console(scene.server)
    assert {path: leaks(page) for path, page in pages.items() if leaks(page)} == {}
    assert len(pages) > 10


def everything_of_the_console(server: Process) -> dict[str, bytes]:
    """The pages that links lead to from the first one on, for who is signed in: of each kind, a few."""
    page = server.ask("GET", "/console/sign-in", key="")
    cookies = SimpleCookie(page.headers["set-cookie"])
    sent = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page.body.decode()))
    form = urlencode({**sent, "key": server.key}).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items()),
    }
    answer = server.ask("POST", "/console/sign-in", form, headers, key="")
    assert answer.status == 303, answer
    for name, one in SimpleCookie(answer.headers["set-cookie"]).items():
        cookies[name] = one.value
    headers = {"Cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items())}
    waiting = ["/console/offices", "/metrics", "/healthz", "/readyz", "/openapi.json"]
    found: dict[str, bytes] = {}
    kinds: Counter[str] = Counter()
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"\d+|=[^&]*|(?<=/console/apis/offhook/).*", "", path)
        if path not in found and kinds[kind] < (1000 if path.startswith("/console/workflow") else 3):
            kinds[kind] += 1
            found[path] = server.ask("GET", path, None, headers, key="").body
            links = re.findall(r'href="(/console[^"#]*)', found[path].decode(errors="replace"))
            waiting += [html.unescape(link) for link in links]
    assert b"/console/sign-out" in found["/console/offices"], "nobody is signed in"
    return found


def test_the_figures_of_the_server_tell_of_the_run_and_nothing_more(scene: Scene) -> None:
    text = scene.server.ask("GET", "/metrics", key="").body
    assert leaks(text) == []
    assert b'offhook_workflow_runs_total{state="failed"} 2.0' in text
    assert b"everything" not in text
    assert f'offhook_workflow_attempts_total{{state="failed"}} {failed(scene):.1f}'.encode() in text


def failed(scene: Scene) -> int:
    return sum(one["status"] == "FAILED" for one in scene.attempts)


def test_no_file_has_one(scene: Scene) -> None:
    files = [one for one in scene.server.data.rglob("*") if one.is_file()]
    read = {str(one.relative_to(scene.server.data)): one.read_bytes() for one in files}
    assert {name: leaks(text) for name, text in read.items() if leaks(text)} == {}
    assert any(name.endswith("-wal") for name in read), sorted(read)
    assert any(CANARY.encode() in text for text in read.values())


def test_no_line_of_the_log_has_one(scene: Scene) -> None:
    text = scene.server.log.read_bytes()
    assert leaks(text) == []
    assert b"run_failed" in text
    assert CANARY.encode() in text, "causes of failures are logged"


def test_the_search_finds_a_secret_in_each_form() -> None:
    for name, value in SECRETS.items():
        raw = value.encode()
        for text in (
            raw, b"x" + base64.b64encode(b"a" + raw + b"b"), raw.hex().encode(), quote(value, safe="").encode(),
            json.dumps({"a": value}).encode(), base64.urlsafe_b64encode(b"ab" + raw),
        ):  # fmt: skip
            assert any(found.startswith(f"{name} as ") for found in leaks(text)), (name, text)


def test_no_file_has_one_once_the_server_has_stopped(scene: Scene) -> None:
    """The last of this file: all is in one file then."""
    scene.server.stop()
    files = [one for one in scene.server.data.rglob("*") if one.is_file()]
    assert [found for one in files for found in leaks(one.read_bytes())] == []
    assert leaks(scene.server.log.read_bytes()) == []
