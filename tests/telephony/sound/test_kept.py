"""Sounds on disk: whole or not there, within a size, whoever else writes and deletes."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from offhook.telephony.sound.kept import Full, Kept

MU, A = b"\xff" * 800, b"\xd5" * 800
LONG_AGO = 1_000_000_000


def aged(folder: Path, key: str, at: float) -> None:
    """As if it was used last at `at`."""
    for end in (".ulaw", ".alaw"):
        os.utime((folder / key).with_suffix(end), (at, at))


def test_a_sound_is_found_where_a_worker_plays_it(tmp_path: Path):
    kept = Kept(tmp_path / "new", 1_000_000)
    assert kept.find("a") == ""
    file = kept.add("a", (MU, A))
    assert (kept.find("a"), Path(file).is_absolute()) == (file, True)
    assert (Path(file + ".ulaw").read_bytes(), Path(file + ".alaw").read_bytes()) == (MU, A)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.alaw", "a.ulaw"]


@pytest.mark.parametrize("end", [".ulaw", ".alaw"])
@pytest.mark.parametrize("left", [None, b"", b"\xff"])
def test_half_a_sound_is_none(tmp_path: Path, end: str, left: bytes | None):
    kept = Kept(tmp_path, 1_000_000)
    file = Path(kept.add("a", (MU, A)) + end)
    if left is None:
        file.unlink()
    else:
        file.write_bytes(left)
    assert kept.find("a") == ""
    kept.add("a", (MU, A))
    assert kept.find("a")


def test_what_was_used_longest_ago_goes_first(tmp_path: Path):
    kept = Kept(tmp_path, 16_000)
    for number in range(8):
        kept.add(f"s{number}", (MU, A))
        aged(tmp_path, f"s{number}", LONG_AGO + number)
    assert kept.find("s0")
    for number in range(8, 11):
        kept.add(f"s{number}", (MU, A))
    assert kept.size() <= 16_000
    assert [number for number in range(11) if kept.find(f"s{number}")] == [0, 3, 4, 5, 6, 7, 8, 9, 10]


def test_what_is_found_keeps_the_moment_it_was_written_at(tmp_path: Path):
    kept = Kept(tmp_path, 16_000)
    kept.add("a", (MU, A))
    aged(tmp_path, "a", LONG_AGO)
    kept.find("a")
    about = (tmp_path / "a.ulaw").stat()
    assert about.st_mtime == LONG_AGO
    assert about.st_atime > LONG_AGO


def test_what_was_just_given_out_does_not_go_and_the_size_is_kept(tmp_path: Path):
    kept = Kept(tmp_path, 4_000)
    kept.add("a", (MU, A))
    kept.add("b", (MU, A))
    with pytest.raises(Full):
        kept.add("c", (MU, A))
    assert kept.find("a")
    assert kept.find("b")
    assert kept.size() == 3_200


def test_what_a_process_that_died_had_begun_is_cleared_away(tmp_path: Path):
    left = tmp_path / "x.begun"
    left.write_bytes(bytes(100))
    os.utime(left, (LONG_AGO, LONG_AGO))
    (tmp_path / "y.begun").write_bytes(bytes(100))
    Kept(tmp_path, 1_000_000).add("a", (MU, A))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.alaw", "a.ulaw", "y.begun"]


def test_a_sound_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    kept = Kept(tmp_path, 1_000_000)
    with pytest.raises(OSError, match="No space"):
        kept.add("a", (MU, A))
    assert list(tmp_path.iterdir()) == []


def churn(folder: str) -> int:
    """One of several processes: makes and looks for the same sounds."""
    kept = Kept(Path(folder), 8_000)
    wrong = 0
    for number in range(120):
        key = f"s{number % 9}"
        content = (bytes([number % 9]) * 800, bytes([100 + number % 9]) * 800)
        if not kept.find(key):
            try:
                kept.add(key, content)
            except Full:
                continue
        try:
            read = (Path(folder) / (key + ".ulaw")).read_bytes()
        except FileNotFoundError:
            continue
        wrong += read != content[0]
    return wrong


def test_several_processes_share_a_folder(tmp_path: Path):
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(churn, [str(tmp_path)] * 3)) == [0, 0, 0]
    assert not list(tmp_path.glob("*.begun"))
    assert Kept(tmp_path, 8_000).size() <= 3 * 8_000
