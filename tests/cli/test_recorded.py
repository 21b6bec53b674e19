"""Recording of a line's calls, turned on and off from the command line."""

import asyncio
from pathlib import Path
from typing import Any

from offhook.client import embedded
from offhook.kit.settings import Settings
from tests.cli.conftest import Run
from tests.cli.test_menus import staffed

__all__ = ["staffed"]


def test_an_offices_calls_are_recorded_and_nothing_else_of_it_changes(offhook: Run, staffed: Any) -> None:
    def office() -> Any:
        return offhook("office", "show", "primary", "--json").json["office"]

    before = office()
    assert before["auto_call_recording"] is False
    said = offhook("line", "record", "primary")
    assert said.status == 0, said
    assert "recorded from now on" in said.out
    after = office()
    changed = {name for name in after if after[name] != before.get(name)}
    assert (after["auto_call_recording"], changed) == (True, {"auto_call_recording", "version", "updated_at"})
    assert offhook("line", "record", "primary", "--off").status == 0
    assert office()["auto_call_recording"] is False


def test_groups_calls_are_recorded_too(offhook: Run, staffed: Any, empty: Path) -> None:
    for kind in ("department", "callcenter"):
        [group] = groups(empty, staffed, kind)
        assert recorded(group) is False
        assert offhook("line", "record", f"--{kind}", group["id"], "--json").json["recorded"] is True
        [group] = groups(empty, staffed, kind)
        assert recorded(group) is True
        assert (
            f"offhook line record --{kind} {group['id']} --off"
            in offhook("line", "record", f"--{kind}", group["id"]).err
        )


def groups(folder: Path, company: Any, kind: str) -> list[Any]:
    """All of a kind, as the API has them."""

    async def asked() -> list[Any]:
        settings = Settings(data=str(folder / "offhook-data"))
        async with embedded(settings, None, company["live_key"]) as client:
            return list((await client.call("GET", f"/api/v2/{kind}s")).document["items"])

    return asyncio.run(asked())


def recorded(group: Any) -> bool:
    """Whether its calls are recorded; of a call center both those that come in and those that go out."""
    if "auto_call_recording" in group:
        return bool(group["auto_call_recording"])
    said = group["advanced_settings"]["auto_call_recording"]
    return bool(said["call_recording_inbound"] and said["call_recording_outbound"])
