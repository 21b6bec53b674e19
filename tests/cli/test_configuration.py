"""export, plan and apply as people run them."""

import json
from pathlib import Path
from typing import Any

import pytest

from offhook.configuration import text
from tests.cli.conftest import Run, Serving
from tests.configuration.files import lisbon

FILE = "company.yaml"


def write(folder: Path, **sections: Any) -> str:
    (folder / FILE).write_text(text.write({"version": 1, **sections}))
    return FILE


@pytest.fixture
def two(empty: Path) -> str:
    """A file with an office and a room."""
    return write(empty, offices={"Lisbon": lisbon(ring_seconds=20)}, rooms={"Lisbon/Lobby": {}})


def test_a_company_is_exported_changed_and_applied(offhook: Run, company: Any, empty: Path):
    exported = offhook("export", "-o", FILE)
    assert (exported.status, exported.out) == (0, "")
    assert "1 records are in company.yaml" in exported.err
    same = offhook("plan", FILE)
    assert (same.status, "nothing to do" in same.out) == (0, True)
    changed = (empty / FILE).read_text().replace("ring_seconds: 25", "ring_seconds: 40")
    (empty / FILE).write_text(changed)
    planned = offhook("plan", FILE)
    assert planned.status == 2
    assert "~ office Head office" in planned.out
    assert "ring_seconds  25 → 40" in planned.out
    assert "1 to change." in planned.out
    assert "offhook apply company.yaml" in planned.err
    applied = offhook("apply", FILE, "--yes")
    assert (applied.status, "Applied: 1 changed." in applied.out) == (0, True)
    assert offhook("export").out == changed
    assert offhook("apply", FILE).status == 0


def test_a_plan_for_scripts(offhook: Run, company: Any, two: str):
    planned = offhook("plan", two, "--json")
    assert planned.status == 2
    assert [(one["verb"], one["key"]) for one in planned.json["changes"]] == [
        ("create", "Lisbon"),
        ("create", "Lisbon/Lobby"),
    ]
    assert {"no_number"} <= {one["code"] for one in planned.json["warnings"]}
    assert all(one["line"] for one in planned.json["warnings"])
    done = offhook("apply", two, "--yes", "--json").json
    assert (done["created"], done["differs"]) == (2, True)
    assert offhook("apply", two, "--yes", "--json").json["differs"] is False
    assert offhook("plan", two, "--json").status == 0
    assert set(json.loads(offhook("export", "--json").out)["rooms"]) == {"Lisbon/Lobby"}


def test_nothing_is_done_without_a_yes(offhook: Run, company: Any, two: str):
    asked = offhook("apply", two)
    assert asked.status == 1
    assert "--yes" in asked.err
    assert "+ office Lisbon" in asked.out
    assert offhook("apply", two, "--dry-run").status == 0
    assert offhook("plan", two).status == 2


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_a_terminal_is_asked(
    offhook: Run, company: Any, two: str, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
):
    monkeypatch.setattr("offhook.cli.configuration._at_a_terminal", lambda: True)
    asked = offhook("apply", two, stdin=answer)
    assert (asked.status, "Apply this? [y/N]" in asked.err) == (status, True)
    assert offhook("plan", two).status == (2 if status else 0)


def test_a_deletion_is_shown_and_made_only_with_prune(offhook: Run, company: Any, two: str, empty: Path):
    offhook("apply", two, "--yes")
    write(empty, rooms={})
    assert offhook("plan", FILE).status == 0
    pruned = offhook("plan", FILE, "--prune")
    assert (pruned.status, "- room Lisbon/Lobby" in pruned.out, "1 to delete." in pruned.out) == (2, True, True)
    assert "apply company.yaml --prune" in pruned.err
    assert "Applied: 1 deleted." in offhook("apply", FILE, "--prune", "--yes").out


def test_faults_are_named_by_line_and_path(offhook: Run, company: Any, empty: Path):
    (empty / FILE).write_text("version: 1\nrooms:\n  Head office/Lobby:\n    colour: blue\n  Nowhere/Bar:\n")
    for command in ("plan", "apply"):
        said = offhook(command, FILE)
        assert said.status == 1
        assert "2 places of company.yaml must be mended" in said.err
        assert "line 4, column 5: rooms.Head office/Lobby.colour  A room has no such field" in said.err
        assert "line 5, column 3: rooms.Nowhere/Bar" in said.err
    error = offhook("plan", FILE, "--json").json["error"]
    assert [(one["line"], one["column"]) for one in error["errors"]] == [(4, 5), (5, 3)]


def test_what_is_no_yaml_is_refused_with_its_line(offhook: Run, company: Any, empty: Path):
    (empty / FILE).write_text("version: 1\nrooms:\n  a: 1\n  a: 2\n")
    said = offhook("plan", FILE)
    assert said.status == 1
    assert "line 4, column 3" in said.err
    assert "first in line 3" in said.err
    assert offhook("plan", "nowhere.yaml").status == 1


def test_a_file_may_come_from_standard_input(offhook: Run, company: Any, two: str, empty: Path):
    source = (empty / two).read_text()
    assert offhook("plan", "-", stdin=source).status == 2
    assert offhook("apply", "-", stdin=source).status == 1
    assert offhook("apply", "-", "--yes", stdin=source).status == 0


def test_a_running_server_is_told_the_same(
    offhook: Run, company: Any, two: str, server: Serving, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OFFHOOK_URL", server.url)
    monkeypatch.setenv("OFFHOOK_KEY", company["live_key"])
    assert offhook("plan", two).status == 2
    applied = offhook("apply", two, "--yes")
    assert "Applied: 2 created." in applied.out
    there = offhook("export").out
    monkeypatch.delenv("OFFHOOK_URL")
    monkeypatch.delenv("OFFHOOK_KEY")
    assert offhook("export").out == there
    assert company["live_key"] not in applied.out + applied.err


def test_an_export_is_its_owners_alone_and_holds_no_secret(offhook: Run, company: Any, empty: Path):
    secret = "s3cr3t-of-32-characters-and-some-more"
    router = {"routing_url": "https://example.com/route", "default_target": "office Head office", "secret": secret}
    assert offhook("apply", write(empty, callrouters={"Head office/Night": router}), "--yes").status == 0
    (empty / "out.yaml").write_text("what stood there before")
    (empty / "out.yaml").chmod(0o644)
    for target in ("out.yaml", "new.yaml"):
        assert offhook("export", "-o", target).status == 0
        assert (empty / target).stat().st_mode & 0o777 == 0o600
        content = (empty / target).read_text()
        assert ("secret: keep" in content, secret in content) == (True, False)
    assert [path.name for path in empty.iterdir() if path.name.startswith(".")] == []
    assert secret not in offhook("export", "--json").out
    nowhere = offhook("export", "-o", "nowhere/out.yaml")
    assert (nowhere.status, "cannot be written" in nowhere.err) == (1, True)


def test_an_answer_names_the_environment_that_it_is_of(
    offhook: Run, company: Any, two: str, example: str, monkeypatch: pytest.MonkeyPatch
):
    default = "environment  live, as none was said; -e sandbox is the other"
    for command in (("export",), ("plan", two), ("office", "list"), ("user", "list"), ("apply", two, "--dry-run")):
        assert offhook(*command).err.count(default) == 1
        chosen = offhook(*command, "-e", "sandbox").err.splitlines()
        assert chosen.count("environment  sandbox") == 1
        scripts = offhook(*command, "--json")
        assert "environment" not in scripts.out + scripts.err
    # Where facts are shown, it is one of them.
    made = offhook("office", "create", example, "-e", "sandbox")
    assert "environment   sandbox\n" in made.out
    # Who looks in the wrong one is told which one it was.
    missing = offhook(
        "office", "show", json.loads(offhook("office", "list", "--json").out)["items"][0]["id"], "-e", "sandbox"
    )
    assert (missing.status, "environment  sandbox" in missing.err) == (1, True)
    monkeypatch.setenv("OFFHOOK_KEY", company["sandbox_key"])
    assert "environment  sandbox, by the key" in offhook("export").err
    odd = offhook("export", "-e", "live")
    assert (odd.status, "The key is one of the sandbox" in odd.err) == (1, True)
