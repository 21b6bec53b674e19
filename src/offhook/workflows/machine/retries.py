"""When a task is tried again (docs/algorithms/retries.md). Pure."""

from collections.abc import Mapping

import msgspec

from offhook.workflows.definitions.model import UNREGISTERED, Policy, Task

MOST_DELAY = 2**31 - 1
"""Seconds that a delay is at most, whatever its factor came to."""


def policy_of(task: Task, registered: Mapping[str, Policy]) -> Policy:
    """The policy that holds for a task: its own, or the one `registered` by its name.

    The number of repeats that the task itself names wins. A task without either is not repeated. One that names only a
    number of repeats waits 60 s before each.
    """
    policy = task.task_definition or registered.get(task.name) or UNREGISTERED
    if task.retry_count is None:
        return policy
    return msgspec.structs.replace(policy, retry_count=task.retry_count)


def delay_ms(policy: Policy, retry: int, *, seed: int, after_ms: int = 0) -> int:
    """Milliseconds before attempt `retry` + 1, where attempt `retry` (from 0) has failed.

    FIXED d; LINEAR d * factor * (retry + 1); EXPONENTIAL d * 2 ** retry; at most `max_retry_delay_seconds` if that is
    set. Jitter comes on top, the same for the same `seed`. A target that asked to be left alone for `after_ms` is left
    alone for so long at least, but for no longer than the cap if there is one.
    """
    base = policy.retry_delay_seconds
    if policy.retry_logic == "LINEAR_BACKOFF":
        seconds = base * policy.backoff_scale_factor * (retry + 1)
    elif policy.retry_logic == "EXPONENTIAL_BACKOFF":
        seconds = base * 2 ** min(retry, 31)
    else:
        seconds = base
    seconds = min(seconds, MOST_DELAY)
    cap = policy.max_retry_delay_seconds
    if cap > 0:
        seconds = min(seconds, cap)
        after_ms = min(after_ms, cap * 1000)
    return max(seconds * 1000, after_ms) + _jitter(policy.backoff_jitter_ms, seed, retry)


def _jitter(most: int, seed: int, retry: int) -> int:
    """From 0 to `most`, evenly; a mix of bits, so that runs which failed together do not come back together."""
    if most <= 0:
        return 0
    mixed = (seed ^ (retry + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (mixed ^ mixed >> 31) % (most + 1)
