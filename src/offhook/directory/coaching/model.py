"""A coaching team as it is kept."""

from typing import Literal

import msgspec

Role = Literal["coach", "trainee"]


class CoachingTeam(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Coaches, and the trainees whose calls they follow. `country` is upper-case, that of its office."""

    name: str
    office_id: int
    country: str
    team_description: str = ""
    allow_trainee_eavesdrop: bool = False
    ring_seconds: int = 30
