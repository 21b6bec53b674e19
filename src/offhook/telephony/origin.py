"""Whose a call is that came in on a telephone of ours, or by a carrier. Pure."""

from dataclasses import dataclass

from offhook.kit import clock
from offhook.routing.plan import First, Incoming, Outgoing


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose call it is: a company's, by one of its people or rooms (`who`) or from outside, to `number`."""

    tenant_id: int
    who: str = ""
    caller: str = ""
    number: str = ""
    recalled: bool = False
    """Whether it is as it was known last, as the store does not say: good enough for a call for help."""

    def first(self) -> First:
        """What begins its call, now."""
        at = clock.milliseconds(clock.now())
        return Outgoing(at, self.who, self.number) if self.who else Incoming(at, self.caller, self.number)
