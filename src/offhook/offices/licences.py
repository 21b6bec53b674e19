"""Buying lines for an office's plan, and how many of them are in use: what v2 leaves to its web pages."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from offhook.access.doing import refuse
from offhook.access.gate import reply_of
from offhook.billing import licences
from offhook.billing import store as plans
from offhook.billing.model import LINES
from offhook.billing.wire import LINE_USES, LicencesOut
from offhook.directory.paths import V1, id_of
from offhook.directory.users.model import LINE_OF
from offhook.directory.work import Work
from offhook.events.keeper import tell
from offhook.events.model import Word
from offhook.kit import clock
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.operation import Call, Operation, Reply
from offhook.kit.text import enumerated
from offhook.kit.wire import Int64, Int64Text, to_int64
from offhook.offices.service import no_office
from offhook.storage.database import Transaction

MOST = 10_000


def _bought(line: str) -> msgspec.Meta:
    licensed = [name for name, one in LINE_OF.items() if one == line]
    whom = f" The licence {enumerated(licensed, 'or')} takes one." if licensed else ""
    return msgspec.Meta(description=f"How many {licences.WORDS[line]}s more. {LINE_USES[line]}{whom}")


LicencesIn: Any = msgspec.defstruct(
    "LicencesIn",
    [(line, Annotated[Int64 | None, _bought(line)], None) for line in LINES],
    kw_only=True,
    omit_defaults=True,
    namespace={
        "__doc__": f"Lines to buy, by kind: at least one, at most {MOST} of each.",
        "elsewhere": {
            "": f" The kinds of lines are {enumerated(LINES)}.",
            **{
                name: f"{name} is a user's licence, not a kind of line: it takes {line}, so buy those."
                for name, line in LINE_OF.items()
            },
        },
    },
)


class OfficeLicences(msgspec.Struct, kw_only=True):
    """The lines of an office's plan, by kind."""

    office_id: Int64Text
    bought: LicencesOut
    used: LicencesOut
    free: LicencesOut


def licences_out(tx: Transaction, tenant_id: int, office_id: int) -> OfficeLicences:
    """How many lines are bought, used and free; NotFound if there is no such office."""
    plan = plans.plan(tx, tenant_id, office_id)
    if plan is None:
        raise no_office(office_id)
    used = licences.used(tx, tenant_id, office_id)
    return OfficeLicences(
        office_id=str(office_id),
        bought=_counts(plan.lines),
        used=_counts(used),
        free=_counts({line: plan.lines[line] - used[line] for line in LINES}),
    )


def _counts(lines: Mapping[str, int]) -> LicencesOut:
    return LicencesOut(**{line: str(lines[line]) for line in LINES})


def wanted(body: Any, found: list[Violation]) -> dict[str, int]:
    """The lines that a body asks for; every number that is not from 1 to 10,000 goes to `found`."""
    lines: dict[str, int] = {}
    for line in LINES:
        sent = getattr(body, line)
        if sent is None:
            continue
        number = to_int64(sent)
        if number is None or not 1 <= number <= MOST:
            text = f"Must be 1 to {MOST}; leave it out to buy none."
            found.append(Violation(location=line, message=text, sent=shown(sent)))
        else:
            lines[line] = number
    if not lines and not found:
        text = f"Must name at least one kind, such as talk_lines; the kinds are {', '.join(LINES)}."
        found.append(Violation(location="", reason="required", message=text))
    return lines


def operations(work: Work) -> list[Operation]:
    """The operations of this subject."""

    async def get(call: Call) -> Reply:
        tenant_id, office_id = call.principal.tenant_id, id_of(call)
        return reply_of(await work.reader.run(lambda tx: licences_out(tx, tenant_id, office_id)))

    async def buy(call: Call) -> Reply:
        at, tenant_id, office_id = clock.now(), call.principal.tenant_id, id_of(call)

        def make(tx: Transaction, _notices: list[Notice]) -> msgspec.Struct:
            before, found = licences_out(tx, tenant_id, office_id), list[Violation]()
            lines = wanted(call.body, found)
            refuse(found)
            plans.add_lines(tx, tenant_id, office_id, lines)
            after = licences_out(tx, tenant_id, office_id)
            tell(tx, call, at, Word.OFFICE_LICENCES_BOUGHT, office_id, before=before, after=after)
            return after

        return await work.create(call, make)

    async def check(call: Call) -> list[Violation]:
        found: list[Violation] = []
        wanted(call.body, found)
        return found

    path = V1 + "/offices/{id}/licences"
    return [
        Operation(
            id="offhook.licences.get",
            method="GET",
            path=path,
            tag="Billing",
            summary="Show an office's licences",
            description="The lines of its plan by kind: bought, used, and free for new users and numbers.",
            handler=get,
            scope="offices:read",
            reply=OfficeLicences,
            reply_description="The lines.",
        ),
        Operation(
            id="offhook.licences.buy",
            method="POST",
            path=path,
            tag="Billing",
            summary="Buy licences",
            description="Adds lines to the office's plan. They can be used at once.",
            handler=buy,
            check=check,
            scope="offices:write",
            body=LicencesIn,
            reply=OfficeLicences,
            reply_description="The lines as they are now.",
            creates=True,
            examples={"Five people and a room": {"talk_lines": 5, "room_lines": 1}},
        ),
    ]
