"""What a telephone signs in with, and where it is reached.

The password itself is nowhere: only its digests are kept, which are as good as it is to whoever reads them.
"""

import hashlib
import secrets
from collections.abc import Mapping

import msgspec

from offhook.directory.devices.model import DESK_PHONES

SIGN_IN = DESK_PHONES
"""The kinds of devices that sign in by SIP; the others are apps of another make."""

_LETTERS = "abcdefghjkmnpqrstvwxyz"
_USERNAME = "0123456789" + _LETTERS
_PASSWORD = "23456789" + _LETTERS + "ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH_OF_USERNAME, _LENGTH_OF_PASSWORD = 12, 24


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """What a device signs in with. `digests` are of "username:realm:password", by algorithm ("MD5", "SHA-256"), in hex.

    They are good for this `realm` only. `set_at` is when the password was made, in milliseconds since 1970 UTC.
    """

    device_id: int
    tenant_id: int
    username: str
    realm: str
    digests: Mapping[str, str]
    set_at: int

    def __repr__(self) -> str:
        """Without the digests, which are as good as the password."""
        return f"Phone(device_id={self.device_id}, tenant_id={self.tenant_id}, username={self.username!r})"


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone, and whose it is: "user:1", "room:2"."""

    phone: Phone
    who: str


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a telephone is reached: what was sent to it goes to (`host`, `port`), from where it registered.

    `call_id` and `sequence` are those of the request that said so last (RFC 3261 section 10.3). Moments are
    milliseconds since 1970 UTC; `since` is when it said so first.
    """

    uri: str
    host: str
    port: int
    until: int
    call_id: str
    sequence: int
    agent: str = ""
    since: int


def new_username() -> str:
    """A username that nobody guesses and a person can key in: a letter, then eleven of 32 characters (58 bits)."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_USERNAME) for _ in range(_LENGTH_OF_USERNAME - 1))


def new_password() -> str:
    """A password of 24 characters out of 52 (136 bits), none of which is taken for another."""
    return "".join(secrets.choice(_PASSWORD) for _ in range(_LENGTH_OF_PASSWORD))


def digests(username: str, realm: str, password: str) -> dict[str, str]:
    """HA1 of RFC 7616 section 3.4.2 by both algorithms; RFC 8760 brought the second one to SIP."""
    content = f"{username}:{realm}:{password}".encode()
    return {"MD5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "SHA-256": hashlib.sha256(content).hexdigest()}  # fmt: skip
