"""One invoice and all that can happen to its money, in any order: the sums agree after every step."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe import money
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import crediting, disputes, invoicing, new_world, paying, payment_intents, refunds
from sandbox.stripe.world import Clock, World
from tests.sandbox.worlds import draft_of

NOW = 1_800_000_000
Act = Callable[[World, Json, int], object]


def instalment(world: World, invoice: Json, share: int) -> None:
    """A part of what is left to pay, or more than all of it, attached before or after it succeeds."""
    step = money.step(invoice["currency"])
    amount = max(money.minimum(invoice["currency"]), invoice["amount_remaining"] * share // 100 // step * step)
    customer = world.get("customer", invoice["customer"])
    method = world.get("payment_method", customer["invoice_settings"]["default_payment_method"])
    intent = payment_intents.create_intent(world, amount, invoice["currency"], customer=customer, method=method)
    early = share % 2
    if early:
        payment_intents.confirm(world, intent)
    paying.attach_payment(world, invoice, intent)
    if not early:
        payment_intents.confirm(world, intent)


def elsewhere(world: World, invoice: Json, _share: int) -> None:
    paying.pay_out_of_band(world, invoice)


def collect(world: World, invoice: Json, _share: int) -> None:
    paying.pay(world, invoice)


def note(world: World, invoice: Json, share: int) -> None:
    """What is open is lowered first, the rest goes to card and balance by halves."""
    amount = invoice["total"] * share // 100
    after = max(0, amount - invoice["amount_remaining"])
    wanted = {"amount": amount, "refund_amount": after // 2, "credit_amount": after - after // 2}
    crediting.issue(world, invoice, crediting.plan(world, invoice, wanted if after else {"amount": amount}))


def unnote(world: World, _invoice: Json, share: int) -> None:
    if notes := world.all("credit_note"):
        crediting.void(world, notes[share % len(notes)])


def refund(world: World, _invoice: Json, share: int) -> None:
    if charges := world.all("charge"):
        charge = charges[share % len(charges)]
        refunds.refund(world, charge, charge["amount"] * share // 100)


def come_back(world: World, _invoice: Json, share: int) -> None:
    if made := world.all("refund"):
        refunds.settle(world, made[share % len(made)], "failed")


def dispute(world: World, _invoice: Json, share: int) -> None:
    if charges := world.all("charge"):
        disputes.open_dispute(world, charges[share % len(charges)])


ACTS: tuple[Act, ...] = (instalment, instalment, collect, elsewhere, note, note, unnote, refund, come_back, dispute)


@settings(max_examples=150, deadline=None)
@given(
    currency=st.sampled_from(["usd", "jpy", "kwd"]),
    steps=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 130)), max_size=12),
)
def test_the_sums_of_an_invoice_agree_after_every_step(currency: str, steps: list[tuple[Act, int]]) -> None:
    world = new_world(clock=Clock(wall=lambda: NOW))
    step = money.step(currency)
    invoice = invoicing.finalize(world, draft_of(world, 7001 * step, 333 * step, currency=currency))
    for act, share in steps:
        try:
            with world.whole():
                act(world, invoice, share)
        except StripeFailure:
            pass
        check(world, invoice)


def check(world: World, invoice: Json) -> None:
    lowered = invoice["pre_payment_credit_notes_amount"]
    assert invoice["total"] == lowered + invoice["amount_paid"] + invoice["amount_remaining"]
    assert ("open" if invoice["amount_remaining"] else "paid") == invoice["status"]
    paid = [each for each in invoicing.payments_of(world, invoice) if each["status"] == "paid"]
    assert sum(each["amount_paid"] for each in paid) == invoice["amount_paid"] + invoice["amount_overpaid"]
    notes = [each for each in world.all("credit_note") if each["status"] == "issued"]
    assert sum(each["amount"] for each in notes) == lowered + invoice["post_payment_credit_notes_amount"]
    assert sum(each["amount"] for each in notes) <= invoice["total"]
    entries = world.all("customer_balance_transaction")
    assert sum(each["amount"] for each in entries) == world.get("customer", invoice["customer"])["balance"]
    for charge in world.all("charge"):
        given_back = [each for each in world.of("refund", "charge", charge["id"]) if each["status"] != "failed"]
        assert sum(each["amount"] for each in given_back) == charge["amount_refunded"] <= charge["amount_captured"]
        assert 0 == charge["amount"] % money.step(charge["currency"])
    books = sum(each["amount"] for each in world.all("balance_transaction"))
    assert books == held(world)


def held(world: World) -> int:
    """What the merchant's own balance must hold, before fees."""
    charges = sum(int(each["amount_captured"]) - int(each["amount_refunded"]) for each in world.all("charge"))
    return charges - sum(int(each["amount"]) for each in world.all("dispute"))
