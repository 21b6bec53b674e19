"""Where contacts are kept."""

from offhook.directory.contacts.model import Contact
from offhook.storage.documents import Documents

contacts = Documents(
    "contacts",
    Contact,
    numbers={"owner_id": lambda contact: contact.owner_id},
    texts={"uid": lambda contact: contact.uid},
    unique=("uid",),
)
