"""Numbers say their kind, country and area code, whose pool they are of, and which line of a plan they use."""

import sqlalchemy as sa
from alembic import op

from offhook.kit.phones import about
from offhook.storage.migrations.tables import BIG, index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PART = 1000


def upgrade() -> None:
    for name in ("type", "country", "area_code", "status", "line"):
        op.add_column("numbers", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    for name in ("office_id", "target_office_id"):
        op.add_column("numbers", sa.Column(name, BIG, server_default=sa.text("0"), nullable=False))
    _describe()
    # Nothing but offices had numbers before, and an office's main line is included in its plan.
    op.execute(
        "UPDATE numbers SET status = CASE target_type WHEN '' THEN 'available' ELSE 'office' END, "
        "target_office_id = target_id"
    )
    op.drop_index(op.f("ix_numbers_tenant_id_target_type_target_id"), "numbers")
    index("ix_numbers_taken", "numbers", ["tenant_id", "target_type", "target_id", "e164"], "target_type <> ''")
    index("ix_numbers_kept", "numbers", ["tenant_id", "office_id"], "office_id <> 0")
    op.create_index(op.f("ix_numbers_tenant_id_status_e164"), "numbers", ["tenant_id", "status", "e164"], unique=False)
    index(
        "ix_numbers_free",
        "numbers",
        ["tenant_id", "office_id", "country", "type", "area_code", "e164"],
        "status = 'available'",
    )


def _describe() -> None:
    connection, after = op.get_bind(), (0, "")
    find = sa.text(
        "SELECT tenant_id, e164 FROM numbers WHERE tenant_id > :tenant OR (tenant_id = :tenant AND e164 > :e164) "
        "ORDER BY tenant_id, e164 LIMIT :part"
    )
    write = sa.text(
        "UPDATE numbers SET type = :type, country = :country, area_code = :area_code "
        "WHERE tenant_id = :tenant AND e164 = :e164"
    )
    while rows := connection.execute(find, {"tenant": after[0], "e164": after[1], "part": _PART}).fetchall():
        found = [(row[0], row[1], about(row[1])) for row in rows]
        connection.execute(
            write,
            [
                {"tenant": tenant, "e164": e164, "type": it.kind, "country": it.country, "area_code": it.area_code}
                for tenant, e164, it in found
            ],
        )
        after = (rows[-1][0], rows[-1][1])


def downgrade() -> None:
    op.drop_index("ix_numbers_taken", "numbers")
    op.drop_index("ix_numbers_kept", "numbers")
    op.create_index(
        op.f("ix_numbers_tenant_id_target_type_target_id"),
        "numbers",
        ["tenant_id", "target_type", "target_id"],
        unique=False,
    )
    op.drop_index("ix_numbers_free", "numbers")
    op.drop_index(op.f("ix_numbers_tenant_id_status_e164"), "numbers")
    for name in ("target_office_id", "office_id", "line", "status", "area_code", "country", "type"):
        op.drop_column("numbers", name)
