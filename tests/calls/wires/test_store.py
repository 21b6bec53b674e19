"""What telephones told is written with what else is written then, and by the loop where that can be."""

import asyncio
import threading
from pathlib import Path

from offhook.calls.wires import store
from offhook.calls.wires.model import Wire, Wires
from offhook.storage.batches import Writer
from offhook.storage.database import Database, Transaction
from offhook.storage.migrate import upgrade


def test_they_are_written_together_by_the_loop(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/offhook.sqlite3")
    upgrade(database)
    threads: list[str] = []

    class Noted(store.Put):
        @classmethod
        def run_many(cls, tx: Transaction, units: object) -> list[None]:
            threads.append(threading.current_thread().name)
            return super().run_many(tx, units)  # type: ignore[arg-type]

    def told(call_id: int, *began: int) -> Noted:
        return Noted([Wires(tenant_id=1, call_id=call_id, wires=tuple(Wire(began=at) for at in began))])

    async def work() -> None:
        writer = Writer(database)
        before = writer.changes()
        await asyncio.gather(*map(writer.submit, (told(1, 20, 10), told(2, 30), told(1, 40))))
        assert writer.batches == 1
        # No company is another one by it.
        assert writer.changes() == before
        await writer.submit(store.Put([]))
        await writer.close()

    asyncio.run(work())
    assert threads == ["MainThread"]
    with database.reading() as tx:
        assert [wire.began for wire in store.of_call(tx, 1, 1)] == [10, 20, 40]
        assert [wire.began for wire in store.of_call(tx, 1, 2)] == [30]
    database.close()
