"""Call routers: a web service decides each call; when it fails too often the default target takes them."""

from datetime import timedelta
from typing import Any

import pytest
from dialpad.schemas.call_router import ApiCallRouterCollection, ApiCallRouterProto
from hypothesis import given
from hypothesis import strategies as st

from offhook.directory.assignment import service as assignment
from offhook.directory.callrouters import rules
from offhook.directory.callrouters.errors import note_error
from offhook.kit import clock
from offhook.kit.operation import Call
from tests.api.desk import Company, Desk, office, routing, state
from tests.conftest import at
from tests.directory.people import key_of, person, told
from tests.published import misfits

ROUTERS = "/api/v2/callrouters"
WHOLE = "/api/offhook/v1/callrouters"
OURS = "/api/offhook/v1/offices"
SECRET = "0123456789abcdef0123456789abcdef"


def router(company: Company, **changes: Any) -> dict[str, Any]:
    own = str(company.office_ids["live"])
    body = {
        "name": "Decider",
        "office_id": own,
        "routing_url": "https://example.com/route",
        "default_target_type": "office",
        "default_target_id": own,
    }
    return body | changes


def made(company: Company, **changes: Any) -> str:
    answer = company.live.post(ROUTERS, router(company, **changes))
    assert answer.status == 200, answer
    return str(answer.json["id"])


def patched(company: Company, id: str, body: dict[str, Any], **options: Any) -> Any:
    """A change, five minutes after the one before: v2 takes no more."""
    limiter: Any = company.desk.offhook.limiter
    memory = limiter._memory
    before = memory._clock
    memory._clock = lambda: before() + 300.0
    return company.live.patch(f"{ROUTERS}/{id}", body, **options)


def fail(company: Company, id: str, times: int, after: timedelta = timedelta()) -> list[bool]:
    """Errors of a router's service at one moment; whether each of them disabled it."""
    tenant, moment = company.tenant(), clock.now() + after
    return [company.desk.transact(lambda tx: note_error(tx, tenant, int(id), moment)) for _ in range(times)]


def test_the_life_of_a_call_router(company: Company):
    user = person(company)
    answer = company.live.post(ROUTERS, router(company, default_target_type="user", default_target_id=int(user)))
    assert answer.status == 200
    assert misfits(answer.json, ApiCallRouterProto) == []
    id = answer.json["id"]
    assert answer.json == {
        "id": id,
        "name": "Decider",
        "office_id": str(company.office_ids["live"]),
        "routing_url": "https://example.com/route",
        "default_target_type": "user",
        "default_target_id": user,
        "enabled": True,
        "signature": {},
    }
    assert company.live.get(f"{ROUTERS}/{id}").json == answer.json
    changed = company.live.patch(f"{ROUTERS}/{id}", {"name": "Other", "enabled": False})
    assert changed.json == answer.json | {"name": "Other", "enabled": False}
    again = company.live.patch(f"{ROUTERS}/{id}", {"name": "Third"})
    assert (again.status, again.headers["retry-after"]) == (429, "300")
    assert patched(company, id, {"name": "x"}, headers={"if-match": '"1"'}).status == 412
    deleted = company.live.delete(f"{ROUTERS}/{id}")
    assert (deleted.status, deleted.json) == (200, {})
    assert company.live.get(f"{ROUTERS}/{id}").status == 404
    assert told(company.live, id) == ["callrouter.created", "callrouter.updated", "callrouter.deleted"]


def test_the_secret_is_answered_to_its_owner_and_kept_out_of_events_and_refusals(company: Company):
    answer = company.live.post(ROUTERS, router(company, secret=SECRET))
    assert misfits(answer.json, ApiCallRouterProto) == []
    assert answer.json["signature"] == {"algo": "HS256", "type": "jwt", "secret": SECRET}
    id = answer.json["id"]
    new = " " + SECRET[::-1]
    assert patched(company, id, {"secret": new}).json["signature"]["secret"] == new
    short = patched(company, id, {"secret": "tooshort"})
    assert (short.status, short.places) == (400, ["secret"])
    assert "tooshort" not in short.response.text
    assert patched(company, id, {"secret": ""}).json["signature"] == {}
    events = str(company.live.events())
    assert SECRET not in events
    assert new not in events
    assert told(company.live, id) == ["callrouter.created", "callrouter.updated", "callrouter.updated"]


def test_every_fault_of_a_call_router_is_named_at_once(company: Company):
    body = router(
        company,
        name="",
        office_id="12",
        routing_url="ftp://example.com",
        default_target_type="room",
        default_target_id="13",
        secret="short",
    )
    refused = company.live.post(ROUTERS, body)
    assert refused.status == 400
    assert refused.places == ["default_target_id", "name", "office_id", "routing_url", "secret"]
    required = ["default_target_id", "default_target_type", "name", "office_id", "routing_url"]
    assert company.live.post(ROUTERS, {}).places == required
    id = made(company)
    itself = {"default_target_type": "callrouter", "default_target_id": id}
    assert patched(company, id, itself).places == ["default_target_id"]
    # The kind alone makes the office's id one of a user, and there is no such user.
    assert patched(company, id, {"default_target_type": "user"}).places == ["default_target_id"]


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "https://",
        "https://ada:secret@example.com/",
        "https://example.com:port/",
        "https://exa mple.com/",
        "https://-x-.example/",
        "https://bücher.example/",
        "https://1.2.3/",
        "https://0x7f000001/",
        "https://127.0x1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://100.100.100.200/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::1]/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://224.0.0.1/",
        "https://[ff02::1]/",
        "javascript:alert(1)",
        "https://example.com/" + "x" * 2048,
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(embedded: Company, url: str):
    refused = embedded.live.post(ROUTERS, router(embedded, routing_url=url))
    assert (refused.status, refused.places) == (400, ["routing_url"])
    assert "secret" not in refused.response.text


@pytest.mark.parametrize(
    "url", ["https://[2001:db8::1]:8443/x?y=1", "https://xn--bcher-kva.example", "https://10.0.0.1/"]
)
def test_an_address_that_can_be_asked_is_taken_as_it_is(embedded: Company, url: str):
    assert embedded.live.post(ROUTERS, router(embedded, routing_url=url)).json["routing_url"] == url


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "router.localhost.", "10.0.0.1:8080", "192.168.1.7", "172.16.0.1", "100.64.0.1", "[::1]",
     "[fd12::1]", "[::ffff:10.0.0.1]"],
)  # fmt: skip
def test_an_address_that_only_the_installation_reaches_is_taken_with_a_warning(embedded: Company, host: str):
    taken = embedded.live.post(ROUTERS, router(embedded, routing_url=f"https://{host}/route"))
    assert (taken.status, [(one.code, one.field) for one in taken.warnings]) == (
        200,
        [("private_address", "routing_url")],
    )


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "local.example", "0x.example"])
def test_an_address_in_the_internet_is_taken_without_a_word(embedded: Company, host: str):
    taken = embedded.live.post(ROUTERS, router(embedded, routing_url=f"https://{host}/route"))
    assert (taken.status, taken.codes) == (200, set())


def test_a_routing_url_is_held_to_its_rules_when_it_is_changed(company: Company):
    id = made(company)
    assert patched(company, id, {"routing_url": "https://169.254.1.1/"}).places == ["routing_url"]
    assert patched(company, id, {"routing_url": "http://127.0.0.1/"}).codes == {"private_address", "unencrypted_url"}


def test_what_is_likely_not_meant_is_said(company: Company):
    plain = company.live.post(ROUTERS, router(company, routing_url="http://example.com/"))
    assert (plain.status, plain.codes) == (200, {"unencrypted_url"})
    nowhere = company.live.post(ROUTERS, router(company, default_target_type="unknown", default_target_id=0))
    assert (nowhere.status, nowhere.codes) == (200, {"target_unknown"})
    first = made(company)
    second = made(company, default_target_type="callrouter", default_target_id=first)
    round_again = patched(company, first, {"default_target_type": "callrouter", "default_target_id": second})
    assert (round_again.status, round_again.codes) == (200, {"target_loop"})


def test_call_routers_are_listed_page_by_page_and_by_office(embedded: Company):
    elsewhere = embedded.live.made(office(name="Other")).id
    ids = [made(embedded) for _ in range(101)]
    other = made(embedded, office_id=elsewhere)
    first = embedded.live.get(ROUTERS)
    assert misfits(first.json, ApiCallRouterCollection) == []
    second = embedded.live.get(f"{ROUTERS}?cursor={first.json['cursor']}")
    assert [one["id"] for one in first.json["items"] + second.json["items"]] == [*ids, other]
    assert [one["id"] for one in embedded.live.get(f"{ROUTERS}?office_id={elsewhere}").json["items"]] == [other]


def test_a_call_router_is_made_once_for_one_key_and_not_at_all_in_a_dry_run(company: Company):
    dry = company.live.post(ROUTERS, router(company), headers={"offhook-dry-run": "true"})
    assert (dry.json["dry_run"], dry.json["result"]["name"]) == (True, "Decider")
    assert company.live.get(ROUTERS).json == {}
    headers = {"idempotency-key": "one"}
    first, again = (company.live.post(ROUTERS, router(company), headers=headers) for _ in range(2))
    assert first.json == again.json
    assert company.live.post(ROUTERS, router(company, name="x"), headers=headers).status == 409


def test_another_company_s_call_router_is_not_there(company: Company, desk: Desk):
    other, id = desk.found(), made(company)
    for caller in (other.live, company.sandbox):
        assert caller.get(f"{ROUTERS}/{id}").status == 404
        assert caller.get(f"{WHOLE}/{id}").status == 404
        assert caller.delete(f"{ROUTERS}/{id}?force=true").status == 404
        assert caller.get(ROUTERS).json == {}
        assert caller.post(ROUTERS, router(company)).places == ["default_target_id", "office_id"]
    assert other.live.patch(f"{ROUTERS}/{id}", {"name": "x"}).status == 404
    assert company.live.get(f"{ROUTERS}/{id}").json["name"] == "Decider"


def test_eleven_errors_within_an_hour_disable_a_router(company: Company):
    id = made(company)
    assert fail(company, id, 10) == [False] * 10
    assert company.live.get(f"{ROUTERS}/{id}").json["enabled"] is True
    whole = company.live.get(f"{WHOLE}/{id}").json
    assert (whole["recent_errors"], whole["errors_allowed"], "date_last_error" in whole) == (10, 10, True)
    assert fail(company, id, 2) == [True, False]
    assert company.live.get(f"{ROUTERS}/{id}").json["enabled"] is False
    assert told(company.live, id) == ["callrouter.created", "callrouter.disabled"]
    disabled = company.live.events()[-1]
    assert disabled["before"]["enabled"] is True
    assert disabled["after"]["enabled"] is False


def test_enabling_a_router_does_not_forget_its_errors_but_resetting_does(company: Company):
    id = made(company)
    fail(company, id, 11)
    enabled = patched(company, id, {"enabled": True})
    assert (enabled.json["enabled"], enabled.codes) == (True, {"errors_still_count"})
    assert fail(company, id, 1) == [True]
    reset = patched(company, id, {"enabled": True, "reset_error_count": True})
    assert (reset.json["enabled"], reset.codes) == (True, set())
    assert company.live.get(f"{WHOLE}/{id}").json["recent_errors"] == 0
    assert fail(company, id, 11) == [False] * 10 + [True]


def test_resetting_errors_is_told_by_itself(company: Company):
    id = made(company)
    fail(company, id, 3)
    assert patched(company, id, {"reset_error_count": True}, headers={"if-match": '"7"'}).status == 412
    assert told(company.live, id) == ["callrouter.created"]
    patched(company, id, {"reset_error_count": True})
    assert told(company.live, id) == ["callrouter.created", "callrouter.errors_reset"]
    event = company.live.events()[-1]
    assert (event["before"]["recent_errors"], event["after"]) == (3, {"recent_errors": 0})
    # Where there are none, nothing changes.
    patched(company, id, {"reset_error_count": True})
    assert told(company.live, id) == ["callrouter.created", "callrouter.errors_reset"]


def test_errors_of_more_than_an_hour_ago_do_not_count(company: Company):
    id = made(company)
    fail(company, id, 10)
    assert fail(company, id, 10, timedelta(hours=1)) == [False] * 10
    assert fail(company, id, 1, timedelta(hours=1)) == [True]


def test_errors_are_counted_on_the_injected_clock(company: Company):
    id = made(company)
    with at("2026-03-01T12:00:00Z"):
        fail(company, id, 5)
    with at("2026-03-01T12:59:59Z"):
        assert company.live.get(f"{WHOLE}/{id}").json["recent_errors"] == 5
    with at("2026-03-01T13:00:00Z"):
        whole = company.live.get(f"{WHOLE}/{id}").json
        assert (whole["recent_errors"], whole["date_last_error"]) == (0, "2026-03-01T12:00:00")


@given(st.lists(st.integers(0, 8_000_000), max_size=40), st.integers(0, 8_000_000))
def test_the_errors_that_count_are_the_latest_of_one_hour(moments: list[int], now: int):
    counted = rules.recent(moments, now)
    inside = [one for one in moments if now - 3_600_000 < one <= now]
    assert list(counted) == sorted(inside)[-11:]
    assert rules.too_many(counted) == (len(inside) > 10)


def test_a_default_target_is_deleted_only_by_force_and_voicemail_takes_its_calls(company: Company):
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": str(company.office_ids["live"])}).json[
        "id"
    ]
    id = made(company, default_target_type="room", default_target_id=room)
    refused = company.live.delete(f"/api/v2/rooms/{room}")
    assert (refused.status, refused.places) == (409, [f"callrouters/{id}.default_target_id"])
    forced = company.live.delete(f"/api/v2/rooms/{room}?force=true")
    assert [(one.code, one.field) for one in forced.warnings] == [("pointed_at_voicemail", f"callrouters/{id}")]
    assert "they go to voicemail now" in forced.warnings[0].text
    after = company.live.get(f"{ROUTERS}/{id}").json
    assert misfits(after, ApiCallRouterProto) == []
    assert (after["default_target_type"], after["default_target_id"]) == ("unknown", "0")
    assert told(company.live, id)[-1] == "callrouter.pointed_at_voicemail"
    # What is answered can be sent back.
    sent = {name: after[name] for name in ("default_target_type", "default_target_id", "name")}
    assert patched(company, id, sent).codes == {"target_unknown"}
    assert company.live.delete(f"{ROUTERS}/{id}").status == 200


def test_no_circle_comes_about_by_force(company: Company):
    """An office that sends its calls to a router, whose default was a room, would get them back."""
    own = str(company.office_ids["live"])
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": own}).json["id"]
    id = made(company, default_target_type="room", default_target_id=room)
    bridge = state(action="bridge_target", action_target_type="callrouter", action_target_id=id)
    assert company.live.put(f"{OURS}/{own}", office(routing_options=routing(bridge))).status == 200
    company.live.delete(f"/api/v2/rooms/{room}?force=true")
    assert company.live.get(f"{ROUTERS}/{id}").json["default_target_type"] == "unknown"
    assert company.live.delete(f"{ROUTERS}/{id}").places == [f"offices/{own}.routing_options.open.action_target_id"]


def test_loops_through_offices_and_departments_are_warned_of(company: Company):
    own = str(company.office_ids["live"])
    first = made(company, default_target_type="unknown", default_target_id=0)
    bridge = state(action="bridge_target", action_target_type="callrouter", action_target_id=first)
    department = company.live.post(
        "/api/v2/departments", {"name": "Sales", "office_id": own, "routing_options": routing(bridge)}
    ).json["id"]
    there = state(action="department", action_target_type="department", action_target_id=department)
    caller = company.live.made(office(name="Porto", routing_options=routing(there))).id
    closing = patched(company, first, {"default_target_type": "office", "default_target_id": caller, "name": "Night"})
    assert [(one.code, one.field) for one in closing.warnings] == [("target_loop", "default_target_id")]
    assert "Night > Porto > Sales > Night" in closing.warnings[0].text
    # It was said when it came about.
    assert patched(company, first, {"name": "Day"}).codes == set()
    looked = company.live.post(ROUTERS, router(company, default_target_type="department", default_target_id=department))
    assert (looked.status, looked.codes) == (200, {"target_loop"})


def test_a_default_target_that_was_suspended_since_may_stay(company: Company):
    user = person(company)
    id = made(company, default_target_type="user", default_target_id=user)
    assert company.live.patch(f"/api/v2/users/{user}", {"state": "suspended"}).codes == {"calls_not_taken"}
    same = {"default_target_type": "user", "default_target_id": user, "name": "Other"}
    assert patched(company, id, same).json["name"] == "Other"
    assert company.live.post(ROUTERS, router(company, **same)).places == ["default_target_id"]


def test_a_coaching_team_is_the_same_target_under_both_its_names(company: Company):
    teams = "/api/offhook/v1/coaching-teams"
    team = company.live.post(teams, {"name": "T", "office_id": str(company.office_ids["live"])}).json["id"]
    for kind in ("coachingteam", "coachinggroup"):
        id = made(company, default_target_type=kind, default_target_id=team)
        assert company.live.get(f"{ROUTERS}/{id}").json["default_target_type"] == kind
    assert len(company.live.delete(f"{teams}/{team}").errors) == 2
    assert company.live.delete(f"{teams}/{team}?force=true").codes == {"pointed_at_voicemail"}


def test_a_changed_default_target_no_longer_holds_the_old_one(company: Company):
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": str(company.office_ids["live"])}).json[
        "id"
    ]
    id = made(company, default_target_type="room", default_target_id=room)
    patched(company, id, {"default_target_type": "office", "default_target_id": str(company.office_ids["live"])})
    assert company.live.delete(f"/api/v2/rooms/{room}").status == 200


def test_a_router_that_is_deleted_no_longer_holds_its_default_target(company: Company):
    own = str(company.office_ids["live"])
    room = company.live.post("/api/v2/rooms", {"name": "Lobby", "office_id": own}).json["id"]
    id = made(company, default_target_type="room", default_target_id=room)
    company.live.delete(f"{ROUTERS}/{id}")
    assert company.live.delete(f"/api/v2/rooms/{room}").status == 200


def test_a_router_that_calls_are_sent_to_is_deleted_only_by_force(company: Company):
    id = made(company)
    bridge = state(action="bridge_target", action_target_type="callrouter", action_target_id=id)
    caller = company.live.made(office(routing_options=routing(bridge))).id
    refused = company.live.delete(f"{ROUTERS}/{id}")
    assert (refused.status, refused.places) == (409, [f"offices/{caller}.routing_options.open.action_target_id"])
    assert company.live.delete(f"{ROUTERS}/{id}?force=true").codes == {"pointed_at_voicemail"}


def numbered(company: Company, id: str) -> str:
    """Give a router a number, as the assignment of numbers does."""
    number, tenant = company.add_number("+12125557890"), company.tenant()
    principal = company.desk.run(company.desk.offhook.access.authenticate(company.live.key))

    def run(tx: Any) -> None:
        holder = company.desk.offhook.work.holders["callrouter"]
        call, had = Call(principal=principal, params={}), holder.get(tx, tenant, int(id))
        assert had is not None
        assignment.take(tx, call, clock.now(), ("callrouter", int(id)), had, number)
        holder.keep(tx, call, clock.now(), int(id), (number,))
        holding = holder.get(tx, tenant, int(id))
        assert holding is not None
        assert (holding.phone_numbers, holding.first_line) == ((number,), "")
        assert holder.get(tx, tenant, 12) is None

    company.desk.transact(run)
    return number


def test_the_numbers_of_a_router_are_free_when_it_is_deleted(company: Company):
    id = made(company)
    number = numbered(company, id)
    assert company.live.get(f"{ROUTERS}/{id}").json["phone_numbers"] == [number]
    elsewhere = company.live.made(office(name="Other")).id
    moved = patched(company, id, {"office_id": elsewhere})
    assert (moved.status, moved.places) == (409, ["office_id"])
    company.live.delete(f"{ROUTERS}/{id}")
    assert company.live.get(f"/api/v2/numbers/{number}").json["status"] == "available"
    assert told(company.live, number)[-1] == "number.released"


def test_the_routers_of_an_office_that_is_gone_are_gone(company: Company):
    elsewhere = company.live.made(office(name="Other")).id
    id = made(company, office_id=elsewhere, default_target_id=elsewhere)
    stays = made(company, default_target_type="callrouter", default_target_id=id)
    refused = company.live.delete(f"{OURS}/{elsewhere}")
    assert (refused.status, refused.places) == (409, [f"callrouters/{stays}.default_target_id"])
    assert company.live.get(f"{ROUTERS}/{id}").status == 200
    forced = company.live.delete(f"{OURS}/{elsewhere}?force=true")
    pointed = [(one.code, one.field) for one in forced.warnings]
    assert (forced.status, pointed) == (200, [("pointed_at_voicemail", f"callrouters/{stays}")])
    assert company.live.get(f"{ROUTERS}/{id}").status == 404
    assert told(company.live, id) == ["callrouter.created", "callrouter.deleted"]
    assert company.live.get(f"{ROUTERS}/{stays}").json["default_target_type"] == "unknown"


def test_what_goes_with_an_office_does_not_hold_it(company: Company):
    """Its router and its coaching team call each other and the office, and the office calls them; nobody else does."""
    elsewhere = company.live.made(office(name="Other")).id
    team = company.live.post("/api/offhook/v1/coaching-teams", {"name": "T", "office_id": elsewhere}).json["id"]
    last = made(company, office_id=elsewhere, default_target_type="coachinggroup", default_target_id=team)
    first = made(company, office_id=elsewhere, default_target_id=elsewhere)
    middle = made(company, office_id=elsewhere, default_target_type="callrouter", default_target_id=first)
    bridge = state(action="bridge_target", action_target_type="callrouter", action_target_id=middle)
    team_too = state(action="bridge_target", action_target_type="coachinggroup", action_target_id=team)
    company.live.put(f"{OURS}/{elsewhere}", office(name="Other", routing_options=routing(bridge, team_too)))
    number = company.add_number("+12125557891")
    assert company.live.post(f"{ROUTERS}/{middle}/assign_number", {"number": number}).status == 200
    deleted = company.live.delete(f"{OURS}/{elsewhere}")
    assert (deleted.status, deleted.codes) == (200, set())
    for id in (first, middle, last):
        assert company.live.get(f"{ROUTERS}/{id}").status == 404
    free = company.live.get(f"/api/v2/numbers/{number}").json
    assert (free["status"], free.get("office_id")) == ("available", None)


def test_a_team_that_goes_with_its_office_is_deleted_only_by_force_while_it_is_called(company: Company):
    elsewhere = company.live.made(office(name="Other")).id
    team = company.live.post("/api/offhook/v1/coaching-teams", {"name": "T", "office_id": elsewhere}).json["id"]
    id = made(company, default_target_type="coachingteam", default_target_id=team)
    refused = company.live.delete(f"{OURS}/{elsewhere}")
    assert (refused.status, refused.places) == (409, [f"callrouters/{id}.default_target_id"])
    forced = company.live.delete(f"{OURS}/{elsewhere}?force=true")
    assert [(one.code, one.field) for one in forced.warnings] == [("pointed_at_voicemail", f"callrouters/{id}")]


def test_the_secret_is_for_keys_that_may_change_routers(company: Company):
    secret = "s" * 40
    id = made(company, secret=secret)
    reader = key_of(company, person(company), "directory:write")
    for api, seen in ((company.live, secret), (reader, "***")):
        assert api.get(f"{ROUTERS}/{id}").json["signature"]["secret"] == seen
        (listed,) = api.get(ROUTERS).json["items"]
        assert listed["signature"]["secret"] == seen
        assert api.get(f"/api/offhook/v1/callrouters/{id}").json["router"]["signature"]["secret"] == seen
