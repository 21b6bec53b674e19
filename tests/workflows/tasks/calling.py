"""HTTP tasks done against web services on loopback."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec

from offhook.catalog.credentials.service import Credentials
from offhook.kit.egress import Egress
from offhook.kit.places import Allowed
from offhook.workflows.machine.model import Outcome
from offhook.workflows.tasks.http import HttpTask
from tests.catalog.workbench import Answer, Service, answering, serving

TENANT = 7
NOW = 1_800_000_000.0
SECRETS = {"KEY": "s3cr3t-word-42", "OTHER": "an0ther-word/+1"}


class Clock:
    """Stands still but for what is slept."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


async def nobody(_tenant_id: int, _name: str) -> int | None:
    """No company has a credential."""
    return None


def http_task(
    clock: Clock | None = None,
    allowed: str = "127.0.0.0/8",
    credentials: Credentials | None = None,
    secrets: dict[str, str] | None = None,
) -> HttpTask:
    """A performer with the secrets above."""
    clock = clock or Clock()
    known = SECRETS if secrets is None else secrets
    return HttpTask(
        Egress(Allowed.read(allowed)),
        credentials,  # type: ignore[arg-type]
        credentials.named if credentials is not None else nobody,
        lambda _tenant_id, name: known.get(name),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        wall=lambda: NOW,
    )


def addressed(value: Any, service: Service) -> Any:
    """`value` with HERE, in any text of it, as the address of the service."""
    return json.loads(json.dumps(value).replace("HERE", service.url("")))


def call(
    given: Any,
    answer: Answer | None = None,
    *,
    key: str = "key-1",
    template: Any = msgspec.UNSET,
    allowed: str = "127.0.0.0/8",
    secrets: dict[str, str] | None = None,
) -> tuple[Outcome, Service]:
    """Do one task at a service that answers so; what came of it, and what the service saw."""

    async def go() -> tuple[Outcome, Service]:
        async with serving(answer or answering()) as service:
            task = http_task(allowed=allowed, secrets=secrets)
            try:
                by = template if template is msgspec.UNSET else addressed(template, service)
                outcome = await task.perform(TENANT, addressed(given, service), key=key, template=by)
            finally:
                await task.egress.close()
        return outcome, service

    return asyncio.run(go())


def get(path: str = "/", **more: Any) -> dict[str, Any]:
    return {"uri": f"HERE{path}", "method": "GET", **more}


def post(path: str = "/", **more: Any) -> dict[str, Any]:
    return {"uri": f"HERE{path}", "method": "POST", **more}


def by_path(answers: Callable[[str], Answer]) -> Answer:
    """Answers by the path and query that is asked for."""

    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        await answers(head.split(" ")[1])(head, writer)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """The first answer to the first request, and so on; the last to all others."""
    left = list(answers)

    async def answer(head: str, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(head, writer)

    return answer


def header_of(head: str, name: str) -> str | None:
    """A header of a request as it came."""
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(": ")
        if key.lower() == name.lower():
            return value
    return None
