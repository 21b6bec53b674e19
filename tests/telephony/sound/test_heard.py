"""What callers of a line hear, by the API; and made at once when the line is changed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offhook.kit.settings import Settings
from offhook.routing.plan import Prompt
from offhook.telephony.sound import warming
from offhook.telephony.sound.samples import of_wav
from offhook.telephony.sound.warming import Warming
from tests.api.conftest import runner
from tests.api.desk import Desk, office, routing, state, to
from tests.directory.recordings import tone, uploaded, wav
from tests.telephony.sound.speaking import Speaker, own_there, pitch

__all__ = ["runner"]

V1 = "/api/offhook/v1"


class Spoken:
    """A company on a server whose prompts are spoken by a program of the settings."""

    def __init__(self, desk: Desk, speaker: Speaker) -> None:
        self.desk, self.speaker = desk, speaker
        self.company = desk.found()
        self.office = f"{V1}/offices/{self.company.office_ids['live']}"
        self.warming = Warming(desk.offhook.reader, desk.offhook.snapshots.of, desk.offhook.speech.sounds)

    def heard(self, path: str = "") -> list[dict[str, Any]]:
        answer = self.company.live.get(f"{path or self.office}/heard")
        assert answer.status == 200, answer
        assert answer.json["engine"] == "command"
        return list(answer.json["items"])

    def look(self) -> int:
        """Make what was changed."""
        return self.desk.run(self.warming.look())


@pytest.fixture(scope="module")
def served(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Speaker]]:
    folder = tmp_path_factory.mktemp("speech")
    own_there(folder / "sounds")
    speaker = Speaker(folder / "speaker")
    command = " ".join(speaker.engine.command)
    desk = Desk(runner, Settings(data=str(folder), access_log=False, speech="command", speech_command=command))
    yield desk, speaker
    desk.close()


@pytest.fixture
def spoken(served: tuple[Desk, Speaker]) -> Spoken:
    return Spoken(*served)


def test_every_prompt_of_a_line_is_told_with_what_it_is_made_from(spoken: Spoken):
    first = spoken.heard()
    assert {one["made_from"] for one in first} == {"spoken"}
    digest = _recorded(spoken, next(one["purpose"] for one in first if one.get("purpose")))
    assert {one["recording"] for one in spoken.heard() if one["made_from"] == "recording"} == {digest}


def test_what_is_not_made_yet_has_no_length(spoken: Spoken):
    made = spoken.company.live.post("/api/v2/departments", {"name": "Later", "office_id": spoken.office.split("/")[-1]})
    assert all(
        "seconds" not in one and "fault" not in one for one in spoken.heard(f"{V1}/departments/{made.json['id']}")
    )


def _recorded(spoken: Spoken, purpose: str) -> str:
    id = uploaded(spoken.company, wav(tone(440, 1.0)), ivr_type=purpose)
    return str(spoken.company.live.get(f"{V1}/prompts/{id}").json["digest"])


def test_a_prompt_can_be_listened_to_as_callers_hear_it(spoken: Spoken):
    one = spoken.heard()[0]
    answer = spoken.company.live.get(f"{spoken.office}/heard/{one['id']}/audio")
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.headers["offhook-made-from"] == "spoken"
    sound = of_wav(answer.response.content, 60)
    assert pitch(sound) == pytest.approx(700 + 10 * (len(one["text"]) % 30), abs=2)
    (now,) = [again for again in spoken.heard() if again["id"] == one["id"]]
    assert now["seconds"] == pytest.approx(len(sound) / 8000)


def test_an_uploaded_prompt_is_heard_as_it_was_recorded(spoken: Spoken):
    purpose = next(one["purpose"] for one in spoken.heard() if one.get("purpose"))
    _recorded(spoken, purpose)
    (one,) = [one for one in spoken.heard() if one["made_from"] == "recording"]
    answer = spoken.company.live.get(f"{spoken.office}/heard/{one['id']}/audio")
    assert answer.headers["offhook-made-from"] == "recording"
    assert pitch(of_wav(answer.response.content, 60)) == pytest.approx(440, abs=1)


@pytest.mark.parametrize("path", ["/heard/0123456789abcdef/audio", "/heard/..%2f..%2fx/audio"])
def test_what_no_caller_hears_is_not_found(spoken: Spoken, path: str):
    assert spoken.company.live.get(spoken.office + path).status == 404


def test_another_companys_line_is_not_found(spoken: Spoken):
    other = spoken.desk.found()
    one = spoken.heard()[0]
    assert other.live.get(f"{spoken.office}/heard").status == 404
    assert other.live.get(f"{spoken.office}/heard/{one['id']}/audio").status == 404


# Beforehand


def test_a_line_that_is_changed_is_spoken_before_anybody_calls(spoken: Spoken):
    assert spoken.look() == 0
    made = spoken.company.live.post("/api/v2/departments", {"name": "Sales", "office_id": spoken.office.split("/")[-1]})
    department = f"{V1}/departments/{made.json['id']}"
    assert spoken.look() > 0
    assert all(one["seconds"] for one in spoken.heard(department))
    before = len(spoken.speaker.texts)
    assert spoken.look() == 0
    assert spoken.company.live.patch(f"/api/v2/departments/{made.json['id']}", {"name": "Big sales"}).status == 200
    assert spoken.look() > 0
    assert any("Big sales" in text for text in spoken.speaker.texts[before:])
    assert all(one["seconds"] for one in spoken.heard(department))


def test_a_menu_that_names_what_was_renamed_is_spoken_anew(spoken: Spoken):
    office_id = spoken.office.split("/")[-1]
    made = spoken.company.live.post("/api/v2/departments", {"name": "Repairs", "office_id": office_id}).json["id"]
    menu = state(try_dial_operators=False, action="menu", dtmf=[{"input": "1", "options": to("department", made)}])
    other = spoken.company.live.made(office(name="Aside", routing_options=routing(menu, menu))).id
    spoken.look()
    spoken.company.live.patch(f"/api/v2/departments/{made}", {"name": "Workshop"})
    spoken.look()
    menus = [one for one in spoken.heard(f"{V1}/offices/{other}") if "Press 1" in one["text"]]
    assert menus
    assert all("for Workshop" in one["text"] and one["seconds"] for one in menus)


def test_a_flood_of_changes_is_passed_over(spoken: Spoken, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(warming, "MOST_EVENTS", 2)
    spoken.look()
    for name in ("a", "b", "c"):
        spoken.company.live.post("/api/v2/departments", {"name": name, "office_id": spoken.office.split("/")[-1]})
    assert spoken.look() == 0


def test_a_call_after_a_change_hears_it_at_once(spoken: Spoken, tmp_path: Path):
    spoken.look()
    made = spoken.company.live.post("/api/v2/departments", {"name": "Now", "office_id": spoken.office.split("/")[-1]})
    spoken.look()
    one = spoken.heard(f"{V1}/departments/{made.json['id']}")[0]
    sounds, tenant = spoken.desk.offhook.speech.sounds, spoken.company.tenant()
    prompt = Prompt(one["text"], one.get("purpose", ""))
    before = len(spoken.speaker.texts)
    assert spoken.desk.run(sounds.of_prompt(tenant, prompt))
    assert len(spoken.speaker.texts) == before
