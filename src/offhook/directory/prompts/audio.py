"""Has recordings decoded by a process of its own (decoder.py), few at a time, and judges how it ended."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import structlog

from offhook.directory.prompts import decoder
from offhook.directory.prompts.model import Sound
from offhook.kit.errors import Unavailable

log = structlog.get_logger("offhook.prompts")

AT_ONCE = 2
WAITING = 16
SECONDS = 30.0
_PROGRAM = str(Path(decoder.__file__).resolve())
_OUTPUT = 16 * 1024 * 1024


class Unusable(Exception):
    """Why a file is not taken, in words for who sent it."""


class _Answer(msgspec.Struct, frozen=True):
    """The decoder's first line."""

    fault: str = ""
    media: str = ""
    milliseconds: int = 0
    damaged: int = 0


class Decoder:
    """Decodes at most AT_ONCE files at a time; WAITING more may wait, and further ones are sent away."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._here = 0

    async def decode(self, data: bytes) -> Sound:
        """The sound of an MP3 or WAV file; Unusable if it has none that we play, Unavailable if too many wait."""
        if self._here >= AT_ONCE + WAITING:
            raise Unavailable("Too many recordings wait to be decoded; try again.", headers=[("Retry-After", "2")])
        self._here += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(run, data)
        finally:
            self._here -= 1


def run(data: bytes, program: str = _PROGRAM, seconds: float = SECONDS) -> Sound:
    """The sound of a file, by a process that has ended when this returns; Unusable if it gave none."""
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-I", program],
                input=data,
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
                cwd="/",
                env={"OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath},
            )
            status = done.returncode
        except subprocess.TimeoutExpired:
            status = None
        except BrokenPipeError:
            status = -1
        if status == 0 and output.seek(0, os.SEEK_END) <= _OUTPUT:
            output.seek(0)
            line, wav = output.readline(65_536), output.read()
            try:
                answer = msgspec.json.decode(line, type=_Answer)
            except msgspec.MsgspecError:
                status = -1
            else:
                if answer.fault:
                    raise Unusable(answer.fault)
                return Sound(media_type=answer.media, milliseconds=answer.milliseconds, damaged=answer.damaged, wav=wav)
    log.warning("decoder_failed", status="too slow" if status is None else status, bytes=len(data))
    raise Unusable(f"The file could not be decoded; write it anew, and {decoder.TAKEN}.")
