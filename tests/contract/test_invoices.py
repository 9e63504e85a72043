"""Invoices, their payments and credit, as both services must keep them."""

from tests.contract.conftest import Service, refusal


def test_an_open_invoice_has_a_number_links_and_a_payment_that_waits(service: Service) -> None:
    invoice = service.invoice(3000)
    assert ("open", 3000, 3000) == (invoice.status, invoice.amount_due, invoice.amount_remaining)
    assert invoice.number
    assert invoice.hosted_invoice_url
    assert invoice.invoice_pdf
    waiting = service.v1.invoice_payments.list({"invoice": invoice.id}).data[0]
    assert ("open", True, 3000) == (waiting.status, waiting.is_default, waiting.amount_requested)


def test_paying_leads_from_the_invoice_to_the_charge_and_back(service: Service) -> None:
    paid = service.v1.invoices.pay(service.invoice(3000).id)
    assert ("paid", 3000, 0) == (paid.status, paid.amount_paid, paid.amount_remaining)
    expand = ["data.payment.payment_intent.latest_charge"]
    payment = service.v1.invoice_payments.list({"invoice": paid.id, "expand": expand}).data[0]
    intent = payment.payment.payment_intent
    assert ("paid", 3000, 3000) == (payment.status, payment.amount_paid, intent.latest_charge.amount_captured)
    behind = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    assert [paid.id] == [each.invoice for each in service.v1.invoice_payments.list(behind).data]


def test_refunding_leaves_the_invoice_paid(service: Service) -> None:
    paid = service.v1.invoices.pay(service.invoice(3000).id)
    payment = service.v1.invoice_payments.list({"invoice": paid.id}).data[0]
    service.v1.refunds.create({"payment_intent": payment.payment.payment_intent})
    after = service.v1.invoices.retrieve(paid.id)
    assert ("paid", 3000) == (after.status, after.amount_paid)


def test_an_instalment_is_attached_and_counts(service: Service) -> None:
    invoice = service.invoice(3000)
    method = service.v1.customers.retrieve(invoice.customer).invoice_settings.default_payment_method
    part = service.payment(1000, method, customer=invoice.customer)
    service.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})
    after = service.eventually(lambda: (now := service.v1.invoices.retrieve(invoice.id)).amount_paid and now)
    assert ("open", 1000, 2000) == (after.status, after.amount_paid, after.amount_remaining)


def test_a_draft_can_be_deleted_and_a_finalised_invoice_only_voided(service: Service) -> None:
    customer = service.customer(card=None)
    draft = service.v1.invoices.create({"customer": customer.id})
    assert service.v1.invoices.delete(draft.id).deleted
    invoice = service.invoice(3000, card=None)
    assert 400 == refusal(lambda: service.v1.invoices.delete(invoice.id))[0]
    assert "void" == service.v1.invoices.void_invoice(invoice.id).status
    assert 400 == refusal(lambda: service.v1.invoices.pay(invoice.id))[0]


def test_an_invoice_written_off_can_still_be_paid(service: Service) -> None:
    invoice = service.v1.invoices.mark_uncollectible(service.invoice(3000).id)
    assert "uncollectible" == invoice.status
    assert "paid" == service.v1.invoices.pay(invoice.id).status


def test_paid_out_of_band_leaves_nothing_to_refund(service: Service) -> None:
    invoice = service.v1.invoices.pay(service.invoice(3000, card=None).id, {"paid_out_of_band": True})
    assert "paid" == invoice.status
    paid = [each for each in service.v1.invoice_payments.list({"invoice": invoice.id}).data if each.status == "paid"]
    assert [] == [each for each in paid if each.payment.type == "payment_intent"]


def test_credit_is_used_by_the_next_invoice(service: Service) -> None:
    customer = service.customer(card=None)
    credit = {"amount": -1000, "currency": "usd"}
    assert -1000 == service.v1.customers.balance_transactions.create(customer.id, credit).ending_balance
    draft = service.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    item = {"customer": customer.id, "invoice": draft.id, "amount": 800, "currency": "usd"}
    service.v1.invoice_items.create(item)
    invoice = service.v1.invoices.finalize_invoice(draft.id)
    assert ("paid", 800, 0, -1000, -200) == (
        invoice.status,
        invoice.total,
        invoice.amount_due,
        invoice.starting_balance,
        invoice.ending_balance,
    )


def test_a_finalised_invoice_is_not_editable(service: Service) -> None:
    invoice = service.invoice(3000, card=None)
    assert 400 == refusal(lambda: service.v1.invoices.update(invoice.id, {"due_date": 4102444800}))[0]
    assert 400 == refusal(lambda: service.v1.invoices.finalize_invoice(invoice.id))[0]
    assert service.v1.invoices.update(invoice.id, {"metadata": {"note": "kept"}}).metadata.note == "kept"
