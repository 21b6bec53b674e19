"""Whom a word of a command means: a user or a room, as people call them; and how who called is told."""

import re
from typing import Any

from offhook.cli.apis import line_of, pages
from offhook.cli.common import NotThere
from offhook.client import Client
from offhook.kit.errors import Refusal, shown

V2 = "/api/v2"
_OURS = re.compile(r"(user|room):[0-9]+")


async def owner_of(client: Client, who: str) -> tuple[str, str]:
    """The kind and the id of the user or room that is meant."""
    word = who.strip().casefold()
    if not word:
        # Whoever has no extension would be meant.
        raise Refusal("Whom? Name a user or a room: by e-mail address, extension, name or id.")
    if "@" in word:
        users = await pages(client, f"{V2}/users", {"email": word})
    else:
        users = await pages(client, f"{V2}/users")
    found = [("user", one["id"]) for one in users if word in _words_of_user(one)]
    if "@" not in word:
        rooms = await pages(client, f"{V2}/rooms")
        found += [("room", one["id"]) for one in rooms if word in (one["id"], one.get("name", "").casefold())]
    if len(found) != 1:
        if not found:
            raise NotThere(f"There is no user or room {shown(who)}", "offhook user list", "shows the users")
        raise Refusal(
            f"There are {len(found)} whom {shown(who)} could mean; name one by id: {', '.join(id for _, id in found)}."
        )
    return found[0]


def _words_of_user(one: Any) -> set[str]:
    emails = {email.casefold() for email in one.get("emails", ())}
    return emails | {one["id"], one.get("extension", ""), one.get("display_name", "").casefold()}


def caller_of(one: Any) -> str:
    """Who calls, by name where that is known; the number of one who is nobody of the company stands behind it."""
    name, caller = one.get("caller_name", ""), one["caller"]
    number = f" ({caller})" if name and caller and not _OURS.fullmatch(caller) else ""
    return line_of(f"{name}{number}" if name else caller or "hidden")
