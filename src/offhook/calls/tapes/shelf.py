"""Where the sound itself is: a folder of this machine, or a bucket that speaks S3. Names are the tapes' own.

Putting is whole or nothing, and may be done twice: what is already there is the same.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Protocol

from offhook.kit.errors import NotFound, Unavailable
from offhook.kit.settings import BadSettings, Settings

PIECE = 64 * 1024
"""Bytes that are read at once."""

PATIENCE_SECONDS = 15.0
"""How long a bucket is asked again that does not answer."""

_NAME = re.compile(r"[A-Za-z0-9_-]{32}")


class Shelf(Protocol):
    """Files by their names."""

    async def put(self, name: str, path: Path) -> None:
        """Take a file over: from here on it is on the shelf, on disk, and no more at its path."""

    async def has(self, name: str) -> bool:
        """Whether it is there."""

    async def remove(self, name: str) -> None:
        """It is gone, also if it was not there."""

    def read(self, name: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Its bytes from `start` to before `stop`; NotFound if there is no such file."""


class Folder:
    """Files in folders by the beginning of their names, for their owner only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, path: Path) -> None:
        await asyncio.to_thread(self._put, self._path(name), path)

    @staticmethod
    def _put(there: Path, path: Path) -> None:
        if not path.exists() and there.exists():
            return
        there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sync(path, os.O_RDONLY)
        path.chmod(0o600)
        path.replace(there)
        _sync(there.parent, os.O_RDONLY | os.O_DIRECTORY)

    async def has(self, name: str) -> bool:
        return await asyncio.to_thread(self._path(name).exists)

    async def remove(self, name: str) -> None:
        def gone() -> None:
            with suppress(FileNotFoundError):
                self._path(name).unlink()

        await asyncio.to_thread(gone)

    async def read(self, name: str, start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self._open, name, start)
        except FileNotFoundError:
            raise missing() from None
        try:
            while start < stop and (piece := await asyncio.to_thread(file.read, min(PIECE, stop - start))):
                start += len(piece)
                yield piece
        finally:
            file.close()

    def _open(self, name: str, start: int) -> IO[bytes]:
        file = self._path(name).open("rb")
        file.seek(start)
        return file

    def _path(self, name: str) -> Path:
        _refuse_others(name)
        return self._root / name[:2] / f"{name}.wav"


class Bucket:
    """Objects of a bucket, through obstore. `store` is one of its stores; its errors are Unavailable here."""

    def __init__(self, store: Any) -> None:
        import obstore

        self._store, self._obstore = store, obstore

    @classmethod
    def at(cls, url: str, endpoint: str = "", key_id: str = "", key_secret: str = "", region: str = "") -> "Bucket":
        """The bucket at `s3://bucket/prefix`. Without a key, what the machine's own role or environment gives."""
        from obstore.store import S3Store

        options = {"endpoint": endpoint, "access_key_id": key_id, "secret_access_key": key_secret, "region": region}
        given: Any = {name: value for name, value in options.items() if value}
        given["retry_config"] = {"max_retries": 3, "retry_timeout": timedelta(seconds=PATIENCE_SECONDS)}
        if endpoint.startswith("http://"):
            given["client_options"] = {"allow_http": True}
        return cls(S3Store.from_url(url, **given))

    async def put(self, name: str, path: Path) -> None:
        if not await asyncio.to_thread(path.exists) and await self.has(name):
            return
        with _reached():
            await self._obstore.put_async(self._store, _key(name), path)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def has(self, name: str) -> bool:
        try:
            with _reached():
                await self._obstore.head_async(self._store, _key(name))
        except NotFound:
            return False
        return True

    async def remove(self, name: str) -> None:
        with suppress(NotFound), _reached():
            await self._obstore.delete_async(self._store, _key(name))

    async def read(self, name: str, start: int, stop: int) -> AsyncIterator[bytes]:
        with _reached():
            found = await self._obstore.get_async(self._store, _key(name), options={"range": (start, stop)})
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)


class _reached:  # noqa: N801 - reads as what it is
    """Errors of the bucket as refusals."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None or kind is None:
            return
        if isinstance(error, FileNotFoundError):
            raise missing() from None
        if kind.__module__.startswith("obstore"):
            raise Unavailable("The bucket of recordings cannot be reached; try again shortly.") from error


def shelf_of(settings: Settings) -> Shelf:
    """The shelf that the settings name."""
    if not settings.sound_url:
        return Folder(Path(settings.data).resolve() / "sound" / "kept")
    try:
        return Bucket.at(
            settings.sound_url, settings.sound_endpoint, settings.sound_key_id, settings.sound_key_secret,
            settings.sound_region,
        )  # fmt: skip
    except ImportError:
        raise BadSettings("sound_url needs the package obstore, which is not installed.") from None


def missing() -> NotFound:
    """What is on no shelf."""
    return NotFound("The sound of this is not there any more.")


def _key(name: str) -> str:
    _refuse_others(name)
    return f"{name}.wav"


def _refuse_others(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("this is no name of a tape")


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
