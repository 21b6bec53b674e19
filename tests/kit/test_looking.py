"""The loop of whoever looks now and then."""

import asyncio

import pytest
import structlog
from structlog.testing import capture_logs

from offhook.kit.errors import Unavailable
from offhook.kit.looking import LOOK_SECONDS, keep_looking


def test_a_look_that_fails_is_said_and_followed_by_the_next_one():
    done: list[float | str] = []
    faults: list[Exception | None] = [
        Unavailable("The store cannot be reached."),
        Unavailable("The store cannot be reached."),
        None,
        KeyError("a fault of ours"),
        None,
        Unavailable("The store cannot be reached."),
        Unavailable("The disk is full."),
    ]

    async def look() -> None:
        done.append("look")
        if (fault := faults.pop(0)) is not None:
            raise fault

    async def sleep(seconds: float) -> None:
        done.append(seconds)
        if not faults:
            raise asyncio.CancelledError

    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_looking(look, "not_read", structlog.get_logger("offhook.tests"), sleep=sleep))
    assert done == ["look", LOOK_SECONDS] * 7
    assert [(line["log_level"], line.get("cause")) for line in logs] == [
        ("warning", "The store cannot be reached."), ("error", None), ("warning", "The store cannot be reached."),
        ("warning", "The disk is full."),
    ]  # fmt: skip
    assert {line["event"] for line in logs} == {"not_read"}
    assert logs[1]["exc_info"]
