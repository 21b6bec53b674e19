import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner

from offhook.kit import clock
from offhook.kit.cursor import Cursors
from offhook.kit.errors import Invalid

CURSORS = Cursors("a secret of this test")


@given(st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_a_cursor_leads_back_to_its_position(position: int, flag: bool):
    cursor = CURSORS.seal("offices", 7, [flag], position)
    assert CURSORS.open(cursor, "offices", 7, [flag]) == position
    assert cursor.replace("-", "").replace("_", "").replace(".", "").isalnum()


@pytest.mark.parametrize(
    ("listing", "tenant", "filters"),
    [
        ("events", 7, [False]),
        ("offices", 8, [False]),
        ("offices", 7, [True]),
        ("offices", 7, []),
        ("offices", 7, [0, 1]),
    ],
)
def test_a_cursor_serves_only_the_list_tenant_and_filters_it_was_made_for(listing: str, tenant: int, filters: list):
    cursor = CURSORS.seal("offices", 7, [False], 5)
    with pytest.raises(Invalid, match="another list or other filters"):
        CURSORS.open(cursor, listing, tenant, filters)


def test_filters_are_the_same_in_lists_and_in_tuples():
    cursor = CURSORS.seal("rooms", 7, [("office_id", 3)], 5)
    assert CURSORS.open(cursor, "rooms", 7, [("office_id", 3)]) == 5
    with pytest.raises(Invalid):
        CURSORS.open(cursor, "rooms", 7, [("office_id", 4)])


def test_another_servers_cursor_is_refused():
    with pytest.raises(Invalid, match="not a cursor of this server"):
        CURSORS.open(Cursors("another secret").seal("offices", 7, [], 5), "offices", 7, [])


@given(st.text(max_size=80) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_other_text_is_refused(text: str):
    with pytest.raises(Invalid):
        CURSORS.open(text, "offices", 7, [])


# Sealed once: its letters tell the time.
SEALED = CURSORS.seal("offices", 7, [False], 187169548662784)


@given(st.data())
def test_a_changed_letter_is_noticed(data: st.DataObject):
    cursor = SEALED
    # The last letter of a part carries bits that decoding drops.
    at = data.draw(
        st.sampled_from([i for i, c in enumerate(cursor) if c != "." and cursor[i + 1 : i + 2] not in (".", "")])
    )
    letter = data.draw(st.sampled_from([c for c in "ABCabc019-_" if c != cursor[at]]))
    with pytest.raises(Invalid):
        CURSORS.open(cursor[:at] + letter + cursor[at + 1 :], "offices", 7, [False])


@pytest.mark.parametrize(("days", "good"), [(0, True), (6.99, True), (7.01, False), (400, False)])
def test_a_cursor_is_good_for_seven_days(monkeypatch: pytest.MonkeyPatch, days: float, good: bool):
    cursor = CURSORS.seal("offices", 7, [], 5)
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: int(clock.wall() + days * 86_400))
    if good:
        assert CURSORS.open(cursor, "offices", 7, []) == 5
    else:
        with pytest.raises(Invalid, match="older than 7 days"):
            CURSORS.open(cursor, "offices", 7, [])
