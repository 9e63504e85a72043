"""Disputes: opened by a bank (here by `/_sandbox/disputes`), decided by a bank, read by us."""

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.params import choice, fields, flag, group, metadata, text
from sandbox.stripe.resource import Call, Filter, Resource, Route, assign
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
    "appeal_needs_response",
    "appeal_under_review",
)
CLOSED = frozenset({"warning_closed", "won", "lost", "prevented"})
REVIEWED = {
    "warning_needs_response": "warning_under_review",
    "needs_response": "under_review",
    "appeal_needs_response": "appeal_under_review",
}
UNANSWERED = frozenset(REVIEWED)
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
"""Stripe's test values of `uncategorized_text`, which decide the case at once."""
BY_CARD = {"dispute": "needs_response", "inquiry": "warning_needs_response"}
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
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
        evidence=dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        evidence_details={
            "due_by": world.now() + DUE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        intended_submission_method=None,
        is_charge_refundable=_refundable(status),
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
    if not status.startswith("warning_") and status != "prevented":
        _withdraw(world, dispute)
    return dispute


def move_dispute(world: World, dispute: Json, status: str) -> Json:
    """What the bank decides next. Escalating an inquiry takes the money; winning brings it back."""
    appealed = dispute["status"] == "lost" and status == "appeal_needs_response"
    if dispute["status"] in CLOSED and not appealed:
        raise StripeFailure(f"Dispute {dispute['id']} is already closed.", param="status")
    before = public(dispute)
    escalated = dispute["status"].startswith("warning_") and not status.startswith("warning_")
    dispute |= {"status": status, "is_charge_refundable": _refundable(status)}
    if escalated and status != "prevented":
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        _withdraw(world, dispute)
    if status in UNANSWERED and (escalated or appealed):
        _ask_again(world, dispute)
    if status == "won":
        _reinstate(world, dispute)
    world.emit("charge.dispute.closed" if status in CLOSED else "charge.dispute.updated", dispute, before)
    return dispute


def _refundable(status: str) -> bool:
    """Money that the bank has taken, or may yet take, cannot be given back a second time."""
    return status.startswith("warning_") or status in {"won", "prevented"}


def _ask_again(world: World, dispute: Json) -> None:
    """A new stage is a new question, with its own time to answer."""
    details = dispute["evidence_details"]
    details |= {"due_by": world.now() + DUE_SECONDS, "past_due": False, "submission_method": "not_submitted"}


def run_out(world: World, dispute: Json) -> None:
    """Nobody answered in time: an inquiry closes, a chargeback is lost."""
    dispute["evidence_details"]["past_due"] = True
    move_dispute(world, dispute, "warning_closed" if dispute["status"].startswith("warning_") else "lost")


def _update(call: Call) -> Json:
    """Evidence is kept until it is submitted, which is the default and can be done once per stage."""
    world, params = call.world, call.params
    dispute = world.get("dispute", call.id)
    evidence = params.get("evidence")
    submit = params.get("submit", bool(evidence))
    if (evidence or submit) and dispute["status"] not in UNANSWERED:
        message = "This dispute has already been submitted or closed; its evidence can no longer be changed."
        raise StripeFailure(message, param="evidence" if evidence else "submit")
    gathered = dispute["evidence"] | (evidence or {})
    if submit and not any(gathered[name] for name in EVIDENCE):
        raise StripeFailure("You must provide evidence before you can submit it.", param="submit")
    before = public(dispute)
    assign(dispute, {name: params[name] for name in ("metadata", "intended_submission_method") if name in params})
    dispute["evidence"] = gathered
    details = dispute["evidence_details"]
    details["has_evidence"] = any(gathered[name] for name in EVIDENCE)
    if not submit:
        world.emit("charge.dispute.updated", dispute, before)
        return dispute
    details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    verdict = VERDICTS.get(dispute["evidence"].get("uncategorized_text") or "")
    if verdict and dispute["status"].startswith("warning_"):
        verdict = "warning_closed"
    return move_dispute(world, dispute, verdict or REVIEWED[dispute["status"]])


def _close(call: Call) -> Json:
    """Accepting it: irreversible, and lost."""
    dispute = call.world.get("dispute", call.id)
    if dispute["status"] not in UNANSWERED:
        raise StripeFailure("This dispute is already closed or under review; it cannot be closed.", param="id")
    return move_dispute(call.world, dispute, "lost")


def blocking_dispute(world: World, charge: Json) -> Json | None:
    """The open or lost chargeback that forbids a refund of this charge."""
    theirs = world.of("dispute", "charge", charge["id"])
    return next((each for each in theirs if not each["is_charge_refundable"]), None)


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


EVIDENCE_FIELDS = group(required=False, **{name: text(longest=20_000) for name in EVIDENCE})
DISPUTES = Resource(
    kind="dispute",
    path="/v1/disputes",
    references={"charge": "charge", "payment_intent": "payment_intent"},
    filters={
        "charge": Filter(text(), kind="charge"),
        "payment_intent": Filter(text(), kind="payment_intent"),
    },
    routes=(
        Route(
            "POST",
            "/v1/disputes/{id}",
            _update,
            fields(
                evidence=EVIDENCE_FIELDS,
                intended_submission_method=choice("manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"),
                metadata=metadata(),
                submit=flag(),
            ),
        ),
        Route("POST", "/v1/disputes/{id}/close", _close),
    ),
)
