"""Stripe down, mail down: said plainly, with what still works."""

import time

from tests.e2e.world import Customer, World


def test_with_stripe_down_policy_is_still_answered_and_a_person_offered(world: World, customer: Customer) -> None:
    customer.says("show me my last invoices")
    customer.signs_in("alan@example.com")
    world.sandbox.fault(method=".*", path="/v1/.*", count=1000, kind="status", status=503)

    down = customer.says("show me my last invoices")
    policy = customer.says("what is your refund policy for annual plans?")
    world.sandbox.clear_faults()

    assert "can't reach the billing data right now" in down.text
    assert "colleague" in down.text
    assert "annual-plans" in [citation["document"] for citation in policy.citations]
    assert "Here are your latest invoices" in _once_asked_again(customer, "show me my last invoices")


def _once_asked_again(customer: Customer, text: str) -> str:
    """After an outage the breaker holds requests back for some seconds more."""
    until = time.monotonic() + 30
    while "can't reach" in (said := customer.says(text).text) and time.monotonic() < until:
        time.sleep(1)
    return said


def test_a_refund_whose_answer_got_lost_happens_once_and_is_found(fresh_world: World) -> None:
    """Stripe commits and the connection fails every time: unknown at first, then found by reading Stripe."""
    customer = Customer(fresh_world)
    customer.says("i was charged twice this month")
    customer.signs_in("ada@example.com")
    fresh_world.sandbox.fault(method="POST", path="/v1/refunds", count=1000, kind="status_after_commit", status=500)

    said = customer.says("yes please")

    assert "I don't know yet whether this went through" in said.text
    fresh_world.sandbox.clear_faults()
    assert "CF-" in customer.hears("has been refunded", within=40)["text"]
    made = [
        r
        for r in fresh_world.sandbox.stripe().v1.refunds.list({"limit": 100}).data
        if r.metadata and "action_id" in r.metadata
    ]
    assert len(made) == 1
