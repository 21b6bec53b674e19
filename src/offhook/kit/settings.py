"""Settings: environment, then file, then flag, in rising order. Every field is one line of docs/configuration.md.

The environment uses the prefix OFFHOOK_ and the field's name in capitals; the file is TOML with the same names.
"""

import ipaddress
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from offhook.kit.errors import Refusal
from offhook.kit.places import Allowed

PREFIX = "OFFHOOK_"
FLAGS_ONLY = frozenset({"benchmark"})
"""What only the command line can set, so that nobody lifts limits by something left in an environment or a file."""

MASKED = frozenset({"credentials_keys", "conductor_key_secret", "sound_key_secret"})
"""What is never shown, wherever settings are."""

_CREDENTIALS_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_SERVER = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:]{2,45}")
_REALM = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_PORTS = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
SPEECH = ("auto", "flite", "espeak-ng", "command", "none")
"""What may speak prompts."""

_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.-]{0,63}")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.\-]{1,62}(/[A-Za-z0-9._/-]*)?")
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")

Text = Annotated[str, msgspec.Meta(min_length=1)]


def _field(text: str) -> Any:
    return msgspec.Meta(description=text)


class BadSettings(Refusal):
    """A setting that cannot be used; the server does not start."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be set, with its default."""

    data: Annotated[str, _field("Folder that holds the database and its locks.")] = "offhook-data"
    database_url: Annotated[str, _field("postgresql://… to keep the data there; empty: SQLite in the data folder.")] = (
        ""
    )
    redis_url: Annotated[str, _field("redis://… to share rate limits between processes; empty: in memory.")] = ""
    host: Annotated[str, _field("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535), _field("Port to listen on; 0 takes a free one.")] = 8080
    rate_limit_scale: Annotated[
        float, msgspec.Meta(gt=0, le=1e9), _field("Multiplies every limit; above 1 only with --benchmark.")
    ] = 1.0
    benchmark: Annotated[bool, _field("Allow rate_limit_scale above 1 and serve /benchmark/echo; says so.")] = False
    log_level: Annotated[str, _field("debug, info, warning or error.")] = "info"
    access_log: Annotated[bool, _field("One JSON line for each request.")] = True
    egress_allow: Annotated[
        str, _field("Private networks and host:port places that web services may be called at, separated by commas.")
    ] = ""
    credentials_keys: Annotated[
        str,
        _field("Keys that credentials are encrypted with, separated by commas, the newest first; empty: a key file."),
    ] = ""
    otel_endpoint: Annotated[str, _field("OTLP/HTTP collector for traces; empty: no traces.")] = ""
    public_url: Annotated[
        str,
        _field("Where browsers reach the console, as https://phones.example.com; empty: by any name."),
    ] = ""
    session_hours: Annotated[
        int, msgspec.Meta(ge=1, le=168), _field("Hours after which whoever signed in to the console must do so again.")
    ] = 12
    idempotency_days: Annotated[int, msgspec.Meta(ge=1, le=90), _field("Days that a create can be repeated.")] = 7
    calls_days: Annotated[int, msgspec.Meta(ge=1, le=3650), _field("Days that calls and their steps are kept.")] = 90
    voicemail_days: Annotated[int, msgspec.Meta(ge=1, le=3650), _field("Days that voicemail is kept.")] = 90
    recordings_days: Annotated[int, msgspec.Meta(ge=1, le=3650), _field("Days that recordings are kept.")] = 90
    sound_url: Annotated[
        str, _field("A bucket for voicemail and recordings, as s3://bucket/prefix; empty: the data folder.")
    ] = ""
    sound_endpoint: Annotated[str, _field("Where the bucket's S3 is, if not Amazon's, as https://minio:9000.")] = ""
    sound_region: Annotated[str, _field("The bucket's region.")] = ""
    sound_key_id: Annotated[str, _field("The id of the key for it; empty: what the machine itself is given.")] = ""
    sound_key_secret: Annotated[str, _field("That key's secret.")] = ""
    runs_days: Annotated[
        int, msgspec.Meta(ge=1, le=3650), _field("Days that workflow runs and their attempts are kept.")
    ] = 90
    conductor_url: Annotated[
        str, _field("A Conductor server that workflows can be sent to, as http://conductor:8080/api; empty: none.")
    ] = ""
    conductor_key_id: Annotated[str, _field("Its key's id, if it takes keys.")] = ""
    conductor_key_secret: Annotated[str, _field("Its key's secret.")] = ""
    sip: Annotated[bool, _field("Answer telephones and carriers by SIP.")] = True
    sip_host: Annotated[str, _field("Address to listen on for telephones and carriers, by UDP.")] = "127.0.0.1"
    sip_port: Annotated[int, msgspec.Meta(ge=0, le=65535), _field("Port for it; 0 takes a free one.")] = 5060
    sip_address: Annotated[
        str, _field("Where telephones and carriers reach that, if it is another address; empty: sip_host.")
    ] = ""
    sip_realm: Annotated[str, _field("What passwords of telephones are good for: another one makes them void.")] = (
        "offhook"
    )
    calls_at_once: Annotated[
        int, msgspec.Meta(ge=1, le=100_000), _field("Calls that one company may have at once on a server.")
    ] = 200
    outside_minutes: Annotated[
        int,
        msgspec.Meta(ge=1, le=10_080),
        _field("Minutes that numbers outside may talk with each other by a company's carriers, with nobody of it."),
    ] = 240
    media_ports: Annotated[str, _field("UDP ports for sound, the lowest and the highest.")] = "20000-29999"
    speech: Annotated[str, _field("What speaks prompts: auto, flite, espeak-ng, command or none.")] = "auto"
    speech_voice: Annotated[str, _field("The voice of flite or espeak-ng; empty: slt, en-us.")] = ""
    speech_command: Annotated[
        str, _field("A program that speaks: text on its standard input, a WAV file on its standard output.")
    ] = ""
    sounds_megabytes: Annotated[
        int, msgspec.Meta(ge=16, le=1_000_000), _field("Room in the data folder for prompts as they are played.")
    ] = 256
    head_seconds: Annotated[float, msgspec.Meta(gt=0), _field("Time for a client to send its request head.")] = 15.0
    body_seconds: Annotated[float, msgspec.Meta(gt=0), _field("Time for a client to send its request body.")] = 30.0
    keep_alive_seconds: Annotated[int, msgspec.Meta(gt=0), _field("Idle time before a connection is closed.")] = 75
    stop_seconds: Annotated[int, msgspec.Meta(gt=0), _field("Time for requests in flight at a stop.")] = 20

    @property
    def address(self) -> str:
        """Where the product itself is reached, as far as it is known: "" where it takes a free port."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else {"0.0.0.0": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{self.port}" if self.port else ""

    @property
    def sip_reached(self) -> str:
        """The host by which telephones and carriers reach the server."""
        return self.sip_address or self.sip_host

    @property
    def media_range(self) -> tuple[int, int]:
        """The lowest and the highest port for sound."""
        low, _, high = self.media_ports.partition("-")
        return int(low), int(high)

    @property
    def sqlite_path(self) -> Path:
        """The database file in embedded use."""
        return Path(self.data) / "offhook.sqlite3"

    @property
    def url(self) -> str:
        """The database as SQLAlchemy names it; PostgreSQL always through psycopg."""
        if not self.database_url:
            return f"sqlite:///{self.sqlite_path}"
        scheme, _, rest = self.database_url.partition("://")
        return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else self.database_url


def load(
    flags: Mapping[str, Any] | None = None, file: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Settings from `environ` (default: the process's), then `file` (or OFFHOOK_CONFIG), then `flags` that are set."""
    values = _said(flags, file, environ)
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadSettings(f"A setting cannot be used: {_explained(str(error), values)}") from None
    if settings.database_url and "://" not in settings.database_url:
        raise BadSettings("database_url must be a URL, such as postgresql://user@host/name; what was set is none.")
    if settings.public_url and not _ORIGIN.fullmatch(settings.public_url):
        raise BadSettings("public_url must be an origin without a path, such as https://phones.example.com.")
    if settings.conductor_url and not _SERVER.fullmatch(settings.conductor_url):
        raise BadSettings("conductor_url must be a web address without a query, such as http://conductor:8080/api.")
    if settings.sound_url and not _BUCKET.fullmatch(settings.sound_url):
        raise BadSettings("sound_url must be a bucket, such as s3://offhook-sound/office.")
    if settings.sound_endpoint and not _ORIGIN.fullmatch(settings.sound_endpoint):
        raise BadSettings("sound_endpoint must be an origin without a path, such as https://minio.example.com:9000.")
    try:
        Allowed.read(settings.egress_allow)
    except ValueError as error:
        raise BadSettings(f"egress_allow cannot be used: {error}.") from None
    if not all(_CREDENTIALS_KEY.fullmatch(key.strip()) for key in settings.credentials_keys.split(",") if key.strip()):
        raise BadSettings(
            "credentials_keys must be keys of 44 characters, separated by commas. One is made by: "
            "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    _check_telephony(settings)
    _check_speech(settings)
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise BadSettings("log_level must be debug, info, warning or error.")
    return settings


def named(
    flags: Mapping[str, Any] | None = None, file: Path | None = None, environ: Mapping[str, str] | None = None
) -> frozenset[str]:
    """The settings that somebody set, in the places where `load` looks, whatever to."""
    return frozenset(_said(flags, file, environ))


def _said(flags: Mapping[str, Any] | None, file: Path | None, environ: Mapping[str, str] | None) -> dict[str, Any]:
    """What is set, by name, as it was written."""
    environ = os.environ if environ is None else environ
    names = {field.name for field in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {
        name: environ[key]
        for name in names - FLAGS_ONLY
        if (key := PREFIX + name.upper()) in environ and environ[key] != ""
    }
    chosen = file or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    if chosen is not None:
        try:
            given = tomllib.loads(chosen.read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise BadSettings(f"The settings file {chosen} cannot be read: {error}") from None
        if unknown := sorted(given.keys() - (names - FLAGS_ONLY)):
            raise BadSettings(f"The settings file {chosen} names unknown settings: {', '.join(unknown)}")
        values |= given
    values |= {name: value for name, value in (flags or {}).items() if value is not None}
    return values


def _check_telephony(settings: Settings) -> None:
    try:
        address = ipaddress.ip_address(settings.sip_host)
    except ValueError:
        raise BadSettings("sip_host must be an address such as 10.0.0.5, or 0.0.0.0 for all of them.") from None
    if settings.sip and address.version != 4:
        raise BadSettings(f"sip_host must be an IPv4 address: telephones are spoken to by IPv4 only, not at {address}.")
    if address.is_unspecified and not settings.sip_address:
        raise BadSettings(
            f"sip_address must say where telephones reach the server: sip_host is {address}, which is all of its "
            f"addresses and none in particular. Set {PREFIX}SIP_ADDRESS, or sip_address in the settings file, to one "
            "that telephones know, as 192.168.1.10."
        )
    if settings.sip_address and not _HOST.fullmatch(settings.sip_address):
        raise BadSettings(
            "sip_address must be an address or a host name, without a port: 203.0.113.5, sip.example.com."
        )
    if not _REALM.fullmatch(settings.sip_realm):
        raise BadSettings("sip_realm must have 1 to 64 letters, digits, dots, hyphens, underscores or @.")
    found = _PORTS.fullmatch(settings.media_ports)
    if not found or not 1024 <= int(found[1]) < int(found[2]) <= 65535 or int(found[2]) - int(found[1]) < 7:
        raise BadSettings("media_ports must be at least eight ports from 1024 to 65535, as 20000-29999.")


def _check_speech(settings: Settings) -> None:
    if settings.speech not in SPEECH:
        raise BadSettings(f"speech must be one of: {', '.join(SPEECH)}; what was set is {settings.speech}.")
    if settings.speech_voice and not _VOICE.fullmatch(settings.speech_voice):
        raise BadSettings("speech_voice must be a voice's name: letters, digits and the signs _ + . - only.")
    try:
        words = shlex.split(settings.speech_command)
    except ValueError as error:
        raise BadSettings(f"speech_command cannot be read as a command: {error}.") from None
    if settings.speech == "command" and not words:
        raise BadSettings("speech is command, but speech_command is empty: say what is to be run.")


def _explained(error: str, values: Mapping[str, Any]) -> str:
    """What is wrong with a setting, by its name: `port must be a whole number of at most 65535`."""
    found = re.fullmatch(r"Expected `([a-z]+)`(?: ([<>]=?) ([0-9.]+))?(?:, got .*)? - at `\$\.(\w+)`", error)
    if found is None or found[4] not in values:
        return error
    kind = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "a text"}.get(
        found[1], found[1]
    )
    bound = {"<=": " of at most", ">=": " of at least", ">": " above", "<": " below"}.get(found[2] or "", "")
    what = f"{kind}{bound} {found[3]}" if bound else kind
    was = "" if found[4] in MASKED else f"; what was set is {values[found[4]]}"
    return f"{found[4]} must be {what}{was}."


def refuse_lifted_limits(settings: Settings) -> None:
    """BadSettings for a server whose limits are lifted although it is not started as a benchmark."""
    if settings.rate_limit_scale > 1 and not settings.benchmark:
        raise BadSettings(
            "OFFHOOK_RATE_LIMIT_SCALE above 1 lifts the limits that protect every company; "
            "it is accepted only by a server started with --benchmark."
        )
