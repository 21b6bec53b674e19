"""What a request for a simulated call means: who calls whom, when, and who does what; or all that is wrong with it."""

from collections import defaultdict
from functools import cached_property
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from offhook.directory.lines.model import Target
from offhook.kit import clock
from offhook.kit.errors import Notice, Violation, shown
from offhook.kit.operation import Call
from offhook.kit.wire import to_int64
from offhook.kit.zones import moment_of, zone
from offhook.routing import wire
from offhook.routing.dialling import e164
from offhook.routing.model import Company, target_of_who, who_of
from offhook.routing.plan import Incoming, Outgoing, Told
from offhook.routing.scripted import said
from offhook.routing.simulate import Behaviour, Played, Script, Sends
from offhook.routing.trace import rung
from offhook.routing.turn import TEAMS, counted, office_of

_DOES: dict[str, Behaviour] = {
    "lets_it_ring": Behaviour(),
    "declines": Behaviour(missed="declined"),
    "is_busy": Behaviour(missed="busy"),
    "is_unreachable": Behaviour(missed="unreachable"),
}
EVERYBODY_AFTER = 4
YEARS = range(1971, 2201)
"""Those of which can be asked."""

OF_YEARS = f"of the years {YEARS[0]} to {YEARS[-1]}"
_SHOWN = 5


def first(
    config: Company, body: wire.SimulateIn, by_mail: dict[str, int], call: Call, found: list[Violation]
) -> Incoming | Outgoing | None:
    """What begins the call. `by_mail` has the ids of users by their e-mail addresses in small letters."""
    if body.caller_user is not None:
        return _outgoing(config, body, by_mail, call, found)
    target = _called(config, body, found)
    if target is None:
        return None
    at = _moment(config, body.at, target, call, found)
    if body.to is not None:
        number = _number(config, body.to) or body.to
        return Incoming(at, body.caller, number)
    return Incoming(at, body.caller, target=target)


def _called(config: Company, body: wire.SimulateIn, found: list[Violation]) -> Target | None:
    if body.to is not None and (body.target_type is not None or body.target_id is not None):
        text = "Name a number in `to`, or a target in target_type and target_id, not both."
        found.append(Violation(location="to", message=text, sent=shown(body.to)))
        return None
    if body.to is not None:
        number = _number(config, body.to)
        if number is None or number not in config.numbers:
            text = "Is a number of nobody in the company. Send one of its numbers, or target_type and target_id."
            found.append(Violation(location="to", message=text, sent=shown(body.to), reason="notFound"))
            return None
        return config.numbers[number]
    if body.target_type is None or body.target_id is None:
        text = "What is called? Send a number in `to`, or target_type and target_id."
        found.append(Violation(location="to", message=text, reason="required"))
        return None
    # What is no id is nobody's.
    return _there(config, Target(body.target_type, to_int64(body.target_id) or 0), "target_id", found, body.target_id)


def _there(config: Company, target: Target, location: str, found: list[Violation], sent: int | str) -> Target | None:
    """The target, if the company has it."""
    kind, id = target.type, target.id
    places: dict[str, bool] = {
        "callrouter": id in config.routers,
        "contact": id in config.contacts,
        "channel": id in config.channels,
        "unknown": True,
    } | dict.fromkeys(TEAMS, id in config.teams)
    if places.get(kind, target in config.lines or who_of(target) in config.people):
        return target
    text = f"There is no {kind} with this id in the company."
    found.append(Violation(location=location, message=text, sent=shown(sent), reason="notFound"))
    return None


def _number(config: Company, text: str) -> str | None:
    office = config.offices.get(config.primary_office)
    return e164(text.strip(), office.country if office is not None else "US")


def _outgoing(
    config: Company, body: wire.SimulateIn, by_mail: dict[str, int], call: Call, found: list[Violation]
) -> Outgoing | None:
    who = _who(config, body.caller_user or "", "caller_user", by_mail, _Names(config), found)
    if not body.to:
        found.append(Violation(location="to", message="What does the user dial? Send `to`.", reason="required"))
    if who is None or not body.to:
        return None
    return Outgoing(_moment(config, body.at, target_of_who(who), call, found), who, body.to)


def _moment(config: Company, text: str | None, target: Target, call: Call, found: list[Violation]) -> int:
    """The moment meant, in milliseconds; without an offset on the clock of the target's office."""
    if text is None:
        return clock.milliseconds(clock.now())
    office_id = office_of(config, target)
    office = config.offices.get(office_id or config.primary_office)
    here = (zone(office.timezone) if office is not None else None) or ZoneInfo("UTC")
    try:
        moment, notice = moment_of(text, here, "at")
        if notice is not None:
            call.notices.append(notice)
        if moment.year not in YEARS:
            raise ValueError
        return clock.milliseconds(moment)
    except (ValueError, OverflowError):
        words = f"Must be a moment such as 2026-12-24 17:59, or 2026-12-24T17:59:00+00:00, {OF_YEARS}."
        found.append(Violation(location="at", message=words, sent=shown(text)))
        return 0


def script(config: Company, body: wire.SimulateIn, by_mail: dict[str, int], found: list[Violation]) -> Script:
    """What everybody does."""
    people: dict[str, Behaviour] = {}
    names = _Names(config)
    for index, one in enumerate(body.people):
        who = _who(config, one.who, f"people[{index}].who", by_mail, names, found)
        if who is not None:
            does = _DOES.get(one.does) or Behaviour(seconds=one.after)
            people[who] = Behaviour(does.seconds, does.missed, one.busy_for)
    routers: dict[int, Told] = {}
    for index, router in enumerate(body.routers):
        id, target_id = to_int64(router.id) or 0, to_int64(router.target_id) or 0
        if id not in config.routers:
            text = "There is no call router with this id in the company."
            found.append(
                Violation(location=f"routers[{index}].id", message=text, sent=shown(router.id), reason="notFound")
            )
            continue
        sent = Target(router.target_type, target_id)
        target = _there(config, sent, f"routers[{index}].target_id", found, router.target_id)
        if target is not None:
            routers[id] = Told(0, "route", target)
    workflows: list[Told] = []
    for index, output in enumerate(body.workflows):
        told, prompt = said(output)
        if told.fault:
            text = f"Is no answer of a workflow: {told.fault}. A call would end in voicemail by it."
            found.append(Violation(location=f"workflows[{index}]", message=text))
        # Which recording it is does not matter here, as nobody hears it.
        workflows.append(replace(told, recording=f"{prompt}") if prompt else told)
    unpark: list[tuple[str, int]] = []
    for index, taker in enumerate(body.unpark):
        who = _who(config, taker.who, f"unpark[{index}].who", by_mail, names, found)
        if who is not None:
            unpark.append((who, taker.after))
    transfers: list[Sends] = []
    for index, sends in enumerate(body.transfers):
        by = _who(config, sends.by, f"transfers[{index}].by", by_mail, names, found) if sends.by else ""
        transfers.append(Sends(sends.to, by or "", sends.after))
    return Script(
        keys=tuple(body.press),
        people=people,
        anyone=Behaviour(seconds=EVERYBODY_AFTER) if body.answer == "everybody" else Behaviour(),
        hang_up=body.hang_up_after,
        message_seconds=body.message_seconds,
        talk_seconds=body.talk_seconds,
        park=body.park_after,
        unpark=tuple(unpark),
        routers=routers,
        workflows=tuple(workflows),
        transfers=tuple(transfers),
    )


def unused(config: Company, body: wire.SimulateIn, by_mail: dict[str, int], played: Played) -> list[Notice]:
    """What of the script made no difference: nobody asked for a key, or rang somebody; and a call that went on."""
    found = []
    if left := [keys for keys in played.keys_left if keys]:
        words = f"Nothing asked for {', '.join(left[:_SHOWN])}{' and more' if len(left) > _SHOWN else ''}."
        found.append(Notice("keys_not_asked", "press", words))
    rang = {who for _, some, _, _ in rung(played.trace) for who in some}
    names = _Names(config)
    for index, one in enumerate(body.people):
        who = _who(config, one.who, "", by_mail, names, [])
        if who is not None and who not in rang and one.busy_for == 0 and one.does == "answers":
            text = f"{config.people[who].name} was not rung in this call."
            found.append(Notice("never_rang", f"people[{index}].who", text))
    if played.unparks_left:
        text = f"For the last {counted(played.unparks_left, 'person', 'people')} of them no call was on park."
        found.append(Notice("not_on_park", "unpark", text))
    if played.workflows_left:
        text = f"The last {played.workflows_left} of them were not asked for."
        found.append(Notice("workflows_not_asked", "workflows", text))
    if played.transfers_left:
        text = f"The last {played.transfers_left} of them were not made: who should talked with nobody then."
        found.append(Notice("transfers_not_made", "transfers", text))
    if played.workflows_lacking:
        text = "A workflow was asked for more steps than are said in workflows; it is not run in a simulation."
        found.append(Notice("workflow_not_run", "workflows", text))
    if played.state.phase != "over":
        seconds = (played.trace.ended - played.trace.began) // 1000
        text = f"The call goes on; told are its first {len(played.trace.steps):,} steps, of {seconds:,} s."
        found.append(Notice("unfinished", "", text))
    return found


class _Names:
    """The people of a company by whole names and their words, gone through once and only if a name is looked for."""

    def __init__(self, config: Company) -> None:
        self._config = config

    @cached_property
    def _by_name(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        whole: dict[str, list[str]] = defaultdict(list)
        words: dict[str, list[str]] = defaultdict(list)
        for who, person in self._config.people.items():
            plain = person.name.casefold()
            whole[plain].append(who)
            for word in set(plain.split()):
                words[word].append(who)
        return whole, words

    def of(self, plain: str) -> list[str]:
        """Those who are called so; else those of whom it is a part of the name."""
        whole, words = self._by_name
        return whole.get(plain) or words.get(plain) or []


def _who(
    config: Company, text: str, location: str, by_mail: dict[str, int], names: _Names, found: list[Violation]
) -> str | None:
    """The user or room that a text names."""
    wanted = text.strip()
    if wanted in config.people:
        return wanted
    if wanted.lower() in by_mail:
        return f"user:{by_mail[wanted.lower()]}"
    if wanted in config.extensions:
        return config.extensions[wanted]
    for kind in ("user", "room"):
        if f"{kind}:{wanted}" in config.people:
            return f"{kind}:{wanted}"
    plain = wanted.casefold()
    named = names.of(plain)
    if len(named) == 1:
        return named[0]
    if named:
        some = ", ".join(f"{config.people[who].name} ({who})" for who in named[:_SHOWN])
        text = f"Names {len(named)} people: {some}. Send an id."
        found.append(Violation(location=location, message=text, sent=shown(wanted)))
    else:
        text = "Names nobody in the company: send an id, an extension, an e-mail address or a name."
        found.append(Violation(location=location, message=text, sent=shown(wanted), reason="notFound"))
    return None
