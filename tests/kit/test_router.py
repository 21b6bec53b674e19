"""Which operation a method and a path name, and what is read out of the path."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.kit.operation import Method, Operation
from offhook.kit.router import MAX_PATH, Match, Router, public

TABLE: list[tuple[Method, str]] = [
    ("GET", "/healthz"),
    ("GET", "/api/v2/offices"),
    ("POST", "/api/v2/offices"),
    ("GET", "/api/v2/offices/primary"),
    ("GET", "/api/v2/offices/{id}"),
    ("PATCH", "/api/v2/offices/{id}"),
    ("GET", "/api/v2/offices/{office_id}/plan"),
    ("GET", "/api/v2/numbers/{number}"),
    ("POST", "/api/v2/numbers/assign"),
    ("POST", "/api/v2/numbers/{number}/assign"),
    ("GET", "/api/v2/callcenters/{id}/operators"),
    ("GET", "/api/v2/callcenters/operators/{id}/dutystatus"),
    ("PATCH", "/api/v2/callcenters/{call_center_id}/operators/{user_id}/skill"),
    ("DELETE", "/api/v2/customivrs/{target_type}/{target_id}/{ivr_type}"),
    ("GET", "/api/v2/users/{id:user}"),
    ("GET", "/api/v2/contacts/{id:text}"),
    ("PATCH", "/api/v2/users/{id}/status"),
]


def operation(method: Method, path: str) -> Operation:
    return Operation(id=f"{method} {path}", method=method, path=path, summary="")


ROUTER = Router(operation(method, path) for method, path in TABLE)


def found(method: str, path: str) -> Match:
    match = ROUTER.find(method, path)
    assert match is not None, f"{method} {path} is not found"
    return match


@pytest.mark.parametrize(
    ("method", "path", "template", "params"),
    [
        ("GET", "/healthz", "/healthz", {}),
        ("GET", "/api/v2/offices", "/api/v2/offices", {}),
        ("POST", "/api/v2/offices", "/api/v2/offices", {}),
        ("GET", "/api/v2/offices/12", "/api/v2/offices/{id}", {"id": 12}),
        ("PATCH", "/api/v2/offices/12", "/api/v2/offices/{id}", {"id": 12}),
        ("GET", "/api/v2/offices/12/plan", "/api/v2/offices/{office_id}/plan", {"office_id": 12}),
        ("GET", "/api/v2/offices/-7", "/api/v2/offices/{id}", {"id": -7}),
        ("GET", "/api/v2/offices/9223372036854775807", "/api/v2/offices/{id}", {"id": 2**63 - 1}),
        ("GET", "/api/v2/numbers/+14155550100", "/api/v2/numbers/{number}", {"number": "+14155550100"}),
        ("GET", "/api/v2/numbers/%2B14155550100", "/api/v2/numbers/{number}", {"number": "+14155550100"}),
        ("GET", "/api/v2/numbers/a%2Fb", "/api/v2/numbers/{number}", {"number": "a/b"}),
        ("GET", "/api/v2/numbers/caf%C3%A9", "/api/v2/numbers/{number}", {"number": "café"}),
        ("GET", "/api/v2/numbers/100%25", "/api/v2/numbers/{number}", {"number": "100%"}),
        ("GET", "/api/v2/numbers/100%", "/api/v2/numbers/{number}", {"number": "100%"}),
        ("GET", "/api/v2/users/12", "/api/v2/users/{id:user}", {"id": 12}),
        ("GET", "/api/v2/contacts/me", "/api/v2/contacts/{id:text}", {"id": "me"}),
        ("PATCH", "/api/v2/users/5/status", "/api/v2/users/{id}/status", {"id": 5}),
        (
            "DELETE",
            "/api/v2/customivrs/office/5/GREETING",
            "/api/v2/customivrs/{target_type}/{target_id}/{ivr_type}",
            {"target_type": "office", "target_id": 5, "ivr_type": "GREETING"},
        ),
    ],
)
def test_a_path_names_its_operation_and_its_parameters(
    method: str, path: str, template: str, params: dict[str, Any]
) -> None:
    match = found(method, path)
    assert match.operation is not None
    assert (match.operation.method, match.operation.path) == (method, template)
    assert dict(match.params) == params
    assert match.violations == ()


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/api/v2/offices/primary", "/api/v2/offices/primary"),
        ("POST", "/api/v2/numbers/assign", "/api/v2/numbers/assign"),
        ("POST", "/api/v2/numbers/assign/assign", "/api/v2/numbers/{number}/assign"),
        (
            "GET",
            "/api/v2/callcenters/operators/5/dutystatus",
            "/api/v2/callcenters/operators/{id}/dutystatus",
        ),
        ("GET", "/api/v2/callcenters/operators/operators", "/api/v2/callcenters/{id}/operators"),
    ],
)
def test_a_fixed_segment_wins_over_a_parameter_and_gives_way_where_it_leads_nowhere(
    method: str, path: str, template: str
) -> None:
    match = found(method, path)
    assert match.operation is not None
    assert match.operation.path == template


def test_a_user_may_be_me_whom_only_the_key_can_tell() -> None:
    match = found("GET", "/api/v2/users/me")
    assert (dict(match.params), match.mine, match.violations) == ({}, ("id",), ())
    assert found("GET", "/api/v2/users/7").mine == ()
    (wrong,) = found("GET", "/api/v2/users/myself").violations
    assert (wrong.location, "or me" in wrong.message) == ("id", True)


@pytest.mark.parametrize("path", ["//api/v2/offices", "///api/v2/offices", "/api/v2/%6Fffices"])
def test_a_doubled_slash_in_front_and_needless_encoding_change_nothing(path: str) -> None:
    assert found("GET", path).operation is found("GET", "/api/v2/offices").operation


@pytest.mark.parametrize("path", ["//api/v2/offices/12", "/api/v2/offices/%31%32", "/api/v2/offices/0012"])
def test_an_id_is_read_through_doubled_slashes_and_encoding(path: str) -> None:
    assert found("GET", path).params == {"id": 12}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v2/offices", ("GET", "POST")),
        ("DELETE", "/api/v2/offices/12", ("GET", "PATCH")),
        ("PATCH", "/api/v2/offices/primary", ("GET",)),
        ("get", "/healthz", ("GET",)),
        ("", "/healthz", ("GET",)),
    ],
)
def test_a_known_path_with_another_method_tells_which_methods_it_has(
    method: str, path: str, allowed: tuple[str, ...]
) -> None:
    match = found(method, path)
    assert match.operation is None
    assert match.allowed == allowed


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "api/v2/offices",
        "/api/v2/offices/",
        "/api/v2//offices",
        "/api/v2/offices/12/",
        "/api/v2/offices//plan",
        "/api/v2/offices/12/nothing",
        "/api/v2",
        "/API/v2/offices",
        "/api/v2/offices?active_only=true",
        "/api/v2/numbers/" + "1" * MAX_PATH,
    ],
)
def test_what_is_not_a_path_of_the_api_is_not_found(path: str) -> None:
    assert ROUTER.find("GET", path) is None


def test_a_path_of_exactly_the_longest_length_is_still_read() -> None:
    beginning = "/api/v2/numbers/"
    number = "1" * (MAX_PATH - len(beginning))
    assert found("GET", beginning + number).params == {"number": number}


@pytest.mark.parametrize(
    "sent",
    [
        "abc",
        "1.0",
        "1e3",
        "+1",
        "--1",
        "-",
        "1_000",
        "٣",
        "²",
        "0x10",
        "9223372036854775808",
        "-9223372036854775809",
        "0" * 19 + "1",
    ],
)
def test_an_id_that_is_no_64_bit_integer_is_named_with_what_was_sent(sent: str) -> None:
    match = found("GET", f"/api/v2/offices/{sent}")
    assert match.operation is not None
    assert match.operation.path == "/api/v2/offices/{id}"
    assert [(v.location, v.sent) for v in match.violations] == [("id", sent)]
    assert match.params == {}


def test_every_parameter_that_cannot_be_read_is_named_at_once() -> None:
    match = found("PATCH", "/api/v2/callcenters/a/operators/b/skill")
    assert [(v.location, v.sent) for v in match.violations] == [("call_center_id", "a"), ("user_id", "b")]


@pytest.mark.parametrize("sent", ["%00", "a%0Ab", "%1B[31m", "\ud800"])
def test_text_with_control_characters_is_refused(sent: str) -> None:
    (violation,) = found("GET", f"/api/v2/numbers/{sent}").violations
    assert violation.location == "number"
    assert violation.sent is not None
    assert violation.sent.isprintable()


WHOLE_TABLE: list[tuple[Method, str]] = [
    *TABLE,
    ("GET", "/api/offhook/v1/offices/{id}/licences"),
    ("GET", "/api/offhook/v1/events"),
]
WHOLE = Router(operation(method, path) for method, path in WHOLE_TABLE)


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/api/offhook/v1/offices/12/licenses", "/api/offhook/v1/offices/{id}/licences"),
        ("/api/v2/offices/12/licences", "/api/offhook/v1/offices/{id}/licences"),
        ("/api/v2/offices/12/licenses", "/api/offhook/v1/offices/{id}/licences"),
        ("/api/v2/office", "/api/v2/offices"),
        ("/api/v2/Offices", "/api/v2/offices"),
        ("/api/v2/offices/", "/api/v2/offices"),
        ("/api/v2/ofices/12/plans", "/api/v2/offices/{office_id}/plan"),
        ("/api/v1/offices", "/api/v2/offices"),
        ("/api/offices/12", "/api/v2/offices/{id}"),
        ("/api/v2/event", "/api/offhook/v1/events"),
        ("/api/v2/call_centers/1/operators", "/api/v2/callcenters/{id}/operators"),
        ("/api/v2/%6ffice/12", "/api/v2/offices/{id}"),
        ("/api/v2/wp-login.php", None),
        ("/api/v2/offices/12/13/14", None),
        ("/api", None),
        ("/api/v2", None),
        ("", None),
    ],
)
def test_a_path_that_is_nearly_one_of_the_api_is_told_which(path: str, near: str | None) -> None:
    assert WHOLE.find("GET", path) is None
    assert WHOLE.near("GET", path) == near


@given(st.text(max_size=80) | st.lists(st.sampled_from(["api", "v2", "ofices", "12", ""]), max_size=900).map("/".join))
@example("/api/v2" + "/offices" * 250)
@example("/api/v2/" + "%" * 2000)
def test_whatever_is_asked_nothing_of_it_is_in_what_is_suggested(path: str) -> None:
    assert WHOLE.near("GET", path) in {None, *(public(template) for _, template in WHOLE_TABLE)}


def test_two_operations_cannot_share_a_path_and_a_method_even_under_other_names() -> None:
    with pytest.raises(ValueError, match="is both"):
        Router([operation("GET", "/offices/{id}"), operation("GET", "/offices/{office_id}")])


def test_the_marker_of_text_ids_is_not_shown() -> None:
    assert public("/users/{id:user}/deskphones/{parent_id:text}") == "/users/{id}/deskphones/{parent_id}"


WORDS = st.sampled_from(
    ["", "api", "v2", "offices", "primary", "operators", "12", "-1", "%", "%2F", "%00", "%zz", "é", "assign", "x"]
)


@given(st.text(), st.one_of(st.text(), st.lists(WORDS, max_size=9).map("/".join), st.binary().map(repr)))
@example("GET", "/" * 5000)
@example("GET", "/api/v2/numbers/\ud800")
def test_any_text_gets_an_answer(method: str, path: str) -> None:
    match = ROUTER.find(method, path)
    assert match is None or match.operation is not None or match.allowed


@given(
    st.sampled_from(TABLE), st.integers(-(2**63), 2**63 - 1), st.text(st.characters(categories=["L", "N"]), min_size=1)
)
def test_every_operation_is_found_by_its_own_filled_template(entry: tuple[Method, str], number: int, text: str) -> None:
    method, template = entry

    def filled(part: str) -> str:
        if not part.startswith("{"):
            return part
        return str(number) if part in ("{id}", "{id:user}") or part.endswith("_id}") else text

    path = "/".join(filled(part) for part in template.split("/"))
    if any(path == other for _, other in TABLE if other != template):
        return
    match = found(method, path)
    assert match.operation is not None
    assert match.operation.path == template
    assert match.violations == ()
