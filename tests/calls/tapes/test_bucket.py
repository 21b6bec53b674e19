"""Sound in a bucket: put whole, read in parts, removed, and a bucket that is away. A small S3 plays the bucket."""

import asyncio
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.calls.tapes.shelf import PIECE, Bucket, shelf_of
from offhook.kit.errors import NotFound, Unavailable
from offhook.kit.settings import Settings
from tests.api.desk import Company
from tests.calls.tapes.sounds import left, primary
from tests.calls.tapes.test_keeping import DAY, Place

pytest.importorskip("obstore")

NAME = "a" * 31 + "_"
SOUND = bytes(n * 7 % 251 for n in range(3 * PIECE + 5))


class S3(http.server.BaseHTTPRequestHandler):
    """As much of the REST API of S3 as one object needs; what it has, and was asked, is kept on its server."""

    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.server.asked.append((self.command, self.path, self.headers.get("Range", "")))  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def _kept(self) -> dict[str, bytes]:
        found: dict[str, bytes] = self.server.kept  # type: ignore[attr-defined]
        return found

    def do_PUT(self) -> None:
        assert "AWS4-HMAC-SHA256" in self.headers["Authorization"]
        self._kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, ETag='"1"')

    def do_GET(self) -> None:
        found = self._kept.get(self.path)
        if found is None:
            self._answer(404)
            return
        modified = "Thu, 26 Nov 2026 10:00:00 GMT"
        if self.command == "HEAD":
            self._answer(200, Content_Length=str(len(found)), ETag='"1"', Last_Modified=modified)
            return
        asked = self.headers["Range"].removeprefix("bytes=").split("-")
        start, stop = int(asked[0]), int(asked[1]) + 1
        where = f"bytes {start}-{stop - 1}/{len(found)}"
        self._answer(206, found[start:stop], Content_Range=where, ETag='"1"', Last_Modified=modified)

    do_HEAD = do_GET  # noqa: N815 - as the library calls it

    def do_POST(self) -> None:
        """DeleteObjects, which counts as deleted what was not there."""
        assert self.path == "/sound?delete"
        keys = re.findall("<Key>(.*?)</Key>", self.rfile.read(int(self.headers["Content-Length"])).decode())
        for key in keys:
            self._kept.pop(f"/sound/{key}", None)
        told = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def s3() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3) as server:
        server.kept, server.asked = {}, []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def bucket(port: int) -> Bucket:
    settings = Settings(
        sound_url="s3://sound/office", sound_endpoint=f"http://127.0.0.1:{port}", sound_key_id="one",
        sound_key_secret="secret", sound_region="eu-central-1",
    )  # fmt: skip
    found = shelf_of(settings)
    assert isinstance(found, Bucket)
    return found


async def heard(shelf: Bucket, start: int, stop: int) -> bytes:
    return b"".join([piece async for piece in shelf.read(NAME, start, stop)])


def test_a_sound_is_put_read_in_parts_and_removed(s3: http.server.ThreadingHTTPServer, tmp_path: Path):
    shelf, path = bucket(s3.server_port), tmp_path / "new.wav"
    path.write_bytes(SOUND)

    async def story() -> None:
        assert not await shelf.has(NAME)
        await shelf.put(NAME, path)
        assert s3.kept == {f"/sound/office/{NAME}.wav": SOUND}  # type: ignore[attr-defined]
        assert not path.exists()
        # Again, by whoever found it left behind.
        await shelf.put(NAME, path)
        assert await shelf.has(NAME)
        assert await heard(shelf, 0, len(SOUND)) == SOUND
        assert await heard(shelf, 5, 10) == SOUND[5:10]
        assert s3.asked[-1][2] == "bytes=5-9"  # type: ignore[attr-defined]
        await shelf.remove(NAME)
        await shelf.remove(NAME)
        with pytest.raises(NotFound):
            await heard(shelf, 0, 5)

    asyncio.run(story())


def test_a_bucket_that_is_away_is_said_to_be(tmp_path: Path):
    path = tmp_path / "new.wav"
    path.write_bytes(SOUND)

    async def story() -> None:
        import obstore.store

        gone = Bucket(
            obstore.store.S3Store(
                "sound", endpoint="http://127.0.0.1:9", access_key_id="one", secret_access_key="secret",
                client_options={"allow_http": True}, retry_config={"max_retries": 0},
            )
        )  # fmt: skip
        with pytest.raises(Unavailable):
            await gone.put(NAME, path)
        assert path.read_bytes() == SOUND
        with pytest.raises(Unavailable):
            await heard(gone, 0, 5)

    asyncio.run(story())


def test_what_is_older_than_its_days_goes_from_a_bucket_too(
    embedded: Company, s3: http.server.ThreadingHTTPServer, tmp_path: Path
):
    place = Place(embedded, tmp_path)
    tapes = place.process(shelf=bucket(s3.server_port), voicemail_days=3)
    left(embedded, primary(embedded), tapes=tapes)
    place.looks(tapes, 3 * DAY - 60)
    assert len(place.rows) == len(s3.kept) == 1  # type: ignore[attr-defined]
    place.looks(tapes, 120)
    assert (place.rows, s3.kept) == ([], {})  # type: ignore[attr-defined]
    assert place.told == ["voicemail.left", "voicemail.deleted"]
