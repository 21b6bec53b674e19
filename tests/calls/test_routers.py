"""Call routers are asked over real HTTP: what the service is told, what it may say, and what becomes of its faults."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.calls.routers import MOST, asking, said
from offhook.directory.lines.model import Target
from offhook.kit.egress import Egress
from offhook.kit.places import Allowed
from offhook.routing.model import Router
from offhook.routing.people import MAX_DIGITS
from offhook.routing.plan import Ask, Ended, Gather, Hangup, HungUp, Play, Pressed, Ring, Told, Transfer, Voicemail
from offhook.routing.state import new_call
from tests.api.desk import Company
from tests.calls.scripted import ANA, BOB, CALLER, Phone, Process, lisbon
from tests.directory.people import told
from tests.directory.test_callrouters import SECRET, WHOLE, made, patched
from tests.listening import listening

T = TypeVar("T")
END: dict[str, Any] = {"action": "end"}


class Service:
    """A company's web service on loopback: gives `answers` in turn, and keeps what it was asked."""

    def __init__(self, *answers: Any, status: str = "200 OK", raw: bytes | None = None, more: str = "") -> None:
        self._answers = list(answers)
        self._status = status
        self._raw = raw
        self._more = more
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.never = False
        self.port = 0

    async def __aenter__(self) -> "Service":
        self._listening = listening(self._serve)
        self.port = await self._listening.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listening.__aexit__(None, None, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            [size] = [line.split(":")[1] for line in head.lower().splitlines() if line.startswith("content-length")]
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(int(size)))
            if self.never:
                await reader.read()
                return
            body = self._raw if self._raw is not None else json.dumps(self._answers.pop(0)).encode()
            lines = [f"HTTP/1.1 {self._status}", f"content-length: {len(body)}", "connection: close"]
            writer.write("\r\n".join([*lines, *filter(None, [self._more])]).encode() + b"\r\n\r\n" + body)
            await writer.drain()
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/route"


class Asked:
    """A router of a company whose service is on loopback, and calls that reach it."""

    def __init__(self, company: Company, service: Service, allowed: str = "127.0.0.0/8", **router: Any) -> None:
        self.company = company
        self.service = service
        self.allowed = allowed
        self.router = router

    def run(self, story: Callable[[Process, int], Awaitable[T]]) -> T:
        """A story with the process and the router's id."""
        desk = self.company.desk
        id = int(made(self.company, routing_url="http://127.0.0.1:1/route", **self.router))
        self.id = str(id)

        async def all_of_it(process: Process) -> T:
            async with self.service:
                where = self.service.url
                answer = await self.company.live.sending("PATCH", f"/api/v2/callrouters/{id}", {"routing_url": where})
                assert answer.status == 200, answer
                return await story(process, id)

        egress = Egress(Allowed.read(self.allowed))
        writer: Any = desk.offhook.writer
        ask = asking(desk.offhook.reader, writer, egress)
        router = Router(id=id, name="Decider", office_id=1, default=ANA.target)
        process = Process(self.company, router, *lisbon(ANA, BOB), ask=ask)
        try:
            return process.run(all_of_it(process))
        finally:
            desk.run(egress.close())


def calls(company: Company, service: Service, **more: Any) -> tuple[list[str], Phone, dict[str, Any]]:
    """What a call to a router comes to: kinds of verbs until nothing more is to be decided, and its trace."""

    async def story(process: Process, id: int) -> tuple[Phone, dict[str, Any]]:
        call, phone = await process.rings(Target("callrouter", id))
        last = await phone.given_any(Ring, Transfer, Hangup, Voicemail)
        if not isinstance(last, Hangup):
            process.calls.happened(call, HungUp(process.at))
        await process.calls.over(call)
        _, answer = await process.retold(call)
        return phone, answer

    phone, answer = Asked(company, service, **more).run(story)
    return [moment["text"] for moment in answer["story"]], phone, answer


def rung(phone: Phone) -> list[str]:
    return [leg.who for verb in phone.verbs if isinstance(verb, Ring) for leg in verb.legs]


# What it may say


def test_it_says_where_the_call_goes(company: Company):
    service = Service({"action": "route", "target_type": "user", "target_id": "2", "message": ["Just", "a moment."]})
    _, phone, _ = calls(company, service)
    assert rung(phone) == ["user:2"]
    assert [verb.prompt.text for verb in phone.verbs if isinstance(verb, Play)] == ["Just a moment."]
    [body] = service.bodies
    question = json.loads(body)
    assert question.pop("call_id").isdigit()
    assert question.pop("router_id").isdigit()
    assert question.pop("date_started") == 1_700_000_000_000
    assert question.pop("office_id").isdigit()
    assert question == {"external_number": CALLER, "internal_number": "", "answers": {}}
    assert "content-type: application/json" in service.heads[0].lower()


def test_it_forwards_the_call(embedded: Company):
    _, phone, _ = calls(embedded, Service({"action": "forward", "forward_to": "+14155550123"}))
    [transfer] = [verb for verb in phone.verbs if isinstance(verb, Transfer)]
    assert transfer.number == "+14155550123"


def test_it_does_not_forward_abroad_where_the_office_makes_no_such_calls(embedded: Company):
    told, phone, _ = calls(embedded, Service({"action": "forward", "forward_to": "+351912345678"}))
    assert rung(phone) == ["user:1"]
    assert any("abroad" in text for text in told)


def test_it_ends_the_call(embedded: Company):
    _, phone, answer = calls(embedded, Service({"action": "end", "message": "We have moved."}))
    assert phone.kinds == ["Answer", "Play", "Hangup"]
    assert answer["outcome"] == "message"


def test_it_has_the_caller_asked_and_is_told_the_answer(embedded: Company):
    service = Service(
        {"action": "ask", "message": ["Your customer number?"], "hint_name": "customer", "num_digits": 4},
        {"action": "route", "target_type": "user", "target_id": 1},
    )

    async def story(process: Process, id: int) -> None:
        call, phone = await process.rings(Target("callrouter", id))
        gather = await phone.given(Gather)
        assert (gather.most, gather.prompt.text) == (4, "Your customer number?")
        process.calls.happened(call, Pressed(process.at, "4711"))
        await phone.given(Ring)
        process.calls.happened(call, HungUp(process.at))
        await process.calls.over(call)
        await process.retold(call)

    Asked(embedded, service).run(story)
    assert [json.loads(body)["answers"] for body in service.bodies] == [{}, {"customer": "4711"}]


def test_with_a_secret_the_request_is_a_token_that_the_service_can_verify(embedded: Company):
    service = Service(END)
    calls(embedded, service, secret=SECRET)
    [token] = service.bodies
    head, payload, signature = token.split(b".")
    expected = hmac.new(SECRET.encode(), head + b"." + payload, hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + b"=") == expected
    assert json.loads(base64.urlsafe_b64decode(head + b"==")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(payload + b"=="))["external_number"] == CALLER
    assert b"=" not in token
    assert "content-type: application/jwt" in service.heads[0].lower()


# What goes wrong


FAULTS: dict[str, Callable[[], Service]] = {
    "no JSON": lambda: Service(raw=b"<html>Sign in</html>"),
    "nothing": lambda: Service(raw=b""),
    "not UTF-8": lambda: Service(raw=b'{"action":"end","message":"\xff"}'),
    "too deep": lambda: Service(raw=b'{"action":"end","x":' + b"[" * 50_000),
    "an unknown action": lambda: Service({"action": "explode"}),
    "no target": lambda: Service({"action": "route"}),
    "a number that is none": lambda: Service({"action": "forward", "forward_to": "call me"}),
    "a fault of its own": lambda: Service({}, status="500 Internal Server Error"),
    "too large": lambda: Service(raw=b'{"action":"end","message":"' + b"x" * MOST + b'"}'),
    "a redirect": lambda: Service(END, status="302 Found", more="location: http://127.0.0.1:9/elsewhere"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_cannot_be_used_sends_the_call_to_the_default_target_and_counts(company: Company, fault: str):
    service = FAULTS[fault]()
    asked = Asked(company, service)

    async def story(process: Process, id: int) -> list[str]:
        call, phone = await process.rings(Target("callrouter", id))
        await phone.given(Ring)
        process.calls.happened(call, HungUp(process.at))
        await process.calls.over(call)
        await process.retold(call)
        return rung(phone)

    assert asked.run(story) == ["user:1"]
    assert company.live.get(f"{WHOLE}/{asked.id}").json["recent_errors"] == 1
    assert len(service.bodies) == 1


def test_a_service_that_never_answers_is_waited_for_no_longer_than_its_time(embedded: Company):
    service = Service()
    service.never = True
    asked = Asked(embedded, service)

    async def story(process: Process, id: int) -> Told:
        verb = Ask(id, 0.05)  # type: ignore[arg-type]
        return await process.calls._parts.ask(process.tenant, 1, verb, new_call("1", 1))

    answer = asked.run(story)
    assert "no answer within 0.05 s" in answer.fault
    assert embedded.live.get(f"{WHOLE}/{asked.id}").json["recent_errors"] == 1


def test_a_caller_who_hangs_up_while_the_service_thinks_is_gone_at_once(embedded: Company):
    service = Service()
    service.never = True

    async def story(process: Process, id: int) -> Any:
        call, _ = await process.rings(Target("callrouter", id))
        while not service.bodies:
            await process.settle()
        process.calls.happened(call, HungUp(process.at))
        await process.calls.over(call)
        return (await process.retold(call))[1]["outcome"]

    assert Asked(embedded, service).run(story) == "abandoned"


@pytest.mark.parametrize("allowed", ["", "10.0.0.0/8", "127.0.0.1:1"])
def test_an_address_inside_is_not_asked_unless_the_installation_allows_it(embedded: Company, allowed: str):
    service = Service(END)
    told, phone, _ = calls(embedded, service, allowed=allowed)
    assert rung(phone) == ["user:1"]
    assert service.bodies == []
    assert any("not on the open internet" in text for text in told)


def test_more_than_ten_errors_within_an_hour_disable_a_router_until_they_are_reset(company: Company):
    service = Service(*[{"action": "explode"}] * 11, END)
    asked = Asked(company, service)

    async def story(process: Process, id: int) -> list[str]:
        faults = []
        for _ in range(12):
            answer = await process.calls._parts.ask(process.tenant, 1, Ask(id, 3), new_call("1", 1))
            faults.append(answer.fault)
        return faults

    faults = asked.run(story)
    assert len(service.bodies) == 11
    assert faults[-1] == "it is not enabled any more"
    assert company.live.get(f"/api/v2/callrouters/{asked.id}").json["enabled"] is False
    assert told(company.live, asked.id)[-1] == "callrouter.disabled"
    patched(company, asked.id, {"enabled": True, "reset_error_count": True})
    whole = company.live.get(f"{WHOLE}/{asked.id}").json
    assert (whole["recent_errors"], whole["router"]["enabled"]) == (0, True)


def test_a_store_that_cannot_count_an_error_does_not_keep_the_caller(embedded: Company):
    service = Service({"action": "explode"})

    async def story(process: Process, id: int) -> Told:
        process.store.away = True
        writer: Any = process.store
        egress = Egress(Allowed.read("127.0.0.0/8"))
        ask = asking(process.desk.offhook.reader, writer, egress)
        try:
            return await ask(process.tenant, 1, Ask(id, 3), new_call("1", 1))
        finally:
            await egress.close()

    assert Asked(embedded, service).run(story).fault.startswith("its answer cannot be read")


# Hostile services


def test_the_id_of_another_companys_target_leads_nowhere(company: Company):
    other = company.desk.found()
    foreign = {"action": "route", "target_type": "office", "target_id": str(other.office_ids["live"])}
    told, phone, answer = calls(company, Service(foreign))
    assert rung(phone) == []
    assert answer["ends_at"]["id"] != str(other.office_ids["live"])
    assert any("There is no office" in text for text in told)
    assert other.live.get("/api/offhook/v1/calls").json == {}


def test_a_service_that_asks_for_ever_is_asked_no_more(embedded: Company):
    service = Service(*[{"action": "ask", "num_digits": 10**400, "hint_name": "x"}] * 20)

    async def story(process: Process, id: int) -> None:
        call, phone = await process.rings(Target("callrouter", id))
        for _ in range(10):
            assert (await phone.given(Gather)).most == MAX_DIGITS
            process.calls.happened(call, Pressed(process.at, "1"))
        await phone.given(Ring)
        process.calls.happened(call, Ended(process.at))
        process.calls.happened(call, HungUp(process.at))
        await process.calls.over(call)
        await process.retold(call)

    Asked(embedded, service).run(story)
    assert len(service.bodies) == 11


def test_a_huge_message_is_cut(embedded: Company):
    _, phone, _ = calls(embedded, Service({"action": "end", "message": ["a\x00b \n" * 200] * 15}))
    [spoken] = [verb.prompt.text for verb in phone.verbs if isinstance(verb, Play)]
    assert len(spoken) < 2_100
    assert spoken.isprintable()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = ("action", "target_type", "target_id", "forward_to", "message", "hint_name", "num_digits")
words = st.sampled_from(["route", "forward", "ask", "end", "user", "office", "coachingteam", "unknown", "+14155550100"])
hostile = st.one_of(
    st.binary(max_size=200),
    values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(names), values | words, max_size=7).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({"action": words}, optional=dict.fromkeys(names[1:], values | words)).map(
        lambda value: json.dumps(value).encode()
    ),
)


@given(hostile, st.sampled_from([200, 204, 299, 301, 404, 500]))
def test_whatever_a_service_says_is_an_answer_or_a_fault(body: bytes, status: int):
    answer = said(status, body)
    assert bool(answer.fault) != bool(answer.action)
    assert msgspec.json.encode(answer)
    if answer.target is not None:
        assert 0 < answer.target.id < 2**63
    assert 0 <= answer.digits <= MAX_DIGITS
    assert sum(map(len, answer.message)) <= 2_000
