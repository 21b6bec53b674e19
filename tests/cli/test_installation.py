"""Serving, settings, schema, backup: what keeps an installation going."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from offhook import __version__, cli
from offhook.cli import install
from offhook.cli.common import masked
from offhook.kit.errors import Unavailable
from offhook.kit.settings import Settings
from tests.cli.conftest import Run, Serving
from tests.cli.test_tapes import kept


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_asked_to_end_ends_well(server: Serving, number: int) -> None:
    ready = httpx.get(server.url + "/readyz")
    assert (ready.status_code, ready.json()["telephones"]) == (200, "off")
    server.process.send_signal(number)
    assert server.process.wait(30) == 0


def test_a_variable_that_nothing_reads_is_said_by_every_command(
    offhook: Run, company: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_PROT", "8081")
    said = offhook("key", "list", "--json")
    assert "Did you mean OFFHOOK_PORT?" in said.err
    assert said.json["keys"]


def test_a_server_says_it_in_its_log_and_serves(company: Any, empty: Path) -> None:
    environment = {**os.environ, "OFFHOOK_SIP": "false", "OFFHOOK_PROT": "secret"}
    serve = [sys.executable, "-m", "offhook", "serve", "--port", "0"]
    process = subprocess.Popen(serve, cwd=empty, env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "serving":
            break
    process.terminate()
    process.communicate()
    (told,) = [line for line in lines if line["event"] == "variable_not_read"]
    assert (told["level"], told["variable"]) == ("warning", "OFFHOOK_PROT")
    assert "OFFHOOK_PORT" in told["mend"]
    assert "secret" not in str(lines)


def test_a_port_that_is_taken_is_said_with_the_mend(offhook: Run, company: Any) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        # In a process of its own: serving sets what happens on signals.
        done = subprocess.run(
            [sys.executable, "-m", "offhook", "serve", "--port", str(port)], capture_output=True, text=True
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port} is taken" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_telephones_that_cannot_be_answered_are_said_in_a_line(offhook: Run, company: Any) -> None:
    serve = [sys.executable, "-m", "offhook", "serve", "--port", "0", "--sip-host", "192.0.2.1"]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "sip_host 192.0.2.1 is no address of this machine" in line
    assert "--sip-host" in line


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(), "UDP 127.0.0.1:5060, this machine only; sound at UDP 20000-29999"),
        (
            Settings(sip_host="10.0.0.5", sip_address="pbx"),
            "UDP 10.0.0.5:5060, reached at pbx; sound at UDP 20000-29999",
        ),
        (Settings(sip=False), "none are answered (sip is off)"),
    ],
)
def test_where_telephones_are_answered_is_said_as_a_server_starts(settings: Settings, told: str) -> None:
    assert install._telephones(settings) == told


def test_settings_say_where_each_comes_from(offhook: Run, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty / "offhook.toml").write_text('host = "0.0.0.0"\nstop_seconds = 5\n')
    monkeypatch.setenv("OFFHOOK_STOP_SECONDS", "9")
    monkeypatch.setenv("OFFHOOK_BODY_SECONDS", "3")
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", "postgresql://ann:s3/cr?t@db/offhook?sslpassword=s3cr3t")
    monkeypatch.setenv("OFFHOOK_REDIS_URL", "redis://:hunter2@cache:6379/0")
    said = offhook("settings", "--config", "offhook.toml", "--port", "9000", "--json")
    found = {name: (entry["value"], entry["source"]) for name, entry in said.json.items()}
    assert found["port"] == (9000, "--port")
    assert found["host"] == ("0.0.0.0", "offhook.toml")
    assert found["stop_seconds"] == (5, "offhook.toml")
    assert found["body_seconds"] == (3.0, "OFFHOOK_BODY_SECONDS")
    assert found["data"] == ("offhook-data", "default")
    assert found["database_url"][0] == "postgresql://ann:***@db/offhook?***"
    assert found["redis_url"][0] == "redis://:***@cache:6379/0"
    plain = offhook("settings", "--config", "offhook.toml")
    for secret in ("s3/cr", "s3cr3t", "hunter2"):
        assert secret not in said.out + plain.out + plain.err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@ss@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql:///d?password=x", "postgresql:///d?***"),
        ("offhook-data", "offhook-data"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize(
    "url", ["mysql://u:s3cret@h/d", "postgresql://u:s3cret@h:port/d", "s3cret", "postgresql://u:s3cret@127.0.0.1:1/d"]
)
def test_a_database_that_cannot_be_had_is_said_without_its_password(offhook: Run, url: str) -> None:
    for command in (["init"], ["db", "status"], ["key", "list"], ["db", "upgrade"]):
        said = offhook(*command, "--database-url", url)
        assert said.status == 1
        assert "fault" not in said.err
        if "://" in url:
            assert "s3cret" not in said.out + said.err


def test_a_new_store_is_brought_to_the_schema(offhook: Run) -> None:
    assert offhook("db", "status", "--json").json["schema"] is None
    assert offhook("db", "upgrade", "--json").json["changed"] is True
    assert offhook("db", "upgrade", "--json").json["changed"] is False
    status = offhook("db", "status", "--json").json
    assert (status["current"], status["schema"] == status["newest"], status["companies"]) == (True, True, 0)
    assert "offhook init" in offhook("db", "status").err


def test_a_backup_is_restored_into_an_empty_folder_only(offhook: Run, company: Any, empty: Path) -> None:
    made = offhook("backup", "b.zip", "--json")
    assert (made.status, made.json["rows"]["offices"]) == (0, 2)
    refused = offhook("restore", "b.zip")
    assert (refused.status, "already holds" in refused.err) == (1, True)
    assert offhook("restore", "b.zip", "--data", "new").status == 0
    shown = offhook("office", "list", "--data", "new", "--key", company["live_key"], "--json").json
    assert [office["id"] for office in shown["items"]] == [company["office_id"]]


def test_what_a_backup_does_not_hold_is_named_with_where_it_is(offhook: Run, company: Any, empty: Path) -> None:
    said = offhook("backup", "b.zip")
    assert "Not in it" not in said.err
    assert offhook("backup", "b.zip", "--json").json["beside"] == {}
    data = empty / "offhook-data"
    kept(data, company["office_id"], 77, "voicemail")
    (empty / "secret").write_text("s3cret")
    add = ("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    assert offhook(*add, "--secret-file", "secret").status == 0
    said = offhook("backup", "b.zip")
    assert "Not in it" in said.err
    sound, key = Path("sound", "kept"), Path("credentials.key")
    assert all((data / one).exists() and f"  {data / one}\n" in said.err for one in (sound, key))
    restored = offhook("restore", "b.zip", "--data", "new")
    assert "Not in the backup" in restored.err
    assert all(f"  {empty / 'new' / one}\n" in restored.err for one in (sound, key))


def test_what_the_settings_keep_elsewhere_is_named_as_there(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(empty / "offhook-data", company["office_id"], 77, "recording")
    monkeypatch.setenv("OFFHOOK_SOUND_URL", "s3://offhook-sound/office")
    monkeypatch.setenv("OFFHOOK_CREDENTIALS_KEYS", Fernet.generate_key().decode())
    (empty / "secret").write_text("s3cret")
    add = ("api", "credential", "add", "books", "--kind", "bearer", "--host", "books.example.com")
    assert offhook(*add, "--secret-file", "secret").status == 0
    beside = offhook("backup", "b.zip", "--json").json["beside"]
    assert beside == {"sound": "s3://offhook-sound/office, by sound_url", "key": "the setting credentials_keys"}


def test_what_is_no_backup_is_refused_in_words(offhook: Run, company: Any, empty: Path) -> None:
    (empty / "no.zip").write_bytes(b"PK nonsense")
    assert offhook("restore", "no.zip", "--data", "new").status == 1
    assert "There is no backup" in offhook("restore", "none.zip", "--data", "new").err
    assert offhook("backup", "no/such/folder/b.zip").status == 1


@pytest.mark.parametrize("folder", ["new", "some/where/new"])
def test_a_refused_restore_leaves_nothing_behind(offhook: Run, company: Any, empty: Path, folder: str) -> None:
    (empty / "no.zip").write_bytes(b"PK nonsense")
    before = sorted(empty.rglob("*"))
    assert offhook("restore", "no.zip", "--data", folder).status == 1
    assert sorted(empty.rglob("*")) == before


def test_a_restore_that_fails_midway_leaves_the_folder_as_it_was(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offhook("backup", "b.zip")
    (empty / "new").mkdir()
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise Unavailable("The store is full.")

        patched.setattr("offhook.storage.backup._continue_sequence", full)
        assert offhook("restore", "b.zip", "--data", "new").status == 1
    assert list((empty / "new").iterdir()) == []
    assert offhook("restore", "b.zip", "--data", "new").status == 0
    assert [path.name for path in (empty / "new").iterdir()] == ["offhook.sqlite3"]


def test_a_store_that_comes_to_be_during_a_restore_is_not_written_over(
    offhook: Run, company: Any, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offhook("backup", "b.zip")

    def another(*_: object) -> None:
        (empty / "new" / "offhook.sqlite3").write_bytes(b"of another")

    monkeypatch.setattr("offhook.storage.backup._continue_sequence", another)
    refused = offhook("restore", "b.zip", "--data", "new")
    assert (refused.status, "came to be meanwhile" in refused.err) == (1, True)
    assert [path.read_bytes() for path in (empty / "new").iterdir()] == [b"of another"]


def test_the_version_is_said(offhook: Run) -> None:
    assert offhook("version").out.strip() == __version__
    assert offhook("version", "--json").json == {"version": __version__}


def test_a_fault_of_ours_shows_no_trace_and_no_secret(offhook: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(cli, "app", broken)
    said = offhook("version")
    assert said.status == 1
    assert "RuntimeError at test_installation.py" in said.err
    assert "s3cret" not in said.err


def test_every_command_explains_itself() -> None:
    done = subprocess.run([sys.executable, "-m", "offhook", "--help"], capture_output=True, text=True, check=True)
    for word in ("init", "serve", "key", "number", "office", "db", "backup", "restore", "settings", "version"):
        assert f" {word} " in done.stdout
    assert json.dumps(done.stderr) == '""'


def test_the_command_says_which_version_it_is(offhook: Run) -> None:
    said = offhook("--version")
    assert (said.status, said.out.strip()) == (0, f"offhook {__version__}")
