"""What is recorded is kept whole, once, wherever its keeping is cut off; and goes whole, after its days."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.calls.tapes import keeping, parts, store
from offhook.calls.tapes.keeping import Tapes
from offhook.calls.tapes.shelf import Folder
from offhook.events.model import SYSTEM
from offhook.kit import clock
from offhook.kit.errors import Unavailable
from offhook.storage.database import Statement
from tests.api.desk import Company
from tests.calls.tapes.sounds import V1, call, left, primary, wav

DAY = 86_400.0
ALL = Statement("SELECT id, gone FROM tapes WHERE tenant_id = ?")


class Killed(BaseException):
    """The process ends here."""


class Place:
    """Folders of a test, and processes over them and the store, at a time that the test sets."""

    def __init__(self, company: Company, folder: Path) -> None:
        self.company, self.folder = company, folder
        self.ahead = 0.0
        self.tapes = self.process()

    def process(self, writer: Any = None, shelf: Any = None, **days: int) -> Tapes:
        offhook = self.company.desk.offhook
        return Tapes(
            offhook.reader, writer or offhook.writer, self.company.desk.ids, offhook.snapshots.of,
            shelf or Folder(self.folder / "kept"), self.folder / "new", wall=lambda: clock.wall() + self.ahead,
            voicemail_days=days.get("voicemail_days", 90), recordings_days=days.get("recordings_days", 90),
        )  # fmt: skip

    def run(self, what: Any) -> Any:
        return self.company.desk.run(what)

    def records(self, tapes: Tapes, content: bytes, *, over: bool = True) -> str:
        call_id = call(self.company, over=over)
        path = tapes.new_message(self.company.tenant(), call_id, primary(self.company))
        if content:
            Path(path).write_bytes(content)
        return path

    def ended(self, tapes: Tapes, path: str, seconds: float = 1.5) -> None:
        self.run(tapes.message_left(self.company.tenant(), 0, primary(self.company), path, seconds))

    def looks(self, tapes: Tapes, later: float = 0.0) -> None:
        """A look so much later."""
        self.ahead += later
        self.run(tapes.look())

    @property
    def rows(self) -> list[Any]:
        tenant = self.company.tenant()
        return list(self.company.desk.transact(lambda tx: tx.all(ALL, tenant)))

    @property
    def new(self) -> list[str]:
        return sorted(path.suffix for path in (self.folder / "new").glob("*"))

    @property
    def kept(self) -> list[Path]:
        return sorted((self.folder / "kept").glob("*/*"))

    @property
    def told(self) -> list[str]:
        events = self.company.live.events()
        return [one["event"] for one in events if one["event"].startswith(("voicemail.", "recording."))]


@pytest.fixture
def place(company: Company, tmp_path: Path) -> Place:
    return Place(company, tmp_path)


@pytest.fixture
def here(embedded: Company, tmp_path: Path) -> Place:
    return Place(embedded, tmp_path)


def test_a_message_is_kept_for_its_owner_only_under_a_name_that_nobody_guesses(place: Place):
    path = place.records(place.tapes, wav(1.5))
    place.ended(place.tapes, path)
    [row], [kept] = place.rows, place.kept
    assert kept.read_bytes() == wav(1.5)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (place.folder / "new").stat().st_mode & 0o777 == 0o700
    assert len(kept.stem) == 32
    assert str(row[0]) not in kept.stem
    assert place.new == []
    assert place.told == ["voicemail.left"]


def test_a_message_of_no_seconds_leaves_nothing(place: Place):
    path = place.records(place.tapes, wav(3))
    place.ended(place.tapes, path, 0)
    assert (place.rows, place.new, place.kept, place.told) == ([], [], [], [])


@pytest.mark.parametrize(
    "content", [b"", b"no sound at all, but more than a head of it would be" * 3, b"RIFF\0\0\0\0WAVE"]
)
def test_what_is_no_sound_leaves_nothing(here: Place, content: bytes):
    path = here.records(here.tapes, content)
    here.ended(here.tapes, path)
    assert (here.rows, here.new, here.kept) == ([], [], [])


@pytest.mark.parametrize("told", [0, 10**6])
def test_a_file_whose_writer_died_is_as_long_as_what_is_in_it(here: Place, told: int):
    path = here.records(here.tapes, wav(2, told=told))
    here.ended(here.tapes, path)
    [kept] = here.kept
    assert kept.read_bytes() == wav(2)


def _killed_at(where: str, place: Place) -> Tapes:
    """A process that ends at a point of keeping."""

    class Shelf(Folder):
        async def put(self, name: str, path: Path) -> None:
            if where == "before the sound is on the shelf":
                raise Killed
            await super().put(name, path)
            if where == "before the row is written":
                raise Killed

    class Writes:
        async def run(self, unit: Callable[[Any], Any]) -> Any:
            found = await place.company.desk.offhook.writer.run(unit)
            raise Killed if where == "before the note is gone" else AssertionError(found)

    return place.process(writer=Writes(), shelf=Shelf(place.folder / "kept"))


POINTS = ["before the sound is on the shelf", "before the row is written", "before the note is gone"]


@pytest.mark.parametrize("where", POINTS)
def test_a_process_that_is_killed_while_it_keeps_loses_nothing_and_keeps_nothing_twice(place: Place, where: str):
    dying = _killed_at(where, place)
    path = place.records(dying, wav(1.5))
    with pytest.raises(Killed):
        place.ended(dying, path)
    another = place.process()
    place.looks(another)
    # Whoever has it may still be at it.
    assert len(place.rows) == (where == "before the note is gone")
    place.looks(another, keeping.ABANDONED_SECONDS + 1)
    [row], [kept] = place.rows, place.kept
    assert kept.read_bytes() == wav(1.5)
    assert place.new == []
    assert place.told == ["voicemail.left"]
    place.looks(another, DAY)
    assert place.rows == [row]


def test_a_process_that_is_killed_while_it_writes_a_note_loses_nothing(here: Place, monkeypatch: pytest.MonkeyPatch):
    dying = here.process()
    path = here.records(dying, wav(1.5))
    write = Path.write_bytes

    def killed(self: Path, content: bytes) -> int:
        write(self, content[: len(content) // 2])
        raise Killed

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(Killed):
        here.ended(dying, path)
    monkeypatch.undo()
    here.looks(here.process(), DAY)
    assert (len(here.rows), len(here.kept), here.new) == (1, 1, [])


def test_what_a_process_that_was_killed_had_recorded_so_far_is_kept(place: Place):
    path = Path(place.records(place.tapes, b""))
    parts.side(path, "in", "ulaw").write_bytes(bytes(range(250)) * 48)
    another = place.process()
    place.looks(another)
    assert (place.rows, place.new) == ([], [".json", ".part"])
    place.looks(another, keeping.ABANDONED_SECONDS + 1)
    [_], [kept] = place.rows, place.kept
    assert kept.read_bytes().endswith(bytes(range(250)) * 48)
    assert place.new == []
    assert place.told == ["voicemail.left"]


def test_a_recording_that_is_thrown_away_leaves_no_part_of_it(here: Place):
    path = Path(here.records(here.tapes, b""))
    parts.side(path, "in", "ulaw").write_bytes(bytes(1_000))
    here.looks(here.process(), keeping.ABANDONED_SECONDS + 1)
    assert (here.rows, here.new) == ([], [])


def test_a_file_that_cannot_be_thrown_away_keeps_no_other(here: Place, monkeypatch: pytest.MonkeyPatch):
    stuck = [Path(here.records(here.tapes, content)) for content in (b"no sound", wav(0.3))]
    unlink = Path.unlink

    def not_ours(path: Path, missing_ok: bool = False) -> None:
        if path in stuck:
            raise PermissionError("not ours")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", not_ours)
    for later in range(3):
        here.records(here.tapes, wav(1.5))
        with capture_logs() as logs:
            here.looks(here.process(), keeping.ABANDONED_SECONDS + 1)
        assert [line["event"] for line in logs].count("tape_not_thrown_away") == 2
        assert len(here.rows) == later + 1
    monkeypatch.undo()
    here.looks(here.process())
    assert (here.new, len(here.rows)) == ([], 3)


def test_what_is_still_recorded_is_left_alone(here: Place):
    path = here.records(here.tapes, wav(1.5), over=False)
    another = here.process()
    here.looks(another, 10 * keeping.ABANDONED_SECONDS)
    assert (here.rows, Path(path).exists()) == ([], True)


def test_what_was_left_behind_without_a_word_in_it_is_thrown_away(here: Place):
    here.records(here.tapes, wav(0.3))
    here.looks(here.process(), keeping.ABANDONED_SECONDS + 1)
    assert (here.rows, here.new) == ([], [])


def test_a_note_that_nothing_was_written_for_goes_after_two_days(here: Place):
    here.records(here.tapes, b"")
    another = here.process()
    with capture_logs() as logs:
        here.looks(another, DAY)
        assert (here.new, logs) == ([".json"], [])
        here.looks(another, DAY + 1)
    assert here.new == []
    assert [(one["event"], one["log_level"], one["kind"]) for one in logs] == [
        ("tape_without_sound", "error", "voicemail")
    ]


@pytest.mark.parametrize("content", [b"", b"{", b'{"id":1}', b"\xff", b"of another"])
def test_a_note_that_cannot_be_read_is_told_of_once_and_its_sound_stays(here: Place, content: bytes):
    path = Path(here.records(here.tapes, wav(1.5)))
    note = path.with_suffix(".json")
    whole = note.read_bytes()
    note.write_bytes(content.replace(b"of another", whole.replace(path.stem.encode(), b"another")))
    another = here.process()
    with capture_logs() as logs:
        for _ in range(3):
            here.looks(another, keeping.ABANDONED_SECONDS + 1)
    [told] = logs
    assert (told["event"], told["log_level"]) == ("tape_note_unreadable", "error")
    assert (told["path"], told["sound"]) == (note.name, True)
    assert (here.rows, path.exists()) == ([], True)
    # Once it is mended it is kept; one that is broken again is told of again.
    note.write_bytes(whole)
    here.looks(another)
    assert (len(here.rows), here.new) == (1, [])
    note.write_bytes(content or b"{")
    with capture_logs() as logs:
        here.looks(another)
    assert [(one["event"], one["sound"]) for one in logs] == [("tape_note_unreadable", False)]


def test_what_cannot_be_kept_now_is_kept_with_the_next_look(place: Place):
    class Away:
        away = True

        async def run(self, unit: Callable[[Any], Any]) -> Any:
            if self.away:
                raise Unavailable("The store cannot take this now.")
            return await place.company.desk.offhook.writer.run(unit)

    writer = Away()
    tapes = place.process(writer=writer)
    path = place.records(tapes, wav(1.5))
    place.ended(tapes, path)
    assert place.rows == []
    writer.away = False
    place.looks(tapes)
    assert (len(place.rows), len(place.kept), place.new, place.told) == (1, 1, [], ["voicemail.left"])


def test_a_look_meanwhile_leaves_what_is_just_being_kept(here: Place):
    class Slow(Folder):
        puts = 0

        async def put(self, name: str, path: Path) -> None:
            self.puts += 1
            if self.puts == 1:
                await tapes.look()
            await super().put(name, path)

    shelf = Slow(here.folder / "kept")
    tapes = here.process(shelf=shelf)
    here.ended(tapes, here.records(tapes, wav(1.5)))
    assert (shelf.puts, len(here.rows), len(here.kept), here.new) == (1, 1, 1, [])
    assert tapes._owed == {}


def test_a_shelf_that_is_away_is_asked_once_a_look_however_much_is_owed(here: Place):
    class Away(Folder):
        asked, away = 0, True

        def _ask(self) -> None:
            self.asked += 1
            if self.away:
                raise Unavailable("The bucket cannot be reached.")

        async def put(self, name: str, path: Path) -> None:
            self._ask()
            await super().put(name, path)

        async def remove(self, name: str) -> None:
            self._ask()
            await super().remove(name)

    shelf = Away(here.folder / "kept")
    tapes = here.process(shelf=shelf)
    for _ in range(3):
        here.ended(tapes, here.records(tapes, wav(1.5)))
    call_id = call(here.company, over=True)
    path = tapes.new_recording(here.company.tenant(), call_id)
    Path(path).write_bytes(wav(1.0))
    here.run(tapes.recording_made(here.company.tenant(), call_id, path, 1.0))
    shelf.asked = 0
    here.looks(tapes)
    assert (shelf.asked, here.rows) == (1, [])
    shelf.away = False
    here.looks(tapes)
    assert [gone for _, gone in here.rows] == [0, 0, 0, 0]
    shelf.asked, shelf.away = 0, True
    here.looks(tapes, 91 * DAY)
    assert shelf.asked == 1
    shelf.away = False
    here.looks(tapes)
    assert here.rows == []


def test_a_file_that_cannot_be_removed_goes_later_and_its_row_after_it(place: Place):
    class Stuck(Folder):
        stuck = True

        async def remove(self, name: str) -> None:
            if self.stuck:
                raise OSError("the disk is away")
            await super().remove(name)

    shelf = Stuck(place.folder / "kept")
    tapes = place.process(shelf=shelf)
    id = left(place.company, primary(place.company), tapes=tapes)
    tape = _tape(place, id)
    place.run(tapes.delete(tape, SYSTEM))
    assert place.company.live.get(f"{V1}/voicemails/{id}").status == 404
    assert len(place.kept) == 1
    assert [bool(row[1]) for row in place.rows] == [True]
    shelf.stuck = False
    place.looks(tapes)
    assert (place.rows, place.kept) == ([], [])
    assert place.told == ["voicemail.left", "voicemail.deleted"]


def test_what_cannot_be_removed_keeps_nothing_behind_it(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    asked: Counter[str] = Counter()

    class Stuck(Folder):
        stuck: frozenset[str] = frozenset()

        async def remove(self, name: str) -> None:
            asked[name] += 1
            if name in self.stuck:
                raise PermissionError("not ours")
            await super().remove(name)

    shelf = Stuck(place.folder / "kept")
    tapes = place.process(shelf=shelf, voicemail_days=3)
    taped = [_tape(place, left(place.company, primary(place.company), tapes=tapes)) for _ in range(5)]
    shelf.stuck = frozenset(one.name for one in taped)
    for tape in taped:
        place.run(tapes.delete(tape, SYSTEM))
    shelf.stuck = frozenset(one.name for one in taped[:3])
    place.looks(tapes)
    assert sorted(row[0] for row in place.rows) == [one.id for one in taped[:3]]
    for _ in range(3):
        left(place.company, primary(place.company), tapes=tapes)
    asked.clear()
    place.looks(tapes, 3 * DAY + 60)
    assert sorted(row[0] for row in place.rows) == [one.id for one in taped[:3]]
    assert [asked[one.name] for one in taped] == [1, 1, 1, 0, 0], "each is tried once a look"


def test_each_kind_goes_after_its_own_days(place: Place):
    tapes = place.process(voicemail_days=3, recordings_days=5)
    id = left(place.company, primary(place.company), tapes=tapes)
    call_id = call(place.company)
    path = tapes.new_recording(place.company.tenant(), call_id)
    Path(path).write_bytes(wav(1))
    place.run(tapes.recording_made(place.company.tenant(), call_id, path, 1.0))
    place.looks(tapes, 3 * DAY - 60)
    assert len(place.rows) == 2
    place.looks(tapes, 120)
    assert [row[0] for row in place.rows] != [int(id)]
    assert len(place.rows) == len(place.kept) == 1
    place.looks(tapes, 2 * DAY)
    assert (place.rows, place.kept) == ([], [])
    assert place.told == ["voicemail.left", "recording.made", "voicemail.deleted", "recording.deleted"]


def test_many_go_in_batches_each_whole(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "AT_ONCE", 2)
    tapes = place.process(voicemail_days=3)
    for _ in range(5):
        left(place.company, primary(place.company), tapes=tapes)
    young = place.process(voicemail_days=4)
    place.looks(young, 3 * DAY + 60)
    assert (len(place.rows), len(place.kept)) == (5, 5)
    place.looks(tapes)
    assert (place.rows, place.kept) == ([], [])
    assert place.told == ["voicemail.left"] * 5 + ["voicemail.deleted"] * 5


def test_a_stop_in_the_middle_of_a_part_closes_the_file(here: Place):
    id = left(here.company, primary(here.company), seconds=60.0, tapes=here.tapes)
    tape = _tape(here, id)

    async def some() -> int:
        pieces = here.tapes.shelf.read(tape.name, 0, tape.size)
        first = await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        return len(first)

    before = len(list(Path("/proc/self/fd").iterdir()))
    assert here.run(some()) == 64 * 1024
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_name_that_is_none_reaches_no_file(here: Place):
    async def asks() -> None:
        for name in ("../../offhook.sqlite3", "a" * 31, "a" * 31 + "/", ""):
            with pytest.raises(ValueError, match="no name"):
                await here.tapes.shelf.has(name)

    here.run(asks())


def _tape(place: Place, id: str) -> Any:
    tenant = place.company.tenant()
    return place.company.desk.transact(lambda tx: store.get(tx, tenant, int(id)))
