"""Departments and call centers as they are kept, with every default filled in. Pure."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import msgspec

from offhook.directory.lines.model import KeptByHand, KeptScript, Target, Week, schedule, targets_of, usual
from offhook.directory.lines.wire import RoutingStateOut, Strategy
from offhook.directory.offices import OfficeCard
from offhook.events.model import Word
from offhook.hours.model import Schedule, SpecialDay
from offhook.hours.rules import DEFAULT_WEEK

GroupType = Literal["department", "callcenter"]


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What departments and call centers have in common. Zone, country and currency are those of the office.

    `keeps_office_days` says whether the office's holidays and overrides count here; None: if the group keeps hours.
    """

    name: str
    office_id: int
    open: RoutingStateOut
    closed: RoutingStateOut
    hours_on: bool = False
    week: Week = DEFAULT_WEEK
    ring_seconds: int = 30
    group_description: str = ""
    phone_numbers: tuple[str, ...] = ()
    auto_start_vi: bool = True
    allow_pause_vi: bool = True
    keeps_office_days: bool | None = None
    by_hand: KeptByHand | None = None
    script: KeptScript | None = None

    def targets(self) -> list[tuple[str, Target]]:
        """Every target that its routing names, with the field path of its id."""
        return targets_of(self.open, self.closed)

    def schedule(self, office: OfficeCard) -> Schedule:
        """Its opening hours by the wall clock of its office, ready to ask."""
        return self.schedule_in(office.timezone, office.days)

    def schedule_in(self, timezone: str, days: tuple[SpecialDay, ...]) -> Schedule:
        """Its opening hours in an office of this zone and with these special days."""
        keeps = self.hours_on if self.keeps_office_days is None else self.keeps_office_days
        return schedule(timezone, self.week, not self.hours_on, days if keeps else (), self.by_hand)


class DepartmentQueue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where callers of a department wait while all operators are busy."""

    allow_queuing: bool = False
    max_hold_count: int = 50
    max_hold_seconds: int = 900


class CallCenterQueue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where callers of a call center wait while all operators are busy."""

    allow_queue_callback: bool = False
    announce_position: bool = True
    announcement_interval_seconds: int = 120
    max_hold_count: int = 50
    max_hold_seconds: int = 900
    queue_callback_dtmf: str = "9"
    queue_callback_threshold: int = 5
    queue_escape_dtmf: str = "*"
    stay_in_queue_after_closing: bool = False
    unattended_queue: bool = False


class Alerts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When supervisors are told: fewer than so many percent of calls answered within so many seconds."""

    cc_service_level: int = 95
    cc_service_level_seconds: int = 60


class Recording(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which calls of a call center are recorded by themselves."""

    allow_pause_recording: bool = False
    call_recording_inbound: bool = False
    call_recording_outbound: bool = False


class Department(Group, frozen=True, kw_only=True, omit_defaults=True):
    """A department."""

    auto_call_recording: bool = False
    hold_queue: DepartmentQueue = DepartmentQueue()


class CallCenter(Group, frozen=True, kw_only=True, omit_defaults=True):
    """A call center. `max_wrap_up_seconds` is how long an operator has after a call before the next one."""

    hold_queue: CallCenterQueue = CallCenterQueue()
    alerts: Alerts = Alerts()
    recording: Recording = Recording()
    max_wrap_up_seconds: int = 0


G = TypeVar("G", bound=Group)


@dataclass(frozen=True, slots=True)
class Kind(Generic[G]):
    """One of the two kinds: its names, its usual order of operators, and the words of its events."""

    target: GroupType
    noun: str
    path: str
    of: type[G]
    strategy: Strategy
    created: Word
    updated: Word
    repointed: Word
    deleted: Word
    opened: Word
    closed: Word
    lifted: Word
    attached: Word
    detached: Word

    def blank(self, office_id: int) -> G:
        """One of an office as it is before anything is said of it."""
        opened, closed = usual(self.strategy)
        return self.of(name="", office_id=office_id, open=opened, closed=closed)


DEPARTMENTS: Kind[Department] = Kind(
    target="department",
    noun="department",
    path="departments",
    of=Department,
    strategy="simultaneous",
    created=Word.DEPARTMENT_CREATED,
    updated=Word.DEPARTMENT_UPDATED,
    repointed=Word.DEPARTMENT_POINTED_AT_VOICEMAIL,
    deleted=Word.DEPARTMENT_DELETED,
    opened=Word.DEPARTMENT_OPENED_BY_HAND,
    closed=Word.DEPARTMENT_CLOSED_BY_HAND,
    lifted=Word.DEPARTMENT_HAND_LIFTED,
    attached=Word.DEPARTMENT_SCRIPT_ATTACHED,
    detached=Word.DEPARTMENT_SCRIPT_DETACHED,
)
CALLCENTERS: Kind[CallCenter] = Kind(
    target="callcenter",
    noun="call center",
    path="callcenters",
    of=CallCenter,
    strategy="longestidle",
    created=Word.CALLCENTER_CREATED,
    updated=Word.CALLCENTER_UPDATED,
    repointed=Word.CALLCENTER_POINTED_AT_VOICEMAIL,
    deleted=Word.CALLCENTER_DELETED,
    opened=Word.CALLCENTER_OPENED_BY_HAND,
    closed=Word.CALLCENTER_CLOSED_BY_HAND,
    lifted=Word.CALLCENTER_HAND_LIFTED,
    attached=Word.CALLCENTER_SCRIPT_ATTACHED,
    detached=Word.CALLCENTER_SCRIPT_DETACHED,
)
