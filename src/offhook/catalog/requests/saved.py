"""A request that is kept by name, with its versions."""

import msgspec

from offhook.catalog.requests.model import Prepared


class Saved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request with its name, in a collection or in none ("")."""

    name: str
    collection: str = ""
    request: Prepared


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A saved request as it once was. `at` in milliseconds since 1970 UTC, `by` the name of the key."""

    version: int
    at: int
    by: str
    saved: Saved
