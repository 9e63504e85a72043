"""A refund that was made, and that the bank sends back days later: nobody asks, and everybody hears of it."""

from tests.e2e.world import Customer, Staff, World


def test_a_refund_that_fails_at_the_bank_is_told_once_and_waits_at_the_desk(fresh_world: World) -> None:
    customer, staff = Customer(fresh_world), Staff(fresh_world)
    customer.says("i was charged twice this month")
    customer.signs_in("ada@example.com")
    assert "CF-" in customer.says("yes please").text
    made = fresh_world.sandbox.stripe().v1.refunds.list({"limit": 100}).data
    [refund] = [one for one in made if one.metadata and "action_id" in one.metadata]
    fresh_world.sandbox.post("webhooks/flush")
    assert [] == staff.get("/desk/tickets", state="waiting")

    fresh_world.sandbox.post("refunds", refund=refund.id, status="failed", failure_reason="expired_or_canceled_card")

    told = customer.hears("did not go through", within=30)
    assert "$49.00" in told["text"]
    assert "Visa card ending in 4242" in told["text"]
    [ticket] = staff.get("/desk/tickets", state="waiting")
    assert customer.thread == ticket["thread_id"]
    assert ticket["id"] in told["text"]
    assert "expired or canceled card" in ticket["reason"]

    for event in fresh_world.sandbox.stripe().v1.events.list({"types": ["refund.failed", "refund.updated"]}).data:
        fresh_world.sandbox.post("webhooks/redeliver", event=event.id)
    fresh_world.sandbox.post("webhooks/flush")
    staff.post(f"/desk/tickets/{ticket['id']}/claim").raise_for_status()
    staff.post(f"/desk/tickets/{ticket['id']}/messages", text="I will send it to another card.").raise_for_status()
    customer.hears("another card", within=30)
    assert 1 == sum("did not go through" in message["text"] for message in customer.messages())
