"""Messages read strictly: a table of oddities, and nothing but Malformed for whatever bytes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.telephony.worker.answers import answer, back_to
from offhook.telephony.worker.packet import (
    MOST,
    Malformed,
    Uri,
    parameters,
    party,
    read,
    readable,
    split,
    unescaped,
    uri,
)

KEY = b"k" * 32
OPTIONS = (
    b"OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1\r\n"
    b"From: <sip:b@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


def with_header(old: bytes, new: bytes) -> bytes:
    assert old in OPTIONS
    return OPTIONS.replace(old, new)


def test_a_message_is_read() -> None:
    packet = read(OPTIONS)
    assert (packet.method, packet.call_id, packet.sequence, packet.from_tag, packet.to_tag, packet.branch) == (
        "OPTIONS", "c", 1, "1", "", "z9hG4bK1",
    )  # fmt: skip


@pytest.mark.parametrize("port", [b"0", b"65536", b"99999", b"99999999999"])
def test_a_via_that_nobody_can_be_answered_at_is_not_answered(port: bytes) -> None:
    with pytest.raises(Malformed) as wrong:
        read(with_header(b":5070", b":" + port))
    assert wrong.value.code == 0


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\r\n\r\n", b"\0" * 100, b"\x16\x03\x01" + b"a" * 60, OPTIONS[:-2], OPTIONS.replace(b"\r\n", b"\n"),
        OPTIONS.replace(b"Via: SIP", b"X: SIP"), OPTIONS.replace(b"sip:a@example", b"sip:\xff@example"),
        OPTIONS.replace(b"Call-ID", b"X: y\r\n" * 200 + b"Call-ID"), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_message_is_not_answered(content: bytes) -> None:
    with pytest.raises(Malformed) as wrong:
        read(content)
    assert wrong.value.code == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"CSeq: 1 OPTIONS", b"CSeq: 2147483648 OPTIONS", 400),
        (b"CSeq: 1 OPTIONS", b"CSeq: OPTIONS", 400),
        (b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE", 400),
        (b"Call-ID: c", b"Call-ID: " + b"c" * 257, 400),
        (b"Call-ID: c", b"Call-ID: a b", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nCall-ID: d", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nContent-Length: 1", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nContent-Length: x", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nMax-Forwards: 256", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nno colon", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nX: a\x00b", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nX: " + b"a" * 5000, 400),
        (b"tag=1", b"tag=" + b"1" * 257, 400),
        (b"<sip:b@example.com>", b"<sip:b@example.com", 400),
        (b"z9hG4bK1", b"z9hG4bK" + b"1" * 300, 400),
        (b"SIP/2.0\r\n", b"SIP/3.0\r\n", 505),
        (b"OPTIONS sip:a@example.com", b"OPTIONS mailto:a@example.com", 416),
        (b"OPTIONS sip:a@example.com", b"OPTIONS sip:a@example.com:70000", 400),
        (b"Call-ID: c", b"Call-ID: c\r\nX: " + b"a" * 4090 + b"\r\nY: " + b"b" * 4090 + b"\r\nZ: " + b"c" * 4090
         + b"\r\nZ: " + b"d" * 4090, 513),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(old: bytes, new: bytes, code: int) -> None:
    with pytest.raises(Malformed) as wrong:
        read(with_header(old, new))
    assert wrong.value.code == code
    assert wrong.value.packet is not None


def test_an_answer_goes_to_where_it_came_from_whatever_it_says() -> None:
    packet = read(with_header(b";branch", b";received=8.8.8.8;maddr=9.9.9.9;branch"))
    assert back_to(packet, ("10.9.9.9", 4000)) == ("10.9.9.9", 5070)
    assert b"received=10.9.9.9" in answer(packet, ("10.9.9.9", 4000), KEY, 200)
    asked = read(with_header(b";branch", b";rport;branch"))
    assert back_to(asked, ("10.9.9.9", 4000)) == ("10.9.9.9", 4000)
    assert b";rport=4000;" in answer(asked, ("10.9.9.9", 4000), KEY, 200)


def test_an_answer_is_the_same_for_each_copy() -> None:
    one, two = (answer(read(OPTIONS), ("1.1.1.1", 1), KEY, 401) for _ in range(2))
    assert one == two
    assert re.search(rb"To: <sip:a@example.com>;tag=[0-9a-f]{24}\r\n", one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:a@b", Uri(scheme="sip", user="a", host="b")),
        ("SIPS:a:pw@B:99;x=y?h=1", Uri(scheme="sips", user="a:pw", host="b", port=99, params=";x=y", headers="?h=1")),
        ("sip:[::1]:5060", Uri(scheme="sip", host="[::1]", port=5060)),
        ("tel:+49-30;ext=1", Uri(scheme="tel", user="+49-30", params=";ext=1")),
        ("sip:a b@c", None), ("sip:", None), ("sip:@", None), ("http://a", None), ("sip:a@b:x", None), ("a@b", None),
    ],
)  # fmt: skip
def test_uris(text: str, expected: Uri | None) -> None:
    assert uri(text) == expected


def test_names_and_parameters() -> None:
    found = party('"A \\"B\\", C" <sip:a@b;x=1>;tag=7;y="a;b"')
    assert found is not None
    assert (found.display, found.uri.params, found.params) == ('A "B", C', ";x=1", {"tag": "7", "y": '"a;b"'})
    assert split('a"b,c",<d,e>,f') == ['a"b,c"', "<d,e>", "f"]
    assert parameters("x") is None
    assert unescaped("%2B49%0d%zz") == "+49%zz"
    assert readable("Zo\u00c3\u00ab") == "Zo\u00eb"


@given(st.binary(max_size=600))
def test_whatever_comes_is_read_or_malformed(content: bytes) -> None:
    for message in (content, OPTIONS[:40] + content, OPTIONS.replace(b"c\r\n", content + b"\r\n", 1)):
        try:
            read(message)
        except Malformed as wrong:
            if wrong.packet is not None and wrong.packet.method:
                answer(wrong.packet, ("1.2.3.4", 5), KEY, 400)


@pytest.mark.parametrize(
    "evil",
    [
        b'"' * 4000, b"\\" * 4000, b"<" * 4000, b";" * 4000, b"," * 4000, b"a=" * 2000, b" " * 4000, b"a " * 2000,
        b'"\\' * 2000, b";a" * 2000, b"%" * 4000, b"a," * 2000, b"sip:" * 1000, b"(" * 4000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [b"To", b"From", b"Via", b"Contact", b"Call-ID", b"CSeq", b"X"])
def test_nothing_takes_long_to_read(name: bytes, evil: bytes) -> None:
    content = re.sub(rb"\r\n" + name + rb": ", lambda m: m[0] + evil, OPTIONS) if name in OPTIONS else OPTIONS
    assert len(content) < MOST
    for message in (content, OPTIONS.replace(b"sip:a@", evil + b"@", 1)):
        try:
            packet = read(message)
            party(packet.first("contact"))
        except Malformed:
            pass
