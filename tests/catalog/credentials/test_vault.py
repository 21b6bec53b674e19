"""Secrets are sealed for one record; keys come from the settings or a file; what does not open is said."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from offhook.catalog.credentials.vault import BadKeys, Sealed, Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRETS = {"token": "t0ken-é"}


def test_what_is_sealed_opens_for_its_record_only(tmp_path: Path):
    vault = Vault(OLD, tmp_path / "credentials.key")
    sealed = vault.seal(1, 2, SECRETS)
    assert "t0ken" not in sealed
    assert vault.open(1, 2, sealed) == SECRETS
    for tenant_id, id in ((1, 3), (2, 2)):
        with pytest.raises(Sealed):
            vault.open(tenant_id, id, sealed)
    assert not (tmp_path / "credentials.key").exists()


def test_the_first_key_is_for_writing_and_all_are_for_reading(tmp_path: Path):
    file = tmp_path / "credentials.key"
    sealed = Vault(OLD, file).seal(1, 2, SECRETS)
    both = Vault(f"{NEW}, {OLD}", file)
    assert both.open(1, 2, sealed) == SECRETS
    assert not both.is_newest(sealed)
    again = both.seal(1, 2, SECRETS)
    assert both.is_newest(again)
    assert Vault(NEW, file).open(1, 2, again) == SECRETS
    with pytest.raises(Sealed, match="credentials_keys"):
        Vault(NEW, file).open(1, 2, sealed)


@pytest.mark.parametrize("sealed", ["", "nonsense", "gAAAAA", "é"])
def test_what_was_never_sealed_does_not_open(tmp_path: Path, sealed: str):
    with pytest.raises(Sealed):
        Vault(OLD, tmp_path / "k").open(1, 2, sealed)
    with pytest.raises(Sealed):
        Vault("", tmp_path / "k").open(1, 2, sealed)


def test_without_keys_a_file_is_made_for_its_owner_only(tmp_path: Path):
    file = tmp_path / "data" / "credentials.key"
    vault = Vault("", file)
    assert not file.exists()
    sealed = vault.seal(1, 2, SECRETS)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["credentials.key"]
    assert Vault("", file).open(1, 2, sealed) == SECRETS


def test_a_new_key_of_the_file_is_found_by_other_processes(tmp_path: Path):
    file = tmp_path / "credentials.key"
    one, other = Vault("", file), Vault("", file)
    sealed = one.seal(1, 2, SECRETS)
    assert other.open(1, 2, sealed) == SECRETS
    one.renew()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not one.is_newest(sealed)
    assert other.open(1, 2, one.seal(1, 2, SECRETS)) == SECRETS
    assert other.open(1, 2, sealed) == SECRETS
    with pytest.raises(BadKeys):
        Vault(OLD, file).renew()


@pytest.mark.parametrize("content", ["", "no key\n", "\0"])
def test_a_file_that_holds_no_key_is_said_without_showing_it(tmp_path: Path, content: str):
    file = tmp_path / "credentials.key"
    file.write_text(content)
    with pytest.raises(BadKeys) as refused:
        Vault("", file).seal(1, 2, SECRETS)
    assert "no key\n" not in refused.value.message
    assert file.read_text() == content
