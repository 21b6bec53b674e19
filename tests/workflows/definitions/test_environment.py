"""Settings that workflows may read: those of the server's environment that are named for them, and no others."""

import asyncio
from pathlib import Path

import pytest

from offhook.kit.settings import Settings
from offhook.workflows.definitions.environment import settings, unset
from tests.api.conftest import runner
from tests.api.desk import Desk
from tests.workflows.definitions.shapes import definition, http, task

__all__ = ["runner"]

V1 = "/api/offhook/v1/workflows"
NAMED = {"OFFHOOK_ENV_REGION": "eu", "OFFHOOK_ENV_": "x", "OFFHOOK_SECRET_KEY": "word", "HOME": "/root"}


def test_only_what_is_named_for_workflows_is_read():
    assert settings(NAMED) == {"REGION": "eu"}


def test_what_is_not_set_is_named_with_its_place():
    raw = definition(
        http("a", body={"r": "${workflow.env.REGION}", "h": "in ${workflow.env.HOME} and ${workflow.env.KEY.x}"}),
        outputParameters={"other": "${workflow.env.OTHER}", "input": "${workflow.input.env}"},
    )
    found = [(one.code, one.field, one.text.split()[0]) for one in unset(raw, settings(NAMED))]
    at = "tasks[0].inputParameters.body.h"
    assert found == [
        ("env_unset", at, "OFFHOOK_ENV_HOME"),
        ("env_unset", at, "OFFHOOK_ENV_KEY"),
        ("env_unset", "outputParameters.other", "OFFHOOK_ENV_OTHER"),
    ]


def test_a_run_reads_what_is_set_and_registering_says_what_is_not(
    runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, value in NAMED.items():
        monkeypatch.setenv(name, value)
    desk = Desk(runner, Settings(data=str(tmp_path), access_log=False))
    try:
        api = desk.found().live
        asked = {name: f"${{workflow.env.{name}}}" for name in ("REGION", "HOME", "KEY")}
        raw = definition(task("a", "NOOP"), outputParameters=asked)
        for path, body in (
            (f"{V1}/definitions", {"definition": raw}),
            ("/api/metadata/workflow", {**raw, "version": 2}),
        ):
            told = api.post(path, body)
            assert told.warned >= {("env_unset", f"outputParameters.{name}") for name in ("HOME", "KEY")}, path
            assert ("env_unset", "outputParameters.REGION") not in told.warned
        notices = api.post(f"{V1}/definitions/validate", {"definition": raw}).json["notices"]
        assert [one["code"] for one in notices] == ["env_unset"] * 2
        id = api.post(f"{V1}/runs", {"workflow": raw["name"]}).json["id"]
        runner.run(desk.offhook.workflows.engine.settled())
        assert api.get(f"{V1}/runs/{id}").json["output"] == {"REGION": "eu", "HOME": None, "KEY": None}
    finally:
        desk.close()
