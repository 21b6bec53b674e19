"""Telephones sign in with what the API gave them, and carriers are counted: the real worker, real UDP."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from offhook.access.model import Principal
from offhook.client import body_of, embedded
from offhook.kit.settings import Settings
from offhook.telephony import port
from offhook.telephony.phones.model import digests as digests_of
from offhook.telephony.process import Worker
from tests.api.conftest import runner
from tests.api.desk import Company, Desk
from tests.telephony.phones.test_phones import device, new_password
from tests.telephony.worker.peers import Peer
from tests.telephony.worker.softphone import Softphone
from tests.telephony.worker.test_registering import asked, proof, register

__all__ = ["runner"]
T = TypeVar("T")
V1 = "/api/offhook/v1"


@pytest.fixture
def company(runner: asyncio.Runner, tmp_path: Path) -> Iterator[Company]:
    """A company on a server that answers telephones at a free port, which they are told."""
    desk = Desk(runner, Settings(data=str(tmp_path / "data"), access_log=False, sip_port=0))
    answering: list[asyncio.Task[None]] = []

    async def begin() -> None:
        answering.append(asyncio.create_task(desk.offhook.telephones.keep()))
        async with asyncio.timeout(30):
            while desk.offhook.phones.server.port == 0:  # noqa: ASYNC110 - a figure, of which nobody is told
                await asyncio.sleep(0.01)

    desk.run(begin())
    yield desk.found()

    async def end() -> None:
        await desk.offhook.telephones.close()
        answering[0].cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    desk.run(end())
    desk.close()


def beside(company: Company, do: Callable[[], T]) -> T:
    """Do something that waits for the server, while that goes on."""
    return company.desk.run(asyncio.to_thread(do))


def settings_of(made: Any) -> tuple[str, str, tuple[str, int]]:
    of = made["phone"]["settings"]
    return of["username"], made["password"], (of["server"], of["port"])


def test_a_real_telephone_registers_with_what_the_api_said(company: Company):
    id = device(company)
    name, password, server = settings_of(new_password(company.live, id))
    phone = Softphone(name, password, server)
    try:
        phone.do("register")
        beside(company, lambda: phone.hear("done"))
        (contact,) = company.live.get(f"{V1}/phones/{id}").json["contacts"]
        (way,) = company.desk.run(company.desk.offhook.ways.of_device(company.tenant(), id))
        assert contact["address"] == f"{way.address[0]}:{way.address[1]}"
    finally:
        phone.close()


def test_whether_telephones_are_answered_is_told(company: Company):
    offhook = company.desk.offhook

    async def story() -> list[str]:
        assert offhook.telephones.telephony is not None
        worker, told = offhook.telephones.telephony.worker, []
        for wanted in ("before", "killed", "again"):
            if wanted == "killed":
                os.kill(worker.pid, signal.SIGKILL)
                while worker.ready.done():  # noqa: ASYNC110 - a state, of which nobody is told
                    await asyncio.sleep(0.01)
            elif wanted == "again":
                async with asyncio.timeout(30):
                    await asyncio.shield(worker.ready)
            told.append((await offhook.ready())["telephones"])
        return told

    assert company.desk.run(story()) == ["ok", "not answered at the moment: the log says why", "ok"]


def test_a_password_is_good_no_more_from_the_moment_that_there_is_another(company: Company):
    id = device(company)
    name, old, server = settings_of(new_password(company.live, id))
    phone = Peer(server)

    def signs_in(password: str, call_id: str) -> bool:
        challenge = asked(phone, name, call_id=call_id)
        answer = proof(challenge, name, password)
        phone.send(register(phone, name, answer, call_id=call_id, sequence=2))
        return phone.first().what == "200 REGISTER"

    try:
        assert beside(company, lambda: signs_in(old, "one"))
        _, new, _ = settings_of(new_password(company.live, id))
        assert company.live.get(f"{V1}/phones/{id}").json["contacts"] == []
        # The worker remembers whom it asked for, and must have been told; that goes another way than these requests.
        assert any(beside(company, partial(signs_in, new, f"new-{number}")) for number in range(100))
        assert not beside(company, lambda: signs_in(old, "two"))
    finally:
        phone.close()


def test_what_a_command_on_this_machine_changes_is_told_to_the_worker_of_the_server(
    company: Company, monkeypatch: pytest.MonkeyPatch
):
    offhook, id = company.desk.offhook, device(company)
    name, _, _ = settings_of(new_password(company.live, id))
    caller = Principal(company.tenant(), company.id, "live", 0, "offhook", frozenset({"admin"}))
    carrier = {"name": "Carrier", "country": "US", "addresses": ["198.18.0.9"]}

    async def story() -> str:
        assert offhook.telephones.telephony is not None
        worker, told = offhook.telephones.telephony.worker, asyncio.Queue[port.Command]()
        tell = worker.tell

        def noted(command: port.Command) -> None:
            told.put_nowait(command)
            tell(command)

        monkeypatch.setattr(worker, "tell", noted)
        async with embedded(offhook.settings, caller) as client:
            made = (await client.call("POST", f"{V1}/phones/{id}/new-password")).document
            await client.call("POST", f"{V1}/trunks", body=body_of(carrier))
        connected, proves = False, ""
        async with asyncio.timeout(20):
            while not (connected and proves):
                match await told.get():
                    case port.Account(username=username, digests=digests) if username == name:
                        proves = digests["MD5"]
                    case port.Configure(trunks=trunks):
                        connected = any(("198.18.0.9", 0) in one.addresses for one in trunks)
                    case _:
                        pass
        assert proves == digests_of(name, "offhook", made["password"])["MD5"]
        return proves

    assert company.desk.run(story())


def test_the_calls_of_a_carrier_are_counted():
    async def story() -> list[int]:
        async def heard(_: port.Event) -> None:
            pass

        worker, counts = Worker(("--listen", "127.0.0.1:0"), heard), []
        keeping = asyncio.create_task(worker.keep())
        await worker.ready
        worker._hear(port.Incoming(leg=1, caller="", dialled="", source=("127.0.0.1", 5060), trunk=7))
        worker._hear(port.Incoming(leg=3, caller="", dialled="", source=("127.0.0.1", 5060), username="ann"))
        worker.by_trunk(1, 7)
        leg = worker.new_leg(lambda _: None)
        worker.tell(port.Dial(leg=leg, caller=1, uri="sip:1@127.0.0.1", address=("127.0.0.1", 9), trunk=7))
        counts += [worker.on_trunk(7), worker.on_trunk(8)]
        worker._hear(port.Down(leg=1))
        counts.append(worker.on_trunk(7))
        worker.let_go(leg)
        counts.append(worker.on_trunk(7))
        await worker.close()
        await keeping
        return counts

    assert asyncio.run(story()) == [2, 0, 1, 0]
