"""SIGKILL at random moments under full load: what was acknowledged is there, whole and once; nothing is half there."""

import random
import time

import pytest

from tests.servers import PostgreSQL
from tests.survival.conftest import Say, Start
from tests.survival.ledger import Ledger, sqlite_store, store_of
from tests.survival.process import Process, slot_of

SEED = 20_261_224


def kill_again_and_again(ledger: Ledger, kills: int, say: Say) -> None:
    """Creates at full rate, a kill at some moment, a new start, the accounts; that many times."""
    server, dice, lost = ledger.server, random.Random(SEED), 0
    for turn in range(kills):
        with ledger.creating(seconds=20) as running:
            time.sleep(dice.uniform(0.05, 0.9))
            server.kill()
            assert running.result().ended == "server gone"
        if turn % 5 == 4:
            # The start is a moment like any other.
            server.spawn()
            time.sleep(dice.uniform(0.0, 1.5))
            server.kill()
        server.start()
        lost += settle(ledger)
    assert 500 not in ledger.answers, ledger.answers
    assert not server.faults()
    say(f"{kills} kills, {len(ledger.acknowledged)} acknowledged, {lost} repeated with their key")


def settle(ledger: Ledger) -> int:
    """Compare, send again what was lost, compare; gives how many were sent again."""
    with store_of(ledger.server) as query:
        ledger.check(query)
        lost = ledger.repeat_lost()
        ledger.repeat_acknowledged()
        ledger.check(query)
    return lost


def settle_all(ledger: Ledger) -> None:
    """Compare all that was ever acknowledged."""
    with store_of(ledger.server) as query:
        assert ledger.check_all(query) >= len(ledger.acknowledged)


def is_sound(server: Process) -> bool:
    """What SQLite itself says of the file."""
    with sqlite_store(server.data / "offhook.sqlite3") as query:
        return query("PRAGMA integrity_check") == [("ok",)] and query("PRAGMA foreign_key_check") == []


@pytest.mark.brief
def test_a_killed_server_has_kept_what_it_acknowledged(start: Start, say: Say) -> None:
    server = start()
    kill_again_and_again(Ledger(server, SEED), 3, say)
    assert is_sound(server)


@pytest.mark.long
def test_a_server_killed_thirty_times_has_kept_what_it_acknowledged(start: Start, say: Say) -> None:
    server = start()
    ledger = Ledger(server, SEED)
    kill_again_and_again(ledger, 30, say)
    settle_all(ledger)
    assert ledger.answers.keys() == {200}
    assert len(ledger.acknowledged) > 3000
    assert is_sound(server)


def kill_postgres(ledger: Ledger, postgres: PostgreSQL, kills: int, say: Say) -> None:
    """Creates while PostgreSQL is killed and comes back; the server itself is never started anew."""
    server, dice = ledger.server, random.Random(SEED)
    process = server.process
    for _ in range(kills):
        before = len(ledger.acknowledged)
        with ledger.creating(seconds=2.5, connections=8) as running:
            time.sleep(dice.uniform(0.2, 0.6))
            late = time.monotonic() + 1.5
            while len(ledger.acknowledged) == before and time.monotonic() < late:
                time.sleep(0.01)  # a busy machine has not begun yet
            postgres.kill()
            held = len(ledger.acknowledged)
            assert held > before, "nothing was created before the kill"
            refusal = server.ask("POST", "/api/v2/offices", {"name": "x"} | BODY)
            refusal.refused(503)
            assert int(refusal.headers["retry-after"]) >= 1
            server.ask("GET", "/api/v2/offices/primary").refused(503)
            assert server.ask("GET", "/readyz").status == 503
            assert server.ask("GET", "/healthz").status == 200
            postgres.start()
            running.result()
        if len(ledger.acknowledged) == held:
            # PostgreSQL took as long to come back as the creates went on.
            with ledger.creating(seconds=2.5, connections=8) as again:
                again.result()
        assert len(ledger.acknowledged) > held, "nothing was created after PostgreSQL came back"
        assert server.ask("GET", "/readyz").status == 200
        settle(ledger)
    assert ledger.answers.keys() == {200, 503}, ledger.answers
    assert server.process is process
    assert not server.faults()
    say(f"{kills} kills of PostgreSQL, answers {dict(ledger.answers)}")


BODY = {
    "country": "PT",
    "currency": "EUR",
    "plan_period": "monthly",
    "unified_billing": False,
    "invoiced": True,
    "annual_commit_monthly_billing": False,
    "billing_address": {
        "address_line_1": "Rua Augusta 100",
        "city": "Lisboa",
        "region": "Lisboa",
        "postal_code": "1100-053",
        "country": "PT",
    },
}


def test_over_postgresql_either_may_be_killed(start: Start, durable_postgres: PostgreSQL, say: Say) -> None:
    server = start(database_url=durable_postgres.url())
    ledger = Ledger(server, SEED)
    kill_postgres(ledger, durable_postgres, 1, say)
    # The first lost its lease of a slot with PostgreSQL: whoever comes now must not issue the same ids.
    second = start(database_url=durable_postgres.url(), company=server.company)
    made = [one.ask("POST", "/api/v2/offices", {"name": "b"} | BODY, key=sandbox(one)).json for one in (server, second)]
    slots = [slot_of(answer["office"]["id"]) for answer in made]
    assert slots[0] != slots[1], "both processes issue ids in one slot"
    kill_again_and_again(ledger, 1, say)


@pytest.mark.long
def test_over_postgresql_either_may_be_killed_again_and_again(start: Start, say: Say) -> None:
    with PostgreSQL(durable=True) as postgres:
        ledger = Ledger(start(database_url=postgres.url()), SEED)
        kill_postgres(ledger, postgres, 5, say)
        kill_again_and_again(ledger, 10, say)
        settle_all(ledger)


def sandbox(server: Process) -> str:
    """The key of another environment, whose offices are not in the ledger."""
    assert server.company is not None
    return server.company.sandbox_key
