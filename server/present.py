"""Rows of the ledger in the shapes that clients are given."""

from datetime import datetime
from typing import Any

from server.runs.queue import ASSISTANT
from server.threads import assistant_id
from tools.knowledge.types import Passage
from tools.ledger.types import (
    Action,
    ActionEvent,
    Approval,
    Assessment,
    Effect,
    Promise,
    Receipt,
    Run,
    Switch,
    Thread,
    Ticket,
)

Json = dict[str, Any]


def thread_json(thread: Thread, *, values: Json | None = None, interrupts: Json | None = None) -> Json:
    return {
        "thread_id": thread.id,
        "created_at": thread.created.isoformat(),
        "updated_at": thread.updated.isoformat(),
        "state_updated_at": thread.updated.isoformat(),
        "metadata": thread.metadata,
        "status": thread.status,
        "config": {},
        "values": values,
        "interrupts": interrupts or {},
        "error": None,
    }


def run_json(run: Run) -> Json:
    return {
        "run_id": run.id,
        "thread_id": run.thread,
        "assistant_id": assistant_id(run.assistant),
        "status": run.status,
        "metadata": {"graph_id": run.assistant, "assistant_id": assistant_id(run.assistant)},
        "kwargs": {},
        "multitask_strategy": "enqueue",
        "created_at": run.created.isoformat(),
        "updated_at": run.updated.isoformat(),
        "error": failure_of(run),
    }


def failure_of(run: Run) -> Json | None:
    if run.status != "error":
        return None
    code, _, message = (run.error or "internal").partition(": ")
    return {"error": code, "message": message}


def ticket_json(ticket: Ticket) -> Json:
    return {
        "id": ticket.id,
        "thread_id": ticket.thread,
        "state": ticket.state,
        "reason": ticket.reason,
        "packet": ticket.packet,
        "claimed_by": ticket.claimed_by,
        "note": ticket.note,
        "created_at": ticket.created.isoformat(),
        "updated_at": ticket.updated.isoformat(),
    }


def action_json(action: Action) -> Json:
    return {
        "id": action.id,
        "thread_id": action.thread,
        "kind": action.kind,
        "customer": action.customer,
        "target": action.target,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "reason": action.reason,
        "details": action.details,
        "evidence": action.evidence,
        "policy_version": action.policy_version,
        "rule": action.rule,
        "outcome": action.outcome,
        "digest": action.digest,
        "state": action.state,
        "proposer": action.proposer,
        "approvals_needed": action.approvals_needed,
        "deadline": _moment(action.deadline),
        "created_at": action.created.isoformat(),
        "updated_at": action.updated.isoformat(),
    }


def own_action_json(action: Action, receipt: Receipt | None) -> Json:
    """What the customer is told of an action of theirs: what was on its card, and how it stands."""
    kept = ("id", "thread_id", "kind", "amount", "currency", "reason", "details", "digest", "state", "deadline")
    whole = action_json(action)
    return {
        **{name: whole[name] for name in kept},
        "needs_approval": action.outcome == "needs_approval",
        "receipt": receipt.number if receipt else None,
        "updated_at": whole["updated_at"],
    }


def approval_json(approval: Approval) -> Json:
    return {
        "agent": approval.agent,
        "role": approval.role,
        "verdict": approval.verdict,
        "reason": approval.reason,
        "digest": approval.digest,
        "at": approval.at.isoformat(),
    }


def assessment_json(assessment: Assessment) -> Json:
    """With the trace: what every rule said."""
    return {
        "step": assessment.step,
        "outcome": assessment.outcome,
        "rule": assessment.rule,
        "policy_version": assessment.policy_version,
        "request": assessment.request,
        "verdict": assessment.verdict,
        "at": assessment.at.isoformat(),
    }


def promise_json(promise: Promise) -> Json:
    return {
        "id": promise.id,
        "kind": promise.kind,
        "text": promise.text,
        "due": promise.due.isoformat(),
        "kept_at": _moment(promise.kept_at),
        "overdue_at": _moment(promise.overdue_at),
        "dropped_at": _moment(promise.dropped_at),
    }


def owed_json(promise: Promise, now: datetime) -> Json:
    """One that is still owed, in the desk's list of them."""
    due = promise.due.isoformat()
    return {
        "id": promise.id,
        "thread_id": promise.thread,
        "action_id": promise.action,
        "kind": promise.kind,
        "text": promise.text,
        "due": due,
        "overdue_since": due if promise.due < now else None,
        "seen_overdue_at": _moment(promise.overdue_at),
    }


def effect_json(effect: Effect) -> Json:
    return {
        "kind": effect.kind,
        "target": effect.target,
        "idempotency_key": effect.idempotency_key,
        "outcome": effect.outcome,
        "stripe_id": effect.stripe_id,
        "begun_at": effect.begun.isoformat(),
        "finished_at": _moment(effect.finished),
    }


def passage_json(passage: Passage) -> Json:
    return {
        "document": passage.document,
        "version": passage.version,
        "title": passage.title,
        "section": passage.section,
        "anchor": passage.anchor,
        "text": passage.text,
    }


def switch_json(name: str, switch: Switch | None) -> Json:
    """One that was never turned is on."""
    if switch is None:
        return {"name": name, "on": True, "actor": None, "reason": None, "at": None}
    at = switch.at.isoformat()
    return {"name": name, "on": switch.on, "actor": switch.actor, "reason": switch.reason, "at": at}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def event_json(event: ActionEvent) -> Json:
    return {
        "sequence": event.sequence,
        "state": event.state,
        "actor": event.actor,
        "reason": event.reason,
        "at": event.at.isoformat(),
    }


def receipt_json(receipt: Receipt) -> Json:
    return {
        "number": receipt.number,
        "action_id": receipt.action,
        "body": receipt.body,
        "digest": receipt.digest,
        "created_at": receipt.created.isoformat(),
    }


def assistant_json(graph_id: str) -> Json:
    since = "2026-01-01T00:00:00+00:00"
    return {
        "assistant_id": assistant_id(graph_id),
        "graph_id": graph_id,
        "name": graph_id,
        "description": "The conversation." if graph_id == ASSISTANT else "A case; started by the conversation.",
        "config": {},
        "context": {},
        "metadata": {"created_by": "system"},
        "version": 1,
        "created_at": since,
        "updated_at": since,
    }
