"""One request to the console: what was sent, who is signed in, and how a page answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.access.sessions import Session
from offhook.console.frame import Answer, Frame
from offhook.console.inside import Asked, Inside
from offhook.console.session import Cookies, Seals


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request. `target` is its path with the query, `holder` whom the tokens of forms are made for."""

    method: str
    path: str
    query: Mapping[str, str]
    target: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    client: str
    session: Session | None
    holder: str
    frame: Frame
    seals: Seals
    jar: Cookies
    api: Inside | None
    params: Mapping[str, str] = field(default_factory=dict)
    form: list[tuple[str, str]] = field(default_factory=list)

    @property
    def inside(self) -> Inside:
        """The API, as the key that signed in."""
        assert self.api is not None
        return self.api

    def may(self, scope: str) -> bool:
        """Whether the key that signed in has a scope: what it may not do, pages do not offer."""
        return self.session is not None and self.session.principal.may(scope)

    def page(self, template: str, *, status: int = 200, **shown: Any) -> Answer:
        """A page in the frame of this session."""
        return self.frame.page(template, self.session, self.seals.token(self.holder), status=status, **shown)


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a page: what the API gave for it, or why it gave nothing, so that the other sections still show."""

    id: str
    title: str
    template: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    status: int = 200


def part(id: str, title: str, template: str, asked: Asked, **shown: Any) -> Part:
    """A section that stands on one answer, which its template knows as `it`."""
    if not asked.ok:
        return Part(id, title, template, refusal=asked.message, status=asked.status)
    return Part(id, title, template, {"it": asked.document, **shown})
