"""The directory against its model once more: a file of its own, so that another worker can have it meanwhile."""

import pytest

from tests.api.desk import Desk
from tests.api.directory_model import run


@pytest.mark.postgres
def test_a_directory_behaves_like_its_model_over_postgresql(postgresql_desk: Desk):
    run(postgresql_desk, 4, 20)


@pytest.mark.long
def test_a_directory_behaves_like_its_model_for_long_again(sqlite_desk: Desk):
    run(sqlite_desk, 150, 50, part=1)


@pytest.mark.long
@pytest.mark.postgres
def test_a_directory_behaves_like_its_model_for_long_over_postgresql(postgresql_desk: Desk):
    # What is tried is the same over both; PostgreSQL takes thrice as long.
    run(postgresql_desk, 100, 50)
