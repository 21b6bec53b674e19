"""What verification finds, in words and on the wire: what is wrong, where, when, and how to mend it. Pure."""

import datetime
from collections.abc import Iterable, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from offhook.directory.lines.model import Target
from offhook.kit.wire import Int64Text
from offhook.routing.model import Company
from offhook.routing.turn import name_of
from offhook.routing.walk import Followed, follow

Severity = Literal["error", "warning", "hint"]

MOST = 200
"""The most findings of one answer; the last of them says how many there were besides."""

CODES: dict[str, tuple[Severity, ...]] = {
    "action_disabled": ("warning", "hint"),
    "action_unknown": ("error",),
    "callbacks_not_offered": ("warning",),
    "closed_by_hand": ("warning",),
    "contact_abroad": ("error",),
    "contact_without_number": ("error",),
    "directory_empty": ("error",),
    "emergency_address_missing": ("error",),
    "extension_is_emergency_number": ("error",),
    "extensions_missing": ("error",),
    "group_empty": ("warning",),
    "holidays_not_adopted": ("warning", "hint"),
    "holidays_unknown": ("hint",),
    "hours_gap": ("hint",),
    "hours_ignored": ("warning",),
    "keys_unreachable": ("warning",),
    "line_unreached": ("hint",),
    "menu_key_disabled": ("warning",),
    "menu_key_missing": ("warning",),
    "menu_keys_alike": ("hint",),
    "menu_only_voicemail": ("warning", "hint"),
    "menu_without_keys": ("error",),
    "more_findings": ("hint",),
    "name_not_dialable": ("warning",),
    "names_alike": ("warning",),
    "never_open": ("error",),
    "no_box": ("error",),
    "no_number": ("warning",),
    "not_all_checked": ("hint",),
    "number_not_rung": ("hint",),
    "opened_by_hand": ("warning",),
    "operator_away": ("hint",),
    "operator_unreachable": ("warning",),
    "operators_unreachable": ("error", "warning"),
    "person_do_not_disturb": ("hint",),
    "person_without_telephone": ("warning",),
    "router_default_loop": ("warning",),
    "router_disabled": ("warning",),
    "router_without_default": ("error", "warning"),
    "script_gone": ("error",),
    "script_missing": ("error",),
    "target_closed": ("warning", "hint"),
    "target_gone": ("error",),
    "target_inactive": ("error",),
    "target_loop": ("error",),
    "target_missing": ("error",),
    "target_not_callable": ("error",),
    "target_unknown": ("error",),
    "team_unreachable": ("warning",),
    "too_many_hops": ("error",),
    "voicemail_unread": ("warning",),
}
"""Every code, with the severities that it can have. A code never changes its meaning."""

_RANK = {"error": 0, "warning": 1, "hint": 2}


class Place(msgspec.Struct, frozen=True, kw_only=True, rename={"type": "target_type", "id": "target_id"}):
    """A field of something: `field` is its path as in the body of a request, `routing_options.open.dtmf[2]`."""

    type: str
    id: Int64Text
    name: str
    field: str = ""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One call that shows it: to what, when (with its offset), and what is pressed; nobody answers.

    `keys` are those of each prompt in turn, "" where none is pressed.
    """

    type: str
    id: Int64Text
    at: str
    keys: tuple[str, ...]
    text: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or may be. `when` is in words; "" for what does not depend on the time."""

    code: str
    severity: Severity
    where: Place
    what: str
    when: str = ""
    example: Example | None = None
    mend: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All findings, counted."""

    errors: int
    warnings: int
    hints: int
    findings: list[Finding]


def place(config: Company, target: Target, field: str = "") -> Place:
    """The place of a field of a target."""
    named = config.offices.get(target.id) if target.type == "office" and target not in config.lines else None
    return Place(
        type=target.type, id=str(target.id), name=named.name if named else name_of(config, target), field=field
    )


def natural(path: str) -> tuple[tuple[int, str], ...]:
    """A key by which dtmf[2] comes before dtmf[10]."""
    parts = path.replace("[", ".").replace("]", "").split(".")
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


def arranged(found: Iterable[Finding], most: int = MOST) -> list[Finding]:
    """Findings by severity, then place, then code; of more than `most` the first, and one that says how many follow."""
    ordered = sorted(
        found,
        key=lambda one: (
            _RANK[one.severity], one.where.type != "office", one.where.type, int(one.where.id),
            natural(one.where.field), one.code, one.what,
        ),
    )  # fmt: skip
    if len(ordered) <= most:
        return ordered
    kept = [one for one in ordered if one.code == "not_all_checked"]
    rest = [one for one in ordered if one.code != "not_all_checked"]
    room = most - 1 - len(kept)
    left, first = len(rest) - room, [*rest[:room], *kept]
    text = f"There are {left} more findings; they show once these are mended."
    mend = "Mend what is listed, then verify again."
    return [*first, Finding(code="more_findings", severity="hint", where=ordered[0].where, what=text, mend=mend)]


def report(found: Sequence[Finding]) -> Report:
    """Findings as they go over the wire."""
    return Report(
        errors=sum(one.severity == "error" for one in found),
        warnings=sum(one.severity == "warning" for one in found),
        hints=sum(one.severity == "hint" for one in found),
        findings=list(found),
    )


def moment(at: int, zone: ZoneInfo) -> str:
    """A moment as a caller says it: "Tue 2026-12-01 12:30"."""
    return f"{datetime.datetime.fromtimestamp(at / 1000, zone):%a %Y-%m-%d %H:%M}"


def example(config: Company, target: Target, at: int, keys: Sequence[str], zone: ZoneInfo) -> Example:
    """A call as it would go: decided step by step, so that the text is true."""
    followed = follow(config, target, at, keys)
    pressed = [key for key in keys if key]
    who = f"A caller to {name_of(config, target)} on {moment(at, zone)}"
    if pressed:
        who += f" who presses {' and then '.join(pressed)}"
    parts = []
    if followed.rang:
        names = followed.rang
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        parts.append(f"hears it ring at {', '.join(names[:3])}{more} without an answer")
    if (heard := followed.heard) is not None:
        parts.append(f"hears “{_short(heard.text)}”")
    parts.append(_end(config, followed))
    return Example(
        type=target.type,
        id=str(target.id),
        at=datetime.datetime.fromtimestamp(at / 1000, zone).isoformat(),
        keys=tuple(keys),
        text=f"{who} {', '.join(parts[:-1])}{' and ' if len(parts) > 1 else ''}{parts[-1]}.",
    )


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"


def _end(config: Company, followed: Followed) -> str:
    state = followed.state
    if state.phase == "voicemail":
        kind, _, id = state.talking.partition(":")
        around = ", having been sent round" if "too_many_hops" in followed.codes else ""
        return f"ends in the voicemail of {name_of(config, Target(kind, int(id)))}{around}"
    return {"message": "is hung up on", "unavailable": "is hung up on"}.get(state.outcome, "is left there")


def render(found: Sequence[Finding]) -> str:
    """Findings for a terminal: severity, place and code in columns, with the sentences below them."""
    if not found:
        return "Nothing found.\n"
    rows = [(one.severity, _place(one.where), one.code) for one in found]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = []
    for one, (severity, where, code) in zip(found, rows, strict=True):
        lines.append(f"{severity:<{first}}  {where:<{second}}  {code}")
        told = (
            (one.what, ""),
            (one.when, "when: "),
            (one.example.text if one.example else "", ""),
            (one.mend, "mend: "),
        )
        lines.extend(f"{'':<{first}}  {label}{text}" for text, label in told if text)
    counts = report(found)
    total = (("error", counts.errors), ("warning", counts.warnings), ("hint", counts.hints))
    lines.append(", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in total))
    return "\n".join(lines) + "\n"


def _place(where: Place) -> str:
    named = f"{where.type} {where.id} {where.name}"
    return f"{named}: {where.field}" if where.field else named
