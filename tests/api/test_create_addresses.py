"""Creating an office: where help is sent, and texts and addresses put in order."""

import pytest

from tests.api.desk import ADDRESSES, IN_CANADA, WHOLE, Company, changed, full, office, placed

# Emergency addresses


@pytest.mark.parametrize("country", ADDRESSES)
def test_six_countries_demand_an_emergency_address(embedded: Company, country: str):
    without = office(country=country)
    answer = embedded.live.create(without)
    assert [(entry["location"], entry["reason"]) for entry in answer.errors] == [("e911_address", "required")]
    assert embedded.live.refused(without | {"use_same_address": False}) == ["e911_address"]
    answer = embedded.live.made(without | {"e911_address": ADDRESSES[country]})
    assert answer.office["e911_address"] == ADDRESSES[country] | {"country": country.lower()}


@pytest.mark.parametrize("country", ["PT", "DE", "PR", "JP", "IE", "MX", "DP"])
def test_elsewhere_an_office_can_do_without(embedded: Company, country: str):
    assert "e911_address" not in embedded.live.made(office(country=country)).office


def test_an_emergency_address_lies_in_the_offices_country(embedded: Company):
    body = office(country="CA", e911_address=ADDRESSES["US"])
    assert embedded.live.refused(body) == ["e911_address.country"]
    assert embedded.live.refused(office(country="PT", e911_address=ADDRESSES["FR"])) == ["e911_address.country"]


@pytest.mark.parametrize("line", ["PO Box 12", "P.O. Box 99", "Post Office Box 7", "po box 1"])
def test_help_cannot_be_sent_to_a_po_box(embedded: Company, line: str):
    for name in ("address", "address2"):
        body = office(country="US", e911_address=ADDRESSES["US"] | {name: line})
        assert embedded.live.refused(body) == [f"e911_address.{name}"]
    boxed = placed(changed(office(), IN_CANADA), "billing_address.address_line_1", line)
    assert embedded.live.create(boxed | {"e911_address": ADDRESSES["CA"]}).status == 200
    assert embedded.live.refused(boxed | {"use_same_address": True}) == ["billing_address.address_line_1"]


def test_the_billing_address_can_be_the_emergency_address(company: Company):
    answer = company.live.made(changed(office(), IN_CANADA) | {"use_same_address": True})
    assert answer.office["e911_address"] == {
        "address": "111 Wellington St",
        "city": "Ottawa",
        "state": "ON",
        "zip": "K1A 0A9",
        "country": "ca",
    }
    assert company.live.get(f"{WHOLE}/{answer.id}").office["use_same_address"] is True


def test_use_same_address_with_another_address_is_refused_and_with_the_same_is_fine(embedded: Company):
    body = changed(office(), IN_CANADA) | {"use_same_address": True}
    same = ADDRESSES["CA"]
    assert embedded.live.create(body | {"e911_address": same}).status == 200
    assert embedded.live.create(body | {"e911_address": same | {"zip": "k1a0a9"}}).status == 200
    assert embedded.live.refused(body | {"e911_address": same | {"address": "1 Other Street"}}) == ["use_same_address"]


def test_use_same_address_needs_a_billing_address_in_the_offices_country(embedded: Company):
    assert embedded.live.refused(full(e911_address=None, use_same_address=True, country="CA", currency="CAD")) == [
        "billing_address.country"
    ]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("billing_address.postal_code", "9410"),
        ("billing_address.region", "XX"),
        ("billing_address.country", "XX"),
        ("billing_address.country", "United States"),
        ("e911_address.zip", "K1A 0A9"),
        ("e911_address.state", "Bavaria"),
        ("e911_address.country", "USA"),
        ("billing_contact.email", "not an address"),
        ("billing_contact.email", "a@b"),
        ("billing_contact.email", "a@example.com\n"),
        ("billing_contact.phone", "123"),
        ("billing_contact.phone", "+1415555"),
        ("billing_contact.phone", "call me"),
        ("group_description", "x" * 257),
        ("group_description", "a\0b"),
        ("group_description", "x" * 5000),
        ("mainline_number", "4155550100"),
        ("mainline_number", "+1 415 555 0100"),
        ("mainline_number", "+14155550100 ext. 5"),
        ("mainline_number", "+1"),
    ],
)
def test_a_part_that_breaks_its_countrys_or_its_kinds_rules_is_named(embedded: Company, path: str, wrong: str):
    assert embedded.live.refused(placed(full(), path, wrong)) == [path]


def test_what_is_written_loosely_is_put_in_order(embedded: Company):
    body = placed(full(), "billing_contact.phone", "(415) 555-0142")
    body = placed(body, "billing_contact.email", "Billing@EXAMPLE.com")
    answer = embedded.live.made(body)
    contact = embedded.live.get(f"{WHOLE}/{answer.id}").office["billing"]["contact"]
    assert contact == {"name": "Ana Sousa", "email": "Billing@example.com", "phone": "+14155550142"}


@pytest.mark.parametrize("text", ["", "x" * 256, "two\nlines\twith a tab\r\n", "🏢" * 256, "  spaces kept  "])
def test_a_description_may_have_lines_and_256_characters(embedded: Company, text: str):
    answer = embedded.live.made(office(group_description=text))
    assert embedded.live.get(f"{WHOLE}/{answer.id}").office["group_description"] == text
