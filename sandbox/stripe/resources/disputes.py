"""Disputes: opened by a bank (here by `/_sandbox/disputes`), decided by a bank, read by us."""

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import fields, metadata, text
from sandbox.stripe.resource import Filter, Resource, updater
from sandbox.stripe.resources import balance
from sandbox.stripe.world import World, public

STATUSES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
)
CLOSED = frozenset({"warning_closed", "won", "lost", "prevented"})
BY_CARD = {"dispute": "needs_response", "inquiry": "warning_needs_response"}
FEE = 1500
DUE_SECONDS = 9 * 86_400


def open_dispute(world: World, charge: Json, *, status: str = "needs_response", reason: str = "fraudulent") -> Json:
    """An inquiry (`warning_*`) moves no money and leaves the charge refundable; a chargeback takes both."""
    if charge["disputed"] or charge["status"] != "succeeded":
        raise StripeFailure(f"Charge {charge['id']} cannot be disputed.", param="charge")
    dispute = world.add(
        "dispute",
        "du",
        amount=charge["amount"] - charge["amount_refunded"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence={"enhanced_evidence": {}, "customer_email_address": None, "uncategorized_text": None},
        evidence_details={
            "due_by": world.now() + DUE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        intended_submission_method=None,
        is_charge_refundable=status.startswith("warning_"),
        metadata={},
        network_reason_code="10.4",
        payment_intent=charge["payment_intent"],
        payment_method_details=_card(charge, status),
        reason=reason,
        status=status,
    )
    before = public(charge)
    charge["disputed"] = True
    world.emit("charge.dispute.created", dispute)
    world.emit("charge.updated", charge, before)
    if not status.startswith("warning_"):
        _withdraw(world, dispute)
    return dispute


def move_dispute(world: World, dispute: Json, status: str) -> Json:
    """What the bank decides next. Escalating an inquiry takes the money; winning brings it back."""
    if dispute["status"] in CLOSED:
        raise StripeFailure(f"Dispute {dispute['id']} is already closed.", param="status")
    before = public(dispute)
    escalated = dispute["status"].startswith("warning_") and not status.startswith("warning_")
    refundable = status.startswith("warning_") or status in {"won", "prevented"}
    dispute |= {"status": status, "is_charge_refundable": refundable}
    if escalated and status != "prevented":
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        _withdraw(world, dispute)
    if status == "won":
        _reinstate(world, dispute)
    world.emit("charge.dispute.closed" if status in CLOSED else "charge.dispute.updated", dispute, before)
    return dispute


def blocking_dispute(world: World, charge: Json) -> Json | None:
    """The open or lost chargeback that forbids a refund of this charge."""
    return next(
        (each for each in world.all("dispute") if each["charge"] == charge["id"] and not each["is_charge_refundable"]),
        None,
    )


def _withdraw(world: World, dispute: Json) -> None:
    entry = balance.record(world, "adjustment", -dispute["amount"], dispute["currency"], dispute["id"], fee=FEE)
    dispute["balance_transactions"].append(public(entry))
    world.emit("charge.dispute.funds_withdrawn", dispute)


def _reinstate(world: World, dispute: Json) -> None:
    entry = balance.record(world, "adjustment", dispute["amount"], dispute["currency"], dispute["id"])
    dispute["balance_transactions"].append(public(entry))
    world.emit("charge.dispute.funds_reinstated", dispute)


def _card(charge: Json, status: str) -> Json:
    brand = charge["payment_method_details"]["card"]["brand"]
    case = "inquiry" if status.startswith("warning_") else "chargeback"
    return {
        "type": "card",
        "card": {"brand": brand, "case_type": case, "network": brand, "network_reason_code": "10.4"},
    }


DISPUTES = Resource(
    kind="dispute",
    path="/v1/disputes",
    references={"charge": "charge", "payment_intent": "payment_intent"},
    filters={
        "charge": Filter(text(), kind="charge"),
        "payment_intent": Filter(text(), kind="payment_intent"),
    },
    routes=(updater("dispute", "/v1/disputes", fields(metadata=metadata()), event="charge.dispute.updated"),),
)
