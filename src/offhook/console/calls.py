"""Real calls: those under way as they change, those that were, and one of them between its parties and step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from offhook.console import sounds
from offhook.console.frame import Answer, redirect
from offhook.console.ladder_svg import ladder_svg
from offhook.console.visit import Visit

PATH = "/api/offhook/v1/calls"
HERE = "/console/calls"
PAGE = 50
WRITE = "calls:write"
RELOAD_SECONDS = 15
"""How often a page of what is under way loads itself again in a browser without a script."""


async def calls(visit: Visit) -> Answer:
    """`GET /console/calls?cursor=…`."""
    cursor = visit.query.get("cursor", "")
    query = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
    found = await visit.inside.get(PATH, query)
    return visit.page(
        "calls.html", here="calls", calls=found.get("items", []), cursor=found.get("cursor", ""), first=not cursor
    )


async def live(visit: Visit, refusal: str = "", status: int = 200) -> Answer:
    """`GET /console/calls/live?still=…`: calls under way. With `still` the page does not load itself again."""
    found = await visit.inside.get(f"{PATH}/live")
    return visit.page(
        "calls_live.html", here="calls", status=status, live=found, calls=found["items"], refusal=refusal,
        hangs_up=visit.may(WRITE), still="still" in visit.query, reload=RELOAD_SECONDS,
    )  # fmt: skip


async def events(visit: Visit) -> Answer:
    """`GET /console/calls/live/events`: the API's server-sent events."""
    return Answer(200, stream=visit.inside.stream(f"{PATH}/live/events"))


async def call(visit: Visit, refusal: str = "", status: int = 200) -> Answer:
    """`GET /console/calls/{id}`."""
    id = visit.params["id"]
    found = await visit.inside.get(f"{PATH}/{id}/trace")
    ladder = await visit.inside.get(f"{PATH}/{id}/ladder")
    recorded = await sounds.of_call(visit, id)
    return visit.page(
        "call.html", here="calls", status=status, call=_with_links(found), ladder=ladder, picture=ladder_svg(ladder),
        sounds=recorded, notices=[], refusal=refusal, hangs_up=visit.may(WRITE) and not ladder["over"],
        helps=ladder.get("emergency") == "call",
        done=visit.query.get("done") == "hangup",
    )  # fmt: skip


def _with_links(trace: Mapping[str, Any]) -> dict[str, Any]:
    """The trace, with the call that it goes on as linked in its story."""
    events = [step["event"] for step in trace["steps"]]
    onward = [event["call"] for event in events if event["event"] == "handed" and event.get("call")]
    return {**trace, "story": [{**one, "text": _linked(one, onward)} for one in trace["story"]]}


def _linked(moment: Mapping[str, Any], calls: Sequence[str]) -> str:
    """The words of a moment; as markup, where a decision ends with the id of one of `calls`."""
    text: str = moment["text"]
    id = text.rpartition(" ")[2].removesuffix(".")
    if moment["kind"] != "why" or id not in calls:
        return text
    return Markup('{}<a href="{}/{}">{}</a>.').format(text.removesuffix(f"{id}."), HERE, id, id)


async def hang_up(visit: Visit) -> Answer:
    """`POST /console/calls/{id}/hangup`: done, and back to where it was asked; or there with what was refused."""
    id, from_live = visit.params["id"], dict(visit.form).get("back") == "live"
    asked = await visit.inside.ask("PUT", f"/api/v2/call/{id}/actions/hangup")
    if asked.ok:
        return redirect(f"{HERE}/live" if from_live else f"{HERE}/{id}?done=hangup")
    return await (live if from_live else call)(visit, asked.message, asked.status)
