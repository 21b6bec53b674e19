"""What a contact must be. Pure: faults go to `found`, what was guessed to `notices`."""

from collections.abc import Callable

import msgspec

from offhook.directory.contacts import wire
from offhook.directory.contacts.model import Contact
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.mail import check_email
from offhook.kit.phones import check_phone
from offhook.kit.text import single_line
from offhook.kit.urls import check_url

UID_LIMIT = 128
_LINES = {"first_name": 256, "last_name": 256, "company_name": 256, "job_title": 256, "extension": 32,
          "trunk_group": 256}  # fmt: skip


def contact(
    body: wire.ContactIn | wire.ContactUidIn | wire.ContactPatch,
    before: Contact,
    country: str,
    found: list[Violation],
    notices: list[Notice],
) -> Contact:
    """`before` with what `body` changes. National numbers are those of `country` (upper-case)."""
    lines: dict[str, str] = {}
    for name, limit in _LINES.items():
        sent = getattr(body, name)
        if sent is not None:
            lines[name] = _line(sent, name, limit, found)
    after = msgspec.structs.replace(
        before,
        **lines,
        emails=_all(body.emails, before.emails, "emails", check_email, found, notices),
        phones=_all(
            body.phones,
            before.phones,
            "phones",
            lambda text, place: _phone(text, place, country, notices),
            found,
            notices,
        ),
        urls=_all(
            body.urls, before.urls, "urls", lambda text, place: _web_address(text, place, notices), found, notices
        ),
    )
    if not after.display_name and not any(fault.location in ("first_name", "last_name") for fault in found):
        text = "A contact needs a name: send first_name, last_name or both."
        found.append(Violation(location="first_name", message=text, reason="required"))
    return after


def uid(text: str, found: list[Violation]) -> str:
    """A caller's name for a contact. It goes into ids and so into paths: no slash, nothing that cannot be seen."""
    if not text or len(text) > UID_LIMIT or not text.isprintable() or "/" in text or text != text.strip():
        message = f"Must be 1 to {UID_LIMIT} visible characters without a slash or spaces around it."
        found.append(Violation(location="uid", message=message, sent=shown(text)))
    return text


def _line(sent: str, location: str, limit: int, found: list[Violation]) -> str:
    if not sent.strip(" "):
        return ""
    value, fault = single_line(sent, location, limit)
    if fault is not None:
        found.append(fault)
    return value or ""


def _all(
    sent: list[str] | None,
    before: tuple[str, ...],
    name: str,
    check: Callable[[str, str], tuple[str | None, Violation | None]],
    found: list[Violation],
    notices: list[Notice],
) -> tuple[str, ...]:
    """Every entry as `check` has it, each once."""
    if sent is None:
        return before
    kept: dict[str, None] = {}
    for index, text in enumerate(sent):
        place = f"{name}[{index}]"
        value, fault = check(text, place)
        if fault is not None:
            found.append(fault)
        elif value in kept:
            notices.append(Notice("duplicate_left_out", place, "It stands in the list already and was left out."))
        elif value is not None:
            kept[value] = None
    return tuple(kept)


def _phone(text: str, place: str, country: str, notices: list[Notice]) -> tuple[str | None, Violation | None]:
    e164, fault = check_phone(text, country, place)
    if e164 is not None and not text.strip().startswith("+"):
        notices.append(Notice("phone_completed", place, f"Read as dialled in {country}: {e164}."))
    return e164, fault


def _web_address(text: str, place: str, notices: list[Notice]) -> tuple[str | None, Violation | None]:
    address = text.strip(" ")
    if address and ":" not in address.partition("/")[0]:
        address = f"https://{address}"
        notices.append(Notice("url_completed", place, "It had no scheme and was read with https://."))
    return check_url(address, place)
