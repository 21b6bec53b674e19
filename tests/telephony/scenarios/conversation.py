"""A house with three people and two carriers, for what a scenario has no words for: the test moves each handset."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from offhook.kit import clock
from offhook.telephony.sound.samples import to_wav
from tests.api.desk import Company
from tests.scenarios.stage import V1, V2, sent
from tests.telephony.scenarios.choir import Choir
from tests.telephony.scenarios.handset import WAIT, Handset, Talk
from tests.telephony.scenarios.real import CALLER, MUSIC, OUTSIDE, PITCH, STEP, Real
from tests.telephony.sound.test_samples import sine

OUT = "+12125550188"
PEOPLE = ("ana", "bob", "cyd")
_MUSIC_HERTZ = 2_600.0
_MOMENT = "2026-12-23 10:00"


def document(**office: Any) -> dict[str, Any]:
    """A company whose main line rings Ana."""
    return {
        "version": 1,
        "offices": {
            "Head office": {
                "hours_on": False,
                "routing_options": {"open": {"action": "voicemail", "try_dial_operators": True}},
                "operators": ["ana@example.com"],
                **office,
            }
        },
        "users": {
            f"{who}@example.com": {
                "office": "Head office", "first_name": who.title(), "extension": 101 + number, "devices": ["Desk"],
            }
            for number, who in enumerate(PEOPLE)
        },
    }  # fmt: skip


class Conversation(Real):
    """Everybody's handsets, by name; `rung` holds the talks that rang and are not taken yet."""

    def __init__(self, company: Company, **office: Any) -> None:
        super().__init__(company, pace=1.0)
        self.set(document(**office), (), _MOMENT)
        body = {"target_type": "office", "target_id": self._simulated.ids["office Head office"]}
        self.number = sent(self._api.post(f"{V2}/numbers/assign", body))["number"]
        self.handsets: dict[str, Handset] = {}
        self.voices: dict[str, float] = {}
        self._rang: dict[str, asyncio.Queue[Talk]] = {}

    def own_music(self) -> None:
        """The office has music on hold of its own, which is heard as the voice MUSIC."""
        body = {
            "file": b64encode(to_wav(sine(_MUSIC_HERTZ, 2.0))).decode(), "ivr_type": "HOLD_MUSIC",
            "target_type": "office", "target_id": self._simulated.ids["office Head office"],
        }  # fmt: skip
        sent(self._api.post(f"{V2}/customivrs", body))
        self.voices[MUSIC] = _MUSIC_HERTZ

    def user(self, who: str) -> str:
        """Somebody's id."""
        return self._simulated.ids[f"user {who}@example.com"]

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """While this goes on everybody can be reached."""
        going = clock.Going(self._simulated.moment, 1.0)
        going.start()
        async with self._house(going) as worker:
            pitches = count(PITCH, 2 * STEP)
            names = {CALLER: ("", ""), OUTSIDE: ("", "")}
            names |= {who: self._passwords[f"{who}@example.com"] for who in PEOPLE}
            for who, (name, password) in names.items():
                pitch = next(pitches)
                self.handsets[who] = handset = Handset(worker, pitch, name, password)
                self.voices[who], self._rang[who] = pitch, asyncio.Queue()
                handset.rung = self._rang[who].put_nowait
            try:
                await self._connect(self.handsets[CALLER], self.handsets[OUTSIDE])
                await asyncio.gather(*(self.handsets[who].register() for who in PEOPLE))
                yield
            finally:
                for each in self.handsets.values():
                    each.close()

    def choir(self, talk: Talk) -> Choir:
        """Have somebody tell who they hear."""
        return Choir(talk, self.voices)

    async def rings(self, who: str) -> Talk:
        """Wait until somebody is rung."""
        async with asyncio.timeout(WAIT):
            return await self._rang[who].get()

    async def talks(self) -> tuple[Talk, Talk]:
        """The caller and Ana, who took the call to the main line."""
        caller = self.handsets[CALLER].dial(self.number, "+12125550123")
        ana = await self.rings("ana")
        ana.answer()
        async with asyncio.timeout(WAIT):
            await caller.up.wait()
        return caller, ana

    async def asks(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers."""
        return sent(await self._api.sending(method, f"{V2}/{path}", body))

    async def refused(self, path: str, body: Any) -> str:
        """Why the API refuses something."""
        answer = await self._api.sending("POST", f"{V2}/{path}", body)
        assert answer.status == 409, answer
        return answer.errors[0]["message"]

    async def call_id(self) -> str:
        """The call that goes on."""
        found = sent(await self._api.sending("GET", f"{V1}/calls"))["items"]
        return str(next(one["id"] for one in found if "ended" not in one))

    async def trace(self, id: str) -> Any:
        """Why it went as it did, once it is over."""
        await self._desk.offhook.calls.over(int(id))
        return sent(await self._api.sending("GET", f"{V1}/calls/{id}/trace"))
