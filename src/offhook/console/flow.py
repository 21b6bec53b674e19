"""The call flow of a line as a tree: the picture draws it, the list says it, and a call is followed in it. Pure.

A target that has a menu or operators of its own is shown one level deep, and by a link to its page from there on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.console import words

Names = Mapping[tuple[str, str], str]
Records = Mapping[tuple[str, str], Mapping[str, Any]]
STATES = {"open": "Open", "closed": "Closed"}
KEYS = frozenset("0123456789*#")
_STRATEGY = {
    "simultaneous": "all at once",
    "fixedorder": "one after another",
    "longestidle": "longest idle first",
    "mostskilled": "most skilled first",
    "random": "in random order",
    "roundrobin": "in turns",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a call. `then` is what follows it, `branches` are the ways from it, each by a key or a state.

    `told` says it as the end of a sentence. `page` is the target's page, `follow` the query that follows a call there
    (flow, keys, answer), None where none can be asked for.
    """

    id: str
    label: str
    note: str = ""
    key: str = ""
    lead: str = ""
    told: words.Told | None = None
    page: str = ""
    follow: Mapping[str, str] | None = None
    then: "Node | None" = None
    branches: tuple["Node", ...] = field(default=())


def side(record: Mapping[str, Any], state: str, names: Names, records: Records) -> Node:
    """The flow of a line in one of its states, from its number on.

    `records` are the lines that it may send calls to, `names` the names of all targets, as far as either was found.
    """
    never = state == "closed" and not record["hours_on"]
    note = "never: it takes calls at any hour" if never else ""
    below = _line(record, state, _Way(state, "", names, records), state)
    entry = Node(state, STATES[state], note, follow={"flow": state}, then=below)
    numbers = record.get("phone_numbers") or ()
    return Node("number", numbers[0] if numbers else record["name"], "is called", then=entry)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a node is reached: the state at the beginning, the keys pressed, and whether it stands in another line."""

    state: str
    keys: str
    names: Names
    records: Records
    inner: bool = False

    def query(self, key: str = "") -> dict[str, str] | None:
        """What follows a call up to here, and on by `key`."""
        keys = self.keys + key
        return {"flow": self.state, **({"keys": keys} if keys else {})} if set(keys) <= KEYS else None


def _line(record: Mapping[str, Any], state: str, way: _Way, id: str) -> Node:
    """What a line does with a call in one state: operators, then its action."""
    routing = record["routing_options"][state]
    action = _menu(record, routing, way, id) if routing["action"] == "menu" else _choice(routing, way, f"{id}/then")
    if not routing["try_dial_operators"]:
        return action
    order = _STRATEGY.get(routing.get("operator_routing") or "simultaneous", "")
    note = f"for {record['ring_seconds']} s, {order}"
    if record.get("operators") == 0:
        note = "there are none yet"
    answered = way.query()
    return Node(
        f"{id}/rings", "The operators ring", note, then=_led(action, "nobody answers"),
        follow={**answered, "answer": "everybody"} if answered is not None and not way.inner else None,
    )  # fmt: skip


def _led(node: Node, lead: str) -> Node:
    return Node(
        node.id, node.label, node.note, node.key, lead, node.told, node.page, node.follow, node.then, node.branches
    )


def _menu(record: Mapping[str, Any], routing: Mapping[str, Any], way: _Way, id: str) -> Node:
    keys = []
    for one in routing.get("dtmf", ()):
        key = one.get("input") or ""
        keys.append(_choice(one.get("options") or {}, way, f"{id}/key:{key}", key or "none", way.query(key or "none")))
    box = words.Told(f"the caller can leave a voicemail for {record['name']}", None, "")
    silence = Node(f"{id}/silence", "Voicemail", "no key, three times", "–", told=box, follow=way.query())
    return Node(f"{id}/menu", "The menu is heard", branches=(*keys, silence))


def _choice(
    holder: Mapping[str, Any], way: _Way, id: str, key: str = "", follow: Mapping[str, str] | None = None
) -> Node:
    """Where an action or a key leads."""
    action, target = holder.get("action"), words.target_of(holder, way.names)
    if action is None or (action == "disabled" and key):
        return Node(id, "Nothing", key=key, told=words.Told("nothing happens", None, ""), follow=follow)
    told = words.told(holder, way.names)
    if target is None or action == "voicemail":
        label = words.SHORT.get(action, "Nowhere")
        note = f"of {target.name}" if target is not None else ""
        return Node(id, label, note, key, told=told, follow=follow)
    branches: tuple[Node, ...] = ()
    place = (holder["action_target_type"], holder["action_target_id"])
    record = way.records.get(place)
    if record is not None and not way.inner:
        inner = _Way(way.state, way.keys + key, way.names, way.records, inner=True)
        branches = tuple(
            Node(f"{id}/{state}", STATES[state], then=_line(record, state, inner, f"{id}/{state}")) for state in STATES
        )
    return Node(id, target.name, target.kind, key, told=told, page=target.href, follow=follow, branches=branches)


_ENDS = frozenset({
    "sent_on", "voicemail", "message", "disabled", "asked_name", "asked_extension", "directory_empty", "no_extensions",
    "script_asked", "no_script", "target_missing", "action_unknown",
})  # fmt: skip
"""Reasons that a line did what it does without a key."""


def passed(steps: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The nodes that a call went through, by the steps of its trace; nothing of what lies behind the picture."""
    seen, here, edge, sent = {"number"}, "", "", False
    for step in steps:
        for reason in step["reasons"]:
            code = reason["code"]
            if code in STATES:
                if here and (not sent or "/" in here):
                    return frozenset(seen)
                here = f"{edge}/{code}" if here else code
                seen.add(here)
                edge, sent = "", False
            elif code in ("operators", "no_operators", "nobody_ready"):
                seen.add(f"{here}/rings")
            elif code == "menu":
                seen.add(f"{here}/menu")
            elif code == "pressed":
                edge = f"{here}/key:{step['event'].get('keys', '')}"
                seen.add(edge)
            elif code == "menu_given_up":
                edge = f"{here}/silence"
                seen.add(edge)
            elif code in _ENDS:
                if here and f"{here}/menu" not in seen:
                    edge = f"{here}/then"
                    seen.add(edge)
                sent = sent or code == "sent_on"
    return frozenset(seen)
