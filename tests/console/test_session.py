"""Signing in with a key: what the browser gets, what ends it, and what other sites cannot do with it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offhook.access import store
from offhook.console.session import Cookies, onward
from offhook.console.site import FAILURES, Console
from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.kit.settings import BadSettings, Settings, load
from tests.api.desk import Company, Desk
from tests.console.visitor import Page, Visitor


def test_who_is_not_signed_in_is_asked_to_and_comes_back_to_the_page(embedded: Company, stranger: Visitor):
    asked = stranger.get(f"/console/offices/{embedded.office_ids['sandbox']}?x=1")
    page = stranger.follow(asked)
    assert page.title == "Sign in · Offhook"
    back = stranger.send(page, "/console/sign-in", {"key": embedded.sandbox.key})
    assert back.headers["location"] == f"/console/offices/{embedded.office_ids['sandbox']}?x=1"
    assert stranger.follow(back).status == 200


def test_a_key_that_is_not_valid_is_not_let_in_and_not_shown(stranger: Visitor):
    page = stranger.sign_in("ohk_live_0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert page.status == 403
    assert "not valid" in page.text
    assert "0123456789" not in page.html
    assert stranger.get("/console/offices").status == 303


def test_the_cookie_holds_no_key_and_cannot_be_read_or_sent_from_elsewhere(embedded: Company, stranger: Visitor):
    stranger.sign_in(embedded.live.key)
    (line,) = [one for one in stranger.set if "session" in one]
    assert embedded.live.key not in line
    parts = line.split("; ")[1:]
    assert parts == ["Max-Age=43200", "Path=/", "HttpOnly", "SameSite=Strict"]


def test_neither_the_key_nor_the_cookie_is_in_the_store(embedded: Company, stranger: Visitor, desk_file: Path):
    stranger.sign_in(embedded.live.key)
    token = stranger.cookies["offhook-session"]
    kept = b"".join(path.read_bytes() for path in desk_file.iterdir() if path.is_file())
    assert token.encode() not in kept
    assert embedded.live.key.encode() not in kept


@pytest.fixture
def desk_file(sqlite_desk: Desk) -> Path:
    return Path(sqlite_desk.offhook.settings.data)


def test_every_sign_in_makes_a_session_of_its_own_and_ends_the_one_before(embedded: Company, stranger: Visitor):
    page = stranger.get("/console/sign-in")
    stranger.send(page, "/console/sign-in", {"key": embedded.live.key})
    first = dict(stranger.cookies)
    offices = stranger.get("/console/offices")
    token = dict(offices.form("/console/sign-out").values)["form-token"]
    stranger.ask("POST", "/console/sign-in", [("form-token", token), ("key", embedded.sandbox.key)])
    assert stranger.cookies["offhook-session"] != first["offhook-session"]
    stranger.cookies = first
    assert stranger.get("/console/offices").status == 303


def test_who_signs_out_is_out_also_with_a_copy_of_the_cookie(visitor: Visitor):
    copy = dict(visitor.cookies)
    out = visitor.send(visitor.get("/console/offices"), "/console/sign-out")
    assert out.headers["location"] == "/console/sign-in"
    assert "offhook-session" not in visitor.cookies
    visitor.cookies = copy
    assert visitor.get("/console/offices").status == 303


def test_a_revoked_key_ends_its_sessions(embedded: Company):
    key = embedded.key("offices:read")
    visitor = Visitor(embedded.desk)
    visitor.sign_in(key.key)
    assert visitor.get("/console/offices").status == 200
    embedded.desk.transact(lambda tx: store.revoke(tx, key.key_id, int(clock.wall() * 1000)))  # type: ignore[attr-defined]
    embedded.desk.offhook.access.forget()
    assert visitor.get("/console/offices").headers["location"].startswith("/console/sign-in")


def test_a_key_that_runs_out_ends_its_sessions(embedded: Company, monkeypatch: pytest.MonkeyPatch):
    key = embedded.key("offices:read", expires_at=int(clock.wall() * 1000) + 60_000)
    visitor = Visitor(embedded.desk)
    visitor.sign_in(key.key)
    assert visitor.get("/console/offices").status == 200
    later = clock.wall() + 61
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert visitor.get("/console/offices").status == 303


def test_a_session_ends_after_its_hours(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    now = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: now + 12 * 3600 - 10)
    assert visitor.get("/console/offices").status == 200
    monkeypatch.setattr(clock, "wall", lambda: now + 12 * 3600 + 10)
    assert visitor.get("/console/offices").status == 303


def test_sessions_that_are_over_leave_the_store(visitor: Visitor, monkeypatch: pytest.MonkeyPatch):
    desk = visitor.desk
    later = clock.wall() + 12 * 3600 + 10
    monkeypatch.setattr(clock, "wall", lambda: later)
    desk.run(desk.offhook.sessions.forget())
    monkeypatch.undo()
    assert visitor.get("/console/offices").status == 303


def test_a_session_lasts_over_a_restart(embedded: Company, visitor: Visitor):
    """Another process over the same store knows it, and takes the forms of its pages."""
    page = visitor.get("/console/offices")
    other = Desk(embedded.desk._runner, embedded.desk.offhook.settings)
    visitor.desk = other
    try:
        assert visitor.get("/console/offices").status == 200
        assert visitor.send(page, "/console/sign-out").headers["location"] == "/console/sign-in"
    finally:
        other.close()


def test_an_open_session_is_kept_on_both_stores(company: Company):
    visitor = Visitor(company.desk)
    visitor.sign_in(company.sandbox.key)
    assert "Example Company" in visitor.get("/console/offices").text


# Forms from elsewhere


def _refused(page: Page) -> bool:
    return page.status == 403 and "set-cookie" not in page.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://offhook.test.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused(visitor: Visitor, headers: dict[str, str | None]):
    page = visitor.get("/console/offices")
    assert _refused(visitor.send(page, "/console/sign-out", None, **headers))
    assert visitor.get("/console/offices").status == 200


def test_a_form_without_its_token_is_refused(visitor: Visitor):
    page = visitor.get("/console/offices")
    assert _refused(visitor.send(page, "/console/sign-out", {"form-token": None}))
    assert _refused(visitor.send(page, "/console/sign-out", {"form-token": "0" * 64}))
    assert _refused(visitor.send(page, "/console/sign-out", {"form-token": "é"}))


def test_the_token_of_another_session_is_refused(embedded: Company, visitor: Visitor):
    other = Visitor(embedded.desk)
    other.sign_in(embedded.sandbox.key)
    foreign = dict(other.get("/console/offices").form("/console/sign-out").values)["form-token"]
    assert _refused(visitor.send(visitor.get("/console/offices"), "/console/sign-out", {"form-token": foreign}))


def test_nobody_is_signed_in_by_a_form_that_was_not_shown_to_them(embedded: Company, stranger: Visitor):
    """Else a stranger could make someone work in the stranger's company without noticing."""
    other = Visitor(embedded.desk)
    page = other.get("/console/sign-in")
    assert _refused(stranger.send(page, "/console/sign-in", {"key": embedded.sandbox.key}))


def test_a_browser_that_says_nothing_of_the_origin_is_believed_with_the_token(visitor: Visitor):
    page = visitor.get("/console/offices")
    assert visitor.send(page, "/console/sign-out", None, origin=None, sec_fetch_site=None).status == 303


def test_only_forms_are_taken(visitor: Visitor):
    page = visitor.get("/console/offices")
    assert visitor.send(page, "/console/sign-out", None, content_type="application/json").status == 415
    assert visitor.ask("POST", "/console/sign-out", [("form-token", "x" * 300_000)]).status == 413


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("/console/offices/187?made", True),
        ("/console/offices?q=Lis%20bon&cursor=a.b-c_d", True),
        ("https://evil.example/console", False),
        ("//evil.example", False),
        ("/console//evil.example", False),
        ("/console/../../evil", False),
        ("/console\\evil.example", False),
        ("/console/offices\r\nset-cookie: a=b", False),
        ("/consoles", False),
        ("javascript:alert(1)", False),
        ("/api/v2/offices", False),
        ("", False),
    ],
)
def test_signing_in_leads_to_a_page_of_the_console_and_nowhere_else(given: str, taken: bool):
    assert onward(given) == (given if taken else "/console/offices")


def test_the_page_to_come_back_to_is_checked_again_when_the_form_arrives(embedded: Company, stranger: Visitor):
    page = stranger.get("/console/sign-in")
    sent = stranger.send(page, "/console/sign-in", {"key": embedded.live.key, "next": "https://evil.example/"})
    assert sent.headers["location"] == "/console/offices"


def test_many_wrong_keys_from_one_address_are_stopped(embedded: Company, tmp_path: Path):
    desk = Desk(embedded.desk._runner, Settings(data=str(tmp_path), access_log=False))
    try:
        company = desk.found()
        visitor = Visitor(desk)
        assert {visitor.sign_in("ohk_live_wrong").status for _ in range(FAILURES.count)} == {403}
        assert visitor.sign_in("ohk_live_wrong").status == 429
        late = visitor.sign_in(company.live.key)
        assert late.status == 429
        assert "Wait a minute" in late.text
    finally:
        desk.close()


def test_right_keys_are_not_counted(embedded: Company, stranger: Visitor):
    for _ in range(FAILURES.count + 1):
        stranger.cookies.clear()
        assert stranger.sign_in(embedded.live.key).status == 303


# Over https


@pytest.fixture
def secure(embedded: Company, tmp_path: Path) -> Iterator[Desk]:
    settings = Settings(data=str(tmp_path), access_log=False, public_url="https://phones.example.com")
    desk = Desk(embedded.desk._runner, settings)
    yield desk
    desk.close()


def test_over_https_the_cookies_are_bound_to_the_host_and_to_https(secure: Desk):
    visitor, key = Visitor(secure), secure.found().live.key
    page = visitor.get("/console/sign-in")
    sent = visitor.send(page, "/console/sign-in", {"key": key}, origin="https://phones.example.com")
    assert sent.status == 303
    assert set(visitor.cookies) == {"__Host-offhook-visit", "__Host-offhook-session"}
    assert all(line.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure") for line in visitor.set)


def test_a_public_url_takes_forms_from_there_only(secure: Desk):
    visitor, key = Visitor(secure), secure.found().live.key
    page = visitor.get("/console/sign-in")
    assert _refused(visitor.send(page, "/console/sign-in", {"key": key}, origin="http://offhook.test"))


@pytest.mark.parametrize("url", ["phones.example.com", "https://phones.example.com/console", "https://a@b", "ftp://a"])
def test_a_public_url_that_is_no_origin_is_refused_at_start(url: str):
    with pytest.raises(BadSettings, match="public_url"):
        load({"public_url": url}, None, {})


def test_tokens_are_long_and_random(embedded: Company):
    tokens = set()
    for _ in range(3):
        visitor = Visitor(embedded.desk)
        visitor.sign_in(embedded.live.key)
        tokens.add(visitor.cookies["offhook-session"])
    assert len(tokens) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_who_watches_goes_on_watching_while_the_store_does_not_say_whether_the_session_lasts():
    class Away:
        async def find(self, _token: str) -> None:
            raise Unavailable("The store cannot be reached.")

    console: Any = object.__new__(Console)
    console._cookies, console._sessions = Cookies(""), Away()
    came: list[bytes] = []

    async def stream(_receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"news", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def sent(message: Any) -> None:
        came.append(message.get("body", b"head"))

    asyncio.run(console._pass_on(stream, {}, None, sent))
    assert came == [b"head", b"news", b""]
