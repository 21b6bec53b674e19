"""Who calls: somebody of the company only where their telephone proved it, else what a carrier said. Pure.

What comes from outside is text that strangers write. Never is it looked up as "user:1", whatever it looks like.
"""

from collections.abc import Collection, Mapping, Sequence

from offhook.calls.model import Kept
from offhook.routing.model import Company
from offhook.routing.turn import name_of_who


def outside(sent: str) -> str:
    """A caller from outside as they are written down: without a colon, so that nobody passes for "user:1".

    It is escaped as it was in the URI that it came in, whose user has no bare one (RFC 3261 section 25.1).
    """
    return sent.replace(":", "%3A")


def caller_of(call: Kept) -> str:
    """Who called: "user:1" of one who proved it, else a number or what a stranger sent, which has no colon."""
    return call.state.who or outside(call.caller)


def caller_names(config: Company, calls: Sequence[Kept]) -> dict[int, str]:
    """Who calls, by each call's id: somebody of the company, a contact with that number, or "" for nobody known."""
    return names_of(config, {one.id: (one.state.who, one.caller) for one in calls})


def names_of(config: Company, callers: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """The same of callers by any id: who it was proven to be ("" if nobody), and the number they are from."""
    contacts = contacts_of(config, {number for who, number in callers.values() if not who})
    return {id: name_of_who(config, who) if who else contacts.get(number, "") for id, (who, number) in callers.items()}


def contacts_of(config: Company, numbers: Collection[str]) -> dict[str, str]:
    """The names of contacts that have these numbers, by number."""
    asked = {one for one in numbers if one}
    found: dict[str, str] = {}
    for contact in config.contacts.values() if asked else ():
        for number in asked.intersection(contact.phones):
            found[number] = found.get(number) or contact.name
    return found
