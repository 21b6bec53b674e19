"""What it costs that three talk together, by the process that carries sound, beside telephones on the same machine.

`python -m bench.mixing [conferences] [seconds]`.
"""

import multiprocessing
import sys

from bench.media import Silent, processor, telephones
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.sound import Voice

CONFERENCES, SECONDS = 10, 10.0
PARTIES = 3


def measured(conferences: int = CONFERENCES, seconds: float = SECONDS) -> dict[str, float]:
    """Packets, and how much of a core one conference takes."""
    count = PARTIES * conferences
    media = EngineMedia(Silent(), ports=(34_000, 34_000 + 4 * count))
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=telephones, args=(count, seconds, theirs))
    process.start()
    to = []
    for place, address in enumerate(ours.recv()):
        to.append(media.open(place + 1))
        media.agree(place + 1, Voice(address=address))
        if place % PARTIES == PARTIES - 1:
            media.join(tuple(range(place + 2 - PARTIES, place + 2)))
    before = processor(media.pid)
    ours.send(to)
    sent, ways = ours.recv()
    took = processor(media.pid) - before
    process.join()
    media.close()
    return {"sent": sent, "heard": len(ways), "of a core": took / seconds, "each": took / seconds / conferences}


def main() -> int:
    """Measure it once and say what it was."""
    conferences = int(sys.argv[1]) if len(sys.argv) > 1 else CONFERENCES
    figures = measured(conferences, float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS)
    print(f"{conferences} conferences of {PARTIES}")
    for name, figure in figures.items():
        print(f"  {name:20} {figure:,.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
