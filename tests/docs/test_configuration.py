"""docs/configuration.md says what the settings are: every one, with its name, flag and default, and none besides."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command

from offhook.cli import app
from offhook.cli.common import masked
from offhook.kit.settings import FLAGS_ONLY, PREFIX, Settings, load
from tests.docs.tables import ROOT, page, quoted, rows, section

PAGE = "configuration.md"
FIELDS = {field.name: field.default for field in msgspec.structs.fields(Settings)}
ROWS = {quoted(row[0])[0]: row for row in rows(section(PAGE, "Settings"))}


def _flags(command: str) -> set[str]:
    commands: Any = get_command(app)
    return {name for option in commands.commands[command].params for name in option.opts}


def _written(value: object) -> str:
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_every_setting_has_its_row_in_the_order_of_the_code():
    assert list(ROWS) == list(FIELDS)


@pytest.mark.parametrize("name", list(FIELDS))
def test_a_row_gives_the_variable_the_flag_and_the_default(name: str):
    _, variable, flag, default, meaning = ROWS[name]
    assert quoted(variable) == ([] if name in FLAGS_ONLY else [PREFIX + name.upper()])
    own = "--" + name.replace("_", "-")
    assert quoted(flag) == ([own] if own in _flags("serve") else [])
    assert default == _written(FIELDS[name])
    assert meaning


def test_a_server_and_the_settings_command_take_the_same_flags():
    assert _flags("serve") == _flags("settings") - {"--json"}


def test_every_variable_that_the_code_names_is_on_the_page():
    named = {
        variable
        for source in (ROOT / "src").rglob("*.py")
        for variable in re.findall(r"OFFHOOK_[A-Z][A-Z_]*[A-Z]", source.read_text())
    } | {PREFIX + "CONFIG"}
    assert {variable for variable in named if f"`{variable}`" not in page(PAGE)} == set()


def test_every_variable_on_the_page_is_read_somewhere():
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    others = [quoted(row[0])[0] for row in rows(section(PAGE, "Other variables"))]
    assert others
    for name in others:
        assert f'"{name.removeprefix(PREFIX)}"' in source or f'"{name}"' in source, name


def test_the_order_of_the_sources_is_the_one_on_the_page(tmp_path: Path):
    assert "the environment, then the\nsettings file, then a flag" in page(PAGE)
    file = tmp_path / "offhook.toml"
    file.write_text("port = 2\n")
    environ = {"OFFHOOK_PORT": "1", "OFFHOOK_CONFIG": str(file)}
    assert load({}, None, {"OFFHOOK_PORT": "1"}).port == 1
    assert load({}, None, environ).port == 2
    assert load({"port": 3}, None, environ).port == 3


def test_the_file_on_the_page_can_be_used(tmp_path: Path):
    example = re.search(r"```toml\n(.*?)```", page(PAGE), re.DOTALL)
    assert example is not None
    file = tmp_path / "offhook.toml"
    file.write_text(example[1])
    assert load({}, file, {}).data == "/var/lib/offhook"


def test_a_url_is_masked_as_the_page_says():
    assert "`postgresql://user:***@host/name`" in section(PAGE, "What is masked")
    assert masked("postgresql://user:secret@host/name") == "postgresql://user:***@host/name"
    assert "secret" not in masked("redis://host/0?password=secret")
