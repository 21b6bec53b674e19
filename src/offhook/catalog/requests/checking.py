"""Whether a request or an answer keeps to the schemas of its document, and the places where it does not. Pure.

Schemas are brought into the form of JSON Schema 2020-12 (`converting`) and given to a library that matches patterns in
linear time (`checker`). What a document has wrong in its schemas is not held against the request. Work is counted
beforehand (`counting`); what would take too long is said to be unchecked.
"""

from collections.abc import Mapping
from typing import Any

from offhook.catalog.model import Document
from offhook.catalog.requests.checker import MOST_FAULTS, check_json
from offhook.catalog.requests.model import FORM, MULTIPART, Prepared, is_json, media_of
from offhook.catalog.requests.parameters import check_parameter, documented
from offhook.catalog.requests.told import at, resolved, schema_for
from offhook.catalog.work import Work
from offhook.kit.errors import Violation, shown


def check(document: Document, pointer: str, prepared: Prepared, work: Work | None = None) -> list[Violation]:
    """What a request breaks of its operation's schemas, by place: "path.id", "query.limit", "headers.X-A", "body.name".

    Values that are expressions are not known yet, and pass. What would take more than `work` is said to be unchecked.
    """
    work = work or Work()
    operation = at(document, pointer)
    found: list[Violation] = []
    for place, told, pairs in documented(document, pointer, operation, prepared):
        found += check_parameter(document, place, told, pairs, work)
        if len(found) >= MOST_FAULTS:
            break
    found += _check_body(document, operation, prepared, work)
    return found[:MOST_FAULTS]


def check_answer(
    document: Document, pointer: str, status: int, media: str, body: str | bytes, work: Work | None = None
) -> list[Violation]:
    """What an answer breaks of what the document says of it: its status, its media type, its body ("body.items[0].id").

    An operation that documents no answers breaks nothing. `${...}` in an answer is a text as any other.
    """
    responses = at(document, pointer).get("responses")
    if not isinstance(responses, Mapping) or not responses:
        return []
    names = (str(status), f"{status // 100}XX", f"{status // 100}xx", "default")
    told = next((resolved(document, responses[name]) for name in names if name in responses), None)
    if told is None:
        known = ", ".join(shown(name) for name in list(responses)[:10])
        return [Violation(location="status", message=f"The document knows {known}.", sent=str(status))]
    content = told.get("content")
    if not isinstance(content, Mapping) or not content:
        return []
    schema = schema_for(content, media)
    if not body:
        without = status < 200 or status in (204, 304) or pointer.rpartition("/")[2].lower() == "head"
        other = any(not is_json(str(name)) for name in content)
        if without or (other and (schema is None or not is_json(media))):
            return []
        return [Violation(location="body", message="Is empty; the document says that it is JSON.")]
    if schema is None:
        known = ", ".join(shown(name) for name in list(content)[:10])
        return [Violation(location="media", message=f"The document knows {known}.", sent=shown(media))]
    if not is_json(media):
        return []
    return check_json(document, schema, body, "answer", work or Work())


def _check_body(document: Document, operation: Mapping[str, Any], prepared: Prepared, work: Work) -> list[Violation]:
    asked = resolved(document, operation.get("requestBody"))
    content = asked.get("content")
    if not prepared.body:
        return [Violation(location="body", message="A body is required.")] if asked.get("required") is True else []
    if not isinstance(content, Mapping) or not content:
        return []
    schema = schema_for(content, prepared.media)
    if schema is None:
        known = ", ".join(shown(name) for name in list(content)[:10])
        message = f"The operation takes {known}."
        return [Violation(location="media", message=message, sent=shown(prepared.media))]
    if is_json(prepared.media) or media_of(prepared.media) in (FORM, MULTIPART):
        return check_json(document, schema, prepared.body, "request", work)
    return []
