"""E-mail addresses: the verdict of the email-validator library without its DNS query, most of it remembered.

Domains repeat, people do not: a domain is judged once and remembered; a plain ASCII local part needs one regular
expression. Anything else goes to the library whole, so that both ways give the same answer.
"""

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import ATEXT, CASE_INSENSITIVE_MAILBOX_NAMES

from offhook.kit.errors import Violation, shown

LENGTH = 254
"""RFC 5321, 4.5.3.1.3 with erratum 1690: octets of a whole address."""

_PLAIN = re.compile(rf"([{ATEXT}]+(?:\.[{ATEXT}]+)*)@([^\x00-\x20@<>\"\[\]\\]{{1,180}})\Z")
_ROLES = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)


def _library(text: str) -> tuple[str | None, str]:
    try:
        return validate_email(text, check_deliverability=False).normalized, ""
    except (EmailNotValidError, UnicodeError) as error:
        return None, str(error) if isinstance(error, EmailNotValidError) else "It has a character that is half of one."


@lru_cache(maxsize=8192)
def _domain(domain: str) -> tuple[str | None, int, str]:
    """`(normalised domain, octets of its longest form, "")`, or `(None, 0, what is wrong)`."""
    try:
        found = validate_email(f"x@{domain}", check_deliverability=False)
    except (EmailNotValidError, UnicodeError):
        return None, 0, _library(f"x@{domain}")[1]
    forms = (domain, found.domain, found.ascii_domain)
    return found.domain, max(len(form.encode()) for form in forms), ""


def normalised(text: str) -> tuple[str | None, str]:
    """`(address, "")` as the library normalises it, or `(None, what is wrong)`."""
    plain = _PLAIN.match(text)
    if plain is None:
        return _library(text)
    local, domain = plain.groups()
    known, octets, fault = _domain(domain)
    if known is None:
        return None, fault
    if len(local) + 1 + octets > LENGTH:
        return _library(text)
    lower = local.lower()
    return f"{lower if lower in _ROLES else local}@{known}", ""


def check_email(text: str, location: str) -> tuple[str | None, Violation | None]:
    """The normalised address, or why it is none: "Ann@EXAMPLE.com" gives `("Ann@example.com", None)`.

    No DNS query is made. Special-use domains (.test, .local, .invalid, localhost) are refused, example.com is not.
    """
    if len(text) > LENGTH:
        message = f"Must have at most {LENGTH} characters, but has {len(text)}."
        return None, Violation(location=location, message=message, sent=shown(text))
    address, fault = normalised(text)
    if address is None:
        message = f"Must be an e-mail address such as ann@example.com. {fault}"
        return None, Violation(location=location, message=message, sent=shown(text))
    return address, None
