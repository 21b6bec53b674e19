"""Devices of users and rooms, in one table."""

from alembic import op

from offhook.storage.migrations.tables import documents

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FIXED = "id, tenant_id, state, version, created_at, updated_at"


def upgrade() -> None:
    documents("devices", numbers=["owner_id"], texts=["owner_type"])
    op.execute(
        f"INSERT INTO devices ({_FIXED}, document, owner_id, owner_type) "  # noqa: S608 - names are ours
        f'SELECT {_FIXED}, replace(document, \'"user_id"\', \'"owner_type":"user","owner_id"\'), user_id, \'user\' '
        "FROM user_devices"
    )
    op.drop_table("user_devices")


def downgrade() -> None:
    documents("user_devices", numbers=["user_id"])
    op.execute(
        f"INSERT INTO user_devices ({_FIXED}, document, user_id) "  # noqa: S608
        f'SELECT {_FIXED}, replace(document, \'"owner_type":"user","owner_id"\', \'"user_id"\'), owner_id '
        "FROM devices WHERE owner_type = 'user'"
    )
    op.drop_table("devices")
