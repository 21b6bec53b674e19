"""A worker that is played by the test: what it is told is kept, and what happens on its legs the test says."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, TypeVar
from weakref import ref

import msgspec

from offhook.calls.legs.model import Seen
from offhook.directory.lines.model import Target
from offhook.routing import plan
from offhook.routing.plan import Hear, Prompt, Verb
from offhook.routing.state import Reason
from offhook.routing.trace import Step
from offhook.telephony import port
from offhook.telephony.telephone import House, Telephone, Way

CALLER = 1
TENANT = 7
CALL = 77
LEGS = {"user:1": 101, "user:2": 102, "+14155550123": 103}
C = TypeVar("C")
REACHED: dict[str, list[Way]] = {
    "desk": [Way("sip:desk@10.0.0.1", ("10.0.0.1", 5060))],
    "two": [Way("sip:one@10.0.0.2", ("10.0.0.2", 5060)), Way("sip:other@10.0.0.3", ("10.0.0.3", 5060))],
    "hall": [Way("sip:hall@10.0.0.4", ("10.0.0.4", 5060))],
}


class Told:
    """What one call was told to do, and what it told."""

    def __init__(self) -> None:
        self.commands: list[port.Command] = []
        self.events: list[plan.Event] = []
        self.tapes: list[tuple[str, float]] = []
        self.taping: list[str] = []
        self.beeped: list[tuple[int, str]] = []
        self.on_tape: dict[str, list[str]] = {}
        self.seen: list[Seen] = []
        self._taped = 0
        self._heard: dict[int, Callable[[port.Event], None]] = {}
        self._downs: dict[int, port.Down] = {}
        self._next = 0
        self._more = asyncio.Event()
        self._seen = 0
        self._passed = 0
        self.time = 0.0
        self._timers: list[tuple[float, asyncio.Future[None]]] = []
        self.fetching: dict[str, asyncio.Future[None]] = {}
        self.names: dict[int, str] = {}
        """Of carriers, by their trunk."""
        self.steps: list[Step | None] = []
        """What is decided in turn, when the call is told something that is wished of it."""
        house = House(
            legs=self, ways=self, sounds=self, tapes=self, happened=self._happened,
            location=lambda _verb: (b"<presence/>", "application/pidf+xml"), sleep=self._sleep,
            seen=lambda _call, seen: self.seen.append(msgspec.structs.replace(seen, at=0)),
            decided=self._decided, leg_of=lambda _call, who: LEGS.get(who, 0),
            beeped=lambda leg, prompt: self.beeped.append((leg, prompt.text)),
        )  # fmt: skip
        self.telephone = Telephone(house, TENANT, CALLER, ("+14155550100", "Ana"))
        self._heard[CALLER] = self.telephone.heard

    # Legs

    def tell(self, command: port.Command) -> None:
        self.commands.append(command)
        self._more.set()

    def new_leg(self, heard: Callable[[port.Event], None]) -> int:
        self._next += 2
        self._heard[self._next] = heard
        return self._next

    def hold(self, leg: int, heard: Callable[[port.Event], None]) -> None:
        if (down := self._downs.get(leg)) is not None:
            asyncio.get_running_loop().call_soon(heard, down)
            return
        self._heard[leg] = heard

    def let_go(self, leg: int) -> None:
        self._heard[leg] = lambda _event: None

    # Ways, Sounds, Tapes

    async def of_device(self, tenant_id: int, device_id: str) -> list[Way]:
        assert tenant_id == TENANT
        return REACHED.get(device_id, [])

    async def of_number(self, tenant_id: int, number: str, *, emergency: bool, but: Collection[int] = ()) -> Way | None:
        """By two carriers, whatever is in America or calls for help."""
        left = [trunk for trunk in (3, 4) if trunk not in but]
        if not left or not (number.startswith("+1") or emergency):
            return None
        return Way(f"sip:{number}@carrier", ("10.9.9.9", 5060), trunk=left[0], carrier=self.names.get(left[0], ""))

    async def why_not(self, tenant_id: int, number: str, *, emergency: bool) -> str:
        return f"no trunk takes {number}"

    async def of_prompt(self, tenant_id: int, prompt: Prompt) -> tuple[str, ...]:
        return (f"/sounds/{prompt.text}",)

    def are_beeps(self, files: tuple[str, ...]) -> bool:
        return any("unspoken" in one for one in files)

    def of_waiting(self, hear: Hear, country: str = "") -> tuple[str, ...]:
        return (f"/sounds/{hear}{country and f'-{country}'}",)

    async def of_hold(self, tenant_id: int, music: str) -> tuple[str, ...]:
        await self._fetched(music)
        return (f"/sounds/{music}",)

    async def _fetched(self, music: str) -> None:
        """Until the test says that it is there; at once, if it said nothing else."""
        if (fetching := self.fetching.get(music)) is not None:
            await asyncio.shield(fetching)

    def tone(self) -> tuple[str, ...]:
        return ("/sounds/tone",)

    def new_message(self, tenant_id: int, call_id: int, box: Target) -> str:
        return f"/tapes/{box.type}-{box.id}"

    async def message_left(self, tenant_id: int, call_id: int, box: Target, path: str, seconds: float) -> None:
        self.tapes.append((path, seconds))

    def new_recording(self, tenant_id: int, call_id: int) -> str:
        self._taped += 1
        return "/tapes/call" if self._taped == 1 else f"/tapes/call-{self._taped}"

    async def recording_begun(self, path: str) -> None:
        self.taping.append(path)

    async def recording_made(
        self, tenant_id: int, call_id: int, path: str, seconds: float, people: tuple[str, ...] = ()
    ) -> None:
        self.tapes.append((path, seconds))
        self.on_tape[path] = [one for one in people if one]

    # Time

    async def _sleep(self, seconds: float) -> None:
        timer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timers.append((self.time + seconds, timer))
        await timer

    async def later(self, seconds: float) -> None:
        """So much time goes by."""
        await self.settled()
        self.time += seconds
        for due, timer in self._timers:
            if due <= self.time and not timer.done():
                timer.set_result(None)
        await self.settled()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait for what real time brings."""
        while not happened():
            self._more.clear()
            await self._more.wait()

    async def settled(self) -> None:
        """Nothing goes on any more but what waits."""
        for _ in range(50):
            await asyncio.sleep(0)

    # The test's side

    async def _decided(self, call_id: int, event: plan.Event) -> Step | None:
        self._happened(call_id, event)
        step = self.steps.pop(0)
        if step is not None and step.verbs:
            self.telephone.do(call_id, step.verbs)
        return step

    def _happened(self, call_id: int, event: plan.Event) -> bool:
        assert call_id == CALL
        self.events.append(event)
        return True

    async def do(self, *verbs: Verb) -> None:
        self.telephone.do(CALL, verbs)
        await self.settled()

    async def say(self, event: Any) -> None:
        """The worker tells of a leg."""
        if isinstance(event, port.Down):
            self._downs[event.leg] = event
        self._heard[event.leg](event)
        await self.settled()

    def told(self, kind: type[C]) -> list[C]:
        """The commands of a kind, since this was asked last."""
        found: list[C] = [one for one in self.commands[self._seen :] if isinstance(one, kind)]
        self._seen = len(self.commands)
        return found

    def passed(self) -> list[plan.Event]:
        """What the call told since this was asked last, with moments left out."""
        found = [msgspec.structs.replace(one, at=0) for one in self.events[self._passed :]]
        self._passed = len(self.events)
        return found

    def let_all_go(self) -> list["ref[Telephone]"]:
        """What the test itself has of the call, and the worker."""
        self._heard.clear()
        left = [ref(self.telephone)]
        del self.telephone
        return left

    async def answered(self) -> None:
        """The call is taken, and the caller knows."""
        self.telephone.do(CALL, (plan.Answer(),))
        await self.settled()
        await self.say(port.Up(CALLER))
        self.told(port.Answer)

    async def greeted(self) -> None:
        """The caller has heard the greeting of a box and the tone: what is said now is the message."""
        await self.do(plan.Voicemail(BOX, prompt("greeting"), 180))
        for _ in range(2):
            await self.say(port.Played(CALLER, self.told(port.Play)[0].token))


def run(story: Callable[[Told], Awaitable[None]]) -> None:
    """Play a story to its end, and hang up."""

    async def told() -> list["ref[Telephone]"]:
        one = Told()
        await story(one)
        one.telephone.do(CALL, (plan.Hangup(),))
        async with asyncio.timeout(5):
            await one.telephone.over()
        await one.settled()
        return one.let_all_go()

    gone(told)


def gone(told: Callable[[], Coroutine[Any, Any, list["ref[Telephone]"]]]) -> None:
    """Play it: nothing of a call that is over may hold its telephones, so that no collector of garbage is needed."""
    gc.disable()
    try:
        left = asyncio.run(told())
        assert [one() for one in left] == [None] * len(left)
    finally:
        gc.enable()


def step(*verbs: Verb, because: str = "") -> Step:
    """What was decided."""
    return Step(event=plan.Parked(0), reasons=(Reason(0, "why", because),) if because else (), verbs=verbs, config=1)


def prompt(text: str) -> Prompt:
    return Prompt(text)


def leg(who: str, *devices: str, numbers: tuple[str, ...] = ()) -> plan.Leg:
    return plan.Leg(who, who, devices, numbers)


BOX = Target("office", 5)
TWO = plan.Ring("parallel", (leg("user:1", "desk"), leg("user:2", "hall")), 20)
"""Two whose telephones ring at once."""
