"""curl commands become requests, as shells, browsers and manuals write them; what is not used is named."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest

from offhook.catalog.requests.curl import from_curl
from offhook.catalog.requests.model import Prepared, finished
from offhook.kit.errors import Invalid

A = "https://api.example.com/v1/offices"


def headers(prepared: Prepared) -> dict[str, str]:
    return {pair.name: pair.value for pair in prepared.headers}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"curl {A}", {"method": "GET", "server": "https://api.example.com", "path": "/v1/offices"}),
        (f"$ curl '{A}'", {"method": "GET", "path": "/v1/offices"}),
        (f"/usr/bin/curl --url {A}", {"path": "/v1/offices"}),
        (f"curl -X DELETE {A}", {"method": "DELETE"}),
        (f"curl -XPUT {A}", {"method": "PUT"}),
        (f"curl --request=patch {A}", {"method": "PATCH"}),
        (f"curl -I {A}", {"method": "HEAD"}),
        (f"curl {A} -d a=1", {"method": "POST", "media": "application/x-www-form-urlencoded"}),
        (f"curl {A} --json '{{}}'", {"method": "POST", "media": "application/json", "body": "{}"}),
        (f"curl {A} --json '{{' --json '}}'", {"body": "{}"}),
        (
            f"""curl {A} -H 'Content-Type: application/json' -d '{{"a": 1}}'""",
            {"media": "application/json", "body": '{"a": 1}'},
        ),
        (
            f"""curl {A} -H content-type:text/xml --data-binary '<a>\n</a>'""",
            {"media": "text/xml", "body": "<a>\n</a>"},
        ),
        (f"""curl {A} -H 'content-type: text/plain' --data-raw '@here'""", {"body": "@here"}),
        (f"curl {A} \\\n  -X POST \\\n  -H 'x: y'", {"method": "POST"}),
        (f"curl {A} \\\r\n  -X POST", {"method": "POST"}),
        (f"curl -sSLXPOST {A}", {"method": "POST"}),
        (f"curl -- {A}", {"path": "/v1/offices"}),
        (f"FOO=bar curl {A}", {"path": "/v1/offices"}),
        ("curl example.com", {"server": "http://example.com", "path": ""}),
    ],
)
def test_a_command_becomes_a_request(command: str, expected: dict[str, Any]):
    prepared = from_curl(command).prepared
    assert {name: getattr(prepared, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"curl {A} -d a=1 -d 'b=x%20y' --data c=", {"a": "1", "b": "x y", "c": ""}),
        (f"curl {A} --data-urlencode 'a=1 & 2' --data-urlencode '=x/y'", None),
        (f"curl {A} --data-urlencode 'a=1 & 2'", {"a": "1 & 2"}),
        (f"curl {A} -d 'a=1&a=2&b=3'", {"a": ["1", "2"], "b": "3"}),
        (f"curl {A} -F name=Lisbon -F 'note=a b;type=text/plain' -F tag=1 -F tag=2",
         {"name": "Lisbon", "note": "a b", "tag": ["1", "2"]}),
    ],
)  # fmt: skip
def test_forms_become_fields(command: str, expected: Any):
    prepared = from_curl(command).prepared
    if expected is None:
        assert (prepared.media, prepared.body) == ("text/plain", "a=1%20%26%202&x%2Fy")
    else:
        assert msgspec.json.decode(prepared.body) == expected


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ("'it'\\''s'", "it's"),
        ('"a \\"b\\" \\$c \\\\ \\x"', 'a "b" $c \\ \\x'),
        ("$'it\\'s \\u00e9 \\n\\t\\x41\\101\\\\'", "it's é \n\tAA\\"),
        ("$'\\ud83d\\ude00'", "😀"),
        ("a\\ b", "a b"),
        ("'a'\"b\"c", "abc"),
        ("''", ""),
    ],
)
def test_quotes_are_those_of_a_shell(quoted: str, text: str):
    assert from_curl(f"curl {A} -H 'content-type: text/plain' --data-raw {quoted}").prepared.body == text


def test_a_query_is_taken_apart():
    prepared = from_curl(f"curl '{A}?a=1%202&b=x+y&c' -G -d d=4 --data-urlencode 'e=5 6' --url-query f=7").prepared
    assert [(pair.name, pair.value) for pair in prepared.query] == [
        ("a", "1 2"), ("b", "x y"), ("c", ""), ("d", "4"), ("e", "5 6"), ("f", "7"),
    ]  # fmt: skip
    assert (prepared.method, prepared.body) == ("GET", "")


def test_what_says_who_asks_is_a_header_and_is_warned_of():
    read = from_curl(f"curl {A} -u 'me:pass:word' -b 'a=1; b=2' -A tool/1 -e https://from.example")
    assert headers(read.prepared) == {
        "Authorization": "Basic bWU6cGFzczp3b3Jk",
        "Cookie": "a=1; b=2",
        "User-Agent": "tool/1",
        "Referer": "https://from.example",
    }
    assert [(notice.code, notice.field) for notice in read.notices] == [
        ("secret_in_request", "Authorization"),
        ("secret_in_request", "Cookie"),
    ]
    assert "pass:word" not in repr(read.notices)
    assert headers(from_curl("curl https://me:pw@example.com/").prepared)["Authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("-H 'Authorization: Bearer s3cret'", "--kind bearer --host api.example.com"),
        ("--oauth2-bearer s3cret", "--kind bearer --host api.example.com"),
        ("-u me:s3cret", "--kind basic --host api.example.com --username me"),
        ("-H 'X-Api-Key: s3cret'", "--kind api_key --host api.example.com --parameter X-Api-Key --in header"),
        ("--url-query api_key=s3cret", "--kind api_key --host api.example.com --parameter api_key --in query"),
        ("-b 'session=s3cret'", "--kind headers --host api.example.com"),
        ("-H 'Authorization: Token abc s3cret'", "--kind headers --host api.example.com"),
    ],
)
def test_a_typed_secret_is_offered_to_be_kept_as_a_credential(options: str, command: str):
    read = from_curl(f"curl {A} {options}")
    (notice,) = read.notices
    assert notice.code == "secret_in_request"
    assert f"(offhook api credential add NAME {command})." in notice.text
    assert "s3cret" not in notice.text


def test_expressions_and_other_headers_are_no_typed_secrets():
    assert not from_curl(f"curl {A} -H 'Authorization: Bearer ${{workflow.input.token}}' -H 'Accept: a/b'").notices


@pytest.mark.parametrize(
    ("option", "code", "name"),
    [
        ("-d @secrets.json", "file_not_read", "secrets.json"),
        ("--data-binary @/etc/passwd", "file_not_read", "/etc/passwd"),
        ("--data-urlencode name@file", "file_not_read", "file"),
        ("-F file=@photo.png", "file_not_read", "photo.png"),
        ("-F 'text=<note.txt'", "file_not_read", "note.txt"),
        ("-b cookies.txt", "file_not_read", "cookies.txt"),
        ("-H @headers.txt", "file_not_read", "headers.txt"),
        ("-T up.bin", "file_not_read", "up.bin"),
        ("-K curlrc", "file_not_read", "curlrc"),
        ("-k", "option_not_used", "--insecure"),
        ("--compressed", "option_not_used", "--compressed"),
        ("--max-time 5", "option_not_used", "--max-time"),
        ("--no-such-thing", "option_not_used", "--no-such-thing"),
        ("--unix-socket /run/docker.sock", "option_not_used", "--unix-socket"),
        ("-H 'Host: inside'", "header_not_used", "Host"),
        ("-H nonsense", "header_not_used", "nonsense"),
        ("https://other.example", "address_not_used", "https://other.example"),
        ("| jq .", "rest_not_used", "| jq ."),
        ("; rm -rf /", "rest_not_used", "; rm -rf /"),
        ('-H "x: $TOKEN"', "shell_variable", "$TOKEN"),
        ("-d '{\"a\":1}'", "json_guessed", "Content-Type"),
    ],
)
def test_what_is_not_used_is_named(option: str, code: str, name: str):
    read = from_curl(f"curl {A} {option}")
    assert (code, name) in [(notice.code, notice.field) for notice in read.notices]
    assert code != "option_not_used" or any(name in notice.text for notice in read.notices)
    assert read.prepared.server == "https://api.example.com"


def test_a_command_of_windows():
    command = (
        'curl ^"https://api.example.com/v1/offices?a=1^&b=2^" ^\r\n  -H ^"content-type: application/json^" ^\r\n'
        '  --data-raw ^"^{^\\^"name^\\^":^\\^"Lisbon^\\^"^}^"'
    )
    prepared = from_curl(command).prepared
    assert [(pair.name, pair.value) for pair in prepared.query] == [("a", "1"), ("b", "2")]
    assert (prepared.method, prepared.media, prepared.body) == ("POST", "application/json", '{"name":"Lisbon"}')


@pytest.mark.parametrize(
    "command",
    ["", "wget https://example.com", "curl", "curl -X", "curl -H 'a", f'curl {A} -d "x', f"curl {A} -d $'x",
     "x" * 2_000_000, "curl " + "a " * 5000, "curl http://[::1"],
)  # fmt: skip
def test_what_is_no_command_is_refused(command: str):
    with pytest.raises(Invalid) as refused:
        from_curl(command)
    assert refused.value.violations[0].location == "curl"


def test_a_long_command_takes_no_long_time():
    for text in (
        "curl " + "\\" * 900_000,
        "curl " + "'" * 900_000,
        'curl ^"' + "^" * 900_000,
        "curl http:" + "&" * 90_000,
    ):
        with suppress(Invalid):
            from_curl(text)


def test_what_was_read_can_be_sent():
    sent = finished(from_curl(f"curl '{A}?q=a%20b' -F 'name=Li\"s' -H 'X-A: 1'").prepared)
    assert (sent.method, sent.url) == ("POST", f"{A}?q=a%20b")
    assert dict(sent.headers)["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="name"\r\n\r\nLi"s\r\n' in sent.body
