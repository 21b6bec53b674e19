import copy
import os
import pickle
import subprocess
import sys
import zoneinfo
from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.kit.zones import NAMES, nearest, zone


@pytest.mark.parametrize(
    "name", ["Europe/Lisbon", "US/Pacific", "Asia/Calcutta", "UTC", "Etc/GMT+5", "America/Argentina/Ushuaia"]
)
def test_names_of_the_tz_database_are_zones_old_ones_included(name):
    found = zone(name)
    assert found is not None
    assert found.key == name
    assert zone(name) is found


def test_every_name_of_the_tzdata_package_is_a_zone():
    names = resources.files("tzdata").joinpath("zones").read_text().split()
    assert set(names) == NAMES
    for name in names:
        assert zone(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "localtime", "../etc/passwd", "../UTC", "/etc/localtime", "/usr/share/zoneinfo/UTC", "UTC\0", "\0", "",
        " ", "UTC ", "europe/lisbon", "Europe/lisbon", "US/pacific", "Europe/", "Europe", "Europe//Lisbon",
        "posix/UTC", "right/UTC", "posixrules", "zone.tab", "__init__.py", "EST5EDT,M3.2.0,M11.1.0", "+02:00",
        "PST", "x" * 10_000,
    ],
)  # fmt: skip
def test_anything_else_is_no_zone(name):
    assert zone(name) is None


def test_zones_come_from_the_package_whatever_the_machine_has():
    assert zoneinfo.TZPATH == ()


def test_whoever_sets_another_database_gets_it_but_never_the_machines_own_time(tmp_path):
    data = resources.files("tzdata").joinpath("zoneinfo", "UTC").read_bytes()
    (tmp_path / "Our").mkdir()
    for name in ("localtime", "Our/Zone"):
        (tmp_path / name).write_bytes(data)
    code = "from offhook.kit.zones import zone; print(zone('Our/Zone'), zone('localtime'), zone('Europe/Lisbon'))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["Our/Zone", "None", "Europe/Lisbon"]


def test_a_zone_can_be_copied_and_kept():
    found = zone("Europe/Lisbon")
    assert copy.deepcopy(found) is found
    assert pickle.loads(pickle.dumps(found)) is found


def test_a_link_keeps_the_same_clock():
    moment = datetime(2026, 7, 1, 12, tzinfo=zone("US/Pacific"))
    assert moment.utcoffset() == timedelta(hours=-7)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("europe/lisbon", "Europe/Lisbon"),
        ("Lisbon", "Europe/Lisbon"),
        ("new york", "America/New_York"),
        ("Europe/Lisboa", "Europe/Lisbon"),
        ("America/Los Angeles", "America/Los_Angeles"),
        ("US/pacfic", "US/Pacific"),
    ],
)
def test_a_mistyped_name_is_met_with_what_was_meant(name, meant):
    assert nearest(name)[0] == meant


@given(st.text(st.characters(codec=None, exclude_categories=[])))
@example("../" * 40)
def test_no_text_upsets_the_lookup(name):
    found = zone(name)
    assert (found is not None) == (name in NAMES)
    suggestions = nearest(name)
    assert len(suggestions) <= 3
    assert set(suggestions) <= NAMES
