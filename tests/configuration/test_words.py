"""What is said of a file is said in its words: by what records are called, and by the fields that a file has."""

from typing import Any

import pytest

from offhook.configuration.wording import article, in_words_of_file
from tests.api.desk import Company, office
from tests.configuration.files import apply, document, export, lisbon, plan, refused, told
from tests.configuration.test_prompts import uploaded


def test_a_number_that_another_has_is_named_with_who_has_it(company: Company):
    number = company.numbers[0]
    ana = {"office": "Head office", "phone_numbers": [number]}
    apply(company.sandbox, document(users={"ana@example.com": ana, "rui@example.com": {"office": "Head office"}}))
    answer = refused(company.sandbox, document(users={"rui@example.com": {"phone_numbers": [number]}}))
    assert answer.places == ["users.rui@example.com.phone_numbers[0]"]
    text = answer.errors[0]["message"]
    assert "taken by user ana@example.com" in text
    assert "phone_numbers there ([] for none)" in text


def test_a_missing_line_is_one_of_the_files_licences(company: Company):
    wanted = document(
        offices={"Lisbon": lisbon(licences={"talk_lines": 1})},
        users={"eva@example.com": {"office": "Lisbon", "license": "agents"}},
    )
    text = refused(company.live, wanted).errors[0]["message"]
    assert "office Lisbon has no free" in text
    assert "in the licences of that office" in text
    assert "sell_lines" in text
    assert "POST" not in text


def test_what_cannot_be_pruned_is_named_with_who_calls_it(company: Company):
    apply(
        company.live,
        document(
            offices={"Lisbon": lisbon()},
            departments={"Lisbon/Sales": {}},
            callrouters={
                "Lisbon/Night": {
                    "routing_url": "https://example.com/route",
                    "default_target": "department Lisbon/Sales",
                }
            },
        ),
    )
    answer = refused(company.live, document(departments={}), prune=True)
    assert answer.places == ["departments.Lisbon/Sales"]
    text = answer.errors[0]["message"]
    assert "callrouters.Lisbon/Night.default_target" in text
    assert "force" not in text


def test_a_prompt_that_is_kept_says_so_by_names(embedded: Company):
    uploaded(embedded, "Welcome", 8000)
    found = export(embedded.live)
    found["offices"]["Lisbon"] = lisbon()
    found["prompts"]["Welcome"]["played_by"] = [{"target": "office Lisbon", "ivr_type": "MENU"}]
    warned = [one for one in plan(embedded.live, found)["warnings"] if one["code"] == "prompt_kept"]
    assert [(one["field"], one["text"]) for one in warned] == [
        ("prompts.Welcome.played_by", "It is kept, as the office Lisbon has it for MENU.")
    ]


def test_two_of_a_name_are_one_fault_and_what_names_them_none(company: Company):
    number = "+442071838750"
    apply(company.live, document(offices={"Lisbon": lisbon()}, numbers={number: {"office": "Lisbon"}}))
    kept = document(offices={"Lisbon": {}}, numbers={number: {"office": "Lisbon"}})
    assert plan(company.live, kept)["differs"] is False
    assert company.live.post("/api/v2/offices", office(name="Lisbon")).status == 200
    assert refused(company.live, kept).places == ["offices.Lisbon"]
    alone = refused(company.live, document(numbers={number: {"office": "Lisbon"}}))
    assert alone.places == [f"numbers.{number}.office"]
    assert "several that are called so; say which: Lisbon (id " in alone.errors[0]["message"]


def test_a_field_that_there_is_not_hides_no_other_fault(company: Company):
    wanted = document(
        offices={
            "Lisbon": lisbon(
                colour="blue",
                hours={"monday": "9-5"},
                routing_options={"open": {"action": "department", "target": "department Lisbon/Nobody"}},
            )
        }
    )
    assert refused(company.live, wanted).places == [
        "offices.Lisbon.colour",
        "offices.Lisbon.hours.monday[0]",
        "offices.Lisbon.hours.monday[1]",
        "offices.Lisbon.routing_options.open.target",
    ]


def test_a_misspelt_field_is_one_fault(embedded: Company):
    wanted = lisbon()
    wanted["curency"] = wanted.pop("currency")
    answer = refused(embedded.live, document(offices={"Lisbon": wanted}))
    assert answer.places == ["offices.Lisbon.curency"]
    assert "An office has no such field: did you mean currency?" in answer.errors[0]["message"]


def test_a_document_without_a_version_is_not_told_what_it_sent(embedded: Company):
    assert "sent" not in refused(embedded.live, {"offices": {}}).errors[0]


def routing(company: Company, **states: Any) -> Any:
    apply(company.live, document(offices={"Lisbon": {"routing_options": states}}))
    return export(company.live)["offices"]["Lisbon"].get("routing_options", {})


def test_operators_are_rung_as_before_unless_the_file_says_otherwise(embedded: Company):
    apply(embedded.live, document(offices={"Lisbon": lisbon()}))
    menu = {"action": "menu", "dtmf": [{"input": 1, "action": "voicemail"}]}
    assert routing(embedded, open=menu)["open"]["try_dial_operators"] is True
    assert routing(embedded, open={"action": "voicemail", "try_dial_operators": False})["open"] == {
        "action": "voicemail",
        "try_dial_operators": False,
    }
    assert routing(embedded, open=menu)["open"]["try_dial_operators"] is False
    assert routing(embedded, closed=menu)["closed"]["try_dial_operators"] is False


def test_a_sandboxes_stock_is_neither_exported_nor_pruned(company: Company):
    api, number = company.sandbox, company.numbers[3]
    found = export(api)
    assert found["numbers"] == {}
    assert plan(api, found, prune=True)["differs"] is False
    wanted = document(users={"ana@example.com": {"office": "Head office", "phone_numbers": [number]}})
    apply(api, wanted)
    assert list(export(api)["numbers"]) == [number]
    # A file from before it was given to somebody does not take it out of the inventory.
    assert told(plan(api, {"version": 1, "numbers": found["numbers"]}, prune=True)) == []


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("It was kept for the office 187589667901440.", "It was kept for the office Lisbon."),
        ("by call center 187589667901440", "by call center Lisbon"),
        ("line 12 of 34", "line 12 of 34"),
    ],
)
def test_ids_become_names(said: str, instead: str):
    assert in_words_of_file(said, lambda _word, _id: "Lisbon") == instead


def test_an_article_fits_its_noun():
    assert [article(one) for one in ("offices", "users", "callcenters", "policies")] == [
        "An office",
        "A user",
        "A call center",
        "An access control policy",
    ]
