"""What one charge was for, and why two that look alike are not one payment twice."""

from nodes.drafting import Draft, draft, lines, sentences
from nodes.proposals import brand_name
from tools.billing.analysis import Because, ChargeExplanation, ChargeState, ExplainedPair, Occasion
from tools.billing.declines import DeclineReason
from tools.billing.types import Charge, InvoiceLine

DECLINED: dict[DeclineReason, str] = {
    "insufficient_funds": "there was not enough money on the card",
    "expired_card": "the card has expired",
    "authentication_required": "the bank wanted you to confirm it, and that did not happen",
    "wrong_details": "a detail of the card was not right",
    "over_limit": "the card was over a limit of the bank",
    "blocked": "the bank did not allow it",
    "not_supported": "the card does not support this kind of payment",
    "try_again": "the bank could not be reached just then",
    "declined": "the bank gave no reason",
}
"""What a customer may be told; see `tools.billing.declines`."""
OCCASIONS: dict[Occasion, str] = {
    "first": "occasion_first",
    "renewal": "occasion_renewal",
    "trial_ended": "occasion_trial_ended",
    "change": "occasion_change",
}
"""What is not here goes without saying."""
BECAME: dict[ChargeState, str] = {
    "refunded": "charge_refunded",
    "disputed": "charge_disputed",
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


def explained(facts: ChargeExplanation) -> Draft:
    """All that is known of a charge, in a few sentences."""
    said = [_what(facts), *_why(facts), *_within(facts), *_became(facts)]
    told = lines([sentences(said), *map(_line, facts.lines[:LINES_SHOWN])])
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
    return draft(template, amount=other.amount, date=one.created, other=other.created)


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
        said.append(draft(occasion, plan=facts.subscription.plan))
    if facts.instalment:
        said.append(draft("charge_instalment", place=facts.instalment.place, whole=facts.instalment.whole))
    if facts.failed_before:
        said.append(draft("charge_retry", date=facts.failed_before[-1]))
    return said


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


def _became(facts: ChargeExplanation) -> list[Draft]:
    match facts.state:
        case "partly_refunded":
            return [draft("charge_partly_refunded", refunded=facts.charge.refunded)]
        case "failed":
            return [draft("charge_failed", reason=DECLINED[facts.charge.failure or "declined"])]
        case state:
            return [draft(BECAME[state])] if state in BECAME else []


def _line(line: InvoiceLine) -> Draft:
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
