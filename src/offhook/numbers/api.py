"""The routes of the inventory itself: reading it, importing into it, and rewriting a number. Who gets which number is
the directory's business, since it knows who there is.
"""

from offhook.access.gate import reply_of
from offhook.access.v2 import V2_OPERATIONS
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Invalid, NotFound, Violation, shown
from offhook.kit.operation import MIB, Call, Limit, Operation, Reply
from offhook.kit.phones import about, check_e164, check_phone, has_plan, national
from offhook.kit.records import CSV, NDJSON
from offhook.numbers import bulk, store, wire
from offhook.storage.batches import Reader, Within

TAG = "Numbers"
_PAGE = 100


def number_of(call: Call) -> str:
    """The number in a path, in E.164; Invalid if it is not written so."""
    text = str(call.params["number"])
    e164, fault = check_e164(text, "number")
    if e164 is None:
        raise Invalid.of([fault] if fault else [])
    return e164


def no_number(e164: str) -> NotFound:
    """The answer for a number that the company does not have."""
    return NotFound(f"There is no number {e164} in the company's inventory.")


def operations(reader: Reader | Within, cursors: Cursors, imports: bulk.Imports) -> list[Operation]:
    """The operations of this subject."""

    async def page(call: Call) -> Reply:
        query: wire.NumberListQuery = call.query or wire.NumberListQuery()
        tenant_id, filters = call.principal.tenant_id, [query.status]
        position = cursors.open(query.cursor, "numbers", tenant_id, filters) if query.cursor else 0
        after = f"+{position}" if position else ""
        found = await reader.run(lambda tx: store.page(tx, tenant_id, after, _PAGE + 1, query.status))
        here = found[:_PAGE]
        cursor = cursors.seal("numbers", tenant_id, filters, int(here[-1].e164)) if len(found) > _PAGE else None
        items = [wire.number_out(number, call.principal.company_id) for number in here]
        return reply_of(wire.NumberPage(items=items, cursor=cursor))

    async def get(call: Call) -> Reply:
        tenant_id, e164 = call.principal.tenant_id, number_of(call)
        number = await reader.run(lambda tx: store.get(tx, tenant_id, e164))
        if number is None:
            raise no_number(e164)
        return reply_of(wire.number_out(number, call.principal.company_id))

    async def rewrite(call: Call) -> Reply:
        query: wire.FormatQuery = call.query
        country = (query.country_code or "").upper()
        found: list[Violation] = []
        if country and not has_plan(country):
            text = "Must be a country as two letters, such as US."
            found.append(Violation(location="country_code", message=text, sent=shown(query.country_code)))
        # In a URL a plus that is not written %2B is a space.
        text = "+" + query.number[1:] if query.number.startswith(" ") else query.number
        e164, fault = check_phone(text, country, "number")
        if fault is not None:
            found.append(fault)
        if found or e164 is None:
            raise Invalid.of(found)
        local, digits = national(e164), about(e164)
        return reply_of(
            wire.FormatOut(
                e164_number=e164,
                local_number=local,
                area_code=local.split()[0],
                country_code=digits.country if digits.country.isalpha() else None,
            )
        )

    return [
        Operation(
            id="numbers.list",
            method="GET",
            path="/api/v2/numbers",
            tag=TAG,
            summary="List numbers",
            description="The company's numbers in the order of their digits, of one status or of all.",
            better="a status that there is not is refused and those that there are named; no page grows slower",
            handler=page,
            scope="numbers:read",
            limit=V2_OPERATIONS["numbers.list"].limit,
            query=wire.NumberListQuery,
            reply=wire.NumberPage,
            reply_description="A page of numbers.",
        ),
        Operation(
            id="numbers.get",
            method="GET",
            path="/api/v2/numbers/{number}",
            tag=TAG,
            summary="Show a number",
            description="What kind of number it is, and what has it. The + may be written as %2B.",
            handler=get,
            scope="numbers:read",
            limit=V2_OPERATIONS["numbers.get"].limit,
            reply=wire.NumberOut,
            reply_description="The number.",
        ),
        Operation(
            id="format.post",
            method="POST",
            path="/api/v2/numbers/format",
            tag=TAG,
            summary="Format a phone number",
            description="A number as dialled in a country or in E.164, in both forms. It need not be the company's.",
            note="the published texts of e164_number and local_number are each other's; here the names are right",
            handler=rewrite,
            scope="numbers:read",
            limit=V2_OPERATIONS["format.post"].limit,
            query=wire.FormatQuery,
            reply=wire.FormatOut,
            reply_description="The number in both forms.",
        ),
        Operation(
            id="offhook.numbers.import",
            method="POST",
            path="/api/offhook/v1/numbers/import",
            tag=TAG,
            summary="Import numbers",
            description=bulk.DESCRIPTION,
            handler=imports.run,
            scope="numbers:write",
            limit=Limit(count=60),
            reply=wire.NumbersImportOut,
            reply_description="What became of each record, in the order of the file.",
            media=(NDJSON, CSV),
            body_limit=16 * MIB,
            creates=True,
            rehearsal=None,
            refusals=(409,),
        ),
    ]
