"""The workbench of tests/catalog, whose credentials tasks are sent with."""

from tests.catalog.conftest import firm, workbench

__all__ = ["firm", "workbench"]
