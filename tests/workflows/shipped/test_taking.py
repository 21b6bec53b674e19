"""Shipped definitions are listed, and registered by name with where their requests go."""

import msgspec
import pytest

from offhook.workflows.definitions.model import every
from offhook.workflows.definitions.reading import read
from offhook.workflows.shipped.files import shipped
from tests.workflows.shipped.conftest import Founding
from tests.workflows.shipped.stage import SHIPPED, V1, House

DEFINITIONS = f"{V1}/workflows/definitions"


@pytest.mark.parametrize("name", shipped())
def test_each_keeps_every_rule_and_gives_no_reason_to_warn(name: str) -> None:
    found = read(shipped()[name].raw)
    assert found.notices == ()


@pytest.mark.parametrize("name", shipped())
def test_each_says_what_its_inputs_are_and_reads_no_others(name: str) -> None:
    one = shipped()[name]
    text = msgspec.json.encode(one.raw["tasks"]).decode()
    read_ = {part.split("}")[0].split(".")[0].split("[")[0] for part in text.split("${workflow.input.")[1:]}
    assert read_ <= set(one.inputs)
    assert set(one.defaults) <= set(one.inputs)
    assert one.companion == "" or one.companion in shipped()


@pytest.mark.parametrize("name", shipped())
def test_each_request_is_repeated_and_sent_with_the_credential(name: str) -> None:
    for place, task in every(read(shipped()[name].raw).definition.tasks):
        if task.type == "HTTP":
            request = task.input_parameters["http_request"]
            assert request["credential"].endswith(".credential}"), place
            assert request["uri"].startswith("${workflow.input."), place
            assert task.task_definition is not None, place
            assert task.task_definition.retry_count >= 3, place


def test_they_are_listed_with_what_is_registered(founding: Founding) -> None:
    house = founding()
    found = {one["name"]: one for one in house.get(SHIPPED)["items"]}
    assert list(found) == list(shipped())
    assert found["provision_office"]["undone_by"] == "provision_office_undo"
    assert found["nightly_check"]["schedule"]["workflow"] == "nightly_check"
    assert {one["registered"] for one in found.values()} == {1}
    inputs = {one["name"]: one.get("default") for one in found["nightly_check"]["inputs"]}
    assert inputs == {"server": "http://127.0.0.1:8080", "credential": "offhook", "also": []}


def test_one_that_is_registered_already_is_not_registered_again(founding: Founding) -> None:
    house = founding()
    assert [one["version"] for one in house.post(f"{SHIPPED}/provision_office")["items"]] == [1, 1]
    changed = house.post(f"{SHIPPED}/provision_office", {"server": "https://phones.example.com/"})["items"]
    assert [(one["name"], one["version"]) for one in changed] == [("provision_office", 2), ("provision_office_undo", 1)]
    kept = house.get(f"{DEFINITIONS}/provision_office")
    assert kept["source"] == "shipped"
    assert kept["definition"]["inputTemplate"]["server"] == "https://phones.example.com"


def test_its_own_address_is_where_requests_go_unless_another_is_said(founding: Founding) -> None:
    house = founding()
    template = house.get(f"{DEFINITIONS}/nightly_check")["definition"]["inputTemplate"]
    assert template["server"] == f"http://127.0.0.1:{house.server.port}"
    assert template["credential"] == "offhook"


def test_what_is_not_shipped_or_no_address_is_refused(house: House) -> None:
    answer = house.ask("POST", f"{SHIPPED}/nightly", {})
    assert answer.status == 404
    assert "nightly_check" in answer.json["error"]["message"]
    assert house.ask("POST", f"{SHIPPED}/nightly_check", {"server": "not an address"}).refused(400)


def test_as_shipped_they_run(founding: Founding) -> None:
    """With their waits, on the way to the server that they were registered with."""
    house = founding()
    for name in ("nightly_check", "adopt_holidays"):
        assert house.run(name)["status"] == "COMPLETED"


def test_the_schedules_that_are_shown_are_accepted(founding: Founding) -> None:
    house = founding()
    shown = [one["schedule"] for one in house.get(SHIPPED)["items"] if "schedule" in one]
    assert {one["workflow"] for one in shown} == {"nightly_check", "adopt_holidays"}
    for one in shown:
        assert house.post(f"{V1}/workflows/schedules", one)["next"]
