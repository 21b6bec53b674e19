"""Parts that several kinds have: where they are, hours, routing, addresses."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from offhook.configuration.kind import Field, Item, as_it_is, plain, words
from offhook.configuration.names import Names
from offhook.configuration.waiting import gathered
from offhook.directory.lines.wire import RoutingStateOut, TargetType
from offhook.hours.model import DAYS
from offhook.hours.rules import DEFAULT_WEEK
from offhook.kit.errors import Invalid, Violation, shown
from offhook.storage.database import Transaction
from offhook.storage.documents import Documents, Kept

if TYPE_CHECKING:
    from offhook.configuration.run import Run

PAGE = 500
TARGET_TYPES: tuple[str, ...] = get_args(TargetType)


def everything(
    documents: Documents[Any], name: Callable[[Any], str], office: Callable[[Any], int] = lambda _: 0
) -> Callable[[Transaction, int], list[Item]]:
    """Loads all documents of a company."""

    def load(tx: Transaction, tenant_id: int) -> list[Item]:
        found: list[Kept[Any]] = []
        while page := documents.page(tx, tenant_id, found[-1].id if found else 0, PAGE):
            found += page
        return [
            Item(kept.id, name(kept.value), kept.value, office(kept.value), kept.state, tenant_id) for kept in found
        ]

    return load


def referring(word: str) -> Callable[["Run", Any, str], Any]:
    """Sends the id of the record that is called so."""

    def send(run: "Run", value: Any, place: str) -> str:
        return str(run.refer(word, value, place))

    return send


def _office(_tx: Transaction, item: Item, names: Names) -> str:
    return names.key("office", item.office_id)


OFFICE = Field("office", show=_office, wire="office_id", send=referring("office"), refers="office", mutable=False)
NAME = Field("name")


# Hours


def day_text(times: Sequence[str]) -> str:
    """Opening and closing times in turn as people write them: `08:00-12:00 14:00-18:00`, or `closed`."""
    pairs = [f"{start}-{end}" for start, end in zip(times[::2], times[1::2], strict=True)]
    return " ".join(pairs) or "closed"


def normal_day(value: Any) -> str:
    """A day's hours in the file's form."""
    if not isinstance(value, str):
        raise ValueError("Must be opening hours as 08:00-12:00 14:00-18:00, or closed.")
    parts = value.replace("–", "-").replace(",", " ").split()
    if parts == ["closed"]:
        return "closed"
    if not parts or any(part.count("-") != 1 for part in parts):
        raise ValueError("Must be opening hours as 08:00-12:00 14:00-18:00, or closed.")
    return " ".join(parts)


def send_day(_run: "Run", value: str, _place: str) -> list[str]:
    """A day's hours as bodies take them."""
    return [] if value == "closed" else [time for pair in value.split() for time in pair.split("-")]


def _shows_day(index: int) -> Callable[[Transaction, Item, Names], str]:
    return lambda _tx, item, _names: day_text(item.value.week[index])


HOURS = (
    Field("hours_on", False, normal=as_it_is, besides=tuple(f"hours.{day}" for day in DAYS)),
    *(
        Field(
            f"hours.{day}",
            day_text(DEFAULT_WEEK[index]),
            show=_shows_day(index),
            normal=normal_day,
            wire=f"{day}_hours",
            send=send_day,
        )
        for index, day in enumerate(DAYS)
    ),
)


# Routing


def target_text(word: str | None, id: str | None, names: Names) -> str | None:
    """A target by what it is called: `department Lisbon/Support`."""
    if word is None:
        return None
    return f"{word} {names.key(word, int(id))}" if id else word


def send_target(run: "Run", value: Any, place: str, *, own: bool = False) -> dict[str, Any]:
    """A target as bodies take it; it stands under `place`, or there itself if it is a field of its `own`."""
    place = place if own else f"{place}.target"
    word, _, key = str(value).partition(" ")
    if word not in TARGET_TYPES:
        text = f"Must be a kind and a name, as department Lisbon/Support; kinds are {', '.join(TARGET_TYPES)}."
        raise Invalid.of([Violation(location=place, message=text, sent=shown(value))])
    key = key.strip()
    if not key:
        return {"action_target_type": word}
    if not run.knows(word, key) and key.isascii() and key.isdigit():
        # What is not there any more has no name; the rules say what they think of it.
        return {"action_target_type": word, "action_target_id": key}
    return {"action_target_type": word, "action_target_id": str(run.refer(word, key, place))}


def state_text(state: RoutingStateOut, names: Names, strategy: str) -> dict[str, Any]:
    """What happens to calls in one state, in the file's form; `strategy` is the usual order of operators."""
    found: dict[str, Any] = {"action": state.action}
    if target := target_text(state.action_target_type, state.action_target_id, names):
        found["target"] = target
    found["try_dial_operators"] = state.try_dial_operators
    if (state.operator_routing or strategy) != strategy:
        found["operator_routing"] = state.operator_routing
    keys = []
    for key in state.dtmf:
        entry: dict[str, Any] = {} if key.input is None else {"input": key.input}
        if key.options is not None and key.options.action is not None:
            entry["action"] = key.options.action
            if target := target_text(key.options.action_target_type, key.options.action_target_id, names):
                entry["target"] = target
        keys.append(entry)
    if keys:
        found["dtmf"] = keys
    return found


_STATE = ("action", "target", "try_dial_operators", "operator_routing", "dtmf")
_KEY = ("input", "action", "target")


def normal_state(strategy: str, value: Any) -> Any:
    """What happens to calls, in the order and with the omissions of `state_text`; whether operators are tried may be
    missing.
    """
    _only(value, _STATE)
    found = {name: value[name] for name in _STATE if value.get(name) is not None}
    if found.get("operator_routing") == strategy:
        del found["operator_routing"]
    if "dtmf" in found:
        if not isinstance(found["dtmf"], list):
            raise ValueError("dtmf must be a list of keys, as - {input: 1, action: operator}.")
        for entry in found["dtmf"]:
            _only(entry, _KEY)
        found["dtmf"] = [
            {name: words(entry[name]) for name in _KEY if entry.get(name) is not None} for entry in found["dtmf"]
        ]
        if not found["dtmf"]:
            del found["dtmf"]
    return found


def complete_state(value: dict[str, Any], before: Any) -> dict[str, Any]:
    """What happens to calls, with whether operators are tried as it was before where it is not said."""
    return {"try_dial_operators": before["try_dial_operators"], **value}


def _only(value: Any, names: Sequence[str]) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"Must be a mapping of {', '.join(names)}.")
    unknown = [name for name in value if name not in names]
    if unknown:
        raise ValueError(f"There is no {shown(unknown[0])} here; there are {', '.join(names)}.")


def send_state(strategy: str, run: "Run", value: dict[str, Any], place: str) -> dict[str, Any]:
    """What happens to calls as bodies take it."""
    sent = {"operator_routing": strategy, **value}
    sent = {name: inner for name, inner in sent.items() if name not in ("target", "dtmf")}
    keys = enumerate(value.get("dtmf", ()))
    target, *entries = gathered(
        [
            lambda: send_target(run, value["target"], place) if "target" in value else {},
            *(partial(_send_key, run, entry, f"{place}.dtmf[{index}]") for index, entry in keys),
        ]
    )
    sent |= target
    if entries:
        sent["dtmf"] = entries
    return sent


def _send_key(run: "Run", entry: dict[str, Any], place: str) -> dict[str, Any]:
    sent: dict[str, Any] = {"input": entry["input"]} if "input" in entry else {}
    options = {"action": entry["action"]} if "action" in entry else {}
    if "target" in entry:
        options |= send_target(run, entry["target"], place)
    return sent | {"options": options} if options else sent


def routing(strategy: str) -> tuple[Field, ...]:
    """The two states of a line, each with what it is unless said; `strategy` is the usual order of its operators."""
    return tuple(
        Field(
            f"routing_options.{state}",
            {"action": "voicemail", "try_dial_operators": state == "open"},
            show=partial(_show_state, state, strategy),
            normal=partial(normal_state, strategy),
            send=partial(send_state, strategy),
            late=True,
            together="routing_options",
            complete=complete_state,
        )
        for state in ("open", "closed")
    )


def _show_state(state: str, strategy: str, _tx: Transaction, item: Item, names: Names) -> dict[str, Any]:
    return state_text(getattr(item.value, state), names, strategy)


# Addresses and the like


def mapping(*names: str, upper: Sequence[str] = ()) -> Callable[[Any], Any]:
    """A small mapping that is one value: in the order of `names`, without what is empty."""

    def normal(value: Any) -> dict[str, Any]:
        _only(value, names)
        found = {name: words(value[name]) for name in names if value.get(name) not in (None, "")}
        return {
            name: inner.upper() if name in upper and isinstance(inner, str) else inner for name, inner in found.items()
        }

    return normal


def shows(
    read: Callable[[Any], Any], normal: Callable[[Any], Any] = as_it_is
) -> Callable[[Transaction, Item, Names], Any]:
    """Shows a part of what is kept, in the file's form."""

    def show(_tx: Transaction, item: Item, _names: Names) -> Any:
        found = plain(read(item.value))
        return None if found is None else normal(found)

    return show


EMERGENCY_ADDRESS = mapping("address", "address2", "city", "state", "zip", "country", upper=("country",))


# Lists whose order counts


def in_order(now: Sequence[Any], wanted: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Who must leave, and who must join behind the others, so that those now there become those wanted, in order."""
    stay = 0
    remaining = [one for one in now if one in wanted]
    while stay < len(remaining) and stay < len(wanted) and remaining[stay] == wanted[stay]:
        stay += 1
    kept = remaining[:stay]
    return [one for one in now if one not in kept], [one for one in wanted if one not in kept]
