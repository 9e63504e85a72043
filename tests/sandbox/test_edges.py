"""The corners of billing that support meets, one test each: refunds, invoices, customers, subscriptions, currencies."""

from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.billing import Json, charge_of, draft, opened, paid, pay_part, someone, vat
from tests.sandbox.conftest import Api
from tests.sandbox.plans import DAY, subscribe


@pytest.fixture
def customer(api: Api) -> str:
    return someone(api)


def refund(api: Api, charge: str, amount: int | None = None) -> Json:
    return api.make("refunds", charge=charge, **({"amount": amount} if amount else {}))


def refusal(api: Api, charge: str, **form: Any) -> tuple[int, str | None, str | None]:
    return api.error(api.post("refunds", charge=charge, **form))


def test_a_part_and_then_the_rest(api: Api) -> None:
    charge = api.payment(2000)["latest_charge"]
    assert [700, 1300] == [refund(api, charge, amount)["amount"] for amount in (700, None)]
    assert api.read(f"charges/{charge}")["refunded"]


def test_several_parts_up_to_the_unit(api: Api) -> None:
    charge = api.payment(2000)["latest_charge"]
    for amount in (1, 999, 500, 499):
        refund(api, charge, amount)
    assert (400, None, "amount") == refusal(api, charge, amount=2)
    assert 1 == refund(api, charge, 1)["amount"]


def test_a_refund_after_a_credit_note_gets_only_the_rest(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    api.make("credit_notes", invoice=invoice["id"], amount=3000, refund_amount=3000)
    charge = charge_of(api, invoice)
    assert (400, None, "amount") == refusal(api, charge, amount=2001)
    assert 2000 == refund(api, charge)["amount"]


def test_a_credit_note_after_a_refund_gets_only_the_rest(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    refund(api, charge_of(api, invoice), 3000)
    form = {"invoice": invoice["id"], "amount": 2001, "credit_amount": 2001}
    assert (400, None, "amount") == api.error(api.post("credit_notes", **form))


def test_each_payment_of_an_invoice_is_refunded_by_itself(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    first, second = (pay_part(api, invoice, amount)["latest_charge"] for amount in (3000, 2000))
    assert (400, None, "amount") == refusal(api, second, amount=2001)
    assert [2000, 3000] == [refund(api, charge)["amount"] for charge in (second, first)]
    assert "paid" == api.read(f"invoices/{invoice['id']}")["status"]


def test_what_is_refunded_is_refunded_once(api: Api) -> None:
    charge = api.payment()["latest_charge"]
    refund(api, charge)
    assert (400, "charge_already_refunded", None) == refusal(api, charge)


def test_a_refund_on_its_way_is_money_spent(api: Api) -> None:
    charge = api.payment(2000, card="pm_card_pendingRefund")["latest_charge"]
    refund(api, charge, 1200)
    assert (400, None, "amount") == refusal(api, charge, amount=801)
    assert 800 == refund(api, charge)["amount"]


def test_a_failed_refund_can_be_made_again_and_the_balance_has_its_money_back(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(2000, card="pm_card_refundFail")["latest_charge"]
    first = refund(api, charge)
    sandbox.advance(61)
    failed = api.read(f"refunds/{first['id']}", **{"expand[0]": "failure_balance_transaction"})
    assert ("failed", 2000) == (failed["status"], failed["failure_balance_transaction"]["amount"])
    assert 2000 == refund(api, charge)["amount"]


@pytest.mark.parametrize(
    ("steps", "refundable"),
    [
        (["needs_response"], False),
        (["needs_response", "under_review"], False),
        (["needs_response", "lost"], False),
        (["needs_response", "won"], True),
        (["warning_needs_response"], True),
        (["warning_needs_response", "warning_under_review"], True),
        (["warning_needs_response", "warning_closed"], True),
        (["warning_needs_response", "needs_response"], False),
        (["warning_needs_response", "prevented"], True),
    ],
)
def test_a_dispute_decides_whether_a_refund_is_possible(
    api: Api, sandbox: Sandbox, steps: list[str], refundable: bool
) -> None:
    charge = api.payment()["latest_charge"]
    dispute = sandbox.open_dispute(charge, status=steps[0])["id"]
    for status in steps[1:]:
        sandbox.post("disputes", dispute=dispute, status=status)
    if refundable:
        assert 2000 == refund(api, charge)["amount"]
    else:
        assert (400, "charge_disputed", None) == refusal(api, charge)


def test_a_draft_can_be_neither_paid_nor_downloaded_nor_credited(api: Api, customer: str) -> None:
    invoice = draft(api, customer, 5000)
    assert (None, None, None) == tuple(invoice[name] for name in ("number", "invoice_pdf", "hosted_invoice_url"))
    assert 400 == api.post(f"invoices/{invoice['id']}/pay").status_code
    assert 400 == api.post("credit_notes", invoice=invoice["id"], amount=100).status_code
    assert [] == api.read("invoice_payments", invoice=invoice["id"])["data"]


def test_an_open_invoice_has_nothing_to_refund_but_can_be_voided_or_credited(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    (asked,) = api.read("invoice_payments", invoice=invoice["id"])["data"]
    refused = api.post("refunds", payment_intent=asked["payment"]["payment_intent"])
    assert (400, "payment_intent_unexpected_state", "payment_intent") == api.error(refused)
    api.make("credit_notes", invoice=invoice["id"], amount=1000)
    assert "void" == api.make(f"invoices/{invoice['id']}/void")["status"]


def test_a_void_invoice_is_the_end(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)["id"]
    api.make(f"invoices/{invoice}/void")
    for verb in ("pay", "void", "mark_uncollectible", "finalize"):
        assert 400 == api.post(f"invoices/{invoice}/{verb}").status_code
    assert 400 == api.post("credit_notes", invoice=invoice, amount=100).status_code
    assert ["canceled"] == [each["status"] for each in api.read("invoice_payments", invoice=invoice)["data"]]


def test_an_uncollectible_invoice_may_still_be_paid(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)["id"]
    api.make(f"invoices/{invoice}/mark_uncollectible")
    assert "paid" == api.make(f"invoices/{invoice}/pay")["status"]


def test_an_invoice_of_nothing_has_no_payment_to_refund(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 0)
    assert "paid" == invoice["status"]
    assert [] == api.read("invoice_payments", invoice=invoice["id"])["data"]
    form = {"invoice": invoice["id"], "amount": 1, "credit_amount": 1}
    assert (400, None, "amount") == api.error(api.post("credit_notes", **form))


def test_an_invoice_paid_by_credit_gives_back_credit_only(api: Api, customer: str) -> None:
    api.make(f"customers/{customer}/balance_transactions", amount=-5000, currency="usd")
    invoice = opened(api, customer, 5000)
    assert ("paid", 0) == (invoice["status"], invoice["amount_paid"])
    form = {"invoice": invoice["id"], "amount": 2000}
    assert (400, None, "refund_amount") == api.error(api.post("credit_notes", refund_amount=2000, **form))
    api.make("credit_notes", credit_amount=2000, **form)
    assert -2000 == api.read(f"customers/{customer}")["balance"]


def test_an_invoice_paid_elsewhere_has_no_charge(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)["id"]
    api.make(f"invoices/{invoice}/pay", paid_out_of_band="true")
    assert 5000 == api.read(f"invoices/{invoice}", **{"expand[0]": "amount_paid_off_stripe"})["amount_paid_off_stripe"]
    assert "amount_paid_off_stripe" not in api.read(f"invoices/{invoice}")
    assert [] == api.read("charges", customer=customer)["data"]


def test_too_much_money_becomes_credit_of_the_customer(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    pay_part(api, invoice, 3000)
    pay_part(api, invoice, 3000)
    after = api.read(f"invoices/{invoice['id']}")
    assert ("paid", 5000, 1000) == tuple(after[name] for name in ("status", "amount_paid", "amount_overpaid"))
    (entry,) = api.read(f"customers/{customer}/balance_transactions")["data"]
    assert ("invoice_overpaid", -1000, invoice["id"]) == (entry["type"], entry["amount"], entry["invoice"])


def test_refunding_what_was_too_much_leaves_the_whole_invoice_creditable(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    charge = pay_part(api, invoice, 6000)["latest_charge"]
    refund(api, charge, 1000)
    made = api.make("credit_notes", invoice=invoice["id"], amount=5000, refund_amount=5000)
    assert (5000, True) == (made["amount"], api.read(f"charges/{charge}")["refunded"])


def test_a_deleted_customer_keeps_their_payments_but_gets_no_credit(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    api.delete(f"customers/{customer}")
    form = {"invoice": invoice["id"], "amount": 1000}
    refused = api.post("credit_notes", credit_amount=1000, **form)
    assert (400, "resource_missing", "customer") == api.error(refused)
    assert 1000 == api.make("credit_notes", refund_amount=1000, **form)["post_payment_amount"]
    assert 4000 == refund(api, charge_of(api, invoice))["amount"]


@pytest.fixture
def subscription(api: Api, customer: str) -> Json:
    product = api.make("products", name="Desk")["id"]
    form = {"product": product, "currency": "usd", "unit_amount": 3000, "recurring[interval]": "month"}
    price = api.make("prices", **form)["id"]
    return api.make("subscriptions", customer=customer, **{"items[0][price]": price})


def test_a_canceled_subscription_does_not_change_any_more(api: Api, subscription: Json) -> None:
    path = f"subscriptions/{subscription['id']}"
    api.delete(path)
    for form in ({"cancel_at_period_end": "true"}, {"description": "x"}, {"discounts": ""}):
        assert (400, "invalid_canceled_subscription_fields", None) == api.error(api.post(path, **form))


def test_asking_twice_to_cancel_at_the_end_changes_nothing(api: Api, subscription: Json) -> None:
    path = f"subscriptions/{subscription['id']}"
    first, second = (api.make(path, cancel_at_period_end="true") for _ in range(2))
    assert first == second


def test_cancelling_with_proration_gives_credit_and_no_cash(api: Api, sandbox: Sandbox, subscription: Json) -> None:
    sandbox.advance(10 * 86_400)
    api.delete(f"subscriptions/{subscription['id']}", prorate="true", invoice_now="true")
    assert -3000 < api.read(f"customers/{subscription['customer']}")["balance"] < 0
    (charge,) = api.read("charges", customer=subscription["customer"])["data"]
    assert 0 == charge["amount_refunded"]


def test_a_refund_with_its_tax_is_a_credit_note(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 10_000, item=vat(api))
    made = api.make("credit_notes", invoice=invoice["id"], amount=2380, refund_amount=2380)
    assert (2380, 380) == (made["total"], made["total_taxes"][0]["amount"])
    assert 2380 == api.read(f"refunds/{made['refunds'][0]['refund']}")["amount"]


def test_a_refund_is_in_the_currency_of_the_charge(api: Api) -> None:
    charge = api.payment(2000, "eur")["latest_charge"]
    assert "eur" == refund(api, charge, 500)["currency"]
    assert (400, "parameter_unknown", "currency") == refusal(api, charge, currency="usd", amount=500)


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (1001, "kwd", "parameter_invalid_integer"),
        (1050, "isk", "parameter_invalid_integer"),
        (1050, "ugx", "parameter_invalid_integer"),
    ],
)
def test_amounts_that_no_network_takes_are_refused(api: Api, amount: int, currency: str, code: str) -> None:
    refused = api.post("payment_intents", amount=amount, currency=currency)
    assert (400, code, "amount") == api.error(refused)


@pytest.mark.parametrize(
    ("currency", "total", "words"),
    [("jpy", 5000, "¥3,000"), ("kwd", 5000, "KWD 3.000"), ("huf", 5000, "HUF 30.00"), ("isk", 5000, "ISK 30.00")],
)
def test_refusals_name_amounts_with_the_currencys_own_decimals(api: Api, currency: str, total: int, words: str) -> None:
    charge = api.payment(total, currency)["latest_charge"]
    refund(api, charge, 2000)
    message = api.post("refunds", charge=charge, amount=4000).json()["error"]["message"]
    assert words in message


def test_a_credit_note_in_three_decimals_keeps_the_step_of_the_card(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000, currency="kwd")
    form = {"invoice": invoice["id"]}
    refused = api.post("credit_notes", amount=1234, refund_amount=1234, **form)
    assert (400, "parameter_invalid_integer", "refund_amount") == api.error(refused)
    assert 1234 == api.make("credit_notes", amount=1234, credit_amount=1234, **form)["amount"]
    assert 1230 == api.make("credit_notes", amount=1230, refund_amount=1230, **form)["amount"]


def test_an_amount_below_the_smallest_charge_waits_for_the_next_invoice(api: Api, customer: str) -> None:
    """Stripe says of `amount_due` that it may be 0 for a total below the minimum; the customer then owes it."""
    small = opened(api, customer, 49)
    assert ("paid", 49, 0, 49) == tuple(small[name] for name in ("status", "total", "amount_due", "ending_balance"))
    assert 49 == api.read(f"customers/{customer}")["balance"]
    following = opened(api, customer, 1000)
    assert (1000, 49, 1049) == tuple(following[name] for name in ("total", "starting_balance", "amount_due"))
    assert 0 == api.read(f"customers/{customer}")["balance"]


@pytest.mark.parametrize(("currency", "step"), [("jpy", 1), ("kwd", 10), ("isk", 100)])
def test_discounts_and_taxes_come_in_steps_that_a_card_can_be_charged(
    api: Api, customer: str, currency: str, step: int
) -> None:
    third = api.make("coupons", percent_off=33.3, duration="once")["id"]
    form = {"currency": currency, "discounts[0][coupon]": third}
    made = opened(api, customer, 1001 * step, item=vat(api), **form)
    shown = made["total_discount_amounts"][0]["amount"], made["total_taxes"][0]["amount"], made["total"]
    assert (333 * step, 127 * step, 795 * step) == shown
    note = api.make("credit_notes", invoice=made["id"], amount=500 * step)
    assert 0 == note["total_taxes"][0]["amount"] % step


def test_what_is_left_after_a_credit_note_can_be_charged(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000, currency="kwd")["id"]
    odd = api.post("credit_notes", invoice=invoice, amount=1234)
    assert (400, "parameter_invalid_integer", "amount") == api.error(odd)


def test_odd_credit_leaves_an_amount_that_a_card_can_be_charged(api: Api, customer: str) -> None:
    api.make(f"customers/{customer}/balance_transactions", amount=-1234, currency="kwd")
    made = opened(api, customer, 5000, currency="kwd")
    assert (3760, 6) == (made["amount_due"], made["ending_balance"])


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("coupons", {"amount_off": 1001, "currency": "kwd", "duration": "once"}, "amount_off"),
        ("prices", {"unit_amount": 1050, "currency": "isk"}, "unit_amount"),
    ],
)
def test_what_is_made_of_amounts_keeps_their_step(api: Api, path: str, form: Json, param: str) -> None:
    product = {"product": api.make("products", name="Desk")["id"]} if path == "prices" else {}
    assert (400, "parameter_invalid_integer", param) == api.error(api.post(path, **form, **product))


def test_nobody_charges_a_deleted_customer(api: Api, sandbox: Sandbox, customer: str) -> None:
    waiting = draft(api, customer, 1000, auto_advance="true")
    subscription = subscribe(api, customer)["id"]
    api.delete(f"customers/{customer}")
    sandbox.advance(40 * DAY)
    assert "draft" == api.read(f"invoices/{waiting['id']}")["status"]
    ended = api.read(f"subscriptions/{subscription}")
    assert ("canceled", "cancellation_requested") == (ended["status"], ended["cancellation_details"]["reason"])
    assert 1 == len(api.read("charges", customer=customer)["data"])


def test_a_balance_transaction_is_found_with_its_own_customer_only(api: Api, customer: str) -> None:
    path = f"customers/{customer}/balance_transactions"
    made = api.make(path, amount=-500, currency="usd")
    assert made == api.read(f"{path}/{made['id']}")
    other = api.get(f"customers/{someone(api)}/balance_transactions/{made['id']}")
    assert (404, "resource_missing", "id") == api.error(other)


@pytest.mark.parametrize("currency", ["zzz", "us", "usdx", "u$d"])
def test_a_currency_that_does_not_exist_is_refused(api: Api, currency: str) -> None:
    refused = api.post("payment_intents", amount=500, currency=currency)
    assert (400, None, "currency") == api.error(refused)
    assert "usd" in refused.json()["error"]["message"]
