"""A Conductor server by its URL: raw JSON over HTTP, so that no field is lost on the way."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from offhook.kit.egress import Egress, EgressError, Received
from offhook.kit.errors import Conflict, Invalid, NotFound, Refusal, Unavailable, Violation, shown
from offhook.kit.places import Allowed
from offhook.kit.wire import encode
from offhook.workflows.remote.model import Act, Raw

SECONDS = 15.0
MOST_BYTES = 20_000_000
_TERMINAL: Mapping[Act, tuple[str, str]] = {
    "pause": ("PUT", "/pause"),
    "resume": ("PUT", "/resume"),
    "retry": ("POST", "/retry"),
    "restart": ("POST", "/restart"),
    "terminate": ("DELETE", ""),
}
_decode = msgspec.json.Decoder().decode


class Conductor:
    """The server at `url`, which ends in /api as its clients are told it. Without a key none is asked for.

    Its place may be called whatever network it is in: who installs names it, not a company.
    """

    def __init__(self, url: str, key_id: str = "", secret: str = "", *, egress: Egress | None = None) -> None:
        self._url = url.rstrip("/")
        self._key = {"keyId": key_id, "keySecret": secret} if secret else None
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._egress = egress or Egress(Allowed().plus((parts.hostname or "", port)))
        self._token = ""
        self._asking = asyncio.Lock()

    async def put(self, definition: Raw) -> None:
        """Keep a definition, in place of the same version."""
        await self._ask("PUT", "/metadata/workflow", [definition])

    async def start(self, name: str, version: int | None, given: Raw, correlation: str) -> str:
        """Start a run; its id."""
        body: Raw = {"name": name, "input": given}
        if version:
            body["version"] = version
        if correlation:
            body["correlationId"] = correlation
        got = await self._ask("POST", "/workflow", body)
        return got.body.decode(errors="replace").strip().strip('"')[:200]

    async def get(self, id: str, *, tasks: bool = True) -> Raw:
        """A run."""
        return self._map(await self._ask("GET", f"/workflow/{_part(id)}?includeTasks={str(tasks).lower()}"))

    async def search(self, query: str, start: int, size: int) -> tuple[list[Raw], int]:
        """Summaries of runs, the latest first, and how many there are."""
        asked = {"query": query, "start": start, "size": size, "sort": "startTime:DESC", "freeText": "*"}
        found = self._map(await self._ask("GET", f"/workflow/search?{urlencode(asked)}"))
        results = found.get("results")
        rows = [one for one in results if isinstance(one, dict)] if isinstance(results, list) else []
        total = found.get("totalHits")
        return rows, total if isinstance(total, int) else len(rows)

    async def act(self, id: str, what: Act, reason: str = "") -> None:
        """Do something to a run."""
        method, path = _TERMINAL[what]
        query = f"?{urlencode({'reason': reason})}" if reason else ""
        await self._ask(method, f"/workflow/{_part(id)}{path}{query}")

    async def close(self) -> None:
        """End what is under way."""
        await self._egress.close()

    async def _ask(self, method: str, path: str, body: Any = None) -> Received:
        token = await self._tokened("")
        got = await self._send(method, path, body, token)
        if got.status in (401, 403) and self._key is not None:
            # It was good for some time only; another one, once.
            got = await self._send(method, path, body, await self._tokened(token))
        if got.status >= 300:
            raise _refusal(got)
        return got

    async def _tokened(self, stale: str) -> str:
        if self._key is None:
            return ""
        async with self._asking:
            if self._token and self._token != stale:
                return self._token
            got = await self._send("POST", "/token", self._key, "")
            if got.status == 404:
                # A stock server has no keys.
                self._key = None
                return ""
            token = self._map(got).get("token") if got.status == 200 else None
            if not isinstance(token, str) or not token.isprintable():
                raise Unavailable(f"The Conductor server takes no key that this server is set to have ({got.status}).")
            self._token = token
            return token

    async def _send(self, method: str, path: str, body: Any, token: str) -> Received:
        headers = {"accept": "application/json, text/plain"}
        content = b""
        if body is not None:
            content = encode(body)
            headers["content-type"] = "application/json"
        if token:
            headers["x-authorization"] = token
        try:
            return await self._egress.request(
                method, f"{self._url}{path}", headers=headers, body=content, seconds=SECONDS, most=MOST_BYTES
            )
        except EgressError as error:
            raise Unavailable(f"The Conductor server cannot be asked: {error}.") from None

    @staticmethod
    def _map(got: Received) -> Raw:
        try:
            value = _decode(got.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Unavailable("The Conductor server answered something that is no JSON object.")
        return value


def _part(text: str) -> str:
    return quote(text, safe="")


def _refusal(got: Received) -> Refusal:
    """What the server refused, as a refusal of ours, with its words."""
    try:
        value = _decode(got.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    told = value if isinstance(value, dict) else {}
    text = shown(str(told.get("message") or f"It answered {got.status}."))
    message = f"The Conductor server refused it: {text}"
    if got.status == 404:
        return NotFound(message)
    if got.status in (400, 422):
        errors = told.get("validationErrors")
        found = [
            Violation(location=f"definition.{shown(str(one.get('path', '')))}", message=shown(str(one.get("message"))))
            for one in (errors if isinstance(errors, list) else ())[:50]
            if isinstance(one, dict)
        ]
        return Invalid(message, found)
    if got.status in (409, 405, 403, 401):
        return Conflict(message)
    return Unavailable(message)
