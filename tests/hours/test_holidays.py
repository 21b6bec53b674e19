"""Public holidays by country and region, and what is said where the table has gaps."""

import os
import subprocess
import sys
from datetime import date

import pytest

from offhook.hours.holidays import import_holidays, regions
from offhook.kit.errors import Invalid


def names(*arguments):
    return {day.date: day.name for day in import_holidays(*arguments).days}


def test_a_regions_holidays_come_with_those_of_the_country():
    imported = import_holidays("US", "CA", [2026])
    found = {day.date: day for day in imported.days}
    assert found[date(2026, 3, 31)].name == "Cesar Chavez Day"
    assert found[date(2026, 7, 4)].name == "Independence Day"
    assert {day.source for day in imported.days} == {"holidays:US-CA"}
    assert {(day.kind, day.periods, day.repeats_yearly) for day in imported.days} == {("holiday", (), False)}
    assert imported.notices == ()
    assert date(2026, 3, 31) not in names("US", None, [2026])


def test_the_days_are_in_order_and_only_of_the_years_asked_for():
    days = [day.date for day in import_holidays("US", None, [2027, 2021, 2027]).days]
    assert days == sorted(set(days))
    assert {day.year for day in days} == {2021, 2027}


@pytest.mark.parametrize("region", ["11", "Lisboa", "lisboa", "PT-11", "pt-lisboa"])
def test_a_region_may_be_named_by_code_or_name_in_any_case(region):
    imported = import_holidays("pt", region, [2026])
    assert date(2026, 6, 13) in {day.date for day in imported.days}
    assert imported.days[0].source == "holidays:PT-11"


@pytest.mark.parametrize(("country", "year"), [("UA", 2026), ("UA", 2030), ("LK", 2027)])
def test_a_year_without_data_is_said_and_never_taken_for_a_year_without_holidays(country, year):
    imported = import_holidays(country, None, [year])
    assert imported.days == ()
    (notice,) = imported.notices
    assert (notice.code, notice.field) == ("holidays.no_data", "years")
    assert f"{country} {year}" in notice.text


def test_only_the_empty_year_of_several_is_said():
    imported = import_holidays("LK", None, [2026, 2027])
    assert imported.days
    assert ["2027" in notice.text for notice in imported.notices if notice.code == "holidays.no_data"] == [True]


@pytest.mark.parametrize(("country", "language"), [("AE", None), ("AE", "en_US"), ("SA", None), ("GH", None)])
def test_dates_that_wait_for_the_moon_are_said_to_be_estimated(country, language):
    (notice,) = import_holidays(country, None, [2028], language).notices
    assert notice.code == "holidays.estimated"
    assert "2028-02-2" in notice.text


def test_names_are_in_the_countrys_own_language_or_the_one_asked_for():
    christmas = date(2026, 12, 25)
    assert names("PT", None, [2026])[christmas] == "Dia de Natal"
    for language in ("en_US", "en-US", "en"):
        assert names("PT", None, [2026], language)[christmas] == "Christmas Day"


def test_a_language_without_names_falls_back_and_says_so():
    imported = import_holidays("PT", None, [2026], "zu")
    assert imported.days[-1].name == "Dia de Natal"
    (notice,) = imported.notices
    assert (notice.code, notice.field) == ("holidays.language", "language")
    assert "pt_PT" in notice.text
    assert import_holidays("GB", None, [2026], "en").notices == ()
    assert import_holidays("UG", None, [2025], "en_US").notices == import_holidays("UG", None, [2025]).notices


def test_names_do_not_depend_on_the_machines_locale():
    code = (
        "from offhook.hours.holidays import import_holidays; print(import_holidays('PT', None, [2026]).days[-1].name)"
    )
    environment = os.environ | {"LANGUAGE": "uk", "LANG": "uk_UA.UTF-8", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["PYTHONIOENCODING"] = "utf-8"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert run.stdout.decode().strip() == "Dia de Natal"


@pytest.mark.parametrize(
    ("arguments", "location", "words"),
    [
        (("DP", None, [2026]), "country", "no country"),
        (("dp", None, [2026]), "country", "no country"),
        (("XX", None, [2026]), "country", "two letters"),
        (("USA", None, [2026]), "country", "two letters"),
        (("", None, [2026]), "country", "two letters"),
        (("US", "ZZ", [2026]), "region", "CA"),
        (("US", "PT-11", [2026]), "region", "CA"),
        (("MA", "x", [2026]), "region", "leave it out"),
        (("US", None, []), "years", "1 to 10"),
        (("US", None, range(2020, 2031)), "years", "1 to 10"),
        (("US", None, [2026, 1969]), "years[1]", "1970 to 2100"),
        (("US", None, [2101]), "years[0]", "1970 to 2100"),
    ],
)
def test_what_the_library_does_not_have_is_refused_with_what_is_allowed(arguments, location, words):
    with pytest.raises(Invalid) as refused:
        import_holidays(*arguments)
    (violation,) = refused.value.violations
    assert violation.location == location
    assert words in violation.message


def test_all_faults_are_named_at_once():
    with pytest.raises(Invalid) as refused:
        import_holidays("US", "ZZ", [1, 2026, 9999])
    assert [violation.location for violation in refused.value.violations] == ["years[0]", "years[2]", "region"]


def test_the_regions_of_a_country_can_be_listed():
    assert {"CA", "TX"} <= set(regions("us"))
    assert regions("MA") == ()
