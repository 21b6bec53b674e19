"""What access gives over HTTP."""

from typing import Annotated, Literal

import msgspec

from offhook.kit.wire import Int64Text


class CompanyOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A company as v2 answers it."""

    id: Int64Text
    name: str
    country: Annotated[str, msgspec.Meta(description="In lower case.")]
    account_type: Literal["enterprise", "free", "pro", "standard"]
    office_count: Int64Text
    state: Literal["active", "cancelled", "deleted", "pending", "suspended"]
    admin_email: str | None = None
    domain: str | None = None
