"""What can be done with credentials: kept, changed, sealed again by a newer key, and put on a request."""

from collections.abc import Mapping
from typing import Any

import msgspec

from offhook.access.doing import Doing, Done, refuse
from offhook.access.gate import reply_of
from offhook.catalog.credentials import rules, store, wire
from offhook.catalog.credentials.model import Applied, Credential, Kind
from offhook.catalog.credentials.redaction import LEAST
from offhook.catalog.credentials.resealing import SealAgain, resealed
from offhook.catalog.credentials.store import credentials
from offhook.catalog.credentials.tokens import Tokens
from offhook.catalog.credentials.vault import Sealed, Vault
from offhook.catalog.keeping import etag, id_of
from offhook.events.keeper import Keeper
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Conflict, Invalid, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.places import Allowed
from offhook.kit.text import single_line
from offhook.storage.database import Transaction
from offhook.storage.documents import Kept

MOST = 500
KEEPER = Keeper(
    "credential",
    credentials,
    lambda _, kept: wire.told(kept.value),
    Word.CREDENTIAL_CREATED,
    Word.CREDENTIAL_UPDATED,
    Word.CREDENTIAL_DELETED,
)
_FIELDS: dict[Kind, tuple[str, ...]] = {
    "bearer": ("token",),
    "basic": ("username", "password"),
    "api_key": ("place", "parameter", "value"),
    "oauth2": ("token_url", "client_id", "client_secret", "client_way", "scopes"),
    "headers": ("headers",),
}
_OPTIONAL = frozenset({"place", "client_way", "scopes"})
_SECRET: dict[Kind, str] = {
    "bearer": "token",
    "basic": "password",
    "api_key": "value",
    "oauth2": "client_secret",
    "headers": "headers",
}


class Credentials:
    """The credentials of all companies. `allowed` are places that may be called in the clear.

    `others` seal again, by the word for it, what other subjects have sealed by the same vault.
    """

    def __init__(self, work: Doing, vault: Vault, tokens: Tokens, allowed: Allowed) -> None:
        self._work, self._vault, self._tokens, self._allowed = work, vault, tokens, allowed
        self.others: dict[str, SealAgain] = {}

    # Keeping them

    async def create(self, call: Call) -> Reply:
        """Keep a credential."""
        body: wire.CredentialIn = call.body
        at, tenant_id = clock.now(), call.principal.tenant_id
        credential, secrets = self._read(body, body.kind, None, {})

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            self._refuse_twice(tx, tenant_id, credential.name, 0)
            if credentials.count(tx, tenant_id) >= MOST:
                raise Conflict(f"A company may have {MOST} credentials; delete one that is not used.")
            id = self._work.ids.new()
            sealed = self._vault.seal(tenant_id, id, secrets)
            return wire.credential_out(KEEPER.add(tx, call, at, id, msgspec.structs.replace(credential, sealed=sealed)))

        return await self._work.create(call, make)

    async def get(self, call: Call) -> Reply:
        """One credential, without its secret."""
        kept = await self.kept(call.principal.tenant_id, id_of(call))
        return reply_of(self._out(kept), headers=etag(kept))

    async def page(self, call: Call) -> Reply:
        """A page of them, oldest first."""
        query: wire.CredentialQuery = call.query or wire.CredentialQuery()
        tenant_id = call.principal.tenant_id
        page = await self._work.page(
            call,
            "credentials",
            lambda tx, after, limit: credentials.page(tx, tenant_id, after, limit),
            cursor=query.cursor,
        )
        return reply_of(wire.CredentialPage(items=[self._out(kept) for kept in page.items], cursor=page.cursor))

    async def update(self, call: Call) -> Reply:
        """Change a credential. Its secrets must be sent again if it is to go to more places than before."""
        body: wire.CredentialPatch = call.body
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> Kept[Credential]:
            before = KEEPER.get(tx, tenant_id, id)
            try:
                secrets = self._vault.open(tenant_id, id, before.value.sealed)
            except Sealed:
                # It may be entered again.
                secrets = {}
            credential, new = self._read(body, before.value.kind, before.value, secrets)
            self._refuse_twice(tx, tenant_id, credential.name, id)
            sealed = before.value.sealed if new == secrets else self._vault.seal(tenant_id, id, new)
            value = msgspec.structs.replace(credential, sealed=sealed)
            after = KEEPER.change(tx, call, at, before, value)
            if after is not before:
                store.forget_token(tx, tenant_id, id)
            return after

        kept = await self._work.writer.run(run)
        return reply_of(self._out(kept), headers=etag(kept))

    async def delete(self, call: Call) -> Reply:
        """Delete a credential; nothing that is secret stays."""
        at, tenant_id, id = clock.now(), call.principal.tenant_id, id_of(call)

        def run(tx: Transaction) -> None:
            before = KEEPER.get(tx, tenant_id, id)
            KEEPER.remove(tx, call, at, before, msgspec.structs.replace(before.value, sealed=""))
            store.forget_token(tx, tenant_id, id)

        await self._work.writer.run(run)
        return reply_of(Done())

    async def rotate(self, call: Call) -> Reply:
        """Seal all of a company's credentials, and what others seal, by the newest key."""
        at, tenant_id = clock.now(), call.principal.tenant_id
        every = msgspec.structs.replace(call, if_match=None)

        def run(tx: Transaction) -> wire.RotatedOut:
            def keep(before: Kept[Credential], sealed: str) -> None:
                value = msgspec.structs.replace(before.value, sealed=sealed)
                KEEPER.change(tx, every, at, before, value, word=Word.CREDENTIAL_SEALED_AGAIN)
                # Tokens are got again, which is simpler than sealing them again.
                store.forget_token(tx, tenant_id, before.id)

            own = resealed(self._vault, credentials.all(tx, tenant_id), keep)
            others = {kind: seal(tx, every, at) for kind, seal in self.others.items()}
            all_of_them = [own, *others.values()]
            return wire.RotatedOut(
                sealed_again=sum(one.done for one in all_of_them),
                already=sum(one.already for one in all_of_them),
                lost=own.lost,
                lost_elsewhere={kind: one.lost for kind, one in others.items() if one.lost},
            )

        return reply_of(await self._work.writer.run(run))

    # Using them

    async def kept(self, tenant_id: int, id: int) -> Kept[Credential]:
        """A credential of the company; NotFound if it has none of this id."""
        return await self._work.reader.run(lambda tx: KEEPER.get(tx, tenant_id, id))

    async def named(self, tenant_id: int, name: str) -> int | None:
        """The id of the company's credential of this name; None if it has none."""
        found = await self._work.reader.run(lambda tx: credentials.first(tx, tenant_id, name=name))
        return None if found is None else found.id

    async def check(self, tenant_id: int, id: int, url: str) -> None:
        """Refuse as `applied` would, as far as that is known without asking for a token."""
        kept = await self.kept(tenant_id, id)
        fault = rules.why_not(kept.value, url, self._allowed)
        if fault is not None:
            raise Invalid.of([fault])
        self._vault.open(tenant_id, id, kept.value.sealed)

    async def applied(self, tenant_id: int, id: int, url: str, *, refused: str = "") -> Applied:
        """What a credential adds to a request to `url`.

        Invalid if it is not for that place, NotFound if there is none, Sealed if no key opens it, NoToken if its token
        is not to be had. `refused` is a token that the server has just answered with 401.
        """
        kept = await self.kept(tenant_id, id)
        fault = rules.why_not(kept.value, url, self._allowed)
        if fault is not None:
            raise Invalid.of([fault])
        secrets = self._vault.open(tenant_id, id, kept.value.sealed)
        token = await self._tokens.get(kept, secrets, refused=refused) if kept.value.kind == "oauth2" else ""
        return rules.applied(kept.value, secrets, token)

    # Reading what was sent

    def _out(self, kept: Kept[Credential]) -> wire.CredentialOut:
        try:
            self._vault.open(kept.tenant_id, kept.id, kept.value.sealed)
        except Sealed:
            return wire.credential_out(kept, lost=True)
        return wire.credential_out(kept)

    @staticmethod
    def _refuse_twice(tx: Transaction, tenant_id: int, name: str, id: int) -> None:
        other = credentials.first(tx, tenant_id, name=name)
        if other is not None and other.id != id:
            message = "Another credential has this name; choose one of its own."
            raise Conflict(message, [Violation(location="name", message=message, reason=Conflict.reason)])

    def _read(
        self,
        body: wire.CredentialIn | wire.CredentialPatch,
        kind: Kind,
        before: Credential | None,
        secrets: Mapping[str, str],
    ) -> tuple[Credential, dict[str, str]]:
        """The credential that `body` makes, over what was `before`, not sealed yet, and what is secret of it."""
        found: list[Violation] = []
        sent = {name: getattr(body, name) for name in body.__struct_fields__ if name not in ("name", "kind", "hosts")}
        for name, value in sent.items():
            if value is not None and name not in _FIELDS[kind]:
                found.append(Violation(location=name, message=f"A credential of the kind {kind} has no {name}."))
            elif value is None and before is None and name in _FIELDS[kind] and name not in _OPTIONAL:
                found.append(Violation(location=name, message=f"A credential of the kind {kind} needs {name}."))
        values: dict[str, Any] = {} if before is None else msgspec.structs.asdict(before)
        values |= {"kind": kind, "sealed": ""}
        if body.name is not None:
            called, fault = single_line(body.name, "name", 200)
            values["name"] = called or ""
            found += [] if fault is None else [fault]
        if body.hosts is not None:
            values["hosts"] = rules.check_hosts(body.hosts, found)
        new = dict(secrets)
        for name in _FIELDS[kind]:
            if sent[name] is not None:
                self._field(name, sent[name], values, new, found)
        if before is not None and sent[_SECRET[kind]] is None:
            self._refuse_wider(before, values, secrets, found)
        refuse(found)
        return msgspec.convert(values, Credential), new

    def _field(
        self, name: str, value: Any, values: dict[str, Any], new: dict[str, str], found: list[Violation]
    ) -> None:
        if name in ("token", "value", "client_secret"):
            new[name] = rules.check_secret(value, name, found)
        elif name == "password":
            if len(value) > rules.MOST_SECRET:
                found.append(Violation(location=name, message=f"Must have at most {rules.MOST_SECRET} characters."))
            elif 0 < len(value) < LEAST:
                found.append(Violation(location=name, message=f"{rules.TOO_SHORT}."))
            new[name] = value
        elif name == "parameter":
            values[name] = rules.check_name(value, name, found)
        elif name == "token_url":
            values[name] = rules.check_token_url(value, self._allowed, found)
        elif name == "headers":
            if not 1 <= len(value) <= rules.MOST_HEADERS:
                found.append(Violation(location=name, message=f"Must be 1 to {rules.MOST_HEADERS} headers."))
            new.clear()
            for number, one in enumerate(value[: rules.MOST_HEADERS]):
                rules.check_name(one.name, f"headers[{number}].name", found)
                new[one.name] = rules.check_secret(one.value, f"headers[{number}].value", found)
            values["header_names"] = tuple(new)
        elif name == "username" and (":" in value or not value.isprintable() or len(value) > 1000):
            found.append(Violation(location=name, message="Must be a user name without a colon."))
        elif name == "scopes":
            if len(value) > 100 or not all(one.isascii() and one.isprintable() and " " not in one for one in value):
                found.append(Violation(location=name, message="Must be at most 100 names without spaces."))
            values[name] = tuple(value)
        else:
            values[name] = value

    @staticmethod
    def _refuse_wider(
        before: Credential, values: dict[str, Any], secrets: Mapping[str, str], found: list[Violation]
    ) -> None:
        """A secret goes where it was entered for. Otherwise who may not see it could have it sent to themselves."""
        secret = _SECRET[before.kind]
        message = ""
        if not secrets:
            message = "No key of this server opens what is kept: send it again."
        elif set(values["hosts"]) - set(before.hosts):
            message = "Send the secret again with new hosts: it goes only where it was entered for."
        elif values["token_url"] != before.token_url:
            message = "Send the secret again with a new token_url: it goes only where it was entered for."
        if message:
            found.append(Violation(location=secret, message=message))
