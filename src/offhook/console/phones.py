"""Telephones: which there are, where they are reached, and what is entered into one. A password is shown once."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from offhook.console.frame import Answer
from offhook.console.inside import Asked
from offhook.console.visit import Visit
from offhook.kit.errors import Notice

HERE = "/console/phones"
V1, V2 = "/api/offhook/v1", "/api/v2"
API = f"{V1}/phones"


async def listed(visit: Visit, refused: str = "", status: int = 200) -> Answer:
    """`GET /console/phones?cursor=…`: all telephones, and the form that gives somebody another one."""
    cursor = visit.query.get("cursor", "")
    page = await visit.inside.get(API, {"cursor": cursor} if cursor else {})
    given, phones = dict(visit.form), page.get("items", [])
    return visit.page(
        "phones.html", here="phones", status=status, phones=phones, cursor=page.get("cursor", ""), once=_once(given),
        first=not cursor, refused=refused, given=given, writes=visit.may("directory:write"),
        trunks=visit.may("trunks:read"), signs_in=phones[0]["settings"] if phones else None,
    )  # fmt: skip


async def given(visit: Visit) -> Answer:
    """`POST /console/phones`: a telephone for the user of that e-mail address, shown with its password.

    A form that is sent again, as by loading the page again, makes no other telephone and no other password.
    """
    form = dict(visit.form)
    email, name = form.get("email", "").strip(), form.get("name", "").strip()
    users = await visit.inside.get(f"{V2}/users", {"email": email}) if email else {}
    found = users.get("items", [])
    if not found:
        return await listed(visit, f"There is no user with the e-mail address {email or '(none)'}.", 400)
    body = {"type": "sip"} | ({"name": name} if name else {})
    path = f"{V1}/users/{found[0]['id']}/devices"
    # Filled in otherwise it is another form.
    key = hashlib.sha256("\n".join((_once(form), path, name)).encode()).hexdigest()
    made = await visit.inside.ask("POST", path, body=body, headers={"idempotency-key": f"console-{key}"})
    if not made.ok:
        return await listed(visit, _why(made), made.status)
    if made.replayed:
        phone = await visit.inside.ask("GET", f"{API}/{made.document['id']}")
        return await _page(visit, phone.document, again=True) if phone.ok else await listed(visit, phone.message, 409)
    return await _with_password(visit, made.document["id"], made.notices)


async def one(visit: Visit) -> Answer:
    """`GET /console/phones/{id}`: what is entered into it, and where it is reached."""
    return await _page(visit, await visit.inside.get(f"{API}/{visit.params['id']}"))


async def new_password(visit: Visit) -> Answer:
    """`POST /console/phones/{id}/new-password`: the same with a password, which is never shown again.

    Where one was made since the form was, as by the same form, there is no other.
    """
    id = visit.params["id"]
    phone = await visit.inside.get(f"{API}/{id}")
    if dict(visit.form).get("before", "") != phone.get("password_set_at", ""):
        return await _page(visit, phone, again=True)
    return await _with_password(visit, id)


async def _with_password(visit: Visit, id: str, notices: Sequence[Notice] = ()) -> Answer:
    made = await visit.inside.do("POST", f"{API}/{id}/new-password")
    return await _page(visit, made["phone"], made["password"], notices)


async def _page(
    visit: Visit,
    phone: Mapping[str, Any],
    password: str = "",
    notices: Sequence[Notice] = (),
    *,
    again: bool = False,
) -> Answer:
    owner: Mapping[str, Any] = {}
    if not phone.get("e911_address"):
        # Whose office is to be told of the address.
        owner = (await visit.inside.ask("GET", f"{V2}/{phone['owner_type']}s/{phone['owner_id']}")).document
    return visit.page(
        "phone.html", here="phones", it=phone, office=owner.get("office_id", ""), password=password, notices=notices,
        again=again, writes=visit.may("directory:write"),
    )  # fmt: skip


def _once(form: Mapping[str, str]) -> str:
    """What a form is known by when it is sent again."""
    sent = form.get("once", "")
    return sent if re.fullmatch(r"[A-Za-z0-9_-]{16,64}", sent) else secrets.token_urlsafe(16)


def _why(asked: Asked) -> str:
    return " ".join(fault.message for fault in asked.violations) or asked.message
