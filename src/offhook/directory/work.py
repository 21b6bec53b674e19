"""What the services of the directory share: each kind enters how others are to deal with what is of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from offhook.access.doing import Doing
from offhook.directory.lines.model import Target
from offhook.directory.offices import OfficeOf
from offhook.directory.pointers import Repoint
from offhook.kit.errors import Notice
from offhook.kit.operation import Call
from offhook.storage.database import Transaction

T = TypeVar("T")
PAGE = 100


class Gone(Protocol):
    """Told, in the transaction of the deletion, that a target is gone.

    Deletes what belongs to it. Where calls are sent to that, Conflict, unless `force`; then what is pointed elsewhere
    is said in `notices`, which go into the reply of the deletion.
    """

    def __call__(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None: ...


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What can have numbers, as the assignment of numbers sees it.

    `first_line` is the kind of line of the office's plan that its first number uses, "" if that is included; every
    further number uses an additional_number line. Toll-free numbers use the toll-free kind of either.
    """

    office_id: int
    name: str
    phone_numbers: tuple[str, ...] = ()
    first_line: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """How one kind of thing that can have numbers is asked which it has, and told which it has now.

    `get` gives None for what the company does not have; `keep` stores the numbers in order, the first one being the
    primary, and tells the event log.
    """

    get: Callable[[Transaction, int, int], Holding | None]
    keep: Callable[[Transaction, Call, datetime, int, tuple[str, ...]], None]


Residents = Callable[[Transaction, int, int], int]
"""From (transaction, tenant id, office id) to how many of a kind are in an office, which keep it from being deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Doing):
    """What every service of the directory works with."""

    office: OfficeOf
    repointers: dict[str, Repoint] = field(default_factory=dict)
    """By the kind of what points: how it is pointed elsewhere. Each kind that can point enters its own."""
    holders: dict[str, Holder] = field(default_factory=dict)
    """By kind: what can have numbers. Each such kind enters itself."""
    residents: dict[str, Residents] = field(default_factory=dict)
    """By kind, in the plural of a sentence ("call centers"): what can be in an office. Each such kind enters itself."""
    gone: list[Gone] = field(default_factory=list)
    """What else to do when something of the directory is gone: each subject that refers to it enters itself."""

    def end(
        self, tx: Transaction, call: Call, at: datetime, target: Target, notices: list[Notice], *, force: bool
    ) -> None:
        """End what others keep for `target`, which is deleted in this transaction."""
        # What If-Match says is said of the target.
        call = msgspec.structs.replace(call, if_match=None)
        for forget in self.gone:
            forget(tx, call, at, target, notices, force=force)
