"""A definition beside a stock Conductor server: what that lacks or treats otherwise, and the form that it takes. Pure.

`lint` tells it; `exported` makes the other form, and says of each thing what was done, or that nothing could be.
"""

import copy
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from offhook.kit.errors import Notice
from offhook.workflows.definitions.lacking import lacks

MOST = 500
"""As many findings, or notices, are told; one more says that there are others."""

_MORE = f"There are more than the {MOST} that are told."


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing at `place`: what it is, and what stock Conductor OSS would do. A code never changes its meaning."""

    code: str
    place: str
    text: str
    stock: str


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A definition for a stock server, and what is to be said of each change, and of what could not be changed."""

    raw: dict[str, Any]
    notices: tuple[Notice, ...]


def lint(raw: Mapping[str, Any]) -> list[Finding]:
    """The findings of a definition that keeps the rules, in the order of reading."""
    found = [
        Finding(code=one.code, place=one.place, text=one.text, stock=one.stock) for one in islice(lacks(raw), MOST + 1)
    ]
    if len(found) > MOST:
        found[MOST] = Finding(code="more", place="", text=_MORE, stock="The export says what it changes.")
    return found


def exported(raw: Mapping[str, Any]) -> Exported:
    """The definition in the form that a stock server takes safely. `raw` keeps the rules, and stays as it is."""
    made = copy.deepcopy(dict(raw))
    notices: list[Notice] = []
    for one in list(lacks(made)):
        if one.mend is not None:
            notice = Notice(one.mend.code, one.place, one.mend.do())
        else:
            notice = Notice("not_exported", one.place, f"{one.text} {one.stock}")
        if len(notices) < MOST:
            notices.append(notice)
        elif len(notices) == MOST:
            notices.append(Notice("more", "", _MORE))
    return Exported(raw=made, notices=tuple(notices))
