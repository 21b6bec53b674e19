"""What a credential must be, which places it may go to, and what it adds to a request. Pure."""

import base64
import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from offhook.catalog.credentials.model import Applied, Credential
from offhook.catalog.credentials.redaction import LEAST
from offhook.kit.errors import Violation, shown
from offhook.kit.places import Allowed
from offhook.kit.urls import check_url

MOST_HOSTS = 20
MOST_HEADERS = 20
MOST_SECRET = 8_000
TOO_SHORT = f"Must have at least {LEAST} characters: a shorter one cannot be told from other text and hidden"

_LABELS = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?P<any>\*\.)?(?P<name>{_LABELS}|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{{0,4}}))?")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_NOT_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)
_PORTS = {"http": 80, "https": 443}


def check_hosts(hosts: Sequence[str], found: list[Violation]) -> tuple[str, ...]:
    """Hosts as they are kept, in lower case, each once."""
    if not 1 <= len(hosts) <= MOST_HOSTS:
        message = f"Name the 1 to {MOST_HOSTS} hosts that it may be sent to, such as api.example.com."
        found.append(Violation(location="hosts", message=message))
    kept: list[str] = []
    for number, text in enumerate(hosts[:MOST_HOSTS]):
        host = text.strip().lower()
        match = _HOST.fullmatch(host)
        if match is None or len(host) > 260 or (match["any"] and "." not in match["name"]):
            message = "Must be a host such as api.example.com, api.example.com:8443 or *.example.com."
            found.append(Violation(location=f"hosts[{number}]", message=message, sent=shown(text)))
        else:
            kept.append(host)
    return tuple(dict.fromkeys(kept))


def check_name(name: str, location: str, found: list[Violation]) -> str:
    """The name of a header that a credential may fill."""
    if not _TOKEN.fullmatch(name) or name.lower() in _NOT_OURS:
        message = "Must be the name of a header that a request may have, such as X-Api-Key."
        found.append(Violation(location=location, message=message, sent=shown(name)))
    return name


def check_secret(text: str, location: str, found: list[Violation], least: int = LEAST) -> str:
    """A secret that can stand in a header; what was sent is not repeated. One that is kept is not too short to hide."""
    if not text or len(text) > MOST_SECRET or not text.isascii() or not text.isprintable() or text != text.strip():
        message = f"Must be 1 to {MOST_SECRET} visible ASCII characters, without spaces around them."
        found.append(Violation(location=location, message=message))
    elif len(text) < least:
        found.append(Violation(location=location, message=f"{TOO_SHORT}."))
    return text


def check_token_url(text: str, allowed: Allowed, found: list[Violation]) -> str:
    """The address at which tokens are asked for."""
    url, fault = check_url(text, "token_url")
    if fault is not None:
        found.append(fault)
    elif url is not None and not is_safe(url, allowed):
        found.append(Violation(location="token_url", message="Must begin with https://.", sent=shown(url)))
    return url or ""


def is_safe(url: str, allowed: Allowed) -> bool:
    """Whether a secret may go to this address: by https, or in the clear to this machine or an allowed place."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    host, port = (parts.hostname or ""), parts.port or 80
    if host == "localhost" or (host, port) in allowed.places:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or allowed.permits(host, address, port)


def fits(hosts: Sequence[str], url: str) -> bool:
    """Whether an address is of one of the hosts."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().removesuffix(".")
    port = parts.port or _PORTS.get(parts.scheme)
    for one in hosts:
        match = _HOST.fullmatch(one)
        if match is None or int(match["port"] or _PORTS.get(parts.scheme, 0)) != port:
            continue
        name = match["name"].strip("[]")
        if host.endswith(f".{name}") if match["any"] else host == name:
            return True
    return False


def why_not(credential: Credential, url: str, allowed: Allowed) -> Violation | None:
    """Why a credential is not sent to an address; None if it is."""
    if not fits(credential.hosts, url):
        place = urlsplit(url).netloc
        known = ", ".join(credential.hosts)
        message = f"This credential is for {known} only; change its hosts to use it for {shown(place)}."
        return Violation(location="credential_id", message=message)
    if not is_safe(url, allowed):
        return Violation(location="server", message="A credential is sent by https:// only.", sent=shown(url))
    return None


def applied(credential: Credential, secrets: dict[str, str], token: str = "") -> Applied:
    """What a credential adds to a request. `token` is the access token of an oauth2 one."""
    hidden = tuple(filter(None, (*secrets.values(), token)))
    match credential.kind:
        case "bearer":
            return Applied(headers=(("Authorization", f"Bearer {secrets['token']}"),), secrets=hidden)
        case "oauth2":
            return Applied(headers=(("Authorization", f"Bearer {token}"),), secrets=hidden, token=token)
        case "basic":
            pair = basic(credential.username, secrets["password"])
            return Applied(headers=(("Authorization", f"Basic {pair}"),), secrets=(*hidden, pair))
        case "headers":
            return Applied(headers=tuple((name, secrets[name]) for name in credential.header_names), secrets=hidden)
        case "api_key":
            pairs = ((credential.parameter, secrets["value"]),)
            if credential.place == "query":
                return Applied(query=pairs, secrets=hidden)
            return Applied(headers=pairs, secrets=hidden)


def basic(username: str, password: str) -> str:
    """The two as HTTP's basic authentication writes them (RFC 7617)."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()
