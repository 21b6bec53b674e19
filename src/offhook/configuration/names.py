"""What records are called in a file, and what those names stand for in the company."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offhook.configuration.kind import Item, Kind, Wanted


class Names:
    """The keys of all records of a company, by the kind of target: unique, and as near to people's names as can be."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[int, str]] = {}
        self.ids: dict[str, dict[str, int]] = {}
        self.numbered: dict[str, set[int]] = {}
        """Those whose key has their id in it, as others are called the same."""
        self.clear: dict[str, set[int]] = {}
        """Those whose key says all that it implies."""
        self.same: dict[str, dict[str, list[int]]] = {}
        """Ids of records that are called the same."""
        self.inside: dict[str, dict[tuple[int, str], list[int]]] = {}
        """Ids by office and name."""

    def add(self, kind: "Kind", items: Sequence["Item"]) -> None:
        """Give the records of a kind their keys; offices come first, as others are named after them."""
        offices = self.keys.get("office", {})
        plain = {
            item.id: f"{offices.get(item.office_id, item.office_id)}/{item.name}" if kind.in_office else item.name
            for item in items
        }
        counts = Counter(plain.values())
        keys = {id: name if counts[name] == 1 else f"{name} (id {id})" for id, name in plain.items()}
        while len(set(keys.values())) < len(keys):
            counts = Counter(keys.values())
            keys = {id: key if counts[key] == 1 else f"{key} (id {id})" for id, key in keys.items()}
        self.keys[kind.type] = keys
        self.ids[kind.type] = {folded(kind.type, key): id for id, key in keys.items()}
        self.numbered[kind.type] = {id for id, key in keys.items() if key != plain[id]}
        self.clear[kind.type] = {id for id, key in keys.items() if key == plain[id] and _clear(kind, key)}
        same: dict[str, list[int]] = {}
        inside: dict[tuple[int, str], list[int]] = {}
        for item in items:
            same.setdefault(folded(kind.type, plain[item.id]), []).append(item.id)
            inside.setdefault((item.office_id, item.name), []).append(item.id)
        self.same[kind.type], self.inside[kind.type] = same, inside

    def calling(self, called: Mapping[tuple[str, int], str]) -> "Names":
        """The same names, but for those of some records, by kind and id."""
        names = copy(self)
        names.keys = {word: dict(keys) for word, keys in self.keys.items()}
        for (word, id), key in called.items():
            names.keys[word][id] = key
        return names

    def key(self, word: str, id: int) -> str:
        """What a record is called; its id if it is not there."""
        return self.keys.get(word, {}).get(id, str(id))

    def alike(self, word: str, key: str) -> list[str]:
        """The keys of records that are called the same, if there are several."""
        ids = self.same.get(word, {}).get(folded(word, key), [])
        return [self.key(word, id) for id in ids] if len(ids) > 1 else []

    def find(self, word: str, key: str) -> int | None:
        """The id of the record that is called so, if there is one."""
        return self.ids.get(word, {}).get(folded(word, key))


def _clear(kind: "Kind", key: str) -> bool:
    return not kind.in_office or key.count("/") == 1


_DIGITS = re.compile(r"(\d+)")


def natural(key: str) -> tuple[tuple[int, int, str], ...]:
    """How keys are ordered: u2 before u10, in any case."""
    parts = _DIGITS.split(key.casefold())
    return tuple((0, int(one), "") if index % 2 else (1, 0, one) for index, one in enumerate(parts))


def folded(word: str, key: str) -> str:
    """A key as it is compared: e-mail addresses in any case."""
    return key.casefold() if word == "user" else key


class References:
    """Names as a file uses them: its own records first, then those of the company."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._wanted: dict[str, dict[str, Wanted]] = {}

    def add(self, wanted: "Wanted") -> None:
        """Make a record of the file known."""
        self._wanted.setdefault(wanted.kind.type, {})[folded(wanted.kind.type, wanted.key)] = wanted

    def of(self, word: str) -> Mapping[str, "Wanted"]:
        """The records of the file that are of a kind."""
        return self._wanted.get(word, {})

    def find(self, word: str, key: str) -> "Wanted | int | None":
        """What a name stands for: a record of the file, or the id of one of the company; None if there is neither."""
        wanted = self._wanted.get(word, {}).get(folded(word, key))
        return wanted if wanted is not None else self._names.find(word, key)

    def splits(self, key: str) -> "Iterable[tuple[Wanted | int, str, str]]":
        """The ways to read a key as office and name: what the office is, its key, and the name."""
        at = key.find("/")
        while at >= 0:
            office, name = key[:at], key[at + 1 :]
            found = self.find("office", office)
            if found is not None and name:
                yield found, office, name
            at = key.find("/", at + 1)
