"""Credit notes: what they lower, what they give back, and what they refuse."""

from typing import Any

import httpx
import pytest

from tests.fixtures.sandbox import NO_TLS, Sandbox
from tests.sandbox.billing import Json, charge_of, opened, paid, pay_part, someone, vat
from tests.sandbox.conftest import Api


@pytest.fixture
def customer(api: Api) -> str:
    return someone(api)


def note(api: Api, invoice: Json, **form: Any) -> Json:
    return api.make("credit_notes", invoice=invoice["id"], **form)


def refused(api: Api, invoice: Json, **form: Any) -> tuple[int, str | None, str | None]:
    return api.error(api.post("credit_notes", invoice=invoice["id"], **form))


def money_of(api: Api, invoice: Json) -> Json:
    """All that a refused note must leave as it was."""
    customer = invoice["customer"]
    return {
        "invoice": api.read(f"invoices/{invoice['id']}"),
        "balance": api.read(f"customers/{customer}")["balance"],
        "charges": api.read("charges", customer=customer)["data"],
        "refunds": api.read("refunds")["data"],
        "notes": api.read("credit_notes", invoice=invoice["id"])["data"],
        "latest event": api.read("events", limit=1)["data"][0]["id"],
    }


def test_on_an_open_invoice_it_lowers_what_is_due(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    made = note(api, invoice, amount=2000, reason="order_change", memo="As agreed", **{"metadata[action]": "a1"})
    assert ("pre_payment", 2000, 0) == (made["type"], made["pre_payment_amount"], made["post_payment_amount"])
    assert ("issued", "order_change", "As agreed", {"action": "a1"}) == tuple(
        made[key] for key in ("status", "reason", "memo", "metadata")
    )
    after = api.read(f"invoices/{invoice['id']}")
    names = ("status", "total", "amount_due", "amount_remaining", "pre_payment_credit_notes_amount")
    assert ("open", 5000, 3000, 3000, 2000) == tuple(after[name] for name in names)
    (asked,) = api.read("invoice_payments", invoice=invoice["id"])["data"]
    assert 3000 == asked["amount_requested"]
    assert 3000 == api.make(f"invoices/{invoice['id']}/pay")["amount_paid"]


def test_an_open_invoice_with_nothing_left_is_paid_without_a_payment(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    note(api, invoice, amount=5000)
    after = api.read(f"invoices/{invoice['id']}")
    assert ("paid", 0, 0) == (after["status"], after["amount_paid"], after["amount_remaining"])
    assert ["canceled"] == [each["status"] for each in api.read("invoice_payments", invoice=invoice["id"])["data"]]
    assert [] == api.read("charges", customer=customer)["data"]


def test_numbers_count_up_below_the_invoice(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    numbers = [note(api, invoice, amount=100)["number"] for _ in range(2)]
    assert [f"{invoice['number']}-CN-01", f"{invoice['number']}-CN-02"] == numbers


def test_a_refund_amount_gives_the_money_back(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    made = note(api, invoice, amount=1500, refund_amount=1500, reason="duplicate")
    assert ("post_payment", 0, 1500) == (made["type"], made["pre_payment_amount"], made["post_payment_amount"])
    (entry,) = made["refunds"]
    refund = api.read(f"refunds/{entry['refund']}")
    assert (1500, 1500, "succeeded", "duplicate") == (
        entry["amount_refunded"],
        refund["amount"],
        refund["status"],
        refund["reason"],
    )
    after = api.read(f"invoices/{invoice['id']}")
    assert ("paid", 5000, 1500) == (after["status"], after["amount_paid"], after["post_payment_credit_notes_amount"])
    assert 1500 == api.read(f"charges/{charge_of(api, invoice)}")["amount_refunded"]
    kinds = [event["type"] for event in api.read("events", limit=4)["data"]]
    assert ["credit_note.created", "invoice.updated", "charge.refunded", "refund.created"] == kinds


def test_credit_goes_to_the_balance_and_the_rest_may_come_from_elsewhere(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    made = note(api, invoice, amount=3000, refund_amount=500, credit_amount=1500, out_of_band_amount=1000)
    assert (1000, -1500) == (made["out_of_band_amount"], api.read(f"customers/{customer}")["balance"])
    (entry,) = api.read(f"customers/{customer}/balance_transactions")["data"]
    assert ("credit_note", made["id"], made["customer_balance_transaction"]) == (
        entry["type"],
        entry["credit_note"],
        entry["id"],
    )
    assert 1000 == opened(api, customer, 2500)["amount_due"]


@pytest.mark.parametrize(
    "form",
    [
        {"amount": 1000},
        {"amount": 1000, "refund_amount": 999},
        {"amount": 1000, "refund_amount": 1000, "credit_amount": 1},
        {"amount": 1000, "credit_amount": 500},
    ],
)
def test_what_is_given_must_be_what_was_paid_back(api: Api, customer: str, form: Json) -> None:
    invoice = paid(api, customer, 5000)
    before = money_of(api, invoice)
    assert (400, None, None) == refused(api, invoice, **form)
    assert before == money_of(api, invoice)


def test_an_open_invoice_has_nothing_to_give_back(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    answer = api.post("credit_notes", invoice=invoice["id"], amount=1000, refund_amount=1000)
    message = (
        "The sum of credit amount, refund amount and out of band amount ($10.00) must equal the credit note amount "
        "($0.00)."
    )
    assert (400, message) == (answer.status_code, answer.json()["error"]["message"])


def test_on_a_partly_paid_invoice_it_is_mixed(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    intent = pay_part(api, invoice, 2000)
    made = note(api, invoice, amount=4000, refund_amount=1000)
    assert ("mixed", 3000, 1000) == (made["type"], made["pre_payment_amount"], made["post_payment_amount"])
    after = api.read(f"invoices/{invoice['id']}")
    assert ("paid", 2000, 0) == (after["status"], after["amount_paid"], after["amount_remaining"])
    assert 1000 == api.read(f"charges/{intent['latest_charge']}")["amount_refunded"]


def test_notes_and_direct_refunds_together_never_exceed_the_invoice(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    api.make("refunds", charge=charge_of(api, invoice), amount=1500)
    note(api, invoice, amount=2000, credit_amount=2000)
    assert (400, None, "amount") == refused(api, invoice, amount=1501, credit_amount=1501)
    note(api, invoice, amount=1500, refund_amount=1500)
    assert (400, None, "amount") == refused(api, invoice, amount=1, credit_amount=1)


def test_a_direct_refund_that_fails_can_be_credited_after_all(api: Api, sandbox: Sandbox) -> None:
    invoice = paid(api, someone(api, "pm_card_refundFail"), 5000)
    api.make("refunds", charge=charge_of(api, invoice), amount=5000)
    assert (400, None, "amount") == refused(api, invoice, amount=5000, credit_amount=5000)
    sandbox.advance(61)
    assert 5000 == note(api, invoice, amount=5000, credit_amount=5000)["amount"]


def test_an_existing_refund_is_linked_once(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    refund = api.make("refunds", charge=charge_of(api, invoice), amount=2000)["id"]
    link = {"refunds[0][refund]": refund, "refunds[0][amount_refunded]": 1500}
    made = note(api, invoice, amount=1500, **link)
    assert [(refund, 1500)] == [(each["refund"], each["amount_refunded"]) for each in made["refunds"]]
    assert (400, None, "refunds[0][amount_refunded]") == refused(api, invoice, amount=1500, **link)
    rest = {"refunds[0][refund]": refund}
    assert 500 == note(api, invoice, amount=500, **rest)["refunds"][0]["amount_refunded"]
    assert (400, None, "refunds[0][amount_refunded]") == refused(api, invoice, amount=500, **rest)
    assert 2000 == api.read(f"charges/{charge_of(api, invoice)}")["amount_refunded"]


def test_one_note_cannot_count_a_refund_twice(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    refund = api.make("refunds", charge=charge_of(api, invoice), amount=1000)["id"]
    twice = {"refunds[0][refund]": refund, "refunds[1][refund]": refund}
    assert (400, None, "refunds[1][amount_refunded]") == refused(api, invoice, amount=2000, **twice)


def test_only_this_invoices_refunds_can_be_linked(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    other = api.make("refunds", charge=api.payment(2000)["latest_charge"])["id"]
    form = {"refunds[0][refund]": other}
    assert (400, None, "refunds[0][refund]") == refused(api, invoice, amount=2000, **form)
    gone = {"refunds[0][refund]": "re_none"}
    assert (400, "resource_missing", "refunds[0][refund]") == refused(api, invoice, amount=2000, **gone)


def test_several_payments_are_refunded_newest_first_each_up_to_what_it_holds(
    api: Api, sandbox: Sandbox, customer: str
) -> None:
    invoice = opened(api, customer, 5000)
    intents = []
    for amount in (2000, 1000, 2000):
        intents.append(pay_part(api, invoice, amount)["latest_charge"])
        sandbox.advance(60)
    api.make("refunds", charge=intents[2], amount=500)
    note(api, invoice, amount=3000, refund_amount=3000)
    assert [500, 1000, 2000] == [api.read(f"charges/{charge}")["amount_refunded"] for charge in intents]
    before = money_of(api, invoice)
    assert (400, None, "amount") == refused(api, invoice, amount=1600, refund_amount=1600)
    assert before == money_of(api, invoice)


def test_a_disputed_payment_stops_the_whole_note(api: Api, sandbox: Sandbox, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    first = pay_part(api, invoice, 3000)
    sandbox.advance(60)
    pay_part(api, invoice, 2000)
    sandbox.open_dispute(first["latest_charge"])
    before = money_of(api, invoice)
    assert (400, "charge_disputed", None) == refused(api, invoice, amount=4000, refund_amount=4000)
    assert before == money_of(api, invoice)
    assert 2000 == note(api, invoice, amount=2000, refund_amount=2000)["post_payment_amount"]


def test_money_from_elsewhere_is_credited_or_returned_elsewhere(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    api.make(f"invoices/{invoice['id']}/pay", paid_out_of_band="true")
    assert (400, None, "refund_amount") == refused(api, invoice, amount=1000, refund_amount=1000)
    assert 1000 == note(api, invoice, amount=1000, out_of_band_amount=1000)["out_of_band_amount"]


@pytest.mark.parametrize("status", ["draft", "void", "uncollectible"])
def test_only_open_and_paid_invoices_take_notes(api: Api, customer: str, status: str) -> None:
    invoice = api.make("invoices", customer=customer) if status == "draft" else opened(api, customer, 5000)
    if verb := {"void": "void", "uncollectible": "mark_uncollectible"}.get(status):
        api.make(f"invoices/{invoice['id']}/{verb}")
    assert (400, None, "invoice") == refused(api, invoice, amount=1000)


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({}, (400, "parameter_missing", "amount")),
        ({"amount": 0}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": -5}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": 5001}, (400, None, "amount")),
        ({"amount": 100, "reason": "regret"}, (400, None, "reason")),
        ({"amount": 100, "credit_amount": -1}, (400, "parameter_invalid_integer", "credit_amount")),
        ({"amount": 100, "shade": "blue"}, (400, "parameter_unknown", "shade")),
    ],
)
def test_unsound_notes_are_refused(
    api: Api, customer: str, form: Json, refusal: tuple[int, str | None, str | None]
) -> None:
    assert refusal == refused(api, opened(api, customer, 5000), **form)


def test_a_missing_invoice_is_named(api: Api) -> None:
    assert (400, "parameter_missing", "invoice") == api.error(api.post("credit_notes", amount=1))
    assert (400, "resource_missing", "invoice") == api.error(api.post("credit_notes", invoice="in_none", amount=1))


@pytest.mark.parametrize(("inclusive", "total", "tax"), [("false", 1190, 190), ("true", 1000, 160)])
def test_an_amount_reverses_its_share_of_the_tax(api: Api, customer: str, inclusive: str, total: int, tax: int) -> None:
    invoice = paid(api, customer, 1000, item=vat(api, inclusive))
    half = note(api, invoice, amount=total // 2, refund_amount=total // 2)
    assert (total // 2, tax // 2) == (half["total"], half["total_taxes"][0]["amount"])
    assert total // 2 - tax // 2 == half["total_excluding_tax"]
    rest = note(api, invoice, amount=total - total // 2, credit_amount=total - total // 2)
    assert tax == half["total_taxes"][0]["amount"] + rest["total_taxes"][0]["amount"]


def test_parts_of_a_line_add_up_to_the_whole_with_its_tax(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 997, item=vat(api))
    line = invoice["lines"]["data"][0]["id"]
    form = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": line}
    made = [note(api, invoice, **form, **{"lines[0][amount]": amount}) for amount in (333, 333, 331)]
    assert (997, invoice["total"]) == (sum(each["subtotal"] for each in made), sum(each["total"] for each in made))
    assert "paid" == api.read(f"invoices/{invoice['id']}")["status"]


def test_lines_are_credited_by_quantity_or_by_amount_but_never_both(api: Api, customer: str) -> None:
    product = api.make("products", name="Chair")["id"]
    price = api.make("prices", product=product, currency="usd", unit_amount=1500)["id"]
    draft = api.make("invoices", customer=customer)["id"]
    api.make("invoiceitems", customer=customer, invoice=draft, quantity=3, **{"pricing[price]": price})
    invoice = api.make(f"invoices/{draft}/finalize")
    line = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": invoice["lines"]["data"][0]["id"]}
    made = note(api, invoice, **line, **{"lines[0][quantity]": 2})
    (credited,) = made["lines"]["data"]
    assert (3000, 2, 1500) == (credited["amount"], credited["quantity"], credited["unit_amount"])
    for more, param in (
        ({"lines[0][quantity]": 2}, "lines[0][quantity]"),
        ({"lines[0][amount]": 100}, "lines[0][amount]"),
    ):
        assert (400, None, param) == refused(api, invoice, **line, **more)
    assert (400, "parameter_missing", "lines[0][amount]") == refused(api, invoice, **line)
    both = {"lines[0][quantity]": 1, "lines[0][amount]": 1}
    assert (400, "parameters_exclusive", "lines[0][amount]") == refused(api, invoice, **line, **both)


def test_a_line_of_its_own_has_a_description_a_price_and_tax(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000, item=vat(api))
    rate = {"lines[0][tax_rates][0]": vat(api)["tax_rates[0]"]}
    form = {"lines[0][type]": "custom_line_item", "lines[0][description]": "Goodwill", "lines[0][quantity]": 2}
    made = note(api, invoice, refund_amount=1190, **form, **rate, **{"lines[0][unit_amount]": 500})
    assert (1000, 1190, 190) == (made["subtotal"], made["total"], made["total_taxes"][0]["amount"])
    assert (400, "parameter_missing", "lines[0][unit_amount]") == refused(api, invoice, **form)
    foreign = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": "il_none", "lines[0][amount]": 1}
    assert (400, "resource_missing", "lines[0][invoice_line_item]") == refused(api, invoice, **foreign)


def test_an_amount_beside_lines_must_be_their_total(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    line = {
        "lines[0][type]": "custom_line_item",
        "lines[0][description]": "Goodwill",
        "lines[0][unit_amount]": 700,
    }
    assert (400, None, "amount") == refused(api, invoice, amount=800, **line)
    assert 700 == note(api, invoice, amount=700, **line)["total"]


def test_voiding_puts_the_amount_back_while_the_invoice_is_open(api: Api, customer: str) -> None:
    invoice = opened(api, customer, 5000)
    made = note(api, invoice, amount=2000)
    voided = api.make(f"credit_notes/{made['id']}/void")
    assert ("void", True) == (voided["status"], voided["voided_at"] is not None)
    after = api.read(f"invoices/{invoice['id']}")
    assert (5000, 5000, 0) == tuple(
        after[name] for name in ("amount_due", "amount_remaining", "pre_payment_credit_notes_amount")
    )
    assert 400 == api.post(f"credit_notes/{made['id']}/void").status_code
    assert 5000 == note(api, invoice, amount=5000)["amount"]


def test_a_note_on_a_paid_invoice_cannot_be_voided(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    made = note(api, invoice, amount=2000, refund_amount=2000)
    answer = api.post(f"credit_notes/{made['id']}/void")
    assert "You can only void a credit note if the associated invoice is open." == answer.json()["error"]["message"]
    assert "issued" == api.read(f"credit_notes/{made['id']}")["status"]


def test_a_preview_shows_the_note_and_changes_nothing(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000, item=vat(api))
    before = money_of(api, invoice)
    wanted = {"amount": 595, "refund_amount": 595}
    shown = api.read("credit_notes/preview", invoice=invoice["id"], **wanted)
    (line,) = api.read("credit_notes/preview/lines", invoice=invoice["id"], **wanted)["data"]
    assert (595, 95, 500) == (shown["total"], shown["total_taxes"][0]["amount"], line["amount"])
    assert before == money_of(api, invoice)
    made = note(api, invoice, **wanted)
    same = ("amount", "number", "post_payment_amount", "subtotal", "total_taxes", "type")
    assert {name: made[name] for name in same} == {name: shown[name] for name in same}
    refusal = api.get("credit_notes/preview", invoice=invoice["id"], amount=9999, refund_amount=9999)
    assert (400, None, "amount") == api.error(refusal)


def test_notes_are_listed_by_customer_and_invoice_and_keep_their_lines(api: Api, customer: str) -> None:
    first, second = opened(api, customer, 5000), opened(api, customer, 5000)
    made = [note(api, invoice, amount=100)["id"] for invoice in (first, second)]
    assert made[::-1] == [each["id"] for each in api.read("credit_notes", customer=customer)["data"]]
    assert made[:1] == [each["id"] for each in api.read("credit_notes", invoice=first["id"])["data"]]
    assert [100] == [line["amount"] for line in api.read(f"credit_notes/{made[0]}/lines")["data"]]


def test_memo_and_metadata_are_all_that_changes_later(api: Api, customer: str) -> None:
    made = note(api, opened(api, customer, 5000), amount=100)["id"]
    changed = api.make(f"credit_notes/{made}", memo="Sorry", **{"metadata[a]": "b"})
    assert ("Sorry", {"a": "b"}) == (changed["memo"], changed["metadata"])
    assert (400, "parameter_unknown", "amount") == api.error(api.post(f"credit_notes/{made}", amount=1))
    assert "credit_note.updated" == api.read("events", limit=1)["data"][0]["type"]


def test_the_pdf_is_real_and_its_link_cannot_be_guessed(api: Api, customer: str) -> None:
    made = note(api, opened(api, customer, 5000), amount=100, memo="<b>Sorry</b>")
    with httpx.Client(verify=NO_TLS, timeout=10) as http:
        document = http.get(made["pdf"])
        assert (200, "application/pdf") == (document.status_code, document.headers["content-type"])
        assert document.content.startswith(b"%PDF-")
        assert f"Credit-note-{made['number']}.pdf" in document.headers["content-disposition"]
        assert 404 == http.get(made["pdf"].removesuffix(".pdf")).status_code
        assert 404 == http.get(made["pdf"].replace(made["pdf"][-8:-4], "none")).status_code


def test_the_same_key_issues_one_note(api: Api, customer: str) -> None:
    invoice = paid(api, customer, 5000)
    form = {"invoice": invoice["id"], "amount": 1000, "refund_amount": 1000}
    first, again = (api.post("credit_notes", key="k1", **form).json()["id"] for _ in range(2))
    assert first == again
    assert 1000 == api.read(f"charges/{charge_of(api, invoice)}")["amount_refunded"]
