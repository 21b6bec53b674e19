"""Voice prompts in a file: what they are called and who plays them; their sound is uploaded."""

import base64
import hashlib
import io
import wave

from tests.api.desk import Company
from tests.configuration.files import apply, document, export, lisbon, plan, refused, told


def recording(length: int) -> bytes:
    """A WAV file of silence, which `length` tells from others."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(bytes(2 * length))
    return file.getvalue()


def uploaded(company: Company, name: str, length: int) -> str:
    body = {
        "file": base64.b64encode(recording(length)).decode(),
        "ivr_type": "MENU",
        "target_type": "office",
        "target_id": str(company.office_ids["live"]),
        "name": name,
    }
    made = company.live.post("/api/v2/customivrs", body)
    assert made.status == 200, made
    return str(made.json["id"])


def test_prompts_are_exported_and_given_to_others(company: Company):
    uploaded(company, "Welcome", 8000)
    uploaded(company, "Welcome in May", 8008)
    found = export(company.live)
    assert found["prompts"] == {
        "Welcome": {"digest": hashlib.sha256(recording(8000)).hexdigest()},
        "Welcome in May": {
            "digest": hashlib.sha256(recording(8008)).hexdigest(),
            "played_by": [{"target": "office Head office", "ivr_type": "MENU"}],
        },
    }
    assert plan(company.live, found, prune=True)["differs"] is False
    wanted = document(
        offices={"Lisbon": lisbon()},
        prompts={
            "Welcome": {
                "description": "All year",
                "played_by": [
                    {"target": "office Lisbon", "ivr_type": "MENU"},
                    {"target": "office Head office", "ivr_type": "MENU"},
                ],
            },
        },
    )
    done = apply(company.live, wanted)
    assert told(done)[1:] == [
        "change prompts Welcome: description, played_by",
        "change prompts Welcome in May: played_by",
    ]
    assert plan(company.live, wanted)["differs"] is False
    assert told(apply(company.live, document(prompts={"Welcome": {}}), prune=True)) == [
        "change prompts Welcome: description",
        "delete prompts Welcome in May",
    ]


def test_a_prompt_that_was_not_uploaded_is_warned_of_and_the_rest_is_applied(company: Company):
    wanted = document(
        rooms={"Head office/Lobby": {}},
        prompts={"Welcome": {"played_by": [{"target": "office Head office", "ivr_type": "MENU"}]}},
    )
    done = apply(company.live, wanted)
    assert told(done) == ["create rooms Head office/Lobby"]
    assert [(one["code"], one["field"]) for one in done["warnings"]] == [("prompt_not_uploaded", "prompts.Welcome")]


def test_who_shall_play_it_must_be_there(embedded: Company):
    uploaded(embedded, "Welcome", 8000)
    plays = [{"target": "office Nowhere", "ivr_type": "MENU"}, {"target": "office Head office", "ivr_type": "JINGLE"}]
    answer = refused(embedded.live, document(prompts={"Welcome": {"played_by": plays[:1]}}))
    assert answer.places == ["prompts.Welcome.played_by[0].target"]
    answer = refused(embedded.live, document(prompts={"Welcome": {"played_by": plays[1:]}}))
    assert answer.places[0].startswith("prompts.Welcome.played_by[0]")
