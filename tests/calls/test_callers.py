"""Who calls: people of the company only where they proved it, whatever strangers write."""

from offhook.calls.callers import caller_names, caller_of, outside
from offhook.calls.model import Kept
from offhook.routing.model import Contact
from offhook.routing.state import CallState
from tests.calls.scripted import ANA, CALLER
from tests.routing.companies import company


def kept(id: int, caller: str, who: str = "") -> Kept:
    """A call that is over."""
    state = CallState(id=str(id), seed=id, phase="over", who=who)
    return Kept(id=id, tenant_id=1, began=1, ended=2, outcome="answered", caller=caller, dialled="1", state=state)


def test_only_who_proved_it_is_named_as_one_of_the_company():
    calls = [
        kept(1, "user:1", who="user:1"), kept(2, "user:1"), kept(3, CALLER), kept(4, ""), kept(5, "contact:9"),
        kept(6, "+442079460123"),
    ]  # fmt: skip
    names = caller_names(company(ANA, Contact(9, "Zed Ltd", (CALLER,))), calls)
    assert names == {1: "Ana Silva", 2: "", 3: "Zed Ltd", 4: "", 5: "", 6: ""}
    assert [caller_of(one) for one in calls] == [
        "user:1", "user%3A1", CALLER, "", "contact%3A9", "+442079460123"
    ]  # fmt: skip


def test_a_caller_from_outside_has_no_colon():
    assert [outside(one) for one in ("user:1", "a:b:c", CALLER, "")] == ["user%3A1", "a%3Ab%3Ac", CALLER, ""]
