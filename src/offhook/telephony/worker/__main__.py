"""`python -m offhook.telephony.worker FD --listen HOST:PORT ...`: run a worker on the socket that was inherited as FD.

It prints nothing. It ends after Close, when the server is gone, and on SIGTERM.
"""

import argparse
import faulthandler
import gc
import os
import signal
import socket
import sys
from pathlib import Path

from offhook.kit import structs
from offhook.telephony import port
from offhook.telephony.port import Address
from offhook.telephony.worker import wire
from offhook.telephony.worker.link import Link
from offhook.telephony.worker.media import EngineMedia
from offhook.telephony.worker.plain import Plain
from offhook.telephony.worker.signalling import Signalling
from offhook.telephony.worker.sound import Media


def address(text: str) -> Address:
    """HOST:PORT."""
    host, _, number = text.rpartition(":")
    return host, int(number)


def ports(text: str) -> tuple[int, int]:
    """FIRST-LAST, as even ports that each have the next one in that range too."""
    first, _, last = text.partition("-")
    even = port.pairs(int(first), int(last))
    return even[0], even[-1]


def main(arguments: list[str]) -> int:
    """Run it to its end."""
    parser = argparse.ArgumentParser(prog="offhook-sip-worker")
    parser.add_argument("socket", type=int, help="file descriptor of the socket to the server")
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 5060), help="where SIP is heard (UDP)")
    parser.add_argument("--advertise", default="", help="the address that telephones reach it at, if another")
    parser.add_argument("--ports", type=ports, default=(16384, 32766), help="of sound, FIRST-LAST")
    parser.add_argument("--silence", type=float, default=30.0, help="seconds without sound that end a call")
    parser.add_argument("--ask", type=float, default=300.0, help="seconds after which a leg on hold is asked for")
    parser.add_argument("--again", type=float, default=55.0, help="seconds after which who calls is told it goes on")
    parser.add_argument("--media", default="", help="what carries sound: plain, or the best there is")
    parser.add_argument("--first", type=int, default=0, help="an even number behind which legs are numbered")
    options = parser.parse_args(arguments)
    faulthandler.enable()
    structs.prepare()
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  (sippy prints here and there)
    signalling: Signalling | None = None
    close = port.Close(seconds=1.0)

    def told(command: port.Command) -> None:
        wire.from_thread(lambda: signalling.told(command) if signalling else None)

    link = Link(socket.socket(fileno=options.socket), told, lambda: told(close), wire.from_thread)

    host = options.advertise or reached(options.listen[0])

    def media(heard: Signalling) -> Media:
        return carried(options.media, heard, options.listen[0], host, options.ports, options.silence)

    try:
        signalling = Signalling(
            options.listen, host, media, link.say, wire.end, options.ask, options.first, options.again
        )  # fmt: skip
    except OSError as error:
        link.start()
        link.say(port.Fault(f"telephones cannot be answered at {options.listen[0]}:{options.listen[1]}: {error}"))
        link.close()
        return 1
    signal.signal(signal.SIGTERM, lambda *_: told(close))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    link.start()
    gc.collect()
    gc.freeze()
    # What calls leave goes by itself; whole collections stop everything for as long as many calls take, so few of them.
    gc.set_threshold(5_000, 4, 50)
    wire.loop()
    signalling.shut()
    link.close()
    return 0


def reached(listen: str) -> str:
    """The address that others reach us at: the one listened at, or of all of them the one that packets leave from."""
    if listen != "0.0.0.0":  # noqa: S104  (compared only)
        return listen
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def carried(kind: str, heard: Signalling, listen: str, advertise: str, taken: tuple[int, int], silence: float) -> Media:
    """What carries sound: a process of its own, unless "plain" asks for a thread of this one."""
    if kind == "plain":
        return Plain(heard, listen, advertise, taken, silence)
    return EngineMedia(
        heard, listen, taken, silence, advertised=advertise,
        fault=lambda what, count: wire.from_thread(heard.fault, what, count),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
