"""What one charge was for, and why two that look alike are not one payment twice."""

from nodes.drafting import Draft, Value, draft, lines, sentences
from nodes.resolving.telling import what_for
from nodes.wording.parts import DECLINED, brand_name
from tools.billing.analysis import (
    Because,
    ChargeExplanation,
    ChargeState,
    ExplainedPair,
    Occasion,
    find_duplicates,
    name_of,
    overpaid,
)
from tools.billing.types import BillingPicture, Charge, InvoiceLine, Refund
from tools.money import Money

OCCASIONS: dict[Occasion, str] = {
    "first": "occasion_first",
    "renewal": "occasion_renewal",
    "trial_ended": "occasion_trial_ended",
    "change": "occasion_change",
}
"""What is not here goes without saying."""
BECAME: dict[ChargeState, str] = {
    "refunded": "charge_refunded",
    "pending": "charge_pending",
    "authorised": "charge_authorised",
    "released": "charge_released",
}
LINES_SHOWN = 4
PAIRS: dict[Because, str] = {
    "failed": "pair_failed",
    "authorisation": "pair_authorisation",
    "refunded": "pair_refunded",
    "disputed": "pair_disputed",
    "same_payment": "pair_same_payment",
    "instalment": "pair_instalment",
    "other_subscription": "pair_other_subscription",
    "proration": "pair_proration",
    "other_period": "pair_other_period",
    "other_lines": "pair_other_lines",
    "other_order": "pair_other_order",
    "other_purpose": "pair_other_lines",
    "other_card": "pair_other_card",
    "pending": "pair_pending",
}
"""Reasons that can be said in a sentence; the others are left to a person."""


def explained(facts: ChargeExplanation, picture: BillingPicture) -> Draft:
    """All that is known of a charge, in a few sentences."""
    said = [_what(facts), *_why(facts), *_within(facts), *_became(facts, picture), *_since(facts, picture)]
    told = lines([sentences(said), *map(bill_line, facts.lines[:LINES_SHOWN])])
    left = len(facts.lines) - LINES_SHOWN
    return told.line(draft("more_lines", count=left)) if left > 0 else told


def why_not_twice(pair: ExplainedPair) -> Draft:
    """Why these two are not the same payment. Unsaid reasons are for a person."""
    template = PAIRS.get(pair.because, "pair_unclear") if pair.certain else "pair_unclear"
    one, other = pair.earlier, pair.later
    if template == "pair_failed":
        failed, paid = (one, other) if one.status == "failed" else (other, one)
        reason = DECLINED[failed.failure or "declined"]
        return draft(template, amount=failed.amount, date=failed.created, other=paid.created, reason=reason)
    if template == "pair_authorisation":
        held = one if one.captured < one.amount else other
        return draft(template, amount=held.amount, date=held.created)
    return draft(template, amount=other.amount, days=_days(one, other))


def _days(one: Charge, other: Charge) -> Draft:
    if one.created.date() == other.created.date():
        return draft("on_one_day", date=one.created)
    return draft("on_two_days", date=one.created, other=other.created)


def why_gone(charge: Charge, picture: BillingPicture) -> Draft:
    """Why a charge that took money cannot be refunded any more."""
    told: dict[str, Value | Draft] = {
        "amount": charge.amount,
        "date": charge.created,
        "purpose": what_for(charge, picture),
    }
    if charge.is_contested:
        return draft(_contested(charge, lost="gone_lost", inquiry="gone_inquiry", other="gone_disputed"), **told)
    pending = any(refund.status == "pending" for refund in _refunds_of(charge, picture))
    return draft("gone_pending" if pending else "gone_refunded", **told)


def bank_has_decided(charge: Charge) -> bool:
    return any(dispute.status == "lost" for dispute in charge.disputes)


def failed_refund(picture: BillingPicture, charge: Charge) -> Refund | None:
    """The newest refund of it, where that one failed."""
    newest = next(iter(_refunds_of(charge, picture)), None)
    return newest if newest and newest.status == "failed" else None


def _refunds_of(charge: Charge, picture: BillingPicture) -> list[Refund]:
    return [refund for refund in picture.refunds if refund.charge == charge.id]


def _contested(charge: Charge, *, lost: str, inquiry: str, other: str) -> str:
    """By how the bank's question stands. An inquiry has moved no money."""
    if bank_has_decided(charge):
        return lost
    asked = bool(charge.disputes) and all(each.status.startswith("warning") for each in charge.disputes)
    return inquiry if asked else other


def declined(charge: Charge) -> Draft:
    return draft(
        "payment_declined",
        amount=charge.amount,
        date=charge.created,
        method=_method(charge),
        reason=DECLINED[charge.failure or "declined"],
    )


def _what(facts: ChargeExplanation) -> Draft:
    charge = facts.charge
    said = draft("charge_what", amount=charge.amount, date=charge.created, method=_method(charge))
    if charge.invoice_number:
        return said.then(draft("charge_of_invoice", number=charge.invoice_number))
    return said.then(draft("charge_of_nothing", description=charge.description or "no description"))


def _why(facts: ChargeExplanation) -> list[Draft]:
    said = []
    if facts.subscription and (occasion := OCCASIONS.get(facts.occasion)):
        said.append(draft(occasion, plan=_plan_then(facts, facts.subscription.plan)))
    if facts.instalment:
        said.append(draft("charge_instalment", place=facts.instalment.place, whole=facts.instalment.whole))
    if facts.failed_before:
        said.append(draft("charge_retry", date=facts.failed_before[-1]))
    return said


def _plan_then(facts: ChargeExplanation, now: str) -> str:
    """As it was billed: the subscription may have another plan by now."""
    billed = dict.fromkeys(name_of(line) for line in facts.lines if not line.proration and line.amount.amount > 0)
    return " + ".join(billed) or now


def _within(facts: ChargeExplanation) -> list[Draft]:
    said = [draft("charge_discount", amount=d.amount, name=d.name or "no name") for d in facts.discounts if d.amount]
    if facts.tax:
        said.append(draft("charge_tax", tax=facts.tax))
    if facts.credit_used:
        said.append(draft("charge_credit", amount=facts.credit_used))
    if facts.charge.statement:
        said.append(draft("charge_statement", statement=facts.charge.statement))
    if facts.usual_currency:
        said.append(draft("charge_currency", currency=facts.charge.amount.currency.upper()))
    return said


def _since(facts: ChargeExplanation, picture: BillingPicture) -> list[Draft]:
    """What came after it: refunds on their way or in vain, a dispute that is over, the same payment again."""
    charge, said = facts.charge, []
    if failed := failed_refund(picture, charge):
        said.append(draft("charge_refund_failed", amount=failed.amount, date=failed.created))
    if not charge.is_contested and any(dispute.status == "won" for dispute in charge.disputes):
        said.append(draft("charge_dispute_won"))
    twice = next((pair for pair in find_duplicates(picture) if pair.later.id == charge.id), None)
    if twice:
        said.append(draft("charge_duplicate", date=twice.earlier.created))
    elif facts.invoice and (over := overpaid(picture, facts.invoice)):
        said.append(draft("charge_overpaid", amount=over))
    return said


def _became(facts: ChargeExplanation, picture: BillingPicture) -> list[Draft]:
    pending = [refund for refund in _refunds_of(facts.charge, picture) if refund.status == "pending"]
    if pending and not facts.charge.is_contested:
        said = [draft("charge_refund_pending", amount=each.amount, date=each.created) for each in pending]
        arrived = facts.charge.refunded.amount - sum(each.amount.amount for each in pending)
        before = Money(arrived, facts.charge.amount.currency)
        return [*([draft("charge_partly_refunded", refunded=before)] if arrived > 0 else []), *said]
    match facts.state:
        case "disputed":
            ways = {"lost": "charge_dispute_lost", "inquiry": "charge_inquiry", "other": "charge_disputed"}
            return [draft(_contested(facts.charge, **ways))]
        case "partly_refunded":
            return [draft("charge_partly_refunded", refunded=facts.charge.refunded)]
        case "failed":
            return [draft("charge_failed", reason=DECLINED[facts.charge.failure or "declined"])]
        case state:
            return [draft(BECAME[state])] if state in BECAME else []


def bill_line(line: InvoiceLine) -> Draft:
    if line.period_start.date() == line.period_end.date():
        return draft("bill_line", description=line.description, amount=line.amount)
    return draft(
        "bill_line_period",
        description=line.description,
        amount=line.amount,
        start=line.period_start,
        end=line.period_end,
    )


def _method(charge: Charge) -> Draft:
    if charge.card is None:
        return draft("other_method")
    return draft("original_card", brand=brand_name(charge.card.brand), last4=charge.card.last4)
