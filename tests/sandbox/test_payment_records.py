"""Money from outside Stripe on an invoice, and what the default payment asks for meanwhile."""

import pytest

from tests.sandbox.billing import Json, opened, pay_part, reported, someone
from tests.sandbox.conftest import Api


@pytest.fixture
def customer(api: Api) -> str:
    return someone(api)


def attach(api: Api, invoice: Json, record: Json) -> tuple[int, str | None, str | None]:
    return api.error(api.post(f"invoices/{invoice['id']}/attach_payment", payment_record=record["id"]))


def test_a_wire_and_a_card_pay_one_invoice(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    wire = reported(api, customer, 2000, outcome="guaranteed")
    path = f"invoices/{invoice['id']}"
    part = api.make(f"{path}/attach_payment", payment_record=wire["id"])
    assert ("open", 2000, 3000) == tuple(part[name] for name in ("status", "amount_paid", "amount_remaining"))
    assert 2000 == api.read(path, **{"expand[0]": "amount_paid_off_stripe"})["amount_paid_off_stripe"]
    done = api.make(f"{path}/pay")
    assert ("paid", 5000) == (done["status"], done["amount_paid"])
    (charge,) = api.read("charges", customer=customer)["data"]
    assert 3000 == charge["amount"]


def test_what_came_from_elsewhere_is_not_refunded_here(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    wire = reported(api, customer, 2000, outcome="guaranteed")
    api.make(f"invoices/{invoice['id']}/attach_payment", payment_record=wire["id"])
    api.make(f"invoices/{invoice['id']}/pay")
    form = {"invoice": invoice["id"], "amount": 3001}
    assert (400, None, "refund_amount") == api.error(api.post("credit_notes", refund_amount=3001, **form))
    made = api.make("credit_notes", refund_amount=3000, out_of_band_amount=1, **form)
    assert [3000] == [each["amount_refunded"] for each in made["refunds"]]


@pytest.mark.parametrize(
    "form", [{}, {"outcome": "failed"}, {"outcome": "guaranteed", "currency": "eur"}, {"customer": "other"}]
)
def test_only_sure_money_of_this_customer_and_currency_counts(api: Api, customer: str, form: Json) -> None:
    invoice = opened(api, customer, 5000)
    owner = someone(api) if form.pop("customer", None) else customer
    form.setdefault("outcome", "guaranteed" if owner != customer else "canceled")
    assert (400, None, "payment_record") == attach(api, invoice, reported(api, owner, **form))
    assert 5000 == api.read(f"invoices/{invoice['id']}")["amount_remaining"]


def test_a_record_counts_once(api: Api, customer: str) -> None:
    invoice, wire = opened(api, customer, 5000), reported(api, customer, 2000, outcome="guaranteed")
    api.make(f"invoices/{invoice['id']}/attach_payment", payment_record=wire["id"])
    assert (400, None, "payment_record") == attach(api, invoice, wire)


def test_exactly_one_payment_is_attached(api: Api, customer: str) -> None:
    path = f"invoices/{opened(api, customer, 5000)['id']}/attach_payment"
    assert (400, "parameter_missing", "payment_intent") == api.error(api.post(path))
    both = {"payment_intent": "pi_none", "payment_record": "pr_none"}
    assert (400, "parameters_exclusive", "payment_intent") == api.error(api.post(path, **both))
    assert (400, "resource_missing", "payment_record") == api.error(api.post(path, payment_record="pr_none"))


def test_reports_say_when_and_how_much(api: Api, customer: str) -> None:
    when: Json = {"guaranteed[guaranteed_at]": 1_700_000_001}
    record = reported(api, customer, outcome="guaranteed", **when)
    assert ("self", 5000, 0) == (
        record["reported_by"],
        record["amount_guaranteed"]["value"],
        record["amount_refunded"]["value"],
    )
    assert record["id"] == api.read("payment_records")["data"][0]["id"]
    assert [] == api.read("payment_records", created_after=record["created"])["data"]
    path = "payment_records/report_payment"
    assert (400, "parameter_missing", "amount_requested") == api.error(api.post(path, initiated_at=1))


def test_the_default_payment_always_asks_for_the_rest(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    pay_part(api, invoice, 1500)
    api.make("credit_notes", invoice=invoice["id"], amount=500)
    (asked,) = api.read("invoice_payments", invoice=invoice["id"], status="open")["data"]
    intent = api.read(f"payment_intents/{asked['payment']['payment_intent']}")
    assert (True, 3000, 3000) == (asked["is_default"], asked["amount_requested"], intent["amount"])
