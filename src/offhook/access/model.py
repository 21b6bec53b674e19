"""Companies, environments, keys and the caller they make. Pure; secrets appear only in `NewKey`, once."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from offhook.kit.errors import Invalid, Violation, shown

Environment = Literal["live", "sandbox"]
ENVIRONMENTS: tuple[Environment, ...] = ("live", "sandbox")

SCOPES = {
    "admin": "Everything in the key's environment, keys included.",
    "offices:read": "Read offices, their plans, hours and emergency addresses.",
    "offices:write": "Create, change and delete offices.",
    "directory:read": "Read users, rooms, departments, call centers, call routers, contacts, channels and prompts.",
    "directory:write": "Create, change and delete them.",
    "numbers:read": "Read the company's telephone numbers.",
    "numbers:write": "Import, assign and release them.",
    "trunks:read": "Read carriers, without their secrets.",
    "trunks:write": "Connect carriers, say which numbers may be called by them, change and delete them.",
    "calls:read": "Read calls and why they went where they went; simulate calls, verify lines.",
    "calls:write": "Hang up, transfer and place calls; switch their recording.",
    "recordings:read": "List messages and recordings of calls, and hear them.",
    "recordings:write": "Mark messages as read; delete messages and recordings.",
    "catalog:read": "Read API documents, prepared requests, their runs, and credentials without their secrets.",
    "catalog:write": "Import API documents; prepare and run requests; keep credentials.",
    "workflows:read": "Read workflow definitions and their policies.",
    "workflows:write": "Register, import, change and delete them.",
    "company:read": "Read the company.",
    "events:read": "Read the event log.",
}

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Company:
    """A customer. `anchor_day` (1-31) is the day of the month on which its invoices fall."""

    id: int
    name: str
    country: str
    domain: str
    account_type: str
    admin_email: str
    state: str
    anchor_day: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is kept: the secret itself is not here."""

    id: int
    tenant_id: int
    company_id: int
    environment: Environment
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    user_id: int | None = None
    """The user whose key it is; None for a key of the company."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: one key of one company in one environment. `tenant_id` names the pair of the last two.

    `user_id` is whom `me` means, if the key is bound to a user.
    """

    tenant_id: int
    company_id: int
    environment: Environment
    key_id: int
    key_name: str
    scopes: frozenset[str]
    expires_at: int | None = None
    user_id: int | None = None

    def may(self, scope: str) -> bool:
        """Whether the key carries `scope`; admin carries all, and write carries read."""
        if scope in self.scopes or "admin" in self.scopes:
            return True
        subject, _, action = scope.partition(":")
        return action == "read" and f"{subject}:write" in self.scopes

    def me(self, location: str) -> int:
        """The user whom `me` at `location` means; Invalid if the key is the company's, and nobody is."""
        if self.user_id is None:
            text = (
                "`me` needs a user's key, and this one is the company's: send the user's id, or make a key with "
                "offhook key create --user EMAIL."
            )
            raise Invalid.of([Violation(location=location, message=text, sent="me")])
        return self.user_id


def principal_of(key: Key) -> Principal:
    """The caller that `key` makes."""
    return Principal(
        key.tenant_id,
        key.company_id,
        key.environment,
        key.id,
        key.name,
        frozenset(key.scopes),
        key.expires_at,
        key.user_id,
    )


def new_secret(environment: Environment) -> str:
    """A new key as its owner sees it, this once: 32 characters of about 5.75 bits behind a readable prefix."""
    return f"ohk_{environment}_" + "".join(secrets.choice(_ALPHABET) for _ in range(32))


def digest(secret: str) -> bytes:
    """What is kept of a key. Its 184 random bits need no slow hash; a look-up by hash leaks no prefix by time."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def prefix(secret: str) -> str:
    """The part of a key that may be shown again, to tell keys apart."""
    return secret[: secret.rindex("_") + 5]


def check_scopes(scopes: Iterable[str], location: str = "scopes") -> tuple[str, ...]:
    """`scopes` without repetition; Invalid names those that do not exist."""
    chosen = tuple(dict.fromkeys(scopes))
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown or not chosen:
        text = "Must be one or more of: " + ", ".join(SCOPES) + "."
        raise Invalid.of([Violation(location=location, message=text, sent=shown(", ".join(unknown)))])
    return chosen
