"""docs/algorithms/verify.md lists what verification can find."""

from offhook.routing.findings import CODES, Severity
from tests.docs.tables import quoted, rows, section

ORDER: tuple[Severity, ...] = ("error", "warning", "hint")


def test_every_code_of_verification_is_on_the_page_with_its_severities():
    listed = {quoted(row[0])[0]: row[1] for row in rows(section("algorithms/verify.md", "Codes"))}
    assert listed == {code: ", ".join(one for one in ORDER if one in kinds) for code, kinds in CODES.items()}
    assert list(listed) == sorted(listed)
