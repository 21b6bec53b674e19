"""What a schedule, a trigger and a hook must be; all that is wrong with one is told at once. Pure."""

import difflib
import re
from typing import Any

from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.text import single_line
from offhook.kit.wire import encode
from offhook.kit.zones import nearest, zone
from offhook.workflows.expressions.templates import LENGTH, references
from offhook.workflows.triggers import rules, signing
from offhook.workflows.triggers.cron import Cron, CronError
from offhook.workflows.triggers.model import Hook, Schedule, Trigger
from offhook.workflows.triggers.wire import HookIn, ScheduleIn, TriggerIn

MOST_NAME = 200
MOST_TEMPLATE = 64_000
MOST_PATTERNS, MOST_FIELDS, MOST_KEYS, MOST_HEADERS = 50, 20, 20, 20
LEAST_SECRET, MOST_SECRET = 16, 500

ALWAYS = ("content-type", "user-agent")
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_PRIVATE = frozenset(
    {"authorization", "cookie", "proxy-authorization", signing.SECRET_HEADER, signing.SIGNATURE_HEADER}
    | {signing.HUB_HEADER, "x-hub-signature"}
)

Found = list[Violation]


def schedule_of(body: ScheduleIn, by: str, found: Found, notices: list[Notice]) -> Schedule:
    """A schedule from what was sent; what is wrong goes to `found`, what is only odd to `notices`."""
    cron_in(body.cron, body.timezone, found)
    _template(body.input, "schedule", found, jsonata=False)
    if body.missed == "all" and body.overlap == "skip":
        text = "With overlap skip, one run makes up for all that was missed: the others would meet it."
        notices.append(Notice("missed_once", "missed", text, about=("overlap",)))
    return Schedule(
        name=_name(body.name, found),
        workflow=body.workflow,
        version=body.version,
        cron=body.cron.strip(),
        zone=body.timezone,
        input=body.input,
        missed=body.missed,
        overlap=body.overlap,
        paused=body.paused,
        by=by,
    )


def cron_in(expression: str, name: str, found: Found) -> Cron | None:
    """The expression on the clock of the zone called `name`; None if either is wrong."""
    here = zone(name)
    if here is None:
        near = nearest(name)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        message = f"Must be a time zone of the tz database, such as Europe/Lisbon.{meant}"
        found.append(Violation(location="timezone", message=message, sent=shown(name)))
    try:
        cron = Cron(expression, here or zone("UTC"))  # type: ignore[arg-type]
    except CronError as error:
        found.append(Violation(location="cron", message=str(error), sent=shown(expression)))
        return None
    return cron if here is not None else None


def trigger_of(body: TriggerIn, by: str, found: Found, unreadable: str = "") -> Trigger:
    """A trigger from what was sent. `unreadable` is why its expression cannot be read, as its engine says."""
    _many(body.events, "events", 1, MOST_PATTERNS, found)
    for number, pattern in enumerate(body.events[:MOST_PATTERNS]):
        if not any(rules.fits((pattern,), word) for word in rules.WORDS):
            found.append(_no_event(pattern, f"events[{number}]"))
    _many(body.not_by, "not_by", 0, MOST_KEYS, found)
    _where(body.where, found)
    if body.expression:
        _expression(body, found, unreadable)
    _template(body.input, "event", found, jsonata=True)
    return Trigger(
        name=_name(body.name, found),
        workflow=body.workflow,
        version=body.version,
        events=tuple(dict.fromkeys(body.events)),
        where=body.where,
        expression=body.expression,
        language=body.language,
        not_by=tuple(dict.fromkeys(body.not_by)),
        input=body.input,
        most=body.most_per_minute,
        paused=body.paused,
        by=by,
    )


def _no_event(pattern: str, location: str) -> Violation:
    subject = pattern.partition(".")[0]
    if subject in rules.OWN_SUBJECTS:
        message = "Triggers start nothing for what triggers do themselves; that would go round in circles."
    else:
        patterns = (*rules.WORDS, *(f"{one.partition('.')[0]}.*" for one in rules.WORDS))
        near = difflib.get_close_matches(pattern[:100], dict.fromkeys(patterns), n=3)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        message = f"Must be an event of the event log (office.created), all of a subject (user.*), or *.{meant}"
    return Violation(location=location, message=message, sent=shown(pattern))


def _where(where: dict[str, Any], found: Found) -> None:
    if len(where) > MOST_FIELDS:
        found.append(Violation(location="where", message=f"May name at most {MOST_FIELDS} fields."))
    if len(encode(where)) > MOST_TEMPLATE:
        found.append(Violation(location="where", message=f"May have at most {MOST_TEMPLATE:,} characters as JSON."))
        return
    for field in list(where)[:MOST_FIELDS]:
        location = f"where.{shown(field)}"
        read = references(rules.field_expression(field)) if len(field) <= LENGTH - 10 and "}" not in field else []
        if len(read) != 1 or read[0].fault or read[0].jsonata or read[0].root != "event":
            message = "Must be a field of the event as the event log shows it, such as after.office.country."
            found.append(Violation(location=location, message=message))


def _expression(body: TriggerIn, found: Found, unreadable: str) -> None:
    if len(body.expression) > LENGTH:
        message = f"Must have at most {LENGTH:,} characters, but has {len(body.expression):,}."
        found.append(Violation(location="expression", message=message))
    elif unreadable:
        name = "JavaScript" if body.language == "javascript" else "JSONata"
        message = f"This {name} cannot be read: {unreadable.removesuffix('.')}."
        found.append(Violation(location="expression", message=message, sent=shown(body.expression), reason="syntax"))


def hook_of(body: HookIn, company_id: int, environment: Any, by: str, found: Found) -> Hook:
    """A hook from what was sent, without its secret."""
    _many(body.headers, "headers", 0, MOST_HEADERS, found)
    headers = [_header(one, f"headers[{n}]", found) for n, one in enumerate(body.headers[:MOST_HEADERS])]
    named = _header(body.idempotency_header, "idempotency_header", found) if body.idempotency_header else ""
    if body.proof == "token" and body.secret is not None:
        message = "A token is made by the server; leave it out, or choose the proof signed or github."
        found.append(Violation(location="secret", message=message))
    elif body.secret is not None:
        check_secret(body.secret, found)
    return Hook(
        name=_name(body.name, found),
        workflow=body.workflow,
        version=body.version,
        proof=body.proof,
        headers=tuple(dict.fromkeys(headers)),
        idempotency_header=named,
        paused=body.paused,
        company_id=company_id,
        environment=environment,
        by=by,
    )


def check_secret(secret: str, found: Found) -> None:
    """A secret that callers sign with; what was sent is not repeated."""
    if not LEAST_SECRET <= len(secret) <= MOST_SECRET or not secret.isascii() or not secret.isprintable():
        message = f"Must have {LEAST_SECRET} to {MOST_SECRET} printable ASCII characters."
        found.append(Violation(location="secret", message=message))


def _header(name: str, location: str, found: Found) -> str:
    header = name.strip().lower()
    if not _HEADER.fullmatch(header):
        message = "Must be the name of a request header, such as X-GitHub-Event."
        found.append(Violation(location=location, message=message, sent=shown(name)))
    elif header in _PRIVATE:
        message = "This header may hold a secret, which must not be kept with a run."
        found.append(Violation(location=location, message=message, sent=shown(name)))
    return header


def _name(name: str, found: Found) -> str:
    line, fault = single_line(name, "name", MOST_NAME)
    if fault is not None:
        found.append(fault)
    return line or ""


def _many(values: list[str], location: str, least: int, most: int, found: Found) -> None:
    if not least <= len(values) <= most:
        message = f"Must have {least} to {most} entries." if least else f"May have at most {most} entries."
        found.append(Violation(location=location, message=message))
    for number, value in enumerate(values[:most]):
        if not value or len(value) > MOST_NAME or not value.isprintable():
            message = f"Must be 1 to {MOST_NAME} printable characters."
            found.append(Violation(location=f"{location}[{number}]", message=message, sent=shown(value)))


def _template(template: dict[str, Any], root: str, found: Found, *, jsonata: bool) -> None:
    """An input whose expressions may look at `root` only."""
    if len(encode(template)) > MOST_TEMPLATE:
        found.append(Violation(location="input", message=f"May have at most {MOST_TEMPLATE:,} characters as JSON."))
        return
    for one in references(template, "input"):
        text = shown("${" + one.expression + "}")
        if one.fault:
            found.append(Violation(location=one.place, message=f"{text} {one.fault}.", sent=text))
        elif one.jsonata and not jsonata:
            found.append(Violation(location=one.place, message="JSONata is not taken here.", sent=text))
        elif one.root and one.root != root:
            message = f"Expressions see ${{{root}...}} here; ${{workflow...}} is known to the workflow's own tasks."
            found.append(Violation(location=one.place, message=message, sent=text))
