"""What a caller hears of a prompt, made once, in time, and said where it is something else than it should be."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from offhook.kit.errors import Unavailable
from offhook.routing.plan import Prompt
from offhook.telephony.sound import sounds as module
from offhook.telephony.sound.engines import Engine
from offhook.telephony.sound.samples import loudness, of_wav, to_wav
from offhook.telephony.sound.sounds import Sounds
from tests.telephony.sound.speaking import Speaker, heard, no_recording, own_there, pitch, strength, with_sounds
from tests.telephony.sound.test_samples import sine

MENU = Prompt("You have reached Kyiv. Press 1 for sales.", "MENU")
RECORDED = Prompt("You have reached Kyiv.", "MENU", "d1")
MOST = 64 * 1024 * 1024


class Recordings:
    """A store that has recordings of one company."""

    def __init__(self, **wavs: bytes) -> None:
        self.wavs, self.asked = wavs, Counter[tuple[int, str]]()

    async def __call__(self, tenant_id: int, digest: str) -> bytes | None:
        self.asked[tenant_id, digest] += 1
        return self.wavs.get(digest) if tenant_id == 1 else None


def sounds_of(folder: Path, engine: Engine | None = None, recording: Any = no_recording, **options: Any) -> Sounds:
    if not (folder / "sounds").exists():
        own_there(folder / "sounds")
    return Sounds(folder / "sounds", recording, engine=engine, **({"most": MOST, "patience": 10.0} | options))


@pytest.fixture
def log():
    with capture_logs() as entries:
        yield entries


def said(log: list[Any]) -> list[tuple[str, str]]:
    """What was heard instead, and why."""
    return [(one["heard"], one["cause"]) for one in log if one["event"] == "prompt_heard_otherwise"]


# What is heard


def test_a_recording_is_heard_at_the_usual_loudness(tmp_path: Path, log: list[Any]):
    recordings = Recordings(d1=to_wav(sine(440, 1.0, 0.03)))
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine, recordings)
    (file,) = with_sounds(sounds, sounds.of_prompt(1, RECORDED))
    sound = heard(file)
    assert len(sound) == 8000
    assert pitch(sound) == pytest.approx(440, abs=0.2)
    assert loudness(sound) == pytest.approx(-20, abs=0.5)
    assert Path(file + ".alaw").stat().st_size == 8000
    assert (sounds.played, said(log)) == ({"recording": 1}, [])


def test_a_text_is_heard_spoken(tmp_path: Path, log: list[Any]):
    speaker = Speaker(tmp_path)
    sounds = sounds_of(tmp_path, speaker.engine)
    (file,) = with_sounds(sounds, sounds.of_prompt(1, MENU))
    sound = heard(file)
    assert len(sound) / 8000 == pytest.approx(0.2 + 0.01 * len(MENU.text), abs=0.03)
    assert loudness(sound) == pytest.approx(-20, abs=0.5)
    assert speaker.texts == [MENU.text]
    assert (sounds.played, said(log)) == ({"spoken": 1}, [])
    assert not sounds.are_beeps((file,))


def test_without_an_engine_beeps_stand_for_a_text_and_the_log_says_so(tmp_path: Path, log: list[Any]):
    sounds = sounds_of(tmp_path)

    async def two() -> list[tuple[str, ...]]:
        return [await sounds.of_prompt(1, MENU), await sounds.of_prompt(1, Prompt("Goodbye.", "GREETING"))]

    (menu,), (greeting,) = with_sounds(sounds, two())
    assert menu != greeting
    assert 0.8 < len(heard(menu)) / 8000 < 1.5
    assert any(one["event"] == "prompts_not_spoken" for one in log)
    assert sounds.played == {"tones": 2}
    assert sounds.are_beeps((menu,))
    assert not sounds.are_beeps(())


def test_a_prompt_that_says_nothing_is_not_heard(tmp_path: Path):
    sounds = sounds_of(tmp_path)
    assert with_sounds(sounds, sounds.of_prompt(1, Prompt("  "))) == ()


def test_what_callers_wait_with_is_there_from_the_start(tmp_path: Path):
    sounds = sounds_of(tmp_path)
    assert (sounds.of_waiting("ringback"), sounds.tone()) == ((), ())

    async def all_of_it() -> list[tuple[str, ...]]:
        ringing = [sounds.of_waiting("ringback", country) for country in ("", "US", "GB", "XX")]
        return [*ringing, sounds.of_waiting("hold_music"), sounds.tone(), sounds.busy("US"), sounds.busy()]

    usual, us, gb, xx, music, tone, busy_us, busy = (one for (one,) in with_sounds(sounds, all_of_it()))
    assert usual == xx
    assert len({usual, us, gb, music, tone, busy_us, busy}) == 7
    assert len(heard(music)) == 48 * 8000
    assert strength(heard(us)[800:8000], 480) > 0.1
    assert pitch(heard(usual)[:8000]) == pytest.approx(425, abs=0.5)
    assert pitch(heard(tone)) == pytest.approx(1000, abs=1)


def test_a_companys_own_music_is_heard_on_hold_and_ours_where_it_cannot_be_had(tmp_path: Path, log: list[Any]):
    sounds = sounds_of(tmp_path, None, Recordings(d1=to_wav(sine(440, 1.0))))

    async def all_of_it() -> list[tuple[str, ...]]:
        return [await sounds.of_hold(tenant, digest) for tenant, digest in ((1, "d1"), (1, "d2"), (2, "d1"))]

    (own,), gone, of_others = with_sounds(sounds, all_of_it())
    assert pitch(heard(own)) == pytest.approx(440, abs=1)
    assert gone == of_others == sounds.of_waiting("hold_music")
    assert len([one for one in log if one["event"] == "prompt_heard_otherwise"]) == 2


def test_our_own_sounds_are_made_once_in_the_life_of_a_folder(tmp_path: Path):
    (tmp_path / "sounds").mkdir()
    written = set()
    for _ in range(2):
        sounds = sounds_of(tmp_path)
        with_sounds(sounds, asyncio.sleep(0))
        assert len(heard(sounds.of_waiting("hold_music")[0])) == 48 * 8000
        written.add(frozenset((one.name, one.stat().st_mtime_ns) for one in (tmp_path / "sounds" / "own-1").iterdir()))
    assert len(written) == 1


# Once


def test_callers_at_once_have_a_sound_made_once(tmp_path: Path):
    speaker = Speaker(tmp_path, "time.sleep(0.3); sys.stdout.buffer.write(head + sound)")
    sounds = sounds_of(tmp_path, speaker.engine)

    async def many() -> list[tuple[str, ...]]:
        return await asyncio.gather(*(sounds.of_prompt(tenant, MENU) for tenant in range(20)))

    assert len(set(with_sounds(sounds, many()))) == 1
    assert speaker.texts == [MENU.text]


def test_a_caller_who_hangs_up_leaves_the_sound_to_the_next(tmp_path: Path):
    asked, asks, go = Counter[str](), asyncio.Event(), asyncio.Event()

    async def recording(_tenant_id: int, digest: str) -> bytes:
        asked[digest] += 1
        asks.set()
        await go.wait()
        return to_wav(sine(440, 1.0))

    sounds = sounds_of(tmp_path, None, recording)

    async def two() -> tuple[str, ...]:
        first = asyncio.ensure_future(sounds.of_prompt(1, RECORDED))
        await asks.wait()
        first.cancel()
        second = asyncio.ensure_future(sounds.of_prompt(1, RECORDED))
        go.set()
        return await second

    with_sounds(sounds, two())
    assert sounds.played == {"recording": 1}
    assert asked == {"d1": 1}


def test_a_sound_is_kept_over_a_restart_and_another_voice_speaks_anew(tmp_path: Path):
    speaker, other = Speaker(tmp_path / "one"), Speaker(tmp_path / "two")
    for engine in (speaker.engine, speaker.engine, other.engine):
        sounds = sounds_of(tmp_path, engine)
        with_sounds(sounds, sounds.of_prompt(1, MENU))
    assert (speaker.texts, other.texts) == ([MENU.text], [MENU.text])


def test_a_recording_is_its_companys_alone(tmp_path: Path, log: list[Any]):
    recordings = Recordings(d1=to_wav(sine(440, 1.0)))
    sounds = sounds_of(tmp_path, recording=recordings)

    async def two() -> list[tuple[str, ...]]:
        return [await sounds.of_prompt(1, RECORDED), await sounds.of_prompt(2, RECORDED)]

    own, others = with_sounds(sounds, two())
    assert own != others
    assert sounds.played == {"recording": 1, "tones": 1}
    assert said(log) == [("tones", "the company has no recording with this digest")]


def test_what_is_kept_is_given_without_waiting(tmp_path: Path):
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine)

    async def again() -> float:
        await sounds.of_prompt(1, MENU)
        began = time.perf_counter()
        for _ in range(100):
            await sounds.of_prompt(1, MENU)
        return (time.perf_counter() - began) / 100

    assert with_sounds(sounds, again()) < 0.005


def test_what_another_process_cleared_away_is_made_again(tmp_path: Path):
    now = 0.0
    speaker = Speaker(tmp_path)
    sounds = sounds_of(tmp_path, speaker.engine, ticks=lambda: now)

    async def twice() -> None:
        nonlocal now
        (file,) = await sounds.of_prompt(1, MENU)
        await asyncio.to_thread(os.unlink, file + ".ulaw")
        now += module.SEEN_SECONDS + 1
        (file,) = await sounds.of_prompt(1, MENU)
        assert len(heard(file))

    with_sounds(sounds, twice())
    assert speaker.texts == [MENU.text] * 2


# In time, and when it cannot be


def test_what_is_not_ready_in_time_is_beeps_now_and_spoken_later(tmp_path: Path, log: list[Any]):
    go = tmp_path / "go"
    os.mkfifo(go)
    speaker = Speaker(tmp_path, f"open({str(go)!r}).read(); sys.stdout.buffer.write(head + sound)")
    sounds = sounds_of(tmp_path, speaker.engine, patience=0.1)

    async def first_and_next() -> None:
        began = time.monotonic()
        await sounds.of_prompt(1, MENU)
        assert time.monotonic() - began < 5
        assert sounds.played == {"tones": 1}
        await asyncio.to_thread(go.write_text, "")
        await asyncio.gather(*sounds._making.values())
        await sounds.of_prompt(1, MENU)

    with_sounds(sounds, first_and_next())
    assert sounds.played == {"tones": 1, "spoken": 1}
    assert said(log) == [("tones", "it was not made in time; it is played as soon as it is")]
    assert speaker.texts == [MENU.text]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("time.sleep(60)", "did not end within"),
        ("sys.exit(1)", "status 1"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("sys.stdout.write('Segmentation fault')", "no WAV file"),
        ("sys.stdout.buffer.write(head[:40])", "no WAV file|without sound"),
        ("sys.stdout.buffer.write(head)", "without a sample"),
        ("sys.stdout.buffer.write(head + bytes(32000))", "silence"),
        ("sys.stdout.buffer.write(os.urandom(100000))", "no WAV file"),
        ("while True: sys.stdout.buffer.write(sound)", "status 1|SIGXFSZ"),
    ],
)
def test_a_broken_engine_is_beeps_and_said(tmp_path: Path, log: list[Any], then: str, why: str):
    sounds = sounds_of(tmp_path, Speaker(tmp_path, then, seconds=2.0).engine)
    (file,) = with_sounds(sounds, sounds.of_prompt(1, MENU))
    assert 0 < len(heard(file)) < 2 * 8000
    ((instead, cause),) = said(log)
    assert instead == "tones"
    assert any(part in cause for part in why.split("|")), cause


def test_a_broken_engine_is_not_asked_again_at_once(tmp_path: Path, log: list[Any]):
    now = 0.0
    speaker = Speaker(tmp_path, "sys.exit(1)")
    sounds = sounds_of(tmp_path, speaker.engine, ticks=lambda: now)

    async def three() -> None:
        nonlocal now
        await sounds.of_prompt(1, MENU)
        await sounds.of_prompt(1, MENU)
        now += module.FAILED_SECONDS + 1
        await sounds.of_prompt(1, MENU)

    with_sounds(sounds, three())
    assert speaker.texts == [MENU.text] * 2
    assert len(said(log)) == 3


def test_an_engine_that_speaks_for_hours_is_cut_off(tmp_path: Path):
    speaker = Speaker(tmp_path, "sys.stdout.buffer.write(head + sound[:6400] * 1100)")
    sounds = sounds_of(tmp_path, speaker.engine)
    (file,) = with_sounds(sounds, sounds.of_prompt(1, MENU))
    assert len(heard(file)) == 180 * 8000


def test_a_recording_whose_store_is_away_is_spoken(tmp_path: Path, log: list[Any]):
    async def away(_tenant_id: int, _digest: str) -> bytes | None:
        raise Unavailable("The store is away.")

    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine, away)
    with_sounds(sounds, sounds.of_prompt(1, RECORDED))
    assert sounds.played == {"spoken": 1}
    assert said(log) == [("spoken", "The store is away.")]


def test_a_fault_of_ours_is_beeps_and_a_trace_in_the_log(tmp_path: Path, log: list[Any]):
    async def broken(_tenant_id: int, _digest: str) -> bytes | None:
        raise KeyError("ours")

    sounds = sounds_of(tmp_path, None, broken)
    (file,) = with_sounds(sounds, sounds.of_prompt(1, RECORDED))
    assert len(heard(file))
    assert [one["exc_info"] for one in log if one["event"] == "sound_failed"]


def test_engines_that_hang_do_not_keep_beeps_waiting(tmp_path: Path):
    speaker = Speaker(tmp_path, "time.sleep(60)", seconds=60)
    sounds = sounds_of(tmp_path, speaker.engine, patience=0.05)

    async def many() -> None:
        heard_of = await asyncio.gather(*(sounds.of_prompt(1, Prompt(f"Number {n}.")) for n in range(100)))
        # Each prompt has its own beeps, also where no further text may wait for the engine.
        assert len({file for (file,) in heard_of}) > 80

    began = time.monotonic()
    with_sounds(sounds, many())
    assert time.monotonic() - began < 8
    assert sounds.played == {"tones": 100}
    assert len(speaker.texts) <= module.AT_ONCE


def test_sounds_of_ours_that_fail_by_a_fault_end_nothing_else(
    tmp_path: Path, log: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def broken(_folder: Path) -> Any:
        raise ImportError("no numpy")

    monkeypatch.setattr(module, "_own", broken)
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine)

    async def all_of_it() -> None:
        assert sounds.of_waiting("ringback") == ()

    with_sounds(sounds, all_of_it())
    assert any(one["event"] == "sounds_not_made" for one in log)


def test_a_folder_that_cannot_be_written_is_said_and_breaks_nothing(tmp_path: Path, log: list[Any]):
    (tmp_path / "sounds").write_text("a file where the folder should be")
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine)

    async def all_of_it() -> None:
        assert await sounds.of_prompt(1, MENU) == ()
        assert sounds.of_waiting("ringback") == ()

    with_sounds(sounds, all_of_it())
    assert any(one["event"] == "sounds_not_made" for one in log)
    assert said(log)


def test_a_full_folder_is_said_and_breaks_nothing(tmp_path: Path, log: list[Any]):
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine, most=20_000)

    async def many() -> None:
        for number in range(5):
            assert await sounds.of_prompt(1, Prompt(f"This is number {number} of many."))

    with_sounds(sounds, many())
    assert any("no room" in cause for _, cause in said(log))
    size = sum(one.stat().st_size for one in (tmp_path / "sounds" / "prompts").iterdir())
    assert size <= 20_000


@settings(max_examples=15)
@given(st.text(max_size=3000))
def test_any_text_is_a_bounded_sound(tmp_path_factory: pytest.TempPathFactory, text: str):
    folder = tmp_path_factory.mktemp("any")
    sounds = sounds_of(folder, Speaker(folder).engine)
    files = with_sounds(sounds, sounds.of_prompt(1, Prompt(text)))
    if not files:
        assert sounds.played == {"nothing": 1}
        return
    sound = heard(files[0])
    assert 0 < len(sound) <= 180 * 8000
    assert np.isfinite(sound).all()
    assert sounds.played["spoken"] + sounds.played["tones"] == 1


# For players


def test_a_player_is_given_what_callers_hear(tmp_path: Path):
    sounds = sounds_of(tmp_path, Speaker(tmp_path).engine)

    async def both() -> None:
        (file,) = await sounds.of_prompt(1, MENU)
        wav, how = await sounds.wav(1, MENU, 5.0)
        assert how == "spoken"
        assert np.abs(of_wav(wav, 60) - heard(file)).max() < 1e-4

    with_sounds(sounds, both())


def test_it_is_known_beforehand_what_a_prompt_is_made_from(tmp_path: Path):
    without, engine = sounds_of(tmp_path), Speaker(tmp_path).engine
    spoken = sounds_of(tmp_path, engine)
    assert [without.intended(one) for one in (RECORDED, MENU, Prompt("?!"), Prompt(""))] == [
        "recording", "tones", "tones", "nothing",
    ]  # fmt: skip
    assert [spoken.intended(one) for one in (RECORDED, MENU, Prompt("?!"), Prompt(""))] == [
        "recording", "spoken", "tones", "nothing",
    ]  # fmt: skip
