"""`make demo`, in a process of its own, as a newcomer runs it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from offhook import demo
from offhook.kit.wire import shape
from offhook.offices.wire import OfficeIn

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder like a clone's, so that no demo that runs meets this one."""
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "office.json").write_bytes((ROOT / "examples" / "office.json").read_bytes())
    return tmp_path


def command(clone: Path) -> list[str]:
    start = f"from pathlib import Path; from offhook import demo; demo.root = lambda: Path({str(clone)!r}); demo.main()"
    return [sys.executable, "-c", start]


def environment(**more: str) -> dict[str, str]:
    """With settings of somebody's own server in it, which the demo must not touch."""
    return {**os.environ, "OFFHOOK_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/theirs", "COLUMNS": "100", **more}


def test_once_shows_everything_and_ends_well(clone: Path) -> None:
    done = subprocess.run(
        command(clone), env=environment(ONCE="1"), cwd=clone, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
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
        assert part in done.stdout, part
    assert re.search(r"server +http://127\.0\.0\.1:\d+", done.stdout)
    assert len(set(re.findall(r"ohk_sandbox_\w{32}", done.stdout))) == 1
    assert "curl -s http://127.0.0.1:" in done.stdout
    refused = done.stdout.split("A refusal")[1].split("Yours")[0]
    for field in ("name", "currency", "timezone", "ring_seconds", "monday_hours[2]", "billing_contact.email"):
        assert f"  {field} " in refused
    assert "\x1b[" not in done.stdout, "a log gets no colours"
    assert max(map(len, done.stdout.splitlines())) < 400


def test_once_says_that_the_server_stops_and_what_to_paste_works_when_it_is_served_again(clone: Path) -> None:
    said = subprocess.run(
        command(clone), env=environment(ONCE="1"), cwd=clone, capture_output=True, text=True, timeout=120
    ).stdout
    yours = said.split("Yours")[1]
    assert yours.index("The server stops now") < yours.index("curl")
    (served,) = re.findall(r"^\S*offhook (serve .*)$", yours, re.MULTILINE)
    first_curl = re.findall(r"^curl (?:.*\\\n)*.*$", yours, re.MULTILINE)[0]
    with (clone / "log").open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "offhook", *served.split()], cwd=clone, stderr=file)
    try:
        deadline = time.monotonic() + 60
        while b'"serving"' not in (clone / "log").read_bytes():
            assert process.poll() is None, (clone / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = json.loads(subprocess.run(["sh", "-c", first_curl], capture_output=True, check=True).stdout)
        assert answer["status"] == "open"
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_on_serving_until_it_is_ended(clone: Path, number: int) -> None:
    with (clone / "out").open("wb") as file:
        process = subprocess.Popen(command(clone), env=environment(ONCE=""), cwd=clone, stdout=file, stderr=file)
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
    finally:
        process.send_signal(number)
        status = process.wait(60)
    assert status == 0
    assert "The server has stopped." in (clone / "out").read_text()


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
    assert demo.fields(example) == len(published) == 70


def test_targets_are_pointed_at_an_office_and_nothing_else_is_changed() -> None:
    body = {"a": [{"action_target_type": "unknown", "action_target_id": 1, "x": 2}], "action_target_type": "user"}
    made, count = demo.pointed(body, "7")
    assert made == {
        "a": [{"action_target_type": "office", "action_target_id": "7", "x": 2}],
        "action_target_type": "user",
    }
    assert count == 1


def test_a_second_demo_has_a_folder_of_its_own(tmp_path: Path) -> None:
    with demo.folder(tmp_path / ".demo") as first:
        (first / "kept").touch()
        with demo.folder(tmp_path / ".demo") as second:
            assert first != second
        assert (first / "kept").exists()
    with demo.folder(tmp_path / ".demo") as again:
        assert again == first
        assert not (again / "kept").exists()


@pytest.mark.parametrize("value", [{"a": [1, {"b": "ü" * 40}], "c": {}, "d": []}, [], {"x": {"y": ["z" * 90]}}])
def test_json_is_laid_out_without_being_changed(value: Any) -> None:
    assert json.loads(demo.layout(value)) == value


def test_a_long_path_is_broken_at_its_dots() -> None:
    assert demo.steps("routing_options.open.dtmf[1].input") == "routing_options.open\n  .dtmf[1].input"
    assert demo.steps("name") == "name"
