"""Charges made twice, charges to refund, charges to explain."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from nodes.drafting import Draft, done, draft, lines, quoted
from nodes.resolving.choosing import at_place, fitting_charges, named_amount
from nodes.resolving.explaining import bank_has_decided, explained, failed_refund, why_gone, why_not_twice
from nodes.resolving.invoices import list_invoices
from nodes.resolving.matter import Matter, Proposal, Resolution
from nodes.resolving.telling import charge_choice, charge_line, latest_charges
from tools.billing import analysis
from tools.billing.types import Charge, DuplicateCharge, Invoice, Subscription
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
    return Resolution(draft=_pair(pair, matter), proposal=refund_of(matter, pair.later, "duplicate", pair))


def refund_request(matter: Matter) -> Resolution:
    """Proposes the one charge that fits what was said, in full or in part, or asks which."""
    if elsewhere := _paid_elsewhere(matter):
        return elsewhere
    open_charges = [charge for charge in matter.picture.charges if charge.refundable]
    if not open_charges:
        return _nothing_left(matter)
    named = named_amount(matter.details, open_charges[0].amount.currency)
    if named and all(charge.amount.currency != named.currency for charge in open_charges):
        return _choose(matter, open_charges, draft("other_currency"))
    fitting = fitting_charges(open_charges, matter.details)
    gone = _gone_since(matter, fitting, named)
    if exact := [charge for charge in fitting if named in {charge.amount, charge.refundable}]:
        fitting, named = exact, None
    fitting = at_place(fitting[: matter.shown], matter.details)
    beyond = named is not None and len(fitting) > 1 and all(charge.refundable < named for charge in fitting)
    if not fitting or beyond:
        said = gone if gone.text else draft("no_such_charge")
        return replace(_choose(matter, open_charges, said), start_over=True)
    if len(fitting) > 1 or gone.text:
        return _choose(matter, fitting, gone)
    return _refund_of_one(matter, fitting[0], named)


def _refund_of_one(matter: Matter, charge: Charge, named: Money | None) -> Resolution:
    if obstacle := _only_by_a_person(matter, charge):
        return Resolution(draft=obstacle, asked="handover")
    if named and charge.refundable < named:
        said = draft("too_much", refundable=charge.refundable)
        return Resolution(draft=said, proposal=refund_of(matter, charge, "within_window"))
    return Resolution(proposal=refund_of(matter, charge, "within_window", amount=named))


def _only_by_a_person(matter: Matter, charge: Charge) -> Draft | None:
    """The same card would fail again; and what was paid too much has become credit, so it would be given back twice."""
    if failed := failed_refund(matter.picture, charge):
        return draft("refund_failed_before", amount=failed.amount, date=failed.created)
    invoice = next((each for each in matter.picture.invoices if each.id == charge.invoice), None)
    return _overpaid(matter, [invoice]) if invoice else None


def _overpaid(matter: Matter, invoices: Iterable[Invoice]) -> Draft | None:
    """What came in too much for one of them, where it is no duplicate that we would refund ourselves."""
    twice = {pair.later.invoice for pair in analysis.find_duplicates(matter.picture)}
    for invoice in invoices:
        over = analysis.overpaid(matter.picture, invoice)
        if over and invoice.id not in twice:
            return draft("overpaid_as_credit", amount=over, number=invoice.number or "(draft)")
    return None


def _paid_elsewhere(matter: Matter) -> Resolution | None:
    """The invoice that was named, or the newest where nothing was paid by card at all."""
    picture, wanted = matter.picture, matter.details.get("invoice_number")
    outside = [each for each in picture.invoices if each.off_stripe and wanted in {None, each.number}]
    if not outside or (wanted is None and picture.charges):
        return None
    said = draft("paid_elsewhere", number=outside[0].number or "(draft)", date=outside[0].created)
    return Resolution(draft=said, asked="handover")


def _nothing_left(matter: Matter) -> Resolution:
    """Policy speaks of an open dispute; of what went back already we do."""
    contested = [charge for charge in matter.picture.charges if charge.is_contested]
    if contested and not bank_has_decided(contested[0]):
        return Resolution(proposal=refund_of(matter, contested[0], "within_window"))
    gone = _gone_since(matter, [], None)
    return Resolution(draft=gone + draft("nothing_to_refund"))


def _gone_since(matter: Matter, open_charges: list[Charge], named: Money | None) -> Draft:
    """What fits too, is newer than all that can be refunded, and cannot be: it is likely what was meant."""
    if matter.details.get("ordinal") is not None:
        return Draft()
    newest = max((charge.created for charge in open_charges), default=None)
    taken = [c for c in matter.picture.charges[: matter.shown] if c.status == "succeeded" and c.captured]
    gone = [
        charge
        for charge in fitting_charges(taken, matter.details)
        if not charge.refundable and named in {None, charge.amount} and (newest is None or charge.created > newest)
    ]
    return lines([why_gone(charge, matter.picture) for charge in gone])


def _choose(matter: Matter, charges: list[Charge], said: Draft) -> Resolution:
    shown = charges[: matter.shown]
    choices = [charge_choice(place, charge, matter.picture) for place, charge in enumerate(shown, start=1)]
    listed = lines([draft("charges_intro"), *choices])
    return Resolution(draft=said + listed + draft("which_charge"), asked="which_charge")


def explain_charge(matter: Matter) -> Resolution:
    """Explains the one charge that fits what was said, or else the newest, above the list of the latest."""
    charges, picture = list(matter.picture.charges), matter.picture
    if not charges:
        return Resolution(draft=draft("charges_none") + _what_paid(matter))
    fitting = at_place(fitting_charges(charges, matter.details), matter.details)
    if named := named_amount(matter.details, charges[0].amount.currency):
        fitting = [charge for charge in fitting if charge.amount == named]
    if not fitting:
        listed = latest_charges(picture, charges[: matter.shown])
        return Resolution(draft=draft("no_such_charge") + listed, start_over=True)
    said = explained(analysis.explain_charge(picture, fitting[0]), picture)
    return Resolution(draft=said if len(fitting) == 1 else said + latest_charges(picture, fitting[: matter.shown]))


def _what_paid(matter: Matter) -> Draft:
    """Without charges, invoices were paid outside, from credit, or not at all: their list says which."""
    return list_invoices(matter).draft if matter.picture.invoices else Draft()


def charged_after_cancel(matter: Matter) -> Resolution:
    """Proposes the newest charge for a period after its subscription had ended; else a person looks."""
    for charge in matter.picture.charges:
        ended = _subscription_of(matter, charge)
        if charge.refundable and ended and ended.ended_at and _was_billed_after(matter, charge, ended.ended_at):
            said = draft(
                "charged_after_cancel",
                plan=ended.plan,
                end=ended.ended_at,
                amount=charge.amount,
                date=charge.created,
            )
            return Resolution(draft=said, proposal=refund_of(matter, charge, "charged_after_cancel"))
    return Resolution(draft=draft("no_charge_after_cancel"), asked="handover")


def _was_billed_after(matter: Matter, charge: Charge, end: datetime) -> bool:
    """For nothing but time after the end: a last bill may come late, and be right."""
    invoice = next(each for each in matter.picture.invoices if each.id == charge.invoice)
    return bool(invoice.lines) and all(line.period_start >= end for line in invoice.lines)


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
        disputed=charge.is_contested,
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


def _pair(pair: DuplicateCharge, matter: Matter) -> Draft:
    quote, citation, passages = Draft(text=""), "our refund policy", matter.passages
    if passages:
        quote, citation = quoted(passages[0], _first_sentences(passages[0].text)), passages[0].citation
    said = draft(
        "duplicate_found",
        amount=pair.later.amount,
        earlier=charge_line(pair.earlier, matter.picture, timed=True),
        later=charge_line(pair.later, matter.picture, timed=True),
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
    which = draft("all_charges" if matter.picture.complete else "latest_charges")
    if over := _overpaid(matter, matter.picture.invoices):
        return Resolution(draft=draft("duplicate_none_but", which=which) + over, asked="handover")
    alike = analysis.explain_pairs(matter.picture, within=LOOK_BACK)
    if not alike:
        return Resolution(draft=draft("duplicate_none", which=which))
    unclear = [pair for pair in alike if not pair.certain]
    said = draft("duplicate_none_but", which=which).then(why_not_twice((unclear or alike)[0]))
    return Resolution(draft=said, asked="handover" if unclear else None)


def _subscription_of(matter: Matter, charge: Charge) -> Subscription | None:
    invoice = next((i for i in matter.picture.invoices if i.id == charge.invoice), None)
    wanted = invoice.subscription if invoice else None
    return next((s for s in matter.picture.subscriptions if s.id == wanted), None)


def _first_sentences(text: str, count: int = 2) -> str:
    sentences = text.replace("\n", " ").split(". ")
    return ". ".join(sentences[:count]).rstrip(".") + "."
