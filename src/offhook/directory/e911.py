"""Emergency addresses on the wire, of offices and of users, and how a new one is judged."""

from typing import Annotated

import msgspec

from offhook.directory.lines.wire import SingleLine
from offhook.emergency.model import CivicAddress
from offhook.emergency.rules import check_emergency
from offhook.kit.errors import Invalid, Notice, Violation

Meta = msgspec.Meta


class E911AddressIn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where help is sent. Required for offices in US, CA, AU, FR, GB and NZ."""

    address: Annotated[SingleLine, Meta(description="Street and number; no PO box.")]
    address2: Annotated[SingleLine | None, Meta(description="Floor, suite, and the like.")] = None
    city: Annotated[SingleLine, Meta(description="City.")]
    state: Annotated[SingleLine, Meta(description="State or province, by code or name.")]
    zip: Annotated[SingleLine, Meta(description="Postal code, as the country writes it.")]
    country: Annotated[
        str, Meta(description="Country, a two-letter code; the office's.", examples=["US"], max_length=64)
    ]


class E911In(E911AddressIn, kw_only=True, omit_defaults=True):
    """A new emergency address."""

    use_validated_option: Annotated[
        bool | None, Meta(description="Keep the address as the country's rules write it, not as sent.")
    ] = None


class E911Out(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An emergency address, as v2 answers it."""

    address: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None


def e911_out(address: CivicAddress | None) -> E911Out | None:
    """An emergency address as v2 answers it, its country in lower case."""
    if address is None:
        return None
    return E911Out(
        address=address.address,
        address2=address.address2 or None,
        city=address.city,
        state=address.state,
        zip=address.zip,
        country=address.country.lower(),
    )


def faults_of(country: str, body: E911In) -> list[Violation]:
    """What the rules have against a new address in an office of `country`; places are those of the body itself."""
    _, faults = check_emergency(country, msgspec.structs.asdict(body), "")
    return [msgspec.structs.replace(fault, location=fault.location.lstrip(".")) for fault in faults]


def address_of(country: str, body: E911In, notices: list[Notice]) -> CivicAddress:
    """The address to keep, as sent or as the rules of its country write it; Invalid with every fault."""
    checked, _ = check_emergency(country, msgspec.structs.asdict(body), "")
    if checked is None:
        raise Invalid.of(faults_of(country, body))
    if checked.corrected and not body.use_validated_option:
        text = "Kept as sent; the country's rules write it otherwise: send use_validated_option true to take that."
        notices.append(Notice("address_not_normalised", "address", text))
    return checked.civic(use_validated=bool(body.use_validated_option))
