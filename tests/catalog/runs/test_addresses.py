"""Test requests reach the open internet or what is allowed, and nothing inside, however the address is dressed.

A service listens on this machine: whatever leads to it in a roundabout way would be counted there.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from offhook.kit.egress import Egress, Exchange
from offhook.kit.places import Allowed
from tests.catalog.workbench import Service, answering, serving

P = "{port}"

TRICKS = [
    # This machine, as itself
    "http://127.0.0.1:{port}/", "http://127.1.2.3:{port}/", "http://127.255.255.254:{port}/", "http://0.0.0.0:{port}/",
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://api.localhost:{port}/",
    "http://[::1]:{port}/", "http://[::]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/",
    # Other ways to write an IPv4 address
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0.0.1:{port}/", "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/", "http://0:{port}/",
    "http://127.0.0.1.:{port}/", "http://0x7f.1:{port}/", "http://127.0.0.0x1:{port}/", "http://00000177.0.0.1:{port}/",
    "http://127.000.000.001:{port}/", "http://4294967297:{port}/",
    # IPv4 within IPv6
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/", "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/", "http://[2002:7f00:0001::1]:{port}/",
    "http://[2001:0:7f00:1::1]:{port}/", "http://[::ffff:0:127.0.0.1]:{port}/", "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/",
    # Networks inside, and those that are nobody's
    "http://10.0.0.1:{port}/", "http://172.16.0.1:{port}/", "http://192.168.0.1:{port}/", "http://100.64.0.1:{port}/",
    "http://169.254.1.1:{port}/", "http://192.0.0.1:{port}/", "http://192.0.2.1:{port}/", "http://198.18.0.1:{port}/",
    "http://224.0.0.1:{port}/", "http://240.0.0.1:{port}/", "http://255.255.255.255:{port}/",
    "http://[fc00::1]:{port}/", "http://[fe80::1]:{port}/", "http://[ff02::1]:{port}/", "http://[2001:db8::1]:{port}/",
    "http://[fec0::1]:{port}/", "http://[feff::1]:{port}/", "http://[3fff:0:1::1]:{port}/",
    "http://192.88.99.1:{port}/", "http://[2002:c058:6301::1]:{port}/", "http://[::ffff:192.88.99.1]:{port}/",
    # Where clouds keep their secrets
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/", "http://100.100.100.200/latest/",
    "http://168.63.129.16/machine", "http://192.0.0.192/latest/", "http://[::ffff:169.254.169.254]/",
    "http://2852039166/latest/", "http://0xa9fea9fe/", "http://[64:ff9b::a9fe:a9fe]/", "http://169.254.170.2/v2/",
    # Names and addresses before the host, and what else hides it
    "http://example.com@127.0.0.1:{port}/", "http://127.0.0.1:{port}@127.0.0.1:{port}/", "http://me:pw@localhost:{port}/",
    "http://example.com:80@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.com/", "http:\\\\127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/", "http://127.0.0.1:{port}?@example.com/", "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://127.0.0.1\t:{port}/", "http://127.0.0.1 :{port}/",
    "http://127.0.0.1\r\nHost: x:{port}/", "http://127.0.0.1%00.example.com:{port}/", "http://%31%32%37.0.0.1:{port}/",
    # Characters that become dots, digits or letters
    "http://127。0。0。1:{port}/", "http://127.0.0．1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://ｌocalhost:{port}/",
    "http://１２７.0.0.1:{port}/", "http://loc\u00adalhost:{port}/", "http://ⓛocalhost:{port}/",
    # Ports
    "http://127.0.0.1:0{port}/", "http://127.0.0.1:+{port}/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/",
    "http://127.0.0.1:{port}:80/", "http://127.0.0.1:١٢/", "http://127.0.0.1:0/",
    # Other schemes, and sockets of this machine
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_", "ftp://127.0.0.1:{port}/", "dict://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/x", "http://unix:/var/run/docker.sock:/x",
    "ws://127.0.0.1:{port}/", "data:text/plain,x", "javascript:1", "HTTP://127.0.0.1:{port}/", "",
]  # fmt: skip


LOCAL_NAMES = [(name, "127.0.0.1") for name in ("localhost", "localhost.", "LOCALHOST", "api.localhost")]
"""What resolvers know by themselves."""

Go = Callable[[Egress, Service], Any]


def with_service(go: Go, allowed: str = "") -> Any:
    """The result of `go`, with a service that must not be reached, and how often it was."""

    async def run() -> tuple[Any, int]:
        async with serving(answering()) as service:
            egress = Egress(Allowed.read(allowed.replace(P, str(service.port))))
            try:
                return await go(egress, service), service.connections
            finally:
                await egress.close()

    return asyncio.run(run())


def test_there_are_enough_tricks():
    assert len(TRICKS) == len(set(TRICKS)) >= 60


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_leads_inside(trick: str):
    async def go(egress: Egress, service: Service) -> Exchange:
        look_up_as(*LOCAL_NAMES)
        return await egress.exchange("GET", trick.replace(P, str(service.port)), seconds=2)

    done, connections = with_service(go)
    assert done.status == 0
    assert done.error
    assert done.refused or "is not known" in done.error, done.error
    assert connections == 0


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_leads_inside_by_a_redirect(trick: str):
    async def go(egress: Egress, inside: Service) -> Exchange:
        location = trick.replace(P, str(inside.port)).replace("\r", "%0D").replace("\n", "%0A")
        # What stands in the head of an answer is one byte a character.
        there = answering(b"", f"location: {location.encode('ascii', 'replace').decode()}", status="302 Found")
        async with serving(there) as outside:
            egress = Egress(Allowed.read(f"redirects.example:{outside.port}"))
            look_up_as(("redirects.example", "127.0.0.1"), *LOCAL_NAMES)
            try:
                return await egress.exchange("GET", f"http://redirects.example:{outside.port}/", seconds=2)
            finally:
                await egress.close()

    done, connections = with_service(go)
    assert connections == 0
    # A relative address stays with who sent it, and is redirected until that is enough.
    assert done.error or (done.status == 302 and trick == ""), done


def look_up_as(*names: tuple[str, str]) -> list[str]:
    """Have the running loop know these names only, each once an entry, in their order; gives what was asked."""
    asked: list[str] = []
    left = list(names)

    async def look_up(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        for number, (name, address) in enumerate(left):
            if name == host:
                if sum(1 for one, _ in left if one == name) > 1:
                    left.pop(number)
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                return [(family, 1, 6, "", (address, port))]
        raise OSError("unknown")

    asyncio.get_running_loop().getaddrinfo = look_up  # type: ignore[method-assign, assignment]
    return asked


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254", "64:ff9b::7f00:1",
     "0.0.0.0"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(address: str):
    async def go(egress: Egress, service: Service) -> Exchange:
        look_up_as(("public.example", address))
        return await egress.exchange("GET", f"http://public.example:{service.port}/", seconds=2)

    done, connections = with_service(go)
    assert done.refused
    assert connections == 0


@pytest.mark.parametrize("name", ["localtest.me", "127.0.0.1.nip.io", "metadata.google.internal", "instance-data"])
def test_a_public_name_of_something_inside_is_not_called(name: str):
    async def go(egress: Egress, service: Service) -> Exchange:
        look_up_as((name, "127.0.0.1"))
        return await egress.exchange("GET", f"http://{name}:{service.port}/", seconds=2)

    done, connections = with_service(go)
    assert done.refused
    assert connections == 0


def test_a_name_that_answers_differently_the_second_time_is_looked_up_once():
    """The check and the connection see the same address: here one of a network for documentation, which nobody has."""

    async def go(egress: Egress, service: Service) -> tuple[Exchange, list[str]]:
        asked = look_up_as(("rebinding.example", "203.0.113.7"), ("rebinding.example", "127.0.0.1"))
        done = await egress.exchange("GET", f"http://rebinding.example:{service.port}/", seconds=0.5)
        return done, asked

    (done, asked), connections = with_service(go)
    assert asked == ["rebinding.example"]
    assert done.status == 0
    assert connections == 0


def test_each_request_of_a_rebinding_name_is_checked():
    async def go(egress: Egress, service: Service) -> list[bool]:
        look_up_as(("a.example", "10.0.0.1"), ("a.example", "127.0.0.1"), ("a.example", "::1"))
        url = f"http://a.example:{service.port}/"
        return [(await egress.exchange("GET", url, seconds=1)).refused for _ in range(3)]

    refused, connections = with_service(go)
    assert refused == [True, True, True]
    assert connections == 0


def test_what_is_allowed_is_called_and_nothing_beside_it():
    async def go(egress: Egress, service: Service) -> list[tuple[int, bool]]:
        async with serving(answering()) as other:
            asked = [f"http://127.0.0.1:{service.port}/", f"http://127.0.0.1:{other.port}/", "http://127.0.0.2:1/"]
            done = [await egress.exchange("GET", url, seconds=2) for url in asked]
            assert other.connections == 0
            return [(one.status, one.refused) for one in done]

    found, connections = with_service(go, "127.0.0.1:{port}")
    assert found == [(200, False), (0, True), (0, True)]
    assert connections == 1


def test_a_place_can_be_added_to_what_is_allowed():
    async def go(_: Egress, service: Service) -> int:
        egress = Egress(Allowed.read("10.0.0.0/8").plus(("127.0.0.1", service.port)))
        try:
            return (await egress.exchange("GET", service.url())).status
        finally:
            await egress.close()

    assert with_service(go) == (200, 1)
