"""Whether telephones can be answered where the settings say, found out before a server begins.

What is wrong is said in one line with its mend, instead of by a worker that cannot come up.
"""

import errno
import importlib.util
import socket
import time
from collections.abc import Callable

import msgspec

from offhook.kit.errors import Refusal
from offhook.kit.settings import Settings
from offhook.telephony.port import pairs

LOOKS, PAUSE = 30, 0.1
"""How often a port that is taken is looked at again, and seconds between: the worker of a server that was killed has it
for a moment longer.
"""

_MOST_PORT = 65535


def claimed(settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> Settings:
    """The settings, with the port that is free where any was wanted: so it stays the same when the worker is started
    again. Refusal if telephones cannot be answered there, or none could be heard.
    """
    if not settings.sip:
        return settings
    if importlib.util.find_spec("sippy") is None:
        raise Refusal(
            "Telephones need the package sippy, which is not installed: it comes with Offhook on Linux only. "
            "OFFHOOK_SIP=false serves without telephones."
        )
    number = _port(settings, sleep)
    _refuse_no_sound(settings)
    return msgspec.structs.replace(settings, sip_port=number)


def _port(settings: Settings, sleep: Callable[[float], None]) -> int:
    host, number = settings.sip_host, settings.sip_port
    for looks_left in range(LOOKS, -1, -1):
        try:
            with _bound(host, number) as probe:
                return int(probe.getsockname()[1])
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not looks_left:
                raise Refusal(_why(host, number, error)) from None
        sleep(PAUSE)
    raise AssertionError("the last look returns or raises")


def _why(host: str, number: int, error: OSError) -> str:
    at = f"UDP {host}:{number}, where telephones are to be answered,"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{at} is taken by another program. Choose another port (--sip-port {min(number + 2, _MOST_PORT)}), any "
            "free one (--sip-port 0), or serve without telephones (OFFHOOK_SIP=false)."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"sip_host {host} is no address of this machine. --sip-host takes one of its own, as 127.0.0.1, or 0.0.0.0 "
            "for all of them; where telephones reach it by another one, say that as OFFHOOK_SIP_ADDRESS (sip_address)."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{at} needs rights that this user has not. Choose a port from 1024 on (--sip-port 5060)."
    return f"{at} cannot be listened on: {error.strerror}. --sip-host takes an address of this machine, as 127.0.0.1."


def _refuse_no_sound(settings: Settings) -> None:
    first, last = settings.media_range
    for number in pairs(first, last):
        try:
            with _bound(settings.sip_host, number), _bound(settings.sip_host, number + 1):
                return
        except OSError:
            continue
    raise Refusal(
        f"Of the UDP ports {settings.media_ports} for sound (media_ports) no two neighbours are free at "
        f"{settings.sip_host}, so nobody could be heard. Choose others: OFFHOOK_MEDIA_PORTS=30000-39999."
    )


def _bound(host: str, number: int) -> socket.socket:
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        probe.bind((host, number))
    except OSError:
        probe.close()
        raise
    return probe


def told(settings: Settings) -> dict[str, str]:
    """Where telephones are answered and where their sound goes, for the log line with which a server begins."""
    if not settings.sip:
        return {"sip": "off"}
    found = {"sip": f"{settings.sip_host}:{settings.sip_port}", "sound": f"{settings.sip_host}:{settings.media_ports}"}
    return found | ({"reached_at": settings.sip_address} if settings.sip_address else {})
