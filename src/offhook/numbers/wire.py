"""Numbers as v2 has them, and an import's report, which v2 has not."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.phones import Kind
from offhook.kit.records import RecordError, RecordWarning
from offhook.kit.wire import Int64, Int64Text
from offhook.numbers.model import Number, Status

Meta = msgspec.Meta


class NumberOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A number as v2 answers it."""

    number: Annotated[str | None, Meta(description="E.164.")] = None
    company_id: Int64Text | None = None
    office_id: Annotated[
        Int64Text | None, Meta(description="The office of its target, or that whose pool it is of; else the company's.")
    ] = None
    area_code: Annotated[str | None, Meta(description="Without a trunk prefix.", examples=["415"])] = None
    status: Annotated[Status | None, Meta(description="What kind of thing has it.")] = None
    type: Annotated[Kind | None, Meta(description="What kind of number it is.")] = None
    target_type: Annotated[str | None, Meta(description="The kind of what has it, as targets are named.")] = None
    target_id: Annotated[Int64Text | None, Meta(description="The id of what has it.")] = None
    deleted: Annotated[bool, Meta(description="It has left the company.")] = False


class NumberPage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page of numbers."""

    items: list[NumberOut] = []
    cursor: Annotated[str | None, Meta(description="Absent on the last page.")] = None


class NumberListQuery(msgspec.Struct):
    """Which numbers."""

    cursor: Annotated[str | None, Meta(description="The cursor of the page before.")] = None
    status: Annotated[Status | None, Meta(description="Only numbers of this status.")] = None


class FormatQuery(msgspec.Struct):
    """A number to rewrite."""

    number: Annotated[str, Meta(description="As dialled in country_code, or E.164.")]
    country_code: Annotated[
        str | None, Meta(description="Two letters; needed unless the number begins with +.", examples=["US"])
    ] = None


class FormatOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A number in both forms."""

    e164_number: Annotated[str, Meta(description="E.164.", examples=["+14155550100"])]
    local_number: Annotated[str, Meta(description="As its own country writes it.", examples=["(415) 555-0100"])]
    area_code: Annotated[str, Meta(description="How the local form begins.", examples=["(415)"])]
    country_code: Annotated[str | None, Meta(description="In upper case.", examples=["US"])] = None


class NumberIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A number to add to the inventory."""

    number: Annotated[str, Meta(description="E.164.", examples=["+442071838750"])]
    type: Annotated[Kind | None, Meta(description="Its kind, if the digits do not say it.")] = None
    office_id: Annotated[Int64 | None, Meta(description="Keep it for this office; else any office may get it.")] = None


class NumberRecordOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one record of an import."""

    line: Annotated[int, Meta(description="The line on which it begins, counted from 1.")]
    status: Literal["created", "existing", "refused", "would_create"]
    number: Annotated[str | None, Meta(description="The number, shortened where it was refused.")] = None
    errors: Annotated[list[RecordError], Meta(description="Everything that is wrong with it, at once.")] = []
    warnings: Annotated[list[RecordWarning], Meta(description="What was ignored or guessed.")] = []


class NumbersImportOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of an import of numbers."""

    created: Annotated[int, Meta(description="Numbers that were added; in a dry run none.")]
    existing: Annotated[int, Meta(description="Records whose number the company had.")]
    refused: Annotated[int, Meta(description="Records that broke a rule, or that the store could not take.")]
    would_create: Annotated[int, Meta(description="In a dry run: numbers that would be added.")] = 0
    dry_run: bool = False
    records: Annotated[list[NumberRecordOut], Meta(description="One for each record, in the order of the file.")]


def number_out(number: Number, company_id: int) -> NumberOut:
    """A number as v2 answers it."""
    office = number.target_office_id or number.office_id
    return NumberOut(
        number=number.e164,
        company_id=str(company_id),
        office_id=str(office) if office else None,
        area_code=number.area_code or None,
        status=number.status,
        type=number.type,
        target_type=number.target_type or None,
        target_id=str(number.target_id) if number.target_type else None,
    )
