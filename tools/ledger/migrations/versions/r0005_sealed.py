"""What is written once may be sealed anew or erased, and still never changed.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WORDS = {
    "actions": ("reason", "details", "evidence"),
    "receipts": ("body",),
    "approvals": ("reason",),
    "assessments": ("request",),
    "action_events": ("reason",),
}
FACTS = {
    "actions": "id, thread, kind, customer, target, amount, currency, policy_version, rule, outcome, digest, created",
    "receipts": "number, action, digest, audited, created",
    "approvals": "action, agent, verdict, role, digest, at",
    "assessments": 'id, "case", thread, step, outcome, rule, policy_version, verdict, at',
    "action_events": "action, sequence, state, actor, at",
}


def upgrade() -> None:
    for table, columns in WORDS.items():
        _replace_guards(table, columns)


def _replace_guards(table: str, columns: tuple[str, ...]) -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.execute(f"DROP TRIGGER {table}_refuses_update{f' ON {table}' if postgresql else ''}")
    kept = " AND ".join(_is_kept(column, postgresql=postgresql) for column in columns)
    _refuse(f"{table}_refuses_update", f"UPDATE OF {FACTS[table]}", table, "", postgresql=postgresql)
    words = f"UPDATE OF {', '.join(columns)}"
    _refuse(f"{table}_keeps_its_words", words, table, f"WHEN (NOT ({kept}))", postgresql=postgresql)


def _is_kept(column: str, *, postgresql: bool) -> str:
    """Whether it is what it was, a seal, or erased. What a seal holds, only the keys can say: see the digests."""
    new, old = (f"CAST({row}.{column} AS TEXT)" for row in ("NEW", "OLD"))
    plain = f"trim({new}, '\"')" if not postgresql else f"btrim({new}, '\"')"
    return f"({new} = {old} OR {plain} LIKE 'sealed:1:%' OR {plain} = 'erased:1')"


def _refuse(name: str, change: str, table: str, when: str, *, postgresql: bool) -> None:
    if postgresql:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse()"
        )
    else:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {change} ON {table} {when} "
            f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table}'); END"
        )
