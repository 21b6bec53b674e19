"""Engines are programs that may do anything: a text comes back as a WAV file within bounds, or the reason why not."""

import fcntl
import os
import resource
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.kit.settings import BadSettings, Settings
from offhook.telephony.sound import engines
from offhook.telephony.sound.engines import Engine, Unspoken, engine_of, says_anything, speakable, spoken
from offhook.telephony.sound.samples import of_wav
from tests.telephony.sound.speaking import Speaker, pitch


def program(folder: Path, name: str) -> Path:
    """A program of this name that can be found."""
    folder.mkdir(exist_ok=True)
    made = folder / name
    made.write_text("#!/bin/sh\ncat\n")
    made.chmod(0o755)
    return made


# Which


def test_flite_is_preferred_to_espeak_ng_and_nothing_speaks_where_neither_is(tmp_path: Path):
    path = str(tmp_path)
    assert engine_of(Settings(), path) is None
    program(tmp_path, "espeak-ng")
    espeak = engine_of(Settings(), path)
    assert espeak is not None
    assert espeak.command == (str(tmp_path / "espeak-ng"), "-v", "en-us", "--stdin", "--stdout")
    program(tmp_path, "flite")
    flite = engine_of(Settings(), path)
    assert flite is not None
    assert flite.command == (str(tmp_path / "flite"), "-voice", "slt", "-o", "/dev/stdout")
    assert engine_of(Settings(speech="none"), path) is None


def test_a_command_of_the_settings_is_preferred_to_both(tmp_path: Path):
    program(tmp_path, "flite")
    piper = program(tmp_path, "piper")
    chosen = engine_of(Settings(speech_command="piper --model 'a voice.onnx' --output_file -"), str(tmp_path))
    assert chosen is not None
    assert (chosen.name, chosen.command) == ("command", (str(piper), "--model", "a voice.onnx", "--output_file", "-"))


def test_another_voice_is_another_sound(tmp_path: Path):
    program(tmp_path, "flite")
    chosen = [engine_of(Settings(speech="flite", speech_voice=voice), str(tmp_path)) for voice in ("", "rms")]
    assert len({one.identity for one in chosen if one is not None}) == 2


@pytest.mark.parametrize(
    "settings",
    [
        Settings(speech="flite"),
        Settings(speech="command", speech_command="no-such-program"),
        Settings(speech_command="no-such-program --x"),
    ],
)
def test_a_program_that_is_not_there_is_refused_at_the_start(tmp_path: Path, settings: Settings):
    with pytest.raises(BadSettings, match="no such program is there"):
        engine_of(settings, str(tmp_path))


def test_a_program_or_model_that_was_changed_is_another_sound(tmp_path: Path):
    model = tmp_path / "en.onnx"
    model.write_bytes(b"one")
    piper = program(tmp_path, "piper")
    settings = Settings(speech_command=f"{piper} --model {model}")
    seen = set()
    for change in (None, model, piper):
        if change is not None:
            change.write_bytes(change.read_bytes() + b"\n")
        engine = engine_of(settings)
        assert engine is not None
        seen.add(engine.identity)
    assert len(seen) == 3


# What is spoken


@given(st.text())
def test_any_text_becomes_one_bounded_line_of_what_can_be_spoken(text: str):
    line = speakable(text)
    assert len(line) <= engines.MOST_CHARACTERS
    assert line == line.strip()
    assert all(c.isprintable() for c in line)
    line.encode()


def test_a_long_text_is_cut_behind_a_word():
    line = speakable("welcome " * 400)
    assert engines.MOST_CHARACTERS - 8 < len(line) <= engines.MOST_CHARACTERS
    assert line.endswith("welcome")
    assert len(speakable("x" * 5000)) == engines.MOST_CHARACTERS


def test_a_text_of_signs_alone_is_not_given_to_an_engine():
    assert not says_anything("... !? 🎉")
    assert says_anything("9")


# What comes of it


def test_a_text_is_spoken(tmp_path: Path):
    speaker = Speaker(tmp_path)
    sound = of_wav(spoken(speaker.engine, "You have reached Kyiv."), 60)
    assert len(sound) / 8000 == pytest.approx(0.42, abs=0.01)
    assert pitch(sound) == pytest.approx(920, abs=2)


def test_a_text_is_spoken_also_for_a_server_that_has_thousands_of_files_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    near, (soft, hard) = os.pidfd_open, resource.getrlimit(resource.RLIMIT_NOFILE)

    def far(pid: int) -> int:
        file = near(pid)
        try:
            return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 1_100)
        finally:
            os.close(file)

    monkeypatch.setattr(os, "pidfd_open", far)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1_200), hard))
    try:
        assert len(of_wav(spoken(Speaker(tmp_path).engine, "Hello."), 60))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("text", ["-o /tmp/x", "--help", "$(touch x) `id`; rm -rf /", "Zoë & Łukasz <b>", "%s {text}"])
def test_a_text_is_never_an_option_and_reaches_no_shell(tmp_path: Path, text: str):
    speaker = Speaker(tmp_path)
    spoken(speaker.engine, text)
    assert speaker.texts == [text]


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("sys.exit(3)", "status 3"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("pass", "nothing"),
        ("time.sleep(60)", "within"),
        ("os.close(0); os.close(1); time.sleep(60)", "within"),
        # Less than all memory may be had, and less than the whole disk be written.
        ("bytearray(engine_memory := 4 << 30); sys.stdout.buffer.write(head + sound)", "status 1"),
        ("while True: sys.stdout.buffer.write(bytes(1 << 20))", "status 1|SIGXFSZ"),
    ],
)
def test_an_engine_that_misbehaves_is_ended_and_said_to_have(tmp_path: Path, then: str, why: str):
    engine = Speaker(tmp_path, then, seconds=1.5).engine
    began = time.monotonic()
    with pytest.raises(Unspoken, match=why):
        spoken(engine, "Hello.")
    assert time.monotonic() - began < 8


def test_an_engine_that_spins_is_ended_by_its_processor_time(tmp_path: Path):
    engine = Speaker(tmp_path, "while True: pass", seconds=0.5).engine
    with pytest.raises(Unspoken, match="within"):
        spoken(engine, "Hello.")


def test_what_an_engine_leaves_behind_is_ended_with_it(tmp_path: Path):
    child = tmp_path / "child"
    then = (
        f"pid = os.fork()\nif not pid:\n    open({str(child)!r}, 'w').write(str(os.getpid()))\n    time.sleep(60)\n"
        f"while not os.path.exists({str(child)!r}) or not open({str(child)!r}).read(): time.sleep(0.01)\n"
        "sys.stdout.buffer.write(head + sound)"
    )
    assert spoken(Speaker(tmp_path, then).engine, "Hello.")
    left = int(child.read_text())
    for _ in range(500):
        # Whoever adopts it may not have looked yet.
        with suppress(OSError):
            if Path(f"/proc/{left}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.01)
                continue
        return
    pytest.fail("the engine's child goes on")


def test_a_server_that_ends_does_not_wait_for_an_engine(tmp_path: Path):
    engine = Speaker(tmp_path, "time.sleep(60)", seconds=60).engine
    stop = os.eventfd(1)
    try:
        with pytest.raises(Unspoken):
            spoken(engine, "Hello.", stop)
    finally:
        os.close(stop)


def test_a_program_that_is_gone_is_said_to_have_failed(tmp_path: Path):
    with pytest.raises(Unspoken, match="127"):
        spoken(Engine("flite", (str(tmp_path / "flite"),)), "Hello.")


def test_an_engine_sees_no_secret_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OFFHOOK_CREDENTIALS_KEYS", "secret")
    then = f"open({str(tmp_path / 'env')!r}, 'w').write(repr(dict(os.environ)) + os.getcwd()); print('x')"
    spoken(Speaker(tmp_path, then).engine, "Hello.")
    seen = (tmp_path / "env").read_text()
    assert "secret" not in seen
    assert str(Path.cwd()) not in seen.rpartition("}")[2]


@pytest.mark.parametrize("name", ["flite", "espeak-ng"])
def test_real_engines_speak_at_a_good_loudness(name: str):
    from offhook.telephony.sound.samples import levelled, loudness

    try:
        engine = engine_of(Settings(speech=name))
    except BadSettings:
        pytest.skip(f"{name} is not installed")
    assert engine is not None
    text = "You have reached the Kyiv office. Press 1 for sales."
    sound = of_wav(spoken(engine, text), 60)
    assert 2 < len(sound) / 8000 < 8
    assert loudness(levelled(sound)) == pytest.approx(-20, abs=1)
    assert subprocess.run(["pgrep", "-x", name], capture_output=True, check=False).stdout == b""
