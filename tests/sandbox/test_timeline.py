"""What happens by itself when the sandbox's clock moves on."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.mail import Inbox
from sandbox.seed.demo import plant
from sandbox.stripe import timeline
from sandbox.stripe.errors import Json
from sandbox.stripe.resources import changing, frozen, new_world, refunds, subscribing
from sandbox.stripe.resources.periods import add_months
from sandbox.stripe.store import Store
from sandbox.stripe.world import Clock, World
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import DAY, customer_with, event_types, period_end, price, set_card, subscribe
from tests.sandbox.worlds import monthly, person, subscriber

HOUR = 3600
MONTH = 31 * DAY
NOW = 1_800_000_000


def invoices(api: Api, subscription: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.read("invoices", subscription=subscription, limit=100)["data"]
    return found


def test_a_period_that_ends_is_renewed_as_a_draft_and_charged_an_hour_later(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api))
    end = period_end(made)
    sandbox.advance(end - made["created"] + 60)
    drafted = invoices(api, made["id"])[0]
    assert ("draft", "subscription_cycle", 2000, end) == tuple(
        drafted[key] for key in ("status", "billing_reason", "total", "created")
    )
    assert end + HOUR == drafted["automatically_finalizes_at"]
    sandbox.advance(HOUR)
    paid = api.read(f"invoices/{drafted['id']}")
    assert ("paid", end + HOUR) == (paid["status"], paid["status_transitions"]["finalized_at"])
    renewed = api.read(f"subscriptions/{made['id']}")
    assert add_months(made["created"], 2) == period_end(renewed)
    assert drafted["id"] == renewed["latest_invoice"]


def test_a_sandbox_left_alone_for_months_renews_each_month_on_its_day(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api))
    sandbox.advance(5 * MONTH)
    found = invoices(api, made["id"])
    expected = [add_months(made["created"], months) for months in range(len(found))]
    assert expected == sorted(each["created"] for each in found)
    assert {"paid"} == {each["status"] for each in found}
    assert len(found) in {5, 6}


def test_the_demo_kept_for_a_month_stays_believable() -> None:
    """Nothing stays due, nothing is charged twice for a period, and whoever paid goes on paying."""
    wall = Clock().wall()
    world = new_world(clock=Clock(wall=lambda: wall))
    plant(world)
    timeline.run_due(world)
    world.clock.offset += 45 * DAY
    timeline.run_due(world)
    following = timeline.upcoming(world)
    assert following
    assert following[0] > world.now()
    live = [each for each in world.all("subscription") if each["status"] in {"active", "past_due"}]
    assert all(each["items"]["data"][0]["current_period_end"] > world.now() for each in live)
    lines = [
        line
        for each in world.all("invoice")
        for line in each["_lines"]
        if not line["parent"]["type"].startswith("invoice_item")
    ]
    billed = [
        (line["parent"]["subscription_item_details"]["subscription_item"], line["period"]["start"]) for line in lines
    ]
    assert len(set(billed)) == len(billed)


def test_advancing_at_once_and_in_steps_give_the_same_history() -> None:
    def history(steps: list[int]) -> list[tuple[str, int]]:
        wall = 1_800_000_000
        world = new_world(clock=Clock(wall=lambda: wall))
        plant(world)
        for step in steps:
            world.clock.offset += step
            timeline.run_due(world)
        return sorted((each["type"], each["created"]) for each in world.all("event"))

    assert history([40 * DAY]) == history([DAY] * 40)


def test_a_trial_is_announced_and_then_charged(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api), trial_period_days=10)
    sandbox.advance(7 * DAY + 1)
    assert "customer.subscription.trial_will_end" == event_types(api, made["id"])[-1]
    sandbox.advance(DAY)
    assert 1 == event_types(api, made["id"]).count("customer.subscription.trial_will_end")
    sandbox.advance(2 * DAY + HOUR)
    ended = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "latest_invoice"})
    assert ("active", "paid", 2000) == (
        ended["status"],
        ended["latest_invoice"]["status"],
        ended["latest_invoice"]["total"],
    )


@pytest.mark.parametrize(
    ("behaviour", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")]
)
def test_a_trial_without_a_card_ends_as_it_was_told_to(api: Api, sandbox: Sandbox, behaviour: str, status: str) -> None:
    form = {"trial_settings[end_behavior][missing_payment_method]": behaviour}
    made = subscribe(api, customer_with(api, card=None), trial_period_days=2, **form)
    sandbox.advance(2 * DAY + HOUR + 1)
    ended = api.read(f"subscriptions/{made['id']}")
    assert status == ended["status"]
    if status == "paused":
        assert "trial_end_without_payment_method" == ended["status_details"]["paused"]["subscription"]["type"]


def test_a_scheduled_cancellation_ends_at_its_moment_and_charges_nothing_more(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api), cancel_at_period_end="true")
    sandbox.advance(MONTH + DAY)
    ended = api.read(f"subscriptions/{made['id']}")
    assert ("canceled", period_end(made)) == (ended["status"], ended["ended_at"])
    assert [made["latest_invoice"]] == [each["id"] for each in invoices(api, made["id"])]


def test_an_end_inside_the_period_credits_the_rest_of_it(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api))
    start, end = made["created"], period_end(made)
    middle = (start + end) // 2
    api.make(f"subscriptions/{made['id']}", cancel_at=middle)
    sandbox.advance(middle - start + HOUR + 60)
    assert middle == api.read(f"subscriptions/{made['id']}")["ended_at"]
    assert -1000 == api.read(f"customers/{made['customer']}")["balance"]
    assert [] == api.read("refunds", limit=100, payment_intent=_intent(api, made))["data"]


def _intent(api: Api, made: dict[str, Any]) -> str:
    found: str = api.read("payment_intents", customer=made["customer"])["data"][0]["id"]
    return found


def test_a_declined_renewal_is_retried_and_then_given_up(api: Api, sandbox: Sandbox) -> None:
    customer = customer_with(api)
    made = subscribe(api, customer)
    set_card(api, customer, "pm_card_chargeCustomerFail")
    sandbox.advance(period_end(made) - made["created"] + HOUR + 1)
    late = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "latest_invoice"})
    invoice = late["latest_invoice"]
    first = invoice["status_transitions"]["finalized_at"]
    assert ("past_due", "open", 1) == (late["status"], invoice["status"], invoice["attempt_count"])
    assert first + 3 * DAY == invoice["next_payment_attempt"]
    sandbox.advance(8 * DAY)
    assert 3 == api.read(f"invoices/{invoice['id']}")["attempt_count"]
    assert api.read(f"customers/{customer}")["delinquent"]
    sandbox.advance(7 * DAY)
    given_up = api.read(f"invoices/{invoice['id']}")
    assert (4, None, "open") == tuple(given_up[key] for key in ("attempt_count", "next_payment_attempt", "status"))
    ended = api.read(f"subscriptions/{made['id']}")
    assert ("canceled", "payment_failed") == (ended["status"], ended["cancellation_details"]["reason"])
    assert 4 == event_types(api, invoice["id"]).count("invoice.payment_failed")


def test_a_better_card_before_the_retry_saves_the_subscription(api: Api, sandbox: Sandbox) -> None:
    customer = customer_with(api)
    made = subscribe(api, customer)
    set_card(api, customer, "pm_card_chargeCustomerFail")
    sandbox.advance(period_end(made) - made["created"] + HOUR + 1)
    set_card(api, customer, "pm_card_mastercard")
    sandbox.advance(3 * DAY)
    saved = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "latest_invoice"})
    assert ("active", "paid") == (saved["status"], saved["latest_invoice"]["status"])
    assert not api.read(f"customers/{customer}")["delinquent"]


def test_an_unpaid_subscription_lives_on_in_drafts_when_it_is_meant_to(api: Api, sandbox: Sandbox) -> None:
    customer = customer_with(api)
    made = subscribe(api, customer, **{"metadata[sandbox_when_unpaid]": "unpaid"})
    set_card(api, customer, "pm_card_chargeCustomerFail")
    sandbox.advance(2 * MONTH + DAY)
    late = api.read(f"subscriptions/{made['id']}", **{"expand[0]": "latest_invoice"})
    assert ("unpaid", "draft", False) == (
        late["status"],
        late["latest_invoice"]["status"],
        late["latest_invoice"]["auto_advance"],
    )


def test_an_incomplete_subscription_expires_after_23_hours(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api, "pm_card_chargeCustomerFail"))
    assert "incomplete" == made["status"]
    sandbox.advance(23 * HOUR - 60)
    assert "incomplete" == api.read(f"subscriptions/{made['id']}")["status"]
    sandbox.advance(120)
    assert "incomplete_expired" == api.read(f"subscriptions/{made['id']}")["status"]
    assert "void" == api.read(f"invoices/{made['latest_invoice']}")["status"]


def test_an_invoice_is_overdue_once(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api), collection_method="send_invoice", days_until_due=5)
    sandbox.advance(6 * DAY)
    sandbox.advance(6 * DAY)
    assert 1 == event_types(api, made["latest_invoice"]).count("invoice.overdue")
    assert "past_due" == api.read(f"subscriptions/{made['id']}")["status"]
    api.make(f"invoices/{made['latest_invoice']}/pay", paid_out_of_band="true")
    assert "active" == api.read(f"subscriptions/{made['id']}")["status"]


def test_a_draft_without_lines_is_not_tried_for_ever(api: Api, sandbox: Sandbox) -> None:
    draft = api.make("invoices", customer=customer_with(api), auto_advance="true")
    sandbox.advance(2 * HOUR)
    failed = api.read(f"invoices/{draft['id']}")
    assert ("draft", False, "invoice_no_customer_line_items") == (
        failed["status"],
        failed["auto_advance"],
        failed["last_finalization_error"]["code"],
    )


@pytest.mark.parametrize(
    ("behaviour", "status"), [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")]
)
def test_paused_collection_applies_to_each_renewal_until_it_resumes(
    api: Api, sandbox: Sandbox, behaviour: str, status: str
) -> None:
    made = subscribe(api, customer_with(api))
    resumes = period_end(made) + 10 * DAY
    form = {"pause_collection[behavior]": behaviour, "pause_collection[resumes_at]": resumes}
    api.make(f"subscriptions/{made['id']}", **form)
    sandbox.advance(period_end(made) - made["created"] + DAY)
    assert status == invoices(api, made["id"])[0]["status"]
    assert 1 == len(api.read("charges", customer=made["customer"])["data"])
    sandbox.advance(10 * DAY)
    assert api.read(f"subscriptions/{made['id']}")["pause_collection"] is None
    sandbox.advance(MONTH)
    assert "paid" == invoices(api, made["id"])[0]["status"]


@pytest.mark.parametrize(
    ("opened", "closed"), [("warning_needs_response", "warning_closed"), ("needs_response", "lost")]
)
def test_an_unanswered_dispute_closes_when_its_time_is_over(
    api: Api, sandbox: Sandbox, opened: str, closed: str
) -> None:
    dispute = sandbox.open_dispute(api.payment()["latest_charge"], status=opened)
    sandbox.advance(dispute["evidence_details"]["due_by"] - dispute["created"] + 1)
    late = api.read(f"disputes/{dispute['id']}")
    assert (closed, True) == (late["status"], late["evidence_details"]["past_due"])


def test_what_happens_by_itself_carries_no_idempotency_key(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api, "pm_card_chargeCustomerFail"))
    sandbox.advance(22 * HOUR)
    world_key = api.post("products", key="key-of-a-request", name="Something else")
    assert 200 == world_key.status_code
    sandbox.advance(2 * HOUR)
    last = api.read("events", type="customer.subscription.updated", limit=1)["data"][0]
    assert (made["id"], None) == (last["data"]["object"]["id"], last["request"]["idempotency_key"])


def test_a_yearly_plan_waits_for_its_year(api: Api, sandbox: Sandbox) -> None:
    made = subscribe(api, customer_with(api), price=price(api, 24_000, "year"))
    sandbox.advance(300 * DAY)
    assert 1 == len(invoices(api, made["id"]))
    sandbox.advance(70 * DAY)
    assert 2 == len(invoices(api, made["id"]))


def test_only_what_has_changed_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests ask every time, so a world of any size must cost a request nothing that it has not changed."""
    world = new_world()
    plant(world)
    timeline.run_due(world)
    looked_at: list[str] = []
    monkeypatch.setattr(timeline, "DUES", tuple(_watched(due, looked_at) for due in timeline.DUES))
    timeline.run_due(world)
    assert [] == looked_at
    changed = world.all("subscription")[0]
    changed["description"] = "Changed"
    timeline.run_due(world)
    assert [changed["id"]] == looked_at


def _watched(due: timeline.Due, looked_at: list[str]) -> timeline.Due:
    def moment(thing: Json) -> int | None:
        looked_at.append(thing["id"])
        return due.moment(thing)

    return replace(due, moment=moment)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["seats", "cancel", "keep", "undo"])), max_size=6))
def test_the_agenda_knows_what_a_look_at_everything_would_find(steps: list[tuple[int, str]]) -> None:
    world = new_world(clock=Clock(wall=lambda: NOW))
    made = [subscriber(world, monthly(world, 1000)) for _ in range(3)]
    for place, (days, what) in enumerate(steps):
        subscription = made[place % 3]
        if what in {"seats", "undo"} and subscription["status"] == "active":
            item = {"id": subscription["items"]["data"][0]["id"], "quantity": place + 1}
            with world.rehearsal() if what == "undo" else nullcontext():
                changing.change(world, subscription, {"items": [item], "proration_behavior": "always_invoice"})
        elif subscription["status"] == "active":
            changing.change(world, subscription, {"cancel_at_period_end": what == "cancel"})
        world.clock.offset += days * DAY
        timeline.run_due(world)
        found = timeline.upcoming(world)
        everything = (due.moment(thing) for due in timeline.DUES for thing in world.all(due.kind))
        assert min((each for each in everything if each is not None), default=None) == (found and found[0])


def test_what_is_to_come_comes_after_a_restart_and_after_going_back(tmp_path: Path) -> None:
    """On the sandbox's clock and on a test clock alike, and each time the same."""
    with kept(tmp_path) as world:
        clock = world.add(frozen.KIND, "clock", frozen_time=NOW, status="ready", status_details={})
        for more in ({}, {"test_clock": clock["id"]}):
            someone = person(world, "pm_card_pendingRefund", **more)
            subscribing.create_subscription(world, someone, [{"price": monthly(world, 1000)}])
            refunds.refund(world, world.all("charge")[0], 300)
        world.remember("before")
        first = a_month_on(world, clock["id"])
        world.go_back("before")
        assert first == a_month_on(world, clock["id"])
        world.go_back("before")
    with kept(tmp_path) as again:
        assert first == a_month_on(again, clock["id"])
    assert (["succeeded", "succeeded"], 4) == (first["refund"], len(first["invoice"]))


@contextmanager
def kept(folder: Path) -> Iterator[World]:
    world = new_world(clock=Clock(wall=lambda: NOW))
    store = Store(folder, world, Inbox())
    store.open()
    yield world
    world.commit()
    store.close()


def a_month_on(world: World, clock: str) -> dict[str, list[Any]]:
    """What time alone did; of invoices and events also which they are."""
    found = world.get(frozen.KIND, clock)
    found["frozen_time"] += MONTH + DAY
    timeline.run_due(world, found)
    world.clock.offset += MONTH + DAY
    timeline.run_due(world)
    world.commit()
    told = [(each["id"], each["type"]) for each in world.all("event")]
    invoices = [(each["id"], each["status"]) for each in world.all("invoice")]
    return {"refund": [each["status"] for each in world.all("refund")], "invoice": invoices, "event": told}
