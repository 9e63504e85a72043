"""Refunds under way, subscriptions and credit: what stands on the account now."""

from datetime import datetime

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.outcomes import NAMES, REFUND_TAKES
from nodes.resolving.matter import Matter, Proposal, Resolution
from tools.billing.types import CreditNote, Refund, Subscription
from tools.money import Money
from tools.policy.types import ActionRequest

ACTIVE = frozenset({"active", "trialing", "past_due"})
REFUND_WORDS = {
    "pending": "on its way",
    "requires_action": "waiting for you",
    "succeeded": "made",
    "failed": "failed",
    "canceled": "cancelled",
}


def refund_status(matter: Matter) -> Resolution:
    """What waits for a person, what was made, and what failed on its way."""
    waiting = [a for a in matter.actions if a.kind == "refund" and a.state == "awaiting_approval"]
    said = [draft("still_waiting", what=NAMES[a.kind], amount=a.amount) for a in waiting]
    refunds = matter.picture.refunds[: matter.shown]
    if not refunds:
        return Resolution(draft=lines(said) if said else draft("refunds_none"))
    listed = lines([*said, draft("refunds_intro"), *(_refund_line(refund, matter) for refund in refunds)])
    if any(refund.status == "failed" for refund in refunds):
        return Resolution(draft=listed + draft("refund_failed_note"), asked="handover")
    told = listed + draft("refund_when", when=REFUND_TAKES)
    return Resolution(draft=told.then(draft("refund_reversal_note")) if refunds[0].kind == "reversal" else told)


def _refund_line(refund: Refund, matter: Matter) -> Draft:
    """With the reference by which the customer's bank finds it, unless there is nothing for the bank to find."""
    arrives = refund.reference and refund.status in {"pending", "succeeded"}
    charge = next((each for each in matter.picture.charges if each.id == refund.charge), None)
    return draft(
        "refund_line",
        amount=refund.amount,
        date=refund.created,
        charge=draft("of_charge", charged=charge.amount, date=charge.created) if charge else Draft(),
        status=REFUND_WORDS[refund.status],
        reference=draft("refund_reference", reference=str(refund.reference)) if arrives else Draft(),
    )


def subscription_status(matter: Matter) -> Resolution:
    active = _active(matter)
    if not active:
        return Resolution(draft=_without_plan(matter))
    return Resolution(draft=lines([draft("subscriptions_intro"), *map(_subscription_line, active)]))


def upcoming_invoice(matter: Matter) -> Resolution:
    """What renews when and for how much, and the credit that the next invoice uses."""
    said = subscription_status(matter).draft
    credit = _credit(matter)
    return Resolution(draft=said + credit if credit else said)


def _without_plan(matter: Matter) -> Draft:
    ended = max((s for s in matter.picture.subscriptions if s.ended_at), key=_end_of, default=None)
    said = draft("nothing_to_cancel")
    return said.then(draft("subscription_ended", plan=ended.plan, end=_end_of(ended))) if ended else said


def _end_of(subscription: Subscription) -> datetime:
    return subscription.ended_at or subscription.cancel_at or subscription.period_end


def _subscription_line(subscription: Subscription) -> Draft:
    plan, discount = Draft(text=subscription.plan), Draft()
    if subscription.quantity > 1 and len(subscription.items) <= 1:
        plan = draft("several_of", count=subscription.quantity, plan=subscription.plan)
    if subscription.discount:
        discount = draft("less_discount", name=subscription.discount)
    return draft(
        "subscription_line",
        plan=plan,
        price=subscription.price,
        interval=subscription.every,
        discount=Draft(text=f" {discount.text}" if discount.text else "", facts=discount.facts),
        standing=_standing(subscription),
    )


def _standing(subscription: Subscription) -> Draft:
    """Where it stands. That it ends comes before all else: its status stays "active" until then."""
    trial = subscription.status == "trialing"
    if _is_ending(subscription):
        return draft("standing_trial_ending" if trial else "standing_ending", end=_end_of(subscription))
    if subscription.paused and subscription.resumes_at:
        return draft("standing_paused_until", until=subscription.resumes_at)
    if subscription.paused:
        return draft("standing_paused")
    standing = {"trialing": "standing_trial", "past_due": "standing_past_due"}
    end = subscription.trial_end or subscription.period_end if trial else subscription.period_end
    return draft(standing.get(subscription.status, "standing_active"), end=end)


def _is_ending(subscription: Subscription) -> bool:
    return subscription.cancel_at_period_end or subscription.cancel_at is not None


def credit_balance(matter: Matter) -> Resolution:
    """The credit balance, what is owed on it, and the credit notes, which customers take for it."""
    noted = [note for note in matter.picture.credit_notes if note.status == "issued"][: matter.shown]
    said = _credit(matter) or draft("no_credit")
    return Resolution(draft=lines([said, *(_credit_note(note, matter) for note in noted)]))


def _credit(matter: Matter) -> Draft | None:
    balance = matter.picture.customer.balance
    if not balance:
        return None
    return draft("credit" if balance.amount < 0 else "owed", amount=Money(abs(balance.amount), balance.currency))


def _credit_note(note: CreditNote, matter: Matter) -> Draft:
    """It lowers one invoice, and says by itself whether the money went back."""
    invoice = next((each for each in matter.picture.invoices if each.id == note.invoice), None)
    number = invoice.number if invoice and invoice.number else "(not shown)"
    return draft(
        "credit_note_refunded" if note.refunds else "credit_note",
        note=note.number,
        date=note.created,
        amount=note.amount,
        invoice=number,
    )


def cancel_subscription(matter: Matter) -> Resolution:
    """At the end of the paid period, for the one subscription there is."""
    active = _active(matter)
    if not active:
        return Resolution(draft=_without_plan(matter))
    if len(active) == 1 and _is_ending(active[0]):
        said = draft("already_cancelling", plan=active[0].plan, end=_end_of(active[0]))
        return Resolution(draft=said + done("cancel"))
    if len(active) > 1:
        listed = subscription_status(matter).draft
        return Resolution(draft=listed + draft("which_subscription"), asked="handover")
    return Resolution(proposal=_cancellation(matter, active[0], matter.now))


def offer_person(matter: Matter) -> Resolution:
    """What policy says, and a colleague who can do it."""
    said = draft("offer_person")
    if matter.passages:
        passage = matter.passages[0]
        said = draft("policy_answer", quote=quoted(passage, passage.text), citation=passage.citation) + said
    return Resolution(draft=said, asked="handover")


def _cancellation(matter: Matter, subscription: Subscription, now: datetime) -> Proposal:
    request = ActionRequest(
        kind="cancel_subscription",
        ground="customer_request",
        customer=matter.picture.customer.id,
        target=subscription.id,
        amount=subscription.price,
        refundable=subscription.price,
        disputed=False,
        charged_at=now,
        interval=subscription.interval,
    )
    details = {
        "plan": subscription.plan,
        "interval": subscription.every,
        "end": subscription.period_end.isoformat(),
        "evidence_ids": [subscription.id],
    }
    return Proposal(request=request, details=details)


def _active(matter: Matter) -> list[Subscription]:
    return [s for s in matter.picture.subscriptions if s.status in ACTIVE]
