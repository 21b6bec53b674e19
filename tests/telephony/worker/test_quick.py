"""What is done sooner than sippy does it comes out as sippy's own. In a process of its own: it is put in place once."""

import subprocess
import sys

SCRIPT = r"""
from offhook.telephony.worker.quick import quicken
from sippy.SipRequest import SipRequest
from sippy.SipResponse import SipResponse
from sippy.SipURL import SipURL
from sippy.SipVia import SipVia
from sippy.Time.MonoTime import MonoTime

OURS = ("192.0.2.1", 5062), "udp"
URLS = (
    "sip:a@b", "sip:a:secret@b:5070;user=phone;transport=tcp", "sip:[2001:db8::1]:5060;lr", "sip:a%20b@c;ttl=3;x=y;z",
    "sip:a@b?Route=%3Csip%3Ax%3E",
)
HEAD = (
    "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1;rport\r\nv: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK2\r\n"
    "f: <sip:a@b>;tag=1\r\nt: <sip:a@b>;tag=2\r\ni: one\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n\r\n"
)
FLAGS = [(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]

def told():
    request, answer = SipRequest("INVITE sip:a@b SIP/2.0\r\n" + HEAD), SipResponse("SIP/2.0 180 Ringing\r\n" + HEAD)
    via = SipVia()
    via.params["branch"] = "b"
    return [
        *[SipURL(url).localStr(ours) for url in URLS for ours in (None, OURS)],
        SipURL(username="a").localStr(OURS), SipURL(username="a").localStr((("192.0.2.1", 5060), "udp")),
        via.localStr(OURS), via.localStr((("192.0.2.1", 5060), "udp")), request.localStr(OURS),
        *[message.getTId(*flags) for message in (request, answer) for flags in FLAGS],
    ]

before, early = told(), MonoTime()
quicken()
late = MonoTime()
assert told() == before, (before, told())
assert 0 <= late - early < 5 and abs(late.realt - early.realt) < 5, (early, late)
"""


def test_messages_are_written_and_named_as_by_sippy_itself():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
