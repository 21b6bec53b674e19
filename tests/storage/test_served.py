"""Where the server over a store listens, as it notes it and as commands find it."""

import msgspec
import pytest

import offhook.app  # noqa: F401  a backup has all tables
from offhook.kit.errors import Unavailable
from offhook.kit.settings import Settings
from offhook.storage import served
from offhook.storage.backup import backup, restore
from offhook.storage.database import Database, Statement
from offhook.storage.migrate import upgrade
from offhook.storage.slots import lease

REALM = frozenset({"sip_realm"})
ELSEWHERE = Settings(port=8497, sip_port=5497, sip_address="192.0.2.1", sip_realm="example.com")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path}/it.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = Database(url)
    upgrade(opened)
    yield opened
    opened.close()


def serve(database, slot, at, settings=ELSEWHERE):
    place = served.Place(database, slot, settings, at)
    place.keep()
    assert place.kept
    return place


def there(database):
    found = served.found(database)
    assert found is not None
    return found


def test_a_store_that_nobody_served_is_as_the_settings_say(database):
    assert served.found(database) is None
    assert served.as_served(ELSEWHERE, None) == ELSEWHERE


def test_commands_find_where_the_server_that_runs_listens_whatever_they_were_set(database):
    slot = lease(database)
    serve(database, slot, 1)
    found = served.found(database)
    assert found is not None
    assert (found.now, found.note.at) == (True, 1)
    told = served.as_served(Settings(sip_port=7777, calls_days=3), found)
    assert (told.port, told.sip_port, told.sip_address, told.sip_realm) == (8497, 5497, "192.0.2.1", "example.com")
    assert told.calls_days == 3
    slot.release()


def test_what_was_served_last_gives_way_to_what_is_set(database):
    slot = lease(database)
    serve(database, slot, 1)
    slot.release()
    found = served.found(database)
    assert found is not None
    assert not found.now
    told = served.as_served(Settings(sip_port=7777), found)
    assert (told.port, told.sip_port) == (8497, 7777)


def test_of_several_the_latest_that_is_there_tells(database):
    slots = [lease(database) for _ in range(3)]
    for at, slot in enumerate(slots):
        serve(database, slot, at, msgspec.structs.replace(ELSEWHERE, port=9000 + at))
    slots[2].release()
    assert (there(database).now, there(database).note.port) == (True, 9001)
    for slot in slots[:2]:
        slot.release()
    assert (there(database).now, there(database).note.port) == (False, 9002)


@pytest.mark.parametrize("gone", [False, True])
def test_where_telephones_are_reached_is_told_by_a_server_that_answers_them(database, gone):
    slots = [lease(database), lease(database)]
    serve(database, slots[0], 1)
    serve(database, slots[1], 2, Settings(port=9001, sip=False, sip_port=9002, sip_realm="other"))
    if gone:
        for slot in slots:
            slot.release()
    told = served.as_served(Settings(), there(database))
    assert (told.port, told.sip, told.sip_port, told.sip_realm) == (9001, True, 5497, "example.com")
    if not gone:
        slots[0].release()
        told = served.as_served(Settings(), there(database))
        assert (told.sip, told.sip_port) == (False, 9002)
        slots[1].release()


def test_a_realm_that_was_set_is_kept_also_the_one_that_is_meant_anyway(database):
    slot = lease(database)
    serve(database, slot, 1)
    found = there(database)
    assert served.as_served(Settings(sip_realm="mine"), found).sip_realm == "mine"
    assert served.as_served(Settings(), found, REALM).sip_realm == Settings().sip_realm
    assert served.as_served(Settings(), found).sip_realm == "example.com"
    slot.release()


def test_a_server_that_is_gone_is_not_there_while_a_command_has_its_slot(database):
    slot = lease(database)
    serve(database, slot, 1)
    slot.release()
    command = lease(database)
    assert command.number == slot.number
    assert not there(database).now
    command.release()


def test_a_server_that_could_not_note_its_place_is_not_taken_for_the_one_before(database, monkeypatch):
    slot = lease(database)
    serve(database, slot, 1)
    slot.release()
    slot = lease(database)
    place = served.Place(database, slot, Settings(port=9001), 2)
    with monkeypatch.context() as patched:
        patched.setattr(database, "transaction", _away)
        with pytest.raises(Unavailable):
            place.keep()
    assert (place.kept, there(database).now) == (False, False)
    place.keep()
    assert (there(database).now, there(database).note.port) == (True, 9001)
    slot.release()


def _away():
    raise Unavailable("The store is away.")


def test_a_server_that_lost_its_slot_to_another_notes_its_place_again(postgres_url):
    database = Database(postgres_url)
    upgrade(database)
    moves: list[object] = []
    slot = lease(database, moves.append)
    place = serve(database, slot, 1)
    other = Database(postgres_url)
    with other.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).all()
    command = lease(other)
    assert command.number == 0
    for _ in ("finds out", "makes sure"):
        with database.transaction():
            pass
    assert (moves, place.kept, there(other).now) == ([1], False, False)
    place.keep()
    assert (there(other).now, there(other).note.slot, there(other).note.at) == (True, 1, 1)
    with other.reading() as tx:
        assert len(tx.all(Statement("SELECT value FROM store_settings WHERE substr(name, 1, 7) = 'served.'"))) == 1
    command.release()
    slot.release()
    database.close()
    other.close()


def test_a_store_read_back_from_a_backup_was_never_served(database, tmp_path):
    slot = lease(database)
    serve(database, slot, 1)
    slot.release()
    backup(database, tmp_path / "it.zip")
    other = Database(f"sqlite:///{tmp_path}/other.sqlite3")
    restore(other, tmp_path / "it.zip")
    assert served.found(other) is None
    other.close()


@pytest.mark.postgres
def test_a_slot_whose_session_alone_was_lost_is_taken_anew_and_known_as_a_servers(postgres_url):
    database = Database(postgres_url)
    upgrade(database)
    slot = lease(database)
    place = serve(database, slot, 1)
    number = slot.number
    with database.reading() as tx:
        tx.connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted AND "
            "pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (number,),
        )
    assert not there(database).now
    place.keep()
    assert (place.kept, slot.number, there(database).now) == (True, number, True)
    other = lease(database)
    assert other.number != number
    for one in (slot, other):
        one.release()
    database.close()
