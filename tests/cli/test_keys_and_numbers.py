"""Keys and numbers, from making them to losing them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from offhook.kit import clock
from tests.cli.conftest import Run


def test_a_new_key_works_within_its_scopes_until_it_is_revoked(offhook: Run, company: Any) -> None:
    made = offhook("key", "create", "--name", "reports", "--scope", "offices:read", "--json").json
    key = made["key"]
    assert offhook("office", "list", "--key", key).status == 0
    refused = offhook("number", "list", "--json")
    assert refused.status == 0
    forbidden = offhook("office", "create", "-", "--key", key, stdin="{}")
    assert (forbidden.status, "offices:write" in forbidden.err) == (1, True)
    assert offhook("key", "revoke", made["id"]).status == 0
    ended = offhook("office", "list", "--key", key)
    assert (ended.status, "not valid" in ended.err) == (1, True)


def test_whose_key_it_is_is_said(offhook: Run, company: Any) -> None:
    said = offhook("key", "create").out
    (line,) = [line for line in said.splitlines() if line.split()[:1] == ["company"]]
    assert f"({company['company_id']})" in line


def test_the_list_shows_use_and_state_and_never_a_key(offhook: Run, company: Any) -> None:
    offhook("office", "list", "--key", company["sandbox_key"])
    offhook("key", "revoke", company["live_key"])
    said = offhook("key", "list", "--json")
    live, sandbox = said.json["keys"]
    assert (live["state"], live["last_used_at"]) == ("revoked", None)
    assert (sandbox["state"], sandbox["last_used_at"] is not None) == ("active", True)
    plain = offhook("key", "list")
    assert company["live_key"] not in plain.out + said.out
    assert live["prefix"] in plain.out


def test_the_last_admin_key_goes_with_a_word_on_how_to_get_another(offhook: Run, company: Any) -> None:
    said = offhook("key", "revoke", company["sandbox_key"][: len("ohk_sandbox_") + 4])
    assert said.status == 0
    assert "offhook key create --environment sandbox" in said.err
    assert company["sandbox_key"] not in said.out + said.err
    assert "revoked before" in offhook("key", "revoke", company["sandbox_key"]).out


def test_a_key_that_is_not_there_cannot_be_revoked(offhook: Run, company: Any) -> None:
    for wanted in ("12", "ohk_live_nope", ""):
        assert offhook("key", "revoke", wanted).status == 1


@pytest.mark.parametrize(("span", "hours"), [("30m", 0.5), ("12h", 12), ("90d", 2160), ("52w", 8736)])
def test_a_key_ends_when_it_was_said_to(offhook: Run, company: Any, span: str, hours: int) -> None:
    before = clock.wall()
    made = offhook("key", "create", "--expires-in", span, "--json").json
    assert int(made["expires_at"]) / 1000 - before == pytest.approx(hours * 3600, abs=60)


@pytest.mark.parametrize("span", ["", "3", "0d", "-1d", "5y", "1.5d", "99999w"])
def test_a_span_that_cannot_be_read_is_refused(offhook: Run, company: Any, span: str) -> None:
    said = offhook("key", "create", "--expires-in", span)
    assert (said.status, "90d" in said.err, said.out) == (1, True, "")


def test_an_unknown_scope_is_refused_with_those_that_there_are(offhook: Run, company: Any) -> None:
    said = offhook("key", "create", "--scope", "everything", "--json")
    assert said.status == 1
    assert "offices:read" in said.err
    assert said.json["error"]["errors"][0]["location"] == "scopes"


def test_what_is_done_to_keys_and_numbers_is_in_the_event_log(offhook: Run, company: Any, server: Any) -> None:
    made = offhook("key", "create", "--name", "reports", "--json").json
    offhook("key", "revoke", made["id"])
    offhook("number", "add", "+442071838750")
    answer = httpx.get(
        server.url + "/api/offhook/v1/events", headers={"Authorization": f"Bearer {company['live_key']}"}
    )
    words = [(event["event"], event["subject_id"]) for event in answer.json()["items"]]
    assert words[-3:] == [
        ("key.created", made["id"]),
        ("key.revoked", made["id"]),
        ("number.added", "+442071838750"),
    ]
    assert made["key"] not in answer.text


def test_numbers_are_added_each_by_itself(offhook: Run, company: Any) -> None:
    said = offhook("number", "add", "+442071838750", "+14155550123", "12", "+442071838750", "--json")
    assert said.status == 1
    assert said.json["added"] == ["+442071838750"]
    assert [entry["number"] for entry in said.json["refused"]] == ["+14155550123", "12", "+442071838750"]
    for reason in ("fiction", "E.164", "already"):
        assert reason in said.err
    listed = offhook("number", "list", "--json").json["numbers"]
    assert [(row["number"], row["free"]) for row in listed] == [("+442071838750", True)]
    added = datetime.fromtimestamp(int(listed[0]["added_at"]) / 1000, UTC)
    assert abs((clock.now() - added).total_seconds()) < 60


def test_a_number_that_an_office_has_is_not_free(offhook: Run, company: Any, example: str) -> None:
    made = offhook("office", "create", example, "--environment", "sandbox", "--json").json["office"]
    rows = offhook("number", "list", "--environment", "sandbox", "--json").json["numbers"]
    taken = [row for row in rows if not row["free"]]
    assert [(row["number"], row["target_id"]) for row in taken] == [(made["phone_numbers"][0], made["id"])]
    free = offhook("number", "list", "-e", "sandbox", "--free")
    assert made["phone_numbers"][0] not in free.out
    assert len(free.out.splitlines()) == 100


def test_a_key_of_a_user_is_theirs_and_may_do_little_unless_said(offhook: Run, company: Any, server: Any) -> None:
    refused = offhook("key", "create", "--user", "ann@example.com", "--environment", "sandbox")
    assert (refused.status, "ann@example.com" in refused.err) == (1, True)
    hired = httpx.post(
        server.url + "/api/v2/users",
        headers={"Authorization": f"Bearer {company['sandbox_key']}"},
        json={"email": "ann@example.com", "office_id": company["sandbox_office_id"]},
    )
    made = offhook("key", "create", "--user", "Ann@Example.com", "--environment", "sandbox", "--json").json
    assert made["scopes"] == ["directory:write"]
    assert made["user_id"] == hired.json()["id"]
    mine = httpx.get(server.url + "/api/v2/users/me", headers={"Authorization": f"Bearer {made['key']}"})
    assert mine.json()["id"] == made["user_id"]
    assert offhook("key", "list", "--json").json["keys"][-1]["user_id"] == made["user_id"]
    more = offhook("key", "create", "--user", "ann@example.com", "--scope", "offices:read", "--environment", "sandbox")
    assert (more.status, made["user_id"] in more.out, "offices:read" in more.out) == (0, True, True)
    assert offhook("key", "create", "--user", "ann@example.com").status == 1
