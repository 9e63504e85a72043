"""What Stripe tells us: its events, and what became of our refunds.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index(None, "actions", ["target"])
    op.create_index(None, "effects", ["stripe_id"])
    op.create_table(
        "refund_outcomes",
        sa.Column("refund", sa.String, primary_key=True),
        sa.Column("action", sa.String, sa.ForeignKey("actions.id"), nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reference", sa.String),
        sa.Column("failure_reason", sa.String),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('requires_action', 'pending', 'succeeded', 'failed', 'canceled')", name="state"
        ),
    )
    op.create_index(None, "refund_outcomes", ["action"])
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("object", sa.String),
        sa.Column("customer", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("processed_at", MOMENT),
        sa.CheckConstraint(
            "state IN ('received', 'processed', 'ignored', 'quarantined', 'failed')", name="state"
        ),
    )
    op.create_index(None, "stripe_events", ["state", "due"])
