"""Sessions of the console: a browser that proved a key once is known by a random token for some hours.

The store has the token's hash and which key it was, never a secret of either. Every look-up asks `Access` about that
key, so a revoked or expired key ends its sessions. Uses the real clock, which no caller can set.
"""

import secrets
from dataclasses import dataclass

from offhook.access import model, store
from offhook.access.model import Principal
from offhook.access.service import Access
from offhook.kit import clock
from offhook.kit.errors import Unauthenticated
from offhook.storage.batches import Lookup, Writer
from offhook.storage.database import Database


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in. `key_digest` is what the gate takes in place of the key, `token` what the browser holds."""

    principal: Principal
    company_name: str
    key_digest: bytes
    token: str


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, database: Database, writer: Writer, access: Access, *, hours: int) -> None:
        self.seconds = hours * 3600
        self._writer = writer
        self._access = access
        self._lookup: Lookup[bytes, tuple[bytes, str, int] | None] = Lookup(
            database, "sessions", store.sessions_by_digest
        )

    async def open(self, secret: str) -> str:
        """The token of a new session for the key `secret`; Unauthenticated if the key is not valid.

        It is made anew at every sign-in, so that nobody can have planted it before.
        """
        principal = await self._access.authenticate(secret)
        token = secrets.token_urlsafe(32)
        row = (model.digest(token), principal.key_id, _now() + self.seconds * 1000)
        await self._writer.aside(lambda tx: store.insert_session(tx, [row]))
        return token

    async def find(self, token: str) -> Session | None:
        """The session behind `token`; None if there is none, if its time is over, or its key no longer valid."""
        found = await self._lookup.get(model.digest(token))
        if found is None or found[2] <= _now():
            return None
        try:
            principal = await self._access.identify(found[0])
        except Unauthenticated:
            return None
        return Session(principal, found[1], found[0], token)

    async def end(self, token: str) -> None:
        """Forget the session behind `token`, if there is one."""
        digest = model.digest(token)
        await self._writer.aside(lambda tx: store.end_session(tx, digest))

    async def forget(self) -> None:
        """Drop the sessions whose time is over."""
        at = _now()
        await self._writer.aside(lambda tx: store.forget_sessions(tx, at))

    async def close(self) -> None:
        """Finish the look-ups under way."""
        await self._lookup.close()


def _now() -> int:
    return int(clock.wall() * 1000)
