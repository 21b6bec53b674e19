"""Carriers: who sells a number when no pool has one."""

import asyncio

import pytest

from offhook.kit.phones import about
from offhook.numbers import store
from offhook.numbers.carriers import SandboxCarrier, StaticCarrier
from offhook.numbers.fiction import is_fictional, supply
from offhook.numbers.service import described
from tests.api.desk import Company


def carrier(company: Company) -> SandboxCarrier:
    return SandboxCarrier(company.desk.offhook.reader)


def order(company: Company, sold_by: SandboxCarrier, country: str = "US", area_code: str | None = None) -> str | None:
    return company.desk.run(sold_by.order(company.tenant("sandbox"), country, area_code))


def test_a_sandbox_is_sold_fictional_numbers_that_it_does_not_have(embedded: Company):
    sold_by = carrier(embedded)
    found = [order(embedded, sold_by) for _ in range(5)]
    assert len(set(found)) == 5
    for number in found:
        assert number is not None
        assert is_fictional(number)
        assert number not in embedded.numbers


@pytest.mark.parametrize(
    ("country", "area_code", "number"),
    [
        ("US", "415", "+14155550110"),
        ("US", "907", "+19075550100"),
        ("US", "800", None),
        ("US", "999", None),
        ("US", "416", None),
        ("CA", "416", "+14165550100"),
        ("GB", "20", "+442079460000"),
        ("GB", "7700", "+447700900000"),
        ("GB", "808", "+448081570000"),
        ("GB", "415", None),
        ("IE", None, "+353209100000"),
    ],
)
def test_an_area_is_one_of_the_countrys(embedded: Company, country: str, area_code: str | None, number: str | None):
    assert order(embedded, carrier(embedded), country, area_code) == number


def test_a_supply_ends_and_what_is_given_back_is_sold_again(embedded: Company):
    sold_by, tenant = carrier(embedded), embedded.tenant("sandbox")
    sold = []
    while (number := order(embedded, sold_by, "SE")) is not None:
        sold.append(number)
    assert len(set(sold)) == len(sold) == supply("SE")
    embedded.desk.run(sold_by.release(tenant, sold[7]))
    assert embedded.desk.run(sold_by.search(tenant, "SE", None)) == sold[7]
    embedded.desk.transact(lambda tx: store.insert(tx, tenant, "sandbox", [described(sold[7], 1)]))
    assert order(embedded, sold_by, "SE") is None


def test_any_number_is_never_toll_free(embedded: Company):
    sold_by = carrier(embedded)
    for _ in range(60):
        number = order(embedded, sold_by, "GB")
        assert number is not None
        assert about(number).kind != "tollfree"


def test_a_country_without_fictional_numbers_is_served_by_those_of_the_us(embedded: Company):
    assert carrier(embedded).country("PT") == "US"
    assert StaticCarrier().country("PT") == "PT"


def test_own_trunks_have_nothing_to_sell():
    async def ask() -> list[str | None]:
        own = StaticCarrier()
        await own.release(1, "+442071838750")
        return [await own.search(1, "GB", None), await own.order(1, "GB", None)]

    assert asyncio.run(ask()) == [None, None]
