"""The directory against its model, SQLite and PostgreSQL."""

import pytest

from tests.api.desk import Desk
from tests.api.directory_model import run


@pytest.mark.brief
def test_a_directory_behaves_like_its_model(sqlite_desk: Desk):
    run(sqlite_desk, 14, 25)


@pytest.mark.long
def test_a_directory_behaves_like_its_model_for_long(sqlite_desk: Desk):
    run(sqlite_desk, 150, 50)
