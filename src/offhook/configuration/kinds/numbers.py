"""Numbers in a file: the inventory, and the lists of numbers of what has them, the primary one first."""

from functools import cache
from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Kind, Special, Unique, Wanted, each, words
from offhook.configuration.kinds.parts import in_order
from offhook.configuration.names import Names
from offhook.kit.errors import Invalid, Violation
from offhook.kit.phones import check_e164
from offhook.kit.wire import encode
from offhook.numbers import store
from offhook.numbers.fiction import fictional_numbers, supply
from offhook.numbers.service import SANDBOX_NUMBERS
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

_PAGE = 1000


def normal_number(value: Any) -> Any:
    """A number in E.164, however it is spaced; what is none is the inventory's to refuse."""
    text = words(value)
    number = check_e164(text, "")[0] if isinstance(text, str) else None
    return number or text


def load(tx: Transaction, tenant_id: int) -> list[Item]:
    """The inventory; a number's id here is its digits."""
    found: list[Any] = []
    while page := store.page(tx, tenant_id, found[-1].e164 if found else "", _PAGE):
        found += page
    return [Item(int(one.e164), one.e164, one, one.office_id, tenant_id=tenant_id) for one in found]


def _pool(_tx: Transaction, item: Item, names: Names) -> str | None:
    return names.key("office", item.office_id) if item.office_id else None


def _add(run: "Run", wanted: Wanted) -> int:
    number = wanted.given.get("number") or wanted.key
    record = {"number": number}
    if wanted.given.get("office"):
        record["office_id"] = str(run.refer("office", wanted.given["office"], "office"))
    answer = run.do("offhook.numbers.import", raw=encode(record), media="application/x-ndjson")
    became = answer["records"][0]
    if became["status"] == "refused":
        raise Invalid.of(
            [
                Violation(
                    location="office" if one["location"] == "office_id" else "",
                    message=one["message"],
                    reason=one["reason"],
                    sent=one.get("sent"),
                )
                for one in became["errors"]
            ]
        )
    return int(normal_number(number))


def _delete(run: "Run", wanted: Wanted) -> None:
    run.do("numbers.delete", params={"number": wanted.key}, query={"release": "true"})


@cache
def _stock(country: str) -> frozenset[str]:
    return frozenset(fictional_numbers(country, min(SANDBOX_NUMBERS, supply(country))))


def _is_stock(item: Item) -> bool:
    """Whether it is one of the fictional numbers that every sandbox has from the beginning."""
    return item.name in _stock(item.value.country)


def _is_idle(item: Item) -> bool:
    number = item.value
    return _is_stock(item) and number.status == "available" and not number.office_id


NUMBERS = Kind(
    section="numbers",
    type="number",
    implied=("number",),
    fields=(
        Field("number", show=lambda _tx, item, _names: item.name, normal=normal_number, wire=""),
        Field("office", show=_pool, refers="office", mutable=False),
    ),
    load=load,
    create="",
    update="",
    delete="numbers.delete",
    make=_add,
    remove=_delete,
    supplied=_is_stock,
    idle=_is_idle,
)


# What has numbers


def _held(run: "Run", wanted: Wanted) -> list[str]:
    """The numbers that a record has now, in order as far as it is known."""
    has = {one.e164 for one in store.of_target(run.tx, run.tenant_id, wanted.kind.type, wanted.id)}
    before = wanted.record.fields["phone_numbers"] or [] if wanted.record is not None else []
    first = [number for number in before if number in has]
    return first + sorted(has.difference(first))


def _give_up(run: "Run", wanted: Wanted) -> None:
    """Those that another is to have, with all else that the record shall not have."""
    listed = wanted.given["phone_numbers"] or []
    for number in _held(run, wanted):
        if number not in listed:
            run.do("numbers.delete", params={"number": number}, at="phone_numbers")


def _take(run: "Run", wanted: Wanted) -> None:
    listed = wanted.given["phone_numbers"] or []
    twice = [index for index, number in enumerate(listed) if number in listed[:index]]
    if twice:
        text = "This number stands twice in the list."
        raise Invalid.of(
            [Violation(location=f"phone_numbers[{index}]", message=text, reason="duplicate") for index in twice]
        )
    left, joined = in_order(_held(run, wanted), listed)
    for number in left:
        run.do("numbers.delete", params={"number": number}, at="phone_numbers")
    for number in joined:
        run.wait_for("number", number)
        run.do(
            "numbers.assign_number.post",
            params={"number": number},
            body={"target_type": wanted.kind.type, "target_id": wanted.id, "primary": False},
            at=f"phone_numbers[{listed.index(number)}]",
        )


PHONE_NUMBERS = Field("phone_numbers", normal=each(normal_number), wire="")
HOLDS = Special(("phone_numbers",), _take)
NUMBERS_HELD = Unique("number", lambda value: value("phone_numbers") or (), _give_up)
