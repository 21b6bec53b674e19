"""A number outside, called by one carrier after the other until one takes the call."""

from collections.abc import Awaitable, Callable

import structlog

from offhook.routing import plan
from offhook.telephony.house import House, Other, Way

FAILED = (408, 500, 502, 503, 504)
"""What a carrier says that cannot do it; 408 of one that says nothing."""

log = structlog.get_logger("offhook.telephony")


async def reached(
    house: House, tenant_id: int, verb: plan.Transfer, call: Callable[[Way], Awaitable[Other]]
) -> Other | None:
    """Who answers, by the first carrier that takes the call: one that fails is no answer of the number's.

    RFC 3261 section 21.5.4 and RFC 3263 section 4.3. A call for help goes on to the next whatever a carrier says.
    `call` is done once it was answered or refused, or rang too long.
    """
    tried: list[int] = []
    while True:
        way = await house.ways.of_number(tenant_id, verb.number, emergency=verb.emergency, but=tuple(tried))
        if way is None:
            return None
        tried.append(way.trunk)
        other = await call(Way(way.uri, way.address, way.trunk, number=verb.caller_id))
        if other.up:
            return other
        if other.down is None or not (verb.emergency or other.down.code in FAILED):
            return None
        log.warning("carrier_failed", trunk=way.trunk, code=other.down.code)
