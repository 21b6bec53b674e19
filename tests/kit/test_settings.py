from pathlib import Path
from typing import Any

import msgspec
import pytest

from offhook.kit.errors import Refusal
from offhook.kit.settings import BadSettings, Settings, load, named, refuse_lifted_limits


def test_without_anything_set_the_defaults_hold():
    assert load(environ={}) == Settings()
    assert Settings().url == "sqlite:///offhook-data/offhook.sqlite3"


def test_environment_file_and_flag_count_in_rising_order(tmp_path: Path):
    file = tmp_path / "offhook.toml"
    file.write_text('port = 2\nhost = "0.0.0.0"\n')
    environ = {"OFFHOOK_PORT": "1", "OFFHOOK_HOST": "::1", "OFFHOOK_DATA": "from-environment"}
    found = load({"port": 3, "host": None}, file, environ)
    assert (found.port, found.host, found.data) == (3, "0.0.0.0", "from-environment")


def test_the_file_can_be_named_by_the_environment(tmp_path: Path):
    file = tmp_path / "offhook.toml"
    file.write_text("keep_alive_seconds = 5\n")
    assert load(environ={"OFFHOOK_CONFIG": str(file)}).keep_alive_seconds == 5


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "0", 0),
        ("PORT", "", 8080),
        ("ACCESS_LOG", "false", False),
        ("ACCESS_LOG", "0", False),
        ("HEAD_SECONDS", "2.5", 2.5),
        ("RATE_LIMIT_SCALE", "0.25", 0.25),
        ("IDEMPOTENCY_DAYS", "90", 90),
    ],
)
def test_the_environments_texts_become_values(name: str, text: str, value: Any):
    assert getattr(load(environ={f"OFFHOOK_{name}": text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("RATE_LIMIT_SCALE", "0"),
        ("RATE_LIMIT_SCALE", "-1"),
        ("RATE_LIMIT_SCALE", "nan"),
        ("RATE_LIMIT_SCALE", "inf"),
        ("IDEMPOTENCY_DAYS", "0"),
        ("IDEMPOTENCY_DAYS", "91"),
        ("ACCESS_LOG", "perhaps"),
        ("LOG_LEVEL", "loud"),
        ("LOG_LEVEL", "INFO!"),
        ("STOP_SECONDS", "0"),
        ("SPEECH", "piper"),
        ("SPEECH", "command"),
        ("SPEECH_VOICE", "-o /etc/passwd"),
        ("SPEECH_VOICE", "https://voices.example.com/one"),
        ("SPEECH_VOICE", "../one"),
        ("SPEECH_COMMAND", "piper --model 'one"),
        ("SOUNDS_MEGABYTES", "1"),
        ("SIP_HOST", "::1"),
        ("SIP_HOST", "pbx.example.com"),
        ("SIP_HOST", "0.0.0.0"),
        ("SIP_ADDRESS", "pbx.example.com:5060"),
        ("SIP_PORT", "65536"),
        ("MEDIA_PORTS", "20000"),
        ("MEDIA_PORTS", "20000-20006"),
        ("MEDIA_PORTS", "1000-2000"),
    ],
)
def test_what_cannot_be_used_stops_the_start(name: str, text: str):
    with pytest.raises(BadSettings):
        load(environ={f"OFFHOOK_{name}": text})


def test_all_addresses_at_once_are_told_what_is_missing_by_both_its_names():
    with pytest.raises(BadSettings, match=r"sip_address must say .* Set OFFHOOK_SIP_ADDRESS, or sip_address in the"):
        load(environ={"OFFHOOK_SIP_HOST": "0.0.0.0"})


def test_limits_are_lifted_only_where_it_is_said_that_this_is_a_benchmark():
    refuse_lifted_limits(load({"benchmark": True, "rate_limit_scale": 50.0}, environ={}))
    refuse_lifted_limits(load({"rate_limit_scale": 1.0}, environ={}))
    for environ in ({}, {"OFFHOOK_BENCHMARK": "true"}):
        with pytest.raises(BadSettings, match="benchmark"):
            refuse_lifted_limits(load({"rate_limit_scale": 50.0}, environ=environ))


@pytest.mark.parametrize("text", ["port = ", "colour = 1\n", "port = 'x'\n", "[port]\n"])
def test_a_file_that_cannot_be_used_stops_the_start(tmp_path: Path, text: str):
    file = tmp_path / "offhook.toml"
    file.write_text(text)
    with pytest.raises(Refusal):
        load(file=file, environ={})
    with pytest.raises(BadSettings):
        load(file=tmp_path / "nowhere.toml", environ={})


def test_a_bad_setting_does_not_show_the_secrets_beside_it(tmp_path: Path):
    environ = {"OFFHOOK_DATABASE_URL": "postgresql://me:hunter2@db/x", "OFFHOOK_REDIS_URL": "redis://:hunter2@r",
               "OFFHOOK_PORT": "hunter2-port"}  # fmt: skip
    with pytest.raises(BadSettings) as bad:
        load(environ=environ)
    assert "hunter2@" not in str(bad.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgresql://db/x", "postgresql+psycopg://db/x"),
        ("postgres://u:p@db:5/x?a=b", "postgresql+psycopg://u:p@db:5/x?a=b"),
        ("postgresql+psycopg://db/x", "postgresql+psycopg://db/x"),
    ],
)
def test_postgresql_is_always_spoken_to_through_one_driver(given: str, url: str):
    assert Settings(database_url=given).url == url


def test_every_setting_is_described():
    fields = msgspec.structs.fields(Settings)
    for field in fields:
        assert "extra" not in str(field.type)
        assert "description=" in str(Settings.__annotations__[field.name]), field.name


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"port": 99999}, "port must be a whole number of at most 65535; what was set is 99999."),
        ({"port": "many"}, "port must be a whole number; what was set is many."),
        ({"rate_limit_scale": 0}, "rate_limit_scale must be a number above 0"),
        ({"access_log": 7}, "access_log must be true or false; what was set is 7."),
    ],
)
def test_a_setting_that_cannot_be_used_is_called_by_its_name(values, told):
    with pytest.raises(BadSettings, match=told):
        load(values, environ={})


@pytest.mark.parametrize("keys", ["s3cr3t-word", "A" * 43, f"{'A' * 43}=,s3cr3t-word"])
def test_a_key_for_credentials_that_is_none_stops_the_start_and_is_not_shown(keys: str):
    with pytest.raises(BadSettings, match="credentials_keys") as bad:
        load(environ={"OFFHOOK_CREDENTIALS_KEYS": keys})
    assert "s3cr3t-word" not in str(bad.value)


def test_keys_for_credentials_stand_between_commas():
    keys = f"{'A' * 43}=, {'B' * 43}="
    assert load(environ={"OFFHOOK_CREDENTIALS_KEYS": keys}).credentials_keys == keys


def test_what_somebody_set_is_named_also_where_it_is_as_it_was(tmp_path: Path):
    file = tmp_path / "offhook.toml"
    file.write_text("calls_days = 3")
    flags = {"data": "here", "database_url": None}
    assert named(flags, file, {"OFFHOOK_SIP_REALM": "offhook", "OFFHOOK_PORT": ""}) == {
        "calls_days",
        "data",
        "sip_realm",
    }
