"""Reads the customer's billing data."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.picture import to_json
from nodes.state import SupportState
from tools.errors import BillingUnavailable


async def fetch_billing(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """What is said next rests on what Stripe says now. Stripe down is a fact too, and is told."""
    runtime.stream_writer({"type": "status", "text": "Reading your invoices"})
    customer = state["identity"].get("customer")
    if not customer:
        raise RuntimeError("fetch_billing without a bound customer")
    try:
        picture = await runtime.context.billing.picture(customer)
    except BillingUnavailable:
        return {"billing": {"status": "unavailable"}, "stage": "check_billing"}
    return {"billing": {"status": "ok", "picture": to_json(picture)}, "stage": "check_billing"}
