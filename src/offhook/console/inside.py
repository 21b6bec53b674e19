"""How pages ask the API: through the gate of the same process, as the key behind the session, like any client.

So its limits, scopes, rules and refusals hold for pages too, and no page knows a table.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from offhook.access.gate import KEY_DIGEST, Gate, Receive, Send
from offhook.access.sessions import Session
from offhook.kit.answers import notice_of, violations_of
from offhook.kit.errors import Notice, Violation
from offhook.kit.protocol import WHOLE


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer of the API: the decoded body and the warnings, or for a refusal its message and every violation.

    `version` is what its ETag says of it, "" if it has none. `replayed` says that a create was sent before, and
    this is its first answer.
    """

    status: int
    document: Any
    notices: list[Notice]
    message: str = ""
    violations: tuple[Violation, ...] = ()
    version: str = ""
    replayed: bool = False

    @property
    def ok(self) -> bool:
        return self.status < 300


class Refused(Exception):
    """What a page cannot do without was refused."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.message)
        self.asked = asked


Stream = Callable[[Receive, Send], Awaitable[None]]
"""Sends an answer to a browser for as long as it goes on."""


class Inside:
    """The API as one session sees it."""

    def __init__(self, gate: Gate, session: Session) -> None:
        self._gate = gate
        self._digest = session.key_digest

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Asked:
        """One request, whatever becomes of it."""
        return _read(await self._answer(method, path, query, body, headers))

    async def picture(self, path: str, query: Mapping[str, str]) -> str:
        """The image that stands at `path`, "" if it is not given."""
        answer = await self._answer("GET", path, query, None, None)
        image: bytes = answer["body"] if answer["status"] < 300 else b""
        return image.decode()

    async def _answer(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Any, headers: Mapping[str, str] | None
    ) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        sent = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        if body is not None:
            sent += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        scope = self._scope(method, path, query, sent) | {"extensions": {WHOLE: {}}}
        answers: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            answers.append(message)

        await self._gate(scope, receive, send)
        return answers[0]

    def _scope(
        self, method: str, path: str, query: Mapping[str, str] | None, headers: list[tuple[bytes, bytes]]
    ) -> dict[str, Any]:
        return {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(query or {}).encode(),
            "headers": headers,
            KEY_DIGEST: self._digest,
        }

    def stream(self, path: str) -> Stream:
        """Passes on what stands at `path` as it comes, until it ends or the browser leaves; a refusal too."""

        async def passed(receive: Receive, send: Send) -> None:
            await self._gate(self._scope("GET", path, None, []), receive, send)

        return passed

    async def do(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """A request that must succeed: what it answers; Refused if it does not."""
        asked = await self.ask(method, path, query, body=body)
        if not asked.ok:
            raise Refused(asked)
        return asked.document

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What stands at `path`; Refused if it is not given."""
        asked = await self.ask("GET", path, query)
        if not asked.ok:
            raise Refused(asked)
        return asked.document


def _read(answer: Any) -> Asked:
    status, document = answer["status"], msgspec.json.decode(answer["body"])
    if status >= 300:
        error = document["error"]
        return Asked(status, document, [], error["message"], tuple(violations_of(error["errors"])))
    notices = [notice_of(v.decode("latin-1")) for name, v in answer["headers"] if name == b"offhook-warning"]
    tags = [v.decode("latin-1").strip('"') for name, v in answer["headers"] if name == b"etag"]
    replayed = (b"offhook-replayed", b"true") in answer["headers"]
    return Asked(status, document, notices, version=tags[0] if tags else "", replayed=replayed)
