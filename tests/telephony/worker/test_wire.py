"""What is left of a request that we stumble over. In a process of its own: sippy's loop is one for a process."""

import subprocess
import sys

SCRIPT = """
import threading
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
# What threads ask for is done in the order of each, however much it is, and one that stumbles holds up no other.
done = {number: [] for number in range(3)}
def ask(number):
    for count in range(1_000):
        wire.from_thread(done[number].append, count)
        if count == 500:
            wire.from_thread(int, "none")
    wire.from_thread(lambda: [len(one) for one in done.values()] == [1_000] * 3 and wire.end())
threads = [threading.Thread(target=ask, args=(number,)) for number in done]
for thread in threads:
    thread.start()
wire.later(20, wire.end)
wire.loop()
assert all(one == list(range(1_000)) for one in done.values())
assert len(faults) == 6, faults
manager.shutdown()
"""


def test_nothing_is_left_of_what_went_wrong_and_nothing_is_printed() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
