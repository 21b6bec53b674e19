"""A company's share of the legs that there are: so many of its telephones ring or talk at once, and no more.

Who calls is counted as a call, and a number outside by its carrier; help is called by those.
"""

from collections.abc import Callable

from offhook.telephony import port
from offhook.telephony.process import Heard, Worker


class Share:
    """`Legs` of house.py for one company, which may have `most` of its telephones dialled.

    `full` is told of each that is not reached, with the company and `most`.
    """

    def __init__(self, worker: Worker, tenant_id: int, most: int, full: Callable[[int, int], None]) -> None:
        self._worker, self._tenant_id, self._most, self._full = worker, tenant_id, most, full

    def tell(self, command: port.Command) -> None:
        """Have the worker do something; a telephone beyond the share is not reached."""
        if isinstance(command, port.Dial) and not command.trunk:
            if self._worker.dialled_of(self._tenant_id) >= self._most:
                self._full(self._tenant_id, self._most)
                self._worker.refuse(command.leg)
                return
            self._worker.dialled_for(command.leg, self._tenant_id)
        self._worker.tell(command)

    def new_leg(self, heard: Heard) -> int:
        """A leg that is to be dialled."""
        return self._worker.new_leg(heard)

    def hold(self, leg: int, heard: Heard) -> None:
        """Be told what happens on a leg."""
        self._worker.hold(leg, heard)

    def let_go(self, leg: int) -> None:
        """Be told no more of it."""
        self._worker.let_go(leg)
