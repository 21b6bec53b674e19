"""Encrypts what must not be read in the store. Keys come from the settings, or from a file that is made at first use.

What is sealed names its owner inside, so that it opens for no other record. Nothing here logs, and no error holds a
secret or a key.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from offhook.kit.errors import Conflict, Refusal

KEY_FILE = "credentials.key"


class Sealed(Conflict):
    """A record that none of the keys opens. It is kept as it is."""


class BadKeys(Refusal):
    """The key file cannot be used."""

    status = 503
    reason = "backendError"


class _Content(msgspec.Struct, frozen=True):
    """What is sealed, with the tenant and the record that it belongs to."""

    tenant_id: int
    id: int
    secrets: dict[str, str]


class Vault:
    """Seals and opens. `keys` are those of the settings, separated by commas, the newest first.

    Without them they are the lines of `file`, which is read, or made, when first needed, and read again whenever it has
    changed: another process may have put a newer one into it.
    """

    def __init__(self, keys: str, file: Path) -> None:
        self._file = file
        self._given = [Fernet(key.strip()) for key in keys.split(",") if key.strip()]
        self._known: list[Fernet] = self._given
        self._read_at: tuple[int, int, int] | None = None

    def seal(self, tenant_id: int, id: int, secrets: Mapping[str, str]) -> str:
        """`secrets` as text for the store, by the newest key."""
        content = msgspec.json.encode(_Content(tenant_id, id, dict(secrets)))
        return self._keys()[0].encrypt(content).decode()

    def open(self, tenant_id: int, id: int, sealed: str) -> dict[str, str]:
        """What was sealed for this record; Sealed if no key opens it, or it is another's."""
        content = self._opened(sealed)
        if content is None or (content.tenant_id, content.id) != (tenant_id, id):
            raise Sealed(
                "No key of this server opens this credential. It is kept: put back credentials.key in the data folder, "
                "or what credentials_keys was set to, or enter its secret again."
            )
        return content.secrets

    def is_newest(self, sealed: str) -> bool:
        """Whether the newest key has sealed this."""
        try:
            self._keys()[0].decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def renew(self) -> None:
        """Put a new key before those of the file. BadKeys if the keys are those of the settings."""
        if self._given:
            raise BadKeys("The keys stand in credentials_keys: put a new one before them there, and start again.")
        lines = [Fernet.generate_key().decode(), *self._lines()]
        partial = self._file.with_name(self._file.name + ".partial")
        self._write(partial, lines)
        partial.replace(self._file)

    def _opened(self, sealed: str) -> _Content | None:
        try:
            return msgspec.json.decode(MultiFernet(self._keys()).decrypt(sealed.encode()), type=_Content)
        except (InvalidToken, msgspec.MsgspecError):
            return None

    def _keys(self) -> list[Fernet]:
        if self._given:
            return self._given
        # By the state before reading: what changes meanwhile is read the next time.
        stamp = self._stamp()
        if not self._known or stamp != self._read_at:
            try:
                self._known = [Fernet(line) for line in self._lines()]
            except ValueError:
                raise BadKeys(f"{KEY_FILE} in the data folder holds what is no key.") from None
            self._read_at = stamp
        return self._known

    def _stamp(self) -> tuple[int, int, int] | None:
        """By what it is known that the file is another than it was; None if there is none."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _lines(self) -> list[str]:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._file.exists():
                # Written beside it first, so that no other process ever reads half a key.
                partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
                self._write(partial, [Fernet.generate_key().decode()])
                try:
                    os.link(partial, self._file)
                except FileExistsError:
                    pass
                finally:
                    partial.unlink()
            lines = self._file.read_text().split()
        except OSError as error:
            raise BadKeys(f"{KEY_FILE} in the data folder cannot be used: {error.strerror}.") from None
        if not lines:
            raise BadKeys(f"{KEY_FILE} in the data folder is empty.")
        return lines

    @staticmethod
    def _write(path: Path, lines: list[str]) -> None:
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
