"""Names on a telephone's keys: ABC is 2, WXYZ is 9. Pure.

Accents are dropped (Ç is C) and letters that stand for two are written out (ß is SS). A name in a script without Latin
letters has no spelling, so nobody can dial it: `spell` gives "" and verification says who cannot be found.
"""

import unicodedata
from dataclasses import dataclass

KEYS = {letter: key for key, letters in zip("23456789", "ABC DEF GHI JKL MNO PQRS TUV WXYZ".split(), strict=True)
        for letter in letters}  # fmt: skip
_TWO = str.maketrans({
    "ß": "ss", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D",
    "đ": "d", "ð": "d", "Ð": "D", "Þ": "TH", "þ": "th", "ı": "i",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spelled:
    """A person's names on the keys, "" for one that cannot be dialled."""

    first: str
    last: str

    def is_exactly(self, keys: str, *, last_only: bool) -> bool:
        """Whether these keys are a whole name, and not only its beginning."""
        whole = {self.last, self.last + self.first} | (set() if last_only else {self.first, self.first + self.last})
        return bool(keys) and keys in whole

    def begins(self, keys: str, *, last_only: bool) -> bool:
        """Whether a name, or both in a row in either order, begins with these keys."""
        if not keys:
            return False
        if (self.last + self.first).startswith(keys) and self.last:
            return True
        return not last_only and bool(self.first) and (self.first + self.last).startswith(keys)


def spell(name: str) -> str:
    """The keys of a name: "Zoë" is 963, "O'Brien" 627436."""
    plain = unicodedata.normalize("NFKD", name.translate(_TWO)).upper()
    return "".join(KEYS[letter] for letter in plain if letter in KEYS)


def spelled(first_name: str, last_name: str) -> Spelled:
    """Both names of a person."""
    return Spelled(spell(first_name), spell(last_name))
