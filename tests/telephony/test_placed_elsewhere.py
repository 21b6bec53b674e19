"""A call that is placed by a server without telephones, over the store of one that answers them."""

from collections.abc import Iterator

import pytest

from tests.servers import PostgreSQL
from tests.survival.process import Process
from tests.telephony.calling_in import CALLER, SETTINGS, V2, House

pytestmark = [pytest.mark.long, pytest.mark.postgres]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, postgres: PostgreSQL) -> Iterator[tuple[House, Process]]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with (
        postgres.database("template0") as url,
        Process(folder / "with", settings=SETTINGS, database_url=url) as answers,
        Process(folder / "without", database_url=url, company=answers.company) as other,
    ):
        house = House(answers)
        yield house, other
        house.close()
        assert answers.faults() == other.faults() == []


def test_a_server_without_telephones_has_the_user_rung_and_hangs_up_while_they_are(
    servers: tuple[House, Process],
) -> None:
    house, other = servers
    assert other.company is not None
    key = other.company.sandbox_key
    [ann] = [one["id"] for one in house.get(f"{V2}/users")["items"] if one["first_name"] == "Ann"]
    phone = house.phones["Ann"]
    for answered in (False, True):
        placed = other.ask("POST", f"{V2}/call", {"user_id": ann, "phone_number": CALLER}, key=key)
        assert placed.status == 200, placed
        call = placed.json["call_id"]
        invite = phone.hear("INVITE", 15.0)
        phone.reply(invite, 180, tag="tAnn")
        if answered:
            phone.reply(invite, 200, tag="tAnn", body=phone.sound)
            phone.hear("ACK")
            phone.reply(phone.hear("BYE"), 200)
            # No carrier takes the number, which is the call's own end.
            assert house.until(f"{V2}/call/{call}", lambda said: said["state"] == "hangup")
            continue
        ended = other.ask("PUT", f"{V2}/call/{call}/actions/hangup", key=key)
        assert (ended.status, ended.json) == (200, {})
        phone.reply(phone.hear("CANCEL"), 200, tag="tAnn")
        phone.reply(invite, 487, tag="tAnn")
        phone.hear("ACK")
