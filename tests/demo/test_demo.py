"""`make demo`, in a process of its own, as a newcomer runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offhook.demo import server, show, stage
from offhook.kit.wire import shape
from offhook.offices.wire import OfficeIn

ROOT = Path(__file__).parents[2]
WITHOUT_CALL = "from offhook.demo import call; call.Called.run = lambda *_: asyncio.sleep(0)"


def clone_at(folder: Path) -> Path:
    """A folder like a clone's, so that no demo that runs meets this one."""
    (folder / "examples").mkdir()
    (folder / "examples" / "office.json").write_bytes((ROOT / "examples" / "office.json").read_bytes())
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return clone_at(tmp_path)


def command(clone: Path, first: str = "") -> list[str]:
    start = f"import asyncio; from pathlib import Path; {first or 'pass'}; from offhook.demo import __main__ as demo; "
    return [sys.executable, "-c", start + f"demo.root = lambda: Path({str(clone)!r}); demo.main()"]


def environment(**more: str) -> dict[str, str]:
    """With settings of somebody's own server in it, which the demo must not touch."""
    theirs = {"OFFHOOK_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/theirs", "OFFHOOK_SIP": "false"}
    return {**os.environ, **theirs, "COLUMNS": "80", **more}


@dataclass(frozen=True)
class Shown:
    """A demo that has ended, and where."""

    clone: Path
    out: str

    def part(self, title: str) -> str:
        """What stands below a heading, up to the next one."""
        return re.split(r"^\d+  .*$", self.out.split(title)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The whole demo, once, where the usual ports are taken."""
    clone = clone_at(tmp_path_factory.mktemp("clone"))
    with ExitStack() as taken:
        for kind, port in ((socket.SOCK_STREAM, server.PORT), (socket.SOCK_DGRAM, server.SIP_PORT)):
            held = taken.enter_context(socket.socket(socket.AF_INET, kind))
            with suppress(OSError):
                held.bind((server.HOST, port))
                if kind == socket.SOCK_STREAM:
                    held.listen()
        done = subprocess.run(
            command(clone), env=environment(ONCE="1"), cwd=clone, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        yield Shown(clone, done.stdout)


def test_once_shows_everything_and_ends_well(shown: Shown) -> None:
    for part in (
        "POST /api/v2/offices",
        "every one of the 70 fields",
        '"name": "Chicago"',
        '"phone_numbers": ["+13125550100"]',
        '"action_target_type": "office"',
        "Twelve months are committed",
        "next change",
        "open. Thursday 17:59",
        "A refusal: 400",
        "America/Chicago",
        "The server has stopped.",
    ):
        assert part in shown.out, part
    assert re.search(r"server +http://127\.0\.0\.1:\d+", shown.out)
    assert len(set(re.findall(r"ohk_sandbox_\w{32}", shown.out))) == 1
    assert "curl -s http://127.0.0.1:" in shown.out
    refused = shown.out.split("A refusal")[1].split("A real call")[0]
    for field in ("name", "currency", "timezone", "ring_seconds", "monday_hours[2]", "billing_contact.email"):
        assert f"  {field} " in refused
    assert "\x1b[" not in shown.out, "a log gets no colours"
    assert max(map(len, shown.out.splitlines())) < 400


def test_that_the_usual_ports_are_taken_is_said(shown: Shown) -> None:
    assert "(port 8080 and UDP port 5060 are taken.)" in " ".join(shown.out.split())


def test_a_call_is_made_and_both_sides_hear_each_other(shown: Shown) -> None:
    call = " ".join(shown.part("A real call, over the wire").split())
    story = (
        "The caller dials +13125550100, the main line",
        "The call is taken, and the caller hears the menu",
        "The caller presses 1",
        "Ana's telephone rings, and shows +13125550142",
        "Ana answers",
        "Ana's telephone is told so",
    )
    assert [one for one in story if one not in call] == []
    assert sorted(story, key=call.index) == list(story)
    pitches = {who: int(hertz) for who, hertz in re.findall(r"(The caller|Ana) hears a tone of (\d+) Hz", call)}
    assert pitches == {"The caller": pytest.approx(660, abs=15), "Ana": pytest.approx(440, abs=15)}


def test_the_trace_says_why_in_aligned_words(shown: Shown) -> None:
    trace = shown.part("A real call, over the wire").split("with the reasons")[1].split("prompts")[0]
    rows = [line for line in trace.splitlines() if re.match(r" +\d+:\d\d  ", line)]
    assert len({re.match(r" +\d+:\d\d  .{5}  ", line).end() for line in rows}) == 1  # type: ignore[union-attr]
    told = " ".join(trace.split())
    for reason in (
        "The caller pressed 1.",
        "Calls of Chicago are recorded",
        "Ringing Ana Sousa",
        "Ana Sousa answered.",
    ):
        assert reason in told, reason


def test_the_recording_is_on_disk_and_holds_both_sides(shown: Shown) -> None:
    (path,) = re.findall(r"^aplay (\S+\.wav)$", shown.out, re.MULTILINE)
    with (shown.clone / path).open("rb") as file:
        assert file.read(4) == b"RIFF"
    assert (shown.clone / path).stat().st_size > 2 * 8000
    assert re.search(r"^http://127\.0\.0\.1:\d+/api/offhook/v1/sounds/\S+$", shown.out, re.MULTILINE)
    assert re.search(r"page +http://127\.0\.0\.1:\d+/console/calls/\d+", shown.out)
    assert "prompts" in shown.out


def test_once_says_that_the_server_stops_and_what_to_paste_works_when_it_is_served_again(shown: Shown) -> None:
    yours = shown.out.split("Yours")[1]
    assert yours.index("The server stops now") < yours.index("curl")
    # So does what stands before that is of no use without it: the link to the recording, the page of the call.
    call = " ".join(shown.part("A real call, over the wire").split())
    assert call.index("serve it again, as is said below, for the link and the page") < call.index("/sounds/")
    (served,) = re.findall(r"^\S*offhook (serve .*)$", yours, re.MULTILINE)
    first_curl = re.findall(r"^curl (?:.*\\\n)*.*$", yours, re.MULTILINE)[0]
    (link,) = re.findall(r"^(http://\S+/sounds/\S+)$", shown.out, re.MULTILINE)
    log = shown.clone / "log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "offhook", *served.split()], cwd=shown.clone, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while b'"serving"' not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = json.loads(subprocess.run(["sh", "-c", first_curl], capture_output=True, check=True).stdout)
        assert answer["status"] == "open"
        heard = subprocess.run(["curl", "-sf", link], capture_output=True, check=True).stdout
        assert heard[:4] == b"RIFF"
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize(
    ("end", "number"),
    [(os.kill, signal.SIGINT), (os.kill, signal.SIGTERM), (os.killpg, signal.SIGINT)],
    ids=["interrupted", "terminated", "ctrl-c in a terminal"],
)
def test_it_goes_on_serving_until_it_is_ended(clone: Path, end: Callable[[int, int], None], number: int) -> None:
    with (clone / "out").open("wb") as file:
        process = subprocess.Popen(
            command(clone, WITHOUT_CALL),
            env=environment(ONCE=""),
            cwd=clone,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 60
        while "goes on serving" not in (said := (clone / "out").read_text()):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        found = re.findall(r"^curl (?:.*\\\n)*.*$", said, re.MULTILINE)
        assert len(found) == 2
        answers = [
            json.loads(subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout) for line in found
        ]
        assert answers[0]["status"] == "open"
        assert answers[1]["dry_run"] is True
        (serving,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert os.getpgid(int(serving)) != process.pid, "Ctrl-C would reach the server beside the demo"
    finally:
        end(process.pid, number)
        status = process.wait(60)
    said = (clone / "out").read_text()
    assert status == 0, said
    assert "The server has stopped." in said


def test_a_server_that_is_ended_before_it_serves_ends_as_it_should(tmp_path: Path) -> None:
    one = server.Server(tmp_path / "data", tmp_path / "log")
    one._start(0, 0)
    assert one.stop() == 0


def test_a_demo_that_cannot_start_says_why(tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path), env=environment(ONCE="1"), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be read" in done.stdout


def paths(kind: Any, under: str = "") -> set[str]:
    """Every field path of a request, what stands in a list counted once."""
    of = shape(kind)
    found = {under + name for name in of.fields}
    for name, inner, _ in of.nested:
        found |= paths(inner, f"{under}{name}.")
    return found


def filled(value: Any, under: str = "") -> set[str]:
    if isinstance(value, list):
        return set().union(*(filled(item, under) for item in value))
    if not isinstance(value, dict):
        return set()
    found = {under + name for name, inner in value.items() if inner is not None}
    return found.union(*(filled(inner, f"{under}{name}.") for name, inner in value.items()))


def test_the_example_fills_every_field_there_is() -> None:
    example = msgspec.json.decode((ROOT / "examples" / "office.json").read_bytes())
    # Operators, which v2 does not have, are people who must be there before.
    published = {path for path in paths(OfficeIn) if not path.startswith("operators")}
    assert filled(example) == published
    assert show.fields(example) == len(published) == 70


def test_targets_are_pointed_at_an_office_and_nothing_else_is_changed() -> None:
    body = {"a": [{"action_target_type": "unknown", "action_target_id": 1, "x": 2}], "action_target_type": "user"}
    made, count = show.pointed(body, "7")
    assert made == {
        "a": [{"action_target_type": "office", "action_target_id": "7", "x": 2}],
        "action_target_type": "user",
    }
    assert count == 1


def test_a_second_demo_has_a_folder_of_its_own(tmp_path: Path) -> None:
    with server.folder(tmp_path / ".demo") as first:
        (first / "kept").touch()
        with server.folder(tmp_path / ".demo") as second:
            assert first != second
        assert (first / "kept").exists()
    with server.folder(tmp_path / ".demo") as again:
        assert again == first
        assert not (again / "kept").exists()


@pytest.mark.parametrize("value", [{"a": [1, {"b": "ü" * 40}], "c": {}, "d": []}, [], {"x": {"y": ["z" * 90]}}])
def test_json_is_laid_out_without_being_changed(value: Any) -> None:
    assert json.loads(stage.layout(value)) == value


def test_a_long_path_is_broken_at_its_dots() -> None:
    assert stage.steps("routing_options.open.dtmf[1].input") == "routing_options.open\n  .dtmf[1].input"
    assert stage.steps("name") == "name"
