"""Addresses in their two forms: the one a bill goes to and the one an ambulance goes to.

Both say the same in other words; a `Form` names the words, so that one rule serves both and its findings name the
fields that the caller wrote.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec


class CivicAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A place that emergency services can find; `country` is an upper-case code, `state` may be free text."""

    address: str
    city: str
    state: str
    zip: str
    country: str
    address2: str = ""


class PostalAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A place that mail can reach; `country` is an upper-case code, `region` may be free text."""

    address_line_1: str
    city: str
    region: str
    postal_code: str
    country: str
    address_line_2: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The words that one form uses for the parts of an address."""

    line_1: str
    line_2: str
    city: str
    region: str
    postal_code: str
    country: str


BILLING = Form("address_line_1", "address_line_2", "city", "region", "postal_code", "country")
EMERGENCY = Form("address", "address2", "city", "state", "zip", "country")


def civic(address: PostalAddress) -> CivicAddress:
    """The same place in the words of the emergency form."""
    return CivicAddress(
        address=address.address_line_1,
        address2=address.address_line_2,
        city=address.city,
        state=address.region,
        zip=address.postal_code,
        country=address.country,
    )


def postal(address: CivicAddress) -> PostalAddress:
    """The same place in the words of the billing form."""
    return PostalAddress(
        address_line_1=address.address,
        address_line_2=address.address2,
        city=address.city,
        region=address.state,
        postal_code=address.zip,
        country=address.country,
    )


_Address = TypeVar("_Address", PostalAddress, CivicAddress)


def same_place(one: _Address, other: _Address) -> bool:
    """Whether two addresses differ in nothing but case and spaces."""
    return all(
        a == b or "".join(a.casefold().split()) == "".join(b.casefold().split())
        for a, b in zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True)
    )


class CheckedAddress(msgspec.Struct, frozen=True):
    """An address that passed its country's rules: as the caller wrote it (trimmed), and as the rules write it.

    `validated` has the region's own code, the postal code in upper case and without the country's prefix, and in upper
    case whatever the country's mail wants so.
    """

    as_sent: PostalAddress
    validated: PostalAddress

    @property
    def differs(self) -> bool:
        """Whether the rules write it otherwise, be it only in case."""
        return self.as_sent != self.validated

    @property
    def corrected(self) -> bool:
        """Whether they differ in more than case and spaces."""
        return self.differs and not same_place(self.as_sent, self.validated)

    def civic(self, use_validated: bool = False) -> CivicAddress:
        """The place for emergency services, as sent or, with `use_validated`, as the rules write it."""
        return civic(self.validated if use_validated else self.as_sent)
