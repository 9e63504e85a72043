"""Refunds that arrive, invoices that are paid after all, pauses that end: Stripe is asked when their time has come."""

from datetime import date, timedelta

import structlog

from nodes.wording.refunds import REFUND_TAKES
from server.promises.means import Fate, Means
from server.promises.telling import part, tell
from tools.billing.types import Refund
from tools.errors import NotFound
from tools.ledger.types import Action, Promise
from tools.policy.types import ActionKind

log = structlog.get_logger()

RESUMING = timedelta(hours=1)
"""Stripe may take its time to end a pause."""


async def refund_arrived(action: Action, means: Means) -> Fate:
    """What Stripe has paid out is kept. A failure of which no event told us is told now, as the event would have."""
    refund = await _refund_of(action, means)
    if refund is None:
        log.error("promise.refund_missing", action_id=action.id)
        return "overdue"
    await means.reactions.refund_changed(refund.id)
    match refund.status:
        case "failed" | "canceled":
            return "dropped"
        case "succeeded":
            return await _paid_out(action, refund, means)
        case _:
            return await _late(action, refund, means)


async def _refund_of(action: Action, means: Means) -> Refund | None:
    made = [effect.stripe_id for effect in await means.ledger.effects(action.id) if effect.stripe_id]
    try:
        return await means.billing.refund(made[-1]) if made else None
    except NotFound:
        return None


async def _paid_out(action: Action, refund: Refund, means: Means) -> Fate:
    # A reversal never has a reference: the charge itself is gone from the statement.
    receipt = await means.ledger.receipt_of(action.id)
    if receipt and refund.reference is None and refund.kind != "reversal":
        said = part("promise_refund_untraced", amount=action.amount, receipt=receipt.number)
        await tell(means.queue, action.thread, ("refund untraced", refund.id), said, about=action)
    return "kept"


async def _late(action: Action, refund: Refund, means: Means) -> Fate:
    receipt = await means.ledger.receipt_of(action.id)
    if receipt is None:
        return "waits"
    said = [part("promise_refund_late", amount=action.amount, receipt=receipt.number, when=REFUND_TAKES)]
    if refund.reference:
        said.append(part("promise_refund_reference", reference=refund.reference))
    why = f"refund {refund.id} of {action.amount.text()} is still {refund.status} after {REFUND_TAKES}"
    await tell(means.queue, action.thread, ("refund late", refund.id), *said, about=action, person=why)
    return "overdue"


async def paid_in_time(promise: Promise, action: Action, means: Means) -> Fate:
    """Not paid when the extra time is over: Stripe collects it again, and the customer knows."""
    invoice = await means.billing.invoice(action.target)
    if invoice.status == "paid" or invoice.remaining.amount == 0:
        return "kept"
    if invoice.status != "open" or await _overtaken(action, means, "payment_plan", "extend_due_date"):
        return "dropped"
    if promise.overdue_at is None:
        await means.collect_again(action)
    number = invoice.number or invoice.id
    said = part("promise_payment_over", day=promise.due, number=number, remaining=invoice.remaining)
    await tell(means.queue, promise.thread, ("payment late", promise.id), said, about=action)
    return "overdue"


async def _overtaken(action: Action, means: Means, *kinds: ActionKind) -> bool:
    """Something else of these kinds was done to the same target since."""
    later = await means.ledger.actions(target=action.target, state="succeeded")
    return any(one.kind in kinds and one.updated > action.updated for one in later)


async def resumed(promise: Promise, action: Action, means: Means) -> Fate:
    """A pause that does not end by itself goes to a person."""
    try:
        subscription = await means.billing.subscription(action.target)
    except NotFound:
        return "dropped"
    if not subscription.paused:
        return "kept"
    if subscription.ended_at or await _overtaken(action, means, "pause_subscription"):
        return "dropped"
    if means.now() < promise.due + RESUMING:
        return "waits"
    said = part("promise_still_paused", plan=subscription.plan, day=promise.due)
    why = f"subscription {subscription.id} was to resume on {date.isoformat(promise.due)} and is still paused"
    await tell(means.queue, promise.thread, ("still paused", promise.id), said, about=action, person=why)
    return "overdue"
