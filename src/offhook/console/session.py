"""Signing in and out with a key, the cookie of a session, and what keeps other sites from using it.

The cookie holds a random token, never the key. A form is taken if it comes from this origin, as far as the browser
says, and carries the token that only a page made for this session has.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer

from offhook.kit.errors import Notice

_PATH = re.compile(r"/console(?:/[A-Za-z0-9_-]+)*/?(?:\?[A-Za-z0-9=&_.%+-]*)?")
HOME = "/console/offices"
SEAL_INPUT = "form-token"
"""What a form's token is called. It has a hyphen, which no field of the API has, so that no input is called so."""

_SAID_SECONDS = 120
_COOKIE_LIMIT = 3500
_VISIT_SECONDS = 3600


class Cookies:
    """Names and attributes of the console's cookies. Over https they are `Secure`, and bound to this host alone."""

    def __init__(self, public_url: str) -> None:
        self.secure = public_url.startswith("https://")
        prefix = "__Host-" if self.secure else ""
        self.session = f"{prefix}offhook-session"
        self.visit = f"{prefix}offhook-visit"
        self.said = "offhook-said"

    def set(self, name: str, value: str, seconds: int, path: str = "/") -> tuple[str, str]:
        """The header that sets a cookie; with 0 seconds, one that removes it."""
        secure = "; Secure" if self.secure else ""
        return "set-cookie", f"{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; SameSite=Strict{secure}"

    @staticmethod
    def read(header: str) -> Mapping[str, str]:
        """The cookies that a browser sent."""
        pairs = (part.strip().partition("=") for part in header.split(";"))
        return {name: value for name, _, value in pairs if name}


class Seals:
    """What is derived from the store's secret: the tokens of forms, and what is said once on the next page."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._said = URLSafeTimedSerializer(secret, salt="offhook.console.said")

    def token(self, holder: str) -> str:
        """What forms carry that are shown to `holder`: a session's token, or the visit's of who is not signed in."""
        return hmac.new(self._secret, b"offhook.console.form:" + holder.encode(), hashlib.sha256).hexdigest()

    def fits(self, holder: str, given: str) -> bool:
        """Whether `given` is that token."""
        return bool(holder) and hmac.compare_digest(self.token(holder).encode(), given.encode())

    def say(self, notices: list[Notice]) -> str:
        """Warnings for the next page, in a cookie's bounds: of more than fit, the last entry counts the rest."""
        told = [[n.code, n.field, n.text] for n in notices]
        kept = told
        while len(text := str(self._said.dumps(kept))) > _COOKIE_LIMIT:
            told = told[: len(told) - 1]
            kept = [*told, ["more_warnings", "", f"{len(notices) - len(told)} more warnings are not listed here."]]
        return text

    def said(self, cookie: str) -> list[Notice]:
        """What `say` kept, if it is of this server and not old."""
        try:
            return [Notice(*one) for one in self._said.loads(cookie, max_age=_SAID_SECONDS)]
        except BadData:
            return []


def visit() -> str:
    """A token for who is not signed in, to bind the sign-in form to the browser that it was shown in."""
    return secrets.token_urlsafe(16)


def own_origin(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether a form was sent from a page of ours, by what the browser says of it; what says nothing is not refused.

    The origin must be `public_url`'s, or without that setting the host that was asked.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    if public_url:
        return origin.rstrip("/") == public_url
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == headers.get("host", "").lower()


def onward(path: str) -> str:
    """`path` if it is a page of the console, else its first page: nobody is sent elsewhere."""
    return path if len(path) <= 1024 and _PATH.fullmatch(path) else HOME
