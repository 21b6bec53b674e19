"""A request as code to copy: curl, Python with httpx, an HTTP task of a workflow. Pure; quoted for every input."""

import base64
import json
import re
import shlex

from offhook.catalog.model import Sent
from offhook.kit.errors import Invalid, Violation

_LINE = " \\\n  "
_UNTYPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def arguments(sent: Sent) -> list[str]:
    """The words of the curl command. A body that a shell cannot hold as text is read from its input ("@-")."""
    url, headers = _clean(sent)
    fields = _form(sent)
    # curl chooses what stands between the parts, and says so in the header.
    headers = [(name, value) for name, value in headers if not fields or name.lower() != "content-type"]
    words = ["curl"]
    if sent.method == "HEAD":
        words.append("--head")
    elif sent.method != "GET" or sent.body is not None:
        words += ["--request", sent.method]
    if any(letter in url for letter in "[]{}"):
        words.append("--globoff")
    words += ["--url", url]
    for name, value in headers:
        words += ["--header", f"{name}: {value}" if value else f"{name};"]
    if fields:
        for name, value in fields:
            words += ["--form-string", f"{name}={value}"]
    elif sent.body is not None:
        if not any(name.lower() == "content-type" for name, _ in headers):
            words += ["--header", "Content-Type:"]
        text = _typed(sent.body)
        words += ["--data-binary", "@-"] if text is None else ["--data-raw", text]
    return words


def _form(sent: Sent) -> tuple[tuple[str, str], ...]:
    """The fields of a multipart body, if curl can be told them one by one."""
    named = all("=" not in name and _typed(name + value) is not None for name, value in sent.fields)
    return sent.fields if named else ()


def curl(sent: Sent, between: str = _LINE) -> str:
    """The request as a command for a POSIX shell, an option a line unless `between` is a space."""
    words = arguments(sent)
    options = [[words[0]]]
    for word in words[1:]:
        # An option stands on a line with its value, which is any word that comes second.
        if word.startswith("--") and (len(options[-1]) != 1 or len(options) == 1 or options[-1][0] in _ALONE):
            options.append([word])
        else:
            options[-1].append(word)
    command = between.join(" ".join(map(shlex.quote, option)) for option in options)
    if sent.body is not None and not _form(sent) and _typed(sent.body) is None:
        packed = base64.b64encode(_bytes(sent.body)).decode()
        command = f"printf %s {shlex.quote(packed)} | base64 -d | {command}"
    return command


_ALONE = ("--head", "--globoff")


def httpx(sent: Sent) -> str:
    """The request as a Python script with httpx."""
    url, headers = _clean(sent)
    lines = ["import httpx", "", "response = httpx.request(", f"    {sent.method!r},", f"    {url!r},"]
    if headers:
        lines += ["    headers=[", *(f"        ({name!r}, {value!r})," for name, value in headers), "    ],"]
    if sent.body is not None:
        text = _text(sent.body)
        lines.append(f"    content={_bytes(sent.body)!r}," if text is None else f"    content={text!r},")
    return "\n".join([*lines, ")", "print(response.status_code, response.text)", ""])


def http_task(sent: Sent, name: str) -> str:
    """The request as an HTTP task of a Conductor definition, as JSON. A body of JSON stands as such.

    Invalid for a body that is no text, which such a task cannot send.
    """
    url, headers = _clean(sent)
    joined: dict[str, str] = {}
    for header, value in headers:
        joined[header] = f"{joined[header]}, {value}" if header in joined else value
    request: dict[str, object] = {"uri": url, "method": sent.method, "headers": joined}
    if sent.body is not None:
        text = sent.body if isinstance(sent.body, str) else _text(sent.body)
        if text is None:
            message = "A body that is not text cannot stand in an HTTP task; send it as text, for example in base64."
            raise Invalid.of([Violation(location="body", message=message)])
        request["body"] = _json_or_text(text)
    reference = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:100] or "request"
    task = {
        "name": name,
        "taskReferenceName": reference,
        "type": "HTTP",
        "inputParameters": {"http_request": request},
    }
    return json.dumps(task, indent=2, ensure_ascii=False)


def _json_or_text(text: str) -> object:
    """The JSON in a text if writing it again says the same, else the text."""
    try:
        value = json.loads(text, parse_float=_exact)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _exact(number: str) -> float:
    """Raises ValueError for a number that a float would change: the body is then kept as it is written."""
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(number)
    return value


def _clean(sent: Sent) -> tuple[str, list[tuple[str, str]]]:
    """The address and headers without what neither HTTP nor a shell can carry."""
    url = _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", _whole(sent.url))
    headers = [
        (_CONTROL.sub("", _whole(name)), _CONTROL.sub(" ", _whole(value)).strip()) for name, value in sent.headers
    ]
    return url, headers


def _whole(text: str) -> str:
    """Text without halves of surrogate pairs, which cannot be sent."""
    return text.encode("utf-8", "replace").decode()


def _bytes(body: str | bytes) -> bytes:
    return body.encode("utf-8", "replace") if isinstance(body, str) else body


def _typed(body: str | bytes) -> str | None:
    """A body as text that can be pasted into a terminal, None for any other."""
    text = _text(body)
    return None if text is None or _UNTYPED.search(text) else text


def _text(body: str | bytes) -> str | None:
    """A body as text that a shell can hold, None for any other."""
    try:
        text = _whole(body) if isinstance(body, str) else body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
