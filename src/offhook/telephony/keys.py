"""Keys that were pressed on the caller's telephone, until somebody asks for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from offhook.telephony.waiting import Sleep, given_up, within

MOST = 100
"""Keys that are pressed before they are asked for; further ones are for nobody."""


class Keys:
    """Of one call."""

    def __init__(self) -> None:
        self._pressed: asyncio.Queue[str] = asyncio.Queue(MOST)
        self._enough = False

    def __len__(self) -> int:
        return self._pressed.qsize()

    def press(self, key: str) -> None:
        """One more."""
        if not self._pressed.full():
            self._pressed.put_nowait(key)

    async def any(self) -> str:
        """The next one, whatever it is."""
        return await self._pressed.get()

    async def next(self) -> str:
        """The next one that says something: the `#` behind keys that were `enough` without it ends nothing any more."""
        key = await self._pressed.get()
        if key == "#" and self._enough:
            self._enough = False
            key = await self._pressed.get()
        self._enough = False
        return key

    def enough(self) -> None:
        """There were as many as may be asked for; a `#` may come all the same."""
        self._enough = True

    async def gather(self, most: int, seconds: float, prompt: Coroutine[Any, Any, None], sleep: Sleep) -> str:
        """What is pressed: `most` keys, or those before a `#` where there may be several, or as many as came in time.

        Keys interrupt the prompt; the time for them runs from its end, and from each key. What was pressed before is
        taken first, as simulations have it.
        """
        playing, pressing = asyncio.ensure_future(prompt), asyncio.ensure_future(self.next())
        keys = ""
        try:
            await asyncio.wait({playing, pressing}, return_when=asyncio.FIRST_COMPLETED)
            if not pressing.done():
                await within(sleep, seconds, pressing)
            while pressing.done():
                key = pressing.result()
                if key == "#" and most > 1:
                    break
                keys += key
                if len(keys) >= most:
                    if most > 1:
                        self.enough()
                    break
                pressing = asyncio.ensure_future(self.next())
                await within(sleep, seconds, pressing)
        finally:
            await given_up(playing, pressing)
        return keys

    def forget(self) -> None:
        """What was pressed so far was meant for nothing that follows."""
        self._enough = False
        while not self._pressed.empty():
            self._pressed.get_nowait()
