"""The ledger.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ACTION_STATES = (
    "'proposed', 'confirmed', 'awaiting_approval', 'approved', 'rejected', 'declined', 'expired', 'void', "
    "'executing', 'succeeded', 'failed', 'unknown'"
)

# Append-only tables, and the columns of the others that are written once.
APPEND_ONLY = ("audit", "action_events", "receipts")
WRITTEN_ONCE = {
    "actions": (
        "id, thread, kind, customer, target, amount, currency, reason, details, evidence, policy_version, rule, "
        "outcome, digest, created"
    ),
    "effects": "idempotency_key, action, kind, target, begun",
}


def thread(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "thread",
        sa.String,
        sa.ForeignKey("threads.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


def action(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "action", sa.String, sa.ForeignKey("actions.id"), primary_key=primary_key, nullable=False
    )


def upgrade() -> None:
    conversations()
    deeds()
    desk()
    record()
    guards()


def conversations() -> None:
    op.create_table(
        "threads",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("metadata", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('idle', 'busy', 'interrupted', 'error')", name="status"),
    )
    op.create_index(None, "threads", ["owner", "created"])
    op.create_index(None, "threads", ["created"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String, primary_key=True),
        thread(),
        sa.Column("assistant", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'success', 'error', 'interrupted', 'timeout')", name="status"
        ),
    )
    op.create_index(None, "runs", ["thread", "created"])
    op.create_index(None, "runs", ["status", "created"])
    op.create_table(
        "messages",
        thread(primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("run", sa.String),
        sa.Column("extra", sa.JSON, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.CheckConstraint("role IN ('customer', 'assistant', 'agent', 'notice')", name="role"),
        sa.UniqueConstraint("thread", "id"),
    )
    op.create_table(
        "identities",
        thread(primary_key=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("email", sa.String),
        sa.Column("customer", sa.String),
        sa.Column("verified_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("level IN (0, 1, 2)", name="level"),
    )


def deeds() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("thread", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("customer", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("policy_version", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint(f"state IN ({ACTION_STATES})", name="state"),
        sa.CheckConstraint("outcome IN ('auto', 'needs_approval', 'deny')", name="outcome"),
        sa.CheckConstraint("amount >= 0", name="amount"),
    )
    op.create_index(None, "actions", ["thread", "created"])
    op.create_index(None, "actions", ["state", "created"])
    op.create_index(None, "actions", ["customer", "kind", "state", "updated"])
    op.create_table(
        "action_events",
        action(primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(f"state IN ({ACTION_STATES})", name="state"),
    )
    op.create_table(
        "effects",
        sa.Column("idempotency_key", sa.String, primary_key=True),
        action(),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("outcome", sa.String),
        sa.Column("stripe_id", sa.String),
        sa.Column("begun", MOMENT, nullable=False),
        sa.Column("finished", MOMENT),
        sa.UniqueConstraint("kind", "target", "action"),
    )
    op.create_index(None, "effects", ["action"])


def desk() -> None:
    op.create_table(
        "tickets",
        sa.Column(
            "place", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("id", sa.String, nullable=False),
        thread(),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("packet", sa.JSON, nullable=False),
        sa.Column("claimed_by", sa.String),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'claimed', 'returned', 'closed')", name="state"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(None, "tickets", ["state", "place"])
    open_ticket = sa.text("state IN ('waiting', 'claimed')")
    op.create_index(
        "uq_tickets_open_thread",
        "tickets",
        ["thread"],
        unique=True,
        postgresql_where=open_ticket,
        sqlite_where=open_ticket,
    )
    op.create_table(
        "promises",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("thread", sa.String, nullable=False),
        sa.Column("action", sa.String, sa.ForeignKey("actions.id")),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("kept_at", MOMENT),
    )
    op.create_index(None, "promises", ["thread"])
    op.create_index(None, "promises", ["action"])
    op.create_index(None, "promises", ["kept_at", "due"])
    op.create_table(
        "feedback",
        thread(primary_key=True),
        sa.Column("rating", sa.Integer, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    )
    op.create_index(None, "feedback", ["at"])


def record() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("previous", sa.String, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
        sa.CheckConstraint("id = 1", name="single"),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": ""}])
    op.create_table(
        "receipts",
        sa.Column("number", sa.String, primary_key=True),
        action(),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("audited", sa.BigInteger, sa.ForeignKey("audit.sequence"), nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.UniqueConstraint("action"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def guards() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the ledger is append-only: % on %', TG_OP, TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
        refuse("UPDATE", table)
        refuse("DELETE", table)
    for table, columns in WRITTEN_ONCE.items():
        refuse(f"UPDATE OF {columns}", table)
        refuse("DELETE", table)
    refuse("DELETE", "audit_head")
    refuse("UPDATE", "audit_head", unless="NEW.sequence = OLD.sequence + 1")


def refuse(change: str, table: str, unless: str | None = None) -> None:
    name = f"{table}_refuses_{change.split()[0].lower()}"
    when = f" WHEN (NOT ({unless}))" if unless else ""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
            f"FOR EACH ROW{when} EXECUTE FUNCTION ledger_refuse()"
        )
        if change == "DELETE":
            op.execute(
                f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION ledger_refuse()"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table}{when} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END"
        )
