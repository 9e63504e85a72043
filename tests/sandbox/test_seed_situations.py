"""Each customer of the demo is in the situation that support is to meet, on any day of any month."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.seeded import MOMENTS, Shop, opened

DAY = 86_400


@pytest.fixture(params=MOMENTS, ids=[f"{moment:%Y-%m-%d %H:%M}" for moment in MOMENTS])
def shop(request: pytest.FixtureRequest) -> Shop:
    return opened(request.param)


def values(thing: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(thing[name] for name in names)


def test_there_are_forty_customers_and_none_is_deleted(shop: Shop) -> None:
    everybody = shop.all("customers")
    assert 40 == len(everybody)
    assert not any(each.get("deleted") for each in everybody)


def test_later_invoices_have_higher_numbers(shop: Shop) -> None:
    """Some had a number 7 from before their number 6: whoever reads their list sees an error."""
    for person in shop.all("customers"):
        numbered = [each for each in shop.all("invoices", customer=person["id"]) if each["number"]]
        finalised = {each["number"]: each["status_transitions"]["finalized_at"] for each in numbered}
        assert sorted(finalised.values()) == [finalised[number] for number in sorted(finalised)]


def test_joan_is_known_by_her_phone_number_alone(shop: Shop) -> None:
    (joan,) = shop.api.read("customers/search", query="phone:'+441632960961'")["data"]
    assert ("Joan Clarke", None) == values(joan, "name", "email")
    assert {"gbp"} == {invoice["currency"] for invoice in shop.all("invoices", customer=joan["id"])}


def test_ananyas_trial_has_cost_nothing_and_ends_later(shop: Shop) -> None:
    subscription = shop.subscription("ananya@example.com")
    assert "trialing" == subscription["status"]
    assert 8 < -shop.age(subscription["trial_end"]) < 11
    assert [0] == [invoice["total"] for invoice in shop.of("ananya@example.com", "invoices")]
    assert [] == shop.of("ananya@example.com", "charges")
    assert shop.api.customer("ananya@example.com")["invoice_settings"]["default_payment_method"]


def test_elsas_upgrade_makes_this_months_invoice_dearer(shop: Shop) -> None:
    latest, previous, *_ = shop.of("elsa@example.com", "invoices")
    plan, unused, remaining = latest["lines"]["data"]
    assert ("sek", 119_900, 49_900) == (latest["currency"], plan["amount"], previous["total"])
    assert unused["amount"] < 0 < remaining["amount"]
    assert [True, True] == [each["parent"]["invoice_item_details"]["proration"] for each in (unused, remaining)]
    assert latest["total"] == 119_900 + unused["amount"] + remaining["amount"] > 119_900
    assert shop.is_this_month(latest["created"])


def test_nikos_downgrade_left_him_credit_and_no_refund(shop: Shop) -> None:
    latest, *_ = shop.of("nikos@example.com", "invoices")
    assert ("subscription_update", "paid", 0) == values(latest, "billing_reason", "status", "amount_due")
    assert latest["total"] == shop.api.customer("nikos@example.com")["balance"] < 0
    assert 4500 == shop.subscription("nikos@example.com")["items"]["data"][0]["price"]["unit_amount"]
    assert not any(charge["amount_refunded"] for charge in shop.of("nikos@example.com", "charges"))


def test_beatrices_renewal_and_addon_cost_the_same_on_the_same_day(shop: Shop) -> None:
    addon, renewal, *_ = shop.of("beatrice@example.com", "invoices")
    assert [6500, 6500] == [addon["total"], renewal["total"]]
    assert ["subscription_update", "subscription_cycle"] == [addon["billing_reason"], renewal["billing_reason"]]
    assert addon["parent"] == renewal["parent"]
    assert addon["lines"]["data"][0]["parent"]["invoice_item_details"]["proration"]
    later, earlier, *_ = shop.of("beatrice@example.com", "charges")
    assert (6500, 6500, 120) == (later["amount"], earlier["amount"], later["created"] - earlier["created"])


def test_seoyeons_plan_ends_with_the_paid_month(shop: Shop) -> None:
    subscription = shop.subscription("seoyeon@example.com")
    end = subscription["items"]["data"][0]["current_period_end"]
    assert ("active", True, end) == values(subscription, "status", "cancel_at_period_end", "cancel_at")
    assert shop.age(subscription["canceled_at"]) < 2
    assert end > shop.now.timestamp()


def test_this_month_is_dearer_for_seoyeon_because_her_coupon_has_ended(shop: Shop) -> None:
    latest, previous, *before = shop.of("seoyeon@example.com", "invoices")
    assert [66_000, 46_200, 46_200] == [latest["total"], previous["total"], before[0]["total"]]
    assert ([], [19_800]) == (
        latest["total_discount_amounts"],
        [each["amount"] for each in previous["total_discount_amounts"]],
    )
    assert [] == shop.subscription("seoyeon@example.com")["discounts"]


def test_cicelys_second_charge_is_only_a_hold(shop: Shop) -> None:
    charged, held, *_ = shop.of("cicely@example.com", "charges")
    assert [(12_000, True), (12_000, False)] == [values(each, "amount", "captured") for each in (charged, held)]
    assert 360 == charged["created"] - held["created"]
    intent = shop.api.read(f"payment_intents/{held['payment_intent']}")
    assert ("requires_capture", 12_000) == values(intent, "status", "amount_capturable")
    (invoice, *_) = shop.of("cicely@example.com", "invoices")
    assert [12_000] == [payment["amount_paid"] for payment in shop.payments(invoice)]


def test_evelyn_was_charged_for_a_renewal_after_her_cancellation(shop: Shop) -> None:
    subscription = shop.subscription("evelyn@example.com")
    renewal, *before = shop.of("evelyn@example.com", "invoices")
    assert "canceled" == subscription["status"]
    assert ("subscription_cycle", "paid", 4900) == values(renewal, "billing_reason", "status", "amount_paid")
    assert subscription["id"] == renewal["parent"]["subscription_details"]["subscription"]
    charge, *_ = shop.of("evelyn@example.com", "charges")
    assert all(each["created"] < subscription["canceled_at"] for each in before)
    assert subscription["canceled_at"] + 17 * DAY == charge["created"]
    assert (0, False) == values(charge, "amount_refunded", "disputed")


def test_refunds_are_partial_full_back_again_or_on_their_way(shop: Shop) -> None:
    newest = {name: shop.of(f"{name}@example.com", "charges")[0] for name in ("dorothy", "edsger", "kay", "misaki")}
    assert (8000, 4000, False) == values(newest["dorothy"], "amount", "amount_refunded", "refunded")
    assert (3500, 3500, True) == values(newest["edsger"], "amount", "amount_refunded", "refunded")
    assert (0, False) == values(newest["kay"], "amount_refunded", "refunded")
    (failed,), (pending,) = shop.refunds(newest["kay"]), shop.refunds(newest["misaki"])
    assert ("failed", "expired_or_canceled_card") == values(failed, "status", "failure_reason")
    assert ("pending", 30_000, "jpy") == values(pending, "status", "amount", "currency")
    assert newest["misaki"]["refunded"]


@pytest.mark.parametrize(
    ("email", "status", "refundable", "withdrawn"),
    [
        ("donald@example.com", "needs_response", False, 1),
        ("yaroslava@example.com", "warning_needs_response", True, 0),
        ("konrad@example.com", "lost", False, 1),
        ("ida@example.com", "won", True, 2),
    ],
)
def test_every_end_of_a_dispute_is_there(shop: Shop, email: str, status: str, refundable: bool, withdrawn: int) -> None:
    dispute = shop.dispute(email)
    assert (status, refundable) == values(dispute, "status", "is_charge_refundable")
    assert withdrawn == len(dispute["balance_transactions"])
    assert dispute["created"] > shop.api.read(f"charges/{dispute['charge']}")["created"]


def test_a_won_dispute_does_not_end_the_subscription_but_a_lost_one_does(shop: Shop) -> None:
    assert "active" == shop.subscription("ida@example.com")["status"]
    assert "canceled" == shop.subscription("konrad@example.com")["status"]


def test_grete_paid_more_than_her_invoice_asks(shop: Shop) -> None:
    (invoice,) = shop.of("grete@example.com", "invoices")
    assert ("chf", 24_000, 24_000, 12_000) == values(invoice, "currency", "total", "amount_paid", "amount_overpaid")
    assert [24_000, 12_000] == [payment["amount_paid"] for payment in shop.payments(invoice)]


def test_maurices_three_charges_are_instalments_of_one_invoice(shop: Shop) -> None:
    (invoice,) = shop.of("maurice@example.com", "invoices")
    assert ("paid", 90_000, 0) == values(invoice, "status", "amount_paid", "amount_overpaid")
    assert [30_000] * 3 == [payment["amount_paid"] for payment in shop.payments(invoice)]
    assert [30_000] * 3 == [charge["amount"] for charge in shop.of("maurice@example.com", "charges")]


def test_maryams_second_attempt_paid_what_the_first_could_not(shop: Shop) -> None:
    paid, declined, *_ = shop.of("maryam@example.com", "charges")
    assert (["succeeded", "failed"], 1) == (
        [paid["status"], declined["status"]],
        len({paid["amount"], declined["amount"]}),
    )
    assert paid["payment_intent"] == declined["payment_intent"]
    assert "insufficient_funds" == declined["outcome"]["reason"]
    assert 3 <= len(shop.of("maryam@example.com", "payment_methods"))
    assert "active" == shop.subscription("maryam@example.com")["status"]


def test_walter_is_deleted_but_his_invoices_are_not(shop: Shop) -> None:
    (walter,) = {i["customer"] for i in shop.all("invoices") if i["customer_email"] == "walter@example.com"}
    assert {"id": walter, "object": "customer", "deleted": True} == shop.api.read(f"customers/{walter}")
    assert [] == shop.api.read("customers", email="walter@example.com")["data"]
    assert [3500, 1900] == [invoice["amount_paid"] for invoice in shop.all("invoices", customer=walter)]


def test_meridian_spends_much_in_the_middle_of_its_year(shop: Shop) -> None:
    item = shop.subscription("ap@example.com")["items"]["data"][0]
    assert ("year", 1_800_000) == (item["price"]["recurring"]["interval"], item["price"]["unit_amount"])
    assert shop.age(item["current_period_start"]) > 140
    assert -shop.age(item["current_period_end"]) > 170
    training, plan = shop.of("ap@example.com", "charges")
    assert [640_000, 1_620_000] == [training["amount"], plan["amount"]]
    (invoice,) = [each for each in shop.of("ap@example.com", "invoices") if each["amount_paid"] == plan["amount"]]
    assert [180_000] == [each["amount"] for each in invoice["total_discount_amounts"]]
    assert [40_000, 40_000] == [refund["amount"] for refund in shop.refunds(training)]


def test_hanse_pays_no_vat_and_outside_stripe(shop: Shop) -> None:
    invoices = shop.of("accounts@example.com", "invoices")
    assert "reverse" == shop.api.customer("accounts@example.com")["tax_exempt"]
    assert [("paid", 240_000, "reverse", [])] * 4 == [
        values(invoice, "status", "total", "customer_tax_exempt", "total_taxes") for invoice in invoices
    ]
    kinds = {payment["payment"]["type"] for invoice in invoices for payment in shop.payments(invoice)}
    assert ({"payment_record"}, []) == (kinds, shop.of("accounts@example.com", "charges"))


def test_the_loud_firm_is_an_ordinary_customer(shop: Shop) -> None:
    assert {"paid"} == {invoice["status"] for invoice in shop.of("office@example.com", "invoices")}
    charges = shop.of("office@example.com", "charges")
    assert [6000] == [charge["amount_refunded"] for charge in charges if charge["amount_refunded"]]
    assert not any(charge["disputed"] for charge in charges)


def test_one_hour_of_a_paid_workshop_was_credited(shop: Shop) -> None:
    (note,) = shop.of("office@example.com", "credit_notes")
    invoice = shop.api.read(f"invoices/{note['invoice']}")
    assert ("issued", 6000, "order_change", "post_payment") == values(note, "status", "total", "reason", "type")
    assert ("paid", 18_000, 6000) == values(invoice, "status", "total", "post_payment_credit_notes_amount")


def test_hostile_text_is_in_every_place_where_text_can_be(shop: Shop) -> None:
    trudy = shop.api.customer("trudy@example.com")
    assert {"\u202e", "\u2066", "<", "|"} <= set(trudy["name"])
    assert 4000 < len(trudy["description"]) <= 5000
    assert "unlimited" == trudy["metadata"]["refund_limit"]
    newest, oldest = shop.of("mallory@example.com", "invoices")
    assert "<script>" in newest["lines"]["data"][0]["description"]
    lines = "\n".join(line["description"] for line in oldest["lines"]["data"])
    assert all(words in lines for words in ("Ignoriere", "Ignora", "忽略", "تجاهل", "<system>", "](", "{{"))


@pytest.mark.parametrize("email", ["mallory@example.com", "trudy@example.com", "seoyeon@example.com"])
def test_pages_and_pdfs_survive_every_text(email: str) -> None:
    shop = opened(MOMENTS[0])
    for invoice in shop.of(email, "invoices"):
        path = "/_sandbox/" + invoice["hosted_invoice_url"].partition("/_sandbox/")[2]
        page, pdf = shop.api.http.get(path), shop.api.http.get(f"{path}.pdf")
        assert (200, b"%PDF-") == (page.status_code, pdf.content[:5])
        assert not any(tag in page.text for tag in ("<script>", "<b>", "<system>"))


def test_names_come_in_many_scripts(shop: Shop) -> None:
    letters = {letter for person in shop.all("customers") for letter in person["name"] if letter.isalpha()}
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "DEVANAGARI", "HANGUL", "CJK"} <= scripts


def test_customers_come_from_many_countries_and_pay_in_many_currencies(shop: Shop) -> None:
    countries = {person["address"]["country"] for person in shop.all("customers") if person["address"]}
    assert len(countries) >= 12
    currencies = {charge["currency"] for charge in shop.all("charges")}
    assert {"usd", "eur", "gbp", "jpy", "kwd", "chf", "sek", "cad", "aed", "krw"} <= currencies


def test_no_two_histories_are_copies(shop: Shop) -> None:
    histories: dict[str, list[Any]] = {}
    for invoice in shop.all("invoices"):
        histories.setdefault(invoice["customer"], []).append(values(invoice, "created", "total", "currency"))
    told = [tuple(history) for history in histories.values()]
    assert len(told) == len(set(told)) >= 40


def test_people_buy_at_different_times_of_day(shop: Shop) -> None:
    hours = {datetime.fromtimestamp(charge["created"], UTC).hour for charge in shop.all("charges")}
    assert len(hours) >= 12
