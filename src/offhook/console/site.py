"""The console as an ASGI application: which page a path is, who is signed in, and what happens to forms.

Every page but the sign-in asks for a session, which asks for its key anew. A form that does not prove where it comes
from is refused before anything is done with it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

import structlog

from offhook.access.gate import Gate, Receive, Scope, Send
from offhook.access.limits import Limiter
from offhook.access.sessions import Session, Sessions
from offhook.console import (
    apis,
    calling,
    calls,
    coverage,
    credentials,
    findings,
    forms,
    frame,
    hands,
    heard,
    lines,
    phones,
    requests,
    runs,
    scripts,
    session,
    sounds,
    trunks,
    workflow_adding,
    workflow_editor,
    workflow_import,
    workflow_policies,
    workflow_runs,
    workflow_shipped,
    workflow_start_forms,
    workflow_starting,
    workflows,
)
from offhook.console.create import Creating
from offhook.console.frame import Answer, Frame, redirect
from offhook.console.groups import group
from offhook.console.inside import Inside, Refused, Stream
from offhook.console.office import office
from offhook.console.offices import offices
from offhook.console.visit import Visit
from offhook.kit.errors import Unauthenticated, Unavailable
from offhook.kit.operation import Limit
from offhook.kit.protocol import WHOLE

log = structlog.get_logger("offhook.console")

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 256 * 1024
_LARGE = {
    f"{apis.HERE}/import": apis.MOST_FORM,
    requests.HERE: 4 * 1024 * 1024,
    workflows.HERE: 10 * 1024 * 1024,
}
FAILURES = Limit(20, 60)
"""Sign-ins that may fail from one address."""

Page = Callable[[Visit], Awaitable[Answer]]

_WRONG = "This key is not valid here: it may be mistyped, revoked or past its end."
_TOO_MANY = "Too many keys were wrong. Wait a minute, then try again."

_TITLES = {
    400: "That cannot be done",
    403: "Not with this key",
    404: "There is no such page",
    405: "Not in this way",
    413: "Too much at once",
    415: "Not a form of ours",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not at the moment",
}


class Fault(Exception):
    """A page that says why there is none."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class _SignedOut(Exception):
    """The session of whoever is sent a stream has ended."""


class Console:
    """Everything under /console."""

    def __init__(
        self,
        gate: Gate,
        sessions: Sessions,
        limiter: Limiter,
        *,
        secret: str,
        public_url: str,
        document: Mapping[str, Any],
        conductor: bool = False,
    ) -> None:
        self._gate = gate
        self._sessions = sessions
        self._limiter = limiter
        self._public_url = public_url
        self._cookies = session.Cookies(public_url)
        self._seals = session.Seals(secret)
        self._frame = Frame(conductor=conductor)
        creating = Creating(document)
        name, key = r"(?P<name>[^/]{1,100})", r"(?P<key>[^/]{1,1000})"
        number = r"(?P<id>\d{1,19})"
        run = r"(?P<id>[A-Za-z0-9-]{1,64})"
        start = f"{workflow_starting.STARTING}/(?P<kind>{'|'.join(workflow_starting.KINDS)})"
        policy = f"{workflow_policies.POLICIES}/of/{name}"
        line = f"/console/(offices|departments|callcenters)/{number}"
        pages: dict[str, dict[str, Page]] = {
            "/console/?": {"GET": _home},
            "/console/sign-in": {"GET": self._sign_in, "POST": self._signed_in},
            "/console/sign-out": {"POST": self._sign_out},
            "/console/offices": {"GET": offices},
            "/console/offices/new": {"GET": creating.blank, "POST": creating.sent},
            f"/console/offices/{number}": {"GET": office},
            f"/console/(departments|callcenters)/{number}": {"GET": group},
            f"{line}/by-hand": {"POST": _set_by_hand},
            f"{line}/by-hand/lift": {"POST": _lift},
            f"{line}/script": {"POST": _attach},
            f"{line}/script/remove": {"POST": _detach},
            rf"{line}/heard/(?P<heard>[0-9a-f]{{16}})": {"GET": heard.sound},
            f"{line}/findings": {"GET": findings.page},
            f"{line}/coverage": {"GET": coverage.of_line},
            f"/console/(offices|departments|callcenters|callrouters)/{number}/call": {"GET": calling.page},
            "/console/apis": {"GET": apis.directory},
            "/console/apis/import": {"GET": apis.blank, "POST": apis.sent},
            f"/console/apis/{name}": {"GET": apis.document},
            f"/console/apis/{name}/review": {"GET": apis.review},
            f"/console/apis/{name}/delete": {"POST": apis.delete},
            f"/console/apis/{name}/{key}": {"GET": apis.operation},
            "/console/requests": {"GET": requests.listed},
            "/console/requests/new": {"GET": requests.blank, "POST": requests.sent},
            f"/console/requests/{number}": {"GET": requests.kept, "POST": requests.sent},
            f"/console/requests/{number}/delete": {"POST": requests.delete},
            "/console/runs": {"GET": runs.listed},
            "/console/runs/compare": {"GET": runs.chosen},
            f"/console/runs/{number}": {"GET": runs.run},
            rf"/console/runs/{number}/compare/(?P<other>\d{{1,19}})": {"GET": runs.compare},
            f"/console/runs/{number}/example": {"POST": runs.example},
            f"/console/examples/{number}/delete": {"POST": apis.delete_example},
            f"/console/runs/{number}/cancel": {"POST": runs.cancel},
            f"/console/runs/{number}/delete": {"POST": runs.delete},
            "/console/credentials": {"GET": credentials.listed, "POST": credentials.sent},
            f"/console/credentials/{number}": {"GET": credentials.one, "POST": credentials.changed},
            f"/console/credentials/{number}/delete": {"POST": credentials.delete},
            "/console/workflows": {"GET": workflows.listed},
            "/console/workflows/new": {"GET": workflow_editor.blank, "POST": workflow_editor.sent},
            "/console/workflows/add": {"GET": workflow_adding.of_saved, "POST": workflow_adding.sent},
            f"{workflows.DEFINITIONS}/{name}": {"GET": workflows.definition},
            f"{workflows.DEFINITIONS}/{name}/edit": {"GET": workflow_editor.kept, "POST": workflow_editor.sent},
            f"{workflows.DEFINITIONS}/{name}/export": {"GET": workflows.export},
            f"{workflows.DEFINITIONS}/{name}/start": {"POST": workflows.start},
            f"{workflows.DEFINITIONS}/{name}/delete": {"POST": workflows.delete},
            workflow_import.IMPORT: {"GET": workflow_import.blank, "POST": workflow_import.sent},
            workflow_shipped.SHIPPED: {"GET": workflow_shipped.listed},
            f"{workflow_shipped.SHIPPED}/(?P<name>[a-z_]{{1,100}})": {"POST": workflow_shipped.take},
            workflow_starting.STARTING: {"GET": workflow_starting.listed},
            f"{workflow_starting.STARTING}/preview": {"GET": workflow_starting.preview},
            f"{start}/new": {"GET": workflow_start_forms.blank, "POST": workflow_start_forms.made},
            f"{start}/{number}": {"GET": workflow_starting.shown, "POST": workflow_start_forms.changed},
            rf"{start}/{number}/(?P<verb>[a-z]{{1,12}})": {"POST": workflow_start_forms.done},
            workflow_policies.POLICIES: {"GET": workflow_policies.listed},
            f"{workflow_policies.POLICIES}/new": {"GET": workflow_policies.blank, "POST": workflow_policies.sent},
            policy: {"GET": workflow_policies.one, "POST": workflow_policies.sent},
            f"{policy}/delete": {"POST": workflow_policies.delete},
            "/console/workflows/runs": {"GET": workflow_runs.listed},
            f"/console/workflows/runs/{run}": {"GET": workflow_runs.run},
            f"/console/workflows/runs/{run}/live": {"GET": workflow_runs.live},
            f"/console/workflows/runs/{run}/(?P<verb>[a-z]{{1,12}})": {"POST": workflow_runs.change},
            "/console/coverage": {"GET": coverage.of_company},
            "/console/calls": {"GET": calls.calls},
            phones.HERE: {"GET": phones.listed, "POST": phones.given},
            f"{phones.HERE}/{number}": {"GET": phones.one},
            f"{phones.HERE}/{number}/new-password": {"POST": phones.new_password},
            trunks.HERE: {"GET": trunks.listed, "POST": trunks.sent},
            f"{trunks.HERE}/{number}": {"GET": trunks.one, "POST": trunks.changed},
            f"{trunks.HERE}/{number}/delete": {"POST": trunks.delete},
            "/console/calls/live": {"GET": calls.live},
            "/console/calls/live/events": {"GET": calls.events},
            f"/console/calls/{number}": {"GET": calls.call},
            f"/console/calls/{number}/hangup": {"POST": calls.hang_up},
            "/console/messages": {"GET": sounds.messages},
        }
        self._routes = [(re.compile(path), methods) for path, methods in pages.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        asset = self._frame.assets.get(scope["path"])
        if asset is not None and scope["method"] == "GET":
            answer = asset.answer(headers.get("accept-encoding", ""))
        else:
            answer = await self._answer(scope, receive, headers)
        if answer.stream is not None:
            await self._pass_on(answer.stream, headers, receive, send)
            return
        await _send(answer, scope, send)

    async def _pass_on(self, stream: Stream, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        """Send a stream with the headers of pages, for as long as the session lasts."""
        token = self._cookies.read(headers.get("cookie", "")).get(self._cookies.session, "")
        own = [(name.encode(), value.encode()) for name, value in frame.HEADERS.items()]

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                # A proxy that gathers pieces would keep them from who waits for them.
                message["headers"] = [*message["headers"], *own, (b"x-accel-buffering", b"no")]
            elif message.get("more_body") and not await self._lasts(token):
                raise _SignedOut
            await send(message)

        try:
            await stream(receive, sent)
        except _SignedOut:
            await send({"type": "http.response.body", "body": b""})

    async def _lasts(self, token: str) -> bool:
        """Whether there is still a session; where the store does not say, whoever watches goes on watching."""
        try:
            return await self._sessions.find(token) is not None
        except Unavailable:
            return True

    async def _answer(self, scope: Scope, receive: Receive, headers: Mapping[str, str]) -> Answer:
        cookies = self._cookies.read(headers.get("cookie", ""))
        found: Session | None = None
        try:
            token = cookies.get(self._cookies.session, "")
            found = await self._sessions.find(token) if token else None
            visit = self._visit(scope, headers, cookies, found)
            page = self._page(scope, visit)
            if scope["method"] == "POST":
                most = next((size for place, size in _LARGE.items() if visit.path.startswith(place)), MAX_FORM)
                await self._take_form(visit, receive, most)
            if found is None and not visit.path.startswith("/console/sign-"):
                return self._to_sign_in(visit)
            return await page(visit)
        except Fault as fault:
            return self._fault(found, fault.status, fault.text)
        except Refused as refused:
            if refused.asked.status == 401:
                return redirect("/console/sign-in")
            return self._fault(found, refused.asked.status, refused.asked.message)
        except Unavailable as refusal:
            return self._fault(found, 503, refusal.message)
        except Exception:
            log.exception("fault", path=_plain(scope["path"]))
            return self._fault(
                found, 500, "It was logged. What you sent may not have been done; look before you repeat it."
            )

    def _visit(
        self, scope: Scope, headers: Mapping[str, str], cookies: Mapping[str, str], found: Session | None
    ) -> Visit:
        query = scope["query_string"].decode("latin-1")
        visitor = cookies.get(self._cookies.visit, "")
        holder = found.token if found else visitor
        return Visit(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(query, keep_blank_values=True, errors="replace")),
            target=scope["path"] + (f"?{query}" if query else ""),
            headers=headers,
            cookies=cookies,
            client=(scope.get("client") or ("", 0))[0],
            session=found,
            holder=holder,
            frame=self._frame,
            seals=self._seals,
            jar=self._cookies,
            api=Inside(self._gate, found) if found else None,
        )

    def _page(self, scope: Scope, visit: Visit) -> Page:
        for pattern, pages in self._routes:
            match = pattern.fullmatch(visit.path)
            if match is None:
                continue
            visit.params = match.groupdict()
            page = pages.get(scope["method"])
            if page is None:
                raise Fault(405, f"This page takes {' and '.join(pages)}.")
            return page
        raise Fault(404, "The address may be mistyped, or what it was for is gone.")

    async def _take_form(self, visit: Visit, receive: Receive, most: int) -> None:
        if not session.own_origin(visit.headers, self._public_url):
            raise Fault(403, "This form was sent from another site. Open the page here and send it again.")
        if visit.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Fault(415, f"Forms are sent as {FORM}.")
        try:
            visit.form = forms.pairs(await _read(receive, most))
        except ValueError:
            raise Fault(400, "What was sent is not a form of this page.") from None
        given = dict(visit.form).get(session.SEAL_INPUT, "")
        if not self._seals.fits(visit.holder, given):
            raise Fault(403, "This form is of another session, or its session has ended. Open the page again.")

    def _to_sign_in(self, visit: Visit) -> Answer:
        if visit.method == "GET":
            return redirect(f"/console/sign-in?next={quote(visit.target, safe='')}")
        return redirect("/console/sign-in")

    def _fault(self, found: Session | None, status: int, text: str) -> Answer:
        title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
        token = self._seals.token(found.token) if found else ""
        return self._frame.page("error.html", found, token, status=status, title=title, text=text)

    # Signing in and out

    async def _sign_in(self, visit: Visit) -> Answer:
        onward = session.onward(visit.query.get("next", ""))
        if visit.session is not None:
            return redirect(onward)
        return self._sign_in_page(visit, onward)

    def _sign_in_page(self, visit: Visit, onward: str, problem: str = "", status: int = 200) -> Answer:
        known = visit.holder if visit.session is None else ""
        holder = known or session.visit()
        answer = self._frame.page(
            "sign_in.html", None, self._seals.token(holder), status=status, onward=onward, problem=problem
        )
        if not known:
            answer.headers.append(self._cookies.set(self._cookies.visit, holder, 3600))
        return answer

    async def _signed_in(self, visit: Visit) -> Answer:
        form = dict(visit.form)
        onward = session.onward(form.get("next", ""))
        address = (0, f"console.sign_in {visit.client}")
        if self._limiter.would_refuse(address, FAILURES) is not None:
            return self._sign_in_page(visit, onward, _TOO_MANY, 429)
        try:
            token = await self._sessions.open(form.get("key", "").strip())
        except Unauthenticated:
            verdict = await self._limiter.take(address, FAILURES)
            problem, status = (_WRONG, 403) if verdict.accepted else (_TOO_MANY, 429)
            return self._sign_in_page(visit, onward, problem, status)
        if visit.session is not None:
            await self._sessions.end(visit.session.token)
        answer = redirect(onward)
        answer.headers.append(self._cookies.set(self._cookies.session, token, self._sessions.seconds))
        return answer

    async def _sign_out(self, visit: Visit) -> Answer:
        if visit.session is not None:
            await self._sessions.end(visit.session.token)
        answer = redirect("/console/sign-in")
        answer.headers.append(self._cookies.set(self._cookies.session, "", 0))
        return answer


async def _home(visit: Visit) -> Answer:
    return redirect(session.HOME)


async def _set_by_hand(visit: Visit) -> Answer:
    """`POST /console/offices/{id}/by-hand`: back to the line's page, or that page with what is wrong."""
    return await _after(visit, await hands.set_by(visit))


async def _lift(visit: Visit) -> Answer:
    """`POST /console/offices/{id}/by-hand/lift`: likewise."""
    return await _after(visit, await hands.lifted(visit))


async def _attach(visit: Visit) -> Answer:
    """`POST /console/offices/{id}/script`: likewise."""
    return await _after(visit, await scripts.attached(visit), "#script")


async def _detach(visit: Visit) -> Answer:
    """`POST /console/offices/{id}/script/remove`: likewise."""
    return await _after(visit, await scripts.detached(visit), "#script")


async def _after(visit: Visit, form: lines.Refused | None, at: str = "") -> Answer:
    if form is None:
        return redirect(lines.here(visit) + at)
    return await (office if lines.folder_of(visit) == "offices" else group)(visit, form)


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Fault(400, "The form did not arrive whole.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise Fault(413, f"A form may have {most // 1024:,} KiB.")
        if not message.get("more_body"):
            return b"".join(parts)


def _plain(path: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", path[:200])


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    pairs = [("content-type", answer.media), *frame.HEADERS.items(), *answer.headers]
    headers = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    if WHOLE in (scope.get("extensions") or ()):
        await send({"type": WHOLE, "status": answer.status, "headers": headers, "body": answer.body})
        return
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
