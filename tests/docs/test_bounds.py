"""The pages of telephones and of security say the bounds that the SIP worker is given."""

from offhook.telephony.port import Limits
from offhook.telephony.worker import bounds, packet, sdp
from tests.docs.tables import page, rows, section

LIMITS = Limits()


def test_what_strangers_may_use_is_on_the_page_of_security():
    said = dict(rows(section("security.md", "Telephones and carriers")))
    packets = (
        f"{LIMITS.packets:g} a second, {LIMITS.burst:g} at once; {bounds.KNOWN} times that once it has proven itself"
    )
    assert said["packets of one address, before they are read"] == packets
    assert said["legs at once"].startswith(f"{LIMITS.legs} a server")
    assert said["calls of one address that are not answered yet"] == f"{LIMITS.early}; then 503"
    assert said["a message"].startswith(f"{packet.MOST >> 10} KiB, its description of sound {sdp.MOST >> 10} KiB")


def test_how_many_calls_there_may_be_is_on_the_page_of_telephones():
    said = page("telephones.md")
    assert f"| {LIMITS.early} calls of one address that are not answered yet | 503 |" in said
    assert f"| {LIMITS.legs} legs in all on a server" in said
    assert f"up to {bounds.FOR_HELP} legs beyond" in said
    assert f"| a carrier | calls: {LIMITS.calls:g} a second, {3 * LIMITS.calls:g} at once (503) |" in said
    messages = f"messages of either side: {LIMITS.messages:g} a second, {5 * LIMITS.messages:g} at once"
    assert f"| a call | {messages} |" in said
