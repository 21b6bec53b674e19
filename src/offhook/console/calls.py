"""Real calls: which there were, and why each went where it went, told as a simulated one is."""

from offhook.console import sounds
from offhook.console.frame import Answer
from offhook.console.visit import Visit

PATH = "/api/offhook/v1/calls"
PAGE = 50


async def calls(visit: Visit) -> Answer:
    """`GET /console/calls?cursor=…`."""
    cursor = visit.query.get("cursor", "")
    query = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
    found = await visit.inside.get(PATH, query)
    return visit.page(
        "calls.html", here="calls", calls=found.get("items", []), cursor=found.get("cursor", ""), first=not cursor
    )


async def call(visit: Visit) -> Answer:
    """`GET /console/calls/{id}`."""
    found = await visit.inside.get(f"{PATH}/{visit.params['id']}/trace")
    recorded = await sounds.of_call(visit, visit.params["id"])
    return visit.page("call.html", here="calls", call=found, sounds=recorded, notices=[])
