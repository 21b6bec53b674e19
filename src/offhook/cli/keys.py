"""API keys, on the machine itself: made, listed, revoked. A secret is printed once, when it is made."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from offhook.access.model import SCOPES, Key, digest
from offhook.cli.common import (
    AsJson,
    CompanyId,
    ConfigFile,
    Data,
    DatabaseUrl,
    InEnvironment,
    emit,
    facts,
    following,
    moment,
    say,
    table,
)
from offhook.events.model import SYSTEM, Event, Word
from offhook.kit import clock
from offhook.kit.durations import duration
from offhook.kit.errors import Refusal
from offhook.kit.ids import Ids
from offhook.kit.settings import load
from offhook.kit.text import single_line
from offhook.kit.wire import encode

if TYPE_CHECKING:
    from offhook.storage.database import Transaction

app = typer.Typer(no_args_is_help=True, help="API keys.")

_LONGEST = timedelta(days=366 * 10)


@app.command()
def create(
    environment: InEnvironment = "live",
    name: Annotated[str, typer.Option(help="What it is for; shown in lists and in the event log.")] = "key",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What it may do, repeatable; admin unless said, directory:write for a user's. {', '.join(SCOPES)}."
        ),
    ] = None,
    user: Annotated[str | None, typer.Option(help="Whose key it is, whom `me` then means.", metavar="EMAIL")] = None,
    expires_in: Annotated[str | None, typer.Option(help="When it ends, as 12h, 90d or 52w; never unless said.")] = None,
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown this once."""
    from offhook.access import service
    from offhook.cli.store import company_of, opened, tenant_of
    from offhook.storage import served
    from offhook.storage.slots import lease

    called, fault = single_line(name, "--name")
    if fault is not None or called is None:
        raise Refusal("A key needs a name of one line.", [fault] if fault else [])
    until = None if expires_in is None else int(clock.wall() * 1000) + _milliseconds(expires_in)
    settings = load({"data": data, "database_url": database_url}, config)
    with opened(settings) as database:
        settings = served.as_served(settings, served.found(database))
        slot = lease(database)
        with database.transaction() as tx:
            owner = company_of(tx, company)
            user_id = None if user is None else _user(tx, tenant_of(tx, owner, environment), user)
            made = service.create_key(
                tx,
                Ids(slot.number),
                company_id=owner.id,
                environment=environment,
                name=called,
                scopes=scope or (("admin",) if user_id is None else ("directory:write",)),
                expires_at=until,
                user_id=user_id,
            )
            _record(tx, Word.KEY_CREATED, made.key)
        slot.release()
    if as_json:
        emit({**_out(made.key), "key": made.secret})
        return
    facts([("key", made.secret), ("company", f"{owner.name} ({owner.id})"), *_about(made.key)])
    say("It is shown this once; only its hash is kept.", "yellow")
    path = "users/me" if user_id is not None else "offices"
    following(f"curl -H 'Authorization: Bearer KEY' {settings.address or 'http://127.0.0.1:8080'}/api/v2/{path}")


@app.command("list")
def list_keys(
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List keys, oldest first: what each may do, and when it was last used."""
    from offhook.access import store
    from offhook.cli.store import company_of, opened

    with opened(load({"data": data, "database_url": database_url}, config)) as database, database.reading() as tx:
        keys = store.keys(tx, company_of(tx, company).id)
    if as_json:
        emit({"keys": [_out(key) for key in keys]})
        return
    table(
        ("ID", "KEY", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "STATE"),
        [
            (
                str(key.id),
                key.prefix + "…",
                key.name,
                " ".join(key.scopes),
                moment(key.created_at)[:10],
                moment(key.expires_at, "-")[:10],
                moment(key.last_used_at, "-").removesuffix(" UTC"),
                _state(key),
            )
            for key in keys
        ],
    )


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Its id, or as much of it as the list shows.", metavar="ID")],
    company: CompanyId = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """End a key; servers that run stop taking it within a second."""
    from offhook.access import store
    from offhook.cli.store import company_of, opened

    with opened(load({"data": data, "database_url": database_url}, config)) as database, database.transaction() as tx:
        owner = company_of(tx, company)
        found = _find(store.keys(tx, owner.id), key.strip().rstrip("…"), tx)
        at = int(clock.wall() * 1000)
        changed = store.revoke(tx, found.id, at)
        if changed:
            _record(tx, Word.KEY_REVOKED, found)
        left = [k for k in store.keys(tx, owner.id) if _state(k) == "active" and "admin" in k.scopes]
    if as_json:
        emit({"id": str(found.id), "revoked": True, "was_active": changed})
        return
    if changed:
        say(f"{found.prefix}… ({found.name}) is revoked.", "green")
    else:
        say(f"{found.prefix}… ({found.name}) was revoked before, at {moment(found.revoked_at)}.")
    if not any(k.environment == found.environment for k in left):
        following(f"offhook key create --environment {found.environment}   it has no admin key now")


def _user(tx: "Transaction", tenant_id: int, email: str) -> int:
    """The user who has an e-mail address, primary or not."""
    from offhook.directory.users import store as users

    found = users.by_email(tx, tenant_id, email.strip())
    if found is None:
        raise Refusal(f"No user of this environment has the address {email}; make one with POST /api/v2/users.")
    return found


def _find(keys: list[Key], wanted: str, tx: "Transaction") -> Key:
    """The key with this id or beginning. A whole key is taken too, and never repeated."""
    from offhook.access import store

    if wanted.startswith("ohk_") and (whole := store.keys_by_digest(tx, [digest(wanted)])[0]) is not None:
        found = [key for key in keys if key.id == whole.id]
    else:
        found = [key for key in keys if wanted and (str(key.id) == wanted or key.prefix == wanted)]
    if not found:
        raise Refusal("The company has no such key; offhook key list shows those it has.")
    if len(found) > 1:
        raise Refusal("Several keys begin so; name one by its id: " + ", ".join(str(key.id) for key in found) + ".")
    return found[0]


def _milliseconds(span: str) -> int:
    length = duration(span)
    if length is None or not timedelta() < length <= _LONGEST:
        raise Refusal("--expires-in takes minutes, hours, days or weeks, as 30m, 12h, 90d or 52w, up to ten years.")
    return length // timedelta(milliseconds=1)


def _record(tx: "Transaction", word: Word, key: Key) -> None:
    from offhook.events import store as events

    about = encode({"id": str(key.id), "name": key.name, "scopes": key.scopes}).decode()
    before, after = ("", about) if word is Word.KEY_CREATED else (about, "")
    event = Event(
        tenant_id=key.tenant_id,
        word=word,
        subject_id=str(key.id),
        actor=SYSTEM,
        at=clock.milliseconds(clock.now()),
        before=before,
        after=after,
    )
    events.append(tx, [event])


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= clock.wall() * 1000 else "active"


def _about(key: Key) -> list[tuple[str, str]]:
    return [
        ("id", str(key.id)),
        ("name", key.name),
        ("environment", key.environment),
        ("scopes", " ".join(key.scopes)),
        *([("user", str(key.user_id))] if key.user_id is not None else []),
        ("expires", moment(key.expires_at)),
    ]


def _out(key: Key) -> dict[str, object]:
    return {
        "id": str(key.id),
        "company_id": str(key.company_id),
        "environment": key.environment,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "user_id": None if key.user_id is None else str(key.user_id),
        "created_at": str(key.created_at),
        "expires_at": None if key.expires_at is None else str(key.expires_at),
        "revoked_at": None if key.revoked_at is None else str(key.revoked_at),
        "last_used_at": None if key.last_used_at is None else str(key.last_used_at),
        "state": _state(key),
    }
