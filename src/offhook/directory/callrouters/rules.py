"""What a call router must be, and when its errors are too many. Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.urls import check_url, reach

SECRET_MIN, SECRET_MAX = 32, 512
ERRORS_ALLOWED = 10
WINDOW_MS = 3_600_000


def recent(moments: Sequence[int], at: int) -> tuple[int, ...]:
    """The errors of the hour that ends at `at`, oldest first; no more of them than it takes to disable.

    Moments are milliseconds; one at `at` counts, one exactly an hour before does not.
    """
    here = sorted(moment for moment in moments if at - WINDOW_MS < moment <= at)
    return tuple(here[-ERRORS_ALLOWED - 1 :])


def too_many(errors: Sequence[int]) -> bool:
    """Whether the errors of an hour disable a router: more than ten do."""
    return len(errors) > ERRORS_ALLOWED


def routing_url(text: str, found: list[Violation], notices: list[Notice]) -> str:
    """Where a router asks. `http`, and an address that only this network reaches, are taken with a warning."""
    url, fault = check_url(text, "routing_url")
    if fault is not None:
        found.append(fault)
    if url is None:
        return ""
    where = reach(url)
    if where == "never":
        text = (
            "Is never asked: an unspecified, link-local, multicast or metadata address. Name the host of your service."
        )
        found.append(Violation(location="routing_url", message=text, sent=shown(url)))
    elif where == "inside":
        text = "A loopback or private address: it is asked only if the installation allows that."
        notices.append(Notice("private_address", "routing_url", text))
    if urlsplit(url).scheme == "http":
        text = "Calls are told to this address without encryption; use https."
        notices.append(Notice("unencrypted_url", "routing_url", text))
    return url


def secret(text: str, found: list[Violation]) -> str:
    """What requests are signed with, taken as it is; "" takes it away. It is never shown in a refusal."""
    if text and (not SECRET_MIN <= len(text) <= SECRET_MAX or not text.isprintable()):
        message = f"Must be one line of {SECRET_MIN} to {SECRET_MAX} characters; make it at random."
        found.append(Violation(location="secret", message=message))
    return text
