"""Telephones: which there are, where they are reached, and what is entered into one. A password is shown once."""

from collections.abc import Mapping
from typing import Any

from offhook.console.frame import Answer
from offhook.console.inside import Asked
from offhook.console.visit import Visit

HERE = "/console/phones"
V1, V2 = "/api/offhook/v1", "/api/v2"
API = f"{V1}/phones"


async def listed(visit: Visit, refused: str = "", status: int = 200) -> Answer:
    """`GET /console/phones?cursor=…`: all telephones, and the form that gives somebody another one."""
    cursor = visit.query.get("cursor", "")
    page = await visit.inside.get(API, {"cursor": cursor} if cursor else {})
    given, phones = dict(visit.form), page.get("items", [])
    return visit.page(
        "phones.html", here="phones", status=status, phones=phones, cursor=page.get("cursor", ""),
        first=not cursor, refused=refused, given=given, writes=visit.may("directory:write"),
        trunks=visit.may("trunks:read"), signs_in=phones[0]["settings"] if phones else None,
    )  # fmt: skip


async def given(visit: Visit) -> Answer:
    """`POST /console/phones`: a telephone for the user of that e-mail address, shown with its password."""
    form = dict(visit.form)
    email, name = form.get("email", "").strip(), form.get("name", "").strip()
    users = await visit.inside.get(f"{V2}/users", {"email": email}) if email else {}
    found = users.get("items", [])
    if not found:
        return await listed(visit, f"There is no user with the e-mail address {email or '(none)'}.", 400)
    body = {"type": "sip"} | ({"name": name} if name else {})
    made = await visit.inside.ask("POST", f"{V1}/users/{found[0]['id']}/devices", body=body)
    if not made.ok:
        return await listed(visit, _why(made), made.status)
    return await _with_password(visit, made.document["id"])


async def one(visit: Visit) -> Answer:
    """`GET /console/phones/{id}`: what is entered into it, and where it is reached."""
    return await _page(visit, await visit.inside.get(f"{API}/{visit.params['id']}"))


async def new_password(visit: Visit) -> Answer:
    """`POST /console/phones/{id}/new-password`: the same with a password, which is never shown again."""
    return await _with_password(visit, visit.params["id"])


async def _with_password(visit: Visit, id: str) -> Answer:
    made = await visit.inside.do("POST", f"{API}/{id}/new-password")
    return await _page(visit, made["phone"], made["password"])


async def _page(visit: Visit, phone: Mapping[str, Any], password: str = "") -> Answer:
    owner: Mapping[str, Any] = {}
    if not phone.get("e911_address"):
        # Whose office is to be told of the address.
        owner = (await visit.inside.ask("GET", f"{V2}/{phone['owner_type']}s/{phone['owner_id']}")).document
    return visit.page(
        "phone.html", here="phones", it=phone, office=owner.get("office_id", ""), password=password,
        writes=visit.may("directory:write"),
    )  # fmt: skip


def _why(asked: Asked) -> str:
    return " ".join(fault.message for fault in asked.violations) or asked.message
