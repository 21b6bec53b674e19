"""Where `${workflow.secrets.NAME}` comes from unless the application hands in something else: the server's environment.

They are the installation's, so every company of it that may write definitions may send them where it likes.
"""

import os
from collections.abc import Callable, Mapping

from offhook.kit.settings import PREFIX

SECRET = PREFIX + "SECRET_"

Secrets = Callable[[int, str], str | None]
"""The secret of a company (by its id) of this name; None if there is none. Asked for each use, so it must be quick."""


def from_environment(environment: Mapping[str, str] | None = None) -> Secrets:
    """The variables whose names begin with `SECRET`, the rest being the secret's name; an empty one is none."""
    kept = os.environ if environment is None else environment

    def secret(_tenant_id: int, name: str) -> str | None:
        return kept.get(SECRET + name) or None

    return secret
