"""Where examples are kept."""

import msgspec

from offhook.storage.documents import Documents
from offhook.storage.tables import APART, BULKY


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exchange of a run, without what was secret. `cut` says that a body was longer than what is kept of it."""

    name: str
    api: str
    operation: str
    method: str
    url: str
    status: int
    run_id: int
    request_body: str = ""
    media: str = ""
    body: str = ""
    cut: bool = False
    by: str = ""


examples = Documents(
    "api_examples",
    Example,
    texts={
        "place": lambda one: f"{one.api}\n{one.operation}\n{one.name}",
        "api": lambda one: one.api,
        "operation": lambda one: one.operation,
    },
    unique=("place",),
    info={APART: True, BULKY: True},
)
