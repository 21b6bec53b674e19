"""The sounds that are ours: made once in the life of a data folder, and from then on there before the first call.

Blocks, and imports numpy: for threads.
"""

from pathlib import Path

from offhook.telephony.sound import music, tones
from offhook.telephony.sound.kept import Kept
from offhook.telephony.sound.samples import Samples, encoded

FORM = "1"
"""Goes up when any of them is to sound otherwise: they are then made again."""

_ROOM = 64 * 1024 * 1024


class Own:
    """Where each of them is, as a worker plays it."""

    def __init__(self, folder: Path) -> None:
        kept = Kept(folder / f"own-{FORM}", _ROOM)
        self.music = kept.find("music") or kept.add("music", encoded(music.hold_music()))
        self.beep = _there(kept, "beep", tones.beep())
        self.attention = _there(kept, "attention", tones.pattern((587, 880)))
        self.ringing = {country: _cadence(kept, "ringing", one) for country, one in tones.RINGING.items()}
        self.busy = {country: _cadence(kept, "busy", one) for country, one in tones.BUSY.items()}
        self.usual_ringing = _cadence(kept, "ringing", tones.USUAL_RINGING)
        self.usual_busy = _cadence(kept, "busy", tones.USUAL_BUSY)


def _there(kept: Kept, name: str, samples: Samples) -> str:
    return kept.find(name) or kept.add(name, encoded(samples))


def _cadence(kept: Kept, what: str, cadence: tones.Cadence) -> str:
    milliseconds = (round(one * 1000) for one in cadence.seconds)
    name = "-".join([what, *map(str, cadence.hertz), "for", *map(str, milliseconds)])
    return _there(kept, name, tones.of_cadence(cadence))
