"""Charges made twice, charges to refund, charges to explain."""

from dataclasses import replace
from datetime import timedelta

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.resolving.choosing import at_place, fitting_charges, named_amount
from nodes.resolving.explaining import explained, why_not_twice
from nodes.resolving.matter import Matter, Proposal, Resolution, charge_choice, charge_line
from tools.billing import analysis
from tools.billing.types import Charge, DuplicateCharge, Subscription
from tools.knowledge.types import Passage
from tools.money import Money
from tools.policy.types import ActionRequest, Ground

LOOK_BACK = timedelta(days=35)
"""Long enough for last month's renewal, which customers take for a second charge."""


def duplicate_charge(matter: Matter) -> Resolution:
    """Shows both charges with the rule, and proposes to refund the later one."""
    found = analysis.find_duplicates(matter.picture)
    if not found:
        return _no_duplicates(matter)
    pair = found[0]
    return Resolution(draft=_pair(pair, matter.passages), proposal=refund_of(matter, pair.later, "duplicate", pair))


def refund_request(matter: Matter) -> Resolution:
    """Proposes the one charge that fits what was said, in full or in part, or asks which."""
    open_charges = [charge for charge in matter.picture.charges if charge.refundable]
    if not open_charges:
        disputed = [charge for charge in matter.picture.charges if charge.disputed]
        if disputed:
            return Resolution(proposal=refund_of(matter, disputed[0], "within_window"))
        return Resolution(draft=draft("nothing_to_refund"))
    named = named_amount(matter.details, open_charges[0].amount.currency)
    if named and all(charge.amount.currency != named.currency for charge in open_charges):
        return _choose(matter, open_charges, draft("other_currency"))
    fitting = fitting_charges(open_charges, matter.details)
    if exact := [charge for charge in fitting if named in {charge.amount, charge.refundable}]:
        fitting, named = exact, None
    fitting = at_place(fitting[: matter.shown], matter.details)
    beyond = named is not None and len(fitting) > 1 and all(charge.refundable < named for charge in fitting)
    if not fitting or beyond:
        return replace(_choose(matter, open_charges, draft("no_such_charge")), start_over=True)
    if len(fitting) > 1:
        return _choose(matter, fitting, Draft())
    if named and fitting[0].refundable < named:
        said = draft("too_much", refundable=fitting[0].refundable)
        return Resolution(draft=said, proposal=refund_of(matter, fitting[0], "within_window"))
    return Resolution(proposal=refund_of(matter, fitting[0], "within_window", amount=named))


def _choose(matter: Matter, charges: list[Charge], said: Draft) -> Resolution:
    shown = charges[: matter.shown]
    choices = [charge_choice(place, charge) for place, charge in enumerate(shown, start=1)]
    listed = lines([draft("charges_intro"), *choices])
    return Resolution(draft=said + listed + draft("which_charge"), asked="which_charge")


def explain_charge(matter: Matter) -> Resolution:
    """Explains the one charge that fits what was said, or else the newest, above the list of the latest."""
    charges = list(matter.picture.charges)
    if not charges:
        return Resolution(draft=draft("charges_none"))
    fitting = at_place(fitting_charges(charges, matter.details), matter.details)
    if named := named_amount(matter.details, charges[0].amount.currency):
        fitting = [charge for charge in fitting if charge.amount == named]
    if not fitting:
        return Resolution(draft=draft("no_such_charge") + _listed(charges[: matter.shown]), start_over=True)
    said = explained(analysis.explain_charge(matter.picture, fitting[0]))
    return Resolution(draft=said if len(fitting) == 1 else said + _listed(fitting[: matter.shown]))


def _listed(charges: list[Charge]) -> Draft:
    return lines([draft("charges_intro"), *map(charge_line, charges)])


def refund_of(
    matter: Matter,
    charge: Charge,
    ground: Ground,
    pair: DuplicateCharge | None = None,
    *,
    amount: Money | None = None,
) -> Proposal:
    """The request to refund `amount`, else what is left of `charge`, in facts read from Stripe."""
    subscription = _subscription_of(matter, charge)
    request = ActionRequest(
        kind="refund",
        ground=ground,
        customer=matter.picture.customer.id,
        target=charge.id,
        amount=amount or charge.refundable or charge.amount,
        refundable=charge.refundable,
        disputed=charge.disputed,
        charged_at=charge.created,
        interval=subscription.interval if subscription else None,
    )
    details = {
        "date": charge.created.isoformat(),
        "charged": charge.amount.amount,
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


def _no_duplicates(matter: Matter) -> Resolution:
    """What looks like one is explained. Where the data cannot tell, a person is offered."""
    refunded = [r for r in matter.picture.refunds if r.reason == "duplicate" and r.status == "succeeded"]
    if refunded:
        said = draft("duplicate_refunded", amount=refunded[0].amount, date=refunded[0].created)
        return Resolution(draft=said + done("refund"))
    alike = analysis.explain_pairs(matter.picture, within=LOOK_BACK)
    if not alike:
        return Resolution(draft=draft("duplicate_none"))
    unclear = [pair for pair in alike if not pair.certain]
    said = draft("duplicate_none_but").then(why_not_twice((unclear or alike)[0]))
    return Resolution(draft=said, asked="handover" if unclear else None)


def _subscription_of(matter: Matter, charge: Charge) -> Subscription | None:
    invoice = next((i for i in matter.picture.invoices if i.id == charge.invoice), None)
    wanted = invoice.subscription if invoice else None
    return next((s for s in matter.picture.subscriptions if s.id == wanted), None)


def _first_sentences(text: str, count: int = 2) -> str:
    sentences = text.replace("\n", " ").split(". ")
    return ". ".join(sentences[:count]).rstrip(".") + "."
