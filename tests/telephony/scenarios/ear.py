"""What somebody on a telephone hears: which of the sounds that they know by its bytes, and whose voice by its pitch."""

from collections.abc import Callable

from tests.telephony.worker.rtp_peers import FRAME, decoded, hertz

OPENING = 25
"""Packets of 20 ms by which a sound is known that goes on for ever."""

_VOICE = 10
"""Packets in which a voice is looked for; it is one if it is there twice in a row."""

_APART = 20.0
"""Hz by which voices differ at least."""


class Ear:
    """Takes packets of G.711. `sounds` are by what they say, `voices` by who speaks; `told` is called with each that is
    heard: a sound once it is whole, a voice once it begins.
    """

    def __init__(self, sounds: dict[str, bytes], voices: dict[str, float], told: Callable[[str], None]) -> None:
        self._sounds = {name: _frames(content) for name, content in sounds.items()}
        self._voices, self._told = voices, told
        self._following: list[tuple[str, int]] = []
        self._frames: list[bytes] = []
        self._maybe = self._voice = ""
        self.heard: list[str] = []

    def take(self, frame: bytes) -> None:
        """The next 20 ms."""
        begun = [*self._following, *((name, 0) for name in self._sounds)]
        self._following = [(name, at + 1) for name, at in begun if self._sounds[name][at] == frame]
        for name, at in tuple(self._following):
            if at == len(self._sounds[name]):
                self._following = []
                # Who spoke before and does so again is heard anew.
                self._voice = ""
                self.heard.append(name)
                self._told(name)
                break
        self._frames.append(frame)
        if len(self._frames) == _VOICE:
            self._listen(hertz(decoded(b"".join(self._frames))))
            self._frames = []

    def forget(self) -> None:
        """Whoever spoke last is somebody new when they speak again."""
        self._maybe = self._voice = ""

    def _listen(self, pitch: float) -> None:
        who = next((who for who, voice in self._voices.items() if abs(voice - pitch) < _APART), "")
        if who and who == self._maybe and who != self._voice:
            self._voice = who
            self._told(who)
        self._maybe = who


def _frames(content: bytes) -> list[bytes]:
    """The packets of a sound, but one that its end does not fill."""
    return [content[at : at + FRAME] for at in range(0, len(content) - FRAME + 1, FRAME)]
