"""Companies and keys: making them, and telling whose a key is. The cache here is why most requests cost no look-up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from offhook.access import model, store
from offhook.access.model import Company, Environment, Key, Principal
from offhook.kit import clock
from offhook.kit.errors import Invalid, NotFound, Refusal, Unauthenticated
from offhook.kit.ids import Ids
from offhook.kit.wire import encode
from offhook.storage.batches import Lookup, Writer
from offhook.storage.database import Database, Transaction

# A key that was revoked stops working here within this time.
TRUST_SECONDS = 1.0
MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the secret that is shown this once."""

    key: Key
    secret: str


def create_company(
    tx: Transaction, ids: Ids, *, name: str, country: str, domain: str = "", admin_email: str = ""
) -> tuple[Company, dict[Environment, int]]:
    """A company with its two environments, and their tenant ids. Its invoices fall on today's day of the month."""
    moment = clock.now()
    company = Company(
        ids.new(), name, country, domain, "enterprise", admin_email, "active", moment.day, clock.milliseconds(moment)
    )
    fields = (company.id, name, country, domain, company.account_type, admin_email, "active", moment.day)
    store.insert_company(tx, [(*fields, company.created_at)])
    tenants: dict[Environment, int] = {environment: ids.new() for environment in model.ENVIRONMENTS}
    store.insert_tenant(tx, [(tenant, company.id, environment) for environment, tenant in tenants.items()])
    return company, tenants


def create_key(
    tx: Transaction,
    ids: Ids,
    *,
    company_id: int,
    environment: Environment,
    name: str,
    scopes: Iterable[str] = ("admin",),
    expires_at: int | None = None,
    user_id: int | None = None,
) -> NewKey:
    """A key of a company's environment; only its hash is stored. `expires_at` in milliseconds, None for never.

    `user_id` binds it to a user of that environment, whom `me` then means.
    """
    tenant = store.tenant_id(tx, company_id, environment)
    if tenant is None:
        raise NotFound(f"There is no company {company_id}.")
    secret = model.new_secret(environment)
    created = int(clock.wall() * 1000)
    chosen = model.check_scopes(scopes)
    prefix = model.prefix(secret)
    key = Key(
        ids.new(), tenant, company_id, environment, name, prefix, chosen, created, expires_at, None, None, user_id
    )
    digest = model.digest(secret)
    row = (key.id, tenant, name, key.prefix, digest, encode(chosen).decode(), created, expires_at, user_id)
    store.insert_key(tx, [row])
    return NewKey(key, secret)


class Access:
    """Tells whose a key is, and remembers when it was last used."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._writer = writer
        self._lookup: Lookup[bytes, Key | None] = Lookup(database, "keys", store.keys_by_digest)
        self._known: dict[bytes, tuple[Principal, float]] = {}
        self._trusted: dict[bytes, Principal] = {}
        self._used: dict[int, int] = {}

    def trust(self, principal: Principal) -> str:
        """A secret that this process alone accepts for `principal`, never stored: the command line's own way in."""
        secret = model.new_secret(principal.environment)
        self._trusted[model.digest(secret)] = principal
        return secret

    def known(self, secret: str) -> Principal | None:
        """The caller, if this process checked the key within the last second; else None, whatever the key."""
        return self._remembered(model.digest(secret))

    def _remembered(self, digest: bytes) -> Principal | None:
        found = self._known.get(digest)
        if found is None:
            return self._trusted.get(digest)
        principal, until = found
        if clock.monotonic() > until or (principal.expires_at and principal.expires_at <= clock.wall() * 1000):
            return None
        return principal

    async def authenticate(self, secret: str) -> Principal:
        """The caller behind `secret`; Unauthenticated if it is unknown, revoked or expired, which look the same."""
        return await self.identify(model.digest(secret))

    async def identify(self, digest: bytes) -> Principal:
        """The same by what is kept of a key, its digest: for a session, which was opened with the key itself."""
        principal = self._remembered(digest)
        if principal is not None:
            return principal
        key = await self._lookup.get(digest)
        now = int(clock.wall() * 1000)
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            self._known.pop(digest, None)
            raise Unauthenticated("This API key is not valid.", headers=[("WWW-Authenticate", "Bearer")])
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        principal = model.principal_of(key)
        self._known[digest] = (principal, clock.monotonic() + TRUST_SECONDS)
        self._used[key.id] = now
        return principal

    def forget(self) -> None:
        """Check every key anew at its next use."""
        self._known.clear()

    async def flush(self) -> None:
        """Write down the last uses since the last flush."""
        if self._used:
            noted, self._used = self._used, {}
            try:
                await self._writer.aside(lambda tx: store.mark_used(tx, sorted(noted.items())))
            except Refusal:
                # The store is away; later uses stand, the others wait with them.
                self._used = noted | self._used
                raise

    async def close(self) -> None:
        """Finish the look-ups under way."""
        await self._lookup.close()


def told_where(
    tx: Transaction, principal: Principal, refusal: Refusal, location: str, has: Callable[[Transaction, int], bool]
) -> Refusal:
    """`refusal`, which says so where what it did not find at `location` is in the company's other environment.

    It says so only to commands on the machine itself: a key knows nothing of another environment. `has` is asked with
    that environment's tenant id.
    """
    if principal.key_id:
        return refusal
    lacking = [one for one in refusal.violations if one.location == location and one.reason == NotFound.reason]
    if not lacking:
        return refusal
    other: Environment = "sandbox" if principal.environment == "live" else "live"
    tenant = store.tenant_id(tx, principal.company_id, other)
    if tenant is None or not has(tx, tenant):
        return refusal
    where = "the sandbox" if other == "sandbox" else "the live environment"
    return Invalid.of(
        msgspec.structs.replace(one, message=f"{one.message} It belongs to {where}.") if one in lacking else one
        for one in refusal.violations
    )
