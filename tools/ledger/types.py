"""What the ledger keeps. Rows are frozen; a change of state is a method of the ledger, not an assignment."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tools.money import Money
from tools.policy.types import ActionKind, Outcome

Json = dict[str, Any]

ActionState = Literal[
    "proposed", "confirmed", "awaiting_approval", "approved", "rejected", "declined", "expired", "void",
    "executing", "succeeded", "failed", "unknown",
]  # fmt: skip
TicketState = Literal["waiting", "claimed", "returned", "closed"]
RunStatus = Literal["pending", "running", "success", "error", "interrupted", "timeout"]
UNFINISHED: tuple["RunStatus", ...] = ("pending", "running")
ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
Role = Literal["customer", "assistant", "agent", "notice"]
StripeEventState = Literal["received", "processed", "ignored", "quarantined", "failed"]
Approving = Literal["approve", "reject"]
RefundState = Literal["requires_action", "pending", "succeeded", "failed", "canceled"]


@dataclass(frozen=True, kw_only=True)
class Thread:
    id: str
    owner: str
    status: ThreadStatus
    metadata: Json
    created: datetime
    updated: datetime


@dataclass(frozen=True, kw_only=True)
class Run:
    id: str
    thread: str
    assistant: str
    status: RunStatus
    payload: Json
    """What the run was asked to do, already masked."""
    error: str | None
    created: datetime
    updated: datetime

    @property
    def is_over(self) -> bool:
        return self.status not in UNFINISHED


@dataclass(frozen=True, kw_only=True)
class Said:
    """A line before it has its place in the transcript."""

    id: str
    role: Role
    author: str
    text: str
    extra: Json


@dataclass(frozen=True, kw_only=True)
class Message:
    """One line that the customer can see, in the order it was said."""

    id: str
    thread: str
    sequence: int
    role: Role
    author: str
    text: str
    run: str | None
    extra: Json
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the server has bound to a thread. Level 0 anonymous, 1 may read billing, 2 may act."""

    thread: str
    level: Literal[0, 1, 2]
    email: str | None
    customer: str | None
    verified_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Action:
    """An immutable record of something that may be done, named by its digest."""

    id: str
    thread: str
    kind: ActionKind
    customer: str
    target: str
    amount: Money
    reason: str
    details: Json
    """What the card shows and what executing needs beyond the above (schedule, card last four, ...)."""
    evidence: Json
    """Facts read from Stripe that must still hold when it is carried out."""
    policy_version: str
    rule: str
    outcome: Outcome
    digest: str
    state: ActionState
    proposer: str = "assistant"
    """Who asked for it: the assistant for the customer, or a colleague by id."""
    approvals_needed: int = 0
    """How many different people have to approve it before it is carried out."""
    deadline: datetime | None = None
    """When the state that it waits in ends by itself."""
    created: datetime
    updated: datetime


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's word on exactly one digest."""

    action: str
    agent: str
    role: str
    digest: str
    verdict: Approving
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """A request as policy weighed it, and what it said; kept of denied requests too, for the auditor and back-tests."""

    id: str
    case: str
    thread: str
    step: Literal["proposal", "execution"]
    request: Json
    outcome: Outcome
    rule: str
    policy_version: str
    verdict: Json
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Whether the assistant may carry anything out by itself, who said so, and why."""

    name: str
    on: bool
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ActionEvent:
    action: str
    sequence: int
    state: ActionState
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The intent to write to Stripe, kept before the write; `outcome` is None until an answer is known."""

    action: str
    kind: str
    target: str
    idempotency_key: str
    outcome: str | None
    stripe_id: str | None
    begun: datetime
    finished: datetime | None


@dataclass(frozen=True, kw_only=True)
class RefundHistory:
    """What a customer got back so far or is about to, for policy to weigh. What the bank sent back does not count."""

    count_last_year: int
    last_day: tuple[Money, ...]
    """Sums of the last 24 hours, one for each currency."""
    count_last_day: int = 0
    changes_last_day: int = 0
    """Actions of other kinds that were agreed to in the last 24 hours; instalments were, with their plan."""


@dataclass(frozen=True, kw_only=True)
class RefundOutcome:
    """The latest that Stripe said of a refund of ours. `failed` and `canceled` are its last words."""

    refund: str
    action: str
    state: RefundState
    reference: str | None
    """The bank's own (ARN), by which the customer's bank finds the payment."""
    failure_reason: str | None
    created: datetime
    updated: datetime

    @property
    def undone(self) -> bool:
        """The money came back to us, or never left."""
        return self.state in {"failed", "canceled"}


@dataclass(frozen=True, kw_only=True)
class InboxEvent:
    """That Stripe said something happened, and how far we got with it. Nothing of its object but ids is kept."""

    id: str
    type: str
    created: datetime
    """By Stripe's clock."""
    kind: str
    object: str | None
    customer: str | None
    state: StripeEventState
    note: str
    """Why it is in that state."""
    attempts: int
    due: datetime
    """When to try next; while somebody is at work on it, when to take it from them."""
    received_at: datetime
    processed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The counterfoil: what was done, when, by which rule and whom."""

    number: str
    """`CF-2026-000001`."""
    action: str
    body: Json
    digest: str
    """SHA-256 over the canonical body."""
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A conversation handed to a person, with everything they need to take it on."""

    id: str
    thread: str
    state: TicketState
    reason: str
    packet: Json
    claimed_by: str | None
    note: str = ""
    """What the person wrote when they gave the conversation back."""
    created: datetime
    updated: datetime


@dataclass(frozen=True, kw_only=True)
class Promise:
    """Something that the customer was told will happen by a time."""

    id: str
    thread: str
    action: str | None
    kind: str
    text: str
    due: datetime
    kept_at: datetime | None
    overdue_at: datetime | None = None
    """When it was seen that the time is over, and the desk was told."""
    dropped_at: datetime | None = None
    """When it was seen that nothing is owed any more: withdrawn, replaced, failed and told."""

    @property
    def open(self) -> bool:
        return self.kept_at is None and self.dropped_at is None


@dataclass(frozen=True, kw_only=True)
class Feedback:
    thread: str
    rating: int
    """1 to 5."""
    comment: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    sequence: int
    at: datetime
    event: str
    data: Json = field(default_factory=dict)
    previous: str = ""
    hash: str = ""
