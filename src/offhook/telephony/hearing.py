"""What those hear who wait: ringback or music, for ever, on one leg of a call at a time.

Ours is there at once. A recording of the company's may have to be made first, which nobody is rung later for.
"""

import asyncio
from collections.abc import Callable

from offhook.routing.plan import Hear
from offhook.telephony import port
from offhook.telephony.house import House


class Hearing:
    """For one call. `token` gives the number of the next thing that is played in it."""

    def __init__(self, house: House, tenant_id: int, token: Callable[[], int]) -> None:
        self._house, self._tenant_id, self._token = house, tenant_id, token
        self._fetching: asyncio.Task[None] | None = None

    def begin(self, leg: int, hear: Hear, *, country: str = "", music: str = "") -> None:
        """Let a leg hear it in place of whatever it hears; `music` is the digest of a recording, "" for ours."""
        self.end()
        if hear == "hold_music" and music:
            self._fetching = asyncio.create_task(self._fetch(leg, music))
        else:
            self._play(leg, self._house.sounds.of_waiting(hear, country))

    def end(self) -> None:
        """What was not there yet is not to be heard any more."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    async def _fetch(self, leg: int, music: str) -> None:
        self._play(leg, await self._house.sounds.of_hold(self._tenant_id, music))

    def _play(self, leg: int, files: tuple[str, ...]) -> None:
        self._house.legs.tell(port.Play(leg=leg, token=self._token(), files=files, times=0))
