"""docs/algorithms/retries.md: its tables are what the code comes to."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from offhook.kit.egress import Exchange
from offhook.workflows.definitions.model import Policy
from offhook.workflows.machine import controls
from offhook.workflows.machine.retries import MOST_DELAY, delay_ms
from offhook.workflows.runs.carrying import AT_ONCE
from offhook.workflows.tasks.answers import LONGEST_MS, after_ms
from offhook.workflows.tasks.http import REDIRECTS
from tests.catalog.workbench import Answer, answering, never
from tests.docs.tables import page, quoted, rows, section
from tests.workflows.machine.play import BEGUN, Play, task
from tests.workflows.tasks.calling import call, get, post

PAGE = "algorithms/retries.md"
NOON = 1_795_694_400.0
"""12:00:00 GMT on 26 November 2026."""

SEEDS = range(3000)


# Which failures


def _status(status: str) -> Answer:
    return answering(b"", status=f"{status} X")


def _sent_on(status: str, to: str) -> Answer:
    return answering(b"", f"Location: {to}", status=f"{status} X")


async def _breaks_off(_head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")


async def _no_http(_head: str, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.com ESMTP\r\n")


ELSEWHERE = "http://localhost:1/"
SECRET = {"secret": "${workflow.secrets.KEY}"}
NEXT = answering(json.dumps({"next": ELSEWHERE, "items": []}).encode())
PAGES = {"kind": "next_url", "next": "$.next", "items": "$.items"}

Case = tuple[dict[str, Any], Answer | None]
CASES: dict[str, list[Case]] = {
    "an answer of `200`, `201`, `204`": [(get(), _status(one)) for one in ("200", "201", "204")],
    "an answer whose status `acceptedStatusCodes` has": [(get(acceptedStatusCodes=["4xx"]), _status("404"))],
    "an answer whose status `finalStatusCodes` has, and `acceptedStatusCodes` has not": [
        (get(finalStatusCodes=["4xx"], acceptedStatusCodes=[404]), _status("400"))
    ],
    "any other: `302` that is not followed, `400`, `401`, `404`, `429`, `500`, `503`": [
        (get(followRedirects=False), _sent_on("302", "/")),
        *((get(), _status(one)) for one in ("400", "401", "404", "429", "500", "503")),
    ],
    "no connection": [({"uri": "http://127.0.0.1:1/", "method": "GET"}, None)],
    "no answer in time": [(get(connectionTimeOut=150, readTimeOut=150), never)],
    "an answer that breaks off, or is none of HTTP": [(get(), _breaks_off), (get(), _no_http)],
    "more than five redirects": [(get(), _sent_on("302", "/again"))],
    "an address that may not be called from here, or a redirect to one": [
        ({"uri": "http://10.0.0.1/", "method": "GET"}, None),
        (get(), _sent_on("302", "http://10.0.0.1/")),
    ],
    "a redirect or a next page elsewhere, for which what is sent is not meant": [
        (post(body=SECRET), _sent_on("307", ELSEWHERE)),
        (get(pagination=PAGES), NEXT),
    ],
    "an answer of more than `maxBytes`": [(get(maxBytes=3), answering(b'"long"'))],
    "an input that makes no request, as `uri` came to null": [({"uri": None, "method": "GET"}, None)],
    "a secret or a credential that is not there": [
        (get(headers={"X": "${workflow.secrets.NONE}"}), None),
        (get(credential="none"), None),
    ],
}


@pytest.fixture(scope="module")
def failures() -> dict[str, str]:
    return {row[0]: quoted(row[1])[0] for row in rows(section(PAGE, "Which failures"))}


def test_every_failure_of_the_page_is_tried(failures: dict[str, str]) -> None:
    assert list(failures) == list(CASES)


@pytest.mark.parametrize(
    ("what", "case"), [(what, case) for what, cases in CASES.items() for case in cases], ids=lambda one: str(one)[:40]
)
def test_an_attempt_ends_as_the_page_says(failures: dict[str, str], what: str, case: Case) -> None:
    given, answer = case
    outcome, _ = call(given, answer, template=given)
    assert outcome.status == failures[what], outcome


# How long until the next attempt


def _policy(cell: str) -> Policy:
    return msgspec.convert(json.loads(quoted(cell)[0]), Policy)


def _spread(policy: Policy, retry: int, after: int = 0) -> str:
    """The delay before the next attempt as the page has it, from the delays of many attempts."""
    found = [delay_ms(policy, retry, seed=seed, after_ms=after) for seed in SEEDS]
    least, most = min(found), max(found)
    jitter = policy.backoff_jitter_ms
    if not jitter:
        assert least == most
        return f"{least / 1000:g}" if least < 1_000_000 else f"{least // 1000}"
    # All of the spread is used, and used evenly.
    assert most - least >= jitter * 0.99
    assert abs(sum(found) / len(found) - (least + most) / 2) < jitter * 0.05
    return f"{round(least / 1000, 1):g} to {round(most / 1000, 1):g}"


DELAYS = rows(section(PAGE, "How long until the next attempt"), 1)
ASKED = rows(section(PAGE, "Retry-After"))


@pytest.mark.parametrize("row", DELAYS, ids=lambda row: row[0])
def test_delays_are_those_of_the_page(row: list[str]) -> None:
    assert ", ".join(_spread(_policy(row[0]), retry) for retry in range(5)) == row[1]


@pytest.mark.parametrize("row", ASKED, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_target_that_asks_to_be_left_alone_is(row: list[str]) -> None:
    done = Exchange("http://a/", status=503, headers=(("Retry-After", quoted(row[1])[0]),))
    assert _spread(_policy(row[0]), 0, after_ms(done, NOON)) == row[2]


# What a policy comes to

STORIES = rows(section(PAGE, "Time limits"), 1)


def _target(what: str) -> Iterator[tuple[str, int | None]]:
    """How each attempt ends and after how many milliseconds, None for never."""
    words = re.fullmatch(r"(fails|answers|never answers|fails for good)(?: after (\d+) s)?(?:, then (answers))?", what)
    assert words is not None, what
    status = {"fails": "FAILED", "answers": "COMPLETED", "fails for good": "FAILED_WITH_TERMINAL_ERROR"}
    first = (status.get(words[1], ""), None if words[1] == "never answers" else int(words[2] or 0) * 1000)
    yield first
    while True:
        yield (status[words[3]], 0) if words[3] else first


def _played(policy: dict[str, Any], what: str) -> tuple[list[float], str, float, int]:
    """When attempts begin, how the run ends and when (seconds), and how many alerts there were."""
    play = Play(task("a", taskDefinition={"name": "a", **policy}))
    ways, begun, alerts = _target(what), [], 0
    attempt, status, end = 0, "", None
    while not play.run.over:
        if play.waiting and play.at("a").id != attempt:
            attempt = play.at("a").id
            status, after = next(ways)
            end = None if after is None else play.now + after
            begun.append((play.now - BEGUN) / 1000)
            controls.began(play.state, attempt, play.now)
            play.go()
        play.now = min(moment for moment in (play.turn.due, end) if moment)
        if play.now == end:
            end = None
            play.end("a", status=status)
        else:
            play.go()
        alerts += len(play.turn.alerts)
    return begun, play.status, (play.now - BEGUN) / 1000, alerts


@pytest.mark.parametrize("row", STORIES, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_policy_comes_to_what_the_page_says(row: list[str]) -> None:
    policy = json.loads(quoted(row[0])[0])
    begun, status, ended, alerts = _played(policy, row[1])
    assert (", ".join(f"{one:g}" for one in begun), f"`{status}` at {ended:g}") == (row[2], row[3])
    assert alerts == (policy.get("timeoutPolicy") == "ALERT_ONLY")


def test_what_a_policy_leaves_out_is_as_the_page_says() -> None:
    assert (Policy().retry_count, Policy().retry_delay_seconds, Policy().response_timeout_seconds) == (3, 60, 3600)
    alone = Play({**task("a"), "retryCount": 1})
    alone.fail("a")
    assert alone.turn.due == BEGUN + 60_000
    once = Play(task("a"))
    once.fail("a")
    assert once.status == "FAILED"


def test_figures_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(page(PAGE).split())
    says: dict[str, Callable[[], bool]] = {
        "at most 2^31 - 1 s": lambda: MOST_DELAY == 2**31 - 1,
        "More than a day counts as a day": lambda: LONGEST_MS == 86_400_000,
        "more than five redirects": lambda: REDIRECTS == 5,
        f"one of the {AT_ONCE} places": lambda: True,
    }
    for words, holds in says.items():
        assert words in text, words
        assert holds(), words
