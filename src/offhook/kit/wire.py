"""Conventions of the v2 wire: one strict JSON reader, int64 as text, absent nulls, booleans in any case.

`read` is the only way a request body becomes a value. It never stops at the first fault: it lists every place that does
not fit the struct, and every field that the struct does not know.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from offhook.kit.errors import Invalid, Malformed, Notice, Violation, shown

T = TypeVar("T", bound=msgspec.Struct)

MAX_DEPTH = 32
MAX_FAULTS = 100
MAX_UNKNOWN, MAX_MEANT = 20, 5
INT64_MAX = 2**63 - 1

Int64 = Annotated[
    int | str,
    msgspec.Meta(
        description="A 64-bit integer, as a JSON number or as a string of digits.",
        extra_json_schema={"format": "int64", "x-offhook-type": "Integer"},
    ),
]
Int64Text = Annotated[
    str,
    msgspec.Meta(pattern=r"^-?\d{1,19}$", extra_json_schema={"format": "int64"}),
]

_DIGITS = re.compile(r"-?\d{1,19}")


def to_int64(value: int | str) -> int | None:
    """`value` as an integer within 64 bits, or None if it is not one."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value) or not value.isascii():
            return None
        value = int(value)
    return value if -INT64_MAX - 1 <= value <= INT64_MAX else None


def int64_at(value: int | str, location: str) -> int:
    """`value` as an integer within 64 bits; Invalid at `location` if it is not one."""
    found = to_int64(value)
    if found is None:
        text = "Must be a 64-bit integer, written with digits."
        raise Invalid.of([Violation(location=location, message=text, sent=shown(value))])
    return found


class Document(msgspec.Struct, frozen=True):
    """A JSON body read without loss: its value, and a digest that does not depend on spacing or key order."""

    value: Any
    canonical: bytes

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(self.canonical).digest()


def parse(raw: bytes) -> Document:
    """Strict JSON: UTF-8, one document, no NaN or Infinity, no key twice in an object, at most 32 levels deep.

    Duplicate keys are found without a second parser. Every member of an object carries one structural colon, and the
    decoder keeps one of two equal keys; so the text has more colons than its re-encoded value exactly when a key was
    dropped. Only an escaped colon (\\u003a) could hide that, and such a body takes the slow way.
    """
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what, line, column = _located(error, raw)
        raise Malformed(f"The body is not valid JSON: {what} (line {line}, column {column}).") from None
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    canonical = encode_sorted(value)
    if canonical.count(b"{") + canonical.count(b"[") > MAX_DEPTH:
        _refuse_depth(value)
    if raw.count(b":") != canonical.count(b":") or b"\\u003" in raw:
        _refuse_duplicates(raw)
    return Document(value, canonical)


def json_fault(raw: bytes) -> tuple[str, int, int] | None:
    """What is wrong with a text as JSON, and where (line and column, from 1); None if nothing is, or it is too deep."""
    try:
        _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _located(error, raw)
    except RecursionError:
        pass
    return None


def _located(error: Exception, raw: bytes) -> tuple[str, int, int]:
    said = str(error)
    match = _AT_BYTE.search(said)
    at = int(match[1]) if match else len(raw)
    what = "it ends before it is whole" if "truncated" in said else _AT_BYTE.sub("", said.partition(": ")[2] or said)
    try:
        raw.decode()
    except UnicodeDecodeError as wrong:
        what, at = "this is not UTF-8", wrong.start
    begin = raw.rfind(b"\n", 0, at) + 1
    return what, raw.count(b"\n", 0, at) + 1, len(raw[begin:at].decode(errors="replace")) + 1


_AT_BYTE = re.compile(r" \(byte (\d+)\)")
_decode = msgspec.json.Decoder().decode
encode_sorted = msgspec.json.Encoder(order="sorted").encode
encode = msgspec.json.Encoder().encode


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 0
    while level := [inner for outer in level for inner in _members(outer)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _members(value: Any) -> Iterable[Any]:
    """What is nested in a container, and a mark for the container itself so that an empty one counts as a level."""
    if type(value) is dict:
        return value.values() or (None,)
    return value or (None,) if type(value) is list else ()


def _refuse_duplicates(raw: bytes) -> None:
    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in members:
            if key in found:
                raise Malformed(
                    f"The key {shown(key)} stands twice in one object; send it once.",
                    [
                        Violation(
                            location=shown(key), message="This key stands twice in one object.", reason="duplicate"
                        )
                    ],
                )
            found[key] = value
        return found

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except RecursionError:
        # Nesting may stand under a key that the decoder dropped, and this reader goes less deep than that one.
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None


class Misfit(Invalid):
    """A body that does not fit its struct. `mended` does: what was faulty is left out or stands in, so that the rules
    can still be asked about the rest; `explains` tells whether a rule's violation is only an echo of such a fault.
    """

    def __init__(self, message: str, violations: Iterable[Violation], mended: Any) -> None:
        super().__init__(message, violations)
        self.mended = mended

    def explains(self, violation: Violation) -> bool:
        return any(
            one == fault.location
            or one.startswith((fault.location + ".", fault.location + "["))
            or fault.location.startswith((one + ".", one + "["))
            for one in (violation.location, *violation.about)
            for fault in self.violations
        )


class Shape(msgspec.Struct, frozen=True):
    """What a struct expects, laid out for finding faults: wire name, type without None, whether it must be there.

    `elsewhere` are fields that the struct lacks and what to say of them, if it has a class variable of that name: which
    other request takes them. What stands at "" ends what is said of any other field that is near to none.
    """

    type: Any
    fields: dict[str, tuple[Any, bool]]
    names: frozenset[str]
    nested: tuple[tuple[str, Any, bool], ...]
    elsewhere: Mapping[str, str] = {}


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        rest = [a for a in get_args(kind) if a is not NoneType]
        return rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007 - built at run time
    return kind


def _bare(kind: Any) -> Any:
    """`kind` without None and without annotations, however they are nested."""
    while True:
        inner = _without_none(kind)
        if get_origin(inner) is Annotated:
            inner = get_args(inner)[0]
        if inner is kind:
            return kind
        kind = inner


def is_struct(kind: Any) -> bool:
    """Whether a type is one whose fields are looked into."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@lru_cache(maxsize=256)
def shape(kind: type[msgspec.Struct]) -> Shape:
    """The shape of a struct type; optional fields are those with a default."""
    hints = get_type_hints(kind, include_extras=True)
    fields: dict[str, tuple[Any, bool]] = {}
    nested: list[tuple[str, Any, bool]] = []
    for info in msgspec.structs.fields(kind):
        hint = _without_none(hints[info.name])
        fields[info.encode_name] = (hint, info.required)
        bare = _bare(hint)
        if is_struct(bare):
            nested.append((info.encode_name, bare, False))
        elif get_origin(bare) is list and is_struct(_bare(get_args(bare)[0])):
            nested.append((info.encode_name, _bare(get_args(bare)[0]), True))
    return Shape(kind, fields, frozenset(fields), tuple(nested), getattr(kind, "elsewhere", {}))


def fit(value: Any, kind: type[T], notices: list[Notice]) -> T:
    """`value` (decoded JSON) as a `kind`, or Misfit with every violation; unknown fields become notices.

    A null counts as absent: for a required field that is missing, for an optional one it takes the default.
    """
    if not isinstance(value, dict):
        raise Invalid.of([Violation(location="", message=f"The body must be a JSON object, not {_kind_of(value)}.")])
    try:
        result = msgspec.convert(value, kind)
    except msgspec.ValidationError:
        found: list[Violation] = []
        _faults(value, shape(kind), "", found)
        if found:
            _note_unknown(value, kind, notices)
            raise _misfit(found, value, kind) from None
        result = _convert(_pruned(value), kind)
    _note_unknown(value, kind, notices)
    return result


def _convert(value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise Invalid.of([Violation(location="", message=f"{error}.")]) from None


def _note_unknown(value: Any, kind: type[msgspec.Struct], notices: list[Notice]) -> None:
    unknown: list[_Unknown] = []
    _unknown(value, shape(kind), "", unknown)
    for index, (prefix, key, of) in enumerate(unknown[:MAX_UNKNOWN]):
        text = of.elsewhere.get(key)
        if text is None:
            # Looking for what was meant takes its time, and a body may have thousands of names.
            near = (meant(key, of.names) or of.elsewhere.get("", "")) if index < MAX_MEANT else ""
            text = f"This field is not known and was ignored.{near}"
        notices.append(Notice("unknown_field", prefix + shown(key), text))
    if len(unknown) > MAX_UNKNOWN:
        notices.append(Notice("unknown_field", "", f"{len(unknown) - MAX_UNKNOWN} more unknown fields were ignored."))


def _misfit(found: list[Violation], value: Any, kind: type[T]) -> Invalid:
    whole = Invalid.of(found)
    try:
        mended = msgspec.convert(_mended(value, shape(kind)), kind)
    except msgspec.ValidationError:
        # Nothing can stand in, for instance for a list that may not be empty.
        return whole
    return Misfit(whole.message, whole.violations, mended)


def _refuse_nul(raw: bytes, value: T, kind: type[T]) -> None:
    """Misfit if a field that is declared as text has a NUL, which no store keeps. Data of any form may have it."""
    if b"\\u0000" not in raw:
        return
    found: list[Violation] = []
    _nuls(value, kind, "", found)
    if found:
        whole = Invalid.of(found)
        # It stays in what the rules are asked about: without it they would take the text for another one.
        raise Misfit(whole.message, whole.violations, value)


def _nuls(value: Any, kind: Any, at: str, found: list[Violation]) -> None:
    bare = _bare(kind)
    kinds = get_args(bare) if get_origin(bare) in (Union, UnionType) else (bare,)
    if isinstance(value, str) and "\0" in value and Any not in kinds:
        message = (
            f"Must be text without a NUL (U+0000), which stands as character {value.index(chr(0)) + 1}; remove it."
        )
        found.append(Violation(location=at, message=message, sent=shown(value)))
    elif isinstance(value, msgspec.Struct):
        for name, field in zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True):
            _nuls(getattr(value, field), shape(type(value)).fields[name][0], f"{at}.{name}" if at else name, found)
    elif isinstance(value, list | dict):
        inner = next((get_args(_bare(one))[-1] for one in kinds if get_origin(_bare(one)) is type(value)), Any)
        if _bare(inner) is not Any:
            members = value.items() if isinstance(value, dict) else enumerate(value)
            for key, member in members:
                if isinstance(key, str):
                    _nuls(key, str, at, found)
                _nuls(member, inner, f"{at}.{shown(key)}" if isinstance(key, str) else f"{at}[{key}]", found)


def read(
    raw: bytes,
    kind: type[T],
    notices: list[Notice],
    adapt: Callable[[dict[str, Any], list[Notice]], dict[str, Any]] | None = None,
) -> tuple[T, bytes]:
    """The body `raw` as a `kind`, and its canonical form; see `parse` and `fit` for what is refused.

    `adapt` may bring the decoded object into the form of the struct first; it sees the nulls, which count as absent
    afterwards.

    Nearly every body holds known fields only, each once and none of them null. Decoded straight into the struct and
    encoded again, it has as many colons as before, and by the argument of `parse` that proves all of this at once.
    """
    if adapt is not None:
        given = parse(raw).value
        found = fit(adapt(given, notices) if isinstance(given, dict) else given, kind, notices)
        _refuse_nul(raw, found, kind)
        return found, encode(found)
    try:
        result = _decoder(kind).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        canonical = encode(result)
        if raw.count(b":") == canonical.count(b":") and b"\\u003" not in raw:
            _refuse_nul(raw, result, kind)
            return result, canonical
    document = parse(raw)
    unknown: list[Notice] = []
    try:
        result = fit(document.value, kind, unknown)
    finally:
        notices += unknown
    _refuse_nul(raw, result, kind)
    return result, encode_sorted(_pruned(document.value)) if unknown else encode(result)


def read_plain(raw: bytes, kind: Any) -> Any:
    """The body `raw` as a map or a list whose members are not looked into; Invalid for anything else."""
    value = parse(raw).value
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = _explain(kind, str(error))
        raise Invalid.of([Violation(location="", message=text, sent=shown(value))]) from None


@lru_cache(maxsize=256)
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


def normal(value: Any, of: Shape) -> Any:
    """`value` so written that what means the same is the same: nulls left out, 64-bit integers as numbers."""
    if not isinstance(value, dict):
        return value
    structs = {name: (kind, many) for name, kind, many in of.nested}
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if inner is None:
            continue
        if name in structs:
            struct, many = structs[name]
            if many and isinstance(inner, list):
                inner = [normal(item, shape(struct)) for item in inner]
            elif not many:
                inner = normal(inner, shape(struct))
        elif isinstance(inner, str) and name in integers(of.type):
            inner = integer(inner)
        found[name] = inner
    return found


def accepts(kind: Any, value: Any) -> bool:
    """Whether `value` is of the type `kind`."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


@lru_cache(maxsize=256)
def integers(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields of a struct that take 64-bit integers, as numbers and as text."""
    fields = shape(kind).fields.items()
    return frozenset(name for name, (hint, _) in fields if accepts(hint, 1) and accepts(hint, "1"))


def integer(text: str) -> int | str:
    """The 64-bit integer that `text` writes, or `text` itself if it is none."""
    number = to_int64(text)
    return text if number is None else number


_Unknown = tuple[str, str, Shape]
"""A field that is not known: the path before it, its name, and the shape that lacks it."""


def _unknown(value: Any, of: Shape, prefix: str, found: list[_Unknown]) -> None:
    if not isinstance(value, dict):
        return
    if not value.keys() <= of.names:
        found.extend((prefix, key, of) for key in value if key not in of.names)
    for name, kind, many in of.nested:
        inner = value.get(name)
        if inner is None:
            continue
        if many:
            for index, item in enumerate(inner if isinstance(inner, list) else ()):
                _unknown(item, shape(kind), f"{prefix}{name}[{index}].", found)
        else:
            _unknown(inner, shape(kind), f"{prefix}{name}.", found)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_pruned(inner) for inner in value]
    return value


def _mended(value: Any, of: Shape) -> dict[str, Any]:
    """`value` with what does not fit left out, and stand-ins for what is required; it converts to `of`."""
    value = value if isinstance(value, dict) else {}
    nested = {name: (kind, many) for name, kind, many in of.nested}
    mended: dict[str, Any] = {}
    for name, (kind, required) in of.fields.items():
        inner = value.get(name)
        if name in nested and inner is not None:
            struct, many = nested[name]
            if not many and (isinstance(inner, dict) or required):
                mended[name] = _mended(inner, shape(struct))
                continue
            if many and isinstance(inner, list):
                inner = [_mended(item, shape(struct)) for item in inner]
        try:
            if inner is not None:
                msgspec.convert(inner, kind)
                mended[name] = inner
                continue
        except msgspec.ValidationError:
            pass
        if required:
            mended[name] = _stand_in(kind)
    return mended


def _stand_in(kind: Any) -> Any:
    """Something of the type: what its Meta names under `stand_in`, else the plainest value."""
    for meta in _metas(kind):
        if meta.extra and "stand_in" in meta.extra:
            return meta.extra["stand_in"]
    bare = _bare(kind)
    if is_struct(bare):
        return _mended({}, shape(bare))
    if get_origin(bare) is Literal:
        return get_args(bare)[0]
    return {bool: False, str: "-", int: 1, float: 1.0}.get(bare, [] if get_origin(bare) is list else 1)


def _faults(value: Any, of: Shape, prefix: str, found: list[Violation]) -> None:
    if not isinstance(value, dict):
        found.append(
            Violation(
                location=prefix.rstrip("."), message=f"Must be an object, not {_kind_of(value)}.", sent=shown(value)
            )
        )
        return
    nested = {name: (kind, many) for name, kind, many in of.nested}
    for name, (kind, required) in of.fields.items():
        inner = value.get(name)
        place = prefix + name
        if inner is None:
            if required:
                text = "This field is required" + ("; null counts as missing." if name in value else ".")
                found.append(Violation(location=place, reason="required", message=text))
        elif name in nested:
            struct, many = nested[name]
            if not many:
                _faults(inner, shape(struct), place + ".", found)
            elif isinstance(inner, list):
                _length(inner, kind, place, found)
                for index, item in enumerate(inner):
                    if len(found) >= MAX_FAULTS:
                        break
                    _faults(item, shape(struct), f"{place}[{index}].", found)
            else:
                found.append(
                    Violation(location=place, message=f"Must be a list, not {_kind_of(inner)}.", sent=shown(inner))
                )
        elif get_origin(_bare(kind)) is list and isinstance(inner, list):
            _length(inner, kind, place, found)
            for index, item in enumerate(inner):
                if len(found) >= MAX_FAULTS:
                    break
                _leaf(item, get_args(_bare(kind))[0], f"{place}[{index}]", found)
        else:
            _leaf(inner, kind, place, found)


def _metas(kind: Any) -> Iterator[msgspec.Meta]:
    """The annotations of a type, however they are nested."""
    for part in (kind, _without_none(kind)):
        if get_origin(part) is Annotated:
            yield from (meta for meta in get_args(part)[1:] if isinstance(meta, msgspec.Meta))
            yield from _metas(get_args(part)[0])
            return


def _length(items: list[Any], kind: Any, place: str, found: list[Violation]) -> None:
    for meta in _metas(kind):
        least, most = meta.min_length or 0, meta.max_length
        if len(items) < least or (most is not None and len(items) > most):
            text = f"Must have {least} to {most} entries; this list has {len(items)}."
            found.append(Violation(location=place, message=text))


def _leaf(value: Any, kind: Any, place: str, found: list[Violation]) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found.append(Violation(location=place, message=_explain(kind, str(error), value), sent=shown(value)))


_PLAIN: dict[Any, str] = {
    bool: "Must be true or false.",
    str: "Must be a string.",
    int: "Must be a whole number.",
    list: "Must be a list.",
}


def _explain(kind: Any, error: str, sent: Any = None) -> str:
    allowed = getattr(_bare(kind), "__args__", ())
    if allowed and all(isinstance(a, str) for a in allowed):
        near = meant(sent, allowed).lstrip()
        return f"{near}{' ' if near else ''}Must be one of: {', '.join(sorted(allowed))}."
    if _bare(kind) == int | str:
        return "Must be an integer: a number, or a string of digits."
    plain = _PLAIN.get(get_origin(_bare(kind)) or _bare(kind))
    if plain is not None and error.startswith("Expected") and ", got" in error:
        return plain
    text = error.split(" - at `$")[0].rstrip(".")
    return text[:1].upper() + text[1:] + "."


def meant(sent: Any, allowed: Iterable[str]) -> str:
    """What a word that is not allowed was likely meant to be: the same in another case, or nearly the same.

    " Did you mean this?", or nothing. Takes a tenth of a millisecond among thirty words.
    """
    if not isinstance(sent, str) or not 1 < len(sent) <= 64:
        return ""
    by_case = {word.casefold(): word for word in sorted(allowed)}
    near = difflib.get_close_matches(sent.strip().casefold(), by_case, n=1, cutoff=0.8)
    return f" Did you mean {by_case[near[0]]}?" if near else ""


def _kind_of(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", NoneType: "null"}
    return names.get(type(value), "a number")


def read_query(query: Mapping[str, list[str]], kind: type[T], notices: list[Notice]) -> T:
    """Query parameters as a `kind`: empty values are absent, booleans in any case; no NUL, no name twice."""
    of = shape(kind)
    values: dict[str, Any] = {}
    found: list[Violation] = []
    for name, given in query.items():
        present = [v for v in given if v != ""]
        if name not in of.names:
            if present and name != "apikey":
                notices.append(Notice("unknown_parameter", shown(name), "This query parameter is not known."))
            continue
        if len(present) > 1:
            found.append(Violation(location=name, message="Send this parameter once.", sent=shown(given)))
        elif present and "\0" in present[0] and name != "cursor":
            # No store has a text with it, so that nothing can be found by it. A cursor has a refusal of its own.
            message = "Must be text without control characters."
            found.append(Violation(location=name, message=message, sent=shown(present[0])))
        elif present:
            bare = _bare(of.fields[name][0])
            text: Any = present[0]
            values[name] = text.lower() if bare is bool else text
    for name, (hint, required) in of.fields.items():
        if name in values:
            try:
                values[name] = msgspec.convert(values[name], hint, strict=False)
            except msgspec.ValidationError as error:
                found.append(Violation(location=name, message=_explain(hint, str(error)), sent=shown(values[name])))
            else:
                if type(values[name]) is int and to_int64(values[name]) is None:
                    text = "Must be a whole number of at most 64 bits."
                    found.append(Violation(location=name, message=text, sent=shown(values[name])))
        elif required and not any(one.location == name for one in found):
            found.append(Violation(location=name, reason="required", message="This parameter is required."))
    if found:
        raise Invalid.of(found)
    return msgspec.convert(values, kind)
