"""Departments and call centers in a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Kind, as_it_is, words
from offhook.configuration.kinds.numbers import HOLDS, NUMBERS_HELD, PHONE_NUMBERS
from offhook.configuration.kinds.operators import operators
from offhook.configuration.kinds.parts import HOURS, NAME, OFFICE, everything, routing, shows
from offhook.configuration.kinds.scripts import script
from offhook.directory.groups.model import CALLCENTERS as CALLCENTER
from offhook.directory.groups.model import DEPARTMENTS as DEPARTMENT
from offhook.directory.groups.model import CallCenterQueue, DepartmentQueue
from offhook.directory.groups.store import callcenters, departments

if TYPE_CHECKING:
    pass


def _queue(usual: Any) -> tuple[Field, ...]:
    return tuple(
        Field(f"hold_queue.{name}", default, normal=words if isinstance(default, str) else as_it_is)
        for name in usual.__struct_fields__
        if (default := getattr(usual, name)) is not None
    )


def _shared(strategy: str) -> Sequence[Field]:
    return (
        OFFICE,
        NAME,
        Field("group_description", cleared=""),
        PHONE_NUMBERS,
        *HOURS,
        Field("keeps_office_days", normal=as_it_is, required=True),
        Field("ring_seconds", 30, normal=as_it_is),
        *routing(strategy),
        Field("voice_intelligence.auto_start", True, show=shows(lambda one: one.auto_start_vi), normal=as_it_is),
        Field("voice_intelligence.allow_pause", True, show=shows(lambda one: one.allow_pause_vi), normal=as_it_is),
    )


_DEPARTMENT_OPERATORS, _SET_OF_DEPARTMENT = operators("department")
_CALLCENTER_OPERATORS, _SET_OF_CALLCENTER = operators("callcenter")
_DEPARTMENT_SCRIPT, _SET_DEPARTMENT_SCRIPT = script("departments")
_CALLCENTER_SCRIPT, _SET_CALLCENTER_SCRIPT = script("callcenters")

DEPARTMENTS = Kind(
    section="departments",
    type="department",
    implied=("office", "name"),
    fields=(
        *_shared(DEPARTMENT.strategy),
        _DEPARTMENT_SCRIPT,
        _DEPARTMENT_OPERATORS,
        Field("auto_call_recording", False, normal=as_it_is),
        *_queue(DepartmentQueue()),
    ),
    load=everything(departments, lambda group: group.name, lambda group: group.office_id),
    create="departments.create",
    update="departments.update",
    delete="departments.delete",
    specials=(HOLDS, _SET_OF_DEPARTMENT, _SET_DEPARTMENT_SCRIPT),
    uniques=(NUMBERS_HELD,),
)


def _advanced(path: str, usual: Any, read: Any) -> Field:
    return Field(f"advanced_settings.{path}", usual, show=shows(read), normal=as_it_is)


CALLCENTERS = Kind(
    section="callcenters",
    type="callcenter",
    implied=("office", "name"),
    fields=(
        *_shared(CALLCENTER.strategy),
        _CALLCENTER_SCRIPT,
        _CALLCENTER_OPERATORS,
        *_queue(CallCenterQueue()),
        Field("alerts.cc_service_level", 95, normal=as_it_is),
        Field("alerts.cc_service_level_seconds", 60, normal=as_it_is),
        _advanced("auto_call_recording.allow_pause_recording", False, lambda one: one.recording.allow_pause_recording),
        _advanced(
            "auto_call_recording.call_recording_inbound", False, lambda one: one.recording.call_recording_inbound
        ),
        _advanced(
            "auto_call_recording.call_recording_outbound", False, lambda one: one.recording.call_recording_outbound
        ),
        _advanced("max_wrap_up_seconds", 0, lambda one: one.max_wrap_up_seconds),
    ),
    load=everything(callcenters, lambda group: group.name, lambda group: group.office_id),
    create="callcenters.create",
    update="callcenters.update",
    delete="callcenters.delete",
    specials=(HOLDS, _SET_OF_CALLCENTER, _SET_CALLCENTER_SCRIPT),
    uniques=(NUMBERS_HELD,),
)
