"""Wishes for calls of other processes: left in the store, and answered there by whoever has the call.

Each process that has calls looks once a second; who asks looks four times a second, for so long as a person waits.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from offhook.calls.legs import store
from offhook.calls.legs.wishes import Able, Granted, HangUp, Wish
from offhook.calls.session import Calls
from offhook.kit import clock
from offhook.kit.errors import Conflict, Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.kit.looking import keep_looking
from offhook.storage.batches import Reader, Writer

ASK_SECONDS = 0.25
PATIENCE_SECONDS = 6.0
STALE_MS = 60_000

_wish: msgspec.json.Decoder[Wish] = msgspec.json.Decoder(Wish)
_granted = msgspec.json.Decoder(Granted)

log = structlog.get_logger("offhook.calls")


class Mailbox:
    """Wishes of one process for calls of all. `keep` it going while calls are taken."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        ids: Ids,
        calls: Calls,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._reader, self._writer, self._ids, self._calls = reader, writer, ids, calls
        self._sleep, self._monotonic, self._wall = sleep, monotonic, wall
        self._doing: set[asyncio.Task[None]] = set()
        self._taken: set[int] = set()

    async def ask(self, tenant_id: int, call_id: int, wish: Wish) -> Granted:
        """Have it carried out, wherever the call is. Conflict if that is refused, Unavailable if nobody answers."""
        if (granted := await self._here(tenant_id, call_id, wish)) is None:
            granted = await self._elsewhere(tenant_id, call_id, wish)
        if granted.refused:
            raise Conflict(granted.refused)
        return granted

    async def _here(self, tenant_id: int, call_id: int, wish: Wish) -> Granted | None:
        call = self._calls.find(call_id)
        if call is None or call.tenant_id != tenant_id:
            return None
        if refused := await call.refusal(wish):
            return Granted(refused=refused)
        if isinstance(wish, HangUp):
            call.hang_up()
            return Granted()
        if isinstance(call.telephone, Able):
            return await call.telephone.grant(wish)
        return Granted(refused="The telephones of this call cannot do that.")

    async def _elsewhere(self, tenant_id: int, call_id: int, wish: Wish) -> Granted:
        id, text = self._ids.new(), msgspec.json.encode(wish).decode()
        at = int(self._wall() * 1000)
        await self._writer.aside(lambda tx: store.leave(tx, tenant_id, id, call_id, text, at))
        until = self._monotonic() + PATIENCE_SECONDS
        try:
            while self._monotonic() < until:
                await self._sleep(ASK_SECONDS)
                answer = await self._reader.run(lambda tx: store.answer(tx, tenant_id, id))
                if answer:
                    return _granted.decode(answer)
        finally:
            await self._writer.aside(lambda tx: store.take_away(tx, tenant_id, id))
        raise Unavailable(
            "The process that has this call does not answer; nothing may have been done.",
            headers=[("Retry-After", "1")],
        )

    async def keep(self) -> None:
        """Look for wishes, for as long as this goes on."""
        await keep_looking(self._look_for_ours, "wishes_not_read", log, sleep=self._sleep)

    async def _look_for_ours(self) -> None:
        if self._calls.live:
            await self.look()

    async def look(self) -> None:
        """Begin with what is wished of calls of this process, and take away what nobody waits for."""
        horizon = int(self._wall() * 1000) - STALE_MS
        found = await self._reader.run(store.wished)
        self._taken &= {id for _, id, _, _, _ in found}
        for tenant_id, id, call_id, text, at in found:
            if at < horizon:
                await self._writer.aside(lambda tx, t=tenant_id, i=id: store.take_away(tx, t, i))  # type: ignore[misc]
                continue
            call = self._calls.find(call_id)
            if call is None or call.tenant_id != tenant_id or id in self._taken:
                continue
            self._taken.add(id)
            task = asyncio.create_task(self._grant(tenant_id, id, call_id, text))
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _grant(self, tenant_id: int, id: int, call_id: int, text: str) -> None:
        try:
            granted = await self._here(tenant_id, call_id, _wish.decode(text)) or Granted(refused="The call is over.")
        except Refusal as refusal:
            granted = Granted(refused=refusal.message)
        except Exception:
            log.exception("wish_failed", call_id=call_id)
            granted = Granted(refused="Something went wrong with it.")
        answer = msgspec.json.encode(granted).decode()
        try:
            await self._writer.aside(lambda tx: store.put_answer(tx, tenant_id, id, answer))
        except Refusal as refusal:
            log.error("wish_not_answered", call_id=call_id, cause=refusal.message)
