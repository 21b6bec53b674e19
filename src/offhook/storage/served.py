"""Where the server over a store listens, which it notes there as it begins: commands say it to people.

A note stands beside the slot of its process, and is good while that slot is held: whoever dies, however, gives it back.
After that it says what was served last. One of a store that was read back from a backup is never there.
"""

from typing import NamedTuple

import msgspec

from offhook.kit.settings import Settings
from offhook.storage.database import Database, Statement
from offhook.storage.slots import is_held

_BEFORE = "served."
_PUT = Statement(
    "INSERT INTO store_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_ALL = Statement("SELECT value FROM store_settings WHERE substr(name, 1, 7) = 'served.'")
FORGET = Statement("DELETE FROM store_settings WHERE substr(name, 1, 7) = 'served.'")
"""Of a store that goes elsewhere."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What one server noted: its `slot`, `at` (milliseconds since 1970 UTC), and the settings of the same names."""

    slot: int
    at: int
    host: str
    port: int
    public_url: str
    sip: bool
    sip_host: str
    sip_port: int
    sip_address: str
    sip_realm: str


class Served(NamedTuple):
    """The note that tells most, and whether its server is there now."""

    note: Note
    now: bool


_PLACES = tuple(name for name in Note.__struct_fields__ if name not in ("slot", "at"))
_DEFAULTS = Settings()


def note(database: Database, slot: int, settings: Settings, at: int) -> None:
    """Note where the server with this `slot` listens; `settings` have the ports that it was given."""
    made = Note(slot=slot, at=at, **{name: getattr(settings, name) for name in _PLACES})
    with database.transaction() as tx:
        tx.change(_PUT, f"{_BEFORE}{slot}", msgspec.json.encode(made).decode())


def found(database: Database) -> Served | None:
    """The note of a server that is there, the latest if there are several, else of the one that began last.

    To be asked before this process takes a slot: it may get that of a server that is gone.
    """
    with database.reading() as tx:
        texts = [str(value) for (value,) in tx.all(_ALL)]
    notes = []
    for text in texts:
        try:
            notes.append(msgspec.json.decode(text, type=Note))
        except msgspec.MsgspecError:
            # Another version's.
            continue
    notes.sort(key=lambda one: one.at, reverse=True)
    for one in notes:
        if is_held(database, one.slot):
            return Served(one, True)
    return Served(notes[0], False) if notes else None


def as_served(settings: Settings, served: Served | None) -> Settings:
    """`settings`, with the places where the store is served. Of a server that is gone they are taken where none are
    set: what was set is where the next one will be.
    """
    if served is None:
        return settings
    taken = {
        name: getattr(served.note, name)
        for name in _PLACES
        if served.now or getattr(settings, name) == getattr(_DEFAULTS, name)
    }
    return msgspec.structs.replace(settings, **taken)
