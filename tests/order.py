"""In which order test files are begun, where several workers share them: what takes longest first.

A worker that begins a long file when the others are nearly through lets them wait for it. A file that is not listed
stands behind those that are, the one with most tests first. The lists name what took longest when it was measured; a
name that is not there, or not as it should be, costs a few seconds and nothing else.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

FILES = """
survival/test_fuzz.py
api/test_isolation.py
cli/test_apis.py
survival/test_kill.py
cli/test_routing.py
demo/test_demo.py
console/test_browser.py
cli/test_workflows.py
workflows/remote/test_seen.py
api/test_directory_crowds.py
cli/test_configuration.py
cli/test_history.py
survival/test_disk_full.py
docs/test_workflows.py
survival/test_two_servers.py
survival/test_shutdown.py
cli/test_installation.py
survival/test_slow_clients.py
workflows/test_secrets_nowhere.py
storage/test_migrations.py
telephony/worker/media/test_hearing.py
cli/test_phones_and_trunks.py
cli/test_next_steps.py
storage/test_backup.py
survival/test_workflows.py
cli/test_start.py
survival/test_logs.py
workflows/remote/test_elsewhere.py
routing/test_snapshot_follows.py
api/test_directory_stateful.py
api/test_directory_stateful_again.py
api/test_stateful.py
survival/test_snapshots.py
""".split()

LONG = """
api/test_directory_stateful_again.py::test_a_directory_behaves_like_its_model_for_long_over_postgresql
api/test_directory_stateful.py::test_a_directory_behaves_like_its_model_for_long
api/test_directory_stateful_again.py::test_a_directory_behaves_like_its_model_for_long_again
survival/test_kill.py::test_a_server_killed_thirty_times_has_kept_what_it_acknowledged
survival/test_fuzz.py::test_every_operation_answers_as_the_document_says_at_length
survival/test_fuzz.py::test_ninety_thousand_spoiled_bodies_get_an_answer_each_and_leave_no_mark
survival/test_fuzz.py::test_ten_thousand_bodies_that_hypothesis_thinks_of_get_an_answer_each
survival/test_kill.py::test_over_postgresql_either_may_be_killed_again_and_again
api/test_spoiled.py::test_many_spoiled_bodies_get_an_answer_in_form
routing/test_snapshot_follows.py::test_a_snapshot_follows_for_long
api/test_stateful.py::test_offices_behave_like_their_model_for_long
survival/test_workflows.py::test_a_hundred_workflows_end_though_their_server_is_killed_thirty_times
calls/test_at_once.py::test_a_thousand_calls_over_fifty_operators_in_four_processes
telephony/worker/test_mutations.py::test_a_hundred_thousand_mutated_messages_do_no_harm
survival/test_workflows.py::test_runs_wait_for_a_database_that_is_gone_for_thirty_seconds
telephony/worker/test_races.py::test_a_telephone_may_ring_longer_than_32_seconds
telephony/worker/test_races.py::test_a_silent_telephone_is_given_up_after_32_seconds
telephony/worker/test_races.py::test_a_caller_that_never_acknowledges_is_ended_after_32_seconds
calls/test_at_once.py::test_a_thousand_calls_for_very_few_operators
bench/test_media.py::test_a_hundred_calls_lose_less_than_half_a_percent
docs/test_readme.py::test_what_is_pasted_from_begin_to_end_works
""".split()

_TESTS = Path(__file__).parent


def ordered(items: list[pytest.Item]) -> list[pytest.Item]:
    """`items`, in the order in which they are to be begun. Within a file it stays, but for the long ones."""
    places = {name: place for place, name in enumerate(LONG)}
    long = sorted((one for one in items if _name(one) in places), key=lambda one: places[_name(one)])
    rest = [one for one in items if _name(one) not in places]
    counts = Counter(_file(one) for one in rest)
    listed = {name: place for place, name in enumerate(FILES)}
    behind = len(FILES)
    rest.sort(key=lambda one: (listed.get(_file(one), behind), -counts[_file(one)], _file(one)))
    return [*long, *rest]


def missing(names: Iterable[str]) -> list[str]:
    """Those of `names` whose file is not there, or has no such test."""
    found = [name.partition("::") for name in names]
    return [
        path + mark + test
        for path, mark, test in found
        if not (_TESTS / path).is_file() or (test and f"def {test}(" not in (_TESTS / path).read_text())
    ]


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(_TESTS).as_posix()


def _name(item: pytest.Item) -> str:
    return f"{_file(item)}::{getattr(item, 'originalname', item.name)}"
