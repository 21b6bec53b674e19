import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offhook.kit.mail import check_email, normalised


def library(text):
    try:
        return validate_email(text, check_deliverability=False).normalized
    except (EmailNotValidError, UnicodeError):
        return None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        ("Ann.Lee+bills@EXAMPLE.com", "Ann.Lee+bills@example.com"),
        ("SALES@example.com", "sales@example.com"),
        ("ann@bücher.example.de", "ann@bücher.example.de"),
        ("ann@xn--bcher-kva.example.de", "ann@bücher.example.de"),
        ("josé@example.com", "josé@example.com"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_addresses_are_taken_in_their_normal_form(text, address):
    assert check_email(text, "billing_contact.email") == (address, None)


@pytest.mark.parametrize(
    "text",
    [
        "", "ann", "@", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann @example.com",
        " ann@example.com", "ann@example.com\n", "ann@exam ple.com", "ann..lee@example.com", ".ann@example.com",
        "ann@-example.com", "ann@example.test", "ann@localhost", "ann@printer.local", "ann@[127.0.0.1]",
        '"ann lee"@example.com', "Ann <ann@example.com>", "ann@example.com, bob@example.com",
        "ann@example..com", "ann@example.com.", "a" * 250 + "@example.com", "ann@" + "a" * 64 + ".com",
        "ann\0@example.com", "\ud800@example.com", "ann@\udfff.com", "ann@example.123",
        "mailto:ann@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_named(text):
    assert library(text) is None
    address, violation = check_email(text, "billing_contact.email")
    assert address is None
    assert violation is not None
    assert violation.location == "billing_contact.email"
    assert violation.message.startswith(("Must be an e-mail address", "Must have at most 254"))


ATOM = st.text("abzAZ09!#$%&'*+-/=?^_`{|}~.\"\\ @<>()é用\u0301", max_size=12)
ROLE = st.sampled_from(["info", "SALES", "Webmaster", "postmaster", "ann"])
LABEL = st.text("abzAZ09-_ü例xn。.@ ", max_size=8)
DOMAIN = st.one_of(
    st.lists(LABEL, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["example.com", "EXAMPLE.co.uk", "xn--bcher-kva.de", "a.test", "localhost", "[::1]", "bücher.de"]),
)


@settings(max_examples=400)
@given(st.one_of(ATOM, ROLE), DOMAIN)
@example("a", "a" * 180 + ".com")
@example("a" * 64, ".".join(["b" * 60] * 3))
@example("a" * 71, ".".join(["b" * 60] * 3))
@example("a" * 72, ".".join(["b" * 60] * 3))
@example("a" * 100, ".".join(["ü" * 20] * 5) + ".de")
@example("a\u0338", "example.com")
@example("a", "\u0338example.com")
def test_the_short_way_agrees_with_the_library(local, domain):
    text = f"{local}@{domain}"
    assert normalised(text)[0] == library(text)


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=300))
def test_no_text_upsets_the_check(text):
    address, violation = check_email(text, "billing_contact.email")
    assert (address is None) != (violation is None)
