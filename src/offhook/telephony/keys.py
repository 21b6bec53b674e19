"""Keys that were pressed on the caller's telephone, until somebody asks for them."""

import asyncio

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

    def forget(self) -> None:
        """What was pressed so far was meant for nothing that follows."""
        self._enough = False
        while not self._pressed.empty():
            self._pressed.get_nowait()
