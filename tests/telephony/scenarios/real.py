"""Scenarios on real telephones: a company is set, its people's telephones register, a carrier calls in and takes calls.

The house goes by a clock of its own that stands at the moment of the call until it is there, and goes `pace` times as
fast from then on; what SIP waits for is as long as it is.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from offhook.calls.legs import store as legs
from offhook.kit import clock
from offhook.routing.plan import Prompt
from offhook.routing.simulate import NOT_ASKED
from offhook.telephony.port import Address
from tests.api.desk import Company
from tests.scenarios.script import Call, Deed, Sends
from tests.scenarios.stage import V1, V2, Seen, Simulated, reasons, sent
from tests.telephony.scenarios.compared import differences
from tests.telephony.scenarios.ear import OPENING
from tests.telephony.scenarios.handset import Handset, Talk
from tests.telephony.scenarios.people import Does, Ringing, Soft, free_port, scripted
from tests.telephony.scenarios.service import Service
from tests.telephony.worker.rtp_peers import FRAME

MUSIC, TONE, CALLER, OUTSIDE = "Hold music", "(tone)", "the caller", "outside"
ANSWERS = EVERYBODY = 4
"""Seconds after which numbers outside, and everybody, take a call: as in simulations."""

PITCH, STEP = 1_400, 100
"""Of voices, in Hz, above all of the house's own sounds."""

SEED = 1
"""What random orders come from in a simulation."""

SPOKEN = 1.0
"""Seconds that a caller speaks onto a machine."""

SLACK = 0.8
"""Seconds by which ringing may differ from what it should be; the machine has other things to do."""

PATIENCE = 3.0
"""Seconds in which two who are connected have to hear each other."""

LONGEST = 60.0
"""Seconds in which a scenario is over."""


class Real:
    """A `Stage`. With `soft` the people's telephones are real ones, otherwise handsets of the test's own. The caller
    presses keys by telephone events, or in INFO of the type `info`.

    `planned` is what the same call is simulated to be, in the same company, and `stored` what is kept of it; `faults`
    is what no Seen has a place for.
    """

    def __init__(self, company: Company, *, pace: float, soft: bool = False, info: str = "") -> None:
        self._desk, self._api = company.desk, company.sandbox
        self._tenant_id = company.tenant("sandbox")
        self._pace, self._soft, self._info = pace, soft, info
        self._simulated = Simulated(self._api)
        self._passwords: dict[str, tuple[str, str]] = {}
        self._numbers: dict[str, str] = {}
        self._rings: list[Ringing] = []
        self._outside: list[Talk] = []
        self._abroad_at: dict[str, int] = {}
        self._dialled_on = False
        self._parks, self._parked = False, ""
        self._unparks: deque[str] = deque()
        self._going = clock.Going(self._simulated.moment, pace)
        self._seed = SEED
        self.planned: Any = None
        self.stored: Any = None
        self.faults: list[str] = []

    def set(self, company: dict[str, Any], before: Sequence[Deed], at: str) -> None:
        """As a simulation is set; and every telephone gets a password."""
        self._simulated.set(company, before, at)
        for phone in sent(self._api.get(f"{V1}/phones")).get("items", []):
            made = sent(self._api.post(f"{V1}/phones/{phone['id']}/new-password", {}))
            who = self._simulated.names[f"{phone['owner_type']}:{phone['owner_id']}"]
            self._passwords[who] = (made["phone"]["settings"]["username"], made["password"])
        for who, user in company.get("users", {}).items():
            self._numbers |= dict.fromkeys(user.get("forwarding_numbers", ()), who)

    def call(self, call: Call) -> Seen:
        """Over the wire. What is called has a number, as calls from outside need one."""
        to = str(call.to)
        if to in self._simulated.ids:
            body = {"target_type": to.partition(" ")[0], "target_id": self._simulated.ids[to]}
            to = sent(self._api.post(f"{V2}/numbers/assign", body))["number"]
        call = msgspec.structs.replace(call, to=to)
        self.planned = self._simulated.trace(call, seed=SEED, message_seconds=round(SPOKEN))
        seen = self._desk.run(self._play(call, to))
        if any(verb.get("strategy") == "random" for verb in _verbs(self.planned)):
            # Whose turn it is comes of the call's id, which nobody knew before.
            self._seed = int(self.stored["id"])
            self.planned = self._simulated.trace(call, seed=self._seed, message_seconds=round(SPOKEN))
        return seen

    def differences(self, unasked: str = "") -> list[str]:
        """In what `stored` differs from `planned`; `unasked` is how asking a service failed that no simulation asks."""
        planned = self.planned
        if unasked:
            planned = json.loads(json.dumps(planned).replace(NOT_ASKED, unasked))
        return differences(planned, self.stored, self._simulated.names, seed=self._seed, pace=self._pace)

    # The house and its telephones

    @asynccontextmanager
    async def _house(self, going: clock.Going) -> AsyncIterator[Address]:
        """A worker, by that clock; where it listens."""
        telephones = self._desk.offhook.telephones
        with clock.going(going):
            keeping = asyncio.create_task(telephones.keep())
        try:
            # It is made in the first step of the task.
            await asyncio.sleep(0)
            assert telephones.telephony is not None
            async with asyncio.timeout(LONGEST):
                ready = await asyncio.shield(telephones.telephony.worker.ready)
            yield ready.address
        finally:
            await telephones.close()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _play(self, call: Call, number: str) -> Seen:
        going = self._going = clock.Going(self._simulated.moment, self._pace)
        async with self._house(going) as worker, Service(self._simulated.ids, call.routers) as service:
            await self._ask_there(service)
            inbound, outbound = Handset(worker, PITCH), Handset(worker, PITCH + STEP)
            scripted(outbound, self._outside_who, self._does(call), self._rung)
            people: dict[str, Handset | Soft] = {}
            voices: dict[str, float] = {OUTSIDE: outbound.pitch}
            for pitch, (who, (name, password)) in zip(count(PITCH + 2 * STEP, STEP), self._passwords.items()):
                voices[who] = pitch
                if self._soft and who != call.caller:
                    people[who] = Soft(who, name, password, worker, pitch, self._does(call), self._rung)
                else:
                    people[who] = one = Handset(worker, pitch, name, password)
                    scripted(one, lambda _, who=who: who, self._does(call), self._rung)  # type: ignore[misc]
            abroad = [self._abroad(number, who, worker, call) for number, who in self._numbers.items() if self._soft]
            caller_at = people.get(call.caller, inbound)
            assert isinstance(caller_at, Handset)
            caller_at.info = self._info
            for other in (outbound, *people.values()):
                if isinstance(other, Handset):
                    other.voices = {CALLER: caller_at.pitch}
            try:
                await self._connect(inbound, outbound)
                await asyncio.gather(*(one.register() for one in people.values()), *(one.ready() for one in abroad))
                async with asyncio.timeout(LONGEST):
                    return await self._calling(call, number, caller_at, voices, people, going)
            except TimeoutError as late:
                calls = sent(await self._api.sending("GET", f"{V1}/calls")).get("items", [])
                raise AssertionError(f"Not in time: {calls}, {self._rings}.") from late
            finally:
                for each in (inbound, outbound, *people.values(), *abroad):
                    each.close()

    async def _connect(self, inbound: Handset, outbound: Handset) -> None:
        """Two carriers: calls come in from one, and go out by the other."""
        await self._trunk("In", addresses=[f"127.0.0.1:{inbound.address[1]}"])
        await self._trunk("Out", proxy=f"127.0.0.1:{outbound.address[1]}", prefixes=["+1"], emergency=True)
        for number, at in self._abroad_at.items():
            await self._trunk(f"To {number}", proxy=f"127.0.0.1:{at}", prefixes=[number])
        await inbound.known()

    async def _trunk(self, name: str, **more: Any) -> None:
        sent(await self._api.sending("POST", f"{V1}/trunks", {"name": name, "country": "US", **more}))

    def _abroad(self, number: str, who: str, worker: Address, call: Call) -> Soft:
        """A real telephone outside, which a carrier of its own rings."""
        at = self._abroad_at[number] = free_port()
        return Soft(who, number, "", worker, PITCH + STEP, self._does(call), self._rung, listen=at)

    async def _ask_there(self, service: Service) -> None:
        """Have call routers ask a service of the test's own, which says what the file says, or nothing."""
        for key, id in self._simulated.ids.items():
            if key.startswith("callrouter "):
                body = {"routing_url": service.url(key)}
                sent(await self._api.sending("PATCH", f"{V2}/callrouters/{id}", body))

    # Who does what

    def _does(self, call: Call) -> Any:
        def does(who: str) -> Does:
            if who in call.declines:
                return Does(declines=True)
            if isinstance(call.answer, dict) and who in call.answer:
                return Does(call.answer[who] / self._pace)
            if "@" not in who:
                return Does(ANSWERS / self._pace)
            return Does(EVERYBODY / self._pace if call.answer == "everybody" else None)

        return does

    def _rung(self, one: Ringing) -> None:
        self._rings.append(one)

    def _outside_who(self, talk: Talk) -> str:
        assert talk.came is not None
        self._outside.append(talk)
        number = talk.came.line.split()[1].removeprefix("sip:").partition("@")[0]
        return self._numbers.get(number, number)

    async def _occupy(self, call: Call, people: dict[str, Handset | Soft]) -> dict[str, Talk | Soft]:
        """Those who are in another call by then have called somebody outside."""
        busy = {who: people[who].dial("+12125550199") for who in call.busy}
        for talk in busy.values():
            await talk.up.wait()
        self._rings.clear()
        return busy

    async def _calling(
        self,
        call: Call,
        number: str,
        caller_at: Handset,
        voices: dict[str, float],
        people: dict[str, Handset | Soft],
        going: clock.Going,
    ) -> Seen:
        busy = await self._occupy(call, people)
        loop = asyncio.get_running_loop()
        shown = "" if "@" in call.caller else call.caller
        talk = caller_at.dial(number, shown, await self._sounds(), voices)
        await talk.begun.wait()
        going.start()
        if call.hang_up is not None:
            loop.call_later(call.hang_up / self._pace, talk.hang_up)
        for who, seconds in call.busy.items():
            if seconds != "always":
                loop.call_later(float(seconds) / self._pace, busy[who].hang_up)
        self._parks, self._unparks = call.park is not None, deque(call.unpark)
        keys = deque(str(one) for one in call.press)
        with_whom = await self._through(talk, voices, keys, deque(call.transfers))
        found = sent(await self._api.sending("GET", f"{V1}/calls"))["items"]
        for one in busy.values():
            one.hang_up()
        for one in found:
            await self._desk.offhook.calls.over(int(one["id"]))
        [id] = [one["id"] for one in found if one["dialled"] == number]
        self.stored = sent(await self._api.sending("GET", f"{V1}/calls/{id}/trace"))
        with suppress(TimeoutError):
            # A real telephone says a moment later that it rings no more.
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(one.over.wait() for one in self._rings))
        self._compare(call, talk.ear.heard)
        return Seen(
            rings=_who(self._groups()),
            heard=[name for name in talk.ear.heard if name != TONE],
            answered_by=next((one.who for one in self._people() if one.answered), ""),
            ends_in=await self._ends_in(id, with_whom),
            reasons=reasons(self.stored),
            told=self.stored["text"],
        )

    # The caller

    async def _sounds(self) -> dict[str, bytes]:
        """All that may be heard in this call, by what it says; of what goes on for ever, how it begins."""
        sounds = self._desk.offhook.speech.sounds
        await sounds.start()
        found: dict[str, bytes] = {}
        for verb in _verbs(self.planned):
            if (told := verb.get("prompt") or verb.get("greeting")) is not None:
                prompt = msgspec.convert(told, Prompt)
                [file] = await sounds.of_prompt(self._tenant_id, prompt)
                found[prompt.text] = _read(file)
        found[MUSIC] = _read(sounds.of_waiting("hold_music")[0])[: OPENING * FRAME]
        found[TONE] = _read(sounds.tone()[0])
        return found

    async def _through(self, talk: Talk, voices: dict[str, float], keys: deque[str], transfers: deque[Sends]) -> str:
        """Do what a caller does until the call is over; with whom they talked."""
        asked = {verb["prompt"]["text"]: verb["most"] for verb in _verbs(self.planned) if verb["do"] == "gather"}
        leaves = next((verb["keys"] for verb in _verbs(self.planned) if verb.get("seconds") and verb.get("keys")), "")
        down = asyncio.ensure_future(talk.down.wait())
        with_whom = ""
        while not talk.down.is_set():
            hearing = asyncio.ensure_future(talk.heard.get())
            await asyncio.wait({hearing, down}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
                break
            heard = hearing.result()
            if heard in asked and keys:
                pressed = keys.popleft()
                # Who dials on hears nothing of what is asked then.
                self._dialled_on = self._dialled_on or (asked[heard] == 1 and len(pressed) > 1)
                talk.press(pressed)
            elif heard == MUSIC and keys and keys[0] == leaves:
                talk.press(keys.popleft())
            elif heard == MUSIC and self._parked and self._unparks:
                user = self._simulated.ids[f"user {self._unparks.popleft()}"]
                with clock.going(self._going):
                    await self._api.sending("POST", f"{V2}/call/{self._parked}/unpark", {"user_id": user})
            elif heard in voices and self._parks:
                self._parks, self._parked = False, await self._park(heard, talk.dialled)
            elif heard == TONE:
                await asyncio.wait({down}, timeout=SPOKEN)
                talk.press("#")
            elif heard in voices:
                with_whom = await self._talked(heard, transfers)
                talk.ear.forget()
        down.cancel()
        return with_whom

    async def _park(self, voice: str, number: str) -> str:
        """Whom the caller hears parks the call, by the API and by the house's clock; the id of the call."""
        await self._heard_by(voice)
        found = sent(await self._api.sending("GET", f"{V1}/calls"))["items"]
        id: str = next(one["id"] for one in found if one["dialled"] == number and "ended" not in one)
        made = await self._desk.offhook.reader.run(lambda tx: legs.of_calls(tx, self._tenant_id, [int(id)]))
        # By the leg of the call itself it would be the wish of who called.
        [own] = [leg.id for leg in made if not leg.entry and not leg.ended]
        with clock.going(self._going):
            sent(await self._api.sending("POST", f"{V2}/call/{own}/transfer", {"transfer_state": "parked"}))
        if (shown := sent(await self._api.sending("GET", f"{V2}/call/{id}"))["state"]) != "parked":
            self.faults.append(f"a parked call is {shown}")
        return id

    async def _talked(self, voice: str, transfers: deque[Sends]) -> str:
        """The caller hears somebody, who hangs up once they have heard the caller, or sends them on where they may."""
        one = await self._heard_by(voice)
        while transfers and transfers[0].by == one.who:
            if await one.send_on(str(transfers.popleft().to)):
                return one.who
        one.hang_up()
        return one.who

    async def _heard_by(self, voice: str) -> Ringing:
        """Whoever has that voice, once they have heard the caller."""
        one = next(one for one in reversed(self._rings) if one.answered and voice in (one.who, OUTSIDE))
        if one.talk is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    while await one.talk.heard.get() != CALLER:
                        pass
            except TimeoutError:
                self.faults.append(f"{one.who} never heard the caller")
        return one

    # What was seen

    def _people(self) -> list[Ringing]:
        return [one for one in self._rings if "@" in one.who]

    def _groups(self) -> list[list[Ringing]]:
        """Who rang at once, in turn: those who began within a moment."""
        groups: list[list[Ringing]] = []
        for one in sorted(self._people(), key=lambda one: one.began):
            if groups and one.began - groups[-1][0].began < 0.5:
                groups[-1].append(one)
            else:
                groups.append([one])
        return groups

    def _compare(self, call: Call, heard: list[str]) -> None:
        """The wire with what is stored: who rang and for how long, what was heard, who was shown as the caller."""
        groups, told = self._groups(), self.stored["rang"]
        names = self._simulated.names
        if (wire := _who(groups)) != (kept := [sorted(names[who] for who in one["who"]) for one in told]):
            self.faults.append(f"{wire} rang, but {kept} is stored")
        for group, one in zip(groups, told, strict=False):
            wanted = one["for_seconds"] / self._pace
            for each in group if one["came_of_it"] == "not answered" else ():
                if abs((each.ended or time.monotonic()) - each.began - wanted) > SLACK:
                    self.faults.append(f"{each.who} rang for {each.ended - each.began:.2f} s in place of {wanted:.2f}")
        self.faults += [f"{one.who} still rings" for one in self._rings if not one.ended]
        prompts = [told["text"] for verb in _verbs(self.stored) if (told := verb.get("prompt") or verb.get("greeting"))]
        wire_heard = [one for one in heard if one not in (MUSIC, TONE)]
        if call.hang_up is None and not self._dialled_on and wire_heard != prompts:
            self.faults.append(f"{wire_heard} was heard in place of {prompts}")
        for came in (one.talk.came for one in self._people() if one.talk is not None):
            if "@" not in call.caller and came is not None and f"sip:{call.caller}@" not in came["from"]:
                self.faults.append(f"{came['from']} was shown as the caller")
        if any(verb.get("emergency") for verb in _verbs(self.stored)):
            bodies = [talk.came.body for talk in self._outside if talk.came is not None]
            self.faults += ["no location went out"] * any(b"urn:ietf:params:xml:ns:pidf" not in body for body in bodies)

    async def _ends_in(self, id: str, with_whom: str) -> str:
        """A message that was left, who was heard, or how the call's record says that it ended."""
        for one in sent(await self._api.sending("GET", f"{V1}/voicemails?call_id={id}")).get("items", []):
            if one["seconds"] < SPOKEN / 2:
                self.faults.append(f"only {one['seconds']} s of the message were recorded")
            kind, of = one["target_type"], one["target_id"]
            return f"voicemail of {kind} {self._simulated.names[f'{kind}:{of}']}"
        if with_whom:
            return with_whom if "@" in with_whom else f"outside {with_whom}"
        outcome: str = self.stored["outcome"]
        return outcome


def _who(groups: list[list[Ringing]]) -> list[list[str]]:
    return [sorted({one.who for one in group}) for group in groups]


def _verbs(trace: Any) -> list[Any]:
    return [verb for step in trace["steps"] for verb in step["verbs"]]


def _read(file: str) -> bytes:
    return Path(f"{file}.ulaw").read_bytes()
