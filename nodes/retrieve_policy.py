"""Finds the policy sections that bear on what the customer wants."""

from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.state import SupportState
from tools.errors import KnowledgeUnavailable

SECTIONS = {
    "duplicate_charge": ("refunds", "duplicate-charges"),
    "refund_request": ("refunds", "when-we-refund"),
    "refund_status": ("refunds", "how-long-a-refund-takes"),
    "cancel_subscription": ("cancellation", "cancelling-your-plan"),
    "payment_plan": ("payment-plans", "how-a-plan-works"),
    "extend_due_date": ("payment-plans", "more-time-instead-of-instalments"),
    "resend_invoice": ("invoices", "finding-your-invoices"),
    "undo_cancel": ("cancellation", "undoing-a-cancellation"),
    "pause_subscription": ("cancellation", "pausing-instead-of-cancelling"),
    # Quoted only where we cannot do it ourselves.
    "change_plan": ("plan-changes", "downgrading"),
    "update_payment_method": ("failed-payments", "updating-your-payment-method"),
    "change_billing_details": ("invoices", "changing-the-details-on-an-invoice"),
}


async def retrieve_policy(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """A policy statement in the reply can name its document and section."""
    goal = next(iter(state.get("goals") or []), "")
    try:
        if goal in SECTIONS:
            passage = await runtime.context.knowledge.section(*SECTIONS[goal])
            return {"passages": [asdict(passage)] if passage else []}
        query = goal.replace("_", " ") or state["turn"]["text"]
        found = await runtime.context.knowledge.search(query, limit=runtime.context.limits.passages)
    except KnowledgeUnavailable:
        return {"passages": []}
    return {"passages": [asdict(passage) for passage in found]}
