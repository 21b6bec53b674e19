"""Cursors of paged lists: opaque and signed, bound to their list, their tenant and their filters, valid for seven days.

A cursor is a position, not a snapshot: rows added behind it appear, rows removed do not disturb it.
"""

import msgspec
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from offhook.kit.errors import Invalid, Violation

DAYS = 7


class Cursors:
    """Signs and reads cursors with the store's secret."""

    def __init__(self, secret: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="offhook.cursor")

    def seal(self, listing: str, tenant: int, filters: object, position: int) -> str:
        """A cursor that goes on behind `position` in `listing` under the same `filters`."""
        return str(self._serializer.dumps([listing, tenant, _plain(filters), position]))

    def open(self, cursor: str, listing: str, tenant: int, filters: object) -> int:
        """The position in `cursor`; Invalid if it is forged, of another list or filter, or older than seven days."""
        try:
            made_for = self._serializer.loads(cursor, max_age=DAYS * 86_400)
        except SignatureExpired:
            raise self._refused(f"This cursor is older than {DAYS} days; start again without one.") from None
        except BadData:
            raise self._refused("This is not a cursor of this server; start again without one.") from None
        if not isinstance(made_for, list) or made_for[:3] != [listing, tenant, _plain(filters)]:
            raise self._refused("This cursor belongs to another list or other filters; send those it was made with.")
        return int(made_for[3])

    @staticmethod
    def _refused(text: str) -> Invalid:
        return Invalid.of([Violation(location="cursor", message=text)])


def _plain(filters: object) -> object:
    """`filters` as they come back out of a cursor: what is a tuple here is a list there."""
    return msgspec.json.decode(msgspec.json.encode(filters))
