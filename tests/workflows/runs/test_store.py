"""What the searches of runs go along."""

from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from offhook.storage.database import Database, Statement, Transaction
from offhook.workflows.runs import store


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"correlation": "order 7"}, "ix_workflow_runs_correlation"),
        ({"parent": 7}, "ix_workflow_runs_parent"),
        ({"name": "hello"}, "ix_workflow_runs_tenant_id_name_id"),
        ({"name": "hello", "statuses": ("FAILED",)}, "ix_workflow_runs_tenant_id_status_id"),
        ({"name": "hello", "statuses": ("COMPLETED",)}, "ix_workflow_runs_tenant_id_name_id"),
        ({"statuses": ("TERMINATED",)}, "ix_workflow_runs_tenant_id_status_id"),
    ],
    ids=["correlation", "parent", "name", "name and rare state", "name and state of most", "state"],
)
def test_a_search_goes_along_an_index(
    asked: dict[str, Any], index: str, sqlite_template: Path, tmp_path: Path, monkeypatch: Any
):
    database = Database(f"sqlite:///{copy(sqlite_template, tmp_path)}")
    plans: list[str] = []
    read = Transaction.all

    def explained(tx: Transaction, statement: Statement, *values: object) -> list[Any]:
        plans.append(str(read(tx, Statement(f"EXPLAIN QUERY PLAN {statement.text(True)}"), *values)))
        return list(read(tx, statement, *values))

    monkeypatch.setattr(Transaction, "all", explained)
    with database.reading() as tx:
        assert store.search(tx, 1, **asked) == []
    database.close()
    assert plans
    assert all(index in plan for plan in plans), plans
