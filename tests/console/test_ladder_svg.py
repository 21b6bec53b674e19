"""The picture of a ladder: columns, arrows both ways, and nothing beyond its edges."""

import re
from typing import Any
from xml.etree import ElementTree

from offhook.console.ladder_svg import COLUMN, LINE, MARGIN, MOST, MOST_LINES, TOP, ladder_svg


def ladder(parties: int, *arrows: dict[str, Any]) -> dict[str, Any]:
    named = [{"name": f"Party {number}", "kind": "person"} for number in range(parties)]
    return {"parties": named, "arrows": list(arrows)}


def arrow(start: int, end: int, text: str = "calls", seconds: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text, "seconds": seconds, "kind": "x", **more}


def test_arrows_go_from_one_column_to_the_other_one_below_the_other():
    drawn = str(ladder_svg(ladder(3, arrow(0, 1), arrow(2, 0, seconds=65.25))))
    ElementTree.fromstring(drawn)
    ways = re.findall(r'class="way" d="M(\d+) (\d+)H(\d+)"', drawn)
    columns = [MARGIN + COLUMN * index + COLUMN // 2 for index in range(3)]
    assert [(int(start), int(end)) for start, _, end in ways] == [
        (columns[0], columns[1] - 8), (columns[2], columns[0] + 8)
    ]  # fmt: skip
    assert int(ways[0][1]) < int(ways[1][1])
    assert re.findall(r'class="clock"[^>]*>([^<]+)', drawn) == ["0:00.0", "1:05.3"]


def test_a_moment_is_written_once_for_all_that_happened_in_it():
    drawn = str(ladder_svg(ladder(2, arrow(0, 1), arrow(1, 0), arrow(1, 1, seconds=1))))
    assert drawn.count('class="clock"') == 2
    assert drawn.count('class="dot"') == 1


def test_long_texts_end_at_the_edge_and_are_whole_for_who_points_at_them():
    drawn = str(ladder_svg(ladder(2, arrow(1, 1, "word " * 100))))
    [said] = re.findall(r'class="said"[^>]*>([^<]+)', drawn)
    assert said.endswith("…")
    assert len(said) < 60
    assert "word " * 100 in drawn


def test_why_something_is_refused_stands_in_lines_of_its_own_above_its_arrow():
    why = "refuses: only who was called can put a call of the company's own people on park"
    drawn = str(ladder_svg(ladder(2, arrow(1, 0, why, tone="bad"), arrow(0, 1, why))))
    lines = [(int(y), text) for y, text in re.findall(r'class="said" x="\d+" y="(\d+)"[^>]*>([^<]+)', drawn)]
    refused, quiet = lines[:-1], lines[-1]
    assert len(refused) > 1
    assert " ".join(text for _, text in refused).replace("&#39;", "'") == why
    assert [y for y, _ in lines] == sorted(y for y, _ in lines)
    arrows = [int(y) for y in re.findall(r'class="way" d="M\d+ (\d+)', drawn)]
    assert refused[-1][0] < arrows[0] < quiet[0] < arrows[1], "each is above its own arrow"
    assert quiet[1].endswith("…")
    assert refused[0][0] > TOP, "below the boxes"
    again = str(ladder_svg(ladder(2, arrow(0, 1), arrow(1, 0, why, tone="bad"))))
    first = int(re.findall(r'class="way" d="M\d+ (\d+)', again)[0])
    assert int(re.findall(r'class="said" x="\d+" y="(\d+)"', again)[1]) > first + LINE // 2, "below what was before"
    very = str(ladder_svg(ladder(2, arrow(1, 0, "word " * 200, tone="bad"))))
    assert very.count('class="said"') == MOST_LINES


def test_a_note_at_the_last_column_is_told_to_its_left_where_there_is_room():
    drawn = str(ladder_svg(ladder(2, arrow(1, 1, "records from here"), arrow(1, 1, "left"))))
    found = re.findall(r'class="said" x="(\d+)" y="\d+" text-anchor="(\w+)">([^<]+)', drawn)
    middle = MARGIN + COLUMN + COLUMN // 2
    assert [(int(x) < middle, anchor, text) for x, anchor, text in found] == [
        (True, "end", "records from here"), (False, "start", "left")
    ]  # fmt: skip


def test_names_end_within_their_boxes_whatever_letters_they_have():
    shown = ladder(4)
    names = ["+14155550142", "ana@example.com", "WWWWWWWWWWWWWWWWWWWWWW", "illillillillillill"]
    for party, name in zip(shown["parties"], names, strict=True):
        party["name"] = name
    cut = re.findall(r'class="name"[^>]*>([^<]+)', str(ladder_svg(shown)))
    assert cut[0] == names[0]
    assert len(cut[2]) < len(cut[1]) < len(cut[3])
    assert cut[3] == names[3]


def test_two_columns_fit_a_telephone():
    width = int(re.search(r'width="(\d+)"', str(ladder_svg(ladder(2))))[1])  # type: ignore[index]
    assert width <= 390 - 2 * 16 - 2 * 9, "the window without the page's edges and the frame's"


def test_of_very_many_parties_the_last_share_a_column():
    drawn = str(ladder_svg(ladder(MOST + 9, arrow(1, MOST + 8))))
    assert drawn.count('class="party person"') == MOST
    assert "and 10 others" in drawn
    width = int(re.search(r'width="(\d+)"', drawn)[1])  # type: ignore[index]
    assert all(int(x) <= width for x in re.findall(r"[MH](\d+)", drawn))


def test_names_and_texts_are_words():
    shown = ladder(1, arrow(0, 0, "<script>alert(1)</script>"))
    shown["parties"][0]["name"] = '"><script>'
    drawn = str(ladder_svg(shown))
    ElementTree.fromstring(drawn)
    assert "<script>" not in drawn
