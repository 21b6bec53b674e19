"""What callers hear, on the page of a line."""

import pytest

from offhook.telephony.sound.samples import of_wav
from tests.api.desk import Company
from tests.console.lines import lisbon
from tests.console.visitor import Visitor


@pytest.fixture
def path(embedded: Company) -> str:
    return f"/console/offices/{lisbon(embedded)}"


def test_a_page_has_a_player_for_every_prompt_and_says_what_it_is_made_from(visitor: Visitor, path: str):
    page = visitor.get(path)
    players = page.tags("audio")
    assert players
    text = page.part("heard")
    engine = visitor.desk.offhook.speech.sounds.engine
    assert ("Nothing on this machine speaks" in text) is (engine is None)
    assert ("beeps" if engine is None else "its text, by") in text
    for player in players:
        answer = visitor.get(player["src"])
        assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
        assert 0.5 < len(of_wav(answer.content, 60)) / 8000 < 60
        assert "media-src 'self'" in answer.headers["content-security-policy"]


def test_who_is_not_signed_in_hears_nothing(visitor: Visitor, stranger: Visitor, path: str):
    player = visitor.get(path).tags("audio")[0]
    answer = stranger.get(player["src"])
    assert answer.status == 303
    assert answer.headers["location"].startswith("/console/sign-in")


def test_another_companys_prompts_are_not_heard(visitor: Visitor, embedded: Company, path: str):
    player = visitor.get(path).tags("audio")[0]
    other = Visitor(embedded.desk)
    other.sign_in(embedded.desk.found().sandbox.key)
    assert other.get(player["src"]).status == 404
