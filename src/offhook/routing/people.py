"""A call at somebody, or at what is neither a line nor a menu: a person, a room, a contact, a team, a router. Pure."""

from offhook.directory.lines.model import Target
from offhook.routing.dialling import is_home
from offhook.routing.groups import announce_recording, connect
from offhook.routing.model import Contact, Person, Router, Team
from offhook.routing.plan import (
    Ask,
    Gather,
    Hangup,
    Hear,
    Leg,
    NotAnswered,
    Prompt,
    Reserve,
    Reserved,
    Ring,
    Told,
    Transfer,
)
from offhook.routing.turn import MISSED, Enter, Go, Mailbox, Turn, counted, listed, name_of

PERSON_SECONDS = 30
"""How long one person or room rings."""

ASK_SECONDS = 3
"""How long a call router's web service may take."""

MAX_QUESTIONS, MAX_DIGITS, QUESTION_SECONDS = 10, 20, 8
"""How often a web service may have a caller asked, for how many keys, and for how many seconds without one."""


def enter_person(turn: Turn, person: Person) -> Go:
    """A call reaches a user or a room."""
    turn.state.where = person.target
    turn.because("reached", f"The call is for {person.name}.")
    own = _own_box(person)
    if person.state != "active":
        turn.because("person_inactive", f"{person.name} is {person.state} and takes no calls.")
        return Mailbox()
    if person.do_not_disturb:
        turn.because("do_not_disturb", f"{person.name} does not want to be disturbed.")
        return Mailbox(own)
    for remark in person.remarks:
        turn.because("number_barred", remark)
    if not person.devices and not person.forwarding:
        turn.because("no_telephone", f"{person.name} has no telephone that could ring, and no number to forward to.")
        return Mailbox(own)
    announce_recording(turn, turn.config.lines.get(turn.state.via))
    turn.wait("reserving", reservation(turn, person))
    return None


def reservation(turn: Turn, person: Person, hear: Hear = "ringback", music: str = "") -> Reserve:
    """Of one person, whom no other call rings meanwhile; the caller hears `hear`."""
    return Reserve(
        group=person.target,
        strategy="simultaneous",
        members=(person.who,),
        skills=(100,),
        count=1,
        seed=turn.state.seed,
        hear=hear,
        music=music,
    )


def can_ring(person: Person) -> bool:
    """Whether a person takes calls and has something that rings."""
    rings = bool(person.devices or person.forwarding)
    return rings and person.state == "active" and not person.do_not_disturb


def enter_team(turn: Turn, team: Team) -> Go:
    """A call reaches a coaching team: all its people are rung at once."""
    turn.state.where = team.target
    turn.because("reached", f"The call is for {team.name}, whose people ring at once.")
    people = [turn.config.people[who] for who in team.members if who in turn.config.people]
    ready = [one for one in people if can_ring(one)]
    if team.state != "active" or not ready:
        turn.because("team_not_ready", f"Nobody of {team.name} can be rung.")
        return Mailbox()
    announce_recording(turn, turn.config.lines.get(turn.state.via))
    turn.wait(
        "reserving",
        Reserve(
            group=team.target,
            strategy="simultaneous",
            members=tuple([one.who for one in ready]),
            skills=tuple([100 for _ in ready]),
            count=0,
            seed=turn.state.seed,
        ),
    )
    return None


def enter_contact(turn: Turn, contact: Contact) -> Go:
    """A call reaches somebody outside."""
    if not contact.phones or contact.state != "active":
        turn.because("contact_without_number", f"{contact.name} has no number that can be called.")
        return Mailbox()
    number, office = contact.phones[0], turn.office()
    if office is not None and not office.international and not is_home(number, office.country):
        turn.because("international_off", f"{contact.name} is abroad, and {office.name} makes no such calls.")
        return Mailbox()
    turn.state.where = Target("contact", contact.id)
    announce_recording(turn, turn.config.lines.get(turn.state.via))
    turn.because("rung", f"Ringing {contact.name} at {number}, for {PERSON_SECONDS} s at most.")
    leg = Leg(f"contact:{contact.id}", contact.name, numbers=(number,))
    turn.wait("ringing", Ring("parallel", (leg,), PERSON_SECONDS, country=turn.country()))
    return None


def enter_router(turn: Turn, router: Router) -> Go:
    """A call reaches a call router: its web service is asked."""
    turn.state.where = Target("callrouter", router.id)
    if router.state != "active" or not router.enabled:
        turn.because("router_off", f"The call router {router.name} is not enabled.")
        return _default(turn, router)
    turn.state.answers, turn.state.question = (), ""
    return _ask(turn, router)


def _ask(turn: Turn, router: Router) -> Go:
    turn.because("router_asked", f"The call router {router.name} was asked, for at most {ASK_SECONDS} s.")
    turn.wait("asking", Ask(router.id, ASK_SECONDS, turn.state.answers))
    return None


def told(turn: Turn, router: Router, event: Told) -> Go:
    """What the web service said."""
    state, said = turn.state, f"The call router {router.name} said"
    if event.action == "route" and event.target is not None:
        turn.because("router_said", f"{said}: {name_of(turn.config, event.target)}.")
        _speak(turn, event)
        return Enter(event.target)
    if event.action == "forward" and event.number:
        turn.because("router_said", f"{said} to forward the call to {event.number}.")
        return _forward(turn, router, event)
    if event.action == "ask" and event.digits > 0 and len(state.answers) < MAX_QUESTIONS:
        turn.because("router_said", f"{said} to ask the caller for {counted(event.digits, 'key')}.")
        state.question = event.question
        turn.take()
        text = Prompt(" ".join(event.message) or "Please dial.")
        turn.wait("question", Gather(text, min(event.digits, MAX_DIGITS), QUESTION_SECONDS, "question"))
        return None
    if event.action == "end":
        turn.because("router_said", f"{said} to end the call.")
        _speak(turn, event)
        turn.hang_up("message", Hangup())
        return None
    why = event.fault or (f"it asked {MAX_QUESTIONS} times" if event.action == "ask" else "it says nothing to do")
    turn.because("router_failed", f"The call router {router.name} gave no answer that can be used: {why}.")
    return _default(turn, router)


def question_answered(turn: Turn, router: Router, keys: str) -> Go:
    """The caller answered what the web service wished to know."""
    state = turn.state
    turn.because("answered_question", f"The caller pressed {keys}." if keys else "The caller pressed nothing.")
    state.answers = (*state.answers, (state.question, keys))
    return _ask(turn, router)


def _speak(turn: Turn, event: Told) -> None:
    if event.message:
        turn.hear(Prompt(" ".join(event.message)))


def _forward(turn: Turn, router: Router, event: Told) -> Go:
    office = turn.config.offices.get(router.office_id)
    if office is None or not (office.international or is_home(event.number, office.country)):
        turn.because("international_off", f"{event.number} is abroad, and the office makes no such calls.")
        return _default(turn, router)
    _speak(turn, event)
    turn.state.outside = event.number
    turn.wait("out", Transfer(event.number, office.main_line, country=office.country))
    return None


def _default(turn: Turn, router: Router) -> Go:
    if router.default is None:
        turn.because("no_default", f"{router.name} has no default target: voicemail of its office.")
        return Mailbox()
    return Enter(router.default)


def reserved(turn: Turn, event: Reserved) -> Go:
    """Whether the person, or who of the team, may be rung now."""
    names = {who: name_of(turn.config, _target(who)) for who in (*event.members, *event.busy, *event.rung)}
    if not event.members:
        busy = [f"{names[who]} is in a call" for who in event.busy]
        rung = [f"{names[who]} is being rung by another caller" for who in event.rung]
        why = event.fault.removesuffix(".") or listed([*busy, *rung]) or "Nobody is free"
        turn.because("nobody_reserved" if event.fault else "nobody_free", f"{why}.")
        return Mailbox(own_box(turn))
    seconds = _seconds(turn)
    turn.state.reserved = event.members
    turn.because("rung", f"Ringing {listed([names[who] for who in event.members])}, for {seconds} s at most.")
    people = turn.config.people
    legs = tuple(
        [Leg(who, names[who], people[who].devices, people[who].forwarding) for who in event.members if who in people]
    )
    hear: Hear = "hold_music" if turn.state.music else "ringback"
    turn.wait("ringing", Ring("parallel", legs, seconds, hear, turn.country(), turn.music()))
    return None


def answered(turn: Turn, who: str) -> Go:
    """Somebody took the call."""
    turn.because("answered", f"{name_of(turn.config, _target(who))} answered.")
    turn.release(kept=who)
    connect(turn, turn.config.lines.get(turn.state.via), who)
    return None


def not_answered(turn: Turn, event: NotAnswered) -> Go:
    """Nobody did."""
    state = turn.state
    rung = state.reserved or (f"{state.where.type}:{state.where.id}",)
    known = [f"{name_of(turn.config, _target(who))} {MISSED[event.why.get(who, 'no_answer')]}" for who in rung]
    turn.because("not_answered", f"{listed(known)}.")
    turn.release()
    return Mailbox(own_box(turn))


def own_box(turn: Turn) -> Target | None:
    """The voicemail of the person that the call is at; None for that of the office."""
    person = turn.config.people.get(f"{turn.state.where.type}:{turn.state.where.id}")
    return _own_box(person) if person is not None else None


def _own_box(person: Person) -> Target | None:
    return person.target if person.target.type == "user" else None


def _seconds(turn: Turn) -> int:
    team = turn.config.teams.get(turn.state.where.id)
    return team.ring_seconds if team is not None and team.target == turn.state.where else PERSON_SECONDS


def _target(who: str) -> Target:
    kind, _, id = who.partition(":")
    return Target(kind, int(id) if id.isdecimal() else 0)
