"""Digest access authentication of requests (RFC 3261 section 22, RFC 7616, RFC 8760), told without a word to
strangers.

A nonce is its moment signed with a key of this process, so that a challenge costs no memory; what is remembered is
only how often one was used, of telephones that have proven themselves. Whoever is unknown goes the same way, in the
same time, as whoever has a wrong password: their digest is compared with one that nobody can make.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping

import msgspec

from offhook.telephony.worker.packet import Uri, uri

LIFE = 300.0
"""Seconds that a nonce lasts."""
USED = 50_000
ALGORITHMS: dict[str, Callable[[bytes], str]] = {
    "SHA-256": lambda content: hashlib.sha256(content).hexdigest(),
    "MD5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
}
"""Strongest first: so they are offered (RFC 8760 section 2.3)."""
_PART = re.compile(r"[ \t]*([A-Za-z0-9_\-]{1,32})[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\",; \t]+))[ \t]*(?:,|$)")


class Credentials(msgspec.Struct, frozen=True):
    """What an Authorization field says."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str
    qop: str = ""
    cnonce: str = ""
    count: str = ""


def read(value: str) -> Credentials | None:
    """An Authorization field's credentials; None for another scheme, and for one that lacks something."""
    scheme, _, rest = value.strip(" \t").partition(" ")
    if scheme.lower() != "digest":
        return None
    found: dict[str, str] = {}
    place = 0
    while place < len(rest):
        said = _PART.match(rest, place)
        if said is None:
            return None
        found[said[1].lower()] = re.sub(r"\\(.)", r"\1", said[2]) if said[2] is not None else said[3]
        place = said.end()
    needed = ("username", "realm", "nonce", "uri", "response")
    if any(not found.get(name) or len(found[name]) > 512 for name in needed):
        return None
    return Credentials(
        found["username"],
        found["realm"],
        found["nonce"],
        found["uri"],
        found["response"].lower(),
        found.get("algorithm", "MD5").upper(),
        found.get("qop", "").lower(),
        found.get("cnonce", ""),
        found.get("nc", ""),
    )


class Digests:
    """Challenges and proofs of one realm. `now` is a clock in seconds that never goes back."""

    def __init__(self, realm: str, now: Callable[[], float], key: bytes | None = None) -> None:
        self.realm = realm
        self._now = now
        self._key = key or secrets.token_bytes(32)
        self._used: dict[str, int] = {}
        self._since = 0
        """Nonces made up to this moment (milliseconds) whose uses are not remembered have been forgotten."""

    def challenge(self, stale: bool = False) -> tuple[tuple[str, str], ...]:
        """The header fields that ask for a proof, one for each algorithm."""
        nonce = self._nonce()
        end = ", stale=true" if stale else ""
        return tuple(
            ("WWW-Authenticate", f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={name}, qop="auth"{end}')
            for name in ALGORITHMS
        )

    def fresh(self, credentials: Credentials) -> bool | None:
        """Whether the nonce is one of ours and still lasts; None if it is not ours at all."""
        try:
            raw = base64.urlsafe_b64decode(credentials.nonce)
        except ValueError:
            return None
        if len(raw) != 32 or not hmac.compare_digest(self._mark(raw[:16]), raw[16:]):
            return None
        made = int.from_bytes(raw[:8], "big")
        if made <= self._since and credentials.nonce not in self._used:
            return False
        return self._now() * 1000 - made <= LIFE * 1000

    def proven(
        self, credentials: Credentials, method: str, target: Uri | None, digests: Mapping[str, str]
    ) -> bool | None:
        """Whether they were made with the password that `digests` are of, for this request, and now.

        None: with the right password, but not now; the telephone may try again at once (stale=true).
        `digests` is empty for who is unknown.
        """
        algorithm = credentials.algorithm
        known = algorithm in ALGORITHMS and credentials.qop in ("", "auth")
        make = ALGORITHMS[algorithm] if known else ALGORITHMS["MD5"]
        decoy = hmac.new(self._key, credentials.username.encode(), hashlib.sha256).hexdigest()
        secret = digests.get(algorithm) or decoy
        asked = make(f"{method}:{credentials.uri}".encode("latin-1", "replace"))
        between = f"{credentials.count}:{credentials.cnonce}:auth:" if credentials.qop else ""
        due = make(f"{secret}:{credentials.nonce}:{between}{asked}".encode("latin-1", "replace"))
        right = hmac.compare_digest(due.encode(), credentials.response.encode("latin-1", "replace"))
        fresh = self.fresh(credentials)
        same = _same(uri(credentials.uri), target)
        if not (right and known and same and algorithm in digests and credentials.realm == self.realm):
            return False
        if fresh is None:
            return False
        return True if fresh and self._counted(credentials) else None

    def _counted(self, credentials: Credentials) -> bool:
        """Whether the nonce was not used so often before (RFC 7616 section 3.4); without a count it is used once."""
        count = 1
        if credentials.qop:
            if not re.fullmatch("[0-9a-fA-F]{8}", credentials.count):
                return False
            count = int(credentials.count, 16)
        if count <= self._used.get(credentials.nonce, 0):
            return False
        self._used.pop(credentials.nonce, None)
        self._used[credentials.nonce] = count
        while len(self._used) > USED:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._since = max(self._since, int.from_bytes(base64.urlsafe_b64decode(oldest)[:8], "big"))
        return True

    def _nonce(self) -> str:
        start = int(self._now() * 1000).to_bytes(8, "big") + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(start + self._mark(start)).decode()

    def _mark(self, start: bytes) -> bytes:
        return hmac.new(self._key, start, hashlib.sha256).digest()[:16]


def _same(said: Uri | None, target: Uri | None) -> bool:
    """Whether the digest is of this request's address; what stands behind it may have been lost on the way."""
    if said is None or target is None:
        return False
    return (said.user, said.host, said.port) == (target.user, target.host, target.port)
