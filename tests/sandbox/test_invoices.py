"""An invoice's way from draft to paid, void or written off, and the payments on it."""

from typing import Any

import pytest

from tests.sandbox.conftest import Api


@pytest.fixture
def customer(api: Api) -> dict[str, Any]:
    """Somebody new with a working card."""
    made = api.make("customers", email="new@example.com", name="New")
    return with_card(api, made["id"], "pm_card_visa")


def with_card(api: Api, customer: str, token: str) -> dict[str, Any]:
    method = api.make(f"payment_methods/{token}/attach", customer=customer)
    return api.make(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method["id"]})


def draft(api: Api, customer: str, amount: int = 5000, **form: Any) -> dict[str, Any]:
    invoice = api.make("invoices", customer=customer, **form)
    api.make("invoiceitems", customer=customer, invoice=invoice["id"], amount=amount, description="Work")
    return api.read(f"invoices/{invoice['id']}")


def opened(api: Api, customer: str, amount: int = 5000, **form: Any) -> dict[str, Any]:
    return api.make(f"invoices/{draft(api, customer, amount, **form)['id']}/finalize")


def payment(api: Api, customer: str, amount: int) -> dict[str, Any]:
    method = api.read(f"customers/{customer}")["invoice_settings"]["default_payment_method"]
    return api.make(
        "payment_intents", amount=amount, currency="usd", customer=customer, payment_method=method, confirm="true"
    )


def test_finalizing_numbers_the_invoice_and_asks_for_payment(api: Api, customer: dict[str, Any]) -> None:
    invoice = draft(api, customer["id"])
    assert ("draft", None, None, 5000) == tuple(
        invoice[key] for key in ("status", "number", "invoice_pdf", "amount_due")
    )
    invoice = api.make(f"invoices/{invoice['id']}/finalize")
    assert ("open", f"{customer['invoice_prefix']}-0001") == (invoice["status"], invoice["number"])
    (requested,) = api.read("invoice_payments", invoice=invoice["id"])["data"]
    assert ("open", True, 5000, None) == tuple(
        requested[key] for key in ("status", "is_default", "amount_requested", "amount_paid")
    )


def test_paying_charges_the_default_card_once(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"])
    paid = api.make(f"invoices/{invoice['id']}/pay")
    assert ("paid", 5000, 0) == (paid["status"], paid["amount_paid"], paid["amount_remaining"])
    assert 1 == len(api.read("charges", customer=customer["id"])["data"])
    refused = api.post(f"invoices/{invoice['id']}/pay")
    assert (400, "Invoice is already paid") == (refused.status_code, refused.json()["error"]["message"])


def test_a_declined_payment_leaves_the_invoice_open_for_another_card(api: Api, customer: dict[str, Any]) -> None:
    with_card(api, customer["id"], "pm_card_chargeDeclined")
    invoice = opened(api, customer["id"])
    refused = api.post(f"invoices/{invoice['id']}/pay")
    assert (402, "card_declined", None) == api.error(refused)
    after = api.read(f"invoices/{invoice['id']}")
    assert ("open", 1, 5000) == (after["status"], after["attempt_count"], after["amount_remaining"])
    assert "paid" == api.make(f"invoices/{invoice['id']}/pay", payment_method="pm_card_visa")["status"]


def test_a_customer_without_a_card_cannot_be_charged(api: Api) -> None:
    customer = api.make("customers")
    invoice = opened(api, customer["id"])
    assert (400, "resource_missing", None) == api.error(api.post(f"invoices/{invoice['id']}/pay"))


def test_an_invoice_can_be_paid_in_parts(api: Api, customer: dict[str, Any]) -> None:
    """The way of a payment plan: one PaymentIntent per instalment, attached to the invoice."""
    invoice = opened(api, customer["id"], 5000)
    for amount, status, remaining in ((2000, "open", 3000), (3000, "paid", 0)):
        intent = payment(api, customer["id"], amount)
        invoice = api.make(f"invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])
        assert (status, remaining) == (invoice["status"], invoice["amount_remaining"])
    states = [each["status"] for each in api.read("invoice_payments", invoice=invoice["id"])["data"]]
    assert ["canceled", "paid", "paid"] == sorted(states)


def test_too_much_money_is_counted_as_overpaid(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"], 5000)
    intent = payment(api, customer["id"], 6000)
    paid = api.make(f"invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])
    assert ("paid", 5000, 1000) == (paid["status"], paid["amount_paid"], paid["amount_overpaid"])


def test_a_payment_of_somebody_else_cannot_be_attached(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"])
    other = api.charges("ada@example.com")[0]["payment_intent"]
    refused = api.post(f"invoices/{invoice['id']}/attach_payment", payment_intent=other)
    assert (400, None, "payment_intent") == api.error(refused)


def test_stopping_automatic_collection_is_all_that_an_open_invoice_allows(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"], auto_advance="true")
    assert invoice["next_payment_attempt"]
    stopped = api.make(f"invoices/{invoice['id']}", auto_advance="false", **{"metadata[plan]": "p1"})
    assert (False, None, "p1") == (
        stopped["auto_advance"],
        stopped["next_payment_attempt"],
        stopped["metadata"]["plan"],
    )
    refused = api.post(f"invoices/{invoice['id']}", description="new")
    assert (400, "invoice_not_editable", "description") == api.error(refused)


@pytest.mark.parametrize(
    ("verbs", "statuses"),
    [
        (["void"], [200]),
        (["mark_uncollectible", "void"], [200, 200]),
        (["mark_uncollectible", "pay"], [200, 200]),
        (["void", "pay"], [200, 400]),
        (["pay", "void"], [200, 400]),
        (["pay", "mark_uncollectible"], [200, 400]),
        (["finalize"], [400]),
    ],
)
def test_an_open_invoice_ends_in_one_of_three_ways(
    api: Api, customer: dict[str, Any], verbs: list[str], statuses: list[int]
) -> None:
    invoice = opened(api, customer["id"])["id"]
    assert statuses == [api.post(f"invoices/{invoice}/{verb}").status_code for verb in verbs]


def test_only_drafts_are_deleted_and_paid_never(api: Api, customer: dict[str, Any]) -> None:
    invoice = draft(api, customer["id"])["id"]
    assert 400 == api.post(f"invoices/{invoice}/pay").status_code
    assert api.delete(f"invoices/{invoice}").json()["deleted"]
    assert 404 == api.get(f"invoices/{invoice}").status_code
    assert 400 == api.delete(f"invoices/{opened(api, customer['id'])['id']}").status_code


def test_an_invoice_of_nothing_is_paid_at_once_without_a_payment(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"], 0)
    assert "paid" == invoice["status"]
    assert [] == api.read("invoice_payments", invoice=invoice["id"])["data"]
    empty = api.make("invoices", customer=customer["id"])["id"]
    refused = api.post(f"invoices/{empty}/finalize")
    assert (400, "invoice_no_customer_line_items", None) == api.error(refused)


def test_credit_is_used_up_first(api: Api, customer: dict[str, Any]) -> None:
    api.make(f"customers/{customer['id']}/balance_transactions", amount=-1500, currency="usd")
    invoice = opened(api, customer["id"], 5000)
    assert (-1500, 0, 3500) == (invoice["starting_balance"], invoice["ending_balance"], invoice["amount_due"])
    applied, credit = api.read(f"customers/{customer['id']}/balance_transactions")["data"]
    assert ("applied_to_invoice", 1500, invoice["id"]) == (applied["type"], applied["amount"], applied["invoice"])
    assert ("adjustment", -1500) == (credit["type"], credit["ending_balance"])


def test_money_from_elsewhere_cannot_be_refunded_here(api: Api, customer: dict[str, Any]) -> None:
    invoice = opened(api, customer["id"])
    assert "paid" == api.make(f"invoices/{invoice['id']}/pay", paid_out_of_band="true")["status"]
    paid = api.read("invoice_payments", invoice=invoice["id"], status="paid")["data"]
    assert ["payment_record"] == [each["payment"]["type"] for each in paid]
    assert [] == api.read("charges", customer=customer["id"])["data"]


def test_pending_items_wait_for_the_next_invoice(api: Api, customer: dict[str, Any]) -> None:
    item = api.make("invoiceitems", customer=customer["id"], amount=700, currency="usd", description="Extra")
    assert [item["id"]] == [each["id"] for each in api.read("invoiceitems", pending="true")["data"]]
    invoice = api.make("invoices", customer=customer["id"], pending_invoice_items_behavior="include")
    assert (700, ["Extra"]) == (invoice["total"], [line["description"] for line in invoice["lines"]["data"]])
    api.make(f"invoiceitems/{item['id']}", amount=900)
    assert 900 == api.read(f"invoices/{invoice['id']}")["total"]
    assert api.delete(f"invoiceitems/{item['id']}").json()["deleted"]
    assert 0 == api.read(f"invoices/{invoice['id']}")["total"]


@pytest.mark.parametrize(("inclusive", "total", "tax"), [("false", 1190, 190), ("true", 1000, 160)])
def test_tax_comes_on_top_or_is_inside(
    api: Api, customer: dict[str, Any], inclusive: str, total: int, tax: int
) -> None:
    rate = api.make("tax_rates", display_name="VAT", percentage="19", inclusive=inclusive)
    form = {"customer": customer["id"], "currency": "usd", "amount": 1000, "tax_rates[0]": rate["id"]}
    api.make("invoiceitems", **form)
    invoice = api.make("invoices", customer=customer["id"], pending_invoice_items_behavior="include")
    assert (total, tax) == (invoice["total"], invoice["total_taxes"][0]["amount"])
    assert total - tax == invoice["total_excluding_tax"]


def test_a_due_date_is_for_invoices_that_are_sent(api: Api, customer: dict[str, Any]) -> None:
    refused = api.post("invoices", customer=customer["id"], days_until_due=30)
    assert (400, None, "days_until_due") == api.error(refused)
    sent = draft(api, customer["id"], collection_method="send_invoice", days_until_due=30)
    assert sent["due_date"]
    assert "open" == api.make(f"invoices/{sent['id']}/send")["status"]


def test_long_invoices_show_ten_lines_and_list_the_rest(api: Api, customer: dict[str, Any]) -> None:
    invoice = api.make("invoices", customer=customer["id"])["id"]
    for number in range(12):
        api.make("invoiceitems", customer=customer["id"], invoice=invoice, amount=100, description=f"{number}")
    lines = api.read(f"invoices/{invoice}")["lines"]
    assert (10, True) == (len(lines["data"]), lines["has_more"])
    assert 12 == len(api.read(f"invoices/{invoice}/lines", limit=50)["data"])
