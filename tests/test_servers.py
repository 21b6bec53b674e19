"""The servers that tests stand on: private, empty for each test, gone with their starter. And the network guard."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import make_url

from offhook.kit import clock
from tests import servers
from tests.conftest import NetworkForbidden, at
from tests.servers import PostgreSQL, Unavailable, Valkey


@pytest.mark.parametrize("source", servers.postgres_sources())
def test_every_postgresql_on_this_machine_starts_without_root(source: str) -> None:
    with PostgreSQL(programs=servers.postgres_sources()[source]) as server, server.connect() as connection:
        assert source.endswith(f"-{connection.info.server_version // 10000}")
        assert server.process
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0


@pytest.mark.parametrize("source", servers.valkey_sources())
def test_every_valkey_on_this_machine_starts(source: str) -> None:
    with Valkey(program=servers.valkey_sources()[source]) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()


def test_each_test_gets_an_empty_database(postgres: PostgreSQL) -> None:
    tables = []
    for _ in range(2):
        with postgres.database() as url, postgres.connect(_name(url)) as connection:
            tables.append(connection.execute("SELECT to_regclass('offices')").fetchone())
            connection.execute("CREATE TABLE offices (id bigint)")
    assert tables == [(None,), (None,)]


def test_a_database_can_be_a_copy_of_a_prepared_one(postgres: PostgreSQL) -> None:
    with postgres.database() as prepared:
        with postgres.connect(_name(prepared)) as connection:
            connection.execute("CREATE TABLE offices AS SELECT 7 AS id")
        with postgres.database(template=_name(prepared)) as url, postgres.connect(_name(url)) as connection:
            assert connection.execute("SELECT id FROM offices").fetchone() == (7,)


def test_a_database_is_dropped_while_somebody_is_still_connected(postgres: PostgreSQL) -> None:
    with postgres.database() as url:
        left = postgres.connect(_name(url))
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()


def test_each_test_gets_an_empty_valkey(valkey: Valkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("left", "behind")
        valkey.flush()
        assert client.dbsize() == 0


@pytest.mark.parametrize(("durable", "syncs"), [(True, "on"), (False, "off")])
def test_only_the_postgresql_for_figures_syncs_to_disk(durable: bool, syncs: str) -> None:
    with PostgreSQL(durable=durable) as server, server.connect() as connection:
        assert connection.execute("SHOW fsync").fetchone() == (syncs,)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_pgbench_comes_with_postgresql_and_reaches_it(postgres: PostgreSQL) -> None:
    program, place = str(postgres.program("pgbench")), str(postgres.directory)
    made = subprocess.run(
        [program, "-h", place, "-U", "offhook", "-i", "-q", "postgres"], capture_output=True, text=True, check=True
    )
    assert "done in" in made.stderr


def test_a_killed_postgresql_starts_again_with_what_was_committed(postgres_of_its_own: PostgreSQL) -> None:
    server = postgres_of_its_own
    with server.connect() as connection:
        connection.execute("CREATE TABLE offices AS SELECT 7 AS id")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT id FROM offices")
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT id FROM offices").fetchone() == (7,)


def test_a_killed_valkey_comes_back_empty_at_the_same_address(valkey_of_its_own: Valkey) -> None:
    server = valkey_of_its_own
    with redis.Redis.from_url(server.url) as client:
        client.set("a", "b")
        server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert client.get("a") is None


@pytest.mark.parametrize("kind", ["PostgreSQL", "Valkey"])
def test_a_server_goes_when_its_starter_is_killed(kind: str) -> None:
    starter = (
        "import os, signal\n"
        f"from tests.servers import {kind}\n"
        f"server = {kind}()\n"
        "server.start()\n"
        "print(server.process.pid, server.directory, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", starter], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    pid, directory = said.stdout.split()
    try:
        assert servers.gone(int(pid), seconds=20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGQUIT)
        shutil.rmtree(directory, ignore_errors=True)
        servers.Memory.clear()


def test_what_a_killed_run_left_in_memory_is_cleared_and_what_a_living_one_has_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers.Memory, "root", tmp_path)
    monkeypatch.setattr(servers.Memory, "room", 0)
    left = tmp_path / "offhook-left"
    (left / "data").mkdir(parents=True)
    (tmp_path / "anothers").mkdir()
    first, second = servers.Memory.found(), servers.Memory.found()
    assert first is not None
    assert second is not None
    assert {*tmp_path.iterdir()} == {first.directory, second.directory, tmp_path / "anothers"}
    first.close()
    second.close()
    assert [*tmp_path.iterdir()] == [tmp_path / "anothers"]


@pytest.mark.parametrize(("root", "room"), [("nowhere", 0), (".", 1 << 60)])
def test_without_room_in_memory_data_are_on_disk(
    root: str, room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers.Memory, "root", tmp_path / root)
    monkeypatch.setattr(servers.Memory, "room", room)
    assert servers.Memory.found() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives up rights to start a server")
@pytest.mark.skipif("wheel-18" not in servers.postgres_sources(), reason="the wheel is not installed")
def test_programs_in_a_private_home_run_from_a_copy_and_the_home_stays_private(tmp_path: Path) -> None:
    programs = servers.postgres_sources()["wheel-18"]
    package = programs.parents[1]
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for folder in (programs.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, home / folder.relative_to(package.parent), symlinks=True)
    with PostgreSQL(programs=home / programs.relative_to(package.parent)) as server:
        assert server.programs.is_relative_to(server.directory)
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_server_that_cannot_be_had_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_TEST_POSTGRES", "none-such")
    with pytest.raises(Unavailable, match="apt install postgresql"):
        PostgreSQL()
    monkeypatch.setenv("OFFHOOK_TEST_REDIS", "none-such")
    with pytest.raises(Unavailable, match="apt install redis-server"):
        Valkey()


def test_a_server_that_ends_at_once_shows_its_own_words() -> None:
    with pytest.raises(Unavailable, match="unrecognized configuration parameter"), PostgreSQL(settings={"no": "1"}):
        pass


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "169.254.169.254"])
def test_tests_cannot_leave_this_machine(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        for reach in (probe.connect, probe.connect_ex, lambda address: probe.sendto(b"", address)):
            with pytest.raises(NetworkForbidden):
                reach((host, 9))


def test_tests_cannot_look_up_names() -> None:
    with pytest.raises(NetworkForbidden):
        socket.getaddrinfo("example.com", 443)
    assert socket.getaddrinfo("localhost", 443)


def test_tests_set_the_clock() -> None:
    with at("2026-12-24T18:59:00+01:00"):
        assert clock.now() == datetime(2026, 12, 24, 17, 59, tzinfo=UTC)
    with pytest.raises(ValueError, match="no offset"):
        at("2026-12-24T17:59:00")


def _name(url: str) -> str:
    name = make_url(url).database
    assert name
    return name
