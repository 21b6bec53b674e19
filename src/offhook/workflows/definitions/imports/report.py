"""What became of an imported definition's parts. Pure."""

import msgspec

MOST = 500


class Translated(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has an equal: where it stood (`tasks["Create Office"].retry`), and what it became."""

    place: str
    text: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has no equal: where it stood, why, and what to do instead."""

    place: str
    why: str
    do: str


class Report:
    """Collects both, each once."""

    def __init__(self) -> None:
        self.translated: list[Translated] = []
        self.missing: list[Missing] = []
        self._seen: set[tuple[str, str]] = set()

    def became(self, place: str, text: str) -> None:
        """`place` was translated to what `text` says."""
        if (place, text) not in self._seen and len(self.translated) < MOST:
            self._seen.add((place, text))
            self.translated.append(Translated(place=place, text=text))

    def lacks(self, place: str, why: str, do: str) -> None:
        """`place` has no equal."""
        if (place, why) not in self._seen and len(self.missing) < MOST:
            self._seen.add((place, why))
            self.missing.append(Missing(place=place, why=why, do=do))
