"""Puts together what answers telephones: for app.py, which hands in its own parts."""

import asyncio

import structlog

from offhook.calls.call import CompanyOf
from offhook.calls.legs.placed import Placed
from offhook.calls.session import Calls
from offhook.calls.wires import store as wires
from offhook.kit.errors import Conflict, Refusal
from offhook.kit.settings import Settings
from offhook.storage.batches import Reader, Writer
from offhook.telephony import pidf
from offhook.telephony.desk import Front
from offhook.telephony.figures import FIGURES
from offhook.telephony.following import Following
from offhook.telephony.phones.registering import Registrar
from offhook.telephony.phones.service import Phones
from offhook.telephony.service import Telephony
from offhook.telephony.sound.working import Speech
from offhook.telephony.tally import Tally
from offhook.telephony.telephone import Tapes
from offhook.telephony.trunks.service import Trunks
from offhook.telephony.ways import Ways

COUNT_SECONDS = 2.0

log = structlog.get_logger("offhook.telephony")


class Telephones:
    """Telephones and carriers, and what is heard by them. `keep` it going while serving."""

    def __init__(
        self,
        settings: Settings,
        calls: Calls,
        company: CompanyOf,
        registrar: Registrar,
        trunks: Trunks,
        ways: Ways,
        speech: Speech,
        tapes: Tapes,
        phones: Phones,
        reader: Reader,
        writer: Writer,
    ) -> None:
        self._settings, self.calls, self._company, self._ways, self._tapes = settings, calls, company, ways, tapes
        self._trunks, self._phones, self._registrar, self._reader = trunks, phones, registrar, reader
        self._writer = writer
        self.tally = Tally(lambda told: writer.submit(wires.Put(told)))
        self.registered = 0
        """How many telephones were registered when that was looked at last."""
        FIGURES.follow(self)
        self._desk = Front(registrar, trunks, ways, settings.sip_realm)
        self._speech = speech
        self.telephony: Telephony | None = None
        """What answers, once `keep` has begun, if anything does."""

    async def keep(self) -> None:
        """Answer telephones for as long as this goes on."""
        if not self._settings.sip:
            await self._speech.keep()
            return
        arguments = (
            "--listen", f"{self._settings.sip_host}:{self._settings.sip_port}",
            "--advertise", self._settings.sip_address, "--ports", self._settings.media_ports,
        )  # fmt: skip
        self.telephony = telephony = Telephony(
            self.calls,
            self._company,
            self._desk,
            self._ways,
            self._speech.sounds,
            self._tapes,
            pidf.of_call,
            arguments,
            most_calls=self._settings.calls_at_once,
            outside_seconds=60.0 * self._settings.outside_minutes,
            tally=self.tally,
            placed=Placed(self._writer, self._company),
        )
        self._trunks.changed.append(telephony.changed)
        self._phones.changed += (self._forget_account, telephony.password_changed)
        self._ways.load, self._ways.count = telephony.worker.on_trunk, telephony.worker.by_trunk

        async def password_changed(username: str) -> None:
            for told in self._phones.changed:
                await told(username)

        following = Following(self._reader, telephony.changed, password_changed)
        try:
            # Unlike a gather, this is not over before each of them is.
            async with asyncio.TaskGroup() as group:
                keeping = (self.tally.keep(), self._count_registered(), following.keep())
                for one in (self._speech.keep(), telephony.keep(), self._note_port(telephony), *keeping):
                    group.create_task(one)
        except Exception:
            # Nobody waits for this before the server stops.
            log.exception("telephones_ended", mend="no call is answered until the server is started again")
            raise

    async def _forget_account(self, username: str) -> None:
        self._registrar.forget_account(username)

    async def _note_port(self, telephony: Telephony) -> None:
        """Telephones are told the port that was free, where none was set."""
        ready = await telephony.worker.ready
        self._phones.server.port = ready.address[1]

    async def _count_registered(self) -> None:
        """For figures only: where the store is away they stay as they were."""
        while True:
            try:
                self.registered = await self._registrar.reached()
            except Refusal:
                pass
            except Exception:
                log.exception("registrations_not_counted")
            await asyncio.sleep(COUNT_SECONDS)

    @property
    def standing(self) -> str:
        """In words, whether telephones are answered now: ok, off, starting, or not."""
        if not self._settings.sip:
            return "off"
        if self.telephony is None or self.telephony.worker.starting:
            return "starting"
        answered = self.telephony.worker.ready.done()
        return "ok" if answered else "not answered at the moment: the log says why"

    # `Placing` of calls/legs/wishes.py

    @property
    def here(self) -> bool:
        """Whether this process has telephones, and they can be reached now."""
        return self.telephony is not None and self.telephony.worker.ready.done()

    async def reached(self, tenant_id: int, devices: tuple[str, ...]) -> bool:
        """Whether any of the devices is registered now, with whatever process."""
        return any([await self._ways.of_device(tenant_id, device) for device in devices])

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """Ring devices of "user:1", and dial a number once one is answered: the id of the call that will be."""
        if self.telephony is None:
            raise Conflict("This server has no telephones, so it can ring nobody.")
        return await self.telephony.placing.place(tenant_id, who, devices, number)

    def rings(self, tenant_id: int, id: int) -> bool:
        """Whether a user is still rung here for a call that was placed."""
        return self.telephony is not None and self.telephony.placing.rings(tenant_id, id)

    def give_up(self, tenant_id: int, id: int) -> bool:
        """Ring a user no more for it; False if they are not rung here."""
        return self.telephony is not None and self.telephony.placing.give_up(tenant_id, id)

    async def close(self) -> None:
        """Hang up, and end the worker."""
        if self.telephony is not None:
            await self.telephony.close()
            await self.tally.close()
