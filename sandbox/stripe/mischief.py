"""Faults that change what a request does: banks decline, dispute and take their time, just now."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from sandbox.stripe.errors import Json
from sandbox.stripe.resources import disputes
from sandbox.stripe.world import World

DECLINE_CODES = {
    "card_declined": "generic_decline",
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_required",
}
"""As ordered, to the behaviour of a card."""
EVIDENCE = {
    "decline": {"charge.failed", "payment_intent.requires_action"},
    "dispute_before": {"charge.dispute.created"},
    "refund_pending": {"refund.created"},
    "refund_fails_later": {"refund.created"},
    "refund_requires_action": {"refund.created"},
}
"""The events that show it happened."""
MISCHIEF = tuple(EVIDENCE)
SETTLING_SECONDS = 60


class Order(Protocol):
    kind: str
    code: str | None
    charge: str | None
    seconds: float | None


def happened(kind: str, events: Iterable[Json]) -> bool:
    return any(event["type"] in EVIDENCE[kind] for event in events)


@contextmanager
def at_work(world: World, order: Order, params: Json) -> Iterator[None]:
    """While a handler runs."""
    if order.kind == "decline":
        world.declining = DECLINE_CODES[order.code or "card_declined"]
    elif order.kind == "dispute_before":
        _dispute(world, order.charge or _charge_of(world, params))
    else:
        world.overrides["refund"] = _instead(world, order)
    try:
        yield
    finally:
        world.overrides.clear()
        world.declining = None


def _charge_of(world: World, params: Json) -> str | None:
    if params.get("charge"):
        return str(params["charge"])
    intent = world.find("payment_intent", params.get("payment_intent")) or {}
    return intent.get("latest_charge")


def _dispute(world: World, identifier: str | None) -> None:
    charge = world.find("charge", identifier)
    if charge and charge["status"] == "succeeded" and not charge["disputed"]:
        disputes.open_dispute(world, charge)


def _instead(world: World, order: Order) -> Json:
    """What a refund made now looks like. Its time counts from now on the sandbox's clock."""
    due = world.now() + int(SETTLING_SECONDS if order.seconds is None else order.seconds)
    match order.kind:
        case "refund_pending":
            return {"status": "pending", "_later": [due, "succeeded"]}
        case "refund_fails_later":
            return {"_later": [due, "failed"]}
        case _:
            later = None if order.seconds is None else [due, "succeeded"]
            email = {"email_sent_at": world.now(), "email_sent_to": "customer@example.com"}
            action = {"display_details": {"email_sent": email, "expires_at": world.now() + 30 * 86_400}}
            return {"status": "requires_action", "next_action": action | {"type": "display_details"}, "_later": later}
