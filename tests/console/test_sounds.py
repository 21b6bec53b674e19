"""Messages and recordings on pages: heard where a call is told, and all messages in a list."""

from pathlib import Path
from typing import Any

from offhook.directory.lines.model import Target
from offhook.routing.plan import Outgoing
from tests.api.desk import Api, Company
from tests.calls.tapes.sounds import CALLER, wav
from tests.console.lines import lisbon, lobby
from tests.console.test_calls import CLOSED_AT, Telephone, placed
from tests.console.visitor import Visitor


def recorded(company: Company, call: str, box: Target | None) -> None:
    """A message in a box, or a recording, of a call in the sandbox."""
    tapes, tenant, id = company.desk.offhook.tapes, company.tenant("sandbox"), int(call)
    path = tapes.new_message(tenant, id, box) if box is not None else tapes.new_recording(tenant, id)
    Path(path).write_bytes(wav(9))
    ended: Any = tapes.message_left(tenant, id, box, path, 9.0) if box else tapes.recording_made(tenant, id, path, 9.0)
    company.desk.run(ended)


def sources(page: Any) -> list[str]:
    return [one.get("src") for one in page.tags("audio")]


def test_a_call_is_heard_where_it_is_told(visitor: Visitor, embedded: Company):
    id = lisbon(embedded)
    call = placed(embedded, id)
    assert "What was recorded" not in visitor.get(f"/console/calls/{call}").text
    recorded(embedded, call, Target("office", int(id)))
    recorded(embedded, call, None)
    page = visitor.get(f"/console/calls/{call}")
    assert "Message for Lisbon" in page.part("sounds")
    assert "Recording" in page.part("sounds")
    heard = [Api(embedded.desk, "").get(src).response.content for src in sources(page)]
    assert heard == [wav(9), wav(9)]


def test_messages_are_listed_by_box_and_whether_they_were_heard(visitor: Visitor, embedded: Company):
    assert "No message yet." in visitor.get("/console/messages").text
    id = lisbon(embedded)
    recorded(embedded, placed(embedded, id), Target("office", int(id)))
    page = visitor.get("/console/messages")
    assert CALLER not in page.text
    assert "Lisbon +351210000001" in page.text
    assert len(sources(page)) == 1
    box = f"/console/messages?target_type=office&target_id={id}"
    assert box in [one.get("href") for one in page.tags("a")]
    assert len(sources(visitor.get(box))) == 1
    [one] = embedded.sandbox.get("/api/offhook/v1/voicemails").json["items"]
    embedded.sandbox.patch(f"/api/offhook/v1/voicemails/{one['id']}", {"read": True})
    assert "No message like that." in visitor.get("/console/messages?unread=true").text


def test_who_called_from_within_is_told_by_name(visitor: Visitor, embedded: Company):
    box, room = Target("office", int(lisbon(embedded))), lobby(embedded)
    first = Outgoing(CLOSED_AT, f"room:{room}", "7")
    calls, tenant = embedded.desk.offhook.calls, embedded.tenant("sandbox")
    recorded(embedded, str(embedded.desk.run(calls.begin(tenant, first, Telephone()))), box)
    page = visitor.get("/console/messages")
    assert "Lisbon Lobby" in page.text
    assert f"room:{room}" not in page.text


def test_nobody_from_outside_is_told_by_the_name_of_one_within(visitor: Visitor, embedded: Company):
    line, room = lisbon(embedded), lobby(embedded)
    recorded(embedded, placed(embedded, line, f"room:{room}"), Target("office", int(line)))
    page = visitor.get("/console/messages")
    assert (f"Lisbon room%3A{room}" in page.text, "Lobby" in page.text) == (True, False)


def test_a_key_that_may_not_hear_messages_sees_calls_without_them(embedded: Company):
    id = lisbon(embedded)
    call = placed(embedded, id)
    recorded(embedded, call, Target("office", int(id)))
    deaf = Visitor(embedded.desk)
    deaf.sign_in(embedded.key("calls:read", "offices:read", environment="sandbox").key)
    assert sources(deaf.get(f"/console/calls/{call}")) == []
    assert "lacks the scope recordings:read" in deaf.get("/console/messages").text
