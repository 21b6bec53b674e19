"""What was recorded of calls, with players: of one call, and the messages of all boxes or of one."""

from typing import Any
from urllib.parse import urlsplit

from offhook.console.frame import Answer
from offhook.console.visit import Visit

V1 = "/api/offhook/v1"
PAGE = 20
LINK_SECONDS = 3600
"""How long a page's players are good, once it is open."""


async def of_call(visit: Visit, id: str) -> list[dict[str, Any]]:
    """Messages and recordings of a call, each with the address of its sound; none if the key may not hear them."""
    found: list[dict[str, Any]] = []
    for kind in ("voicemail", "recording"):
        asked = await visit.inside.ask("GET", f"{V1}/{kind}s", {"call_id": id})
        items = asked.document.get("items", []) if asked.ok else []
        found += [{**one, "kind": kind, "src": await _playable(visit, kind, one["id"])} for one in items]
    return found


async def messages(visit: Visit) -> Answer:
    """`GET /console/messages?unread=…&target_type=…&target_id=…&cursor=…`."""
    filters = {name: visit.query[name] for name in ("unread", "target_type", "target_id") if visit.query.get(name)}
    cursor = visit.query.get("cursor", "")
    query = {"limit": str(PAGE), **filters, **({"cursor": cursor} if cursor else {})}
    found = await visit.inside.get(f"{V1}/voicemails", query)
    items = [{**one, "src": await _playable(visit, "voicemail", one["id"])} for one in found.get("items", [])]
    return visit.page(
        "messages.html", here="calls", messages=items, filters=filters, cursor=found.get("cursor", ""), first=not cursor
    )


async def _playable(visit: Visit, kind: str, id: str) -> str:
    asked = await visit.inside.ask("POST", f"{V1}/{kind}s/{id}/link", body={"seconds": LINK_SECONDS})
    # Under whatever name the browser reached this page.
    return urlsplit(asked.document["url"]).path if asked.ok else ""
