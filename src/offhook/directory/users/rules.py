"""What the fields of a user must be. Pure: faults go to the list that is handed in, each with its place."""

import re
from collections.abc import Iterable, Sequence

from offhook.directory.lines.rules import line
from offhook.directory.users.model import BLOCKED, User
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.mail import check_email
from offhook.kit.phones import check_phone, emergency_in
from offhook.kit.text import enumerated

_EXTENSION = re.compile(r"[0-9]{2,6}", re.ASCII)


def name(text: str | None, location: str, found: list[Violation]) -> str | None:
    """One line, or nothing: what is empty is removed."""
    return "" if text is not None and not text.strip(" ") else line(text, location, found)


def email(text: str, location: str, found: list[Violation]) -> str | None:
    """An address, or its fault."""
    address, fault = check_email(text.strip(), location)
    if fault is not None:
        found.append(fault)
    return address


def extension(text: str | None, found: list[Violation]) -> str | None:
    """Digits that the directory dials; "" removes them."""
    if text is None:
        return None
    digits = text.strip()
    if digits and not _EXTENSION.fullmatch(digits):
        message = "Must be 2 to 6 digits, or empty for none."
        found.append(Violation(location="extension", message=message, sent=shown(text)))
    return digits


_KNOWN_ABROAD = frozenset({"000", "111", "112", "911", "999"})
"""The emergency numbers that people take with them to other countries; those besides are dialled at home only."""


def refuse_emergency(digits: str | None, country: str, found: list[Violation], notices: list[Notice]) -> None:
    """A fault for a new extension that is an emergency number in the office's country, a notice for one elsewhere.

    Whoever dials such a number needs help, and shall not reach a colleague.
    """
    where = emergency_in(digits) if digits else ()
    if country in where:
        text = f"Is an emergency number in {country}, and must reach help: choose another."
        found.append(Violation(location="extension", message=text, sent=digits))
    elif where and digits in _KNOWN_ABROAD:
        text = f"An emergency number in {_some(where)}: whoever dials it in need reaches this user."
        notices.append(Notice("emergency_number", "extension", text))


def _some(countries: Sequence[str]) -> str:
    few = countries if len(countries) <= 4 else [*countries[:3], f"{len(countries) - 3} more countries"]
    return enumerated(few)


def forwarding(sent: Sequence[str], country: str, found: list[Violation]) -> tuple[str, ...]:
    """Numbers in E.164, each once, or their faults."""
    numbers_now: dict[str, None] = {}
    for index, text in enumerate(sent):
        number, fault = check_phone(text, country, f"forwarding_numbers[{index}]")
        if fault is not None:
            found.append(fault)
        elif number is not None:
            numbers_now[number] = None
    return tuple(numbers_now)


def reordered(sent: Sequence[str], held: tuple[str, ...], found: list[Violation]) -> tuple[str, ...]:
    """Some of the numbers that are held, in a new order."""
    for index, number in enumerate(sent):
        if number not in held:
            text = "Is none of the user's numbers; give it with POST /api/v2/users/{id}/assign_number."
            found.append(Violation(location=f"phone_numbers[{index}]", message=text, sent=shown(number)))
    refuse_twice(sent, "phone_numbers", found)
    return tuple(sent)


def still_held(wanted: tuple[str, ...], before: User, now: User) -> tuple[str, ...]:
    """The numbers wanted, but for those lost in a move, and what the move gave."""
    fresh = tuple(number for number in now.phone_numbers if number not in before.phone_numbers)
    return (*fresh, *(number for number in wanted if number in now.phone_numbers))


def refuse_twice(sent: Sequence[str | None], place: str, found: list[Violation]) -> None:
    """A fault for each that stands in a list already."""
    first: dict[str, int] = {}
    for index, one in enumerate(sent):
        if one is not None and (earlier := first.setdefault(one, index)) != index:
            text = f"Stands at {place}[{earlier}] already; send it once."
            found.append(Violation(location=f"{place}[{index}]", reason="duplicate", message=text, sent=shown(one)))


def caller_id(user: User, main_line: str | None, of_groups: Iterable[str]) -> str | None:
    """What a user's calls show: their choice while it is one of theirs, else their number, else the main line.

    `of_groups` are the numbers of the groups that they are in. BLOCKED shows nothing.
    """
    if user.caller_id == BLOCKED or (user.caller_id and user.caller_id in (*user.phone_numbers, main_line, *of_groups)):
        return user.caller_id
    return user.phone_numbers[0] if user.phone_numbers else main_line
