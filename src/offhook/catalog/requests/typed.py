"""Secrets that somebody typed into a request, in the clear, and the credentials that they could be. Pure."""

import base64
import binascii
import shlex
from collections.abc import Iterator
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec

from offhook.catalog.credentials.redaction import is_private
from offhook.catalog.requests.model import Prepared
from offhook.kit.errors import Notice, shown

Kind = Literal["bearer", "basic", "api_key", "headers"]
_SIGNS_IN = frozenset({"authorization", "proxy-authorization"})


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A credential that a typed secret could be kept as: all of it but the secret, which stands at `location`.

    `location` is "headers.Authorization" or "query.api_key"; `parameter` and `place` are those of an API key.
    """

    location: str
    kind: Kind
    hosts: tuple[str, ...] = ()
    parameter: str = ""
    place: Literal["", "header", "query"] = ""
    username: str = ""

    @property
    def command(self) -> str:
        """How it is kept from a terminal, where the secret is asked for."""
        words = ["--kind", self.kind]
        for host in self.hosts or ("HOST",):
            words += ["--host", host]
        words += ["--parameter", self.parameter, "--in", self.place] if self.kind == "api_key" else []
        words += ["--username", self.username] if self.username else []
        return f"offhook api credential add NAME {shlex.join(words)}"

    @property
    def notice(self) -> Notice:
        """What whoever typed it is told."""
        text = f"It stands in the request in the clear: keep it as a credential instead ({self.command})."
        return Notice("secret_in_request", self.location.partition(".")[2], text)


def offers(prepared: Prepared) -> list[Offer]:
    """The secrets of a request by the names of what they stand in, each name once; expressions are none."""
    return list({one.location: one for one in _found(prepared)}.values())


def _found(prepared: Prepared) -> Iterator[Offer]:
    hosts = _hosts(prepared.server)
    for pair in prepared.headers:
        if pair.value.strip() and "${" not in pair.value and is_private(pair.name):
            yield _of_header(pair.name, pair.value.strip(), hosts)
    queries = [(pair.name, pair.value) for pair in prepared.query]
    for text in (prepared.server, prepared.path):
        queries += parse_qsl(text.partition("#")[0].partition("?")[2])
    for name, value in queries:
        if value and "${" not in value and is_private(name):
            shown_name = shown(name)
            yield Offer(
                location=f"query.{shown_name}", kind="api_key", hosts=hosts, parameter=shown_name, place="query"
            )


def _of_header(name: str, value: str, hosts: tuple[str, ...]) -> Offer:
    location = f"headers.{shown(name)}"
    scheme, _, rest = value.partition(" ")
    if name.lower() == "authorization" and rest:
        if scheme.lower() == "bearer":
            return Offer(location=location, kind="bearer", hosts=hosts)
        if scheme.lower() == "basic" and (user := _user(rest)) is not None:
            return Offer(location=location, kind="basic", hosts=hosts, username=user)
    if name.lower() in _SIGNS_IN or name.lower() == "cookie" or (rest and len(scheme) < len(rest)):
        return Offer(location=location, kind="headers", hosts=hosts)
    return Offer(location=location, kind="api_key", hosts=hosts, parameter=shown(name), place="header")


def _user(encoded: str) -> str | None:
    try:
        user, colon, _ = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return shown(user) if colon and user.isprintable() and " " not in user else None


def _hosts(server: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ()
    if not host or "{" in host or "$" in host:
        return ()
    host = f"[{host}]" if ":" in host else host
    return (f"{host}:{port}" if port else host,)
