"""Where the server over a store listens, as it notes it and as commands find it."""

import msgspec
import pytest

import offhook.app  # noqa: F401  a backup has all tables
from offhook.kit.settings import Settings
from offhook.storage import served
from offhook.storage.backup import backup, restore
from offhook.storage.database import Database
from offhook.storage.migrate import upgrade
from offhook.storage.slots import lease

ELSEWHERE = Settings(port=8497, sip_port=5497, sip_address="192.0.2.1", sip_realm="example.com")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path}/it.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Database(url)
    upgrade(opened)
    yield opened
    opened.close()


def test_a_store_that_nobody_served_is_as_the_settings_say(database):
    assert served.found(database) is None
    assert served.as_served(ELSEWHERE, None) == ELSEWHERE


def test_commands_find_where_the_server_that_runs_listens_whatever_they_were_set(database):
    slot = lease(database)
    served.note(database, slot.number, ELSEWHERE, 1)
    found = served.found(database)
    assert found is not None
    assert (found.now, found.note.at) == (True, 1)
    told = served.as_served(Settings(sip_port=7777, calls_days=3), found)
    assert (told.port, told.sip_port, told.sip_address, told.sip_realm) == (8497, 5497, "192.0.2.1", "example.com")
    assert told.calls_days == 3
    slot.release()


def test_what_was_served_last_gives_way_to_what_is_set(database):
    slot = lease(database)
    served.note(database, slot.number, ELSEWHERE, 1)
    slot.release()
    found = served.found(database)
    assert found is not None
    assert not found.now
    told = served.as_served(Settings(sip_port=7777), found)
    assert (told.port, told.sip_port) == (8497, 7777)


def test_of_several_the_latest_that_is_there_tells(database):
    slots = [lease(database) for _ in range(3)]
    for at, slot in enumerate(slots):
        served.note(database, slot.number, msgspec.structs.replace(ELSEWHERE, port=9000 + at), at)
    slots[2].release()
    found = served.found(database)
    assert found is not None
    assert (found.now, found.note.port) == (True, 9001)
    served.note(database, slots[1].number, msgspec.structs.replace(ELSEWHERE, port=9003), 3)
    again = served.found(database)
    assert again is not None
    assert again.note.port == 9003
    for slot in slots[:2]:
        slot.release()


def test_a_store_read_back_from_a_backup_was_never_served(database, tmp_path):
    slot = lease(database)
    served.note(database, slot.number, ELSEWHERE, 1)
    slot.release()
    backup(database, tmp_path / "it.zip")
    other = Database(f"sqlite:///{tmp_path}/other.sqlite3")
    restore(other, tmp_path / "it.zip")
    assert served.found(other) is None
    other.close()
