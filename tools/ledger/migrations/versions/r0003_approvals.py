"""Approvals by people, assessments by policy, the kill switch; what an action may become is held by the database.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LIVE = sa.text("state IN ('confirmed', 'awaiting_approval', 'approved', 'executing', 'unknown')")
MOVES = (
    "'proposed>confirmed', 'proposed>declined', 'proposed>expired', 'proposed>void', "
    "'confirmed>executing', 'confirmed>awaiting_approval', 'confirmed>void', "
    "'awaiting_approval>approved', 'awaiting_approval>rejected', 'awaiting_approval>expired', "
    "'awaiting_approval>void', 'approved>executing', 'approved>void', "
    "'executing>succeeded', 'executing>failed', 'executing>unknown', 'unknown>succeeded', 'unknown>failed'"
)
BY_THE_TABLE = f"OLD.state || '>' || NEW.state IN ({MOVES})"
CLEARED = (
    "NEW.state <> 'executing' "
    "OR (OLD.state = 'confirmed' AND NEW.outcome = 'auto' "
    "AND NOT EXISTS (SELECT 1 FROM switches WHERE name = 'automatic' AND \"on\" = {off})) "
    "OR (OLD.state = 'approved' AND NEW.outcome <> 'deny' AND NEW.approvals_needed <= "
    "(SELECT count(*) FROM approvals a WHERE a.action = NEW.id AND a.digest = NEW.digest AND a.verdict = 'approve') "
    "AND EXISTS (SELECT 1 FROM approvals a WHERE a.action = NEW.id AND a.digest = NEW.digest "
    "AND a.verdict = 'approve'))"
)
APPEND_ONLY = ("approvals", "assessments")


def upgrade() -> None:
    columns()
    tables()
    op.create_index(
        "uq_actions_live_target", "actions", ["kind", "target"], unique=True, postgresql_where=LIVE, sqlite_where=LIVE
    )
    guards()


def columns() -> None:
    op.add_column("actions", sa.Column("proposer", sa.String, nullable=False, server_default="assistant"))
    op.add_column("actions", sa.Column("approvals_needed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("actions", sa.Column("deadline", MOMENT))
    op.execute("UPDATE actions SET approvals_needed = 1 WHERE outcome = 'needs_approval'")
    op.add_column("promises", sa.Column("overdue_at", MOMENT))
    op.add_column("promises", sa.Column("dropped_at", MOMENT))


def tables() -> None:
    op.create_table(
        "approvals",
        sa.Column("action", sa.String, sa.ForeignKey("actions.id"), primary_key=True, nullable=False),
        sa.Column("agent", sa.String, primary_key=True),
        sa.Column("verdict", sa.String, primary_key=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("verdict IN ('approve', 'reject')", name="verdict"),
    )
    op.create_index(None, "approvals", ["agent", "at"])
    op.create_table(
        "assessments",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("case", sa.String, nullable=False),
        sa.Column("thread", sa.String, nullable=False),
        sa.Column("step", sa.String, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("policy_version", sa.String, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint("outcome IN ('auto', 'needs_approval', 'deny')", name="outcome"),
        sa.CheckConstraint("step IN ('proposal', 'execution')", name="step"),
    )
    op.create_index(None, "assessments", ["case", "at"])
    op.create_index(None, "assessments", ["at"])
    op.create_table(
        "switches",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("on", sa.Boolean, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )


def guards() -> None:
    for table in APPEND_ONLY:
        refuse("UPDATE", table)
        refuse("DELETE", table)
    if op.get_bind().dialect.name == "postgresql":
        _guards_of_postgresql()
    else:
        _guards_of_sqlite()


def _guards_of_postgresql() -> None:
    cleared = CLEARED.format(off="false")
    op.execute(
        "CREATE FUNCTION ledger_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT ({BY_THE_TABLE}) OR NOT ({cleared}) THEN "
        "RAISE EXCEPTION 'an action that is % cannot become %', OLD.state, NEW.state; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER actions_move_by_the_table BEFORE UPDATE OF state ON actions "
        "FOR EACH ROW EXECUTE FUNCTION ledger_moves()"
    )
    op.execute(
        "CREATE TRIGGER actions_keep_who_asked BEFORE UPDATE OF proposer, approvals_needed ON actions "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    op.execute(
        "CREATE FUNCTION ledger_approves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF EXISTS (SELECT 1 FROM actions WHERE id = NEW.action AND proposer = NEW.agent) AND NEW.verdict = 'approve' "
        "THEN RAISE EXCEPTION 'nobody approves what they proposed'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER approvals_by_another BEFORE INSERT ON approvals "
        "FOR EACH ROW EXECUTE FUNCTION ledger_approves()"
    )


def _guards_of_sqlite() -> None:
    cleared = CLEARED.format(off="0")
    op.execute(
        "CREATE TRIGGER actions_move_by_the_table BEFORE UPDATE OF state ON actions "
        f"WHEN NOT ({BY_THE_TABLE}) OR NOT ({cleared}) "
        "BEGIN SELECT RAISE(ABORT, 'an action in this state cannot become that'); END"
    )
    op.execute(
        "CREATE TRIGGER actions_keep_who_asked BEFORE UPDATE OF proposer, approvals_needed ON actions "
        "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: actions'); END"
    )
    op.execute(
        "CREATE TRIGGER approvals_by_another BEFORE INSERT ON approvals WHEN NEW.verdict = 'approve' "
        "AND EXISTS (SELECT 1 FROM actions WHERE id = NEW.action AND proposer = NEW.agent) "
        "BEGIN SELECT RAISE(ABORT, 'nobody approves what they proposed'); END"
    )


def refuse(change: str, table: str) -> None:
    name = f"{table}_refuses_{change.lower()}"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
        if change == "DELETE":
            op.execute(
                f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION ledger_refuse()"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END"
        )
