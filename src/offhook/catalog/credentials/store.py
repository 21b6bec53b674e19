"""Where credentials and the tokens got by them are kept: sealed, both."""

from sqlalchemy import Table

from offhook.catalog.credentials.model import Credential
from offhook.storage.database import Insert, Statement, Transaction
from offhook.storage.documents import Documents
from offhook.storage.tables import APART, big, metadata, text

credentials = Documents(
    "credentials",
    Credential,
    texts={"name": lambda credential: credential.name},
    unique=("name",),
    info={APART: True},
)
tokens = Table(
    "credential_tokens",
    metadata,
    big("tenant_id", primary_key=True),
    big("credential_id", primary_key=True),
    big("until"),
    text("sealed"),
    info={APART: True},
)
_put = Insert(tokens, ["tenant_id", "credential_id", "until", "sealed"], replacing=["tenant_id", "credential_id"])
_GET = Statement("SELECT until, sealed FROM credential_tokens WHERE tenant_id = ? AND credential_id = ?")
_FORGET = Statement("DELETE FROM credential_tokens WHERE tenant_id = ? AND credential_id = ?")


def token(tx: Transaction, tenant_id: int, credential_id: int) -> tuple[int, str] | None:
    """When the token ends (milliseconds), and the token, sealed."""
    row = tx.first(_GET, tenant_id, credential_id)
    return (int(row[0]), str(row[1])) if row else None


def put_token(tx: Transaction, tenant_id: int, credential_id: int, until: int, sealed: str) -> None:
    """Keep a token in place of the one before."""
    _put(tx, [(tenant_id, credential_id, until, sealed)])


def forget_token(tx: Transaction, tenant_id: int, credential_id: int) -> None:
    """Drop a credential's token, if it has one."""
    tx.change(_FORGET, tenant_id, credential_id)
