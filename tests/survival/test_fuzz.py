"""Bodies that nobody would write: random ones and good ones spoiled. Never a fault of ours, never memory that grows.

Three sources: Hypothesis, which shrinks what it finds; a spoiler of good bodies that is fast enough for a hundred
thousand; and schemathesis, which holds every operation to our own OpenAPI document.
"""

import json
import random
import re
import string
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from bench import load
from bench.bodies import Bodies
from offhook.examples import FULL, SMALL
from offhook.offices.wire import DryRun, OfficeAndPlan
from tests.survival.conftest import Say, copied
from tests.survival.process import Process

OFFICES = "/api/v2/offices"
WHOLE = "/api/offhook/v1/offices"

# What a request may get. 501 is of operations that are not built, 503 of a store that is away: neither is asked here.
ALLOWED = {200, 400, 403, 404, 405, 409, 412, 413, 415, 431}


@pytest.fixture(scope="module")
def target(in_memory: Path, founded: Process) -> Iterator[Process]:
    """The server that is shot at; at the end its log must tell of no fault. No disk is what is tested here."""
    with copied(founded, in_memory / "data") as server:
        yield server


# What every answer must be


def fits(status: int, body: bytes, sent: bytes) -> None:
    """Fail unless an answer is one that a body may get, in the form that it must have."""
    assert status in ALLOWED, f"{status} {body[:300]!r} to {sent[:3000]!r}"
    assert b"Traceback" not in body, sent[:3000]
    assert b'File "' not in body, sent[:3000]
    document = json.loads(body)
    if status == 200:
        return
    error = document["error"]
    assert error["code"] == status
    assert error["message"]
    assert error["errors"]
    for entry in error["errors"]:
        assert entry["message"], sent[:3000]
        assert entry["reason"], sent[:3000]
        assert len(entry.get("sent", "")) <= 120, sent[:3000]
        # Only a body that cannot be read at all, or is no object, has no place to name; nor has a count of the rest.
        whole = ("must be a JSON object", "are not listed")
        nowhere = entry["reason"] == "badRequest" or status != 400 or any(one in entry["message"] for one in whole)
        assert entry.get("location") or nowhere, f"{entry} to {sent[:3000]!r}"


decode_made = msgspec.json.Decoder(OfficeAndPlan).decode
decode_rehearsed = msgspec.json.Decoder(DryRun).decode


class Shots:
    """What was sent and what came of it. Pass `note` to `load.run`, and `sent` through what makes the requests."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.made: list[str] = []
        self.rehearsed: list[str] = []
        self._under_way: dict[int, bytes] = {}

    def sent(self, requests: Iterator[bytes]) -> Iterator[bytes]:
        for number, request in enumerate(requests):
            self._under_way[number] = request
            yield request

    def note(self, index: int, status: int, body: bytes) -> None:
        request = self._under_way.pop(index)
        self.answers[status] += 1
        fits(status, body, request)
        if status == 200 and request.startswith(b"POST /api/v2/offices "):
            if b"\r\noffhook-dry-run: true\r\n" in request:
                rehearsed = decode_rehearsed(body)
                assert rehearsed.dry_run is True
                self.rehearsed.append(rehearsed.office.id)
            else:
                self.made.append(decode_made(body).office.id)


def are_real(server: Process, made: list[str], rehearsed: list[str]) -> None:
    """Offices that were acknowledged are there, those of dry runs are not."""
    access = (("authorization", f"Bearer {server.key}"),)
    for ids, expected in ((made, 200), (rehearsed, 404)):
        if ids:
            requests = (load.serialise(server.url, "GET", f"{OFFICES}/{number}", headers=access) for number in ids)
            result = load.run(server.url, requests, connections=16)
            assert result.statuses == {expected: len(ids)}


# The spoiler

ODD = [
    "", " ", "\t", "\n", "a\nb", "a\r\nb", "\0", "\x1f", "\x7f", "\u0085", "\u2028", "\u200b", "\u202e", "\ufeff",
    "\ufffd", "\ufffe", "\U0001f600", "\U0010ffff", "e\u0301", "é", "İ", "ß", "ﬁ", "٣", "１２", "²", "x" * 255,
    "x" * 256, "x" * 257, "é" * 128, "\U0001f600" * 64, "x" * 5000, "null", "true", "None", "NaN", "-1", "0", "1e3",
    "0x10", "08:00", "24:00",
    "24:01", "8:00", "08:00:00", "٠٨:٠٠", "+14155550142", "+1 (415) 555-0142", "tel:+14155550142;ext=5", "+" * 60,
    "a@b", "a@b.example", "\"a b\"@example.com", "a@" + "b" * 300 + ".com", "@", "a@[127.0.0.1]", "é@exämple.com",
    "US", "us", "GB", "XX", "ZZ", "DP", "UTC", "Europe/Lisbon", "europe/lisbon", "../../etc/passwd", "Etc/GMT+12",
    "/etc/localtime", "posixrules", "'; DROP TABLE offices; --", "${jndi:ldap://x}", "{{7*7}}", "%s%n%x", "<script>",
    "PO Box 12", "P.O. BOX", "94105", "K1A 0A9", "1100-053", "CA", "California", "9" * 19, "9223372036854775808",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 9, 10, 45, 46, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, 0.0,
    -0.0, 0.5, 30.0, 1e3, 1e308, 5e-324, 1.7976931348623157e308,
]  # fmt: skip
OTHER: list[Any] = [None, True, False, [], {}, [None], [[]], [{}], {"": None}, {"action": "menu"}, ["08:00", "18:00"]]
ACTIONS = ["bridge_target", "department", "menu", "person", "scripted_ivr", "voicemail", "disabled", "extension"]
KINDS = ["office", "user", "unknown", "callcenter", "contact", "satellite"]
RAW = [
    b"", b"null", b"[]", b'""', b"0", b"{", b"}", b"{}", b"[{}]", b"{}{}", b"NaN", b'{"a":NaN}', b'{"a":Infinity}',
    b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":01}', b'{"a":1,}', b"{'a':1}", b'{"a":"\\x41"}', b'{"a":"\\ud800"}',
    b'{"\\udfff":1}', b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}', b"\xef\xbb\xbf{}",
    b"\xff\xfe{\0}\0",
    b'{"a":1,"a":2}', b'{"a":{"b":1,"\\u0062":2}}', b'{"a\\u003a":1}', b'{"a\\u003a":"\xfe"}', b"//", b"{}//",
    b'{"a":1}\0',
    b"[" * 33 + b"]" * 33, b"[" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 200_000 + b"]" * 200_000,
    b'{"a":' + b"9" * 4400 + b"}", b'{"a":0.' + b"9" * 9000 + b"}", b'{"a":1' + b"0" * 400 + b"}", b" " * 100_000,
    b'{"' + b"k" * 100_000 + b'":1}', b"{" + b",".join(b'"%d":0' % n for n in range(20_000)) + b"}",
    b'{"ring_seconds":' + b"8" * 3000 + b"}", b'{"name":' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"a":"' + b"\\u0000" * 9000 + b'"}',
]  # fmt: skip

Place = tuple[Any, Any]


def places(value: Any) -> list[Place]:
    """Every (container, key) within a value."""
    found: list[Place] = []
    waiting = [value]
    while waiting:
        here = waiting.pop()
        items: Any = here.items() if isinstance(here, dict) else enumerate(here)
        for key, inner in items:
            found.append((here, key))
            if isinstance(inner, dict | list):
                waiting.append(inner)
    return found


class Spoiler:
    """Requests with a body gone wrong in one to six ways, endless and the same for the same seed."""

    def __init__(self, server: Process, seed: int) -> None:
        self._dice = random.Random(seed)
        self._bodies = Bodies(seed)
        self._server = server
        self._own = str(server.company.office_id) if server.company else "1"
        self._number = 0
        self.targets: list[tuple[str, str, Callable[[], Any]]] = [
            ("POST", OFFICES, self._office),
            ("PUT", f"{WHOLE}/{self._own}", self._office),
            ("PATCH", f"{OFFICES}/{self._own}", self._week),
            ("PUT", f"{OFFICES}/{self._own}/e911", self._address),
            ("PUT", f"{WHOLE}/{self._own}/special-days", self._days),
            ("POST", f"{WHOLE}/{self._own}/holidays/import", self._holidays),
            ("POST", f"{WHOLE}/import", self._office),
            ("DELETE", f"{WHOLE}/{self._own}", dict),
        ]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.request()

    def request(self) -> bytes:
        dice = self._dice
        # Creating is what is fuzzed most; the other operations that read a body get their share.
        method, path, base = self.targets[0] if dice.random() < 0.75 else dice.choice(self.targets)
        headers = [("authorization", f"Bearer {self._server.key}")]
        if dice.random() < 0.5:
            headers.append(("offhook-dry-run", "true"))
        if dice.random() < 0.3:
            keys = [str(uuid.UUID(int=dice.getrandbits(128))), "again", "k" * 255, "k" * 256, "\x01", "a b", "~"]
            headers.append(("idempotency-key", dice.choice(keys)))
        if dice.random() < 0.05:
            odd = dice.choice(["if-match", "offhook-clock", "offhook-dry-run", "x-request-id", "traceparent"])
            headers.append((odd, dice.choice(['"1"', "*", 'W/"2"', "-1", "2026-12-24T17:59:59Z", "x" * 300, "9" * 30])))
        if dice.random() < 0.02:
            path += "?" + dice.choice(["a=b", "limit=x", "apikey=", "a=%ff", "a=%00&a=", "&&&", "x" * 500])
        body = self._body(base)
        if len(body) > 1024 * 1024 - 1 or not body:
            body = body[: 1024 * 1024] or b" "
        request = load.serialise(self._server.url, method, path, body, headers)
        if path.startswith(f"{WHOLE}/import"):
            # As it is, or cut up into lines: JSON lines that are none, CSV without a table.
            lines = self._body(base).replace(b", ", b"\n", dice.randrange(3)) if dice.random() < 0.5 else body
            request = load.serialise(self._server.url, method, path, lines + b"\n" + body, headers)
            kind = dice.choice([b"application/x-ndjson", b"text/csv", b"application/x-ndjson; charset=latin-1"])
            request = request.replace(b"content-type: application/json\r\n", b"content-type: %b\r\n" % kind, 1)
        return request

    def _body(self, base: Callable[[], Any]) -> bytes:
        dice = self._dice
        chance = dice.random()
        if chance < 0.03:
            return dice.choice(RAW)
        if chance < 0.05:
            return dice.randbytes(dice.choice([1, 2, 10, 100, 3000]))
        value = base()
        for _ in range(dice.choice([0, 1, 1, 1, 2, 2, 3, 6])):
            self._spoil(value)
        text = json.dumps(value, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
        return self._spoil_text(text) if dice.random() < 0.15 else text

    def _spoil(self, value: Any) -> None:
        dice = self._dice
        found = places(value)
        if not 0 < len(found) < 1000:  # a body that has grown this far is spoiled enough
            return
        where, key = dice.choice(found)
        what = dice.randrange(12)
        if what == 0 and isinstance(where, dict):
            del where[key]
        elif what == 1:
            other, other_key = dice.choice(found)
            where[key], other[other_key] = deepcopy(other[other_key]), deepcopy(where[key])
        elif what == 2 and isinstance(where, dict):
            where[dice.choice([key.upper(), key + " ", key[:-1], "\0" + key, "x" * 300, "ключ"])] = where.pop(key)
        elif what == 3 and isinstance(where, list):
            where.extend(deepcopy(where) * dice.choice([1, 2, 40]))
        elif what == 4:
            where[key] = [where[key]]
        elif what == 5:
            where[key] = {dice.choice(["value", "id", ""]): where[key]}
        elif what == 6:
            where[key] = str(where[key])
        elif what == 7:
            where[key] = dice.choice(NUMBERS)
        elif what == 8:
            where[key] = deepcopy(dice.choice(OTHER))
        elif what == 9 and isinstance(where[key], str):
            where[key] = self._spoil_word(where[key])
        elif what == 10 and isinstance(where, dict):
            where[dice.choice(["action", "action_target_type", "action_target_id", "input", "dtmf"])] = dice.choice(
                [*ACTIONS, *KINDS, *NUMBERS, self._own]
            )
        elif what == 11 and dice.random() < 0.05:
            where[key] = self._deep(dice.choice([10, 31, 32, 33, 300]))
        else:
            where[key] = dice.choice(ODD)

    def _spoil_word(self, word: str) -> str:
        dice = self._dice
        at = dice.randrange(len(word) + 1)
        return dice.choice(
            [
                word.upper(),
                word.lower(),
                word * dice.choice([2, 30]),
                word[:at],
                word[::-1],
                f" {word}\t",
                word[:at] + dice.choice(ODD) + word[at:],
                "".join(dice.choice(string.printable) for _ in word),
                "".join(chr(dice.choice([dice.randrange(1, 0xD800), dice.randrange(0xE000, 0x110000)])) for _ in word),
            ]
        )

    def _spoil_text(self, text: bytes) -> bytes:
        dice = self._dice
        at = dice.randrange(len(text))
        return dice.choice(
            [
                text[:at],
                text[at:],
                text[:at] + dice.randbytes(1) + text[at + 1 :],
                text[:at] + dice.randbytes(3) + text[at:],
                text + text,
                text.replace(b"}", b',"name":"twice"}', 1),
                text.replace(b'"', b"'"),
                text.replace(b": ", b":\n\t "),
                text.replace(b"a", b"\\u0061"),
                text.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass"),
                b"\xef\xbb\xbf" + text,
                text.replace(b"true", b"NaN"),
            ]
        )

    @staticmethod
    def _deep(levels: int) -> Any:
        value: Any = 1
        for level in range(levels):
            value = [value] if level % 2 else {"a": value}
        return value

    def _office(self) -> dict[str, Any]:
        self._number += 1
        kind = self._dice.random()
        return self._bodies.office(self._number) if kind < 0.6 else deepcopy(FULL if kind < 0.85 else SMALL)

    def _week(self) -> dict[str, Any]:
        return {name: value for name, value in deepcopy(FULL).items() if "hours" in name}

    def _address(self) -> dict[str, Any]:
        return {**FULL["e911_address"], "update_all": True, "use_validated_option": False}

    def _days(self) -> dict[str, Any]:
        date = f"{self._dice.randrange(2024, 2030)}-12-{self._dice.randrange(1, 32):02}"
        return {"days": [{"date": date, "kind": "holiday", "name": "Day", "hours": ["10:00", "14:00"]}]}

    def _holidays(self) -> dict[str, Any]:
        return {"country": "US", "region": "CA", "years": [2026], "language": "en_US", "hours": []}


def shoot(server: Process, shots: Shots, number: int, seed: int) -> None:
    """That many spoiled requests on 16 connections; every answer is looked at."""
    result = load.run(
        server.url,
        shots.sent(iter(Spoiler(server, seed))),
        connections=16,
        count=number,
        timeout=20,
        on_answer=shots.note,
    )
    assert result.lost + result.timed_out + result.unreadable == 0, result.summary()
    assert result.answered == number


def bombard(server: Process, number: int, seed: int, may_grow: float, say: Say) -> None:
    """`number` spoiled requests; after a third of them, which fills the caches, memory may grow by `may_grow` MiB."""
    shots, since = Shots(), server.log.stat().st_size
    memory = []
    for part in range(3):
        shoot(server, shots, number // 3, seed + part)
        memory.append(server.memory_mib()["now"])
    say(f"{shots.answers.total()} spoiled bodies: {dict(sorted(shots.answers.items()))}, {memory=} MiB")
    assert memory[-1] - memory[0] < may_grow, f"memory grows: {memory} MiB"
    # Spoiled and yet accepted, spoiled and refused: both must have come up, or the spoiler is no good.
    assert shots.answers[200] > number / 20
    assert shots.answers[400] > number / 4
    dice = random.Random(seed)
    are_real(server, dice.sample(shots.made, 50), dice.sample(shots.rehearsed, 50))
    check_log(server, since)


def check_log(server: Process, since: int) -> None:
    """No fault, no stack trace and no key in what was logged since the log had that many bytes."""
    said = server.log.read_bytes()[since:].decode()
    assert "Traceback" not in said, re.findall(r".*Traceback.*", said)[:3]
    assert '"level":"error"' not in said, re.findall(r'.*"level":"error".*', said)[:3]
    assert server.key not in said


@pytest.mark.brief
def test_spoiled_bodies_get_an_answer_each_and_leave_no_mark(target: Process, say: Say) -> None:
    bombard(target, 3000, 1, may_grow=32, say=say)


@pytest.mark.long
def test_ninety_thousand_spoiled_bodies_get_an_answer_each_and_leave_no_mark(target: Process, say: Say) -> None:
    bombard(target, 90_000, 2, may_grow=64, say=say)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 49, 50, 51, 52, 95, 96, 97, 400, 401, 3000])
def test_lists_of_any_length_with_a_fault_at_their_end_are_refused_in_form(target: Process, size: int) -> None:
    since = target.log.stat().st_size
    hours, keys = ["08:00"] * size, [{"input": "1", "options": {"action": "operator"}}] * size
    own = f"{WHOLE}/{target.ask('GET', f'{OFFICES}/primary').json['id']}"
    day = {"date": "2026-12-24", "name": "Day"}
    wrongs: list[Any] = ["25:00", 8, None, {}, [[]], "x" * 5000]
    for wrong in wrongs:
        for method, path, body in (
            ("POST", OFFICES, {**FULL, "monday_hours": [*hours, wrong]}),
            ("POST", OFFICES, placed(FULL, [*keys, wrong])),
            ("POST", OFFICES, placed(FULL, [*keys, {"input": wrong}])),
            ("PATCH", f"{OFFICES}/{target.company.office_id}", {"friday_hours": [*hours, wrong]}),  # type: ignore[union-attr]
            ("PUT", f"{own}/special-days", {"days": [*[day] * size, wrong]}),
            ("PUT", f"{own}/special-days", {"days": [*[day] * size, {**day, "hours": [*hours[:200], wrong]}]}),
            ("POST", f"{own}/holidays/import", {"years": [*[2026] * size, wrong], "hours": [*hours, wrong]}),
        ):
            answer = target.ask(method, path, body, {"Offhook-Dry-Run": "true"})
            fits(answer.status, answer.body, json.dumps(body)[:300].encode())
    check_log(target, since)


def placed(body: dict[str, Any], keys: list[Any]) -> dict[str, Any]:
    """`body` with another menu."""
    changed = deepcopy(body)
    changed["routing_options"]["open"]["dtmf"] = keys
    return changed


# Hypothesis


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(ODD),
    st.sampled_from(NUMBERS),
)
# Made once: to make one anew for each value that is drawn takes longer than to draw it.
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
)
LEAVES = sorted({str(key) for _, key in places(FULL) if isinstance(key, str)})


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A good body with a few of its values replaced by anything at all."""
    value = deepcopy(draw(st.sampled_from([FULL, SMALL])))
    for _ in range(draw(st.integers(1, 3))):
        found = places(value)
        where, key = found[draw(st.integers(0, len(found) - 1))]
        where[key] = draw(DOCUMENTS)
    return json.dumps(value).encode()


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def bodies() -> st.SearchStrategy[bytes]:
    return st.one_of(
        changed(),
        changed(),
        st.dictionaries(st.sampled_from(LEAVES), DOCUMENTS, max_size=12).map(written),
        DOCUMENTS.map(written),
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    )


def hypothesise(server: Process, number: int, say: Say) -> None:
    """That many bodies by Hypothesis, one at a time on one connection, half of them as dry runs."""
    shots, since = Shots(), server.log.stat().st_size
    access = [("authorization", f"Bearer {server.key}")]
    with ExitStack() as open_ones:
        wire = open_ones.enter_context(Wire(server))

        @settings(
            max_examples=number,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        )
        @given(bodies(), st.booleans())
        def answered(body: bytes, dry: bool) -> None:
            headers = [*access, ("offhook-dry-run", "true")] if dry else access
            request = load.serialise(server.url, "POST", OFFICES, body or b" ", headers)
            status, answer = wire.exchange(request)
            next(shots.sent(iter([request])))
            shots.note(0, status, answer)

        answered()
    say(f"{shots.answers.total()} bodies by Hypothesis: {dict(sorted(shots.answers.items()))}")
    are_real(server, shots.made[:200], shots.rehearsed[:50])
    check_log(server, since)


class Wire:
    """One connection, opened anew whenever the server has closed it."""

    def __init__(self, server: Process) -> None:
        self._server = server
        self._open: load._Connection | None = None

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open.socket.close()
            self._open = None

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._open is None:
            self._open = load._Connection(load.address_of(self._server.url), 10.0)
            self._open.socket.settimeout(20)
        self._open.socket.sendall(request)
        data = b""
        while (read := load.read_answer(data)) is None:
            more = self._open.socket.recv(65536)
            assert more, f"the server hung up: {request[:3000]!r}"
            data += more
        status, start, end, closes = read
        if closes:
            self._close()
        return status, data[start:end]


@pytest.mark.brief
def test_what_hypothesis_thinks_of_gets_an_answer_each(target: Process, say: Say) -> None:
    hypothesise(target, 200, say)


@pytest.mark.long
def test_ten_thousand_bodies_that_hypothesis_thinks_of_get_an_answer_each(target: Process, say: Say) -> None:
    hypothesise(target, 10_000, say)


# schemathesis


def hold_to_document(server: Process, total: int, say: Say, *, part: int = 0, parts: int = 1) -> None:
    """Call every operation of /openapi.json with data that fit its schema and data that do not, `total` times in all.

    Of several `parts` each takes its share of the operations and of the calls.

    Two of the checks are left out: what the schema allows may break a rule that no schema can say (a number in use, a
    cursor that was never given), and what it forbids is at times read all the same (an empty header is an absent one).
    """
    since = server.log.stat().st_size
    load_all_checks()
    left_out = CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    # All that a stream of events says at once is one event; without calls nothing follows, for as long as one listens.
    schema.config.max_stream_events = 1
    assert server.company is not None
    # A sandbox key, since Offhook-Clock is refused to others.
    key = server.company.sandbox_key
    own_id = server.ask("GET", f"{OFFICES}/primary", key=key).json["id"]
    problems: dict[str, str] = {}
    answers: Counter[str] = Counter()
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    each = max(2, total // (2 * len(operations)))
    mine = list(enumerate(operations))[part::parts]
    # One session: a connection is used again, and the machine is not asked for proxies each time.
    session = requests.Session()
    session.trust_env = False
    for number, operation in mine:
        for mode in schemathesis.GenerationMode:

            @seed(number)
            @settings(
                max_examples=each,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            )
            @given(operation.as_strategy(generation_mode=mode), st.booleans())
            def conforms(case: Any, own: bool) -> None:
                if own:
                    # Otherwise hardly any request would find its office.
                    case.path_parameters.update(dict.fromkeys(case.path_parameters.keys() & IDS, own_id))
                response = case.call(headers={"Authorization": f"Bearer {key}"}, session=session)
                answers[f"{case.method} {response.status_code}"] += 1
                try:
                    case.validate_response(response, excluded_checks=left_out, transport_kwargs={"session": session})
                except FailureGroup as group:
                    for failure in group.exceptions:
                        place = f"{case.method} {case.path}: {type(failure).__name__}"
                        problems.setdefault(place, f"{failure}\n{case.as_curl_command()}\n{response.text[:500]}")

            try:
                conforms()
            except Unsatisfiable:
                assert mode is schemathesis.GenerationMode.NEGATIVE, operation.label
                assert operation.label in NEVER_WRONG
    session.close()
    say(f"{len(mine)} operations, {answers.total()} requests by schemathesis: {dict(sorted(answers.items()))}")
    assert not problems, "\n\n".join(f"{place}\n{text}" for place, text in problems.items())
    assert any(name.endswith(" 200") for name in answers)
    check_log(server, since)


IDS = {"id", "office_id"}

NEVER_WRONG = {"GET /api/offhook/v1/sounds/{link}"}
"""Operations that take nothing but a free text in their path, so that no request of theirs breaks the schema."""


@pytest.mark.brief
def test_every_operation_answers_as_the_document_says(target: Process, say: Say) -> None:
    hold_to_document(target, 0, say)


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_every_operation_answers_as_the_document_says_at_length(target: Process, say: Say, part: int) -> None:
    # In all as many requests, however many operations there come to be; in parts, for workers to share.
    hold_to_document(target, 20_000, say, part=part, parts=4)
