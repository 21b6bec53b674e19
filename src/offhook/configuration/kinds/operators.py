"""The operators of every line in a file: users and rooms in the order of joining, with role and skill."""

from typing import TYPE_CHECKING, Any

from offhook.configuration.kind import Field, Item, Special, Wanted, each, words
from offhook.configuration.kinds.parts import in_order, mapping
from offhook.configuration.names import Names
from offhook.directory.operators import store
from offhook.kit.errors import Invalid, Violation, shown
from offhook.storage.database import Transaction

if TYPE_CHECKING:
    from offhook.configuration.run import Run

USUAL_SKILL = 100
_OPERATOR = mapping("operator", "role", "skill")
_PATHS = {"office": "offices", "department": "departments", "callcenter": "callcenters"}


def _normal_operator(value: Any) -> Any:
    if not isinstance(value, dict):
        return words(value)
    found = _OPERATOR(value)
    if found.get("role") == "operator":
        del found["role"]
    if str(found.get("skill")) == str(USUAL_SKILL):
        del found["skill"]
    return found["operator"] if list(found) == ["operator"] else found


def _shows_operators(word: str) -> Any:
    def show(tx: Transaction, item: Item, names: Names) -> list[Any] | None:
        found: list[Any] = []
        for one in store.of_group(tx, item.tenant_id, word, item.id):
            entry: dict[str, Any] = {"operator": names.key(one.member_type, one.member_id)}
            if one.role != "operator":
                entry["role"] = one.role
            if word == "callcenter" and one.skill_level != USUAL_SKILL:
                entry["skill"] = str(one.skill_level)
            found.append(entry if len(entry) > 1 else entry["operator"])
        return found or None

    return show


def _set_operators(run: "Run", wanted: Wanted) -> None:
    word = wanted.kind.type
    listed = [one if isinstance(one, dict) else {"operator": one} for one in wanted.given["operators"] or []]
    asked: list[tuple[str, int, str]] = []
    for index, one in enumerate(listed):
        member = _member(run, one.get("operator"), f"operators[{index}]", rooms=word != "callcenter")
        asked.append((*member, one.get("role", "operator")))
    now = store.of_group(run.tx, run.tenant_id, word, wanted.id)
    skills: dict[tuple[str, int], int] = {(one.member_type, one.member_id): one.skill_level for one in now}
    left, joined = in_order([(one.member_type, one.member_id, one.role) for one in now], asked)
    path = _PATHS[word]
    for kind, id, _ in left:
        body = _who(word, kind, id)
        run.do(f"{path}.operators.delete", params={"id": wanted.id}, body=body, at="operators")
    for index, (part, one) in enumerate(zip(asked, listed, strict=True)):
        kind, id, role = part
        skill = one.get("skill", USUAL_SKILL)
        if part in joined:
            body = _who(word, kind, id) | {"role": role}
            if word == "callcenter":
                body["skill_level"] = skill
            run.do(f"{path}.operators.post", params={"id": wanted.id}, body=body, at=f"operators[{index}]")
        elif word == "callcenter" and str(skills[kind, id]) != str(skill):
            run.do(
                "callcenters.operators.skilllevel",
                params={"call_center_id": wanted.id, "user_id": id},
                body={"skill_level": skill},
                at=f"operators[{index}].skill",
            )


def _member(run: "Run", key: Any, place: str, *, rooms: bool) -> tuple[str, int]:
    """Who is called so: a user by e-mail address, or a room."""
    if rooms and run.knows("room", str(key)) and not run.knows("user", str(key)):
        return "room", run.refer("room", key, place)
    if not rooms or run.knows("user", str(key)):
        return "user", run.refer("user", key, place)
    text = f"There is no user or room called {shown(key)}, neither in the document nor in the company."
    raise Invalid.of([Violation(location=place, reason="notFound", message=text, sent=shown(key))])


def _who(word: str, kind: str, id: int) -> dict[str, Any]:
    return {"user_id": id} if word == "callcenter" else {"operator_type": kind, "operator_id": id}


def operators(word: str) -> tuple[Field, Special]:
    """The operators of a kind of line, in the order of joining, and how they are set."""
    one = Field("operators", show=_shows_operators(word), normal=each(_normal_operator), wire="")
    return one, Special(("operators",), _set_operators)
