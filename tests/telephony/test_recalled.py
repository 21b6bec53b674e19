"""What is remembered of the store's answers, and for how much of it."""

import asyncio
from collections.abc import Awaitable

import pytest
from structlog.testing import capture_logs

from offhook.kit.errors import Unavailable
from offhook.telephony.recalled import Recalled


async def said(value: str | None) -> str | None:
    return value


async def away() -> str | None:
    raise Unavailable("The store is away.")


async def broken() -> str | None:
    raise OSError("the disk is gone")


async def hanging() -> str | None:
    return await asyncio.get_running_loop().create_future()


def asked(kept: Recalled[str, str], key: str, looking: Awaitable[str | None]) -> tuple[str | None, bool]:
    async def ask() -> tuple[str | None, bool]:
        return await kept.ask(key, looking, 0.01)

    return asyncio.run(ask())


def test_what_the_store_said_last_is_told_whatever_it_fails_with() -> None:
    kept: Recalled[str, str] = Recalled("thing", 10)
    assert asked(kept, "a", said("one")) == ("one", True)
    assert asked(kept, "a", said("two")) == ("two", True)
    with capture_logs() as logs:
        for fault in (away, broken, hanging):
            assert asked(kept, "a", fault()) == ("two", False)
    assert [(one["event"], one["cause"]) for one in logs] == [
        ("store_not_read", "The store is away."), ("store_not_read", "the disk is gone"),
        ("store_not_read", "no answer in time"),
    ]  # fmt: skip


def test_of_what_was_never_told_the_fault_is() -> None:
    kept: Recalled[str, str] = Recalled("thing", 10)
    with pytest.raises(Unavailable, match="away"):
        asked(kept, "a", away())
    with pytest.raises(OSError, match="disk"):
        asked(kept, "a", broken())
    with pytest.raises(Unavailable, match="in time"):
        asked(kept, "a", hanging())


def test_what_is_no_more_is_not_remembered() -> None:
    kept: Recalled[str, str] = Recalled("thing", 10)
    for forget in (lambda: asked(kept, "a", said(None)), lambda: kept.forget("a")):
        asked(kept, "a", said("one"))
        forget()
        with pytest.raises(Unavailable):
            asked(kept, "a", away())


def test_so_many_are_remembered_and_the_oldest_goes() -> None:
    kept: Recalled[str, str] = Recalled("thing", 2)
    for key in ("a", "b", "a", "c"):
        kept.note(key, key)
    assert len(kept) == 2
    assert asked(kept, "a", away()) == ("a", False)
    with pytest.raises(Unavailable):
        asked(kept, "b", away())
