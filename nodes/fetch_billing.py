"""Reads the customer's billing data."""

from typing import Any

from langgraph.runtime import Runtime

from nodes.context import Context
from nodes.picture import cards_to_json, held_to_json, prices_to_json, to_json
from nodes.state import SupportState
from tools.billing.types import BillingPicture, BillingReader, Card
from tools.errors import BillingUnavailable, NotFound


async def fetch_billing(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """What is said next rests on what Stripe says now. Stripe down is a fact too, and is told."""
    runtime.stream_writer({"type": "status", "text": "Reading your invoices"})
    customer = state["identity"].get("customer")
    if not customer:
        raise RuntimeError("fetch_billing without a bound customer")
    try:
        picture = await runtime.context.billing.picture(customer)
        besides = await _besides(runtime.context.billing, picture, state.get("goals") or [])
    except BillingUnavailable:
        return {"billing": {"status": "unavailable"}, "stage": "check_billing"}
    return {"billing": {"status": "ok", "picture": to_json(picture), **besides}, "stage": "check_billing"}


async def _besides(billing: BillingReader, picture: BillingPicture, goals: list[str]) -> dict[str, Any]:
    """What only some wishes need: the plans there are, what would be charged, and what invoices would say."""
    found: dict[str, Any] = {}
    if "change_plan" in goals:
        found["prices"] = prices_to_json(await billing.prices())
    if {"change_plan", "payment_plan"}.intersection(goals):
        found["cards"] = cards_to_json(await _cards(billing, picture))
    if "change_billing_details" in goals:
        found["held"] = held_to_json(await billing.billing_details(picture.customer.id))
    return found


async def _cards(billing: BillingReader, picture: BillingPicture) -> dict[str, Card]:
    """By payment method: the customer's default, and those of single plans. One that is gone is none."""
    methods = {
        picture.customer.payment_method,
        *(plan.payment_method for plan in picture.subscriptions if not plan.ended_at),
    } - {None}
    found = {method: await _card(billing, method) for method in sorted(map(str, methods))}
    return {method: card for method, card in found.items() if card}


async def _card(billing: BillingReader, payment_method: str) -> Card | None:
    try:
        return await billing.card(payment_method)
    except NotFound:
        return None
