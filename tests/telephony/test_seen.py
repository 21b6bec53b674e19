"""What operators see of a call over the wire: where it is while it lasts, its ladder when it is over, its figures."""

import http.client
import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from offhook.telephony.port import DIED
from tests.survival.process import Process
from tests.telephony.calling_in import CALLER, SETTINGS, V1, V2, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Process(tmp_path_factory.mktemp("seen") / "data", settings=SETTINGS) as server:
        one = House(server)
        yield one
        one.close()
        assert server.faults() == []


def live(house: House, phase: str) -> Any:
    """The one call under way, once it is there."""
    found = house.until(f"{V1}/calls/live", lambda said: [one["phase"] for one in said["items"]] == [phase])
    return found["items"][0]


def over(house: House, id: str) -> Any:
    """The ladder of a call whose telephones have all told what there is to tell."""
    return house.until(
        f"{V1}/calls/{id}/ladder",
        lambda said: said["over"] and all(one.get("phones") for one in said["parties"] if one["kind"] != "house"),
    )


@contextmanager
def watching(house: House) -> Iterator[http.client.HTTPResponse]:
    """The stream of somebody who watches calls."""
    assert house.server.company is not None
    connection = http.client.HTTPConnection("127.0.0.1", house.server.port, timeout=15)
    with closing(connection):
        connection.request(
            "GET", f"{V1}/calls/live/events", headers={"Authorization": f"Bearer {house.server.company.sandbox_key}"}
        )
        yield connection.getresponse()


def test_a_call_is_seen_while_it_lasts_and_its_ladder_and_figures_are_there_behind_it(house: House):
    before = house.metrics()
    call = house.call()
    call.ring()
    assert live(house, "ringing")["words"] == "Ringing Ann and Bob"
    call.answer("Ann")
    talking = live(house, "talking")
    assert (talking["words"], talking["caller"], talking["direction"]) == ("Talking with Ann", CALLER, "inbound")
    house.count('offhook_calls_live{direction="inbound"}', 1)
    house.count("offhook_legs_live", 2)
    call.speak(50, missing=(10, 11, 12, 13, 14))
    call.hang_up()
    ladder = over(house, talking["id"])
    names = [one["name"] for one in ladder["parties"]]
    assert names == [CALLER, "Offhook", "Ann", "Bob"]
    told = [(names[one["start"]], names[one["end"]], one["text"]) for one in ladder["arrows"]]
    assert (CALLER, "Offhook", f"calls {house.number}") in told
    assert ("Ann", "Offhook", "it rings") in told
    assert ("Ann", "Offhook", "answers") in told
    assert ("Offhook", "Bob", "answered elsewhere") in told
    assert ("Ann", CALLER, "connected") in told
    assert (CALLER, "Offhook", "hangs up") in told
    caller, _, _, bob = ladder["parties"]
    sound = caller["phones"][0]
    assert (sound["codec"], sound["packets"], sound["lost"]) == ("PCMU", 45, 5)
    assert (bob["phones"][0]["code"], bob["cause"]) == (487, "answered elsewhere")
    assert bob["phones"][0]["address"] == f"127.0.0.1:{house.phones['Bob'].address[1]}"
    house.count('offhook_rtp_packets_total{what="received"}', before['offhook_rtp_packets_total{what="received"}'] + 45)
    now = house.metrics()

    def more(name: str) -> float:
        return now[name] - before[name]

    assert more('offhook_calls_ended_total{outcome="answered"}') == 1
    assert now['offhook_calls_live{direction="inbound"}'] == 0
    assert more("offhook_call_answer_seconds_count") == 1
    assert more("offhook_leg_ring_seconds_count") == 2
    house.count("offhook_registrations", 2)
    assert now["offhook_sip_worker_restarts_total"] == now["offhook_sip_worker_hangs_total"] == 0
    refused = 'offhook_sip_refused_total{reason="malformed"}'
    house.carrier.send(b"what is no message of SIP")
    house.count(refused, before[refused] + 1)
    assert more('offhook_rtp_packets_total{what="received"}') == 45
    assert more('offhook_rtp_packets_total{what="lost"}') == 5
    assert house.get(f"{V1}/calls/live")["items"] == []


def test_no_carriers_caller_is_seen_as_one_of_the_company(house: House):
    [ann] = [one["id"] for one in house.get(f"{V2}/users")["items"] if "ann@example.com" in one["emails"]]
    sent = f"user%3A{ann}"
    call = house.call(sent)
    call.ring()
    ringing = live(house, "ringing")
    assert (ringing["caller"], ringing["caller_name"], ringing["direction"]) == (sent, "", "inbound")
    call.cancel()
    ladder = over(house, ringing["id"])
    assert ladder["parties"][0]["name"] == sent
    [listed] = [one for one in house.get(f"{V1}/calls")["items"] if one["id"] == ringing["id"]]
    assert (listed["caller"], listed["caller_name"]) == (sent, "")


def between(ladder: Any) -> list[tuple[str, str, str]]:
    """The arrows of a ladder: from whom, to whom, what."""
    names = [one["name"] for one in ladder["parties"]]
    return [(names[one["start"]], names[one["end"]], one["text"]) for one in ladder["arrows"]]


def test_while_a_call_lasts_it_is_known_since_when_and_what_is_refused_is_not_shown_as_done(house: House):
    call = house.call()
    call.ring()
    ringing = live(house, "ringing")
    _, _, ann, bob = house.get(f"{V1}/calls/{ringing['id']}/ladder")["parties"]
    assert [(leg["words"], "rang" in leg, "taken" in leg) for leg in ann["legs"] + bob["legs"]] == [
        ("rings", True, False), ("rings", True, False)
    ]  # fmt: skip
    call.answer("Ann")
    talking = live(house, "talking")
    caller, _, ann, bob = house.get(f"{V1}/calls/{talking['id']}/ladder")["parties"]
    assert [leg["words"] for one in (caller, ann, bob) for leg in one["legs"]] == [
        "in the call", "in the call", "answered elsewhere"
    ]  # fmt: skip
    assert ann["legs"][0]["taken"] >= ann["legs"][0]["rang"]
    user = ann["id"].removeprefix("user:")
    refused = house.ask("POST", f"{V2}/call/{talking['id']}/unpark", {"user_id": user})
    assert refused.status == 409
    call.hang_up()
    told = between(over(house, talking["id"]))
    assert ("Ann", "Offhook", "asks for the parked call") in told
    assert ("Offhook", "Ann", "refuses: the call is not where that can be done") in told
    assert not [line for line in told if "off park" in line[2]]


def test_a_call_that_was_placed_is_hung_up_while_its_user_is_rung(house: House):
    [ann] = [one["id"] for one in house.get(f"{V2}/users")["items"] if one["first_name"] == "Ann"]
    placed = house.post(f"{V2}/call", {"user_id": ann, "phone_number": CALLER})["call_id"]
    phone = house.phones["Ann"]
    invite = phone.hear("INVITE", 15.0)
    phone.reply(invite, 180, tag="tAnn")
    answer = house.ask("PUT", f"{V2}/call/{placed}/actions/hangup")
    assert (answer.status, answer.json) == (200, {})
    phone.reply(phone.hear("CANCEL"), 200, tag="tAnn")
    phone.reply(invite, 487, tag="tAnn")
    phone.hear("ACK")
    shown = house.until(f"{V2}/call/{placed}", lambda said: said["state"] != "calling")
    assert (shown["state"], shown["direction"], shown["ended_by"]) == ("missed", "outbound", "ended")
    assert between(house.get(f"{V1}/calls/{placed}/ladder")) == [
        ("Ann", "Offhook", f"dials {CALLER}"),
        ("Offhook", "Ann", "rings for up to 45 s"),
        ("Offhook", "Ann", "hangs up from here"),
    ]


def test_a_call_that_is_refused_is_refused_by_offhook_and_listed_by_name(house: House):
    house.refused("Ann", "+351210000000", 403)
    found = house.until(f"{V1}/calls", lambda said: said["items"][0]["dialled"] == "+351210000000")["items"][0]
    assert (found["caller_name"], found["caller"].partition(":")[0]) == ("Ann", "user")
    ladder = over(house, found["id"])
    [asked, (start, end, text)] = between(ladder)
    assert asked == ("Ann", "Offhook", "dials +351210000000")
    assert (start, end) == ("Offhook", "Ann")
    assert text.startswith("answers 403 (forbidden): +351210000000 is abroad")
    [phone] = ladder["parties"][0]["phones"]
    assert (phone["code"], phone["cause"]) == (403, "forbidden")
    house.refused("Bob", "7", 404)


def test_a_call_that_the_api_ends_is_told_as_it_goes_to_who_watches(house: House):
    with watching(house) as stream:
        assert stream.headers["content-type"] == "text/event-stream"

        def heard(words: str) -> Any:
            """The first message in which the one call, or with "" none, is there."""
            while True:
                line = stream.readline().decode()
                assert line, "the stream ended"
                if line.startswith("data: "):
                    told = json.loads(line.removeprefix("data: "))
                    if [one["words"] for one in told["items"]] == ([words] if words else []):
                        return told["items"]

        heard("")
        call = house.call()
        call.ring()
        heard("Ringing Ann and Bob")
        call.answer("Bob")
        [talking] = heard("Talking with Bob")
        assert house.ask("PUT", f"{V2}/call/{talking['id']}/actions/hangup").status == 200
        call.call.peer.reply(call.call.peer.hear("BYE"), 200)
        call.left()
        heard("")
        ladder = over(house, talking["id"])
        last = ladder["arrows"][-1]
        assert (last["start"], last["end"], last["text"]) == (1, 0, "hangs up from here")


def test_a_caller_to_whom_beeps_stood_for_a_greeting_and_who_leaves_is_told_of_so(house: House):
    name = 'offhook_prompts_heard_total{made_from="tones"}'
    before = house.metrics().get(name, 0.0)
    call = house.call()
    call.ring()
    for who, invite in call.invites.items():
        house.phones[who].reply(invite, 486, tag=f"t{who}")
        house.phones[who].hear("ACK")
    call.call.heard(200)
    call.call.ack()
    house.count(name, before + 1)
    leaving = live(house, "voicemail")
    call.call.next("BYE")
    call.call.peer.hear("200 BYE")
    ladder = over(house, leaving["id"])
    assert ladder["beeped"] is True
    told = between(ladder)
    assert any(text.startswith('Beeps, in place of "') for _, _, text in told)
    assert told[-1][1:] == ("Offhook", "hangs up")
    assert "Beeps, in place of" in house.get(f"{V1}/calls/{leaving['id']}/trace")["text"]


def test_a_telephone_process_that_is_killed_is_why_its_call_ended_and_is_counted(house: House):
    before = house.metrics()
    call = house.call()
    call.ring()
    call.answer("Ann")
    talking = live(house, "talking")
    os.kill(worker_of(house), signal.SIGKILL)
    ladder = over(house, talking["id"])
    assert "cuts off: the telephone process ended" in [one["text"] for one in ladder["arrows"]]
    causes = {one["name"]: one["phones"][0]["cause"] for one in ladder["parties"] if one["kind"] != "house"}
    assert causes == {CALLER: DIED, "Ann": DIED, "Bob": "cancelled"}
    house.count("offhook_sip_worker_restarts_total", 1)
    house.count("offhook_legs_live", 0)
    packets = 'offhook_rtp_packets_total{what="received"}'
    assert house.metrics()[packets] == before[packets], "What was counted before is not forgotten."


def worker_of(house: House) -> int:
    """The id of the server's telephone process."""
    assert house.server.process is not None
    tasks = Path(f"/proc/{house.server.process.pid}/task").glob("*/children")
    children = {int(id) for task in tasks for id in task.read_text().split()}
    [found] = [id for id in children if b"offhook.telephony.worker\0" in Path(f"/proc/{id}/cmdline").read_bytes()]
    return found


def test_who_watches_is_let_go_at_once_when_the_server_stops(house: House):
    with watching(house) as stream:
        while stream.readline() != b"event: calls\n":
            pass
        _, seconds = house.server.terminate(10)
        assert stream.read().count(b"event:") == 0
    assert seconds < 6
