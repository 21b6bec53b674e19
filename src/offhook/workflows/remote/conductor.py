"""A Conductor server by its URL: raw JSON over HTTP, so that no field is lost on the way."""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from offhook.kit.egress import Egress, EgressError, Received
from offhook.kit.errors import Conflict, Invalid, NotFound, Refusal, Unavailable, Violation, shown
from offhook.kit.places import Allowed
from offhook.kit.wire import encode

Raw = dict[str, Any]
Act = Literal["pause", "resume", "retry", "restart", "terminate", "remove"]
SECONDS = 15.0
MOST_BYTES = 20_000_000
_ACTS: Mapping[Act, tuple[str, str]] = {
    "pause": ("PUT", "/pause"),
    "resume": ("PUT", "/resume"),
    "retry": ("POST", "/retry"),
    "restart": ("POST", "/restart"),
    "terminate": ("DELETE", ""),
    "remove": ("DELETE", "/remove"),
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

    async def definition(self, name: str, version: int) -> Raw | None:
        """A version of a definition; None if it is not there."""
        try:
            return self._map(await self._ask("GET", f"/metadata/workflow/{_part(name)}?version={version}"))
        except NotFound:
            return None

    async def put(self, definitions: list[Raw]) -> None:
        """Keep definitions, each in place of the same version."""
        told = self._map(await self._ask("PUT", "/metadata/workflow", definitions)).get("bulkErrorResults")
        for name, text in told.items() if isinstance(told, dict) else ():
            raise Conflict(f"The Conductor server refused the definition {shown(name)}: {shown(str(text))}")

    async def names(self) -> list[str]:
        """The names of all definitions that are there, whoever's they are."""
        return list(self._map(await self._ask("GET", "/metadata/workflow/names-and-versions")))

    async def start(self, name: str, version: int, given: Raw, correlation: str, key: str) -> str:
        """Start a run; its id. A server that looks at idempotency keys starts one run with a `key`."""
        body: Raw = {"name": name, "version": version, "input": given}
        if correlation:
            body["correlationId"] = correlation
        if key:
            body |= {"idempotencyKey": key, "idempotencyStrategy": "RETURN_EXISTING"}
        got = await self._ask("POST", "/workflow", body)
        return got.body.decode(errors="replace").strip().strip('"')[:200]

    async def get(self, id: str, *, tasks: bool = True) -> Raw:
        """A run."""
        return self._map(await self._ask("GET", f"/workflow/{_part(id)}?includeTasks={str(tasks).lower()}"))

    async def correlated(self, name: str, correlation: str) -> list[Raw]:
        """The runs of a definition with this correlation id, without their tasks."""
        path = f"/workflow/{_part(name)}/correlated/{_part(correlation)}?includeClosed=true&includeTasks=false"
        return self._maps(_value(await self._ask("GET", path)))

    async def search(self, query: str, size: int) -> list[Raw]:
        """Summaries of runs, the latest first."""
        asked = {"query": query, "start": 0, "size": size, "sort": "startTime:DESC", "freeText": "*"}
        found = self._map(await self._ask("GET", f"/workflow/search?{urlencode(asked)}"))
        return self._maps(found.get("results"))

    async def act(self, id: str, what: Act, reason: str = "") -> None:
        """Do something to a run."""
        method, path = _ACTS[what]
        query = f"?{urlencode({'reason': reason})}" if reason else ""
        await self._ask(method, f"/workflow/{_part(id)}{path}{query}")

    async def rerun(self, id: str, task: str, task_input: Raw | None, given: Raw | None) -> None:
        """Do a run again from one of its tasks ("": from its beginning), with other input for it, or for the run."""
        body = {"reRunFromWorkflowId": id, "reRunFromTaskId": task, "taskInput": task_input, "workflowInput": given}
        said = {name: value for name, value in body.items() if value not in (None, "")}
        await self._ask("POST", f"/workflow/{_part(id)}/rerun", said)

    async def skip(self, id: str, ref: str, output: Raw, given: Raw | None) -> None:
        """Leave a task out. A stock server takes no notice of what shall count as its output and input."""
        body = {"taskOutput": output} | ({} if given is None else {"taskInput": given})
        await self._ask("PUT", f"/workflow/{_part(id)}/skiptask/{_part(ref)}", body)

    async def complete(self, id: str, task: str, status: str, output: Raw, reason: str) -> None:
        """Say how a task ended."""
        body = {"workflowInstanceId": id, "taskId": task, "status": status, "outputData": output}
        await self._ask("POST", "/tasks", body | ({"reasonForIncompletion": reason} if reason else {}))

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
        value = _value(got)
        if not isinstance(value, dict):
            raise Unavailable("The Conductor server answered something that is no JSON object.")
        return value

    @staticmethod
    def _maps(value: Any) -> list[Raw]:
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _value(got: Received) -> Any:
    """The JSON of an answer; None for what is none."""
    try:
        return _decode(got.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _part(text: str) -> str:
    return quote(text, safe="")


def _refusal(got: Received) -> Refusal:
    """What the server refused, as a refusal of ours, with its words."""
    value = _value(got)
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
