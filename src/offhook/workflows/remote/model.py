"""What is asked of an engine elsewhere. Definitions and runs are Conductor's JSON, as it is on the wire."""

from typing import Any, Literal, Protocol

Raw = dict[str, Any]
Act = Literal["pause", "resume", "retry", "restart", "terminate"]


class Elsewhere(Protocol):
    """An engine elsewhere. All of these raise Unavailable if it cannot be reached, else the Refusal that it answers."""

    async def put(self, definition: Raw) -> None:
        """Keep a definition there, in place of the same version."""

    async def start(self, name: str, version: int | None, given: Raw, correlation: str) -> str:
        """Start a run there; its id."""

    async def get(self, id: str, *, tasks: bool = True) -> Raw:
        """A run there, with its tasks."""

    async def search(self, query: str, start: int, size: int) -> tuple[list[Raw], int]:
        """Summaries of runs there, the latest first, and how many there are."""

    async def act(self, id: str, what: Act, reason: str = "") -> None:
        """Do something to a run there."""

    async def close(self) -> None:
        """End what is under way."""
