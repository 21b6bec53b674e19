"""What verification has against a line is said at once, in the answer of the request that made it so.

Added around the operations that change a line. It is said by the request that made it so or sent it again; what was so
before is not repeated with every change of something else, nor where a whole office is sent back as it was read.
Offices may be created by the thousand: what an office has against itself, whoever else is in the company, is found out
once for all that send calls alike, and said in dry runs too; with the company around it a new office is looked at only
where it names targets or operators.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec
import structlog

from offhook.directory.lines.model import Target
from offhook.directory.lines.wire import Action, MenuKeyOut, MenuOptionsOut, RoutingStateOut
from offhook.hours.model import Schedule
from offhook.kit import clock
from offhook.kit.errors import Notice, Refusal
from offhook.kit.operation import Call, Handler, Operation, Reply
from offhook.offices.model import Office
from offhook.offices.wire import is_as_read
from offhook.routing.checks import of_keys
from offhook.routing.compiling import routing_of
from offhook.routing.model import Company, Line
from offhook.routing.verify import quick

OWN = frozenset({"keys_unreachable", "menu_key_disabled", "menu_key_missing", "menu_without_keys", "script_missing"})
"""What a line has against itself by what it does with calls, and the rules of its fields do not say."""

_NAMELESS = "\0"
_NINE_TO_FIVE = Schedule(ZoneInfo("UTC"), (((540, 1020),),) * 5 + ((), ()), always_open=False)
_SOME_DAY = datetime(2026, 1, 5, tzinfo=UTC)

_NOTHING = frozenset({None, "disabled"})
"""What keys have that do nothing."""

_NO_WAY_ON = _NOTHING | {"menu"}
"""What keys may do without leading anywhere."""

_DIGITS = frozenset("0123456789")

CompanyOf = Callable[[int], Awaitable[Company]]
MOST = 20

log = structlog.get_logger("offhook.verify")

LINES = ("office", "department", "callcenter")
CHANGES: dict[str, str] = {
    "offices.create": "office",
    "offices.update": "office",
    "offhook.offices.replace": "office",
    "departments.create": "department",
    "departments.update": "department",
    "callcenters.create": "callcenter",
    "callcenters.update": "callcenter",
    "callrouters.create": "callrouter",
    "callrouters.update": "callrouter",
    **{f"{kind}s.operators.{verb}": kind for kind in LINES for verb in ("post", "delete")},
    **{f"offhook.{kind}s.script.{verb}": kind for kind in LINES for verb in ("set", "remove")},
}
"""By operation: the kind of what it makes or changes."""

LATER = frozenset({"group_empty", "voicemail_unread"})
"""What is always so of a line that was just created, and is mended by what follows: its operators join by requests of
their own.
"""

SAID = {"target_unreachable": "contact_without_number", "target_loop": "router_default_loop"}
"""By a code of the rules: the code of verification that says the same."""


class _Made(msgspec.Struct):
    """The id in the answer of a create."""

    id: int | str = 0
    office: "_Made | None" = None


_made = msgspec.json.Decoder(_Made)


def advice(office: Office) -> list[Notice]:
    """What an office has against itself, for its create and whatever replaces it."""
    script = office.script.workflow if office.script is not None else ""
    if _may_be_lost(office.open, script) or _may_be_lost(office.closed, script):
        found = _by_a_walk(office.open, office.closed, script)
    else:
        found = (*_of_keys(office.open, opened=True), *_of_keys(office.closed, opened=False))
    return [Notice(one.code, one.field, one.text.replace(_NAMELESS, office.name)) for one in found]


def _may_be_lost(state: RoutingStateOut, script: str) -> bool:
    """Whether callers of an office that is alone may be lost there: only a walk tells, which takes its time."""
    does = [key.options.action if key.options is not None else None for key in state.dtmf if key.input is not None]
    if not script and (state.action == "scripted_ivr" or "scripted_ivr" in does):
        return True
    return state.action == "menu" and _NO_WAY_ON.issuperset(does)


@lru_cache(maxsize=1024)
def _by_a_walk(opened: RoutingStateOut, closed: RoutingStateOut, script: str) -> tuple[Notice, ...]:
    """What a nameless office that is alone in the world has against itself, its callers followed wherever they go."""
    line = dataclasses.replace(_line(opened, closed), script=script)
    alone = Company(tenant_id=0, version=0, lines={line.target: line})
    return tuple(one for one in quick(alone, line.target, _SOME_DAY) if one.code in OWN)


def _of_keys(state: RoutingStateOut, *, opened: bool) -> Iterator[Notice]:
    """What the keys of one state have against themselves: of `OWN` no key has anything against another."""
    if state.action == "menu":
        for index, key in enumerate(state.dtmf):
            action = key.options.action if key.options is not None else None
            if key.input is not None and (action in _NOTHING or key.input not in _DIGITS):
                yield from _of_key(opened, index, key.input, action in _NOTHING)
    elif state.dtmf:
        yield from _unheard(opened, state.action, len({key.input for key in state.dtmf} - {None}))


@lru_cache(maxsize=1024)
def _of_key(opened: bool, index: int, key: str, nothing: bool) -> tuple[Notice, ...]:
    """The same of the entry of a menu that has this index, and does something or not."""
    does = MenuKeyOut(input=key, options=MenuOptionsOut(action="disabled" if nothing else "voicemail"))
    return _against(opened, "menu", (*(MenuKeyOut(),) * index, does))


@lru_cache(maxsize=1024)
def _unheard(opened: bool, action: Action, count: int) -> tuple[Notice, ...]:
    """The same of so many keys of a menu that nobody hears."""
    return _against(opened, action, tuple(MenuKeyOut(input=str(key)) for key in range(count)))


def _against(opened: bool, action: Action, keys: tuple[MenuKeyOut, ...]) -> tuple[Notice, ...]:
    state = RoutingStateOut(action=action, try_dial_operators=False, dtmf=keys)
    line = _line(state, state)
    found = of_keys(line, opened, line.open if opened else line.closed, lambda *_: None)
    return tuple(Notice(one.code, one.field, one.what) for one in found if one.code in OWN)


def _line(opened: RoutingStateOut, closed: RoutingStateOut) -> Line:
    """The main line of a nameless office with nothing but these two states."""
    states = routing_of(opened, "open"), routing_of(closed, "closed")
    return Line(Target("office", 1), _NAMELESS, 1, _NINE_TO_FIVE, *states)


def warned(operations: Iterable[Operation], company: CompanyOf) -> list[Operation]:
    """The operations, of which those that change a line warn of what its callers would be lost by."""
    return [
        dataclasses.replace(one, handler=_warning(one.handler, one.id, CHANGES[one.id], company))
        if one.id in CHANGES and one.handler is not None
        else one
        for one in operations
    ]


def _warning(handler: Handler, id: str, kind: str, company: CompanyOf) -> Handler:
    creates = id.endswith(".create")

    async def look(call: Call, line_id: int) -> list[Notice]:
        """What is wrong with the line now; nothing if it cannot be told.

        What was asked for is done, or about to be: that it cannot be looked at, or a fault here, must not undo it, nor
        make it look undone, as the client would do it again.
        """
        try:
            config, target = await company(call.principal.tenant_id), Target(kind, line_id)
            if target not in config.lines and (kind != "callrouter" or line_id not in config.routers):
                # It is not there, or the store cannot be read and this is the company as it was before.
                return []
            codes = {one.code for one in call.notices}
            return quick(config, target, clock.now(), codes | {SAID[one] for one in codes if one in SAID})
        except Refusal as refusal:
            log.warning("not_verified", operation=id, cause=refusal.message)
        except Exception:
            log.exception("not_verified", operation=id)
        return []

    async def handle(call: Call) -> Reply:
        before: set[tuple[str, str]] = set()
        if not creates:
            before = {(one.code, one.field) for one in await look(call, int(call.params["id"]))}
        reply = await handler(call)
        if call.dry_run or any(name == b"offhook-replayed" for name, _ in reply.headers):
            return reply
        if id == "offices.create" and not _names_others(call):
            return reply
        wanted = [
            one
            for one in await look(call, _id(reply) if creates else int(call.params["id"]))
            if not (creates and one.code in LATER)
            and ((one.code, one.field) not in before or _sent(call, one.field.partition(".")[0]))
        ]
        call.notices.extend(wanted[:MOST])
        return reply

    return handle


def _sent(call: Call, field: str) -> bool:
    """Whether the body has a field of this name, and is no office as it was read, which has all of them."""
    return not is_as_read(call.body) and getattr(call.body, field, None) not in (None, msgspec.UNSET)


def _id(reply: Reply) -> int:
    made = _made.decode(reply.body)
    return int((made.office or made).id)


def _names_others(call: Call) -> bool:
    """Whether an office's body names operators or targets."""
    if getattr(call.body, "operators", None):
        return True
    options = getattr(call.body, "routing_options", None)
    if options is None:
        return False
    for state in (options.open, options.closed):
        if state.action_target_id is not None:
            return True
        for key in state.dtmf or ():
            if key.options is not None and key.options.action_target_id is not None:
                return True
    return False
