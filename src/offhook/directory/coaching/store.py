"""Where coaching teams are kept."""

from offhook.directory.coaching.model import CoachingTeam
from offhook.storage.documents import Documents

teams = Documents("coaching_teams", CoachingTeam, numbers={"office_id": lambda team: team.office_id})
