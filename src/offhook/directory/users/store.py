"""Where users are kept."""

from offhook.directory.users.model import User
from offhook.storage.documents import Documents

users = Documents(
    "users",
    User,
    numbers={"office_id": lambda user: user.office_id, "is_super_admin": lambda user: int(user.is_super_admin)},
    texts={"email": lambda user: user.emails[0].casefold(), "extension": lambda user: user.extension},
    unique=("email", "extension"),
)
