"""What was erased: threads, where nothing begins again, and actions, each with the audit entry that says what is left.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("thread", sa.String, primary_key=True),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("cleared", MOMENT),
    )
    op.create_index(None, "erasures", ["cleared"])
    op.create_table(
        "redactions",
        sa.Column("action", sa.String, sa.ForeignKey("actions.id"), primary_key=True, nullable=False),
        sa.Column("audited", sa.BigInteger, sa.ForeignKey("audit.sequence"), nullable=False),
    )
    op.create_index(None, "threads", ["updated"])
    op.create_index(None, "identities", ["customer"])
    op.create_index(None, "stripe_events", ["received_at"])
    _stays("redactions", "UPDATE")
    _stays("redactions", "DELETE")
    _stays("erasures", "UPDATE OF thread, actor, at")
    _stays("erasures", "DELETE")
    _nothing_new("threads", "id")
    _nothing_new("actions", "thread")


def _stays(table: str, change: str) -> None:
    name = f"{table}_refuses_{change.split()[0].lower()}"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()")
        if change == "DELETE":
            op.execute(
                f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION ledger_refuse()"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END"
        )


def _nothing_new(table: str, column: str) -> None:
    """Whoever still had the conversation in hand."""
    erased = f"EXISTS (SELECT 1 FROM erasures WHERE thread = NEW.{column})"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION ledger_new_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {erased} THEN RAISE EXCEPTION 'this conversation was erased'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_not_after_erasure BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION ledger_new_{table}()"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_not_after_erasure BEFORE INSERT ON {table} WHEN {erased} "
            "BEGIN SELECT RAISE(ABORT, 'this conversation was erased'); END"
        )
