"""Carriers and passwords that somebody else changed over the same store: a command on this machine, another server.

Of what this server changed itself it has told its worker already; it is told once more, which changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from offhook.events import store as events
from offhook.events.model import Word
from offhook.kit.looking import keep_looking
from offhook.storage.batches import Reader

MOST_EVENTS = 500
"""At one look; what is beyond is seen at the next."""

_OF_CARRIERS = (Word.TRUNK_CREATED, Word.TRUNK_UPDATED, Word.TRUNK_DELETED)
_WORDS = (*_OF_CARRIERS, Word.PHONE_PASSWORD_CHANGED)

log = structlog.get_logger("offhook.telephony")


class _Told(msgspec.Struct):
    """What is read of an event: whose password it is."""

    username: str = ""


_told = msgspec.json.Decoder(_Told).decode


class Following:
    """Looks at what has happened in all companies. `carriers` is told that there may be others, `password` of whom."""

    def __init__(
        self,
        reader: Reader,
        carriers: Callable[[], None],
        password: Callable[[str], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._reader, self._carriers, self._password, self._sleep = reader, carriers, password, sleep
        self._seen: int | None = None

    async def keep(self) -> None:
        """Go on until cancelled."""
        await keep_looking(self.look, "changes_not_read", log, sleep=self._sleep)

    async def look(self) -> None:
        """Tell of what has happened since the last look; the first one tells of carriers, which were read before it."""
        seen = self._seen
        if seen is None:
            last = await self._reader.run(events.last_of_all)
            self._carriers()
        else:
            last, rows = await self._reader.run(lambda tx: events.of_words(tx, _WORDS, seen, MOST_EVENTS))
            if any(word in _OF_CARRIERS for word, _ in rows):
                self._carriers()
            usernames = [_told(after).username for word, after in rows if word == Word.PHONE_PASSWORD_CHANGED]
            for username in dict.fromkeys(usernames):
                await self._password(username)
        self._seen = last
