import phonenumbers
import pytest

from offhook.kit.countries import COUNTRIES
from offhook.kit.phones import check_e164
from offhook.numbers.fiction import fictional_numbers, is_fictional, supply


@pytest.mark.parametrize(
    "number",
    [
        "+14155550100", "+12125550199", "+14165550142", "+17875550100", "+442079460000", "+442079460999",
        "+441632960123", "+447700900461", "+448081570000", "+449098790123", "+61255501234", "+61870109999",
        "+61491570156", "+61491570110", "+33199001234", "+33639981234", "+493023125000", "+498999998999",
        "+46701740605", "+46701740699", "+353209123456",
    ],
)  # fmt: skip
def test_ranges_kept_for_fiction_are_known(number):
    assert is_fictional(number)


@pytest.mark.parametrize(
    "number",
    [
        "+14155550099", "+14155550200", "+14155551212", "+141555501000", "+1415555010", "+18005550100",
        "+15555550100", "+19115550100", "+11155550100", "+12925550100", "+442079461000", "+44207946000",
        "+4420794600000", "+447700901000", "+61491570155", "+61491570160", "+61491570111", "+46701740604",
        "+46701740700", "+351211234567", "14155550100", "+1 4155550100", "+1415555٠100", "", "+", "+1", "+44",
    ],
)  # fmt: skip
def test_their_neighbours_are_somebodys(number):
    assert not is_fictional(number)


@pytest.mark.parametrize("country", sorted(COUNTRIES))
def test_a_sandbox_gets_distinct_numbers_that_are_nobodys_and_pass_as_main_lines(country):
    numbers = fictional_numbers(country, min(200, supply(country)))
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert is_fictional(number)
        assert phonenumbers.is_possible_number(phonenumbers.parse(number))
        assert check_e164(number, "mainline_number") == (number, None)


def test_the_numbers_are_the_same_every_time():
    assert fictional_numbers("US", 3) == ["+14155550100", "+12125550100", "+13125550100"]
    assert fictional_numbers("GB", 2) == ["+442079460000", "+441134960000"]
    assert fictional_numbers("US", 40)[:3] == fictional_numbers("US", 3)


@pytest.mark.parametrize("country", ["PT", "JP", "DP", "XX"])
def test_a_country_without_a_range_gets_those_of_the_us(country):
    assert fictional_numbers(country, 12) == fictional_numbers("US", 12)


@pytest.mark.parametrize("country", ["US", "SE", "PR"])
def test_a_range_ends(country):
    numbers = fictional_numbers(country, supply(country))
    assert len(set(numbers)) == supply(country)
    assert all(map(is_fictional, numbers))
    for count in (supply(country) + 1, -1):
        with pytest.raises(ValueError):
            fictional_numbers(country, count)
