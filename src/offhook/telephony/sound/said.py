"""What a line says to its callers, found by asking `decide`, as verification does: only routing knows its texts. Pure.

It is walked at one moment while it is open and at one while it is closed, with every key of its menu, and with nobody
answering. What lines say that it sends calls to is theirs.
"""

import datetime
import hashlib
from collections.abc import Iterable, Iterator

from offhook.directory.lines.model import Target
from offhook.routing.model import Company, Line
from offhook.routing.moments import stretches
from offhook.routing.plan import Gather, Play, Prompt, Reserve, Ring, Verb, Voicemail
from offhook.routing.walk import Step, Walk, choices

DAYS = 8
"""A week and what begins on its last day: in which a line that ever opens or closes by its hours does so."""


def prompts_of(company: Company, target: Target, now: datetime.datetime) -> list[Prompt]:
    """The prompts of a line, each once, in the order in which a caller comes to hear them, while it is open first."""
    line = company.lines.get(target)
    if line is None:
        return []
    at: dict[bool, int] = {}
    for stretch in stretches([line], line.schedule.zone, now, DAYS):
        at.setdefault(bool(stretch.open), stretch.at)
    found: dict[Prompt, None] = {}
    for opened in (True, False):
        if opened in at:
            found |= dict.fromkeys(_heard(company, target, at[opened], opened=opened))
    return [one for one in found if one.text or one.recording]


def _heard(company: Company, target: Target, at: int, *, opened: bool) -> Iterator[Prompt]:
    walk = Walk(company, [target])
    first = walk.enter(target, at, int(opened))
    yield from _said(first.verbs)
    # A menu that leads back to its own line opens another room of the same line.
    rooms = [first.leads] if first.leads is not None and first.after.where == target else []
    seen = set(rooms)
    for key in rooms:
        for step in walk.room(key).steps:
            yield from _of_line(step, target)
            if step.leads is not None and step.after.where == target and step.leads not in seen:
                seen.add(step.leads)
                rooms.append(step.leads)


def _of_line(step: Step, target: Target) -> Iterator[Prompt]:
    if step.leads is None or step.after.where == target:
        yield from _said(step.verbs)


def _said(verbs: Iterable[Verb]) -> Iterator[Prompt]:
    for verb in verbs:
        match verb:
            case Play() | Gather():
                yield verb.prompt
            case Voicemail():
                yield verb.greeting
            case Reserve() | Ring() if verb.music:
                yield Prompt("", "HOLD_MUSIC", verb.music)
            case _:
                pass


def id_of(prompt: Prompt) -> str:
    """A name for a prompt of a line by which it can be asked for; another text is another one."""
    content = "\0".join((prompt.purpose, prompt.recording, prompt.text))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def speaking_of(company: Company, touched: set[Target]) -> list[Target]:
    """The lines among `touched`, and those that send calls to any of it: their menus may name it."""
    return [target for target, line in company.lines.items() if target in touched or _names(line, touched)]


def _names(line: Line, touched: set[Target]) -> bool:
    return any(choice.target in touched for _, _, choice in choices(line) if choice.target is not None)
