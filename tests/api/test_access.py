"""Keys and what they open: both ways to send one, scopes, ends, environments, limits; and that no key is ever shown."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from offhook.access import store
from offhook.kit import clock, log
from offhook.kit.settings import Settings
from tests.api.desk import OFFICES, WHOLE, Answer, Api, Company, Desk, office

COMPANY = "/api/v2/company"


@pytest.fixture
def moving(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock for limits and trust that moves when told: `moving(61)`."""
    shift = [0.0]
    monkeypatch.setattr(clock, "wall", lambda: time.time() + shift[0])  # noqa: TID251 - the real one, shifted
    monkeypatch.setattr(clock, "monotonic", lambda: time.monotonic() + shift[0])

    def move(seconds: float) -> None:
        shift[0] += seconds

    return move


# How a key is sent


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_goes_into_the_authorization_header(embedded: Company, scheme: str):
    for gap in (" ", "  "):
        headers = {"authorization": f"{scheme}{gap}{embedded.live.key}"}
        assert embedded.live.get(COMPANY, headers=headers).status == 200


def test_a_key_goes_into_the_url(company: Company):
    nobody = Api(company.desk, "")
    answer = nobody.get(f"{COMPANY}?apikey={company.live.key}")
    assert answer.status == 200
    assert not answer.warnings
    assert nobody.post(f"{OFFICES}?apikey={company.live.key}", office()).status == 200
    assert nobody.get(f"{OFFICES}?cursor=&apikey={company.live.key}&limit=1").status == 200


def test_the_header_counts_when_both_are_sent(embedded: Company):
    other = embedded.desk.found()
    answer = embedded.live.get(f"{COMPANY}?apikey={other.live.key}")
    assert answer.json["id"] == str(embedded.id)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic dXNlcjpwYXNz"},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Bearer ohk_live_00000000000000000000000000000000"},
        {"authorization": b"Bearer \xff\xfe\xc3\x28"},
        {"authorization": f"Bearer {'x' * 5000}"},
    ],
)
def test_without_a_good_key_nothing_is_told(embedded: Company, headers: dict):
    nobody = Api(embedded.desk, "")
    for path in (OFFICES, f"{OFFICES}?apikey=", f"{OFFICES}/{embedded.office_ids['live']}", "/api/v2/users"):
        answer = nobody.get(path, headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.errors[0]["reason"] == "required"


def test_the_key_decides_before_the_body_is_looked_at(embedded: Company):
    nobody = Api(embedded.desk, "wrong")
    assert nobody.post(OFFICES, content=b"nonsense").status == 401
    assert nobody.post(OFFICES, content=b"x" * 2_000_000).status == 401


# Keys that end


def _same(*answers: Answer) -> None:
    bodies = {answer.response.content for answer in answers}
    headers = [{n: v for n, v in answer.headers.items() if n != "x-request-id"} for answer in answers]
    assert {answer.status for answer in answers} == {401}
    assert len(bodies) == 1
    assert all(one == headers[0] for one in headers)


def test_unknown_revoked_and_expired_keys_look_the_same(company: Company):
    desk = company.desk
    revoked, expired = company.key(), company.key(expires_at=int(clock.wall() * 1000) - 1)
    assert revoked.get(COMPANY).status == 200
    desk.transact(lambda tx: store.revoke(tx, revoked.key_id, int(clock.wall() * 1000)))  # type: ignore[attr-defined]
    desk.offhook.access.forget()
    unknown = Api(desk, revoked.key[:-1] + ("x" if revoked.key[-1] != "x" else "y"))
    _same(revoked.get(COMPANY), expired.get(COMPANY), unknown.get(COMPANY))


def test_a_key_that_was_good_ends_at_its_moment(company: Company, moving: Any):
    key = company.key(expires_at=int(clock.wall() * 1000) + 60_000)
    assert key.get(COMPANY).status == 200
    moving(59.0)
    assert key.get(COMPANY).status == 200
    moving(1.5)
    assert key.get(COMPANY).status == 401


def test_a_key_revoked_by_another_process_ends_here_within_a_second(company: Company, moving: Any):
    key = company.key()
    assert key.get(COMPANY).status == 200
    company.desk.transact(lambda tx: store.revoke(tx, key.key_id, 1))  # type: ignore[attr-defined]
    moving(1.1)
    assert key.get(COMPANY).status == 401


def test_the_callers_clock_does_not_lengthen_a_keys_life(company: Company):
    expired = company.key(environment="sandbox", expires_at=int(clock.wall() * 1000) - 1)
    assert expired.at("2020-01-01T00:00:00Z").get(COMPANY).status == 401
    good = company.key(environment="sandbox", expires_at=int(clock.wall() * 1000) + 60_000)
    assert good.at("2090-01-01T00:00:00Z").get(COMPANY).status == 200


def test_the_last_use_of_a_key_is_kept(company: Company):
    desk, key = company.desk, company.key()
    before = int(clock.wall() * 1000)

    def last_used() -> int | None:
        found = desk.transact(lambda tx: store.key(tx, company.id, key.key_id))  # type: ignore[attr-defined]
        used: int | None = found.last_used_at
        return used

    assert last_used() is None
    key.get(COMPANY)
    desk.run(desk.offhook.access.flush())
    used = last_used()
    assert used is not None
    assert before <= used <= clock.wall() * 1000


def test_a_key_is_kept_as_a_hash_only(company: Company):
    from offhook.storage.database import Statement

    secret = company.key().key
    rows = company.desk.transact(lambda tx: tx.all(Statement("SELECT * FROM api_keys")))
    assert rows
    assert not any(secret.encode() in repr(list(row)).encode() for row in rows)
    assert not any(secret[-8:] in str(value) for row in rows for value in row)


# Scopes and environments

READS = [OFFICES, f"{OFFICES}/primary", f"{OFFICES}/ID", f"{OFFICES}/ID/plan", f"{OFFICES}/ID/e911",
         f"{WHOLE}/ID", f"{WHOLE}/ID/opening-periods", f"{WHOLE}/ID/special-days"]  # fmt: skip
WRITES = [
    ("POST", OFFICES),
    ("PATCH", f"{OFFICES}/ID"),
    ("PUT", f"{OFFICES}/ID/e911"),
    ("PUT", f"{WHOLE}/ID"),
    ("DELETE", f"{WHOLE}/ID"),
    ("PUT", f"{WHOLE}/ID/special-days"),
    ("DELETE", f"{WHOLE}/ID/special-days/2026-12-24"),
    ("POST", f"{WHOLE}/ID/holidays/import"),
]


@pytest.mark.parametrize(
    ("scopes", "reads", "writes", "sees_company", "sees_events"),
    [
        (("admin",), True, True, True, True),
        (("offices:write",), True, True, False, False),
        (("offices:read",), True, False, False, False),
        (("company:read",), False, False, True, False),
        (("events:read", "company:read"), False, False, True, True),
    ],
)
def test_a_key_does_what_its_scopes_say(
    embedded: Company, scopes: tuple, reads: bool, writes: bool, sees_company: bool, sees_events: bool
):
    key, place = embedded.key(*scopes), str(embedded.office_ids["live"])

    def forbidden(method: str, path: str) -> bool:
        answer = key.send(method, path.replace("ID", place), content=b"nonsense" if method in ("POST", "PUT") else None)
        if answer.status == 403:
            assert answer.errors[0]["reason"] == "forbidden"
            assert ":" in answer.json["error"]["message"] or "admin" in answer.json["error"]["message"]
        return answer.status == 403

    assert {forbidden("GET", path) for path in READS} == {not reads}
    assert {forbidden(method, path) for method, path in WRITES} == {not writes}
    assert forbidden("GET", COMPANY) is not sees_company
    assert forbidden("GET", "/api/offhook/v1/events") is not sees_events
    # What is not built is so for every key.
    assert key.get("/api/v2/webhooks").status == 501


def test_a_live_key_always_has_the_real_time(company: Company):
    answer = company.live.at("2026-12-24T17:59:59Z").get(OFFICES)
    assert answer.status == 403
    assert company.sandbox.at("2026-12-24T17:59:59Z").get(OFFICES).status == 200


# Rate limits


def _paced(api: Api, count: int, method: str = "GET", path: str = COMPANY, **options: Any) -> list[Answer]:
    """Answers of many requests, a hundred at a time."""
    found: list[Answer] = []
    while len(found) < count:
        some = min(100, count - len(found))
        found += api.together(api.sending(method, path, **options) for _ in range(some))
    return found


def test_1200_creates_in_a_minute_are_accepted_and_the_next_is_429(
    embedded: Company, moving: Any, monkeypatch: pytest.MonkeyPatch
):
    """Requests that are refused for their body count as well; these are the cheapest."""
    monkeypatch.setattr(embedded.desk.offhook.limiter._memory, "_clock", lambda: clock.monotonic())  # type: ignore[attr-defined]
    for answer in _paced(embedded.live, 1200, "POST", OFFICES, content=b"{}"):
        assert answer.status == 400
    refused = embedded.live.create()
    assert refused.status == 429
    assert refused.errors[0]["reason"] == "rateLimitExceeded"
    assert "rate_limit_exceeded" in refused.json["error"]["message"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit-policy"] == '"default";q=1200;w=60'
    assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
    # Decided before the body is read, its type looked at, or the key's scope.
    never = embedded.live.post(OFFICES, content=b"x" * 2_000_000, headers={"content-type": "text/plain"})
    assert never.status == 429
    assert embedded.key("company:read").create().status == 429
    # Both environments of a company share the limit; other operations and companies have their own.
    assert embedded.sandbox.create().status == 429
    assert embedded.live.get(OFFICES).status == 200
    assert embedded.desk.found().live.create().status == 200
    moving(int(refused.headers["retry-after"]))
    assert embedded.live.create().status == 200


def test_a_limit_is_scaled_by_the_setting_and_never_to_nothing(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory
):
    for scale, accepted in ((0.005, 6), (0.0000001, 1)):
        data = str(tmp_path_factory.mktemp("scaled"))
        with _desk(runner, Settings(data=data, rate_limit_scale=scale, access_log=False)) as desk:
            api = desk.found().live
            assert [answer.status for answer in _paced(api, accepted + 2)] == [200] * accepted + [429] * 2
            assert api.get(COMPANY).headers["ratelimit-policy"] == f'"default";q={accepted};w=60'


def test_two_processes_over_one_redis_hold_one_limit(
    runner: asyncio.Runner, redis_url: str, tmp_path_factory: pytest.TempPathFactory
):
    data = str(tmp_path_factory.mktemp("shared"))
    settings = Settings(data=data, redis_url=redis_url, rate_limit_scale=0.01, access_log=False)
    with _desk(runner, settings) as one, _desk(runner, settings) as other:
        company = one.found()
        there = Api(other, company.live.key)
        statuses = [api.get(COMPANY).status for _ in range(8) for api in (company.live, there)]
        assert statuses == [200] * 12 + [429] * 4
        assert 1 <= int(there.get(COMPANY).headers["retry-after"]) <= 60


@contextmanager
def _desk(runner: asyncio.Runner, settings: Settings) -> Iterator[Desk]:
    desk = Desk(runner, settings)
    try:
        yield desk
    finally:
        desk.close()


# Secrets


@contextmanager
def _logging() -> Iterator[None]:
    """The server's own logging, to standard error, for a while."""
    import logging

    handlers, level = logging.root.handlers[:], logging.root.level
    before = structlog.get_config()
    log.configure("debug")
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.root.handlers[:], logging.root.level = handlers, level


def test_no_key_gets_into_a_log_or_an_answer(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, capfdbinary: pytest.CaptureFixture[bytes]
):
    settings = Settings(data=str(tmp_path_factory.mktemp("secret")))
    answers: list[Answer] = []
    with _logging(), _desk(runner, settings) as desk:
        company = desk.found()
        good, wrong = company.live.key, "ohk_live_ThisKeyIsWrongButNobodyMayReadIt00"
        for key in (good, wrong):
            nobody, bearer = Api(desk, ""), Api(desk, key)
            for path in (COMPANY, OFFICES, f"{OFFICES}/1", f"{OFFICES}/x", "/api/v2/users", "/api/v2/none", "/api/v2"):
                answers += [bearer.get(path), nobody.get(f"{path}?apikey={key}"), bearer.get(f"{path}?apikey={key}")]
                answers += [
                    nobody.get(f"{path}?apikey={key}&apikey={key}"),
                    nobody.get(f"{path}?cursor=x&apikey={key}"),
                ]
                answers += [nobody.get(f"{path}?APIKEY={key}"), nobody.get(f"{path}?limit=x&apikey={key}")]
            answers += [nobody.get(COMPANY, headers={"authorization": key}), bearer.create({}), bearer.create()]
            answers += [nobody.post(f"{OFFICES}?apikey={key}", content=b"nonsense"), bearer.delete(OFFICES)]
            answers += [bearer.create(headers={"offhook-dry-run": "x"})]
            answers += [bearer.post(OFFICES, content=b"", headers={"content-type": "x"})]
        desk.offhook.reader.run = _broken  # type: ignore[method-assign, assignment]
        answers += [company.live.get(COMPANY), Api(desk, "").get(f"{COMPANY}?apikey={good}")]
        assert answers[-1].status == 500
    written = capfdbinary.readouterr().err
    lines = [json.loads(line) for line in written.splitlines() if line]
    assert len(lines) >= len(answers)
    assert any(line.get("event") == "fault" and "exception" in line for line in lines)
    for secret in (good, wrong, good[20:], wrong[20:]):
        assert secret.encode() not in written
        for answer in answers:
            assert secret not in answer.response.text, answer
            assert secret not in str(answer.headers)
    assert any(line.get("key") and line.get("company") and line.get("operation") == "offices.list" for line in lines)


async def _broken(_function: Any) -> Any:
    raise RuntimeError("broken for this test")


def test_a_fault_of_our_own_is_500_with_a_request_id_and_no_trace(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, capfdbinary: pytest.CaptureFixture[bytes]
):
    with _logging(), _desk(runner, Settings(data=str(tmp_path_factory.mktemp("fault")))) as desk:
        company = desk.found()
        desk.offhook.reader.run = _broken  # type: ignore[method-assign, assignment]
        answer = company.live.get(COMPANY)
    assert answer.status == 500
    assert answer.errors[0]["reason"] == "backendError"
    assert "broken for this test" not in answer.response.text
    assert "Traceback" not in answer.response.text
    assert answer.headers["x-request-id"] in answer.response.text
    assert answer.headers["x-request-id"].encode() in capfdbinary.readouterr().err
