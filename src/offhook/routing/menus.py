"""What a caller presses: the keys of a menu, a name on the keypad, an extension. Pure.

A prompt is played up to three times, for five seconds each; a key that leads nowhere counts as a try; then comes
voicemail. So a caller who presses nothing is never kept.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from offhook.directory.lines.model import Target
from offhook.routing.groups import routing_of
from offhook.routing.model import Choice, Line, Person
from offhook.routing.plan import Gather
from offhook.routing.turn import Act, Enter, Go, Mailbox, Turn, counted, name_of, prompt

TRIES = 3
SECONDS = 5
MOST_NAMES = 9
NAME_KEYS, EXTENSION_KEYS = 16, 10
_CHOICES = frozenset("123456789")
DIRECTORIES = ("directory", "company_directory", "last_name_directory", "last_name_company_directory")

_DOES = {
    "voicemail": "to leave a message",
    "message": "to hear a message",
    "operator": "for somebody at {line}",
    "directory": "to find somebody by name",
    "company_directory": "to find somebody in the company by name",
    "last_name_directory": "to find somebody by last name",
    "last_name_company_directory": "to find somebody in the company by last name",
    "extension": "to dial an extension",
    "menu": "to hear this again",
    "scripted_ivr": "for further services",
}


def menu(turn: Turn, line: Line) -> Go:
    """Play the menu of the line and wait for a key."""
    routing = routing_of(turn, line)
    if not any(choice.action != "disabled" for choice in routing.keys.values()):
        turn.because("menu_without_keys", f"The menu of {line.name} has no key that does anything.")
        return Mailbox(line.target)
    turn.take()
    turn.because("menu", f"The caller heard the menu of {line.name}{_time(turn)}.")
    purpose = "MENU" if turn.state.open else "CLOSED_MENU"
    spoken = prompt(line.prompts, purpose, _menu_text(turn, line, routing.keys))
    turn.wait("menu", Gather(spoken, 1, SECONDS, "menu"))
    return None


def _time(turn: Turn) -> str:
    return f", for the {('first', 'second', 'third')[min(turn.state.tries, 2)]} time" if turn.state.tries else ""


def _menu_text(turn: Turn, line: Line, keys: Mapping[str, Choice]) -> str:
    said = []
    for key, choice in sorted(keys.items()):
        if choice.action == "disabled":
            continue
        does = _DOES.get(choice.action, "").format(line=line.name)
        if not does and choice.target is not None:
            does = f"for {name_of(turn.config, choice.target)}"
        said.append(f"Press {key} {does or 'to go on'}.")
    return f"You have reached {line.name}. {' '.join(said)}"


def pressed_in_menu(turn: Turn, line: Line, keys: str) -> Go:
    """A key, or none in time."""
    state, choice = turn.state, routing_of(turn, line).keys.get(keys)
    state.tries += 1
    if choice is not None and choice.action not in ("disabled", "menu"):
        turn.because("pressed", f"The caller pressed {keys}.")
        return Act(choice, key=keys)
    if not keys:
        turn.because("no_key", f"No key was pressed within {SECONDS} s.")
    elif choice is None:
        turn.because("unknown_key", f"The caller pressed {keys}, which is not in the menu of {line.name}.")
    elif choice.action == "menu":
        turn.because("pressed", f"The caller pressed {keys} to hear the menu again.")
    else:
        turn.because("disabled_key", f"The caller pressed {keys}, which does nothing.")
    if state.tries >= TRIES:
        turn.because("menu_given_up", f"The menu was played {TRIES} times: voicemail of {line.name}.")
        return Mailbox(line.target)
    return menu(turn, line)


def ask_name(turn: Turn, action: str) -> Go:
    """Ask for a name on the keypad, in the directory of the office or of the company."""
    state = turn.state
    if action in DIRECTORIES and state.directory != action:
        state.directory, state.tries = action, 0  # type: ignore[assignment]
    found = _listed(turn)
    if not found:
        turn.because("directory_empty", f"There is nobody in {_directory(turn)} whose name can be dialled.")
        return Mailbox(_line_box(turn))
    which = "last name" if state.directory.startswith("last_name") else "first or last name"
    text = f"Dial the {which} of the person you wish to reach, then the hash key."
    _gather(turn, "name", text, NAME_KEYS, f"The caller was asked for a name in {_directory(turn)}.")
    return None


def name_dialled(turn: Turn, keys: str) -> Go:
    """Letters of a name: one person, several, or nobody."""
    state = turn.state
    last_only = state.directory.startswith("last_name")
    begun = [one for one in _listed(turn) if one.spelled and one.spelled.begins(keys, last_only=last_only)]
    exact = [one for one in begun if one.spelled and one.spelled.is_exactly(keys, last_only=last_only)]
    # Of more than can be offered, those whose whole name it is; they come first in any case.
    matches = [*exact, *(one for one in begun if one not in exact)] if len(begun) <= MOST_NAMES else exact or begun
    state.tries += 1
    if len(matches) == 1:
        turn.because("name_found", f"The caller dialled {keys}: {matches[0].name}.")
        return Enter(matches[0].target)
    if matches and (len(matches) <= MOST_NAMES or exact or state.tries >= TRIES):
        offered = matches[:MOST_NAMES]
        state.matches = tuple(one.who for one in offered)
        names = ", ".join(one.name for one in offered)
        rest = len(matches) - len(offered)
        left = f" {rest} more are not offered." if rest else ""
        said = f"The caller dialled {keys}, which is {counted(len(matches), 'name')}: {names}.{left}"
        turn.because("name_ambiguous", said)
        state.tries = 0
        return _choose(turn)
    if matches:
        turn.because("name_too_short", f"The caller dialled {keys}, which begins {len(matches)} names.")
    elif keys:
        turn.because("name_unknown", f"The caller dialled {keys}, which is nobody in {_directory(turn)}.")
    else:
        turn.because("no_key", f"No name was dialled within {SECONDS} s.")
    return _again(turn, lambda: ask_name(turn, state.directory))


def _choose(turn: Turn) -> Go:
    people = turn.config.people
    offered = ((number, people.get(who)) for number, who in enumerate(turn.state.matches, start=1))
    text = " ".join(f"Press {number} for {person.name}." for number, person in offered if person is not None)
    turn.take()
    turn.wait("choice", Gather(prompt({}, "", text), 1, SECONDS, "choice"))
    return None


def name_chosen(turn: Turn, keys: str) -> Go:
    """Which of several people with such a name."""
    state = turn.state
    state.tries += 1
    if keys in _CHOICES and int(keys) <= len(state.matches):
        who = state.matches[int(keys) - 1]
        person = turn.config.people.get(who)
        if person is not None:
            turn.because("name_chosen", f"The caller pressed {keys} for {person.name}.")
            return Enter(person.target)
    turn.because("name_not_chosen", f"{keys} is none of them." if keys else "Nobody was chosen.")
    return _again(turn, lambda: _choose(turn))


def ask_extension(turn: Turn) -> Go:
    """Ask for an extension."""
    if turn.state.phase != "extension":
        turn.state.tries = 0
    people = turn.config.people
    if not any(people[who].state == "active" for who in turn.config.extensions.values() if who in people):
        turn.because("no_extensions", "Nobody in the company who takes calls has an extension.")
        return Mailbox(_line_box(turn))
    text = "Dial the extension, then the hash key."
    _gather(turn, "extension", text, EXTENSION_KEYS, "The caller was asked for an extension.")
    return None


def extension_dialled(turn: Turn, keys: str) -> Go:
    """An extension, or one that nobody has."""
    turn.state.tries += 1
    who = turn.config.extensions.get(keys)
    if who is not None and who in turn.config.people:
        person = turn.config.people[who]
        turn.because("extension", f"The caller dialled the extension {keys} of {person.name}.")
        return Enter(person.target)
    turn.because(
        "extension_unknown", f"Nobody has the extension {keys}." if keys else f"No extension within {SECONDS} s."
    )
    return _again(turn, lambda: ask_extension(turn))


def _again(turn: Turn, ask: Callable[[], Go]) -> Go:
    if turn.state.tries >= TRIES:
        box = _line_box(turn)
        where = name_of(turn.config, box) if box is not None else "the office"
        turn.because("asked_enough", f"The caller was asked {TRIES} times: voicemail of {where}.")
        return Mailbox(box)
    return ask()


def _gather(turn: Turn, phase: Literal["name", "extension"], text: str, most: int, why: str) -> None:
    turn.take()
    turn.because(f"asked_{phase}", why)
    turn.wait(phase, Gather(prompt({}, "", text), most, SECONDS, phase))


def _listed(turn: Turn) -> list[Person]:
    config = turn.config
    if turn.state.directory in ("directory", "last_name_directory"):
        office = turn.office()
        offices: tuple[int, ...] = (office.id,) if office is not None else ()
    else:
        offices = tuple(config.residents)
    return [
        person
        for id in offices
        for who in config.residents.get(id, ())
        if (person := config.people.get(who)) is not None and person.spelled is not None
        and (person.spelled.last or person.spelled.first)
    ]  # fmt: skip


def _directory(turn: Turn) -> str:
    office = turn.office()
    of_office = turn.state.directory in ("directory", "last_name_directory")
    return f"the directory of {office.name}" if of_office and office is not None else "the company's directory"


def _line_box(turn: Turn) -> Target | None:
    line = turn.line()
    return line.target if line is not None else None
