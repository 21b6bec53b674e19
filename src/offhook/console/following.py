"""What happens to a call, as a picture that is followed key by key.

Which way is lit, and what is said below it, both come from one simulated call; so the picture never disagrees with
what a call would do.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup

from offhook.console import flow, flow_svg, lines, words
from offhook.console.calling import simulated
from offhook.console.visit import Part, Visit
from offhook.kit import clock

MOST_KEYS = 20
MOST_BEHIND = 20
"""How many names are asked for that stand in the menus of other lines."""


class Side(NamedTuple):
    """A state of the line: its heading, sentence, picture, and the tree of which picture and list are made."""

    title: str
    state: words.State
    picture: Markup
    root: flow.Node


class Followed(NamedTuple):
    """A call that was followed: which way, at which moment, and what became of it or why it could not be asked."""

    state: str
    keys: str
    answered: bool
    at: str
    call: Mapping[str, Any] | None
    refusal: str
    again: str
    replay: str


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """What becomes of a call in both states; with `flow`, `keys` and `answer` in the query, one call followed."""
    names, records = await targets(visit, line["routing_options"])
    follow = await followed(visit, line)
    asked = await visit.inside.ask("GET", f"/api/v2/{lines.folder_of(visit)}/{line['id']}/operators")
    if asked.ok:
        line = {**line, "operators": sum(map(len, (asked.document.get(kind) or () for kind in ("users", "rooms"))))}
    lit = flow.passed(follow.call["steps"]) if follow and follow.call else frozenset()
    base = lines.here(visit)
    sides = []
    for state, title in (("open", "While open"), ("closed", "While closed")):
        root = flow.side(line, state, names, records)
        shown = lit if state in lit else frozenset[str]()
        picture = flow_svg.drawn(
            root, shown, lambda query: f"{base}?{urlencode(query)}#routing", f"The way of a call {title.lower()}"
        )
        told = words.state_of(line["routing_options"][state], line["ring_seconds"], names)
        sides.append(Side(title, told, picture, root))
    return Part(
        "routing", "What happens to a call", "_routing.html", {"sides": sides, "followed": follow, "base": base}
    )


Places = set[tuple[str, str]]


async def targets(
    visit: Visit, options: Mapping[str, Any]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], dict[str, Any]]]:
    """The names of targets, and the records of those that are lines, as far as the key may know them.

    Those of the line itself, and the names of what its own targets send calls to.
    """

    async def read(kind: str, id: str) -> dict[str, Any]:
        whole = kind == "office"
        asked = await visit.inside.ask("GET", f"/api/offhook/v1/offices/{id}" if whole else f"{lines.PATHS[kind]}/{id}")
        found: dict[str, Any] = asked.document if asked.ok else {}
        return found.get("office", {}) if whole else found

    async def read_all(places: Places) -> dict[tuple[str, str], dict[str, Any]]:
        known = sorted(place for place in places if place[0] in lines.PATHS)
        return dict(zip(known, await asyncio.gather(*(read(*place) for place in known)), strict=True))

    found = await read_all(set(words.places(options)))
    records = {place: one for place, one in found.items() if place[0] in words.PAGES and "routing_options" in one}
    behind: Places = {place for one in records.values() for place in words.places(one["routing_options"])}
    found |= await read_all(set(sorted(behind - found.keys())[:MOST_BEHIND]))
    named = {place: one.get("display_name") or one.get("name") or "" for place, one in found.items()}
    return {place: name for place, name in named.items() if name}, records


async def followed(visit: Visit, line: Mapping[str, Any]) -> Followed | None:
    """The call that the query follows, None if it follows none."""
    state = visit.query.get("flow", "")
    if state not in flow.STATES:
        return None
    keys = "".join(key for key in visit.query.get("keys", "") if key in flow.KEYS)[:MOST_KEYS]
    answered = visit.query.get("answer") == "everybody"
    again = f"{lines.here(visit)}?{urlencode({'flow': state})}#routing"
    at, refusal = await moment(visit, state)
    if refusal:
        return Followed(state, keys, answered, "", None, refusal, again, "")
    answer = "everybody" if answered else "nobody"
    kind, _ = lines.KINDS[lines.folder_of(visit)]
    body = {"target_type": kind, "target_id": line["id"], "at": at, "press": list(keys), "answer": answer}
    asked = await simulated(visit, body)
    query = urlencode({"at": at, "keys": keys, "answer": answer})
    replay = f"{lines.here(visit)}/call?{query}"
    if not asked.ok:
        return Followed(state, keys, answered, at, None, asked.message, again, replay)
    if flow.passed(asked.document["steps"]) & (flow.STATES.keys() - {state}):
        refusal = f"When its state changes next, it is not {state} yet. Choose a moment yourself."
        return Followed(state, keys, answered, at, None, refusal, again, replay)
    return Followed(state, keys, answered, at, asked.document, "", again, replay)


async def moment(visit: Visit, state: str) -> tuple[str, str]:
    """Now if the line is in that state, else when its state changes next; or why there is no such moment."""
    asked = await visit.inside.ask("GET", f"{lines.added(visit)}/by-hand")
    if not asked.ok:
        return "", asked.message
    if asked.document["availability_status"].endswith(state):
        return clock.now().isoformat(timespec="seconds"), ""
    at = asked.document.get("next_change", "")
    if not at and asked.document.get("by_hand"):
        held = "opened" if state == "closed" else "closed"
        return "", f"It was {held} by hand until somebody lifts that, so no call goes this way."
    return at, "" if at else f"It is never {state} in the year ahead, so no call goes this way."
