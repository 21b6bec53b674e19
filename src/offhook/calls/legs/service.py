"""What v2 can be asked of calls: lists, one, and what is done to one that is under way."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from offhook.access.gate import reply_of
from offhook.calls.legs import render, store, wire
from offhook.calls.legs.mailbox import Mailbox
from offhook.calls.legs.model import CallLeg
from offhook.calls.legs.wishes import Add, HangUp, Taping, TransferTo, Unpark, Wish
from offhook.calls.tapes import store as tapes
from offhook.calls.tapes.model import Tape
from offhook.directory.lines.model import Target
from offhook.directory.paths import id_of
from offhook.directory.users.store import primary_emails, users
from offhook.kit import phones
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Conflict, Invalid, NotFound, Notice, Violation
from offhook.kit.operation import Call, Reply
from offhook.kit.wire import int64_at
from offhook.routing.model import Company, who_of
from offhook.storage.batches import Reader
from offhook.storage.database import Transaction

PAGE = 50
_NEWEST = 2**62
_LISTING = "v2.calls"


@dataclass(frozen=True, slots=True)
class Legs:
    """Over the legs of a store. `address` is where this server is reached, "" if that is not known."""

    reader: Reader
    cursors: Cursors
    company: Callable[[int], Awaitable[Company]]
    mailbox: Mailbox
    address: str = ""

    # Read

    async def page(self, call: Call) -> Reply:
        """Those that are over."""
        query: wire.CallListQuery = call.query or wire.CallListQuery()
        target = _target(query.target_type, query.target_id)
        after, until = _number(query.started_after, "started_after"), _number(query.started_before, "started_before")
        tenant, filters = call.principal.tenant_id, [after, until, target and [target.type, target.id]]
        before = self.cursors.open(query.cursor, _LISTING, tenant, filters) if query.cursor else _NEWEST
        config = await self.company(tenant)

        def find(tx: Transaction) -> tuple[list[CallLeg], render.Around]:
            found = store.page(tx, tenant, before, PAGE + 1, after=after, until=until, target=target)
            return found, self._around(tx, tenant, config, found[:PAGE])

        # The latest lie together; row by row a thread would queue for the interpreter behind calls that are set up.
        brief = after is None and until is None and target is None
        found, around = await (self.reader.briefly(find) if brief else self.reader.run(find))
        cursor = self.cursors.seal(_LISTING, tenant, filters, found[PAGE - 1].id) if len(found) > PAGE else None
        return reply_of(wire.CallInfoPage(items=[render.info(one, around) for one in found[:PAGE]], cursor=cursor))

    async def get(self, call: Call) -> Reply:
        """One, under way or over."""
        tenant = call.principal.tenant_id
        config = await self.company(tenant)

        def find(tx: Transaction) -> wire.CallInfoOut:
            leg = _found(tx, tenant, id_of(call))
            return render.info(leg, self._around(tx, tenant, config, [leg]))

        return reply_of(await self.reader.run(find))

    def _around(self, tx: Transaction, tenant: int, config: Company, legs: Sequence[CallLeg]) -> render.Around:
        calls = list({leg.call_id for leg in legs})
        entries = store.get_many(tx, tenant, calls)
        taped: dict[int, list[Tape]] = {}
        for one in tapes.of_calls(tx, tenant, calls):
            taped.setdefault(one.call_id, []).append(one)
        people = {leg.target.id for leg in (*legs, *entries.values()) if leg.target.type == "user"}
        emails = primary_emails(tx, tenant, list(people))
        return render.Around(config, entries, taped, emails, self.address)

    # Do

    async def hang_up(self, call: Call) -> Reply:
        """End it, also one that was placed and whose user is only rung; who else rings is not ended by themselves."""
        tenant, id = call.principal.tenant_id, id_of(call)
        if await self.reader.run(lambda tx: store.is_ringing(tx, tenant, id)):
            await self.mailbox.ask(tenant, id, HangUp())
            return reply_of(wire.Nothing())
        leg = await self._live(call)
        if not leg.entry and not leg.connected:
            raise Conflict(f"The call {leg.id} only rings; hang up the call {leg.call_id}, of which it is a leg.")
        await self._ask(call, leg, HangUp())
        return reply_of(wire.Nothing())

    async def transfer(self, call: Call) -> Reply:
        """Send it elsewhere."""
        body: wire.TransferIn = call.body
        to = body.to or wire.DestinationIn()
        if body.custom_data is not None:
            call.notices.append(Notice("ignored", "custom_data", "It is not kept, as no event passes it on."))
        if body.to is None and body.transfer_state != "parked":
            text = "Must say where to, unless the call is parked."
            raise Invalid.of([Violation(location="to", message=text, reason="required")])
        number, target, other = await self._destination(call, to, "to", other=to.call_id, none=body.to is None)
        leg = await self._live(call)
        wish = TransferTo(
            leg_id=leg.id, by=_by(leg), number=number, target=target, call_id=other, state=body.transfer_state or ""
        )
        await self._ask(call, leg, wish)
        return reply_of(
            wire.TransferredOut(
                call_id=str(leg.id),
                transferred_to_number=number or None,
                transferred_to_state=body.transfer_state,
            )
        )

    async def add(self, call: Call) -> Reply:
        """Bring somebody in."""
        body: wire.ParticipantIn = call.body
        number, target, _ = await self._destination(call, body.participant, "participant")
        leg = await self._live(call)
        granted = await self._ask(call, leg, Add(number=number, target=target))
        return reply_of(wire.RingOut(call_id=str(granted or leg.id)))

    async def unpark(self, call: Call) -> Reply:
        """Let a user take it."""
        body: wire.UnparkIn = call.body
        user_id = await self._user(call, body.user_id)
        leg = await self._live(call, over=True)
        granted = await self._ask(call, leg, Unpark(user_id=user_id))
        return reply_of(wire.RingOut(call_id=str(granted or leg.id)))

    async def ring(self, call: Call) -> Reply:
        """Ring a user, and dial for them."""
        body: wire.RingIn = call.body
        user_id = await self._user(call, body.user_id)
        config = await self.company(call.principal.tenant_id)
        number, fault = phones.check_e164(body.phone_number, "phone_number")
        caller_id, found = body.outbound_caller_id or "", [fault] if fault is not None else []
        if caller_id not in ("", "blocked") and caller_id not in config.numbers:
            text = 'Must be a number of the company, or "blocked".'
            found.append(Violation(location="outbound_caller_id", message=text, sent=caller_id[:40]))
        person = config.people.get(f"user:{user_id}")
        if body.device_id is not None and (person is None or body.device_id not in person.devices):
            found.append(Violation(location="device_id", message="Must be a telephone of the user.", reason="notFound"))
        if found or number is None:
            raise Invalid.of(found)
        for field, why in (
            ("outbound_caller_id", "The user's own caller ID is shown."),
            ("group_id", "The call goes out for the user."),
            ("group_type", "The call goes out for the user."),
            ("is_consult", "A call under way is left as it is."),
            ("custom_data", "It is not kept, as no event passes it on."),
        ):
            if getattr(body, field):
                call.notices.append(Notice("ignored", field, why))
        devices = (body.device_id,) if body.device_id else person.devices if person is not None else ()
        placed = await self.mailbox.place(call.principal.tenant_id, f"user:{user_id}", devices, number)
        return reply_of(wire.RingOut(call_id=str(placed)))

    async def record(self, call: Call) -> Reply:
        """Record the call that a user is in, or no longer."""
        body: wire.ActiveCallIn = call.body
        tenant, user_id = call.principal.tenant_id, id_of(call)
        await self._user(call, user_id, location="")

        def find(tx: Transaction) -> CallLeg:
            leg = store.active(tx, tenant, Target("user", user_id))
            if leg is None:
                raise Conflict(f"The user {user_id} is in no call.")
            return leg

        leg = await self.reader.run(find)
        await self.mailbox.ask(tenant, leg.call_id, Taping(on=body.is_recording))
        if body.play_message is not False:
            call.notices.append(Notice("ignored", "play_message", "No message is played: say it to whoever is there."))
        if body.recording_type in ("group", "all"):
            call.notices.append(Notice("ignored", "recording_type", "A call has one recording, the line's."))
        return reply_of(wire.ActiveCallOut(call_state=leg.state, id=str(leg.id), is_recording=body.is_recording))

    async def _live(self, call: Call, *, over: bool = False) -> CallLeg:
        """A leg that is not over; with `over` that of what was dialled, as who parked a call is in it no more."""
        tenant, id = call.principal.tenant_id, id_of(call)

        def find(tx: Transaction) -> CallLeg:
            leg = _found(tx, tenant, id)
            return store.get(tx, tenant, leg.call_id) or leg if over else leg

        leg = await self.reader.run(find)
        if leg.ended:
            raise Conflict(f"The call {id} is over.")
        return leg

    async def _ask(self, call: Call, leg: CallLeg, wish: Wish) -> int:
        return (await self.mailbox.ask(call.principal.tenant_id, leg.call_id, wish)).call_id

    async def _user(self, call: Call, sent: int | str, location: str = "user_id") -> int:
        tenant, id = call.principal.tenant_id, int64_at(sent, location)
        if await self.reader.run(lambda tx: users.get(tx, tenant, id)) is None:
            raise NotFound(f"There is no user {id}.")
        return id

    async def _destination(
        self, call: Call, to: wire.NewcomerIn, place: str, *, other: int | str | None = None, none: bool = False
    ) -> tuple[str, Target | None, int]:
        """A number, a target, or the id of a call under way: one of them, or nothing where `none` may be."""
        target = _target(to.target_type, to.target_id, place + ".")
        sent = [name for name, one in (("number", to.number), ("target_id", target), ("call_id", other)) if one]
        if none and not sent:
            return "", None, 0
        if len(sent) != 1:
            text = "Must be a number or a target" + (", or a call." if isinstance(to, wire.DestinationIn) else ".")
            raise Invalid.of([Violation(location=place, message=text)])
        if to.number:
            number, fault = phones.check_e164(to.number, place + ".number")
            if fault is not None or number is None:
                raise Invalid.of([fault] if fault is not None else [])
            return number, None, 0
        tenant = call.principal.tenant_id
        if target is not None:
            config = await self.company(tenant)
            if target not in config.lines and who_of(target) not in config.people:
                raise NotFound(f"There is no {target.type} {target.id}.")
            return "", target, 0
        meant = int64_at(other or 0, place + ".call_id")
        leg = await self.reader.run(lambda tx: _found(tx, tenant, meant))
        if leg.ended:
            raise Conflict(f"The call {meant} is over.")
        return "", None, leg.call_id


def _found(tx: Transaction, tenant_id: int, id: int) -> CallLeg:
    leg = store.get(tx, tenant_id, id)
    if leg is None:
        raise NotFound(f"There is no call {id}.")
    return leg


def _target(kind: str | None, id: int | str | None, place: str = "") -> Target | None:
    if (kind is None) != (id is None):
        missing = "target_id" if id is None else "target_type"
        text = "target_type and target_id go together; send both or none."
        raise Invalid.of([Violation(location=place + missing, message=text, reason="required")])
    return None if kind is None or id is None else Target(kind, int64_at(id, place + "target_id"))


def _by(leg: CallLeg) -> str:
    """Who sends the other side on, where a leg is transferred: who is on it; "" of a call that came in: who has it."""
    if leg.entry and leg.direction == "inbound":
        return ""
    return leg.external if leg.target.type == "unknown" else who_of(leg.target)


def _number(sent: int | str | None, location: str) -> int | None:
    return None if sent is None else int64_at(sent, location)
