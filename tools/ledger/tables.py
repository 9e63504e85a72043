"""The tables as the code sees them. `migrations/` makes them; a test holds the two together."""

from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from tools.errors import Unprocessable
from tools.ledger.sealed import SealedJson, SealedLine, SealedText
from tools.ledger.types import (
    ActionState,
    Approving,
    RefundState,
    Role,
    RunStatus,
    StripeEventState,
    ThreadStatus,
    TicketState,
)
from tools.policy.types import Outcome


class Moment(TypeDecorator[datetime]):
    """Aware UTC in and out; SQLite, which keeps no zone, holds UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise Unprocessable("A datetime without a zone names no moment.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _one_of(column: str, names: Any) -> CheckConstraint:
    allowed = ", ".join(f"'{name}'" for name in get_args(names))
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _thread(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "thread",
        String,
        ForeignKey("threads.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


def _action(*, primary_key: bool = False) -> Column[str]:
    return Column("action", String, ForeignKey("actions.id"), primary_key=primary_key, nullable=False)


threads = Table(
    "threads",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False),
    # JSONB to be searched; every other document is JSON, which PostgreSQL keeps as the very text given.
    Column("metadata", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    _one_of("status", ThreadStatus),
    Index(None, "owner", "created"),
    Index(None, "created"),
    Index(None, "updated"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    _thread(),
    Column("assistant", String, nullable=False),
    Column("status", String, nullable=False),
    Column("payload", SealedJson("runs.payload"), nullable=False),
    Column("error", SealedText("runs.error")),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    _one_of("status", RunStatus),
    Index(None, "thread", "created"),
    Index(None, "status", "created"),
)

messages = Table(
    "messages",
    metadata,
    _thread(primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("role", String, nullable=False),
    Column("author", String, nullable=False),
    Column("text", SealedText("messages.text"), nullable=False),
    Column("run", String),
    Column("extra", SealedJson("messages.extra"), nullable=False),
    Column("created", Moment, nullable=False),
    _one_of("role", Role),
    UniqueConstraint("thread", "id"),
)

identities = Table(
    "identities",
    metadata,
    _thread(primary_key=True),
    Column("level", Integer, nullable=False),
    Column("email", SealedLine("identities.email")),
    Column("customer", String),
    Column("verified_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    CheckConstraint("level IN (0, 1, 2)", name="level"),
    Index(None, "customer"),
)

_LIVE = text("state IN ('confirmed', 'awaiting_approval', 'approved', 'executing', 'unknown')")

# No foreign key from actions or promises to threads: a conversation may be deleted, what was done may not.
actions = Table(
    "actions",
    metadata,
    Column("id", String, primary_key=True),
    Column("thread", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("customer", String, nullable=False),
    Column("target", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("reason", SealedText("actions.reason"), nullable=False),
    Column("details", SealedJson("actions.details"), nullable=False),
    Column("evidence", SealedJson("actions.evidence"), nullable=False),
    Column("policy_version", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("proposer", String, nullable=False, server_default="assistant"),
    Column("approvals_needed", Integer, nullable=False, server_default="0"),
    Column("deadline", Moment),
    _one_of("state", ActionState),
    _one_of("outcome", Outcome),
    CheckConstraint("amount >= 0", name="amount"),
    Index(None, "thread", "created"),
    Index(None, "state", "created"),
    Index(None, "customer", "kind", "state", "updated"),
    Index(None, "target"),
    Index("uq_actions_live_target", "kind", "target", unique=True, postgresql_where=_LIVE, sqlite_where=_LIVE),
)

approvals = Table(
    "approvals",
    metadata,
    _action(primary_key=True),
    Column("agent", String, primary_key=True),
    Column("verdict", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("reason", SealedText("approvals.reason"), nullable=False),
    Column("at", Moment, nullable=False),
    _one_of("verdict", Approving),
    Index(None, "agent", "at"),
)

# No foreign key: a request that policy denied has no action.
assessments = Table(
    "assessments",
    metadata,
    Column("id", String, primary_key=True),
    Column("case", String, nullable=False),
    Column("thread", String, nullable=False),
    Column("step", String, nullable=False),
    Column("request", SealedJson("assessments.request"), nullable=False),
    Column("outcome", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("policy_version", String, nullable=False),
    Column("verdict", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    _one_of("outcome", Outcome),
    CheckConstraint("step IN ('proposal', 'execution')", name="step"),
    Index(None, "case", "at"),
    Index(None, "at"),
)

switches = Table(
    "switches",
    metadata,
    Column("name", String, primary_key=True),
    Column("on", Boolean, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

action_events = Table(
    "action_events",
    metadata,
    _action(primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("reason", SealedText("action_events.reason"), nullable=False),
    Column("at", Moment, nullable=False),
    _one_of("state", ActionState),
)

effects = Table(
    "effects",
    metadata,
    Column("idempotency_key", String, primary_key=True),
    _action(),
    Column("kind", String, nullable=False),
    Column("target", String, nullable=False),
    Column("outcome", String),
    Column("stripe_id", String),
    Column("begun", Moment, nullable=False),
    Column("finished", Moment),
    UniqueConstraint("kind", "target", "action"),
    Index(None, "action"),
    Index(None, "stripe_id"),
)

refund_outcomes = Table(
    "refund_outcomes",
    metadata,
    Column("refund", String, primary_key=True),
    _action(),
    Column("state", String, nullable=False),
    Column("reference", String),
    Column("failure_reason", String),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    _one_of("state", RefundState),
    Index(None, "action"),
)

stripe_events = Table(
    "stripe_events",
    metadata,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("created", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("object", String),
    Column("customer", String),
    Column("state", String, nullable=False),
    Column("note", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("processed_at", Moment),
    _one_of("state", StripeEventState),
    Index(None, "state", "due"),
    Index(None, "received_at"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("number", String, primary_key=True),
    _action(),
    Column("body", SealedJson("receipts.body"), nullable=False),
    Column("digest", String, nullable=False),
    Column("audited", BigInteger, ForeignKey("audit.sequence"), nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("action"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    _thread(),
    Column("state", String, nullable=False),
    Column("reason", SealedText("tickets.reason"), nullable=False),
    Column("packet", SealedJson("tickets.packet"), nullable=False),
    Column("claimed_by", String),
    Column("note", SealedText("tickets.note"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    _one_of("state", TicketState),
    UniqueConstraint("id"),
    Index(None, "state", "place"),
    Index(
        "uq_tickets_open_thread",
        "thread",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'claimed')"),
        sqlite_where=text("state IN ('waiting', 'claimed')"),
    ),
)

promises = Table(
    "promises",
    metadata,
    Column("id", String, primary_key=True),
    Column("thread", String, nullable=False),
    Column("action", String, ForeignKey("actions.id")),
    Column("kind", String, nullable=False),
    Column("text", SealedText("promises.text"), nullable=False),
    Column("due", Moment, nullable=False),
    Column("kept_at", Moment),
    Column("overdue_at", Moment),
    Column("dropped_at", Moment),
    Index(None, "thread"),
    Index(None, "action"),
    Index(None, "kept_at", "due"),
)

feedback = Table(
    "feedback",
    metadata,
    _thread(primary_key=True),
    Column("rating", Integer, nullable=False),
    Column("comment", SealedText("feedback.comment"), nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    Index(None, "at"),
)

service_keys = Table(
    "service_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created", Moment, nullable=False),
    Column("last_used", Moment),
    Column("revoked", Moment),
)

# `at` and `data` are kept as the text that was hashed, so that checking parses nothing on the way.
audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("event", String, nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)

# One row: the lock that lets one writer at a time, and the witness against a cut-off tail.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

# No foreign key: what is named here is gone. `cleared`: when it was gone from Redis too.
erasures = Table(
    "erasures",
    metadata,
    Column("thread", String, primary_key=True),
    Column("actor", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("cleared", Moment),
    Index(None, "cleared"),
)

redactions = Table(
    "redactions",
    metadata,
    _action(primary_key=True),
    Column("audited", BigInteger, ForeignKey("audit.sequence"), nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
