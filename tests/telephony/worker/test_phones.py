"""A real telephone registers, calls, is called, and hears."""

from collections.abc import Iterator

import pytest
from msgspec import structs

from offhook.telephony import port
from offhook.telephony.carrying import NOT_TAKEN
from tests.telephony.worker.server import PASSWORD, Server, digests
from tests.telephony.worker.softphone import Softphone


@pytest.fixture
def phone(server: Server) -> Iterator[Softphone]:
    server.accounts["paula"] = digests("paula")
    one = Softphone("paula", PASSWORD, server.address)
    yield one
    one.close()


def registered(server: Server, phone: Softphone) -> port.Register:
    phone.do("register")
    told = server.hear(port.Register)
    phone.hear("done")
    return told


def agreed(phone: Softphone) -> None:
    """What the telephone offered is answered. It refuses to offer anything else before, and forgets it."""
    phone.hear("call_remote_sdp", lambda said: said[1] == "answer")


def test_a_real_telephone_registers_and_is_called(server: Server, phone: Softphone) -> None:
    told = registered(server, phone)
    ((uri, seconds),) = told.contacts
    assert (told.username, seconds) == ("paula", 60)
    server.tell(port.Dial(leg=2, caller=0, uri=uri, address=told.source, number="200", display="Ann"))
    assert "200" in str(phone.hear("incoming")[1])
    assert server.hear(port.Progress).code == 180
    phone.do("answer")
    assert server.hear(port.Up) == port.Up(2)
    phone.do("keys", "5")
    assert server.hear(port.Key) == port.Key(2, "5")
    phone.hear("done", lambda said: said[1] == "keys")
    # It offers its codecs again of its own accord once it is up.
    agreed(phone)
    phone.do("hold")
    assert server.hear(port.Held) == port.Held(2, True)
    agreed(phone)
    phone.do("resume")
    assert server.hear(port.Held) == port.Held(2, False)
    phone.do("hangup")
    assert server.hear(port.Down) == port.Down(leg=2, cause="left")


def test_a_real_telephone_calls_and_is_hung_up_on(server: Server, phone: Softphone) -> None:
    registered(server, phone)
    phone.do("dial", f"sip:100@127.0.0.1:{server.address[1]}")
    told = server.hear(port.Incoming)
    assert (told.username, told.dialled) == ("paula", "100")
    server.tell(port.Ring(told.leg), port.Answer(told.leg))
    phone.hear("call_established")
    assert server.hear(port.Up).leg == told.leg
    server.hear(port.Figures, lambda figures: figures.received > 20)
    server.tell(port.Drop(told.leg))
    phone.hear("call_closed")


def test_a_wrong_password_never_registers(server: Server) -> None:
    server.accounts["quinn"] = digests("quinn")
    phone = Softphone("quinn", "wrong", server.address)
    phone.do("register")
    assert "401" in str(phone.hear("failed"))
    phone.close()


def test_a_real_telephone_that_cannot_read_a_location_is_called_without_it(server: Server, phone: Softphone) -> None:
    """What baresip does as a carrier: of several parts it takes none, and says 500."""
    told = registered(server, phone)
    ((uri, _),) = told.contacts
    located = port.Dial(
        leg=2, caller=0, uri=uri, address=told.source, number="200", body=b"<presence/>",
        body_type="application/pidf+xml", headers=(("Geolocation", "<cid:location@offhook>"),), helps=True,
    )  # fmt: skip
    server.tell(located)
    refused = server.hear(port.Down)
    assert (refused.code, refused.code in NOT_TAKEN) == (500, True)
    server.tell(structs.replace(located, leg=4, body=b"", body_type="", headers=()))
    phone.hear("incoming", lambda said: "200" in str(said[1]))
    phone.do("answer")
    assert server.hear(port.Up) == port.Up(4)
    phone.do("hangup")
    server.hear(port.Down)
