"""A contact as it is kept, and how its id is written."""

import msgspec


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody outside. `owner_id` is the user whose contact it is, 0 if the whole company shares it.

    Phones are E.164; the first of each list is the primary one. `uid` is the name that a caller gave it.
    """

    first_name: str = ""
    last_name: str = ""
    owner_id: int = 0
    uid: str = ""
    company_name: str = ""
    job_title: str = ""
    extension: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    trunk_group: str = ""

    @property
    def display_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


def _pool(company_id: int) -> str:
    return f"shared_contact_pool_Company:{company_id}_uid_"


def id_text(id: int, contact: Contact, company_id: int) -> str:
    """The id on the wire: the number, or for a contact with a uid the text that v2's clients compute from it."""
    return _pool(company_id) + contact.uid if contact.uid else str(id)


def uid_of(text: str, company_id: int) -> str | None:
    """The uid in an id of the company's on the wire, or None if it holds none."""
    pool = _pool(company_id)
    return text.removeprefix(pool) if text.startswith(pool) else None
