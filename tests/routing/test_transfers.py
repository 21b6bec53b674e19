"""Calls that somebody sends on: to whom they may, who is free, and what becomes of the call where nobody is."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.directory.lines.model import Target
from offhook.routing.decide import decide
from offhook.routing.model import Company, Contact
from offhook.routing.plan import (
    Answered,
    Bridge,
    CameBack,
    Deny,
    Ended,
    Handed,
    HandOn,
    Hangup,
    HungUp,
    Incoming,
    Joined,
    LetGo,
    NotAnswered,
    Outgoing,
    Parked,
    Play,
    Record,
    Release,
    Reserve,
    Reserved,
    Ring,
    Transfer,
    Transferred,
    Voicemail,
)
from offhook.routing.simulate import Behaviour, Script, Sends, simulate
from offhook.routing.state import CallState, new_call
from offhook.routing.trace import replay
from offhook.routing.transfers import kept_out
from tests.routing.companies import company, line, office, room, user
from tests.routing.random_companies import TARGETS, USERS, companies, firsts, scripts, seeds
from tests.routing.stories import LISBON, SALES, at, codes, lisbon, said

ANA, BOB, CYD = (
    user(1, "Ana Silva", extension="101", caller_id="+351210000011"), user(2, "Bob Stone", extension="102"),
    user(3, "Cyd Park", extension="103"),
)  # fmt: skip
FAR, ABROAD = "+351912345678", "+14155550100"
CALLER = "+351910000000"
HOUSE = company(
    lisbon(ANA), ANA, BOB, CYD, user(4, "Dan Gray", extension="104", do_not_disturb=True), room(9, "Hall"),
    line("department", 10, "Sales", [CYD]), office(1, "Lisbon", main_line="+351210000001"),
    numbers={"+351210000010": SALES},
)  # fmt: skip
NOW = at("10:01:00")


def talking(config: Company = HOUSE) -> CallState:
    """A caller from outside talks with Ana."""
    state, _ = decide(config, new_call("c", 1), Incoming(at("10:00:00"), CALLER, target=LISBON))
    state, _ = decide(config, state, Reserved(at("10:00:00"), ("user:1",)))
    state, _ = decide(config, state, Answered(at("10:00:05"), "user:1"))
    assert state.phase == "talking"
    return state


def colleagues(config: Company = HOUSE) -> CallState:
    """Ana called Bob, and they talk."""
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", "102"))
    state, _ = decide(config, state, Reserved(at("10:00:00"), ("user:2",)))
    return decide(config, state, Answered(at("10:00:05"), "user:2"))[0]


def outside(config: Company = HOUSE) -> CallState:
    """Ana called a number outside, and they talk."""
    state, _ = decide(config, new_call("c", 1), Outgoing(at("10:00:00"), "user:1", FAR))
    return decide(config, state, Answered(at("10:00:05"), FAR))[0]


def test_a_call_whose_side_goes_on_in_another_one_is_over_also_where_it_was_just_parked():
    state, _ = decide(HOUSE, talking(), Parked(NOW))
    assert state.phase == "parked"
    state, _ = decide(HOUSE, state, Handed(NOW, "7"))
    assert (state.phase, state.outcome) == ("over", "transferred")


def test_a_call_that_somebody_outside_it_ends_was_not_hung_up_by_its_caller():
    state, _ = decide(HOUSE, talking(), HungUp(NOW, ours=True))
    assert (state.outcome, codes(state)[-1]) == ("answered", "hung_up_on")
    assert said(state).endswith("Somebody at an API or a page hung up after the talk.")


def test_a_colleague_is_rung_and_who_sent_the_call_is_free_at_once():
    state, verbs = decide(HOUSE, talking(), Transferred(NOW, "user:1", "102"))
    assert verbs[:2] == (LetGo("user:1"), Release(("user:1",)))
    assert isinstance(verbs[2], Reserve)
    assert verbs[2].members == ("user:2",)
    state, [ring] = decide(HOUSE, state, Reserved(NOW, ("user:2",)))
    assert isinstance(ring, Ring)
    state, verbs = decide(HOUSE, state, Answered(NOW + 4000, "user:2"))
    assert verbs == (Release((), "user:2"), Bridge("user:2", transcribe=True))
    state, _ = decide(HOUSE, state, Ended(NOW + 60_000))
    assert (state.outcome, state.talking) == ("answered", "user:2")
    assert "Ana Silva sent the call on to Bob Stone." in said(state)


def test_a_number_outside_is_called_for_who_sent_the_call():
    state, verbs = decide(HOUSE, talking(), Transferred(NOW, "user:1", "912345678"))
    assert verbs == (LetGo("user:1"), Release(("user:1",)), Transfer(FAR, "+351210000011", country="PT"))
    assert state.phase == "out"
    state, _ = decide(HOUSE, state, Answered(NOW, FAR))
    assert f"{FAR} answered." in said(state)
    state, _ = decide(HOUSE, state, Ended(NOW))
    assert state.outcome == "answered"


@pytest.mark.parametrize("to", ["210000010", "+351210000010"])
def test_an_own_number_leads_to_what_it_belongs_to_which_answers_for_it_from_then_on(to):
    state, verbs = decide(HOUSE, talking(), Transferred(NOW, "user:1", to))
    assert isinstance(verbs[-1], Reserve)
    assert state.where == SALES
    state, _ = decide(HOUSE, state, Reserved(NOW, ("user:3",)))
    state, verbs = decide(HOUSE, state, NotAnswered(NOW + 30_000))
    assert isinstance(verbs[-1], Voicemail)
    assert verbs[-1].box == SALES
    assert "came_back" not in codes(state)


@pytest.mark.parametrize(
    ("why", "told"),
    [({}, "did not answer"), ({"user:2": "busy"}, "was busy"), ({"user:2": "declined"}, "declined")],
)
def test_where_nobody_answers_the_call_comes_back_to_who_sent_it(why, told):
    state, _ = decide(HOUSE, talking(), Transferred(NOW, "user:1", "102"))
    state, _ = decide(HOUSE, state, Reserved(NOW, ("user:2",)))
    state, verbs = decide(HOUSE, state, NotAnswered(NOW + 30_000, why))
    assert verbs[:2] == (Release(("user:2",)), CameBack("user:1"))
    assert isinstance(verbs[2], Reserve)
    assert verbs[2].members == ("user:1",)
    assert f"Bob Stone {told}." in said(state)
    assert codes(state)[-2:] == ["came_back", "reached"]
    state, _ = decide(HOUSE, state, Reserved(NOW + 30_000, ("user:1",)))
    state, verbs = decide(HOUSE, state, NotAnswered(NOW + 60_000))
    assert isinstance(verbs[-1], Voicemail)
    assert verbs[-1].box == Target("user", 1)


def test_where_who_sent_it_has_no_telephone_either_it_is_their_voicemails():
    config = company(lisbon(ANA), user(1, "Ana Silva", devices=()), BOB)
    state, _ = decide(config, talking(), Transferred(NOW, "user:1", "102"))
    _, verbs = decide(config, state, Reserved(NOW, busy=("user:2",)))
    assert [type(verb) for verb in verbs] == [CameBack, Voicemail]
    assert verbs[1].box == Target("user", 1)  # type: ignore[union-attr]


def test_one_who_wants_no_calls_is_not_rung_and_a_number_outside_that_is_busy_neither():
    _, verbs = decide(HOUSE, talking(), Transferred(NOW, "user:1", "104"))
    assert [type(verb) for verb in verbs] == [LetGo, Release, CameBack, Reserve]
    state, _ = decide(HOUSE, talking(), Transferred(NOW, "user:1", FAR))
    state, verbs = decide(HOUSE, state, NotAnswered(NOW, {FAR: "busy"}))
    assert [type(verb) for verb in verbs] == [CameBack, Reserve]
    assert f"{FAR} was busy." in said(state)


def test_a_colleague_who_was_sent_outside_in_vain_comes_back_too():
    state, _ = decide(HOUSE, colleagues(), Transferred(NOW, "user:2", FAR))
    assert state.phase == "out"
    _, verbs = decide(HOUSE, state, NotAnswered(NOW))
    assert verbs[0] == CameBack("user:2")


@pytest.mark.parametrize(
    ("by", "to", "why"),
    [
        ("user:2", "103", "does not talk in this call"),
        ("", "103", "does not talk in this call"),
        ("user:1", "112", "where help is called"),
        ("user:1", ABROAD, "abroad"),
        ("user:1", "12", "is no number"),
        ("user:1", "", "is no number"),
    ],
)
def test_who_may_not_send_the_call_on_is_told_so_and_all_go_on(by, to, why):
    before = talking()
    state, verbs = decide(HOUSE, before, Transferred(NOW, by, to))
    [deny] = verbs
    assert isinstance(deny, Deny)
    assert why in deny.text
    assert why in said(state)
    assert (state.phase, state.talking, state.outcome) == (before.phase, before.talking, before.outcome)
    assert decide(HOUSE, state, Ended(NOW))[0].outcome == "answered"


def test_a_call_abroad_needs_office_and_user_as_any_other():
    for office_may, user_may in ((True, False), (False, True), (True, True)):
        config = company(
            lisbon(ANA), office(1, "Lisbon", international=office_may), user(1, "Ana", international=user_may)
        )
        _, verbs = decide(config, talking(), Transferred(NOW, "user:1", ABROAD))
        assert isinstance(verbs[-1], Transfer if office_may and user_may else Deny)


def test_a_caller_from_outside_sends_nobody_on_and_nor_does_a_contact():
    contact = Contact(401, "Zed Ltd", (FAR,))
    config = company(lisbon(ANA), ANA, BOB, contact)
    state, _ = decide(config, new_call("c", 1), Incoming(NOW, CALLER, target=Target("contact", 401)))
    state, _ = decide(config, state, Answered(NOW, "contact:401"))
    for by in ("contact:401", CALLER):
        _, [deny] = decide(config, state, Transferred(NOW, by, "102"))
        assert isinstance(deny, Deny)
    _, verbs = decide(config, state, Transferred(NOW, "contact:401", "102", asked=True))
    assert verbs[0] == LetGo("contact:401"), "an API's client may"


def test_a_call_for_help_is_not_sent_on_and_neither_is_one_that_nobody_answered_yet():
    state, _ = decide(HOUSE, new_call("c", 1), Outgoing(NOW, "user:1", "112"))
    state, _ = decide(HOUSE, state, Answered(NOW, "112"))
    _, [deny] = decide(HOUSE, state, Transferred(NOW, "user:1", "102", asked=True))
    assert deny == Deny("A call for help goes on with who made it.")
    state, _ = decide(HOUSE, new_call("c", 1), Outgoing(NOW, "user:1", FAR))
    _, [deny] = decide(HOUSE, state, Transferred(NOW, "user:1", "102"))
    assert isinstance(deny, Deny)
    state, _ = decide(HOUSE, new_call("c", 1), Incoming(NOW, CALLER, target=LISBON))
    assert decide(HOUSE, state, Transferred(NOW, "user:1", "102"))[1] == (Deny("Nobody talks in this call."),)


def test_a_call_that_was_sent_on_is_sent_on_again():
    state, _ = decide(HOUSE, talking(), Transferred(NOW, "user:1", "102"))
    state, _ = decide(HOUSE, state, Reserved(NOW, ("user:2",)))
    state, _ = decide(HOUSE, state, Answered(NOW, "user:2"))
    assert isinstance(decide(HOUSE, state, Transferred(NOW, "user:1", "103"))[1][0], Deny)
    state, verbs = decide(HOUSE, state, Transferred(NOW, "user:2", "103"))
    assert verbs[:2] == (LetGo("user:2"), Release(("user:2",)))
    state, _ = decide(HOUSE, state, Reserved(NOW, rung=("user:3",)))
    assert state.reasons[-1].code == "reached"
    assert "comes back to Bob Stone" in said(state)


def test_an_api_sends_to_targets_to_boxes_and_lets_the_caller_hear_music():
    _, verbs = decide(HOUSE, talking(), Transferred(NOW, "user:1", target=Target("user", 2), box=True, asked=True))
    assert verbs[0] == LetGo("user:1")
    assert isinstance(verbs[-1], Voicemail)
    assert verbs[-1].box == Target("user", 2)
    state, _ = decide(HOUSE, talking(), Transferred(NOW, "user:1", target=Target("user", 2), music=True, asked=True))
    _, [ring] = decide(HOUSE, state, Reserved(NOW, ("user:2",)))
    assert ring.hear == "hold_music"  # type: ignore[union-attr]
    _, [deny] = decide(HOUSE, talking(), Transferred(NOW, "user:1", target=Target("user", 99), asked=True))
    assert deny == Deny("There is no user 99.", "unallocated")
    _, [deny] = decide(HOUSE, talking(), Transferred(NOW, "user:1", FAR, box=True, asked=True))
    assert isinstance(deny, Deny)


# Who called sends the other side on


@pytest.mark.parametrize(("state", "party"), [(colleagues(), "user:2"), (outside(), FAR)], ids=["within", "outside"])
def test_whom_somebody_called_and_sends_on_is_the_caller_of_a_call_of_its_own(state, party):
    after, [hand] = decide(HOUSE, state, Transferred(NOW, "user:1", "103"))
    assert isinstance(hand, HandOn)
    assert (hand.party, hand.first.party, hand.first.by) == (party, party, "user:1")
    assert after.phase == state.phase, "until the other one has begun"
    ended, verbs = decide(HOUSE, after, Handed(NOW, "77"))
    assert (ended.phase, ended.outcome, verbs) == ("over", "transferred", ())
    assert "goes on as 77" in said(ended)
    other, verbs = decide(HOUSE, new_call("77", 1), hand.first)
    assert isinstance(verbs[-1], Reserve)
    assert verbs[-1].members == ("user:3",)
    assert (Release((), "user:2") in verbs) is (party == "user:2"), "who is in a call is busy"
    assert (other.who, other.caller) == (("user:2", "") if party == "user:2" else ("", FAR))
    other, _ = decide(HOUSE, other, Reserved(NOW, ("user:3",)))
    other, _ = decide(HOUSE, other, NotAnswered(NOW))
    assert "The call comes back to Ana Silva, who had sent it on." in said(other)
    assert other.where == Target("user", 1)


def test_what_is_not_allowed_is_not_handed_on():
    _, [deny] = decide(HOUSE, colleagues(), Transferred(NOW, "user:1", ABROAD))
    assert isinstance(deny, Deny)
    state, verbs = decide(HOUSE, new_call("c", 1), Transferred(NOW, "user:1", ABROAD, party=FAR))
    assert isinstance(verbs[-1], Voicemail), "the company changed meanwhile"
    assert state.phase == "voicemail"


# Two calls become one


def test_who_talks_with_two_connects_them():
    state, verbs = decide(HOUSE, talking(), Joined(NOW, "user:1", "user:2", "78"))
    assert verbs == (LetGo("user:1"), Release(("user:1",), "user:2"), Bridge("user:2"))
    assert (state.phase, state.talking) == ("talking", "user:2")
    state, _ = decide(HOUSE, talking(), Joined(NOW, "user:1", FAR, "78"))
    assert state.phase == "out"
    state, _ = decide(HOUSE, state, Ended(NOW))
    assert state.outcome == "answered"


def test_only_who_talks_connects_and_never_by_a_call_for_help():
    for by in ("user:2", "", CALLER):
        assert isinstance(decide(HOUSE, talking(), Joined(NOW, by, "user:3", "78"))[1][0], Deny)
    assert isinstance(decide(HOUSE, colleagues(), Joined(NOW, "user:1", "user:3", "78"))[1][0], Deny)


def test_two_whom_somebody_called_have_a_call_of_their_own():
    state, verbs = decide(HOUSE, new_call("c", 1), Joined(NOW, "user:1", "user:3", "78", party="user:2"))
    assert verbs == (Release((), "user:2"), Release((), "user:3"), Bridge("user:3"))
    assert (state.phase, state.who, state.talking, state.taken) == ("talking", "user:2", "user:3", True)


@pytest.mark.parametrize("gone", ["user:1", "user:2", "user:3"])
def test_nobody_who_is_suspended_is_connected_with_another(gone: str):
    people = [user(number, f"User {number}", state="suspended" if f"user:{number}" == gone else "active")
              for number in (1, 2, 3)]  # fmt: skip
    config = company(lisbon(), *people)
    assert kept_out(config, ("user:1", "user:2", FAR, "user:3")) == f"User {gone[-1]} is suspended."
    state, verbs = decide(config, new_call("c", 1), Joined(NOW, "user:1", "user:3", "78", party="user:2"))
    assert (state.phase, state.outcome, verbs[-1]) == ("over", "refused", Hangup("forbidden"))
    assert codes(state)[-1] == "transfer_denied"
    # One who is called by a caller from outside, and talks with a third.
    if gone != "user:2":
        verb = decide(config, talking(), Joined(NOW, "user:1", "user:3", "78"))[1][0]
        assert isinstance(verb, Deny)
        assert verb.text == f"User {gone[-1]} is suspended."


def test_nobody_is_recorded_who_comes_in_from_another_call_and_was_not_told():
    config = company(lisbon(ANA, record=True), ANA, BOB)
    state = talking(config)
    assert state.announced
    assert not any(isinstance(verb, Record) for verb in decide(config, state, Joined(NOW, "user:1", FAR, "78"))[1])
    assert any(isinstance(verb, Record) for verb in decide(config, state, Joined(NOW, "user:1", "user:2", "78"))[1])


# Simulated


def test_a_simulated_call_is_sent_on_by_whoever_talks():
    script = Script(
        people={"user:1": Behaviour(3), "user:2": Behaviour(5)},
        transfers=(Sends("102", "user:1"), Sends(FAR, "user:2")),
    )
    trace, state = simulate(HOUSE, Incoming(NOW, CALLER, target=LISBON), script)
    assert [type(step.event).__name__ for step in trace.steps] == [
        "Incoming", "Reserved", "Answered", "Transferred", "Reserved", "Answered", "Transferred", "Answered", "Ended",
    ]  # fmt: skip
    assert state.outcome == "answered"
    assert replay(HOUSE, trace) == trace


def test_a_simulated_call_whose_caller_sends_the_other_side_on_ends_as_transferred():
    script = Script(people={"user:2": Behaviour(5)}, transfers=(Sends("103", "user:1"),))
    _, state = simulate(HOUSE, Outgoing(NOW, "user:1", "102"), script)
    assert state.outcome == "transferred"


sends = st.lists(
    st.builds(
        Sends,
        st.sampled_from(
            ["101", "102", "103", "112", "+14155550100", "912345678", "+351210000001", "+351210000002", ""]
        ),
        st.sampled_from(["", *(f"user:{id}" for id in USERS)]),
        st.integers(0, 100),
    ),
    max_size=6,
).map(tuple)


@settings(max_examples=40, deadline=None)
@given(companies(), firsts, scripts, sends, seeds)
def test_every_call_that_is_sent_on_ends_says_why_and_frees_whom_it_had(config, first, script, transfers, seed):
    trace, state = simulate(config, first, script.__class__(**{**_fields(script), "transfers": transfers}), seed)
    assert (state.phase, state.sent_by) == ("over", "") or state.phase == "over"
    assert all(step.reasons for step in trace.steps if step.verbs)
    assert replay(config, msgspec.json.decode(msgspec.json.encode(trace), type=type(trace))) == trace
    held: set[str] = set()
    told = False
    for step in trace.steps:
        if isinstance(step.event, Reserved):
            held |= set(step.event.members)
        for verb in step.verbs:
            if isinstance(verb, Release):
                assert set(verb.members) <= held
                held -= set(verb.members)
            if isinstance(verb, LetGo):
                assert verb.who in held or not verb.who.startswith(("user:", "room:"))
            told = told or (isinstance(verb, Play) and verb.prompt.purpose == "AUTO_RECORDING")
            assert told or not isinstance(verb, Record)
    assert len(held) <= 1, "who talked last"


def _fields(script: Script) -> dict[str, object]:
    return {name: getattr(script, name) for name in script.__dataclass_fields__}


wishes = st.one_of(
    st.builds(
        Transferred, st.integers(0, 2**40), st.sampled_from(["", "user:101", "user:102", "+14155550100"]),
        st.sampled_from(["", "101", "112", "x" * 99, "+14155550100"]), st.none() | st.sampled_from(TARGETS),
        st.booleans(), st.booleans(), st.booleans(),
        st.sampled_from(["", "user:101", "+14155550100", "contact:401", "contact:9"]),
    ),
    st.builds(
        Joined, st.integers(0, 2**40), st.sampled_from(["", "user:101", "user:102"]),
        st.sampled_from(["user:103", "contact:401", "+14155550100", "unknown"]), st.just("7"),
        st.sampled_from(["user:101", "+14155550100"]),
    ),
    st.builds(Handed, st.integers(0, 2**40), st.just("7")),
    st.builds(Answered, st.integers(0, 2**40), st.sampled_from(["user:101", "user:102", "+14155550100"])),
    st.builds(Reserved, st.integers(0, 2**40), st.sampled_from([(), ("user:101",), ("user:102",)])),
    st.builds(NotAnswered, st.integers(0, 2**40)),
    st.builds(HungUp, st.integers(0, 2**40)),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    companies(),
    firsts | wishes.filter(lambda one: isinstance(one, Transferred | Joined)),
    st.lists(wishes, max_size=20),
)
def test_wishes_at_any_moment_do_no_harm(config, first, following):
    state, _ = decide(config, new_call("c", 1), first)
    for event in following:
        after, verbs = decide(config, state, event)
        assert len(after.reasons) > len(state.reasons)
        if isinstance(event, Transferred | Joined) and state.phase != "over":
            assert any(isinstance(verb, LetGo | HandOn | Deny) for verb in verbs), "who wishes it is answered"
        if state.phase == "over":
            assert after.phase == "over"
        state = after
