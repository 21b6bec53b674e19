"""Structs that many threads decode at once for the first time."""

import subprocess
import sys
from pathlib import Path

from tests.docs.tables import ROOT

RACE = """
import sys, threading
import msgspec
from offhook.kit import structs

sys.setswitchinterval(1e-6)
FIELDS = [(f"f{n}", dict[str, list[int] | None], msgspec.field(default_factory=dict)) for n in range(30)]

for number in range(200):
    inner = [msgspec.defstruct(f"Inner{one}", FIELDS) for one in range(8)]
    outer = msgspec.defstruct("Outer", [(f"x{one}", kind) for one, kind in enumerate(inner)])
    sent = msgspec.json.encode({f"x{one}": {"f3": {}, "f29": {"a": [1]}} for one in range(8)})
    structs.prepare()
    go = threading.Barrier(6)

    def work():
        go.wait()
        assert msgspec.json.decode(sent, type=outer).x7.f29 == {"a": [1]}

    threads = [threading.Thread(target=work) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
print("all", number + 1)
"""

REFUSED = """
import datetime
import msgspec
from offhook.kit import structs

class Refused(msgspec.Struct):
    one: str | datetime.date

class Taken(msgspec.Struct):
    one: str

structs.prepare()
structs.prepare()
print({Refused, Taken} <= set(structs._known), msgspec.json.decode(b'{"one": "x"}', type=Taken).one)
"""

STORE = """
import sys
import msgspec
from offhook.kit import structs
from offhook.storage.database import Database

class Record(msgspec.Struct):
    one: str

Database(sys.argv[1])
print(Record in structs._known)
"""


def ran(program: str, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_threads_decode_what_was_prepared():
    assert ran(RACE) == (0, "all 200\n")


def test_what_is_refused_is_passed_over():
    assert ran(REFUSED) == (0, "True x\n")


def test_who_has_a_store_has_structs_prepared(tmp_path: Path):
    assert ran(STORE, f"sqlite:///{tmp_path / 'x.sqlite3'}") == (0, "True\n")
