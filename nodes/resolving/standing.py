"""Refunds under way, subscriptions and credit: what stands on the account now."""

from datetime import datetime

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.outcomes import NAMES, REFUND_TAKES
from nodes.resolving.matter import Matter, Proposal, Resolution
from tools.billing.types import Refund, Subscription
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
    listed = lines([*said, draft("refunds_intro"), *map(_refund_line, refunds)])
    if any(refund.status == "failed" for refund in refunds):
        return Resolution(draft=listed + draft("refund_failed_note"), asked="handover")
    told = listed + draft("refund_when", when=REFUND_TAKES)
    return Resolution(draft=told.then(draft("refund_reversal_note")) if refunds[0].kind == "reversal" else told)


def _refund_line(refund: Refund) -> Draft:
    """With the reference by which the customer's bank finds it, once there is one."""
    reference = draft("refund_reference", reference=refund.reference) if refund.reference else Draft()
    status = REFUND_WORDS[refund.status]
    return draft("refund_line", amount=refund.amount, date=refund.created, status=status, reference=reference)


def subscription_status(matter: Matter) -> Resolution:
    active = _active(matter)
    if not active:
        return Resolution(draft=draft("nothing_to_cancel"))
    said = [
        draft(
            "subscription_line",
            plan=s.plan,
            price=s.price,
            interval=s.interval,
            status=s.status.replace("_", " "),
            end=s.period_end,
        )
        for s in active
    ]
    return Resolution(draft=lines([draft("subscriptions_intro"), *said]))


def credit_balance(matter: Matter) -> Resolution:
    balance = matter.picture.customer.balance
    if balance is None or balance.amount >= 0:
        return Resolution(draft=draft("no_credit"))
    return Resolution(draft=draft("credit", amount=type(balance)(-balance.amount, balance.currency)))


def cancel_subscription(matter: Matter) -> Resolution:
    """At the end of the paid period, for the one subscription there is."""
    active = _active(matter)
    if not active:
        return Resolution(draft=draft("nothing_to_cancel"))
    if ending := [s for s in active if s.cancel_at_period_end]:
        said = draft("already_cancelling", plan=ending[0].plan, end=ending[0].period_end)
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
        "interval": subscription.interval,
        "end": subscription.period_end.isoformat(),
        "evidence_ids": [subscription.id],
    }
    return Proposal(request=request, details=details)


def _active(matter: Matter) -> list[Subscription]:
    return [s for s in matter.picture.subscriptions if s.status in ACTIVE]
