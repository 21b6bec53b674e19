"""Users in a file, called by their e-mail address. What they do of their own, such as do-not-disturb, is not in it."""

from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Kind, Special, Unique, Wanted, as_it_is, each, words
from offhook.configuration.kinds.devices import DEVICES, SETS_DEVICES
from offhook.configuration.kinds.numbers import HOLDS, NUMBERS_HELD, PHONE_NUMBERS
from offhook.configuration.kinds.parts import EMERGENCY_ADDRESS, OFFICE, everything, referring, shows
from offhook.configuration.names import Names
from offhook.directory.users.store import free_extension, keep_emails, users
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _set_emails(run: "Run", wanted: Wanted) -> None:
    more = wanted.value("more_emails") or []
    if wanted.record is not None or more:
        body = {"emails": [wanted.value("email"), *more]}
        run.do("users.update", params={"id": wanted.id}, body=body, at="more_emails" if more else "email")


def _folded(address: Any) -> str:
    return str(address).casefold()


def _free_emails(run: "Run", wanted: Wanted) -> None:
    """Others may have the addresses; the user keeps them until another step gives them others."""
    keep_emails(run.tx, run.tenant_id, wanted.id, ())


def _free_extension(run: "Run", wanted: Wanted) -> None:
    free_extension(run.tx, run.tenant_id, wanted.id)


def _admin_of(_tx: Transaction, item: Item, names: Names) -> list[str] | None:
    return [names.key("office", id) for id in item.value.admin_office_ids] or None


def _send_admin_of(run: "Run", value: list[Any], place: str) -> list[str]:
    return [str(run.refer("office", key, f"{place}[{index}]")) for index, key in enumerate(value)]


def _set_caller_id(run: "Run", wanted: Wanted) -> None:
    run.do("caller_id.users.post", params={"id": wanted.id}, body={"caller_id": wanted.given["caller_id"]})


def _set_address(run: "Run", wanted: Wanted) -> None:
    body = wanted.given["e911_address"]
    run.do("users.e911.update", params={"id": wanted.id}, body=body, under="e911_address")


def _state(_tx: Transaction, item: Item, _names: Names) -> str:
    return item.state


USERS = Kind(
    section="users",
    type="user",
    implied=("email",),
    fields=(
        Field("email", show=shows(lambda user: user.emails[0]), normal=_trimmed, update=False),
        Field("office", show=OFFICE.show, wire="office_id", send=referring("office"), refers="office", required=True),
        Field("first_name", cleared=""),
        Field("last_name", cleared=""),
        Field("job_title", create=False, cleared=""),
        Field("license", "talk"),
        Field("state", "active", show=_state, create=False),
        Field("extension", create=False, cleared=""),
        Field("more_emails", show=shows(lambda user: user.emails[1:]), normal=each(words), wire=""),
        PHONE_NUMBERS,
        DEVICES,
        Field("forwarding_numbers", normal=each(words), create=False, cleared=[]),
        Field("is_super_admin", False, normal=as_it_is, create=False),
        Field(
            "admin_of",
            show=_admin_of,
            normal=each(words),
            wire="admin_office_ids",
            send=_send_admin_of,
            create=False,
            cleared=[],
        ),
        Field("international_dialing_enabled", False, normal=as_it_is, create=False),
        Field("caller_id", wire="", required=True),
        Field(
            "e911_address",
            show=shows(lambda user: user.e911_address, EMERGENCY_ADDRESS),
            normal=EMERGENCY_ADDRESS,
            wire="",
            required=True,
        ),
    ),
    load=everything(users, lambda user: user.emails[0], lambda user: user.office_id),
    create="users.create",
    update="users.update",
    delete="users.delete",
    specials=(
        HOLDS,
        Special(("email", "more_emails"), _set_emails),
        SETS_DEVICES,
        Special(("caller_id",), _set_caller_id),
        Special(("e911_address",), _set_address),
    ),
    uniques=(
        NUMBERS_HELD,
        Unique("extension", lambda value: [one] if (one := value("extension")) else [], _free_extension),
        Unique("email", lambda value: map(_folded, (value("email"), *(value("more_emails") or ()))), _free_emails),
    ),
)
