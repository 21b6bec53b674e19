"""What a document tells at a place: by pointer, past references, and the schema for a media type. Pure."""

from collections.abc import Mapping
from typing import Any

from offhook.catalog.model import Document
from offhook.catalog.requests.model import media_of

MOST_CHAIN = 40
"""References that are followed from one to the next."""


def at(document: Document, pointer: str) -> Mapping[str, Any]:
    """The object that a pointer leads to; {} if there is none."""
    try:
        found = document.at(pointer)
    except KeyError:
        return {}
    return found if isinstance(found, Mapping) else {}


def resolved(document: Document, told: Any) -> Mapping[str, Any]:
    """The object itself, past references within the document; {} if they lead nowhere."""
    for _ in range(MOST_CHAIN):
        if not isinstance(told, Mapping):
            return {}
        reference = told.get("$ref")
        if not isinstance(reference, str):
            return told
        told = at(document, reference[1:]) if reference.startswith("#") else {}
    return {}


def schema_for(content: Mapping[str, Any], media: str) -> Any:
    """The schema for a media type, by its name or the narrowest range; {} if it has none, None if it is not there."""
    whole, wanted = _plain(media), media_of(media)
    ranks = {wanted: 3, f"{wanted.partition('/')[0]}/*": 2, "*/*": 1}
    found = [(4 if _plain(str(name)) == whole else ranks.get(media_of(str(name)), 0), name) for name in content]
    rank, name = max(found, key=lambda one: one[0], default=(0, ""))
    if not rank:
        return None
    told = content[name]
    return told.get("schema", {}) if isinstance(told, Mapping) else {}


def _plain(content_type: str) -> str:
    return content_type.replace(" ", "").lower()
