"""What of the requests in a definition a stock server lacks: the additions, lists in headers, keys of repeats. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from offhook.kit.errors import shown
from offhook.workflows.definitions.http import EXTENSIONS, REPEATED_WITH_CARE, request_of
from offhook.workflows.definitions.lack import Lack, Mend
from offhook.workflows.definitions.steps import Step

KEY_HEADER = "Idempotency-Key"

_IGNORED: Mapping[str, str] = {
    "acceptedStatusCodes": "It ignores the field: only 200 to 299 complete the task, all else fails it.",
    "finalStatusCodes": "It ignores the field: the task is tried again as its policy says.",
    "credential": "It ignores the field: the request goes out without the credential.",
    "retryAfter": "It ignores the field, and Retry-After too: attempts follow the task definition's delays.",
    "pagination": "It ignores the field: only the first page is asked for.",
    "idempotencyKey": "It ignores the field: a repeated attempt carries no key.",
    "rateLimit": "It ignores the field; it has rateLimitPerFrequency of a registered task definition instead.",
    "hostConcurrency": "It ignores the field; it has concurrentExecLimit of a registered task definition instead.",
    "followRedirects": "It ignores the field; redirects of GET are followed, others are not.",
    "maxBytes": "It ignores the field; its own limit of a payload holds (3 MB in the open, 10 MB at most).",
}


class _Part(NamedTuple):
    """What is written of a request at one place: in the task, or in what its policy fills it up with."""

    at: str
    fields: dict[str, Any]


class _Request(NamedTuple):
    """A request of a definition: its parts, the first of which wins, and what a key of it is made of."""

    parts: tuple[_Part, ...]
    ref: str

    def owner(self, name: str) -> _Part:
        """The part that says a field; the first if none does."""
        return next((part for part in self.parts if part.fields.get(name) is not None), self.parts[0])

    def get(self, name: str) -> Any:
        return self.owner(name).fields.get(name)


def lenient(step: Step) -> bool:
    """Whether the task is a call after whose failure the run may go on, and its answer be read."""
    if step.type != "HTTP":
        return False
    return step.raw.get("optional") is True or any(
        request.get("acceptedStatusCodes") is not None for request in _requests(step)
    )


def lacks_of_requests(step: Step, looped: bool) -> Iterator[Lack]:
    """Those of all requests that a task sends, or that a dynamic fork is given as the definition writes them."""
    for request in _requests(step):
        for part in request.parts:
            yield from _of_part(request, part, looped)
        yield from _of_repeats(request, looped)
    if step.type == "HTTP":
        nested = step.inputs.get("http_request")
        if isinstance(nested, str):
            text = "The request is an expression: what it has is known when the task is begun."
            stock = "It ignores the additions of this server in it, and sends no Idempotency-Key."
            yield Lack("request_is_data", f"{step.place}.inputParameters.http_request", text, stock)


def _requests(step: Step) -> Iterator[_Request]:
    at = f"{step.place}.inputParameters"
    if step.type == "HTTP":
        policy = step.raw.get("taskDefinition")
        template = policy.get("inputTemplate") if isinstance(policy, dict) else None
        parts = []
        for place, inputs in ((at, step.inputs), (f"{step.place}.taskDefinition.inputTemplate", template)):
            request, nested = request_of(inputs) if isinstance(inputs, dict) else (None, "")
            if isinstance(request, dict):
                parts.append(_Part(f"{place}{nested}", request))
        if parts:
            yield _Request(tuple(parts), step.ref)
    elif step.type == "FORK_JOIN_DYNAMIC":
        for number, part in enumerate(_written(step.inputs, at)):
            yield _Request((part,), f"{step.ref}-{number}")


def _written(value: Any, place: str) -> Iterator[_Part]:
    """The requests that a dynamic fork's input has in it: objects with an address and a method."""
    if isinstance(value, dict):
        if "uri" in value and "method" in value:
            yield _Part(place, value)
            return
        for name, inner in value.items():
            yield from _written(inner, f"{place}.{shown(name)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _written(inner, f"{place}[{number}]")


def _of_part(request: _Request, part: _Part, looped: bool) -> Iterator[Lack]:
    for name, means in EXTENSIONS.items():
        if part.fields.get(name) is not None:
            text = f"{name} is an addition of this server: {means}."
            mend = _without(request, part, name, looped)
            yield Lack("extension", f"{part.at}.{name}", text, _IGNORED[name], mend)
    headers = part.fields.get("headers")
    for header, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, list):
            stock = 'It sends the list as one text, "[a, b]".'
            mend = _joined(part, header, value)
            yield Lack("header_list", f"{part.at}.headers.{shown(header)}", "A header's value is a list.", stock, mend)


def _without(request: _Request, part: _Part, name: str, looped: bool) -> Mend:
    adds = _key_mend(request, looped) if name == "idempotencyKey" and _key(request) else None

    def leave_out() -> str:
        del part.fields[name]
        return f"{name} was left out. {adds.do() if adds is not None else _IGNORED[name]}"

    return Mend("left_out", leave_out)


def _joined(part: _Part, header: str, values: list[Any]) -> Mend:
    def join() -> str:
        texts = ("true" if one is True else "false" if one is False else str(one) for one in values if one is not None)
        part.fields["headers"] = {**part.fields["headers"], header: ", ".join(texts)}
        return "The list's entries were joined by commas."

    return Mend("header_joined", join)


def _of_repeats(request: _Request, looped: bool) -> Iterator[Lack]:
    if request.get("idempotencyKey") is not None or not _key(request):
        return
    text = "A repeated attempt carries the same Idempotency-Key here."
    stock = "It sends no such key: what a lost answer had done already may be done twice."
    if looped:
        stock += " None can be made that would be another in each round."
    yield Lack("no_idempotency_key", request.parts[0].at, text, stock, _key_mend(request, looped))


def _key(request: _Request) -> str:
    """The header of the idempotency key that is sent here, "" for none or if one is written already."""
    key, headers = request.get("idempotencyKey"), request.get("headers")
    if key is False or (key is None and request.get("method") not in REPEATED_WITH_CARE):
        return ""
    name = key if isinstance(key, str) else KEY_HEADER
    written = {one.lower() for one in headers} if isinstance(headers, dict) else frozenset()
    return "" if name.lower() in written else name


def _key_mend(request: _Request, looped: bool) -> Mend | None:
    """What writes the key into the headers, the same over all attempts of the task and another in each run; None in a
    loop, where it would be the same in each round, and if the headers are an expression."""
    name, part = _key(request), request.owner("headers")
    if looped or not isinstance(part.fields.get("headers"), dict | None):
        return None

    def write() -> str:
        key = f"${{workflow.workflowId}}-{request.ref}"
        part.fields["headers"] = {**(part.fields.get("headers") or {}), name: key}
        return (
            f"The header {name} was added, made of the run's id and the task's reference name: the same over all "
            "attempts, and after a restart or a rerun of the run too."
        )

    return Mend("header_added", write)
