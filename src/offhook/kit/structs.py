"""Structs are made known to msgspec before threads decode them.

msgspec reads the types of a struct's fields when the first value of it is decoded. It shows what it reads to other
threads before it is done, and one that decodes the same struct in that moment follows a null pointer: the process is
gone (msgspec 0.22.0, seen in a server that was started with a lot to take over).
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from weakref import WeakSet

import msgspec

_known: WeakSet[type[msgspec.Struct]] = WeakSet()
_preparing = threading.Lock()


def prepare() -> None:
    """Have the fields read of every struct that is there by now: before threads are begun, some 20 µs a struct.

    What came by a later import is read by a later call. A struct with fields that msgspec refuses to decode is passed
    over: nobody decodes it.
    """
    with _preparing:
        for kind in _all(msgspec.Struct):
            if kind not in _known:
                with suppress(TypeError):
                    msgspec.json.Decoder(kind)
                _known.add(kind)


def _all(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all(one)
