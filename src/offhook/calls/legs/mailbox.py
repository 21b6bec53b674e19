"""Wishes for calls of other processes: left in the store, and answered there by whoever has the call.

A call that is to be placed is wished of no call, and whichever process has telephones takes it. Each process that has
calls or telephones looks once a second; who asks looks four times a second, for so long as a person waits. Whatever is
carried out here is so by the time that it is, at whatever moment a request pretends to be made.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from offhook.calls.legs import store
from offhook.calls.legs.wishes import OVER, UNREACHED, Able, Granted, HangUp, Nowhere, Place, Placing, Wish
from offhook.calls.session import Calls
from offhook.kit import clock
from offhook.kit.errors import Conflict, Refusal, Unavailable
from offhook.kit.ids import Ids
from offhook.kit.looking import keep_looking
from offhook.storage.batches import Reader, Writer
from offhook.storage.database import Transaction

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
        placing: Placing | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = clock.monotonic,
        wall: Callable[[], float] = clock.wall,
    ) -> None:
        self._reader, self._writer, self._ids, self._calls = reader, writer, ids, calls
        self._placing = placing or Nowhere()
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

    async def place(self, tenant_id: int, who: str, devices: tuple[str, ...], number: str) -> int:
        """Have devices of a user ("user:1") rung for a call to a number, by whichever process can: the id of the call.

        Conflict if none of them is registered or the company is full, Unavailable if no process that can answers.
        """
        if self._placing.here:
            with clock.unset():
                return await self._placing.place(tenant_id, who, devices, number)
        if not await self._placing.reached(tenant_id, devices):
            raise Conflict(UNREACHED)
        return (await self.ask(tenant_id, 0, Place(who=who, devices=devices, number=number))).call_id

    async def _here(self, tenant_id: int, call_id: int, wish: Wish) -> Granted | None:
        with clock.unset():
            return await self._carried_out(tenant_id, call_id, wish)

    async def _carried_out(self, tenant_id: int, call_id: int, wish: Wish) -> Granted | None:
        if isinstance(wish, Place):
            if not self._placing.here:
                return None
            return Granted(call_id=await self._placing.place(tenant_id, wish.who, wish.devices, wish.number))
        call = self._calls.find(call_id)
        if call is None and isinstance(wish, HangUp) and self._placing.give_up(tenant_id, call_id):
            return Granted()
        if call is None and self._placing.rings(tenant_id, call_id):
            return Granted(refused="Who called is still rung: the call can only be hung up until they answer.")
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
                answer, over = await self._reader.run(
                    lambda tx: (store.answer(tx, tenant_id, id), _is_over(tx, tenant_id, call_id))
                )
                if answer:
                    return _granted.decode(answer)
                if over:
                    return OVER
        finally:
            await self._writer.aside(lambda tx: store.take_away(tx, tenant_id, id))
        raise Unavailable(
            "The process that has this call does not answer; perhaps nothing was done."
            if call_id
            else "No server answers that has telephones; perhaps nobody was rung.",
            headers=[("Retry-After", "1")],
        )

    async def keep(self) -> None:
        """Look for wishes, for as long as this goes on."""
        await keep_looking(self._look_for_ours, "wishes_not_read", log, sleep=self._sleep)

    async def _look_for_ours(self) -> None:
        if self._calls.live or self._placing.here:
            await self.look()

    async def look(self) -> None:
        """Begin with what this process can do of what is wished, and take away what nobody waits for."""
        horizon = int(self._wall() * 1000) - STALE_MS
        found = await self._reader.run(lambda tx: store.wished(tx, horizon))
        self._taken &= {id for _, id, _, _, _ in found}
        for tenant_id, id, call_id, text, at in found:
            if at < horizon:
                await self._writer.aside(lambda tx, t=tenant_id, i=id: store.take_away(tx, t, i))  # type: ignore[misc]
                continue
            if id in self._taken or not await self._can(tenant_id, id, call_id):
                continue
            self._taken.add(id)
            task = asyncio.create_task(self._grant(tenant_id, id, call_id, text))
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _can(self, tenant_id: int, id: int, call_id: int) -> bool:
        if not call_id:
            return self._placing.here and await self._writer.aside(lambda tx: store.take(tx, tenant_id, id))
        call = self._calls.find(call_id)
        return self._placing.rings(tenant_id, call_id) if call is None else call.tenant_id == tenant_id

    async def _grant(self, tenant_id: int, id: int, call_id: int, text: str) -> None:
        try:
            granted = await self._here(tenant_id, call_id, wish := _wish.decode(text)) or _too_late(wish)
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


def _is_over(tx: Transaction, tenant_id: int, call_id: int) -> bool:
    """Whether a call has ended by now, so that nobody has it who could answer."""
    leg = store.get(tx, tenant_id, call_id) if call_id else None
    return leg is not None and leg.ended > 0


def _too_late(wish: Wish) -> Granted:
    """That it could be done when it was taken on, and no longer."""
    gone = "The telephones of the server that was to ring have just gone away: try again."
    return Granted(refused=gone) if isinstance(wish, Place) else OVER
