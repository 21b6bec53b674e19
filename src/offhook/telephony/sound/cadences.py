"""How it rings and is busy in which country. Pure.

After ITU-T E.180 and its list of national tones; where a country's is not known here, what E.180 recommends: 425 Hz, a
second of ringing in five, half a second of busy in one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """Frequencies at once, and for how many seconds they sound and pause in turn; it begins anew at the end."""

    hertz: tuple[int, ...]
    seconds: tuple[float, ...]


_TWICE = (0.4, 0.2, 0.4, 2.0)
RINGING = {
    **dict.fromkeys(("US", "CA", "PR", "DO", "JM", "BS", "TT", "PH"), Cadence((440, 480), (2.0, 4.0))),
    **dict.fromkeys(("GB", "IE", "NZ", "IM", "JE", "GG"), Cadence((400, 450), _TWICE)),
    "AU": Cadence((400, 425), _TWICE),
    "HK": Cadence((440, 480), (0.4, 0.2, 0.4, 3.0)),
    **dict.fromkeys(("IN", "SG", "MY", "ZA"), Cadence((425,), _TWICE)),
    "FR": Cadence((440,), (1.5, 3.5)),
    "ES": Cadence((425,), (1.5, 3.0)),
    "AT": Cadence((420,), (1.0, 5.0)),
    **dict.fromkeys(("PT", "SE"), Cadence((425,), (1.0, 5.0))),
    "BE": Cadence((425,), (1.0, 3.0)),
    "HU": Cadence((425,), (1.25, 3.75)),
    "RU": Cadence((425,), (0.8, 3.2)),
    "JP": Cadence((384, 416), (1.0, 2.0)),
    **dict.fromkeys(("KR", "TW"), Cadence((440, 480), (1.0, 2.0))),
    "CN": Cadence((450,), (1.0, 4.0)),
    "TR": Cadence((450,), (2.0, 4.0)),
    **dict.fromkeys(("IL", "CL"), Cadence((400,), (1.0, 3.0))),
}
BUSY = {
    **dict.fromkeys(("US", "CA", "PR", "DO", "JM", "BS", "TT", "PH"), Cadence((480, 620), (0.5, 0.5))),
    **dict.fromkeys(("GB", "IM", "JE", "GG"), Cadence((400,), (0.375, 0.375))),
    "AU": Cadence((425,), (0.375, 0.375)),
    "DE": Cadence((425,), (0.48, 0.48)),
    "FR": Cadence((440,), (0.5, 0.5)),
    "AT": Cadence((420,), (0.4, 0.4)),
    "ES": Cadence((425,), (0.2, 0.2)),
    **dict.fromkeys(("SE", "DK"), Cadence((425,), (0.25, 0.25))),
    **dict.fromkeys(("NZ", "JP"), Cadence((400,), (0.5, 0.5))),
    "CN": Cadence((450,), (0.35, 0.35)),
}
USUAL_RINGING = Cadence((425,), (1.0, 4.0))
USUAL_BUSY = Cadence((425,), (0.5, 0.5))
