"""One interface to runs wherever they are carried out, and the choice between those places.

A run that is started names its engine, a list too. After that its id decides: those of runs here are numbers, a
Conductor server's are other texts. Whatever stands above knows nothing but this interface.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from offhook.access import idempotency
from offhook.access.doing import Doing
from offhook.kit.errors import Conflict, Invalid, NotFound, Unavailable, Violation, shown
from offhook.kit.operation import Call, Handler, Reply
from offhook.kit.wire import encode, to_int64
from offhook.workflows.runs import store, wire

LIVE_SECONDS = 0.2
"""The shortest time between two messages to somebody who watches a run."""

LOOK_SECONDS = 1.0
"""How often it is looked at a watched run that is taken on elsewhere: by another process, or by another server."""

BEAT_SECONDS = 15.0
"""After how long without news a watcher is told that the connection lasts."""

MOST_WATCHERS = 500
WATCHING_SHARE = 5
"""One company may have that part of those who may watch an engine's runs: it keeps no other from it."""

MOST_AWAY = 20
"""How often in a row an engine may not be reached until a watcher is sent away."""


class RunEngine(Protocol):
    """An engine of runs. Each request names a run of its own in the path (`id`), but for `start` and `page`.

    All raise NotFound for a run that the company does not have, Conflict for what cannot be done to it as it stands,
    Unavailable if the engine cannot be reached. `start` is done once for an Idempotency-Key.
    """

    @property
    def most_watchers(self) -> int:
        """How many may watch its runs at a time."""

    async def start(self, call: Call) -> Reply:
        """Start a run."""

    async def page(self, call: Call) -> Reply:
        """Runs, the latest first."""

    async def get(self, call: Call) -> Reply:
        """A run with its tasks."""

    async def attempts(self, call: Call) -> Reply:
        """Attempts with what they took and gave, in the order in which they were made."""

    async def attempt(self, call: Call) -> Reply:
        """One attempt (`task_id`)."""

    async def graph(self, call: Call) -> Reply:
        """The definition that a run goes by as a graph, with what became of its tasks."""

    async def changed(self, call: Call, seen: int) -> wire.WholeRunOut | None:
        """A run, if it is in another turn than the one `seen`."""

    def watching(self, call: Call) -> AbstractContextManager[asyncio.Event]:
        """An event that is set when a run was taken on by this process."""

    async def pause(self, call: Call) -> Reply:
        """Begin nothing new."""

    async def resume(self, call: Call) -> Reply:
        """Go on."""

    async def terminate(self, call: Call) -> Reply:
        """End a run."""

    async def retry(self, call: Call) -> Reply:
        """Try again what it failed with."""

    async def restart(self, call: Call) -> Reply:
        """Begin anew."""

    async def rerun(self, call: Call) -> Reply:
        """Go on from one of its tasks."""

    async def skip(self, call: Call) -> Reply:
        """Leave a task (`ref`) out."""

    async def complete(self, call: Call) -> Reply:
        """Say how a task (`task_id`) ended that waits for somebody."""

    async def delete(self, call: Call) -> Reply:
        """Take a run that is over away, with all that is known of it."""


class Engines:
    """The engines of an installation: `conductor` is None where no such server is named."""

    def __init__(self, work: Doing, embedded: RunEngine, conductor: RunEngine | None) -> None:
        self._work, self.embedded, self.conductor = work, embedded, conductor
        self._watchers: dict[str, Counter[int]] = {"embedded": Counter(), "conductor": Counter()}

    def _named(self, name: wire.EngineName) -> RunEngine:
        if name == "embedded":
            return self.embedded
        if self.conductor is None:
            text = "This server names no Conductor server; whoever runs it sets conductor_url."
            raise Conflict(text, [Violation(location="engine", message=text, sent=name)])
        return self.conductor

    def _of(self, call: Call) -> tuple[wire.EngineName, RunEngine, Call]:
        """The engine that has the run of a request, and the request with ids as that engine knows them."""
        text = str(call.params["id"])
        number = to_int64(text)
        if number is None:
            if self.conductor is None:
                text = f"There is no workflow run {shown(text)}: ids of runs are numbers here."
                raise NotFound(f"{text} This server names no Conductor server (conductor_url).")
            return "conductor", self.conductor, call
        params = {**call.params, "id": number}
        if "task_id" in params:
            task = to_int64(str(params["task_id"]))
            if task is None:
                raise NotFound(f"There is no task {shown(params['task_id'])} in a run {number}.")
            params["task_id"] = task
        return "embedded", self.embedded, msgspec.structs.replace(call, params=params)

    def by_id(self, do: Callable[[RunEngine, Call], Awaitable[Reply]]) -> Handler:
        """The handler of an operation on one run, by the engine that has it."""

        async def handle(call: Call) -> Reply:
            _, engine, own = self._of(call)
            return await do(engine, own)

        return handle

    async def start(self, call: Call) -> Reply:
        """Start a run on the engine that is named."""
        body: wire.StartIn = call.body
        if (body.workflow is None) == (body.definition is None):
            text = "Name a workflow, or send a definition: one of them."
            raise Invalid.of([Violation(location="workflow", message=text, sent=shown(body.workflow))])
        engine = self._named(body.engine)
        if call.idempotency_key and self.conductor is not None:
            await self._refuse_other(call, body.engine)
        return await engine.start(call)

    async def _refuse_other(self, call: Call, name: wire.EngineName) -> None:
        """Conflict if a run was started with the key of this request on another engine: each has keys of its own."""
        tenant_id, key, claim = call.principal.tenant_id, f"key:{call.idempotency_key}", self._work.claim(call)
        if name == "embedded":
            await self._work.reader.run(lambda tx: idempotency.refuse_other(tx, claim))
        elif await self._work.reader.run(lambda tx: store.by_key(tx, tenant_id, key)):
            text = "Another request was sent with this Idempotency-Key; choose a new key for a new run."
            raise Conflict(text, [Violation(location="Idempotency-Key", message=text)])

    async def page(self, call: Call) -> Reply:
        """Runs of the engine that is named."""
        return await self._named(call.query.engine).page(call)

    # Seeing it go on

    async def watch(self, call: Call) -> Reply:
        """A run, again whenever something has happened to it, as server-sent events."""
        name, engine, own = self._of(call)
        await engine.changed(own, -1)
        return Reply(body=b"", media=b"text/event-stream", stream=self._told(name, engine, own))

    async def _told(self, name: str, engine: RunEngine, call: Call) -> AsyncIterator[bytes]:
        """The messages: `run` with the run as GET answers it, `end` when it is over."""
        tenant_id, counts = call.principal.tenant_id, self._watchers[name]
        if counts.total() >= engine.most_watchers or counts[tenant_id] >= engine.most_watchers // WATCHING_SHARE:
            yield b'event: refused\ndata: {"message":"Too many watch runs at this time; ask for it instead."}\n\n'
            return
        counts[tenant_id] += 1
        try:
            with engine.watching(call) as event:
                seen, quiet, away = -1, 0.0, 0
                yield b"retry: 1000\n\n"
                while away < MOST_AWAY:
                    event.clear()
                    out = None
                    try:
                        out = await engine.changed(call, seen)
                        away = 0
                    except NotFound:
                        yield b"event: gone\ndata: {}\n\n"
                        return
                    except Unavailable:
                        away += 1
                    if out is not None:
                        seen, quiet = out.turn, 0.0
                        yield b"event: run\nid: %d\ndata: %b\n\n" % (seen, encode(out))
                        if out.ended_at is not None:
                            yield b"event: end\ndata: {}\n\n"
                            return
                    elif quiet >= BEAT_SECONDS:
                        quiet = 0.0
                        yield b": still here\n\n"
                    await asyncio.sleep(LIVE_SECONDS)
                    try:
                        await asyncio.wait_for(event.wait(), LOOK_SECONDS)
                    except TimeoutError:
                        quiet += LOOK_SECONDS + LIVE_SECONDS
        finally:
            counts[tenant_id] -= 1
            if not counts[tenant_id]:
                del counts[tenant_id]
