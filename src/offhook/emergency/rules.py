"""Whether an address can stand: for a bill, and for an emergency call.

Pure: what the caller wrote goes in, a checked address or every fault of it comes out. That a house exists at the
address is not known here; that is a validation service's answer.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import structs

from offhook.emergency.model import (
    BILLING,
    EMERGENCY,
    CheckedAddress,
    CivicAddress,
    Form,
    PostalAddress,
    civic,
    same_place,
)
from offhook.emergency.places import Place, place
from offhook.kit.countries import COUNTRY_NAMES
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.text import single_line

EMERGENCY_REQUIRED: frozenset[str] = frozenset({"US", "CA", "AU", "FR", "GB", "NZ"})
"""Office countries in which no office is made without an emergency address."""

NOWHERE = "DP"
"""The v2 API's code that is no country: no rules of its own, and no territory that an address could lie outside of."""

Found = tuple[CheckedAddress | None, list[Violation]]


def check_address(fields: Mapping[str, Any], form: Form, location: str) -> Found:
    """An address by its country's rules: `(checked, [])`, or `(None, every fault)` with paths like `location.zip`.

    `fields` are the caller's, by the wire names of `form`. All parts but the second line must be there and have one
    visible line. A region, city or postal code is held against the country's rules only where the country knows that
    part: v2 wants a text even where it does not (Hong Kong's zip), and then any will do.
    """
    found: list[Violation] = []
    line_1 = _part(fields, form.line_1, location, found)
    line_2 = _part(fields, form.line_2, location, found, optional=True)
    city = _part(fields, form.city, location, found)
    region = _part(fields, form.region, location, found)
    code = _part(fields, form.postal_code, location, found)
    country = _country(_part(fields, form.country, location, found), f"{location}.{form.country}", found)
    if country is None:
        return None, found
    as_sent = PostalAddress(
        address_line_1=line_1, address_line_2=line_2, city=city, region=region, postal_code=code, country=country
    )
    if country == NOWHERE:
        return (None, found) if found else (CheckedAddress(as_sent, as_sent), found)
    validated = _validated(as_sent, form, location, found)
    return (None, found) if found or validated is None else (CheckedAddress(as_sent, validated), found)


def _part(fields: Mapping[str, Any], name: str, location: str, found: list[Violation], optional: bool = False) -> str:
    """One part, trimmed; "" if it is absent or faulty, which `found` then says."""
    text = fields.get(name)
    if isinstance(text, str):
        if optional and not text.strip(" "):
            return ""
        line, fault = single_line(text, name)
        if line is not None:
            return line
        if fault is not None:
            found.append(structs.replace(fault, location=f"{location}.{name}"))
    elif text is not None:
        found.append(Violation(location=f"{location}.{name}", message="Must be a text.", sent=shown(text)))
    elif not optional:
        found.append(Violation(location=f"{location}.{name}", reason="required", message="This field is required."))
    return ""


@lru_cache(maxsize=1)
def _codes_by_name() -> Mapping[str, str]:
    return {name.casefold(): code for code, name in COUNTRY_NAMES.items()}


def _country(text: str, location: str, found: list[Violation]) -> str | None:
    """The upper-case code that `text` stands for, if there are rules for it."""
    if not text:
        return None
    code = text.upper()
    if code == NOWHERE or (len(code) == 2 and place(code) is not None):
        return code
    meant = _codes_by_name().get(text.casefold()) or {"USA": "US", "UK": "GB"}.get(code)
    mend = f"did you mean {meant}?" if meant else "e.g. US, GB or PT."
    found.append(
        Violation(location=location, message=f"Must be a two-letter ISO 3166 country code; {mend}", sent=shown(text))
    )
    return None


def _validated(sent: PostalAddress, form: Form, location: str, found: list[Violation]) -> PostalAddress | None:
    """`sent` as its country's rules write it; None if they refuse it, which `found` then says.

    A part that came out faulty before is "" here and not judged again.
    """
    country = sent.country
    rules = place(country)
    if rules is None:
        return None
    before = len(found)
    region, area = sent.region, None
    areas = rules.areas
    if region and areas is not None:
        area = areas.find(region)
        if area is None:
            near = ", ".join(areas.nearest(region))
            message = f"Must be the code or name of {rules.area_word} in {country}, such as {near}."
            found.append(Violation(location=f"{location}.{form.region}", message=message, sent=shown(region)))
        else:
            region = area
            rules = place(country, area) or rules
    city, key, cities = sent.city, None, rules.cities
    # A list of cities binds where the country needs a city. Hong Kong lists districts but needs none.
    if city and cities is not None:
        key = cities.find(city)
        if key is not None:
            city = key
            if rules.by_city:
                rules = place(country, area, key) or rules
        elif "city" in rules.required:
            near = ", ".join(cities.nearest(city))
            message = f"Must be {rules.city_word} in {sent.region}, such as {near}."
            found.append(Violation(location=f"{location}.{form.city}", message=message, sent=shown(city)))
    code = sent.postal_code
    if code and "postal_code" in rules.allowed:
        code = rules.postal_code(code)
        if not rules.fits(code):
            _refuse_code(sent, rules, area, f"{location}.{form.postal_code}", found)
    if len(found) > before:
        return None
    upper = rules.upper
    streets = "street_address" in upper
    return PostalAddress(
        address_line_1=sent.address_line_1.upper() if streets else sent.address_line_1,
        address_line_2=sent.address_line_2.upper() if streets else sent.address_line_2,
        city=city.upper() if "city" in upper and key is None else city,
        region=region.upper() if "country_area" in upper and area is None else region,
        postal_code=code,
        country=country,
    )


def _refuse_code(sent: PostalAddress, rules: Place, area: str | None, location: str, found: list[Violation]) -> None:
    where = sent.country if area is None else f"{sent.region}, {sent.country}"
    if rules.postal_examples:
        hint = f", such as {' or '.join(rules.postal_examples)}"
    elif rules.postal_starts:
        starts = rules.postal_starts[-1].pattern.removeprefix("^")
        hint = f": here they begin with {starts if '(' in starts else starts.replace('|', ' or ')}"
    else:
        hint = ""
    message = f"Must be a postal code of {where}{hint}."
    found.append(Violation(location=location, message=message, sent=shown(sent.postal_code)))


# PO boxes ------------------------------------------------------------------------------------------------------------

# For lines of lower-case ASCII words with one space between them; accents and punctuation are gone.
_BOX = re.compile(
    r"""\b(?:
        p\s?o\s?box | po\sb\s\d+ | p\s?o\s?b\s\d+ | pob\d+ | p\s?o\s?box\d+ | p\s?box\s\d+
      | post\s?box\s\w*\d+ | post\soffice\sbox | postal\sbox | [gcl]\s?p\s?o\sbox | call(?:er)?\sbox\s\d+
      | (?:locked|private|mail)\s(?:mail\s)?bag | mailbag | p\sbag | general\sdelivery | counter\sdelivery
      | postfach | grosskundenpostfach | postlagernd | (?:postbus|antwoordnummer|postboks)\s\d+ | postiloker[oa]
      | skr\w*\spoczt\w* | postovni\sprihradka | postafiok | posta\skutusu | post\w*\skutusu
      | boite\spostale | case\spostale | poste\srestante | b\s?p\s(?:n\s?o?\s)?\d+ | bp\d+
      | apartado\s(?:de\scorreos|postal|aereo) | apartado\s(?:n\w?\s)?\d+ | lista\sde\scorreos
      | ap(?:t)?do\s(?:de\s)?(?:correos|postal|aereo) | apdo\s\d+ | casilla\s(?:de\scorreos?|postal)
      | casilla\s(?:n\w?\s)?\d+ | caixa\spostal | casella\spostale | fermo\s?posta
      | taxydromiki\sthyrida | kotak\spos | peti\ssurat | hom\sthu
    )\b
  | ^(?:box | p\s?m\s?b | p\s?l | p\s?f | psc | cmr | tsa)\s\d+\b | ^c\s?p\s\d{1,4}\b
    """,
    re.VERBOSE,
)
# One of these words, or its beginning, is in every line that _BOX finds. Most lines have none, and end here.
_HINTS = frozenset(
    "p po pob pobox pbox post postbox postal gpo cpo lpo g c l call caller locked private mail mailbag general counter "
    "postfach grosskundenpostfach postlagernd postbus antwoordnummer postboks postilokero postilokeroa postovni "
    "postafiok posta boite case poste b bp apartado aptdo apdo casilla caixa casella lista fermo fermoposta skrytka "
    "skr taxydromiki kotak peti hom box pmb pl pf psc cmr tsa cp".split()
)
# Other scripts as they are written: Greek, Cyrillic, Hebrew, Arabic, Thai, Chinese, Japanese, Korean.
_BOX_SCRIPTS = re.compile(
    r"ταχ(?:υδρομικη|\.)\s*θυριδα|\bτ\.?\s?θ\.?\s*\d|абонентск\w+\s+ящик|\bа/я\b|до\s+востребования|поштов\w+\s+скриньк"
    r"|пощенска\s+кутия|\bп\.\s?к\.\s*\d|ת\.?ד\.?\s*\d|תא\s+דואר|ص\s?\.?\s?ب\s?\.?\s*[\d٠-٩]|صندوق\s+(?:ال)?بريد"
    r"|ตู้\s*ปณ|ตู้\s*ไปรษณีย์|郵政信箱|邮政信箱|信箱\s*\d|私書箱|사서함"
)
_WORDS = re.compile(r"[a-z]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def po_box(text: str) -> bool:
    """Whether a line names a box at a post office, a bag or a counter instead of a place: "P.O. Box 12", "BP 40".

    Errs on the side of a place: "BP Building" and "Boxwood Lane" are places.
    """
    plain = text.casefold()
    if not plain.isascii():
        written = plain
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
        if _BOX_SCRIPTS.search(f"{unicodedata.normalize('NFC', written)}\n{plain}"):
            return True
    if _HINTS.isdisjoint(_WORDS.findall(plain)):
        return False
    return bool(_BOX.search(_SEPARATORS.sub(" ", plain).strip()))


# Emergency addresses -------------------------------------------------------------------------------------------------


def check_emergency(
    office_country: str, fields: Mapping[str, Any], location: str = "e911_address"
) -> tuple[CheckedAddress | None, list[Violation]]:
    """An emergency address of an office: a good address, in the office's country, and no PO box.

    `office_country` is upper-case. An office in PR may also write its address as US with state PR; DP is nowhere, so
    any country will do.
    """
    checked, found = check_address(fields, EMERGENCY, location)
    if checked is not None:
        found = _fit_for_emergency(office_country, checked, EMERGENCY, location)
        return (None, found) if found else (checked, found)
    reported = {fault.location for fault in found}
    for name in (EMERGENCY.line_1, EMERGENCY.line_2):
        line, place = fields.get(name), f"{location}.{name}"
        if isinstance(line, str) and place not in reported:
            found += _no_box(line, place)
    return None, found


def _no_box(line: str, location: str) -> list[Violation]:
    if not line or not po_box(line):
        return []
    message = "Must be a street address: help cannot be sent to a post office box."
    return [Violation(location=location, message=message, sent=shown(line))]


def _fit_for_emergency(office_country: str, checked: CheckedAddress, form: Form, location: str) -> list[Violation]:
    address = checked.as_sent
    found = [
        *_no_box(address.address_line_1, f"{location}.{form.line_1}"),
        *_no_box(address.address_line_2, f"{location}.{form.line_2}"),
    ]
    inside = address.country == office_country or office_country == NOWHERE
    if not inside and not (office_country == "PR" and address.country == "US" and checked.validated.region == "PR"):
        message = f"Must be in the office's country, {office_country}, not {address.country}."
        found.append(Violation(location=f"{location}.{form.country}", message=message, sent=shown(address.country)))
    return found


def resolve_emergency(
    office_country: str,
    billing: CheckedAddress | None,
    e911: Mapping[str, Any] | None,
    use_same: bool | None,
    location: str = "e911_address",
) -> tuple[CivicAddress | None, list[Violation], list[Notice]]:
    """The emergency address that a new office gets, from what its request says; None where it needs none.

    `billing` is the request's checked billing address, None if that was refused (its faults are reported elsewhere and
    not again here). The address comes as sent; a notice says so where the country's rules would write it otherwise.
    """
    if use_same and e911 is None:
        if billing is None:
            return None, [], []
        found = [
            structs.replace(one, message=f"{one.message} It would be the emergency address too: send {location}.")
            for one in _fit_for_emergency(office_country, billing, BILLING, "billing_address")
        ]
        return (None, found, []) if found else (billing.civic(), [], _notices(billing, location))
    if e911 is None:
        if office_country not in EMERGENCY_REQUIRED:
            return None, [], []
        message = f"An office in {office_country} needs an emergency address: send it, or use_same_address true."
        return None, [Violation(location=location, reason="required", message=message)], []
    checked, found = check_emergency(office_country, e911, location)
    if checked is None:
        return None, found, []
    if use_same and billing is not None and not same_place(billing.validated, checked.validated):
        one, other = civic(billing.validated), checked.civic(use_validated=True)
        parts = ", ".join(name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name))
        message = (
            f"Is true, but {location} is another place than billing_address ({parts}): "
            f"leave {location} out, or send use_same_address false."
        )
        about = (location, "billing_address")
        return None, [Violation(location="use_same_address", message=message, sent="true", about=about)], []
    return checked.civic(), [], _notices(checked, location)


def _notices(checked: CheckedAddress, location: str) -> list[Notice]:
    if not checked.corrected:
        return []
    it = checked.validated
    parts = (it.address_line_1, it.address_line_2, it.city, it.region, it.postal_code)
    lines = shown(", ".join(part for part in parts if part))
    text = f"Kept as sent. Its country's rules write it: {lines}. To take that, update with use_validated_option."
    return [Notice("address_not_normalised", location, text)]
