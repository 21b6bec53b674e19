"""The program that evaluates the scripts of definitions: JavaScript, jq and JSONata.

It runs in a process of its own (docs/decisions/0024), because engines are native code that runs strangers' programs.
Before the first one it gives up what it does not need: memory beyond a bound, files, sockets, further processes, the
environment. It must import nothing of Offhook, so that it starts quickly.

Standard input and output speak frames: four bytes of length, big-endian, then the content. A request is two frames: its
head as JSON (`op` js, jq or jsonata; `source`; `now` in milliseconds or null; `seed`; `most`, in bytes) and the value
that the source is about, as JSON. The op syntax reads scripts without running them: its value is a list of pairs, op
and source, its result the fault of each, null for none. An answer is one frame: a letter, then UTF-8: V and the result
as JSON, F and the fault in words, or X and the fault if the process is spent and ends.
"""

import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, BinaryIO

SECONDS = 4.0
"""How long one script may take, of processor here, of wall time for who waits."""
MEMORY = 256 * 1024 * 1024
"""How much address space this process may have, engines and interpreter together."""
JS_MEMORY = 64 * 1024 * 1024
RESULTS = 100_000
"""How many results a jq query may give."""

VALUE, FAULT, SPENT = b"V", b"F", b"X"

_FILES = 3
_SHOWN = 400


class Fault(Exception):
    """Why there is no result, in words for who wrote the script."""


TOO_LONG = f"It took longer than the {SECONDS:.0f} s that it may."
TOO_MUCH = "It took more memory than it may"


def too_large(most: int) -> Fault:
    """The fault of a result that is longer than `most` bytes."""
    return Fault(f"Its result is larger than the {most:,} bytes that it may have.")


# JavaScript

_PRELUDE = r"""
(function () {
  'use strict';
  const evaluate = eval, text = JSON.stringify, Moment = Date, construct = Reflect.construct, imul = Math.imul;
  const define = Object.defineProperty, world = globalThis, Pending = Promise, Wrong = TypeError, string = String;
  for (const name of ['performance', 'SharedArrayBuffer', 'Atomics']) delete world[name];
  return function (request) {
    const now = request.now, source = request.source;
    function Clock(...given) {
      if (new.target === undefined) return construct(Moment, [now]).toString();
      return construct(Moment, given.length === 0 ? [now] : given, new.target);
    }
    Clock.prototype = Moment.prototype;
    define(Clock, 'name', { value: 'Date' });
    define(Clock, 'length', { value: 7 });
    define(Clock.prototype, 'constructor', { value: Clock, writable: true, configurable: true });
    for (const [name, value] of [['now', () => now], ['parse', Moment.parse], ['UTC', Moment.UTC]])
      define(Clock, name, { value, writable: true, configurable: true });
    define(world, 'Date', { value: Clock, writable: true, configurable: true });
    let state = (request.seed % 4294967296) ^ (request.seed / 4294967296);
    const bits = () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = imul(state ^ (state >>> 15), 1 | state);
      t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (t ^ (t >>> 14)) >>> 0;
    };
    define(Math, 'random', { value: () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992,
                             writable: true, configurable: true });
    const quiet = () => undefined;
    world.print = quiet;
    world.console = { log: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
    world.$ = request.value;
    const value = evaluate(source);
    if (typeof value === 'function') throw new Wrong('the script gives a function; call it');
    if (typeof value === 'bigint') throw new Wrong('the script gives a BigInt, which JSON has not');
    if (typeof value === 'object' && value !== null && value instanceof Pending)
      throw new Wrong('the script gives a promise; a script cannot wait');
    const result = text(value);
    return result === undefined ? 'null' : result;
  };
})()
"""

_PLACE = re.compile(r"<input>:(\d+)")
_ESCAPE = re.compile(r"\\(\\|u[dD][89a-fA-F][0-9a-fA-F]{2})")
_OUT_OF_MEMORY = ("InternalError: out of memory", "InternalError: string too long", "RangeError: invalid array")
_OURS = "TypeError: the script"


def javascript(source: str, value: str, now: int, seed: int, most: int) -> bytes:
    """What the script leaves, as JSON; `$` is the value. Every script has an engine of its own, made for it."""
    import _quickjs  # type: ignore[import-not-found]

    context = _quickjs.Context()
    context.set_memory_limit(JS_MEMORY)
    context.set_time_limit(SECONDS)
    request = f'{{"source":{json.dumps(source)},"now":{now},"seed":{seed},"value":{value}}}'
    try:
        result = context.eval(_PRELUDE)(context.parse_json(request))
    except _quickjs.StackOverflow:
        raise Fault("Its calls are nested too deeply; look for a recursion without end.") from None
    except _quickjs.JSException as thrown:
        raise _thrown(str(thrown)) from None
    if not isinstance(result, str):
        raise Fault("It gives no JSON.")
    if len(result) > most:
        raise too_large(most)
    return _ESCAPE.sub(_whole, result).encode() if "\\u" in result else result.encode()


def _whole(escape: re.Match[str]) -> str:
    """Half of a surrogate pair, which UTF-8 has not, is replaced; an escaped backslash stays."""
    return escape[0] if escape[1] == "\\" else "\N{REPLACEMENT CHARACTER}"


def _thrown(said: str) -> Fault:
    first, *stack = said.rstrip().split("\n")
    if first == "InternalError: interrupted":
        return Fault(TOO_LONG)
    if first in ("null", "undefined"):
        return Fault(f"It threw {first}, or took more memory than the {JS_MEMORY // 1024**2} MB that it may.")
    if first.startswith(_OUT_OF_MEMORY):
        return Fault(f"{TOO_MUCH} ({JS_MEMORY // 1024**2} MB).")
    if first.startswith(_OURS):
        return Fault(f"The script{first.removeprefix(_OURS)}.")
    place = _PLACE.search("\n".join(stack[:-1]))  # the last one is where our own function called it
    where = f" (line {place[1]})" if place else ""
    return Fault(f"{_short(first)}{where}" if first.startswith("SyntaxError") else f"It threw{where}: {_short(first)}")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


# jq

_JQ_PRELUDE = (
    '.[0] as $__now | def __no(n): error(n + " is not available in a workflow"); '
    'def now: if $__now == null then __no("now") else $__now / 1000 end; '
    'def input: __no("input"); def inputs: __no("inputs"); def halt: __no("halt"); '
    'def halt_error: __no("halt_error"); def halt_error(f): __no("halt_error"); '
    "def debug: .; def debug(f): .; def stderr: .; def input_filename: null; def env: {}; "
    ".[1] | ("
)


@lru_cache(maxsize=256)
def _compiled(query: str) -> Any:
    import jq  # type: ignore[import-not-found]

    try:
        jq.compile(query)
    except ValueError as error:
        raise Fault(_syntax(str(error))) from None
    # As text a number has all its digits, where it is the one that was given.
    for end in ("\n) | tojson", "\n.) | tojson"):
        try:
            return jq.compile(_JQ_PRELUDE + query + end)
        except ValueError as error:
            fault = Fault(_syntax(str(error)))
    raise fault


def _syntax(said: str) -> str:
    if re.search(r"\b(import|include|module)", said):
        return "Modules are not available in a workflow: a query has no import, include or module."
    lines = [line for line in said.removeprefix("jq: error: ").splitlines() if line]
    return _short(lines[0].replace(" at <top-level>,", " at").rstrip(":")) if lines else "The query cannot be read."


def jq(query: str, value: str, now: int | None, seed: int, most: int) -> bytes:
    """All results of a query about the value, as a JSON list."""
    found: list[str] = []
    size = 2
    try:
        for one in _compiled(query).input_text(f"[{json.dumps(now)},{value}]"):
            text = _json(_read(one))
            size += len(text) + 1
            if size > most:
                raise too_large(most)
            if len(found) >= RESULTS:
                raise Fault(f"It gives more than the {RESULTS:,} results that it may.")
            found.append(text)
    except ValueError as error:
        raise Fault(_short(str(error))) from None
    return f"[{','.join(found)}]".encode()


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_number)
    except (ValueError, RecursionError):
        raise Fault("Its result is nested too deeply, or has a number of too many digits.") from None


def _number(text: str) -> float:
    """As jq counts: whole ones are whole, and none is endless."""
    found = max(-sys.float_info.max, min(float(text), sys.float_info.max))
    return int(found) if abs(found) < 2**53 and found.is_integer() else found


def _json(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
        return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise Fault("Its result is nested too deeply.") from None


# JSONata


def jsonata(source: str, value: str, now: int, seed: int, most: int) -> bytes:
    """What the expression gives for the value, as JSON; nothing is null."""
    import jlens

    try:
        result = jlens.Expression(source).evaluate_json(
            value,
            timeout=SECONDS,
            max_depth=200,
            max_steps=5_000_000,
            max_string_length=most,
            max_array_length=1_000_000,
            max_result_size=most,
            now=now,
            seed=seed,
        )
    except jlens.JlensError as error:
        if getattr(error, "code", "") == "D1012":
            raise Fault(TOO_LONG) from None
        raise Fault(_short(str(error))) from None
    found = (result or "null").encode()
    if len(found) > most:
        raise too_large(most)
    return found


# Reading without running

_READER = r"""
(function () {
  'use strict';
  const evaluate = eval;
  return function (source) { evaluate('throw null;' + source); };
})()
"""
"""Reads all of a script, and does nothing of it: what stands before it on its first line ends it at once."""

_LONGEST_READING = 200_000
"""Of all faults of one answer, in bytes."""


def _read_javascript(source: str) -> None:
    import _quickjs

    context = _quickjs.Context()
    context.set_memory_limit(JS_MEMORY)
    context.set_time_limit(SECONDS)
    try:
        context.eval(_READER)(source)
    except _quickjs.StackOverflow:
        raise Fault("It is nested too deeply.") from None
    except _quickjs.JSException as thrown:
        if str(thrown).startswith("SyntaxError"):
            raise _thrown(str(thrown)) from None


def _read_jsonata(source: str) -> None:
    import jlens

    try:
        jlens.Expression(source)
    except jlens.JlensError as error:
        raise Fault(_short(str(error))) from None


_READERS: dict[str, Callable[[str], Any]] = {"js": _read_javascript, "jq": _compiled, "jsonata": _read_jsonata}


def syntax(_source: str, value: str, _now: int | None, _seed: int, _most: int) -> bytes:
    """The fault of each script that cannot be read, as JSON; null for one that can."""
    found: list[str | None] = []
    left, until = _LONGEST_READING, time.process_time() + SECONDS / 2
    for op, source in json.loads(value):
        if time.process_time() > until:
            raise Fault(TOO_LONG)
        try:
            _READERS[op](source)
            found.append(None)
        except Fault as fault:
            found.append(str(fault)[: max(left, 20)])
            left -= len(str(fault))
    return json.dumps(found).encode()


# The process

OPS: dict[str, Callable[..., bytes]] = {"js": javascript, "jq": jq, "jsonata": jsonata, "syntax": syntax}


def answer(head: dict[str, Any], value: str) -> bytes:
    """The frame that answers a request."""
    try:
        return VALUE + OPS[head["op"]](head["source"], value, head["now"], head["seed"], head["most"])
    except Fault as fault:
        return FAULT + str(fault).encode(errors="replace")
    except MemoryError:
        return SPENT + f"{TOO_MUCH} ({MEMORY // 1024**2} MB).".encode()
    except RecursionError:
        return SPENT + b"It is nested too deeply."
    except Exception as error:
        return SPENT + f"It could not be evaluated ({type(error).__name__}).".encode(errors="replace")


def _bound(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def bind() -> None:
    """Give up what no script needs. Engines are loaded before: afterwards no file can be opened."""
    _bound(resource.RLIMIT_AS, MEMORY)
    import _quickjs  # noqa: F401
    import jlens  # noqa: F401
    import jq  # noqa: F401

    time.tzset()
    os.environ.clear()
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_NPROC, 0)
    _bound(resource.RLIMIT_NOFILE, _FILES)


def _more_time() -> None:
    """Bound this process to the processor time of one more script, even if nobody is left to end it."""
    soft = int(time.process_time() + SECONDS) + 3
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def _frame(stream: BinaryIO) -> bytes | None:
    size = stream.read(4)
    if len(size) < 4:
        return None
    content = stream.read(int.from_bytes(size, "big"))
    return content or None


def main() -> None:
    """Answer requests until nobody is there."""
    bind()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while (head := _frame(requests)) is not None and (value := _frame(requests)) is not None:
        _more_time()
        reply = answer(json.loads(head), value.decode())
        answers.write(len(reply).to_bytes(4, "big") + reply)
        answers.flush()
        if reply[:1] == SPENT:
            return


if __name__ == "__main__":
    main()
