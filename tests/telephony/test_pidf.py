"""Where help is to go: an address in the elements, and in the order, of RFC 5139, in the document of RFC 4119."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.emergency.model import CivicAddress
from offhook.routing.plan import Transfer
from offhook.telephony.pidf import CONTENT_ID, HEADERS, ORDER, civic, location, of_call

AT = datetime(2026, 12, 24, 18, 0, tzinfo=UTC)
NS = {
    "p": "urn:ietf:params:xml:ns:pidf",
    "gp": "urn:ietf:params:xml:ns:pidf:geopriv10",
    "gbp": "urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy",
    "ca": "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr",
    "dm": "urn:ietf:params:xml:ns:pidf:data-model",
}


def place(line: str, country: str = "US", **changes: str) -> CivicAddress:
    fields: dict[str, Any] = {"city": "San Francisco", "state": "CA", "zip": "94105"}
    return CivicAddress(**{**fields, "address": line, "country": country, **changes})


def test_an_address_stands_in_the_elements_of_rfc_5139():
    assert list(civic(place("1 Market Street", address2="Floor 3")).items()) == [
        ("country", "US"), ("A1", "CA"), ("A3", "San Francisco"), ("RD", "Market Street"), ("HNO", "1"), ("FLR", "3"),
        ("PC", "94105"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "country", "road", "number", "suffix"),
    [
        ("1 Market Street", "US", "Market Street", "1", ""),
        ("10A Downing Street", "GB", "Downing Street", "10", "A"),
        ("10-12 High St", "GB", "High St", "10", "-12"),
        ("12 bis Rue de Rivoli", "FR", "Rue de Rivoli", "12", "bis"),
        ("12 A Street", "US", "A Street", "12", ""),
        ("Rua Garrett 1", "PT", "Rua Garrett", "1", ""),
        ("Hauptstraße 12a", "DE", "Hauptstraße", "12", "a"),
        ("Avenida 5 de Outubro 12", "PT", "Avenida 5 de Outubro", "12", ""),
        # What is not plain stays whole: half an address is worse than one in one piece.
        ("25 de Mayo 300", "AR", "25 de Mayo 300", None, None),
        ("Highway 61", "US", "Highway 61", None, None),
        ("The Old Mill", "GB", "The Old Mill", None, None),
    ],
)
def test_a_house_number_is_told_from_the_road_where_that_is_plain(
    line: str, country: str, road: str, number: str | None, suffix: str | None
):
    found = civic(place(line, country))
    assert (found["RD"], found.get("HNO"), found.get("HNS")) == (road, number, suffix or None)


@pytest.mark.parametrize(
    ("line", "element", "text"),
    [
        ("Floor 12", "FLR", "12"), ("2nd floor", "FLR", "2"), ("Suite 400", "UNIT", "400"), ("#12-B", "UNIT", "12-B"),
        ("Apt. 3", "UNIT", "3"), ("Behind the bakery", "LOC", "Behind the bakery"),
    ],
)  # fmt: skip
def test_the_second_line_says_where_in_the_house(line: str, element: str, text: str):
    assert civic(place("1 Market Street", address2=line))[element] == text


def test_the_document_is_one_of_a_device_that_may_be_passed_on():
    content, kind = location(place("1 Market Street"), "sip:+14155550100@example.com", AT)
    assert kind == "application/pidf+xml"
    root = ElementTree.fromstring(content)
    assert root.tag == f"{{{NS['p']}}}presence"
    assert root.get("entity") == "sip:+14155550100@example.com"
    device = root.find("dm:device", NS)
    assert device is not None
    assert [one.tag.partition("}")[2] for one in device] == ["geopriv", "deviceID", "timestamp"]
    assert device.findtext("dm:timestamp", namespaces=NS) == "2026-12-24T18:00:00Z"
    geopriv = device.find("gp:geopriv", NS)
    assert geopriv is not None
    # RFC 4119 section 2.2.1: in this order.
    assert [one.tag.partition("}")[2] for one in geopriv] == ["location-info", "usage-rules", "method"]
    assert geopriv.findtext("gp:method", namespaces=NS) == "Manual"
    assert geopriv.findtext("gp:usage-rules/gbp:retransmission-allowed", namespaces=NS) == "true"
    civic_address = geopriv.find("gp:location-info/ca:civicAddress", NS)
    assert civic_address is not None
    assert civic_address.findtext("ca:country", namespaces=NS) == "US"


def test_the_call_names_the_part_of_its_body():
    assert dict(HEADERS) == {"Geolocation": f"<cid:{CONTENT_ID}>", "Geolocation-Routing": "yes"}


def test_an_emergency_call_takes_the_address_along_that_is_on_record():
    content, kind = of_call(Transfer("911", "+14155550100", emergency=True, location=place("1 Market Street")))
    assert kind == "application/pidf+xml"
    assert b'entity="tel:+14155550100"' in content
    hidden, _ = of_call(Transfer("911", "", emergency=True, location=place("1 Market Street")))
    assert b'entity="sip:anonymous@anonymous.invalid"' in hidden
    assert of_call(Transfer("911", emergency=True)) == (b"", "")


def test_signs_of_xml_stand_for_themselves():
    content, _ = location(place("1 Market Street", city="A & B <C> ]]>"), 'sip:"&<@example.com', AT)
    root = ElementTree.fromstring(content)
    assert root.get("entity") == 'sip:"&<@example.com'
    (city,) = root.iter(f"{{{NS['ca']}}}A3")
    assert city.text == "A & B <C> ]]>"


LINES = st.text(max_size=60)


@given(LINES, LINES, LINES, st.sampled_from(["US", "PT", "DE", "us"]), LINES)
def test_whatever_was_entered_is_xml_in_ascii_with_elements_in_order(
    line: str, second: str, city: str, country: str, entity: str
):
    content, _ = location(place(line, country, address2=second, city=city), entity, AT)
    assert content.isascii()
    (address,) = ElementTree.fromstring(content).iter(f"{{{NS['ca']}}}civicAddress")
    names = [one.tag.partition("}")[2] for one in address]
    assert names == [name for name in ORDER if name in names]
    assert names[0] == "country"
    assert all(one.text and not len(one) for one in address)
