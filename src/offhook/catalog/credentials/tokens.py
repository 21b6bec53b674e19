"""Access tokens by client credentials (RFC 6749, 4.4): got when needed, kept sealed, renewed before they end.

One process asks for a credential's token once at a time; whoever else needs it waits for that one.
"""

import asyncio
from collections.abc import Sequence
from urllib.parse import quote_plus, urlencode
from weakref import WeakValueDictionary

import msgspec

from offhook.catalog.credentials import rules, store
from offhook.catalog.credentials.model import Credential, Token
from offhook.catalog.credentials.redaction import redact, redact_bytes, without_beginnings
from offhook.catalog.credentials.vault import Sealed, Vault
from offhook.kit import clock
from offhook.kit.egress import Egress, Exchange
from offhook.kit.errors import Conflict, shown
from offhook.storage.batches import Reader, Within, Writer
from offhook.storage.documents import Kept

EARLY_MS = 30_000
SECONDS = 15.0
MOST = 100_000
_USUAL_S = 300
_LONGEST_S = 30 * 86_400


class NoToken(Conflict):
    """The token endpoint gave none; the text says what it answered, without secrets."""


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: int | float | str | None = None
    token_type: str = "bearer"  # noqa: S105 - a kind, no secret


class Tokens:
    """The tokens of all companies."""

    def __init__(self, writer: Writer | Within, reader: Reader | Within, vault: Vault, egress: Egress) -> None:
        self._writer, self._reader, self._vault, self._egress = writer, reader, vault, egress
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def get(self, kept: Kept[Credential], secrets: dict[str, str], *, refused: str = "") -> str:
        """A token that holds for half a minute at least. `refused` is one that a server has just not taken.

        NoToken if none is to be had.
        """
        lock = self._locks.setdefault(kept.id, asyncio.Lock())
        async with lock:
            known = await self._known(kept)
            if known is not None and known.text != refused and known.until - EARLY_MS > clock.wall() * 1000:
                return known.text
            token = await self._ask(kept.value, secrets)
            sealed = self._vault.seal(kept.tenant_id, kept.id, {"token": token.text})
            await self._writer.run(lambda tx: store.put_token(tx, kept.tenant_id, kept.id, token.until, sealed))
            return token.text

    async def _known(self, kept: Kept[Credential]) -> Token | None:
        row = await self._reader.run(lambda tx: store.token(tx, kept.tenant_id, kept.id))
        if row is None:
            return None
        try:
            return Token(text=self._vault.open(kept.tenant_id, kept.id, row[1])["token"], until=row[0])
        except Sealed:
            # Under a key that is gone; a new one is as good.
            return None

    async def _ask(self, credential: Credential, secrets: dict[str, str]) -> Token:
        secret = secrets["client_secret"]
        form = {"grant_type": "client_credentials"}
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
        pair = rules.basic(quote_plus(credential.client_id), quote_plus(secret))
        if credential.client_way == "basic":
            headers.append(("Authorization", f"Basic {pair}"))
        else:
            form |= {"client_id": credential.client_id, "client_secret": secret}
        if credential.scopes:
            form["scope"] = " ".join(credential.scopes)
        begun = clock.wall()
        got = await self._egress.exchange(
            "POST",
            credential.token_url,
            headers=headers,
            body=urlencode(form).encode(),
            seconds=SECONDS,
            most=MOST,
            redirects=0,
        )
        if got.error or got.status != 200:
            raise NoToken(_why(got, (secret, pair)))
        try:
            granted = msgspec.json.decode(got.body, type=_Granted)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise NoToken("The token endpoint answered 200 without an access_token.") from None
        if not granted.access_token.isascii() or not granted.access_token.isprintable() or not granted.access_token:
            raise NoToken("The token endpoint gave a token that cannot be sent.")
        return Token(text=granted.access_token, until=int((begun + _seconds(granted.expires_in)) * 1000))


def _seconds(value: int | float | str | None) -> float:
    try:
        seconds = float(_USUAL_S if value is None else value)
    except ValueError:
        return _USUAL_S
    return min(seconds, _LONGEST_S) if seconds > 0 else _USUAL_S


def _why(got: Exchange, secrets: Sequence[str]) -> str:
    """What kept a token from being had. What is secret is taken out of the answer before that is cut short."""
    if got.error:
        return f"No token could be had. {redact(got.error, secrets)}"
    body = without_beginnings(got.body, secrets) if got.cut else got.body
    text = shown(redact_bytes(body, secrets)[:400].decode("utf-8", "replace"))
    return f"The token endpoint answered {got.status}: {text}"
