"""A credential as it is kept. What is secret of it is sealed."""

from typing import Literal, get_args

import msgspec

Kind = Literal["bearer", "basic", "api_key", "oauth2", "headers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Place = Literal["header", "query"]
Way = Literal["basic", "body"]


class Credential(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request is sent with to one of `hosts`: "api.example.com", "api.example.com:8443", "*.example.com".

    A host without a port is meant at the port of its scheme. `sealed` holds, by kind: `token`; `password`; `value`;
    `client_secret`; or the value of each of `header_names` by its name. `client_way` is how the client of OAuth 2 says
    who it is: in the header, or in the form.
    """

    name: str
    kind: Kind
    hosts: tuple[str, ...]
    sealed: str
    username: str = ""
    place: Place = "header"
    parameter: str = ""
    token_url: str = ""
    client_id: str = ""
    client_way: Way = "basic"
    scopes: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What a credential adds to a request, and the texts that must not be shown of it. `token` is one that was got."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    token: str = ""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An access token, and when it ends, in milliseconds since 1970 UTC."""

    text: str
    until: int
