"""Does HTTP tasks: sends what one asks for, and says how the attempt ended.

Nothing that it was sent with and that is secret is in an outcome. Which failures are tried again, and when, is in
docs/algorithms/retries.md.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from offhook.catalog.credentials.model import Applied
from offhook.catalog.credentials.redaction import redact
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.credentials.tokens import NoToken
from offhook.kit import clock
from offhook.kit.egress import Egress, Exchange
from offhook.kit.errors import Refusal
from offhook.workflows.machine.model import MOST_OUTPUT, Outcome, Status
from offhook.workflows.tasks.answers import Answer, after_ms, answer
from offhook.workflows.tasks.asked import READ, Asked, asked
from offhook.workflows.tasks.hosts import Hosts
from offhook.workflows.tasks.pages import Pages, with_parameter
from offhook.workflows.tasks.place import Place, alone
from offhook.workflows.tasks.secrets import Secrets
from offhook.workflows.tasks.values import Wrong

REDIRECTS = 5
LARGE, LARGE_WITH_SECRETS = 100_000, 10_000
"""Bytes of a body from which on it is read in a thread of its own, so that nothing else has to wait."""

_EXPANDS = 6
"""How many times longer JSON may be than what it was read from."""

TERMINAL: Status = "FAILED_WITH_TERMINAL_ERROR"

ByName = Callable[[int, str], Awaitable[int | None]]
"""The id of a company's credential of this name; None if it has none."""


class _Stopped(Exception):
    """The attempt has ended."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class HttpTask:
    """The performer. One for a process: it shares the connections of `egress` and knows the limits of hosts.

    `by_name` finds credentials, `secrets` what `${workflow.secrets.NAME}` stands for. `wall` are seconds since 1970
    UTC, by which dates in Retry-After are read.
    """

    def __init__(
        self,
        egress: Egress,
        credentials: Credentials,
        by_name: ByName,
        secrets: Secrets,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self.egress, self.credentials, self.by_name, self.secrets = egress, credentials, by_name, secrets
        self.wall = wall
        self.hosts = Hosts(sleep, monotonic)

    async def perform(
        self, tenant_id: int, given: Any, *, key: str, template: Any = msgspec.UNSET, place: Place | None = None
    ) -> Outcome:
        """Do one attempt; an Outcome whatever the target does. Cancelling ends the connection.

        `given` is the task's resolved input, with secrets still as they are written; `template` the same as the
        definition has it. `key` is the idempotency key, the same for all attempts that do one thing.
        `place` is left while the limits of the host are waited for.
        """
        try:
            what = asked(tenant_id, given, template, self.secrets)
        except Wrong as wrong:
            return Outcome(status=TERMINAL, reason=str(wrong))
        return await _Attempt(self, tenant_id, what, key, place or alone()).outcome()


class _Attempt:
    def __init__(self, task: HttpTask, tenant_id: int, what: Asked, key: str, place: Place) -> None:
        self._task, self._tenant_id, self._asked, self._place = task, tenant_id, what, place
        self._key = key if key.isascii() and key.isprintable() else quote(key)
        self._id = 0
        self._applied = Applied()
        self._hidden = list(what.secrets)
        self._renewed = False

    async def outcome(self) -> Outcome:
        try:
            await self._credential()
            if self._asked.pages is None:
                return await self._one()
            return await self._all(self._asked.pages)
        except _Stopped as stopped:
            return stopped.outcome
        except Wrong as wrong:
            return self._failed(str(wrong), TERMINAL)

    async def _one(self) -> Outcome:
        done = await self._send(self._asked.url, self._asked.most, 1)
        came = await self._checked(done, done.cut)
        large = len(done.body) * _EXPANDS > MOST_OUTPUT - 100_000
        if large and await self._size(came.response) > MOST_OUTPUT:
            raise Wrong(
                f"The answer of {done.status} came, but makes an output of more than the {MOST_OUTPUT:,} bytes that "
                "it may have. Ask for less, or for pages and their items only."
            )
        return self._completed(came.response)

    async def _all(self, pages: Pages) -> Outcome:
        items: list[Any] = []
        left, size, count, ended = self._asked.most, 0, 0, "maxPages"
        url = pages.first(self._asked.url)
        seen = {url}
        while True:
            count += 1
            done = await self._send(url, left, count)
            came = await self._checked(done, done.cut, count)
            left -= len(done.body)
            found = pages.found(came.response["body"])
            following = pages.following(url, done.url, done.headers, came.raw, len(found), len(items))
            items += found
            size += await self._size(found)
            if size > MOST_OUTPUT:
                raise Wrong(
                    f"The items of {count} pages make an output of more than the {MOST_OUTPUT:,} bytes that it may "
                    "have. Ask for fewer with pagination.maxPages, or for less in each."
                )
            if not following or following in seen:
                ended = "repeated" if following else "last"
                break
            if count >= pages.most:
                break
            seen.add(following)
            url = following
        came.response.pop("note", None)
        return self._completed({**came.response, "body": items, "pages": count, "ended": ended})

    # Sending

    async def _credential(self, refused: str = "") -> None:
        """Have the credential that the task names, if any; with a new token if one was refused."""
        if not self._asked.credential:
            return
        credentials = self._task.credentials
        try:
            if not self._id:
                self._id = await self._task.by_name(self._tenant_id, self._asked.credential) or 0
                if not self._id:
                    raise Wrong(f'There is no credential with the name "{self._asked.credential}".')
            self._applied = await credentials.applied(self._tenant_id, self._id, self._asked.url, refused=refused)
        except Refusal as refusal:
            text = " ".join(dict.fromkeys([*(one.message for one in refusal.violations)] or [refusal.message]))
            temporary = isinstance(refusal, NoToken) or refusal.status >= 500
            raise _Stopped(self._failed(text, "FAILED" if temporary else TERMINAL)) from None
        self._hidden += self._applied.secrets

    async def _send(self, url: str, most: int, page: int) -> Exchange:
        done = await self._turn(url, most, page)
        if done.status == 401 and self._applied.token and not done.redirects and not done.error and not self._renewed:
            # It may have been taken back before its end. Once.
            self._renewed = True
            await self._credential(self._applied.token)
            done = await self._turn(url, most, page)
        return done

    async def _turn(self, url: str, most: int, page: int) -> Exchange:
        what = self._asked
        if what.rate is None and not what.at_once:
            return await self._exchange(url, most, page)
        host = urlsplit(what.url).netloc.lower()
        # What is sent first has not begun before it is sent.
        self._place.leave(anew=page == 1)
        async with self._task.hosts.turn(self._tenant_id, host, what.rate, what.at_once, self._place.take):
            return await self._exchange(url, most, page)

    async def _exchange(self, url: str, most: int, page: int) -> Exchange:
        what, applied = self._asked, self._applied
        for name, value in applied.query:
            url = with_parameter(url, name, value)
        headers, private = what.headers, what.private
        if applied.headers:
            names = {name.lower() for name, _ in applied.headers}
            headers = (*(one for one in headers if one[0].lower() not in names), *applied.headers)
            private |= names
        if what.key_header:
            # A further page is another request, which must not be answered with the first one's answer.
            headers = (*headers, (what.key_header, self._key if page == 1 else f"{self._key}-{page}"))
        return await self._task.egress.exchange(
            what.method,
            url,
            headers=headers,
            body=what.body,
            seconds=what.seconds,
            connect=what.connect,
            most=min(most, READ),
            redirects=REDIRECTS if what.redirects else 0,
            private=private,
            bound=what.bound,
            carries=lambda url: redact(url, self._hidden) != url,
        )

    # Judging

    async def _checked(self, done: Exchange, cut: bool, page: int = 0) -> Answer:
        """The answer, if it is one that completes the task."""
        which = f" (page {page})" if page > 1 else ""
        if done.error:
            # What had come of an answer that broke off is not kept: nobody could tell it from a whole one.
            raise _Stopped(self._failed(f"{done.error}{which}", TERMINAL if done.refused else "FAILED"))
        came = await self._read(done)
        if not self._asked.accepts(done.status):
            after = after_ms(done, self._task.wall()) if self._asked.retry_after else 0
            phrase = came.response["reasonPhrase"]
            said = f": {came.beginning}" if came.beginning else "."
            reason = f"The answer was {done.status}{f' {phrase}' if phrase else ''}{which}{said}"
            output = {"response": came.response}
            if cut or (len(done.body) * _EXPANDS > MOST_OUTPUT and await self._size(output) > MOST_OUTPUT):
                output = {"response": {**came.response, "body": None, "note": "The body is too large to be kept."}}
                output["response"].pop("bodyBase64", None)
            status: Status = TERMINAL if self._asked.ends(done.status) else "FAILED"
            raise _Stopped(self._failed(reason, status, output, after))
        if cut:
            most = min(self._asked.most, READ)
            over = "The answers of all pages have" if page else "The answer has"
            raise Wrong(f"{over} more than the {most:,} bytes that are read (maxBytes){which}.")
        return came

    async def _read(self, done: Exchange) -> Answer:
        if len(done.body) > (LARGE_WITH_SECRETS if self._hidden else LARGE):
            return await asyncio.to_thread(answer, done, self._hidden)
        return answer(done, self._hidden)

    async def _size(self, value: Any) -> int:
        """Bytes of a value as JSON."""
        return len(await asyncio.to_thread(_encoded, value))

    def _completed(self, response: dict[str, Any]) -> Outcome:
        return Outcome(status="IN_PROGRESS" if self._asked.asynchronous else "COMPLETED", output={"response": response})

    def _failed(self, reason: str, status: Status, output: Any = None, after: int = 0) -> Outcome:
        return Outcome(status=status, reason=redact(reason, self._hidden), output=output, after=after)


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()
