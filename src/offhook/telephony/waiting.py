"""Waiting for the first of several things, and ending those that nobody waits for any more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Sleep = Callable[[float], Awaitable[None]]


async def within(sleep: Sleep, seconds: float, *tasks: "asyncio.Future[Any]") -> None:
    """Until one of the tasks is done, or for so many seconds; the tasks go on."""
    timer = asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait({*tasks, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await given_up(timer)


async def given_up(*tasks: "asyncio.Future[Any]") -> None:
    """End what nobody waits for any more, and let it tidy up."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
