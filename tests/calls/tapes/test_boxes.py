"""Who answers for many lines hears what is in all of their boxes, a page at a time."""

from typing import Any

import pytest

from offhook.access.model import Principal
from offhook.calls.tapes import service, store
from offhook.calls.tapes.model import Tape
from offhook.directory.lines.model import Target
from tests.api.desk import Company
from tests.routing import companies
from tests.telephony.phones.test_phones import device

LINES = 640
"""More than are asked for in one question."""


class Undone(Exception):
    """Nothing of it is kept."""


def tape(tenant_id: int, id: int, box: Target, who: str = "") -> Tape:
    return Tape(
        id=id, tenant_id=tenant_id, kind="voicemail", call_id=id, box=box, office_id=1, who=who, caller="", name="x",
        milliseconds=1000, size=1, digest="", at=id,
    )  # fmt: skip


def test_of_however_many_boxes_all_are_listed_latest_first_and_once(company: Company):
    tenant = company.tenant()
    boxes = [Target("user", 7), *(Target("department", 1000 + number) for number in range(LINES))]

    def listed(tx: Any, **filters: Any) -> list[int]:
        found, before = [], 2**62
        while page := store.page(tx, tenant, "voicemail", before, 100, only=("user:7", tuple(boxes)), **filters):
            found += [one.id for one in page]
            before = page[-1].id
        return found

    def story(tx: Any) -> None:
        for number, box in enumerate([*boxes, Target("department", 9)]):
            store.add(tx, tape(tenant, number * 37 % 1009 + 1, box, who="user:7" if number % 5 == 0 else ""))
        assert listed(tx) == sorted((number * 37 % 1009 + 1 for number in range(LINES + 1)), reverse=True)
        assert listed(tx, box=boxes[3]) == [3 * 37 + 1]
        assert listed(tx, box=Target("department", 9)) == []
        # There is no sound of them.
        raise Undone

    with pytest.raises(Undone):
        company.desk.transact(story)


@pytest.mark.parametrize("lines", [3, 150])
def test_no_line_is_left_out_for_which_somebody_answers(embedded: Company, lines: int):
    owner = embedded.live.get(f"/api/offhook/v1/phones/{device(embedded)}").json["owner_id"]
    ann = companies.user(int(owner), "Ann")
    answered = [companies.line("department", 10 + number, f"Line {number}", [ann]) for number in range(lines)]
    config = companies.company(companies.office(1, "Here"), *answered, ann)
    principal = Principal(
        tenant_id=embedded.tenant(), company_id=embedded.id, environment="live", key_id=1, key_name="",
        scopes=frozenset(), user_id=int(owner),
    )  # fmt: skip
    found = embedded.desk.transact(lambda tx: service._only(tx, principal, config))
    assert found is not None
    assert len(found[1]) == lines + 1
