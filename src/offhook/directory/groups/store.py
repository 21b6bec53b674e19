"""Where departments and call centers are kept."""

from offhook.directory.groups.model import CallCenter, Department
from offhook.storage.documents import Documents

departments = Documents(
    "departments",
    Department,
    numbers={"office_id": lambda group: group.office_id},
    texts={"name": lambda group: group.name.casefold()},
)
callcenters = Documents(
    "callcenters",
    CallCenter,
    numbers={"office_id": lambda group: group.office_id},
    texts={"name": lambda group: group.name.casefold()},
)
