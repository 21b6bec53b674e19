"""What verification has against a line is said at once, in the answer of the request that made it so.

Added around the operations that change a line. A create of an office is looked at only where it names targets or
operators: a line by itself is checked by the rules, and offices may be created by the thousand.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.kit.errors import Refusal
from offhook.kit.operation import Call, Handler, Operation, Reply
from offhook.routing.model import Company
from offhook.routing.verify import quick

CompanyOf = Callable[[int], Awaitable[Company]]
MOST = 20

log = structlog.get_logger("offhook.verify")

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
}
"""By operation: the kind of what it makes or changes."""

LATER = frozenset({"group_empty", "voicemail_unread"})
"""What is always so of a line that was just created, and is mended by what follows."""


class _Made(msgspec.Struct):
    """The id in the answer of a create."""

    id: int | str = 0
    office: "_Made | None" = None


_made = msgspec.json.Decoder(_Made)


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

    async def handle(call: Call) -> Reply:
        reply = await handler(call)
        if call.dry_run or any(name == b"offhook-replayed" for name, _ in reply.headers):
            return reply
        if id == "offices.create" and not _names_others(call):
            return reply
        try:
            config = await company(call.principal.tenant_id)
            target = Target(kind, _id(reply) if creates else int(call.params["id"]))
            if target not in config.lines and target.id not in config.routers:
                # The company as it was before: the store cannot be read, and calls go by the last that is known.
                return reply
            found = quick(config, target, clock.now(), {one.code for one in call.notices})
        except Refusal as refusal:
            # What was asked for is done; it is not undone because it cannot be looked at.
            log.warning("not_verified", operation=id, cause=refusal.message)
            return reply
        except Exception:
            # Nor does a fault of ours make it look undone: a client would do it again.
            log.exception("not_verified", operation=id)
            return reply
        wanted = [one for one in found if not (creates and one.code in LATER)]
        call.notices.extend(wanted[:MOST])
        return reply

    return handle


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
