"""Many records in one request, as JSON lines or as a table: read so that one that cannot be read spoils no other.

What a record means is the subject's business. Here it becomes a JSON value, or a list of what is wrong with it.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from offhook.kit.errors import Invalid, Malformed, Notice, Refusal, TooLarge, Violation, shown
from offhook.kit.wire import MAX_MEANT, MAX_UNKNOWN, Shape, accepts, integer, integers, meant, parse, shape

NDJSON, CSV = "application/x-ndjson", "text/csv"
MAX_RECORD = 64 * 1024
MAX_ERRORS = 50

_Meta = msgspec.Meta


class RecordError(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a record."""

    location: Annotated[str, _Meta(description="The path of the field; empty for the whole record.")]
    message: Annotated[str, _Meta(description="What is allowed, and what to do.")]
    reason: Annotated[str, _Meta(description="A word for programs; backendError: send the record again.")]
    sent: Annotated[str | None, _Meta(description="What stood there, shortened.")] = None


class RecordWarning(msgspec.Struct, kw_only=True):
    """Something of a record that was ignored, guessed or likely not meant."""

    code: str
    field: str
    text: str


def errors_of(refusal: Refusal) -> list[RecordError]:
    """What a refusal says of a record, at most fifty things."""
    found = refusal.violations or (whole(refusal.message, refusal.reason),)
    errors = [
        RecordError(
            location=violation.location,
            message=violation.message,
            reason=violation.reason,
            sent=violation.sent,
        )
        for violation in found[:MAX_ERRORS]
    ]
    if len(found) > MAX_ERRORS:
        text = f"And {len(found) - MAX_ERRORS} more."
        errors.append(RecordError(location="", message=text, reason=refusal.reason))
    return errors


def warnings_of(notices: Sequence[Notice]) -> list[RecordWarning]:
    """What to say of a record besides."""
    return [RecordWarning(code=notice.code, field=notice.field, text=notice.text) for notice in notices]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was read: a JSON object and what is wrong with its parts; None if it is no object at all."""

    line: int
    value: dict[str, Any] | None = None
    faults: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What records may hold: the fields of `kind`, and `extra` ones that are text.

    `most` is how many there may be; `example` names a field or two for whoever forgot the header of a table.
    """

    kind: type[msgspec.Struct]
    most: int
    example: str
    extra: tuple[str, ...] = ()


def read_records(raw: bytes, media: str, form: Form, notices: list[Notice]) -> list[Record]:
    """The records in `raw`; blank lines are none. Invalid if there are too many, or no CSV header."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    records: list[Record] = []
    for record in _csv_records(raw, form, notices) if media == CSV else _json_records(raw):
        if len(records) == form.most:
            text = f"An import takes at most {form.most} records; nothing was imported. Send the file in parts."
            raise Invalid.of([Violation(location="records", message=text)])
        records.append(record)
    if not records:
        notices.append(Notice("no_records", "", "There was nothing to import."))
    return records


_NOT_BLANK = re.compile(rb"[^\s][^\n]*")
_WHOLE = Violation(
    location="",
    reason=TooLarge.reason,
    message=f"A record may have {MAX_RECORD} bytes; this one has more.",
)


def _json_records(raw: bytes) -> Iterator[Record]:
    counted, line = 0, 1
    for found in _NOT_BLANK.finditer(raw):
        line += raw.count(b"\n", counted, found.start())
        counted = found.start()
        if found.end() - counted > MAX_RECORD:
            yield Record(line, faults=(_WHOLE,))
            continue
        try:
            value = parse(found.group()).value
        except UnicodeDecodeError:
            yield Record(line, faults=(_not_utf8(),))
        except Malformed as refusal:
            yield Record(line, faults=refusal.violations or (whole(refusal.message),))
        else:
            if isinstance(value, dict):
                yield Record(line, value)
            else:
                yield Record(line, faults=(whole("A record must be a JSON object."),))


def whole(message: str, reason: str = "badRequest") -> Violation:
    """What is wrong with a record as a whole."""
    return Violation(location="", message=message, reason=reason)


def _not_utf8() -> Violation:
    return whole("Not UTF-8: save the file in that encoding.")


def _csv_records(raw: bytes, form: Form, notices: list[Notice]) -> Iterator[Record]:
    rows = _csv_rows(raw)
    first = next(rows, None)
    if first is None:
        return
    columns = _columns(first, form, notices)
    for row in rows:
        cells = [cell.strip() for cell in row.cells]
        if row.fault is not None:
            yield Record(row.line, faults=(row.fault,))
        elif any(cells):
            yield _from_cells(row.line, cells, columns)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]
    fault: Violation | None = None


def _csv_rows(raw: bytes) -> Iterator[_Row]:
    """Rows with the line on which each begins. A quote that is opened and never closed spoils its own line only."""
    at, counted, line = 0, 0, 1
    separator: str | None = None
    while found := _NOT_BLANK.search(raw, at):
        start, end = found.span()
        line += raw.count(b"\n", counted, start)
        counted, at = start, end
        if end - start > MAX_RECORD:
            yield _Row(line, [], _WHOLE)
            continue
        quotes, stop = raw.count(b'"', start, end), end
        while quotes % 2 and stop < len(raw) and stop - start <= MAX_RECORD:
            following = raw.find(b"\n", stop + 1)
            following = len(raw) if following < 0 else following
            quotes += raw.count(b'"', stop, following)
            stop = following
        if stop - start > MAX_RECORD:
            yield _Row(line, [], whole("A quote is opened here and not closed within the length of a record."))
            continue
        try:
            text = raw[start:stop].decode().rstrip("\r")
            if separator is None:
                # Spreadsheets write semicolons where the comma is the decimal point.
                separator = ";" if ";" in text and "," not in text else ","
            cells = next(csv.reader([text], strict=True, delimiter=separator))
        except UnicodeDecodeError:
            yield _Row(line, [], _not_utf8())
        except (csv.Error, StopIteration) as error:
            yield _Row(line, [], whole(f"Not CSV: {error}."))
        else:
            at = stop
            yield _Row(line, cells)


Take = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is read: the field it fills, and how its text becomes that field's value, or a ValueError."""

    name: str
    path: tuple[str, ...]
    take: Take


def _columns(header: _Row, form: Form, notices: list[Notice]) -> list[_Column | None]:
    names = [name.strip() for name in header.cells]
    known = {**_fields(shape(form.kind), ()), **{name: _Column(name, (name,), str) for name in form.extra}}
    if header.fault is not None:
        raise Malformed(f"The first row must name the fields. {header.fault.message}")
    if not known.keys() & set(names):
        raise Malformed(f"The first row must name the fields, as {form.example}; none was found.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise Malformed(f"The column {shown(twice[0])} stands twice in the first row.")
    _refuse_misspelt(names, known)
    unknown = [name or f"(column {number})" for number, name in enumerate(names, 1) if name not in known]
    text = "This column is not known and was ignored."
    notices += [Notice("unknown_column", shown(name), text) for name in unknown[:MAX_UNKNOWN]]
    if len(unknown) > MAX_UNKNOWN:
        notices.append(Notice("unknown_column", "", f"{len(unknown) - MAX_UNKNOWN} more unknown columns were ignored."))
    return [known.get(name) for name in names]


def _refuse_misspelt(names: Sequence[str], known: Iterable[str]) -> None:
    """Invalid if columns are called nearly as fields that no column fills: all records would lack what they say."""
    absent = [name for name in known if name not in names]
    unknown = [name for name in names if name and name not in known]
    found = [
        Violation(location=shown(name), message=f"This column is not known, so nothing was imported.{near}")
        for name in unknown[:MAX_MEANT]
        if (near := meant(name, [one for one in absent if not one.startswith(f"{name}.")]))
    ]
    if found:
        raise Invalid.of(found)


def _fields(of: Shape, under: tuple[str, ...]) -> dict[str, _Column]:
    """The columns that there can be, by dotted path: what a struct's fields are, seen from a spreadsheet."""
    structs = {name: (kind, many) for name, kind, many in of.nested}
    found: dict[str, _Column] = {}
    for name, (kind, _) in of.fields.items():
        path = (*under, name)
        take: Take
        if name in structs:
            struct, many = structs[name]
            if not many:
                found |= _fields(shape(struct), path)
                continue
            take = _json
        elif accepts(kind, True):
            take = _boolean
        elif accepts(kind, []):
            take = _words
        elif name in integers(of.type):
            take = integer
        else:
            take = str
        found[".".join(path)] = _Column(".".join(path), path, take)
    return found


def _json(text: str) -> Any:
    try:
        return parse(text.encode()).value
    except Malformed as refusal:
        raise ValueError(refusal.message.replace("The body", "The cell")) from None


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("Must be true or false.")
    return text.lower() == "true"


def _words(text: str) -> Any:
    """Times between spaces; `[]` is a day without any, which an empty cell does not say."""
    return _json(text) if text.startswith("[") else text.split()


def _from_cells(line: int, cells: list[str], columns: list[_Column | None]) -> Record:
    if len(cells) < len(columns) or any(cells[len(columns) :]):
        text = f"The row has {len(cells)} cells, the first row has {len(columns)}."
        return Record(line, faults=(whole(text),))
    value: dict[str, Any] = {}
    faults: list[Violation] = []
    for column, cell in zip(columns, cells, strict=False):
        if column is None or not cell:
            continue
        inner = value
        for part in column.path[:-1]:
            inner = inner.setdefault(part, {})
        try:
            inner[column.path[-1]] = column.take(cell)
        except ValueError as error:
            inner[column.path[-1]] = cell
            faults.append(Violation(location=column.name, message=str(error), sent=shown(cell)))
    return Record(line, value, tuple(faults))
