"""What the server and its worker say to each other."""

from offhook.telephony import port
from offhook.telephony.phones.model import Phone


def frames(told: list[port.Configure]) -> list[port.Configure]:
    read = port.Frames(port.Command)
    return [one for part in told for one in read.feed(port.framed(part))]  # type: ignore[misc]


def test_carriers_are_told_however_many_there_are() -> None:
    trunks = tuple(
        port.Trunk(id=number, addresses=tuple((f"203.{number % 250}.{one}.0/24", 5060) for one in range(16)),
                   domain="d" * 253, password="p" * 200)
        for number in range(3000)
    )  # fmt: skip
    telephones = tuple((f"203.0.113.{number % 250}", number) for number in range(10_000))
    told = frames(port.in_parts(port.Configure(trunks=trunks, realm="r", telephones=telephones)))
    assert [one.telephones for one in told] == [()] * (len(told) - 1) + [telephones]
    assert len(told) > 2
    assert [one.more for one in told] == [True] * (len(told) - 1) + [False]
    assert tuple(trunk for one in told for trunk in one.trunks) == trunks
    assert {one.realm for one in told} == {"r"}


def test_few_carriers_and_none_are_one_message() -> None:
    for trunks in ((), (port.Trunk(id=1), port.Trunk(id=2))):
        told = port.Configure(trunks=trunks)
        assert port.in_parts(told) == [told]


def test_what_is_secret_is_not_shown() -> None:
    secret = {"MD5": "0123abcd", "SHA-256": "0123abcd"}
    shown = repr((
        port.Configure(trunks=(port.Trunk(id=1, proves="them", digests=secret, username="us", password="0123abcd"),)),
        port.Account(username="anna", digests=secret),
        Phone(device_id=1, tenant_id=1, username="anna", realm="r", digests=secret, set_at=0),
    ))  # fmt: skip
    assert "0123abcd" not in shown
    assert "them" in shown
    assert shown.count("anna") == 2
