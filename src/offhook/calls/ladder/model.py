"""What a ladder is made of. Pure."""

from dataclasses import dataclass, field
from typing import Literal

CALLER, HOUSE = "caller", "offhook"
Kind = Literal["caller", "house", "person", "outside"]


@dataclass(slots=True)
class Party:
    """A column: who called, this house, or somebody who was rung. `who` is "user:1", or a number."""

    who: str
    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Arrow:
    """Something that went from one party to another at `at`, milliseconds since 1970 UTC; to itself, a note.

    `kind` is the tag of an event or a verb of routing/plan.py, or what telephones told: `rang`, `taken`, `stopped`,
    `hold`, `resume`, `referred`, `lost`; or `refused`, that a wish is not granted. `tone` says how it is drawn.
    """

    at: int
    kind: str
    start: str
    end: str
    text: str
    tone: Literal["plain", "good", "bad", "quiet"] = "plain"


@dataclass(slots=True)
class Ladder:
    """Parties from left to right, and arrows from top to bottom; `cut` are those that are too many to show."""

    began: int
    parties: list[Party] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    cut: int = 0
