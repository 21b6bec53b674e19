"""Words as the search compares them, the same for what is indexed and for what is asked. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 40
_MOST_PARTS = 16
_PARAMETER = re.compile(r"\{[^{}]*\}")
_PREFIX = re.compile(r"^/(?:(?:api|rest|v\d[\w.]*|\d{4}-\d\d-\d\d|\d+)/)+")

STOP = frozenset(
    "a an the of for to in on at by from with and or is are be my your all into this that api via using how i".split()
)
"""Words that need not be found."""

VERBS: dict[str, tuple[str, ...]] = {
    "list": ("list", "get", "index", "browse"),
    "get": ("get", "fetch", "retrieve", "read", "show", "view", "lookup", "describe", "find", "check", "download"),
    "search": ("search", "find", "query", "lookup"),
    "create": ("create", "add", "new", "insert", "make", "post", "register", "generate", "start", "open"),
    "send": ("send", "post", "publish", "create"),
    "update": ("update", "edit", "modify", "change", "patch", "set", "put", "rename", "replace"),
    "delete": ("delete", "remove", "destroy", "drop", "cancel", "terminate", "revoke"),
    "upload": ("upload", "import", "create", "put", "add", "insert"),
    "buy": ("buy", "purchase", "order", "create", "provision"),
    "run": ("run", "execute", "trigger", "start", "launch", "invoke", "dispatch", "create"),
}
"""What one may call an action, first by the word that it is asked with: the others are its second names."""

_OF: dict[str, str] = {}
for _kind, _names in VERBS.items():
    _OF.setdefault(_kind, _kind)
for _kind, _names in VERBS.items():
    for _name in _names:
        _OF.setdefault(_name, _kind)

SHORT: dict[str, str] = {
    "repo": "repository", "org": "organization", "msg": "message", "sms": "message", "info": "information",
    "config": "configuration", "auth": "authorization", "doc": "document", "env": "environment", "var": "variable",
    "db": "database", "img": "image", "pic": "picture", "photo": "image", "num": "number", "tel": "phone",
    "addr": "address", "acct": "account", "acc": "account", "desc": "description", "k8s": "kubernetes",
    "pr": "pull", "mail": "email", "email": "mail", "app": "application", "dir": "directory",
    "param": "parameter", "perm": "permission", "dept": "department", "tx": "transaction", "txn": "transaction",
    "lang": "language", "fn": "function", "func": "function", "organisation": "organization",
}  # fmt: skip
"""Short and second forms, with what they stand for."""


@lru_cache(maxsize=200_000)
def _parts(token: str) -> tuple[str, ...]:
    """The words of a token: its humps, and the whole of it if it has several."""
    humps = _CAMEL.split(token)[:_MOST_PARTS] if not token.islower() else [token]
    parts = [singular(_folded(hump))[:_LONGEST] for hump in humps]
    if len(humps) > 1 and len(token) <= _LONGEST:
        parts.append(singular(_folded(token)))
    return tuple(parts)


def words(text: str, limit: int = 1000) -> list[str]:
    """The words of a text in order, at most `limit`: lower case, without accents, singular, compounds taken apart.

    words("chat.postMessages") == ["chat", "post", "message", "postmessage"].
    """
    found: list[str] = []
    for token in _TOKEN.findall(text[: limit * 20]):
        found += _parts(token)
        if len(found) >= limit:
            return found[:limit]
    return found


def joined(texts: Iterable[str], limit: int = 1000) -> str:
    """The words of several texts, each once, as an index takes them: with a space between."""
    return " ".join(dict.fromkeys(words("\n".join(texts), limit)))


def asked(text: str, limit: int) -> list[str]:
    """The words of a question: as `words`, but a compound only taken apart, and each once."""
    found: dict[str, None] = {}
    for token in _TOKEN.findall(text):
        humps = _CAMEL.split(token) if not token.islower() else [token]
        for hump in humps:
            found.setdefault(singular(_folded(hump))[:_LONGEST])
    return list(found)[:limit]


def singular(word: str) -> str:
    """An English word without its plural, roughly: the same for both, which is all that comparing needs."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in plain if not unicodedata.combining(one))


def exact_forms(key: str, method: str, path: str) -> list[str]:
    """What an operation is found by as a whole: its key, its path, also without what many paths begin with."""
    plain = plain_path(path)
    short = _PREFIX.sub("/", plain)
    forms = {key.lower(), plain, short}
    forms |= {f"{method.lower()} {form}" for form in (plain, short)}
    return sorted(form for form in forms if len(form) > 1)


def exact_question(text: str) -> str:
    """A question as `exact_forms` writes it: "Get /Users/{id}" is "get /users/{}"."""
    first, _, rest = " ".join(text.lower().split()).partition(" ")
    if rest.startswith("/"):
        return f"{first} {plain_path(rest)}"
    return plain_path(first) if first.startswith("/") and not rest else f"{first} {rest}".strip()


def plain_path(path: str) -> str:
    """A path whose parameters have no names, in lower case, without a slash at its end."""
    return _PARAMETER.sub("{}", path.lower()).rstrip("/") or "/"


def without_parameters(path: str) -> str:
    """A path without the names of its parameters, which mostly repeat what stands before them."""
    return _PARAMETER.sub("", path)


def kinds(method: str, path: str) -> list[str]:
    """What an operation does by its method and path, in the words of VERBS."""
    of_one = path.rstrip("/").endswith("}")
    if method == "GET":
        return ["get"] if of_one else ["list", "get", "search"]
    if method == "POST":
        return ["update"] if of_one else ["create", "send", "upload", "buy", "run"]
    if method == "PUT":
        return ["update", "create", "upload"]
    return {"PATCH": ["update"], "DELETE": ["delete"]}.get(method, [])


def kind_of(word: str) -> str:
    """What kind of action a word asks for, or ""."""
    return _OF.get(word, "")
