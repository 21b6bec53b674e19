"""The loop of whoever looks now and then at what has happened: a look that fails is said, and is not the last one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from offhook.kit.errors import Refusal

LOOK_SECONDS = 1.0
"""From the end of a look to the next one."""


async def keep_looking(
    look: Callable[[], Awaitable[object]],
    failed: str,
    log: Any,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look until cancelled. `failed` is what is logged of a look that could not be: a warning with the cause where it
    was refused (a store that is away), once until that is over or another, and a fault of ours with its trace.
    """
    told = ""
    while True:
        try:
            await look()
            told = ""
        except Refusal as refusal:
            if refusal.message != told:
                log.warning(failed, mend="it is tried again", cause=refusal.message)
            told = refusal.message
        except Exception:
            log.exception(failed)
        await sleep(LOOK_SECONDS)
