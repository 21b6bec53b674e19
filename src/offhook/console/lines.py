"""Offices, departments and call centers alike: how pages read one, and where its pages are."""

from typing import Any, Protocol

from offhook.console import words
from offhook.console.visit import Visit

KINDS = {
    "offices": ("office", "Office"),
    "departments": ("department", "Department"),
    "callcenters": ("callcenter", "Call center"),
    "callrouters": ("callrouter", "Call router"),
}
"""By the folder in the address: the API's word for the kind, and ours."""

PATHS = {
    "user": "/api/v2/users",
    "room": "/api/v2/rooms",
    "office": "/api/v2/offices",
    "department": "/api/v2/departments",
    "callcenter": "/api/v2/callcenters",
    "callrouter": "/api/v2/callrouters",
    "contact": "/api/v2/contacts",
    "channel": "/api/v2/channels",
}
"""Where the API has each kind of target."""

FOLDERS = {**words.PAGES, "callrouter": "callrouters"}
"""The folder in whose pages a kind can be called."""


class Refused(Protocol):
    """A form of a line's page that was refused: the page is shown again, with what is wrong beside its fields."""

    status: int


def folder_of(visit: Visit) -> str:
    """The folder of the page that is asked for."""
    return visit.path.split("/")[2]


def here(visit: Visit) -> str:
    """The address of the line that a page is about."""
    return f"/console/{folder_of(visit)}/{visit.params['id']}"


def added(visit: Visit) -> str:
    """Where the API has the additions of that line."""
    return f"/api/offhook/v1/{folder_of(visit)}/{visit.params['id']}"


async def record(visit: Visit) -> dict[str, Any]:
    """All that the API says of the line; Refused if it is not given."""
    folder, id = folder_of(visit), visit.params["id"]
    whole = folder == "offices"
    answer = await visit.inside.get(f"/api/offhook/v1/offices/{id}" if whole else f"/api/v2/{folder}/{id}")
    found: dict[str, Any] = answer["office"] if whole else answer
    return found


def callable_at(kind: str, id: str) -> str:
    """The page where something can be called at a moment, "" if it has none."""
    folder = FOLDERS.get(kind)
    return f"/console/{folder}/{id}/call" if folder else ""


def page_of(kind: str, id: str) -> str:
    """The page of something, "" if it has none."""
    folder = words.PAGES.get(kind)
    return f"/console/{folder}/{id}" if folder else ""
