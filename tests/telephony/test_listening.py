"""What keeps telephones from being answered is said before a server begins, with the mend."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from offhook.kit.errors import Refusal
from offhook.kit.settings import Settings
from offhook.telephony.listening import LOOKS, PAUSE, claimed, told
from offhook.telephony.port import pairs

HERE = "127.0.0.1"


@pytest.fixture
def take() -> Iterator[Callable[[int], int]]:
    """Takes a UDP port, 0 for a free one, until the test ends; which."""
    with ExitStack() as held:

        def bind(number: int) -> int:
            one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            one.bind((HERE, number))
            return int(one.getsockname()[1])

        yield bind


def refusal(**settings: Any) -> str:
    with pytest.raises(Refusal) as refused:
        claimed(Settings(**settings), sleep=lambda _: None)
    message = refused.value.message
    assert "\n" not in message
    return message


def test_any_free_port_is_one_from_then_on() -> None:
    chosen = claimed(Settings(sip_port=0))
    assert chosen.sip_port > 0
    assert claimed(chosen) == chosen


def test_a_port_that_is_taken_is_said_with_what_to_choose(take: Callable[[int], int]) -> None:
    number = take(0)
    said = refusal(sip_port=number)
    assert f"UDP {HERE}:{number}" in said
    assert "taken by another program" in said
    for mend in (f"--sip-port {number + 2}", "--sip-port 0", "OFFHOOK_SIP=false"):
        assert mend in said


def test_a_port_that_comes_free_in_a_moment_is_waited_for() -> None:
    pauses: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dying:
        dying.bind((HERE, 0))
        number = dying.getsockname()[1]

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == LOOKS:
                dying.close()

        assert claimed(Settings(sip_port=number), sleep=sleep).sip_port == number
    assert pauses == [PAUSE] * LOOKS


def test_an_address_of_another_machine_is_said() -> None:
    said = refusal(sip_host="192.0.2.1", sip_port=0)
    assert "sip_host 192.0.2.1 is no address of this machine" in said
    assert "--sip-host" in said


def crowded(take: Callable[[int], int], *, but: tuple[int, ...] = ()) -> tuple[int, int]:
    """Eight ports in a row, of which those with these places are free."""
    for first in range(21_000, 29_000, 8):
        try:
            for place in range(8):
                if place not in but:
                    take(first + place)
        except OSError:
            continue
        return first, first + 7
    raise AssertionError("no eight ports in a row are free")


def test_ports_for_sound_that_are_all_taken_are_said(take: Callable[[int], int]) -> None:
    first, last = crowded(take)
    said = refusal(sip_port=0, media_ports=f"{first}-{last}")
    assert f"UDP ports {first}-{last}" in said
    assert "OFFHOOK_MEDIA_PORTS" in said


def test_half_a_pair_is_no_place_for_sound(take: Callable[[int], int]) -> None:
    first, last = crowded(take, but=(3, 4))
    assert "no two neighbours" in refusal(sip_port=0, media_ports=f"{first}-{last}")


def test_one_free_pair_is_enough(take: Callable[[int], int]) -> None:
    first, last = crowded(take, but=(4, 5))
    assert claimed(Settings(sip_port=0, media_ports=f"{first}-{last}")).media_ports == f"{first}-{last}"


def test_that_the_machine_has_no_sip_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refusal(sip_port=0)
    assert "sippy" in said
    assert "OFFHOOK_SIP=false" in said


def test_who_serves_no_telephones_needs_no_port(take: Callable[[int], int]) -> None:
    settings = Settings(sip=False, sip_port=take(0), sip_host="192.0.2.1")
    assert claimed(settings) == settings
    assert told(settings) == {"sip": "off"}


@pytest.mark.parametrize(
    ("first", "last", "even"),
    [(20_000, 20_007, [20_000, 20_002, 20_004, 20_006]), (20_001, 20_008, [20_002, 20_004, 20_006])],
)
def test_sound_stays_within_its_ports(first: int, last: int, even: list[int]) -> None:
    assert list(pairs(first, last)) == even


def test_where_telephones_are_answered_is_told() -> None:
    usual = {"sip": "127.0.0.1:5060", "sound": "127.0.0.1:20000-29999"}
    assert told(Settings()) == usual
    assert told(Settings(sip_address="pbx.example.com")) == usual | {"reached_at": "pbx.example.com"}
