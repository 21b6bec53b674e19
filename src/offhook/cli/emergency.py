"""Where help is sent, by the API: the emergency address of an office and of a user, shown and set."""

from typing import Annotated, Any

import typer

from offhook.cli.common import AsJson, emit, err, facts, following, say, warn
from offhook.cli.lines import id_of, only_one
from offhook.cli.people import owner_of
from offhook.cli.way import Way, again, by_api, run, warning
from offhook.client import Answer, Client, body_of
from offhook.kit.errors import Refusal

V2 = "/api/v2"
FIELDS = ("address", "address2", "city", "state", "zip")

Street = Annotated[str | None, typer.Option("--address", help="Street and number; no PO box.")]
Inside = Annotated[str | None, typer.Option("--address2", help="Floor, suite, and the like.")]
City = Annotated[str | None, typer.Option("--city", help="City.")]
State = Annotated[str | None, typer.Option("--state", help="State, province or region, by code or name.")]
Zip = Annotated[str | None, typer.Option("--zip", help="Postal code.")]
Country = Annotated[str | None, typer.Option("--country", help="Two-letter code.", show_default="the office's")]
Normalise = Annotated[bool, typer.Option("--normalise", help="Keep it as the country's rules write it.")]


def register(office: typer.Typer, user: typer.Typer) -> None:
    """Add the commands to those of offices and of users."""
    example = 'primary --address "1 Main St" --city Reno --state NV --zip 89501'
    office.command("emergency-address", epilog=f"Example: offhook office emergency-address {example}")(of_office)
    user.command("emergency-address", epilog="Example: offhook user emergency-address ann@example.com")(of_user)


def one_line(address: Any, *fields: str) -> str:
    """An address on one line, an emergency address unless `fields` say otherwise; "" if there is none."""
    parts = [address[field] for field in fields or FIELDS if address.get(field)]
    return ", ".join([*parts, address.get("country", "").upper()]) if parts else ""


@by_api
def of_office(
    way: Way,
    office_id: Annotated[str, typer.Argument(help="Its id, or the word primary.", metavar="ID")],
    address: Street = None,
    address2: Inside = None,
    city: City = None,
    state: State = None,
    zip: Zip = None,  # noqa: A002 - the option's name, and v2's
    country: Country = None,
    normalise: Normalise = False,
    all_users: Annotated[bool, typer.Option("--all-users", help="Give it to each of its users, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where help is sent that is called from an office, or say where: then all of an address must be said."""
    only_one(("office", office_id))
    more = {"update_all": True} if all_users else {}
    body = _body(address, address2, city, state, zip, country, normalise=normalise) | more

    async def work(client: Client) -> tuple[str, Answer]:
        id = await id_of(client, "office", office_id)
        return id, await _ask(client, f"{V2}/offices/{id}", body)

    id, answer = run(way, work)
    _tell(way, "office", id, answer, said=bool(body), as_json=as_json)


@by_api
def of_user(
    way: Way,
    who: Annotated[str, typer.Argument(help="E-mail address, extension, name or id of the user.", metavar="WHO")],
    address: Street = None,
    address2: Inside = None,
    city: City = None,
    state: State = None,
    zip: Zip = None,  # noqa: A002 - the option's name, and v2's
    country: Country = None,
    normalise: Normalise = False,
    as_json: AsJson = False,
) -> None:
    """Show where help is sent that a user calls, or say where: without an address of their own it is the office's."""
    body = _body(address, address2, city, state, zip, country, normalise=normalise)

    async def work(client: Client) -> tuple[str, Answer]:
        kind, id = await owner_of(client, who)
        if kind != "user":
            raise Refusal("A room has no emergency address of its own: help is sent to its office's.")
        return id, await _ask(client, f"{V2}/users/{id}", body)

    id, answer = run(way, work)
    _tell(way, "user", id, answer, said=bool(body), as_json=as_json)


def _body(*given: str | None, normalise: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        name: value for name, value in zip((*FIELDS, "country"), given, strict=True) if value is not None
    }
    if normalise and not body:
        raise Refusal("--normalise says how an address is kept: say which, by --address and the rest of it.")
    if normalise:
        body["use_validated_option"] = True
    return body


async def _ask(client: Client, path: str, body: dict[str, Any]) -> Answer:
    """The address as it is, or as it is by `body`, in whose country it lies unless that says another."""
    if not body:
        return await client.call("GET", f"{path}/e911")
    if "country" not in body:
        country = (await client.call("GET", path)).document.get("country", "")
        body = {**body, "country": country.upper()}
    return await client.call("PUT", f"{path}/e911", body=body_of(body))


def _tell(way: Way, kind: str, id: str, answer: Answer, *, said: bool, as_json: bool) -> None:
    kept = answer.document
    if as_json:
        emit({**kept, "warnings": [warning(notice) for notice in answer.notices]})
        return
    at = one_line(kept)
    if not at:
        say("No emergency address is on record: calls for help from there carry none.", "bold", to=err)
        fields = "--address STREET --city CITY --state STATE --zip CODE"
        following(f"offhook {kind} emergency-address {id} {fields}{again(way)}   says where help is sent")
        return
    if said:
        say("Help is sent there from now on.", "green bold")
    facts([("help is sent to", at)])
    warn(answer.notices)
    if said:
        following(f"offhook phone list{again(way)}   shows the telephones that call for it")
