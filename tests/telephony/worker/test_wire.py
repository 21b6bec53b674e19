"""What is left of a request that we stumble over. In a process of its own: sippy's loop is one for a process."""

import subprocess
import sys

SCRIPT = """
from offhook.telephony.worker import wire
faults = []
manager = wire.started(("127.0.0.1", 0), "", lambda content, source: None, faults.append, lambda why: None)

def stumble(request, transaction):
    raise RuntimeError("on purpose")

manager.asked = stumble
for method in ("INVITE", "OPTIONS"):
    text = (
        f"{method} sip:a@b SIP/2.0\\r\\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{method}\\r\\n"
        f"From: <sip:a@b>;tag=1\\r\\n"
        f"To: <sip:a@b>\\r\\nCall-ID: {method}\\r\\nCSeq: 1 {method}\\r\\nContact: <sip:a@b>\\r\\n\\r\\n"
    )
    assert not manager.give(text, ("127.0.0.1", 9))
assert not manager.give("nonsense that is no message of SIP at all", ("127.0.0.1", 9))
assert manager.tserver == {}, manager.tserver
assert len(faults) == 3, faults
for address in (("127.0.0.1", 99999), ("host.invalid", 5060), ("", 1), None):
    wire.socket_of(manager).send_to("x", address)
wire.later(0.01, wire.end)
wire.loop()
manager.shutdown()
"""


def test_nothing_is_left_of_what_went_wrong_and_nothing_is_printed() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
