"""What callers of a line hear: each prompt with what it is made from, and a player."""

from collections.abc import Mapping
from typing import Any

from offhook.console import lines
from offhook.console.frame import Answer
from offhook.console.visit import Part, Visit, part

ENGINES = {"command": "the command of the settings"}
"""Engines that have a longer name on pages."""


async def section(visit: Visit, line: Mapping[str, Any]) -> Part:
    """The prompts, in the order in which a caller comes to them."""
    asked = await visit.inside.ask("GET", f"{lines.added(visit)}/heard")
    engine = asked.document.get("engine", "") if asked.ok else ""
    spoken_by = ENGINES.get(engine, engine)
    return part("heard", "What callers hear", "_heard.html", asked, here=lines.here(visit), spoken_by=spoken_by)


async def sound(visit: Visit) -> Answer:
    """`GET /console/offices/{id}/heard/{heard}`: one of them as a telephone plays it."""
    return Answer(200, stream=visit.inside.stream(f"{lines.added(visit)}/heard/{visit.params['heard']}/audio"))
