"""What the output of a workflow means that a line hands its calls to: the next step of the call. Pure.

The words are in docs/scripted-ivr.md. What has no meaning is a Told with a fault that says why.
"""

from typing import Annotated, Any, Literal

import msgspec

from offhook.directory.lines.model import Target
from offhook.directory.lines.wire import TargetType
from offhook.kit.phones import check_e164
from offhook.kit.wire import encode, to_int64
from offhook.routing.plan import Told

MOST_CARRIED = 4_000
"""Bytes of JSON that a workflow may have given back at the next step."""

_SPOKEN = 2_000
_Text = Annotated[str, msgspec.Meta(max_length=10_000)]
_ACTS: dict[str, Literal["ask", "end", "voicemail"]] = {"gather": "ask", "hangup": "end", "voicemail": "voicemail"}


class _Output(msgspec.Struct, kw_only=True):
    action: Literal["gather", "transfer", "voicemail", "hangup"]
    say: Annotated[list[_Text], msgspec.Meta(max_length=20)] | _Text | None = None
    play: int | str | None = None
    digits: int | None = None
    target_type: TargetType | Literal["coachingteam"] | None = None
    target_id: int | str | None = None
    number: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    state: Any = None


def said(output: Any) -> tuple[Told, int]:
    """The next step, and the id of the prompt that is played in it, 0 for none."""
    if not isinstance(output, dict):
        return _fault("its output is no object"), 0
    try:
        # What an expression gave nothing for is null, which is as if it was not said.
        known = {name: value for name, value in output.items() if value is not None}
        answer = msgspec.convert(known, _Output, strict=False)
    except msgspec.ValidationError as error:
        return _fault(f"its output cannot be read: {str(error)[:160]}"), 0
    except RecursionError:
        return _fault("its output is nested too deeply"), 0
    played = 0
    if answer.play is not None:
        played = to_int64(answer.play) or 0
        if played <= 0:
            return _fault("play is no id of a prompt"), 0
    told = _told(answer)
    message = spoken([answer.say] if isinstance(answer.say, str) else answer.say or [])
    return msgspec.structs.replace(told, message=message) if not told.fault else told, played


def _told(answer: _Output) -> Told:
    try:
        target = _target(answer)
    except ValueError as error:
        return _fault(str(error))
    if answer.action == "gather":
        if not answer.digits or answer.digits < 1:
            return _fault("it said gather without digits")
        carried = encode(answer.state).decode() if answer.state is not None else ""
        if len(carried.encode()) > MOST_CARRIED:
            return _fault(f"its state has more than {MOST_CARRIED:,} bytes")
        return Told(0, "ask", digits=answer.digits, carried=carried)
    if answer.action == "transfer":
        if (target is None) == (answer.number is None):
            return _fault("it said transfer, which goes either to target_type and target_id, or to a number")
        if target is not None:
            return Told(0, "route", target)
        number, _ = check_e164(answer.number or "", "number")
        return Told(0, "forward", number=number) if number is not None else _fault("number is none in E.164")
    return Told(0, _ACTS[answer.action], target if answer.action == "voicemail" else None)


def _target(answer: _Output) -> Target | None:
    if answer.target_type is None and answer.target_id is None:
        return None
    id = to_int64(answer.target_id) if answer.target_id is not None else None
    if answer.target_type is None or id is None or id <= 0:
        raise ValueError("target_type and target_id go together, and the latter is an id")
    return Target("coachinggroup" if answer.target_type == "coachingteam" else answer.target_type, id)


def spoken(parts: list[str]) -> tuple[str, ...]:
    """What of a message is spoken: a line each, and no more of all than somebody would listen to."""
    found, left = [], _SPOKEN
    for part in parts:
        line = " ".join(part[:left].split())
        if line := "".join(filter(str.isprintable, line)):
            found.append(line)
            left -= len(line)
    return tuple(found)


def _fault(why: str) -> Told:
    return Told(0, fault=why)
