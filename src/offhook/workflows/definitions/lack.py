"""One thing of a definition that a stock server lacks, and what makes it safe there. Pure."""

from collections.abc import Callable
from typing import NamedTuple


class Mend(NamedTuple):
    """What changes the definition so that the thing is there no more: `do` does it, and says what was done."""

    code: str
    do: Callable[[], str]


class Lack(NamedTuple):
    """A thing at `place`: what it is (`text`), and what `stock` Conductor would do. Without a mend nothing helps but
    to write it otherwise. A code never changes its meaning."""

    code: str
    place: str
    text: str
    stock: str
    mend: Mend | None = None
