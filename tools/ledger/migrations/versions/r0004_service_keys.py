"""Keys of machines. Their name, scopes and age cannot be changed afterwards, nor can a revoked one be taken back.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
FIXED = "name, digest, scopes, created"


def upgrade() -> None:
    op.create_table(
        "service_keys",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("last_used", MOMENT),
        sa.Column("revoked", MOMENT),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER service_keys_stay BEFORE UPDATE OF {FIXED} ON service_keys "
            "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        op.execute(
            "CREATE TRIGGER service_keys_stay_revoked BEFORE UPDATE OF revoked ON service_keys "
            "FOR EACH ROW WHEN (OLD.revoked IS NOT NULL) EXECUTE FUNCTION ledger_refuse()"
        )
    else:
        op.execute(
            f"CREATE TRIGGER service_keys_stay BEFORE UPDATE OF {FIXED} ON service_keys "
            "BEGIN SELECT RAISE(ABORT, 'a key stays as it was made'); END"
        )
        op.execute(
            "CREATE TRIGGER service_keys_stay_revoked BEFORE UPDATE OF revoked ON service_keys "
            "WHEN OLD.revoked IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a revoked key stays revoked'); END"
        )
