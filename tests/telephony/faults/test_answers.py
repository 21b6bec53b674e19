"""What telephones and carriers answer, and what becomes of the call then: on the wire, and in its record."""

import pytest
from prometheus_client import REGISTRY

from tests.scenarios.stage import V1, V2
from tests.telephony.faults.stage import TONE, Line, Phone, Stage, within

SALES, BOB = "department Head office/Sales", "user bob@example.com"
FAR = "+12125550199"


async def leaves_a_message(stage: Stage, caller: Line, who: str) -> list[str]:
    """The caller comes to somebody's voicemail, and says something: the texts of the record."""
    await caller.hears(TONE)
    await stage.recorded()
    caller.press("#")
    await within(caller.down)
    record = await stage.record()
    assert record.outcome == "voicemail", record.texts
    [message] = await stage.tapes("voicemails", record.id)
    assert message["target_id"] == stage.ids[who]
    await stage.empty()
    return record.texts


REFUSALS = {
    302: "could not be reached", 408: "could not be reached", 500: "could not be reached", 486: "was busy",
    600: "was busy", 603: "declined",
}  # fmt: skip


@pytest.mark.parametrize(
    "code", [pytest.param(code, marks=() if code == 302 else pytest.mark.long) for code in REFUSALS]
)
def test_a_telephone_refuses_and_voicemail_takes_the_message(stage: Stage, code: int) -> None:
    async def story() -> None:
        caller = stage.call(BOB)
        bob = await stage.desks["bob"].called()
        # Nobody is called whom a telephone names: what may be called, the company says.
        bob.say(code, headers=(f"Contact: <sip:{FAR}@127.0.0.1:{stage.abroad.address[1]}>",) if code == 302 else ())
        await bob.gets("ACK")
        texts = await leaves_a_message(stage, caller, BOB)
        assert any(REFUSALS[code] in text for text in texts), texts
        assert stage.abroad.calls.empty()

    stage.play(story())


def test_who_is_in_a_call_is_not_rung(stage: Stage) -> None:
    async def story() -> None:
        busy = stage.desks["bob"].calls_number(FAR)
        outside = await stage.abroad.called()
        outside.answer()
        await within(busy.up)
        caller = stage.call(BOB)
        await caller.hears(TONE)
        caller.hang_up()
        record = await stage.record()
        assert any("is in a call" in text for text in record.texts), record.texts
        assert stage.desks["bob"].calls.empty()
        busy.hang_up()
        await within(outside.down)
        await stage.empty()

    stage.play(story())


@pytest.mark.long
def test_who_does_not_want_to_be_disturbed_is_not_rung(stage: Stage) -> None:
    async def story() -> None:
        path = f"/api/v2/users/{stage.ids[BOB]}/togglednd"
        await stage.ask("PATCH", path, {"do_not_disturb": True})
        texts = await leaves_a_message(stage, stage.call(BOB), BOB)
        assert any("does not want to be disturbed" in text for text in texts)
        assert stage.desks["bob"].calls.empty()
        await stage.ask("PATCH", path, {"do_not_disturb": False})

    stage.play(story())


def test_whose_calls_are_forwarded_is_reached_outside(stage: Stage) -> None:
    async def story() -> None:
        caller = stage.call("user dan@example.com")
        await stage.forwarded(caller, await stage.abroad.called())

    stage.play(story())


def test_both_places_of_a_telephone_ring_and_one_has_the_call(stage: Stage) -> None:
    async def story() -> None:
        desk = stage.desks["bob"]
        other = Phone(stage.worker_at, 2_500, desk.username, desk.password)
        try:
            await other.register()
            caller = stage.call(BOB)
            one, two = await desk.called(), await other.called()
            two.answer()
            cancel = await one.gets("CANCEL")
            assert cancel["reason"] == 'SIP;cause=200;text="Call completed elsewhere"'
            await within(caller.up, one.down)
            caller.hang_up()
            await within(two.down)
            assert (await stage.record()).outcome == "answered"
            await other.register(seconds=0)
            await stage.empty()
        finally:
            other.close()

    stage.play(story())


# Outside


def test_what_a_carrier_says_before_the_answer_is_heard(stage: Stage) -> None:
    async def story() -> None:
        ann = stage.desks["ann"].calls_number(FAR)
        outside = await stage.abroad.called()
        outside.say(183, sound=True)
        early = await ann.gets("183 INVITE")
        assert b"m=audio" in early.body
        outside.begin_to_speak()
        await ann.hears(outside.voice)
        outside.answer()
        await stage.connected(ann, outside)
        outside.hang_up()
        await within(ann.down)
        assert (await stage.record()).outcome == "answered"
        await stage.empty()

    stage.play(story())


OUTSIDE_SAYS = {
    404: (404, "is not in use"), 484: (484, "is no whole number"), 486: (486, "was busy"), 600: (600, "was busy"),
    603: (603, "declined"), 403: (480, "could not be"), 503: (480, "could not be"),
}  # fmt: skip
"""Of what is answered outside: what who calls is answered, and what the record says. 403 and 503 are the carrier's."""


@pytest.mark.parametrize(
    "code", [pytest.param(code, marks=() if code in (404, 403) else pytest.mark.long) for code in OUTSIDE_SAYS]
)
def test_a_number_that_is_not_reached_is_told_so(stage: Stage, code: int) -> None:
    answered, says = OUTSIDE_SAYS[code]

    async def story() -> None:
        ann = stage.desks["ann"].calls_number(FAR)
        outside = await stage.abroad.called()
        outside.say(code)
        await within(ann.down)
        assert ann.code == answered
        record = await stage.record()
        assert (record.outcome, says in record.texts[-1]) == ("not_answered", True), record.texts
        assert any(f"answered {code}" in text for text in record.texts), record.texts
        await stage.empty()

    stage.play(story())


def test_another_carrier_takes_the_call_that_the_first_one_cannot(stage: Stage) -> None:
    async def story() -> None:
        second = Phone(stage.worker_at, 2_500)
        made = await stage.ask("POST", f"{V1}/trunks", {
            "name": "Second", "country": "US", "proxy": f"127.0.0.1:{second.address[1]}", "prefixes": ["+1"],
        })  # fmt: skip
        second.voices, second.sounds = stage.abroad.voices | {"2500": 2_500.0}, stage.abroad.sounds
        try:
            ann = stage.desks["ann"].calls_number(FAR)
            ann.ear._voices = second.voices
            (await stage.abroad.called()).say(503)
            outside = await second.called()
            outside.answer()
            await stage.connected(ann, outside)
            ann.hang_up()
            await within(outside.down)
            assert (await stage.record()).outcome == "answered"
            await stage.empty()
        finally:
            second.close()
            await stage.ask("DELETE", f"{V1}/trunks/{made['id']}")

    stage.play(story())


def test_a_call_that_an_api_starts_rings_the_user_and_then_the_number_and_is_hung_up_by_the_api(stage: Stage) -> None:
    async def story() -> None:
        ann, body = stage.desks["ann"], {"phone_number": FAR, "user_id": stage.ids["user ann@example.com"]}
        placed = await stage.ask("POST", f"{V2}/call", body)
        rung = await ann.called()
        assert stage.abroad.calls.empty(), "the number is not dialled before the user is there"
        rung.answer()
        outside = await stage.abroad.called()
        outside.answer()
        await stage.connected(rung, outside)
        await stage.ask("PUT", f"{V2}/call/{placed['call_id']}/actions/hangup")
        await within(rung.down, outside.down)
        record = await stage.record()
        assert (record.id, record.outcome, record.reasons[-1]) == (placed["call_id"], "answered", "hung_up_on")
        assert (await stage.ask("GET", f"{V2}/call/{record.id}"))["ended_by"] == "ended"
        await stage.empty()

    stage.play(story())


def test_nobody_is_called_abroad_who_may_not_be(stage: Stage) -> None:
    async def story() -> None:
        ann = stage.desks["ann"].calls_number("011442079460123")
        await within(ann.down)
        assert ann.code == 403
        record = await stage.record()
        assert (record.outcome, record.reasons[-1]) == ("refused", "international_off")
        assert stage.abroad.calls.empty()
        await stage.empty()

    stage.play(story())


def test_help_is_told_where_to_go_and_the_house_is_told_after(stage: Stage) -> None:
    async def story() -> None:
        ann = stage.desks["ann"].calls_number("911")
        aid = await stage.abroad.called()
        came = aid.came
        assert came is not None
        assert came.line.startswith("INVITE sip:911@")
        kind = came["content-type"]
        assert kind.startswith("multipart/mixed;boundary=")
        parts = came.body.split(b"--" + kind.partition("boundary=")[2].encode())
        [sound] = [part for part in parts if b"Content-Type: application/sdp" in part]
        assert b"m=audio" in sound
        [location] = [part for part in parts if b"Content-Type: application/pidf+xml" in part]
        assert b"urn:ietf:params:xml:ns:pidf" in location
        content_id = next(line for line in location.split(b"\r\n") if line.lower().startswith(b"content-id:"))
        assert came["geolocation"].strip("<>") == "cid:" + content_id.partition(b"<")[2].decode().rstrip(">")
        aid.answer()
        await stage.connected(ann, aid)
        aid.hang_up()
        await within(ann.down)
        record = await stage.record()
        assert record.outcome == "answered"
        assert [one for one in record.reasons if one.startswith("emergency")] == ["emergency", "emergency_notice"]
        [notice] = [one for one in await events(stage) if one["subject_id"] == record.id]
        assert notice["event"] == "emergency_call.placed"
        await stage.empty()

    stage.play(story())


async def events(stage: Stage) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    cursor = ""
    while items := (page := await stage.ask("GET", f"{V1}/events?limit=500&cursor={cursor}")).get("items", []):
        found += items
        cursor = page["cursor"]
    return found


# Bounds


def test_a_company_has_as_many_calls_as_it_may_and_one_more_for_help(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephony = stage.offhook.telephones.telephony
    assert telephony is not None
    monkeypatch.setattr(telephony._room, "_most", 1)

    def refused() -> float:
        return REGISTRY.get_sample_value("offhook_calls_refused_total", {"why": "company_full"}) or 0.0

    async def story() -> None:
        before = refused()
        caller = stage.call("office Head office")
        await within(caller.up)
        second = stage.call("office Head office")
        await within(second.down)
        assert (second.code, refused() - before) == (503, 1)
        ann = stage.desks["ann"].calls_number("911")
        aid = await stage.abroad.called()
        ann.hang_up()
        await within(aid.down)
        caller.hang_up()
        await within(caller.down)
        await stage.empty()

    stage.play(story())
