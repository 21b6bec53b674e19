"""What all pages share: the frame around them, the files they load, and the headers that go out with them.

No page has a script or a style in its text, and none loads anything from elsewhere, so the policy allows neither.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from offhook.access.gate import Receive, Send
from offhook.access.sessions import Session
from offhook.console import durations, words, workflow_svg
from offhook.console.reference import breakable
from offhook.kit.durations import lasted, passed

STATIC = "/console/static/"
_HERE = Path(__file__).parent
_MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(slots=True)
class Answer:
    """What goes back to a browser. A header may stand there twice, as cookies do.

    With a `stream` that sends it all, piece by piece, and says itself with which status and of which media.
    """

    status: int
    body: bytes = b""
    media: str = "text/html; charset=utf-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Callable[[Receive, Send], Awaitable[None]] | None = None


def redirect(to: str) -> Answer:
    """Go on to `to`, a path of our own, with GET."""
    return Answer(303, headers=[("location", to)])


@dataclass(frozen=True, slots=True)
class Asset:
    """A file under an address that changes with its bytes, so that browsers may keep it for good."""

    address: str
    content: bytes
    packed: bytes
    media: str

    def answer(self, accepts: str) -> Answer:
        """The file, packed for a browser that takes that."""
        headers = [("cache-control", "public, max-age=31536000, immutable"), ("vary", "accept-encoding")]
        if "gzip" not in accepts:
            return Answer(200, self.content, self.media, headers)
        return Answer(200, self.packed, self.media, [*headers, ("content-encoding", "gzip")])


def _asset(name: str) -> Asset:
    content = (_HERE / "static" / name).read_bytes()
    path = Path(name)
    address = f"{STATIC}{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
    return Asset(address, content, gzip.compress(content, mtime=0), _MEDIA[path.suffix])


class Frame:
    """Puts pages into their frame. `conductor`: workflows may be run by a Conductor server, which pages offer then."""

    def __init__(self, *, conductor: bool = False) -> None:
        self.conductor = conductor
        css, js, request_js, live_js = map(_asset, ("console.css", "console.js", "request.js", "live.js"))
        more_css, more_js, live_css = map(_asset, ("workflows.css", "workflows.js", "live.css"))
        files = (css, js, request_js, live_css, live_js, more_css, more_js)
        self.assets: Mapping[str, Asset] = {asset.address: asset for asset in files}
        # What is not set is left out of the API's documents: an undefined name is empty, as it is there.
        self._pages = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals |= {"css": css.address, "js": js.address, "request_js": request_js.address}
        self._pages.globals |= {"live_js": live_js.address, "live_css": live_css.address}
        self._pages.globals |= {"statuses": words.STATUS, "pages": words.PAGES}
        self._pages.globals |= {"workflows_css": more_css.address, "workflows_js": more_js.address}
        self._pages.globals |= {"state_kind": workflow_svg.kind_of, "state_words": workflow_svg.words_of}
        self._pages.globals |= {"conductor": conductor}
        self._pages.globals |= {"type_words": workflow_svg.type_words}
        self._pages.filters |= {
            "moment": words.moment,
            "since_1970": words.since_1970,
            "day": words.day,
            "hours": words.hours,
            "lasted": lasted,
            "passed": passed,
            "elapsed": words.elapsed,
            "outcome": words.outcome,
            "breakable": breakable,
            "instant": words.instant,
            "short": durations.short,
            "lower_first": lambda text: text[:1].lower() + text[1:],
        }

    def page(self, template: str, session: Session | None, token: str, *, status: int = 200, **shown: Any) -> Answer:
        """A page for whoever is signed in; `token` is what its forms carry. `shown` are the template's own values."""
        writes = session is not None and session.principal.may("catalog:write")
        context = {"session": session, "token": token, "search": "", "here": "", "writes": writes, **shown}
        html = self._pages.get_template(template).render(context)
        return Answer(status, html.encode(), headers=[("cache-control", "no-store")])
