"""A test run as it is kept. No secret of a credential is in it."""

from typing import Literal

import msgspec

from offhook.catalog.requests.model import Prepared

State = Literal["running", "done", "failed", "cancelled"]


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request as it was sent, what is secret taken out; `cut` says that the body was longer than what is kept."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    cut: bool = False


class Times(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the time went, in milliseconds, as kit/egress.py has it."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    whole: float = 0.0


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer breaks of what its document says: where, and what."""

    location: str
    message: str
    sent: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run. `started` in milliseconds since 1970 UTC, `by` the name of the key that asked for it.

    `status` is 0 if no answer began. `size` are the bytes that came over the wire, `kept` those of the unpacked body
    that are kept; `cut` says that there were more. `error` says in words why it did not end well. `faults` are None
    where there was no document to hold the answer against. `redirects` are the addresses that it was sent on from.
    `prepared` is what was asked for, to be tried again: its expressions as they were written, nothing that is secret.
    """

    id: int
    tenant_id: int
    started: int
    by: str
    state: State
    request: Request
    prepared: Prepared | None = None
    url: str = ""
    api: str = ""
    version: str = ""
    operation: str = ""
    saved_id: int = 0
    credential_id: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    size: int = 0
    kept: int = 0
    cut: bool = False
    times: Times = Times()
    redirects: tuple[tuple[int, str], ...] = ()
    error: str = ""
    faults: tuple[Fault, ...] | None = None
