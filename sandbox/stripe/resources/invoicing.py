"""What happens to an invoice: drafted, finalised, paid in one or several payments, voided, written off."""

import secrets
from collections.abc import Iterable
from typing import Any

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import discounts, payment_intents
from sandbox.stripe.resources.customers import adjust_balance
from sandbox.stripe.resources.lines import Item, make_line, total_taxes
from sandbox.stripe.world import World, public

DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
    "manual": "Payment for Invoice",
}


def draft(
    world: World,
    customer: Json,
    currency: str,
    items: Iterable[Item] = (),
    *,
    subscription: Json | None = None,
    billing_reason: str = "manual",
    period: tuple[int, int] | None = None,
    reductions: Iterable[Json] = (),
    **more: Any,
) -> Json:
    """A draft invoice with its lines; the customer's contact details are copied as they are today.

    `reductions` are coupons to redeem and discounts that apply already.
    """
    start, end = period or (world.now(), world.now())
    details: Json = {
        "auto_advance": True,
        "collection_method": "charge_automatically",
        "default_payment_method": None,
        "description": None,
        "due_date": None,
        "footer": None,
        "metadata": {},
    }
    invoice = world.add(
        "invoice",
        "in",
        account_country="US",
        account_name="Counterfoil demo",
        account_tax_ids=None,
        amount_due=0,
        amount_overpaid=0,
        amount_paid=0,
        amount_remaining=0,
        amount_shipping=0,
        application=None,
        attempt_count=0,
        attempted=False,
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None},
        automatically_finalizes_at=None,
        billing_reason=billing_reason,
        currency=currency,
        custom_fields=None,
        customer=customer["id"],
        customer_address=customer["address"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        customer_phone=customer["phone"],
        customer_shipping=None,
        customer_tax_exempt=customer["tax_exempt"],
        customer_tax_ids=[],
        default_source=None,
        default_tax_rates=[],
        discounts=[],
        effective_at=None,
        ending_balance=None,
        from_invoice=None,
        hosted_invoice_url=None,
        invoice_pdf=None,
        issuer={"type": "self"},
        last_finalization_error=None,
        latest_revision=None,
        next_payment_attempt=None,
        number=None,
        on_behalf_of=None,
        parent=_parent(subscription),
        payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        period_end=end,
        period_start=start,
        post_payment_credit_notes_amount=0,
        pre_payment_credit_notes_amount=0,
        receipt_number=None,
        rendering=None,
        shipping_cost=None,
        shipping_details=None,
        starting_balance=0,
        statement_descriptor=None,
        status="draft",
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        test_clock=customer["test_clock"],
        total_discount_amounts=[],
        total_pretax_credit_amounts=[],
        webhooks_delivered_at=world.now(),
        _lines=[],
        _token=None,
        **details | more,
    )
    invoice["_lines"] = [make_line(world, invoice, item) for item in items]
    invoice["discounts"] = discounts.redeem(world, reductions, customer["id"], invoice=invoice["id"])
    total_up(world, invoice)
    world.emit("invoice.created", invoice)
    return invoice


def _parent(subscription: Json | None) -> Json | None:
    if subscription is None:
        return None
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def total_up(world: World, invoice: Json) -> None:
    """Sums the lines, the discounts, the taxes and the customer's balance; for drafts."""
    discounts.apply(world, invoice)
    subtotal = sum(line["amount"] for line in invoice["_lines"])
    total = sum(discounts.net(line) for line in invoice["_lines"])
    taxes = total_taxes(invoice["_lines"])
    added = sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")
    total += added
    balance = _usable_balance(world, invoice)
    due = _collectable(world, invoice, max(0, total + balance))
    invoice |= {
        "subtotal": subtotal,
        "total": total,
        "total_taxes": taxes,
        "subtotal_excluding_tax": subtotal + added - sum(tax["amount"] for tax in taxes),
        "total_excluding_tax": total - sum(tax["amount"] for tax in taxes),
        "starting_balance": balance,
        "amount_due": due,
        "amount_remaining": due,
    }


def _usable_balance(world: World, invoice: Json) -> int:
    """Credit is kept per currency: a balance in another one is left alone."""
    return int(world.get("customer", invoice["customer"])["balance"]) if _has_balance(world, invoice) else 0


def _has_balance(world: World, invoice: Json) -> bool:
    return world.get("customer", invoice["customer"])["currency"] in {None, invoice["currency"]}


def _collectable(world: World, invoice: Json, due: int) -> int:
    """What no card can be charged, the too small and the odd, waits on the customer's balance (Invoice.amount_due)."""
    code = invoice["currency"]
    if not _has_balance(world, invoice):
        return due
    return due - due % money.step(code) if due >= money.minimum(code) else 0


def finalize(world: World, invoice: Json) -> Json:
    """Gives the invoice its number and links, uses up credit, and asks for payment of what is left."""
    if invoice["status"] != "draft":
        raise StripeFailure("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    if not invoice["_lines"]:
        raise StripeFailure("Nothing to invoice for customer", code="invoice_no_customer_line_items")
    before = public(invoice)
    customer = world.get("customer", invoice["customer"])
    total_up(world, invoice)
    _apply_balance(world, invoice, customer)
    invoice |= {
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "status": "open",
        "effective_at": world.now(),
        # The links are bearer links, so their token must not follow from the seed.
        "_token": secrets.token_urlsafe(24),
    }
    customer["next_invoice_sequence"] += 1
    invoice["status_transitions"]["finalized_at"] = world.now()
    world.emit("invoice.finalized", invoice, before)
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice)
    else:
        _request_payment(world, invoice, customer)
    return invoice


def _apply_balance(world: World, invoice: Json, customer: Json) -> None:
    start = invoice["starting_balance"]
    end = start + invoice["total"] - invoice["amount_due"]
    invoice["ending_balance"] = end
    if end != start:
        adjust_balance(
            world, customer, end - start, invoice["currency"], kind="applied_to_invoice", invoice=invoice["id"]
        )


def _request_payment(world: World, invoice: Json, customer: Json) -> None:
    description = DESCRIPTIONS.get(invoice["billing_reason"])
    intent = payment_intents.create_intent(
        world, invoice["amount_due"], invoice["currency"], customer=customer, description=description
    )
    add_payment(world, invoice, intent, default=True)
    if invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically":
        invoice["next_payment_attempt"] = world.now() + 3600


def add_payment(world: World, invoice: Json, intent: Json, *, default: bool) -> Json:
    return world.add(
        "invoice_payment",
        "inpay",
        amount_paid=None,
        amount_requested=intent["amount"],
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=default,
        payment={"payment_intent": intent["id"], "type": "payment_intent"},
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def payments_of(world: World, invoice: Json) -> list[Json]:
    return world.of("invoice_payment", "invoice", invoice["id"])


def settle_intent(world: World, intent: Json) -> None:
    """A PaymentIntent succeeded: the open payment that waits for it, if any, is paid."""
    asking = world.of("invoice_payment", "payment.payment_intent", intent["id"])
    payment = next((each for each in asking if each["status"] == "open"), None)
    if payment:
        settle_payment(world, world.get("invoice", payment["invoice"]), payment, intent["amount_received"])


def settle_payment(world: World, invoice: Json, payment: Json, amount: int) -> None:
    """Counts the money; at nothing remaining the invoice is paid, and what is above is overpaid."""
    before = public(invoice)
    payment |= {"status": "paid", "amount_paid": amount}
    payment["status_transitions"]["paid_at"] = world.now()
    used = min(amount, invoice["amount_remaining"])
    invoice["amount_paid"] += used
    invoice["amount_remaining"] -= used
    _overpay(world, invoice, amount - used)
    world.emit("invoice_payment.paid", payment)
    if amount > used:
        world.emit("invoice.overpaid", invoice, before)
    if invoice["amount_remaining"]:
        ask_for_rest(world, invoice)
        world.emit("invoice.updated", invoice, before)
    elif invoice["status"] != "paid":
        mark_paid(world, invoice)


def _overpay(world: World, invoice: Json, amount: int) -> None:
    """What is above becomes credit of the customer (Invoice.amount_overpaid), where their credit has this currency."""
    invoice["amount_overpaid"] += amount
    customer = world.get("customer", invoice["customer"])
    if amount and customer["currency"] in {None, invoice["currency"]}:
        adjust_balance(world, customer, -amount, invoice["currency"], kind="invoice_overpaid", invoice=invoice["id"])


def ask_for_rest(world: World, invoice: Json) -> None:
    """The default payment always asks for what remains."""
    for payment in payments_of(world, invoice):
        intent = world.find("payment_intent", payment["payment"].get("payment_intent"))
        if payment["is_default"] and payment["status"] == "open" and intent:
            payment["amount_requested"] = intent["amount"] = invoice["amount_remaining"]


def mark_paid(world: World, invoice: Json) -> None:
    before = public(invoice)
    invoice |= {"status": "paid", "next_payment_attempt": None, "attempted": True}
    invoice["status_transitions"] = invoice["status_transitions"] | {"paid_at": world.now()}
    cancel_open_payments(world, invoice)
    world.emit("invoice.paid", invoice, before)
    world.emit("invoice.payment_succeeded", invoice, before)


def cancel_open_payments(world: World, invoice: Json) -> None:
    for payment in payments_of(world, invoice):
        if payment["status"] != "open":
            continue
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = world.now()
        intent = world.find("payment_intent", payment["payment"].get("payment_intent"))
        if intent and intent["status"] in payment_intents.WAITING:
            payment_intents.cancel(world, intent)
