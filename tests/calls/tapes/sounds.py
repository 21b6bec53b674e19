"""Sound that the tests record: WAV files of G.711, and calls that it is of."""

import struct
from pathlib import Path
from typing import Any

from offhook.calls import store
from offhook.calls.model import Kept
from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.routing.state import NOWHERE, CallState
from tests.api.desk import Company

CALLER = "+14155550100"
V1 = "/api/offhook/v1"


def wav(seconds: float, *, told: int | None = None) -> bytes:
    """A file of so many seconds in which no two neighbouring bytes are alike; `told` is what its head says instead."""
    sound = bytes(n * 7 % 251 for n in range(int(seconds * 8000)))
    size = len(sound) if told is None else told
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 7, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", size + len(head)) + head + sound


def call(
    company: Company,
    *,
    over: bool = True,
    who: str = "",
    talking: str = "",
    via: Target = NOWHERE,
    caller: str = CALLER,
) -> int:
    """A call that is kept: its id."""
    id, began = company.desk.ids.new(), int(clock.wall() * 1000)
    state = CallState(
        id=str(id), seed=id, began=began, now=began, phase="over" if over else "voicemail", who=who, talking=talking,
        via=via, home=via,
    )  # fmt: skip
    kept = Kept(
        id=id, tenant_id=company.tenant(), began=began, ended=began if over else 0, outcome="voicemail" if over else "",
        caller=caller, dialled="+14155550199", state=state,
    )  # fmt: skip
    until = 0 if over else began + 10**9
    company.desk.transact(lambda tx: store.keep(tx, kept, [], until))
    return id


def left(
    company: Company, box: Target, seconds: float = 1.5, tapes: Any = None, caller: str = CALLER, who: str = ""
) -> str:
    """A message is left, `who` being the one of the company that proved to call: its id."""
    tapes = tapes or company.desk.offhook.tapes
    call_id = call(company, caller=who or caller, who=who)
    path = tapes.new_message(company.tenant(), call_id, box)
    Path(path).write_bytes(wav(seconds))
    company.desk.run(tapes.message_left(company.tenant(), call_id, box, path, seconds))
    [found] = company.live.get(f"{V1}/voicemails?call_id={call_id}").json["items"]
    return str(found["id"])


def primary(company: Company) -> Target:
    """The main line of its primary office."""
    return Target("office", company.office_ids["live"])
