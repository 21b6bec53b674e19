"""Which OFFHOOK_ variables are read, and what is said of others."""

import re
from pathlib import Path

import pytest

from offhook.kit import variables

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"\bOFFHOOK_[A-Z][A-Z0-9_]*\b")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OFFHOOK_PROT", "OFFHOOK_PORT"),
        ("OFFHOOK_SIP_ADRESS", "OFFHOOK_SIP_ADDRESS"),
        ("OFFHOOK_DATABASE", "OFFHOOK_DATABASE_URL"),
        ("OFFHOOK_APIKEY", "OFFHOOK_KEY"),
        ("OFFHOOK_SECERT_PAYROLL", "OFFHOOK_SECRET_PAYROLL"),
    ],
)
def test_a_misspelt_name_is_told_the_one_that_is_meant(name: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in variables.unread({name: "x"})[name]


def test_a_name_that_is_near_to_none_is_told_where_all_are() -> None:
    assert "docs/configuration.md" in variables.unread({"OFFHOOK_XYZZY": "x"})["OFFHOOK_XYZZY"]


def test_what_only_a_flag_says_is_told_the_flag() -> None:
    assert "--benchmark" in variables.unread({"OFFHOOK_BENCHMARK": "true"})["OFFHOOK_BENCHMARK"]


def test_no_value_is_told() -> None:
    assert "hunter2" not in str(variables.unread({"OFFHOOK_DATABASE_PASSWORD": "hunter2"}))


def test_what_is_read_or_empty_or_none_of_ours_is_not_told() -> None:
    named = {"OFFHOOK_PORT", "OFFHOOK_SECRET_A", "OFFHOOK_ENV_B", "OFFHOOK_URL", "OFFHOOK_TEST_POSTGRES", "HOME"}
    assert variables.unread(dict.fromkeys(named, "x") | {"OFFHOOK_PROT": ""}) == {}
    assert set(variables.unread(dict.fromkeys(("OFFHOOK_SECRET_", "OFFHOOK_ENV_"), "x"))) == {
        "OFFHOOK_SECRET_", "OFFHOOK_ENV_",
    }  # fmt: skip


@pytest.mark.parametrize("folder", ["src", "bench", "docs"])
def test_every_variable_that_is_written_anywhere_is_one_that_is_read(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".html")]
    written = {name for source in sources for name in _NAMED.findall(source.read_text()) if not name.endswith("_")}
    assert written
    assert {name for name in written if not variables.is_read(name)} == set()


def test_what_tests_read_themselves_is_known() -> None:
    read = {
        name
        for source in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r'environ(?:\.get\(|\[)"(OFFHOOK_[A-Z_]+)"', source.read_text())
    }
    assert {"OFFHOOK_SHOTS", "OFFHOOK_TEST_REDIS"} <= read
    assert {name for name in read if not variables.is_read(name)} == set()
