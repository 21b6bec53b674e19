"""Composes the house: opens the store, makes each subject's service and operations, and puts the gate in front.

This is the only place that knows all subjects. `Offhook` is one running server's worth of parts; `application` is its
ASGI form.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from offhook import __version__
from offhook.access import api as access_api
from offhook.access import store as access_store
from offhook.access.gate import Gate, Receive, Scope, Send
from offhook.access.limits import limiter_for
from offhook.access.model import Environment
from offhook.access.service import Access
from offhook.access.sessions import Sessions
from offhook.access.v2 import unbuilt
from offhook.billing import api as billing_api
from offhook.calls import api as calls_api
from offhook.calls.call import Parts
from offhook.calls.legs import api as legs_api
from offhook.calls.legs.mailbox import Mailbox
from offhook.calls.legs.service import Legs
from offhook.calls.live import api as live_api
from offhook.calls.live.watching import Watching
from offhook.calls.records import Records
from offhook.calls.routers import asking
from offhook.calls.scripts import asking as asking_workflows
from offhook.calls.session import Calls
from offhook.calls.tapes import api as tapes_api
from offhook.calls.tapes.keeping import Tapes
from offhook.calls.tapes.links import Links
from offhook.calls.tapes.service import Listening
from offhook.calls.tapes.shelf import shelf_of
from offhook.catalog import preparing
from offhook.catalog.documents import api as apis_api
from offhook.catalog.documents.service import Apis
from offhook.catalog.examples import api as examples_api
from offhook.catalog.trying import Trying, own_places
from offhook.configuration import api as configuration_api
from offhook.configuration.service import Configuration
from offhook.directory import api as directory_api
from offhook.directory.rights.service import Rights
from offhook.directory.work import Work
from offhook.events import api as events_api
from offhook.examples import CREATE_EXAMPLES
from offhook.kit import clock, openapi, phones
from offhook.kit.cursor import Cursors
from offhook.kit.egress import Egress
from offhook.kit.errors import Refusal, Unavailable
from offhook.kit.ids import EPOCH_MS, Ids
from offhook.kit.log import RequestLog
from offhook.kit.looking import keep_looking
from offhook.kit.operation import Operation
from offhook.kit.places import Allowed
from offhook.kit.router import Router
from offhook.kit.settings import Settings
from offhook.numbers import api as numbers_api
from offhook.numbers.bulk import Imports
from offhook.numbers.carriers import Carrier, SandboxCarrier, StaticCarrier
from offhook.offices import api as offices_api
from offhook.offices import licences as office_licences
from offhook.offices import snapshots
from offhook.offices import store as offices_store
from offhook.offices.service import Offices, holder, repoint
from offhook.routing import api as routing_api
from offhook.routing.reservations import Reservations
from offhook.routing.service import Routing
from offhook.routing.sharing import Snapshots
from offhook.routing.warnings import advice, warned
from offhook.storage import secrets
from offhook.storage.batches import Reader, Within, Writer
from offhook.storage.database import Database, Transaction
from offhook.storage.migrate import upgrade
from offhook.storage.served import Place
from offhook.storage.slots import lease
from offhook.telephony.phones import api as phones_api
from offhook.telephony.phones.registering import Registrar
from offhook.telephony.phones.service import Phones
from offhook.telephony.phones.wire import Server
from offhook.telephony.sound import api as sound_api
from offhook.telephony.sound.working import Speech
from offhook.telephony.trunks import api as trunks_api
from offhook.telephony.trunks.service import Trunks
from offhook.telephony.ways import Ways
from offhook.telephony.working import Telephones
from offhook.workflows.remote.conductor import Conductor
from offhook.workflows.working import Workflows

if TYPE_CHECKING:
    from offhook.console.site import Console

log = structlog.get_logger("offhook")

HOUSEKEEPING_SECONDS = 30.0
# After how long a store that was away is asked again for Offhook's own document.
OWN_DOCUMENT_SECONDS = 2.0
_FORGET_AT_ONCE = 500


_ABOUT = (
    "An office phone system created by one API call. Paths under /api/v2 speak the Dialpad v2 wire format: 64-bit "
    "integers are strings of digits in answers and may be either in requests; what is not set is left out. Paths under "
    "/api/offhook/v1 are additions. Everything that was ignored or guessed is said in Offhook-Warning headers."
)
_TAGS = {
    "Offices": "Create offices and read them, as v2 does.",
    "Offices, whole": "What v2 takes and never returns, and what it cannot change.",
    "Opening hours": "When an office takes calls: periods, holidays, dated overrides.",
    "Emergency addresses": "Where help is sent.",
    "Billing": "Plans and licences.",
    "Users": "People with a telephone of their own, and their caller IDs.",
    "Devices": "The telephones and apps on which users and rooms are rung.",
    "Phones": "The devices that sign in by SIP: what is entered into them, and where they are reached.",
    "Trunks": "Carriers: where calls come in from, and which numbers may be called by whom.",
    "Numbers": "The company's telephone numbers: its inventory, and what has them.",
    "Rooms": "Places with a telephone that is nobody's own.",
    "Call routers": "Lines whose every call is decided by a web service of yours.",
    "Contacts": "People outside, shared by the company or of one user.",
    "Channels": "Conversations that users belong to.",
    "Coaching teams": "Coaches, and the trainees whose calls they follow.",
    "Access control policies": "What users may change, and where.",
    "Departments": "Lines of an office, with hours, routing and operators of their own.",
    "Call centers": "Lines with agents, skills and a queue.",
    "Operators": "Who answers for an office, a department or a call center.",
    "Voice prompts": "Recordings that callers hear, and which one a target plays for each purpose.",
    "Configuration": "The whole company as one document: shown, compared, applied.",
    "Routing": "Where calls go: simulated, verified, and who is reachable when.",
    "Calls": "Calls, and why they went where they went.",
    "Messages and recordings": "What was recorded of calls: heard, shared by links, deleted.",
    "API documents": "The workbench: documents of APIs, searched and read.",
    "Requests": "The workbench: requests prepared, checked, saved.",
    "Test runs": "The workbench: requests sent to try them, and what came back.",
    "Credentials": "The workbench: what requests are sent with, encrypted at rest and never shown again.",
    "Workflow definitions": "What is done in which order: registered by version, checked, drawn, imported.",
    "Workflow triggers": "Workflows started by the clock, by events, by calls from outside.",
    "Workflow runs": "Workflows under way and over: started, seen, changed.",
    "Conductor, definitions": "Workflow definitions and task definitions, by the API of Conductor OSS.",
    "Conductor": "Runs and their tasks, by the same API, so that its clients drive workflows here unchanged.",
    "Company": "The company behind a key.",
    "Events": "Everything that changed.",
}


class Offhook:
    """Every part of a running server. Made once; `close` it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.url)
        upgrade(self.database)
        self.slot = lease(self.database, lambda number: self.ids.move(number))
        self.ids = Ids(self.slot.number)
        self.writer = Writer(self.database)
        self.reader = Reader(self.database)
        self.snapshots = Snapshots(self.reader, self.writer.changes)
        self.access = Access(self.database, self.writer)
        self.sessions = Sessions(self.database, self.writer, self.access, hours=settings.session_hours)
        self.reservations = Reservations(self.writer)
        self.egress = Egress(Allowed.read(settings.egress_allow))
        self.records = Records(self.reader, self.writer, settings.calls_days)
        self.limiter = limiter_for(settings.redis_url)
        self.offices = Offices(
            self.database, self.writer, self.reader, self.ids, keep_days=settings.idempotency_days, advise=advice
        )
        cursors = Cursors(secrets.get(self.database, "cursor"))
        self.work = Work(
            writer=self.writer,
            reader=self.reader,
            ids=self.ids,
            cursors=cursors,
            office=offices_store.card,
            keep_days=settings.idempotency_days,
        )
        self.apis = Apis(self.work, self.database, Path(settings.data) / "search", self.egress)
        self.trying = Trying(self.work, settings, places=own_places(settings), lookup=self.apis.lookup)
        self.workflows = Workflows(
            self.access,
            self.work,
            self.writer,
            self.reader,
            self.apis,
            self.trying.credentials,
            self.trying.egress,
            slot=lambda: self.slot.number,
            days=settings.runs_days,
            address=settings.address,
            vault=self.trying.vault,
            shows={"office": snapshots.shown},
            elsewhere=Conductor(settings.conductor_url, settings.conductor_key_id, settings.conductor_key_secret)
            if settings.conductor_url
            else None,
        )
        routers = asking(self.reader, self.writer, self.egress)
        scripts = asking_workflows(self.reader, self.workflows.engine)
        sip = Server(host=settings.sip_reached, port=settings.sip_port, realm=settings.sip_realm)
        self.phones = Phones(self.work, sip)
        self.registrar = Registrar(self.reader, self.writer, settings.sip_realm)
        allowed = Allowed.read(settings.egress_allow)
        self.trunks = Trunks(self.work, self.trying.vault, allowed, settings.sip_realm)
        self.trying.credentials.others["trunks"] = self.trunks.seal_again
        self.ways = Ways(self.reader, self.registrar, allowed)
        parts = Parts(self.writer, self.snapshots.of, self.reservations, routers, scripts)
        self.calls = Calls(parts, self.ids)
        self.speech = Speech(settings, self.reader, self.snapshots.of)
        self.tapes = Tapes(
            self.reader,
            self.writer,
            self.ids,
            self.snapshots.of,
            shelf_of(settings),
            Path(settings.data) / "sound" / "new",
            voicemail_days=settings.voicemail_days,
            recordings_days=settings.recordings_days,
        )
        self.telephones = Telephones(
            settings,
            self.calls,
            self.snapshots.of,
            self.registrar,
            self.trunks,
            self.ways,
            self.speech,
            self.tapes,
            self.phones,
            self.reader,
            self.writer,
        )
        listening = Listening(
            self.reader,
            self.writer,
            cursors,
            self.snapshots.of,
            self.tapes,
            Links(secrets.get(self.database, "sound"), self.reader),
            settings.address,
        )
        self.mailbox = Mailbox(self.reader, self.writer, self.ids, self.calls, self.telephones)
        self.legs = Legs(self.reader, cursors, self.snapshots.of, self.mailbox, settings.address)
        self.carriers: dict[Environment, Carrier] = {"live": StaticCarrier(), "sandbox": SandboxCarrier(self.reader)}
        self.operations = [
            *access_api.operations(self.reader, offices_store.count_of),
            *events_api.operations(self.reader, cursors, {"office": snapshots.shown}),
            *warned(self._of_company(self.work, self.offices), self.snapshots.of),
            *configuration_api.operations(Configuration(self.work, self._within)),
            *apis_api.operations(self.apis),
            *preparing.operations(self.apis, self.trying.credentials),
            *self.trying.operations,
            *examples_api.operations(self.work),
            *self.workflows.operations,
            *routing_api.operations(Routing(self.reader, self.snapshots.of)),
            *calls_api.operations(self.reader, cursors, self.snapshots.of),
            *live_api.operations(self.reader, self.snapshots.of, Watching(self.reader, self.snapshots.of)),
            *legs_api.operations(self.legs),
            *phones_api.operations(self.phones),
            *trunks_api.operations(self.trunks),
            *sound_api.operations(self.speech),
            *tapes_api.operations(listening),
        ]
        known = {operation.id for operation in self.operations}
        everything = [*self.operations, *unbuilt(known), *self.workflows.unbuilt]
        self.gate = Gate(
            Router(everything),
            self.access,
            self.limiter,
            self.ids,
            scale=settings.rate_limit_scale,
            requests=RequestLog(benchmark=settings.benchmark) if settings.access_log else None,
            rights=Rights(self.work),
        )
        self.place: Place | None = None
        """Where the server listens, once it knows: kept noted while `running`."""
        self._serving = True
        self._keeping_own: list[asyncio.Task[None]] = []
        phones.warm()

    @cached_property
    def console(self) -> "Console":
        """The web pages, which no command needs."""
        from offhook.console.site import Console

        return Console(
            self.gate,
            self.sessions,
            self.limiter,
            secret=secrets.get(self.database, "console"),
            public_url=self.settings.public_url,
            document=self.document,
            conductor=self.workflows.engines.conductor is not None,
        )

    @cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document of all operations."""
        return openapi.document(self.operations, title="Offhook", version=__version__, description=_ABOUT, tags=_TAGS)

    def _of_company(self, work: Work, offices: Offices) -> list[Operation]:
        """The operations on what a company has, over the writer and reader of `work`."""
        work.repointers["office"] = repoint
        work.holders["office"] = holder
        imports = Imports(work.writer, work.ids, offices_store.exists, keep_days=work.keep_days)
        return [
            *billing_api.operations(work.reader),
            *numbers_api.operations(work.reader, work.cursors, imports),
            *directory_api.operations(work, self.carriers),
            *office_licences.operations(work),
            *offices_api.operations(offices, work.writer, work.cursors, CREATE_EXAMPLES, work),
        ]

    def _within(self, tx: Transaction) -> Mapping[str, Operation]:
        """The same operations inside a transaction that is open already, by id."""
        within = Within(tx)
        registers: dict[str, Any] = {
            one.name: one.default_factory()
            for one in dataclasses.fields(Work)
            if one.default_factory is not dataclasses.MISSING
        }
        work = dataclasses.replace(self.work, writer=within, reader=within, **registers)
        offices = Offices(
            self.database, within, within, self.ids, keep_days=self.settings.idempotency_days, advise=advice
        )
        return {operation.id: operation for operation in self._of_company(work, offices)}

    def has_company(self) -> bool:
        """Whether anybody has been set up in the store."""
        with self.database.reading() as tx:
            return bool(access_store.all_companies(tx))

    @asynccontextmanager
    async def running(self, *, serving: bool = True, takes_on: bool = False) -> AsyncIterator["Offhook"]:
        """Housekeeping while the block runs; at its end everything submitted is committed and the store is closed.

        Who is not `serving` does not know where the server is, and leaves the address in Offhook's own document. It
        takes no workflow runs on, or with `takes_on` those that are started in the block.
        """
        lasting = [self._keep_house(), self._keep_place(), self.calls.keep(), self.mailbox.keep()]
        if serving or takes_on:
            # Most commands do one thing and end; runs go on in the server, or when there is one again.
            lasting.append(self.workflows.keep(only_own=not serving))
        keeping = [asyncio.create_task(one) for one in lasting]
        self._serving = serving
        if serving or takes_on:
            self._begin_own()
        try:
            yield self
        finally:
            for task in (*keeping, *self._keeping_own):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            with suppress(Refusal):
                await self.access.flush()
            await self.calls.close()
            await self.speech.close()
            await self.workflows.close()
            await self.reservations.close()
            await self.trying.close()
            await self.egress.close()
            self.apis.close()
            await self.writer.close()
            await self.sessions.close()
            await self.access.close()
            await self.offices.close()
            self.reader.close()
            await self.limiter.close()
            self.slot.release()
            self.database.close()

    async def own_kept(self) -> None:
        """Wait, while `running`, until the workbench has Offhook's own document.

        A command that neither serves nor takes runs on makes it here: most need none, and it takes longer than they do.
        """
        self._begin_own()
        await asyncio.shield(self._keeping_own[0])

    def _begin_own(self) -> None:
        if not self._keeping_own:
            self._keeping_own.append(asyncio.create_task(self._keep_own()))

    async def _keep_own(self) -> None:
        """See that the workbench has Offhook's own document, as this version has it.

        A server outwaits a store that is away.
        """
        document = {**self.document, "servers": [{"url": self.settings.address or "/"}]}
        while True:
            try:
                return await self.apis.keep_own(document, anywhere=not self._serving)
            except Unavailable as refusal:
                log.warning("own_document_put_off", cause=refusal.message)
                if not self._serving:
                    return None
            except Exception:
                log.exception("own_document_not_kept")
                return None
            await asyncio.sleep(OWN_DOCUMENT_SECONDS)

    async def _keep_place(self) -> None:
        """See that the note of where a server listens is there, also after a store was away and the slot was lost."""
        if (place := self.place) is not None:
            await keep_looking(lambda: asyncio.to_thread(place.keep), "place_not_noted", log)

    async def _keep_house(self) -> None:
        """Now and then: write down when keys were last used, forget what is kept no longer.

        What keeps one step from being done keeps no other.
        """
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "keys": self.access.flush,
            "sessions": self.sessions.forget,
            "calls": self.records.forget,
            "registrations": self.registrar.forget,
            "tapes": self.tapes.look,
            "workflow_runs": self.workflows.records.forget,
            "idempotency": self._forget_replies,
        }
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            for name, step in steps.items():
                try:
                    await step()
                except Refusal as refusal:
                    log.warning("housekeeping_put_off", step=name, cause=refusal.message)
                except Exception:
                    log.exception("housekeeping_failed", step=name)

    async def _forget_replies(self) -> None:
        """Forget creates that can no longer be repeated."""
        horizon = int(clock.wall() * 1000) - EPOCH_MS - self.settings.idempotency_days * 86_400_000
        if horizon > 0:
            while await self.writer.aside(lambda tx: access_store.forget_replies(tx, horizon << 11, _FORGET_AT_ONCE)):
                pass

    async def ready(self) -> dict[str, Any]:
        """How the parts are; raises Unavailable when the store cannot answer."""
        await self.reader.run(lambda tx: tx.connection.exec_driver_sql("SELECT 1").scalar())
        shared = await self.limiter.check()
        limits = "ok" if shared else "per process: Redis is away"
        return {"status": "ready", "store": "ok", "rate_limits": limits, "telephones": self.telephones.standing}


def application(offhook: Offhook) -> Any:
    """The ASGI application: the gate for the API, the console for its pages, Litestar for all else."""
    gate: Any = offhook.gate
    traced = None
    if offhook.settings.otel_endpoint:
        # A large library, which nobody should wait for who does not use it.
        from offhook.kit.tracing import Traced

        gate = traced = Traced(gate, offhook.settings.otel_endpoint)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with offhook.running():
            # Only a server answers telephones.
            answering = asyncio.create_task(offhook.telephones.keep())
            try:
                yield
            finally:
                await offhook.telephones.close()
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
        if traced is not None:
            await asyncio.to_thread(traced.close)

    # As large a library: commands that ask the API in this process do without it.
    from offhook.console.public import site

    pages = site(offhook.document, offhook.settings, offhook.writer, offhook.ready, running)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith("//"):
                path = "/" + path.lstrip("/")
            if scope["method"] == "HEAD":
                # The server leaves the body out by itself.
                scope = {**scope, "method": "GET"}
            if path.startswith(("/api/", "/oauth2/")) or path == "/api":
                await gate(scope, receive, send)
                return
            if path == "/console" or path.startswith("/console/"):
                await offhook.console(scope, receive, send)
                return
        await pages(scope, receive, send)  # type: ignore[arg-type]

    return front
