"""One telephone or carrier of a call, as SIP and its sound had it. Pure."""

from collections.abc import Sequence

import msgspec

WENT_ON = "goes on in another call"
"""The cause of an end that is none."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dialogue with one telephone. Moments are milliseconds since 1970 UTC, 0 for what has not happened.

    `who` is "" for who called, else whom it rang: "user:1", or a number. `device` is the id of a telephone of ours,
    `address` where it was spoken with. `code` is SIP's (RFC 3261 section 21), 0 where it had been there and left,
    or nothing was heard of it before it was let go; `ours`: the end came from this side. `codec` and the packets that
    came and never came are of the sound it sent. `held` are spells on hold, `referred` when it asked for which
    transfer. `beeped` are the prompts, as `routing/trace.mark_of` has them, in whose place beeps were played to it.
    """

    who: str = ""
    device: str = ""
    address: str = ""
    began: int
    rang: int = 0
    up: int = 0
    ended: int = 0
    code: int = 0
    cause: str = ""
    ours: bool = False
    codec: str = ""
    received: int = 0
    lost: int = 0
    held: tuple[tuple[int, int], ...] = ()
    referred: tuple[tuple[int, str], ...] = ()
    beeped: tuple[str, ...] = ()


class Wires(msgspec.Struct, frozen=True, kw_only=True):
    """Those of one call that are over, as they are written; more of the same call may come later."""

    tenant_id: int
    call_id: int
    wires: tuple[Wire, ...]


def beeped(wires: Sequence[Wire]) -> frozenset[str]:
    """The prompts of a call that were beeps to somebody in it."""
    return frozenset([mark for wire in wires for mark in wire.beeped])
