"""Scripts in their own process: what they give, what they are told, and that nothing hostile is more than an error."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from offhook.workflows.expressions import sandbox
from offhook.workflows.expressions.scripts import ScriptError, Scripts

NOW = 1_700_000_000_000
TENANT, OTHER = 1, 2


def run(work):
    """What `work(scripts)` gives, with two processes that have 0.4 s for a script instead of 4."""

    async def all_of_it():
        scripts = Scripts(seconds=0.4)
        try:
            return await work(scripts)
        finally:
            await scripts.close()

    return asyncio.run(all_of_it())


def javascript(script, bindings=None, seed=1):
    return run(lambda scripts: scripts.javascript(TENANT, script, bindings or {}, now_ms=NOW, seed=seed))


def jq(query, value=None, **more):
    return run(lambda scripts: scripts.jq(TENANT, query, value, **more))


async def _told(scripts, op, source, value=None):
    how = {} if op == "jq" else {"now_ms": NOW, "seed": 1}
    try:
        return await getattr(scripts, op)(TENANT, source, value if value is not None else {}, **how)
    except ScriptError as error:
        return error


def test_javascript_gives_json():
    cases = [
        ("$.value > 3", True),
        ("(function () { return $.value + $.list.length; })();", 7),
        ("function e() { return {a: $.list} } e();", {"a": [1, 2]}),
        ("undefined", None),
        ("", None),
        ("[NaN, 1/0, -0, 1.5]", [None, None, 0, 1.5]),
        ("new Date()", "2023-11-14T22:13:20.000Z"),
        ("[Date.now(), new Date().getTime(), +new Date(5)]", [NOW, NOW, 5]),
        ("new Date() instanceof Date && new Date().constructor === Date", True),
        ("new Date(2020, 0, 1).getTimezoneOffset()", 0),
        (r"'\ud83d\ude00 \ud800'", "\N{GRINNING FACE} \N{REPLACEMENT CHARACTER}"),
        (r"'\\ud800'", r"\ud800"),
        ("$.item__1.output", "x"),
        ("console.log(1)", None),
    ]
    bindings = {"value": 5, "list": [1, 2], "item__1": {"output": "x"}}

    async def work(scripts):
        return [await scripts.javascript(TENANT, script, bindings, now_ms=NOW, seed=1) for script, _ in cases]

    assert run(work) == [expected for _, expected in cases]


def test_chance_follows_from_the_seed():
    script = "[Math.random(), Math.random()]"
    first = javascript(script, seed=7)
    assert first == javascript(script, seed=7)
    assert first != javascript(script, seed=8)
    assert all(0 <= one < 1 for one in first)
    assert first[0] != first[1]


@pytest.mark.parametrize(
    ("op", "source", "words"),
    [
        ("javascript", "1 +\n a b", "SyntaxError: expecting ';' (line 2)"),
        ("javascript", "\n\nfoo()", "It threw (line 3): ReferenceError: foo is not defined"),
        ("javascript", "throw new Error('no money')", "It threw (line 1): Error: no money"),
        ("javascript", "10n", "The script gives a BigInt, which JSON has not."),
        ("javascript", "[10n]", "BigInt"),
        ("javascript", "let a = []; a[0] = a; a", "circular"),
        ("javascript", "(function () {})", "The script gives a function; call it."),
        ("javascript", "(async () => 1)()", "The script gives a promise; a script cannot wait."),
        ("javascript", "'x'.repeat(2e6)", "larger than the 1,000,000 bytes"),
        ("javascript", "new ArrayBuffer(1e8).byteLength", "more memory than it may (64 MB)"),
        ("jq", '"x" * 300000000 | length', "more memory than it may (256 MB)"),
        ("jq", ".a |", "unexpected end of file"),
        ("jq", "foo", "foo/0 is not defined at line 1, column 1"),
        ("jq", '"it" | error', "it"),
        ("jq", "1) | (2", "syntax error"),
        ("jq", '[range(11000) | "0123456789" * 10]', "larger than the 1,000,000 bytes"),
        ("jsonata", "a +", "Unexpected end"),
    ],
)
def test_faults_are_told_in_words(op, source, words):
    told = run(lambda scripts: _told(scripts, op, source))
    assert isinstance(told, ScriptError)
    assert words in told.message


def test_jq_gives_all_results():
    value = {"a": [{"n": 1}, {"n": 2}]}
    assert jq(".a[].n", value) == [1, 2]
    assert jq("[.a[] | select(.n > 1)]", value) == [[{"n": 2}]]
    assert jq("empty", value) == []
    assert jq("nan, infinite", value)[0] is None
    assert jq("def f: .a; f | length # how many", value) == [2]
    assert jq("path(..)", {"a": 1}) == [[], ["a"]]
    assert jq("now", 0, now_ms=5_000) == [5]


def test_jsonata_is_bounded_by_its_process():
    async def work(scripts):
        data = {"swf:item": {"m": "a b"}, "b": "x" * 100_000}
        assert await _told(scripts, "jsonata", "$encodeUrl(`swf:item`.m)", data) == "a%20b"
        assert await _told(scripts, "jsonata", "$now()", data) == "2023-11-14T22:13:20.000Z"
        assert await _told(scripts, "jsonata", "nothing", data) is None
        told = [await _told(scripts, "jsonata", source, data) for source in ('$replace(b, "x", b)', "[1..10000000]")]
        assert all(isinstance(one, ScriptError) for one in told), told
        return True

    assert run(work)


HOSTILE = [
    ("javascript", "while (true) {}"),
    ("javascript", "let a = []; while (1) a.push('x'.repeat(1000) + a.length)"),
    ("javascript", "(function f() { return f() + 1 })()"),
    ("javascript", "/(a+)+$/.test('a'.repeat(40) + 'b')"),
    ("javascript", "new Array(1e9).join('x').length"),
    ("javascript", "new ArrayBuffer(1e9)"),
    ("javascript", "({ get a() { while (1) {} } })"),
    ("javascript", "new Proxy({}, { ownKeys() { throw new Error('p') } })"),
    ("javascript", "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a"),
    ("javascript", "let a = []; for (let i = 0; i < 1500; i++) a = [a]; a"),
    ("javascript", "throw null"),
    ("javascript", "throw { get message() { while (1) {} }, get stack() { while (1) {} } }"),
    ("javascript", "import('fs')"),
    ("javascript", "import * as os from 'os'"),
    ("javascript", "std.open('/etc/passwd', 'r')"),
    ("javascript", "os.exec(['true'])"),
    ("javascript", "require('fs')"),
    ("javascript", "process.exit()"),
    ("javascript", "performance.now()"),
    ("javascript", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"),
    ("javascript", "fetch('http://localhost')"),
    ("jq", "[range(1e9)]"),
    ("jq", "def f: 1 + f; f"),
    ("jq", "def f: f; f"),
    ("jq", "reduce range(1e6) as $i (0; [.])"),
    ("jq", '"x" * 1000000000'),
    ("jq", "repeat(1)"),
    ("jq", 'reduce range(30) as $i ("x"; . + .)'),
    ("jq", 'import "a" as a; .'),
    ("jq", 'import "/etc/passwd" as $a; .'),
    ("jq", 'include "a"; .'),
    ("jq", "input"),
    ("jq", "[inputs]"),
    ("jq", "now"),
    ("jq", "halt"),
    ("jq", '"bye" | halt_error(1)'),
    ("jq", "$__prog_args"),
    ("jq", "input_line_number"),
]


def kept_waiting() -> float:
    """Seconds in which this thread could have gone on, but other processes had the machine."""
    return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9


def test_nothing_hostile_is_more_than_an_error_and_the_loop_goes_on():
    """All of it at once, and a script of somebody else after it; the longest gap of the loop is bounded."""

    async def work(scripts):
        gaps = []

        async def watch():
            last, waited = time.monotonic(), kept_waiting()
            while True:
                await asyncio.sleep(0.002)
                gaps.append(time.monotonic() - last - 0.002 - (kept_waiting() - waited))
                last, waited = time.monotonic(), kept_waiting()

        watching = asyncio.create_task(watch())
        told = await asyncio.gather(*(_told(scripts, op, source) for op, source in HOSTILE))
        watching.cancel()
        return told, max(gaps), await scripts.javascript(TENANT, "1 + 1", {}, now_ms=NOW, seed=1)

    told, gap, after = run(work)
    assert [case for case, one in zip(HOSTILE, told, strict=True) if not isinstance(one, ScriptError)] == []
    assert after == 2
    assert gap < 0.25


@pytest.mark.parametrize(
    ("op", "source", "harmless"),
    [
        ("javascript", "JSON.stringify = () => '[1'; 5", 5),
        ("javascript", "JSON = null; globalThis.eval = null; Object.defineProperty = null; ({a: 1})", {"a": 1}),
        ("javascript", "Object.prototype.toJSON = () => 'mine'; ({})", "mine"),
        ("javascript", "Promise = null; Object.prototype[Symbol.hasInstance] = 1; 1", 1),
        ("javascript", "this.constructor.constructor('return typeof process')()", "undefined"),
        ("javascript", "Object.keys(globalThis).filter(n => !/^(print|console|\\$)$/.test(n))", []),
        ("javascript", r"'\u0000'", "\0"),
        ("jq", "env", [{}]),
        ("jq", "$ENV", [{}]),
        ("jq", '"a b" | @sh', ["'a b'"]),
        ("jq", "input_filename, debug, stderr", [None, {}, {}]),
        ("jq", "get_search_list", [[]]),
        ("jq", "first(repeat(1))", [1]),
    ],
)  # fmt: skip
def test_games_reach_nothing(op, source, harmless):
    assert run(lambda scripts: _told(scripts, op, source)) == harmless


def test_nothing_of_one_script_is_left_for_the_next():
    async def work(scripts):
        await scripts.javascript(
            TENANT, "globalThis.left = 1; Array.prototype.map = null; Object.prototype.x = 1", {}, now_ms=0, seed=0
        )
        return await scripts.javascript(TENANT, "[typeof left, typeof [].map, typeof ({}).x]", {}, now_ms=0, seed=0)

    assert run(work) == ["undefined", "function", "undefined"]


def test_a_script_that_is_cancelled_leaves_no_process_behind():
    async def work(scripts):
        await scripts.javascript(TENANT, "1", {}, now_ms=0, seed=0)
        (child,) = scripts._all
        endless = asyncio.create_task(scripts.javascript(TENANT, "while (1) {}", {}, now_ms=0, seed=0))
        await asyncio.sleep(0.02)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        await asyncio.gather(*scripts._endings)
        assert child.process.returncode is not None
        assert not scripts._all
        return await scripts.javascript(TENANT, "2", {}, now_ms=0, seed=0)

    assert run(work) == 2


def test_a_process_that_was_killed_is_replaced():
    async def work(scripts):
        await scripts.javascript(TENANT, "1", {}, now_ms=0, seed=0)
        (child,) = scripts._all
        child.process.kill()
        child.process.wait()
        return await scripts.javascript(TENANT, "2", {}, now_ms=0, seed=0)

    assert run(work) == 2


def test_a_process_is_replaced_after_many_uses():
    async def work():
        scripts = Scripts(1, uses=3)
        seen = set()
        for number in range(7):
            await scripts.javascript(TENANT, "1", {}, now_ms=number, seed=0)
            seen |= {child.process.pid for child in scripts._all}
        await scripts.close()
        return seen

    assert len(asyncio.run(work())) in (2, 3)


def test_no_more_processes_than_are_allowed():
    async def work(scripts):
        most = 0

        async def one(number):
            nonlocal most
            found = await scripts.javascript(TENANT, "$.n * 2", {"n": number}, now_ms=0, seed=0)
            most = max(most, len(scripts._all))
            return found

        found = await asyncio.gather(*(one(number) for number in range(40)))
        assert most <= 2
        return found

    assert run(work) == [number * 2 for number in range(40)]


def test_the_process_can_open_nothing():
    """Bound as it is bound for scripts, the process itself cannot open a file or a socket, and has no environment."""
    here = Path(sandbox.__file__).parent
    program = f"""
import sys
sys.path.insert(0, {str(here)!r})
import sandbox, os, socket
sandbox.bind()
for work in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: open("/tmp/x", "w")):
    try:
        work()
    except OSError:
        continue
    os._exit(7)
os._exit(0 if not os.environ else 8)
"""

    async def work():
        import sys

        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=dict(os.environ))
        return await process.wait()

    assert asyncio.run(work()) == 0


def test_what_is_too_large_or_no_json_is_refused_before_it_is_sent():
    async def work(scripts):
        told = [
            await _told(scripts, "jq", ".", "x" * 11_000_000),
            await _told(scripts, "jq", "." + " " * 100_000),
            await _told(scripts, "jq", ".", {"a": object()}),
        ]
        assert not scripts._all
        return [one.message for one in told]

    large, long, odd = run(work)
    assert "10,485,760" in large
    assert "100,000" in long
    assert "not JSON" in odd


def test_a_closed_one_takes_no_more():
    async def work():
        scripts = Scripts()
        await scripts.javascript(TENANT, "1", {}, now_ms=0, seed=0)
        (child,) = scripts._all
        await scripts.close()
        assert child.process.returncode is not None
        with pytest.raises(ScriptError, match="stopped"):
            await scripts.javascript(TENANT, "1", {}, now_ms=0, seed=0)

    asyncio.run(work())


def test_jq_passes_numbers_on_with_all_their_digits():
    records = [{"id": 9007199254740993, "n": 3.0}, {"id": -(2**63)}, {"id": 12345678901234567890123}]
    assert jq(".[].id", records) == [9007199254740993, -(2**63), 12345678901234567890123]
    assert jq("map(select(.n == 3))[0]", records) == [{"id": 9007199254740993, "n": 3}]
    assert jq("., . + 1, . / 2", 3.0) == [3, 4, 1.5]
    assert jq("infinite, nan, 1e1000") == [1.7976931348623157e308, None, 1.7976931348623157e308]


def test_scripts_are_read_without_being_run():
    cases = [
        ("js", "function ( {", "function name expected (line 1)"),
        ("js", "1;\n\nlet x = ;", "(line 3)"),
        ("js", "while (true) {}", None),
        ("js", "throw new Error('no')", None),
        ("js", "'x'; let a = 1; a", None),
        ("js", "return 3", "return not in a function"),
        ("js", "})(); (", "unexpected token"),
        ("js", "(" * 50_000, "nested too deeply"),
        ("js", "x" * 100_001, "100,001 characters"),
        ("jq", ".a |", "syntax error"),
        ("jq", 'error("no")', None),
        ("jsonata", "$$$bad(", "Expected"),
        ("jsonata", "$error('no')", None),
    ]
    found = run(lambda scripts: scripts.syntax(TENANT, [(op, source) for op, source, _ in cases]))
    assert len(found) == len(cases)
    for (_, source, said), fault in zip(cases, found, strict=True):
        assert (fault is None) if said is None else (fault is not None and said in fault), (source[:30], fault)


def test_reading_many_scripts_ends_within_the_time_of_one():
    slow = [("jq", f"def f: {' + '.join(str(number) for number in range(one, one + 300))}; f") for one in range(3_000)]
    with pytest.raises(ScriptError, match="longer than"):
        run(lambda scripts: scripts.syntax(TENANT, slow))


def test_no_scripts_need_no_process():
    async def work(scripts):
        assert await scripts.syntax(TENANT, []) == []
        return len(scripts._all)

    assert run(work) == 0


# Between companies


ENDLESS = [
    ("javascript", "while (true) {}"),
    ("jq", "last(range(1e12))"),
]


@pytest.mark.parametrize(("op", "source"), ENDLESS, ids=lambda one: one)
def test_scripts_that_never_end_keep_no_other_company_waiting(op, source):
    async def story():
        scripts = Scripts(seconds=60)
        how = {} if op == "jq" else {"now_ms": NOW, "seed": 1}
        try:
            await scripts.javascript(OTHER, "1", {}, now_ms=NOW, seed=1)
            many = [asyncio.create_task(getattr(scripts, op)(TENANT, source, {}, **how)) for _ in range(12)]
            await asyncio.sleep(0)
            for number in range(5):
                told = await scripts.javascript(OTHER, "$.n * 2", {"n": number}, now_ms=NOW, seed=1)
                assert told == number * 2
            assert not any(one.done() for one in many), "while all of them go on or wait"
            for one in many:
                one.cancel()
            await asyncio.wait(many)
            assert await scripts.javascript(TENANT, "2", {}, now_ms=NOW, seed=1) == 2
        finally:
            await scripts.close()

    asyncio.run(asyncio.wait_for(story(), 30))
