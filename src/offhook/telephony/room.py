"""How many calls a company may have at once on a server, so that one cannot take the place of all others.

Calls for help are never counted against it: they are always let in.
"""

from collections.abc import Callable

import structlog
from prometheus_client import Counter

from offhook.kit.errors import Unavailable

WHY = ("company_full", "carrier_full", "server_full", "nobody", "not_begun", "telephones_full")
REFUSED = Counter(
    "offhook_calls_refused",
    "Calls that were refused before anything was decided, and telephones that were not rung for one, by why.",
    ["why"],
)
for _one in WHY:
    REFUSED.labels(_one)

SAY_SECONDS = 10.0
"""A company that is full is told of in the log so often: who calls over and over fills no disk."""

log = structlog.get_logger("offhook.telephony")


class Full(Unavailable):
    """There is no room for one more call."""


class Room:
    """`most` calls of a company at once; `under_way` counts them, `now` is a clock that never goes back."""

    def __init__(self, most: int, under_way: Callable[[int], int], now: Callable[[], float]) -> None:
        self._most, self._under_way, self._now = most, under_way, now
        self._said: dict[tuple[str, int], float] = {}

    def enter(self, tenant_id: int, *, helps: bool) -> None:
        """Let a call begin that calls for help or does not; Full if the company has as many as it may.

        Whoever asks begins it before anybody else asks.
        """
        if helps or self._under_way(tenant_id) < self._most:
            return
        self._full("company_full", tenant_id, self._most)
        raise Full(f"The company has {self._most} calls, as many as it may have at once.")

    def telephones_full(self, tenant_id: int, most: int) -> None:
        """A telephone of a company is not rung, as `most` of its telephones ring or talk."""
        self._full("telephones_full", tenant_id, most)

    def _full(self, why: str, tenant_id: int, most: int) -> None:
        """Count it, and tell it now and then."""
        REFUSED.labels(why).inc()
        if self._now() - self._said.get((why, tenant_id), -SAY_SECONDS) >= SAY_SECONDS:
            self._said[why, tenant_id] = self._now()
            log.warning(why, tenant_id=tenant_id, most=most, mend="raise calls_at_once")
