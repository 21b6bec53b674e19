"""Puts together what a server needs so that callers hear something."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from offhook.directory.prompts import store as prompts
from offhook.kit.settings import BadSettings, Settings
from offhook.routing.model import Company
from offhook.storage.batches import Reader
from offhook.telephony.sound.engines import Engine, engine_of
from offhook.telephony.sound.sounds import Sounds
from offhook.telephony.sound.warming import Warming

log = structlog.get_logger("offhook.telephony")


class Speech:
    """The sounds of all companies, and what makes them before they are needed. `keep` it going while serving."""

    def __init__(self, settings: Settings, reader: Reader, company: Callable[[int], Awaitable[Company]]) -> None:
        async def recording(tenant_id: int, digest: str) -> bytes | None:
            return await reader.run(lambda tx: prompts.wav(tx, tenant_id, digest))

        self.company = company
        self.sounds = Sounds(
            Path(settings.data) / "sounds",
            recording,
            engine=_engine(settings),
            most=settings.sounds_megabytes * 1024 * 1024,
        )
        self.warming = Warming(reader, company, self.sounds)

    async def keep(self) -> None:
        """Make what is ours, and then whatever changes."""
        await self.sounds.start()
        await self.warming.keep()

    async def close(self) -> None:
        """End what is under way."""
        await self.sounds.close()


def _engine(settings: Settings) -> Engine | None:
    try:
        return engine_of(settings)
    except BadSettings as refusal:
        # A server does not start so; a command that answers no call goes on.
        log.error("prompts_not_spoken", cause=refusal.message)
        return None
