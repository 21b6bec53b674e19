"""Telephones as the server has them: who registers, who calls, and the worker that speaks with them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from offhook.calls.call import CompanyOf
from offhook.calls.session import Calls
from offhook.kit import clock
from offhook.kit.errors import Refusal, Unavailable
from offhook.routing import outbound, transfers
from offhook.routing.model import Company
from offhook.routing.plan import Outgoing, Transfer
from offhook.telephony import port
from offhook.telephony.exchange import Exchange
from offhook.telephony.origin import Origin
from offhook.telephony.phones.registering import OUTDATED
from offhook.telephony.placing import Noted, Placing
from offhook.telephony.process import Worker
from offhook.telephony.room import REFUSED, Full, Room
from offhook.telephony.share import Share
from offhook.telephony.tally import Tally, nowhere
from offhook.telephony.telephone import House, Sounds, Tapes, Telephone, Ways

UNKNOWN, BUSY, FAULTY = 404, 503, 500
AGAIN_SECONDS = 1.0
"""After which carriers are read again that the store did not give."""

KNOWN_SECONDS = 1.5
"""In which a company must be known of which somebody calls for help; the call goes out without, too."""

HELPED_SECONDS = 60.0
"""For which a server that stops waits for the calls for help that go on."""

NOBODY = "unknown"
"""As what is shown who has no extension and no number."""

log = structlog.get_logger("offhook.telephony")


class Desk(Protocol):
    """Which telephones and carriers there are."""

    async def account(self, username: str) -> port.Account:
        """Who a username is; without digests if nobody."""

    async def register(self, asked: port.Register) -> port.Registered:
        """Where a telephone is reached from now on, on disk."""

    async def origin(self, came: port.Incoming, *, patient: bool = False) -> Origin | None:
        """Whose call it is; None if nobody's. With `patient` the store is waited for also where help may be called."""

    async def configured(self) -> port.Configure:
        """The carriers there are, and limits."""


@dataclass(slots=True)
class _Reading:
    """By how many an account is read just now, and how often its password was changed since the first of them began."""

    by: int = 0
    changes: int = 0


class Telephony:
    """All calls on real telephones of this process. `keep` it going while serving; `close` it at the end.

    A company has `most_calls` of them at once; calls for help go on beyond. Numbers outside that talk with nobody of
    the company do so for `outside_seconds`.
    """

    def __init__(
        self,
        calls: Calls,
        company: CompanyOf,
        desk: Desk,
        ways: Ways,
        sounds: Sounds,
        tapes: Tapes,
        location: Callable[[Transfer], tuple[bytes, str]],
        arguments: tuple[str, ...],
        *,
        most_calls: int = 200,
        outside_seconds: float = 14_400.0,
        tally: Tally | None = None,
        placed: Noted | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._most_calls = most_calls
        self._calls, self._company, self._desk = calls, company, desk
        self.worker = Worker(arguments, self._heard)
        self._tasks: set[asyncio.Future[None]] = set()
        self._configuring, self._sleep, self._stopping = asyncio.Lock(), sleep, False
        self._reading: dict[str, _Reading] = {}
        self._due = False
        """Whether carriers are about to be read, so that whatever changes until then is seen."""
        self._tally = tally = tally or Tally(nowhere)
        self.worker.watch = self._watch
        self._house = House(
            self.worker, ways, sounds, tapes, calls.happened, location,
            seen=calls.seen, decided=calls.decided, withdraw=calls.withdraw, leg_of=calls.leg_of,
            exchange=Exchange(calls, self._within, self._kept_out), belongs=tally.belongs,
            outside_seconds=outside_seconds, beeped=tally.beeped,
        )  # fmt: skip
        self._room = Room(most_calls, calls.of_company, clock.monotonic)
        self.placing = Placing(self.worker, self._house_of, calls, self._within, self._room, placed)

    async def keep(self) -> None:
        """Have a worker for as long as this goes on."""
        await self._configure()
        await self.worker.keep()

    async def configure(self) -> None:
        """Take what carriers there are from the store again."""
        self.worker.configure(await self._desk.configured())

    def changed(self) -> None:
        """There are other carriers, or no longer some."""
        if self._due:
            return
        self._due = True
        task = asyncio.ensure_future(self._configure())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def password_changed(self, username: str) -> None:
        """A telephone has another password, which the worker is told: it remembers the one before for a while."""
        if (reading := self._reading.get(username)) is not None:
            reading.changes += 1
        self.worker.tell(await self._account(username))

    async def _configure(self) -> None:
        """One reading after the other, so that the latest is what stays; until the store can be read."""
        async with self._configuring:
            self._due = False
            while True:
                try:
                    await self.configure()
                    return
                except Refusal as refusal:
                    log.error("carriers_not_read", mend="it is tried again", cause=refusal.message)
                except Exception:
                    log.exception("carriers_not_read")
                await self._sleep(AGAIN_SECONDS)

    async def close(self) -> None:
        """End all calls, and the worker. Calls for help go on for a while, and no others begin meanwhile."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await self.placing.close()
        if helping := self._house.exchange.helping:
            log.warning("stop_waits_for_help", calls=helping, seconds=HELPED_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(HELPED_SECONDS):
                    await self._house.exchange.helped()
        await self.worker.close()

    def _watch(self, event: port.Event) -> None:
        self._tally.heard(event)
        if isinstance(event, port.Ready):
            # What it was started with is as old as the latest change of a carrier: telephones have come since.
            self.changed()

    async def _heard(self, event: port.Event) -> None:
        match event:
            case port.Whois():
                self.worker.tell(await self._account(event.username))
            case port.Register():
                self.worker.tell(registered := await self._register(event))
                if registered.code == OUTDATED:
                    # The worker remembers a password that is none any more.
                    await self.password_changed(event.username)
            case port.Incoming():
                await self._begin(event)
            case _:
                pass

    async def _account(self, username: str) -> port.Account:
        reading = self._reading.setdefault(username, _Reading())
        reading.by += 1
        try:
            while True:
                changes, account = reading.changes, await self._desk.account(username)
                if changes == reading.changes:
                    return account
                # It was changed meanwhile, and the worker is told the new one before what was read.
        except Refusal as refusal:
            log.error("account_not_read", cause=refusal.message)
        except Exception:
            log.exception("account_not_read")
        finally:
            reading.by -= 1
            if not reading.by:
                del self._reading[username]
        return port.Account(username=username, sure=False)

    async def _register(self, asked: port.Register) -> port.Registered:
        try:
            return await self._desk.register(asked)
        except Refusal as refusal:
            log.error("telephone_not_registered", cause=refusal.message)
        except Exception:
            log.exception("telephone_not_registered")
        return port.Registered(id=asked.id, code=BUSY)

    async def _shown(self, origin: Origin, came: port.Incoming) -> tuple[str, str]:
        """Number and name that those who are rung see: of somebody within the company's own, never what was sent."""
        if not origin.who:
            return origin.caller, came.display
        return await self._within(origin.tenant_id, origin.who)

    async def _within(self, tenant_id: int, who: str) -> tuple[str, str]:
        """The same of somebody within the company."""
        return shown_of(await self._company(tenant_id), who)

    async def _kept_out(self, tenant_id: int, people: Collection[str]) -> str:
        """Why some of a company's people may not be connected with each other; "" if they may."""
        return transfers.kept_out(await self._company(tenant_id), people)

    async def _helps(self, origin: Origin) -> tuple[bool, Company | None]:
        """Whether somebody within a company calls for help, and if it may be so, the company as it is known.

        None if it is not known now: then what calls for help anywhere does.
        """
        call = Outgoing(0, origin.who, origin.number)
        if not outbound.helps_anywhere(call):
            return False, None
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                company = await self._company(origin.tenant_id)
        except Exception as fault:
            log.error("company_not_known", tenant_id=origin.tenant_id, cause=str(fault) or "no answer in time")
            return True, None
        return outbound.helps(company, call), company

    def _house_of(self, tenant_id: int) -> House:
        """What the calls of a company need, with its share of legs: two telephones for each call that it may have."""
        return replace(
            self._house, legs=Share(self.worker, tenant_id, 2 * self._most_calls, self._room.telephones_full)
        )

    def _let_in(self, tenant_id: int, *, crowded: bool, helps: bool) -> None:
        """Full if there is no room for a call, on the server or of its company; one for help is always let in."""
        if self._stopping and not helps:
            raise Full("The server is stopping.")
        if crowded and not helps:
            REFUSED.labels("server_full").inc()
            raise Full("The server has as many calls as it may have at once.")
        self._room.enter(tenant_id, helps=helps)

    async def _begin(self, came: port.Incoming) -> None:
        """A call: it is decided on from here on. Who hung up meanwhile has a call that was given up."""
        code = FAULTY
        try:
            origin = await self._desk.origin(came)
            helps, company = False, None
            if origin is not None and origin.who:
                helps, company = await self._helps(origin)
                if origin.recalled and not helps:
                    # The store was not waited for long, as it might have been for help.
                    origin = await self._desk.origin(came, patient=True)
            if origin is None:
                log.info(
                    "call_to_nobody", trunk=came.trunk, username=came.username, address=came.source[0],
                    dialled=came.dialled,
                )  # fmt: skip
                REFUSED.labels("nobody").inc()
                code = UNKNOWN
            elif origin.recalled and not helps:
                raise Unavailable("The store does not say whose telephone this is.")
            else:
                shown = shown_of(company, origin.who) if helps else await self._shown(origin, came)
                house = self._house_of(origin.tenant_id)
                telephone = Telephone(house, origin.tenant_id, came.leg, shown, who=origin.who, dialled=origin.number)
                self.worker.hold(came.leg, telephone.heard)
                self._let_in(origin.tenant_id, crowded=came.crowded, helps=helps)
                await self._calls.begin(origin.tenant_id, origin.first(), telephone)
                return
        except Full:
            code = BUSY
        except Refusal as refusal:
            REFUSED.labels("not_begun").inc()
            log.warning("call_refused", cause=refusal.message)
            code = BUSY
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("call_not_begun")
        self.worker.let_go(came.leg)
        self.worker.tell(port.Drop(came.leg, code))


def shown_of(company: Company | None, who: str) -> tuple[str, str]:
    """Number and name that others see of one within a company, as far as that is known."""
    person = company.people.get(who) if company is not None else None
    return (person.extension or person.caller_id or NOBODY, person.name) if person is not None else (NOBODY, "")
