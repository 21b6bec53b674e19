"""Puts together what tries requests: credentials, saved requests, runs. For app.py, which hands in its own parts."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from offhook.access.doing import Doing
from offhook.catalog.credentials import api as credentials_api
from offhook.catalog.credentials.service import Credentials
from offhook.catalog.credentials.tokens import Tokens
from offhook.catalog.credentials.vault import KEY_FILE, Vault
from offhook.catalog.requests import api as requests_api
from offhook.catalog.runs import api as runs_api
from offhook.catalog.runs.running import Limits
from offhook.catalog.runs.service import Lookup, Runs, nowhere
from offhook.kit.egress import Egress
from offhook.kit.operation import Operation
from offhook.kit.places import Allowed
from offhook.kit.settings import Settings


def own_places(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Where this server itself is reached, for the list of what may be called. Port 0 is not known beforehand."""
    found = [(host, settings.port) for host in ("127.0.0.1", "localhost", "::1", settings.host) if settings.port]
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        found.append((parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)))
    return tuple(dict.fromkeys((host, port) for host, port in found if host not in ("", "0.0.0.0", "::")))  # noqa: S104


class Trying:
    """The parts, and their operations; `close` it. It has a client of its own, which may call `places` besides."""

    def __init__(
        self,
        work: Doing,
        settings: Settings,
        *,
        places: Sequence[tuple[str, int]] = (),
        lookup: Lookup = nowhere,
        limits: Limits | None = None,
    ) -> None:
        allowed = Allowed.read(settings.egress_allow).plus(*places)
        self.egress = Egress(allowed)
        self.vault = Vault(settings.credentials_keys, Path(settings.data) / KEY_FILE)
        tokens = Tokens(work.writer, work.reader, self.vault, self.egress)
        self.credentials = Credentials(work, self.vault, tokens, allowed)
        self.runs = Runs(work, self.egress, self.credentials, lookup, limits)
        self.operations: list[Operation] = [
            *requests_api.operations(work),
            *credentials_api.operations(self.credentials),
            *runs_api.operations(self.runs),
        ]

    async def close(self) -> None:
        """End what is under way, and all connections."""
        await self.runs.close()
        await self.egress.close()
