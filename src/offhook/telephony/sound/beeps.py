"""Which beeps stand for a prompt that is neither recorded nor spoken, so that one can be told from another. Pure."""

import hashlib

STEPS = (494, 587, 740, 880, 1047, 1175)
"""Pitches in Hz, B4 to D6: one alone is no key, and none is within 2 % of a frequency of the keypad (ITU-T Q.23)."""

BEEPS = 4


def beeps_of(what: str) -> tuple[int, ...]:
    """The pitches of the beeps; neighbours differ, so that they can be counted. 750 patterns."""
    digest = hashlib.sha256(what.encode()).digest()
    found = [STEPS[digest[0] % len(STEPS)]]
    for byte in digest[1:BEEPS]:
        others = [step for step in STEPS if step != found[-1]]
        found.append(others[byte % len(others)])
    return tuple(found)
