"""Numbers outside: by which carrier they are called, and what follows one that fails. A worker that the test plays."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.kit.errors import Unavailable
from offhook.routing import plan
from offhook.telephony import pidf, port, ringing, telephone
from offhook.telephony.carrying import PATIENCE, PATIENCE_FOR_HELP, TRYING_FOR_HELP
from offhook.telephony.telephone import ELSEWHERE, Way
from tests.telephony.scripted import CALL, CALLER, TENANT, Told, leg, prompt, run


def test_a_number_outside_is_called_by_the_carrier_that_takes_it():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123", caller_id="+14155550199"))
        [dial] = one.told(port.Dial)
        assert (dial.uri, dial.trunk, dial.number) == ("sip:+14155550123@carrier", 3, "+14155550199")
        await one.say(port.Up(dial.leg))
        assert one.told(port.Answer) == [port.Answer(CALLER)]
        await one.say(port.Up(CALLER))
        assert one.told(port.Connect) == [port.Connect(CALLER, dial.leg)]
        assert one.passed() == [plan.Answered(0, "+14155550123")]
        await one.say(port.Down(leg=dial.leg))
        assert one.passed() == [plan.Ended(0)]

    run(story)


def test_a_number_that_no_carrier_takes_is_not_called():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+88213000000"))
        assert one.told(port.Dial) == []
        fault = "no trunk takes +88213000000"
        assert one.passed() == [plan.NotAnswered(0, {"+88213000000": "unreachable"}, fault=fault)]

    with capture_logs() as logs:
        run(story)
    assert [(log["event"], log["log_level"], log["call_id"], log["tenant_id"], log["number"]) for log in logs] == [
        ("number_not_called", "warning", CALL, TENANT, "+88213000000")
    ]
    assert logs[0]["cause"] == "no trunk takes +88213000000"


def test_a_number_that_no_carrier_takes_is_told_of_who_is_rung_there_too():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:2", numbers=("+88213000000",)),), 20))
        fault = "+88213000000: no trunk takes +88213000000"
        assert one.passed() == [plan.NotAnswered(0, {"user:2": "unreachable"}, fault=fault)]
        # Of who is rung next it is not said.
        await one.do(plan.Ring("parallel", (leg("user:3"),), 20))
        assert one.passed() == [plan.NotAnswered(0, {"user:3": "unreachable"})]

    with capture_logs() as logs:
        run(story)
    assert [log["event"] for log in logs] == ["number_not_called"]


@pytest.mark.parametrize("away", [False, True])
def test_help_that_no_carrier_can_be_called_with_is_an_error_in_the_log_and_says_why(away: bool):
    async def story(one: Told) -> None:
        async def none(*_given: Any, **_more: Any) -> Way | None:
            if away:
                raise Unavailable("The store is away.")
            return None

        one.of_number = none  # type: ignore[method-assign]
        await one.do(plan.Transfer("911", emergency=True))
        [told] = one.passed()
        assert isinstance(told, plan.NotAnswered)
        assert ("The store is away" if away else "no trunk takes 911") in told.fault

    with capture_logs() as logs:
        run(story)
    said = logs[-1]
    assert (said["event"], said["log_level"]) == ("help_not_called", "error")
    assert (said["call_id"], said["tenant_id"], said["number"]) == (CALL, TENANT, "911")


def test_of_help_it_is_told_at_once_that_a_carrier_is_called_and_of_a_test_of_it_nothing():
    async def story(one: Told) -> None:
        one.names[3] = "Out"
        await one.do(plan.Transfer("911", emergency=True))
        assert one.passed() == [plan.CarrierCalled(0, "Out")]

    async def trial(one: Told) -> None:
        await one.do(plan.Transfer("933", emergency=True, trial=True))
        assert one.told(port.Dial)
        assert one.passed() == []

    run(story)
    run(trial)


def test_a_call_tells_by_which_trunk_it_goes():
    async def story(one: Told) -> None:
        one.names = {3: "Cheap", 4: "Dear"}
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=503))
        [second] = one.told(port.Dial)
        await one.say(port.Up(second.leg))
        await one.say(port.Up(CALLER))
        assert one.passed() == [
            plan.CarrierFailed(0, 503, carrier="Cheap"), plan.Answered(0, "+14155550123", "Dear")
        ]  # fmt: skip

    run(story)


def test_who_hides_their_number_is_hidden_from_the_carrier_too():
    async def story(told: Told) -> None:
        await told.do(plan.Transfer("+14155550123"))
        assert [one.number for one in told.told(port.Dial)] == [""]

    run(story)


@pytest.mark.parametrize("code", [302, 401, 403, 407, 408, 488, 500, 502, 503, 504])
def test_a_carrier_that_fails_is_followed_by_the_next(code: int):
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=code))
        [second] = one.told(port.Dial)
        assert (first.trunk, second.trunk) == (3, 4)
        await one.say(port.Down(leg=second.leg, code=code))
        assert one.told(port.Dial) == []
        assert one.passed() == [
            plan.CarrierFailed(0, code), plan.CarrierFailed(0, code),
            plan.NotAnswered(0, {"+14155550123": "unreachable"}),
        ]  # fmt: skip

    run(story)


@pytest.mark.parametrize(
    ("code", "why"),
    [(486, "busy"), (600, "busy"), (404, "unreachable"), (480, "unreachable"), (484, "unreachable"), (603, "declined")],
)
def test_what_the_number_itself_answers_is_not_asked_of_another_carrier(code: int, why: plan.Missed):
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [dial] = one.told(port.Dial)
        await one.say(port.Down(leg=dial.leg, code=code))
        assert one.told(port.Dial) == []
        assert one.passed() == [plan.NotAnswered(0, {"+14155550123": why}, code)]
        # Who calls is answered the same.
        await one.do(plan.Hangup("unavailable", code))
        assert one.told(port.Drop) == [port.Drop(CALLER, code)]

    run(story)


def test_who_has_not_given_up_is_not_told_that_they_have():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [dial] = one.told(port.Dial)
        await one.say(port.Down(leg=dial.leg, code=487))
        assert one.told(port.Dial) == []
        assert one.passed() == [plan.NotAnswered(0, {"+14155550123": "no_answer"})]

    run(story)


def test_help_is_called_by_the_next_carrier_whatever_the_first_one_says():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=403))
        [second] = one.told(port.Dial)
        assert (second.trunk, second.body) == (4, b"<presence/>")

    run(story)


@pytest.mark.parametrize("code", [400, 415, 424, 500])
def test_help_is_called_once_more_without_the_address_by_a_carrier_that_does_not_take_it(code: int):
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)
        await one.say(port.Down(leg=first.leg, code=code))
        [again] = one.told(port.Dial)
        assert (first.trunk, first.body, first.headers) == (3, b"<presence/>", pidf.HEADERS)
        assert (again.trunk, again.body, again.headers) == (3, b"", ())
        assert one.passed() == [plan.CarrierCalled(0), plan.CarrierFailed(0, code, location=True)]
        # Once: after that it is the next one's turn, who is told where again.
        await one.say(port.Down(leg=again.leg, code=code))
        [third] = one.told(port.Dial)
        assert (third.trunk, third.body) == (4, b"<presence/>")
        assert one.passed() == [plan.CarrierFailed(0, code)]

    run(story)


def test_the_only_carrier_for_help_is_called_without_the_address_though_the_store_is_away():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)

        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def away(*_given: Any, **_more: Any) -> Way | None:
            await asyncio.shield(asked)
            raise Unavailable("The store is away.")

        one.of_number = away  # type: ignore[method-assign]
        # It answers while another one is looked for, of which there is none.
        await one.say(port.Unheard(first.leg))
        await one.say(port.Down(leg=first.leg, code=500))
        assert one.told(port.Dial) == []
        asked.set_result(None)
        await one.settled()
        assert [(dial.trunk, dial.body) for dial in one.told(port.Dial)] == [(3, b"")]

    run(story)


def test_help_waits_for_ringing_longer_than_for_a_sign_of_life_and_not_for_ever():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)
        assert (first.patience, first.trying) == (PATIENCE_FOR_HELP, TRYING_FOR_HELP)
        # It said that it tries, and nothing else.
        await one.say(port.Unheard(first.leg))
        [second] = one.told(port.Dial)
        assert second.trunk == 4
        assert one.passed() == [plan.CarrierCalled(0), plan.CarrierFailed(0)]
        # The first one may only have been slow: better that one than nobody.
        await one.say(port.Down(leg=second.leg, code=503))
        [third] = one.told(port.Dial)
        assert third.trunk == 3
        await one.say(port.Down(leg=third.leg, code=503))
        assert one.told(port.Dial) == []
        assert one.passed()[-1] == plan.NotAnswered(0, {"911": "unreachable"})

    run(story)


def test_who_calls_for_help_is_not_given_up_while_it_rings():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [dial] = one.told(port.Dial)
        await one.say(port.Progress(dial.leg, 180))
        await one.later(ringing.LONGEST_RINGING + 1)
        assert one.told(port.Drop) == []
        assert one.passed() == [plan.CarrierCalled(0)]

    run(story)


def test_a_number_that_rings_and_rings_has_not_answered_and_was_reached():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [dial] = one.told(port.Dial)
        await one.say(port.Progress(dial.leg, 180))
        await one.later(ringing.LONGEST_RINGING + 1)
        assert len(one.told(port.Drop)) == 1
        assert one.passed() == [plan.NotAnswered(0)]

    run(story)


def test_numbers_outside_that_nobody_of_the_company_is_with_talk_for_so_long():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Transfer("+14155550123"))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        one.passed()
        await one.later(one.telephone._house.outside_seconds - 1)
        assert one.passed() == []
        await one.later(1)
        assert one.passed() == [plan.HungUp(0, cause=telephone.TOO_LONG)]
        assert {drop.leg for drop in one.told(port.Drop)} == {CALLER, dial.leg}

    run(story)


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_whoever_talks_with_somebody_of_the_company_talks_as_long_as_they_like(who: str):
    async def story(one: Told) -> None:
        if who == "caller":
            one.telephone.who = "user:1"
            await one.do(plan.Transfer("+14155550123"))
        else:
            await one.do(plan.Ring("parallel", (leg("user:1", "desk"),), 20))
        [dial] = one.told(port.Dial)
        await one.say(port.Up(dial.leg))
        if who == "callee":
            await one.do(plan.Bridge("user:1"))
        await one.say(port.Up(CALLER))
        one.passed()
        for _ in range(2):
            await one.later(one.telephone._house.outside_seconds)
        assert one.passed() == []

    run(story)


def test_a_carrier_of_which_nothing_is_heard_is_let_go_for_the_next():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)
        assert (first.patience, first.helps) == (PATIENCE, False)
        await one.say(port.Unheard(first.leg))
        assert one.commands[-2] == port.Drop(first.leg)
        [second] = one.told(port.Dial)
        assert (first.trunk, second.trunk) == (3, 4)
        # There is no third one, so that this one is waited for.
        await one.say(port.Unheard(second.leg))
        assert one.passed() == [plan.CarrierFailed(0)]
        assert one.told(port.Drop) == []
        await one.say(port.Up(second.leg))
        await one.say(port.Up(CALLER))
        assert one.passed() == [plan.Answered(0, "+14155550123")]

    run(story)


def test_a_carrier_that_is_silent_and_fails_then_is_followed_once():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)
        assert (first.patience, first.helps) == (PATIENCE_FOR_HELP, True)
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        of_number = one.of_number

        async def later(*given: Any, **more: Any) -> Way | None:
            way = await of_number(*given, **more)
            await found
            return way

        one.of_number = later  # type: ignore[method-assign]
        await one.say(port.Unheard(first.leg))
        await one.say(port.Down(leg=first.leg, code=503))
        found.set_result(None)
        await one.settled()
        assert [dial.trunk for dial in one.told(port.Dial)] == [4]

    run(story)


def test_help_is_called_by_the_one_that_was_slow_also_where_the_last_one_fails_while_another_is_looked_for():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("911", emergency=True))
        [first] = one.told(port.Dial)
        await one.say(port.Unheard(first.leg))
        [second] = one.told(port.Dial)
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        of_number = one.of_number

        async def later(*given: Any, **more: Any) -> Way | None:
            await asyncio.shield(found)
            return await of_number(*given, **more)

        one.of_number = later  # type: ignore[method-assign]
        await one.say(port.Unheard(second.leg))
        await one.say(port.Down(leg=second.leg, code=503))
        found.set_result(None)
        await one.settled()
        assert [dial.trunk for dial in one.told(port.Dial)] == [3]

    run(story)


def test_a_carrier_that_speaks_while_another_one_is_looked_for_is_kept():
    async def story(one: Told) -> None:
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)
        of_number = one.of_number

        async def later(*given: Any, **more: Any) -> Way | None:
            await found
            return await of_number(*given, **more)

        one.of_number = later  # type: ignore[method-assign]
        await one.say(port.Unheard(first.leg))
        await one.say(port.Progress(first.leg, 180))
        found.set_result(None)
        await one.settled()
        assert one.told(port.Dial) == []
        await one.say(port.Up(first.leg))
        await one.say(port.Up(CALLER))
        assert one.passed() == [plan.Answered(0, "+14155550123")]

    run(story)


@pytest.mark.parametrize("fault", [Unavailable("The store is away."), ValueError("a fault of ours")])
def test_a_call_goes_on_though_the_next_carrier_cannot_be_looked_for(fault: Exception):
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)

        async def broken(*_given: Any, **_more: Any) -> Way | None:
            raise type(fault)(*fault.args)

        one.of_number = broken  # type: ignore[method-assign]
        await one.say(port.Unheard(first.leg))
        await one.say(port.Up(first.leg))
        await one.say(port.Up(CALLER))
        assert one.passed() == [plan.Answered(0, "+14155550123")]

    run(story)


@pytest.mark.parametrize("event", [lambda leg: port.Down(leg=leg, code=503), port.Unheard])
def test_a_number_that_is_rung_among_others_is_called_by_the_next_carrier(event: Callable[[int], port.Event]):
    async def story(one: Told) -> None:
        dan = leg("user:2", numbers=("+14155550142",))
        await one.do(plan.Ring("parallel", (leg("user:1", "desk"), dan), 20))
        desk, first = one.told(port.Dial)
        assert (desk.patience, first.patience, first.trunk) == (0, PATIENCE, 3)
        await one.say(event(first.leg))
        [second] = one.told(port.Dial)
        assert (second.trunk, second.uri) == (4, first.uri)
        await one.say(port.Up(second.leg))
        assert one.passed() == [plan.Answered(0, "user:2")]
        assert one.told(port.Drop) == [port.Drop(desk.leg, reason=ELSEWHERE)]

    run(story)


def test_who_was_rung_while_a_carrier_was_looked_for_is_let_go_where_something_else_is_to_be_done():
    async def story(one: Told) -> None:
        async def never(*_given: Any, **_more: Any) -> Way | None:
            return await asyncio.get_running_loop().create_future()

        one.of_number = never  # type: ignore[method-assign]
        await one.do(plan.Ring("parallel", (leg("user:1", "desk", numbers=("+14155550142",)),), 20))
        [desk] = one.told(port.Dial)
        await one.do(plan.Ring("parallel", (leg("user:2", "hall"),), 20))
        assert port.Drop(desk.leg) in one.commands

    run(story)


def test_why_a_number_was_not_reached_is_told_when_no_carrier_is_left():
    async def story(one: Told) -> None:
        await one.do(plan.Ring("parallel", (leg("user:2", numbers=("+14155550142",)),), 20))
        for trunk in (3, 4):
            [dial] = one.told(port.Dial)
            assert dial.trunk == trunk
            assert one.passed() == []
            await one.say(port.Down(leg=dial.leg, code=503))
        assert one.passed() == [plan.NotAnswered(0, {"user:2": "unreachable"})]

    run(story)


def test_whoever_leaves_while_a_carrier_is_looked_for_is_called_by_none():
    async def story(one: Told) -> None:
        await one.do(plan.Transfer("+14155550123"))
        [first] = one.told(port.Dial)

        async def never(*_given: Any, **_more: Any) -> Way | None:
            return await asyncio.get_running_loop().create_future()

        one.of_number = never  # type: ignore[method-assign]
        await one.say(port.Down(leg=first.leg, code=503))
        await one.say(port.Down(leg=CALLER, code=487))
        assert one.passed() == [plan.CarrierFailed(0, 503), plan.HungUp(0)]
        assert one.told(port.Dial) == []

    run(story)


def test_help_is_called_also_where_it_cannot_be_written_where_to():
    async def story(one: Told) -> None:
        def broken(_verb: plan.Transfer) -> tuple[bytes, str]:
            raise ValueError("no such address")

        one.telephone._house = replace(one.telephone._house, location=broken)
        await one.do(plan.Transfer("911", emergency=True))
        [dial] = one.told(port.Dial)
        assert (dial.uri, dial.body, dial.headers) == ("sip:911@carrier", b"", ())

    run(story)


def test_help_is_told_where_to_go_and_waits_for_nothing():
    async def story(one: Told) -> None:
        await one.answered()
        await one.do(plan.Play(prompt("long")))
        await one.do(plan.Transfer("911", caller_id="+14155550199", emergency=True))
        [dial] = one.told(port.Dial)
        assert (dial.body, dial.body_type) == (b"<presence/>", "application/pidf+xml")
        assert dial.headers == pidf.HEADERS

    run(story)
