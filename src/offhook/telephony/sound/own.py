"""The sounds that are ours: made once in the life of a data folder, and from then on there before the first call.

Blocks: for threads. What makes them, and numpy with it, is imported only where one is missing.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from offhook.telephony.sound.cadences import BUSY, RINGING, USUAL_BUSY, USUAL_RINGING, Cadence
from offhook.telephony.sound.kept import Kept

FORM = "1"
"""Goes up when any of them is to sound otherwise: they are then made again."""

_ROOM = 64 * 1024 * 1024


class Own:
    """Where each of them is, as a worker plays it."""

    def __init__(self, folder: Path) -> None:
        self._kept = Kept(folder / f"own-{FORM}", _ROOM)
        self.music = self._there("music", lambda: _import("music").hold_music())
        self.beep = self._there("beep", lambda: _import("tones").beep())
        self.attention = self._there("attention", lambda: _import("tones").pattern((587, 880)))
        self.ringing = {country: self._cadence("ringing", one) for country, one in RINGING.items()}
        self.busy = {country: self._cadence("busy", one) for country, one in BUSY.items()}
        self.usual_ringing = self._cadence("ringing", USUAL_RINGING)
        self.usual_busy = self._cadence("busy", USUAL_BUSY)

    def _cadence(self, what: str, cadence: Cadence) -> str:
        milliseconds = (round(one * 1000) for one in cadence.seconds)
        name = "-".join([what, *map(str, cadence.hertz), "for", *map(str, milliseconds)])
        return self._there(name, lambda: _import("tones").of_cadence(cadence))

    def _there(self, name: str, make: Callable[[], Any]) -> str:
        return self._kept.find(name) or self._kept.add(name, _import("samples").encoded(make()))


def _import(name: str) -> ModuleType:
    return import_module(f"offhook.telephony.sound.{name}")
