"""The shipped definitions, as they stand beside this file. They are checked by tests, and again when registered."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

Raw = dict[str, Any]


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that comes with Offhook.

    `inputs` says in words what each input is; `scopes` are those that the key of its credential needs; `schedule` is
    an example of one. `companion` is the name of its failure workflow, which is registered with it.
    """

    name: str
    description: str
    inputs: dict[str, str]
    defaults: dict[str, Any]
    scopes: tuple[str, ...] = ()
    schedule: Raw | None = None
    companion: str = ""
    raw: Raw

    def placed(self, server: str, credential: str) -> Raw:
        """The definition, with where its requests go, and what they are sent with, as defaults of its input."""
        template = {name: value for name, value in (("server", server), ("credential", credential)) if value}
        if "server" not in self.defaults:
            return self.raw
        return {**self.raw, "inputTemplate": {**self.defaults, **template}}


@cache
def shipped() -> Mapping[str, Shipped]:
    """All of them by name, in the order of names."""
    found: dict[str, Shipped] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda one: one.name):
        if file.name.endswith(".json"):
            raw: Raw = msgspec.json.decode(file.read_bytes())
            about = raw["metadata"]
            found[raw["name"]] = Shipped(
                name=raw["name"],
                description=raw["description"],
                inputs=about["inputs"],
                defaults=raw["inputTemplate"],
                scopes=tuple(about.get("scopes", ())),
                schedule=about.get("schedule"),
                companion=raw.get("failureWorkflow", ""),
                raw=raw,
            )
    return found
