"""Charges made twice, charges to refund, charges to explain."""

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.resolving.matter import Matter, Proposal, Resolution, charge_line
from tools.billing.analysis import find_duplicates
from tools.billing.types import Charge, DuplicateCharge, Subscription
from tools.knowledge.types import Passage
from tools.policy.types import ActionRequest, Ground


def duplicate_charge(matter: Matter) -> Resolution:
    """Shows both charges with the rule, and proposes to refund the later one."""
    found = find_duplicates(matter.picture)
    if not found:
        return Resolution(draft=_no_duplicates(matter))
    pair = found[0]
    return Resolution(draft=_pair(pair, matter.passages), proposal=refund_of(matter, pair.later, "duplicate", pair))


def refund_request(matter: Matter) -> Resolution:
    """Proposes the one charge that fits what was said, or asks which."""
    open_charges = [charge for charge in matter.picture.charges if charge.refundable]
    if not open_charges:
        disputed = [charge for charge in matter.picture.charges if charge.disputed]
        if disputed:
            return Resolution(proposal=refund_of(matter, disputed[0], "within_window"))
        return Resolution(draft=draft("nothing_to_refund"))
    fitting = [charge for charge in open_charges if _fits(charge, matter.details)] or open_charges
    if len(fitting) == 1:
        return Resolution(proposal=refund_of(matter, fitting[0], "within_window"))
    listed = lines([draft("charges_intro"), *map(charge_line, fitting[: matter.shown])])
    return Resolution(draft=listed + draft("which_charge"), asked="which_charge")


def explain_charge(matter: Matter) -> Resolution:
    charges = [charge for charge in matter.picture.charges if _fits(charge, matter.details)]
    shown = (charges or list(matter.picture.charges))[: matter.shown]
    if not shown:
        return Resolution(draft=draft("charges_none"))
    return Resolution(draft=lines([draft("charges_intro"), *map(charge_line, shown)]))


def refund_of(matter: Matter, charge: Charge, ground: Ground, pair: DuplicateCharge | None = None) -> Proposal:
    """The request to refund what is left of `charge`, in facts read from Stripe."""
    subscription = _subscription_of(matter, charge)
    request = ActionRequest(
        kind="refund",
        ground=ground,
        customer=matter.picture.customer.id,
        target=charge.id,
        amount=charge.refundable or charge.amount,
        refundable=charge.refundable,
        disputed=charge.disputed,
        charged_at=charge.created,
        interval=subscription.interval if subscription else None,
    )
    details = {
        "date": charge.created.isoformat(),
        "description": charge.description,
        "brand": charge.card.brand if charge.card else None,
        "last4": charge.card.last4 if charge.card else None,
        "invoice_number": charge.invoice_number,
        "duplicate_of": pair.earlier.id if pair else None,
        "evidence_ids": list(pair.evidence) if pair else [charge.id],
    }
    return Proposal(request=request, details=details)


def _pair(pair: DuplicateCharge, passages: tuple[Passage, ...]) -> Draft:
    quote, citation = Draft(text=""), "our refund policy"
    if passages:
        quote, citation = quoted(passages[0], _first_sentences(passages[0].text)), passages[0].citation
    said = draft(
        "duplicate_found",
        amount=pair.later.amount,
        earlier=charge_line(pair.earlier, timed=True),
        later=charge_line(pair.later, timed=True),
        quote=quote,
        citation=citation,
    )
    return said.with_card({"type": "duplicate", "charges": [_card(pair.earlier), _card(pair.later)]})


def _card(charge: Charge) -> dict[str, object]:
    return {
        "id": charge.id,
        "amount": charge.amount.amount,
        "currency": charge.amount.currency,
        "at": charge.created.isoformat(),
        "last4": charge.card.last4 if charge.card else None,
        "brand": charge.card.brand if charge.card else None,
    }


def _no_duplicates(matter: Matter) -> Draft:
    refunded = [r for r in matter.picture.refunds if r.reason == "duplicate" and r.status == "succeeded"]
    if not refunded:
        return draft("duplicate_none")
    return draft("duplicate_refunded", amount=refunded[0].amount, date=refunded[0].created) + done("refund")


def _fits(charge: Charge, details: dict[str, object]) -> bool:
    """Whether nothing that the customer said speaks against this charge."""
    said = {
        "amount": charge.amount.amount,
        "invoice_number": charge.invoice_number,
        "last4": charge.card.last4 if charge.card else None,
    }
    return all(details[name] == value for name, value in said.items() if details.get(name) is not None)


def _subscription_of(matter: Matter, charge: Charge) -> Subscription | None:
    invoice = next((i for i in matter.picture.invoices if i.id == charge.invoice), None)
    wanted = invoice.subscription if invoice else None
    return next((s for s in matter.picture.subscriptions if s.id == wanted), None)


def _first_sentences(text: str, count: int = 2) -> str:
    sentences = text.replace("\n", " ").split(". ")
    return ". ".join(sentences[:count]).rstrip(".") + "."
