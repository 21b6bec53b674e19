"""Whatever stands where in a document, it is carried out or refused with places; nothing of it is a fault of ours."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offhook.configuration.kinds import KINDS
from offhook.configuration.text import MAX_BYTES
from tests.api.desk import Company
from tests.configuration.files import PATH, apply, document, export, lisbon

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from(["", "user", "office ", "room 99999999999999999999", "keep", "closed", "24:00-24:00", "a/"])
    | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["action", "target", "dtmf", "user", "role", "operator", "2026-01-01", "talk_lines", "x"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.sampled_from([(kind, one.path) for kind in KINDS for one in kind.fields] + [(kind, "id") for kind in KINDS])
KEYS = st.sampled_from(["Lisbon", "Lisbon/Lobby", "Lisbon/new", "new@example.com", "+12125550177", "/", "", "a/b/c"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=FIELDS, key=KEYS, value=ODD, prune=st.booleans())
def test_no_value_of_a_field_is_a_fault_of_the_server(
    embedded: Company, field: tuple[Any, str], key: str, value: Any, prune: bool
):
    company = embedded.desk.found()
    apply(company.live, document(offices={"Lisbon": lisbon()}, rooms={"Lisbon/Lobby": {}}))
    before = export(company.live)
    kind, path = field
    record: dict[str, Any] = {}
    here = record
    *way, last = path.split(".")
    for part in way:
        here = here.setdefault(part, {})
    here[last] = value
    wanted = document(**{kind.section: {key: record}})
    answer = company.live.post(PATH + "/plan", {"document": wanted, "prune": prune})
    assert answer.status in (200, 400, 409), answer
    if answer.status == 400:
        assert answer.errors
    assert export(company.live) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(section=st.sampled_from(["version", "company", *(kind.section for kind in KINDS)]), value=ODD)
def test_no_section_is_a_fault_of_the_server(embedded: Company, section: str, value: Any):
    company = embedded.desk.found()
    for wanted in ({"version": 1, section: value}, {"version": 1, section: {"k": value}}):
        assert company.live.post(PATH + "/plan", {"document": wanted}).status in (200, 400, 409)


def test_a_body_over_sixteen_megabytes_is_refused(embedded: Company):
    answer = embedded.live.post(PATH + "/plan", content=b" " * (MAX_BYTES + 1))
    assert answer.status == 413
