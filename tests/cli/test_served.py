"""Commands over the store of a server tell where that server listens, whatever their own settings are."""

import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from offhook.kit.settings import Settings
from offhook.storage.database import Database
from offhook.storage.served import Place
from offhook.storage.slots import lease
from tests.cli.conftest import Run, Serving
from tests.cli.test_phones_and_trunks import ana
from tests.cli.test_tapes import kept

__all__ = ["ana"]


def test_telephones_and_links_are_told_as_the_server_listens(
    offhook: Run, company: Any, ana: str, empty: Path, server: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_PORT", "8099")
    kept(empty / "offhook-data", company["office_id"], 77, "voicemail")
    added = offhook("phone", "add", ana)
    assert "now, but telephones are not answered (sip is off)" in added.out
    link = offhook("voicemail", "link", "77")
    assert urlsplit(link.out.strip()).netloc == urlsplit(server.url).netloc
    assert "Server:" not in link.err
    assert f"{server.url}/api/v2/offices" in offhook("key", "create", "--name", "other").err
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)
    monkeypatch.delenv("OFFHOOK_PORT")
    link = offhook("voicemail", "link", "77")
    assert urlsplit(link.out.strip()).netloc == urlsplit(server.url).netloc
    assert "Server: not now" in link.err
    assert "not now: this is as it was last" in offhook("phone", "show", ana).out


def test_before_anybody_served_the_settings_are_told(offhook: Run, ana: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_SIP_PORT", "5777")
    said = offhook("phone", "add", ana)
    assert "5777" in said.out
    assert "not yet: this is what the settings say" in said.out


def test_telephones_are_told_by_the_server_that_answers_them_and_a_realm_that_was_set_is_kept(
    offhook: Run, company: Any, ana: str, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{empty}/offhook-data/offhook.sqlite3")
    slots = [lease(database), lease(database)]
    Place(database, slots[0], Settings(sip_port=5497, sip_realm="phones.example"), 1).keep()
    Place(database, slots[1], Settings(port=9001, sip=False), 2).keep()
    added = offhook("phone", "add", ana)
    assert "now, since 1970-01-01" in added.out
    assert "5497" in added.out
    assert "phones.example" in added.out
    assert "sip_realm" not in added.err
    # As it is where nothing is set.
    monkeypatch.setenv("OFFHOOK_SIP_REALM", "offhook")
    other = offhook("phone", "add", ana, "--name", "Other")
    assert "phones.example" not in other.out
    assert "sip_realm is offhook here, and phones.example where telephones are answered" in other.err
    for slot in slots:
        slot.release()
    assert "sip_realm" not in offhook("phone", "show", ana).err
    database.close()
