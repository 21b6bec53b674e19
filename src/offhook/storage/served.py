"""Where the servers over a store listen, which they note there as they begin: commands say it to people.

A note stands beside the slot of its process, and is good while that slot is known as a server's: whoever dies, however,
gives both back, and whoever has the slot next has written a note of its own before it is known so. After that it says
what was served last. One of a store that was read back from a backup is never there.
"""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from offhook.kit.settings import Settings
from offhook.storage.database import Database, Statement
from offhook.storage.slots import Slot, is_served

_BEFORE = "served."
_PUT = Statement(
    "INSERT INTO store_settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_DROP = Statement("DELETE FROM store_settings WHERE name = ? AND value = ?")
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
    """The note that tells most of the API, that which tells most of telephones; whether their servers are there now.

    Of several servers over one store some answer no telephones: where telephones are reached, only the others know.
    """

    note: Note
    sip: Note
    now: bool


_PLACES = tuple(name for name in Note.__struct_fields__ if name not in ("slot", "at"))
_DEFAULTS = Settings()


class Place:
    """The note of one server: where it listens, by `settings` that have the ports it was given, and since when (`at`,
    milliseconds since 1970 UTC).
    """

    def __init__(self, database: Database, slot: Slot, settings: Settings, at: int) -> None:
        self._database = database
        self._slot = slot
        self._at = at
        self._places = {name: getattr(settings, name) for name in _PLACES}
        self._noted: tuple[str, str] | None = None

    @property
    def kept(self) -> bool:
        """Whether the note is there and good, as far as this process knows."""
        return self._slot.serving

    def keep(self) -> None:
        """Write the note if it is not there, or no more since the slot was lost. Raises Unavailable if it cannot be.

        Also a slot is seen to whose session alone was lost, which no other statement would find.
        """
        self._slot.look()
        if self.kept:
            return
        with self._database.transaction() as tx:
            slot = self._slot.number
            made = Note(slot=slot, at=self._at, **self._places)
            if self._noted is not None:
                tx.change(_DROP, *self._noted)
            noted = f"{_BEFORE}{slot}", msgspec.json.encode(made).decode()
            tx.change(_PUT, *noted)
        self._noted = noted
        self._slot.serve(slot)


def found(database: Database) -> Served | None:
    """The notes of the servers that are there, the latest if there are several, else of those that began last."""
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
    there = [one for one in notes if is_served(database, one.slot)]
    listed = there or notes
    if not listed:
        return None
    return Served(listed[0], next((one for one in listed if one.sip), listed[0]), bool(there))


def as_served(settings: Settings, served: Served | None, named: Collection[str] = ()) -> Settings:
    """`settings`, with the places where the store is served. Of a server that is gone they are taken where none are
    set: what was set is where the next one will be.

    `named` are the settings that somebody set, those too that are set as they are anyway. The realm is never taken in
    place of one that was set: passwords would be made for another than was said.
    """
    if served is None:
        return settings
    taken = {}
    for name in _PLACES:
        is_set = name in named or getattr(settings, name) != getattr(_DEFAULTS, name)
        if not is_set or (served.now and name != "sip_realm"):
            taken[name] = getattr(served.sip if name.startswith("sip") else served.note, name)
    return msgspec.structs.replace(settings, **taken)
