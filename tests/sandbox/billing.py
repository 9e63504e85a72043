"""Customers and invoices for the tests of money documents."""

from typing import Any

from tests.sandbox.conftest import Api

Json = dict[str, Any]


def someone(api: Api, card: str = "pm_card_visa", **form: Any) -> str:
    """The id of somebody new with this card as their default."""
    customer: str = api.make("customers", email="new@example.com", name="New", **form)["id"]
    method = api.make(f"payment_methods/{card}/attach", customer=customer)["id"]
    api.make(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method})
    return customer


def draft(api: Api, customer: str, *amounts: int, item: Json | None = None, **form: Any) -> Json:
    """A draft with an item of each amount; `item` is what else each item says."""
    invoice = api.make("invoices", customer=customer, **form)
    for place, amount in enumerate(amounts, start=1):
        wanted = {"customer": customer, "invoice": invoice["id"], "amount": amount, "description": f"Work {place}"}
        api.make("invoiceitems", **wanted, **(item or {}))
    return api.read(f"invoices/{invoice['id']}")


def opened(api: Api, customer: str, *amounts: int, **more: Any) -> Json:
    return api.make(f"invoices/{draft(api, customer, *amounts, **more)['id']}/finalize")


def paid(api: Api, customer: str, *amounts: int, **more: Any) -> Json:
    return api.make(f"invoices/{opened(api, customer, *amounts, **more)['id']}/pay")


def pay_part(api: Api, invoice: Json, amount: int, card: str = "pm_card_visa") -> Json:
    """A payment of its own, attached to the invoice. The PaymentIntent."""
    form = {"amount": amount, "currency": invoice["currency"], "customer": invoice["customer"], "confirm": "true"}
    method = api.make(f"payment_methods/{card}/attach", customer=invoice["customer"])["id"]
    intent = api.make("payment_intents", payment_method=method, **form)
    api.make(f"invoices/{invoice['id']}/attach_payment", payment_intent=intent["id"])
    return intent


def charge_of(api: Api, invoice: Json) -> str:
    """The charge of the invoice's newest paid payment."""
    payment = api.read("invoice_payments", invoice=invoice["id"], status="paid")["data"][0]
    charge: str = api.read(f"payment_intents/{payment['payment']['payment_intent']}")["latest_charge"]
    return charge


def vat(api: Api, inclusive: str = "false", percentage: int = 19) -> Json:
    """What an item says to be taxed."""
    rate = api.make("tax_rates", display_name="VAT", percentage=percentage, inclusive=inclusive)
    return {"tax_rates[0]": rate["id"]}


def reported(api: Api, customer: str, amount: int = 5000, currency: str = "usd", **more: Any) -> Json:
    """A payment that reached the merchant elsewhere."""
    form = {
        "amount_requested[currency]": currency,
        "amount_requested[value]": amount,
        "customer_details[customer]": customer,
        "initiated_at": 1_700_000_000,
        "payment_method_details[custom][display_name]": "Wire",
        "payment_method_details[type]": "custom",
    }
    return api.make("payment_records/report_payment", **form, **more)
