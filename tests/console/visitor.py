"""A browser without a script: keeps cookies, follows redirects, finds the forms of a page and sends them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.api.asgi import Response
from tests.api.desk import Desk

ORIGIN = "http://offhook.test"


@dataclass
class Form:
    """A form of a page: its action, and what its inputs hold."""

    action: str
    values: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._select = self._area = ""
        self._option = False
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        name, kind = given.get("name", ""), given.get("type", "")
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            # Without a value an option stands for its words.
            self._option = "value" not in given
            if "value" in given:
                self.forms[-1].values.append((self._select, given["value"]))
        elif tag == "textarea":
            self._area, self._text = name, []
        elif tag == "input" and name and self.forms and (kind != "checkbox" or "checked" in given):
            self.forms[-1].values.append((name, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text.append(data)
        elif self._option:
            self.forms[-1].values.append((self._select, data))
            self._option = False

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area:
            self.forms[-1].values.append((self._area, "".join(self._text)))
            self._area = ""


class Page:
    """What a browser got."""

    def __init__(self, response: Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.content = response.content
        self.html = response.text
        self._reader = _Reader()
        self._reader.feed(self.html)

    def form(self, action: str) -> Form:
        """The form that goes to `action`."""
        return next(one for one in self._reader.forms if one.action == action)

    def tags(self, name: str) -> list[dict[str, str]]:
        """The attributes of all elements of a kind."""
        return [attributes for tag, attributes in self._reader.tags if tag == name]

    @property
    def title(self) -> str:
        found = re.search(r"<title>(.*?)</title>", self.html)
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """The words of the page, without its head."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.html.partition("<body>")[2]))

    def part(self, id: str) -> str:
        """The words of the section `id`."""
        found = re.search(rf'<(section|aside)[^>]* id="{id}".*?</\1>|<(aside) id="{id}".*?</\2>', self.html, re.DOTALL)
        assert found, f"no section {id}"
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


class Visitor:
    """A browser without a script."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cookies: dict[str, str] = {}
        self.set: list[str] = []

    def ask(self, method: str, path: str, values: Any = None, **headers: str | None) -> Page:
        """One request; `values` are a form's. A header of None is not sent."""
        sent: dict[str, str | None] = {"cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items()) or None}
        content = None
        if method == "POST":
            content = urlencode(values or []).encode()
            sent |= {
                "content-type": "application/x-www-form-urlencoded",
                "origin": ORIGIN,
                "sec-fetch-site": "same-origin",
            }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value is not None}
        response = self.desk.run(self.desk.client.request(method, ORIGIN + path, content=content, headers=kept))
        self.set = response.headers.get_list("set-cookie")
        for line in self.set:
            for name, cookie in SimpleCookie(line).items():
                if cookie["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = cookie.value
        return Page(response)

    def get(self, path: str, **headers: str | None) -> Page:
        return self.ask("GET", path, **headers)

    def follow(self, page: Page) -> Page:
        """Where a redirect leads."""
        assert page.status == 303, page.html
        return self.get(page.headers["location"])

    def send(
        self, page: Page, action: str, changes: Mapping[str, str | None] | None = None, **headers: str | None
    ) -> Page:
        """A page's form with some inputs changed, or left out by None."""
        changes = changes or {}
        values = [pair for pair in page.form(action).values if pair[0] not in changes]
        values += [(name, value) for name, value in changes.items() if value is not None]
        return self.ask("POST", action, values, **headers)

    def sign_in(self, key: str, onward: str = "") -> Page:
        page = self.get("/console/sign-in" + (f"?{urlencode({'next': onward})}" if onward else ""))
        return self.send(page, "/console/sign-in", {"key": key})
