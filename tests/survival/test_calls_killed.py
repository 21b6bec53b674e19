"""The server is killed while two talk: both are let go, their telephones stay registered, and the record says lost."""

import asyncio
import contextlib
import secrets
import time
from typing import Any

import pytest

from tests.survival.conftest import Start
from tests.survival.process import Process
from tests.telephony.faults.stage import Line, Phone, within
from tests.telephony.scenarios.people import free_port

V1, V2 = "/api/offhook/v1", "/api/v2"
LOST_SECONDS = 100.0
"""In which a call of a killed server ends in its record: its lease of 60 s, and the next looks of who is there."""

COMPANY: dict[str, Any] = {
    "version": 1,
    "users": {
        f"{name}@example.com": {"office": "Head office", "first_name": name, "extension": number, "devices": ["Desk"]}
        for name, number in (("ann", "101"), ("bob", "102"))
    },
}


def ask(server: Process, method: str, path: str, body: object = None) -> Any:
    assert server.company is not None
    answer = server.ask(method, path, body, key=server.company.sandbox_key)
    assert answer.status == 200, answer
    return answer.json


async def furnished(server: Process, port: int) -> list[Phone]:
    """Two people with telephones, registered."""
    await asyncio.to_thread(ask, server, "POST", f"{V1}/configuration/apply", {"document": COMPANY})
    users = (await asyncio.to_thread(ask, server, "GET", f"{V2}/users"))["items"]
    of = {one["id"]: one["emails"][0] for one in users}
    found: dict[str, Phone] = {}
    for phone in (await asyncio.to_thread(ask, server, "GET", f"{V1}/phones"))["items"]:
        made = await asyncio.to_thread(ask, server, "POST", f"{V1}/phones/{phone['id']}/new-password", {})
        one = Phone(
            ("127.0.0.1", port), 1_400 + 100 * len(found), made["phone"]["settings"]["username"], made["password"]
        )
        found[of.get(phone["owner_id"], "")] = one
        await answered(one)
        await one.register()
    phones = [found[f"{name}@example.com"] for name in ("ann", "bob")]
    for phone in phones:
        phone.voices = {str(one.pitch): float(one.pitch) for one in phones}
    return phones


async def answered(phone: Phone) -> None:
    """Wait until there is a worker, which begins later than the server is ready: whoever asks before is not heard."""
    while True:
        try:
            async with asyncio.timeout(0.5):
                await phone._ask(secrets.token_hex(8), 1, "", "", (), method="OPTIONS")
        except TimeoutError:
            continue
        return


def none_under_way(server: Process, seconds: float) -> None:
    """Wait until no call is under way, as the server tells it to who watches."""
    assert server.company is not None
    told = server.events(f"{V1}/calls/live/events?seconds={int(seconds)}", key=server.company.sandbox_key)
    with contextlib.closing(told):
        for name, live in told:
            assert name == "calls", "It has ended, and not the calls."
            if not live["items"]:
                return
    raise AssertionError("Nobody tells any more.")


async def talk(caller: Phone, number: str, callee: Phone) -> tuple[Line, Line]:
    one = caller.calls_number(number)
    other = await callee.called()
    other.answer()
    await within(one.up, other.up)
    await asyncio.gather(one.hears(other.voice), other.hears(one.voice))
    return one, other


@pytest.mark.long
def test_a_killed_servers_calls_are_over_and_the_next_one_takes_calls(start: Start) -> None:
    port = free_port()
    server = start(settings={"sip": "true", "sip_port": port, "speech": "none"})

    async def story() -> None:
        ann, bob = phones = await furnished(server, port)
        try:
            one, other = await talk(ann, "102", bob)
            await asyncio.to_thread(server.kill)
            killed = time.monotonic()
            await within(one.down, other.down)
            await asyncio.to_thread(server.start)
            for each in phones:
                each.forget()
            await answered(ann)
            # Of who was in the call nobody knows yet that they are free: the caller comes to their voicemail.
            three = ann.calls_number("102")
            await three.hears_anything()
            three.hang_up()
            await within(three.down)
            await asyncio.to_thread(none_under_way, server, LOST_SECONDS - (time.monotonic() - killed))
            calls = (await asyncio.to_thread(ask, server, "GET", f"{V1}/calls"))["items"]
            assert [one["outcome"] for one in calls] == ["no_message", "lost"]
            # Who was in it is free.
            five, six = await talk(ann, "102", bob)
            five.hang_up()
            await within(six.down)
        finally:
            for each in phones:
                each.close()

    asyncio.run(story())
    assert not server.faults()
