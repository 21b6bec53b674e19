import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from offhook.kit.countries import COUNTRIES
from offhook.kit.phones import About, about, check_e164, check_phone, has_plan, kind_fault, national, warm

KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE)
EXAMPLES = [
    (region, number)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in KINDS
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+14155550100", "US", "+14155550100"),
        ("(415) 555-0100", "US", "+14155550100"),
        ("415.555.0100", "US", "+14155550100"),
        ("1 415 555 0100", "US", "+14155550100"),
        (" +1 415 555 0100 ", "GB", "+14155550100"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("01632 960123", "GB", "+441632960123"),
        ("07700 900461", "GB", "+447700900461"),
        ("020 912 3456", "IE", "+353209123456"),
        ("06 39 98 12 34", "FR", "+33639981234"),
        ("06 698 12345", "IT", "+390669812345"),
        ("00 351 21 123 4567", "DE", "+351211234567"),
        ("+351211234567", "DP", "+351211234567"),
        ("٠٢٠ ٧٩٤٦ ٠١٢٣", "GB", "+442079460123"),
    ],
)
def test_a_contacts_number_is_read_as_its_country_writes_it(text, country, number):
    assert check_phone(text, country, "billing_contact.phone") == (number, None)


@pytest.mark.parametrize(
    ("text", "country", "says"),
    [
        ("", "US", "telephone number"),
        ("   ", "US", "telephone number"),
        ("hello", "US", "not letters"),
        ("1-800-FLOWERS", "US", "not letters"),
        ("tel:+14155550100", "US", "not letters"),
        ("415 555 0100 ext. 12", "US", "without an extension"),
        ("415 555 0100x12", "US", "without an extension"),
        ("415 555 0100 #12", "US", "without an extension"),
        ("+14155550100;ext=12", "US", "without an extension"),
        ("415 555 0100, 12", "US", "without an extension"),
        ("415 555 0100 ＃12", "US", "without an extension"),
        ("911", "US", "too few digits"),
        ("555-0100", "US", "not in any range"),
        ("415 555 01001", "US", "too many digits"),
        ("+999 1234 5678", "US", "country calling code"),
        ("4155550100", "DP", "no country calling code"),
        ("4155550100", "XX", "no country calling code"),
        ("+1 555 010 0123", "US", "not in any range"),
        ("+1 415 555 0100 " * 3, "US", "at most 32"),
        ("\0", "US", "telephone number"),
        ("\ud800", "US", "telephone number"),
    ],
)
def test_what_is_no_number_is_refused_with_what_to_write(text, country, says):
    number, violation = check_phone(text, country, "billing_contact.phone")
    assert number is None
    assert violation is not None
    assert violation.location == "billing_contact.phone"
    assert says in violation.message


def test_every_country_has_numbers_that_pass_both_ways_of_writing():
    warm(tuple(sorted(COUNTRIES)))
    for country in COUNTRIES - {"DP"}:
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(country, kind)
            assert number is not None
            national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            assert check_phone(e164(number), country, "phone") == (e164(number), None)
            assert check_phone(national, country, "phone") == (e164(number), None), country
            assert check_e164(e164(number), "mainline_number") == (e164(number), None)


@pytest.mark.parametrize("text", ["+14155550100", "+442079460123", "+447700900461", "+390669812345", "+80012345678"])
def test_a_main_line_is_e164(text):
    assert check_e164(text, "mainline_number") == (text, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("14155550100", "did you mean +14155550100?"),
        ("0014155550100", "did you mean +14155550100?"),
        ("+1 (415) 555-0100", "did you mean +14155550100?"),
        (" +14155550100", "did you mean +14155550100?"),
        ("+4402079460123", "did you mean +442079460123?"),
        ("020 7946 0123", "country code"),
        ("+15550100123", "not in any range"),
        ("+1415555010", "too few digits"),
        ("+0123456789", "country code"),
        ("+14155550100x2", "country code"),
        ("+1415555010٠", "country code"),
        ("+14155550100\n", "did you mean +14155550100?"),
        ("+", "country code"),
        ("", "country code"),
        ("+" + "1" * 40, "at most 15"),
    ],
)
def test_a_main_line_in_another_form_is_refused_with_the_right_one(text, says):
    number, violation = check_e164(text, "mainline_number")
    assert number is None
    assert violation is not None
    assert says in violation.message


def verdict(text, region):
    """What the phone library alone says of plain E.164."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return e164(number) if phonenumbers.is_valid_number(number) else None


def test_the_short_way_agrees_with_the_library_on_every_regions_examples():
    for region, number in EXAMPLES:
        text = e164(number)
        for country in (region, "US", None):
            assert check_phone(text, country or "DP", "phone")[0] == verdict(text, country), (text, country)


@settings(max_examples=1500)
@given(st.sampled_from(EXAMPLES), st.data())
def test_the_short_way_agrees_with_the_library_on_neighbours_of_examples(known, data):
    region, number = known
    digits = list(e164(number)[1:])
    for at in data.draw(st.lists(st.integers(1, len(digits) - 1), max_size=5)):
        digits[at] = data.draw(st.sampled_from("0123456789"))
    text = "+" + "".join(digits)
    found, said = check_phone(text, region, "phone")[0], verdict(text, region)
    if found != said:  # kept for fiction, or in a range the library does not know
        assert said is None
        assert phonenumbers.is_possible_number(phonenumbers.parse(text))


@pytest.mark.parametrize(
    ("number", "kind", "country", "area"),
    [
        ("+14155550100", "local", "US", "415"),
        ("+18005551234", "tollfree", "US", "800"),
        ("+14165550142", "local", "CA", "416"),
        ("+17875550100", "local", "PR", "787"),
        ("+442079460000", "local", "GB", "20"),
        ("+447400123456", "mobile", "GB", "7400"),
        ("+448081570000", "tollfree", "GB", "808"),
        ("+61255501234", "local", "AU", "2"),
        ("+61491570156", "mobile", "AU", "491"),
        ("+493023125000", "local", "DE", "30"),
        ("+80012345678", "tollfree", "001", ""),
        # Kept for fiction, and to the library in no range.
        ("+441632960123", "local", "GB", "1632"),
        ("+447700900461", "mobile", "GB", "7700"),
        ("+33639981234", "mobile", "FR", "6"),
        ("+353209123456", "local", "IE", "20"),
    ],
)
def test_digits_say_kind_country_and_area(number, kind, country, area):
    assert about(number) == About(kind, country, area)


@pytest.mark.parametrize(
    ("number", "kind", "sure"),
    [
        ("+18005550100", "local", True),
        ("+18005550100", "mobile", True),
        ("+18005550100", "free", True),
        ("+14155550100", "tollfree", True),
        ("+442071838751", "mobile", True),
        ("+442071838751", "tollfree", True),
        ("+447400123456", "local", True),
        ("+448081570101", "local", True),
        # Kept for fiction, and to the library in no range: only likely.
        ("+447700900461", "local", False),
        ("+441632960123", "tollfree", False),
        ("+815012345678", "mobile", False),
    ],
)
def test_a_kind_that_the_digits_speak_against_is_found(number, kind, sure):
    why, said = kind_fault(number, kind)
    assert why
    assert said is sure


@pytest.mark.parametrize(
    ("number", "kinds"),
    [
        ("+14155550100", ("local", "mobile", "free", "softbank")),
        ("+18005550100", ("tollfree",)),
        ("+442071838751", ("local", "free")),
        ("+447700900461", ("mobile", "free")),
        ("+819012345678", ("mobile", "softbank")),
    ],
)
def test_a_kind_that_a_number_may_be_is_not_doubted(number, kinds):
    assert [kind for kind in kinds if kind_fault(number, kind) != ("", False)] == []
    assert kind_fault(number, about(number).kind) == ("", False)


def test_something_is_said_of_every_number_that_is_accepted():
    for region, number in EXAMPLES:
        found = about(e164(number))
        assert found.country
        assert e164(number)[1:].removeprefix(str(number.country_code)).startswith(found.area_code), region
        assert national(e164(number))
    assert (has_plan("US"), has_plan("DP"), has_plan("us")) == (True, False, False)


@given(
    st.text(st.characters(codec=None, exclude_categories=[]), max_size=40),
    st.sampled_from([*sorted(COUNTRIES), "", "xx"]),
)
@example("+" * 32, "US")
@example("1" * 32, "US")
@example("+१२३", "IN")
def test_no_text_upsets_the_checks(text, country):
    for number, violation in (check_phone(text, country, "phone"), check_e164(text, "mainline_number")):
        assert (number is None) != (violation is None)
