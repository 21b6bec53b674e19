"""Calls as users tell of them, each a file of this folder: who rings, what is heard, where the call ends, and why."""

from pathlib import Path

import pytest

from tests.api.desk import Company
from tests.scenarios.script import Expect, File, Wrong, files, read
from tests.scenarios.stage import Refused, Seen, Simulated, Stage

FILES = files()


def play(file: File, stage: Stage) -> Seen:
    """What was seen of a file's call; Wrong, with the place, if its company cannot be or its call cannot be made."""
    scenario = file.scenario
    try:
        stage.set(scenario.company, scenario.before, scenario.call.at)
    except Refused as refused:
        raise Wrong(_where(file, refused, "company.")) from None
    try:
        return stage.call(scenario.call)
    except Refused as refused:
        raise Wrong(_where(file, refused, "call.")) from None


def _where(file: File, refused: Refused, part: str) -> str:
    return "\n".join(f"{file.at(part + place)}: {message}" for place, message in refused.places)


def misses(expect: Expect, seen: Seen) -> list[str]:
    """What was not seen as it must be."""
    found = []
    if expect.rings is not None:
        wanted, rang = ([sorted(one) for one in rings] for rings in (expect.rings, seen.rings))
        if (sorted(wanted) if expect.in_any_order else wanted) != (sorted(rang) if expect.in_any_order else rang):
            found.append(f"rings: {seen.rings}, not {expect.rings}")
    following = iter(seen.heard)
    for part in expect.heard:
        if not any(part in one for one in following):
            found.append(f"heard: {part!r} is not heard, or not in this place: {seen.heard}")
    if expect.answered_by is not None and seen.answered_by != expect.answered_by:
        found.append(f"answered_by: {seen.answered_by or 'nobody'}, not {expect.answered_by}")
    if seen.ends_in != expect.ends_in:
        found.append(f"ends_in: {seen.ends_in}, not {expect.ends_in}")
    if missing := [code for code in expect.reasons if code not in seen.reasons]:
        found.append(f"reasons: {', '.join(missing)} missing in {seen.reasons}")
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_call_goes_as_its_file_says(embedded: Company, path: Path) -> None:
    file = read(path.read_bytes(), path.name)
    seen = play(file, Simulated(embedded.sandbox))
    assert misses(file.scenario.expect, seen) == [], f"{file.scenario.title}\n{seen.told}"


def test_titles_are_sentences_of_their_own() -> None:
    titles = [read(path.read_bytes(), path.name).scenario.title for path in FILES]
    assert len(set(titles)) == len(titles) > 15


GOOD = """title: Nobody answers
company:
  version: 1
  users:
    bob@example.com: {office: Head office, first_name: Bob}
call:
  to: user bob@example.com
  at: 2026-12-23 10:00
expect:
  ends_in: voicemail of user bob@example.com
"""
WRONG = [
    ("call:", "calls:", "scenario.yaml: (the whole)", "calls"),
    ("  at: 2026-12-23 10:00\n", "", "line 6", "`at`"),
    ("  ends_in: voicemail", "  rings: bob\n  ends_in: voicemail", "line 10, column 3: expect.rings", "array"),
    ("  ends_in: voicemail", "  ends_at: voicemail", "line 9", "ends_at"),
    ("  version: 1\n", "  version: 1\n  version: 1\n", "line 4", ""),
    ("first_name: Bob", "frist_name: Bob", "line 5, column 44: company.users.bob@example.com.frist_name", ""),
    ("office: Head office", "office: Nowhere", "line 5, column 23: company.users.bob@example.com.office", ""),
    ("at: 2026-12-23 10:00", "at: 2026-12-23 10:00\n  busy: {eve@example.com: 5}", "call.people[0].who", ""),
    ("call:\n", "before:\n  - {}\ncall:\n", "line 7, column 5: before[0]", "by_hand"),
]


@pytest.mark.parametrize(("good", "wrong", "place", "word"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_file_that_is_wrong_is_refused_with_its_place(
    embedded: Company, good: str, wrong: str, place: str, word: str
) -> None:
    assert GOOD.count(good) == 1
    with pytest.raises(Wrong) as refused:
        play(read(GOOD.replace(good, wrong).encode(), "scenario.yaml"), Simulated(embedded.sandbox))
    assert place in str(refused.value)
    assert word in str(refused.value)


def test_what_is_not_seen_is_told(embedded: Company) -> None:
    file = read(GOOD.encode(), "scenario.yaml")
    seen = play(file, Simulated(embedded.sandbox))
    assert misses(file.scenario.expect, seen) == []
    other = Expect(
        ends_in="bob@example.com", rings=[["bob@example.com"]], heard=["Welcome"], answered_by="bob@example.com",
        reasons=["answered"],
    )  # fmt: skip
    told = misses(other, seen)
    assert [one.partition(":")[0] for one in told] == ["rings", "heard", "answered_by", "ends_in", "reasons"]
