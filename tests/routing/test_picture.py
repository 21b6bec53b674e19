"""The picture of who is reachable when says what the week says, and holds no word of a company as markup."""

import re
from datetime import date
from xml.etree import ElementTree

from offhook.directory.lines.model import Target
from offhook.routing.coverage import Stretch, Week
from offhook.routing.picture import svg
from tests.routing.companies import ms

MONDAY = date(2026, 11, 23)
NAME = '<script>alert("x")</script> & Co'


def week(*stretches: Stretch, name: str = "Lisbon") -> Week:
    return Week(Target("office", 1), name, "Europe/Lisbon", MONDAY, stretches)


def stretch(start: str, end: str, *rings: str, opened: bool = True) -> Stretch:
    begin, stop = (ms(f"2026-11-{moment}:00+00:00") for moment in (start, end))
    return Stretch(begin, stop, opened, "open" if opened else "closed", rings, (), "voicemail of Lisbon")


def bars(picture: str) -> list[tuple[str, float]]:
    """(class, percent of the width) of the stretches, without the legend."""
    found = re.findall(r'<rect class="([\w-]+)" x="[\d.]+%" y="\d+" width="([\d.]+)%"', picture)
    return [(kind, float(wide)) for kind, wide in found]


def test_a_stretch_is_as_wide_as_it_is_long_and_coloured_by_who_rings():
    shown = bars(svg([week(stretch("23T06:00", "23T12:00", "Ana"), stretch("23T12:00", "24T00:00"))]))
    assert [kind for kind, _ in shown] == ["reached", "nobody"]
    assert round(shown[1][1] / shown[0][1], 2) == 2


def test_a_night_is_cut_at_midnight():
    assert [kind for kind, _ in bars(svg([week(stretch("23T22:00", "24T06:00", "Ana"))]))] == ["reached", "reached"]


def test_names_are_words_and_the_picture_is_well_formed():
    picture = svg([week(stretch("23T06:00", "23T12:00", NAME), name=NAME)])
    ElementTree.fromstring(picture)
    assert "<script" not in picture
    assert picture.count("&lt;script&gt;") == 2
    assert "style" not in picture


def test_a_company_without_lines_has_a_picture_with_its_legend():
    assert "open, nobody reachable" in svg([])
