"""Links to the sound of one tape: signed, valid for a while, and good without a key for nothing else."""

from collections.abc import Callable
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from offhook.access.model import Environment, Principal
from offhook.calls.tapes import store
from offhook.calls.tapes.model import Tape
from offhook.kit import clock
from offhook.kit.errors import NotFound
from offhook.kit.operation import Outside
from offhook.storage.batches import Reader

LONGEST_SECONDS = 7 * 86_400


class Link(NamedTuple):
    """What a link says: whose tape it opens, and until when, in seconds since 1970 UTC."""

    tenant_id: int
    company_id: int
    environment: Environment
    tape_id: int
    until: int


class Links:
    """Signs and reads links with the store's secret."""

    def __init__(self, secret: str, reader: Reader, *, wall: Callable[[], float] = clock.wall) -> None:
        self._serializer = URLSafeSerializer(secret, salt="offhook.sound")
        self._reader, self._wall = reader, wall

    def seal(self, principal: Principal, tape: Tape, seconds: int) -> tuple[str, int]:
        """A link that opens a tape for so long, and when it ends, in seconds since 1970 UTC."""
        until = int(self._wall()) + seconds
        made = [principal.tenant_id, principal.company_id, principal.environment, tape.id, until]
        return str(self._serializer.dumps(made)), until

    async def admit(self, outside: Outside) -> Principal:
        """Who has a good link to a tape that is still there; else NotFound, whatever is wrong with it."""
        link = self._read(str(outside.params.get("link", "")))
        if link is None or await self.tape(link.tenant_id, link.tape_id) is None:
            raise NotFound("This link is none of this server, or no longer good.")
        return Principal(
            link.tenant_id, link.company_id, link.environment, link.tape_id, f"link {link.tape_id}", frozenset()
        )

    async def tape(self, tenant_id: int, id: int) -> Tape | None:
        """The tape that a link names."""
        return await self._reader.run(lambda tx: store.get(tx, tenant_id, id))

    def _read(self, text: str) -> Link | None:
        try:
            link = Link(*self._serializer.loads(text))
        except (BadData, TypeError):
            return None
        return link if self._wall() < link.until else None
