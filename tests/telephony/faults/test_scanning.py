"""Who tries names and extensions learns nothing: each is answered as any other, in the same time."""

import asyncio
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.telephony.faults.stage import Stage
from tests.telephony.worker.peers import Message, Peer, authorization

METHODS = ("REGISTER", "INVITE", "OPTIONS")
GUESSES = 40
"""Wrong passwords of an address that are judged; the server counts them."""

_VARIES = re.compile(
    r'(nonce="[^"]*"|tag=[0-9a-f]+|branch=[^;\s]+|rport=\d+|received=[\d.]+|sip:[^@>\s]*@|127\.0\.0\.1:\d+)'
)


class Scanner(Peer):
    """Somebody at one of the addresses of this machine."""

    def ask(self, method: str, name: str, password: str = "", challenge: str = "") -> Message:
        """Ask as `name`, or for it; with a proof if there is a challenge."""
        uri, call_id = f"sip:{name}@127.0.0.1", secrets.token_hex(8)
        headers: tuple[str, ...] = (f"Contact: <{self.contact}>",) if method == "REGISTER" else ()
        if challenge:
            proof = authorization(challenge, name, password, method, uri)
            headers += (f"Authorization: {proof}",)
        self.send(self.request(
            method, uri=uri, call_id=call_id, to=f"<{uri}>", caller=f"<{uri}>", headers=headers,
            body=self.sound if method == "INVITE" else b"",
        ))  # fmt: skip
        while (answer := self.first())["call-id"] != call_id:
            pass
        return answer


def shape(answer: Message) -> str:
    """All of an answer but what is random, and what was asked."""
    lines = [answer.line, *(f"{name}: {value}" for name, value in answer.fields if name not in ("call-id", "cseq"))]
    return _VARIES.sub("*", "\n".join(lines)) + answer.body.decode()


@pytest.fixture
def scanners(stage: Stage) -> Iterator[list[Scanner]]:
    """Many, as each address may ask only so much."""
    made = [Scanner(stage.worker_at, f"127.0.1.{number}") for number in range(1, 13)]
    yield made
    for one in made:
        one.close()


def names(stage: Stage) -> tuple[list[str], list[str]]:
    """(usernames, extensions and numbers that are somebody's), and as many that are nobody's."""
    known = [desk.username for desk in stage.desks.values()] + ["101", "102", "103", "104", *stage.numbers.values()]
    unknown = [str(number) for number in range(100, 200) if str(number) not in known]
    return known, [*unknown, "admin", "anna", "x" * 12]


@pytest.mark.parametrize("method", METHODS)
def test_each_name_is_answered_alike(stage: Stage, scanners: list[Scanner], method: str) -> None:
    def scan() -> None:
        known, unknown = names(stage)
        for proven in (False, True):
            shapes: Counter[str] = Counter()
            for number, name in enumerate([*known, *unknown]):
                one = scanners[number % len(scanners)]
                answer = one.ask(method, name)
                if proven:
                    answer = one.ask(method, name, "wrong", answer["www-authenticate"])
                shapes[shape(answer)] += 1
            assert len(shapes) == 1, shapes
            [only] = shapes
            assert only.startswith("SIP/2.0 401 Unauthorized")
            assert "offhook" not in only.lower().replace('realm="offhook"', "")
            assert not re.search("^(server|user-agent|allow):", only, re.MULTILINE)

    before = stage.worker.legs, stage.offhook.calls.live
    stage.play(asyncio.to_thread(scan))
    assert (stage.worker.legs, stage.offhook.calls.live) == before


def test_a_wrong_password_takes_as_long_as_a_wrong_name(stage: Stage, scanners: list[Scanner]) -> None:
    def times() -> tuple[list[float], list[float]]:
        known, unknown = (list(found) for found in names(stage))
        known = [desk.username for desk in stage.desks.values()]
        taken: tuple[list[float], list[float]] = ([], [])
        for number in range(GUESSES * len(scanners) // 2):
            one = scanners[number % len(scanners)]
            for which, name in ((0, known[number % len(known)]), (1, unknown[number % len(known)])):
                challenge = one.ask("REGISTER", name)["www-authenticate"]
                began = time.perf_counter()
                one.ask("REGISTER", name, "wrong", challenge)
                taken[which].append(time.perf_counter() - began)
        return taken

    right, wrong = stage.play(asyncio.to_thread(times))
    spread = statistics.quantiles([*right, *wrong], n=4)
    assert abs(statistics.median(right) - statistics.median(wrong)) < max(spread[2] - spread[0], 0.0005)


def test_a_scan_leaves_the_house_as_it_was(stage: Stage, scanners: list[Scanner]) -> None:
    def floods() -> None:
        for one in scanners:
            for _ in range(300):
                one.send(one.request("INVITE", body=one.sound))

    async def story() -> None:
        await asyncio.to_thread(floods)
        ann = stage.desks["ann"].calls_number("102")
        bob = await stage.desks["bob"].called()
        bob.answer()
        await stage.connected(ann, bob)
        ann.hang_up()
        assert (await stage.record()).outcome == "answered"
        await stage.empty()

    stage.play(story())


def _program(name: str) -> str:
    """A program of sipvicious, where it is on this machine: it is GPL-2, so that it is run and never imported."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip("SIPVICIOUS IS NOT INSTALLED, so that nothing was scanned by it: pip install sipvicious")
    return found


def run(stage: Stage, command: list[str], folder: Path) -> str:
    """All that a program says, while the server goes on."""
    done = stage.play(asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=100, check=False, cwd=folder
    ))  # fmt: skip
    return str(done.stdout + done.stderr)


@pytest.mark.long
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("more", [[], ["--force"]], ids=["as it is", "by force"])
def test_sipvicious_finds_no_extension(stage: Stage, tmp_path: Path, method: str, more: list[str]) -> None:
    program = _program("sipvicious_svwar")
    told = tmp_path / "names"
    told.write_text("\n".join([*map(str, range(100, 200)), *(desk.username for desk in stage.desks.values())]))
    at = f"udp://127.0.0.1:{stage.worker_at[1]}"
    for which in (["-e", "100-199", "-D"], ["-d", str(told)]):
        assert "found nothing" in run(stage, [program, "-m", method, *which, *more, at], tmp_path)


@pytest.mark.long
def test_sipvicious_learns_of_no_software(stage: Stage, tmp_path: Path) -> None:
    program = _program("sipvicious_svmap")
    command = [program, "-p", str(stage.worker_at[1]), "127.0.0.1"]
    said = run(stage, command, tmp_path)
    assert f"127.0.0.1:{stage.worker_at[1]}" in said
    assert "offhook" not in said.lower()
    assert "sippy" not in said.lower()
